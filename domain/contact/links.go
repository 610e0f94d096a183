package contact

import (
	"slices"

	"github.com/atrium-portal/atrium/domain"
)

// A contact is one person with one login. They belong to the account they were added to, which is the first they see.
// Where they work for further clients of the firm they are linked to those accounts, with a role and permissions of
// their own at each. Access as a whole is the person's: while it is frozen, and once it is revoked, no account is left.

// maxLinks bounds how many other accounts one person works for.
const maxLinks = 100

// Linked lets the contact into another account of the firm.
type Linked struct {
	Account     domain.ID    `json:"account"`
	Role        Role         `json:"role"`
	Permissions []Permission `json:"permissions"` // sorted, each once
}

// Unlinked ends that.
type Unlinked struct {
	Account domain.ID       `json:"account"`
	Reason  domain.Personal `json:"reason,omitzero"`
}

// EventType is the wire name.
func (Linked) EventType() string { return "ContactLinked" }

// EventType is the wire name.
func (Unlinked) EventType() string { return "ContactUnlinked" }

// Sentence for history.
func (e Linked) Sentence() string {
	return "linked this contact to another client as " + string(e.Role)
}

// Sentence for history.
func (e Unlinked) Sentence() string {
	return "ended this contact's link to another client" + e.Reason.After(": ")
}

// Membership is what a contact may do at one account.
type Membership struct {
	Account     domain.ID
	Role        Role
	Permissions []Permission // sorted, each once
}

// Memberships are the accounts at which the contact gets in now, their own (home) first; none without access.
func (s State) Memberships(home domain.ID) []Membership {
	if !s.CanSignIn() {
		return nil
	}
	return slices.Concat([]Membership{{home, s.Role, s.Permissions}}, s.Links)
}

// elsewhere lists the accounts, besides the contact's own, whose things may name the contact.
func (s State) elsewhere() []domain.ID {
	var ids []domain.ID
	for _, l := range s.Links {
		ids = append(ids, l.Account)
	}
	return ids
}

// link finds the link to an account; ok is false when there is none.
func (s State) link(account domain.ID) (m Membership, ok bool) {
	at := slices.IndexFunc(s.Links, func(l Membership) bool { return l.Account == account })
	if at < 0 {
		return Membership{}, false
	}
	return s.Links[at], true
}

// without is a copy that leaves one account out.
func without(links []Membership, account domain.ID) []Membership {
	return slices.DeleteFunc(slices.Clone(links), func(l Membership) bool { return l.Account == account })
}

// unlinkAll ends every link.
func (s State) unlinkAll() []Event {
	var events []Event
	for _, l := range s.Links {
		events = append(events, Unlinked{Account: l.Account})
	}
	return events
}

// Link lets a contact who has access into another account of the firm.
type Link struct {
	Contact     domain.ID    `json:"contact"`
	Account     domain.ID    `json:"account"`
	Role        Role         `json:"role"`
	Permissions []Permission `json:"permissions,omitempty"` // the role's defaults when left out
}

// Target is the contact.
func (c Link) Target() domain.ID { return c.Contact }

// Decide links the contact. The loop looks up that the account is open and the firm's.
func (c Link) Decide(s State, m domain.Meta) ([]Event, error) {
	var v domain.Checks
	v.That(c.Account != domain.NoID, "account", "account-required", "Choose the other client.")
	checkRole(&v, c.Role)
	checkPermissions(&v, c.Permissions)
	if err := v.Err(); err != nil {
		return nil, err
	}
	if err := s.unmerged(); err != nil {
		return nil, err
	}
	linked := Linked{c.Account, c.Role, c.Role.Defaults()}
	if c.Permissions != nil {
		linked.Permissions = tidy(c.Permissions)
	}
	there, known := s.link(c.Account)
	switch {
	case !s.Granted:
		return nil, refuseNoAccess()
	case c.Account == m.Account:
		return nil, domain.Refuse("contact-is-at-home", "This contact belongs to that client already.")
	case known && (there.Role != linked.Role || !slices.Equal(there.Permissions, linked.Permissions)):
		return nil, domain.Refuse("contact-is-linked", "This contact works for that client already. Change the permissions instead.")
	case known:
		return nil, nil
	case len(s.Links) == maxLinks:
		return nil, domain.Refuse("contact-has-many-links", "This contact works for as many clients as one person can. End another link first.")
	}
	return []Event{linked}, nil
}

// Unlink ends a contact's access to an account that they are linked to.
type Unlink struct {
	Contact domain.ID       `json:"contact"`
	Account domain.ID       `json:"account"`
	Reason  domain.Personal `json:"reason,omitzero"`
}

// Target is the contact.
func (c Unlink) Target() domain.ID { return c.Contact }

// Decide ends a link that there is.
func (c Unlink) Decide(s State, m domain.Meta) ([]Event, error) {
	var v domain.Checks
	v.That(c.Account != domain.NoID, "account", "account-required", "Choose the other client.")
	v.That(c.Account != m.Account, "account", "contact-is-at-home", "This contact belongs to that client. Revoke their access instead.")
	v.OptionalText(c.Reason.Reveal(), "reason", 500)
	if err := v.Err(); err != nil {
		return nil, err
	}
	if _, linked := s.link(c.Account); !linked {
		return nil, nil
	}
	return []Event{Unlinked{Account: c.Account, Reason: c.Reason}}, nil
}
