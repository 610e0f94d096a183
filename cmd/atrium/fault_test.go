package main

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// readyWithin is how long a start after a kill may take.
const readyWithin = 10 * time.Second

// TestKills kills the whole program, or its Postgres, at random moments under load. Afterwards everything that was
// acknowledged is there exactly once, and the rows are what the events say.
func TestKills(t *testing.T) {
	data, address := firmIn(t), freeAddress(t)
	token := strings.TrimSpace(program(t, exitDone, "token", "create", "--data", data, "--staff", "priya@north.example"))
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
