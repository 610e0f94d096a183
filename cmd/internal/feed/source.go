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

// tries is how often in a row a reading may be cut without having brought anything; headTries is among how many clients a look at
// the head shares its patience: one that meets a node in a bad moment of its start may not recover, and a new one does.
const (
	tries     = 5
	headTries = 3
)

// Source reads the log from any position; it implements projections.Source.
type Source struct {
	client   func() (*esdb.Client, error)
	prefixes []string
}

var _ projections.Source = (*Source)(nil)

// NewSource reads the events of streams with one of the prefixes. client makes a client for one reading, which the
// source closes.
func NewSource(client func() (*esdb.Client, error), prefixes []string) *Source {
	return &Source{client, prefixes}
}

// ReadAll hands over every event after a position in batches of at most limit events and 8 MiB, up to the head at the
// call or a little beyond. When the connection is cut it goes on with another one.
func (s *Source) ReadAll(ctx context.Context, after domain.Position, limit int, handle func([]domain.Recorded) error) error {
	head, err := s.Head(ctx)
	if err != nil {
		return err
	}
	wait := pauses{longest: time.Second}
	for cuts := 0; after.Before(head); {
		at, err := s.readOnce(ctx, after, head, limit, handle)
		if at != after {
			cuts = 0
			wait.reset()
		}
		after = at
		if cut, is := errors.AsType[*cutError](err); is && cuts < tries && ctx.Err() == nil {
			cuts++
			wait.pause(ctx)
		} else if is {
			return fmt.Errorf("reading the log after %s: %w", after, cut.err)
		} else if err != nil {
			return err
		}
	}
	return nil
}

// cutError is a reading that ended too early; any other error comes from who handles the events.
type cutError struct{ err error }

// Error gives the cause.
func (c *cutError) Error() string { return c.err.Error() }

// readOnce reads with one subscription and returns how far it came.
func (s *Source) readOnce(ctx context.Context, at, head domain.Position, limit int, handle func([]domain.Recorded) error) (domain.Position, error) {
	client, err := s.client()
	if err != nil {
		return at, err
	}
	receiving, cancel := context.WithCancel(ctx)
	defer cancel()
	incoming := newBuffer(limit, maxBytes)
	go func() {
		defer closeClient(client)
		incoming.end(receive(receiving, client, s.prefixes, at, incoming.put))
	}()
	for at.Before(head) {
		events, err := incoming.take(ctx, patience, 0)
		if err != nil {
			return at, &cutError{err}
		}
		if len(events) == 0 {
			return at, &cutError{errSilent}
		}
		if err := handle(events); err != nil {
			return at, err
		}
		at = events[len(events)-1].Position
	}
	return at, nil
}

// Head is the position of the last event of our streams; the zero Position when there is none. A server of several
// users may hold other events after it, which nobody here waits for.
func (s *Source) Head(ctx context.Context) (domain.Position, error) {
	wait := pauses{longest: time.Second}
	for try := 1; ; try++ {
		head, err := s.headOnce(ctx)
		if err == nil || try == headTries || ctx.Err() != nil {
			return head, err
		}
		wait.pause(ctx)
	}
}

// headOnce asks one client.
func (s *Source) headOnce(ctx context.Context) (domain.Position, error) {
	client, err := s.client()
	if err != nil {
		return domain.Position{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, patience/headTries)
	defer cancel()
	type answer struct {
		head domain.Position
		err  error
	}
	// The client does not always look at the context, so we do.
	answered := make(chan answer, 1)
	go func() {
		defer closeClient(client)
		head, err := lastOf(ctx, client, s.prefixes)
		answered <- answer{head, err}
	}()
	select {
	case a := <-answered:
		return a.head, a.err
	case <-ctx.Done():
		return domain.Position{}, fmt.Errorf("the event store did not answer: %w", ctx.Err())
	}
}

// lastOf reads backwards to the last event of streams with one of the prefixes.
func lastOf(ctx context.Context, client *esdb.Client, prefixes []string) (domain.Position, error) {
	stream, err := client.ReadAll(ctx, esdb.ReadAllOptions{Direction: esdb.Backwards, From: esdb.End{}}, math.MaxInt32)
	if err != nil {
		return domain.Position{}, err
	}
	defer stream.Close()
	for {
		e, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return domain.Position{}, nil
		}
		if err != nil {
			return domain.Position{}, err
		}
		for _, p := range prefixes {
			if strings.HasPrefix(e.OriginalEvent().StreamID, p) {
				return position(e.OriginalEvent().Position), nil
			}
		}
	}
}

// receive subscribes after a position and hands over every event until something fails. The error says why it ended;
// it is never nil.
func receive(ctx context.Context, client *esdb.Client, prefixes []string, after domain.Position, put func(context.Context, domain.Recorded) error) error {
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
	for { // ends with the context at the latest
		e := subscription.Recv()
		switch {
		case e.EventAppeared != nil:
			if err := put(ctx, recorded(e.EventAppeared.OriginalEvent())); err != nil {
				return err
			}
		case e.SubscriptionDropped != nil:
			return fmt.Errorf("the subscription was dropped: %w", e.SubscriptionDropped.Error)
		}
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
