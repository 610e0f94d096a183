package projections_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/account"
	"github.com/atrium-portal/atrium/domain/domaintest"
	"github.com/atrium-portal/atrium/projections"
)

func TestRowsFollowTheEvents(t *testing.T) {
	db, log := newDatabase(t), newLog(t)
	log.add(t, "ana", opened("Ana"))
	log.add(t, "ben", opened("Ben"))
	log.add(t, "ana", renamed(`Ana "A" \ {Lima}`))
	log.add(t, "ana", account.Closed{})
	e := db.engine(t, log)
	apply(t, e, log.all(), 10)

	got := one[string](t, db.owner, `select row(name, currency, credit, closed, opened at time zone 'UTC', closed_on, names, recipients, turns, revision)::text
		from read.accounts where id = $1`, domaintest.ID("ana"))
	want := `("Ana ""A"" \\ {Lima}",EUR,500,t,"2026-03-02 09:30:00",2026-03-02,"{Ana,""Ana \\""A\\"" \\\\ {Lima}""}",{` +
		domaintest.ID("staff").String() + `},"[{""at"": ""2026-03-02T09:33:00Z"", ""closed"": true}]",2)`
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("row (-want +got):\n%s", d)
	}
	if n := one[int64](t, db.owner, "select opened from read.firms"); n != 2 {
		t.Errorf("the firm's row counts %d accounts, want 2", n)
	}
	s, err := e.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if s.Events != 4 || s.Position != (domain.Position{Commit: 40, Prepare: 40}) || len(s.Parked) != 0 || s.Build != s.Program {
		t.Errorf("status %+v", s)
	}
}

func TestHistoryTellsEveryEvent(t *testing.T) {
	db, log := newDatabase(t), newLog(t)
	log.add(t, "ana", opened("Ana"))
	log.add(t, "ana", renamed("Ana Lima"))
	log.add(t, "ana", account.Closed{})
	apply(t, db.engine(t, log), log.all(), 2)

	changes := func(revision int) (list []map[string]any) {
		t.Helper()
		text := one[string](t, db.owner, "select changes::text from read.history where revision = $1", revision)
		if err := json.Unmarshal([]byte(text), &list); err != nil {
			t.Fatal(err)
		}
		return list
	}
	money := map[string]any{"amount": 500.0, "currency": "EUR"}
	if d := cmp.Diff([]map[string]any{
		{"field": "name", "from": nil, "to": "Ana"},
		{"field": "currency", "from": nil, "to": "EUR"},
		{"field": "credit", "from": nil, "to": money},
		{"field": "opened", "from": nil, "to": "2026-03-02T09:30:00Z"},
		{"field": "contact", "from": nil, "to": domaintest.ID("contact of Ana").String()},
	}, changes(0)); d != "" {
		t.Errorf("opening (-want +got):\n%s", d)
	}
	if d := cmp.Diff([]map[string]any{{"field": "name", "from": "Ana", "to": "Ana Lima"}}, changes(1)); d != "" {
		t.Errorf("renaming (-want +got):\n%s", d)
	}
	got := one[string](t, db.owner, `select row(position, category, record = account, label, event, revision, actor, actor_kind, sentence, ip, user_agent,
		client_visible, recipients, command, event_id)::text from read.history where revision = 2`)
	r := log.all()[2]
	want := `(30,account,t,"Ana Lima",AccountClosed,2,` + domaintest.ID("staff").String() + `,staff,"closed the account",192.0.2.1,"a browser",f,{` +
		domaintest.ID("staff").String() + `},` + domaintest.ID("command2").String() + `,` + r.ID.String() + `)`
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("entry (-want +got):\n%s", d)
	}
}

func TestAnyBatchSizeGivesTheSameRows(t *testing.T) {
	db := newDatabase(t)
	db.engine(t, newLog(t))
	rapid.Check(t, func(r *rapid.T) {
		log := newLog(t)
		for range rapid.IntRange(1, 60).Draw(r, "events") {
			name := rapid.SampledFrom([]string{"a", "b", "c", "d"}).Draw(r, "account")
			stream := domain.StreamName("account", domaintest.ID(name))
			text := rapid.StringOfN(rapid.RuneFrom([]rune{'a', 'é', '"', '\\', '{', '}', ',', ' ', '\n'}), 1, 5, -1).Draw(r, "text")
			switch kind := rapid.IntRange(0, 3).Draw(r, "kind"); {
			case log.last[stream] == 0:
				log.add(t, name, account.Opened{Name: domain.P(text), Currency: "EUR", Contact: domaintest.ID(name)})
			case kind == 0:
				log.add(t, name, account.Closed{})
			case kind == 1:
				log.add(t, name, account.Reopened{})
			default:
				log.add(t, name, renamed(text))
			}
		}
		all := log.all()
		size := rapid.IntRange(1, len(all)).Draw(r, "size")
		again := rapid.IntRange(0, len(all)).Draw(r, "from again")
		cacheBytes := rapid.SampledFrom([]int{1, 2000, 1 << 20}).Draw(r, "cache")
		var digests []projections.Digest
		for _, size := range []int{len(all), size} {
			db.empty(t, "read")
			e := db.engine(t, log, func(o *projections.Options) { o.CacheBytes = cacheBytes })
			apply(t, e, all, size)
			apply(t, e, all[again:], size) // the same events again
			digests = append(digests, digest(t, e))
		}
		if d := cmp.Diff(digests[0], digests[1]); d != "" {
			r.Fatalf("one batch of %d and batches of %d give different rows:\n%s", len(all), size, d)
		}
	})
}

