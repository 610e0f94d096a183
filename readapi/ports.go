package readapi

import (
	"context"
	"log/slog"
	"net/http"
	"reflect"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/readapi/auth"
	"github.com/atrium-portal/atrium/readapi/upload"
)

// Options of the router. All are needed, except where a zero value is explained.
type Options struct {
	Pools      Pools
	Tokens     auth.Tokens
	Sessions   auth.Sessions // nil: only tokens open the API
	People     auth.People
	Checkpoint Checkpoint
	Ops        Ops
	Seals      Seals // nil: nothing is sealed
	// Evidence makes bundles; nil: there are none.
	Evidence Evidence
	// Audit keeps what people look at, take away and are refused; nil: nobody does.
	Audit Audit
	// Past answers as_of=; nil refuses it.
	Past Past
	// Commands mounts the command routes (POST /{Name}) on a router that authenticates; they take their caller from
	// Meta and write errors with Problem.
	Commands func(chi.Router)
	// Documents draws what can be had on paper; nil: there are no such routes.
	Documents Documents
	// Uploads takes files; nil: nothing can be uploaded.
	Uploads *upload.Desk
	// Menu describes the commands for the API description.
	Menu []Command
	// Ready says what the program waits for before it can serve, in one sentence; nil when it can.
	Ready func(context.Context) error

	Now    func() time.Time
	Logger *slog.Logger // silent when nil
	// Around is what stands around every route, outermost first, such as measuring; nil: nothing.
	Around []func(http.Handler) http.Handler
	// PublicURL is where people reach the program. With https, browsers are told to keep to it.
	PublicURL string
	// Limit is how many requests per minute a credential may make: 0 means 6,000, below 0 no limit.
	Limit int
}

// Pools are connections to the read models, one pool for each kind of reader. Each logs in as its own role with
// schema read first in its search path; row-level security binds both.
type Pools struct {
	Client *pgxpool.Pool
	Staff  *pgxpool.Pool
}

// Checkpoint is how far the read models have come. The fold engine is one.
type Checkpoint interface {
	// Position of the last event in the read models.
	Position(ctx context.Context) (domain.Position, error)
	// Await waits until the read models have reached a position, or gives the context's error.
	Await(ctx context.Context, p domain.Position) error
	// Fence is another one when the read models were replaced, by a rebuild or a rollback.
	Fence(ctx context.Context) (domain.ID, error)
}

// Past knows how things were. projections.Past is one.
type Past interface {
	// Known gives what is known of an account at an instant, or without one of the firm. What was not there yet is the
	// fault for what is missing.
	Known(ctx context.Context, firm, account domain.ID, at time.Time) (Fill, error)
}

// Fill puts those tables that are named in sql into a reader's transaction as they were.
type Fill = func(ctx context.Context, conn *pgx.Conn, reader domain.ActorKind, sql string) error

// Ops tells administrators how the projections do.
type Ops interface {
	Projections(ctx context.Context) ([]Projection, error)
	// Parked lists streams that wait for a fix, of one firm and of none that can be told.
	Parked(ctx context.Context, firm domain.ID) ([]ParkedStream, error)
	// Rebuilding tells how far a rebuild has come.
	Rebuilding(ctx context.Context) (Rebuild, error)
}

// Projection is how far one reader of the log has come.
type Projection struct {
	Name     string          `json:"name"`
	Build    string          `json:"build"`   // of the tables that are served
	Program  string          `json:"program"` // the build this program makes; another one means that a rebuild is due
	Position domain.Position `json:"position"`
	Head     domain.Position `json:"head"` // of the log
	Lag      int64           `json:"lag"`  // from position to head, in the log's own measure; 0 when caught up
	Events   int64           `json:"events"`
	Parked   int             `json:"parked"` // streams
	Updated  time.Time       `json:"updated"`
}

// Rebuild is how far the last rebuild has come that was started in this process. The zero Rebuild: there was none.
type Rebuild struct {
	Running  bool
	Phase    string // fold, index, compare, swap
	Events   int64  // folded so far
	Of       int64  // about how many there are; 0: not known yet
	Began    time.Time
	Ended    time.Time
	Err      string        // why it failed; the tables from before stay in use
	Compared bool          // the tables before were of the same build
	Tables   []TableDigest // when compared, by name
	Kept     bool          // the tables from before can be put back
}

// TableDigest is a hash of the rows of a table: equal when they are the same, in whatever order.
type TableDigest struct {
	Table  string
	SHA256 string
	Differ bool // from before the rebuild
}

// ParkedStream is a stream that waits for a fix.
type ParkedStream struct {
	Stream   string          `json:"stream"`
	Events   int             `json:"events"`   // that wait
	Position domain.Position `json:"position"` // of the first of them
	Error    string          `json:"error"`
}

// Command describes a command of the menu for the API description.
type Command struct {
	Name    string
	Type    reflect.Type // the struct that is its body
	Events  []string     // wire names of the events of its aggregate
	Creates bool         // it makes a new thing
	Who     string       // may give it, in words: "staff from manager up; contacts with sign_contracts"
}
