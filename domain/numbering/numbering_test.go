package numbering_test

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/atrium-portal/atrium/domain"
	dt "github.com/atrium-portal/atrium/domain/domaintest"
	"github.com/atrium-portal/atrium/domain/numbering"
)

type (
	testCase = dt.Case[numbering.State, numbering.Event]
	events   = []numbering.Event
)

func reserve(document string, segment int, first int64) numbering.Reserve {
	return numbering.Reserve{
		Numbering: numbering.StreamID(dt.ID("firm"), numbering.Invoice, segment), Kind: numbering.Invoice, Segment: segment, First: first, Document: dt.ID(document),
	}
}

func reserved(document string, number int64) numbering.Reserved {
	return numbering.Reserved{Kind: numbering.Invoice, Document: dt.ID(document), Number: number}
}

// fullFrom is a segment of which every number from first on was handed out.
func fullFrom(first int64) (all events) {
	for i := range int64(numbering.SegmentSize) {
		all = append(all, reserved(fmt.Sprint(first+i), first+i))
	}
	return all
}

func TestNumbering(t *testing.T) {
	change := func(f func(*numbering.Reserve)) numbering.Reserve { c := reserve("a", 0, 1); f(&c); return c }
	dt.Run(t, numbering.Aggregate, []testCase{
		{Name: "starts with the first number", When: reserve("a", 0, 41), Then: events{reserved("a", 41)}},
		{Name: "goes on by one", Given: events{reserved("a", 41)}, When: reserve("b", 0, 41), Then: events{reserved("b", 42)}},
		{Name: "goes on by one whatever the first number", Given: events{reserved("a", 41)}, When: reserve("b", 0, 90), Then: events{reserved("b", 42)}},
		{Name: "was reserved before", Given: events{reserved("a", 41), reserved("b", 42)}, When: reserve("a", 0, 41)},
		{Name: "is refused by a full segment", Given: fullFrom(1), When: reserve("b", 0, 1), Fault: "numbering-segment-full"},
		{Name: "is remembered by a full segment", Given: fullFrom(1), When: reserve("7", 0, 1)},
		{Name: "is the last of its segment", Given: fullFrom(1)[:999], When: reserve("b", 0, 1), Then: events{reserved("b", 1000)}},
		{Name: "starts the next segment", When: reserve("b", 1, 1001), Then: events{reserved("b", 1001)}},

		{Name: "has a kind", When: change(func(c *numbering.Reserve) { c.Kind = "bill" }), Fault: "kind-unknown kind"},
		{Name: "is of the kind of its stream", When: change(func(c *numbering.Reserve) { c.Kind = numbering.Receipt }), Fault: "numbering-other numbering"},
		{Name: "is of the segment of its stream", When: change(func(c *numbering.Reserve) { c.Segment = 1 }), Fault: "numbering-other numbering"},
		{Name: "is in a segment", When: change(func(c *numbering.Reserve) { c.Segment = -1 }), Fault: "segment-negative segment"},
		{Name: "counts from 1", When: change(func(c *numbering.Reserve) { c.First = 0 }), Fault: "first-too-small first"},
		{Name: "is for a document", When: change(func(c *numbering.Reserve) { c.Document = domain.NoID }), Fault: "document-required document"},
	})
}

func TestEachFirmKindAndSegmentHasItsStream(t *testing.T) {
	seen := map[domain.ID]string{}
	for _, firm := range []string{"firm", "other"} {
		for _, kind := range numbering.Kinds() {
			for segment := range 12 {
				id, name := numbering.StreamID(dt.ID(firm), kind, segment), fmt.Sprint(firm, kind, segment)
				if seen[id] != "" {
					t.Fatalf("%s and %s share a stream", name, seen[id])
				}
				seen[id] = name
			}
		}
	}
}

// Whatever the order in which documents ask, and ask again, through however many segments: the numbers are 1 to n, each
// once, and a document keeps its own.
func TestNumbersHaveNoGapAndNoDouble(t *testing.T) {
	const first = 41
	nearlyFull := numbering.Aggregate.Fold(fullFrom(first)[:995]...)
	rapid.Check(t, func(t *rapid.T) {
		segments := []numbering.State{nearlyFull, {}} // as the loop meets them
		numbers := map[string]int64{}
		for _, document := range rapid.SliceOfN(rapid.StringMatching("[a-l]"), 1, 60).Draw(t, "documents") {
			segment, start := 0, int64(first)
			if _, known := segments[0].Number(dt.ID(document)); !known && segments[0].Full() {
				segment, start = 1, segments[0].Next
			}
			decided, err := reserve(document, segment, start).Decide(segments[segment], dt.Meta())
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range decided {
				segments[segment] = numbering.Aggregate.Evolve(segments[segment], e)
			}
			number, ok := segments[segment].Number(dt.ID(document))
			if !ok {
				t.Fatalf("%s has no number", document)
			}
			if before, known := numbers[document]; known && before != number {
				t.Fatalf("%s had number %d and now has %d", document, before, number)
			}
			numbers[document] = number
		}
		taken := map[int64]bool{}
		for _, n := range numbers {
			taken[n] = true
		}
		for i := range int64(len(numbers)) {
			if !taken[first+995+i] {
				t.Fatalf("number %d is missing in %v", first+995+i, numbers)
			}
		}
	})
}

func TestFoldLeavesEarlierStatesAlone(t *testing.T) {
	before := numbering.Aggregate.Fold(reserved("a", 1))
	numbering.Aggregate.Evolve(before, reserved("b", 2))
	if _, ok := before.Number(dt.ID("b")); ok || before.Next != 2 {
		t.Fatalf("an earlier state changed: %+v", before)
	}
}

func TestSentences(t *testing.T) {
	for want, e := range map[string]domain.Event{
		"reserved invoice number 41":    reserved("a", 41),
		"reserved credit note number 7": numbering.Reserved{Kind: numbering.CreditNote, Number: 7},
	} {
		if got := e.Sentence(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestGolden(t *testing.T) {
	dt.Golden(t, numbering.Aggregate, reserved("a", 41))
}
