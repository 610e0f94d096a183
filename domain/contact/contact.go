// Package contact is a person at a client: how to reach them and what they may do in the portal.
package contact

import (
	"slices"

	"github.com/atrium-portal/atrium/domain"
)

// Aggregate describes the contact stream. Everything personal in it is sealed under the contact's own key.
var Aggregate = domain.Aggregate[State, Event]{
	Category: "contact",
	Subject:  "contact",
	Evolve:   evolve,
	Events: []Event{
		Added{},
		DetailsChanged{},
		AccessGranted{},
		PermissionsChanged{},
		AccessRevoked{},
		AccessFrozen{},
		AccessUnfrozen{},
		Absorbed{},
		Merged{},
		Linked{},
		Unlinked{},
		NotificationsChanged{},
	},
	Referable: State.unmerged,
	Also:      State.elsewhere,
}

// Event is a fact about a contact.
//
//sumtype:decl
type Event interface {
	domain.Event
	contact()
}

// Added is the first event of every contact.
type Added struct {
	Name    domain.Personal `json:"name"`
	Email   domain.Personal `json:"email,omitzero"`
	Phone   domain.Personal `json:"phone,omitzero"`
	Primary bool            `json:"primary"` // whom to ask first at this client
}

// DetailsChanged carries the details as they are from now on.
type DetailsChanged struct {
	Name  domain.Personal `json:"name"`
	Email domain.Personal `json:"email,omitzero"`
	Phone domain.Personal `json:"phone,omitzero"`
	// EmailBefore is the address that the contact does not use any more; none when it stays, however it is spelled.
	EmailBefore domain.Personal `json:"email_before,omitzero"`
}

// AccessGranted lets the contact sign in.
type AccessGranted struct {
	Role        Role         `json:"role"`
	Permissions []Permission `json:"permissions"` // sorted, each once
}

// PermissionsChanged replaces what the contact may do at their own account, or at one they are linked to.
type PermissionsChanged struct {
	Account  domain.ID    `json:"account,omitzero"` // that they are linked to; none: their own
	RoleFrom Role         `json:"role_from"`
	RoleTo   Role         `json:"role_to"`
	From     []Permission `json:"from"` // sorted, each once
	To       []Permission `json:"to"`
}

// AccessRevoked ends portal access; it can be granted anew.
type AccessRevoked struct {
	Reason domain.Personal `json:"reason,omitzero"`
}

// AccessFrozen shuts the contact out at once and keeps role and permissions.
type AccessFrozen struct {
	Reason domain.Personal `json:"reason"`
}

// AccessUnfrozen lets the contact in again as before.
type AccessUnfrozen struct{}

// Absorbed says that another contact turned out to be this same person. That one's Merged follows.
type Absorbed struct {
	Duplicate domain.ID       `json:"duplicate"`
	Reason    domain.Personal `json:"reason,omitzero"`
}

// Merged ends this contact: the person goes on as another one.
type Merged struct {
	Into domain.ID `json:"into"`
}

func (Added) contact()              {}
func (DetailsChanged) contact()     {}
func (AccessGranted) contact()      {}
func (PermissionsChanged) contact() {}
func (AccessRevoked) contact()      {}
func (AccessFrozen) contact()       {}
func (AccessUnfrozen) contact()     {}
func (Absorbed) contact()           {}
func (Merged) contact()             {}
func (Linked) contact()             {}
func (Unlinked) contact()           {}

// EventType is the wire name.
func (Added) EventType() string { return "ContactAdded" }

// EventType is the wire name.
func (DetailsChanged) EventType() string { return "ContactDetailsChanged" }

// EventType is the wire name.
func (AccessGranted) EventType() string { return "PortalAccessGranted" }

// EventType is the wire name.
func (PermissionsChanged) EventType() string { return "PermissionsChanged" }

// EventType is the wire name.
func (AccessRevoked) EventType() string { return "PortalAccessRevoked" }

// EventType is the wire name.
func (AccessFrozen) EventType() string { return "AccessFrozen" }

