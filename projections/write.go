package projections

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/atrium-portal/atrium/domain"
)

// statements are the SQL of one schema; tables are in the order of the program.
type statements struct {
	// advance moves the checkpoint by compare-and-set. Finding another one is an error (a division by zero), so that the
	// commit can follow in the same round trip.
	advance string
	fence   string
	tables  []tableSQL
}

// tableSQL puts one row or any number of rows.
type tableSQL struct{ load, put, puts, remove string }

// few is up to how many rows are put one by one: an array per column is slower for them.
const few = 8

const divisionByZero = "22012"

func statementsOf(schema string, tables []*table) statements {
	s := statements{
		advance: "with moved as (update " + schema + ".checkpoint set commit_position = $1, prepare_position = $2, events = events + $3, " +
			"updated_at = now() where commit_position = $4 and prepare_position = $5 and fence = $6 returning 1) select 1 / count(*) from moved",
		fence: "update " + schema + ".checkpoint set fence = gen_random_uuid()",
	}
	for _, t := range tables {
		s.tables = append(s.tables, t.statements(schema))
	}
	return s
}

func (t *table) statements(schema string) tableSQL {
	keys := t.columns[:t.keyLen]
	in := " where (" + names(keys) + ") in (select * from " + unnest(keys) + ")"
	if t.keyLen == 1 {
		in = " where " + keys[0].name + " = any($1)"
	}
	return tableSQL{
		load:   "select " + names(t.columns) + " from " + schema + "." + t.name + in,
		remove: "delete from " + schema + "." + t.name + in + t.empty(),
		put:    t.insert(schema, "values ("+params(t.columns, false)+")"),
		puts:   t.insert(schema, "select "+t.unpacked()+" from "+unnest(t.columns)+" as u("+names(t.columns)+")"),
	}
}

// empty is the further condition on which a row is removed.
func (t *table) empty() string {
	if t.sum == nil {
		return ""
	}
	return " and " + t.columns[t.keyLen].name + " = 0"
}

// insert stores rows, or replaces those that are there. To sums it adds.
func (t *table) insert(schema, rows string) string {
	var updated []string
	for _, c := range t.columns[t.keyLen:] {
		set := c.name + " = excluded." + c.name
		if t.sum != nil {
			set = c.name + " = " + t.name + "." + c.name + " + excluded." + c.name
		}
		updated = append(updated, set)
	}
	sql := fmt.Sprintf("insert into %s.%s (%s) %s", schema, t.name, names(t.columns), rows)
	switch {
	case t.appendOnly:
		return sql
	case len(updated) == 0:
		return sql + " on conflict do nothing"
	default:
		return sql + " on conflict (" + names(t.columns[:t.keyLen]) + ") do update set " + strings.Join(updated, ", ")
	}
}

// unpacked are the columns out of one array per column. Elements that are arrays themselves travel as text.
func (t *table) unpacked() string {
	list := make([]string, len(t.columns))
	for i, c := range t.columns {
		if list[i] = c.name; c.kind == textsKind || c.kind == idsKind {
			list[i] += "::" + sqlTypes[c.kind]
		}
	}
	return strings.Join(list, ", ")
}

func unnest(columns []column) string { return "unnest(" + params(columns, true) + ")" }

// params are placeholders with the types of columns, or with arrays of them.
func params(columns []column, arrays bool) string {
	list := make([]string, len(columns))
	for i, c := range columns {
		typ := sqlTypes[c.kind]
		if arrays {
			if c.kind == textsKind || c.kind == idsKind {
				typ = "text"
			}
			typ += "[]"
		}
		list[i] = fmt.Sprintf("$%d::%s", i+1, typ)
	}
	return strings.Join(list, ", ")
}

// vector is one column of many rows as an array for the driver.
type vector struct {
	rows   [][]any
	column int
	kind   kind
}

func vectors(columns []column, rows [][]any) []any {
	list := make([]any, len(columns))
	for i, c := range columns {
		list[i] = vector{rows, i, c.kind}
	}
	return list
}

// Dimensions implements pgtype.ArrayGetter.
func (v vector) Dimensions() []pgtype.ArrayDimension {
	return []pgtype.ArrayDimension{{Length: int32(len(v.rows)), LowerBound: 1}}
}

// Index implements pgtype.ArrayGetter.
func (v vector) Index(i int) any {
	switch value := v.rows[i][v.column].(type) {
	case pgtype.FlatArray[string]:
		return textArray(value)
	case pgtype.FlatArray[pgtype.UUID]:
		texts := make([]string, len(value))
		for n, id := range value {
			texts[n] = domain.ID(id.Bytes).String()
		}
		return textArray(texts)
	default:
		return value
	}
}

// IndexType implements pgtype.ArrayGetter.
func (v vector) IndexType() any {
	switch v.kind {
	case idKind:
		return pgtype.UUID{}
	case numberKind:
		return int64(0)
	case boolKind:
		return false
	case dateKind:
		return pgtype.Date{}
	case instantKind:
		return pgtype.Timestamptz{}
	case documentKind, bytesKind:
		return []byte{}
	case textKind, textsKind, idsKind:
	}
	return ""
}

