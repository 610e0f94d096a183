package projections_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/domaintest"
	"github.com/atrium-portal/atrium/projections"
)

func TestRebuildGivesTheSameRows(t *testing.T) {
	db, log := newDatabase(t), newLog(t)
	log.story(t, 200)
	e := db.engine(t, log)
	apply(t, e, log.all(), 9)
	before := digest(t, e)

	var phases []projections.Phase
	var events int64
	done, err := e.Rebuild(t.Context(), log, func(p projections.Progress) {
		if len(phases) == 0 || phases[len(phases)-1] != p.Phase {
			phases = append(phases, p.Phase)
		}
		if p.Events < events {
			t.Errorf("progress went back from %d to %d events", events, p.Events)
		}
		events = p.Events
	})
	if err != nil {
		t.Fatal(err)
	}
	if !done.Compared || len(done.Differ) > 0 || done.Events != 200 || events != 200 {
		t.Errorf("rebuilt %+v", done)
	}
	if d := cmp.Diff([]projections.Phase{projections.Folding, projections.Indexing, projections.Comparing, projections.Swapping}, phases); d != "" {
		t.Errorf("phases (-want +got):\n%s", d)
	}
	if d := cmp.Diff(before, digest(t, e)); d != "" {
		t.Errorf("rows after the swap (-before +after):\n%s", d)
	}
	log.story(t, 300) // the same engine goes on in the new tables
	if err := e.Apply(t.Context(), projections.Batch{After: log.all()[199].Position, Events: log.all()[200:]}); err != nil {
		if !errors.Is(err, projections.ErrFenced) {
			t.Fatal(err)
		}
		apply(t, e, log.all(), 50)
	}
	if differences, err := e.Verify(t.Context(), log, ignore); err != nil || len(differences) > 0 {
		t.Errorf("verify: %v %v", differences, err)
	}
	if left := one[string](t, db.owner, "select string_agg(nspname, ' ' order by nspname) from pg_namespace where nspname like 'read%'"); left != "read read_previous" {
		t.Errorf("schemas left: %s", left)
	}
}

