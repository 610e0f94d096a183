// Package access is the record of who got in, and how: links sent, sign-ins, sign-outs, second factors, previews. It
// holds facts for people to read and no secret: no token, no code, no password in any form.
//
// The facts of a person stand in one stream per month (StreamID), so that none grows for ever. What a session, a
// password or a passkey is right now is not decided here: that is kept where it can be changed and forgotten.
package access

import (
	"strconv"

	"github.com/atrium-portal/atrium/domain"
)

// Aggregate describes the stream of a person's month.
var Aggregate = domain.Aggregate[State, Event]{
	Category: "access",
	Evolve:   evolve,
	Events: []Event{
		SignInLinkSent{},
		SignedIn{},
		SignInFailed{},
		Visited{},
		SignedOut{},
		ProvedAgain{},
		PasswordSet{},
		PasswordReset{},
		OneTimePasswordSet{},
		SecondFactorAdded{},
		SecondFactorRemoved{},
		RecoveryCodesMade{},
		RecoveryCodeUsed{},
		PasskeyAdded{},
		PasskeyRemoved{},
		PreviewStarted{},
		PreviewEnded{},
		AccountChosen{},
	},
}

// StreamID is the stream of a person's facts in the month of a date.
func StreamID(person domain.ID, date domain.Date) domain.ID {
	return domain.DeriveID("access", person.String(), date.String()[:len("2006-01")])
}

// Event is a fact about a person's access.
//
//sumtype:decl
type Event interface {
	domain.Event
	// Whose says whom the fact is about.
	Whose() About
	access()
}

// About is the person that a fact is about, whoever brought it about.
type About struct {
	Entry      domain.ID  `json:"entry"` // tells two facts apart that read alike
	Person     domain.ID  `json:"person"`
	PersonKind PersonKind `json:"person_kind"`
}

// Whose gives the person.
func (a About) Whose() About { return a }

func (About) access() {}

// PersonKind tells what sort of person it is.
type PersonKind string

// The kinds of person.
const (
	Contact PersonKind = "contact"
	Staff   PersonKind = "staff"
)

// State tells the last fact, so that it is not stored twice.
type State struct{ Last domain.ID }

func evolve(_ State, e Event) State { return State{Last: e.Whose().Entry} }

// Record stores a fact. What happened was decided where it happened: a link was used, a password was wrong. There is no
// rule left to check, but that the fact is whole and stored once.
type Record struct {
	Stream domain.ID
	Fact   Event
}

// Target is the stream.
func (c Record) Target() domain.ID { return c.Stream }

// Decide stores the fact.
func (c Record) Decide(s State, _ domain.Meta) ([]Event, error) {
	var v domain.Checks
	v.That(c.Fact != nil, "fact", "fact-required", "Say what happened.")
	if err := v.Err(); err != nil {
		return nil, err
	}
	about := c.Fact.Whose()
	v.That(about.Entry != domain.NoID, "fact.entry", "entry-required", "Give the fact an id.")
	v.That(about.Person != domain.NoID, "fact.person", "person-required", "Say whom the fact is about.")
	v.That(about.PersonKind == Contact || about.PersonKind == Staff, "fact.person_kind", "person-kind-unknown", "Give contact or staff.")
	if err := v.Err(); err != nil || s.Last == about.Entry {
		return nil, err
	}
	return []Event{c.Fact}, nil
}

// counted says how many there are: "1 code", "10 codes".
func counted(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}
