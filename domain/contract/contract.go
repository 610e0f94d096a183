// Package contract is a text that people of a client sign: drafted, sent with its text frozen, viewed, signed in
// order, and complete, declined or void.
//
// contract.go declares the events and folds them; the firm's commands are in draft.go, the signers' in sign.go.
//
// # Decisions that closed a door
//
//   - Sending freezes the SHA-256 of the exact text, and each signature names it: what was signed can be shown to be
//     what was sent. The cost is that what was sent is never edited; a mistake means voiding it and sending another.
//   - Only the signer signs, under a sign-in of their own. Nobody at the firm can do it for them.
package contract

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"

	"github.com/atrium-portal/atrium/domain"
)

// Aggregate describes the contract stream.
var Aggregate = domain.Aggregate[State, Event]{
	Category: "contract",
	Evolve:   evolve,
	Events:   []Event{Drafted{}, DraftChanged{}, Sent{}, Viewed{}, Signed{}, Completed{}, Declined{}, Voided{}},
}

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
	SHA256  string      `json:"sha256"` // Digest of title and body
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

// Viewed is a signer's first sight of the text.
type Viewed struct {
	Contact domain.ID `json:"contact"`
	SHA256  string    `json:"sha256"`
}

// Signed is one signature.
type Signed struct {
	Contact   domain.ID       `json:"contact"`
	Name      domain.Personal `json:"name" subject:"contact"` // as the signer wrote it
	Statement domain.Personal `json:"statement"`              // what the signer agreed to by signing
	SHA256    string          `json:"sha256"`
	Order     int             `json:"order"`
	Drawing   domain.Personal `json:"drawing,omitzero" subject:"contact"` // see Sign
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
func (Viewed) contract()       {}
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
func (Viewed) EventType() string { return "ContractViewed" }

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
func (Viewed) Sentence() string { return "viewed the contract" }

// Sentence for history.
func (e Signed) Sentence() string { return "signed the contract" + e.Name.After(" as ") }

// Sentence for history.
func (Completed) Sentence() string { return "completed the contract with the last signature" }

// Sentence for history.
func (Declined) Sentence() string { return "declined the contract" }

// Sentence for history.
func (Voided) Sentence() string { return "voided the contract" }

// Digest is the SHA-256 of the exact text, in lower-case hex: title, an empty line, body.
func Digest(title, body string) string {
	sum := sha256.Sum256([]byte(title + "\n\n" + body))
	return hex.EncodeToString(sum[:])
}

// Status is where a contract is in its life.
type Status string

// The statuses; the zero Status is a contract that does not exist.
const (
	StatusDraft    Status = "draft"
	StatusSent     Status = "sent"
	StatusComplete Status = "complete"
	StatusDeclined Status = "declined"
	StatusVoid     Status = "void"
)

// State is what decisions about a contract need.
type State struct {
	Status  Status
	Project domain.ID
	SHA256  string   // of the text; frozen once sent; empty when the text was erased
	Signers []Signee // in the order in which they sign
}

// Signee is how far a signer has come.
type Signee struct {
	Contact                  domain.ID
	Viewed, Signed, Declined bool
}

func evolve(s State, e Event) State {
	switch e := e.(type) {
	case Drafted:
		s = s.draft(e.Project, e.Title, e.Body, e.Signers)
	case DraftChanged:
		s = s.draft(e.Project, e.Title, e.Body, e.Signers)
	case Sent:
		s.Status, s.SHA256 = StatusSent, e.SHA256
	case Viewed:
		s = s.note(e.Contact, func(signer *Signee) { signer.Viewed = true })
	case Signed:
		s = s.note(e.Contact, func(signer *Signee) { signer.Signed = true })
	case Completed:
		s.Status = StatusComplete
	case Declined:
		s.Status = StatusDeclined
		s = s.note(e.Contact, func(signer *Signee) { signer.Declined = true })
	case Voided:
		s.Status = StatusVoid
	}
	return s
}

// draft is the state of a draft with a content.
func (s State) draft(project domain.ID, title, body domain.Personal, signers []Signer) State {
	s.Status, s.Project, s.SHA256 = StatusDraft, project, ""
	if !title.Erased() && !body.Erased() {
		s.SHA256 = Digest(title.Reveal(), body.Reveal())
	}
	s.Signers = make([]Signee, len(signers))
	for i, signer := range signers {
		s.Signers[i].Contact = signer.Contact
	}
	return s
}

// note changes one signer in a copy of the list: others may be reading the old one.
func (s State) note(contact domain.ID, change func(*Signee)) State {
	s.Signers = slices.Clone(s.Signers)
	if i := s.place(contact); i >= 0 {
		change(&s.Signers[i])
	}
	return s
}

// place is the index of a signer; -1 when the contact is none.
func (s State) place(contact domain.ID) int {
	return slices.IndexFunc(s.Signers, func(signer Signee) bool { return signer.Contact == contact })
}

// turn is the index of the signer whose turn it is.
func (s State) turn() int {
	return slices.IndexFunc(s.Signers, func(signer Signee) bool { return !signer.Signed })
}

// mustBeOpen refuses what needs a contract that waits for signatures.
func (s State) mustBeOpen() error {
	switch s.Status {
	case StatusSent:
		return nil
	case StatusDraft:
		return domain.Refuse("contract-not-sent", "This contract was not sent yet.")
	case StatusComplete:
		return domain.Refuse("contract-complete", "Everybody has signed this contract; it stays as it is.")
	case StatusDeclined:
		return domain.Refuse("contract-declined", "This contract was declined. Ask for a new one.")
	case StatusVoid:
		return errVoid()
	}
	return domain.Missing("contract")
}

func errVoid() error {
	return domain.Refuse("contract-void", "This contract was withdrawn. Ask for a new one.")
}
