package eventnode

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"github.com/google/uuid"
	"google.golang.org/grpc/codes"
)

func quoted(texts ...string) []string {
	out := []string{}
	for _, t := range texts {
		out = append(out, `"`+t+`"`)
	}
	return out
}

func TestReadStreamStartPoints(t *testing.T) {
	c := official(t, started(t, Options{}))
	appendTo(t, c, "s", esdb.NoStream{}, names("e", 5)...)
	tests := []struct {
		name  string
		o     esdb.ReadStreamOptions
		count uint64
		want  []string
	}{
		{"forwards from the start", esdb.ReadStreamOptions{From: esdb.Start{}}, everything, quoted("e0", "e1", "e2", "e3", "e4")},
		{"forwards includes its start", esdb.ReadStreamOptions{From: esdb.Revision(2)}, everything, quoted("e2", "e3", "e4")},
		{"forwards with a count", esdb.ReadStreamOptions{From: esdb.Revision(1)}, 2, quoted("e1", "e2")},
		{"forwards beyond the end", esdb.ReadStreamOptions{From: esdb.Revision(5)}, everything, quoted()},
		{"backwards from the end", esdb.ReadStreamOptions{From: esdb.End{}, Direction: esdb.Backwards}, everything, quoted("e4", "e3", "e2", "e1", "e0")},
		{"backwards includes its start", esdb.ReadStreamOptions{From: esdb.Revision(2), Direction: esdb.Backwards}, everything, quoted("e2", "e1", "e0")},
		{"backwards from beyond the end", esdb.ReadStreamOptions{From: esdb.Revision(99), Direction: esdb.Backwards}, 2, quoted("e4", "e3")},
		{"backwards from the start", esdb.ReadStreamOptions{From: esdb.Start{}, Direction: esdb.Backwards}, everything, quoted("e0")},
		{"the end as a number", esdb.ReadStreamOptions{From: esdb.Revision(math.MaxUint64), Direction: esdb.Backwards}, 1, quoted("e4")},
	}
	for _, test := range tests {
		read, err := c.ReadStream(soon(t), "s", test.o, test.count)
		events, err := all(t, read, err)
		if err != nil || !slices.Equal(data(events), test.want) {
			t.Errorf("%s: %v, %v", test.name, data(events), err)
		}
	}
}

func TestReadAllStartPoints(t *testing.T) {
	c := official(t, started(t, Options{}))
	var at []esdb.Position
	for i, e := range names("e", 5) {
		r := appendTo(t, c, fmt.Sprintf("s-%d", i%2), esdb.Any{}, e)
		at = append(at, esdb.Position{Commit: r.CommitPosition, Prepare: r.PreparePosition})
	}
	tests := []struct {
		name  string
		o     esdb.ReadAllOptions
		count uint64
		want  []string
	}{
		{"forwards from the start", esdb.ReadAllOptions{From: esdb.Start{}}, everything, quoted("e0", "e1", "e2", "e3", "e4")},
		{"forwards includes its start", esdb.ReadAllOptions{From: at[2]}, everything, quoted("e2", "e3", "e4")},
		{"forwards with a count", esdb.ReadAllOptions{From: at[1]}, 2, quoted("e1", "e2")},
		{"forwards from the end", esdb.ReadAllOptions{From: esdb.End{}}, everything, quoted()},
		{"forwards from between two", esdb.ReadAllOptions{From: esdb.Position{Commit: at[2].Commit + 1, Prepare: at[2].Commit + 1}}, everything, quoted("e3", "e4")},
		{"backwards from the end", esdb.ReadAllOptions{From: esdb.End{}, Direction: esdb.Backwards}, 2, quoted("e4", "e3")},
		{"backwards excludes its start", esdb.ReadAllOptions{From: at[2], Direction: esdb.Backwards}, everything, quoted("e1", "e0")},
		{"backwards from the start", esdb.ReadAllOptions{Direction: esdb.Backwards}, everything, quoted()},
	}
	for _, test := range tests {
		read, err := c.ReadAll(soon(t), test.o, test.count)
		events, err := all(t, read, err)
		if err != nil || !slices.Equal(data(events), test.want) {
			t.Errorf("%s: %v, %v", test.name, data(events), err)
		}
	}
}

