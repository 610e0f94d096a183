package commands

import (
	"context"
	"errors"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/account"
	"github.com/atrium-portal/atrium/domain/contact"
	"github.com/atrium-portal/atrium/domain/firm"
	"github.com/atrium-portal/atrium/domain/invoice"
	"github.com/atrium-portal/atrium/domain/login"
	"github.com/atrium-portal/atrium/domain/numbering"
	"github.com/atrium-portal/atrium/domain/slug"
)

// takeInvoiceNumber gives an invoice that is about to be sent its number and the firm's prefix. An imported one
// brings its own.
func takeInvoiceNumber(ctx context.Context, l *Loop, c invoice.Send, m domain.Meta) (invoice.Send, error) {
	if c.Imported != nil {
		return c, nil
	}
	settings, _, err := State(ctx, l, firm.Aggregate, m.Firm)
	if err != nil {
		return c, err
	}
	c.Prefix = settings.Settings.InvoicePrefix
	c.Number, err = l.reserveNumber(ctx, numbering.Invoice, c.Invoice, m)
	return c, err
}

// takeCreditNoteNumber gives a credit note its number.
func takeCreditNoteNumber(ctx context.Context, l *Loop, c invoice.IssueCreditNote, m domain.Meta) (invoice.IssueCreditNote, error) {
	var err error
	c.Prefix = "CN-"
	c.Number, err = l.reserveNumber(ctx, numbering.CreditNote, invoice.CreditNoteID(m), m)
	return c, err
}

// findAsker looks up whom the contact who asks stands for.
func findAsker(ctx context.Context, l *Loop, c invoice.Question, m domain.Meta) (invoice.Question, error) {
	var err error
	c.Persons, err = l.persons(ctx, m.Actor.ID)
	return c, err
}

// persons are a contact and the duplicates that were merged into it.
func (l *Loop) persons(ctx context.Context, id domain.ID) ([]domain.ID, error) {
	state, _, err := State(ctx, l, contact.Aggregate, id)
	return append([]domain.ID{id}, state.Absorbed...), err
}

// setCurrency puts the account's currency into a new draft, which must be in it.
func setCurrency(ctx context.Context, l *Loop, c invoice.Draft, _ domain.Meta) (invoice.Draft, error) {
	state, _, err := State(ctx, l, account.Aggregate, c.Account)
	c.Currency = state.Currency
	return c, err
}

// reserveNumber returns the gap-free number of a document: the one it has, or the next one. The number belongs to
// the document's id from then on, so a crash before the document uses it burns none.
func (l *Loop) reserveNumber(ctx context.Context, kind string, document domain.ID, m domain.Meta) (int64, error) {
	first := int64(1)
	for segment := 0; ; segment++ {
		id := numbering.StreamID(m.Firm, kind, segment)
		state, err := cachedState(ctx, l, numbering.Aggregate, id)
		if err != nil {
			return 0, err
		}
		if number, ok := state.Number(document); ok {
			return number, nil
		}
		if state.Full() {
			first = state.Next
			continue
		}
		_, err = l.step(ctx, "ReserveNumber", numbering.Reserve{Numbering: id, Kind: kind, Segment: segment, First: first, Document: document}, m, id)
		if fault, ok := errors.AsType[*domain.Fault](err); ok && fault.Code == "numbering-segment-full" {
			segment-- // filled by somebody else meanwhile: look at it again, then move on
			continue
		}
		if err != nil {
			return 0, err
		}
		if state, err = cachedState(ctx, l, numbering.Aggregate, id); err != nil {
			return 0, err
		}
		number, _ := state.Number(document)
		return number, nil
	}
}

