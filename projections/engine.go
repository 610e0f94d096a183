package projections

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/atrium-portal/atrium/domain"
)

// Options of an Engine. Zero values mean the defaults.
type Options struct {
	// Owner is a pool of the role that owns the schemas: it makes, fills and swaps them. nil: the engine's pool.
	Owner *pgxpool.Pool
	// Schema of the live tables; "read". Builds beside it are named after it.
	Schema string
	// Logger; slog.Default().
	Logger *slog.Logger
	// Batch is how many events a rebuild folds in one transaction; 8192.
	Batch int
	// CacheBytes bounds the rows kept in memory; 64 MiB.
	CacheBytes int
	// Poll is how often Await looks at the checkpoint when another process projects; 10 ms.
	Poll time.Duration
}

// Engine keeps the rows of all tables. It is safe for concurrent use; batches are applied one after the other.
type Engine struct {
	program
	owner *pgxpool.Pool
	opts  Options
	live  *build

	mu      sync.Mutex
	moved   chan struct{}   // closed when this engine has moved the live checkpoint
	applied domain.Position // to where
}

// program is what the tables are, in any schema.
type program struct {
	name         string // of the builds it makes
	codec        *domain.Codec
	tables       []*table // the declared ones, history, parked
	byCategory   map[string][]int
	historyTable *table
	parkedTable  *table
}

// Errors of Apply.
var (
	// ErrFenced says that somebody else moved the checkpoint: another projector, a retry, a swap. The next batch has to
	// follow Position.
	ErrFenced = errors.New("somebody else moved the checkpoint; start over from it")
	// ErrRewound says that the batch begins after events that the checkpoint has not passed, as after a rollback. The
	// next batch has to follow Position.
	ErrRewound = errors.New("the checkpoint moved back; start over from it")
	// ErrOtherBuild says that the live tables were built by a program with other tables or folds.
	ErrOtherBuild = errors.New("the read tables belong to another version of the program; run `atrium replay rebuild`")
)

// New makes an engine and checks the tables. The pool's role writes rows (atrium_projector).
func New(pool *pgxpool.Pool, codec *domain.Codec, tables []Table, o Options) (*Engine, error) {
	if o.Owner == nil {
		o.Owner = pool
	}
	if o.Schema == "" {
		o.Schema = "read"
	}
	if !plainName(o.Schema) {
		return nil, fmt.Errorf("schema %q: use small letters, digits and _", o.Schema)
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.Batch <= 0 {
		o.Batch = 8192
	}
	if o.CacheBytes <= 0 {
		o.CacheBytes = 64 << 20
	}
	if o.Poll <= 0 {
		o.Poll = 10 * time.Millisecond
	}
	compiled, err := compile(tables)
	if err != nil {
		return nil, err
	}
	e := &Engine{owner: o.Owner, opts: o, moved: make(chan struct{}), program: program{
		name: buildName(compiled), codec: codec, tables: compiled, byCategory: map[string][]int{},
		historyTable: compiled[len(compiled)-2], parkedTable: compiled[len(compiled)-1],
	}}
	for i, t := range compiled {
		for _, category := range t.categories {
			e.byCategory[category] = append(e.byCategory[category], i)
		}
	}
	e.live = e.build(o.Schema, pool, false)
	return e, nil
}

// build is the program's tables in a schema.
func (e *Engine) build(schema string, pool *pgxpool.Pool, loading bool) *build {
	return &build{
		program: e.program, schema: schema, pool: pool, loading: loading, log: e.opts.Logger,
		sql: statementsOf(schema, e.tables), cache: newCache(e.opts.CacheBytes), refused: map[domain.ID]error{},
	}
}

// Open creates the live tables when there are none. needsRebuild says that they belong to another build: they can be
// read, but Apply refuses until Rebuild has replaced them.
func (e *Engine) Open(ctx context.Context) (needsRebuild bool, err error) {
	var stored string
	err = pgx.BeginFunc(ctx, e.owner, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "select pg_advisory_xact_lock(hashtext($1))", "atrium "+e.opts.Schema); err != nil {
			return err
		}
		var there bool
		if err := tx.QueryRow(ctx, "select to_regclass($1) is not null", e.opts.Schema+".checkpoint").Scan(&there); err != nil {
			return err
		}
		if there {
			return tx.QueryRow(ctx, "select build from "+e.opts.Schema+".checkpoint").Scan(&stored)
		}
		stored = e.name
		return run(ctx, tx, createStatements(e.opts.Schema, e.name, e.tables), indexStatements(e.opts.Schema, e.tables),
			protectStatements(e.opts.Schema, e.tables))
	})
	if err != nil {
		return false, fmt.Errorf("opening the read tables: %w", err)
	}
	return stored != e.name, nil
}

// run executes statements in one round trip.
func run(ctx context.Context, tx pgx.Tx, lists ...[]string) error {
	return tx.Conn().PgConn().Exec(ctx, joined(slices.Concat(lists...))).Close()
}

func joined(statements []string) string { return strings.Join(statements, ";\n") }

// Apply folds a batch and commits rows, history and checkpoint in one transaction, a large batch in several. Events at or
// before the checkpoint are ignored. After an error the same batch may be sent again, if it still follows Position. An event that cannot be
// applied is no error: it parks its stream.
func (e *Engine) Apply(ctx context.Context, b Batch) error {
	at, err := e.live.apply(ctx, b)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.applied = at
	close(e.moved)
	e.moved = make(chan struct{})
	return err
}

// Position is the checkpoint of the live tables: the position of the last event processed.
func (e *Engine) Position(ctx context.Context) (domain.Position, error) {
	c, err := readCheckpoint(ctx, e.live.pool, e.opts.Schema, "")
	return c.position, err
}

// Fence changes when the live tables are replaced, all or one of them, or put back: whatever was read before may not be
// what they say now, at the same position.
func (e *Engine) Fence(ctx context.Context) (domain.ID, error) {
	c, err := readCheckpoint(ctx, e.live.pool, e.opts.Schema, "")
	return c.fence, err
}

// Await waits until the live tables hold everything up to a position, whoever projects. It ends with the context.
func (e *Engine) Await(ctx context.Context, p domain.Position) error {
	ticker := time.NewTicker(e.opts.Poll)
	defer ticker.Stop()
	for {
		e.mu.Lock()
		moved, at := e.moved, e.applied
		e.mu.Unlock()
		if !at.Before(p) {
			return nil
		}
		at, err := e.Position(ctx)
		if err != nil || !at.Before(p) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-moved:
		case <-ticker.C:
		}
	}
}

// Status of the live tables.
type Status struct {
	Build    string // of the stored tables
	Program  string // the build this program makes
	Position domain.Position
	Events   int64
	Updated  time.Time
	Parked   []ParkedStream
}

// Status of the live tables, also when they belong to another build.
func (e *Engine) Status(ctx context.Context) (Status, error) {
	c, err := readCheckpoint(ctx, e.live.pool, e.opts.Schema, "")
	if err != nil {
		return Status{}, err
	}
	s := Status{Build: c.build, Program: e.name, Position: c.position, Events: c.events}
	if err := e.live.pool.QueryRow(ctx, "select updated_at from "+e.opts.Schema+".checkpoint").Scan(&s.Updated); err != nil {
		return Status{}, err
	}
	s.Parked, err = parkedStreams(ctx, e.live.pool, e.opts.Schema)
	return s, err
}
