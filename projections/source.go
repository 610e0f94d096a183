package projections

import (
	"context"

	"github.com/atrium-portal/atrium/domain"
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
	Phase    Phase
	Events   int64 // folded so far, counted from the beginning of the log
	Position domain.Position
	Head     domain.Position
}

// Phase is a part of a rebuild or a check.
type Phase string

// The phases, in order.
const (
	Folding   Phase = "fold"
	Indexing  Phase = "index"
	Comparing Phase = "compare"
	Swapping  Phase = "swap"
)
