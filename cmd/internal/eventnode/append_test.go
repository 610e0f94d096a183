package eventnode

import (
	"fmt"
	"strings"
	"testing"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"github.com/google/uuid"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
)

// history brings a stream into a state that the decision table speaks of.
type history func(t *testing.T, c *esdb.Client, stream string)

func none(*testing.T, *esdb.Client, string) {}

func three(t *testing.T, c *esdb.Client, stream string) {
	appendTo(t, c, stream, esdb.NoStream{}, names("old", 3)...)
}

func deleted(t *testing.T, c *esdb.Client, stream string) {
	three(t, c, stream)
	if _, err := c.DeleteStream(soon(t), stream, esdb.DeleteStreamOptions{ExpectedRevision: esdb.Any{}}); err != nil {
		t.Fatal(err)
	}
}

func tombstoned(t *testing.T, c *esdb.Client, stream string) {
	three(t, c, stream)
	if _, err := c.TombstoneStream(soon(t), stream, esdb.TombstoneStreamOptions{ExpectedRevision: esdb.Any{}}); err != nil {
		t.Fatal(err)
	}
}

func described(t *testing.T, c *esdb.Client, stream string) {
	m := esdb.StreamMetadata{}
	m.SetMaxCount(10)
	if _, err := c.SetStreamMetadata(soon(t), stream, esdb.AppendToStreamOptions{}, m); err != nil {
		t.Fatal(err)
	}
}

func TestAppendDecisions(t *testing.T) {
	fresh, known := names("new", 2), names("old", 3)
	const (
		written = iota
		same
		wrong
		gone
	)
	tests := []struct {
		name     string
		history  history
		expected esdb.ExpectedRevision
		events   []esdb.EventData
		want     int
		revision uint64
		text     string // in the refusal
	}{
		{"no stream, missing", none, esdb.NoStream{}, fresh, written, 1, ""},
		{"any, missing", none, esdb.Any{}, fresh, written, 1, ""},
		{"exists, missing", none, esdb.StreamExists{}, fresh, wrong, 0, "expecting 'stream_exists' but got 'no_stream'"},
		{"revision, missing", none, esdb.Revision(0), fresh, wrong, 0, "expecting '0' but got 'no_stream'"},
		{"exists, only metadata", described, esdb.StreamExists{}, fresh, written, 1, ""},
		{"no stream, only metadata", described, esdb.NoStream{}, fresh, written, 1, ""},

		{"revision, right", three, esdb.Revision(2), fresh, written, 4, ""},
		{"revision, too high", three, esdb.Revision(3), fresh, wrong, 0, "expecting '3' but got '2'"},
		{"revision, too low", three, esdb.Revision(1), fresh, wrong, 0, "expecting '1' but got '2'"},
		{"no stream, exists", three, esdb.NoStream{}, fresh, wrong, 0, "expecting 'no_stream' but got '2'"},
		{"any, exists", three, esdb.Any{}, fresh, written, 4, ""},
		{"exists, exists", three, esdb.StreamExists{}, fresh, written, 4, ""},

		{"repeat from the start", three, esdb.NoStream{}, known, same, 2, ""},
		{"repeat of a part", three, esdb.NoStream{}, known[:2], same, 1, ""},
		{"repeat in the middle", three, esdb.Revision(0), known[1:2], same, 1, ""},
		{"repeat in another order", three, esdb.NoStream{}, []esdb.EventData{known[1], known[0]}, wrong, 0, "got '2'"},
		{"repeat that goes on", three, esdb.Revision(1), append(known[2:3:3], fresh...), wrong, 0, "got '2'"},
		{"repeat at the right revision", three, esdb.Revision(2), known[:1], written, 3, ""},
		{"any, all known", three, esdb.Any{}, known[1:], same, 2, ""},
		{"exists, all known", three, esdb.StreamExists{}, known[1:], same, 2, ""},
		{"any, first known", three, esdb.Any{}, append(known[2:3:3], fresh...), wrong, 0, "expecting 'any' but got '2'"},
		{"any, later one known", three, esdb.Any{}, append(fresh[:1:1], known...), written, 6, ""},

		{"deleted, any", deleted, esdb.Any{}, fresh, written, 4, ""},
		{"deleted, no stream", deleted, esdb.NoStream{}, fresh, written, 4, ""},
		{"deleted, right revision", deleted, esdb.Revision(2), fresh, written, 4, ""},
		{"deleted, wrong revision", deleted, esdb.Revision(1), fresh, wrong, 0, "got '2'"},
		{"deleted, exists", deleted, esdb.StreamExists{}, fresh, gone, 0, ""},
		{"deleted, repeat", deleted, esdb.NoStream{}, known, same, 2, ""},

		{"tombstoned, any", tombstoned, esdb.Any{}, fresh, gone, 0, ""},
		{"tombstoned, no stream", tombstoned, esdb.NoStream{}, fresh, gone, 0, ""},
		{"tombstoned, revision", tombstoned, esdb.Revision(2), fresh, gone, 0, ""},
		{"tombstoned, repeat", tombstoned, esdb.NoStream{}, known, gone, 0, ""},
	}
	n := started(t, Options{})
	c := official(t, n)
	for i, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			stream := fmt.Sprintf("decisions-%d", i)
			test.history(t, c, stream)
			before := n.store.durable.Load()
			r, err := c.AppendToStream(soon(t), stream, esdb.AppendToStreamOptions{ExpectedRevision: test.expected}, test.events...)
			stored := n.store.durable.Load() != before
			switch test.want {
			case written, same:
				if err != nil {
					t.Fatal(err)
				}
				if r.NextExpectedVersion != test.revision || stored != (test.want == written) {
					t.Errorf("revision %d, stored %v", r.NextExpectedVersion, stored)
				}
				last := test.events[len(test.events)-1]
				if got := eventAt(t, c, r.CommitPosition); got.EventID != last.EventID || got.EventNumber != r.NextExpectedVersion {
					t.Errorf("the position %d leads to %s@%d", r.CommitPosition, got.EventID, got.EventNumber)
				}
			case wrong:
				if code(err) != esdb.ErrorCodeWrongExpectedVersion || !strings.Contains(err.Error(), test.text) || stored {
					t.Errorf("error %v, stored %v", err, stored)
				}
			case gone:
				if code(err) != esdb.ErrorCodeStreamDeleted || stored {
					t.Errorf("error %v, stored %v", err, stored)
				}
			}
		})
	}
}

