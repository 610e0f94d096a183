package feed

import (
	"context"
	"sync"
	"time"

	"github.com/atrium-portal/atrium/domain"
)

// maxBytes bounds the data and metadata of a batch. A single larger event is a batch of its own.
const maxBytes = 8 << 20

// buffer holds what was received and not yet taken: at most a batch.
type buffer struct {
	maxEvents, maxBytes int

	mu      sync.Mutex
	events  []domain.Recorded
	bytes   int
	full    bool // there is an event that has no room
	ended   error
	changed chan struct{} // closed at each change
}

func newBuffer(maxEvents, maxBytes int) *buffer {
	return &buffer{maxEvents: maxEvents, maxBytes: maxBytes, changed: make(chan struct{})}
}

func size(r domain.Recorded) int { return len(r.Data) + len(r.Metadata) }

// put adds an event when there is room for it.
func (b *buffer) put(ctx context.Context, r domain.Recorded) error {
	for {
		b.mu.Lock()
		if len(b.events) == 0 || len(b.events) < b.maxEvents && b.bytes+size(r) <= b.maxBytes {
			b.events = append(b.events, r)
			b.bytes += size(r)
			if len(b.events) == 1 {
				b.wake()
			}
			b.mu.Unlock()
			return nil
		}
		if !b.full {
			b.full = true
			b.wake()
		}
		changed := b.changed
		b.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// end says that nothing will be put any more, and why.
func (b *buffer) end(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ended = err
	b.wake()
}

// take waits until there is something, lingers for more of it, and takes all. It is empty when nothing came for a while. The error
// says that nothing will come any more.
func (b *buffer) take(ctx context.Context, patience, linger time.Duration) ([]domain.Recorded, error) {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	var more <-chan time.Time // when enough was lingered
	for lingered := linger == 0; ; {
		b.mu.Lock()
		if len(b.events) > 0 && (lingered || b.full || b.ended != nil) {
			events := b.events
			b.events, b.bytes, b.full = nil, 0, false
			b.wake()
			b.mu.Unlock()
			return events, nil
		}
		waiting, ended, changed := len(b.events) > 0, b.ended, b.changed
		b.mu.Unlock()
		if ended != nil {
			return nil, ended
		}
		if waiting && more == nil {
			pause := time.NewTimer(linger)
			defer pause.Stop()
			more = pause.C
		}
		select {
		case <-changed:
		case <-more:
			lingered = true
		case <-timer.C:
			if !waiting {
				return nil, nil
			}
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (b *buffer) wake() {
	close(b.changed)
	b.changed = make(chan struct{})
}
