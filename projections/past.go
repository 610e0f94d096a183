package projections

import (
	"context"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/jackc/pgx/v5"

	"github.com/atrium-portal/atrium/domain"
)

// Past answers as-of requests from an engine and the log. It remembers the views made last, as long as nothing at all
// has happened since: then nobody was erased and nothing was taken from its readers' sight either.
type Past struct {
	engine *Engine
	log    Streams
	views  *lru.Cache[view, *Then]
}

// view is what an as-of view is of, and how far the live tables had come when it was made.
type view struct {
	of   Whose
	at   time.Time
	live domain.Position
}

const (
	rememberedViews = 8
	// rememberedEvents is how long the past of a remembered view is at most.
	rememberedEvents = 5_000
)

// NewPast makes a Past.
func NewPast(e *Engine, log Streams) (*Past, error) {
	views, err := lru.New[view, *Then](rememberedViews)
	return &Past{engine: e, log: log, views: views}, err
}

// Known gives what puts the tables as they were at an instant into a reader's transaction: see Engine.AsOf, Then.Fill.
func (p *Past) Known(ctx context.Context, firm, account domain.ID, at time.Time) (func(context.Context, *pgx.Conn, domain.ActorKind, string) error, error) {
	live, err := p.engine.Position(ctx)
	if err != nil {
		return nil, err
	}
	v := view{Whose{firm, account}, at.UTC(), live}
	if then, ok := p.views.Get(v); ok {
		return then.Fill, nil
	}
	then, err := p.engine.AsOf(ctx, p.log, v.of, at)
	if err != nil {
		return nil, err
	}
	if then.Events <= rememberedEvents {
		p.views.Add(v, then)
	}
	return then.Fill, nil
}
