package eventnode

import (
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
)

// describe writes a metadata document as it is.
func describe(t *testing.T, c *esdb.Client, stream, doc string) {
	t.Helper()
	appendTo(t, c, "$$"+stream, esdb.Any{}, esdb.EventData{EventType: "$metadata", ContentType: esdb.ContentTypeJson, Data: []byte(doc)})
}

func TestMetadataHides(t *testing.T) {
	c := official(t, started(t, Options{}))
	for _, test := range []struct {
		doc  string
		want []string
	}{
		{`{"$maxCount":2}`, quoted("e3", "e4")},
		{`{"$maxCount":9}`, quoted("e0", "e1", "e2", "e3", "e4")},
		{`{"$tb":3}`, quoted("e3", "e4")},
		{`{"$tb":3,"$maxCount":1}`, quoted("e4")},
		{`{"$tb":4,"$maxCount":3}`, quoted("e4")},
		{`{"$tb":100}`, quoted()},
		{`{"$maxCount":0,"$maxAge":-1,"$tb":-5}`, quoted("e0", "e1", "e2", "e3", "e4")},
		{`{"$maxCount":"2"}`, quoted("e0", "e1", "e2", "e3", "e4")},
		{`{"$maxCount":1.5}`, quoted("e0", "e1", "e2", "e3", "e4")},
		{`{"$maxCount":2`, quoted("e0", "e1", "e2", "e3", "e4")},
		{`[]`, quoted("e0", "e1", "e2", "e3", "e4")},
	} {
		stream := "s" + test.doc
		appendTo(t, c, stream, esdb.NoStream{}, names("e", 5)...)
		describe(t, c, stream, test.doc)
		if got := data(readStream(t, c, stream, esdb.ReadStreamOptions{})); !slices.Equal(got, test.want) {
			t.Errorf("%s: %v", test.doc, got)
		}
		back := data(readStream(t, c, stream, esdb.ReadStreamOptions{Direction: esdb.Backwards, From: esdb.End{}}))
		slices.Reverse(back)
		if !slices.Equal(back, test.want) {
			t.Errorf("%s backwards: %v", test.doc, back)
		}
		// What is hidden still counts for the next append.
		appendTo(t, c, stream, esdb.Revision(4), named("next"))
	}
}

func TestMaxAge(t *testing.T) {
	var now atomic.Int64
	c := official(t, started(t, Options{Now: func() time.Time { return time.Unix(now.Load(), 0) }}))
	for i, e := range names("e", 4) {
		now.Store(1000 + int64(i)*10) // 1000, 1010, 1020, 1030
		appendTo(t, c, "s", esdb.Any{}, e)
	}
	describe(t, c, "s", `{"$maxAge":15}`)
	for at, want := range map[int64][]string{
		1015: quoted("e0", "e1", "e2", "e3"),
		1030: quoted("e2", "e3"),
		1045: quoted("e3"),
		1046: quoted(),
	} {
		now.Store(at)
		if got := data(readStream(t, c, "s", esdb.ReadStreamOptions{})); !slices.Equal(got, want) {
			t.Errorf("at %d: %v", at, got)
		}
	}
}

func TestMetadataStreamsShowTheNewestOnly(t *testing.T) {
	c := official(t, started(t, Options{}))
	for _, count := range []uint64{7, 8, 9} {
		m := esdb.StreamMetadata{}
		m.SetMaxCount(count)
		if _, err := c.SetStreamMetadata(soon(t), "s", esdb.AppendToStreamOptions{}, m); err != nil {
			t.Fatal(err)
		}
	}
	m, err := c.GetStreamMetadata(soon(t), "s", esdb.ReadStreamOptions{})
	if err != nil || m.MaxCount() == nil || *m.MaxCount() != 9 {
		t.Errorf("%+v, %v", m, err)
	}
	got := readStream(t, c, "$$s", esdb.ReadStreamOptions{})
	if len(got) != 1 || got[0].Event.EventNumber != 2 {
		t.Errorf("%v", data(got))
	}
	if got := readAll(t, c, esdb.ReadAllOptions{}); len(got) != 3 {
		t.Errorf("$all has %d", len(got))
	}
	if _, err := c.GetStreamMetadata(soon(t), "undescribed", esdb.ReadStreamOptions{}); code(err) != esdb.ErrorCodeResourceNotFound {
		t.Errorf("%v", err)
	}
}

func TestSoftDeleteAndRevival(t *testing.T) {
	dir := t.TempDir()
	n := started(t, Options{Dir: dir})
	c := official(t, n)
	appendTo(t, c, "s", esdb.NoStream{}, names("old", 3)...)
	describe(t, c, "s", `{"$maxCount":2,"color":"red"}`)
	r, err := c.DeleteStream(soon(t), "s", esdb.DeleteStreamOptions{ExpectedRevision: esdb.Revision(2)})
	if err != nil {
		t.Fatal(err)
	}
	if e := eventAt(t, c, r.Position.Commit); e.StreamID != "$$s" || string(e.Data) != softDeleteDoc || e.EventType != "$metadata" {
		t.Errorf("the position leads to %+v", e)
	}
	if _, err := c.DeleteStream(soon(t), "s", esdb.DeleteStreamOptions{ExpectedRevision: esdb.Any{}}); err != nil {
		t.Errorf("again: %v", err)
	}
	if err := n.Close(); err != nil { // the writer must find it deleted in the store too
		t.Fatal(err)
	}
	c = official(t, started(t, Options{Dir: dir}))
	w := appendTo(t, c, "s", esdb.NoStream{}, names("new", 2)...)
	if w.NextExpectedVersion != 4 {
		t.Errorf("goes on at %d", w.NextExpectedVersion)
	}
	if e := eventAt(t, c, w.CommitPosition); string(e.Data) != `"new1"` {
		t.Errorf("the position leads to %+v", e)
	}
	if got := data(readStream(t, c, "s", esdb.ReadStreamOptions{})); !slices.Equal(got, quoted("new0", "new1")) {
		t.Errorf("%v", got)
	}
	if got := data(readStream(t, c, "$$s", esdb.ReadStreamOptions{})); !slices.Equal(got, []string{`{"$tb":3}`}) {
		t.Errorf("%v", got)
	}
	appendTo(t, c, "s", esdb.Revision(4), named("more"))
	if got := readStream(t, c, "$$s", esdb.ReadStreamOptions{}); got[0].Event.EventNumber != 3 {
		t.Errorf("brought back more than once: %d", got[0].Event.EventNumber)
	}
}

