package readapi

import (
	"context"
	"errors"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/readapi/auth"
)

// collection is one kind of thing that can be listed and opened. Routes, history and the API description follow from
// it. SQL in it may hold {firm}, {account}, {contact} and {today}; $ stands for the value of a filter.
type collection struct {
	name       string // in the path: "invoices"
	what       string // one of them, in a fault: "invoice"
	doc        string // for the API description
	permission string // that contacts need; empty: none

	client, staff source // what each kind of reader sees

	id      string // column of the id
	firm    string // column of the firm, the first lock
	account string // column of the account, the first lock for clients; empty for things of the firm itself
	named   bool   // SQL names the account as a.name
	search  []string
	sorts   []sorting // the first is the default
	filters []filter
	period  bool                // from= and to= choose a period, {from} and {to} in SQL
	parts   []part              // of a thing that was opened
	finish  func(reflect.Value) // fills in what is computed of the parts
	history string              // the condition on an entry h that makes it part of the history of the thing with id $
	about   aboutOf             // its things, on record
}

// source is what one kind of reader sees of a collection.
type source struct {
	from  string
	where string // what is theirs to see beyond firm and account; empty: all of it
	list  *view
	shown string // narrows lists to what people look for; things that it leaves out can still be opened
	get   *view
}

// sorting is an order that can be asked for: by key, ties by id.
type sorting struct {
	name string // with a leading minus for the largest first
	key  string // never NULL
	kind sortKind
}

// direction is the order of the items, and of the page before them from its end.
func (s sorting) direction(back bool) (order, follows string) {
	if strings.HasPrefix(s.name, "-") != back {
		return " desc", " < "
	}
	return "", " > "
}

// both is a sorting and its reverse; the first is as named.
func both(name, key string, kind sortKind) []sorting {
	reverse, is := strings.CutPrefix(name, "-")
	if !is {
		reverse = "-" + name
	}
	return []sorting{{name, key, kind}, {reverse, key, kind}}
}

// filter narrows a list by a parameter.
type filter struct {
	name  string
	kind  filterKind
	sql   string // with $ for the value
	words []string
}

type filterKind int

const (
	byID filterKind = iota
	byDate
	byWords // one or more of words: $ is an array
	byYesNo
)

// part is a list within a thing that was opened, such as the payments of an invoice.
type part struct {
	field string // of the views
	view  *view
	from  string
	where string // with $ for the thing's id
	order string
	most  int // more of them are a fault; 0: the domain bounds them
}

// page is the answer to a list.
type page struct {
	Items    []any           `json:"items"`
	Next     string          `json:"next,omitempty"`     // the cursor of the next page; none on the last
	Previous string          `json:"previous,omitempty"` // the cursor of the page before; none on the first
	Position domain.Position `json:"position"`           // what the answer has reached
	Stale    bool            `json:"stale,omitempty"`
}

func (c *collection) source(scope *auth.Scope) source {
	if scope.Staff() {
		return c.staff
	}
	return c.client
}

// allow refuses contacts without the permission, whatever they ask for.
func (c *collection) allow(scope *auth.Scope) error {
	if c.permission == "" || scope.Permits(c.permission) {
		return nil
	}
	return errNotPermitted
}

var errNotPermitted = &domain.Fault{Kind: domain.Forbidden, Code: "not-permitted", Message: "You may not see this. Ask the firm for the permission."}

// locked begins the condition with firm and account: the first lock, before row-level security.
func (c *collection) locked(s *statement, from source) {
	s.add(" from ", from.from)
	switch {
	case c.named && s.scope.Staff():
		s.add(" join accounts a on a.id = ", c.account)
	case c.named: // one for all rows, looked up once; a join would look it up for each
		s.add(" cross join (select (select name from accounts where firm = {firm} and id = {account}) as name) a")
	}
	s.add(" where ", c.firm, " = {firm}")
	if c.account != "" && !s.scope.Staff() {
		s.add(" and ", c.account, " = {account}")
	}
	if from.where != "" {
		s.add(" and (", from.where, ")")
	}
}

// parameters lists what a list of this collection takes.
func (c *collection) parameters() []string {
	names := []string{"limit", "cursor", "sort"}
	if len(c.search) > 0 {
		names = append(names, "q")
	}
	for _, f := range c.filters {
		names = append(names, f.name)
	}
	return append(names, c.openParameters()...)
}

// everyRead are the parameters that every read takes.
var everyRead = []string{"after", asOfParameter}

