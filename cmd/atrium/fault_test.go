package main

import (
	"errors"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// readyWithin is how long a start after a kill may take.
const readyWithin = 10 * time.Second

// TestKills kills the whole program, or its Postgres, at random moments under load. Afterwards everything that was
// acknowledged is there exactly once, and the rows are what the events say.
func TestKills(t *testing.T) {
	data, address := folder(t), freeAddress(t)
	token := firmOf(t, []string{"--data", data})
	base, random := "http://"+address, rand.New(rand.NewPCG(1, 2))
	start := func() (p running) {
		p.cmd, p.output = child(t, "serve", "--data", data, "--listen", address, "--limit=-1")
		return p
	}
	now := start()
	readyAfter(t, base, now.output)
	crowd := work(t, token, 8, base)
	var slowest time.Duration
	kills, perKill := sized(20, 200), int64(sized(20, 110))
	for n := range kills {
		crowd.reached(crowd.acks.Load() + perKill/2 + random.Int64N(perKill))
		if n%4 == 3 {
			killPostgres(t, data)
		} else {
			kill(t, now.cmd)
			now = start()
		}
		slowest = max(slowest, readyAfter(t, base, now.output))
	}
	deeds := crowd.stop()
	if err := now.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := now.cmd.Wait(); err != nil {
		t.Errorf("the end: %v\n%s", err, now.output)
	}
	t.Logf("%d kills, ready again after %s at most", kills, slowest.Round(time.Millisecond))
	if slowest > readyWithin {
		t.Errorf("ready only after %s", slowest)
	}
	settled(t, stores{Data: data}, func(k *stack) { check(t, k, deeds) })
	if out := program(t, exitDone, "audit", "monitor", "--data", data); strings.Contains(out, "differ") {
		t.Errorf("the seals: %s", out)
	}
}

// TestFaultyLines lets the program work over connections that are cut, late and silent, to its event node and to its
// Postgres: commands are done or to be tried again, and nothing is lost or done twice.
func TestFaultyLines(t *testing.T) {
	shared, data := shareStores(t), folder(t)
	arguments := []string{"--data", data, "--eventstore", shared.Eventstore, "--database", shared.Database}
	token := firmOf(t, arguments)
	store, err := url.Parse(shared.Eventstore)
	if err != nil {
		t.Fatal(err)
	}
	database, err := pgconn.ParseConfig(shared.Database)
	if err != nil {
		t.Fatal(err)
	}
	_, place := pgconn.NetworkAddress(database.Host, database.Port)
	network := "tcp"
	if strings.HasPrefix(database.Host, "/") {
		network = "unix"
	}
	events := newFaultyLine(t, "tcp", store.Host, 60_000)
	rows := newFaultyLine(t, network, place, 20_000)
	now := runs(t, "--data", data, "--eventstore", "esdb://"+events.address()+"?tls=false", "--database", rows.through(database))
	crowd := work(t, token, 8, now.base)
	crowd.reached(int64(sized(200, 5000)))
	cutsOfStore, cutsOfDatabase := events.rest(), rows.rest()
	deeds := crowd.stop()
	kill(t, now.cmd)
	t.Logf("%d faults on the way to the event node, %d on the way to Postgres", cutsOfStore, cutsOfDatabase)
	if cutsOfStore == 0 || cutsOfDatabase == 0 {
		t.Error("the lines were not faulty enough to show anything")
	}
	settled(t, stores{Data: data, Eventstore: shared.Eventstore, Database: shared.Database}, func(k *stack) { check(t, k, deeds) })
}

// TestClockJumps moves the program's clock by hours and weeks, forwards and back, while clients work.
func TestClockJumps(t *testing.T) {
	data := folder(t)
	token := firmOf(t, []string{"--data", data})
	now := runs(t, "--data", data, "--dev")
	crowd := work(t, token, 4, now.base)
	jumps := []string{"3h", "-7h", "336h", "-300h", "-48h", "16h"}
	for n := range sized(6, 60) {
		crowd.reached(crowd.acks.Load() + 25)
		reply, err := http.Post(now.base+"/dev/clock", "application/json", strings.NewReader(`{"advance":"`+jumps[n%len(jumps)]+`"}`))
		if err != nil {
			t.Fatal(err)
		}
		reply.Body.Close()
		if reply.StatusCode != http.StatusOK {
			t.Fatal(reply.Status)
		}
	}
	crowd.reached(crowd.acks.Load() + 25)
	visible := visibleAfter(t, server{t, now.base, token})
	deeds := crowd.stop()
	kill(t, now.cmd)
	t.Logf("after the last jump a command was seen after %s", visible.Round(time.Millisecond))
	settled(t, stores{Data: data}, func(k *stack) { check(t, k, deeds) })
}

// TestKilledReplay kills `atrium replay rebuild` at random moments, the swap among them, and starts it again: it goes on by
// itself, and in the end the rows are what the events say.
func TestKilledReplay(t *testing.T) {
	data := folder(t)
	token := firmOf(t, []string{"--data", data})
	now := runs(t, "--data", data)
	crowd := work(t, token, 8, now.base)
	crowd.reached(int64(sized(200, 4000)))
	deeds := crowd.stop()
	kill(t, now.cmd)
	random := rand.New(rand.NewPCG(5, 6))
	killed, longest := 0, 3*time.Second
	for range sized(6, 60) {
		rebuild, output := child(t, "replay", "rebuild", "--data", data)
		done := make(chan error, 1)
		go func() { done <- rebuild.Wait() }()
		begun := time.Now()
		select {
		case <-time.After(200*time.Millisecond + time.Duration(random.Int64N(int64(longest)))):
			if err := rebuild.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
				t.Fatal(err)
			}
			<-done //nolint:errcheck // it was killed
			killed++
		case err := <-done:
			longest = time.Since(begun)
			if err != nil {
				t.Fatalf("a rebuild after %d kills: %v\n%s", killed, err, output)
			}
		}
	}
	out := program(t, exitDone, "replay", "rebuild", "--data", data)
	if !strings.Contains(out, "Byte for byte the same rows") {
		t.Errorf("the last rebuild says %s", out)
	}
	t.Logf("%d rebuilds killed", killed)
	settled(t, stores{Data: data}, func(k *stack) { check(t, k, deeds) })
}

// firmOf makes a firm with one administrator in shared stores and returns a token of theirs.
func firmOf(t *testing.T, arguments []string) string {
	t.Helper()
	tool := func(args ...string) string {
		return strings.TrimSpace(program(t, exitDone, append(args, arguments...)...))
	}
	tool("firm", "create", "--name", "North", "--currency", "USD", "--timezone", "America/Denver")
	tool("staff", "invite", "--email", "priya@north.example", "--name", "Priya", "--role", "administrator")
	return tool("token", "create", "--staff", "priya@north.example")
}

// killPostgres kills the postmaster of a data folder; its children end by themselves.
func killPostgres(t *testing.T, data string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(data, "postgres", "data", "postmaster.pid"))
	if err != nil {
		t.Fatal(err)
	}
	line, _, _ := strings.Cut(string(text), "\n")
	pid, err := strconv.Atoi(line)
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
}
