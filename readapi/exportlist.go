package readapi

import (
	"bufio"
	"context"
	"encoding/csv"
	"encoding/json"
	"io"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/atrium-portal/atrium/domain"
)

// ListExport is a list that is taken away.
type ListExport struct {
	Taking
	Collection string // by its name in the address of its JSON route
}

// ExportList writes a list to w, in its usual order, and says how many things it has. As CSV it has a column per field: amounts in
// the currency's unit ("1234.50"), instants in RFC 3339, what has parts of its own as JSON.
func (r *Reader) ExportList(ctx context.Context, w io.Writer, e ListExport) (int64, error) {
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
	q := r.s.start(e.Scope, p)
	c.readPeriod(q, p)
	list, order, of := c.source(e.Scope).list, c.sorts[0], everything(e.Scope)
	count, rows := q.statement().add("select count(*)"), q.statement().add("select ", list.columns)
	c.matching(q, count, p)
	c.matching(q, rows, p)
	direction, _ := order.direction(false)
	rows.add(" order by ", order.key, direction, ", ", c.id, direction)
	var out itemWriter = &jsonItems{out: bufio.NewWriter(w)}
	if p.oneOf("format", []string{"csv", "json"}) == "csv" {
		out = &csvItems{csvLines{csv.NewWriter(w)}, columnsOf(list)}
	}
	if err := p.err(); err != nil {
		return 0, err
	}
	return r.take(ctx, q, e.Taking, whole{count: count, rows: rows, view: list, item: reflect.Value.Interface, of: &of, out: out})
}

// csvItems writes one line per thing.
type csvItems struct {
	csvLines
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
		if v.Currency == "" {
			return "", nil
		}
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
