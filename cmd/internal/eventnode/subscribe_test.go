package eventnode

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/google/uuid"
	"google.golang.org/grpc/codes"
)

func toStream(t testing.TB, c *esdb.Client, stream string, o esdb.SubscribeToStreamOptions) *esdb.Subscription {
	t.Helper()
	sub, err := c.SubscribeToStream(soon(t), stream, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sub.Close() })
	return sub
}

func toAll(t testing.TB, c *esdb.Client, o esdb.SubscribeToAllOptions) *esdb.Subscription {
	t.Helper()
	sub, err := c.SubscribeToAll(soon(t), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sub.Close() })
	return sub
}

// told is what a subscription says next, in short: the data of an event, "caught up", "checkpoint N", or "dropped: …".
func told(sub *esdb.Subscription) string {
	switch e := sub.Recv(); {
	case e.EventAppeared != nil:
		return strings.Trim(string(e.EventAppeared.OriginalEvent().Data), `"`)
	case e.CaughtUp != nil:
		return "caught up"
	case e.CheckPointReached != nil:
		return fmt.Sprint("checkpoint ", e.CheckPointReached.Commit)
	case e.SubscriptionDropped != nil:
		return "dropped: " + e.SubscriptionDropped.Error.Error()
	default:
		return "something unknown"
	}
}

func expect(t testing.TB, sub *esdb.Subscription, want ...string) {
	t.Helper()
	for _, w := range want {
		if got := told(sub); got != w {
			t.Fatalf("got %q, want %q", got, w)
		}
	}
}

func TestSubscribeToStreamStartPoints(t *testing.T) {
	c := official(t, started(t, Options{}))
	appendTo(t, c, "s", esdb.NoStream{}, names("e", 4)...)
	subs := map[string]*esdb.Subscription{}
	for name, start := range map[string]struct {
		from esdb.StreamPosition
		want []string
	}{
		"start":               {esdb.Start{}, []string{"e0", "e1", "e2", "e3", "caught up"}},
		"after a revision":    {esdb.Revision(1), []string{"e2", "e3", "caught up"}},
		"after the last":      {esdb.Revision(3), []string{"caught up"}},
		"end":                 {esdb.End{}, []string{"caught up"}},
		"default is the end":  {nil, []string{"caught up"}},
		"far beyond the last": {esdb.Revision(4), []string{"caught up"}},
	} {
		subs[name] = toStream(t, c, "s", esdb.SubscribeToStreamOptions{From: start.from})
		expect(t, subs[name], start.want...)
	}
	appendTo(t, c, "other", esdb.NoStream{}, named("other"))
	appendTo(t, c, "s", esdb.Revision(3), named("e4"), named("e5"))
	for name, sub := range subs {
		if name != "far beyond the last" {
			expect(t, sub, "e4")
		}
		expect(t, sub, "e5")
	}
}

func TestSubscribeToAllStartPoints(t *testing.T) {
	c := official(t, started(t, Options{}))
	var at []esdb.Position
	for i, e := range names("e", 4) {
		r := appendTo(t, c, fmt.Sprint("s-", i%2), esdb.Any{}, e)
		at = append(at, esdb.Position{Commit: r.CommitPosition, Prepare: r.PreparePosition})
	}
	var subs []*esdb.Subscription
	for _, start := range []struct {
		from esdb.AllPosition
		want []string
	}{
		{esdb.Start{}, []string{"e0", "e1", "e2", "e3", "caught up"}},
		{at[1], []string{"e2", "e3", "caught up"}},
		{esdb.Position{Commit: at[1].Commit, Prepare: at[1].Commit - 1}, []string{"e1", "e2", "e3", "caught up"}},
		{at[3], []string{"caught up"}},
		{esdb.End{}, []string{"caught up"}},
		{nil, []string{"caught up"}},
	} {
		sub := toAll(t, c, esdb.SubscribeToAllOptions{From: start.from})
		expect(t, sub, start.want...)
		subs = append(subs, sub)
	}
	appendTo(t, c, "s-9", esdb.Any{}, named("e4"))
	for _, sub := range subs {
		expect(t, sub, "e4")
	}
}

