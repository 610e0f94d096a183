package eventnode

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
	"google.golang.org/grpc/codes"
)

// syncs are the ways in which a file is made durable.
var syncs = []errorfs.OpKind{errorfs.OpFileSync, errorfs.OpFileSyncData, errorfs.OpFileSyncTo}

// onLog calls f for each operation of some kinds on Pebble's write-ahead log.
func onLog(kinds []errorfs.OpKind, f func() error) vfs.FS {
	return errorfs.Wrap(vfs.Default, errorfs.InjectorFunc(func(op errorfs.Op) error {
		if strings.HasSuffix(op.Path, ".log") && slices.Contains(kinds, op.Kind) {
			return f()
		}
		return nil
	}))
}

func TestReadersNeitherSeeNorWaitForWhatIsNotDurable(t *testing.T) {
	var slow atomic.Bool
	reached, release := make(chan struct{}), make(chan struct{})
	n := started(t, Options{fs: onLog(syncs, func() error {
		if slow.CompareAndSwap(true, false) {
			close(reached)
			<-release
		}
		return nil
	})})
	c := official(t, n)
	appendTo(t, c, "s", esdb.NoStream{}, named("e0"))
	describe(t, c, "s", `{"$maxCount":1}`)
	sub := toAll(t, c, esdb.SubscribeToAllOptions{})
	expect(t, sub, "caught up")

	slow.Store(true)
	done := make(chan error, 1)
	go func() {
		_, err := c.AppendToStream(soon(t), "s", esdb.AppendToStreamOptions{ExpectedRevision: esdb.Any{}}, named("e1"), named("e2"))
		done <- err
	}()
	<-reached
	if got := data(readStream(t, c, "s", esdb.ReadStreamOptions{})); !slices.Equal(got, quoted("e0")) {
		t.Errorf("the stream shows %v", got)
	}
	if got := data(readStream(t, c, "s", esdb.ReadStreamOptions{Direction: esdb.Backwards, From: esdb.End{}})); !slices.Equal(got, quoted("e0")) {
		t.Errorf("backwards it shows %v", got)
	}
	if got := readAll(t, c, esdb.ReadAllOptions{Direction: esdb.Backwards, From: esdb.End{}}); len(got) != 2 {
		t.Errorf("$all shows %v", data(got))
	}
	late := toStream(t, c, "s", esdb.SubscribeToStreamOptions{From: esdb.Start{}})
	expect(t, late, "e0", "caught up")
	select {
	case err := <-done:
		t.Errorf("answered before the fsync: %v", err)
	default:
	}
	close(release)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	expect(t, sub, "e1", "e2")
	expect(t, late, "e1", "e2")
	if got := data(readStream(t, c, "s", esdb.ReadStreamOptions{})); !slices.Equal(got, quoted("e2")) {
		t.Errorf("afterwards %v", got)
	}
}

func TestWaitingAppendsShareOneFsync(t *testing.T) {
	const waiting = 50
	var count, held atomic.Int64
	reached, release := make(chan struct{}), make(chan struct{})
	n := started(t, Options{fs: onLog(syncs, func() error {
		count.Add(1)
		if held.CompareAndSwap(1, 2) {
			close(reached)
			<-release
		}
		return nil
	})})
	c := official(t, n)
	appendTo(t, c, "first", esdb.NoStream{}, named("first"))
	write := func(i int) error {
		_, err := c.AppendToStream(soon(t), fmt.Sprint("s-", i), esdb.AppendToStreamOptions{ExpectedRevision: esdb.NoStream{}}, named(fmt.Sprint(i)))
		return err
	}
	held.Store(1)
	var writing sync.WaitGroup
	writing.Go(func() {
		if err := write(0); err != nil {
			t.Error(err)
		}
	})
	<-reached
	before := count.Load()
	for i := range waiting {
		writing.Go(func() {
			if err := write(i + 1); err != nil {
				t.Error(err)
			}
		})
	}
	for ; len(n.writer.queue) < waiting; runtime.Gosched() { // until all of them wait
		if t.Context().Err() != nil || t.Failed() {
			t.Fatal("the appends did not arrive")
		}
	}
	close(release)
	writing.Wait()
	if used := count.Load() - before; used != 1 {
		t.Errorf("%d fsyncs for %d appends that waited together", used, waiting)
	}
}

func TestFailedWriteClosesTheLog(t *testing.T) {
	for name, kinds := range map[string][]errorfs.OpKind{
		"fsync": syncs,
		"write": {errorfs.OpFileWrite},
	} {
		t.Run(name, func(t *testing.T) {
			var broken atomic.Bool
			var failures atomic.Int64
			disk := onLog(kinds, func() error {
				if !broken.Load() {
					return nil
				}
				failures.Add(1)
				return errors.New("input/output error")
			})
			dir := t.TempDir()
			n := started(t, Options{Dir: dir, fs: disk})
			c := official(t, n)
			appendTo(t, c, "s", esdb.NoStream{}, names("e", 3)...)
			sub := toAll(t, c, esdb.SubscribeToAllOptions{From: esdb.Start{}})
			expect(t, sub, "e0", "e1", "e2", "caught up")

			broken.Store(true)
			s := grpcStatus(appendFails(t, c, "s", esdb.Revision(2), named("lost")))
			if s.Code() != codes.Unavailable || !strings.Contains(s.Message(), "may or may not be stored") {
				t.Errorf("first: %v", s)
			}
			broken.Store(false) // a disk that recovers changes nothing: what it lost stays lost
			seen := failures.Load()
			for range 3 {
				s := grpcStatus(appendFails(t, c, "t", esdb.Any{}, named("later")))
				if s.Code() != codes.Unavailable || !strings.Contains(s.Message(), "closed for writing") {
					t.Errorf("later: %v", s)
				}
			}
			if failures.Load() != seen {
				t.Error("the write was tried again")
			}
			if got := data(readAll(t, c, esdb.ReadAllOptions{})); !slices.Equal(got, quoted("e0", "e1", "e2")) {
				t.Errorf("reads show %v", got)
			}
			if stats, err := n.Stats(); err != nil || stats.Failure == nil || stats.Events != 3 {
				t.Errorf("%+v, %v", stats, err)
			}
			if err := n.Close(); err != nil {
				t.Errorf("close: %v", err)
			}
		})
	}
}
