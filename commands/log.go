package commands

import (
	"context"
	"fmt"

	"github.com/atrium-portal/atrium/domain"
)

// Log is the port to the event store: streams of recorded events, appended with an exact expected revision.
// Implementations pass commandstest.Conformance.
type Log interface {
	// Load returns the events of a stream from revision from (inclusive), in order. A stream that does not exist
	// has none.
	Load(ctx context.Context, stream string, from int64) ([]domain.Recorded, error)

	// Append adds events after the expected last revision (domain.NoStream: the stream must not exist) and returns
	// the position of the last one once it is durable. Appending the same event ids at the same revision again is
	// the same append. Errors: *Conflict when somebody appended first, *Unknown when the events may or may not have
	// been stored, *Rejected when they surely were not.
	Append(ctx context.Context, stream string, expected int64, events []domain.Proposed) (domain.Position, error)
}

// Conflict says that the stream's last revision is not the expected one.
type Conflict struct {
	Stream   string
	Expected int64
}

// Error names the stream and the revision.
func (c *Conflict) Error() string {
	return fmt.Sprintf("stream %s is not at revision %d: somebody appended first", c.Stream, c.Expected)
}

// Unknown says that an append may or may not have been stored: a lost reply, a timeout. It never means "failed".
type Unknown struct {
	Stream string
	Err    error
}

// Error names the stream and the cause.
func (u *Unknown) Error() string {
	return fmt.Sprintf("outcome of the append to %s is unknown: %v", u.Stream, u.Err)
}

// Unwrap gives the cause.
func (u *Unknown) Unwrap() error { return u.Err }

// Rejected says that the store answered and stored nothing: not reachable, full, shutting down, too large.
type Rejected struct {
	Full bool // out of disk space
	Err  error
}

// Error gives the cause.
func (r *Rejected) Error() string { return "the event store refused: " + r.Err.Error() }

// Unwrap gives the cause.
func (r *Rejected) Unwrap() error { return r.Err }
