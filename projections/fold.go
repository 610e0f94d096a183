package projections

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"reflect"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/atrium-portal/atrium/domain"
)

// ErrGap says that events of a stream are missing between its row and the batch. Nothing is applied: a person has to
// find out where they went.
var ErrGap = errors.New("events of a stream are missing")

// event is a recorded event on its way into rows.
type event struct {
	domain.Recorded
	fact    domain.Fact
	touches []touch
	err     error // why it cannot be decoded or folded
}

// touch is a row that an event may change.
type touch struct {
	table int
	key   Key
}

// slot is a row while a batch is folded.
type slot struct {
	key    Key
	was    any  // the row before the batch; nil: there was none
	row    any  // nil: there is none
	stored bool // there is one in the database
	dirty  bool
}

// work is what a batch changes, before it is written.
type work struct {
	rows    []map[Key]*slot // by table
	order   [][]*slot       // by table, the order in which they were touched
	history []any
	parked  []any
	stuck   map[string]bool // streams parked by this batch
	release []Key           // of parked events that are applied now
	alarms  []*event        // the events that parked their streams
	to      domain.Position
	events  int64
}

func (b *build) newWork() *work {
	return &work{rows: make([]map[Key]*slot, len(b.tables)), order: make([][]*slot, len(b.tables)), stuck: map[string]bool{}}
}

func (w *work) add(table int, s *slot) *slot {
	if w.rows[table] == nil {
		w.rows[table] = map[Key]*slot{}
	}
	w.rows[table][s.key] = s
	w.order[table] = append(w.order[table], s)
	return s
}

// decodeParallel is how many events are worth a goroutine.
const decodeParallel = 64

// decode opens a run of events and finds the rows each touches. The error is one that has nothing to do with an event,
// such as a keystore that does not answer.
func (b *build) decode(records []domain.Recorded) ([]event, error) {
	if len(records) >= decodeParallel {
		if err := b.codec.Prefetch(records); err != nil {
			return nil, err
		}
	}
	events := make([]event, len(records))
	share := max(decodeParallel, (len(records)+runtime.GOMAXPROCS(0)-1)/runtime.GOMAXPROCS(0))
	var lanes sync.WaitGroup
	for start := 0; start < len(records); start += share {
		part := events[start:min(start+share, len(records))]
		lanes.Go(func() {
			for i := range part {
				part[i].Recorded = records[start+i]
				b.decodeOne(&part[i])
			}
		})
	}
	lanes.Wait()
	for i := range events {
		if temporary(events[i].err) {
			return nil, events[i].err
		}
	}
	return events, nil
}

// temporary recognises an error that is not the event's fault: the keystore cannot be reached. The same batch will do
// later, and parking its streams would be wrong.
func temporary(err error) bool {
	if err == nil {
		return false
	}
	if f, is := errors.AsType[*domain.Fault](err); is {
		return f.Kind == domain.Unavailable
	}
	if _, is := errors.AsType[*pgconn.PgError](err); is {
		return true
	}
	if _, is := errors.AsType[*pgconn.ConnectError](err); is {
		return true
	}
	if _, is := errors.AsType[net.Error](err); is {
		return true
	}
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, io.ErrUnexpectedEOF)
}

func (b *build) decodeOne(ev *event) {
	defer caught("reading it", &ev.err)
	if ev.fact, ev.err = b.codec.Decode(ev.Recorded); ev.err == nil {
		b.aim(ev)
	}
}

// aim finds the rows that an event touches.
func (b *build) aim(ev *event) {
	for _, i := range b.byCategory[ev.fact.Category] {
		t := b.tables[i]
		if b.only != nil && !b.only[t.name] {
			continue
		}
		keys := []Key{K(ev.fact.Of)}
		if t.keys != nil {
			keys = t.keys(ev.fact)
		}
		for n, key := range keys {
			if ev.err = t.keyed(key); ev.err != nil {
				ev.err = fmt.Errorf("table %s: %w", t.name, ev.err)
				return
			}
			if !slices.Contains(keys[:n], key) {
				ev.touches = append(ev.touches, touch{i, key})
			}
		}
	}
}

// caught turns a panic into an error: a fold that fails parks one stream and must not stop the others.
func caught(doing string, err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("%s panicked: %v\n%s", doing, r, debug.Stack())
	}
}

