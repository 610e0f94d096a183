package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/atrium-portal/atrium/readapi/auth/door"
)

// Password implements door.Passwords.
func (d *Door) Password(ctx context.Context, who door.Who) (p door.Password, ok bool, err error) {
	var expires pgtype.Timestamptz
	err = d.pool.QueryRow(ctx, `SELECT phc, must_change, expires_at, set_at FROM ops.password WHERE firm = $1 AND person = $2`, who.Firm, who.ID).
		Scan(&p.PHC, &p.MustChange, &expires, &p.Set)
	if errors.Is(err, pgx.ErrNoRows) {
		return p, false, nil
	}
	p.Expires = expires.Time
	return p, err == nil, err
}

// SetPassword implements door.Passwords.
func (d *Door) SetPassword(ctx context.Context, who door.Who, p door.Password) error {
	_, err := d.pool.Exec(ctx, `
		INSERT INTO ops.password (firm, person, phc, must_change, expires_at, set_at) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (firm, person) DO UPDATE SET phc = excluded.phc, must_change = excluded.must_change,
			expires_at = excluded.expires_at, set_at = excluded.set_at`,
		who.Firm, who.ID, p.PHC, p.MustChange, timeOrNull(p.Expires), p.Set)
	return err
}

// DropPassword implements door.Passwords.
func (d *Door) DropPassword(ctx context.Context, who door.Who, phc string) (bool, error) {
	tag, err := d.pool.Exec(ctx, `DELETE FROM ops.password WHERE firm = $1 AND person = $2 AND ($3 = '' OR phc = $3)`, who.Firm, who.ID, phc)
	return tag.RowsAffected() == 1, err
}

// place binds a sealed secret to its row, so that rows cannot be exchanged.
func place(who door.Who) []byte { return append(append([]byte("totp"), who.Firm[:]...), who.ID[:]...) }

// TOTP implements door.Factors.
func (d *Door) TOTP(ctx context.Context, who door.Who) (t door.TOTP, ok bool, err error) {
	var sealed []byte
	err = d.pool.QueryRow(ctx, `SELECT secret, step, confirmed_at IS NOT NULL FROM ops.totp WHERE firm = $1 AND person = $2`, who.Firm, who.ID).
		Scan(&sealed, &t.Step, &t.Confirmed)
	if errors.Is(err, pgx.ErrNoRows) {
		return t, false, nil
	}
	if err != nil {
		return t, false, err
	}
	secret, err := d.seal.Open(nil, nil, sealed, place(who))
	if err != nil {
		return t, false, fmt.Errorf("the stored secret of an authenticator app was changed: %w", err)
	}
	t.Secret = string(secret)
	return t, true, nil
}

// SetTOTP implements door.Factors.
func (d *Door) SetTOTP(ctx context.Context, who door.Who, t door.TOTP, now time.Time) error {
	_, err := d.pool.Exec(ctx, `
		INSERT INTO ops.totp (firm, person, secret, created_at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (firm, person) DO UPDATE SET secret = excluded.secret, step = 0, confirmed_at = NULL, created_at = excluded.created_at`,
		who.Firm, who.ID, d.seal.Seal(nil, nil, []byte(t.Secret), place(who)), now)
	return err
}

// UseTOTP implements door.Factors.
func (d *Door) UseTOTP(ctx context.Context, who door.Who, step int64, now time.Time) (bool, error) {
	tag, err := d.pool.Exec(ctx, `
		UPDATE ops.totp SET step = $3, confirmed_at = coalesce(confirmed_at, $4) WHERE firm = $1 AND person = $2 AND step < $3`,
		who.Firm, who.ID, step, now)
	return tag.RowsAffected() == 1, err
}

// DropTOTP implements door.Factors.
func (d *Door) DropTOTP(ctx context.Context, who door.Who) error {
	_, err := d.pool.Exec(ctx, `DELETE FROM ops.totp WHERE firm = $1 AND person = $2`, who.Firm, who.ID)
	return err
}

