package projections

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/atrium-portal/atrium/domain"
)

// build is the tables in one schema and what is known of them: live, or on the way to it.
type build struct {
	program // what the tables are
	schema  string
	sql     statements
	pool    *pgxpool.Pool
	loading bool // not yet protected or indexed, so that rows can be copied in
	log     *slog.Logger
	only    map[string]bool // the tables that are filled; nil: all
	until   *until          // nil: without end

	mu    sync.Mutex // one batch after the other
	known bool       // whether what follows says what the schema says
	at    checkpoint
	stuck map[string]bool // parked streams
	cache *rowCache
	// refused are events that Postgres would not store, with its reason.
	refused map[domain.ID]error
}

// checkpoint is how far a build has come.
type checkpoint struct {
	position domain.Position
	fence    domain.ID // another one means that somebody else wrote
	build    string
	events   int64
}

// apply folds the events after the checkpoint and stores them in one transaction. It returns the checkpoint as far as
// it is known: after an error it is not.
func (b *build) apply(ctx context.Context, batch Batch) (domain.Position, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.applyNew(ctx, batch); err != nil {
		b.forget()
		return domain.Position{}, err
	}
	return b.at.position, nil
}

func (b *build) applyNew(ctx context.Context, batch Batch) error {
	if err := b.begin(ctx); err != nil {
		return err
	}
	if b.at.position.Before(batch.After) {
		b.forget() // another projector or a swap may have gone on where this one has not been
		if err := b.begin(ctx); err != nil {
			return err
		}
		if b.at.position.Before(batch.After) {
			return ErrRewound
		}
	}
	records, err := after(batch.Events, b.at.position)
	if err != nil || len(records) == 0 {
		return err
	}
	if len(records) < 2*chunk {
		return b.isolate(ctx, records)
	}
	err = b.stream(ctx, inChunks(records), func(domain.Position, int64) {})
	if _, is := refusal(err); !is {
		return err
	}
	b.forget()
	if err := b.begin(ctx); err != nil {
		return err
	}
	if records, err = after(records, b.at.position); err != nil {
		return err
	}
	return b.isolate(ctx, records)
}

// chunk is how many events of a large batch go into one transaction, so that reading, folding and writing overlap.
const chunk = 1024

func inChunks(records []domain.Recorded) reading {
	return func(_ context.Context, _ domain.Position, handle func([]domain.Recorded) error) error {
		for part := range slices.Chunk(records, chunk) {
			if err := handle(part); err != nil {
				return err
			}
		}
		return nil
	}
}

// after leaves out what was processed before. Events out of order are a mistake of the source.
func after(records []domain.Recorded, p domain.Position) ([]domain.Recorded, error) {
	for i := range records {
		if i > 0 && !records[i-1].Position.Before(records[i].Position) {
			return nil, fmt.Errorf("the source gives event %s of %s out of order", records[i].ID, records[i].Stream)
		}
	}
	for len(records) > 0 && !p.Before(records[0].Position) {
		records = records[1:]
	}
	return records, nil
}

// isolate applies a batch. When Postgres refuses something in it, the batch is halved until the event is found, whose
// stream is then parked: one event must not hold up all others.
func (b *build) isolate(ctx context.Context, records []domain.Recorded) error {
	err := b.transact(ctx, records)
	reason, is := refusal(err)
	if !is {
		return err
	}
	if len(records) == 1 {
		b.refused[records[0].ID] = reason
		return b.transact(ctx, records)
	}
	half := len(records) / 2
	if err := b.isolate(ctx, records[:half]); err != nil {
		return err
	}
	return b.isolate(ctx, records[half:])
}

// transact decodes, folds and commits.
func (b *build) transact(ctx context.Context, records []domain.Recorded) error {
	events, err := b.decode(records)
	if err != nil {
		return err
	}
	conn, err := b.acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	w, err := b.fold(ctx, conn, events, nil)
	if err != nil {
		return err
	}
	if err := b.commit(ctx, conn.Conn(), w, b.at); err != nil {
		return err
	}
	b.settle(ctx, w)
	return nil
}