// TestALargeBatch goes in several transactions that overlap.
func TestALargeBatch(t *testing.T) {
	db, log := newDatabase(t), newLog(t)
	log.story(t, 1500)
	log.add(t, "ana", account.Opened{Name: domain.P("Ana"), Currency: "as long as the database refuses"})
	log.story(t, 1500)
	e := db.engineOf(t, log, strict())
	apply(t, e, log.all(), 5000)
	clean := db.engineOf(t, log, strict(), func(o *projections.Options) { o.Schema = "clean" })
	apply(t, clean, log.all(), 300)
	if d := cmp.Diff(digest(t, clean), digest(t, e)); d != "" {
		t.Errorf("rows (-batches of 300 +one batch):\n%s", d)
	}
	s, err := e.Status(t.Context())
	if err != nil || s.Events != 3001 || len(s.Parked) != 1 {
		t.Errorf("status %+v %v", s, err)
	}
}

func TestTwoProjectorsOnOneSchema(t *testing.T) {
	db, log := newDatabase(t), newLog(t)
	log.story(t, 30)
	all := log.all()
	first, second := db.engine(t, log), db.engine(t, log)
	apply(t, first, all[:10], 10)
	apply(t, second, all[:20], 20)

	late := projections.Batch{After: all[9].Position, Events: all[10:20]}
	if err := first.Apply(t.Context(), late); !errors.Is(err, projections.ErrFenced) {
		t.Fatalf("the projector that was overtaken got %v", err)
	}
	if err := first.Apply(t.Context(), projections.Batch{After: all[9].Position, Events: all[10:21]}); err != nil {
		t.Fatalf("starting over from the checkpoint: %v", err)
	}
	if err := second.Apply(t.Context(), projections.Batch{After: all[20].Position, Events: all[21:]}); err != nil {
		t.Fatalf("going on where the other stopped: %v", err)
	}
	clean := db.engine(t, log, func(o *projections.Options) { o.Schema = "clean" })
	apply(t, clean, all, 7)
	if d := cmp.Diff(digest(t, clean), digest(t, first)); d != "" {
		t.Fatalf("rows differ:\n%s", d)
	}
}

func TestABatchThatSkipsEventsIsRefused(t *testing.T) {
	db, log := newDatabase(t), newLog(t)
	log.story(t, 10)
	all := log.all()
	e := db.engine(t, log)
	apply(t, e, all[:4], 4)
	if err := e.Apply(t.Context(), projections.Batch{After: all[5].Position, Events: all[6:]}); !errors.Is(err, projections.ErrRewound) {
		t.Fatalf("got %v", err)
	}
	var gap []domain.Recorded
	for _, r := range all[4:] {
		if r.Revision != 2 {
			gap = append(gap, r)
		}
	}
	if err := e.Apply(t.Context(), projections.Batch{Events: gap}); !errors.Is(err, projections.ErrGap) {
		t.Fatalf("a missing revision gave %v", err)
	}
	apply(t, e, all, 3)
}

func TestAwait(t *testing.T) {
	db, log := newDatabase(t), newLog(t)
	log.story(t, 10)
	all := log.all()
	projector := db.engine(t, log)
	other := db.engine(t, log, func(o *projections.Options) { o.Poll = time.Millisecond }) // as in another process
	arrived := make(chan error, 2)
	for _, e := range []*projections.Engine{projector, other} {
		go func() { arrived <- e.Await(t.Context(), all[9].Position) }()
	}
	apply(t, projector, all, 3)
	for range 2 {
		if err := <-arrived; err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := other.Await(ctx, domain.Position{Commit: 1e6}); !errors.Is(err, context.Canceled) {
		t.Fatalf("waiting for ever gave %v", err)
	}
}