func TestRebuildWhileTheProjectorAndReadersGoOn(t *testing.T) {
	t.Run("another process rebuilds", func(t *testing.T) {
		db, log := newDatabase(t), newLog(t)
		rebuildBesides(t, db, log, db.engine(t, log), db.engine(t, log))
	})
	t.Run("one process with one small pool", func(t *testing.T) {
		db, log := newDatabase(t), newLog(t)
		e, err := projections.New(db.owner, log.codec, tables(), projections.Options{Batch: 16, Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := e.Open(t.Context()); err != nil {
			t.Fatal(err)
		}
		rebuildBesides(t, db, log, e, e)
	})
}

func rebuildBesides(t *testing.T, db *database, log *memoryLog, e, rebuilder *projections.Engine) {
	t.Helper()
	log.story(t, 100)
	apply(t, e, log.all(), 100)

	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { // the projector: what the feed does
		for i := 0; ctx.Err() == nil; i++ {
			if len(log.all()) < 600 {
				log.add(t, fmt.Sprint("live ", i), opened(fmt.Sprint("live ", i)))
			}
			at, err := e.Position(ctx)
			if err != nil {
				continue
			}
			var batch []domain.Recorded
			for _, r := range log.all() {
				if at.Before(r.Position) {
					batch = append(batch, r)
				}
			}
			err = e.Apply(ctx, projections.Batch{After: at, Events: batch})
			if err != nil && !errors.Is(err, projections.ErrFenced) && ctx.Err() == nil {
				t.Error(err)
			}
		}
	})
	running.Go(func() { // a reader, with statements it prepared before the swap
		seen := int64(0)
		for ctx.Err() == nil {
			var rows, history int64
			err := pgx.BeginFunc(ctx, db.staff, func(tx pgx.Tx) error {
				if _, err := tx.Exec(ctx, "select set_config('app.firm', $1, true)", domaintest.ID("firm").String()); err != nil {
					return err
				}
				return tx.QueryRow(ctx, "select (select count(*) from read.accounts), (select count(*) from read.history)").Scan(&rows, &history)
			})
			switch {
			case ctx.Err() != nil:
			case err != nil:
				t.Errorf("a reader during the swap: %v", err)
			case rows == 0 || history < seen:
				t.Errorf("a reader saw %d accounts and %d history entries after %d", rows, history, seen)
			}
			seen = history
		}
	})
	for range 3 {
		done, err := rebuilder.Rebuild(ctx, log, ignore)
		if err != nil {
			t.Fatal(err)
		}
		// What was folded may be ahead of a projector that is slow just now; then there is nothing to compare it with.
		if len(done.Differ) > 0 {
			t.Errorf("rebuilt %+v", done)
		}
	}
	stop()
	running.Wait()
	at, err := e.Position(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range log.all() {
		if at.Before(r.Position) {
			if err := rebuilder.Apply(t.Context(), projections.Batch{After: at, Events: []domain.Recorded{r}}); err != nil {
				t.Fatal(err)
			}
			at = r.Position
		}
	}
	if s, err := e.Status(t.Context()); err != nil || s.Events != int64(len(log.all())) {
		t.Errorf("%d events processed of %d: %v", s.Events, len(log.all()), err)
	}
	if differences, err := e.Verify(t.Context(), log, ignore); err != nil || len(differences) > 0 {
		t.Errorf("verify: %v %v", differences, err)
	}
	// Now that the projector rests, there is something to compare for certain.
	if done, err := rebuilder.Rebuild(t.Context(), log, ignore); err != nil || !done.Compared || len(done.Differ) > 0 {
		t.Errorf("rebuilt at rest: %+v, %v", done, err)
	}
}

func TestRebuildGoesOnAfterAKill(t *testing.T) {
	db, log := newDatabase(t), newLog(t)
	log.story(t, 200)
	e := db.engine(t, log)
	apply(t, e, log.all(), 200)

	killed := errors.New("killed")
	batches := 0
	log.each = func([]domain.Recorded) error {
		if batches++; batches == 6 {
			return killed
		}
		return nil
	}
	if _, err := e.Rebuild(t.Context(), log, ignore); !errors.Is(err, killed) {
		t.Fatalf("got %v", err)
	}
	var first domain.Position
	log.each = func(records []domain.Recorded) error {
		if first == (domain.Position{}) {
			first = records[0].Position
		}
		return nil
	}
	done, err := e.Rebuild(t.Context(), log, ignore)
	if err != nil {
		t.Fatal(err)
	}
	if first.Commit <= 16*10 {
		t.Errorf("the second run began at %s, as if the first had stored nothing", first)
	}
	if done.Events != 200 || !done.Compared || len(done.Differ) > 0 {
		t.Errorf("rebuilt %+v", done)
	}
}

func TestAnotherProgramNeedsARebuild(t *testing.T) {
	db, log := newDatabase(t), newLog(t)
	log.story(t, 50)
	old := db.engine(t, log)
	apply(t, old, log.all(), 50)

	list := tables()[:2]
	e, err := projections.New(db.projector, log.codec, list, projections.Options{Owner: db.owner})
	if err != nil {
		t.Fatal(err)
	}
	if needs, err := e.Open(t.Context()); err != nil || !needs {
		t.Fatalf("needs a rebuild: %v %v", needs, err)
	}
	if err := e.Apply(t.Context(), projections.Batch{Events: log.all()}); !errors.Is(err, projections.ErrOtherBuild) {
		t.Errorf("apply gave %v", err)
	}
	if _, err := e.Verify(t.Context(), log, ignore); !errors.Is(err, projections.ErrOtherBuild) {
		t.Errorf("verify gave %v", err)
	}
	done, err := e.Rebuild(t.Context(), log, ignore)
	if err != nil || done.Compared {
		t.Fatalf("rebuilt %+v %v", done, err)
	}
	if needs, err := e.Open(t.Context()); err != nil || needs {
		t.Errorf("after the rebuild it needs one: %v %v", needs, err)
	}
	log.story(t, 60)
	all := log.all()
	if err := old.Apply(t.Context(), projections.Batch{After: all[49].Position, Events: all[50:]}); !errors.Is(err, projections.ErrFenced) {
		t.Errorf("the old program got %v", err)
	}
	if err := old.Apply(t.Context(), projections.Batch{After: all[49].Position, Events: all[50:]}); !errors.Is(err, projections.ErrOtherBuild) {
		t.Errorf("the old program started over and got %v", err)
	}
	apply(t, e, all, 20)

	if err := e.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := old.Apply(t.Context(), projections.Batch{After: all[len(all)-2].Position, Events: all[len(all)-1:]}); !errors.Is(err, projections.ErrRewound) {
		t.Errorf("the old program, behind the events sent, got %v", err)
	}
	apply(t, old, all, 20)
	if differences, err := old.Verify(t.Context(), log, ignore); err != nil || len(differences) > 0 {
		t.Errorf("verify: %v %v", differences, err)
	}
}

func TestVerifyNamesRowsEditedByHand(t *testing.T) {
	db, log := newDatabase(t), newLog(t)
	log.story(t, 70)
	e := db.engine(t, log)
	apply(t, e, log.all(), 70)
	log.story(t, 80) // in the log, but not yet in the rows

	edited, gone, made := domaintest.ID("account 0 0"), domaintest.ID("account 1 1"), domaintest.ID("made up")
	for _, sql := range []string{
		"update read.accounts set name = 'somebody else', credit = 7 where id = $1",
		"delete from read.accounts where id = $2",
		"insert into read.details (account, n, firm, name) values ($3, 4, $1, 'x')",
		"update read.history set sentence = 'did nothing' where position = 20 and $1 <> $2",
	} {
		for i, id := range []domain.ID{edited, gone, made} {
			sql = replaceParam(sql, i+1, id)
		}
		if _, err := db.projector.Exec(t.Context(), sql); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
	got, err := e.Verify(t.Context(), log, ignore)
	if err != nil {
		t.Fatal(err)
	}
	want := []projections.Difference{
		{Table: "accounts", Key: edited.String(), Kind: "different", Columns: []string{"name", "credit"}},
		{Table: "accounts", Key: gone.String(), Kind: "missing", Columns: []string{}},
		{Table: "details", Key: made.String() + "/4", Kind: "extra", Columns: []string{}},
		{Table: "history", Key: "20", Kind: "different", Columns: []string{"sentence"}},
	}
	byKey := cmp.Transformer("set", func(list []projections.Difference) map[string]projections.Difference {
		set := map[string]projections.Difference{}
		for _, d := range list {
			set[d.Table+d.Key] = d
		}
		return set
	})
	if d := cmp.Diff(want, got, byKey); d != "" {
		t.Errorf("differences (-want +got):\n%s", d)
	}
	done, err := e.Rebuild(t.Context(), log, ignore)
	if err != nil {
		t.Fatal(err)
	}
	if done.Compared { // the live tables were behind the log, so there was nothing to compare
		t.Errorf("rebuilt %+v", done)
	}
	if got, err := e.Verify(t.Context(), log, ignore); err != nil || len(got) > 0 {
		t.Errorf("after the rebuild: %v %v", got, err)
	}
}
