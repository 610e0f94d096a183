package readapi

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/readapi/auth"
)

// Reader answers pages with what the JSON routes answer: the same queries, as Go values, any number of them in one
// round trip.
type Reader struct{ s *server }

// NewReader makes a reader. Now says what today is; without a past, pages are as of now only.
func NewReader(pools Pools, checkpoint Checkpoint, past Past, now func() time.Time) (*Reader, error) {
	if pools.Client == nil || pools.Staff == nil || checkpoint == nil || now == nil {
		return nil, errors.New("readapi: a reader needs both pools, a checkpoint and a clock")
	}
	return &Reader{&server{Options: Options{Pools: pools, Checkpoint: checkpoint, Past: past, Now: now}, collections: allCollections(), papers: allPapers()}}, nil
}

// Await waits until the read models have reached a position, but not for long; ok is false when they have not.
func (r *Reader) Await(ctx context.Context, p domain.Position) (ok bool, err error) {
	short, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	err = r.s.Checkpoint.Await(short, p)
	if err != nil && ctx.Err() == nil && short.Err() != nil {
		return false, nil
	}
	return err == nil, err
}

// Reading is what one page reads. List, Get and the others note what is wanted and give where it will stand; Run reads
// all of it at once, of one moment, as the role of whoever asks.
type Reading struct {
	s      *server
	q      *reading
	fault  error
	finish []func() error
}

// Read begins a reading in a scope.
func (r *Reader) Read(scope *auth.Scope) *Reading { return r.AsOf(scope, "") }

// Run reads what was asked for. The first thing that was asked for wrongly, may not be seen or is not there is the
// error. A reading runs once.
func (r *Reading) Run(ctx context.Context) error {
	if r.fault != nil {
		return r.fault
	}
	if err := r.s.run(ctx, r.q); err != nil {
		return err
	}
	for _, finish := range r.finish {
		if err := finish(); err != nil {
			return err
		}
	}
	return nil
}

// Position is how far the read models had come, after Run.
func (r *Reading) Position() domain.Position { return r.q.position }

// Today is the date where the firm is.
func (r *Reading) Today() domain.Date { return r.q.today }

func (r *Reading) fail(err error) {
	if r.fault == nil {
		r.fault = err
	}
}

// Page is a part of a list.
type Page[V any] struct {
	Items []V
	Ends
}

// Ends are the cursors of the parts around a part of a list; empty where there is none.
type Ends struct{ Previous, Next string }

// List asks for a part of the collection whose lists show V to whoever asks. ask holds the parameters of its JSON
// route: q, sort, limit, cursor and the filters.
func List[V any](r *Reading, ask url.Values) *Page[V] {
	return listFrom[V](r, r.collection(reflect.TypeFor[V](), func(s source) *view { return s.list }), ask)
}

func listFrom[V any](r *Reading, c *collection, ask url.Values) *Page[V] {
	into := &Page[V]{}
	if c == nil {
		return into
	}
	if err := c.allow(r.q.scope); err != nil {
		r.fail(err)
		return into
	}
	p := &params{values: ask}
	c.readPeriod(r.q, p)
	answer := page{}
	c.queue(r.q, p, &answer)
	if err := p.err(); err != nil {
		r.fail(err)
	}
	r.finish = append(r.finish, func() error {
		for _, item := range answer.Items {
			into.Items = append(into.Items, *item.(*V))
		}
		into.Ends = Ends{answer.Previous, answer.Next}
		return nil
	})
	return into
}

// Get asks for the thing with an id out of the collection that shows V of one thing to whoever asks; a period, where
// the collection has one, is from and to in ask. Without such a thing Run's error is the fault for one that is
// missing.
func Get[V any](r *Reading, id string, ask url.Values) *V {
	return getFrom[V](r, r.collection(reflect.TypeFor[V](), func(s source) *view { return s.get }), id, ask)
}

func getFrom[V any](r *Reading, c *collection, id string, ask url.Values) *V {
	into := new(V)
	if c == nil {
		return into
	}
	if err := c.allow(r.q.scope); err != nil {
		r.fail(err)
		return into
	}
	parsed, ok := parseID(id)
	if !ok {
		r.fail(domain.Missing(c.what))
		return into
	}
	p := &params{values: ask}
	c.readPeriod(r.q, p)
	if err := p.err(); err != nil {
		r.fail(err)
		return into
	}
	var object reflect.Value
	c.queueOne(r.q, parsed, &object)
	r.finish = append(r.finish, func() error {
		if !object.IsValid() {
			return domain.Missing(c.what)
		}
		if c.finish != nil {
			c.finish(object)
		}
		*into = *object.Interface().(*V)
		return nil
	})
	return into
}

// collection finds the one that shows things of a type to whoever asks.
func (r *Reading) collection(t reflect.Type, of func(source) *view) *collection {
	for _, c := range r.s.collections {
		if of(c.source(r.q.scope)).typ == t {
			return c
		}
	}
	r.fail(fmt.Errorf("readapi: %s is in no collection for %s", t, r.q.scope.Actor.Kind))
	return nil
}

// History asks for what happened, newest first, as far as whoever asks may see it: to the thing with an id out of the
// collection of that name, or with no name anything at all. ask holds the parameters of the JSON route. Contacts get
// entries without where things were done from.
func History(r *Reading, collection, id string, ask url.Values) *Page[StaffEntry] {
	into := &Page[StaffEntry]{}
	p := &params{values: ask}
	h := r.s.queryHistory(r.q.scope, p)
	h.reading = r.q
	for _, c := range r.s.collections {
		if c.name != collection {
			continue
		}
		parsed, ok := parseID(id)
		if !ok {
			r.fail(domain.Missing(c.what))
		}
		h.condition, h.of = c.history, parsed
		c.isAbout(r.q, parsed)
	}
	if err := p.err(); err != nil {
		r.fail(err)
		return into
	}
	st := h.statement().add(fmt.Sprint(" limit ", h.limit+1))
	r.q.add(st, func(rows pgx.Rows) error {
		*into = Page[StaffEntry]{}
		scanner := h.view().scanner()
		places := h.ends()
		for rows.Next() {
			if len(into.Items) == h.limit {
				places.more = true
				break
			}
			if err := scanner.scan(rows); err != nil {
				return err
			}
			into.Items = append(into.Items, *asStaffEntry(scanner.object))
			places.add(placeOf(into.Items[len(into.Items)-1].Entry))
		}
		if h.at.Back {
			slices.Reverse(into.Items)
		}
		into.Previous, into.Next = places.cursors()
		return rows.Err()
	})
	return into
}

// Dashboard asks for what a contact has to know and to do, so many invoices to pay at most.
func Dashboard(r *Reading, invoices int) *ClientDashboard {
	return r.q.clientDashboard(false, invoices)
}

// Visits gives each request an id, which Meta puts into commands, and answers with it in X-Request-Id. What OnRecord and
// OnRefusal tell of it goes to audit; nil: nowhere.
func Visits(log *slog.Logger, audit Audit) func(http.Handler) http.Handler {
	return withVisit(log, audit)
}

// RequestID is the id of the request of a context; empty without Visits.
func RequestID(ctx context.Context) string { return visitOf(ctx).id }

// StatusOf is the HTTP status of a fault.
func StatusOf(f *domain.Fault) int { return statusOf(f.Kind) }