// eventAt is the event at a position of $all.
func eventAt(t *testing.T, c *esdb.Client, position uint64) *esdb.RecordedEvent {
	t.Helper()
	read, err := c.ReadAll(soon(t), esdb.ReadAllOptions{From: esdb.Position{Commit: position, Prepare: position}}, 1)
	events, err := all(t, read, err)
	if err != nil || len(events) != 1 || events[0].Event.Position.Commit != position {
		t.Fatalf("nothing at position %d: %v", position, err)
	}
	return events[0].Event
}

func TestRepeatIsRecognisedAfterGrowthAndRestart(t *testing.T) {
	dir := t.TempDir()
	n := started(t, Options{Dir: dir})
	c := official(t, n)
	first := appendTo(t, c, "s", esdb.NoStream{}, names("a", 2)...)
	appendTo(t, c, "s", esdb.Revision(1), names("b", 2)...)
	for _, expected := range []esdb.ExpectedRevision{esdb.NoStream{}, esdb.Any{}} {
		if again := appendTo(t, c, "s", expected, names("a", 2)...); *again != *first {
			t.Errorf("%v: %+v, first %+v", expected, again, first)
		}
	}
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	c = official(t, started(t, Options{Dir: dir}))
	for _, expected := range []esdb.ExpectedRevision{esdb.NoStream{}, esdb.Any{}, esdb.StreamExists{}} {
		if again := appendTo(t, c, "s", expected, names("a", 2)...); *again != *first {
			t.Errorf("%v after a restart: %+v, first %+v", expected, again, first)
		}
	}
	if events := readStream(t, c, "s", esdb.ReadStreamOptions{}); len(events) != 4 {
		t.Errorf("%d events", len(events))
	}
}

func TestSameIDInAnotherStreamIsAnotherEvent(t *testing.T) {
	c := official(t, started(t, Options{}))
	appendTo(t, c, "one", esdb.Any{}, named("x"))
	appendTo(t, c, "two", esdb.Any{}, named("x"))
	if got := data(readAll(t, c, esdb.ReadAllOptions{})); len(got) != 2 {
		t.Error(got)
	}
}

