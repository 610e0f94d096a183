// Package slug keeps each name of a firm in addresses (/{slug}/login) to one firm of the installation. The stream is named
// after the slug, and belongs to the firm that appended to it first.
package slug

import "github.com/atrium-portal/atrium/domain"

// Aggregate describes the slug stream; the stream's id is StreamID.
var Aggregate = domain.Aggregate[State, Event]{
	Category: "slug",
	Evolve:   evolve,
	Events:   []Event{Claimed{}},
}

// StreamID is the id of a slug's stream.
func StreamID(slug string) domain.ID { return domain.DeriveID("slug", slug) }

// Event is a fact about a slug.
//
//sumtype:decl
type Event interface {
	domain.Event
	slug()
}

// Claimed gives the slug to the firm in whose name it was appended, for ever.
type Claimed struct {
	Slug string `json:"slug"`
}

func (Claimed) slug() {}

// EventType is the wire name.
func (Claimed) EventType() string { return "SlugClaimed" }

// Sentence for history.
func (e Claimed) Sentence() string { return "took the address /" + e.Slug }

// State says whether the slug is taken; another firm does not get to see it.
type State struct{ Taken bool }

func evolve(s State, e Event) State {
	switch e.(type) {
	case Claimed:
		s.Taken = true
	}
	return s
}

// Claim takes a slug for a firm. The loop gives it before it stores the firm.
type Claim struct {
	Slug string `json:"slug"`
}

// Target is the slug's stream.
func (c Claim) Target() domain.ID { return StreamID(c.Slug) }

// Decide takes a free slug; whoever has it keeps it.
func (c Claim) Decide(s State, _ domain.Meta) ([]Event, error) {
	if s.Taken {
		return nil, nil
	}
	return []Event{Claimed(c)}, nil
}
