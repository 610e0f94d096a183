package projections

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/errgroup"

	"github.com/atrium-portal/atrium/domain"
)

// Rebuilt says what a rebuild did.
type Rebuilt struct {
	Events   int64    // folded into the new tables, all runs together
	Digest   Digest   // of the new tables; empty unless Compared
	Compared bool     // the old tables were of the same build and at the same position
	Differ   []string // the tables whose rows were not the same; the new ones are what the events say
}

// ErrParked says that streams are parked, so that the tables are not all that the events say.
var ErrParked = errors.New("streams are parked")

// Rebuild folds the whole log into a new schema beside the live one and swaps them in one transaction, while readers and
// the projector go on. Called again after a kill it goes on where it was. With parked streams it ends with ErrParked
// and the live tables stay. The tables before stay for Rollback.
func (e *Engine) Rebuild(ctx context.Context, s Source, progress func(Progress)) (Rebuilt, error) {
	var done Rebuilt
	err := e.alone(ctx, func(alone *pgxpool.Conn) error {
		next, err := e.beside(ctx)
		if err != nil {
			return err
		}
		if err := e.fill(ctx, next, s, everything, progress); err != nil {
			return err
		}
		tell := func(p Phase) { progress(Progress{Phase: p, Events: next.at.events, Position: next.at.position}) }
		tell(Comparing)
		if err := e.compare(ctx, alone, next, s, &done); err != nil {
			return err
		}
		tell(Swapping)
		err = e.swap(ctx, alone, next, s)
		done.Events = next.at.events
		return err
	})
	return done, err
}

// alone runs do while no other process rebuilds or checks these tables.
//
// The connection it gives holds the live checkpoint when do needs that: of the pool's connections one is then with a
// projector that waits, and two are left to work with.
func (e *Engine) alone(ctx context.Context, do func(*pgxpool.Conn) error) error {
	if e.owner.Config().MaxConns < 4 {
		return errors.New("the owner's pool needs at least four connections for a rebuild")
	}
	conn, err := e.owner.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	name := "atrium rebuild " + e.opts.Schema
	var free bool
	if err := conn.QueryRow(ctx, "select pg_try_advisory_lock(hashtext($1))", name).Scan(&free); err != nil {
		return err
	}
	if !free {
		return errors.New("another rebuild or check of the read tables is running; wait for it to end")
	}
	err = do(conn)
	if _, unlock := conn.Exec(context.WithoutCancel(ctx), "select pg_advisory_unlock(hashtext($1))", name); unlock != nil {
		err = errors.Join(err, unlock)
	}
	return err
}

// beside finds the build that an earlier run began, or begins one.
func (e *Engine) beside(ctx context.Context) (*build, error) {
	b := e.build(e.opts.Schema+"_"+e.name, e.owner, true)
	var there bool
	if err := e.owner.QueryRow(ctx, "select to_regclass($1) is not null", b.schema+".checkpoint").Scan(&there); err != nil {
		return nil, err
	}
	if !there {
		return b, e.create(ctx, b)
	}
	return b, e.owner.QueryRow(ctx, "select loading from "+b.schema+".checkpoint").Scan(&b.loading)
}

// create makes an empty build in the loading state.
func (e *Engine) create(ctx context.Context, b *build) error {
	return pgx.BeginFunc(ctx, e.owner, func(tx pgx.Tx) error {
		return run(ctx, tx, []string{"drop schema if exists " + b.schema + " cascade"}, createStatements(b.schema, e.name, e.tables))
	})
}

// fill folds the log, to its head or to a position, into a build and makes it ready to serve.
func (e *Engine) fill(ctx context.Context, b *build, s Source, until domain.Position, progress func(Progress)) error {
	if err := e.fold(ctx, b, s, until, progress); err != nil {
		return err
	}
	// Parked by a run before this program knew better.
	if _, still, err := b.retryAll(ctx); err != nil || len(still) > 0 {
		return errors.Join(err, parkedError(still))
	}
	if !b.loading {
		return nil
	}
	progress(Progress{Phase: Indexing, Events: b.at.events, Position: b.at.position})
	err := pgx.BeginFunc(ctx, e.owner, func(tx pgx.Tx) error {
		return run(ctx, tx, indexStatements(b.schema, e.tables), protectStatements(b.schema, e.tables), analyze(b))
	})
	b.loading = err != nil
	return err
}

// fold catches up with a source to a position and reports.
func (e *Engine) fold(ctx context.Context, b *build, s Source, until domain.Position, progress func(Progress)) error {
	head, err := s.Head(ctx)
	if err != nil {
		return err
	}
	if until.Before(head) {
		head = until
	}
	return b.catchUp(ctx, upTo(s, e.opts.Batch, until), func(at domain.Position, events int64) {
		progress(Progress{Folding, events, at, head})
	})
}

// analyze tells the planner what the rows are like; fresh tables look empty to it. A small sample does: with the usual one it
// would take a quarter of a rebuild, and autovacuum takes that later.
func analyze(b *build) []string {
	list := []string{"set local default_statistics_target = 20"}
	for _, t := range b.tables {
		list = append(list, "analyze "+b.schema+"."+t.name)
	}
	return list
}

// parkedError names the first of the parked streams; nil when there are none.
func parkedError(streams []ParkedStream) error {
	if len(streams) == 0 {
		return nil
	}
	first := streams[0]
	return fmt.Errorf("%w: %d of them, the first is %s (%s): fix its fold, then rebuild again; the live tables are unchanged",
		ErrParked, len(streams), first.Stream, first.Error)
}

// beginner is a pool or a connection.
type beginner interface {
	Begin(ctx context.Context) (pgx.Tx, error)
}

