package readapi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/readapi/auth"
)

// reading is what one request reads: statements that run in one transaction, in one round trip, with the scope's
// settings for row-level security.
type reading struct {
	scope    *auth.Scope
	today    domain.Date // where the firm is
	period   period      // that was asked for, if any
	queued   []queued
	position domain.Position // of the read models, in the same transaction
	endless  bool            // may take as long as its reader reads
	asOf     time.Time       // how things were then; zero means now
	accounts []domain.ID     // that a past was asked of
	about    []about         // likewise, by what is theirs
	opened   []Opened        // the records that were asked for by id and are there
}

type queued struct {
	sql  string
	args []any
	scan func(pgx.Rows) error
	live bool // as things are now, whatever the reading is as of
}

// add queues a statement; scan gets its rows.
func (q *reading) add(s *statement, scan func(pgx.Rows) error) {
	q.queued = append(q.queued, queued{s.text(), s.args, scan, false})
}

// addLive queues a statement about how things are now, also in a reading of the past.
func (q *reading) addLive(s *statement, scan func(pgx.Rows) error) {
	q.queued = append(q.queued, queued{s.text(), s.args, scan, true})
}

// statement is SQL in the making. Values never become part of the text: arg gives the placeholder of one.
type statement struct {
	scope  *auth.Scope
	today  domain.Date
	period period
	sql    strings.Builder
	args   []any
	named  map[string]string // placeholders of {firm}, {account}, …
}

// period is from one date to another, both included; none means without end on that side.
type period struct{ from, to pgtype.Date }

func (q *reading) statement() *statement {
	return &statement{scope: q.scope, today: q.today, period: q.period, named: map[string]string{}}
}

// arg gives the placeholder of a value.
func (s *statement) arg(v any) string {
	if id, is := v.(domain.ID); is {
		v = pgtype.UUID{Bytes: id, Valid: true} // which the driver sends as it is; the other goes through text
	}
	s.args = append(s.args, v)
	return "$" + strconv.Itoa(len(s.args))
}

// add appends SQL. {firm}, {account}, {contact}, {today}, {history} and {unreleased} stand for the
// scope's, {from} and {to} for the period asked for.
func (s *statement) add(parts ...string) *statement {
	for _, part := range parts {
		s.sql.WriteString(s.fill(part))
	}
	return s
}

func (s *statement) fill(sql string) string {
	var filled strings.Builder
	for {
		before, rest, opened := strings.Cut(sql, "{")
		filled.WriteString(before)
		if !opened {
			return filled.String()
		}
		name, after, _ := strings.Cut(rest, "}")
		if s.named[name] == "" {
			s.named[name] = s.arg(s.value(name))
		}
		filled.WriteString(s.named[name])
		sql = after
	}
}

// value is what a name in braces stands for.
func (s *statement) value(name string) any {
	switch name {
	case "firm":
		return s.scope.Firm
	case "account":
		return s.scope.Account
	case "contact":
		return s.scope.Actor.ID
	case "today":
		return s.today.Time()
	case "from":
		return s.period.from
	case "to":
		return s.period.to
	case "history":
		return s.scope.ShowHistory
	case "unreleased":
		return s.scope.Unreleased
	case "hidden":
		return hiddenModules(s.scope)
	}
	panic("readapi: SQL names {" + name + "}, which is nothing")
}

func (s *statement) text() string { return s.sql.String() }

const (
	begin = "begin isolation level repeatable read, read only"
	// settings are what the policies of the tables ask for; they end with the transaction. It also reads how far the
	// tables have come, which everybody may know.
	settings = `select set_config('app.firm', $1, true), set_config('app.accounts', $2, true), set_config('app.contact', $3, true),
		set_config('app.permissions', $4, true), set_config('app.unreleased', $5, true), set_config('app.history', $6, true),
		c.commit_position, c.prepare_position from checkpoint c`
)

// start begins a reading in a scope, as of the instant in as_of=. Today is then the day of that instant.
func (s *server) start(scope *auth.Scope, p *params) *reading {
	q := &reading{scope: scope, today: scope.Today(s.Now())}
	if at, ok := p.asOf(s.Now()); ok {
		q.asOf, q.today = at, scope.Today(at)
	}
	return q
}