func TestRecordedEvent(t *testing.T) {
	n := started(t, Options{Now: clock(1_700_000_000_123_456_789)})
	c := official(t, n)
	id := uuid.MustParse("f0e1d2c3-b4a5-4687-9788-69fa5b4c3d2e")
	stream := "ünïcode-\x01 stream"
	r := appendTo(t, c, stream, esdb.NoStream{}, esdb.EventData{
		EventID: id, EventType: "Fact", ContentType: esdb.ContentTypeJson, Data: []byte(`{"a":1}`), Metadata: []byte(`{"m":2}`),
	}, esdb.EventData{EventID: uuid.New(), EventType: "Blob", ContentType: esdb.ContentTypeBinary})
	events := readStream(t, c, stream, esdb.ReadStreamOptions{})
	e := events[0].Event
	if e.EventID != id || e.EventType != "Fact" || e.ContentType != "application/json" || e.StreamID != stream || e.EventNumber != 0 ||
		string(e.Data) != `{"a":1}` || string(e.UserMetadata) != `{"m":2}` || e.CreatedDate.UnixNano() != 1_700_000_000_123_456_700 {
		t.Errorf("%+v", e)
	}
	blob := events[1].Event
	if blob.ContentType != "application/octet-stream" || len(blob.Data) != 0 || len(blob.UserMetadata) != 0 {
		t.Errorf("%+v", blob)
	}
	if e.Position.Commit == 0 || e.Position.Prepare != e.Position.Commit || blob.Position.Commit <= e.Position.Commit || blob.Position.Commit != r.CommitPosition {
		t.Errorf("positions %v %v, reply %v", e.Position, blob.Position, r)
	}
}

func TestAppendSizeLimit(t *testing.T) {
	c := official(t, started(t, Options{}))
	sized := func(size int) esdb.EventData {
		return esdb.EventData{EventID: uuid.New(), EventType: "ab", Data: make([]byte, size-4-10), Metadata: make([]byte, 10)}
	}
	appendTo(t, c, "s", esdb.NoStream{}, sized(maxAppendSize))
	appendTo(t, c, "s", esdb.Revision(0), sized(maxAppendSize/2), sized(maxAppendSize/2))
	many := make([]esdb.EventData, 100)
	for i := range many {
		many[i] = sized(200_000)
	}
	for name, events := range map[string][]esdb.EventData{
		"one event a byte too large": {sized(maxAppendSize + 1)},
		"together":                   {sized(maxAppendSize / 2), sized(maxAppendSize/2 + 1)},
		"one message of 5 MiB":       {sized(5 << 20)},
		"refused half-way":           many,
	} {
		s := grpcStatus(appendFails(t, c, "s", esdb.Any{}, events...))
		if s.Code() != codes.InvalidArgument || !strings.Contains(s.Message(), "Maximum Append Size of 1048576 Exceeded") {
			t.Errorf("%s: %v", name, s)
		}
	}
	if events := readStream(t, c, "s", esdb.ReadStreamOptions{}); len(events) != 3 {
		t.Errorf("%d events", len(events))
	}
}

// rawAppend sends messages as they are and returns the answer and its trailers.
func rawAppend(t *testing.T, n *Node, messages ...*streams.AppendReq) (*streams.AppendResp, metadata.MD, error) {
	t.Helper()
	var trailer metadata.MD
	call, err := streams.NewStreamsClient(wire(t, n)).Append(soon(t), grpc.Trailer(&trailer))
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range messages {
		if err := call.Send(m); err != nil {
			t.Fatalf("the node did not read the request to its end: %v", err)
		}
	}
	reply, err := call.CloseAndRecv()
	return reply, trailer, err
}

func optionsFor(stream string) *streams.AppendReq {
	return &streams.AppendReq{Content: &streams.AppendReq_Options_{Options: &streams.AppendReq_Options{
		StreamIdentifier:       &shared.StreamIdentifier{StreamName: []byte(stream)},
		ExpectedStreamRevision: &streams.AppendReq_Options_Any{},
	}}}
}

func message(id *shared.UUID, properties map[string]string, data []byte) *streams.AppendReq {
	return &streams.AppendReq{Content: &streams.AppendReq_ProposedMessage_{ProposedMessage: &streams.AppendReq_ProposedMessage{
		Id: id, Metadata: properties, Data: data,
	}}}
}

