package projections

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/atrium-portal/atrium/domain"
)

// Options of an Engine. Zero values mean the defaults.
type Options struct {
	Schema    string           // of the live tables; "read"
	Logger    *slog.Logger     // slog.Default()
	Now       func() time.Time // time.Now
	Batch     int              // events per transaction of a rebuild; 8192
	CacheRows int              // rows kept in memory; 50,000
}

// Engine keeps the rows of all tables. It is safe for concurrent use; batches are applied one after the other.
type Engine struct {
	pool   *pgxpool.Pool
	codec  *domain.Codec
	tables []Table
	opts   Options
}

// Errors of Apply that say who is to blame for a batch that was not applied.
var (
	// ErrFenced says that somebody else moved the checkpoint: another projector, a retry, a swap. Read again from
	// Position.
	ErrFenced = errors.New("another projector moved the checkpoint; this one starts over from it")
	// ErrRewound says that the batch begins after events that the checkpoint has not passed. Read again from Position.
	ErrRewound = errors.New("the batch does not follow the checkpoint; read again from the checkpoint")
	// ErrOtherBuild says that the live tables were built by a program with other tables or folds.
	ErrOtherBuild = errors.New("the read tables belong to another version of the program; run `atrium replay rebuild`")
)

// Source reads the log from any position. It gives the events of our categories only.
type Source interface {
	// ReadAll hands every event after position after to handle, in order, in batches of at most limit events that
	// handle may keep. It returns when it has reached the head that the log had at the call, or a later one.
	ReadAll(ctx context.Context, after domain.Position, limit int, handle func([]domain.Recorded) error) error
	// Head is the position of the last event in the log, of any category.
	Head(ctx context.Context) (domain.Position, error)
}

// Progress of a rebuild or a check.
type Progress struct {
	Phase    string // "fold", "index", "compare", "swap"
	Events   int64  // folded so far
	Position domain.Position
	Head     domain.Position
}

// Status of the live tables.
type Status struct {
	Build    string // of the stored tables
	Program  string // the build this program would make
	Position domain.Position
	Events   int64
	Updated  time.Time
	Parked   []ParkedStream
}

// ParkedStream is a stream that waits for a fix.
type ParkedStream struct {
	Stream   string
	Events   int
	Position domain.Position // of the first parked event
	Error    string
}

// Difference is a row that does not say what the events say.
type Difference struct {
	Table   string
	Key     string   // key columns as text, joined by "/"
	Kind    string   // "missing", "extra" or "different"
	Columns []string // that differ
}

// Digest of the rows of a schema: SHA-256 in hex, per table and in total.
type Digest struct {
	Total  string
	Tables map[string]string
}

// Rebuilt says what a rebuild did.
type Rebuilt struct {
	Events   int64
	Digest   Digest
	Compared bool     // the live tables had the same build, so their digests were compared
	Differ   []string // the tables whose rows were not the same before the swap
}

var errUnfinished = errors.New("unfinished")

// New makes an engine and checks the tables.
func New(pool *pgxpool.Pool, codec *domain.Codec, tables []Table, o Options) (*Engine, error) {
	return &Engine{pool: pool, codec: codec, tables: tables, opts: o}, nil
}

// Open creates the live tables when there are none. needsRebuild says that they belong to another build: they can be
// read, but Apply refuses until Rebuild has replaced them.
func (e *Engine) Open(ctx context.Context) (needsRebuild bool, err error) { return false, errUnfinished }

// Apply folds a batch and commits rows, history and checkpoint in one transaction. Events at or before the checkpoint
// are ignored. After an error nothing of the batch is stored and the same batch may be sent again.
func (e *Engine) Apply(ctx context.Context, b Batch) error { return errUnfinished }

// Position is the checkpoint: the position of the last event processed.
func (e *Engine) Position(ctx context.Context) (domain.Position, error) {
	return domain.Position{}, errUnfinished
}

// Await waits until the checkpoint has reached a position.
func (e *Engine) Await(ctx context.Context, p domain.Position) error { return errUnfinished }

// Status of the live tables.
func (e *Engine) Status(ctx context.Context) (Status, error) { return Status{}, errUnfinished }

// Retry applies parked streams in order, after a fix. It returns the streams that are still parked.
func (e *Engine) Retry(ctx context.Context) (applied int, still []ParkedStream, err error) {
	return 0, nil, errUnfinished
}

// Rebuild folds the whole log into a new schema beside the live one and swaps them. Called again after a kill it goes on
// where it was.
func (e *Engine) Rebuild(ctx context.Context, s Source, progress func(Progress)) (Rebuilt, error) {
	return Rebuilt{}, errUnfinished
}

// Rollback puts the tables before the last swap back.
func (e *Engine) Rollback(ctx context.Context) error { return errUnfinished }

// Verify folds the whole log again and names each row that differs.
func (e *Engine) Verify(ctx context.Context, s Source, progress func(Progress)) ([]Difference, error) {
	return nil, errUnfinished
}

// Digest of the rows of a schema, by default the live one.
func (e *Engine) Digest(ctx context.Context, schema string) (Digest, error) {
	return Digest{}, errUnfinished
}
