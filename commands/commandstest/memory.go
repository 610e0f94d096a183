// Package commandstest has the in-memory log for tests and the suite that every commands.Log must pass.
package commandstest

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/atrium-portal/atrium/commands"
	"github.com/atrium-portal/atrium/domain"
)

// Memory is a log in memory, with the store's rules: exact revisions, and an append that repeats the ids of what is
// stored there already is the same append.
type Memory struct {
	mu      sync.Mutex
	all     []domain.Recorded
	streams map[string][]int // places in all
	before  func(stream string) error
	after   func(stream string) error
}

// NewMemory makes an empty log.
func NewMemory() *Memory { return &Memory{streams: map[string][]int{}} }

// FailBefore makes appends fail before anything is stored when f returns an error; FailAfter loses the reply of an
// append that was stored.
func (m *Memory) FailBefore(f func(stream string) error) { m.set(func() { m.before = f }) }

// FailAfter loses the reply of an append that was stored, when f returns an error.
func (m *Memory) FailAfter(f func(stream string) error) { m.set(func() { m.after = f }) }

func (m *Memory) set(f func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f()
}

// Load implements commands.Log.
func (m *Memory) Load(ctx context.Context, stream string, from int64) ([]domain.Recorded, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	var events []domain.Recorded
	for _, place := range m.streams[stream][min(int(from), len(m.streams[stream])):] {
		events = append(events, m.all[place])
	}
	return events, nil
}

// Append implements commands.Log.
func (m *Memory) Append(ctx context.Context, stream string, expected int64, events []domain.Proposed) (domain.Position, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := errors.Join(ctx.Err(), call(m.before, stream)); err != nil {
		return domain.Position{}, err
	}
	places := m.streams[stream]
	if last := int64(len(places)) - 1; last != expected {
		if expected < last && m.repeats(places[expected+1:], events) {
			return m.all[places[expected+int64(len(events))]].Position, nil
		}
		return domain.Position{}, &commands.Conflict{Stream: stream, Expected: expected}
	}
	for i, e := range events {
		at := uint64(len(m.all)+1) * 100
		m.streams[stream] = append(m.streams[stream], len(m.all))
		m.all = append(m.all, domain.Recorded{
			Stream: stream, Revision: expected + int64(i) + 1, Position: domain.Position{Commit: at, Prepare: at}, ID: e.ID,
			Type: e.Type, Data: slices.Clone(e.Data), Metadata: slices.Clone(e.Metadata), Created: time.Unix(int64(at), 0).UTC(),
		})
	}
	if err := call(m.after, stream); err != nil {
		return domain.Position{}, err
	}
	return m.all[len(m.all)-1].Position, nil
}

// repeats reports whether the stored events begin with those ids.
func (m *Memory) repeats(places []int, events []domain.Proposed) bool {
	if len(places) < len(events) {
		return false
	}
	for i, e := range events {
		if m.all[places[i]].ID != e.ID {
			return false
		}
	}
	return true
}

func call(f func(string) error, stream string) error {
	if f == nil {
		return nil
	}
	return f(stream)
}

// All returns every event in the order of the log.
func (m *Memory) All() []domain.Recorded {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.all)
}
