package eventnode

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// TestBackupUnderWrites copies the log again and again while writers are busy. Each copy opens, holds a prefix of every stream
// and everything that was acknowledged before it began.
func TestBackupUnderWrites(t *testing.T) {
	const writers, backups = 8, 6
	n := started(t, Options{})
	c := official(t, n)
	var stop atomic.Bool
	var acknowledged [writers]atomic.Int64
	var total atomic.Int64
	progress := make(chan struct{}, 1)
	var writing sync.WaitGroup
	for w := range writers {
		writing.Go(func() {
			for i := 0; !stop.Load(); i += 2 {
				_, err := c.AppendToStream(soon(t), fmt.Sprint("s-", w), esdb.AppendToStreamOptions{ExpectedRevision: esdb.Any{}},
					named(fmt.Sprintf("w%d-%d", w, i)), named(fmt.Sprintf("w%d-%d", w, i+1)))
				if err != nil {
					t.Error(err)
					return
				}
				acknowledged[w].Store(int64(i + 2))
				if total.Add(1)%40 == 0 {
					select {
					case progress <- struct{}{}:
					default:
					}
				}
			}
		})
	}
	parent := t.TempDir()
	for b := range backups {
		<-progress
		var must [writers]int64
		for w := range writers {
			must[w] = acknowledged[w].Load()
		}
		dir := filepath.Join(parent, fmt.Sprint("backup-", b))
		if err := n.Backup(dir); err != nil {
			t.Fatal(err)
		}
		var next [writers]int64
		for _, name := range recovered(t, Options{Dir: dir, MinFree: 1}) {
			var w int
			var i int64
			if _, err := fmt.Sscanf(name, "w%d-%d", &w, &i); err != nil || i != next[w] {
				t.Fatalf("backup %d: %s, want event %d: %v", b, name, next[w], err)
			}
			next[w]++
		}
		for w := range writers {
			if next[w] < must[w] || next[w]%2 != 0 {
				t.Errorf("backup %d: %d events of writer %d, %d were acknowledged", b, next[w], w, must[w])
			}
		}
	}
	stop.Store(true)
	writing.Wait()
}

func TestBackupGoesOnByItself(t *testing.T) {
	n := started(t, Options{})
	appendTo(t, official(t, n), "s", esdb.NoStream{}, names("e", 3)...)
	dir := filepath.Join(t.TempDir(), "copy")
	if err := n.Backup(dir); err != nil {
		t.Fatal(err)
	}
	appendTo(t, official(t, n), "s", esdb.Revision(2), named("original"))
	copied := official(t, started(t, Options{Dir: dir}))
	appendTo(t, copied, "s", esdb.Revision(2), named("copy"))
	if got := data(readStream(t, copied, "s", esdb.ReadStreamOptions{})); strings.Join(got, " ") != `"e0" "e1" "e2" "copy"` {
		t.Errorf("the copy has %v", got)
	}
	if got := data(readStream(t, official(t, n), "s", esdb.ReadStreamOptions{})); strings.Join(got, " ") != `"e0" "e1" "e2" "original"` {
		t.Errorf("the original has %v", got)
	}
}

func TestBackupRefusals(t *testing.T) {
	data := t.TempDir()
	n := started(t, Options{Dir: data})
	appendTo(t, official(t, n), "s", esdb.NoStream{}, named("e"))
	parent := t.TempDir()
	if err := n.Backup(parent); err == nil || !strings.Contains(err.Error(), "name one that does not") {
		t.Errorf("existing folder: %v", err)
	}
	if err := n.Backup("/proc/backup"); err == nil || !strings.Contains(err.Error(), "choose a folder on a disk with room") {
		t.Errorf("unwritable folder: %v", err)
	}
	logger := slog.New(slog.DiscardHandler)
	dir := filepath.Join(parent, "copy")
	if err := Backup(data, dir, logger); err == nil || !strings.Contains(err.Error(), "is in use by another process") {
		t.Errorf("running node: %v", err)
	}
	if err := Backup(filepath.Join(parent, "missing"), dir, logger); err == nil || !strings.Contains(err.Error(), "name its folder") {
		t.Errorf("missing store: %v", err)
	}
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	if err := n.Backup(dir); err == nil {
		t.Error("a closed node was copied")
	}
	if err := os.Mkdir(dir+".unfinished", 0o700); err != nil { // left behind by a crash
		t.Fatal(err)
	}
	if err := Backup(data, dir, logger); err != nil {
		t.Errorf("stopped node: %v", err)
	}
	if found := recovered(t, Options{Dir: dir, MinFree: 1}); len(found) != 1 {
		t.Errorf("%v", found)
	}
	if left, err := filepath.Glob(filepath.Join(parent, "*.unfinished")); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestBackupOfALogClosedForWriting(t *testing.T) {
	var broken atomic.Bool
	n := started(t, Options{fs: onLog(syncs, func() error {
		if broken.Load() {
			return vfs.ErrUnsupported
		}
		return nil
	})})
	broken.Store(true)
	_ = appendFails(t, official(t, n), "s", esdb.NoStream{}, named("e"))
	if err := n.Backup(filepath.Join(t.TempDir(), "copy")); err == nil || !strings.Contains(err.Error(), "restart the event node") {
		t.Errorf("%v", err)
	}
}
