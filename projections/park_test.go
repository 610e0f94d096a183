package projections_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/account"
	"github.com/atrium-portal/atrium/domain/domaintest"
	"github.com/atrium-portal/atrium/projections"
)

// mended are the test's tables with a fold that takes every event; their build is the same.
func mended() []projections.Table {
	list := tables()
	list[0] = projections.Define(projections.Spec[accountRow]{
		Name: "accounts", Categories: []string{"account"}, Primary: true,
		Access: projections.OfRecipients, ClientsWhere: "not closed or " + projections.Unreleased,
		Indexes: []string{"(firm, name)", "unique (firm, id)", "using gin (search)"},
		Extra:   []string{"search tsvector generated always as (to_tsvector('simple', name)) stored"},
		Fold: func(row *accountRow, f domain.Fact) *accountRow {
			if e, is := f.Event.(account.DetailsChanged); is && e.Name.Reveal() == "no such fold" {
				row.Name = "mended"
				return row
			}
			return foldAccount(row, f)
		},
	})
	return list
}

func TestAStreamThatFailsIsParkedAndTheOthersPass(t *testing.T) {
	for _, size := range []int{1, 2, 100} {
		db, log := newDatabase(t), newLog(t)
		log.add(t, "ana", opened("Ana"))
		log.add(t, "ben", opened("Ben"))
		log.add(t, "ana", renamed("no such fold"))
		log.add(t, "ana", account.Closed{})
		log.add(t, "ben", renamed("Ben B"))
		log.add(t, "ana", account.Reopened{})
		var logged bytes.Buffer
		e := db.engine(t, log, func(o *projections.Options) { o.Logger = slog.New(slog.NewTextHandler(&logged, nil)) })
		apply(t, e, log.all(), size)

		if got := one[string](t, db.owner, "select string_agg(name || ' ' || closed || revision, ', ' order by name) from read.accounts"); got != "Ana false0, Ben B false1" {
			t.Errorf("batches of %d: rows %s", size, got)
		}
		if n := one[int64](t, db.owner, "select count(*) from read.details"); n != 1 {
			t.Errorf("batches of %d: the event that failed left %d details, want Ben's alone", size, n)
		}
		if n := one[int64](t, db.owner, "select count(*) from read.history"); n != 3 {
			t.Errorf("batches of %d: %d history entries, want 3", size, n)
		}
		s, err := e.Status(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		want := []projections.ParkedStream{{
			Stream: domain.StreamName("account", domaintest.ID("ana")), Events: 3, Position: domain.Position{Commit: 30, Prepare: 30},
			Error: "folding it panicked: a mistake in the fold",
		}}
		if d := cmp.Diff(want, s.Parked); d != "" {
			t.Errorf("batches of %d: parked (-want +got):\n%s", size, d)
		}
		if n := strings.Count(logged.String(), "level=ERROR"); n != 1 {
			t.Errorf("batches of %d: %d alarms, want 1:\n%s", size, n, &logged)
		}

		if _, err := e.Rebuild(t.Context(), log, ignore); !errors.Is(err, projections.ErrParked) {
			t.Errorf("a rebuild with a parked stream ended with %v", err)
		}
		if applied, still, err := e.Retry(t.Context()); applied != 0 || len(still) != 1 || err != nil {
			t.Errorf("retry without a fix: %d applied, %d parked, %v", applied, len(still), err)
		}
		log.add(t, "ben", renamed("Ben C"))
		apply(t, e, log.all(), size)
		after := db.engineOf(t, log, mended())
		if applied, still, err := after.Retry(t.Context()); applied != 3 || len(still) != 0 || err != nil {
			t.Fatalf("retry after the fix: %d applied, %d parked, %v", applied, len(still), err)
		}
		log.add(t, "ana", renamed("Ana A"))
		if err := e.Apply(t.Context(), projections.Batch{Events: log.all()}); !errors.Is(err, projections.ErrFenced) {
			t.Errorf("the projector that remembers the parked stream got %v", err)
		}
		apply(t, after, log.all(), size)
		if differences, err := after.Verify(t.Context(), log, ignore); err != nil || len(differences) > 0 {
			t.Errorf("after the retry: %v %v", differences, err)
		}
		if done, err := after.Rebuild(t.Context(), log, ignore); err != nil || !done.Compared || len(done.Differ) > 0 {
			t.Errorf("after the retry, rebuild: %+v %v", done, err)
		}
	}
}

func TestEventsThatCannotBeReadAreParked(t *testing.T) {
	db, log := newDatabase(t), newLog(t)
	log.add(t, "ana", opened("Ana"))
	good := log.add(t, "ben", opened("Ben"))
	ana := domain.StreamName("account", domaintest.ID("ana"))
	log.record(ana, domain.Proposed{ID: domaintest.ID("x"), Type: "AccountTeleported", Data: []byte(`{}`), Metadata: good.Metadata})
	log.record("account-7", domain.Proposed{ID: domaintest.ID("y"), Type: "AccountOpened", Data: []byte{0xff, 0}, Metadata: []byte("\x00not json")})
	log.add(t, "ben", renamed("Ben B"))
	e := db.engine(t, log)
	apply(t, e, log.all(), 2)
	s, err := e.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Parked) != 2 || !strings.Contains(s.Parked[0].Error, "unknown event type") || s.Parked[1].Stream != "account-7" {
		t.Errorf("parked: %+v", s.Parked)
	}
	if firm := one[domain.ID](t, db.owner, "select firm from read.parked where stream = $1", ana); firm != domaintest.ID("firm") {
		t.Errorf("the firm of the parked stream is %s", firm)
	}
	if name := one[string](t, db.owner, "select name from read.accounts where id = $1", domaintest.ID("ben")); name != "Ben B" {
		t.Errorf("the other stream is at %q", name)
	}
}