func TestAppendRefusals(t *testing.T) {
	n := started(t, Options{})
	tombstoned(t, official(t, n), "closed")
	id := structuredID(uuid.New())
	full := map[string]string{"type": "T", "content-type": "application/json"}
	unset := optionsFor("s")
	unset.GetOptions().ExpectedStreamRevision = nil
	tests := []struct {
		name     string
		messages []*streams.AppendReq
		code     codes.Code
		trailer  map[string]string
	}{
		{"empty name", []*streams.AppendReq{optionsFor(""), message(id, full, nil)}, codes.InvalidArgument, nil},
		{"bare prefix", []*streams.AppendReq{optionsFor("$$"), message(id, full, nil)}, codes.InvalidArgument, nil},
		{"the whole log", []*streams.AppendReq{optionsFor("$all"), message(id, full, nil)}, codes.InvalidArgument, nil},
		{"endless name", []*streams.AppendReq{optionsFor(strings.Repeat("n", 5000)), message(id, full, nil)}, codes.InvalidArgument, nil},
		{"no expectation", []*streams.AppendReq{unset, message(id, full, nil)}, codes.InvalidArgument, nil},
		{"no options", []*streams.AppendReq{message(id, full, nil)}, codes.InvalidArgument, nil},
		{"nothing", nil, codes.InvalidArgument, nil},
		{"empty message", []*streams.AppendReq{optionsFor("s"), {}}, codes.InvalidArgument, nil},
		{
			"no type",
			[]*streams.AppendReq{optionsFor("s"), message(id, map[string]string{"content-type": "x"}, nil)},
			codes.InvalidArgument,
			map[string]string{"exception": "missing-required-metadata-property", "required-metadata-properties": "type,content-type"},
		},
		{
			"no content type",
			[]*streams.AppendReq{optionsFor("s"), message(id, map[string]string{"type": "T"}, nil)},
			codes.InvalidArgument,
			map[string]string{"exception": "missing-required-metadata-property"},
		},
		{"empty type", []*streams.AppendReq{optionsFor("s"), message(id, map[string]string{"type": "", "content-type": "x"}, nil)}, codes.Unknown, nil},
		{"no id", []*streams.AppendReq{optionsFor("s"), message(nil, full, nil)}, codes.Unknown, nil},
		{"bad id", []*streams.AppendReq{optionsFor("s"), message(&shared.UUID{Value: &shared.UUID_String_{String_: "no"}}, full, nil)}, codes.InvalidArgument, nil},
		{
			"too large",
			[]*streams.AppendReq{optionsFor("s"), message(id, full, make([]byte, maxAppendSize))},
			codes.InvalidArgument,
			map[string]string{"exception": "maximum-append-size-exceeded", "maximum-append-size": "1048576"},
		},
		{
			"closed",
			[]*streams.AppendReq{optionsFor("closed"), message(id, full, nil)},
			codes.FailedPrecondition,
			map[string]string{"exception": "stream-deleted", "stream-name": "closed"},
		},
		{
			"metadata of a closed stream",
			[]*streams.AppendReq{optionsFor("$$closed"), message(id, full, nil)},
			codes.FailedPrecondition,
			map[string]string{"exception": "stream-deleted", "stream-name": "$$closed"},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			// A refusal is known from the first message; the rest must be read all the same.
			for range 3 {
				if len(test.messages) > 0 {
					test.messages = append(test.messages, message(id, full, make([]byte, 100_000)))
				}
			}
			before := n.store.durable.Load()
			_, trailer, err := rawAppend(t, n, test.messages...)
			if s := grpcStatus(err); s.Code() != test.code {
				t.Errorf("status %v", s)
			}
			for key, want := range test.trailer {
				if got := trailer.Get(key); len(got) != 1 || got[0] != want {
					t.Errorf("trailer %s = %q, want %q", key, got, want)
				}
			}
			if n.store.durable.Load() != before {
				t.Error("something was stored")
			}
		})
	}
}

func TestAppendAcceptsTextIDsAndNoEvents(t *testing.T) {
	n := started(t, Options{})
	c := official(t, n)
	id := uuid.New()
	full := map[string]string{"type": "T", "content-type": "application/json"}
	if _, _, err := rawAppend(t, n, optionsFor("s"), message(&shared.UUID{Value: &shared.UUID_String_{String_: id.String()}}, full, nil)); err != nil {
		t.Fatal(err)
	}
	if got := readStream(t, c, "s", esdb.ReadStreamOptions{}); len(got) != 1 || got[0].Event.EventID != id {
		t.Errorf("%+v", got)
	}
	reply, _, err := rawAppend(t, n, optionsFor("empty"))
	if err != nil || reply.GetSuccess().GetNoStream() == nil || reply.GetSuccess().GetNoPosition() == nil {
		t.Errorf("append of nothing: %v, %v", reply, err)
	}
}

func TestWrongVersionFillsOldFields(t *testing.T) {
	w := wrongVersion(expectNone, 7)
	if w.GetCurrentRevision_20_6_0() != 7 || w.GetExpectedRevision_20_6_0() != endMark || w.GetExpectedNoStream() == nil {
		t.Errorf("%v", w)
	}
	w = wrongVersion(3, -1)
	if w.GetNoStream_20_6_0() == nil || w.GetExpectedRevision_20_6_0() != 3 || w.GetCurrentNoStream() == nil {
		t.Errorf("%v", w)
	}
}
