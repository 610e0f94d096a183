package account

import (
	"maps"

	"github.com/atrium-portal/atrium/domain"
)

// Contacts of one account may work for others too: see package contact. What they may do there is told by their own
// streams; these events put it into the history of the account that they come to.

// PersonJoined lets a contact of another account in.
type PersonJoined struct {
	Contact domain.ID       `json:"contact"`
	Name    domain.Personal `json:"name" subject:"contact"`
	Role    string          `json:"role"`
}

// PersonLeft ends that.
type PersonLeft struct {
	Contact domain.ID       `json:"contact"`
	Name    domain.Personal `json:"name" subject:"contact"`
}

func (PersonJoined) account() {}
func (PersonLeft) account()   {}

// EventType is the wire name.
func (PersonJoined) EventType() string { return "PersonJoined" }

// EventType is the wire name.
func (PersonLeft) EventType() string { return "PersonLeft" }

// Sentence for history.
func (e PersonJoined) Sentence() string {
	return "let a contact of another client in as " + e.Role + e.Name.After(": ")
}

// Sentence for history.
func (e PersonLeft) Sentence() string {
	return "ended the access of a contact of another client" + e.Name.After(": ")
}

// NoteJoined says that a contact was linked to the account.
type NoteJoined struct {
	Account domain.ID       `json:"account"`
	Contact domain.ID       `json:"contact"`
	Name    domain.Personal `json:"name"`
	Role    string          `json:"role"`
}

// Target is the account.
func (c NoteJoined) Target() domain.ID { return c.Account }

// Decide notes a contact who is not there yet, or in another role.
func (c NoteJoined) Decide(s State, _ domain.Meta) ([]Event, error) {
	if s.Joined[c.Contact] == c.Role {
		return nil, nil
	}
	return []Event{PersonJoined{Contact: c.Contact, Name: c.Name, Role: c.Role}}, nil
}

// NoteLeft says that the link ended.
type NoteLeft struct {
	Account domain.ID       `json:"account"`
	Contact domain.ID       `json:"contact"`
	Name    domain.Personal `json:"name"`
}

// Target is the account.
func (c NoteLeft) Target() domain.ID { return c.Account }

// Decide notes that a contact is not there any more.
func (c NoteLeft) Decide(s State, _ domain.Meta) ([]Event, error) {
	if _, there := s.Joined[c.Contact]; !there {
		return nil, nil
	}
	return []Event{PersonLeft{Contact: c.Contact, Name: c.Name}}, nil
}

// joined is a copy of who joined, with a contact in a role; none: without them.
func (s State) joined(who domain.ID, role string) map[domain.ID]string {
	next := maps.Clone(s.Joined)
	if next == nil {
		next = map[domain.ID]string{}
	}
	next[who] = role
	if role == "" {
		delete(next, who)
	}
	return next
}
