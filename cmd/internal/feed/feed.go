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
	// Silence is how long nothing may come before the feed looks at the log's head; zero means 30 s.
	Silence time.Duration
	// Linger is how long a batch that is not full waits for more events, for consumers that need not be first; zero: not at all.
	Linger time.Duration
	// Grace is how long a message in flight may take to end when the feed stops; zero means 5 s.
	Grace  time.Duration
	Logger *slog.Logger
}

// Feed is a message.Subscriber. Every Subscribe is a subscription of its own; the topic's name means nothing.
type Feed struct {
	Options
	source  *Source
	closing context.Context
	close   context.CancelFunc
	mu      sync.Mutex // no subscription begins while Close begins to wait
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
		o.Bytes = maxBytes
	}
	if o.Backoff == 0 {
		o.Backoff = 5 * time.Second
	}
	if o.Silence == 0 {
		o.Silence = 30 * time.Second
	}
	if o.Grace == 0 {
		o.Grace = 5 * time.Second
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	f := &Feed{Options: o, source: NewSource(o.Client, o.Prefixes)}
	f.closing, f.close = context.WithCancel(context.Background())
	return f, nil
}

// Subscribe follows the log until ctx ends or the feed is closed.
func (f *Feed) Subscribe(ctx context.Context, _ string) (<-chan *message.Message, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
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

// Close ends all subscriptions and waits for them, and for the messages in flight as long as Grace. A message that
// is not acknowledged comes again.
func (f *Feed) Close() error {
	f.mu.Lock()
	f.close()
	f.mu.Unlock()
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

// errSilent says that a subscription brings nothing although the log went on.
var errSilent = errors.New("the log went on, but the subscription brings nothing")

// subscribeOnce runs one subscription until it ends, and tells whether the consumer took anything.
func (f *Feed) subscribeOnce(ctx context.Context, out chan<- *message.Message) (delivered bool, err error) {
	at, err := f.From(ctx)
	if err != nil {
		return false, err
	}
	client, err := f.Client()
	if err != nil {
		return false, err
	}
	receiving, cancel := context.WithCancel(ctx)
	defer cancel()
	incoming := newBuffer(f.Events, f.Bytes)
	go func() {
		defer closeClient(client)
		incoming.end(receive(receiving, client, f.Prefixes, at, incoming.put))
	}()
	var missed domain.Position // what the log had when nothing came
	for {
		events, err := incoming.take(ctx, f.Silence, f.Linger)
		switch {
		case err != nil:
			return delivered, err
		case len(events) == 0:
			if at.Before(missed) {
				return delivered, errSilent
			}
			if missed, err = f.source.Head(ctx); err != nil {
				return delivered, err
			}
			continue
		}
		last := events[len(events)-1].Position
		if err := f.deliver(ctx, out, projections.Batch{After: at, Events: events}, last); err != nil {
			return delivered, err
		}
		at, delivered = last, true
	}
}

// deliver hands a batch to the consumer and waits for its answer. The message's context ends with it, or a while after
// the feed was told to stop.
func (f *Feed) deliver(ctx context.Context, out chan<- *message.Message, b projections.Batch, last domain.Position) error {
	handling, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	m := message.NewMessage(last.String(), nil)
	m.SetContext(projections.WithBatch(handling, b))
	select {
	case out <- m:
	case <-ctx.Done():
		return ctx.Err()
	}
	var late <-chan time.Time
	stop := ctx.Done()
	for {
		select {
		case <-m.Acked():
			return nil
		case <-m.Nacked():
			return errRefused
		case <-stop:
			stop = nil
			timer := time.NewTimer(f.Grace)
			defer timer.Stop()
			late = timer.C
		case <-late:
			return ctx.Err()
		}
	}
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
