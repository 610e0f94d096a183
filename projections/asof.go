package projections

import (
	"cmp"
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"github.com/atrium-portal/atrium/domain"
)

// Streams is the port to the log for reading single streams of it.
type Streams interface {
	// Load gives the events of a stream from a revision on, in order; none when there is no such stream.
	Load(ctx context.Context, stream string, from int64) ([]domain.Recorded, error)
}

// Whose says whose past is asked for: that of one account of a firm, or without an account that of the whole firm.
type Whose struct{ Firm, Account domain.ID }

// Then is what was known at an instant: the rows of all tables, folded from the events that were recorded up to it.
// It is read-only.
type Then struct {
	engine *Engine
	rows   [][]any // by table
	Events int
	// Position of the last event, zero without any.
	Position domain.Position
}

const (
	// maxPast is how many events an as-of view folds at most.
	maxPast = 20_000
	// readers is how many streams are read at a time.
	readers = 8
)

// ErrLongPast is the fault of a past that is too long to be folded for one view.
var ErrLongPast = &domain.Fault{
	Kind: domain.Malformed, Code: "as-of-too-long", Field: "as_of",
	Message: fmt.Sprintf("More than %d events happened until then, too many for one view. Ask for one client, with account=, or for an earlier time.", maxPast),
}

// AsOf folds what was recorded up to an instant. It is the fold of the live tables, on nothing, in memory. An account
// or a firm that was not there yet is the fault for one that is missing; ErrLongPast is one with too many events.
//
// Every stream is cut before its first event that was recorded later, so that no stream has a gap. Events that the live
// tables have parked are left out, like there.
func (e *Engine) AsOf(ctx context.Context, log Streams, of Whose, at time.Time) (*Then, error) {
	records, err := e.past(ctx, log, of, at)
	if err != nil {
		return nil, err
	}
	b := e.sandbox()
	events, err := b.decode(records)
	if err != nil {
		return nil, err
	}
	return b.then(ctx, e, of, events)
}

// sandbox is a build without a database.
func (e *Engine) sandbox() *build {
	return &build{
		program: e.program, log: e.opts.Logger, cache: newCache(0), refused: map[domain.ID]error{}, stuck: map[string]bool{},
	}
}

// then folds events on nothing and keeps the rows that are somebody's.
func (b *build) then(ctx context.Context, e *Engine, of Whose, events []event) (*Then, error) {
	w, err := b.fold(ctx, nil, events, nil)
	if err != nil {
		return nil, err
	}
	t := &Then{engine: e, rows: make([][]any, len(b.tables)), Events: len(events), Position: w.to}
	for i, table := range b.tables {
		if table.name == parkedName {
			continue
		}
		fresh, sums, _ := w.outcome(i, table)
		for _, row := range append(fresh, sums...) {
			if table.isOf(row, of) {
				t.rows[i] = append(t.rows[i], row)
			}
		}
	}
	return t, nil
}

// isOf tells whether a row is somebody's. Tables without an account, such as that of the firm itself, are everybody's.
func (t *table) isOf(row any, of Whose) bool {
	v := reflect.ValueOf(row).Elem()
	is := func(column int, id domain.ID) bool {
		return column < 0 || v.FieldByIndex(t.columns[column].index).Interface() == id
	}
	switch {
	case !is(t.firm, of.Firm):
		return false
	case of.Account == domain.NoID:
		return true
	case t.access == OfAccounts:
		return slices.Contains(v.FieldByIndex(t.column("accounts").index).Interface().([]domain.ID), of.Account)
	}
	return is(t.account, of.Account)
}

// cut is a stream and its last revision that belongs to a past.
type cut struct {
	Stream string
	Last   int64
}

