package commandstest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/atrium-portal/atrium/commands"
	"github.com/atrium-portal/atrium/domain"
)

// Conformance is what every commands.Log must do. open returns a log; it may hold events of others, for the suite only uses
// streams that nobody else has.
func Conformance(t *testing.T, open func(t *testing.T) commands.Log) {
	for _, test := range []struct {
		name string
		run  func(t *testing.T, l logUnderTest)
	}{
		{"a missing stream has no events", missingStream},
		{"what is appended is what is loaded", roundTrip},
		{"loading begins with the revision asked for", loadFrom},
		{"positions rise in the order of the appends", positionsRise},
		{"only the exact expected revision is accepted", conflicts},
		{"a repeat of an append is the same append", repeats},
		{"an id is known in its own stream only", sameIDElsewhere},
		{"one of many that expect the same revision wins", oneWinner},
		{"writers of different streams do not disturb each other", manyStreams},
		{"an append is stored whole or not at all", wholeOrNot},
		{"large events", largeEvents},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.run(t, logUnderTest{open(t)})
		})
	}
}

// logUnderTest is a log whose unexpected errors end the test.
type logUnderTest struct{ commands.Log }

func limited(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func (l logUnderTest) append(t *testing.T, stream string, expected int64, events ...domain.Proposed) domain.Position {
	t.Helper()
	at, err := l.Append(limited(t), stream, expected, events)
	if err != nil {
		t.Fatalf("append to %s after %d: %v", stream, expected, err)
	}
	return at
}

func (l logUnderTest) load(t *testing.T, stream string, from int64) []domain.Recorded {
	t.Helper()
	events, err := l.Load(limited(t), stream, from)
	if err != nil {
		t.Fatalf("load %s from %d: %v", stream, from, err)
	}
	return events
}

// refuses checks that an append conflicts and says with what.
func (l logUnderTest) refuses(t *testing.T, stream string, expected int64, events ...domain.Proposed) {
	t.Helper()
	_, err := l.Append(limited(t), stream, expected, events)
	var conflict *commands.Conflict
	if !errors.As(err, &conflict) || conflict.Stream != stream || conflict.Expected != expected {
		t.Errorf("append to %s after %d: %v, want a conflict", stream, expected, err)
	}
}

// newStream names a stream that no other test has, also on a server that outlives the test.
func newStream(t *testing.T) string {
	t.Helper()
	id, err := uuid.NewRandom()
	if err != nil {
		t.Fatal(err)
	}
	return "conformance-" + id.String()
}

func propose(t *testing.T, count int) []domain.Proposed {
	t.Helper()
	var events []domain.Proposed
	for i := range count {
		id, err := uuid.NewRandom()
		if err != nil {
			t.Fatal(err)
		}
		events = append(events, domain.Proposed{
			ID: id, Type: fmt.Sprintf("Happened%d", i), Data: fmt.Appendf(nil, `{"n":%d}`, i), Metadata: fmt.Appendf(nil, `{"m":%d}`, i),
		})
	}
	return events
}

// same checks that a stream holds just these events.
func (l logUnderTest) same(t *testing.T, stream string, want []domain.Proposed) {
	t.Helper()
	got := l.load(t, stream, 0)
	if len(got) != len(want) {
		t.Fatalf("%s has %d events, want %d", stream, len(got), len(want))
	}
	var last domain.Position
	for i, g := range got {
		w := want[i]
		if g.Stream != stream || g.Revision != int64(i) || g.ID != w.ID || g.Type != w.Type ||
			!bytes.Equal(g.Data, w.Data) || !bytes.Equal(g.Metadata, w.Metadata) {
			t.Errorf("event %d of %s is %+v, want %+v", i, stream, g, w)
		}
		if !last.Before(g.Position) || g.Created.IsZero() {
			t.Errorf("event %d of %s: position %v after %v, created %v", i, stream, g.Position, last, g.Created)
		}
		last = g.Position
	}
}

func missingStream(t *testing.T, l logUnderTest) {
	for _, from := range []int64{0, 1, 1000} {
		if got := l.load(t, newStream(t), from); len(got) != 0 {
			t.Errorf("from %d: %v", from, got)
		}
	}
}

func roundTrip(t *testing.T, l logUnderTest) {
	stream, events := newStream(t), propose(t, 5)
	events[1].Data, events[1].Metadata = []byte(`{"text":"žluťoučký\u0000 \\ \" 🧾"}`), []byte(`{}`)
	events[2].Data = []byte("{ \"spaces\" :  1.50 }\n") // bytes, not values
	first := l.append(t, stream, domain.NoStream, events[:1]...)
	last := l.append(t, stream, 0, events[1:]...)
	l.same(t, stream, events)
	if got := l.load(t, stream, 0); got[0].Position != first || got[4].Position != last {
		t.Errorf("replies %v and %v, stored at %v and %v", first, last, got[0].Position, got[4].Position)
	}
}

func loadFrom(t *testing.T, l logUnderTest) {
	stream, events := newStream(t), propose(t, 6)
	l.append(t, stream, domain.NoStream, events...)
	for from := range int64(9) {
		got := l.load(t, stream, from)
		if want := max(6-int(from), 0); len(got) != want {
			t.Errorf("from %d: %d events, want %d", from, len(got), want)
		}
		if len(got) > 0 && (got[0].Revision != from || got[0].ID != events[from].ID) {
			t.Errorf("from %d: begins with %d", from, got[0].Revision)
		}
	}
}

func positionsRise(t *testing.T, l logUnderTest) {
	var last domain.Position
	for range 5 {
		stream := newStream(t)
		for expected := domain.NoStream; expected < 3; expected += 2 {
			at := l.append(t, stream, expected, propose(t, 2)...)
			if !last.Before(at) {
				t.Errorf("position %v after %v", at, last)
			}
			last = at
		}
	}
}

func conflicts(t *testing.T, l logUnderTest) {
	stream, events := newStream(t), propose(t, 3)
	l.refuses(t, stream, 0, propose(t, 1)...)
	l.refuses(t, stream, 5, propose(t, 1)...)
	l.append(t, stream, domain.NoStream, events...)
	for _, expected := range []int64{domain.NoStream, 0, 1, 3, 1000} {
		l.refuses(t, stream, expected, propose(t, 2)...)
	}
	l.same(t, stream, events)
}

func repeats(t *testing.T, l logUnderTest) {
	stream, events := newStream(t), propose(t, 5)
	first := l.append(t, stream, domain.NoStream, events[:2]...)
	again := func() {
		t.Helper()
		if at := l.append(t, stream, domain.NoStream, events[:2]...); at != first {
			t.Errorf("the repeat is at %v, the first was at %v", at, first)
		}
	}
	again()
	second := l.append(t, stream, 1, events[2:4]...)
	again() // although the stream has grown
	if at := l.append(t, stream, 1, events[2:4]...); at != second {
		t.Errorf("the repeat is at %v, the first was at %v", at, second)
	}
	if at := l.append(t, stream, domain.NoStream, events[0]); !at.Before(first) {
		t.Errorf("the first of two events is at %v, both together at %v", at, first)
	}
	l.same(t, stream, events[:4])

	l.refuses(t, stream, domain.NoStream, events[1], events[0]) // other order
	l.refuses(t, stream, 0, events[:2]...)                      // other revision
	l.refuses(t, stream, 1, events[2:]...)                      // one more than there is
	l.refuses(t, stream, 1, events[2], propose(t, 1)[0])        // another one last
	l.same(t, stream, events[:4])
}

func sameIDElsewhere(t *testing.T, l logUnderTest) {
	one, two, events := newStream(t), newStream(t), propose(t, 2)
	l.append(t, one, domain.NoStream, events...)
	l.append(t, two, domain.NoStream, events...)
	l.same(t, one, events)
	l.same(t, two, events)
}

func oneWinner(t *testing.T, l logUnderTest) {
	const writers, rounds = 8, 10
	stream := newStream(t)
	var want []domain.Proposed
	for round := range rounds {
		offers := make([][]domain.Proposed, writers)
		for w := range offers {
			offers[w] = propose(t, 2)
		}
		var mu sync.Mutex
		var racing sync.WaitGroup
		winners := 0
		for _, offer := range offers {
			racing.Go(func() {
				_, err := l.Append(limited(t), stream, int64(2*round-1), offer)
				mu.Lock()
				defer mu.Unlock()
				var conflict *commands.Conflict
				if err == nil {
					winners++
					want = append(want, offer...)
				} else if !errors.As(err, &conflict) {
					t.Error(err)
				}
			})
		}
		racing.Wait()
		if winners != 1 {
			t.Fatalf("round %d: %d winners", round, winners)
		}
	}
	l.same(t, stream, want)
}

func manyStreams(t *testing.T, l logUnderTest) {
	const writers, each = 8, 15
	streams := make([]string, writers)
	events := make([][]domain.Proposed, writers)
	for w := range writers {
		streams[w], events[w] = newStream(t), propose(t, each)
	}
	var mu sync.Mutex
	seen := map[domain.Position]bool{}
	var writing sync.WaitGroup
	for w := range writers {
		writing.Go(func() {
			for i, e := range events[w] {
				at, err := l.Append(limited(t), streams[w], int64(i-1), []domain.Proposed{e})
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				if seen[at] {
					t.Errorf("position %v was given twice", at)
				}
				seen[at] = true
				mu.Unlock()
			}
		})
	}
	writing.Wait()
	for w := range writers {
		l.same(t, streams[w], events[w])
	}
}

// wholeOrNot gives up appends at any moment.
func wholeOrNot(t *testing.T, l logUnderTest) {
	for i := range 20 {
		stream, events := newStream(t), propose(t, 3)
		ctx, cancel := context.WithCancel(limited(t))
		if i == 0 {
			cancel()
		} else {
			go cancel()
		}
		_, err := l.Append(ctx, stream, domain.NoStream, events)
		cancel()
		stored := l.load(t, stream, 0)
		var conflict *commands.Conflict
		switch {
		case errors.As(err, &conflict):
			t.Error(err)
		case i == 0 && (err == nil || len(stored) != 0):
			t.Errorf("an append that was given up before it began: %v, %d events", err, len(stored))
		case err == nil && len(stored) != 3, err != nil && len(stored) != 0 && len(stored) != 3:
			t.Errorf("%d of 3 events: %v", len(stored), err)
		}
		// Whatever became of it, the same append again makes it so.
		l.append(t, stream, domain.NoStream, events...)
		l.same(t, stream, events)
	}
}

func largeEvents(t *testing.T, l logUnderTest) {
	stream, events := newStream(t), propose(t, 2)
	for i := range events {
		events[i].Data = fmt.Appendf(nil, `"%s"`, bytes.Repeat([]byte{byte('a' + i)}, 480_000))
	}
	l.append(t, stream, domain.NoStream, events...) // just below the 1 MiB that every server takes
	l.same(t, stream, events)
}