// fold applies events to the rows they touch. Rows come from an earlier work that is being written, from the cache or
// from the database; without a database there are none but those that the events make.
func (b *build) fold(ctx context.Context, db querier, events []event, earlier *work) (*work, error) {
	w := b.newWork()
	if err := b.gather(ctx, db, w, events, earlier); err != nil {
		return nil, err
	}
	for i := range events {
		ev := &events[i]
		w.to = ev.Position
		w.events++
		if !b.until.keeps(ev) {
			continue
		}
		stuck := b.stuck[ev.Stream] || w.stuck[ev.Stream] || earlier != nil && earlier.stuck[ev.Stream]
		if !stuck && ev.err == nil {
			ev.err = b.refused[ev.ID]
		}
		if !stuck && ev.err == nil {
			ev.err = b.foldOne(w, ev)
			if errors.Is(ev.err, ErrGap) {
				return nil, ev.err
			}
		}
		if stuck || ev.err != nil {
			b.park(w, ev, stuck)
		}
	}
	b.sum(w)
	return w, nil
}

// gather brings every touched row into the work; what nobody holds is loaded with one statement per table.
func (b *build) gather(ctx context.Context, db querier, w *work, events []event, earlier *work) error {
	missing := make([][]Key, len(b.tables))
	for i := range events {
		ev := &events[i]
		if ev.err != nil || b.stuck[ev.Stream] {
			continue
		}
		for _, touch := range ev.touches {
			if w.rows[touch.table][touch.key] != nil {
				continue
			}
			s := w.add(touch.table, &slot{key: touch.key})
			if earlier != nil {
				if known := earlier.rows[touch.table][touch.key]; known != nil {
					s.was, s.row, s.stored = known.row, known.row, known.row != nil
					continue
				}
			}
			if row := b.cache.get(touch); row != nil {
				s.was, s.row, s.stored = row, row, true
				continue
			}
			if !b.tables[touch.table].startsWith(ev.fact) {
				missing[touch.table] = append(missing[touch.table], touch.key)
			}
		}
	}
	if db == nil {
		return nil
	}
	return b.load(ctx, db, missing, func(table int, row any) {
		s := w.rows[table][b.tables[table].key(row)]
		s.was, s.row, s.stored = row, row, true
	})
}

// startsWith tells that no row can be there before this event: it is the first of the only stream that feeds the row.
func (t *table) startsWith(f domain.Fact) bool {
	return t.keys == nil && len(t.categories) == 1 && f.Revision == 0
}

// foldOne applies one event to all its rows, or to none.
func (b *build) foldOne(w *work, ev *event) (err error) {
	defer caught("folding it", &err)
	type outcome struct {
		*slot
		row any
	}
	outcomes := make([]outcome, 0, 4)
	var record *table
	var before, after any
	for _, touch := range ev.touches {
		t := b.tables[touch.table]
		s := w.rows[touch.table][touch.key]
		if t.primary && t.revision >= 0 && s.row != nil {
			if last := t.revisionOf(s.row).Int(); last+1 != ev.Revision {
				return fmt.Errorf("%w: %s has row revision %d, then comes event revision %d", ErrGap, ev.Stream, last, ev.Revision)
			}
		}
		row := t.fold.apply(s.row, ev.fact, touch.key)
		if row != nil {
			if t.primary && t.revision >= 0 {
				t.revisionOf(row).SetInt(ev.Revision)
			}
			if t.key(row) != touch.key {
				return fmt.Errorf("table %s: the fold gives a row with another key than its event has", t.name)
			}
			if err := t.check(row); err != nil {
				return fmt.Errorf("table %s: %w", t.name, err)
			}
		}
		if t.primary {
			record, before, after = t, s.row, row
		}
		outcomes = append(outcomes, outcome{s, row})
	}
	e, err := newEntry(ev.fact, record, before, after)
	if err != nil {
		return err
	}
	if err := b.historyTable.check(e); err != nil {
		return fmt.Errorf("its history entry: %w", err)
	}
	for _, o := range outcomes {
		o.slot.row, o.dirty = o.row, true
	}
	w.history = append(w.history, e)
	return nil
}

func (t *table) revisionOf(row any) reflect.Value {
	return reflect.ValueOf(row).Elem().FieldByIndex(t.columns[t.revision].index)
}

// querier is a connection, inside a transaction or not.
type querier interface {
	SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults
}
