package contract

import (
	"strconv"

	"github.com/atrium-portal/atrium/domain"
)

// Event is a fact about a contract.
//
//sumtype:decl
type Event interface {
	domain.Event
	contract()
}

// Drafted is the first event of every contract.
type Drafted struct {
	Project domain.ID       `json:"project,omitzero"`
	Title   domain.Personal `json:"title"`
	Body    domain.Personal `json:"body"` // plain text or Markdown
	Signers []Signer        `json:"signers"`
}

// Signer is a contact and their turn, counted from 1.
type Signer struct {
	Contact domain.ID `json:"contact"`
	Order   int       `json:"order,omitempty"`
}

// DraftChanged carries the whole draft as it is from now on.
type DraftChanged struct {
	Project domain.ID       `json:"project,omitzero"`
	Title   domain.Personal `json:"title"`
	Body    domain.Personal `json:"body"`
	Signers []Signer        `json:"signers"`
	Removed []domain.ID     `json:"removed,omitempty"` // who were to sign, and are not any more
}

// Sent freezes the text and asks the first signer.
type Sent struct {
	SHA256  string      `json:"sha256"`            // Digest of title and body
	Version int         `json:"version,omitempty"` // which text of the draft this is, from 1
	Signers []domain.ID `json:"signers"`
	Parties Parties     `json:"parties,omitzero"`
}

// Parties are firm and client as they were when the contract was sent, so that its document never changes.
type Parties struct {
	Firm          string          `json:"firm"`
	FirmAddress   string          `json:"firm_address,omitempty"`
	Client        domain.Personal `json:"client"`
	ClientAddress domain.Personal `json:"client_address,omitzero"`
	TimeZone      string          `json:"time_zone"`       // of the firm: times on the certificate are also given in it
	Color         string          `json:"color,omitempty"` // #rrggbb, of the letterhead
}

// Signed is one signature. SignatureAdopted before it tells how it looks.
type Signed struct {
	Contact   domain.ID       `json:"contact"`
	Name      domain.Personal `json:"name" subject:"contact"` // as the signer wrote it
	Statement domain.Personal `json:"statement"`              // what the signer agreed to by signing
	SHA256    string          `json:"sha256"`
	Order     int             `json:"order"`
	Proof     Proof           `json:"proof,omitzero"` // of who they are, not older than domain.ProofLasts
}

// Completed follows the last signature.
type Completed struct {
	SHA256 string `json:"sha256"`
}

// Declined ends a contract: a signer will not sign.
type Declined struct {
	Contact domain.ID       `json:"contact"`
	Reason  domain.Personal `json:"reason" subject:"contact"`
}

// Voided ends a contract: the firm withdrew it.
type Voided struct {
	Reason domain.Personal `json:"reason"`
}

func (Drafted) contract()      {}
func (DraftChanged) contract() {}
func (Sent) contract()         {}
func (Signed) contract()       {}
func (Completed) contract()    {}
func (Declined) contract()     {}
func (Voided) contract()       {}

// EventType is the wire name.
func (Drafted) EventType() string { return "ContractDrafted" }

// EventType is the wire name.
func (DraftChanged) EventType() string { return "ContractDraftChanged" }

// EventType is the wire name.
func (Sent) EventType() string { return "ContractSent" }

// EventType is the wire name.
func (Signed) EventType() string { return "ContractSigned" }

// EventType is the wire name.
func (Completed) EventType() string { return "ContractCompleted" }

// EventType is the wire name.
func (Declined) EventType() string { return "ContractDeclined" }

// EventType is the wire name.
func (Voided) EventType() string { return "ContractVoided" }

// Sentence for history.
func (e Drafted) Sentence() string { return "drafted the contract" + e.Title.After(" ") }

// Sentence for history.
func (e DraftChanged) Sentence() string {
	return "changed the draft of the contract" + e.Title.After(" ")
}

// Sentence for history.
func (e Sent) Sentence() string {
	if len(e.Signers) == 1 {
		return "sent the contract to its signer"
	}
	return "sent the contract to its " + strconv.Itoa(len(e.Signers)) + " signers"
}

// Sentence for history.
func (e Signed) Sentence() string { return "signed the contract" + e.Name.After(" as ") }

// Sentence for history.
func (Completed) Sentence() string { return "completed the contract with the last signature" }

// Sentence for history.
func (Declined) Sentence() string { return "declined the contract" }

// Sentence for history.
func (Voided) Sentence() string { return "voided the contract" }
