package eventnode

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
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

func TestRestartKeepsEverything(t *testing.T) {
	dir := t.TempDir()
	var want []string
	var last uint64
	for round := range 3 {
		n := started(t, Options{Dir: dir})
		c := official(t, n)
		stats, err := n.Stats()
		if err != nil || stats.Events != uint64(len(want)) || stats.Position != last {
			t.Fatalf("round %d: %+v, %v", round, stats, err)
		}
		for _, e := range names(fmt.Sprintf("r%d-", round), 50) {
			r := appendTo(t, c, "s", esdb.Any{}, e)
			if r.CommitPosition <= last || r.NextExpectedVersion != uint64(len(want)) {
				t.Fatalf("position %d after %d, revision %d", r.CommitPosition, last, r.NextExpectedVersion)
			}
			last = r.CommitPosition
			want = append(want, string(e.Data))
		}
		if got := data(readAll(t, c, esdb.ReadAllOptions{})); !slices.Equal(got, want) {
			t.Fatalf("round %d: %d events", round, len(got))
		}
		if err := n.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// boundless is a disk that never fills up, for file systems in memory.
func boundless() (uint64, error) { return math.MaxUint64, nil }

// recovered starts a node on a copy of a store and returns the data of its events; see intact.
func recovered(t *testing.T, o Options) []string {
	t.Helper()
	o.Listen, o.Logger = "127.0.0.1:0", slog.New(slog.DiscardHandler)
	n, err := Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	}()
	return intact(t, n.store)
}

// intact returns the data of the events of a store, after checking that revisions, positions and the head agree with each other.
func intact(t *testing.T, s *store) []string {
	t.Helper()
	var found []string
	next := map[string]int64{}
	r := s.reader(s.durable.Load(), 0)
	var last uint64
	_, err := r.all(0, false, func(position uint64, record []byte) (bool, error) {
		e, err := parseRecord(record)
		if err != nil || e.position != position || e.revision != next[string(e.stream)] {
			return false, fmt.Errorf("%s@%d at %d: %w", e.stream, e.revision, position, err)
		}
		p, err := r.place(string(e.stream), e.revision)
		if err != nil || p.position != position {
			return false, fmt.Errorf("%s@%d is indexed at %d: %w", e.stream, e.revision, p.position, err)
		}
		next[string(e.stream)]++
		found = append(found, strings.Trim(string(e.data), `"`))
		last = position
		return true, nil
	})
	if err := errors.Join(err, r.close()); err != nil {
		t.Fatal(err)
	}
	if h := s.head; h.last != last || h.events != uint64(len(found)) || h.next <= last {
		t.Fatalf("head %+v after %d events up to %d", h, len(found), last)
	}
	return found
}

// TestNothingAcknowledgedIsLost drops what was not synced at the moment of a power cut, while many writers are busy.
func TestNothingAcknowledgedIsLost(t *testing.T) {
	disk := vfs.NewCrashableMem()
	n := started(t, Options{Dir: "/data", fs: disk, free: boundless})
	c := official(t, n)
	var mu sync.Mutex
	acknowledged := map[string]bool{}
	cut := make(chan struct{}, 1)
	var writing sync.WaitGroup
	const writers, each, every = 16, 40, 50
	for w := range writers {
		writing.Go(func() {
			for i := range each {
				name := fmt.Sprintf("w%d-%d", w, i)
				_, err := c.AppendToStream(soon(t), fmt.Sprint("s-", w), esdb.AppendToStreamOptions{ExpectedRevision: esdb.Any{}}, named(name), named(name+"b"))
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				acknowledged[name], acknowledged[name+"b"] = true, true
				if len(acknowledged)%every == 0 {
					select {
					case cut <- struct{}{}:
					default:
					}
				}
				mu.Unlock()
			}
		})
	}
	done := make(chan struct{})
	go func() { writing.Wait(); close(done) }()
	random := rand.New(rand.NewPCG(1, 2))
	for round := 0; ; round++ {
		select {
		case <-cut:
		case <-done:
			t.Logf("%d power cuts, %d events acknowledged", round, len(acknowledged))
			return
		}
		mu.Lock()
		must := make([]string, 0, len(acknowledged))
		for name := range acknowledged {
			must = append(must, name)
		}
		mu.Unlock()
		left := disk.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: []int{0, 30, 90}[round%3], RNG: random})
		found := recovered(t, Options{Dir: "/data", fs: left, free: boundless, MinFree: 1})
		count := map[string]int{}
		for _, name := range found {
			count[name]++
		}
		for _, name := range must {
			if count[name] != 1 {
				t.Errorf("cut %d: %s was acknowledged and is there %d times", round, name, count[name])
			}
		}
		for _, name := range found {
			if other := strings.TrimSuffix(name, "b"); count[other] != count[other+"b"] {
				t.Errorf("cut %d: half of the append of %s", round, other)
			}
		}
	}
}