func TestSubscribeToWhatIsNotThereYet(t *testing.T) {
	c := official(t, started(t, Options{}))
	missing := toStream(t, c, "missing", esdb.SubscribeToStreamOptions{From: esdb.Start{}})
	expect(t, missing, "caught up")
	appendTo(t, c, "missing", esdb.NoStream{}, named("first"))
	expect(t, missing, "first")

	deleted(t, c, "deleted")
	revived := toStream(t, c, "deleted", esdb.SubscribeToStreamOptions{From: esdb.Start{}})
	expect(t, revived, "caught up")
	appendTo(t, c, "deleted", esdb.Any{}, named("again"))
	expect(t, revived, "again")
}

func TestSubscriptionsAndTombstones(t *testing.T) {
	c := official(t, started(t, Options{}))
	three(t, c, "s")
	sub := toStream(t, c, "s", esdb.SubscribeToStreamOptions{})
	expect(t, sub, "caught up")
	if _, err := c.TombstoneStream(soon(t), "s", esdb.TombstoneStreamOptions{ExpectedRevision: esdb.Any{}}); err != nil {
		t.Fatal(err)
	}
	if e := sub.Recv(); e.EventAppeared == nil || e.EventAppeared.Event.EventType != "$streamDeleted" {
		t.Errorf("%+v", e)
	}
	if e := sub.Recv(); e.SubscriptionDropped == nil || grpcStatus(e.SubscriptionDropped.Error).Code() != codes.FailedPrecondition {
		t.Errorf("%+v", e)
	}
	for _, from := range []esdb.StreamPosition{esdb.Start{}, esdb.End{}, esdb.Revision(1)} {
		if _, err := c.SubscribeToStream(soon(t), "s", esdb.SubscribeToStreamOptions{From: from}); code(err) != esdb.ErrorCodeStreamDeleted {
			t.Errorf("from %v: %v", from, err)
		}
	}
}

func TestSubscriptionTruncationEndsWithCatchingUp(t *testing.T) {
	c := official(t, started(t, Options{}))
	appendTo(t, c, "s", esdb.NoStream{}, names("e", 4)...)
	describe(t, c, "s", `{"$maxCount":1}`)
	sub := toStream(t, c, "s", esdb.SubscribeToStreamOptions{From: esdb.Start{}})
	expect(t, sub, "e3", "caught up")
	appendTo(t, c, "s", esdb.Any{}, names("live", 3)...)
	expect(t, sub, "live0", "live1", "live2")
	if _, err := c.DeleteStream(soon(t), "s", esdb.DeleteStreamOptions{ExpectedRevision: esdb.Any{}}); err != nil {
		t.Fatal(err)
	}
	appendTo(t, c, "s", esdb.Any{}, named("again"))
	expect(t, sub, "again")

	appendTo(t, c, "ahead", esdb.NoStream{}, names("e", 2)...)
	describe(t, c, "ahead", `{"$tb":100}`)
	sub = toStream(t, c, "ahead", esdb.SubscribeToStreamOptions{From: esdb.Start{}})
	expect(t, sub, "caught up")
	appendTo(t, c, "ahead", esdb.Any{}, named("e2"))
	expect(t, sub, "e2")
}

func TestSubscriptionResolvesLinks(t *testing.T) {
	c := official(t, started(t, Options{}))
	appendTo(t, c, "target", esdb.NoStream{}, named("e"))
	appendTo(t, c, "links", esdb.NoStream{}, esdb.EventData{EventID: uuid.New(), EventType: "$>", Data: []byte("0@target")})
	e := toStream(t, c, "links", esdb.SubscribeToStreamOptions{From: esdb.Start{}, ResolveLinkTos: true}).Recv().EventAppeared
	if e == nil || e.Link == nil || string(e.Event.Data) != `"e"` {
		t.Errorf("%+v", e)
	}
}