// EventType is the wire name.
func (AccessUnfrozen) EventType() string { return "AccessUnfrozen" }

// EventType is the wire name.
func (Absorbed) EventType() string { return "ContactAbsorbed" }

// EventType is the wire name.
func (Merged) EventType() string { return "ContactMerged" }

// Sentence for history.
func (e Added) Sentence() string {
	if e.Name.Erased() {
		return "added a contact"
	}
	return "added the contact " + e.Name.Reveal()
}

// Sentence for history.
func (DetailsChanged) Sentence() string { return "changed the contact's details" }

// Sentence for history.
func (e AccessGranted) Sentence() string { return "granted portal access as " + string(e.Role) }

// Sentence for history.
func (e PermissionsChanged) Sentence() string {
	where := ""
	if e.Account != domain.NoID {
		where = " at another client"
	}
	if e.RoleFrom != e.RoleTo {
		return "changed the contact's role" + where + " from " + string(e.RoleFrom) + " to " + string(e.RoleTo)
	}
	return "changed what the contact may do" + where
}

// Sentence for history.
func (e AccessRevoked) Sentence() string { return "revoked portal access" + e.Reason.After(": ") }

// Sentence for history.
func (e AccessFrozen) Sentence() string { return "froze portal access" + e.Reason.After(": ") }

// Sentence for history.
func (AccessUnfrozen) Sentence() string { return "unfroze portal access" }

// Sentence for history.
func (e Absorbed) Sentence() string {
	return "merged a duplicate into this contact" + e.Reason.After(": ")
}

// Sentence for history.
func (Merged) Sentence() string { return "merged this contact into another one" }

// State is what decisions about a contact need.
type State struct {
	Details     Details
	Role        Role // none without access
	Permissions []Permission
	Granted     bool // portal access was granted and not revoked
	Frozen      bool
	Links       []Membership   // of other accounts, in the order in which they were linked
	Absorbed    []domain.ID    // contacts merged into this one
	Off         []Notification // that they do without; sorted
	MergedInto  domain.ID      // the contact this one ended in; none for most
}

// Details are how to reach the contact.
type Details struct {
	Name, Email, Phone domain.Personal
}

// CanSignIn reports whether the contact gets into the portal at all.
func (s State) CanSignIn() bool {
	return s.Granted && !s.Frozen && s.MergedInto == domain.NoID && s.Details.Email.Reveal() != ""
}

// May reports whether the contact gets in and has a permission.
func (s State) May(p Permission) bool { return s.CanSignIn() && slices.Contains(s.Permissions, p) }

// unmerged refuses what nobody should do with a duplicate.
func (s State) unmerged() error {
	if s.MergedInto != domain.NoID {
		return domain.Refuse("contact-merged", "This contact was merged into another one. Use that one.")
	}
	return nil
}

func evolve(s State, e Event) State {
	switch e := e.(type) {
	case Added:
		s.Details = Details{e.Name, e.Email, e.Phone}
	case DetailsChanged:
		s.Details = Details{e.Name, e.Email, e.Phone}
	case AccessGranted:
		s.Granted, s.Role, s.Permissions = true, e.Role, e.Permissions
	case PermissionsChanged:
		if e.Account == domain.NoID {
			s.Role, s.Permissions = e.RoleTo, e.To
		} else {
			s.Links = append(without(s.Links, e.Account), Membership{e.Account, e.RoleTo, e.To})
		}
	case AccessRevoked:
		s.Granted, s.Role, s.Permissions = false, "", nil
	case AccessFrozen:
		s.Frozen = true
	case AccessUnfrozen:
		s.Frozen = false
	case Absorbed:
		s.Absorbed = slices.Concat(s.Absorbed, []domain.ID{e.Duplicate})
	case Merged:
		s.MergedInto = e.Into
		s.Granted, s.Role, s.Permissions = false, "", nil
	case Linked:
		s.Links = append(without(s.Links, e.Account), Membership(e))
	case NotificationsChanged:
		s.Off = e.Off
	case Unlinked:
		s.Links = without(s.Links, e.Account)
	}
	return s
}
