package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/atrium-portal/atrium/readapi/auth/door"
)

const sessionColumns = `id, firm, person_kind, person, method, second, stage, new_password, created_at, seen_at, idle_seconds, expires_at,
	ends_at, proved_at, ip, agent, account, preview, preview_ends`

// sessionValues are the columns in their order, but the hash.
func sessionValues(s door.Session) []any {
	return []any{
		s.ID, s.Who.Firm, s.Who.Kind, s.Who.ID, s.Method, s.Second, s.Stage, s.NewPassword, s.Created, s.Seen, int64(s.Idle / time.Second), s.Expires,
		s.Ends, s.Proved, s.IP, s.Agent, orNull(s.Account), orNull(s.Preview), timeOrNull(s.PreviewEnds),
	}
}

// sessionTargets are where the columns are scanned to; done completes the session then.
func sessionTargets(s *door.Session) (targets []any, done func()) {
	var idle int64
	var account, preview pgtype.UUID
	var ends pgtype.Timestamptz
	columns := []any{
		&s.ID, &s.Who.Firm, &s.Who.Kind, &s.Who.ID, &s.Method, &s.Second, &s.Stage, &s.NewPassword, &s.Created, &s.Seen, &idle, &s.Expires,
		&s.Ends, &s.Proved, &s.IP, &s.Agent, &account, &preview, &ends,
	}
	return columns, func() {
		s.Idle, s.PreviewEnds = time.Duration(idle)*time.Second, ends.Time
		s.Account, s.Preview = uuid.UUID(account.Bytes), uuid.UUID(preview.Bytes)
	}
}

func scanSession(row pgx.CollectableRow) (s door.Session, err error) {
	targets, done := sessionTargets(&s)
	err = row.Scan(targets...)
	done()
	return s, err
}

// Begin implements door.Sessions.
func (d *Door) Begin(ctx context.Context, s door.Session, hash []byte) error {
	_, err := d.pool.Exec(ctx, `
		INSERT INTO ops.session (`+sessionColumns+`, hash)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)`, append(sessionValues(s), hash)...)
	return err
}

const aliveSession = `least(expires_at, ends_at) > `

// Session implements door.Sessions, in one round trip. The SELECT sees the row as it was before the UPDATE.
func (d *Door) Session(ctx context.Context, hash []byte, ip, agent string, now time.Time) (s door.Session, noted, ok bool, err error) {
	targets, done := sessionTargets(&s)
	err = d.pool.QueryRow(ctx, `
		WITH used AS (
			UPDATE ops.session SET seen_at = $2, expires_at = $2 + make_interval(secs => idle_seconds), ip = $3, agent = $4
			WHERE hash = $1 AND `+aliveSession+`$2 AND seen_at <= $2::timestamptz - interval '1 minute'
			RETURNING 1
		)
		SELECT `+sessionColumns+`, EXISTS (SELECT FROM used) FROM ops.session WHERE hash = $1 AND `+aliveSession+`$2`,
		hash, now, ip, agent).Scan(append(targets, &noted)...)
	if errors.Is(err, pgx.ErrNoRows) {
		return s, false, false, nil
	}
	done()
	return s, noted, err == nil, err
}

// Peek implements door.Sessions.
func (d *Door) Peek(ctx context.Context, hash []byte, now time.Time) (s door.Session, ok bool, err error) {
	found, err := d.sessions(ctx, `SELECT `+sessionColumns+` FROM ops.session WHERE hash = $1 AND `+aliveSession+`$2`, hash, now)
	if err != nil || len(found) == 0 {
		return s, false, err
	}
	return found[0], true, nil
}

// Change implements door.Sessions.
func (d *Door) Change(ctx context.Context, s door.Session, hash []byte) (ok bool, err error) {
	tag, err := d.pool.Exec(ctx, `
		UPDATE ops.session SET (`+sessionColumns+`, hash) =
			($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)
		WHERE id = $1`, append(sessionValues(s), hash)...)
	return tag.RowsAffected() == 1, err
}

func (d *Door) sessions(ctx context.Context, sql string, args ...any) ([]door.Session, error) {
	rows, err := d.pool.Query(ctx, sql, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, scanSession)
}

// Sessions implements door.Sessions.
func (d *Door) Sessions(ctx context.Context, who door.Who, now time.Time) ([]door.Session, error) {
	return d.sessions(ctx, `
		SELECT `+sessionColumns+` FROM ops.session
		WHERE firm = $1 AND person = $2 AND stage = 'open' AND `+aliveSession+`$3 ORDER BY seen_at DESC, id`, who.Firm, who.ID, now)
}

// End implements door.Sessions.
func (d *Door) End(ctx context.Context, who door.Who, id uuid.UUID) (s door.Session, ok bool, err error) {
	ended, err := d.sessions(ctx, `DELETE FROM ops.session WHERE firm = $1 AND person = $2 AND id = $3 RETURNING `+sessionColumns, who.Firm, who.ID, id)
	if err != nil || len(ended) == 0 {
		return s, false, err
	}
	return ended[0], true, nil
}

// EndOthers implements door.Sessions.
func (d *Door) EndOthers(ctx context.Context, who door.Who, but uuid.UUID) ([]door.Session, error) {
	return d.sessions(ctx, `DELETE FROM ops.session WHERE firm = $1 AND person = $2 AND id <> $3 RETURNING `+sessionColumns, who.Firm, who.ID, but)
}

// atOnce is how many sessions are ended in one statement.
const atOnce = 100

// EndExpired implements door.Sessions.
func (d *Door) EndExpired(ctx context.Context, now time.Time) (ended []door.Session, more bool, err error) {
	ended, err = d.sessions(ctx, `
		DELETE FROM ops.session WHERE id IN (
			SELECT id FROM ops.session WHERE least(expires_at, ends_at) <= $1 LIMIT $2 FOR UPDATE SKIP LOCKED)
		RETURNING `+sessionColumns, now, atOnce)
	return ended, len(ended) == atOnce, err
}

// Choose implements door.Sessions.
func (d *Door) Choose(ctx context.Context, id, account uuid.UUID) error {
	_, err := d.pool.Exec(ctx, `UPDATE ops.session SET account = $2 WHERE id = $1`, id, orNull(account))
	return err
}

// Preview implements door.Sessions.
func (d *Door) Preview(ctx context.Context, id, contact uuid.UUID, until time.Time) error {
	_, err := d.pool.Exec(ctx, `UPDATE ops.session SET preview = $2, preview_ends = $3 WHERE id = $1`, id, orNull(contact), timeOrNull(until))
	return err
}
