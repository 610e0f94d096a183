package projections

import (
	"context"
	"errors"

	"golang.org/x/sync/errgroup"

	"github.com/atrium-portal/atrium/domain"
)

// errEnough ends a reading of the source that was only wanted up to a position.
var errEnough = errors.New("enough")

// everything is after every position.
var everything = domain.Position{Commit: 1<<63 - 1, Prepare: 1<<63 - 1}

// reading gives a build the events after a position.
type reading func(ctx context.Context, from domain.Position, handle func([]domain.Recorded) error) error

// upTo reads a source in batches, to its head or to a position, whichever comes first.
func upTo(s Source, limit int, until domain.Position) reading {
	return func(ctx context.Context, from domain.Position, handle func([]domain.Recorded) error) error {
		err := s.ReadAll(ctx, from, limit, func(records []domain.Recorded) error {
			n := 0
			for n < len(records) && !until.Before(records[n].Position) {
				n++
			}
			if n > 0 {
				if err := handle(records[:n:n]); err != nil {
					return err
				}
			}
			if n < len(records) {
				return errEnough
			}
			return nil
		})
		if errors.Is(err, errEnough) {
			return nil
		}
		return err
	}
}

// catchUp folds the events after the build's checkpoint, in a pipeline.
func (b *build) catchUp(ctx context.Context, read reading, tell func(domain.Position, int64)) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	for {
		if err := b.begin(ctx); err != nil {
			return err
		}
		err := b.stream(ctx, read, tell)
		if _, is := refusal(err); !is {
			if err != nil {
				b.forget()
			}
			return err
		}
		// One batch holds an event that Postgres refuses: that batch is applied by halves, then the stream goes on.
		if err := b.step(ctx, read); err != nil {
			return err
		}
	}
}

// catchUpHeld is catchUp batch by batch, with one connection: while the live checkpoint is held, a projector that waits
// for it has a connection too, and there are only a few.
func (b *build) catchUpHeld(ctx context.Context, read reading) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	err := b.begin(ctx)
	if err == nil {
		err = read(ctx, b.at.position, func(records []domain.Recorded) error { return b.isolate(ctx, records) })
	}
	if err != nil {
		b.forget()
	}
	return err
}

// begin reads the checkpoint, unless it is known, and refuses another program's.
func (b *build) begin(ctx context.Context) error {
	if !b.known {
		if err := b.remember(ctx); err != nil {
			return err
		}
	}
	if b.at.build != b.name {
		return ErrOtherBuild
	}
	return nil
}

// step applies one batch by itself.
func (b *build) step(ctx context.Context, read reading) error {
	b.forget()
	if err := b.begin(ctx); err != nil {
		return err
	}
	return read(ctx, b.at.position, func(records []domain.Recorded) error {
		if err := b.isolate(ctx, records); err != nil {
			return err
		}
		return errEnough
	})
}

// stream folds batches in a pipeline: while one is being written, the next is folded, the one after that decoded and
// another one read. It is the same decode, fold and commit as for a live batch, with the difference that rows of the
// work being written are taken from there.
func (b *build) stream(ctx context.Context, read reading, tell func(domain.Position, int64)) error {
	group, running := errgroup.WithContext(ctx)
	fetched := make(chan []domain.Recorded)
	decoded := make(chan []event)
	folded := make(chan *work)
	from := b.at
	var writing *work
	group.Go(func() error {
		defer close(fetched)
		return read(running, from.position, func(records []domain.Recorded) error { return send(running, fetched, records) })
	})
	group.Go(func() error {
		defer close(decoded)
		last := from.position
		for records := range fetched {
			records, err := after(records, last)
			if err != nil {
				return err
			}
			if len(records) == 0 {
				continue
			}
			last = records[len(records)-1].Position
			events, err := b.decode(records)
			if err != nil {
				return err
			}
			if err := send(running, decoded, events); err != nil {
				return err
			}
		}
		return nil
	})
	group.Go(func() error {
		defer close(folded)
		for events := range decoded {
			w, err := b.fold(running, b.pool, events, writing)
			if err != nil {
				return err
			}
			if err := send(running, folded, w); err != nil { // taken when the one before is committed
				return err
			}
			if writing != nil {
				b.settle(running, writing)
			}
			writing = w
		}
		return nil
	})
	group.Go(func() error {
		conn, err := b.acquire(running)
		if err != nil {
			return err
		}
		defer conn.Release()
		for w := range folded {
			if err := b.commit(running, conn.Conn(), w, from); err != nil {
				return err
			}
			from.position = w.to
			from.events += w.events
			tell(from.position, from.events)
		}
		return nil
	})
	if err := group.Wait(); err != nil || writing == nil {
		return err
	}
	b.settle(ctx, writing)
	return nil
}

func send[T any](ctx context.Context, to chan<- T, value T) error {
	select {
	case to <- value:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
