package eventnode

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"testing"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/google/uuid"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
)

// started runs a node for the length of a test.
func started(t testing.TB, o Options) *Node {
	t.Helper()
	if o.Dir == "" {
		o.Dir = t.TempDir()
	}
	if o.Listen == "" {
		o.Listen = "127.0.0.1:0"
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.MinFree == 0 {
		o.MinFree = 1
	}
	n, err := Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	})
	return n
}

// official is the official client, connected to n.
func official(t testing.TB, n *Node, settings ...string) *esdb.Client {
	t.Helper()
	url := n.URL()
	for _, s := range settings {
		url += "&" + s
	}
	conf, err := esdb.ParseConnectionString(url)
	if err != nil {
		t.Fatal(err)
	}
	conf.Logger = esdb.NoopLogging()
	c, err := esdb.NewClient(conf)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// wire is a bare connection, for what the official client does not send.
func wire(t testing.TB, n *Node) *grpc.ClientConn {
	t.Helper()
	c, err := grpc.NewClient(n.listener.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// soon bounds a call: a test that would hang fails instead.
func soon(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// names makes events called prefix0, prefix1 …, whose ids follow from their names.
func names(prefix string, count int) []esdb.EventData {
	var events []esdb.EventData
	for i := range count {
		events = append(events, named(fmt.Sprintf("%s%d", prefix, i)))
	}
	return events
}

func named(name string) esdb.EventData {
	return esdb.EventData{
		EventID:     uuid.NewSHA1(uuid.NameSpaceOID, []byte(name)),
		EventType:   "named",
		ContentType: esdb.ContentTypeJson,
		Data:        []byte(`"` + name + `"`),
	}
}

func appendTo(t testing.TB, c *esdb.Client, stream string, expected esdb.ExpectedRevision, events ...esdb.EventData) *esdb.WriteResult {
	t.Helper()
	r, err := c.AppendToStream(soon(t), stream, esdb.AppendToStreamOptions{ExpectedRevision: expected}, events...)
	if err != nil {
		t.Fatalf("append to %s: %v", stream, err)
	}
	return r
}

func appendFails(t testing.TB, c *esdb.Client, stream string, expected esdb.ExpectedRevision, events ...esdb.EventData) error {
	t.Helper()
	_, err := c.AppendToStream(soon(t), stream, esdb.AppendToStreamOptions{ExpectedRevision: expected}, events...)
	if err == nil {
		t.Fatalf("append to %s succeeded", stream)
	}
	return err
}

func code(err error) esdb.ErrorCode {
	var e *esdb.Error
	if errors.As(err, &e) {
		return e.Code()
	}
	return -1
}

// grpcStatus digs the status of the answer out of a client error.
func grpcStatus(err error) *status.Status {
	var e *esdb.Error
	if errors.As(err, &e) && e.Err() != nil {
		err = e.Err()
	}
	s, _ := status.FromError(err)
	return s
}

func all(t testing.TB, read *esdb.ReadStream, err error) ([]*esdb.ResolvedEvent, error) {
	t.Helper()
	if err != nil {
		return nil, err
	}
	defer read.Close()
	var events []*esdb.ResolvedEvent
	for {
		e, err := read.Recv()
		if errors.Is(err, io.EOF) {
			return events, nil
		}
		if err != nil {
			return events, err
		}
		events = append(events, e)
	}
}

const everything = uint64(math.MaxInt64)

func readStream(t testing.TB, c *esdb.Client, stream string, o esdb.ReadStreamOptions) []*esdb.ResolvedEvent {
	t.Helper()
	read, err := c.ReadStream(soon(t), stream, o, everything)
	events, err := all(t, read, err)
	if err != nil {
		t.Fatalf("read %s: %v", stream, err)
	}
	return events
}

func readAll(t testing.TB, c *esdb.Client, o esdb.ReadAllOptions) []*esdb.ResolvedEvent {
	t.Helper()
	read, err := c.ReadAll(soon(t), o, everything)
	events, err := all(t, read, err)
	if err != nil {
		t.Fatalf("read $all: %v", err)
	}
	return events
}

func data(events []*esdb.ResolvedEvent) []string {
	texts := []string{}
	for _, e := range events {
		texts = append(texts, string(e.OriginalEvent().Data))
	}
	return texts
}

// clock stands still at a time given in nanoseconds since 1970.
func clock(nanoseconds int64) func() time.Time {
	return func() time.Time { return time.Unix(0, nanoseconds) }
}
