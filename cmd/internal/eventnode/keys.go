package eventnode

import (
	"bytes"
	"encoding/binary"
	"math"

	"github.com/google/uuid"
)

// The store holds four families of keys, told apart by their first byte. Keys are only ever added, never changed or removed,
// except the head, which is written anew by every group.
//
//	h                            -> head
//	e position                   -> record
//	s len(name) name revision    -> position, id
//	i len(name) name id          -> revision
//
// Numbers are big endian so that byte order is number order; the length before a name keeps the keys of one stream together
// and apart from those of a stream whose name merely begins alike.
const (
	headFamily     = 'h'
	eventFamily    = 'e'
	revisionFamily = 's'
	idFamily       = 'i'
)

// tombstoneRevision is the revision of the event that closes a stream for good. It sorts after every other revision.
const tombstoneRevision int64 = math.MaxInt64

// placeSize is the length of the value under a revision key: position and event id.
const placeSize = 8 + 16

func headKey() []byte { return []byte{headFamily} }

func appendEventKey(b []byte, position uint64) []byte {
	return binary.BigEndian.AppendUint64(append(b, eventFamily), position)
}

func eventKeyPosition(key []byte) uint64 { return binary.BigEndian.Uint64(key[1:]) }

func appendStreamPrefix(b []byte, family byte, stream string) []byte {
	b = binary.AppendUvarint(append(b, family), uint64(len(stream)))
	return append(b, stream...)
}

func appendRevisionKey(b []byte, stream string, revision int64) []byte {
	return binary.BigEndian.AppendUint64(appendStreamPrefix(b, revisionFamily, stream), uint64(revision))
}

func appendIDKey(b []byte, stream string, id uuid.UUID) []byte {
	return append(appendStreamPrefix(b, idFamily, stream), id[:]...)
}

// revisionOf reads the revision out of a revision key that begins with prefix.
func revisionOf(key, prefix []byte) (int64, bool) {
	if len(key) != len(prefix)+8 || !bytes.HasPrefix(key, prefix) {
		return 0, false
	}
	return int64(binary.BigEndian.Uint64(key[len(prefix):])), true
}

// place is where an event of a stream lies in the log, and its id.
type place struct {
	position uint64
	id       uuid.UUID
}

func appendPlace(b []byte, p place) []byte {
	return append(binary.BigEndian.AppendUint64(b, p.position), p.id[:]...)
}

func parsePlace(v []byte) (place, error) {
	if len(v) != placeSize {
		return place{}, errDamaged
	}
	p := place{position: binary.BigEndian.Uint64(v)}
	copy(p.id[:], v[8:])
	return p, nil
}

// head is what the writer needs to go on after a restart.
type head struct {
	next   uint64 // the position of the next event
	last   uint64 // the position of the last event, 0 when there is none
	events uint64
}

// layout is the version of everything in this file and of the record; a store of another layout is refused.
const layout = 1

func appendHead(b []byte, h head) []byte {
	b = binary.BigEndian.AppendUint64(append(b, layout), h.next)
	b = binary.BigEndian.AppendUint64(b, h.last)
	return binary.BigEndian.AppendUint64(b, h.events)
}

func parseHead(v []byte) (head, error) {
	if len(v) == 0 {
		return head{}, errDamaged
	}
	if v[0] != layout {
		return head{}, errLayout
	}
	if len(v) != 25 {
		return head{}, errDamaged
	}
	return head{
		next:   binary.BigEndian.Uint64(v[1:]),
		last:   binary.BigEndian.Uint64(v[9:]),
		events: binary.BigEndian.Uint64(v[17:]),
	}, nil
}