func TestFilters(t *testing.T) {
	c := official(t, started(t, Options{}))
	for _, s := range []struct{ stream, kind string }{{"a-1", "Made"}, {"b-1", "Made"}, {"a-2", "$system"}, {"ab", "Remade"}, {"$sys", "Made"}} {
		appendTo(t, c, s.stream, esdb.Any{}, esdb.EventData{EventID: uuid.New(), EventType: s.kind, Data: []byte(s.stream)})
	}
	for _, test := range []struct {
		filter esdb.SubscriptionFilter
		want   []string
	}{
		{esdb.SubscriptionFilter{Type: esdb.StreamFilterType, Prefixes: []string{"a-"}}, []string{"a-1", "a-2"}},
		{esdb.SubscriptionFilter{Type: esdb.StreamFilterType, Prefixes: []string{"b", "$"}}, []string{"b-1", "$sys"}},
		{esdb.SubscriptionFilter{Type: esdb.StreamFilterType, Regex: `-\d$`}, []string{"a-1", "b-1", "a-2"}},
		{esdb.SubscriptionFilter{Type: esdb.EventFilterType, Prefixes: []string{"Re"}}, []string{"ab"}},
		{esdb.SubscriptionFilter{Type: esdb.EventFilterType, Regex: "made"}, []string{"ab"}},
		{*esdb.ExcludeSystemEventsFilter(), []string{"a-1", "b-1", "ab", "$sys"}},
	} {
		sub := toAll(t, c, esdb.SubscribeToAllOptions{From: esdb.Start{}, Filter: &test.filter})
		expect(t, sub, test.want...)
		if got := told(sub); !strings.HasPrefix(got, "checkpoint ") {
			t.Errorf("%+v: %s", test.filter, got)
		}
		expect(t, sub, "caught up")
	}
}

func TestCheckpoints(t *testing.T) {
	c := official(t, started(t, Options{}))
	var at []uint64
	write := func(stream, name string) {
		at = append(at, appendTo(t, c, stream, esdb.Any{}, named(name)).CommitPosition)
	}
	mark := func(i int) string { return fmt.Sprint("checkpoint ", at[i]) }
	for i := range 8 {
		write("quiet", fmt.Sprint("q", i))
	}
	write("loud", "l0") // 8
	write("quiet", "q8")
	filter := &esdb.SubscriptionFilter{Type: esdb.StreamFilterType, Prefixes: []string{"loud"}}
	o := esdb.SubscribeToAllOptions{From: esdb.Start{}, Filter: filter, MaxSearchWindow: 2, CheckpointInterval: 2}
	sub := toAll(t, c, o)
	expect(t, sub, mark(3), mark(7), "l0", mark(9), "caught up")
	for i := range 3 {
		write("quiet", fmt.Sprint("more", i)) // 10 11 12
	}
	write("loud", "l1")                      // 13
	expect(t, sub, "l1", mark(13))           // four looked at since the last checkpoint
	for _, from := range []int{3, 7, 8, 9} { // resuming loses and repeats nothing
		o.From = esdb.Position{Commit: at[from], Prepare: at[from]}
		resumed := toAll(t, c, o)
		var events []string
		for got := ""; got != "caught up"; {
			if got = told(resumed); strings.HasPrefix(got, "l") {
				events = append(events, got)
			}
		}
		want := []string{"l0", "l1"}
		if from >= 8 {
			want = want[1:]
		}
		if !slices.Equal(events, want) {
			t.Errorf("from %d: %v", from, events)
		}
	}
	// From the end there is none before the first interval is full.
	o.From = esdb.End{}
	sub = toAll(t, c, o)
	expect(t, sub, "caught up")
	for i := range 4 {
		write("quiet", fmt.Sprint("late", i))
	}
	expect(t, sub, mark(len(at)-1))
}

