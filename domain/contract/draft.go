package contract

import (
	"fmt"

	"github.com/atrium-portal/atrium/domain"
)

const (
	maxSigners = 20
	maxBody    = 200_000 // characters
)

// Draft makes a contract for an account. The signers sign in the order of the list; an order that is given must say
// the same.
type Draft struct {
	Account domain.ID       `json:"account"`
	Project domain.ID       `json:"project,omitzero"`
	Title   domain.Personal `json:"title"`
	Body    domain.Personal `json:"body"`
	Signers []Signer        `json:"signers"`
}

// Owner is the account.
func (c Draft) Owner() domain.ID { return c.Account }

// Refs are the project and the signers.
func (c Draft) Refs() []domain.Ref {
	refs := []domain.Ref{{Field: "project", Category: "project", ID: c.Project}}
	for i, s := range c.Signers {
		refs = append(refs, domain.Ref{Field: signerPath(i, "contact"), Category: "contact", ID: s.Contact})
	}
	return refs
}

func signerPath(i int, field string) string { return fmt.Sprintf("signers[%d].%s", i, field) }

// Decide drafts the contract.
func (c Draft) Decide(s State, _ domain.Meta) ([]Event, error) {
	var v domain.Checks
	v.Text(c.Title.Reveal(), "title", 200)
	v.Text(c.Body.Reveal(), "body", maxBody)
	v.That(len(c.Signers) > 0, "signers", "signers-required", "Give at least one signer.")
	v.That(len(c.Signers) <= maxSigners, "signers", "signers-too-many", fmt.Sprintf("Give at most %d signers.", maxSigners))
	signers := make([]Signer, len(c.Signers))
	seen := map[domain.ID]bool{}
	for i, signer := range c.Signers {
		v.That(signer.Contact != domain.NoID, signerPath(i, "contact"), "signer-required", "Give the id of a contact.")
		v.That(!seen[signer.Contact], signerPath(i, "contact"), "signer-twice", "Name each signer once.")
		v.That(signer.Order == 0 || signer.Order == i+1, signerPath(i, "order"), "signer-order", "List the signers in the order in which they sign.")
		seen[signer.Contact] = true
		signers[i] = Signer{Contact: signer.Contact, Order: i + 1}
	}
	if err := v.Err(); err != nil || s.Status != "" {
		return nil, err
	}
	return []Event{Drafted{Project: c.Project, Title: c.Title, Body: c.Body, Signers: signers}}, nil
}

// Send freezes the text of a draft and asks for the signatures.
type Send struct {
	Contract domain.ID `json:"contract"`

	Parties Parties `json:"-"` // looked up before the decision
}

// Target is the contract.
func (c Send) Target() domain.ID { return c.Contract }

// Decide sends a draft; a contract that was sent stays as it is.
func (c Send) Decide(s State, _ domain.Meta) ([]Event, error) {
	switch s.Status {
	case StatusDraft:
	case StatusSent, StatusComplete, StatusDeclined:
		return nil, nil
	case StatusVoid:
		return nil, errVoid()
	default:
		return nil, domain.Missing("contract")
	}
	if s.SHA256 == "" {
		return nil, domain.Refuse("contract-text-erased", "The text of this contract was erased. Draft a new one.")
	}
	signers := make([]domain.ID, len(s.Signers))
	for i, signer := range s.Signers {
		signers[i] = signer.Contact
	}
	return []Event{Sent{SHA256: s.SHA256, Signers: signers, Parties: c.Parties}}, nil
}

// Void withdraws a contract that is not complete.
type Void struct {
	Contract domain.ID       `json:"contract"`
	Reason   domain.Personal `json:"reason"`
}

// Target is the contract.
func (c Void) Target() domain.ID { return c.Contract }

// Decide voids the contract.
func (c Void) Decide(s State, _ domain.Meta) ([]Event, error) {
	var v domain.Checks
	v.Text(c.Reason.Reveal(), "reason", 500)
	if err := v.Err(); err != nil {
		return nil, err
	}
	switch s.Status {
	case StatusDraft, StatusSent, StatusDeclined:
		return []Event{Voided{Reason: c.Reason}}, nil
	case StatusVoid:
		return nil, nil
	case StatusComplete:
		return nil, s.mustBeOpen()
	}
	return nil, domain.Missing("contract")
}
