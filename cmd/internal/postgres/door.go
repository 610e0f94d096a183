package postgres

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/atrium-portal/atrium/domain/access"
	"github.com/atrium-portal/atrium/readapi/auth/door"
)

// Door keeps what package door needs kept: links, sessions, passwords, second factors. It is safe for concurrent use.
type Door struct {
	pool *pgxpool.Pool
	seal cipher.AEAD
	mail *Outbox
}

var _ door.Store = (*Door)(nil)

// NewDoor keeps it in schema ops; pool is Pools.App. key (32 bytes) seals what has to be read again: secrets of
// authenticator apps. Mails go into the outbox.
func NewDoor(pool *pgxpool.Pool, key []byte, mail *Outbox) (*Door, error) {
	seal, err := newSeal(key)
	return &Door{pool, seal, mail}, err
}

// newSeal is AES-256-GCM with a fresh nonce for each text.
func newSeal(key []byte) (cipher.AEAD, error) {
	if len(key) != 32 {
		return nil, errors.New("postgres: a key to seal with has 32 bytes")
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

// Allow implements door.Attempts. Tries of one kind and key come one after the other, so that none slips through.
func (d *Door) Allow(ctx context.Context, kind string, key []byte, limit int, since, now time.Time) (ok bool, err error) {
	err = pgx.BeginFunc(ctx, d.pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock(hashtextextended($1 || encode($2, 'hex'), 0))`, kind, key); err != nil {
			return err
		}
		tag, err := tx.Exec(ctx, `
			INSERT INTO ops.attempt (kind, key, at)
			SELECT $1, $2, $5 WHERE (SELECT count(*) FROM ops.attempt WHERE kind = $1 AND key = $2 AND at > $4) < $3`,
			kind, key, limit, since, now)
		ok = tag.RowsAffected() == 1
		return err
	})
	return ok, err
}

// Ask implements door.Links.
func (d *Door) Ask(ctx context.Context, r door.Request) error {
	_, err := d.pool.Exec(ctx, `
		INSERT INTO ops.link_request (id, firm, email, reset, browser, next, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		r.ID, orNull(r.Firm), r.Email, r.Reset, r.Browser, r.Next, r.At)
	return err
}

// Answer implements door.Links.
func (d *Door) Answer(ctx context.Context, answer func(context.Context, door.Request) ([]door.Issue, error)) (none bool, err error) {
	err = pgx.BeginFunc(ctx, d.pool, func(tx pgx.Tx) error {
		var r door.Request
		var firm pgtype.UUID
		err := tx.QueryRow(ctx, `
			DELETE FROM ops.link_request WHERE id = (
				SELECT id FROM ops.link_request ORDER BY created_at FOR UPDATE SKIP LOCKED LIMIT 1)
			RETURNING id, firm, email, reset, browser, next, created_at`).
			Scan(&r.ID, &firm, &r.Email, &r.Reset, &r.Browser, &r.Next, &r.At)
		if errors.Is(err, pgx.ErrNoRows) {
			none = true
			return nil
		}
		if err != nil {
			return err
		}
		r.Firm = uuid.UUID(firm.Bytes)
		issues, err := answer(ctx, r)
		for _, i := range issues {
			err = errors.Join(err, d.issue(ctx, tx, i))
		}
		return err
	})
	return none, err
}

// Issue implements door.Links.
func (d *Door) Issue(ctx context.Context, i door.Issue) error {
	return pgx.BeginFunc(ctx, d.pool, func(tx pgx.Tx) error { return d.issue(ctx, tx, i) })
}

func (d *Door) issue(ctx context.Context, tx pgx.Tx, i door.Issue) error {
	l := i.Link
	_, err := tx.Exec(ctx, `
		INSERT INTO ops.sign_in_link (id, hash, firm, person_kind, person, purpose, new_password, browser, code, next, created_at, expires_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
		l.ID, l.Hash, l.Who.Firm, l.Who.Kind, l.Who.ID, l.Purpose, l.NewPassword, l.Browser, l.Code, l.Next, l.Created, l.Expires)
	if err != nil || i.Mail == nil {
		return err
	}
	m := i.Mail
	return d.mail.enqueue(ctx, tx, Mail{
		ID: m.ID, Firm: m.Firm, To: m.To, Subject: m.Subject, Text: m.Text, HTML: m.HTML, Created: l.Created, NotAfter: m.NotAfter,
	})
}

const linkColumns = `id, hash, firm, person_kind, person, purpose, new_password, browser, code, tries, next, created_at, expires_at, used_at`

func (d *Door) link(ctx context.Context, where string, args ...any) (l door.Link, ok bool, err error) {
	var used pgtype.Timestamptz
	err = d.pool.QueryRow(ctx, `SELECT `+linkColumns+` FROM ops.sign_in_link WHERE `+where, args...).Scan(
		&l.ID, &l.Hash, &l.Who.Firm, &l.Who.Kind, &l.Who.ID, &l.Purpose, &l.NewPassword, &l.Browser, &l.Code, &l.Tries, &l.Next,
		&l.Created, &l.Expires, &used)
	if errors.Is(err, pgx.ErrNoRows) {
		return l, false, nil
	}
	l.Used = used.Time
	return l, err == nil, err
}

// Link implements door.Links.
func (d *Door) Link(ctx context.Context, hash []byte) (door.Link, bool, error) {
	return d.link(ctx, `hash = $1`, hash)
}

const (
	usableLink = ` AND used_at IS NULL AND expires_at > `
	newest     = ` ORDER BY created_at DESC, id DESC LIMIT 1`
)

// LinkOfBrowser implements door.Links.
func (d *Door) LinkOfBrowser(ctx context.Context, browser []byte, now time.Time) (door.Link, bool, error) {
	return d.link(ctx, `browser = $1`+usableLink+`$2`+newest, browser, now)
}

// LinkOf implements door.Links.
func (d *Door) LinkOf(ctx context.Context, who door.Who, now time.Time) (door.Link, bool, error) {
	return d.link(ctx, `firm = $1 AND person = $2 AND purpose = ANY($3)`+usableLink+`$4`+newest,
		who.Firm, who.ID, []access.Purpose{access.Link, access.Invitation, access.Reset}, now)
}

// Try implements door.Links.
func (d *Door) Try(ctx context.Context, id uuid.UUID, limit int, now time.Time) (bool, error) {
	tag, err := d.pool.Exec(ctx, `UPDATE ops.sign_in_link SET tries = tries + 1 WHERE id = $1 AND tries < $2`+usableLink+`$3`, id, limit, now)
	return tag.RowsAffected() == 1, err
}

// Use implements door.Links.
func (d *Door) Use(ctx context.Context, id uuid.UUID, now time.Time) (ok bool, err error) {
	err = pgx.BeginFunc(ctx, d.pool, func(tx pgx.Tx) error {
		var firm, person uuid.UUID
		var purpose string
		err := tx.QueryRow(ctx, `
			UPDATE ops.sign_in_link SET used_at = $2 WHERE id = $1`+usableLink+`$2 RETURNING firm, person, purpose`, id, now).Scan(&firm, &person, &purpose)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		ok = true
		_, err = tx.Exec(ctx, `
			UPDATE ops.sign_in_link SET used_at = $4 WHERE firm = $1 AND person = $2 AND purpose = $3`+usableLink+`$4`, firm, person, purpose, now)
		return err
	})
	return ok && err == nil, err
}

// Void implements door.Links.
func (d *Door) Void(ctx context.Context, who door.Who, now time.Time) error {
	_, err := d.pool.Exec(ctx, `UPDATE ops.sign_in_link SET used_at = $3 WHERE firm = $1 AND person = $2`+usableLink+`$3`, who.Firm, who.ID, now)
	return err
}

// Forget implements door.Sessions.
func (d *Door) Forget(ctx context.Context, before time.Time) error {
	for _, statement := range []string{
		`DELETE FROM ops.sign_in_link WHERE expires_at < $1`,
		`DELETE FROM ops.link_request WHERE created_at < $1`,
		`DELETE FROM ops.attempt WHERE at < $1`,
		`DELETE FROM ops.passkey_challenge WHERE expires_at < $1`,
	} {
		if _, err := d.pool.Exec(ctx, statement, before); err != nil {
			return err
		}
	}
	return nil
}
