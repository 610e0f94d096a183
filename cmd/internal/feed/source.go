package feed

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/projections"
)

// patience is how long a subscription may take to be confirmed, and a look at the head to be answered. The official
// client can wait for ever.
const patience = 15 * time.Second

// Source reads the log from any position; it implements projections.Source.
type Source struct {
	client   func() (*esdb.Client, error)
	prefixes []string
}

var _ projections.Source = (*Source)(nil)

// NewSource reads the events of streams with one of the prefixes. client makes a client for one read.
func NewSource(client func() (*esdb.Client, error), prefixes []string) *Source {
	return &Source{client, prefixes}
}

// errEnough ends a subscription that has given what was asked.
var errEnough = errors.New("enough")

// ReadAll hands over every event after a position in batches, up to the head at the call or a little beyond.
func (s *Source) ReadAll(ctx context.Context, after domain.Position, limit int, handle func([]domain.Recorded) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	client, err := s.client()
	if err != nil {
		return err
	}
	defer closeClient(client)
	// Handling a batch and receiving the next one overlap.
	batches := make(chan []domain.Recorded, 2)
	received := make(chan error, 1)
	go func() {
		defer close(batches)
		var batch []domain.Recorded
		flush := func() error {
			if len(batch) == 0 {
				return nil
			}
			select {
			case batches <- batch:
				batch = make([]domain.Recorded, 0, limit)
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		err := receive(ctx, client, s.prefixes, after, func() error { return errEnough }, func(e *esdb.RecordedEvent) error {
			if batch = append(batch, recorded(e)); len(batch) < limit {
				return nil
			}
			return flush()
		})
		if errors.Is(err, errEnough) {
			err = flush()
		}
		received <- err
	}()
	for batch := range batches {
		if err := handle(batch); err != nil {
			return err
		}
	}
	return <-received
}

// Head is the position of the last event of our streams; the zero Position when there is none. A server of several
// users may hold other events after it, which nobody here waits for.
func (s *Source) Head(ctx context.Context) (head domain.Position, err error) {
	err = guarded(ctx, s.client, func(ctx context.Context, client *esdb.Client) error {
		stream, err := client.ReadAll(ctx, esdb.ReadAllOptions{Direction: esdb.Backwards, From: esdb.End{}}, math.MaxInt32)
		if err != nil {
			return err
		}
		defer stream.Close()
		for {
			e, err := stream.Recv()
			if errors.Is(err, io.EOF) {
				return nil
			}
			if err != nil {
				return err
			}
			if r := e.OriginalEvent(); hasPrefix(r.StreamID, s.prefixes) {
				head = position(r.Position)
				return nil
			}
		}
	})
	return head, err
}

func hasPrefix(stream string, prefixes []string) bool {
	for _, p := range prefixes {
		if strings.HasPrefix(stream, p) {
			return true
		}
	}
	return false
}

// receive subscribes after a position and hands over every event until something fails. caughtUp, when given, is
// called each time there is nothing more to read for now. The error says why it ended; it is never nil.
func receive(ctx context.Context, client *esdb.Client, prefixes []string, after domain.Position, caughtUp func() error, handle func(*esdb.RecordedEvent) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	confirmed := time.AfterFunc(patience, cancel)
	subscription, err := client.SubscribeToAll(ctx, esdb.SubscribeToAllOptions{
		From: start(after), MaxSearchWindow: 4096, CheckpointInterval: 16,
		Filter: &esdb.SubscriptionFilter{Type: esdb.StreamFilterType, Prefixes: prefixes},
	})
	if !confirmed.Stop() && err == nil {
		err = errors.New("the event store did not answer in time")
	}
	if err != nil {
		return fmt.Errorf("subscribing to the log: %w", err)
	}
	defer subscription.Close()
	for {
		e := subscription.Recv()
		switch {
		case e.EventAppeared != nil:
			err = handle(e.EventAppeared.OriginalEvent())
		case e.CaughtUp != nil && caughtUp != nil:
			err = caughtUp()
		case e.SubscriptionDropped != nil:
			err = fmt.Errorf("the subscription was dropped: %w", e.SubscriptionDropped.Error)
		}
		if err != nil {
			return err
		}
	}
}

// guarded runs a call on a client of its own and stops waiting for it after a while: the official client does not
// always look at its context.
func guarded(ctx context.Context, open func() (*esdb.Client, error), call func(context.Context, *esdb.Client) error) error {
	client, err := open()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	done := make(chan error, 1)
	go func() {
		defer closeClient(client)
		done <- call(ctx, client)
	}()
	defer cancel()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return fmt.Errorf("the event store did not answer in time: %w", ctx.Err())
	}
}

// closeClient closes a client that nobody uses any more. Closing only fails for a client that was closed before.
func closeClient(client *esdb.Client) { client.Close() } //nolint:errcheck // see above

func start(after domain.Position) esdb.AllPosition {
	if after == (domain.Position{}) {
		return esdb.Start{}
	}
	return esdb.Position{Commit: after.Commit, Prepare: after.Prepare}
}

func position(p esdb.Position) domain.Position {
	return domain.Position{Commit: p.Commit, Prepare: p.Prepare}
}

func recorded(e *esdb.RecordedEvent) domain.Recorded {
	return domain.Recorded{
		Stream: e.StreamID, Revision: int64(e.EventNumber), Position: position(e.Position), ID: e.EventID, Type: e.EventType,
		Data: e.Data, Metadata: e.UserMetadata, Created: e.CreatedDate,
	}
}
