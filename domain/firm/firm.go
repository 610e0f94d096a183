// Package firm is a firm that gives its clients a portal: its settings and its staff.
package firm

import (
	"maps"

	"github.com/atrium-portal/atrium/domain"
)

// Aggregate describes the firm stream; the stream's id is the firm's.
var Aggregate = domain.Aggregate[State, Event]{
	Category: "firm",
	Evolve:   evolve,
	Events:   []Event{Created{}, SettingsChanged{}, LogoSet{}, LogoRemoved{}, RebuildStarted{}, RebuildEnded{}, TablesPutBack{}, StaffInvited{}, StaffRoleChanged{}, StaffDeactivated{}},
}

// Event is a fact about a firm.
//
//sumtype:decl
type Event interface {
	domain.Event
	firm()
}

// Created is the first event of every firm. Slug names the firm in addresses: /{slug}/login.
type Created struct {
	Slug string `json:"slug"`
	Settings
}

// SettingsChanged carries the settings as they are from now on.
type SettingsChanged struct {
	Settings
}

// StaffInvited makes a staff member, who may sign in from now on.
type StaffInvited struct {
	Staff domain.ID       `json:"staff"`
	Name  domain.Personal `json:"name" subject:"staff"`
	Email domain.Personal `json:"email" subject:"staff"`
	Role  Role            `json:"role"`
}

// StaffRoleChanged gives a staff member another role.
type StaffRoleChanged struct {
	Staff domain.ID `json:"staff"`
	From  Role      `json:"from"`
	To    Role      `json:"to"`
}

// StaffDeactivated ends a staff member's access for good; what they did keeps their name.
type StaffDeactivated struct {
	Staff  domain.ID       `json:"staff"`
	Reason domain.Personal `json:"reason,omitzero" subject:"staff"`
}

func (Created) firm()          {}
func (SettingsChanged) firm()  {}
func (StaffInvited) firm()     {}
func (StaffRoleChanged) firm() {}
func (StaffDeactivated) firm() {}

// EventType is the wire name.
func (Created) EventType() string { return "FirmCreated" }

// EventType is the wire name.
func (SettingsChanged) EventType() string { return "FirmSettingsChanged" }

// EventType is the wire name.
func (StaffInvited) EventType() string { return "StaffInvited" }

// EventType is the wire name.
func (StaffRoleChanged) EventType() string { return "StaffRoleChanged" }

// EventType is the wire name.
func (StaffDeactivated) EventType() string { return "StaffDeactivated" }

// Sentence for history.
func (e Created) Sentence() string { return "created the firm " + e.Name }

// Sentence for history.
func (SettingsChanged) Sentence() string { return "changed the firm's settings" }

// Sentence for history.
func (e StaffInvited) Sentence() string {
	if e.Name.Erased() {
		return "invited a staff member as " + string(e.Role)
	}
	return "invited " + e.Name.Reveal() + " as " + string(e.Role)
}

// Sentence for history.
func (e StaffRoleChanged) Sentence() string {
	return "changed a staff member's role from " + string(e.From) + " to " + string(e.To)
}

// Sentence for history.
func (e StaffDeactivated) Sentence() string {
	return "deactivated a staff member" + e.Reason.After(": ")
}

// Role says what a staff member may do in general.
type Role string

// The roles, from the widest to the narrowest. Each may do all that the next one may.
const (
	Administrator Role = "administrator" // settings, staff, operations
	Manager       Role = "manager"       // everything of the firm's clients
	Member        Role = "member"        // everyday work
)

// AtLeast reports whether r may do all that other may. A role we do not know is below every other.
func (r Role) AtLeast(other Role) bool { return r.rank() >= other.rank() }

func (r Role) rank() int {
	switch r {
	case Administrator:
		return 3
	case Manager:
		return 2
	case Member:
		return 1
	default:
		return 0
	}
}

// State is what decisions about a firm need.
type State struct {
	Slug     string
	Settings Settings
	Logo     domain.File // none: no id
	Run      domain.ID   // the last thing that was done to the installation
	Ended    bool        // it has ended
	Staff    map[domain.ID]StaffState
}

// StaffState is a staff member as decisions need them.
type StaffState struct {
	Role   Role
	Active bool
	Name   domain.Personal
	Email  domain.Personal
}

func evolve(s State, e Event) State {
	switch e := e.(type) {
	case Created:
		s.Slug, s.Settings = e.Slug, e.Settings
	case SettingsChanged:
		s.Settings = e.Settings
	case LogoSet:
		s.Logo = e.Logo
	case LogoRemoved:
		s.Logo = domain.File{}
	case RebuildStarted:
		s.Run, s.Ended = e.Run, false
	case RebuildEnded:
		s.Ended = true
	case TablesPutBack:
		s.Run, s.Ended = e.Run, true
	case StaffInvited:
		s.Staff = with(s.Staff, e.Staff, StaffState{Role: e.Role, Active: true, Name: e.Name, Email: e.Email})
	case StaffRoleChanged:
		member := s.Staff[e.Staff]
		member.Role = e.To
		s.Staff = with(s.Staff, e.Staff, member)
	case StaffDeactivated:
		member := s.Staff[e.Staff]
		member.Active = false
		s.Staff = with(s.Staff, e.Staff, member)
	}
	return s
}

// with is a copy of staff in which one member is replaced.
func with(staff map[domain.ID]StaffState, id domain.ID, member StaffState) map[domain.ID]StaffState {
	next := maps.Clone(staff)
	if next == nil {
		next = map[domain.ID]StaffState{}
	}
	next[id] = member
	return next
}

// lastAdministrator reports whether a staff member is the only one left who can administer the firm.
func (s State) lastAdministrator(id domain.ID) bool {
	for other, member := range s.Staff {
		if other != id && member.Active && member.Role == Administrator {
			return false
		}
	}
	return s.Staff[id].Active && s.Staff[id].Role == Administrator
}

// uses reports whether an active staff member signs in with an e-mail address.
func (s State) uses(email string) bool {
	for _, member := range s.Staff {
		if member.Active && domain.FoldEmail(member.Email.Reveal()) == domain.FoldEmail(email) {
			return true
		}
	}
	return false
}