func TestReadWhatIsNotThere(t *testing.T) {
	c := official(t, started(t, Options{}))
	deleted(t, c, "deleted")
	tombstoned(t, c, "closed")
	for stream, want := range map[string]esdb.ErrorCode{
		"missing":   esdb.ErrorCodeResourceNotFound,
		"deleted":   esdb.ErrorCodeResourceNotFound,
		"closed":    esdb.ErrorCodeStreamDeleted,
		"$$missing": esdb.ErrorCodeResourceNotFound,
		"$$closed":  esdb.ErrorCodeStreamDeleted,
	} {
		for _, o := range []esdb.ReadStreamOptions{{}, {Direction: esdb.Backwards, From: esdb.End{}}} {
			read, err := c.ReadStream(soon(t), stream, o, 1)
			if _, err = all(t, read, err); code(err) != want {
				t.Errorf("%s: %v", stream, err)
			}
		}
	}
	read, err := c.ReadStream(soon(t), "missing", esdb.ReadStreamOptions{From: esdb.End{}}, 1)
	if _, err = all(t, read, err); grpcStatus(err).Code() != codes.Unknown {
		t.Errorf("forwards from the end: %v", err)
	}
	// The log itself keeps everything, the tombstone included.
	var kinds []string
	for _, e := range readAll(t, c, esdb.ReadAllOptions{}) {
		kinds = append(kinds, e.Event.EventType)
	}
	want := []string{"named", "named", "named", "$metadata", "named", "named", "named", "$streamDeleted"}
	if !slices.Equal(kinds, want) {
		t.Errorf("%v", kinds)
	}
}

func TestLongReads(t *testing.T) {
	c := official(t, started(t, Options{}))
	const batches, size = 30, 400
	var want []string
	expected := esdb.ExpectedRevision(esdb.NoStream{})
	for b := range batches {
		events := names(fmt.Sprintf("b%d-", b), size)
		for _, e := range events {
			want = append(want, string(e.Data))
		}
		appendTo(t, c, fmt.Sprintf("other-%d", b), esdb.NoStream{}, named("between"))
		expected = esdb.Revision(appendTo(t, c, "long", expected, events...).NextExpectedVersion)
	}
	if got := data(readStream(t, c, "long", esdb.ReadStreamOptions{})); !slices.Equal(got, want) {
		t.Errorf("forwards: %d events", len(got))
	}
	back := data(readStream(t, c, "long", esdb.ReadStreamOptions{Direction: esdb.Backwards, From: esdb.End{}}))
	slices.Reverse(back)
	if !slices.Equal(back, want) {
		t.Errorf("backwards: %d events", len(back))
	}
	forth, back2 := readAll(t, c, esdb.ReadAllOptions{}), readAll(t, c, esdb.ReadAllOptions{Direction: esdb.Backwards, From: esdb.End{}})
	slices.Reverse(back2)
	if len(forth) != batches*(size+1) || !slices.Equal(data(forth), data(back2)) {
		t.Errorf("$all: %d forwards, %d backwards", len(forth), len(back2))
	}
	for i, e := range forth[1:] {
		if e.Event.Position.Commit <= forth[i].Event.Position.Commit {
			t.Fatalf("position %v after %v", e.Event.Position, forth[i].Event.Position)
		}
	}
}

// rawRead sends a read as it is and returns the replies.
func rawRead(t *testing.T, n *Node, o *streams.ReadReq_Options) ([]*streams.ReadResp, error) {
	t.Helper()
	call, err := streams.NewStreamsClient(wire(t, n)).Read(soon(t), &streams.ReadReq{Options: o})
	if err != nil {
		t.Fatal(err)
	}
	var replies []*streams.ReadResp
	for {
		m, err := call.Recv()
		if err != nil {
			if err.Error() == "EOF" {
				err = nil
			}
			return replies, err
		}
		replies = append(replies, m)
	}
}

