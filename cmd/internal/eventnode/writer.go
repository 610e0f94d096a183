package eventnode

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/google/uuid"
)

const (
	groupRequests = 1024    // most requests in one group
	groupBytes    = 4 << 20 // a group takes no further request beyond this size
	statesKept    = 1 << 15 // streams whose state the writer remembers
	batchKept     = 1 << 20 // memory of a group that is kept for the next one
)

type action int

const (
	actAppend action = iota
	actDelete
	actTombstone
)

// request is one thing to write. It is answered on done exactly once.
type request struct {
	action   action
	stream   string
	expected expectation
	events   []proposal
	size     int
	done     chan result
}

// result answers a request. Without err and with wrong unset, revision and position are those of its last event.
type result struct {
	revision int64
	position uint64
	wrong    bool  // not what was expected
	current  int64 // with wrong: the newest revision
	err      error
}

// writer is the one goroutine that changes the log. It takes whatever waits, checks each request in turn, gives out revisions
// and positions, stores the whole group in one Pebble batch with one fsync, and only then answers and moves the durable line.
// So positions are given out in durable order and no reader can pass one that is still to come.
type writer struct {
	store   *store
	meters  *meters
	reader  *reader // point lookups only
	queue   chan *request
	stopped chan struct{}
	now     func() time.Time
	free    func() (uint64, error)
	minFree uint64

	head   head
	states map[string]*streamState
	dirty  []*streamState // states with fresh events

	group   []*request
	results []result
	batch   *pebble.Batch
	created int64
	ids     []uuid.UUID
	key     []byte
	value   []byte
}

func newWriter(n *Node) *writer {
	s := n.store
	w := &writer{
		store:   s,
		meters:  n.meters,
		reader:  s.reader(0, 0),
		queue:   make(chan *request, groupRequests),
		stopped: make(chan struct{}),
		now:     n.now,
		free:    n.free,
		minFree: n.minFree,
		head:    s.head,
		states:  map[string]*streamState{},
		batch:   s.db.NewBatch(pebble.WithInitialSizeBytes(batchKept/16), pebble.WithMaxRetainedSizeBytes(batchKept)),
	}
	go w.run()
	return w
}

// submit hands a request to the writer and waits for the answer. When ctx ends first, the request may still be stored.
func (w *writer) submit(ctx context.Context, r *request) result {
	r.done = make(chan result, 1)
	select {
	case w.queue <- r:
	case <-ctx.Done():
		return result{err: statusOf(ctx.Err())}
	}
	select {
	case out := <-r.done:
		return out
	case <-ctx.Done():
		return result{err: statusOf(ctx.Err())}
	}
}

// close ends the writer after what is queued. Nobody may submit any more.
func (w *writer) close() error {
	close(w.queue)
	select {
	case <-w.stopped:
		return nil
	case <-time.After(patience):
		return errors.New("the event store does not come to rest: the disk does not take what is written")
	}
}

func (w *writer) run() {
	finished := false
	defer func() {
		if finished {
			close(w.stopped)
			return
		}
		// Pebble panics or ends the goroutine when it cannot write. What the group has become is unknown.
		if cause := recover(); cause != nil {
			w.store.fail(fmt.Errorf("%v", cause))
			w.store.logger.Error("event store: the writer broke down", "stack", string(debug.Stack()))
		}
		w.answer(errUnknownOutcome(w.store.failed()))
		go w.run()
	}()
	for first := range w.queue {
		w.take(first)
		w.commit()
	}
	finished = true
}

// take forms a group from first and whatever else waits. As long as requests keep coming it lets others run first: on a busy
// machine more of them then share the fsync, and on an idle one nobody else is to run and nothing is waited for.
func (w *writer) take(first *request) {
	for waiting := -1; waiting < len(w.queue); {
		waiting = len(w.queue)
		runtime.Gosched()
	}
	w.group = append(w.group[:0], first)
	for size := first.size; size < groupBytes && len(w.group) < groupRequests; {
		select {
		case r, ok := <-w.queue:
			if !ok {
				return
			}
			w.group = append(w.group, r)
			size += r.size
		default:
			return
		}
	}
}

func (w *writer) commit() {
	w.results = w.results[:0]
	if err := w.writable(); err != nil {
		w.meters.refusals.Add(float64(len(w.group)))
		w.answer(err)
		return
	}
	w.forget()
	w.created = ticks(w.now())
	w.batch.Reset()
	before := w.head
	for _, r := range w.group {
		out, err := w.apply(r)
		if err != nil {
			// A failed lookup leaves the group half built and the states ahead of the store.
			w.abandon(before)
			w.answer(errRead(err))
			return
		}
		w.results = append(w.results, out)
	}
	if w.head == before {
		w.answer(nil)
		return
	}
	begin := time.Now()
	if err := w.persist(); err != nil {
		w.store.fail(err)
		w.answer(errUnknownOutcome(err))
		return
	}
	w.meters.committed(len(w.group), time.Since(begin), begin)
	w.store.advance(w.head)
	w.answer(nil)
	w.store.wake()
}

// writable refuses a group before anything of it is stored.
func (w *writer) writable() error {
	if err := w.store.failed(); err != nil {
		return errClosedLog(err)
	}
	free, err := w.free()
	if err != nil {
		return errRead(err)
	}
	if free < w.minFree {
		return errStorageFull(free, w.minFree)
	}
	return nil
}

