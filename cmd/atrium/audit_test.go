package main

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/atrium-portal/atrium/cmd/internal/postgres"
)

// superuser runs statements on a stopped installation's database, as somebody with all rights could.
func superuser(t *testing.T, data string, statements ...string) {
	t.Helper()
	ctx := t.Context()
	cluster, err := postgres.Manage(ctx, postgres.ManageOptions{Dir: filepath.Join(data, "postgres"), Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer cluster.Stop(ctx) //nolint:errcheck // the next command tells
	conn, err := pgx.Connect(ctx, cluster.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	for _, s := range statements {
		if tag, err := conn.Exec(ctx, s); err != nil || tag.RowsAffected() == 0 && strings.Contains(s, "evidence.") {
			t.Fatalf("%s: %v, %v", s, tag, err)
		}
	}
}

// eventually looks again and again until it sees what it waits for.
func eventually(t *testing.T, what string, look func() bool) {
	t.Helper()
	deadline := time.After(30 * time.Second)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !look() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("not after half a minute: %s", what)
		}
	}
}

// sealed waits until everything is sealed and gives the number of events.
func (s server) sealed() (size int64) {
	s.t.Helper()
	eventually(s.t, "everything is sealed", func() bool {
		var reply struct {
			Items []struct {
				Size int64   `json:"size"`
				Lag  float64 `json:"lag_seconds"`
				Late bool    `json:"late"`
				Key  string  `json:"key"`
			} `json:"items"`
		}
		status, _, raw := s.call(http.MethodGet, "/api/v1/ops/seals", "")
		if err := json.Unmarshal([]byte(raw), &reply); err != nil || status != http.StatusOK {
			s.t.Fatalf("%d %s", status, raw)
		}
		if len(reply.Items) == 0 || reply.Items[0].Lag > 0 {
			return false
		}
		if size = reply.Items[0].Size; reply.Items[0].Late || !strings.HasPrefix(reply.Items[0].Key, "portal/") {
			s.t.Errorf("seals: %s", raw)
		}
		return true
	})
	return size
}

// TestAudit seals an installation's history under a witness, then changes rows, rolls the events back and rewrites
// history: each is found and named, and only a loss that somebody acknowledges lets the server start again.
func TestAudit(t *testing.T) {
	data := firmIn(t)
	clients, invoices, _, _ := export(t, 20, 120)
	program(t, exitDone, "import", "clients", "--data", data, "--from", "invoiceninja", clients)
	older := filepath.Join(t.TempDir(), "older")
	if err := os.CopyFS(older, os.DirFS(filepath.Join(data, "events"))); err != nil {
		t.Fatal(err)
	}
	program(t, exitDone, "import", "invoices", "--data", data, "--from", "invoiceninja", invoices)

	listed := program(t, exitDone, "audit", "keys", "--data", data)
	watched := witnessOn(t, listed)
	var size int64
	serving(t, data, func(s server) {
		size = s.sealed()
		reply, err := http.Get(s.base + keysPath)
		if err != nil {
			t.Fatal(err)
		}
		defer reply.Body.Close()
		if reply.StatusCode != http.StatusOK {
			t.Errorf("the public keys: %d", reply.StatusCode)
		}
		watched.await(t, size)
	}, watched.of)

	monitor := append([]string{"audit", "monitor", "--data", data}, watched.flags()...)
	var report struct {
		Events, Leaves, Witnessed int64
		Differences               []struct {
			Index        int64
			Stream, Text string
		}
	}
	if err := json.Unmarshal([]byte(program(t, exitDone, append(monitor, "--json")...)), &report); err != nil {
		t.Fatal(err)
	}
	// The server goes on marking invoices overdue while we look.
	if report.Leaves < size || report.Events != report.Leaves || size < 120 || report.Witnessed != 1 || len(report.Differences) != 0 {
		t.Fatalf("%d are sealed, the monitor says %+v", size, report)
	}

	flip := "UPDATE evidence.leaf SET hash = set_byte(hash, 0, 255 - get_byte(hash, 0)) WHERE index = 77"
	superuser(t, data, flip)
	if said := program(t, exitDifference, monitor...); !strings.Contains(said, "leaf 77") {
		t.Errorf("a changed leaf: %s", said)
	}
	superuser(t, data, flip)
	program(t, exitDone, monitor...)

	// The event store comes from an older backup.
	events := filepath.Join(data, "events")
	if err := os.RemoveAll(events); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(events, os.DirFS(older)); err != nil {
		t.Fatal(err)
	}
	if said := program(t, exitFailed, "serve", "--data", data, "--listen", "127.0.0.1:0"); !strings.Contains(said, "store_behind_audit: ") || !strings.Contains(said, "audit acknowledge") {
		t.Errorf("a store that is behind: %s", said)
	}
	if said := program(t, exitDone, append([]string{"audit", "acknowledge", "--data", data, "--by", "Priya", "--reason", "restored a backup"}, watched.flags()...)...); !strings.Contains(said, "epoch 2 goes on") {
		t.Errorf("acknowledged: %s", said)
	}
	superuser(t, data, "DROP SCHEMA read CASCADE") // it knows of events that are lost; the next start builds it anew
	program(t, exitDone, "import", "invoices", "--data", data, "--from", "invoiceninja", invoices)
	serving(t, data, func(s server) {
		_, _, raw := s.call(http.MethodGet, "/api/v1/ops/seals", "")
		if strings.Count(raw, `"log"`) != 2 {
			t.Errorf("two epochs: %s", raw)
		}
	}, watched.of)
	if said := program(t, exitDone, monitor...); !strings.Contains(said, "2 logs") {
		t.Errorf("after the loss: %s", said)
	}

	// Somebody makes the database forget, with all rights; the witness does not.
	superuser(t, data, "DELETE FROM evidence.cosignature", "DELETE FROM evidence.checkpoint", "DELETE FROM evidence.node", "DELETE FROM evidence.leaf WHERE index < 90")
	program(t, exitDifference, monitor...)
}

// onlooker is a witness in a folder of its own, in this process.
type onlooker struct{ address, key, dir string }

func (w onlooker) flags() []string {
	return []string{"--witness", w.address, "--witness-key", w.key}
}

func (w onlooker) of(c *serveCmd) { c.Witness, c.WitnessKey = w.address, w.key }

func witnessOn(t *testing.T, logKeys string) onlooker {
	t.Helper()
	w := onlooker{address: "http://" + freeAddress(t), dir: t.TempDir()}
	ctx, stop := context.WithCancel(t.Context())
	var printed, log syncBuffer
	done := make(chan error, 1)
	go func() {
		c := witnessCmd{Data: w.dir, Listen: strings.TrimPrefix(w.address, "http://"), LogKey: []string{logKeys}, Name: "witness.example"}
		done <- c.Run(ctx, &terminal{out: &printed, err: &printed, log: slog.New(slog.NewTextHandler(&log, nil)), now: time.Now})
	}()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Errorf("the witness ended with %v\n%s", err, log.String())
		}
	})
	eventually(t, "the witness answers", func() bool {
		reply, err := http.Get(w.address)
		if err != nil {
			return false
		}
		reply.Body.Close()
		w.key = strings.TrimSpace(printed.String())
		return true
	})
	return w
}

// await waits until the witness has signed a seal of at least a size.
func (w onlooker) await(t *testing.T, size int64) {
	t.Helper()
	eventually(t, "the witness has signed "+strconv.FormatInt(size, 10)+" or more", func() bool {
		files, err := filepath.Glob(filepath.Join(w.dir, "logs", "[0-9a-f]*")) // not those it is writing
		if err != nil || len(files) == 0 {
			return false
		}
		kept, err := os.ReadFile(files[0])
		if err != nil {
			return false
		}
		signed, err := strconv.ParseInt(strings.Split(string(kept), "\n")[1], 10, 64)
		return err == nil && signed >= size
	})
}
