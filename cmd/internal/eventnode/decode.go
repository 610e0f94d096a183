package eventnode

import (
	"unicode/utf8"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"github.com/google/uuid"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
)

// Field numbers of AppendReq and what lies in it.
const (
	fieldRequestOptions  = 1
	fieldRequestProposed = 2

	fieldOptionsStream   = 1
	fieldOptionsRevision = 2
	fieldOptionsNone     = 3
	fieldOptionsAny      = 4
	fieldOptionsExists   = 5

	fieldProposedID     = 1
	fieldProposedMeta   = 2
	fieldProposedCustom = 3
	fieldProposedData   = 4
)

// addBytes adds a message of an append as it came from the wire. Messages in the form in which every client writes them are read
// here, where they lie; all others are decoded by the generated code, which costs a dozen objects each. Slices of the request
// point into message.
func (c *appendCall) addBytes(message []byte) error {
	field, body, ok := soleField(message)
	switch {
	case ok && field == fieldRequestOptions:
		if stream, expected, ok := readAppendOptions(body); ok {
			return c.begin(stream, expected)
		}
	case ok && field == fieldRequestProposed:
		if p, ok := readProposal(body); ok {
			return c.propose(p)
		}
	}
	m := &streams.AppendReq{}
	if err := proto.Unmarshal(message, m); err != nil {
		return refuse(codes.Internal, "A message of the append cannot be decoded.")
	}
	return c.add(m)
}

// fields goes through an encoded message and calls use with each field that is a number or bytes. It returns false when the
// message holds anything else, is cut off, or use returns false.
func fields(b []byte, use func(field protowire.Number, number uint64, bytes []byte) bool) bool {
	for len(b) > 0 {
		field, kind, n := protowire.ConsumeTag(b)
		if n < 0 {
			return false
		}
		b = b[n:]
		var number uint64
		var bytes []byte
		switch kind {
		case protowire.VarintType:
			number, n = protowire.ConsumeVarint(b)
		case protowire.BytesType:
			bytes, n = protowire.ConsumeBytes(b)
			if bytes == nil {
				bytes = []byte{}
			}
		default:
			return false
		}
		if n < 0 || !use(field, number, bytes) {
			return false
		}
		b = b[n:]
	}
	return true
}

// soleField takes a message apart that holds exactly one field, of bytes.
func soleField(message []byte) (protowire.Number, []byte, bool) {
	field, kind, n := protowire.ConsumeTag(message)
	if n < 0 || kind != protowire.BytesType {
		return 0, nil, false
	}
	body, k := protowire.ConsumeBytes(message[n:])
	return field, body, k == len(message)-n
}

func readAppendOptions(b []byte) (stream string, expected expectation, ok bool) {
	expected = expectNothing
	ok = fields(b, func(field protowire.Number, number uint64, bytes []byte) bool {
		switch {
		case field == fieldOptionsStream && bytes != nil && stream == "":
			inner, name, sole := soleField(bytes)
			stream = string(name)
			return sole && inner == fieldStreamName
		case expected != expectNothing:
			return false
		case field == fieldOptionsRevision && bytes == nil:
			expected = revisionExpected(number)
		case field == fieldOptionsNone && bytes != nil && len(bytes) == 0:
			expected = expectNone
		case field == fieldOptionsAny && bytes != nil && len(bytes) == 0:
			expected = expectAny
		case field == fieldOptionsExists && bytes != nil && len(bytes) == 0:
			expected = expectExists
		default:
			return false
		}
		return true
	})
	return stream, expected, ok && expected != expectNothing
}

// readProposal reads an event with an id of two numbers and each of its other fields at most once.
func readProposal(b []byte) (proposal, bool) {
	var (
		p           proposal
		identified  bool
		contentType []byte
	)
	ok := fields(b, func(field protowire.Number, _ uint64, bytes []byte) bool {
		switch {
		case bytes == nil:
			return false
		case field == fieldProposedID && !identified:
			inner, id, sole := soleField(bytes)
			identified = true
			return sole && inner == fieldIDStructured && readStructured(id, &p.id)
		case field == fieldProposedMeta:
			key, value, ok := readEntry(bytes)
			switch {
			case !ok:
				return false
			case string(key) == metaType && p.kind == "":
				p.kind = string(value)
			case string(key) == metaContentType && contentType == nil:
				contentType = value
			default:
				return false
			}
			return utf8.Valid(value)
		case field == fieldProposedCustom && p.custom == nil:
			p.custom = bytes
		case field == fieldProposedData && p.data == nil:
			p.data = bytes
		default:
			return false
		}
		return true
	})
	p.json = string(contentType) == contentJSON
	return p, ok && p.kind != "" && contentType != nil && p.id != uuid.Nil
}

func readStructured(b []byte, id *uuid.UUID) bool {
	var halves [2]uint64
	seen := [2]bool{}
	ok := fields(b, func(field protowire.Number, number uint64, bytes []byte) bool {
		if bytes != nil || field > 2 || seen[field-1] {
			return false
		}
		halves[field-1], seen[field-1] = number, true
		return true
	})
	*id = uuidOf(halves[0], halves[1])
	return ok
}

// readEntry reads an entry of a map from text to text.
func readEntry(b []byte) (key, value []byte, ok bool) {
	ok = fields(b, func(field protowire.Number, _ uint64, bytes []byte) bool {
		switch {
		case field == fieldMapKey && bytes != nil && key == nil:
			key = bytes
		case field == fieldMapValue && bytes != nil && value == nil:
			value = bytes
		default:
			return false
		}
		return true
	})
	return key, value, ok && key != nil && value != nil
}

// appendReply encodes the answer to an append that was stored.
func appendReply(out result) []byte {
	position := 2 * (1 + protowire.SizeVarint(out.position))
	inner := 1 + protowire.SizeVarint(uint64(out.revision)) + 1 + protowire.SizeBytes(position)
	b := make([]byte, 0, 2+inner)
	b = appendHeader(b, fieldReplySuccess, inner)
	b = appendVarintField(b, fieldSuccessRevision, uint64(out.revision))
	b = appendHeader(b, fieldSuccessPosition, position)
	b = appendVarintField(b, 1, out.position)
	return appendVarintField(b, 2, out.position)
}

// Field numbers of AppendResp and its success.
const (
	fieldReplySuccess    = 1
	fieldSuccessRevision = 1
	fieldSuccessPosition = 3
)
