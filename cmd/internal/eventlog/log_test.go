package eventlog

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/google/uuid"

	"github.com/atrium-portal/atrium/cmd/internal/eventnode"
	"github.com/atrium-portal/atrium/commands"
	"github.com/atrium-portal/atrium/commands/commandstest"
	"github.com/atrium-portal/atrium/domain"
)

func node(t *testing.T, o eventnode.Options) *eventnode.Node {
	t.Helper()
	if o.Dir == "" {
		o.Dir = t.TempDir()
	}
	if o.Listen == "" {
		o.Listen = "127.0.0.1:0"
	}
	if o.MinFree == 0 {
		o.MinFree = 1
	}
	o.Logger = slog.New(slog.DiscardHandler)
	n, err := eventnode.Start(t.Context(), o)
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

func opened(t *testing.T, url string, o Options) *Log {
	t.Helper()
	l, err := Open(url, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

func event(name string) []domain.Proposed {
	return []domain.Proposed{{ID: domain.DeriveID(name), Type: "Named", Data: []byte(`"` + name + `"`)}}
}

func TestConformance(t *testing.T) {
	t.Run("node on TCP", func(t *testing.T) {
		l := opened(t, node(t, eventnode.Options{}).URL(), Options{})
		commandstest.Conformance(t, func(*testing.T) commands.Log { return l })
	})
	t.Run("node on a unix socket", func(t *testing.T) {
		l := opened(t, node(t, eventnode.Options{Listen: "unix:" + filepath.Join(t.TempDir(), "a socket")}).URL(), Options{})
		commandstest.Conformance(t, func(*testing.T) commands.Log { return l })
	})
	t.Run("real server", func(t *testing.T) {
		url := os.Getenv("ATRIUM_TEST_EVENTSTORE")
		if url == "" {
			t.Skip("ATRIUM_TEST_EVENTSTORE names no server")
		}
		l := opened(t, url, Options{})
		commandstest.Conformance(t, func(*testing.T) commands.Log { return l })
	})
}

func rejected(err error) *commands.Rejected {
	var r *commands.Rejected
	errors.As(err, &r)
	return r
}

func TestRejections(t *testing.T) {
	n := node(t, eventnode.Options{})
	l := opened(t, n.URL(), Options{})
	client, err := NewClient(n.URL())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	if _, err := client.TombstoneStream(t.Context(), "closed", esdb.TombstoneStreamOptions{ExpectedRevision: esdb.Any{}}); err != nil {
		t.Fatal(err)
	}
	large := event("large")
	large[0].Data = make([]byte, 2<<20)
	unnamed := event("unnamed")
	unnamed[0].ID = uuid.Nil
	for name, c := range map[string]struct {
		stream string
		events []domain.Proposed
	}{
		"too large":       {"s", large},
		"no events":       {"s", nil},
		"no id":           {"s", unnamed},
		"no stream name":  {"", event("e")},
		"closed for good": {"closed", event("e")},
	} {
		if _, err := l.Append(t.Context(), c.stream, domain.NoStream, c.events); rejected(err) == nil || rejected(err).Full {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := l.Load(t.Context(), "closed", 0); rejected(err) == nil {
		t.Errorf("loading a closed stream: %v", err)
	}
	full := opened(t, node(t, eventnode.Options{MinFree: math.MaxUint64}).URL(), Options{})
	if _, err := full.Append(t.Context(), "s", domain.NoStream, event("e")); rejected(err) == nil || !rejected(err).Full {
		t.Errorf("full disk: %v", err)
	}
}

func TestLostReplyIsUnknown(t *testing.T) {
	n := node(t, eventnode.Options{})
	p := newProxy(t, addressOf(n.URL()), nil)
	direct := opened(t, n.URL(), Options{})
	l := opened(t, p.url(), Options{Timeout: 2 * time.Second})
	if _, err := l.Append(t.Context(), "s", domain.NoStream, event("first")); err != nil {
		t.Fatal(err)
	}
	p.swallowAll()
	_, err := l.Append(t.Context(), "s", 0, event("second"))
	var unknown *commands.Unknown
	if !errors.As(err, &unknown) || unknown.Stream != "s" {
		t.Fatalf("%v", err)
	}
	stored, err := direct.Load(t.Context(), "s", 1)
	if err != nil || len(stored) != 1 || stored[0].ID != event("second")[0].ID {
		t.Fatalf("%v, %v", stored, err)
	}
	if at, err := direct.Append(t.Context(), "s", 0, event("second")); err != nil || at != stored[0].Position {
		t.Errorf("the same again: %v, %v", at, err)
	}
	if _, err := l.Load(t.Context(), "s", 0); rejected(err) == nil {
		t.Errorf("a silent load: %v", err)
	}
}

// TestNodeGoesAwayAndComesBack makes calls from many goroutines while the node is gone. With the client's own settings most of
// them would never return.
func TestNodeGoesAwayAndComesBack(t *testing.T) {
	dir, socket := t.TempDir(), filepath.Join(t.TempDir(), "s.sock")
	start := func() *eventnode.Node {
		return node(t, eventnode.Options{Dir: dir, Listen: "unix:" + socket})
	}
	n := start()
	const timeout, callers = 300 * time.Millisecond, 16
	l := opened(t, n.URL(), Options{Timeout: timeout, Calls: 24})
	if _, err := l.Append(t.Context(), "s", domain.NoStream, event("first")); err != nil {
		t.Fatal(err)
	}
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	for range 3 { // more calls than may wait inside the client
		var calling sync.WaitGroup
		for i := range callers {
			calling.Go(func() {
				begin := time.Now()
				var err error
				if i%2 == 0 {
					_, err = l.Load(t.Context(), "s", 0)
				} else {
					_, err = l.Append(t.Context(), "s", 0, event("second"))
				}
				var unknown *commands.Unknown
				if rejected(err) == nil && !errors.As(err, &unknown) {
					t.Errorf("call %d: %v", i, err)
				}
				if took := time.Since(begin); took > 10*timeout {
					t.Errorf("call %d took %v", i, took)
				}
			})
		}
		calling.Wait()
	}
	start()
	back := func() bool {
		events, err := l.Load(t.Context(), "s", 0)
		return err == nil && len(events) >= 1
	}
	for deadline := time.Now().Add(20 * time.Second); !back(); {
		if time.Now().After(deadline) {
			t.Fatal("the log did not come back")
		}
	}
	if _, err := l.Append(t.Context(), "s", 0, event("second")); err != nil {
		t.Errorf("%v", err)
	}
}

func TestClosedClientIsReplaced(t *testing.T) {
	l := opened(t, node(t, eventnode.Options{}).URL(), Options{})
	if _, err := l.Append(t.Context(), "s", domain.NoStream, event("first")); err != nil {
		t.Fatal(err)
	}
	client, err := l.session.current()
	if err != nil {
		t.Fatal(err)
	}
	if err := client.Close(); err != nil { // as it does itself when it gives up
		t.Fatal(err)
	}
	if _, err := l.Append(t.Context(), "s", 0, event("second")); err != nil {
		t.Errorf("%v", err)
	}
}

func TestClosedLogRefuses(t *testing.T) {
	l, err := Open(node(t, eventnode.Options{}).URL(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := l.Append(t.Context(), "s", domain.NoStream, event("e")); rejected(err) == nil {
		t.Errorf("%v", err)
	}
	if _, err := l.Load(t.Context(), "s", 0); rejected(err) == nil {
		t.Errorf("%v", err)
	}
}

func TestCallersContextIsHonoured(t *testing.T) {
	l := opened(t, "esdb+unix:///nonexistent/s.sock?tls=false", Options{Timeout: 2 * time.Second})
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	begin := time.Now()
	_, err := l.Load(ctx, "s", 0)
	if rejected(err) == nil || !errors.Is(err, context.DeadlineExceeded) || time.Since(begin) > 2*time.Second {
		t.Errorf("after %v: %v", time.Since(begin), err)
	}
}

func TestConnectionStrings(t *testing.T) {
	for url, want := range map[string]string{
		"esdb://127.0.0.1:2113?tls=false":              "",
		"esdb://a:2113,b:2113,c:2113?tls=true":         "",
		"esdb+discover://cluster.example?tls=true":     "",
		"esdb://admin:secret@host:2113":                "",
		"esdb+unix:///run/atrium/a%20b.sock?tls=false": "",
		"esdb+unix:///run/s.sock":                      "",
		"esdb+unix://host/s.sock":                      "written esdb+unix:///path/to.sock",
		"esdb+unix:":                                   "written esdb+unix:///path/to.sock",
		"kurrentdb://host:2113":                        "write it as esdb://host:2113?tls=false",
		"host:2113":                                    "write it as esdb://host:2113?tls=false",
		"":                                             "write it as esdb://host:2113?tls=false",
		"esdb://host:2113?tsl=false":                   `unknown setting "tsl"`,
		"esdb://host:2113?tls=perhaps":                 "write it as esdb://host:2113?tls=false",
		"esdb://host:2113?%zz":                         "write its settings as",
		"esdb://admin:secret@127.0.0.1:2113?tls=false": "passwords are only sent over TLS",
	} {
		c, err := NewClient(url)
		switch {
		case want == "" && err != nil:
			t.Errorf("%s: %v", url, err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("%s: %v, want %q", url, err, want)
		}
		if c != nil {
			_ = c.Close()
		}
	}
}
