package eventnode

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
)

// childFolder names the data folder to the test binary when it runs as a node that is going to be killed.
const (
	childFolder = "EVENTNODE_CHILD_FOLDER"
	childListen = "EVENTNODE_CHILD_LISTEN"
)

func TestMain(m *testing.M) {
	if os.Getenv(childSmallDisk) != "" {
		runOnSmallDisk()
		return
	}
	if dir := os.Getenv(childFolder); dir != "" {
		n, err := Start(context.Background(), Options{Dir: dir, Listen: os.Getenv(childListen), MinFree: 1})
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Println(n.URL())
		select {} // until killed
	}
	os.Exit(m.Run())
}

// child is a node in a process of its own.
type child struct {
	cmd *exec.Cmd
	url string
}

func spawn(t *testing.T, dir, listen string) *child {
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
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil || !strings.HasPrefix(line, "esdb") {
		t.Fatalf("the node did not start: %s %v", line, err)
	}
	return &child{cmd, strings.TrimSpace(line)}
}

func (c *child) kill(t *testing.T) {
	t.Helper()
	if err := c.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = c.cmd.Wait() // killed, as it says
}

// TestKill kills the node again and again under load. Writers repeat an append with the same ids until it is acknowledged. In
// the end each event is there exactly once, where its reply said.
func TestKill(t *testing.T) {
	const writers, between = 8, 150
	kills := 6
	if os.Getenv("ATRIUM_FAULT") == "long" {
		kills = 100
	}
	dir := t.TempDir()
	node := spawn(t, dir, "127.0.0.1:0")
	listen := strings.TrimSuffix(strings.TrimPrefix(node.url, "esdb://"), "?tls=false")
	conf, err := esdb.ParseConnectionString(node.url + "&maxDiscoverAttempts=1000000&discoveryInterval=10")
	if err != nil {
		t.Fatal(err)
	}
	conf.Logger = esdb.NoopLogging()
	c, err := esdb.NewClient(conf)
	if err != nil {
		t.Fatal(err)
	}
	var total atomic.Int64
	var stop atomic.Bool
	reached := make(chan struct{}, 1)
	positions := make([][]uint64, writers)
	var writing sync.WaitGroup
	for w := range writers {
		writing.Go(func() {
			expected := esdb.ExpectedRevision(esdb.NoStream{})
			for i := 0; !stop.Load(); {
				r, err := c.AppendToStream(soon(t), fmt.Sprint("killed-", w), esdb.AppendToStreamOptions{ExpectedRevision: expected}, named(fmt.Sprintf("w%d-%d", w, i)))
				if code(err) == esdb.ErrorCodeWrongExpectedVersion || t.Context().Err() != nil {
					t.Errorf("writer %d, event %d: %v", w, i, err)
					return
				}
				if err != nil {
					continue // unknown: the same again
				}
				positions[w] = append(positions[w], r.CommitPosition)
				expected = esdb.Revision(r.NextExpectedVersion)
				i++
				if total.Add(1)%between == 0 {
					select {
					case reached <- struct{}{}:
					default:
					}
				}
			}
		})
	}
	for range kills {
		select {
		case <-reached:
		case <-time.After(60 * time.Second):
			t.Fatal("the writers got stuck")
		}
		node.kill(t)
		node = spawn(t, dir, listen)
	}
	<-reached
	stop.Store(true)
	writing.Wait()
	for w := range writers {
		events := readStream(t, c, fmt.Sprint("killed-", w), esdb.ReadStreamOptions{})
		if len(events) != len(positions[w]) {
			t.Errorf("writer %d: %d events, %d acknowledged", w, len(events), len(positions[w]))
			continue
		}
		for i, e := range events {
			if string(e.Event.Data) != fmt.Sprintf(`"w%d-%d"`, w, i) || e.Event.Position.Commit != positions[w][i] || e.Event.EventNumber != uint64(i) {
				t.Errorf("writer %d, event %d: %+v, acknowledged at %d", w, i, e.Event, positions[w][i])
			}
		}
	}
	t.Logf("%d kills, %d acknowledged", kills, total.Load())
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}
