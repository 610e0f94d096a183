package contact

import (
	"slices"

	"github.com/atrium-portal/atrium/domain"
)

// Add makes a contact of an account. Without an e-mail they can be named and called, but not sign in.
type Add struct {
	Account domain.ID       `json:"account"`
	Name    domain.Personal `json:"name"`
	Email   domain.Personal `json:"email,omitzero"`
	Phone   domain.Personal `json:"phone,omitzero"`
	Primary bool            `json:"primary,omitempty"`
}

// Owner is the account.
func (c Add) Owner() domain.ID { return c.Account }

// Decide adds the contact.
func (c Add) Decide(_ State, _ domain.Meta) ([]Event, error) {
	if err := checkDetails(Details{c.Name, c.Email, c.Phone}); err != nil {
		return nil, err
	}
	return []Event{Added{Name: c.Name, Email: c.Email, Phone: c.Phone, Primary: c.Primary}}, nil
}

// ChangeDetails replaces details. Fields left out are kept; an empty e-mail or phone is cleared.
type ChangeDetails struct {
	Contact domain.ID        `json:"contact"`
	Name    *domain.Personal `json:"name,omitempty"`
	Email   *domain.Personal `json:"email,omitempty"`
	Phone   *domain.Personal `json:"phone,omitempty"`
}

// Target is the contact.
func (c ChangeDetails) Target() domain.ID { return c.Contact }

// Decide records the details when something differs. People at the client change their own name and phone; the
// e-mail, which opens the portal, only the firm changes.
func (c ChangeDetails) Decide(s State, m domain.Meta) ([]Event, error) {
	client := m.Actor.Kind == domain.Client
	if client && m.Actor.ID != m.Target {
		return nil, domain.Missing("contact")
	}
	next := s.Details
	domain.Replace(&next.Name, c.Name)
	domain.Replace(&next.Email, c.Email)
	domain.Replace(&next.Phone, c.Phone)
	if client && !next.Email.Equal(s.Details.Email) {
		return nil, &domain.Fault{Kind: domain.Forbidden, Code: "email-by-request", Field: "email", Message: "Ask the firm to change your e-mail address."}
	}
	if err := checkDetails(next); err != nil || next == s.Details {
		return nil, err
	}
	if err := s.unmerged(); err != nil {
		return nil, err
	}
	changed := DetailsChanged{Name: next.Name, Email: next.Email, Phone: next.Phone}
	if domain.FoldEmail(next.Email.Reveal()) != domain.FoldEmail(s.Details.Email.Reveal()) {
		changed.EmailBefore = s.Details.Email
	}
	return []Event{changed}, nil
}

func checkDetails(d Details) error {
	var v domain.Checks
	v.Text(d.Name.Reveal(), "name", 200)
	if d.Email.Reveal() != "" {
		v.Email(d.Email.Reveal(), "email")
	}
	v.OptionalText(d.Phone.Reveal(), "phone", 50)
	return v.Err()
}

// Grant lets a contact sign in.
type Grant struct {
	Contact     domain.ID    `json:"contact"`
	Role        Role         `json:"role"`
	Permissions []Permission `json:"permissions,omitempty"` // the role's defaults when left out
}

// Target is the contact.
func (c Grant) Target() domain.ID { return c.Contact }

// Decide grants access to a contact who has an e-mail.
func (c Grant) Decide(s State, _ domain.Meta) ([]Event, error) {
	var v domain.Checks
	checkRole(&v, c.Role)
	checkPermissions(&v, c.Permissions)
	if err := v.Err(); err != nil {
		return nil, err
	}
	if err := s.unmerged(); err != nil {
		return nil, err
	}
	permissions := c.Role.Defaults()
	if c.Permissions != nil {
		permissions = tidy(c.Permissions)
	}
	switch {
	case s.Details.Email.Reveal() == "":
		return nil, domain.Refuse("contact-has-no-email", "This contact has no e-mail. Add one first: it is how they sign in.")
	case s.Granted && (s.Role != c.Role || !slices.Equal(s.Permissions, permissions)):
		return nil, domain.Refuse("contact-has-access", "This contact has portal access already. Change the permissions instead.")
	case s.Granted:
		return nil, nil
	}
	return []Event{AccessGranted{Role: c.Role, Permissions: permissions}}, nil
}

