package feed_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/google/uuid"

	"github.com/atrium-portal/atrium/cmd/internal/eventnode"
	"github.com/atrium-portal/atrium/cmd/internal/feed"
	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/projections"
)

// node is a running event node for the length of a test.
func node(t testing.TB, dir, listen string) *eventnode.Node {
	t.Helper()
	n, err := eventnode.Start(t.Context(), eventnode.Options{Dir: dir, Listen: listen, MinFree: 1, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// connect makes official clients for a node's URL.
func connect(url string) func() (*esdb.Client, error) {
	return func() (*esdb.Client, error) {
		config, err := esdb.ParseConnectionString(url)
		if err != nil {
			return nil, err
		}
		config.Logger = esdb.NoopLogging()
		config.MaxDiscoverAttempts = 1 << 30 // as the program does
		return esdb.NewClient(config)
	}
}

// writer appends events to a stream of its own.
type writer struct {
	client *esdb.Client
	stream string
}

func newWriter(t testing.TB, url, stream string) *writer {
	t.Helper()
	client, err := connect(url)()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	return &writer{client, stream}
}

// add appends events with the given texts as data.
func (w *writer) add(t testing.TB, texts ...string) {
	t.Helper()
	var events []esdb.EventData
	for _, text := range texts {
		events = append(events, esdb.EventData{EventID: uuid.New(), EventType: "Said", ContentType: esdb.ContentTypeBinary, Data: []byte(text)})
	}
	if _, err := w.client.AppendToStream(context.Background(), w.stream, esdb.AppendToStreamOptions{ExpectedRevision: esdb.Any{}}, events...); err != nil {
		t.Fatal(err)
	}
}

// consumer is what a projector is to the feed: its checkpoint moves with what it acknowledges.
type consumer struct {
	mu       sync.Mutex
	at       domain.Position
	texts    []string
	sizes    []int
	messages <-chan *message.Message
}

func (c *consumer) from(context.Context) (domain.Position, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at, nil
}

func (c *consumer) rewind(to domain.Position) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = to
}

// follow makes a feed for the consumer and subscribes.
func (c *consumer) follow(t testing.TB, url string, change ...func(*feed.Options)) *feed.Feed {
	t.Helper()
	o := feed.Options{Client: connect(url), Prefixes: []string{"talk-"}, From: c.from}
	for _, f := range change {
		f(&o)
	}
	f, err := feed.New(o)
	if err != nil {
		t.Fatal(err)
	}
	if c.messages, err = f.Subscribe(context.Background(), "any"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	return f
}

// next is the next batch; the consumer has not answered yet.
func (c *consumer) next(t testing.TB) (*message.Message, projections.Batch) {
	t.Helper()
	m, open := <-c.messages
	if !open {
		t.Fatal("the subscription ended")
	}
	b, ok := projections.BatchOf(m)
	if !ok || len(b.Events) == 0 {
		t.Fatalf("message %s has no events", m.UUID)
	}
	return m, b
}

// finish takes a batch: the checkpoint moves, then the message is acknowledged.
func (c *consumer) finish(t testing.TB, m *message.Message, b projections.Batch) {
	t.Helper()
	if b.After != c.at {
		t.Errorf("the batch follows %s, the consumer is at %s", b.After, c.at)
	}
	for _, e := range b.Events {
		c.texts = append(c.texts, string(e.Data))
	}
	c.sizes = append(c.sizes, len(b.Events))
	c.rewind(b.Events[len(b.Events)-1].Position)
	m.Ack()
}

// take finishes batches until a number of events have come.
func (c *consumer) take(t testing.TB, n int) {
	t.Helper()
	for len(c.texts) < n {
		m, b := c.next(t)
		c.finish(t, m, b)
	}
}

// proxy forwards connections to a node until they are frozen: they stay open and nothing passes.
type proxy struct {
	listener net.Listener
	mu       sync.Mutex
	frozen   []chan struct{} // of each connection
}

func newProxy(t testing.TB, to string) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{listener: l}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("tcp", to)
			if err != nil {
				_ = in.Close()
				continue
			}
			frozen := make(chan struct{})
			p.mu.Lock()
			p.frozen = append(p.frozen, frozen)
			p.mu.Unlock()
			t.Cleanup(func() { _, _ = in.Close(), out.Close() })
			go pipe(in, out, nil)
			go pipe(out, in, frozen)
		}
	})
	t.Cleanup(func() { _ = l.Close(); running.Wait() })
	return p
}

