package projections

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/atrium-portal/atrium/domain"
)

const parkedName = "parked"

// parkedEvent is a row of the table parked: an event that could not be applied, or a later one of its stream. The
// event is kept as the log gave it.
type parkedEvent struct {
	Position int64     `db:"position,key"`
	Prepare  int64     `db:"prepare"`
	Firm     domain.ID `db:"firm,null"` // as far as it can be read
	Stream   string    `db:"stream"`
	Revision int64     `db:"revision"`
	EventID  domain.ID `db:"event_id,null"`
	Event    string    `db:"event"` // its type
	Data     []byte    `db:"data"`
	Metadata []byte    `db:"metadata"`
	Created  time.Time `db:"created,null"`
	Error    string    `db:"error"` // of the stream's first parked event; empty on those that wait behind it
}

func parkedTable() Table {
	return Table{name: parkedName, access: StaffOnly, indexes: []string{"(stream, position)"}, fold: rowsOf[parkedEvent]{}}
}

// park keeps an event for later. behind says that its stream was parked before.
func (b *build) park(w *work, ev *event, behind bool) {
	row := &parkedEvent{
		Position: int64(ev.Position.Commit), Prepare: int64(ev.Position.Prepare), Stream: storable(ev.Stream),
		Revision: ev.Revision, EventID: ev.ID, Event: storable(ev.Type), Data: ev.Data, Metadata: ev.Metadata, Created: ev.Created,
	}
	var m struct {
		Firm domain.ID `json:"firm"`
	}
	if json.Unmarshal(ev.Metadata, &m) == nil {
		row.Firm = m.Firm
	}
	if !behind {
		message, _, _ := strings.Cut(ev.err.Error(), "\n") // the rest of a panic is for the log
		row.Error = storable(message)
		w.alarms = append(w.alarms, ev)
	}
	w.parked = append(w.parked, row)
	w.stuck[ev.Stream] = true
}

// storable drops what Postgres does not take for text.
func storable(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "")
}

func (p *parkedEvent) recorded() domain.Recorded {
	return domain.Recorded{
		Stream: p.Stream, Revision: p.Revision, Position: domain.Position{Commit: uint64(p.Position), Prepare: uint64(p.Prepare)},
		ID: p.EventID, Type: p.Event, Data: p.Data, Metadata: p.Metadata, Created: p.Created,
	}
}

// ParkedStream is a stream that waits for a fix.
type ParkedStream struct {
	Stream   string
	Events   int
	Position domain.Position // of the first parked event
	Error    string          // why that one could not be applied
}

// rowsQuerier is a pool, a connection or a transaction.
type rowsQuerier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

// parkedStreams lists them by position.
func parkedStreams(ctx context.Context, db rowsQuerier, schema string) ([]ParkedStream, error) {
	rows, err := db.Query(ctx, `select stream, count(*), min(position), (array_agg(prepare order by position))[1], max(error)
		from `+schema+`.parked group by stream order by 3`)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (p ParkedStream, err error) {
		var commit, prepare int64
		err = row.Scan(&p.Stream, &p.Events, &commit, &prepare, &p.Error)
		p.Position = domain.Position{Commit: uint64(commit), Prepare: uint64(prepare)}
		return p, err
	})
}

// retry applies the parked events of one stream, in order, up to the first that still fails. The checkpoint is held
// meanwhile and gets a new fence: whoever projects starts over from it, without the rows it remembers.
func (b *build) retry(ctx context.Context, stream string) (applied int, err error) {
	conn, err := b.acquire(ctx)
	if err != nil {
		return 0, err
	}
	defer conn.Release()
	err = pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		if err := b.hold(ctx, tx); err != nil {
			return err
		}
		delete(b.stuck, stream)
		t := b.parkedTable
		rows, err := tx.Query(ctx, "select "+names(t.columns)+" from "+b.schema+".parked where stream = $1 order by position", stream)
		if err != nil {
			return err
		}
		var records []domain.Recorded
		if err := t.scan(rows, func(row any) { records = append(records, row.(*parkedEvent).recorded()) }); err != nil {
			return err
		}
		events, err := b.decode(records)
		if err != nil {
			return err
		}
		w, err := b.fold(ctx, tx, events, nil)
		if err != nil {
			return err
		}
		applied = len(w.history)
		for i := range events[:applied] {
			w.release = append(w.release, K(int64(events[i].Position.Commit)))
		}
		return b.write(ctx, conn.Conn(), w, frame{before: func(batch *pgx.Batch) { batch.Queue(b.sql.fence) }})
	})
	return applied, err
}

// Retry applies parked streams in order, after a fix. It returns how many events were applied and the streams that
// are still parked.
func (e *Engine) Retry(ctx context.Context) (applied int, still []ParkedStream, err error) {
	return e.live.retryAll(ctx)
}

func (b *build) retryAll(ctx context.Context) (applied int, still []ParkedStream, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	defer b.forget()
	b.forget()
	streams, err := parkedStreams(ctx, b.pool, b.schema)
	if err != nil {
		return 0, nil, err
	}
	for _, s := range streams {
		b.forget()
		n, err := b.retry(ctx, s.Stream)
		if refused, data := refusal(err); data {
			b.log.ErrorContext(ctx, "a parked stream cannot be applied yet", "stream", s.Stream, "error", refused)
			continue
		}
		if err != nil {
			return applied, nil, fmt.Errorf("retrying %s: %w", s.Stream, err)
		}
		applied += n
	}
	still, err = parkedStreams(ctx, b.pool, b.schema)
	slices.SortFunc(still, func(x, y ParkedStream) int { return cmp.Compare(x.Position.Commit, y.Position.Commit) })
	return applied, still, err
}