func TestNothingIsMissedBetweenCatchingUpAndLive(t *testing.T) {
	n := started(t, Options{})
	c := official(t, n)
	const writers, each, readers = 4, 150, 20
	var writing sync.WaitGroup
	half := make(chan struct{})
	for w := range writers {
		writing.Go(func() {
			for i := range each {
				if w == 0 && i == each/3 {
					close(half)
				}
				name := fmt.Sprintf("w%d-%d", w, i)
				if _, err := c.AppendToStream(soon(t), fmt.Sprint("gap-", w), esdb.AppendToStreamOptions{ExpectedRevision: esdb.Any{}}, named(name)); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	<-half
	var reading sync.WaitGroup
	for r := range readers {
		reading.Go(func() {
			if r%2 == 0 {
				followAll(t, c, writers*each)
			} else {
				followStream(t, c, "gap-1", each)
			}
		})
	}
	writing.Wait()
	reading.Wait()
}

func followAll(t *testing.T, c *esdb.Client, total int) {
	sub, err := c.SubscribeToAll(soon(t), esdb.SubscribeToAllOptions{From: esdb.Start{}})
	if err != nil {
		t.Error(err)
		return
	}
	defer func() { _ = sub.Close() }()
	next := map[string]uint64{}
	position, caughtUp := uint64(0), 0
	for seen := 0; seen < total; {
		switch e := sub.Recv(); {
		case e.CaughtUp != nil:
			caughtUp++
		case e.EventAppeared != nil:
			got := e.EventAppeared.Event
			if got.Position.Commit <= position || got.EventNumber != next[got.StreamID] {
				t.Errorf("%s@%d at %d after %d", got.StreamID, got.EventNumber, got.Position.Commit, position)
				return
			}
			position = got.Position.Commit
			next[got.StreamID]++
			seen++
		default:
			t.Errorf("after %d events: %+v", seen, e)
			return
		}
	}
	if caughtUp > 1 {
		t.Errorf("caught up %d times", caughtUp)
	}
}

func followStream(t *testing.T, c *esdb.Client, stream string, total int) {
	sub, err := c.SubscribeToStream(soon(t), stream, esdb.SubscribeToStreamOptions{From: esdb.Start{}})
	if err != nil {
		t.Error(err)
		return
	}
	defer func() { _ = sub.Close() }()
	for next := 0; next < total; {
		switch e := sub.Recv(); {
		case e.CaughtUp != nil:
		case e.EventAppeared != nil && e.EventAppeared.Event.EventNumber == uint64(next):
			next++
		default:
			t.Errorf("at %d: %+v", next, e)
			return
		}
	}
}

func TestAHundredSubscriptions(t *testing.T) {
	const subscriptions, writers, each = 100, 4, 25
	n := started(t, Options{})
	c := official(t, n)
	appendTo(t, c, "before", esdb.NoStream{}, named("first"))
	var following sync.WaitGroup
	ready := make(chan struct{}, subscriptions)
	for i := range subscriptions {
		following.Go(func() {
			if i%2 == 0 {
				ready <- struct{}{}
				followAll(t, c, 1+writers*each)
			} else {
				ready <- struct{}{}
				followStream(t, c, fmt.Sprint("s-", i%writers), each)
			}
		})
	}
	for range subscriptions {
		<-ready
	}
	var writing sync.WaitGroup
	for w := range writers {
		writing.Go(func() {
			for i := range each {
				if _, err := c.AppendToStream(soon(t), fmt.Sprint("s-", w), esdb.AppendToStreamOptions{ExpectedRevision: esdb.Any{}}, named(fmt.Sprintf("w%d-%d", w, i))); err != nil {
					t.Error(err)
				}
			}
		})
	}
	writing.Wait()
	following.Wait()
}

// TestIdleConnectionLives leaves the official client alone, whose pings come every 10 s: briefly, or for minutes when
// ATRIUM_FAULT is long. The subscription lives and the same connection is used again.
func TestIdleConnectionLives(t *testing.T) {
	idle := time.Second
	if os.Getenv("ATRIUM_FAULT") == "long" {
		idle = 150 * time.Second
	}
	n := started(t, Options{})
	c := official(t, n, "maxDiscoverAttempts=1")
	sub, err := c.SubscribeToAll(t.Context(), esdb.SubscribeToAllOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer sub.Close() //nolint:errcheck // the test is over
	expect(t, sub, "caught up")
	<-time.After(idle)
	appendTo(t, c, "s", esdb.NoStream{}, named("e0"))
	expect(t, sub, "e0")
}

func TestSlowSubscriberCostsNoMemory(t *testing.T) {
	n := started(t, Options{})
	c := official(t, n)
	const total, size = 60, 500_000
	write := func(from, to int) {
		for i := from; i < to; i++ {
			appendTo(t, c, "big", esdb.Any{}, esdb.EventData{EventID: uuid.New(), EventType: "Big", Data: make([]byte, size+i)})
		}
	}
	write(0, total/2)
	sub := toAll(t, c, esdb.SubscribeToAllOptions{From: esdb.Start{}})
	write(total/2, total)
	if held := heldFor("eventnode.(*page).room"); held > 5<<20 {
		t.Errorf("%d MiB of replies wait for somebody who takes none of %d MiB", held>>20, total*size>>20)
	}
	for i := range total {
		next := sub.Recv()
		if next.CaughtUp != nil {
			next = sub.Recv()
		}
		if e := next.EventAppeared; e == nil || len(e.Event.Data) != size+i {
			t.Fatalf("event %d: %+v", i, e)
		}
	}
}

// heldFor estimates how many bytes are in use that a function has allocated.
func heldFor(function string) (bytes int64) {
	runtime.GC()
	runtime.GC() // the profile shows what the cycle before the last one left
	records := make([]runtime.MemProfileRecord, 10_000)
	n, _ := runtime.MemProfile(records, false)
	for _, r := range records[:min(n, len(records))] {
		frames := runtime.CallersFrames(r.Stack())
		for more := true; more; {
			var frame runtime.Frame
			frame, more = frames.Next()
			if strings.HasSuffix(frame.Function, function) {
				bytes += r.InUseBytes()
				break
			}
		}
	}
	return bytes
}

func TestCancelledSubscriptionsAreGivenUp(t *testing.T) {
	n := started(t, Options{})
	c := official(t, n)
	ctx, cancel := context.WithCancel(t.Context())
	sub, err := c.SubscribeToAll(ctx, esdb.SubscribeToAllOptions{})
	if err != nil {
		t.Fatal(err)
	}
	expect(t, sub, "caught up")
	cancel()
	// Close waits for every call that the node still serves.
	begin := time.Now()
	if err := n.Close(); err != nil || time.Since(begin) > patience {
		t.Errorf("closed after %v: %v", time.Since(begin), err)
	}
}

func TestCloseEndsSubscriptions(t *testing.T) {
	n := started(t, Options{})
	c := official(t, n)
	appendTo(t, c, "s", esdb.NoStream{}, named("e"))
	subs := []*esdb.Subscription{
		toAll(t, c, esdb.SubscribeToAllOptions{}),
		toStream(t, c, "s", esdb.SubscribeToStreamOptions{}),
	}
	for _, sub := range subs {
		expect(t, sub, "caught up")
	}
	begin := time.Now()
	if err := n.Close(); err != nil || time.Since(begin) > patience {
		t.Errorf("closed after %v: %v", time.Since(begin), err)
	}
	for _, sub := range subs {
		e := sub.Recv()
		if e.SubscriptionDropped == nil || grpcStatus(e.SubscriptionDropped.Error).Code() != codes.Unavailable {
			t.Errorf("%+v", e)
		}
	}
	if err := n.Close(); err != nil {
		t.Errorf("again: %v", err)
	}
}
