package feed_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/ThreeDotsLabs/watermill/pubsub/tests"

	"github.com/atrium-portal/atrium/cmd/internal/feed"
	"github.com/atrium-portal/atrium/domain"
)

// TestPubSub is Watermill's own suite: delivery, order, acknowledgement, resending, contexts, closing.
func TestPubSub(t *testing.T) {
	n := node(t, t.TempDir(), "127.0.0.1:0")
	t.Cleanup(func() { _ = n.Close() })
	tests.TestPubSub(t, tests.Features{
		GuaranteedOrder: true, Persistent: true, NewSubscriberReceivesOldMessages: true, ForceShort: true,
	}, func(t *testing.T) (message.Publisher, message.Subscriber) {
		client, err := connect(n.URL())()
		if err != nil {
			t.Fatal(err)
		}
		return publisher{client}, &subscriber{url: n.URL()}
	}, nil)
}

func said(n int) []string {
	texts := make([]string, n)
	for i := range texts {
		texts[i] = fmt.Sprint("word ", i)
	}
	return texts
}

func TestBatchesGrowWithTheBacklog(t *testing.T) {
	n := node(t, t.TempDir(), "127.0.0.1:0")
	t.Cleanup(func() { _ = n.Close() })
	w := newWriter(t, n.URL(), "talk-1")
	foreign := newWriter(t, n.URL(), "other-1")
	foreign.add(t, "not ours")
	c := new(consumer)
	c.follow(t, n.URL(), func(o *feed.Options) { o.Events, o.Bytes = 100, 4000 })

	w.add(t, "alone")
	m, b := c.next(t)
	if len(b.Events) != 1 || b.After != (domain.Position{}) {
		t.Errorf("the first batch is %d events after %s", len(b.Events), b.After)
	}
	if e := b.Events[0]; e.Stream != "talk-1" || e.Revision != 0 || e.Type != "Said" || e.Position == (domain.Position{}) || e.Created.IsZero() {
		t.Errorf("the event is %+v", e)
	}
	// While the consumer works, more comes, and a batch that would be too large.
	w.add(t, said(250)...)
	foreign.add(t, "not ours")
	w.add(t, strings.Repeat("long", 2000), "last")
	c.finish(t, m, b)
	c.take(t, 253)
	if want := slices.Concat([]string{"alone"}, said(250), []string{strings.Repeat("long", 2000), "last"}); !slices.Equal(c.texts, want) {
		t.Errorf("got %d texts, not those that were written", len(c.texts))
	}
	if largest := slices.Max(c.sizes); largest < 10 || largest > 100 {
		t.Errorf("batches of %v events", c.sizes)
	}
}

func TestAFeedThatLingersFillsItsBatches(t *testing.T) {
	n := node(t, t.TempDir(), "127.0.0.1:0")
	t.Cleanup(func() { _ = n.Close() })
	w := newWriter(t, n.URL(), "talk-1")
	c := new(consumer)
	c.follow(t, n.URL(), func(o *feed.Options) { o.Events, o.Linger = 10, time.Hour })
	w.add(t, said(21)...) // one more than fits, which waits
	c.take(t, 20)
	if !slices.Equal(c.sizes, []int{10, 10}) || !slices.Equal(c.texts, said(21)[:20]) {
		t.Errorf("batches of %v", c.sizes)
	}
	patient := new(consumer)
	patient.follow(t, n.URL(), func(o *feed.Options) { o.Linger = time.Millisecond })
	patient.take(t, 21)
}

