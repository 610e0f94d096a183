package domain

import (
	"strconv"
	"time"
)

// ActorKind tells what sort of actor did something.
type ActorKind string

// The kinds of actor.
const (
	Staff  ActorKind = "staff"
	Client ActorKind = "client"
	System ActorKind = "system"
)

// Actor is who did something: a staff member or a contact by id, or a part of the system by name ("import",
// "clock").
type Actor struct {
	Kind ActorKind
	ID   ID     // of the staff member or contact; none for system
	Name string // of the part of the system; empty for people, whose names live in their own records
}

// SystemActor is a part of the program acting by itself.
func SystemActor(name string) Actor { return Actor{Kind: System, Name: name} }

// Ref is the actor in stored metadata: the id of a person or the name of a part of the system.
func (a Actor) Ref() string {
	if a.Kind == System {
		return a.Name
	}
	return a.ID.String()
}

// Meta is who, when, why and from where. It is set once at the edge; decisions take time, ids and "today" from it
// and from nowhere else.
type Meta struct {
	Firm        ID
	Account     ID // fixed by the first event of a stream; none for things of the firm itself
	Actor       Actor
	OnBehalfOf  ID // the person the actor acted for, if any
	Time        time.Time
	Zone        *time.Location // the firm's; nil means UTC. Not stored
	Request     string         // id of the HTTP request or tool run
	Trace       string         // W3C traceparent of what asked for it, where requests are traced
	Session     string
	IP          Personal
	UserAgent   Personal
	Command     ID
	Digest      string // of the command's body: the same command id with another body is a mistake
	Correlation ID     // the whole conversation
	Causation   ID     // the direct cause: an event, or none when a person asked
	Proof       Proof  // of who the actor is, where there is one. Not stored here
	Target      ID     // the thing the command acts on or makes. Not stored: the stream says it
}

// Today is the date of Time where the firm is.
func (m Meta) Today() Date {
	zone := m.Zone
	if zone == nil {
		zone = time.UTC
	}
	return DateOf(m.Time, zone)
}

// NewID derives the id of a new thing from the command; the same command gives the same id.
func (m Meta) NewID(name string) ID { return childID(m.Command, name) }

// EventID is the id of the n-th event of the command. Sending it twice is harmless: the log recognises it.
func (m Meta) EventID(n int) ID { return DeriveID("event", m.Command.String(), strconv.Itoa(n)) }

// Proof is how somebody showed who they are, and when they did so last. The zero Proof is none: programs have none.
type Proof struct {
	Method string // of the sign-in
	At     time.Time
}

// ProofLasts is how long after somebody showed who they are they may do what needs a fresh proof.
const ProofLasts = 10 * time.Minute

// Fresh refuses what may only be done shortly after its doer showed who they are, such as signing or changing how they
// sign in. The cure is to prove it once more: pages send people to /account/proof.
func (p Proof) Fresh(now time.Time) error {
	if p.At.IsZero() || now.Sub(p.At) > ProofLasts {
		return &Fault{Kind: Forbidden, Code: "reauth-required", Message: "Please confirm once more that it is you, then repeat this."}
	}
	return nil
}
