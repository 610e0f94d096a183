package eventnode

import (
	"encoding/binary"

	"github.com/google/uuid"
	"google.golang.org/protobuf/encoding/protowire"
)

// Field numbers of ReadResp and what lies in it.
const (
	fieldReplyEvent        = 1
	fieldReplyConfirmation = 2
	fieldReplyCheckpoint   = 3
	fieldReplyNotFound     = 4
	fieldReplyFirst        = 5
	fieldReplyLast         = 6
	fieldReplyCaughtUp     = 8

	fieldReadEvent    = 1
	fieldReadLink     = 2
	fieldReadPosition = 3

	fieldIDStructured = 1
	fieldIDString     = 2
)

const (
	smallArena = 4 << 10
	largeArena = 256 << 10
)

// page collects encoded replies until they are sent. The bytes lie in arenas that are filled once and never reused, because
// the transport keeps what it was given until it is on the wire; the collector takes an arena when its last message is gone.
type page struct {
	messages  [][]byte
	size      int
	arena     []byte
	nextArena int
}

// clear forgets the messages, after they were handed to the transport.
func (p *page) clear() {
	p.messages = p.messages[:0]
	p.size = 0
}

// room returns an empty slice into an arena with space for n bytes. The caller appends at most n bytes and calls add.
func (p *page) room(n int) []byte {
	if cap(p.arena)-len(p.arena) < n {
		p.nextArena = min(max(2*p.nextArena, smallArena), largeArena)
		p.arena = make([]byte, 0, max(n, p.nextArena))
	}
	return p.arena[len(p.arena):]
}

func (p *page) add(message []byte) {
	p.arena = p.arena[:len(p.arena)+len(message)]
	p.messages = append(p.messages, message[:len(message):len(message)])
	p.size += len(message)
}

// event adds one ReadEvent. Either record may be nil: event when a link leads nowhere, link when there is none. position is
// that of the link if there is one, else of the event.
func (p *page) event(record, link []byte, position uint64, stringIDs bool) {
	var ids [2][40]byte
	recordID, recordSize := wireID(ids[0][:0], record, stringIDs)
	linkID, linkSize := wireID(ids[1][:0], link, stringIDs)
	inner := 1 + protowire.SizeVarint(position)
	if record != nil {
		inner += 1 + protowire.SizeBytes(recordSize)
	}
	if link != nil {
		inner += 1 + protowire.SizeBytes(linkSize)
	}
	b := p.room(1 + protowire.SizeBytes(inner))
	b = appendHeader(b, fieldReplyEvent, inner)
	if record != nil {
		b = appendHeader(b, fieldReadEvent, recordSize)
		b = append(b, recordID...)
		b = append(b, record[16:]...)
	}
	if link != nil {
		b = appendHeader(b, fieldReadLink, linkSize)
		b = append(b, linkID...)
		b = append(b, link[16:]...)
	}
	p.add(appendVarintField(b, fieldReadPosition, position))
}

// wireID encodes the id of a record as the first field of a RecordedEvent, and says how long that message will be.
func wireID(b, record []byte, asString bool) (id []byte, size int) {
	if record == nil {
		return nil, 0
	}
	if asString {
		text := uuid.UUID(record[:16]).String()
		b = appendHeader(b, fieldEventID, 1+protowire.SizeBytes(len(text)))
		b = appendBytesField(b, fieldIDString, text)
	} else {
		most, least := binary.BigEndian.Uint64(record), binary.BigEndian.Uint64(record[8:])
		inner := 2 + protowire.SizeVarint(most) + protowire.SizeVarint(least)
		b = appendHeader(b, fieldEventID, 1+protowire.SizeBytes(inner))
		b = appendHeader(b, fieldIDStructured, inner)
		b = appendVarintField(b, 1, most)
		b = appendVarintField(b, 2, least)
	}
	return b, len(b) + len(record) - 16
}

func (p *page) confirmation(subscription string) {
	b := p.room(64)
	b = appendHeader(b, fieldReplyConfirmation, 1+protowire.SizeBytes(len(subscription)))
	p.add(appendBytesField(b, 1, subscription))
}

func (p *page) checkpoint(position uint64) {
	b := p.room(32)
	b = appendHeader(b, fieldReplyCheckpoint, 2*(1+protowire.SizeVarint(position)))
	b = appendVarintField(b, 1, position)
	p.add(appendVarintField(b, 2, position))
}

func (p *page) caughtUp() {
	p.add(appendHeader(p.room(8), fieldReplyCaughtUp, 0))
}

func (p *page) notFound(stream string) {
	identifier := 1 + protowire.SizeBytes(len(stream))
	b := p.room(16 + len(stream))
	b = appendHeader(b, fieldReplyNotFound, 1+protowire.SizeBytes(identifier))
	b = appendHeader(b, 1, identifier)
	p.add(appendBytesField(b, fieldStreamName, stream))
}

// bound adds the first or the last revision of a stream, for callers that asked for them.
func (p *page) bound(field protowire.Number, revision int64) {
	p.add(appendVarintField(p.room(16), field, uint64(revision)))
}

// appendHeader begins a field that holds size bytes.
func appendHeader(b []byte, field protowire.Number, size int) []byte {
	return protowire.AppendVarint(protowire.AppendTag(b, field, protowire.BytesType), uint64(size))
}