// strict are the test's tables, with a database that refuses long currencies.
func strict() []projections.Table {
	list := tables()
	list[2] = projections.Define(projections.Spec[firmRow]{
		Name: "firms", Categories: []string{"account"}, Extra: []string{"check (length(currency) < 10)"},
		Keys: func(f domain.Fact) []projections.Key {
			if e, is := f.Event.(account.Opened); is {
				return []projections.Key{projections.K(f.Meta.Firm, e.Currency)}
			}
			return nil
		},
		Fold: func(row *firmRow, f domain.Fact) *firmRow {
			if row == nil {
				row = &firmRow{Firm: f.Meta.Firm, Currency: f.Event.(account.Opened).Currency}
			}
			row.Opened++
			return row
		},
	})
	return list
}

func TestWhatPostgresRefusesParksOneStream(t *testing.T) {
	db, log := newDatabase(t), newLog(t)
	log.story(t, 20)
	log.add(t, "ana", account.Opened{Name: domain.P("Ana"), Currency: strings.Repeat("long", 1000), Contact: domaintest.ID("x")})
	log.story(t, 20)
	e := db.engineOf(t, log, strict())
	apply(t, e, log.all(), 100)
	s, err := e.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Parked) != 1 || s.Events != int64(len(log.all())) || !strings.Contains(s.Parked[0].Error, "the database refuses") {
		t.Fatalf("parked %+v after %d events", s.Parked, s.Events)
	}
	if _, still, err := e.Retry(t.Context()); err != nil || len(still) != 1 {
		t.Errorf("retry: %v %v", still, err)
	}
	// The same while loading in a pipeline.
	if _, err := e.Rebuild(t.Context(), log, ignore); !errors.Is(err, projections.ErrParked) {
		t.Errorf("rebuild: %v", err)
	}
	if differences, err := e.Verify(t.Context(), log, ignore); err != nil || len(differences) > 0 {
		t.Errorf("verify: %v %v", differences, err)
	}
}

func TestAKeystoreThatDoesNotAnswerParksNothing(t *testing.T) {
	db, log := newDatabase(t), newLog(t)
	log.story(t, 5)
	keys := &troubledKeys{Keyring: domaintest.NewKeys()}
	codec, err := domain.NewCodec([]domain.Type{account.Aggregate.Type()}, keys, nil)
	if err != nil {
		t.Fatal(err)
	}
	e, err := projections.New(db.projector, codec, tables(), projections.Options{Owner: db.owner, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, keys.trouble = range []error{
		&domain.Fault{Kind: domain.Unavailable, Code: "keystore-unavailable", Message: "Try again."},
		&pgconn.PgError{Code: "57P01", Message: "the administrator stops the server"},
		&net.OpError{Op: "read", Err: errors.New("connection reset by peer")},
		context.DeadlineExceeded,
	} {
		if err := e.Apply(t.Context(), projections.Batch{Events: log.all()}); !errors.Is(err, keys.trouble) {
			t.Fatalf("without keys: %v", err)
		}
	}
	keys.trouble = nil
	apply(t, e, log.all(), 5)
	if s, err := e.Status(t.Context()); err != nil || len(s.Parked) > 0 || s.Events != 5 {
		t.Errorf("status %+v %v", s, err)
	}
}

type troubledKeys struct {
	domain.Keyring
	trouble error
}

func (k *troubledKeys) OpeningKey(subject string) ([]byte, error) {
	if k.trouble != nil {
		return nil, k.trouble
	}
	return k.Keyring.OpeningKey(subject)
}