func TestARefusedBatchComesAgainFromTheCheckpoint(t *testing.T) {
	n := node(t, t.TempDir(), "127.0.0.1:0")
	t.Cleanup(func() { _ = n.Close() })
	newWriter(t, n.URL(), "talk-1").add(t, said(20)...)
	c := new(consumer)
	c.follow(t, n.URL(), func(o *feed.Options) { o.Events = 5 })
	c.take(t, 5)
	m, refused := c.next(t)
	m.Nack()
	m, again := c.next(t)
	if again.Events[0].ID != refused.Events[0].ID || again.After != refused.After {
		t.Errorf("after a refusal came %s after %s, want %s after %s", again.Events[0].Data, again.After, refused.Events[0].Data, refused.After)
	}
	// Rolled back meanwhile: it goes on from there, not from where the feed was.
	c.rewind(domain.Position{})
	c.texts = nil
	m.Nack()
	c.take(t, 20)
	if !slices.Equal(c.texts, said(20)) {
		t.Errorf("after the rewind came %q", c.texts)
	}
}

func TestTheFeedOutlivesTheNode(t *testing.T) {
	dir := t.TempDir()
	n := node(t, dir, "127.0.0.1:0")
	listen := address(n)
	newWriter(t, n.URL(), "talk-1").add(t, said(10)...)
	c := new(consumer)
	c.follow(t, n.URL(), func(o *feed.Options) { o.Backoff = 20 * time.Millisecond })
	c.take(t, 10)
	for round := range 3 {
		if err := n.Close(); err != nil {
			t.Fatal(err)
		}
		n = node(t, dir, listen)
		newWriter(t, n.URL(), "talk-1").add(t, fmt.Sprint("after restart ", round))
		c.take(t, 11+round)
	}
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	if want := append(said(10), "after restart 0", "after restart 1", "after restart 2"); !slices.Equal(c.texts, want) {
		t.Errorf("got %q", c.texts)
	}
}

func TestASilentSubscriptionIsReplaced(t *testing.T) {
	n := node(t, t.TempDir(), "127.0.0.1:0")
	t.Cleanup(func() { _ = n.Close() })
	w := newWriter(t, n.URL(), "talk-1")
	w.add(t, "before")
	p := newProxy(t, address(n))
	c := new(consumer)
	c.follow(t, p.url(), func(o *feed.Options) { o.Silence = 50 * time.Millisecond })
	c.take(t, 1)
	p.freeze()
	w.add(t, "after")
	c.take(t, 2)
	if !slices.Equal(c.texts, []string{"before", "after"}) {
		t.Errorf("got %q", c.texts)
	}
}

func TestCloseLetsTheMessageInFlightEnd(t *testing.T) {
	n := node(t, t.TempDir(), "127.0.0.1:0")
	t.Cleanup(func() { _ = n.Close() })
	newWriter(t, n.URL(), "talk-1").add(t, "in flight")
	c := new(consumer)
	f := c.follow(t, n.URL(), func(o *feed.Options) { o.Grace = time.Minute })
	m, b := c.next(t)
	closed := make(chan error)
	go func() { closed <- f.Close() }()
	for err := error(nil); err == nil; { // until it is closing
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err = f.Subscribe(ctx, "")
	}
	if err := m.Context().Err(); err != nil {
		t.Errorf("the message in flight was cut: %v", err)
	}
	c.finish(t, m, b)
	if err := <-closed; err != nil {
		t.Error(err)
	}
	if _, open := <-c.messages; open {
		t.Error("a message came after Close")
	}
	if m.Context().Err() == nil {
		t.Error("the message's context goes on after it was acknowledged")
	}
}

func TestCloseGivesUpAMessageThatDoesNotEnd(t *testing.T) {
	n := node(t, t.TempDir(), "127.0.0.1:0")
	t.Cleanup(func() { _ = n.Close() })
	newWriter(t, n.URL(), "talk-1").add(t, "in flight")
	c := new(consumer)
	f := c.follow(t, n.URL(), func(o *feed.Options) { o.Grace = time.Millisecond })
	m, _ := c.next(t)
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	<-m.Context().Done()
}

func TestCloseWithoutANode(t *testing.T) {
	c := new(consumer)
	f := c.follow(t, "esdb://127.0.0.1:1?tls=false")
	if err := f.Close(); err != nil {
		t.Error(err)
	}
}

