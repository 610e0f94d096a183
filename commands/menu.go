package commands

import (
	"context"
	"fmt"
	"reflect"
	"slices"

	"github.com/atrium-portal/atrium/domain"
)

// Decider is a command of an aggregate with state S and events E.
type Decider[S any, E domain.Event] interface {
	Decide(S, domain.Meta) ([]E, error)
}

// Targeted is a command on something that exists: it names what it acts on.
type Targeted[S any, E domain.Event] interface {
	Decider[S, E]
	Target() domain.ID
}

// Menu is the list of commands. It is filled once at start and read-only afterwards.
type Menu struct {
	entries  map[string]*Entry
	names    []string
	states   map[string]stateLoader
	whenever map[string][]follower
}

// Entry is one command on the menu.
type Entry struct {
	Name     string       // wire name, stored nowhere but relied on by users
	Category string       // of the aggregate it acts on
	Creates  bool         // it makes a new thing; otherwise the thing must exist
	Who      Who          // may use it
	Command  reflect.Type // the struct
	Events   []string     // wire names of the aggregate's events, for documentation

	run func(context.Context, *Loop, Order) (Receipt, []domain.Fact, error)
}

// NewMenu makes an empty menu.
func NewMenu() *Menu {
	return &Menu{entries: map[string]*Entry{}, states: map[string]stateLoader{}, whenever: map[string][]follower{}}
}

// Entries lists the commands in the order of the menu.
func (m *Menu) Entries() []*Entry {
	list := make([]*Entry, 0, len(m.names))
	for _, n := range m.names {
		list = append(list, m.entries[n])
	}
	return list
}

// Entry finds a command by its wire name; nil when there is none.
func (m *Menu) Entry(name string) *Entry { return m.entries[name] }

// Option refines how the loop runs a command of type C.
type Option[C any] struct {
	locate func(context.Context, *Loop, C, domain.Meta) (C, error)
	before func(context.Context, *Loop, C, domain.Meta) (C, error)
	upsert bool
}

// Locate runs f on a command before its stream is known. f looks up which one it is, from what the command says, and
// puts it into the command for its Target. It runs once for each time a command is given.
func Locate[C any](f func(context.Context, *Loop, C, domain.Meta) (C, error)) Option[C] {
	return Option[C]{locate: f}
}

// Before runs f on a command that would be accepted, before the decision that counts. f looks things up elsewhere,
// or reserves them, and puts what it found into the command. It may run more than once for one command, also after a
// crash, so whatever it reserves is reserved for the command's target.
func Before[C any](f func(context.Context, *Loop, C, domain.Meta) (C, error)) Option[C] {
	return Option[C]{before: f}
}

// Upsert lets a targeted command make its stream when there is none yet.
func Upsert[C any]() Option[C] { return Option[C]{upsert: true} }

// Create puts a command that makes a new thing on the menu. command is a zero value.
func Create[S any, E domain.Event, C Decider[S, E]](m *Menu, a domain.Aggregate[S, E], name string, command C, who Who, options ...Option[C]) {
	add(m, a, name, command, who, true, func(C) domain.ID { return domain.NoID }, options)
}

// On puts a command that acts on an existing thing on the menu. command is a zero value.
func On[S any, E domain.Event, C Targeted[S, E]](m *Menu, a domain.Aggregate[S, E], name string, command C, who Who, options ...Option[C]) {
	add(m, a, name, command, who, false, func(c C) domain.ID { return c.Target() }, options)
}

func add[S any, E domain.Event, C Decider[S, E]](m *Menu, a domain.Aggregate[S, E], name string, command C, who Who, creates bool, target func(C) domain.ID, options []Option[C]) {
	if m.entries[name] != nil {
		panic("command " + name + " is on the menu twice")
	}
	e := &Entry{Name: name, Category: a.Category, Creates: creates, Who: who, Command: reflect.TypeOf(command)}
	for _, event := range a.Events {
		e.Events = append(e.Events, event.EventType())
	}
	r := runner[S, E, C]{aggregate: a, entry: e, target: target}
	for _, o := range options {
		r.upsert = r.upsert || o.upsert
		if o.locate != nil {
			r.locate = o.locate
		}
		if o.before != nil {
			r.before = append(r.before, o.before)
		}
	}
	e.run = r.run
	m.entries[name] = e
	m.names = append(m.names, name)
	m.states[a.Category] = func(ctx context.Context, l *Loop, id domain.ID) (owner, error, error) {
		h, err := load(ctx, l, a, domain.StreamName(a.Category, id), true)
		if err != nil || h.revision == domain.NoStream {
			return owner{missing: true}, nil, err
		}
		var refusal error
		if a.Referable != nil {
			refusal = a.Referable(h.state)
		}
		whose := h.owner
		if a.Also != nil {
			whose.also = a.Also(h.state)
		}
		return whose, refusal, nil
	}
}

// stateLoader finds out whose a thing is and whether it may be referred to; the first error is the refusal, the
// second a failure to find out.
type stateLoader func(context.Context, *Loop, domain.ID) (whose owner, refusal, err error)

// FollowUp is a command that must follow an event.
type FollowUp struct {
	Name      string
	Command   any
	Target    domain.ID // of a command that makes something
	Otherwise *FollowUp // follows instead when this is refused; without it a refusal is final
}

// follower lists the commands that follow a fact.
type follower func(context.Context, *Loop, domain.Fact) ([]FollowUp, error)

// Whenever declares that commands follow each event of type E. The loop gives them right after the append; the
// follow-up reactor gives them again after a crash. Their ids derive from the event's, so they take effect once.
func Whenever[E domain.Event](m *Menu, follow func(context.Context, *Loop, E, domain.Fact) ([]FollowUp, error)) {
	var zero E
	name := zero.EventType()
	m.whenever[name] = append(m.whenever[name], func(ctx context.Context, l *Loop, f domain.Fact) ([]FollowUp, error) {
		return follow(ctx, l, f.Event.(E), f)
	})
}

// followUps lists the commands that follow a fact.
func (l *Loop) followUps(ctx context.Context, f domain.Fact) (all []FollowUp, err error) {
	for _, follow := range l.Menu.whenever[f.Event.EventType()] {
		some, err := follow(ctx, l, f)
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
	}
	return all, nil
}

// Followed lists the event types that have follow-ups, sorted.
func (m *Menu) Followed() []string {
	var names []string
	for n := range m.whenever {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}

// Check reports mistakes in the menu itself: a follow-up that is not on it cannot be found here, but a command
// whose fields cannot be decoded can.
func (m *Menu) Check() error {
	for _, e := range m.Entries() {
		if e.Command.Kind() != reflect.Struct {
			return fmt.Errorf("command %s must be a struct", e.Name)
		}
	}
	return nil
}
