package eventnode

import (
	"bytes"
	"math"
	"slices"
	"testing"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"
)

// FuzzRecord feeds damaged records to everything that reads them: an error is fine, a panic is not.
func FuzzRecord(f *testing.F) {
	at := stamp{stream: "s-1", revision: 3, position: 99, created: 17}
	f.Add(appendRecord(nil, at, &proposal{id: uuid.New(), kind: "T", json: true, custom: []byte("c"), data: []byte("d")}))
	f.Add(appendRecord(nil, at, &proposal{id: uuid.New(), kind: metadataType, json: true, data: []byte(softDeleteDoc)}))
	f.Fuzz(func(_ *testing.T, record []byte) {
		e, err := parseRecord(record)
		if err != nil {
			return
		}
		_ = parseMetadata(e)
		_, _ = recordStream(record)
		for _, text := range []bool{false, true} {
			p := &page{}
			p.event(record, record, e.position, text)
		}
	})
}

// FuzzRequests feeds arbitrary messages to the checks of reads and appends.
func FuzzRequests(f *testing.F) {
	read, err := proto.Marshal(rawOptions(nil))
	if err != nil {
		f.Fatal(err)
	}
	write, err := proto.Marshal(optionsFor("s"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(read)
	f.Add(write)
	f.Fuzz(func(_ *testing.T, message []byte) {
		o := &streams.ReadReq_Options{}
		if proto.Unmarshal(message, o) == nil {
			_, _ = parseQuery(o)
		}
		m := &streams.AppendReq{}
		if proto.Unmarshal(message, m) == nil {
			_ = (&appendCall{}).add(m)
		}
		for _, removal := range []proto.Message{&streams.DeleteReq{}, &streams.TombstoneReq{}} {
			if proto.Unmarshal(message, removal) != nil {
				continue
			}
			switch r := removal.(type) {
			case *streams.DeleteReq:
				_, _ = expectationOf(r.GetOptions().GetExpectedStreamRevision()), checkWritable(string(r.GetOptions().GetStreamIdentifier().GetStreamName()))
			case *streams.TombstoneReq:
				_, _ = expectationOf(r.GetOptions().GetExpectedStreamRevision()), checkWritable(string(r.GetOptions().GetStreamIdentifier().GetStreamName()))
			}
		}
	})
}

// FuzzAppendMessage decodes a message of an append by hand and with the generated code: both must come to the same.
func FuzzAppendMessage(f *testing.F) {
	id := structuredID(uuid.New())
	for _, m := range []*streams.AppendReq{
		optionsFor("s"),
		{Content: &streams.AppendReq_Options_{Options: &streams.AppendReq_Options{
			StreamIdentifier:       &shared.StreamIdentifier{StreamName: []byte("invoice-1")},
			ExpectedStreamRevision: &streams.AppendReq_Options_Revision{Revision: 7},
		}}},
		{Content: &streams.AppendReq_ProposedMessage_{ProposedMessage: &streams.AppendReq_ProposedMessage{
			Id: id, Metadata: map[string]string{metaType: "T", metaContentType: contentJSON}, CustomMetadata: []byte("c"), Data: []byte("d"),
		}}},
		{Content: &streams.AppendReq_ProposedMessage_{ProposedMessage: &streams.AppendReq_ProposedMessage{
			Id: &shared.UUID{Value: &shared.UUID_String_{String_: uuid.NewString()}}, Metadata: map[string]string{metaType: "T", "more": "x"},
		}}},
	} {
		b, err := proto.Marshal(m)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, message []byte) {
		byHand := appendCall{request: request{expected: expectNothing}}
		failed := byHand.addBytes(message)
		m := &streams.AppendReq{}
		if proto.Unmarshal(message, m) != nil {
			if failed == nil {
				t.Error("accepted what is not a message")
			}
			return
		}
		generated := appendCall{request: request{expected: expectNothing}}
		if err := generated.add(m); (err == nil) != (failed == nil) || err != nil && err.Error() != failed.Error() {
			t.Fatalf("%v, want %v", failed, err)
		}
		if byHand.stream != generated.stream || byHand.expected != generated.expected || byHand.bytes != generated.bytes || byHand.size != generated.size {
			t.Errorf("%+v, want %+v", byHand, generated)
		}
		if !slices.EqualFunc(byHand.events, generated.events, func(a, b proposal) bool {
			return a.id == b.id && a.kind == b.kind && a.json == b.json && bytes.Equal(a.custom, b.custom) && bytes.Equal(a.data, b.data)
		}) {
			t.Errorf("%v, want %v", byHand.events, generated.events)
		}
	})
}

func TestAppendReplyIsWhatTheMessagesSay(t *testing.T) {
	for _, out := range []result{{revision: 0, position: 1}, {revision: 300, position: 1 << 40}, {revision: tombstoneRevision, position: math.MaxInt64}} {
		reply := &streams.AppendResp{}
		if err := proto.Unmarshal(appendReply(out), reply); err != nil {
			t.Fatal(err)
		}
		want := &streams.AppendResp{Result: &streams.AppendResp_Success_{Success: appended(out)}}
		if !proto.Equal(reply, want) {
			t.Errorf("%v, want %v", reply, want)
		}
	}
}

// TestReplyIsWhatTheMessagesSay decodes a spliced reply with the generated code.
func TestReplyIsWhatTheMessagesSay(t *testing.T) {
	id := uuid.New()
	record := appendRecord(nil, stamp{stream: "s-1", revision: 3, position: 300, created: 17},
		&proposal{id: id, kind: "T", json: true, custom: []byte("c"), data: []byte("d")})
	link := appendRecord(nil, stamp{stream: "l-1", revision: 1, position: 1 << 40, created: 1}, &proposal{id: uuid.New(), kind: linkType, data: []byte("3@s-1")})
	p := &page{}
	p.event(record, link, 1<<40, true)
	p.event(nil, link, 1<<40, false)
	p.checkpoint(1 << 50)
	p.caughtUp()
	p.notFound("missing")
	p.confirmation("sub")
	var replies []*streams.ReadResp
	for _, m := range p.messages {
		reply := &streams.ReadResp{}
		if err := proto.Unmarshal(m, reply); err != nil {
			t.Fatal(err)
		}
		if again, err := proto.Marshal(reply); err != nil || len(again) != len(m) {
			t.Errorf("%v has %d bytes, want %d: %v", reply, len(m), len(again), err)
		}
		replies = append(replies, reply)
	}
	e := replies[0].GetEvent()
	if e.GetEvent().GetId().GetString_() != id.String() || e.GetEvent().GetStreamRevision() != 3 || e.GetEvent().GetMetadata()["created"] != "17" ||
		string(e.GetEvent().GetData()) != "d" || string(e.GetLink().GetData()) != "3@s-1" || e.GetCommitPosition() != 1<<40 {
		t.Errorf("%v", e)
	}
	if replies[1].GetEvent().Event != nil || replies[2].GetCheckpoint().GetPreparePosition() != 1<<50 || replies[3].GetCaughtUp() == nil ||
		string(replies[4].GetStreamNotFound().GetStreamIdentifier().GetStreamName()) != "missing" || replies[5].GetConfirmation().GetSubscriptionId() != "sub" {
		t.Errorf("%v", replies[1:])
	}
}