func TestRevivalKeepsOtherMetadata(t *testing.T) {
	c := official(t, started(t, Options{}))
	appendTo(t, c, "s", esdb.NoStream{}, names("old", 3)...)
	describe(t, c, "s", `{"$tb":9223372036854775807,"color":"red"}`)
	appendTo(t, c, "s", esdb.Any{}, named("new"))
	if got := data(readStream(t, c, "$$s", esdb.ReadStreamOptions{})); !slices.Equal(got, []string{`{"$tb":3,"color":"red"}`}) {
		t.Errorf("%v", got)
	}
}

func TestDeleteAndTombstoneExpectations(t *testing.T) {
	n := started(t, Options{})
	c := official(t, n)
	remove := map[string]func(string, esdb.ExpectedRevision) error{
		"delete": func(stream string, e esdb.ExpectedRevision) error {
			_, err := c.DeleteStream(soon(t), stream, esdb.DeleteStreamOptions{ExpectedRevision: e})
			return err
		},
		"tombstone": func(stream string, e esdb.ExpectedRevision) error {
			r, err := c.TombstoneStream(soon(t), stream, esdb.TombstoneStreamOptions{ExpectedRevision: e})
			if err == nil {
				if e := eventAt(t, c, r.Position.Commit); e.EventType != "$streamDeleted" || e.EventNumber != uint64(tombstoneRevision) || len(e.Data) != 0 {
					t.Errorf("the position leads to %+v", e)
				}
			}
			return err
		},
	}
	const ok, wrong, gone = "ok", "Actual version", "is deleted"
	for i, test := range []struct {
		how      string
		history  history
		expected esdb.ExpectedRevision
		want     string
	}{
		{"delete", none, esdb.Any{}, "Expected version: -2, Actual version: -1"},
		{"delete", none, esdb.NoStream{}, "Expected version: -1, Actual version: -1"},
		{"delete", none, esdb.StreamExists{}, "Expected version: -4, Actual version: -1"},
		{"delete", described, esdb.Any{}, wrong},
		{"delete", three, esdb.Any{}, ok},
		{"delete", three, esdb.StreamExists{}, ok},
		{"delete", three, esdb.Revision(2), ok},
		{"delete", three, esdb.Revision(1), "Expected version: 1, Actual version: 2"},
		{"delete", three, esdb.Revision(7), "Expected version: 7, Actual version: 2"},
		{"delete", three, esdb.NoStream{}, wrong},
		{"delete", deleted, esdb.StreamExists{}, gone},
		{"delete", tombstoned, esdb.Any{}, gone},
		{"tombstone", none, esdb.Any{}, ok},
		{"tombstone", none, esdb.NoStream{}, ok},
		{"tombstone", none, esdb.StreamExists{}, wrong},
		{"tombstone", three, esdb.Revision(2), ok},
		{"tombstone", three, esdb.Revision(1), wrong},
		{"tombstone", deleted, esdb.Any{}, ok},
		{"tombstone", tombstoned, esdb.Any{}, gone},
	} {
		stream := "removal-" + string(rune('a'+i))
		test.history(t, c, stream)
		err := remove[test.how](stream, test.expected)
		switch {
		case test.want == ok:
			if err != nil {
				t.Errorf("%d %s: %v", i, test.how, err)
			}
		case err == nil || !strings.Contains(err.Error(), test.want):
			t.Errorf("%d %s: %v, want %q", i, test.how, err, test.want)
		case test.want == gone && code(err) != esdb.ErrorCodeStreamDeleted:
			t.Errorf("%d %s: code %d", i, test.how, code(err))
		}
	}
}

func TestWrongVersionTrailers(t *testing.T) {
	n := started(t, Options{})
	appendTo(t, official(t, n), "naïve", esdb.NoStream{}, named("e"))
	var trailer metadata.MD
	_, err := streams.NewStreamsClient(wire(t, n)).Delete(soon(t), &streams.DeleteReq{Options: &streams.DeleteReq_Options{
		StreamIdentifier:       &shared.StreamIdentifier{StreamName: []byte("naïve")},
		ExpectedStreamRevision: &streams.DeleteReq_Options_Revision{Revision: 5},
	}}, grpc.Trailer(&trailer))
	if grpcStatus(err).Code() != codes.FailedPrecondition {
		t.Errorf("%v", err)
	}
	for key, want := range map[string]string{
		"exception": "wrong-expected-version", "stream-name": "na%C3%AFve", "expected-version": "5", "actual-version": "0",
	} {
		if got := trailer.Get(key); len(got) != 1 || got[0] != want {
			t.Errorf("%s: %q", key, got)
		}
	}
	_, err = streams.NewStreamsClient(wire(t, n)).Tombstone(soon(t), &streams.TombstoneReq{Options: &streams.TombstoneReq_Options{
		StreamIdentifier: &shared.StreamIdentifier{StreamName: []byte("s")},
	}})
	if grpcStatus(err).Code() != codes.InvalidArgument {
		t.Errorf("no expectation: %v", err)
	}
}
