package eventlog

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/atrium-portal/atrium/cmd/internal/eventnode"
	"github.com/atrium-portal/atrium/commands"
	"github.com/atrium-portal/atrium/domain"
)

// long asks for the sizes of `make fault`; without it the tests are short enough for every run.
func long() bool { return os.Getenv("ATRIUM_FAULT") == "long" }

// What the test binary is told when it runs as a node that is going to be killed.
const (
	childFolder = "EVENTLOG_CHILD_FOLDER"
	childListen = "EVENTLOG_CHILD_LISTEN"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(childFolder); dir != "" {
		n, err := eventnode.Start(context.Background(), eventnode.Options{Dir: dir, Listen: os.Getenv(childListen), MinFree: 1})
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Println(n.URL())
		select {} // until killed
	}
	os.Exit(m.Run())
}

// spawn runs a node in a process of its own and returns its URL and how to kill it.
func spawn(t *testing.T, dir, listen string) (url string, kill func()) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childFolder+"="+dir, childListen+"="+listen)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	kill = sync.OnceFunc(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	t.Cleanup(kill)
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil || !strings.HasPrefix(line, "esdb") {
		t.Fatalf("the node did not start: %s %v", line, err)
	}
	return strings.TrimSpace(line), kill
}

// ledger is what one writer was told: the position of each of its events, in order.
type ledger struct {
	stream string
	acks   []domain.Position
}

// write appends one event after the other until stop, each again and again with the same id and expectation until it is
// acknowledged.
func (l *ledger) write(t *testing.T, log *Log, stop *atomic.Bool, acknowledged func()) {
	for i := 0; !stop.Load(); i++ {
		for {
			at, err := log.Append(t.Context(), l.stream, int64(i)-1, event(fmt.Sprint(l.stream, "-", i)))
			if err == nil {
				l.acks = append(l.acks, at)
				acknowledged()
				break
			}
			var conflict *commands.Conflict
			if errors.As(err, &conflict) || t.Context().Err() != nil {
				t.Errorf("%s, event %d: %v", l.stream, i, err)
				return
			}
		}
	}
}

// check compares the ledger with the store: everything acknowledged is there once, at its place.
func (l *ledger) check(t *testing.T, log *Log) {
	t.Helper()
	stored, err := log.Load(t.Context(), l.stream, 0)
	if err != nil {
		t.Fatal(err)
	}
	if len(stored) != len(l.acks) {
		t.Errorf("%s: %d events, %d acknowledged", l.stream, len(stored), len(l.acks))
		return
	}
	for i, e := range stored {
		if e.ID != event(fmt.Sprint(l.stream, "-", i))[0].ID || e.Revision != int64(i) || e.Position != l.acks[i] {
			t.Errorf("%s, event %d: %s at %v, acknowledged at %v", l.stream, i, e.ID, e.Position, l.acks[i])
		}
	}
}

// TestNothingAcknowledgedIsLostOrDoubled kills the node again and again under load, while the connections to it are cut, half
// closed, delayed and robbed of answers.
func TestNothingAcknowledgedIsLostOrDoubled(t *testing.T) {
	const writers = 8
	kills, between := 4, int64(120)
	if long() {
		kills = 200
	}
	dir := t.TempDir()
	url, kill := spawn(t, dir, "127.0.0.1:0")
	listen := addressOf(url)
	p := newProxy(t, listen, chance(7, 15_000, cut, halfClose, delay, swallow))
	log := opened(t, p.url(), Options{Timeout: 500 * time.Millisecond})
	var stop atomic.Bool
	var total atomic.Int64
	reached := make(chan struct{}, 1)
	var ledgers [writers]ledger
	var writing sync.WaitGroup
	for w := range writers {
		ledgers[w].stream = fmt.Sprint("ledger-", w)
		writing.Go(func() {
			ledgers[w].write(t, log, &stop, func() {
				if total.Add(1)%between == 0 {
					select {
					case reached <- struct{}{}:
					default:
					}
				}
			})
		})
	}
	wait := func() {
		select {
		case <-reached:
		case <-time.After(90 * time.Second):
			t.Fatal("the writers got stuck")
		}
	}
	for range kills {
		wait()
		kill()
		url, kill = spawn(t, dir, listen)
	}
	wait()
	stop.Store(true)
	writing.Wait()
	direct := opened(t, url, Options{})
	for i := range ledgers {
		ledgers[i].check(t, direct)
	}
	t.Logf("%d acknowledged, %d kills", total.Load(), kills)
}

// TestOneWinner lets 16 append to one stream with the same expectation, again and again: each time one of them wins.
func TestOneWinner(t *testing.T) {
	const racers = 16
	rounds := 200
	if long() {
		rounds = 1000
	}
	log := opened(t, node(t, eventnode.Options{}).URL(), Options{})
	for round := range rounds {
		var won, conflicts atomic.Int64
		var racing sync.WaitGroup
		for racer := range racers {
			racing.Go(func() {
				_, err := log.Append(t.Context(), "raced", int64(round)-1, event(fmt.Sprintf("race-%d-%d", round, racer)))
				var conflict *commands.Conflict
				switch {
				case err == nil:
					won.Add(1)
				case errors.As(err, &conflict):
					conflicts.Add(1)
				default:
					t.Error(err)
				}
			})
		}
		racing.Wait()
		if won.Load() != 1 || conflicts.Load() != racers-1 {
			t.Fatalf("round %d: %d won, %d conflicts", round, won.Load(), conflicts.Load())
		}
	}
	if stored, err := log.Load(t.Context(), "raced", 0); err != nil || len(stored) != rounds {
		t.Errorf("%d events, %v", len(stored), err)
	}
	t.Logf("%d rounds of %d, one winner in each", rounds, racers)
}