// TestEveryCrashPoint cuts the power at each single write to the disk of a short life of a node.
func TestEveryCrashPoint(t *testing.T) {
	disk := vfs.NewCrashableMem()
	var acknowledged atomic.Int64
	type crash struct {
		left *vfs.MemFS
		must int64
	}
	var mu sync.Mutex
	var crashes []crash
	watched := errorfs.Wrap(disk, errorfs.InjectorFunc(func(op errorfs.Op) error {
		if op.Kind.ReadOrWrite() == errorfs.OpIsWrite {
			must := acknowledged.Load()
			left := disk.CrashClone(vfs.CrashCloneCfg{})
			mu.Lock()
			defer mu.Unlock()
			crashes = append(crashes, crash{left, must})
		}
		return nil
	}))
	for life := range 2 {
		n, err := Start(t.Context(), Options{Dir: "/data", Listen: "127.0.0.1:0", fs: watched, free: boundless, Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		c := official(t, n)
		for i := range 10 {
			appendTo(t, c, "s", esdb.Any{}, named(fmt.Sprint("e", life*10+i)))
			acknowledged.Add(1)
		}
		if err := n.Close(); err != nil {
			t.Fatal(err)
		}
	}
	mu.Lock()
	defer mu.Unlock()
	for i, crash := range crashes {
		found := recovered(t, Options{Dir: "/data", fs: crash.left, free: boundless, MinFree: 1})
		if int64(len(found)) < crash.must || int64(len(found)) > crash.must+1 {
			t.Errorf("write %d: %d events, %d acknowledged", i, len(found), crash.must)
		}
		for j, name := range found {
			if name != fmt.Sprint("e", j) {
				t.Errorf("write %d: event %d is %s", i, j, name)
			}
		}
	}
	t.Logf("power cut at each of %d writes", len(crashes))
	if len(crashes) < 40 {
		t.Errorf("only %d writes seen", len(crashes))
	}
}

// TestTornTailIsCutOff damages the last bytes of the newest log file, as a crash in the middle of a write does.
func TestTornTailIsCutOff(t *testing.T) {
	dir := t.TempDir()
	n := started(t, Options{Dir: dir})
	c := official(t, n)
	const total = 20
	for i := range total {
		e := named(fmt.Sprint("e", i))
		e.Metadata = bytes.Repeat([]byte("x"), 1000)
		appendTo(t, c, "s", esdb.Any{}, e)
	}
	for name, damage := range map[string]func(file []byte, end int) []byte{
		"undamaged":           func(file []byte, _ int) []byte { return file },
		"one byte missing":    func(file []byte, end int) []byte { return file[:end-1] },
		"a hundred missing":   func(file []byte, end int) []byte { return file[:end-100] },
		"last byte flipped":   func(file []byte, end int) []byte { file[end-1] ^= 0xff; return file },
		"earlier byte":        func(file []byte, end int) []byte { file[end-500] ^= 0x55; return file },
		"zeroed":              func(file []byte, end int) []byte { clear(file[end-300 : end]); return file },
		"rubbish at the end":  func(file []byte, end int) []byte { return append(file[:end], bytes.Repeat([]byte{0xa5}, 700)...) },
		"rubbish for a block": func(file []byte, end int) []byte { return append(file[:end], bytes.Repeat([]byte{7}, 40_000)...) },
	} {
		t.Run(name, func(t *testing.T) {
			copied := filepath.Join(t.TempDir(), "data")
			if err := os.CopyFS(copied, os.DirFS(dir)); err != nil {
				t.Fatal(err)
			}
			newest := newestLog(t, copied)
			file, err := os.ReadFile(newest)
			if err != nil {
				t.Fatal(err)
			}
			end := len(bytes.TrimRight(file, "\x00"))
			if err := os.WriteFile(newest, damage(file, end), 0o600); err != nil {
				t.Fatal(err)
			}
			n := started(t, Options{Dir: copied})
			c := official(t, n)
			got := readStream(t, c, "s", esdb.ReadStreamOptions{})
			if len(got) != total && len(got) != total-1 {
				t.Fatalf("%d events", len(got))
			}
			for i, e := range got {
				if string(e.Event.Data) != fmt.Sprintf(`"e%d"`, i) {
					t.Errorf("event %d is %s", i, e.Event.Data)
				}
			}
			last := got[len(got)-1].Event
			if r := appendTo(t, c, "s", esdb.Revision(last.EventNumber), named("next")); r.CommitPosition <= last.Position.Commit {
				t.Errorf("position %d after %d", r.CommitPosition, last.Position.Commit)
			}
		})
	}
}

// tornLog is a store as a crash leaves it, to be opened again and again with other bytes in its newest log file.
type tornLog struct {
	disk vfs.FS
	name string
	file []byte
	want []string
}

func newTornLog(t testing.TB) tornLog {
	t.Helper()
	const total = 20
	log := tornLog{disk: vfs.NewMem()}
	dir := t.TempDir()
	n := started(t, Options{Dir: dir})
	c := official(t, n)
	for i := range total {
		log.want = append(log.want, fmt.Sprint("e", i))
		appendTo(t, c, "s", esdb.Any{}, named(log.want[i]))
	}
	if ok, err := vfs.Clone(vfs.Default, log.disk, dir, "/data"); err != nil || !ok {
		t.Fatal(err)
	}
	newest := newestLog(t, dir)
	file, err := os.ReadFile(newest)
	if err != nil {
		t.Fatal(err)
	}
	log.name, log.file = "/data/"+filepath.Base(newest), bytes.TrimRight(file, "\x00")
	return log
}

// open opens the store with that content in its newest log file and returns its events.
func (l tornLog) open(t *testing.T, content []byte) ([]string, error) {
	t.Helper()
	disk := vfs.NewMem()
	if ok, err := vfs.Clone(l.disk, disk, "/data", "/data"); err != nil || !ok {
		t.Fatal(err)
	}
	f, err := disk.Create(l.name, vfs.WriteCategoryUnspecified)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.Write(content)
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
	s, err := openStore("/data", disk, slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, err
	}
	defer func() {
		if err := s.close(); err != nil {
			t.Error(err)
		}
	}()
	return intact(t, s), nil
}

// TestEveryTornTail cuts the newest log file at, and flips, each of its last 200 bytes: the store opens with all events but the
// last one, and goes on.
func TestEveryTornTail(t *testing.T) {
	const tail = 200
	log := newTornLog(t)
	if got, err := log.open(t, log.file); err != nil || !slices.Equal(got, log.want) {
		t.Fatalf("undamaged: %v, %v", got, err)
	}
	for i := 1; i <= tail; i++ {
		at := len(log.file) - i
		flipped := bytes.Clone(log.file)
		flipped[at] ^= 0xff
		for name, content := range map[string][]byte{"cut": log.file[:at], "flipped": flipped} {
			if got, err := log.open(t, content); err != nil || !slices.Equal(got, log.want[:len(log.want)-1]) {
				t.Errorf("%s %d bytes before the end: %v, %v", name, i, got, err)
			}
		}
	}
	t.Logf("cut and flipped at each of the last %d bytes", tail)
}

// FuzzRecovery writes anything over the newest log file, anywhere, and may cut it there: the store opens with a prefix of the
// events, each whole, or says that it is damaged.
func FuzzRecovery(f *testing.F) {
	log := newTornLog(f)
	f.Add(uint16(0), []byte{}, true)
	f.Add(uint16(7), []byte{0xff}, false)
	f.Add(uint16(len(log.file)-100), []byte("rubbish"), true)
	f.Add(uint16(len(log.file)), bytes.Repeat([]byte{7}, 300), false)
	f.Fuzz(func(t *testing.T, at uint16, damage []byte, cut bool) {
		from := int(at) % (len(log.file) + 1)
		content := append(bytes.Clone(log.file[:from]), damage...)
		if end := from + len(damage); !cut && end < len(log.file) {
			content = append(content, log.file[end:]...)
		}
		got, err := log.open(t, content)
		if err == nil && (len(got) > len(log.want) || !slices.Equal(got, log.want[:len(got)])) {
			t.Errorf("%d bytes at %d, cut %t: %v", len(damage), from, cut, got)
		}
	})
}

func newestLog(t testing.TB, dir string) string {
	t.Helper()
	logs, err := fs.Glob(os.DirFS(dir), "*.log")
	if err != nil || len(logs) == 0 {
		t.Fatal("no log file", err)
	}
	slices.Sort(logs)
	return filepath.Join(dir, logs[len(logs)-1])
}

func TestDiskNearlyFull(t *testing.T) {
	var free atomic.Uint64
	free.Store(300 << 20)
	n := started(t, Options{MinFree: DefaultMinFree, free: func() (uint64, error) { return free.Load(), nil }})
	c := official(t, n)
	appendTo(t, c, "s", esdb.NoStream{}, named("e0"))
	free.Store(DefaultMinFree - 1)
	s := grpcStatus(appendFails(t, c, "s", esdb.Revision(0), named("e1")))
	if s.Code() != codes.ResourceExhausted || !strings.Contains(s.Message(), "255 MiB are free and nothing is stored below 256 MiB") {
		t.Errorf("%v", s)
	}
	if _, err := c.DeleteStream(soon(t), "s", esdb.DeleteStreamOptions{ExpectedRevision: esdb.Any{}}); err == nil {
		t.Error("deleted")
	}
	if got := readStream(t, c, "s", esdb.ReadStreamOptions{}); len(got) != 1 {
		t.Errorf("%d events", len(got))
	}
	free.Store(DefaultMinFree)
	appendTo(t, c, "s", esdb.Revision(0), named("e1"))
}

func TestConcurrentWriters(t *testing.T) {
	c := official(t, started(t, Options{}))
	const writers, each = 16, 60
	type written struct {
		position uint64
		revision uint64
	}
	results := make(chan written, writers*each)
	var writing sync.WaitGroup
	for w := range writers {
		writing.Go(func() {
			for i := range each {
				// Two streams for all: one by any, one that only one of them can win.
				r, err := c.AppendToStream(soon(t), "shared", esdb.AppendToStreamOptions{ExpectedRevision: esdb.Any{}}, named(fmt.Sprintf("w%d-%d", w, i)))
				if err != nil {
					t.Error(err)
					return
				}
				results <- written{r.CommitPosition, r.NextExpectedVersion}
				expected := esdb.ExpectedRevision(esdb.NoStream{})
				if i > 0 {
					expected = esdb.Revision(uint64(i - 1))
				}
				_, err = c.AppendToStream(soon(t), "raced", esdb.AppendToStreamOptions{ExpectedRevision: expected}, named(fmt.Sprintf("race%d-%d", w, i)))
				if err != nil && code(err) != esdb.ErrorCodeWrongExpectedVersion {
					t.Error(err)
					return
				}
			}
		})
	}
	writing.Wait()
	close(results)
	byRevision := map[uint64]uint64{}
	for r := range results {
		byRevision[r.revision] = r.position
	}
	shared := readStream(t, c, "shared", esdb.ReadStreamOptions{})
	if len(shared) != writers*each || len(byRevision) != len(shared) {
		t.Fatalf("%d events, %d revisions", len(shared), len(byRevision))
	}
	for i, e := range shared {
		if e.Event.EventNumber != uint64(i) || e.Event.Position.Commit != byRevision[uint64(i)] {
			t.Fatalf("event %d: %+v, reply %d", i, e.Event, byRevision[uint64(i)])
		}
	}
	raced := readStream(t, c, "raced", esdb.ReadStreamOptions{})
	if len(raced) == 0 || len(raced) > each {
		t.Errorf("%d races were won of %d", len(raced), each)
	}
	for i, e := range raced {
		if e.Event.EventNumber != uint64(i) || !strings.HasSuffix(string(e.Event.Data), fmt.Sprintf(`-%d"`, i)) {
			t.Errorf("race %d was won by %s", i, e.Event.Data)
		}
	}
}
