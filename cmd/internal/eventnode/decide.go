package eventnode

import (
	"github.com/google/uuid"
)

// expectation is what a writer believes is the newest revision of a stream: a revision, or one of the constants.
type expectation int64

const (
	expectNone    expectation = -1
	expectAny     expectation = -2
	expectExists  expectation = -4
	expectNothing expectation = -5 // the caller did not say; such a request is refused
)

// streamState is what the writer knows about a stream, including events of the running group, which the store does not hold
// yet.
type streamState struct {
	last       int64 // newest revision, -1 when there is none
	tombstoned bool
	described  bool // has a metadata stream
	meta       streamMeta
	metaDoc    []byte  // the metadata as written, kept only while soft-deleted
	fresh      []place // events of the running group, the newest ones of the stream
}

func (s *streamState) deleted() bool { return s.meta.truncateBefore == softDeleted }

// verdict is what becomes of a request to append.
type verdict int

const (
	verdictAppend  verdict = iota
	verdictSame            // stored before: answer as then
	verdictWrong           // another revision than expected
	verdictDeleted         // the stream is closed
)

// decide checks a request against the stream. For verdictSame it also returns the revision of the last of the events.
//
// The rules are the server's. A repeat of an append is recognised by its ids: under an exact expectation by comparing the
// events that follow the expected revision, under any and stream-exists by looking the ids up.
func (w *writer) decide(name string, s *streamState, expected expectation, ids []uuid.UUID) (verdict, int64, error) {
	switch {
	case s.tombstoned:
		return verdictDeleted, 0, nil
	case expected == expectExists && s.deleted():
		return verdictDeleted, 0, nil
	case expected == expectExists && s.last < 0 && !s.described:
		return verdictWrong, 0, nil
	case expected == expectAny || expected == expectExists:
		return w.decideByID(name, s, ids)
	case int64(expected) == s.last:
		return verdictAppend, 0, nil
	case int64(expected) > s.last || len(ids) == 0:
		return verdictWrong, 0, nil
	}
	for i, id := range ids {
		revision := int64(expected) + 1 + int64(i)
		if revision > s.last {
			return verdictWrong, 0, nil
		}
		stored, err := w.place(name, s, revision)
		switch {
		case err != nil:
			return 0, 0, err
		case stored.id == id:
			continue
		case i == 0 && expected == expectNone && s.deleted():
			return verdictAppend, 0, nil
		}
		return verdictWrong, 0, nil
	}
	return verdictSame, int64(expected) + int64(len(ids)), nil
}

func (w *writer) decideByID(name string, s *streamState, ids []uuid.UUID) (verdict, int64, error) {
	last := int64(-1)
	for i, id := range ids {
		revision, known, err := w.find(name, s, id)
		switch {
		case err != nil:
			return 0, 0, err
		case !known && i == 0:
			return verdictAppend, 0, nil
		case !known:
			return verdictWrong, 0, nil
		}
		last = revision
	}
	if len(ids) == 0 {
		return verdictAppend, 0, nil
	}
	return verdictSame, last, nil
}

// place returns where an event lies that the stream is known to have.
func (w *writer) place(name string, s *streamState, revision int64) (place, error) {
	if first := s.last - int64(len(s.fresh)) + 1; revision >= first {
		return s.fresh[revision-first], nil
	}
	return w.reader.place(name, revision)
}

// find looks for an event of the stream by id.
func (w *writer) find(name string, s *streamState, id uuid.UUID) (int64, bool, error) {
	for i := len(s.fresh) - 1; i >= 0; i-- {
		if s.fresh[i].id == id {
			return s.last - int64(len(s.fresh)-1-i), true, nil
		}
	}
	if s.last < 0 {
		return 0, false, nil
	}
	return w.reader.revisionByID(name, id)
}

// state returns what is known about a stream, reading it from the store the first time.
func (w *writer) state(name string) (*streamState, error) {
	if s, ok := w.states[name]; ok {
		return s, nil
	}
	r := w.store.reader(w.head.last, 0)
	s, err := loadState(r, name)
	if closing := r.close(); err == nil {
		err = closing
	}
	if err != nil {
		return nil, err
	}
	w.states[name] = s
	return s, nil
}

func loadState(r *reader, name string) (*streamState, error) {
	v, err := r.view(name)
	if err != nil {
		return nil, err
	}
	s := &streamState{last: v.last, tombstoned: v.tombstoned, described: v.described, meta: v.meta}
	if !s.deleted() {
		return s, nil
	}
	described, err := r.newest(metadataPrefix + name)
	if err != nil {
		return nil, err
	}
	record, err := r.record(described.position)
	if err != nil {
		return nil, err
	}
	e, err := parseRecord(record)
	s.metaDoc = append([]byte(nil), e.data...)
	return s, err
}
