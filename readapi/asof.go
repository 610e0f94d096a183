package readapi

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/readapi/auth"
)

// asOfParameter is the instant that an answer is as of: "as known at", by the time of recording.
const asOfParameter = "as_of"

// asOf reads the instant that an answer is to be as of; ok is false when there is none.
func (p *params) asOf(now time.Time) (time.Time, bool) {
	value, ok := p.get(asOfParameter)
	if !ok {
		return time.Time{}, false
	}
	at, err := time.Parse(time.RFC3339Nano, value)
	switch {
	case err != nil || at.Year() < 1900 || at.Year() > 9999:
		p.fail(asOfParameter, "parameter-invalid", "Give as_of as a time such as 2026-03-31T09:30:00Z.")
	case at.After(now):
		p.fail(asOfParameter, "as-of-future", "Give a time that has passed as as_of: nobody knows yet what will be known then.")
	default:
		return at.UTC(), true
	}
	return time.Time{}, false
}

// about finds the account of a thing that was asked for, in the tables as they are now.
type about struct {
	sql  string
	args []any
	what string // for the fault when there is no such thing
}

// isAbout notes that a reading is about a thing of the collection. Staff then get the past of its account alone.
func (c *collection) isAbout(q *reading, id domain.ID) {
	if q.asOf.IsZero() || !q.scope.Staff() || c.account == "" {
		return
	}
	st := q.statement()
	st.add("select ", c.account)
	c.locked(st, c.staff)
	st.add(" and ", c.id, " = ", st.arg(id))
	q.about = append(q.about, about{st.text(), st.args, c.what})
}

// whosePast is the account whose past a reading needs; none means the whole firm's. Contacts have one. Staff need one
// when all that they ask for is of one account.
func (s *server) whosePast(ctx context.Context, q *reading) (domain.ID, error) {
	if !q.scope.Staff() {
		return q.scope.Account, nil
	}
	accounts := slices.Clone(q.accounts)
	if len(q.about) > 0 {
		var batch pgx.Batch
		batch.Queue(settings, settingsOf(q.scope)...)
		for _, a := range q.about {
			batch.Queue(a.sql, a.args...).Query(func(rows pgx.Rows) error {
				of, err := pgx.CollectRows(rows, pgx.RowTo[domain.ID])
				if err == nil && len(of) == 0 {
					err = domain.Missing(a.what)
				}
				accounts = append(accounts, of...)
				return err
			})
		}
		if err := s.pool(q.scope).SendBatch(ctx, &batch).Close(); err != nil {
			return domain.NoID, err
		}
	}
	if accounts = slices.Compact(accounts); len(accounts) == 1 {
		return accounts[0], nil
	}
	return domain.NoID, nil
}

// runThen sends a reading as of an instant: the same statements in one transaction, with the tables as they were then
// before the live ones in the search path. Who may see what is decided by the scope, which is of now, and by the same
// conditions on those tables.
func (s *server) runThen(ctx context.Context, q *reading) error {
	if s.Past == nil {
		return errNoPast
	}
	if !q.scope.Staff() && !q.scope.ShowHistory {
		return errNotPermitted // the firm does not show how things came about
	}
	account, err := s.whosePast(ctx, q)
	if err != nil {
		return err
	}
	fill, err := s.Past.Known(ctx, q.scope.Firm, account, q.asOf)
	if err != nil {
		return err
	}
	return pgx.BeginTxFunc(ctx, s.pool(q.scope), pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadWrite}, func(tx pgx.Tx) error {
		if err := q.send(ctx, tx, func(one queued) bool { return one.live }); err != nil {
			return err
		}
		var sql strings.Builder
		for _, one := range q.queued {
			sql.WriteString(one.sql)
		}
		if err := fill(ctx, tx.Conn(), q.scope.Actor.Kind, sql.String()); err != nil {
			return err
		}
		return q.send(ctx, tx, func(one queued) bool { return !one.live })
	})
}

// send sends the queued statements that are chosen, with the scope's settings before them.
func (q *reading) send(ctx context.Context, tx pgx.Tx, choose func(queued) bool) error {
	var batch pgx.Batch
	q.begin(&batch)
	for _, one := range q.queued {
		if choose(one) {
			batch.Queue(one.sql, one.args...).Query(one.scan)
		}
	}
	return tx.SendBatch(ctx, &batch).Close()
}

var errNoPast = &domain.Fault{Kind: domain.Malformed, Code: "no-as-of", Field: asOfParameter, Message: "This installation does not show the past. Leave out as_of."}

// AsOf begins a reading of how things were at an instant, given as RFC 3339; empty means now. What is wrong with it is
// the error of Run.
func (r *Reader) AsOf(scope *auth.Scope, at string) *Reading {
	p := &params{values: map[string][]string{}}
	if at != "" {
		p.values.Set(asOfParameter, at)
	}
	return &Reading{s: r.s, q: r.s.start(scope, p), fault: p.err()}
}

// Then is the instant that a reading is as of; zero means now.
func (r *Reading) Then() time.Time { return r.q.asOf }

// nowOnly refuses requests that would change something in the past.
func nowOnly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Has(asOfParameter) {
			Problem(w, r, &domain.Fault{Kind: domain.Malformed, Code: "as-of-read-only", Field: asOfParameter, Message: "The past can only be looked at. Leave out as_of."})
			return
		}
		next.ServeHTTP(w, r)
	})
}

// Moments are instants at which something happened that whoever asks may see. A zero one is none.
type Moments struct {
	First    time.Time // of all
	Previous time.Time // before the instant that the reading is of
	Next     time.Time // after it
}

// MomentsOf asks for the moments of an account; contacts need not name theirs.
func MomentsOf(r *Reading, account string) *Moments {
	m := &Moments{}
	st := r.q.statement()
	condition := entriesMine
	if r.q.scope.Staff() {
		id, ok := parseID(account)
		if !ok {
			return m // whoever asks for the account itself says that it is missing
		}
		condition = " and h.account = " + st.arg(id)
	}
	at := r.q.asOf
	if at.IsZero() {
		at = r.s.Now()
	}
	seen := func(further string) string {
		return "(select h.time from history h where h.firm = {firm} and h.event not in (" + lookEvents + ")" + condition + further + " limit 1)"
	}
	instant := st.arg(at)
	st.add(
		"select ", seen(" order by h.position"), ", ", seen(" and h.time < "+instant+" order by h.position desc"), ", ",
		seen(" and h.time > "+instant+" order by h.position"),
	)
	r.q.addLive(st, func(rows pgx.Rows) error {
		for rows.Next() {
			if err := rows.Scan(timeTarget{&m.First}, timeTarget{&m.Previous}, timeTarget{&m.Next}); err != nil {
				return err
			}
		}
		return rows.Err()
	})
	return m
}