// openParameters lists what opening one thing takes.
func (c *collection) openParameters() []string {
	if c.period {
		return append([]string{"from", "to"}, everyRead...)
	}
	return everyRead
}

func (c *collection) sortNames() []string {
	names := make([]string, len(c.sorts))
	for i, s := range c.sorts {
		names[i] = s.name
	}
	return names
}

// list answers GET /{collection}.
func (s *server) list(c *collection) http.HandlerFunc {
	parameters := c.parameters()
	return func(w http.ResponseWriter, r *http.Request) {
		scope := auth.From(r.Context())
		p := parseParams(r, parameters...)
		q := s.start(scope, p)
		c.readPeriod(q, p)
		answer := page{Items: []any{}}
		c.queue(q, p, &answer)
		stale, err := s.ready(r.Context(), p, c.allow(scope))
		if err == nil {
			err = s.run(r.Context(), q)
		}
		if err != nil {
			Problem(w, r, err)
			return
		}
		answer.Position, answer.Stale = q.position, stale
		reply(w, r, answer, stale)
	}
}

// queue puts the query of a list into a reading. It asks for one item more than the limit, to know whether there is a
// next page.
func (c *collection) queue(q *reading, p *params, answer *page) {
	from := c.source(q.scope)
	st := q.statement()
	sorting := c.sorts[slices.Index(c.sortNames(), p.oneOf("sort", c.sortNames()))]
	limit := p.limit()
	st.add("select ", from.list.columns, ", (", sorting.key, ")::text, ", c.id)
	c.matching(q, st, p)
	var at cursor
	text, turned := p.get("cursor")
	if turned {
		var ok bool
		if at, ok = parseCursor(text, c.name+" "+sorting.name, sorting.kind); !ok {
			p.fail("cursor", "cursor-invalid", "Give the cursor as another page had it in next or previous, with the same sort.")
		}
	}
	order, follows := sorting.direction(at.Back)
	if turned {
		st.add(" and (", sorting.key, ", ", c.id, ")", follows, "(", st.arg(at.Value), "::", string(sorting.kind), ", ", st.arg(at.ID), "::uuid)")
	}
	st.add(" order by ", sorting.key, order, ", ", c.id, order, " limit ", strconv.Itoa(limit+1))
	q.add(st, func(rows pgx.Rows) error {
		here := cursor{List: c.name + " " + sorting.name}
		scanner := from.list.scanner(&here.Value, &here.ID)
		answer.Items = answer.Items[:0]
		places := ends{turned: turned, back: at.Back}
		for rows.Next() {
			if err := scanner.scan(rows); err != nil {
				return err
			}
			if len(answer.Items) == limit {
				places.more = true
				continue
			}
			places.add(here)
			answer.Items = append(answer.Items, scanner.take().Interface())
		}
		if at.Back {
			slices.Reverse(answer.Items)
		}
		answer.Previous, answer.Next = places.cursors()
		return rows.Err()
	})
}

// matching adds what a list is taken from and the conditions of those that are asked for.
func (c *collection) matching(q *reading, st *statement, p *params) {
	from := c.source(q.scope)
	c.locked(st, from)
	if from.shown != "" {
		st.add(" and ", from.shown)
	}
	for _, f := range c.filters {
		if value, ok := f.value(p); ok {
			st.add(" and ", replaceValue(f.sql, st.arg(value)))
			if f.name == "account" {
				q.accounts = append(q.accounts, value.(domain.ID))
			}
		}
	}
	if text, ok := p.text("q"); ok {
		st.add(" and (", contains(c.search, st.arg(text)), ")")
	}
}

// replaceValue puts a placeholder where SQL of a collection has $.
func replaceValue(sql, placeholder string) string { return strings.Replace(sql, "$", placeholder, 1) }

// contains is the condition that one of columns holds a text, in whatever case.
func contains(columns []string, placeholder string) string {
	conditions := make([]string, len(columns))
	for i, column := range columns {
		conditions[i] = "position(lower(" + placeholder + "::text) in lower(" + column + ")) > 0"
	}
	return strings.Join(conditions, " or ")
}

// value reads a filter's parameter.
func (f filter) value(p *params) (any, bool) {
	switch f.kind {
	case byID:
		return p.id(f.name)
	case byDate:
		date, ok := p.date(f.name)
		return date.Time(), ok
	case byWords:
		return p.words(f.name, f.words)
	case byYesNo:
		return p.yesNo(f.name)
	}
	return nil, false
}

