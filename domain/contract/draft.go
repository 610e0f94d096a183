package contract

import (
	"fmt"
	"slices"

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
func (c Draft) Refs() []domain.Ref { return refs(c.Project, c.Signers) }

func refs(project domain.ID, signers []Signer) []domain.Ref {
	refs := []domain.Ref{{Field: "project", Category: "project", ID: project}}
	for i, s := range signers {
		refs = append(refs, domain.Ref{Field: signerPath(i, "contact"), Category: "contact", ID: s.Contact})
	}
	return refs
}

func signerPath(i int, field string) string { return fmt.Sprintf("signers[%d].%s", i, field) }

// Decide drafts the contract.
func (c Draft) Decide(s State, _ domain.Meta) ([]Event, error) {
	signers, err := checkDraft(c.Title, c.Body, c.Signers)
	if err != nil || s.Status != "" {
		return nil, err
	}
	return []Event{Drafted{Project: c.Project, Title: c.Title, Body: c.Body, Signers: signers}}, nil
}

// checkDraft says what is wrong with a draft, and gives its signers with their turns.
func checkDraft(title, body domain.Personal, list []Signer) ([]Signer, error) {
	var v domain.Checks
	v.Text(title.Reveal(), "title", 200)
	v.Text(body.Reveal(), "body", maxBody)
	v.That(len(list) > 0, "signers", "signers-required", "Give at least one signer.")
	v.That(len(list) <= maxSigners, "signers", "signers-too-many", fmt.Sprintf("Give at most %d signers.", maxSigners))
	signers := make([]Signer, len(list))
	seen := map[domain.ID]bool{}
	for i, signer := range list {
		v.That(signer.Contact != domain.NoID, signerPath(i, "contact"), "signer-required", "Give the id of a contact.")
		v.That(!seen[signer.Contact], signerPath(i, "contact"), "signer-twice", "Name each signer once.")
		v.That(signer.Order == 0 || signer.Order == i+1, signerPath(i, "order"), "signer-order", "List the signers in the order in which they sign.")
		seen[signer.Contact] = true
		signers[i] = Signer{Contact: signer.Contact, Order: i + 1}
	}
	return signers, v.Err()
}

// ChangeDraft replaces what a draft says, as a whole. Fields are those of Draft.
type ChangeDraft struct {
	Contract domain.ID       `json:"contract"`
	Project  domain.ID       `json:"project,omitzero"`
	Title    domain.Personal `json:"title"`
	Body     domain.Personal `json:"body"`
	Signers  []Signer        `json:"signers"`
}

// Target is the contract.
func (c ChangeDraft) Target() domain.ID { return c.Contract }

// Refs are the project and the signers.
func (c ChangeDraft) Refs() []domain.Ref { return refs(c.Project, c.Signers) }

// Decide records the content when something differs.
func (c ChangeDraft) Decide(s State, _ domain.Meta) ([]Event, error) {
	signers, err := checkDraft(c.Title, c.Body, c.Signers)
	if err != nil {
		return nil, err
	}
	switch s.Status {
	case StatusDraft:
	case StatusVoid:
		return nil, errVoid()
	case StatusSent, StatusComplete, StatusDeclined:
		return nil, domain.Refuse("contract-sent", "This contract was sent and cannot be changed any more. Void it and draft another one.")
	default:
		return nil, domain.Missing("contract")
	}
	same := s.Project == c.Project && s.SHA256 == Digest(c.Title.Reveal(), c.Body.Reveal()) &&
		slices.EqualFunc(s.Signers, signers, func(was Signee, is Signer) bool { return was.Contact == is.Contact })
	if same {
		return nil, nil
	}
	changed := DraftChanged{Project: c.Project, Title: c.Title, Body: c.Body, Signers: signers}
	for _, was := range s.Signers {
		if !slices.ContainsFunc(signers, func(is Signer) bool { return is.Contact == was.Contact }) {
			changed.Removed = append(changed.Removed, was.Contact)
		}
	}
	return []Event{changed}, nil
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
	return []Event{Sent{SHA256: s.SHA256, Version: s.Version, Signers: signers, Parties: c.Parties}}, nil
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
