package eventnode

import (
	"bytes"
	"encoding/binary"
	"errors"
	"strconv"

	"github.com/cockroachdb/pebble/v2"
	"github.com/google/uuid"
)

// reader looks at the store as it was when the durable line stood at limit. It holds Pebble iterators and with them memory and
// files, so it lives for one page and is never kept while a caller is slow. It is not safe for concurrent use.
type reader struct {
	store  *store
	limit  uint64
	now    int64 // ticks
	index  *pebble.Iterator
	events *pebble.Iterator
	points *pebble.Iterator // looks for single keys
	links  *reader          // looks up targets of links without moving the iterators above
	key    []byte
}

func (s *store) reader(limit uint64, now int64) *reader {
	return &reader{store: s, limit: limit, now: now}
}

func (r *reader) close() error {
	var errs []error
	for _, it := range []*pebble.Iterator{r.index, r.events, r.points} {
		if it != nil {
			errs = append(errs, it.Close())
		}
	}
	if r.links != nil {
		errs = append(errs, r.links.close())
	}
	return errors.Join(errs...)
}

// open makes the iterator over one family of keys, the first time it is needed.
func (r *reader) open(it **pebble.Iterator, family byte) error {
	if *it != nil {
		return nil
	}
	var err error
	*it, err = r.store.db.NewIter(&pebble.IterOptions{LowerBound: []byte{family}, UpperBound: []byte{family + 1}})
	return err
}

// view is what a caller may see of a stream.
type view struct {
	last       int64 // newest revision, -1 when there is none
	tombstoned bool
	described  bool // has a metadata stream
	meta       streamMeta
}

// missing tells whether the stream reads as not found.
func (v view) missing() bool { return v.last < 0 || v.meta.truncateBefore == softDeleted }

// first is the lowest revision that is not cut off by count or by $tb, at most the one after the last: whoever goes on from
// there misses nothing that is still to come.
func (v view) first() int64 {
	first := v.meta.truncateBefore
	if v.meta.maxCount > 0 {
		first = max(first, v.last-v.meta.maxCount+1)
	}
	return min(max(first, 0), v.last+1)
}

// shows tells whether the event is young enough.
func (v view) shows(record []byte, now int64) (bool, error) {
	if v.meta.maxAge == 0 {
		return true, nil
	}
	e, err := parseRecord(record)
	return err == nil && e.created >= now-v.meta.maxAge, err
}

func (r *reader) view(stream string) (view, error) {
	v := view{last: -1}
	last, err := r.newest(stream)
	if err != nil {
		return v, err
	}
	v.last, v.tombstoned = last.revision, last.tombstoned
	if isMetadata(stream) {
		v.meta = ofMetadata
		if !v.tombstoned {
			original, err := r.newest(stream[len(metadataPrefix):])
			v.tombstoned = original.tombstoned
			return v, err
		}
		return v, nil
	}
	described, err := r.newest(metadataPrefix + stream)
	if err != nil || described.revision < 0 {
		return v, err
	}
	v.described = true
	record, err := r.record(described.position)
	if err != nil {
		return v, err
	}
	e, err := parseRecord(record)
	v.meta = parseMetadata(e)
	return v, err
}

// tip is the newest event of a stream; revision is -1 when there is none. A tombstone is reported by the flag, not as the
// newest event.
type tip struct {
	revision   int64
	position   uint64
	tombstoned bool
}

func (r *reader) newest(stream string) (tip, error) {
	t := tip{revision: -1}
	// Most streams that are asked for do not exist: those that are about to, and those that would describe others. The filters of
	// the files say so from memory, where an iterator would read a block in every level.
	if begun, err := r.begun(stream); err != nil || !begun {
		return t, err
	}
	if err := r.open(&r.index, revisionFamily); err != nil {
		return t, err
	}
	r.key = appendStreamPrefix(r.key[:0], revisionFamily, stream)
	prefix := len(r.key)
	r.key = binary.BigEndian.AppendUint64(r.key, 1<<63) // above every revision
	for ok := r.index.SeekLT(r.key); ok; ok = r.index.Prev() {
		revision, ok := revisionOf(r.index.Key(), r.key[:prefix])
		if !ok {
			break
		}
		p, err := parsePlace(r.index.Value())
		if err != nil {
			return t, err
		}
		if p.position > r.limit {
			continue
		}
		if revision == tombstoneRevision {
			t.tombstoned = true
			continue
		}
		t.revision, t.position = revision, p.position
		break
	}
	return t, r.index.Error()
}

// begun tells whether a stream has a first event or a tombstone, durable or not.
func (r *reader) begun(stream string) (bool, error) {
	if r.points == nil {
		var err error
		if r.points, err = r.store.db.NewIter(&pebble.IterOptions{
			LowerBound: []byte{revisionFamily}, UpperBound: []byte{revisionFamily + 1},
			UseL6Filters: true, // where most of a long log lies; Get leaves them out
		}); err != nil {
			return false, err
		}
	}
	for _, revision := range []int64{0, tombstoneRevision} {
		r.key = appendRevisionKey(r.key[:0], stream, revision)
		if r.points.SeekPrefixGE(r.key) {
			return true, nil
		}
	}
	return false, r.points.Error()
}

