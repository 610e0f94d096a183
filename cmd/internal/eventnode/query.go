package eventnode

import (
	"math"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"github.com/google/uuid"
)

// endMark is how the protocol writes "the end" where a revision or a position is expected.
const endMark uint64 = math.MaxUint64

// startKind is where a read begins.
type startKind int

const (
	fromStart startKind = iota
	fromEnd
	fromPoint
)

// query is a read or a subscription, checked.
type query struct {
	all       bool
	stream    string
	start     startKind
	revision  int64  // start of a stream, with fromPoint
	commit    uint64 // start of $all, with fromPoint
	exact     bool   // the start names an event, so that "after" excludes it
	backwards bool
	resolve   bool
	subscribe bool
	count     uint64
	filter    *filter
	stringIDs bool
	bounds    bool // the caller wants the first and last revision
}

func parseQuery(o *streams.ReadReq_Options) (*query, error) {
	q := &query{
		backwards: o.GetReadDirection() == streams.ReadReq_Options_Backwards,
		resolve:   o.GetResolveLinks(),
		bounds:    o.GetControlOption().GetCompatibility() >= 1,
	}
	if o.GetUuidOption() == nil {
		return nil, errInvalid("A read needs a UUID option.")
	}
	_, q.stringIDs = o.GetUuidOption().GetContent().(*streams.ReadReq_Options_UUIDOption_String_)
	if err := q.parseStart(o); err != nil {
		return nil, err
	}
	switch count := o.GetCountOption().(type) {
	case *streams.ReadReq_Options_Count:
		q.count = count.Count
		if q.count == 0 {
			return nil, errInvalid("A read needs a count above 0.")
		}
	case *streams.ReadReq_Options_Subscription:
		q.subscribe = true
	default:
		return nil, errInvalid("A read needs a count or a subscription.")
	}
	switch chosen := o.GetFilterOption().(type) {
	case *streams.ReadReq_Options_Filter:
		var err error
		if q.filter, err = parseFilter(chosen.Filter); err != nil {
			return nil, err
		}
	case *streams.ReadReq_Options_NoFilter:
	default:
		return nil, errInvalid("A read needs a filter or no filter.")
	}
	switch {
	case q.filter != nil && !q.all:
		return nil, errInvalid("The combination of a stream and a filter is invalid; filters work on $all.")
	case q.subscribe && q.backwards:
		return nil, errInvalid("The combination of a subscription and backwards is invalid.")
	case q.subscribe && q.filter != nil && q.filter.interval == 0:
		return nil, errInvalid("A filtered subscription needs a window and a checkpoint interval above 0.")
	}
	return q, nil
}

func (q *query) parseStart(o *streams.ReadReq_Options) error {
	switch from := o.GetStreamOption().(type) {
	case *streams.ReadReq_Options_Stream:
		return q.parseStreamStart(from.Stream)
	case *streams.ReadReq_Options_All:
		q.all = true
		return q.parseAllStart(from.All)
	}
	return errInvalid("A read needs a stream or $all.")
}

func (q *query) parseStreamStart(o *streams.ReadReq_Options_StreamOptions) error {
	q.stream = string(o.GetStreamIdentifier().GetStreamName())
	if err := checkStream(q.stream); err != nil {
		return err
	}
	switch from := o.GetRevisionOption().(type) {
	case *streams.ReadReq_Options_StreamOptions_Revision:
		switch {
		case from.Revision == endMark:
			q.start = fromEnd
		case from.Revision > math.MaxInt64:
			return errInvalid("Revision %d is out of range.", from.Revision)
		default:
			q.start, q.revision = fromPoint, int64(from.Revision)
		}
	case *streams.ReadReq_Options_StreamOptions_Start:
	case *streams.ReadReq_Options_StreamOptions_End:
		q.start = fromEnd
	default:
		return errInvalid("A read of a stream needs a revision to start from.")
	}
	return nil
}

func (q *query) parseAllStart(o *streams.ReadReq_Options_AllOptions) error {
	switch from := o.GetAllOption().(type) {
	case *streams.ReadReq_Options_AllOptions_Position:
		commit, prepare := from.Position.GetCommitPosition(), from.Position.GetPreparePosition()
		switch {
		case commit == endMark && prepare == endMark:
			q.start = fromEnd
		case commit > math.MaxInt64 || prepare > commit:
			return errInvalid("Position %d/%d is out of range.", commit, prepare)
		default:
			q.start, q.commit, q.exact = fromPoint, commit, commit == prepare
		}
	case *streams.ReadReq_Options_AllOptions_Start:
	case *streams.ReadReq_Options_AllOptions_End:
		q.start = fromEnd
	default:
		return errInvalid("A read of $all needs a position to start from.")
	}
	return nil
}

// checkStream checks a stream name: bytes, neither empty nor the bare prefix of metadata streams.
func checkStream(name string) error {
	switch {
	case name == "" || name == metadataPrefix:
		return errInvalid("'%s' is not a stream name.", name)
	case len(name) > maxStreamName:
		return errInvalid("A stream name is longer than %d bytes.", maxStreamName)
	}
	return nil
}

// parseUUID accepts both forms in which clients send ids.
func parseUUID(id *shared.UUID) (uuid.UUID, error) {
	switch v := id.GetValue().(type) {
	case *shared.UUID_Structured_:
		return uuidOf(uint64(v.Structured.GetMostSignificantBits()), uint64(v.Structured.GetLeastSignificantBits())), nil
	case *shared.UUID_String_:
		parsed, err := uuid.Parse(v.String_)
		if err != nil {
			return uuid.Nil, errInvalid("'%s' is not a UUID.", v.String_)
		}
		return parsed, nil
	}
	return uuid.Nil, nil
}
