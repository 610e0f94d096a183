package commands

import (
	"context"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/access"
	"github.com/atrium-portal/atrium/domain/contact"
	"github.com/atrium-portal/atrium/domain/firm"
	"github.com/atrium-portal/atrium/domain/login"
)

// RecordAccess stores a fact about a person's access, in the name of the actor of m, whom the door has identified.
// m.Account is the account of a contact, none for staff. It returns the position of the fact.
func (l *Loop) RecordAccess(ctx context.Context, fact access.Event, m domain.Meta) (domain.Position, error) {
	if m.Time.IsZero() {
		m.Time = l.Now()
	}
	if m.Command == domain.NoID {
		m.Command = fact.Whose().Entry
	}
	stream := access.StreamID(fact.Whose().Person, domain.DateOf(m.Time.UTC(), m.Time.UTC().Location()))
	receipt, err := l.Dispatch(ctx, Order{Name: "RecordAccess", Command: access.Record{Stream: stream, Fact: fact}, Meta: m, internal: true})
	return receipt.Position, err
}

// Person is somebody who may sign in at a firm, as they are now.
type Person struct {
	Kind    login.HolderKind
	ID      domain.ID
	Account domain.ID // of a contact: their own
	Name    string
	Email   string
	MayIn   bool // a contact with access that is not frozen, an active member of staff

	Accounts []domain.ID // at which a contact gets in, their own first
}

// PersonByLogin finds whoever signs in at a firm with an e-mail address; ok is false when nobody does.
func (l *Loop) PersonByLogin(ctx context.Context, firmID domain.ID, email string) (p Person, ok bool, err error) {
	state, _, err := State(ctx, l, login.Aggregate, login.Address(l.LoginKey, firmID, email))
	if err != nil || state.Holder == domain.NoID {
		return Person{}, false, err
	}
	p, ok, err = l.Person(ctx, firmID, state.HolderKind, state.Holder)
	// A holder may have left the address behind: see claimLogin.
	return p, ok && domain.FoldEmail(p.Email) == domain.FoldEmail(email), err
}

// Person gives a contact or a member of staff of a firm; ok is false when there is none.
func (l *Loop) Person(ctx context.Context, firmID domain.ID, kind login.HolderKind, id domain.ID) (p Person, ok bool, err error) {
	switch kind {
	case login.Contact:
		h, err := load(ctx, l, contact.Aggregate, domain.StreamName(contact.Aggregate.Category, id), true)
		if err != nil || h.revision == domain.NoStream || h.owner.firm != firmID {
			return Person{}, false, unavailable(err)
		}
		d := h.state.Details
		p = Person{Kind: kind, ID: id, Account: h.owner.account, Name: d.Name.Reveal(), Email: d.Email.Reveal(), MayIn: h.state.CanSignIn()}
		for _, m := range h.state.Memberships(h.owner.account) {
			p.Accounts = append(p.Accounts, m.Account)
		}
		return p, true, nil
	case login.Staff:
		state, _, err := State(ctx, l, firm.Aggregate, firmID)
		member, known := state.Staff[id]
		if err != nil || !known {
			return Person{}, false, err
		}
		return Person{Kind: kind, ID: id, Name: member.Name.Reveal(), Email: member.Email.Reveal(), MayIn: member.Active}, true, nil
	}
	return Person{}, false, nil
}
