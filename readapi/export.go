package readapi

import (
	"bufio"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/readapi/auth"
)

const (
	// maxExports bounds the exports at one time: each holds a database connection for as long as its reader reads.
	maxExports = 2
	// stalled is how long an export waits for its reader.
	stalled = 30 * time.Second
	// flushEvery is how many entries an export sends at a time.
	flushEvery = 200
)

var errExportsBusy = &domain.Fault{Kind: domain.Unavailable, Code: "exports-busy", Message: "Other exports are running. Please try again in a moment."}

// itemWriter writes what is taken away in one format.
type itemWriter interface {
	begin() error
	item(v any) error
	end(position domain.Position) error
	flush() error
}

// export answers with everything, row by row as the database gives it, newest first. A failure after the first row
// breaks the connection off, so that nobody takes a part for the whole.
func (s *server) export(w http.ResponseWriter, r *http.Request, h *historyQuery, stale bool) {
	select {
	case s.exports <- struct{}{}:
		defer func() { <-s.exports }()
	default:
		Problem(w, r, errExportsBusy)
		return
	}
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	control := http.NewResponseController(w)
	watchdog := time.AfterFunc(stalled, func() {
		cancel()
		_ = control.SetWriteDeadline(time.Unix(1, 0)) // ends a write that is under way
	})
	defer watchdog.Stop()

	h.endless = true
	out := newEntryWriter(w, h.format, h.scope.Staff())
	begun := false
	start := func() error {
		if begun {
			return nil
		}
		if err := onRecord(r, h.record, h.format); err != nil {
			return err
		}
		begun = true
		header := w.Header()
		header.Set("Content-Type", contentTypes[h.format])
		header.Set("Content-Disposition", `attachment; filename="history.`+h.format+`"`)
		header.Set(positionHeader, h.position.String())
		if stale {
			header.Set(staleHeader, "true")
		}
		return out.begin()
	}
	h.add(h.statement(), func(rows pgx.Rows) error {
		if err := start(); err != nil {
			return err
		}
		return h.write(rows, out, func(int64) error {
			if err := control.Flush(); err != nil {
				return err
			}
			watchdog.Reset(stalled)
			return nil
		})
	})
	err := s.run(ctx, h.reading)
	if err == nil {
		err = errors.Join(out.end(h.position), out.flush())
	}
	switch {
	case err != nil && !begun:
		Problem(w, r, err)
	case err != nil:
		if r.Context().Err() == nil {
			visit := visitOf(r.Context())
			visit.log.Error("export broke off", "request", visit.id, "error", err)
		}
		panic(http.ErrAbortHandler)
	}
}

// write writes the rows of the query, and says after every few how many were sent on.
func (h *historyQuery) write(rows pgx.Rows, out itemWriter, sent func(entries int64) error) error {
	return writeItems(rows, h.view(), out, entryItem, sent)
}

// writeItems writes rows as a view, each as item makes it of the view's struct.
func writeItems(rows pgx.Rows, v *view, out itemWriter, item func(reflect.Value) any, sent func(items int64) error) error {
	scanner := v.scanner()
	for n := int64(1); rows.Next(); n++ {
		if err := scanner.scan(rows); err != nil {
			return err
		}
		if err := out.item(item(scanner.object)); err != nil {
			return err
		}
		if n%flushEvery == 0 {
			if err := out.flush(); err != nil {
				return err
			}
			if err := sent(n); err != nil {
				return err
			}
		}
	}
	return rows.Err()
}

// Taking is who takes something away as a whole, with a program that runs where the data is.
type Taking struct {
	Scope *auth.Scope
	Ask   url.Values // search, filters and format, as the JSON route takes them
	// Begin is told what is taken before anything is; with an error nothing is.
	Begin func(Opened) error
	// Progress is told from time to time how much of it is written.
	Progress func(done, total int64)
}

// whole is what is taken, and how it is written.
type whole struct {
	count, rows *statement
	view        *view
	item        func(reflect.Value) any // what is written of the view's struct
	of          *Opened                 // on record; known when the rows come
	out         itemWriter
}

// take writes something as a whole, all of one moment, and says how many items it has.
func (r *Reader) take(ctx context.Context, q *reading, t Taking, what whole) (total int64, _ error) {
	q.endless = true
	q.add(what.count, func(rows pgx.Rows) (err error) {
		total, err = pgx.CollectExactlyOneRow(rows, pgx.RowTo[int64])
		return err
	})
	q.add(what.rows, func(rows pgx.Rows) error {
		if err := t.Begin(*what.of); err != nil {
			return err
		}
		if err := what.out.begin(); err != nil {
			return err
		}
		return writeItems(rows, what.view, what.out, what.item, func(done int64) error {
			t.Progress(done, total)
			return nil
		})
	})
	if err := r.s.run(ctx, q); err != nil {
		return 0, err
	}
	t.Progress(total, total)
	return total, errors.Join(what.out.end(q.position), what.out.flush())
}

