package main

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/errgroup"

	"github.com/atrium-portal/atrium/commands"
	"github.com/atrium-portal/atrium/commands/api"
	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/firm"
	"github.com/atrium-portal/atrium/projections"
	"github.com/atrium-portal/atrium/readapi"
)

// operator does to the read models what administrators ask for. It stands before the loop: first the command is stored,
// with who gave it, then it is done.
type operator struct {
	next   api.Dispatcher
	engine *projections.Engine
	source projections.Source
	owner  *pgxpool.Pool
	now    func() time.Time
	log    *slog.Logger
	// start runs something until it has ended or the program stops.
	start func(func(context.Context))

	mu   sync.Mutex
	last readapi.Rebuild
}

// openOperator puts an operator before the commands. What it begins ends with ctx.
func (k *stack) openOperator(ctx context.Context, group *errgroup.Group) {
	k.operator = &operator{
		next: k.dispatch, engine: k.engine, source: k.source, owner: k.pools.Owner, now: k.now, log: k.log,
		start: func(f func(context.Context)) {
			group.Go(func() error {
				f(ctx)
				return nil
			})
		},
	}
	k.dispatch = k.operator
}

// Dispatch gives a command and does what it asks for.
func (o *operator) Dispatch(ctx context.Context, order commands.Order) (commands.Receipt, error) {
	switch order.Command.(type) {
	case firm.Rebuild:
		if o.running() {
			return commands.Receipt{}, errRebuilding
		}
	case firm.PutBackTables:
		if kept, err := o.kept(ctx); err != nil || !kept || o.running() {
			return commands.Receipt{}, errors.Join(err, refusal(o.running()))
		}
	}
	receipt, err := o.next.Dispatch(ctx, order)
	if err != nil || receipt.Repeated || len(receipt.Events) == 0 {
		return receipt, err
	}
	switch order.Command.(type) {
	case firm.Rebuild:
		o.rebuild(order.Meta)
	case firm.PutBackTables:
		err = o.engine.Rollback(ctx)
	}
	return receipt, err
}

var errRebuilding = domain.Refuse("rebuild-running", "The tables are being made anew right now. Wait until that has ended.")

func refusal(running bool) error {
	if running {
		return errRebuilding
	}
	return domain.Refuse("nothing-kept", "There are no tables from before: only the last rebuild can be undone.")
}

// rebuild makes the tables anew, unless that is under way, and stores how it ended.
func (o *operator) rebuild(by domain.Meta) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.last.Running {
		return
	}
	o.last = readapi.Rebuild{Running: true, Began: o.now()}
	o.start(func(ctx context.Context) {
		rebuilt, err := o.engine.Rebuild(ctx, o.source, o.note)
		o.end(rebuilt, err)
		ended := firm.RebuildEnded{Run: by.NewID("run"), Events: rebuilt.Events, Digest: rebuilt.Digest.Total, Differ: rebuilt.Differ, Failed: err != nil}
		_, told := o.next.Dispatch(context.WithoutCancel(ctx), commands.Order{
			Name: "EndRebuild", Command: firm.EndRebuild{Firm: by.Firm, Ended: ended},
			Meta: domain.Meta{Firm: by.Firm, Actor: domain.SystemActor("operations"), OnBehalfOf: by.Actor.ID, Command: domain.DeriveID("rebuild", ended.Run.String())},
		})
		if told != nil {
			o.log.Error("the end of a rebuild could not be stored", "error", told)
		}
	})
}

// note takes the progress of a rebuild.
func (o *operator) note(p projections.Progress) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.last.Phase, o.last.Events = string(p.Phase), p.Events
	if p.Head.Commit > 0 && p.Position.Commit > 0 { // positions are not dense: the share that is done gives the total
		o.last.Of = max(p.Events, int64(float64(p.Events)*float64(p.Head.Commit)/float64(p.Position.Commit)))
	}
}

func (o *operator) end(rebuilt projections.Rebuilt, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.last.Running, o.last.Ended, o.last.Compared = false, o.now(), rebuilt.Compared
	if err != nil {
		o.log.Error("rebuild failed", "error", err)
		o.last.Err = "Something went wrong; the log of the program says what. The tables from before stay in use, and another rebuild goes on where this one ended."
		if errors.Is(err, projections.ErrParked) {
			o.last.Err = "Streams are parked, so that the new tables would not be whole. The tables from before stay in use."
		}
		return
	}
	o.last.Events = rebuilt.Events
	for table, sum := range rebuilt.Digest.Tables {
		o.last.Tables = append(o.last.Tables, readapi.TableDigest{Table: table, SHA256: sum, Differ: slices.Contains(rebuilt.Differ, table)})
	}
	slices.SortFunc(o.last.Tables, func(a, b readapi.TableDigest) int { return strings.Compare(a.Table, b.Table) })
}

func (o *operator) running() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.last.Running
}

// kept reports whether the tables from before the last rebuild are still there.
func (o *operator) kept(ctx context.Context) (there bool, err error) {
	err = o.owner.QueryRow(ctx, "select to_regclass('read_previous.checkpoint') is not null").Scan(&there)
	return there, err
}

// progress tells how far the last rebuild has come.
func (o *operator) progress(ctx context.Context) (readapi.Rebuild, error) {
	kept, err := o.kept(ctx)
	o.mu.Lock()
	defer o.mu.Unlock()
	last := o.last
	last.Kept = kept
	return last, err
}