// past reads the events of an account and of its firm itself up to an instant, in the order of the log.
func (e *Engine) past(ctx context.Context, log Streams, of Whose, at time.Time) ([]domain.Recorded, error) {
	cuts, err := e.cuts(ctx, of, at)
	if err != nil {
		return nil, err
	}
	streams := make([][]domain.Recorded, len(cuts))
	group, reading := errgroup.WithContext(ctx)
	group.SetLimit(readers)
	for i, c := range cuts {
		group.Go(func() error {
			records, err := log.Load(reading, c.Stream, 0)
			if err != nil {
				return fmt.Errorf("reading %s: %w", c.Stream, err)
			}
			streams[i] = records[:min(int64(len(records)), c.Last+1)]
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	records := slices.Concat(streams...)
	slices.SortFunc(records, func(a, b domain.Recorded) int {
		return cmp.Or(cmp.Compare(a.Position.Commit, b.Position.Commit), cmp.Compare(a.Position.Prepare, b.Position.Prepare))
	})
	return records, nil
}

// cuts finds the streams of an account, with that of its firm, or all streams of a firm. History has an entry for every
// event that was applied, so it is the index.
func (e *Engine) cuts(ctx context.Context, of Whose, at time.Time) ([]cut, error) {
	history := e.opts.Schema + ".history"
	entries, args := "select stream, revision, time, true as own from "+history+" where firm = $2", []any{at, of.Firm}
	if of.Account == domain.NoID {
		if err := e.bounded(ctx, of.Firm, at); err != nil {
			return nil, err
		}
	} else {
		entries = "select stream, revision, time, true as own from " + history + " where firm = $2 and account = $3 union all " +
			"select stream, revision, time, false from " + history + " where firm = $2 and record = $2 and account is null"
		for _, t := range e.tables {
			if t.primary && t.access == OfAccounts { // records of other accounts that have to do with this one too
				entries += " union all select h.stream, h.revision, h.time, false from " + e.opts.Schema + "." + t.name + " r join " + history +
					" h on h.record = r." + t.columns[0].name + " where r.firm = $2 and r.accounts && array[$3::uuid] and r.account <> $3"
			}
		}
		args = append(args, of.Account)
	}
	rows, err := e.live.pool.Query(ctx, "select * from (select stream, coalesce(min(revision) filter (where time > $1) - 1, max(revision)) as last, "+
		"bool_or(own) as own from ("+entries+") entry group by stream) s where last >= 0 order by stream", args...)
	if err != nil {
		return nil, err
	}
	var events int64
	found := false
	cuts, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (c cut, err error) {
		var own bool
		err = row.Scan(&c.Stream, &c.Last, &own)
		events += c.Last + 1
		found = found || own
		return c, err
	})
	switch {
	case err != nil:
		return nil, err
	case events > maxPast:
		return nil, ErrLongPast
	case !found && of.Account == domain.NoID:
		return nil, domain.Missing("firm")
	case !found:
		return nil, domain.Missing("account")
	}
	return cuts, nil
}

// bounded refuses a firm with too long a past without counting all of it.
func (e *Engine) bounded(ctx context.Context, firm domain.ID, at time.Time) error {
	var events int
	err := e.live.pool.QueryRow(ctx, "select count(*) from (select from "+e.opts.Schema+".history where firm = $1 and time <= $2 "+
		"order by position limit $3) entry", firm, at, maxPast+1).Scan(&events)
	if err == nil && events > maxPast {
		err = ErrLongPast
	}
	return err
}

// Fill puts the rows into temporary tables that stand before the live ones in the search path until the transaction that
// conn is in ends. The transaction has the reader's settings, and the connection is the reader's. Making a table costs
// more than filling it, so only those are made that are named in sql, the text of all that will be asked.
//
// Clients get only the tables and columns that they are granted in the live ones. They see a row when it was theirs to
// see then, and its record still is: the same conditions as on the live tables, forced on their owner too.
func (t *Then) Fill(ctx context.Context, conn *pgx.Conn, reader domain.ActorKind, sql string) error {
	const schema = "pg_temp"
	begin := []string{"set local search_path = " + schema + ", " + t.engine.opts.Schema}
	var end []string
	var batch pgx.Batch
	for i, table := range t.engine.tables {
		if !t.engine.named(table, reader, sql) {
			continue
		}
		condition := firmMatches
		if reader != domain.Staff {
			table = table.forClients()
			condition = table.visible() + table.stillVisible(t.engine.opts.Schema)
		}
		bare := *table
		bare.appendOnly = true // no keys: every row is there once
		on := schema + "." + table.name
		begin = append(begin, bare.create(schema)+" on commit drop")
		end = append(
			end, "alter table "+on+" enable row level security", "alter table "+on+" force row level security",
			"create policy seen on "+on+" for select using ("+condition+")",
		)
		if len(t.rows[i]) == 0 {
			continue
		}
		rows, err := table.values(t.rows[i])
		if err != nil {
			return err
		}
		batch.Queue(bare.statements(schema).puts, vectors(table.columns, rows)...)
	}
	if err := conn.PgConn().Exec(ctx, joined(begin)).Close(); err != nil {
		return fmt.Errorf("making the tables of the past: %w", err)
	}
	if err := conn.SendBatch(ctx, &batch).Close(); err != nil {
		return fmt.Errorf("filling the tables of the past: %w", err)
	}
	return conn.PgConn().Exec(ctx, joined(end)).Close()
}

// named tells whether a reader may read a table and its name occurs in SQL, or in the condition of a table that does.
func (p *program) named(t *table, reader domain.ActorKind, sql string) bool {
	switch {
	case t.name == parkedName:
		return false
	case reader == domain.Staff:
		return strings.Contains(sql, t.name)
	case t.access == StaffOnly:
		return false
	}
	return strings.Contains(sql, t.name) || slices.ContainsFunc(p.tables, func(o *table) bool {
		return o != t && strings.Contains(o.where, t.name) && p.named(o, reader, sql)
	})
}

// forClients is the table without the columns that clients are not granted. Of records that several accounts have, only
// those of the account whose past it is are there: see isOf.
func (t *table) forClients() *table {
	if len(t.hidden) == 0 {
		return t
	}
	own := *t
	if own.access == OfAccounts {
		own.access = OfFirm
	}
	layout := *t.layout
	layout.columns = t.granted()
	own.layout = &layout
	return &own
}

// stillVisible is the further condition that clients see a record, or what is for certain recipients, today. Other rows
// name the record they belong to in their own condition.
func (t *table) stillVisible(schema string) string {
	if !t.primary && t.access != OfRecipients {
		return ""
	}
	condition := ""
	for _, c := range t.columns[:t.keyLen] {
		if condition != "" {
			condition += " and "
		}
		condition += "live." + c.name + " = " + t.name + "." + c.name
	}
	return " and exists (select from " + schema + "." + t.name + " live where " + condition + ")"
}
