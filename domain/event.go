package domain

import (
	"strconv"
	"strings"
	"time"
)

// Event is a recorded fact. Each aggregate has a sealed interface of its own that embeds this one.
type Event interface {
	// EventType is the wire name, stored for ever: plain business words in the past tense ("InvoiceSent").
	EventType() string
	// Sentence says what happened without saying who did it ("sent invoice 7 for 120.00 EUR"): history puts the
	// person in front.
	Sentence() string
}

// Aggregate describes one consistency boundary: its category, how its state is folded, its events.
// S is the state that decisions need and nothing more, E the sealed interface of its events.
type Aggregate[S any, E Event] struct {
	// Category is the part of the stream name before the first dash.
	Category string
	// Evolve folds one event into the state. It must not change maps or slices of the state it was given: others
	// may be reading them.
	Evolve func(S, E) S
	// Events holds a zero value of every event type of this aggregate.
	Events []E
	// Upcasters bring stored events of older schema versions to the current one, one step each, by wire name. The
	// current version of an event is one more than the number of its upcasters.
	Upcasters map[string][]Upcaster
	// Subject says whose personal data the events hold and so whose key seals it. Empty means the account (or the
	// firm, where there is no account); "contact" means the stream's own contact. A single field can name another
	// subject with the tag subject:"staff": the staff member whose id is in the sibling field "staff".
	Subject string
	// Referable tells whether other things may refer to one in this state; nil means always. An account that is
	// closed takes no new invoices.
	Referable func(S) error
	// Also lists the accounts, besides its own, whose things may refer to one in this state; nil means none.
	Also func(S) []ID
}

// Upcaster turns the JSON data of an event of one schema version into that of the next.
type Upcaster func(data []byte) ([]byte, error)

// Type describes an aggregate without its type parameters, for the catalog and the codec.
type Type struct {
	Category  string
	Events    []Event
	Upcasters map[string][]Upcaster
	Subject   string
}

// Type erases the type parameters.
func (a Aggregate[S, E]) Type() Type {
	t := Type{Category: a.Category, Upcasters: a.Upcasters, Subject: a.Subject}
	for _, e := range a.Events {
		t.Events = append(t.Events, e)
	}
	return t
}

// Fold gives the state after events, from the zero state.
func (a Aggregate[S, E]) Fold(events ...E) S {
	var state S
	for _, e := range events {
		state = a.Evolve(state, e)
	}
	return state
}

// NoStream is the revision before the first event: the stream does not exist.
const NoStream int64 = -1

// Position is a place in the whole log. It rises from event to event and is opaque otherwise. The zero Position is
// before the first event.
type Position struct{ Commit, Prepare uint64 }

// Before reports whether p comes earlier in the log than other.
func (p Position) Before(other Position) bool {
	return p.Commit < other.Commit || p.Commit == other.Commit && p.Prepare < other.Prepare
}

// String is the form users see and send back in after=: "commit", or "commit-prepare" where the two differ.
func (p Position) String() string {
	if p.Commit == p.Prepare {
		return strconv.FormatUint(p.Commit, 10)
	}
	return strconv.FormatUint(p.Commit, 10) + "-" + strconv.FormatUint(p.Prepare, 10)
}

// MarshalText writes the form of String.
func (p Position) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText reads the form of String.
func (p *Position) UnmarshalText(b []byte) (err error) {
	*p, err = ParsePosition(string(b))
	return err
}

// ParsePosition reads the form of String.
func ParsePosition(s string) (p Position, err error) {
	commit, prepare, two := strings.Cut(s, "-")
	if p.Commit, err = strconv.ParseUint(commit, 10, 63); err != nil {
		return Position{}, err
	}
	if p.Prepare = p.Commit; two {
		p.Prepare, err = strconv.ParseUint(prepare, 10, 63)
	}
	return p, err
}

// Proposed is an event on its way into the log.
type Proposed struct {
	ID             ID
	Type           string
	Data, Metadata []byte // JSON
}

// Recorded is an event as the log returns it: the stored bytes and where they stand.
type Recorded struct {
	Stream         string
	Revision       int64 // 0-based, in its stream
	Position       Position
	ID             ID
	Type           string
	Data, Metadata []byte
	Created        time.Time // the log's own clock
}

// Fact is a recorded event with its data and metadata decoded.
type Fact struct {
	Stream   string
	Category string
	Of       ID // the thing whose stream it is
	Revision int64
	Position Position
	ID       ID // of the event
	Event    Event
	Meta     Meta
}

// Ref is another thing that a command refers to. The loop checks that it exists, belongs to the same firm (and, for
// things of a client, the same account or one of Aggregate.Also) and takes references, and names Field when it does not.
type Ref struct {
	Field    string // JSON path in the command
	Category string
	ID       ID
}

// Referring is a command with references. Zero ids are skipped.
type Referring interface{ Refs() []Ref }

// Owned is a command that makes a thing of a client's: it names the account, which must exist and be open.
type Owned interface{ Owner() ID }