// longest is how long a reading may take; then the answer is that it took too long.
const longest = 15 * time.Second

// run sends a reading. A statement that was prepared before the tables were swapped is prepared anew.
func (s *server) run(ctx context.Context, q *reading) error {
	if !q.endless {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, longest)
		defer cancel()
	}
	err := s.runOnce(ctx, q)
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok && pg.Code == "0A000" {
		err = s.runOnce(ctx, q)
	}
	if err != nil && (pgconn.Timeout(err) || ctx.Err() != nil) {
		return fmt.Errorf("reading: %w", errors.Join(context.Cause(ctx), err))
	}
	return databaseFault(err)
}

// runOnce sends a reading. What is sent together is one transaction anyway; several statements begin one of their own,
// so that all see the same moment.
func (s *server) runOnce(ctx context.Context, q *reading) error {
	if !q.asOf.IsZero() {
		return s.runThen(ctx, q)
	}
	var batch pgx.Batch
	several := len(q.queued) > 1
	if several {
		batch.Queue(begin)
	}
	q.begin(&batch)
	for _, one := range q.queued {
		batch.Queue(one.sql, one.args...).Query(one.scan)
	}
	if several {
		batch.Queue("commit")
	}
	return s.pool(q.scope).SendBatch(ctx, &batch).Close()
}

// begin puts the scope's settings at the beginning of a batch.
func (q *reading) begin(batch *pgx.Batch) {
	batch.Queue(settings, settingsOf(q.scope)...).Query(func(rows pgx.Rows) error {
		for rows.Next() {
			if err := rows.Scan(nil, nil, nil, nil, nil, nil, &q.position.Commit, &q.position.Prepare); err != nil {
				return err
			}
		}
		return rows.Err()
	})
}

func (s *server) pool(scope *auth.Scope) *pgxpool.Pool {
	if scope.Staff() {
		return s.Pools.Staff
	}
	return s.Pools.Client
}

func settingsOf(scope *auth.Scope) []any {
	accounts, contact := "{}", ""
	if !scope.Staff() {
		ids := []string{scope.Actor.ID.String()}
		for _, absorbed := range scope.Absorbed {
			ids = append(ids, absorbed.String())
		}
		accounts, contact = array(scope.Account.String()), array(ids...)
	}
	return []any{scope.Firm.String(), accounts, contact, array(scope.Permissions...), onOff(scope.Unreleased), onOff(scope.ShowHistory)}
}

// array writes texts as a Postgres array.
func array(texts ...string) string {
	b := []byte{'{'}
	for i, text := range texts {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, '"')
		for _, c := range []byte(text) {
			if c == '"' || c == '\\' {
				b = append(b, '\\')
			}
			b = append(b, c)
		}
		b = append(b, '"')
	}
	return string(append(b, '}'))
}

func onOff(b bool) string {
	if b {
		return "on"
	}
	return "off"
}

// unwell begin the codes of a database that cannot answer now: it stops or starts, a connection broke, it lacks room or memory, its
// disk fails.
var unwell = []string{"57P", "08", "53", "58"}

// databaseFault tells a database that is not there from a mistake of ours.
func databaseFault(err error) error {
	if err == nil {
		return nil
	}
	pg, answered := errors.AsType[*pgconn.PgError](err)
	if _, fault := errors.AsType[*domain.Fault](err); fault {
		return err
	}
	connect, _ := errors.AsType[*pgconn.ConnectError](err)
	cut, _ := errors.AsType[*net.OpError](err)
	switch {
	case connect != nil, cut != nil, pgconn.SafeToRetry(err), errors.Is(err, io.ErrUnexpectedEOF),
		answered && slices.ContainsFunc(unwell, func(class string) bool { return strings.HasPrefix(pg.Code, class) }):
		return errors.Join(errUnavailable, err)
	}
	return err
}

var errUnavailable = &domain.Fault{Kind: domain.Unavailable, Code: "unavailable", Message: "This cannot be shown right now. Please try again in a moment."}