// record returns the record at a position. It is valid until the next call.
func (r *reader) record(position uint64) ([]byte, error) {
	if err := r.open(&r.events, eventFamily); err != nil {
		return nil, err
	}
	r.key = appendEventKey(r.key[:0], position)
	if !r.events.SeekGE(r.key) || !bytes.Equal(r.events.Key(), r.key) {
		return nil, errors.Join(errDamaged, r.events.Error())
	}
	record, err := r.events.ValueAndErr()
	if err == nil && len(record) < 16 {
		err = errDamaged
	}
	return record, err
}

// stream visits the events of a stream from a revision on, upwards or downwards, until visit returns false or there are no
// more. It tells whether it reached the end.
func (r *reader) stream(name string, from int64, backwards bool, visit func(revision int64, p place) (bool, error)) (end bool, err error) {
	if err := r.open(&r.index, revisionFamily); err != nil {
		return false, err
	}
	prefix := appendStreamPrefix(nil, revisionFamily, name)
	key := binary.BigEndian.AppendUint64(bytes.Clone(prefix), uint64(from))
	var ok bool
	if backwards {
		ok = r.index.SeekLT(append(key, 0)) // the first key above from
	} else {
		ok = r.index.SeekGE(key)
	}
	for ok {
		revision, same := revisionOf(r.index.Key(), prefix)
		if !same {
			break
		}
		p, err := parsePlace(r.index.Value())
		if err != nil {
			return false, err
		}
		switch {
		case p.position <= r.limit:
			if more, err := visit(revision, p); err != nil || !more {
				return false, err
			}
		case !backwards:
			return true, nil
		}
		if backwards {
			ok = r.index.Prev()
		} else {
			ok = r.index.Next()
		}
	}
	return true, r.index.Error()
}

// all visits the whole log: upwards from a position on, or downwards from below it. See stream.
func (r *reader) all(from uint64, backwards bool, visit func(position uint64, record []byte) (bool, error)) (end bool, err error) {
	if err := r.open(&r.events, eventFamily); err != nil {
		return false, err
	}
	key := appendEventKey(nil, from)
	var ok bool
	if backwards {
		ok = r.events.SeekLT(key)
	} else {
		ok = r.events.SeekGE(key)
	}
	for ok {
		position := eventKeyPosition(r.events.Key())
		switch {
		case position <= r.limit:
			record, err := r.events.ValueAndErr()
			if err != nil {
				return false, err
			}
			if more, err := visit(position, record); err != nil || !more {
				return false, err
			}
		case !backwards:
			return true, nil
		}
		if backwards {
			ok = r.events.Prev()
		} else {
			ok = r.events.Next()
		}
	}
	return true, r.events.Error()
}

// target follows a link. It returns nil when record is a link that leads nowhere a caller may look; isLink is false for any
// other event.
func (r *reader) target(record []byte) (target []byte, isLink bool, err error) {
	e, err := parseRecord(record)
	if err != nil || string(e.kind) != linkType {
		return nil, false, err
	}
	number, name, ok := bytes.Cut(e.data, []byte("@"))
	revision, bad := strconv.ParseInt(string(number), 10, 64)
	if !ok || bad != nil || revision < 0 || revision == tombstoneRevision {
		return nil, true, nil
	}
	if r.links == nil {
		r.links = r.store.reader(r.limit, r.now)
	}
	target, err = r.links.visible(string(name), revision)
	return target, true, err
}

// visible returns one event of a stream, nil when a caller may not see it.
func (r *reader) visible(stream string, revision int64) ([]byte, error) {
	v, err := r.view(stream)
	if err != nil || v.tombstoned || v.missing() || revision < v.first() || revision > v.last {
		return nil, err
	}
	p, err := r.place(stream, revision)
	if err != nil {
		return nil, err
	}
	record, err := r.record(p.position)
	if err != nil {
		return nil, err
	}
	if ok, err := v.shows(record, r.now); err != nil || !ok {
		return nil, err
	}
	return record, nil
}

func (r *reader) place(stream string, revision int64) (place, error) {
	r.key = appendRevisionKey(r.key[:0], stream, revision)
	v, closer, err := r.store.db.Get(r.key)
	if err != nil {
		return place{}, errors.Join(errDamaged, err)
	}
	p, err := parsePlace(v)
	return p, errors.Join(err, closer.Close())
}

// revisionByID looks for an event of a stream by its id. ok is false when the stream has none.
func (r *reader) revisionByID(stream string, id uuid.UUID) (revision int64, ok bool, err error) {
	r.key = appendIDKey(r.key[:0], stream, id)
	v, closer, err := r.store.db.Get(r.key)
	if errors.Is(err, pebble.ErrNotFound) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, err
	}
	if len(v) != 8 {
		return 0, false, errors.Join(errDamaged, closer.Close())
	}
	revision = int64(binary.BigEndian.Uint64(v))
	return revision, true, closer.Close()
}
