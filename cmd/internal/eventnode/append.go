package eventnode

import (
	"errors"
	"io"
	"math"
	"unicode/utf8"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
)

// Append reads the request to its end even when it is bound to refuse: a refusal in the middle would reach the caller as a
// broken stream, without its reason.
func (s service) Append(stream streams.Streams_AppendServer) error {
	call := appendCall{request: request{expected: expectNothing}}
	for {
		var message encoded
		err := stream.RecvMsg(&message)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if call.refused == nil {
			call.refused = call.addBytes(message.bytes)
		}
	}
	if call.refused != nil {
		return call.refused
	}
	if call.expected == expectNothing {
		return errNoExpectation()
	}
	out := s.node.writer.submit(stream.Context(), &call.request)
	switch {
	case out.err != nil:
		return out.err
	case out.wrong:
		return stream.SendAndClose(&streams.AppendResp{Result: &streams.AppendResp_WrongExpectedVersion_{
			WrongExpectedVersion: wrongVersion(call.expected, out.current),
		}})
	case out.revision >= 0 && out.position > 0:
		return stream.SendMsg(&encoded{appendReply(out)})
	}
	return stream.SendAndClose(&streams.AppendResp{Result: &streams.AppendResp_Success_{Success: appended(out)}})
}

// appendCall gathers the messages of one append.
type appendCall struct {
	request
	refused error
	bytes   int // as the size limit counts
}

func (c *appendCall) add(m *streams.AppendReq) error {
	switch content := m.GetContent().(type) {
	case *streams.AppendReq_Options_:
		name := string(content.Options.GetStreamIdentifier().GetStreamName())
		return c.begin(name, expectationOf(content.Options.GetExpectedStreamRevision()))
	case *streams.AppendReq_ProposedMessage_:
		p, err := parseProposal(content.ProposedMessage)
		if err != nil {
			return err
		}
		return c.propose(p)
	}
	return errInvalid("An append message holds neither options nor an event.")
}

// begin names the stream and what is expected of it.
func (c *appendCall) begin(stream string, expected expectation) error {
	c.stream, c.expected = stream, expected
	if err := checkWritable(stream); err != nil {
		return err
	}
	if expected == expectNothing {
		return errNoExpectation()
	}
	return nil
}

func (c *appendCall) propose(p proposal) error {
	if c.bytes += len(p.data) + len(p.custom) + 2*utf8.RuneCountInString(p.kind); c.bytes > maxAppendSize {
		c.events = nil
		return errAppendSize()
	}
	c.events = append(c.events, p)
	c.size += len(p.data) + len(p.custom) + eventOverhead
	return nil
}

func parseProposal(m *streams.AppendReq_ProposedMessage) (proposal, error) {
	id, err := parseUUID(m.GetId())
	if err != nil {
		return proposal{}, err
	}
	properties := m.GetMetadata()
	kind, hasKind := properties[metaType]
	content, hasContent := properties[metaContentType]
	switch {
	case !hasKind || !hasContent:
		return proposal{}, errMissingProperty()
	case kind == "":
		return proposal{}, errThrown("An event needs a type.")
	case id == [16]byte{}:
		return proposal{}, errThrown("An event needs an id.")
	}
	return proposal{id: id, kind: kind, json: content == contentJSON, custom: m.GetCustomMetadata(), data: m.GetData()}, nil
}

// checkWritable checks the name of a stream that is to be written.
func checkWritable(name string) error {
	if name == allStream {
		return errInvalid("'%s' is the whole log; name a stream to write to.", allStream)
	}
	return checkStream(name)
}

