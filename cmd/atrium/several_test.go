package main

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/atrium-portal/atrium/cmd/internal/postgres"
)

// handOver is how long it may take until another process goes on with what a killed one did.
const handOver = 5 * time.Second

// TestSeveralProcesses runs two servers on an event node and a Postgres that they share. Each is killed, and each is
// restarted in order, while clients work: somebody goes on within seconds, and nobody is told anything but "try again".
func TestSeveralProcesses(t *testing.T) {
	shared, data := shareStores(t), folder(t)
	arguments := []string{"--data", data, "--eventstore", shared.Eventstore, "--database", shared.Database}
	token := firmOf(t, arguments)

	addresses := [2]string{freeAddress(t), freeAddress(t)}
	bases := [2]string{"http://" + addresses[0], "http://" + addresses[1]}
	var now [2]running
	start := func(i int) {
		now[i].cmd, now[i].output = child(t, append([]string{"serve", "--listen", addresses[i], "--limit=-1", "--drain=300ms"}, arguments...)...)
	}
	for i := range now {
		start(i)
		readyAfter(t, bases[i], now[i].output)
	}
	crowd := work(t, token, 4, bases[0], bases[1])
	var slowest time.Duration
	for round := range sized(4, 20) { // of two, one has the lease: each is killed in turn
		crowd.reached(crowd.acks.Load() + 20)
		dies, stays := round%2, 1-round%2
		kill(t, now[dies].cmd)
		slowest = max(slowest, visibleAfter(t, server{t, bases[stays], token}))
		start(dies)
		readyAfter(t, bases[dies], now[dies].output)
	}
	t.Logf("another process went on %s after a kill at most", slowest.Round(time.Millisecond))
	if slowest > handOver {
		t.Errorf("the rows stood still for %s", slowest)
	}
	readers := read(t, token, 4, bases[:])
	for i := range now { // a rolling restart
		crowd.reached(crowd.acks.Load() + 20)
		if err := now[i].cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		if err := now[i].cmd.Wait(); err != nil {
			t.Errorf("the end of a server: %v\n%s", err, now[i].output)
		}
		start(i)
		readyAfter(t, bases[i], now[i].output)
	}
	t.Logf("%d reads during a rolling restart", readers.stop())
	deeds := crowd.stop()
	for i := range now {
		kill(t, now[i].cmd)
	}
	settled(t, stores{Data: data, Eventstore: shared.Eventstore, Database: shared.Database}, func(k *stack) { check(t, k, deeds) })
}

// TestAFrozenProjectorIsReplaced stops the process that projects, as a machine that hangs does. Another takes over; when
// the first wakes up it finds that it may not write.
func TestAFrozenProjectorIsReplaced(t *testing.T) {
	shared, data := shareStores(t), folder(t)
	arguments := []string{"--data", data, "--eventstore", shared.Eventstore, "--database", shared.Database}
	token := firmOf(t, arguments)
	var now [2]running
	var bases [2]string
	for i := range now {
		address := freeAddress(t)
		bases[i] = "http://" + address
		now[i].cmd, now[i].output = child(t, append([]string{"serve", "--listen", address, "--limit=-1"}, arguments...)...)
		readyAfter(t, bases[i], now[i].output) // the first one has every lease
	}
	crowd := work(t, token, 4, bases[1])
	crowd.reached(20)
	if err := now[0].cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	took := visibleAfter(t, server{t, bases[1], token})
	t.Logf("another process went on after %s", took.Round(time.Millisecond))
	if took > handOver+time.Second {
		t.Errorf("the rows stood still for %s", took)
	}
	if err := now[0].cmd.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	crowd.reached(crowd.acks.Load() + 100)
	deeds := crowd.stop()
	for i := range now {
		kill(t, now[i].cmd)
	}
	settled(t, stores{Data: data, Eventstore: shared.Eventstore, Database: shared.Database}, func(k *stack) { check(t, k, deeds) })
}

// audience is people who look at their data all the time, behind a balancer: who is not taken in by one server asks the
// other. None of their requests may fail.
type audience struct {
	t    *testing.T
	done chan struct{}
	wg   sync.WaitGroup
	seen atomic.Int64
}

func read(t *testing.T, token string, people int, bases []string) *audience {
	a := &audience{t: t, done: make(chan struct{})}
	for n := range people {
		a.wg.Go(func() {
			for i := n; ; i++ {
				select {
				case <-a.done:
					return
				default:
					a.look(token, bases[i%len(bases)], bases[(i+1)%len(bases)])
				}
			}
		})
	}
	return a
}

// look asks one server, and the other when there is no connection to the first.
func (a *audience) look(token string, bases ...string) {
	var refused error
	for _, base := range bases {
		r, err := http.NewRequest(http.MethodGet, base+"/api/v1/accounts?limit=5", nil)
		if err != nil {
			a.t.Error(err)
			return
		}
		r.Header.Set("Authorization", "Bearer "+token)
		reply, err := http.DefaultClient.Do(r)
		if err != nil {
			refused = err
			continue
		}
		raw, err := io.ReadAll(reply.Body)
		reply.Body.Close()
		if err != nil || reply.StatusCode != http.StatusOK {
			a.t.Errorf("a read: %d %s, %v", reply.StatusCode, raw, err)
		}
		a.seen.Add(1)
		return
	}
	a.t.Errorf("nobody takes a read: %v", refused)
}

// stop ends the looking and tells how many requests were answered.
func (a *audience) stop() int64 {
	close(a.done)
	a.wg.Wait()
	return a.seen.Load()
}

// shareStores starts an event node and a Postgres of their own.
func shareStores(t *testing.T) stores {
	t.Helper()
	address := freeAddress(t)
	var output *bytes.Buffer
	t.Cleanup(func() { // after the node was killed
		if t.Failed() {
			t.Logf("the event node said:\n%s", output)
		}
	})
	_, output = child(t, "node", "--data", folder(t), "--listen", address)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for {
		if c, err := net.Dial("tcp", address); err == nil {
			c.Close()
			break
		}
		if pause(ctx, 10*time.Millisecond) != nil {
			t.Fatalf("the event node does not listen\n%s", output)
		}
	}
	cluster, err := postgres.Manage(t.Context(), postgres.ManageOptions{Dir: folder(t), Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cluster.Stop(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	return stores{Eventstore: "esdb://" + address + "?tls=false", Database: cluster.URL()}
}

// visibleAfter gives a command and waits until its row can be read.
func visibleAfter(t *testing.T, s server) time.Duration {
	t.Helper()
	begun := time.Now()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	name := "seen " + begun.Format(time.RFC3339Nano)
	status, reply, raw := s.call(http.MethodPost, "/api/v1/commands/OpenAccount", `{"name":"`+name+`","currency":"USD","contact":{"name":"Ann","email":"`+
		strings.NewReplacer(":", "", ".", "", "+", "", " ", "").Replace(name)+`@fault.example"}}`)
	if status != http.StatusOK {
		t.Fatal(raw)
	}
	for {
		if status, _, _ := s.call(http.MethodGet, "/api/v1/accounts/"+reply["id"].(string), ""); status == http.StatusOK {
			return time.Since(begun)
		}
		if pause(ctx, 20*time.Millisecond) != nil {
			t.Fatal("nobody projects after a minute")
		}
	}
}