// HistoryExport is a history that is taken away.
type HistoryExport struct {
	Taking
	Collection string // whose thing it is the history of; empty: all that whoever takes it may see
	ID         string // of that thing
}

// Export writes a history to w as the JSON route gives it, and says how many entries it has.
func (r *Reader) Export(ctx context.Context, w io.Writer, e HistoryExport) (int64, error) {
	p := &params{values: e.Ask}
	h := r.s.queryHistory(e.Scope, p)
	h.record = everything(e.Scope)
	for _, c := range r.s.collections {
		if c.name != e.Collection {
			continue
		}
		id, ok := parseID(e.ID)
		if !ok {
			return 0, domain.Missing(c.what)
		}
		h.only(c, id)
	}
	if err := p.err(); err != nil {
		return 0, err
	}
	return r.take(ctx, h.reading, e.Taking, whole{
		count: h.matching("count(*)"), rows: h.statement(), view: h.view(), item: entryItem, of: &h.record,
		out: newEntryWriter(w, h.format, e.Scope.Staff()),
	})
}

func entryItem(object reflect.Value) any { return asStaffEntry(object) }

// asStaffEntry is an entry as one writer takes it: what contacts do not see stays empty.
func asStaffEntry(object reflect.Value) *StaffEntry {
	if own, ok := object.Interface().(Entry); ok {
		return &StaffEntry{Entry: own}
	}
	return object.Addr().Interface().(*StaffEntry)
}

var contentTypes = map[string]string{"csv": "text/csv; charset=utf-8; header=present", "json": "application/json"}

func newEntryWriter(w io.Writer, format string, staff bool) itemWriter {
	if format == "csv" {
		return &csvEntries{csvLines{csv.NewWriter(w)}, staff}
	}
	return &jsonItems{out: bufio.NewWriter(w), own: !staff}
}

// csvEntries writes one line per entry; changes are JSON in a cell.
type csvEntries struct {
	csvLines
	staff bool
}

func (c *csvEntries) begin() error {
	columns := []string{
		"position", "time", "actor_id", "actor_name", "actor_kind", "on_behalf_of", "action", "sentence", "record_type", "record_id",
		"record_label", "changes", "command", "cause", "id",
	}
	if c.staff {
		columns = append(columns, "ip", "session")
	}
	return c.out.Write(columns)
}

func (c *csvEntries) item(v any) error {
	e := v.(*StaffEntry)
	changes, err := json.Marshal(e.Changes)
	if err != nil {
		return err
	}
	cells := []string{
		e.Position.String(), e.Time.Format(time.RFC3339Nano), idText(e.Actor.ID), e.Actor.Name, e.Actor.Kind, idText(e.Actor.OnBehalfOf),
		e.Action, e.Sentence, e.Record.Type, idText(e.Record.ID), e.Record.Label, string(changes), idText(e.Command), idText(e.Cause), idText(e.ID),
	}
	if c.staff {
		cells = append(cells, e.IP, e.Session)
	}
	for i, cell := range cells {
		cells[i] = plainCell(cell)
	}
	return c.out.Write(cells)
}

// csvLines is what everything has in common that is written as CSV.
type csvLines struct{ out *csv.Writer }

func (c csvLines) end(domain.Position) error { return nil }

func (c csvLines) flush() error {
	c.out.Flush()
	return c.out.Error()
}

// plainCell keeps spreadsheets from taking text for a formula.
func plainCell(text string) string {
	if text != "" && strings.ContainsRune("=+-@\t\r", rune(text[0])) {
		return "'" + text
	}
	return text
}

func idText(id domain.ID) string {
	if id == domain.NoID {
		return ""
	}
	return id.String()
}

// jsonItems writes one object that holds all items, one per line.
type jsonItems struct {
	out  *bufio.Writer
	own  bool // entries without what only staff see
	rows int
}

func (j *jsonItems) begin() error {
	_, err := j.out.WriteString(`{"items":[`)
	return err
}

func (j *jsonItems) item(v any) error {
	if e, is := v.(*StaffEntry); is && j.own {
		v = e.Entry
	}
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	separator := ",\n"
	if j.rows == 0 {
		separator = "\n"
	}
	j.rows++
	_, err = j.out.WriteString(separator + string(b))
	return err
}

func (j *jsonItems) end(position domain.Position) error {
	_, err := j.out.WriteString("\n],\"position\":\"" + position.String() + "\"}\n")
	return err
}

func (j *jsonItems) flush() error { return j.out.Flush() }
