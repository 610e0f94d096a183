package eventnode

import (
	"context"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/persistent"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"github.com/cockroachdb/pebble/v2"
	"golang.org/x/net/http2"
	"google.golang.org/grpc/codes"
)

func TestStartRefusals(t *testing.T) {
	used := t.TempDir()
	n := started(t, Options{Dir: used})
	foreign := t.TempDir()
	db, err := pebble.Open(foreign, &pebble.Options{Logger: pebbleLogger{&store{logger: slog.New(slog.DiscardHandler)}}})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Set([]byte("k"), []byte("v"), pebble.Sync); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	socket := filepath.Join(t.TempDir(), "s.sock")
	started(t, Options{Listen: "unix:" + socket})
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		o    Options
		want string
	}{
		"no folder":         {Options{}, "name one with --data"},
		"folder in use":     {Options{Dir: used, Listen: "127.0.0.1:0"}, "is in use by another process; stop that one"},
		"folder is a file":  {Options{Dir: file, Listen: "127.0.0.1:0"}, "choose another"},
		"foreign store":     {Options{Dir: foreign, Listen: "127.0.0.1:0"}, "choose an empty folder"},
		"port taken":        {Options{Dir: t.TempDir(), Listen: n.listener.Addr().String()}, "another process does; stop that one or choose another port"},
		"socket taken":      {Options{Dir: t.TempDir(), Listen: "unix:" + socket}, "another process does; stop that one or choose another path"},
		"socket path":       {Options{Dir: t.TempDir(), Listen: "unix:/" + strings.Repeat("p", 200)}, "must have between 1 and 107 bytes"},
		"socket folder":     {Options{Dir: t.TempDir(), Listen: "unix:/nonexistent/s.sock"}, "choose another path"},
		"every interface":   {Options{Dir: t.TempDir(), Listen: "0.0.0.0:0"}, "without TLS and a password, because other machines reach it there; add --tls-cert"},
		"no host":           {Options{Dir: t.TempDir(), Listen: ":2113"}, "or choose a loopback address"},
		"another machine":   {Options{Dir: t.TempDir(), Listen: "192.0.2.1:2113"}, "or choose a loopback address"},
		"a name":            {Options{Dir: t.TempDir(), Listen: "example.org:2113"}, "or choose a loopback address"},
		"not an address":    {Options{Dir: t.TempDir(), Listen: "2113"}, "write it as 127.0.0.1:2113"},
		"port out of range": {Options{Dir: t.TempDir(), Listen: "127.0.0.1:99999"}, "choose another address"},
	} {
		test.o.Logger = slog.New(slog.DiscardHandler)
		n, err := Start(t.Context(), test.o)
		if err == nil {
			_ = n.Close()
			t.Errorf("%s: started", name)
			continue
		}
		if !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestFolderInUseByAnotherProcess(t *testing.T) {
	dir := t.TempDir()
	child := spawn(t, dir, "127.0.0.1:0")
	_, err := Start(t.Context(), Options{Dir: dir, Listen: "127.0.0.1:0"})
	if err == nil || !strings.Contains(err.Error(), "is in use by another process") {
		t.Errorf("%v", err)
	}
	child.kill(t)
	started(t, Options{Dir: dir}) // the lock went with its owner
}

func TestUnixSocket(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "event node.sock")
	old, err := net.ListenUnix("unix", &net.UnixAddr{Name: socket, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	old.SetUnlinkOnClose(false) // what a killed process leaves behind
	if err := old.Close(); err != nil {
		t.Fatal(err)
	}
	n := started(t, Options{Listen: "unix:" + socket})
	if info, err := os.Stat(socket); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if want := "esdb+unix://" + strings.ReplaceAll(socket, " ", "%20") + "?tls=false"; n.URL() != want {
		t.Errorf("URL %s", n.URL())
	}
	conf, err := esdb.ParseConnectionString("esdb://unix?tls=false")
	if err != nil {
		t.Fatal(err)
	}
	conf.Address, conf.Logger = "unix://"+socket, esdb.NoopLogging()
	c, err := esdb.NewClient(conf)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	appendTo(t, c, "s", esdb.NoStream{}, named("e"))
}

func TestFeaturesAndVersion(t *testing.T) {
	c := official(t, started(t, Options{}))
	v, err := c.GetServerVersion()
	if err != nil || v.Major < 23 {
		t.Errorf("%+v, %v", v, err)
	}
	// What is not offered is refused in a way that clients understand.
	err = c.CreatePersistentSubscription(soon(t), "s", "g", esdb.PersistentStreamSubscriptionOptions{})
	if code(err) != esdb.ErrorCodeUnsupportedFeature {
		t.Errorf("%v", err)
	}
}

func TestUnregisteredCalls(t *testing.T) {
	n := started(t, Options{})
	batch, err := streams.NewStreamsClient(wire(t, n)).BatchAppend(soon(t))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := batch.Recv(); grpcStatus(err).Code() != codes.Unimplemented {
		t.Errorf("batch append: %v", err)
	}
	_, err = persistent.NewPersistentSubscriptionsClient(wire(t, n)).Delete(soon(t), &persistent.DeleteReq{})
	if grpcStatus(err).Code() != codes.Unimplemented {
		t.Errorf("persistent subscriptions: %v", err)
	}
}

func TestGossipLeadsBackHere(t *testing.T) {
	n := started(t, Options{})
	conf, err := esdb.ParseConnectionString("esdb+discover://" + n.listener.Addr().String() + "?tls=false")
	if err != nil {
		t.Fatal(err)
	}
	conf.Logger = esdb.NoopLogging()
	c, err := esdb.NewClient(conf)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	appendTo(t, c, "s", esdb.NoStream{}, named("e"))
}

// TestKeepalivePingsAreWelcome pings an idle connection more often than any client does. grpc-go's default policy answers the
// third such ping with GOAWAY and would drop idle clients after half a minute.
func TestKeepalivePingsAreWelcome(t *testing.T) {
	n := started(t, Options{})
	conn, err := net.Dial("tcp", n.listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, http2.ClientPreface); err != nil {
		t.Fatal(err)
	}
	framer := http2.NewFramer(conn, conn)
	if err := framer.WriteSettings(); err != nil {
		t.Fatal(err)
	}
	tick := time.NewTicker(3 * pingEvery)
	defer tick.Stop()
	for answers := byte(0); answers < 10; {
		<-tick.C
		if err := framer.WritePing(false, [8]byte{answers}); err != nil {
			t.Fatal(err)
		}
		for answered := false; !answered; {
			frame, err := framer.ReadFrame()
			if err != nil {
				t.Fatalf("after %d pings: %v", answers, err)
			}
			switch f := frame.(type) {
			case *http2.GoAwayFrame:
				t.Fatalf("sent away after %d pings: %s", answers, f.DebugData())
			case *http2.PingFrame:
				answered = f.IsAck() && f.Data[0] == answers
			}
		}
		answers++
	}
}

func TestStats(t *testing.T) {
	n := started(t, Options{})
	c := official(t, n)
	r := appendTo(t, c, "s", esdb.NoStream{}, names("e", 3)...)
	s, err := n.Stats()
	if err != nil || s.Events != 3 || s.Position != r.CommitPosition || s.Bytes == 0 || s.Free == 0 || s.Failure != nil {
		t.Errorf("%+v, %v", s, err)
	}
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := n.Stats(); err == nil {
		t.Error("a closed node has figures")
	}
}

func TestCloseDoesNotWaitForEndlessRequests(t *testing.T) {
	n := started(t, Options{})
	call, err := streams.NewStreamsClient(wire(t, n)).Append(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if err := call.Send(optionsFor("s")); err != nil { // and never more
		t.Fatal(err)
	}
	begin := time.Now()
	if err := n.Close(); err != nil || time.Since(begin) > 3*patience {
		t.Errorf("closed after %v: %v", time.Since(begin), err)
	}
}
