package contract

import (
	"strings"
	"time"

	"github.com/atrium-portal/atrium/domain"
)

// Proof is how a signer showed who they are, and when they did so last.
type Proof struct {
	Method string    `json:"method,omitempty"` // of their sign-in: link, code, password, passkey …
	At     time.Time `json:"at"`
}

// Opened is a signer's coming to a contract that was sent to them.
type Opened struct {
	Contact domain.ID `json:"contact"`
	Proof   Proof     `json:"proof,omitzero"`
}

// DisclosureShown says what a signer was told about signing electronically.
type DisclosureShown struct {
	Contact domain.ID `json:"contact"`
	Version string    `json:"version"`
	SHA256  string    `json:"sha256"` // of the Disclosure
}

// Extent is how far a signer has read.
type Extent string

// The extents.
const (
	Shown    Extent = "shown" // the whole text was put before them
	ToTheEnd Extent = "end"   // they say that they have read it to its end, below which they say so
)

// Viewed says that a signer saw the text, and how far.
type Viewed struct {
	Contact domain.ID `json:"contact"`
	SHA256  string    `json:"sha256"`
	Through Extent    `json:"through"`
}

// ConsentGiven is a signer's consent to sign electronically.
type ConsentGiven struct {
	Contact    domain.ID `json:"contact"`
	Disclosure string    `json:"disclosure"` // SHA-256 of what they were told
}

// ConsentWithdrawn takes it back, before signing.
type ConsentWithdrawn struct {
	Contact domain.ID `json:"contact"`
}

// SignatureAdopted is the form of a signer's signature.
type SignatureAdopted struct {
	Contact domain.ID       `json:"contact"`
	Form    Form            `json:"form"`
	Drawing domain.Personal `json:"drawing,omitzero" subject:"contact"` // see Sign
	SHA256  string          `json:"sha256,omitempty"`                   // of the drawing; a typed name is too easily guessed from one
}

// Form is typed or drawn.
type Form string

// The forms.
const (
	Typed Form = "typed"
	Drawn Form = "drawn"
)

// CopyDelivered says that the signed contract went to a signer.
type CopyDelivered struct {
	Contact domain.ID `json:"contact"`
	Channel string    `json:"channel"`          // email
	SHA256  string    `json:"sha256,omitempty"` // of the PDF file with the certificate
}

func (Opened) contract()           {}
func (DisclosureShown) contract()  {}
func (Viewed) contract()           {}
func (ConsentGiven) contract()     {}
func (ConsentWithdrawn) contract() {}
func (SignatureAdopted) contract() {}
func (CopyDelivered) contract()    {}

// EventType is the wire name.
func (Opened) EventType() string { return "ContractOpened" }

// EventType is the wire name.
func (DisclosureShown) EventType() string { return "DisclosureShown" }

// EventType is the wire name.
func (Viewed) EventType() string { return "ContractViewed" }

// EventType is the wire name.
func (ConsentGiven) EventType() string { return "ConsentGiven" }

// EventType is the wire name.
func (ConsentWithdrawn) EventType() string { return "ConsentWithdrawn" }

// EventType is the wire name.
func (SignatureAdopted) EventType() string { return "SignatureAdopted" }

// EventType is the wire name.
func (CopyDelivered) EventType() string { return "CopyDelivered" }

// Sentence for history.
func (e Opened) Sentence() string {
	if e.Proof.Method == "" {
		return "opened the contract"
	}
	return "opened the contract, signed in by " + strings.ReplaceAll(e.Proof.Method, "_", " ")
}

// Sentence for history.
func (e DisclosureShown) Sentence() string {
	return "was told what it means to sign electronically (text " + e.Version + ")"
}

// Sentence for history.
func (e Viewed) Sentence() string {
	if e.Through == ToTheEnd {
		return "read the contract to its end"
	}
	return "viewed the contract"
}

// Sentence for history.
func (ConsentGiven) Sentence() string { return "agreed to sign electronically" }

// Sentence for history.
func (ConsentWithdrawn) Sentence() string { return "withdrew the consent to sign electronically" }

// Sentence for history.
func (e SignatureAdopted) Sentence() string {
	if e.Form == Drawn {
		return "drew a signature"
	}
	return "typed a signature"
}

// Sentence for history.
func (CopyDelivered) Sentence() string { return "mailed the signed contract to a signer" }