func TestOptionsAreChecked(t *testing.T) {
	if _, err := feed.New(feed.Options{}); err == nil {
		t.Error("a feed without a client was made")
	}
}

func TestSource(t *testing.T) {
	n := node(t, t.TempDir(), "127.0.0.1:0")
	t.Cleanup(func() { _ = n.Close() })
	s := feed.NewSource(connect(n.URL()), []string{"talk-", "call-"})
	ctx := t.Context()
	if head, err := s.Head(ctx); err != nil || head != (domain.Position{}) {
		t.Errorf("the head of an empty log is %s: %v", head, err)
	}
	all := func(after domain.Position, limit int) (texts []string, sizes []int, last domain.Position) {
		t.Helper()
		if err := s.ReadAll(ctx, after, limit, func(events []domain.Recorded) error {
			for _, e := range events {
				texts = append(texts, string(e.Data))
			}
			sizes = append(sizes, len(events))
			last = events[len(events)-1].Position
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		return texts, sizes, last
	}
	if texts, _, _ := all(domain.Position{}, 10); len(texts) > 0 {
		t.Errorf("an empty log gives %q", texts)
	}
	newWriter(t, n.URL(), "talk-1").add(t, said(30)...)
	newWriter(t, n.URL(), "other-1").add(t, "not ours")
	newWriter(t, n.URL(), "call-1").add(t, "ring")
	newWriter(t, n.URL(), "other-1").add(t, "not ours")

	texts, sizes, last := all(domain.Position{}, 7)
	if want := append(said(30), "ring"); !slices.Equal(texts, want) || slices.Max(sizes) > 7 {
		t.Errorf("got %q in batches of %v", texts, sizes)
	}
	if head, err := s.Head(ctx); err != nil || head != last {
		t.Errorf("the head is %s, the last event was at %s: %v", head, last, err)
	}
	if texts, _, _ := all(last, 7); len(texts) > 0 {
		t.Errorf("after the last event comes %q", texts)
	}
	stop := errors.New("stop")
	if err := s.ReadAll(ctx, domain.Position{}, 7, func([]domain.Recorded) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("the error of the handler came back as %v", err)
	}
	canceled, cancel := context.WithCancel(ctx)
	cancel()
	if err := s.ReadAll(canceled, domain.Position{}, 7, func([]domain.Recorded) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled reading gave %v", err)
	}
}

func TestSourceGoesOnAfterACut(t *testing.T) {
	dir := t.TempDir()
	n := node(t, dir, "127.0.0.1:0")
	listen := address(n)
	newWriter(t, n.URL(), "talk-1").add(t, said(400)...)
	s := feed.NewSource(connect(n.URL()), []string{"talk-"})
	var texts []string
	if err := s.ReadAll(t.Context(), domain.Position{}, 10, func(events []domain.Recorded) error {
		for _, e := range events {
			texts = append(texts, string(e.Data))
		}
		if len(texts) == 50 {
			if err := n.Close(); err != nil {
				return err
			}
			n = node(t, dir, listen)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(texts, said(400)) {
		t.Errorf("got %d texts, not those that were written", len(texts))
	}
}

func TestTheHeadIsAskedOfANewClient(t *testing.T) {
	n := node(t, t.TempDir(), "127.0.0.1:0")
	t.Cleanup(func() { _ = n.Close() })
	newWriter(t, n.URL(), "talk-1").add(t, "hello")
	asked := 0
	s := feed.NewSource(func() (*esdb.Client, error) {
		client, err := connect(n.URL())()
		if asked++; asked < 3 && err == nil {
			err = client.Close() // its connection ends before it is asked
		}
		return client, err
	}, []string{"talk-"})
	head, err := s.Head(t.Context())
	if err != nil || head == (domain.Position{}) || asked != 3 {
		t.Errorf("the head is %s after %d clients: %v", head, asked, err)
	}
}