// acquire takes a connection on which statements are planned once: ours have one good plan, and planning them anew for
// every batch would cost more than running them for one event.
func (b *build) acquire(ctx context.Context) (*pgxpool.Conn, error) {
	conn, err := b.pool.Acquire(ctx)
	if err != nil {
		return nil, err
	}
	const done = "atrium plans once"
	if custom := conn.Conn().PgConn().CustomData(); custom[done] == nil {
		if _, err := conn.Exec(ctx, "set plan_cache_mode = force_generic_plan"); err != nil {
			conn.Release()
			return nil, err
		}
		custom[done] = true
	}
	return conn, nil
}

// commit writes a work in a transaction that holds only if the checkpoint is still from.
func (b *build) commit(ctx context.Context, conn *pgx.Conn, w *work, from checkpoint) error {
	err := b.write(ctx, conn, w, frame{
		before: func(batch *pgx.Batch) {
			batch.Queue("begin")
			if b.loading {
				batch.Queue("set local synchronous_commit = off") // what a crash loses is folded again
			}
			batch.Queue(b.sql.advance, int64(w.to.Commit), int64(w.to.Prepare), w.events,
				int64(from.position.Commit), int64(from.position.Prepare), from.fence).
				QueryRow(func(row pgx.Row) error {
					err := row.Scan(nil)
					if pg, is := errors.AsType[*pgconn.PgError](err); is && pg.Code == divisionByZero {
						return ErrFenced
					}
					return err
				})
		},
		after: "commit",
	})
	if err != nil && !conn.IsClosed() {
		_, rollback := conn.Exec(context.WithoutCancel(ctx), "rollback")
		err = errors.Join(err, rollback)
	}
	return err
}

// settle remembers what a committed work changed.
func (b *build) settle(ctx context.Context, w *work) {
	b.at.position = w.to
	b.at.events += w.events
	for i, slots := range w.order {
		for _, s := range slots {
			b.cache.put(touch{i, s.key}, s.row, b.tables[i])
		}
	}
	for stream := range w.stuck {
		b.stuck[stream] = true
	}
	for _, a := range w.alarms {
		b.log.ErrorContext(ctx, "stream parked: fix the cause, then run `atrium replay retry`", "schema", b.schema,
			"stream", a.Stream, "revision", a.Revision, "event", a.Type, "error", a.err)
	}
}

// forget drops everything that is remembered of the schema.
func (b *build) forget() {
	b.known = false
	b.stuck = nil
	b.refused = map[domain.ID]error{}
	b.cache.clear()
}

// remember reads checkpoint and parked streams.
func (b *build) remember(ctx context.Context) error {
	b.forget()
	return pgx.BeginTxFunc(ctx, b.pool, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		return b.read(ctx, tx, "")
	})
}

// hold is remember with the checkpoint locked until the transaction ends.
func (b *build) hold(ctx context.Context, tx pgx.Tx) error {
	b.forget()
	return b.read(ctx, tx, " for update")
}

func (b *build) read(ctx context.Context, tx pgx.Tx, lock string) (err error) {
	if b.at, err = readCheckpoint(ctx, tx, b.schema, lock); err != nil {
		return err
	}
	rows, err := tx.Query(ctx, "select distinct stream from "+b.schema+".parked")
	if err != nil {
		return err
	}
	streams, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return err
	}
	b.stuck = make(map[string]bool, len(streams))
	for _, s := range streams {
		b.stuck[s] = true
	}
	b.known = true
	return nil
}

// queryRower is a pool, a connection or a transaction.
type queryRower interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

func readCheckpoint(ctx context.Context, db queryRower, schema, lock string) (c checkpoint, err error) {
	var commit, prepare int64
	err = db.QueryRow(ctx, "select build, fence, commit_position, prepare_position, events from "+schema+".checkpoint"+lock).
		Scan(&c.build, &c.fence, &commit, &prepare, &c.events)
	c.position = domain.Position{Commit: uint64(commit), Prepare: uint64(prepare)}
	return c, err
}
