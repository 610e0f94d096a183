package eventnode

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
	"github.com/cockroachdb/pebble/v2/vfs"
)

var (
	errDamaged = errors.New("an entry of the event store is damaged; restore the data folder from a backup")
	errLayout  = errors.New("the event store was written by another version of the program; use that version, or restore a backup of this one")
	errForeign = errors.New("the folder holds a store that is not an event store; choose an empty folder")
)

// store is the log on disk together with the line up to which it is durable. Readers never look past that line: Pebble shows a
// write before its fsync, so each reader takes the line first and ignores what lies beyond.
type store struct {
	db     *pebble.DB
	logger *slog.Logger
	head   head // as found at start

	durable atomic.Uint64 // position of the last durable event
	events  atomic.Uint64 // durable events in all

	mu      sync.Mutex
	changed chan struct{} // closed when durable moves
	failure error         // why the log is closed for writing
}

// blockSize is four times Pebble's default: with events of about 1 kB it makes a scan three times as fast.
const blockSize = 16 << 10

func openStore(dir string, fs vfs.FS, logger *slog.Logger) (*store, error) {
	if fs == nil {
		fs = vfs.Default
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, fmt.Errorf("the event store cannot create its data folder: %w; choose another or change its owner", err)
		}
	}
	s := &store{logger: logger, changed: make(chan struct{})}
	options := &pebble.Options{
		FS:                 fs,
		Logger:             pebbleLogger{s},
		FormatMajorVersion: pebble.FormatNewest,
		CacheSize:          96 << 20, // of which Pebble keeps as much aside as its memory tables take
		MemTableSize:       16 << 20,
		EventListener: &pebble.EventListener{BackgroundError: func(err error) {
			logger.Error("event store: background work failed and will be tried again", "error", err)
		}},
	}
	for i := range options.Levels {
		options.Levels[i].FilterPolicy = bloom.FilterPolicy(10)
		options.Levels[i].BlockSize = blockSize
	}
	db, err := pebble.Open(dir, options)
	if err != nil {
		return nil, openError(dir, err)
	}
	s.db = db
	if s.head, err = readHead(db); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", dir, err), db.Close())
	}
	s.advance(s.head)
	return s, nil
}

func openError(dir string, err error) error {
	switch {
	case strings.Contains(err.Error(), "lock held by current process"), errors.Is(err, errAgain), errors.Is(err, errAccess):
		return fmt.Errorf("the event store in %s is in use by another process; stop that one, or choose another data folder", dir)
	case errors.Is(err, os.ErrPermission):
		return fmt.Errorf("the event store in %s cannot be opened: %w; run as its owner, or choose another data folder", dir, err)
	case pebble.IsCorruptionError(err):
		return fmt.Errorf("the event store in %s is damaged: %w; restore it from a backup", dir, err)
	}
	return fmt.Errorf("the event store in %s cannot be opened: %w", dir, err)
}

func readHead(db *pebble.DB) (h head, err error) {
	v, closer, err := db.Get(headKey())
	if errors.Is(err, pebble.ErrNotFound) {
		return head{next: 1}, refuseForeign(db)
	}
	if err != nil {
		return head{}, err
	}
	defer func() { err = errors.Join(err, closer.Close()) }()
	return parseHead(v)
}

func refuseForeign(db *pebble.DB) (err error) {
	it, err := db.NewIter(nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, it.Close()) }()
	if it.First() {
		return errForeign
	}
	return it.Error()
}

// watch returns the durable line and a channel that is closed when it moves on.
func (s *store) watch() (uint64, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.durable.Load(), s.changed
}

// advance moves the durable line. Readers that begin after it returns see everything up to the head.
func (s *store) advance(h head) {
	s.events.Store(h.events)
	s.durable.Store(h.last)
}

// wake tells everybody who waits that the durable line has moved.
func (s *store) wake() {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.changed)
	s.changed = make(chan struct{})
}

// fail closes the log for writing. Only the first cause counts.
func (s *store) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failure == nil {
		s.failure = err
		s.logger.Error("event store: closed for writing until a restart", "error", err)
	}
}

func (s *store) failed() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.failure
}

// close releases the folder. After a failed write Pebble may never come to rest; then close gives up on it after a while.
func (s *store) close() error {
	if s.failed() == nil {
		return s.db.Close()
	}
	done := make(chan struct{})
	go func() {
		_ = s.db.Close() // its error is the failure again
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(2 * time.Second):
	}
	return nil
}

// pebbleLogger sends Pebble's notes to slog. Fatalf is called when the store can no longer be written; it must not return, and
// must not end the process either, so it closes the log and ends the goroutine. The writer notices by its own deferred call.
type pebbleLogger struct{ store *store }

func (l pebbleLogger) Infof(format string, args ...any) {
	l.store.logger.Debug("event store: " + fmt.Sprintf(format, args...))
}

func (l pebbleLogger) Errorf(format string, args ...any) {
	l.store.logger.Error("event store: " + fmt.Sprintf(format, args...))
}

func (l pebbleLogger) Fatalf(format string, args ...any) {
	l.store.fail(fmt.Errorf(format, args...))
	runtime.Goexit()
}