// SetRecoveryCodes implements door.Factors.
func (d *Door) SetRecoveryCodes(ctx context.Context, who door.Who, hashes [][]byte) error {
	return pgx.BeginFunc(ctx, d.pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `DELETE FROM ops.recovery_code WHERE firm = $1 AND person = $2`, who.Firm, who.ID); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `INSERT INTO ops.recovery_code (firm, person, hash) SELECT $1, $2, unnest($3::bytea[])`, who.Firm, who.ID, hashes)
		return err
	})
}

// UseRecoveryCode implements door.Factors.
func (d *Door) UseRecoveryCode(ctx context.Context, who door.Who, hash []byte) (left int, ok bool, err error) {
	tag, err := d.pool.Exec(ctx, `DELETE FROM ops.recovery_code WHERE firm = $1 AND person = $2 AND hash = $3`, who.Firm, who.ID, hash)
	if err != nil || tag.RowsAffected() == 0 {
		return 0, false, err
	}
	left, err = d.RecoveryCodes(ctx, who)
	return left, err == nil, err
}

// RecoveryCodes implements door.Factors.
func (d *Door) RecoveryCodes(ctx context.Context, who door.Who) (left int, err error) {
	err = d.pool.QueryRow(ctx, `SELECT count(*) FROM ops.recovery_code WHERE firm = $1 AND person = $2`, who.Firm, who.ID).Scan(&left)
	return left, err
}

// Passkeys implements door.Passkeys.
func (d *Door) Passkeys(ctx context.Context, who door.Who) ([]door.Passkey, error) {
	rows, err := d.pool.Query(ctx, `
		SELECT id, firm, person_kind, person, credential, name, record, created_at, last_used_at
		FROM ops.passkey WHERE firm = $1 AND person = $2 ORDER BY created_at, id`, who.Firm, who.ID)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (p door.Passkey, err error) {
		var used pgtype.Timestamptz
		err = row.Scan(&p.ID, &p.Who.Firm, &p.Who.Kind, &p.Who.ID, &p.Credential, &p.Name, &p.Record, &p.Created, &used)
		p.Used = used.Time
		return p, err
	})
}

// AddPasskey implements door.Passkeys.
func (d *Door) AddPasskey(ctx context.Context, p door.Passkey) (bool, error) {
	tag, err := d.pool.Exec(ctx, `
		INSERT INTO ops.passkey (id, firm, person_kind, person, credential, name, record, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
		ON CONFLICT DO NOTHING`, p.ID, p.Who.Firm, p.Who.Kind, p.Who.ID, p.Credential, p.Name, p.Record, p.Created)
	return tag.RowsAffected() == 1, err
}

// UsePasskey implements door.Passkeys.
func (d *Door) UsePasskey(ctx context.Context, id uuid.UUID, record []byte, now time.Time) error {
	_, err := d.pool.Exec(ctx, `UPDATE ops.passkey SET record = $2, last_used_at = $3 WHERE id = $1`, id, record, now)
	return err
}

// DropPasskey implements door.Passkeys.
func (d *Door) DropPasskey(ctx context.Context, who door.Who, id uuid.UUID) (bool, error) {
	tag, err := d.pool.Exec(ctx, `DELETE FROM ops.passkey WHERE firm = $1 AND person = $2 AND id = $3`, who.Firm, who.ID, id)
	return tag.RowsAffected() == 1, err
}

// SetChallenge implements door.Passkeys.
func (d *Door) SetChallenge(ctx context.Context, browser, data []byte, expires time.Time) error {
	_, err := d.pool.Exec(ctx, `
		INSERT INTO ops.passkey_challenge (browser, data, expires_at) VALUES ($1, $2, $3)
		ON CONFLICT (browser) DO UPDATE SET data = excluded.data, expires_at = excluded.expires_at`, browser, data, expires)
	return err
}

// TakeChallenge implements door.Passkeys.
func (d *Door) TakeChallenge(ctx context.Context, browser []byte, now time.Time) (data []byte, ok bool, err error) {
	err = d.pool.QueryRow(ctx, `DELETE FROM ops.passkey_challenge WHERE browser = $1 AND expires_at > $2 RETURNING data`, browser, now).Scan(&data)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, false, nil
	}
	return data, err == nil, err
}