var inArray = strings.NewReplacer(`\`, `\\`, `"`, `\"`)

// textArray is an array as Postgres reads it: {"a","b"}.
func textArray(texts []string) string {
	var b strings.Builder
	b.WriteByte('{')
	for i, text := range texts {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(`"` + inArray.Replace(text) + `"`)
	}
	b.WriteByte('}')
	return b.String()
}

// keyRows gives keys in the form the driver wants.
func (t *table) keyRows(keys []Key) [][]any {
	rows := make([][]any, len(keys))
	for i, key := range keys {
		rows[i] = make([]any, t.keyLen)
		for n := range rows[i] {
			if rows[i][n] = key[n]; t.columns[n].kind == idKind {
				rows[i][n] = pgtype.UUID{Bytes: key[n].(domain.ID), Valid: true}
			}
		}
	}
	return rows
}

// load hands the stored rows of keys to found, one statement per table in one round trip.
func (b *build) load(ctx context.Context, db querier, keys [][]Key, found func(table int, row any)) error {
	var batch pgx.Batch
	for i, missing := range keys {
		if len(missing) > 0 {
			t := b.tables[i]
			batch.Queue(b.sql.tables[i].load, vectors(t.columns[:t.keyLen], t.keyRows(missing))...).
				Query(func(rows pgx.Rows) error { return t.scan(rows, func(row any) { found(i, row) }) })
		}
	}
	if batch.Len() == 0 {
		return nil
	}
	return db.SendBatch(ctx, &batch).Close()
}

// scan reads rows of all columns.
func (t *table) scan(rows pgx.Rows, found func(row any)) error {
	defer rows.Close()
	targets := make([]any, len(t.columns))
	for i := range targets {
		targets[i] = t.columns[i].target()
	}
	for rows.Next() {
		if err := rows.Scan(targets...); err != nil {
			return fmt.Errorf("table %s: %w", t.name, err)
		}
		row := reflect.New(t.typ)
		for i := range targets {
			if err := t.columns[i].set(row.Elem(), targets[i]); err != nil {
				return fmt.Errorf("table %s: %w", t.name, err)
			}
		}
		found(row.Interface())
	}
	return rows.Err()
}

// frame is what stands around the writing of a work in its transaction.
type frame struct {
	before func(*pgx.Batch)
	after  string // a statement, or none
}

// write stores a work: in one round trip, or while loading with a copy per table that has new rows.
func (b *build) write(ctx context.Context, conn *pgx.Conn, w *work, f frame) error {
	var batch pgx.Batch
	f.before(&batch)
	copies := make([][][]any, len(b.tables))
	for i, t := range b.tables {
		if b.only != nil && !b.only[t.name] {
			continue
		}
		fresh, changed, gone := w.outcome(i, t)
		if b.loading {
			rows, err := t.values(fresh)
			if err != nil {
				return err
			}
			copies[i] = rows
		} else {
			changed = append(changed, fresh...)
		}
		rows, err := t.values(changed)
		if err != nil {
			return err
		}
		if len(rows) > few {
			batch.Queue(b.sql.tables[i].puts, vectors(t.columns, rows)...)
			rows = nil
		}
		for _, row := range rows {
			batch.Queue(b.sql.tables[i].put, row...)
		}
		if len(gone) > 0 {
			batch.Queue(b.sql.tables[i].remove, vectors(t.columns[:t.keyLen], t.keyRows(gone))...)
		}
	}
	if f.after != "" && !b.loading {
		batch.Queue(f.after)
	}
	if err := conn.SendBatch(ctx, &batch).Close(); err != nil || !b.loading {
		return err
	}
	for i, rows := range copies {
		if len(rows) == 0 {
			continue
		}
		columns := strings.Split(names(b.tables[i].columns), ", ")
		if _, err := conn.CopyFrom(ctx, pgx.Identifier{b.schema, b.tables[i].name}, columns, pgx.CopyFromRows(rows)); err != nil {
			return err
		}
	}
	if f.after == "" {
		return nil
	}
	_, err := conn.Exec(ctx, f.after)
	return err
}

// outcome sorts a table's rows by what has to be done with them.
func (w *work) outcome(i int, t *table) (fresh, changed []any, gone []Key) {
	switch {
	case t.appendOnly:
		return w.history, nil, nil
	case t.name == parkedName:
		return nil, w.parked, w.release
	case t.sum != nil:
		changed, gone = t.moved(w.order[i])
		return nil, changed, gone
	}
	for _, s := range w.order[i] {
		switch {
		case !s.dirty:
		case s.row == nil && s.stored:
			gone = append(gone, s.key)
		case s.row == nil:
		case s.stored:
			changed = append(changed, s.row)
		default:
			fresh = append(fresh, s.row)
		}
	}
	return fresh, changed, gone
}

// refusal recognises that Postgres would not store a value: malformed or too large data, a broken constraint.
func refusal(err error) (reason error, is bool) {
	pg, ok := errors.AsType[*pgconn.PgError](err)
	if !ok || len(pg.Code) != 5 {
		return nil, false
	}
	switch pg.Code[:2] {
	case "22", "23", "54":
		return fmt.Errorf("the database refuses what it gives: %s (%s)", pg.Message, pg.Code), true
	}
	return nil, false
}