// holding runs do while the live checkpoint cannot move. A projector waits that long.
func (e *Engine) holding(ctx context.Context, conn beginner, do func(tx pgx.Tx, live checkpoint) error) error {
	return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		live, err := readCheckpoint(ctx, tx, e.opts.Schema, " for update")
		if err != nil {
			return err
		}
		return do(tx, live)
	})
}

// compare takes the digests of the live tables and of a build at one position, if both are of this program.
func (e *Engine) compare(ctx context.Context, alone *pgxpool.Conn, b *build, s Source, done *Rebuilt) error {
	same := false
	snapshots, release, err := e.snapshots(ctx, alone, 2, func(live checkpoint) error {
		if live.build != b.name {
			return nil
		}
		if err := b.catchUpHeld(ctx, upTo(s, e.opts.Batch, live.position)); err != nil {
			return err
		}
		same = b.at.position == live.position
		return nil
	})
	defer release()
	if err != nil || !same {
		return err
	}
	var old Digest
	both, ctx := errgroup.WithContext(ctx)
	both.Go(func() (err error) {
		old, err = digest(ctx, snapshots[0], e.opts.Schema, e.tables)
		return err
	})
	both.Go(func() (err error) {
		done.Digest, err = digest(ctx, snapshots[1], b.schema, e.tables)
		return err
	})
	if err := both.Wait(); err != nil {
		return err
	}
	done.Compared = true
	for name, sum := range done.Digest.Tables {
		if old.Tables[name] != sum {
			done.Differ = append(done.Differ, name)
		}
	}
	slices.Sort(done.Differ)
	return nil
}

// snapshots runs meet while the live checkpoint cannot move and fixes what the returned transactions see at its end.
func (e *Engine) snapshots(ctx context.Context, alone *pgxpool.Conn, n int, meet func(live checkpoint) error) (list []pgx.Tx, release func(), err error) {
	release = func() {
		for _, tx := range list {
			_ = tx.Rollback(context.WithoutCancel(ctx)) // it only read
		}
	}
	err = e.holding(ctx, alone, func(_ pgx.Tx, live checkpoint) error {
		if err := meet(live); err != nil {
			return err
		}
		for range n {
			tx, err := e.owner.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
			if err != nil {
				return err
			}
			list = append(list, tx)
			if _, err := tx.Exec(ctx, "select 1 from "+e.opts.Schema+".checkpoint"); err != nil {
				return err
			}
		}
		return nil
	})
	return list, release, err
}

// swap puts a build in the place of the live tables. The live checkpoint is held while the build takes the last events,
// so nothing falls between the two; a projector that waited for it finds another fence, and starts over from the new
// tables' checkpoint.
func (e *Engine) swap(ctx context.Context, alone *pgxpool.Conn, next *build, s Source) error {
	base, previous := e.opts.Schema, e.opts.Schema+"_previous"
	// Not while the checkpoint is held: a backup may be reading there.
	if _, err := e.owner.Exec(ctx, "drop schema if exists "+previous+" cascade"); err != nil {
		return err
	}
	err := e.holding(ctx, alone, func(tx pgx.Tx, live checkpoint) error {
		if err := next.catchUpHeld(ctx, upTo(s, e.opts.Batch, everything)); err != nil {
			return err
		}
		mine, err := readCheckpoint(ctx, tx, next.schema, " for update")
		if err != nil {
			return err
		}
		if mine.position.Before(live.position) {
			return fmt.Errorf("the log ends at %s, before the live checkpoint %s: is this the right log?", mine.position, live.position)
		}
		parked, err := parkedStreams(ctx, tx, next.schema)
		if err = errors.Join(err, parkedError(parked)); err != nil {
			return err
		}
		return run(ctx, tx, []string{
			"update " + base + ".checkpoint set fence = gen_random_uuid()",
			"alter schema " + base + " rename to " + previous,
			"alter schema " + next.schema + " rename to " + base,
		})
	})
	if err != nil {
		return err
	}
	return e.sweep(ctx, e.owner)
}

// sweep drops builds that other versions of the program began and nobody will end.
func (e *Engine) sweep(ctx context.Context, db *pgxpool.Pool) error {
	rows, err := db.Query(ctx, "select nspname::text from pg_catalog.pg_namespace where nspname ~ $1", "^"+e.opts.Schema+"_[0-9a-f]{12}$")
	if err != nil {
		return err
	}
	schemas, err := pgx.CollectRows(rows, pgx.RowTo[string])
	for _, schema := range schemas {
		if _, err := db.Exec(ctx, "drop schema if exists "+schema+" cascade"); err != nil {
			return err
		}
	}
	return err
}

// Rollback puts the tables before the last swap back; those of now become the previous ones. They go on from their
// own checkpoint, if they belong to this program.
func (e *Engine) Rollback(ctx context.Context) error {
	base, previous, between := e.opts.Schema, e.opts.Schema+"_previous", e.opts.Schema+"_between"
	var there bool
	if err := e.owner.QueryRow(ctx, "select to_regclass($1) is not null", previous+".checkpoint").Scan(&there); err != nil {
		return err
	}
	if !there {
		return errors.New("there are no tables to go back to: only the last swap can be undone")
	}
	return e.holding(ctx, e.owner, func(tx pgx.Tx, _ checkpoint) error {
		return run(ctx, tx, []string{
			"update " + base + ".checkpoint set fence = gen_random_uuid()",
			"update " + previous + ".checkpoint set fence = gen_random_uuid()",
			"alter schema " + base + " rename to " + between,
			"alter schema " + previous + " rename to " + base,
			"alter schema " + between + " rename to " + previous,
		})
	})
}
