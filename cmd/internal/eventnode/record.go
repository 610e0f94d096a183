package eventnode

import (
	"strconv"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/encoding/protowire"
)

// A record is the stored form of one event: its id (16 bytes), then the protobuf fields of RecordedEvent after the id. A reply
// is made by putting the id in front in the form the caller asked for and wrapping the rest unread, so that reading costs one
// copy per event and no decoding.

// Field numbers of the protocol's messages.
const (
	fieldEventID       = 1
	fieldEventStream   = 2
	fieldEventRevision = 3
	fieldEventPrepare  = 4
	fieldEventCommit   = 5
	fieldEventMeta     = 6
	fieldEventCustom   = 7
	fieldEventData     = 8

	fieldStreamName = 3
	fieldMapKey     = 1
	fieldMapValue   = 2
)

// Keys of the metadata map of a proposed and of a recorded event.
const (
	metaType        = "type"
	metaCreated     = "created"
	metaContentType = "content-type"

	contentJSON   = "application/json"
	contentBinary = "application/octet-stream"
)

// proposal is an event somebody wants appended.
type proposal struct {
	id     uuid.UUID
	kind   string
	json   bool
	custom []byte
	data   []byte
}

// stamp is what the writer adds to a proposal.
type stamp struct {
	stream   string
	revision int64
	position uint64
	created  int64 // ticks of 100 ns since 1970
}

// ticksPerSecond counts the protocol's unit of time, 100 ns.
const ticksPerSecond = 10_000_000

func ticks(t time.Time) int64 { return t.Unix()*ticksPerSecond + int64(t.Nanosecond()/100) }

func appendRecord(b []byte, s stamp, p *proposal) []byte {
	b = append(b, p.id[:]...)
	name := 1 + protowire.SizeBytes(len(s.stream))
	b = protowire.AppendVarint(protowire.AppendTag(b, fieldEventStream, protowire.BytesType), uint64(name))
	b = protowire.AppendString(protowire.AppendTag(b, fieldStreamName, protowire.BytesType), s.stream)
	b = appendVarintField(b, fieldEventRevision, uint64(s.revision))
	b = appendVarintField(b, fieldEventPrepare, s.position)
	b = appendVarintField(b, fieldEventCommit, s.position)
	var digits [20]byte
	b = appendMetaEntry(b, metaCreated, strconv.AppendInt(digits[:0], s.created, 10))
	b = appendMetaEntry(b, metaType, p.kind)
	if p.json {
		b = appendMetaEntry(b, metaContentType, contentJSON)
	} else {
		b = appendMetaEntry(b, metaContentType, contentBinary)
	}
	if len(p.custom) > 0 {
		b = appendBytesField(b, fieldEventCustom, p.custom)
	}
	if len(p.data) > 0 {
		b = appendBytesField(b, fieldEventData, p.data)
	}
	return b
}

func appendVarintField(b []byte, field protowire.Number, v uint64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(b, field, protowire.VarintType), v)
}

func appendBytesField[T []byte | string](b []byte, field protowire.Number, v T) []byte {
	b = protowire.AppendVarint(protowire.AppendTag(b, field, protowire.BytesType), uint64(len(v)))
	return append(b, v...)
}

func appendMetaEntry[T []byte | string](b []byte, key string, value T) []byte {
	size := 2 + protowire.SizeBytes(len(key)) + protowire.SizeBytes(len(value))
	b = protowire.AppendVarint(protowire.AppendTag(b, fieldEventMeta, protowire.BytesType), uint64(size))
	b = appendBytesField(b, fieldMapKey, key)
	return appendBytesField(b, fieldMapValue, value)
}

// event is a record taken apart. Its slices point into the record.
type event struct {
	stream   []byte
	revision int64
	position uint64
	created  int64
	kind     []byte
	json     bool
	data     []byte
}

// recordStream returns the stream name of a record, the first thing in it after the id, without reading the rest.
func recordStream(record []byte) ([]byte, error) {
	if len(record) < 16 {
		return nil, errDamaged
	}
	_, _, n := protowire.ConsumeTag(record[16:])
	if n < 0 {
		return nil, errDamaged
	}
	v, n := protowire.ConsumeBytes(record[16+n:])
	if n < 0 {
		return nil, errDamaged
	}
	return streamName(v)
}

func streamName(identifier []byte) ([]byte, error) {
	_, _, n := protowire.ConsumeTag(identifier)
	if n < 0 {
		return nil, errDamaged
	}
	name, n := protowire.ConsumeBytes(identifier[n:])
	if n < 0 {
		return nil, errDamaged
	}
	return name, nil
}

func parseRecord(record []byte) (event, error) {
	var e event
	if len(record) < 16 {
		return e, errDamaged
	}
	for b := record[16:]; len(b) > 0; {
		field, kind, n := protowire.ConsumeTag(b)
		if n < 0 {
			return e, errDamaged
		}
		b = b[n:]
		if kind == protowire.VarintType {
			v, n := protowire.ConsumeVarint(b)
			if n < 0 {
				return e, errDamaged
			}
			b = b[n:]
			switch field {
			case fieldEventRevision:
				e.revision = int64(v)
			case fieldEventCommit:
				e.position = v
			}
			continue
		}
		v, n := protowire.ConsumeBytes(b)
		if n < 0 {
			return e, errDamaged
		}
		b = b[n:]
		var err error
		switch field {
		case fieldEventStream:
			e.stream, err = streamName(v)
		case fieldEventMeta:
			err = e.parseMeta(v)
		case fieldEventData:
			e.data = v
		}
		if err != nil {
			return e, err
		}
	}
	return e, nil
}

func (e *event) parseMeta(entry []byte) error {
	_, _, n := protowire.ConsumeTag(entry)
	if n < 0 {
		return errDamaged
	}
	key, k := protowire.ConsumeBytes(entry[n:])
	if k < 0 {
		return errDamaged
	}
	entry = entry[n+k:]
	_, _, n = protowire.ConsumeTag(entry)
	if n < 0 {
		return errDamaged
	}
	value, k := protowire.ConsumeBytes(entry[n:])
	if k < 0 {
		return errDamaged
	}
	switch string(key) {
	case metaType:
		e.kind = value
	case metaContentType:
		e.json = string(value) == contentJSON
	case metaCreated:
		created, err := strconv.ParseInt(string(value), 10, 64)
		if err != nil {
			return errDamaged
		}
		e.created = created
	}
	return nil
}