// forget settles the states of the group before, and drops some when there are too many.
func (w *writer) forget() {
	for _, s := range w.dirty {
		s.fresh = s.fresh[:0]
	}
	w.dirty = w.dirty[:0]
	for name := range w.states {
		if len(w.states) <= statesKept {
			break
		}
		delete(w.states, name)
	}
}

// abandon undoes a group that was not written.
func (w *writer) abandon(before head) {
	w.head = before
	clear(w.states)
	w.dirty = w.dirty[:0]
}

func (w *writer) persist() error {
	if err := w.batch.Set(headKey(), appendHead(w.value[:0], w.head), nil); err != nil {
		return err
	}
	// Waiting separately keeps the error: with a plain commit Pebble reports a failed fsync as fatal.
	if err := w.store.db.ApplyNoSyncWait(w.batch, pebble.Sync); err != nil {
		return err
	}
	return w.batch.SyncWait()
}

// answer replies to the group: to all with err if there is one, else to each with its result.
func (w *writer) answer(err error) {
	for i, r := range w.group {
		if err != nil {
			r.done <- result{err: err}
		} else {
			r.done <- w.results[i]
		}
	}
	w.group = w.group[:0]
}

// apply checks one request and puts what it adds into the batch.
func (w *writer) apply(r *request) (result, error) {
	s, err := w.state(r.stream)
	if err != nil {
		return result{}, err
	}
	if isMetadata(r.stream) {
		original, err := w.state(r.stream[len(metadataPrefix):])
		if err != nil {
			return result{}, err
		}
		if original.tombstoned {
			return result{err: errStreamDeleted(r.stream)}, nil
		}
	}
	w.ids = w.ids[:0]
	for i := range r.events {
		w.ids = append(w.ids, r.events[i].id)
	}
	verdict, revision, err := w.decide(r.stream, s, r.expected, w.ids)
	if err != nil {
		return result{}, err
	}
	switch {
	case verdict == verdictDeleted:
		return result{err: errStreamDeleted(r.stream)}, nil
	case verdict == verdictWrong, r.action == actDelete && s.last < 0:
		return result{wrong: true, current: s.last}, nil
	case verdict == verdictSame:
		p, err := w.place(r.stream, s, revision)
		return result{revision: revision, position: p.position}, err
	}
	switch r.action {
	case actDelete:
		return w.softDelete(r.stream)
	case actTombstone:
		s.tombstoned = true
		return w.write(r.stream, s, tombstoneRevision, &r.events[0])
	default:
		return w.appendEvents(r.stream, s, r.events)
	}
}

func (w *writer) appendEvents(stream string, s *streamState, events []proposal) (result, error) {
	out := result{revision: s.last}
	first := s.last + 1
	for i := range events {
		var err error
		if out, err = w.write(stream, s, s.last+1, &events[i]); err != nil {
			return result{}, err
		}
	}
	if len(events) == 0 || !s.deleted() {
		return out, nil
	}
	_, err := w.describe(stream, s, revived(s.metaDoc, first))
	return out, err
}

func (w *writer) softDelete(stream string) (result, error) {
	s, err := w.state(stream)
	if err != nil {
		return result{}, err
	}
	return w.describe(stream, s, []byte(softDeleteDoc))
}

// describe appends a metadata event of a stream.
func (w *writer) describe(stream string, s *streamState, doc []byte) (result, error) {
	id, err := uuid.NewRandom()
	if err != nil {
		return result{}, err
	}
	name := metadataPrefix + stream
	m, err := w.state(name)
	if err != nil {
		return result{}, err
	}
	return w.write(name, m, m.last+1, &proposal{id: id, kind: metadataType, json: true, data: doc})
}

// write gives an event its revision and position and puts it into the batch.
func (w *writer) write(stream string, s *streamState, revision int64, p *proposal) (result, error) {
	position := w.head.next
	w.value = appendRecord(w.value[:0], stamp{stream: stream, revision: revision, position: position, created: w.created}, p)
	size := uint64(len(w.value))
	w.key = appendEventKey(w.key[:0], position)
	err := w.batch.Set(w.key, w.value, nil)
	w.key = appendRevisionKey(w.key[:0], stream, revision)
	at := place{position: position, id: p.id}
	w.value = appendPlace(w.value[:0], at)
	err = errors.Join(err, w.batch.Set(w.key, w.value, nil))
	w.key = appendIDKey(w.key[:0], stream, p.id)
	w.value = binary.BigEndian.AppendUint64(w.value[:0], uint64(revision))
	err = errors.Join(err, w.batch.Set(w.key, w.value, nil))
	if err != nil {
		return result{}, err
	}
	// Positions grow by the size of what was stored, so that the distance of two of them is about the bytes between them.
	w.head = head{next: position + size, last: position, events: w.head.events + 1}
	if revision != tombstoneRevision {
		if len(s.fresh) == 0 {
			w.dirty = append(w.dirty, s)
		}
		s.fresh = append(s.fresh, at)
		s.last = revision
	}
	return result{revision: revision, position: position}, w.noteMetadata(stream, p)
}

// noteMetadata brings the state of the described stream up to date with a new event of its metadata stream.
func (w *writer) noteMetadata(stream string, p *proposal) error {
	if !isMetadata(stream) || isMetadata(stream[len(metadataPrefix):]) {
		return nil
	}
	s, err := w.state(stream[len(metadataPrefix):])
	if err != nil {
		return err
	}
	s.described = true
	s.meta = parseMetadata(event{kind: []byte(p.kind), json: p.json, data: p.data})
	s.metaDoc = nil
	if s.deleted() {
		s.metaDoc = p.data
	}
	return nil
}