// pipe copies until either side hangs up; once frozen, what it reads goes nowhere.
func pipe(from, to net.Conn, frozen <-chan struct{}) {
	defer to.Close()
	block := make([]byte, 32<<10)
	for {
		n, err := from.Read(block)
		if err != nil {
			return
		}
		select {
		case <-frozen:
			continue
		default:
		}
		if _, err := to.Write(block[:n]); err != nil {
			return
		}
	}
}

func (p *proxy) url() string { return "esdb://" + p.listener.Addr().String() + "?tls=false" }

// freeze stops the connections that are open now.
func (p *proxy) freeze() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, f := range p.frozen {
		close(f)
	}
	p.frozen = nil
}

func address(n *eventnode.Node) string {
	return strings.TrimSuffix(strings.TrimPrefix(n.URL(), "esdb://"), "?tls=false")
}

// publisher writes each message as an event of the stream "topic-id", for Watermill's own tests.
type publisher struct{ client *esdb.Client }

func (p publisher) Publish(topic string, messages ...*message.Message) error {
	for _, m := range messages {
		metadata, err := json.Marshal(map[string]any{"uuid": m.UUID, "metadata": m.Metadata})
		if err != nil {
			return err
		}
		if _, err := p.client.AppendToStream(context.Background(), topic+"-"+uuid.NewString(), esdb.AppendToStreamOptions{ExpectedRevision: esdb.NoStream{}},
			esdb.EventData{EventID: uuid.New(), EventType: "Published", ContentType: esdb.ContentTypeBinary, Data: m.Payload, Metadata: metadata}); err != nil {
			return err
		}
	}
	return nil
}

func (p publisher) Close() error { return p.client.Close() }

// subscriber gives each topic a feed with batches of one event and a checkpoint that moves when the message is
// acknowledged.
type subscriber struct {
	url    string
	mu     sync.Mutex
	feeds  []*feed.Feed
	closed bool
	lanes  sync.WaitGroup
}

func (s *subscriber) Subscribe(ctx context.Context, topic string) (<-chan *message.Message, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, errors.New("closed")
	}
	c := new(consumer)
	f, err := feed.New(feed.Options{Client: connect(s.url), Prefixes: []string{topic + "-"}, From: c.from, Events: 1, Grace: 1})
	if err != nil {
		return nil, err
	}
	s.feeds = append(s.feeds, f)
	in, err := f.Subscribe(ctx, topic)
	if err != nil {
		return nil, err
	}
	out := make(chan *message.Message)
	s.lanes.Go(func() {
		defer close(out)
		for m := range in {
			b, _ := projections.BatchOf(m)
			single, err := unpack(m.Context(), b.Events[0])
			if err != nil {
				m.Nack()
				continue
			}
			select {
			case out <- single:
			case <-m.Context().Done():
				continue
			}
			select {
			case <-single.Acked():
				c.rewind(b.Events[0].Position)
				m.Ack()
			case <-single.Nacked():
				m.Nack()
			case <-m.Context().Done():
			}
		}
	})
	return out, nil
}

func unpack(ctx context.Context, e domain.Recorded) (*message.Message, error) {
	var stored struct {
		UUID     string
		Metadata message.Metadata
	}
	if err := json.Unmarshal(e.Metadata, &stored); err != nil {
		return nil, err
	}
	m := message.NewMessage(stored.UUID, e.Data)
	m.Metadata = stored.Metadata
	m.SetContext(ctx)
	return m, nil
}

func (s *subscriber) Close() error {
	s.mu.Lock()
	s.closed = true
	feeds := s.feeds
	s.mu.Unlock()
	var err error
	for _, f := range feeds {
		err = errors.Join(err, f.Close())
	}
	s.lanes.Wait()
	return err
}

var _ io.Closer = (*subscriber)(nil)