// claimLogin takes a login e-mail for a person before it is stored with them. An address whose holder does not use
// it (any more) may be taken over.
func (l *Loop) claimLogin(ctx context.Context, email string, kind login.HolderKind, holder domain.ID, m domain.Meta) error {
	if email == "" {
		return nil
	}
	id := login.Address(l.LoginKey, m.Firm, email)
	state, _, err := State(ctx, l, login.Aggregate, id)
	if err != nil {
		return err
	}
	claim := login.Claim{Login: id, Holder: holder, HolderKind: kind}
	if state.Holder != domain.NoID && state.Holder != holder {
		used, err := l.signsInWith(ctx, state, email, m.Firm)
		if err != nil {
			return err
		}
		claim.Freeable = !used
	}
	_, err = l.step(ctx, "ClaimLogin", claim, m, id)
	if fault, ok := errors.AsType[*domain.Fault](err); ok && fault.Field == "" && fault.Kind == domain.Refused {
		named := *fault
		named.Field = "email"
		return &named
	}
	return err
}

// claimSlug takes the slug of a firm before the firm is stored. When the one made of its name is another firm's, it gets a
// spare one.
func claimSlug(ctx context.Context, l *Loop, c firm.Create, m domain.Meta) (firm.Create, error) {
	given := c.Slug != ""
	c.Slug = c.SlugOf(m.Target)
	free, err := l.takeSlug(ctx, c.Slug, m)
	if err == nil && !free && !given {
		c.Slug = firm.SpareSlug(m.Target)
		free, err = l.takeSlug(ctx, c.Slug, m)
	}
	if err == nil && !free {
		err = &domain.Fault{Kind: domain.Refused, Code: "slug-in-use", Field: "slug", Message: "Another firm has this address. Choose another one."}
	}
	return c, err
}

// takeSlug reports whether a slug is the firm's from now on. The stream of another firm's is none of this one's.
func (l *Loop) takeSlug(ctx context.Context, name string, m domain.Meta) (bool, error) {
	_, err := l.step(ctx, "ClaimSlug", slug.Claim{Slug: name}, m, slug.StreamID(name))
	if fault, ok := errors.AsType[*domain.Fault](err); ok && fault.Kind == domain.NotFound {
		return false, nil
	}
	return err == nil, err
}

// signsInWith tells whether the holder of an address still uses it.
func (l *Loop) signsInWith(ctx context.Context, s login.State, email string, firmID domain.ID) (bool, error) {
	used := ""
	switch s.HolderKind {
	case login.Contact:
		holder, _, err := State(ctx, l, contact.Aggregate, s.Holder)
		if err != nil {
			return false, err
		}
		if holder.MergedInto == domain.NoID {
			used = holder.Details.Email.Reveal()
		}
	case login.Staff:
		settings, _, err := State(ctx, l, firm.Aggregate, firmID)
		if err != nil {
			return false, err
		}
		if member := settings.Staff[s.Holder]; member.Active {
			used = member.Email.Reveal()
		}
	}
	return domain.FoldEmail(used) == domain.FoldEmail(email), nil
}

// checkLinked makes sure that the account a contact is linked to is the firm's and open.
func checkLinked(ctx context.Context, l *Loop, c contact.Link, m domain.Meta) (contact.Link, error) {
	return c, l.checkRef(ctx, domain.Ref{Field: "account", Category: "account", ID: c.Account}, m.Firm, c.Account)
}

// findDuplicate looks up where the duplicate of a contact gets in.
func findDuplicate(ctx context.Context, l *Loop, c contact.Merge, m domain.Meta) (contact.Merge, error) {
	h, err := load(ctx, l, contact.Aggregate, domain.StreamName(contact.Aggregate.Category, c.Duplicate), true)
	if err != nil {
		return c, unavailable(err)
	}
	c.Home, c.Carried = h.owner.account, h.state.Memberships(h.owner.account)
	return c, l.checkRef(ctx, domain.Ref{Field: "duplicate", Category: "contact", ID: c.Duplicate}, m.Firm, c.Home)
}

// inField puts a prefix before the field that a fault names: the command has it one level deeper.
func inField(prefix string, err error) error {
	if fault, ok := errors.AsType[*domain.Fault](err); ok && fault.Field != "" {
		deeper := *fault
		deeper.Field = prefix + fault.Field
		return &deeper
	}
	return err
}
