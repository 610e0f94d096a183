package readapi

import (
	"bufio"
	"context"
	"encoding/csv"
	"encoding/json"
	"io"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/readapi/auth"
)

// ListExport is a list that is taken away as a whole, by a program that runs where the data is.
type ListExport struct {
	Scope      *auth.Scope // of whoever takes it
	Collection string      // by its name in the address of its JSON route
	Ask        url.Values  // search and filters, as the JSON route takes them, and format: csv or json
	// Begin is told what is taken before anything is; with an error nothing is.
	Begin func(Opened) error
	// Progress is told from time to time how many things of how many are written.
	Progress func(done, total int64)
}

// ExportList writes a list to w, in its usual order and all of one moment, and says how many things it has. As CSV it has a column
// per field: amounts in the currency's unit ("1234.50"), instants in RFC 3339, what has parts of its own as JSON.
func (r *Reader) ExportList(ctx context.Context, w io.Writer, e ListExport) (total int64, _ error) {
	at := slices.IndexFunc(r.s.collections, func(c *collection) bool { return c.name == e.Collection })
	if at < 0 {
		return 0, domain.Missing("list")
	}
	c := r.s.collections[at]
	if err := c.allow(e.Scope); err != nil {
		return 0, err
	}
	p := &params{values: e.Ask}
	p.only(append(slices.DeleteFunc(c.parameters(), func(name string) bool {
		return slices.Contains([]string{"limit", "cursor", "sort"}, name) || slices.Contains(everyRead, name)
	}), "format"))
	format := p.oneOf("format", []string{"csv", "json"})
	q := r.s.start(e.Scope, p)
	q.endless = true
	c.readPeriod(q, p)
	count := q.statement().add("select count(*)")
	c.matching(q, count, p)
	list, order := c.source(e.Scope).list, c.sorts[0]
	direction, _ := order.direction(false)
	st := q.statement().add("select ", list.columns)
	c.matching(q, st, p)
	st.add(" order by ", order.key, direction, ", ", c.id, direction)
	if err := p.err(); err != nil {
		return 0, err
	}
	q.add(count, func(rows pgx.Rows) (err error) {
		total, err = pgx.CollectExactlyOneRow(rows, pgx.RowTo[int64])
		return err
	})
	var out itemWriter = &jsonItems{out: bufio.NewWriter(w)}
	if format == "csv" {
		out = &csvItems{out: csv.NewWriter(w), columns: columnsOf(list)}
	}
	q.add(st, func(rows pgx.Rows) error {
		if err := e.Begin(everything(e.Scope)); err != nil {
			return err
		}
		if err := out.begin(); err != nil {
			return err
		}
		return writeItems(rows, list, out, func(object reflect.Value) any { return object.Interface() }, func(done int64) error {
			e.Progress(done, total)
			return nil
		})
	})
	if err := r.s.run(ctx, q); err != nil {
		return 0, err
	}
	e.Progress(total, total)
	if err := out.end(q.position); err != nil {
		return total, err
	}
	return total, out.flush()
}

// csvItems writes one line per thing.
type csvItems struct {
	out     *csv.Writer
	columns []csvColumn
}

// csvColumn is a field of a view, or the currency of one that is an amount with a currency of its own.
type csvColumn struct {
	name string
	cell func(object reflect.Value) (string, error)
}

// columnsOf are the fields of a view under their names in JSON.
func columnsOf(v *view) (columns []csvColumn) {
	for _, f := range reflect.VisibleFields(v.typ) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "" || name == "-" || len(f.Index) > 1 && !inlined(v.typ, f.Index) {
			continue
		}
		columns = append(columns, csvColumn{name, func(object reflect.Value) (string, error) {
			return cellOf(object.FieldByIndex(f.Index).Interface())
		}})
		if f.Type == moneyType && v.currency == nil {
			columns = append(columns, csvColumn{name + "_currency", func(object reflect.Value) (string, error) {
				return object.FieldByIndex(f.Index).Interface().(domain.Money).Currency, nil
			}})
		}
	}
	return columns
}

// inlined tells whether every struct on the way to a field is embedded.
func inlined(t reflect.Type, index []int) bool {
	for n := 1; n < len(index); n++ {
		if !t.FieldByIndex(index[:n]).Anonymous {
			return false
		}
	}
	return true
}

// cellOf writes a value as people and spreadsheets read it. Nothing is an empty cell.
func cellOf(v any) (string, error) {
	switch v := v.(type) {
	case string:
		return plainCell(v), nil
	case int64:
		return strconv.FormatInt(v, 10), nil
	case bool:
		return strconv.FormatBool(v), nil
	case domain.ID:
		return idText(v), nil
	case domain.Date:
		return v.String(), nil
	case time.Time:
		if v.IsZero() {
			return "", nil
		}
		return v.Format(time.RFC3339Nano), nil
	case domain.Money:
		number, _, _ := strings.Cut(v.String(), " ")
		return strings.ReplaceAll(number, ",", ""), nil
	}
	text, err := json.Marshal(v)
	if string(text) == "null" || string(text) == `""` {
		return "", err
	}
	return plainCell(string(text)), err
}

func (c *csvItems) begin() error {
	names := make([]string, len(c.columns))
	for i, column := range c.columns {
		names[i] = column.name
	}
	return c.out.Write(names)
}

func (c *csvItems) item(v any) (err error) {
	object, cells := reflect.ValueOf(v), make([]string, len(c.columns))
	for i, column := range c.columns {
		if cells[i], err = column.cell(object); err != nil {
			return err
		}
	}
	return c.out.Write(cells)
}

func (c *csvItems) end(domain.Position) error { return nil }

func (c *csvItems) flush() error {
	c.out.Flush()
	return c.out.Error()
}
