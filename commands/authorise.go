package commands

import (
	"context"
	"slices"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/account"
	"github.com/atrium-portal/atrium/domain/contact"
	"github.com/atrium-portal/atrium/domain/firm"
)

// Who may use a command: staff from a role upwards, contacts with a permission, parts of the system. The zero Who is
// nobody: the command is only a step of others.
type Who struct {
	Staff  firm.Role
	Client string // permission of a contact; "self" needs only portal access
	System bool
}

// Internal reports whether nobody gives the command by hand.
func (w Who) Internal() bool { return w == Who{} }

// Self is the permission every contact with portal access has: to act on themselves.
const Self = "self"

// authorise checks the actor against the write side as it is now, so that a right that was taken away is gone with
// the next command, and completes m: the firm's time zone, and for contacts
// their account, when they have not chosen one.
func (l *Loop) authorise(ctx context.Context, entry *Entry, m *domain.Meta) error {
	if entry.Creates && entry.Category == firm.Aggregate.Category {
		return allow(entry.Who.System && m.Actor.Kind == domain.System)
	}
	settings, revision, err := State(ctx, l, firm.Aggregate, m.Firm)
	if err != nil {
		return err
	}
	if revision == domain.NoStream {
		return domain.Missing("firm")
	}
	m.Zone = settings.Settings.Location()
	switch m.Actor.Kind {
	case domain.System:
		return allow(entry.Who.System)
	case domain.Staff:
		member := settings.Staff[m.Actor.ID]
		return allow(member.Active && entry.Who.Staff != "" && member.Role.AtLeast(entry.Who.Staff))
	case domain.Client:
		access, err := l.Access(ctx, m.Firm, m.Actor.ID, m.Account)
		if err != nil {
			return err
		}
		if m.Account != domain.NoID && access.Account != m.Account {
			return allow(false) // nobody's command may end up at another account than it was meant for
		}
		m.Account = access.Account
		return allow(access.OK && (entry.Who.Client == Self || slices.Contains(access.Permissions, contact.Permission(entry.Who.Client))))
	}
	return allow(false)
}

// Access is what a contact of a firm may do in the portal now. OK is false when they do not get in at all.
type Access struct {
	OK          bool
	Account     domain.ID      // whose things they look at and work on
	Accounts    []NamedAccount // all that they work for, their own first
	Role        contact.Role
	Permissions []contact.Permission
	Absorbed    []domain.ID // duplicates that were merged into the contact
}

// NamedAccount is an account with its name.
type NamedAccount struct {
	ID   domain.ID
	Name string
}

// Access looks a contact up on the write side as it is now, for the account they have chosen. Who has chosen none, or
// one that they do not work for (any more), gets their first.
func (l *Loop) Access(ctx context.Context, firmID, id, chosen domain.ID) (Access, error) {
	h, err := load(ctx, l, contact.Aggregate, domain.StreamName(contact.Aggregate.Category, id), true)
	if err != nil {
		return Access{}, unavailable(err)
	}
	if h.revision == domain.NoStream || h.owner.firm != firmID {
		return Access{}, nil
	}
	memberships := h.state.Memberships(h.owner.account)
	if len(memberships) == 0 {
		return Access{}, nil
	}
	at := max(0, slices.IndexFunc(memberships, func(m contact.Membership) bool { return m.Account == chosen }))
	a := Access{OK: true, Account: memberships[at].Account, Role: memberships[at].Role, Absorbed: h.state.Absorbed}
	for i, m := range memberships {
		theirs, _, err := State(ctx, l, account.Aggregate, m.Account)
		if err != nil {
			return Access{}, err
		}
		a.Accounts = append(a.Accounts, NamedAccount{m.Account, theirs.Details.Name.Reveal()})
		if i != at {
			continue
		}
		if a.Permissions, err = l.withoutModules(ctx, firmID, theirs.ModulesOff, m.Permissions); err != nil {
			return Access{}, err
		}
	}
	return a, nil
}

// withoutModules leaves out the permissions for modules that are off for the firm's clients or for this one. So what is
// off is gone from everything that asks for a permission: commands, pages, API and rows.
func (l *Loop) withoutModules(ctx context.Context, firmID domain.ID, theirs []domain.Module, permissions []contact.Permission) ([]contact.Permission, error) {
	ours, _, err := State(ctx, l, firm.Aggregate, firmID)
	if err != nil {
		return nil, err
	}
	if len(ours.Settings.ModulesOff)+len(theirs) == 0 {
		return permissions, nil
	}
	return slices.DeleteFunc(slices.Clone(permissions), func(p contact.Permission) bool {
		return slices.Contains(ours.Settings.ModulesOff, p.Module()) || slices.Contains(theirs, p.Module())
	}), nil
}

func allow(ok bool) error {
	if ok {
		return nil
	}
	return &domain.Fault{Kind: domain.Forbidden, Code: "not-permitted", Message: "You may not do this. Ask the firm for the permission."}
}

// checkRefs makes sure that whatever the command refers to exists, belongs to the same firm and account, and takes
// references. For a new thing it fixes the account.
func (l *Loop) checkRefs(ctx context.Context, command any, category string, m *domain.Meta, isNew bool) error {
	if isNew {
		if category == "account" {
			m.Account = m.Target
		}
		if owned, ok := command.(domain.Owned); ok {
			account := owned.Owner()
			if m.Actor.Kind == domain.Client && account != m.Account {
				return domain.Missing("account")
			}
			if err := l.checkRef(ctx, domain.Ref{Field: "account", Category: "account", ID: account}, m.Firm, account); err != nil {
				return err
			}
			m.Account = account
		}
	}
	referring, ok := command.(domain.Referring)
	if !ok {
		return nil
	}
	for _, ref := range referring.Refs() {
		if ref.ID == domain.NoID {
			continue
		}
		if err := l.checkRef(ctx, ref, m.Firm, m.Account); err != nil {
			return err
		}
	}
	return nil
}

func (l *Loop) checkRef(ctx context.Context, ref domain.Ref, firm, account domain.ID) error {
	whose, refusal, err := l.Menu.states[ref.Category](ctx, l, ref.ID)
	if err != nil {
		return unavailable(err)
	}
	if whose.missing || whose.firm != firm || !whose.of(account) {
		return &domain.Fault{Kind: domain.Invalid, Code: "unknown-" + ref.Category, Field: ref.Field, Message: "There is no such " + ref.Category + " here."}
	}
	return refusal
}