// ChangePermissions replaces what a contact may do, and the role when one is given. With a role and no permissions
// the role's defaults apply. Account is one that the contact is linked to; none is their own.
type ChangePermissions struct {
	Contact     domain.ID    `json:"contact"`
	Account     domain.ID    `json:"account,omitzero"`
	Role        *Role        `json:"role,omitempty"`
	Permissions []Permission `json:"permissions,omitempty"`
}

// Target is the contact.
func (c ChangePermissions) Target() domain.ID { return c.Contact }

// Decide changes role and permissions of a contact with access when something differs.
func (c ChangePermissions) Decide(s State, m domain.Meta) ([]Event, error) {
	if c.Account == m.Account {
		c.Account = domain.NoID
	}
	now, has := Membership{c.Account, s.Role, s.Permissions}, s.Granted
	if c.Account != domain.NoID {
		now, has = s.link(c.Account)
	}
	role := now.Role
	domain.Replace(&role, c.Role)
	var v domain.Checks
	if c.Role != nil {
		checkRole(&v, role)
	}
	v.That(c.Permissions != nil || c.Role != nil, "permissions", "permissions-required", "Give the permissions, or a role to take its own.")
	checkPermissions(&v, c.Permissions)
	if err := v.Err(); err != nil {
		return nil, err
	}
	if err := s.unmerged(); err != nil {
		return nil, err
	}
	if !has {
		return nil, refuseNoAccess()
	}
	permissions := role.Defaults()
	if c.Permissions != nil {
		permissions = tidy(c.Permissions)
	}
	if role == now.Role && slices.Equal(permissions, now.Permissions) {
		return nil, nil
	}
	return []Event{PermissionsChanged{Account: c.Account, RoleFrom: now.Role, RoleTo: role, From: now.Permissions, To: permissions}}, nil
}

// Revoke ends portal access.
type Revoke struct {
	Contact domain.ID       `json:"contact"`
	Reason  domain.Personal `json:"reason,omitzero"`
}

// Target is the contact.
func (c Revoke) Target() domain.ID { return c.Contact }

// Decide revokes access that was granted, and ends the links to other accounts with it.
func (c Revoke) Decide(s State, _ domain.Meta) ([]Event, error) {
	var v domain.Checks
	v.OptionalText(c.Reason.Reveal(), "reason", 500)
	if err := v.Err(); err != nil || !s.Granted {
		return nil, err
	}
	return append(s.unlinkAll(), AccessRevoked{Reason: c.Reason}), nil
}

// Freeze shuts a contact out at once: a stolen mailbox, somebody who has left.
type Freeze struct {
	Contact domain.ID       `json:"contact"`
	Reason  domain.Personal `json:"reason"`
}

// Target is the contact.
func (c Freeze) Target() domain.ID { return c.Contact }

// Decide freezes access that was granted.
func (c Freeze) Decide(s State, _ domain.Meta) ([]Event, error) {
	var v domain.Checks
	v.Text(c.Reason.Reveal(), "reason", 500)
	if err := v.Err(); err != nil || s.Frozen {
		return nil, err
	}
	if err := s.unmerged(); err != nil {
		return nil, err
	}
	if !s.Granted {
		return nil, refuseNoAccess()
	}
	return []Event{AccessFrozen{Reason: c.Reason}}, nil
}

// Unfreeze lets a contact in again.
type Unfreeze struct {
	Contact domain.ID `json:"contact"`
}

// Target is the contact.
func (c Unfreeze) Target() domain.ID { return c.Contact }

// Decide ends a freeze.
func (c Unfreeze) Decide(s State, _ domain.Meta) ([]Event, error) {
	if !s.Frozen {
		return nil, nil
	}
	return []Event{AccessUnfrozen{}}, nil
}

func refuseNoAccess() error {
	return domain.Refuse("contact-has-no-access", "This contact has no portal access. Grant it first.")
}
