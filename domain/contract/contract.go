// Package contract is a text that people of a client sign: drafted, sent with its text frozen, viewed, signed in
// order, and complete, declined or void.
//
// contract.go folds the events, which events.go and evidence.go declare; the firm's commands are in draft.go, the signers' in
// sign.go, and disclosure.go is what they are told before they consent to sign electronically.
//
// # Decisions that closed a door
//
//   - Sending freezes the SHA-256 of the exact text, and each signature names it: what was signed can be shown to be
//     what was sent. The cost is that what was sent is never edited; a mistake means voiding it and sending another.
//   - Only the signer signs, under a sign-in of their own. Nobody at the firm can do it for them.
//   - All that shows a signature to be the signer's is in this one stream, in the order in which it happened: how they
//     came, what they were told, that they consented, how far they read, which signature they took, the proof of who they
//     are, and that they got their copy. The certificate is drawn from these events; no command takes any of them away.
package contract

import (
	"slices"

	"github.com/atrium-portal/atrium/domain"
)

// Aggregate describes the contract stream.
var Aggregate = domain.Aggregate[State, Event]{
	Category: "contract",
	Evolve:   evolve,
	Events: []Event{
		Drafted{},
		DraftChanged{},
		Sent{},
		Opened{},
		DisclosureShown{},
		Viewed{},
		ConsentGiven{},
		ConsentWithdrawn{},
		SignatureAdopted{},
		Signed{},
		Completed{},
		CopyDelivered{},
		Declined{},
		Voided{},
	},
}

// Digest is the SHA-256 of the exact text, in lower-case hex: title, an empty line, body.
func Digest(title, body string) string {
	return digest(title + "\n\n" + body)
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
	Version int      // of the text, from 1
	Signers []Signee // in the order in which they sign
}

// Signee is how far a signer has come.
type Signee struct {
	Contact                          domain.ID
	Opened, Viewed, Signed, Declined bool
	Read                             bool   // to the end of the text
	Told                             string // SHA-256 of the disclosure that was shown last
	Consented                        bool   // to it
	Copied                           bool   // got the signed contract
}

func evolve(s State, e Event) State {
	switch e := e.(type) {
	case Drafted:
		s = s.draft(e.Project, e.Title, e.Body, e.Signers)
	case DraftChanged:
		s = s.draft(e.Project, e.Title, e.Body, e.Signers)
	case Sent:
		s.Status, s.SHA256 = StatusSent, e.SHA256
	case Opened:
		s = s.note(e.Contact, func(signer *Signee) { signer.Opened = true })
	case DisclosureShown:
		s = s.note(e.Contact, func(signer *Signee) { signer.Told, signer.Consented = e.SHA256, false })
	case Viewed:
		s = s.note(e.Contact, func(signer *Signee) { signer.Viewed, signer.Read = true, signer.Read || e.Through == ToTheEnd })
	case ConsentGiven:
		s = s.note(e.Contact, func(signer *Signee) { signer.Consented = true })
	case ConsentWithdrawn:
		s = s.note(e.Contact, func(signer *Signee) { signer.Consented = false })
	case SignatureAdopted: // stands beside Signed
	case Signed:
		s = s.note(e.Contact, func(signer *Signee) { signer.Signed = true })
	case Completed:
		s.Status = StatusComplete
	case CopyDelivered:
		s = s.note(e.Contact, func(signer *Signee) { signer.Copied = true })
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
	s.Version++
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