func rawOptions(change func(*streams.ReadReq_Options)) *streams.ReadReq_Options {
	o := &streams.ReadReq_Options{
		StreamOption: &streams.ReadReq_Options_Stream{Stream: &streams.ReadReq_Options_StreamOptions{
			StreamIdentifier: &shared.StreamIdentifier{StreamName: []byte("s")},
			RevisionOption:   &streams.ReadReq_Options_StreamOptions_Start{},
		}},
		CountOption:  &streams.ReadReq_Options_Count{Count: 10},
		FilterOption: &streams.ReadReq_Options_NoFilter{},
		UuidOption:   &streams.ReadReq_Options_UUIDOption{},
	}
	if change != nil {
		change(o)
	}
	return o
}

func ofAll(o *streams.ReadReq_Options) {
	o.StreamOption = &streams.ReadReq_Options_All{All: &streams.ReadReq_Options_AllOptions{
		AllOption: &streams.ReadReq_Options_AllOptions_Start{},
	}}
}

func prefixed(prefix string) *streams.ReadReq_Options_Filter {
	return &streams.ReadReq_Options_Filter{Filter: &streams.ReadReq_Options_FilterOptions{
		Filter: &streams.ReadReq_Options_FilterOptions_StreamIdentifier{
			StreamIdentifier: &streams.ReadReq_Options_FilterOptions_Expression{Prefix: []string{prefix}},
		},
		Window:                       &streams.ReadReq_Options_FilterOptions_Count{},
		CheckpointIntervalMultiplier: 1,
	}}
}