// open answers GET /{collection}/{id}.
func (s *server) open(c *collection) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		scope := auth.From(r.Context())
		p := parseParams(r, c.openParameters()...)
		q := s.start(scope, p)
		c.readPeriod(q, p)
		stale, err := s.ready(r.Context(), p, c.allow(scope))
		if err != nil {
			Problem(w, r, err)
			return
		}
		id, ok := parseID(chi.URLParam(r, "id"))
		if !ok {
			Problem(w, r, domain.Missing(c.what))
			return
		}
		var object reflect.Value
		c.queueOne(q, id, &object)
		if err := s.run(r.Context(), q); err != nil {
			Problem(w, r, err)
			return
		}
		if !object.IsValid() {
			Problem(w, r, domain.Missing(c.what))
			return
		}
		if c.finish != nil {
			c.finish(object)
		}
		if revision := object.Elem().FieldByName("Revision"); revision.IsValid() {
			w.Header().Set("ETag", `"`+strconv.FormatInt(revision.Int(), 10)+`"`)
		}
		w.Header().Set(positionHeader, q.position.String())
		if err := onRecord(r, q.opened[0], ""); err != nil {
			Problem(w, r, err)
			return
		}
		reply(w, r, object.Interface(), stale)
	}
}

func (c *collection) readPeriod(q *reading, p *params) {
	if !c.period {
		return
	}
	from, hasFrom := p.date("from")
	to, hasTo := p.date("to")
	q.period = period{pgtype.Date{Time: from.Time(), Valid: hasFrom}, pgtype.Date{Time: to.Time(), Valid: hasTo}}
	if hasFrom && hasTo && to.Before(from) {
		p.fail("to", "period-backwards", "Give a period whose end is not before its beginning.")
	}
}

// queueOne puts the queries for one thing and its parts into a reading.
func (c *collection) queueOne(q *reading, id domain.ID, object *reflect.Value) {
	c.isAbout(q, id)
	from := c.source(q.scope)
	st := q.statement()
	st.add("select ", from.get.columns, ", ", c.aboutColumns(q.scope))
	c.locked(st, from)
	st.add(" and ", c.id, " = ", st.arg(id))
	q.add(st, func(rows pgx.Rows) (err error) {
		*object = reflect.Value{}
		var on opened
		for scanner := from.get.scanner(on.targets()...); rows.Next(); *object = scanner.take() {
			if err = scanner.scan(rows); err != nil {
				return err
			}
			q.opened = append(q.opened, on.of(c, id))
		}
		return rows.Err()
	})
	for _, part := range c.parts {
		st := q.statement()
		st.add("select ", part.view.columns, " from ", part.from, " where ", replaceValue(part.where, st.arg(id)), " order by ", part.order)
		if part.most > 0 {
			st.add(" limit ", strconv.Itoa(part.most+1))
		}
		q.add(st, func(rows pgx.Rows) error {
			if !object.IsValid() {
				return nil
			}
			into := object.Elem().FieldByName(part.field)
			into.Set(reflect.MakeSlice(into.Type(), 0, 0))
			scanner := part.view.scanner()
			for rows.Next() {
				if part.most > 0 && into.Len() == part.most {
					return &domain.Fault{Kind: domain.Malformed, Code: "period-too-long", Field: "from", Message: "This would be more than " + strconv.Itoa(part.most) + " entries. Choose a shorter period with from and to."}
				}
				if err := scanner.scan(rows); err != nil {
					return err
				}
				into.Set(reflect.Append(into, scanner.object))
			}
			return rows.Err()
		})
	}
}

// Headers of answers.
const (
	positionHeader = "Atrium-Position" // what an answer that is a single thing has reached
	staleHeader    = "Atrium-Stale"    // the answer has not reached the position asked for
)

const patience = 2 * time.Second

// ready reports the first of the faults, and otherwise waits for the position in after=, within reason.
func (s *server) ready(ctx context.Context, p *params, faults ...error) (stale bool, err error) {
	position, waits := p.after()
	for _, fault := range append([]error{p.err()}, faults...) {
		if fault != nil {
			return false, fault
		}
	}
	if !waits {
		return false, nil
	}
	short, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	err = s.Checkpoint.Await(short, position)
	if err != nil && ctx.Err() == nil && (errors.Is(err, context.DeadlineExceeded) || short.Err() != nil) {
		return true, nil
	}
	return false, err
}
