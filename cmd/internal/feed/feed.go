package feed

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/projections"
)

// Options of a Feed. Client, Prefixes and From are required.
type Options struct {
	// Client makes a client for one subscription; the feed closes it.
	Client func() (*esdb.Client, error)
	// Prefixes are those of the streams to follow: "invoice-".
	Prefixes []string
	// From gives the position of the last event the consumer has finished; the zero Position is before the first.
	From func(context.Context) (domain.Position, error)
	// Events and Bytes bound a batch; zero means 4,096 events and 8 MiB.
	Events, Bytes int
	// Backoff is the longest pause between attempts; zero means 5 s.
	Backoff time.Duration
	Logger  *slog.Logger
}

// Feed is a message.Subscriber. Every Subscribe is a subscription of its own; the topic's name means nothing.
type Feed struct {
	Options
	closing context.Context
	close   context.CancelFunc
	running sync.WaitGroup
}

var _ message.Subscriber = (*Feed)(nil)

// New checks the options.
func New(o Options) (*Feed, error) {
	if o.Client == nil || o.From == nil || len(o.Prefixes) == 0 {
		return nil, errors.New("feed: Client, Prefixes and From are needed")
	}
	if o.Events == 0 {
		o.Events = 4096
	}
	if o.Bytes == 0 {
		o.Bytes = 8 << 20
	}
	if o.Backoff == 0 {
		o.Backoff = 5 * time.Second
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	f := &Feed{Options: o}
	f.closing, f.close = context.WithCancel(context.Background())
	return f, nil
}

// Subscribe follows the log until ctx ends or the feed is closed.
func (f *Feed) Subscribe(ctx context.Context, _ string) (<-chan *message.Message, error) {
	if f.closing.Err() != nil {
		return nil, errors.New("feed: closed")
	}
	ctx, cancel := context.WithCancel(ctx)
	context.AfterFunc(f.closing, cancel)
	out := make(chan *message.Message)
	f.running.Go(func() {
		defer close(out)
		defer cancel()
		f.follow(ctx, out)
	})
	return out, nil
}

// Close ends all subscriptions and waits for them. A message in flight is given up: it was not acknowledged, so it
// comes again.
func (f *Feed) Close() error {
	f.close()
	f.running.Wait()
	return nil
}

// follow subscribes again and again, from where the consumer is.
func (f *Feed) follow(ctx context.Context, out chan<- *message.Message) {
	wait := pauses{longest: f.Backoff}
	for ctx.Err() == nil {
		delivered, err := f.subscribeOnce(ctx, out)
		if ctx.Err() != nil {
			return
		}
		if delivered {
			wait.reset()
		}
		if errors.Is(err, errRefused) {
			f.Logger.Debug("the consumer refused a batch; going on from its checkpoint")
		} else {
			f.Logger.Warn("the subscription ended; subscribing again", "error", err)
		}
		wait.pause(ctx)
	}
}

// errRefused says that the consumer did not take a batch.
var errRefused = errors.New("the consumer refused the batch")

// subscribeOnce runs one subscription until it ends, and tells whether the consumer took anything.
func (f *Feed) subscribeOnce(ctx context.Context, out chan<- *message.Message) (delivered bool, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	at, err := f.From(ctx)
	if err != nil {
		return false, err
	}
	client, err := f.Client()
	if err != nil {
		return false, err
	}
	defer closeClient(client)
	events := make(chan *esdb.RecordedEvent, f.Events)
	ended := make(chan error, 1)
	go func() {
		defer close(events)
		ended <- receive(ctx, client, f.Prefixes, at, nil, func(e *esdb.RecordedEvent) error {
			select {
			case events <- e:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
	}()
	for {
		batch := f.collect(events, at)
		if len(batch.Events) == 0 {
			return delivered, <-ended
		}
		last := batch.Events[len(batch.Events)-1].Position
		m := message.NewMessage(last.String(), nil)
		m.SetContext(projections.WithBatch(ctx, batch))
		select {
		case out <- m:
		case <-ctx.Done():
			return delivered, ctx.Err()
		}
		select {
		case <-m.Acked():
			at, delivered = last, true
		case <-m.Nacked():
			return delivered, errRefused
		case <-ctx.Done():
			return delivered, ctx.Err()
		}
	}
}

// collect waits for one event and takes what else is there, up to the limits. It is empty when the subscription ended.
func (f *Feed) collect(events <-chan *esdb.RecordedEvent, after domain.Position) projections.Batch {
	batch := projections.Batch{After: after}
	size := 0
	for e := range events {
		r := recorded(e)
		batch.Events = append(batch.Events, r)
		size += len(r.Data) + len(r.Metadata)
		if len(events) == 0 || len(batch.Events) >= f.Events || size >= f.Bytes {
			break
		}
	}
	return batch
}

// pauses grow from 50 ms to the longest.
type pauses struct {
	next, longest time.Duration
}

func (p *pauses) reset() { p.next = 0 }

func (p *pauses) pause(ctx context.Context) {
	p.next = min(max(2*p.next, 50*time.Millisecond), p.longest)
	timer := time.NewTimer(p.next)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