func TestReadRefusals(t *testing.T) {
	n := started(t, Options{})
	appendTo(t, official(t, n), "s", esdb.NoStream{}, names("e", 2)...)
	subscribed := &streams.ReadReq_Options_Subscription{Subscription: &streams.ReadReq_Options_SubscriptionOptions{}}
	position := func(commit, prepare uint64) func(*streams.ReadReq_Options) {
		return func(o *streams.ReadReq_Options) {
			ofAll(o)
			o.GetAll().AllOption = &streams.ReadReq_Options_AllOptions_Position{Position: &streams.ReadReq_Options_Position{
				CommitPosition: commit, PreparePosition: prepare,
			}}
		}
	}
	filtered := func(f *streams.ReadReq_Options_FilterOptions_Expression) func(*streams.ReadReq_Options) {
		return func(o *streams.ReadReq_Options) {
			ofAll(o)
			chosen := prefixed("")
			chosen.Filter.GetStreamIdentifier().Prefix, chosen.Filter.GetStreamIdentifier().Regex = f.Prefix, f.Regex
			o.FilterOption = chosen
		}
	}
	for name, change := range map[string]func(*streams.ReadReq_Options){
		"nothing to read":         func(o *streams.ReadReq_Options) { o.StreamOption = nil },
		"no start":                func(o *streams.ReadReq_Options) { o.GetStream().RevisionOption = nil },
		"no start of $all":        func(o *streams.ReadReq_Options) { ofAll(o); o.GetAll().AllOption = nil },
		"no UUID form":            func(o *streams.ReadReq_Options) { o.UuidOption = nil },
		"no count":                func(o *streams.ReadReq_Options) { o.CountOption = nil },
		"count 0":                 func(o *streams.ReadReq_Options) { o.CountOption = &streams.ReadReq_Options_Count{} },
		"neither filter nor none": func(o *streams.ReadReq_Options) { o.FilterOption = nil },
		"stream with filter":      func(o *streams.ReadReq_Options) { o.FilterOption = prefixed("a") },
		"empty stream name":       func(o *streams.ReadReq_Options) { o.GetStream().StreamIdentifier = nil },
		"subscription backwards": func(o *streams.ReadReq_Options) {
			o.CountOption, o.ReadDirection = subscribed, streams.ReadReq_Options_Backwards
		},
		"checkpoints never": func(o *streams.ReadReq_Options) {
			ofAll(o)
			o.CountOption = subscribed
			chosen := prefixed("a")
			chosen.Filter.CheckpointIntervalMultiplier = 0
			o.FilterOption = chosen
		},
		"revision out of range": func(o *streams.ReadReq_Options) {
			o.GetStream().RevisionOption = &streams.ReadReq_Options_StreamOptions_Revision{Revision: 1 << 63}
		},
		"position out of range":  position(1<<63, 1),
		"prepare above commit":   position(1, 2),
		"empty filter":           filtered(&streams.ReadReq_Options_FilterOptions_Expression{}),
		"look-ahead":             filtered(&streams.ReadReq_Options_FilterOptions_Expression{Regex: `^(?!\$).*`}),
		"back reference":         filtered(&streams.ReadReq_Options_FilterOptions_Expression{Regex: `(a)\1`}),
		"filter without subject": func(o *streams.ReadReq_Options) { ofAll(o); o.FilterOption = &streams.ReadReq_Options_Filter{} },
	} {
		if _, err := rawRead(t, n, rawOptions(change)); grpcStatus(err).Code() != codes.InvalidArgument {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestReadFormsOfID(t *testing.T) {
	n := started(t, Options{})
	e := named("e")
	appendTo(t, official(t, n), "s", esdb.NoStream{}, e)
	for form, o := range map[string]*streams.ReadReq_Options_UUIDOption{
		"text":       {Content: &streams.ReadReq_Options_UUIDOption_String_{}},
		"structured": {Content: &streams.ReadReq_Options_UUIDOption_Structured{}},
		"unset":      {},
	} {
		replies, err := rawRead(t, n, rawOptions(func(r *streams.ReadReq_Options) { r.UuidOption = o }))
		if err != nil || len(replies) != 1 {
			t.Fatal(replies, err)
		}
		id := replies[0].GetEvent().GetEvent().GetId()
		if form == "text" && id.GetString_() != e.EventID.String() || form != "text" && uuidOf(uint64(id.GetStructured().GetMostSignificantBits()), uint64(id.GetStructured().GetLeastSignificantBits())) != e.EventID {
			t.Errorf("%s: %v", form, id)
		}
	}
}

func TestReadTellsBoundsOnlyWhenAsked(t *testing.T) {
	n := started(t, Options{})
	c := official(t, n)
	appendTo(t, c, "s", esdb.NoStream{}, names("e", 5)...)
	m := esdb.StreamMetadata{}
	m.SetTruncateBefore(3)
	if _, err := c.SetStreamMetadata(soon(t), "s", esdb.AppendToStreamOptions{}, m); err != nil {
		t.Fatal(err)
	}
	ask := func(from uint64, compatibility uint32) []*streams.ReadResp {
		replies, err := rawRead(t, n, rawOptions(func(o *streams.ReadReq_Options) {
			o.GetStream().RevisionOption = &streams.ReadReq_Options_StreamOptions_Revision{Revision: from}
			o.ControlOption = &streams.ReadReq_Options_ControlOption{Compatibility: compatibility}
		}))
		if err != nil {
			t.Fatal(err)
		}
		return replies
	}
	if got := ask(9, 0); len(got) != 0 {
		t.Errorf("unasked: %v", got)
	}
	if got := ask(9, 1); len(got) != 2 || got[0].GetFirstStreamPosition() != 3 || got[1].GetLastStreamPosition() != 4 {
		t.Errorf("nothing found: %v", got)
	}
	if got := ask(0, 1); len(got) != 3 || got[0].GetEvent() == nil || got[2].GetLastStreamPosition() != 4 {
		t.Errorf("found: %v", got)
	}
}

func TestFilteredReadOfAll(t *testing.T) {
	n := started(t, Options{})
	c := official(t, n)
	for _, stream := range []string{"a-1", "b-1", "a-2", "b-2", "a-3"} {
		appendTo(t, c, stream, esdb.NoStream{}, named(stream))
	}
	for backwards, want := range map[bool][]string{false: {"a-1", "a-2"}, true: {"a-3", "a-2"}} {
		replies, err := rawRead(t, n, rawOptions(func(o *streams.ReadReq_Options) {
			ofAll(o)
			o.FilterOption = prefixed("a-")
			o.CountOption = &streams.ReadReq_Options_Count{Count: 2}
			if backwards {
				o.ReadDirection = streams.ReadReq_Options_Backwards
				o.GetAll().AllOption = &streams.ReadReq_Options_AllOptions_End{}
			}
		}))
		var got []string
		for _, r := range replies {
			got = append(got, string(r.GetEvent().GetEvent().GetStreamIdentifier().GetStreamName()))
		}
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("backwards %v: %v, %v", backwards, got, err)
		}
	}
}

func TestAllHidesTheServersOwnNotes(t *testing.T) {
	c := official(t, started(t, Options{}))
	hidden := []string{"$epoch-information", "$persistentsubscription-$all::g-checkpoint", "$persistentsubscription-$all::g-parked"}
	shown := []string{"$settings", "$persistentsubscription-s::g-parked", "$persistentsubscription-$all::g"}
	for _, stream := range slices.Concat(hidden, shown) {
		appendTo(t, c, stream, esdb.NoStream{}, named(stream))
		if got := readStream(t, c, stream, esdb.ReadStreamOptions{}); len(got) != 1 {
			t.Errorf("%s: %d events", stream, len(got))
		}
	}
	if got := data(readAll(t, c, esdb.ReadAllOptions{})); !slices.Equal(got, quoted(shown...)) {
		t.Errorf("%v", got)
	}
}

func TestLinks(t *testing.T) {
	c := official(t, started(t, Options{}))
	appendTo(t, c, "target", esdb.NoStream{}, names("e", 3)...)
	appendTo(t, c, "odd@name", esdb.NoStream{}, named("odd"))
	deleted(t, c, "deleted")
	tombstoned(t, c, "closed")
	m := esdb.StreamMetadata{}
	m.SetTruncateBefore(1)
	if _, err := c.SetStreamMetadata(soon(t), "target", esdb.AppendToStreamOptions{}, m); err != nil {
		t.Fatal(err)
	}
	texts := []string{"2@target", "0@odd@name", "0@target", "3@target", "1@deleted", "1@closed", "9223372036854775807@closed", "0@missing", "nonsense", "x@target"}
	var links []esdb.EventData
	for _, text := range texts {
		links = append(links, esdb.EventData{EventID: uuid.New(), EventType: "$>", Data: []byte(text)})
	}
	links = append(links, named("plain"))
	appendTo(t, c, "links", esdb.NoStream{}, links...)

	for i, e := range readStream(t, c, "links", esdb.ReadStreamOptions{}) {
		if e.Link != nil || e.Event == nil || e.Event.EventNumber != uint64(i) {
			t.Errorf("unresolved %d: %+v", i, e)
		}
	}
	want := []string{`"e2"`, `"odd"`}
	resolved := readStream(t, c, "links", esdb.ReadStreamOptions{ResolveLinkTos: true})
	for i, e := range resolved[:len(texts)] {
		switch {
		case e.Link == nil || string(e.Link.Data) != texts[i] || e.OriginalEvent().EventNumber != uint64(i):
			t.Errorf("%s: link %+v", texts[i], e.Link)
		case *e.Commit != e.Link.Position.Commit:
			t.Errorf("%s: position %d, of the link %d", texts[i], *e.Commit, e.Link.Position.Commit)
		case i < len(want) && (e.Event == nil || string(e.Event.Data) != want[i]):
			t.Errorf("%s: leads to %+v", texts[i], e.Event)
		case i >= len(want) && e.Event != nil:
			t.Errorf("%s: leads to %+v", texts[i], e.Event)
		}
	}
	if last := resolved[len(texts)]; last.Link != nil || string(last.Event.Data) != `"plain"` {
		t.Errorf("an ordinary event: %+v", last)
	}
}
