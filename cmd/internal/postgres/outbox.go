package postgres

import (
	"context"
	"crypto/cipher"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Outbox keeps mail until it was sent, and that it was for a week. What it says is sealed: links and codes are in it. It is safe for concurrent use,
// also by several processes.
type Outbox struct {
	pool *pgxpool.Pool
	seal cipher.AEAD
}

// NewOutbox keeps mail in ops.mail; pool is Pools.App, key has 32 bytes.
func NewOutbox(pool *pgxpool.Pool, key []byte) (*Outbox, error) {
	seal, err := newSeal(key)
	return &Outbox{pool, seal}, err
}

// Mail is a mail that waits.
type Mail struct {
	ID       uuid.UUID // tells it apart: a mail with the id of one that waits, or was sent within the week, is the same
	Firm     uuid.UUID // zero: of none
	To       string
	Subject  string
	Text     string
	HTML     string
	Created  time.Time
	NotAfter time.Time // after which it is of no use; zero: never
	Tries    int       // so far, this one included
	About    []byte    // JSON that the sender keeps with it, also when it was sent; nil: none
}

// content is what is sealed.
type content struct {
	To, Subject, Text, HTML string
}

// Enqueue keeps a mail to be sent as soon as possible.
func (o *Outbox) Enqueue(ctx context.Context, m Mail) error { return o.enqueue(ctx, o.pool, m) }

// executor is a pool or a transaction.
type executor interface {
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
}

func (o *Outbox) enqueue(ctx context.Context, db executor, m Mail) error {
	plain, err := json.Marshal(content{m.To, m.Subject, m.Text, m.HTML})
	if err != nil {
		return err
	}
	_, err = db.Exec(ctx, `
		INSERT INTO ops.mail (id, firm, content, created_at, not_after, next_at, about) VALUES ($1, $2, $3, $4, $5, $4, $6) ON CONFLICT DO NOTHING`,
		m.ID, orNull(m.Firm), o.seal.Seal(nil, nil, plain, m.ID[:]), m.Created, timeOrNull(m.NotAfter), m.About)
	return err
}

// Take gives a mail that is due and keeps others from taking it for as long as lease; ok is false when none is due. Mail
// that is of no use any more is dropped. Whoever does not tell Sent or Failed in time lets somebody else try.
func (o *Outbox) Take(ctx context.Context, lease time.Duration, now time.Time) (m Mail, ok bool, err error) {
	if _, err := o.pool.Exec(ctx, `DELETE FROM ops.mail WHERE sent_at IS NULL AND not_after <= $1 OR sent_at < $1 - interval '7 days'`, now); err != nil {
		return m, false, err
	}
	var firm pgtype.UUID
	var notAfter pgtype.Timestamptz
	var sealed []byte
	err = o.pool.QueryRow(ctx, `
		UPDATE ops.mail SET tries = tries + 1, next_at = $2 WHERE id = (
			SELECT id FROM ops.mail WHERE next_at <= $1 AND sent_at IS NULL ORDER BY next_at FOR UPDATE SKIP LOCKED LIMIT 1)
		RETURNING id, firm, content, created_at, not_after, tries`, now, now.Add(lease)).
		Scan(&m.ID, &firm, &sealed, &m.Created, &notAfter, &m.Tries)
	if errors.Is(err, pgx.ErrNoRows) {
		return m, false, nil
	}
	if err != nil {
		return m, false, err
	}
	plain, err := o.seal.Open(nil, nil, sealed, m.ID[:])
	if err != nil {
		return m, false, fmt.Errorf("mail %s in the outbox was changed: %w", m.ID, err)
	}
	var c content
	if err := json.Unmarshal(plain, &c); err != nil {
		return m, false, err
	}
	m.Firm, m.NotAfter = uuid.UUID(firm.Bytes), notAfter.Time
	m.To, m.Subject, m.Text, m.HTML = c.To, c.Subject, c.Text, c.HTML
	return m, true, nil
}

// About gives what was kept with a mail; nil when there is nothing.
func (o *Outbox) About(ctx context.Context, id uuid.UUID) (about []byte, err error) {
	err = o.pool.QueryRow(ctx, `SELECT about FROM ops.mail WHERE id = $1`, id).Scan(&about)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	return about, err
}

// Sent forgets what a mail said.
func (o *Outbox) Sent(ctx context.Context, id uuid.UUID, now time.Time) error {
	_, err := o.pool.Exec(ctx, `UPDATE ops.mail SET content = NULL, sent_at = $2, error = '' WHERE id = $1`, id, now)
	return err
}

// Failed keeps a mail for another try, with what went wrong.
func (o *Outbox) Failed(ctx context.Context, id uuid.UUID, why string, next time.Time) error {
	_, err := o.pool.Exec(ctx, `UPDATE ops.mail SET error = $2, next_at = $3 WHERE id = $1`, id, why, next)
	return err
}

// Waiting tells how many mails wait, and how many of them failed before.
func (o *Outbox) Waiting(ctx context.Context) (all, failed int, err error) {
	err = o.pool.QueryRow(ctx, `SELECT count(*), count(*) FILTER (WHERE error <> '') FROM ops.mail WHERE sent_at IS NULL`).Scan(&all, &failed)
	return all, failed, err
}