// expectationOf reads the expected revision of an append, a deletion or a tombstone.
func expectationOf(option any) expectation {
	var revision uint64
	switch o := option.(type) {
	case *streams.AppendReq_Options_Revision:
		revision = o.Revision
	case *streams.DeleteReq_Options_Revision:
		revision = o.Revision
	case *streams.TombstoneReq_Options_Revision:
		revision = o.Revision
	case *streams.AppendReq_Options_NoStream, *streams.DeleteReq_Options_NoStream, *streams.TombstoneReq_Options_NoStream:
		return expectNone
	case *streams.AppendReq_Options_Any, *streams.DeleteReq_Options_Any, *streams.TombstoneReq_Options_Any:
		return expectAny
	case *streams.AppendReq_Options_StreamExists, *streams.DeleteReq_Options_StreamExists, *streams.TombstoneReq_Options_StreamExists:
		return expectExists
	default:
		return expectNothing
	}
	return revisionExpected(revision)
}

func revisionExpected(revision uint64) expectation {
	switch {
	case revision == endMark:
		return expectNone
	case revision >= math.MaxInt64:
		return expectNothing
	}
	return expectation(revision)
}

func appended(out result) *streams.AppendResp_Success {
	s := &streams.AppendResp_Success{
		CurrentRevisionOption: &streams.AppendResp_Success_CurrentRevision{CurrentRevision: uint64(out.revision)},
		PositionOption: &streams.AppendResp_Success_Position{
			Position: &streams.AppendResp_Position{CommitPosition: out.position, PreparePosition: out.position},
		},
	}
	// Only an append of no events has neither.
	if out.revision < 0 {
		s.CurrentRevisionOption = &streams.AppendResp_Success_NoStream{NoStream: &shared.Empty{}}
	}
	if out.position == 0 {
		s.PositionOption = &streams.AppendResp_Success_NoPosition{NoPosition: &shared.Empty{}}
	}
	return s
}

// wrongVersion is an ordinary answer, not an error. It fills the fields of old clients too.
func wrongVersion(expected expectation, current int64) *streams.AppendResp_WrongExpectedVersion {
	w := &streams.AppendResp_WrongExpectedVersion{}
	if current < 0 {
		w.CurrentRevisionOption = &streams.AppendResp_WrongExpectedVersion_CurrentNoStream{CurrentNoStream: &shared.Empty{}}
		w.CurrentRevisionOption_20_6_0 = &streams.AppendResp_WrongExpectedVersion_NoStream_20_6_0{NoStream_20_6_0: &shared.Empty{}}
	} else {
		w.CurrentRevisionOption = &streams.AppendResp_WrongExpectedVersion_CurrentRevision{CurrentRevision: uint64(current)}
		w.CurrentRevisionOption_20_6_0 = &streams.AppendResp_WrongExpectedVersion_CurrentRevision_20_6_0{CurrentRevision_20_6_0: uint64(current)}
	}
	switch expected {
	case expectAny:
		w.ExpectedRevisionOption = &streams.AppendResp_WrongExpectedVersion_ExpectedAny{ExpectedAny: &shared.Empty{}}
		w.ExpectedRevisionOption_20_6_0 = &streams.AppendResp_WrongExpectedVersion_Any_20_6_0{Any_20_6_0: &shared.Empty{}}
	case expectExists:
		w.ExpectedRevisionOption = &streams.AppendResp_WrongExpectedVersion_ExpectedStreamExists{ExpectedStreamExists: &shared.Empty{}}
		w.ExpectedRevisionOption_20_6_0 = &streams.AppendResp_WrongExpectedVersion_StreamExists_20_6_0{StreamExists_20_6_0: &shared.Empty{}}
	case expectNone:
		w.ExpectedRevisionOption = &streams.AppendResp_WrongExpectedVersion_ExpectedNoStream{ExpectedNoStream: &shared.Empty{}}
		w.ExpectedRevisionOption_20_6_0 = &streams.AppendResp_WrongExpectedVersion_ExpectedRevision_20_6_0{ExpectedRevision_20_6_0: endMark}
	default:
		w.ExpectedRevisionOption = &streams.AppendResp_WrongExpectedVersion_ExpectedRevision{ExpectedRevision: uint64(expected)}
		w.ExpectedRevisionOption_20_6_0 = &streams.AppendResp_WrongExpectedVersion_ExpectedRevision_20_6_0{ExpectedRevision_20_6_0: uint64(expected)}
	}
	return w
}
