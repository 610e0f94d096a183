package postgres

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"strings"
	"time"

	"github.com/google/uuid"
	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"
)

// tokenPrefix makes a leaked token recognisable to scanners and to people.
const tokenPrefix = "atr_"

// Tokens keeps the API tokens of programs. A revocation stops the next request.
type Tokens struct {
	pool   *pgxpool.Pool
	now    func() time.Time
	recent *lru.Cache[[sha256.Size]byte, recentToken] // nil: every look-up asks the database
}

// recentToken is a token that was looked up a moment ago.
type recentToken struct {
	Token
	at time.Time
}

// remembered is how long a token is taken from memory: its last use is noted to the minute.
const remembered = time.Minute

// NewTokens keeps tokens in ops.api_token; pool is Pools.App. exclusive says that nobody else makes or revokes tokens
// there, so that those looked up a moment ago can be remembered.
func NewTokens(pool *pgxpool.Pool, now func() time.Time, exclusive bool) *Tokens {
	t := &Tokens{pool: pool, now: now}
	if exclusive {
		t.recent, _ = lru.New[[sha256.Size]byte, recentToken](10_000) // fails only for a size below 1
	}
	return t
}

// TokenSpec says whom a token stands for: one staff member or one contact of a firm.
type TokenSpec struct {
	Firm    uuid.UUID
	Staff   uuid.UUID // zero for a contact's token
	Contact uuid.UUID // zero for a staff token
	Name    string    // what its owner calls it
	Scopes  []string
	Expires time.Time // zero: never
}

// Token is a stored token; its secret is not among what is stored. Times are UTC, zero when it has not happened.
type Token struct {
	ID uuid.UUID
	TokenSpec
	Created, LastUsed, Revoked time.Time
}

var errTokenOwner = errors.New("a token stands for exactly one staff member or contact: name one of them")

// Create makes a token and returns its secret, which cannot be shown again.
func (t *Tokens) Create(ctx context.Context, spec TokenSpec) (secret string, id uuid.UUID, err error) {
	if (spec.Staff == uuid.Nil) == (spec.Contact == uuid.Nil) {
		return "", uuid.Nil, errTokenOwner
	}
	if id, err = uuid.NewV7(); err != nil {
		return "", uuid.Nil, err
	}
	scopes := spec.Scopes
	if scopes == nil {
		scopes = []string{}
	}
	secret = tokenPrefix + rand.Text()
	_, err = t.pool.Exec(ctx, `
		INSERT INTO ops.api_token (id, hash, firm, staff, contact, name, scopes, created_at, expires_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		id, hashToken(secret), spec.Firm, orNull(spec.Staff), orNull(spec.Contact), spec.Name, scopes, t.now(), timeOrNull(spec.Expires))
	if err != nil {
		return "", uuid.Nil, err
	}
	return secret, id, nil
}

// Lookup finds the token of a secret; ok is false when it is unknown, expired or revoked. It notes the use, to the
// minute. At most one round trip.
func (t *Tokens) Lookup(ctx context.Context, secret string) (token Token, ok bool, err error) {
	if !strings.HasPrefix(secret, tokenPrefix) {
		return Token{}, false, nil
	}
	hash := hashToken(secret)
	if t.recent != nil {
		known, ok := t.recent.Get([sha256.Size]byte(hash))
		if now := t.now(); ok && now.Sub(known.at) < remembered && now.After(known.at.Add(-1)) && (known.Expires.IsZero() || now.Before(known.Expires)) {
			return known.Token, true, nil
		}
	}
	rows, err := t.pool.Query(ctx, `
		WITH used AS (
			UPDATE ops.api_token SET last_used_at = $2
			WHERE `+usableToken+` AND (last_used_at IS NULL OR last_used_at < $2 - interval '1 minute')
		)
		SELECT `+tokenColumns+` FROM ops.api_token WHERE `+usableToken,
		hash, t.now())
	if err != nil {
		return Token{}, false, err
	}
	token, err = pgx.CollectExactlyOneRow(rows, scanToken)
	if errors.Is(err, pgx.ErrNoRows) {
		return Token{}, false, nil
	}
	if err == nil && t.recent != nil {
		t.recent.Add([sha256.Size]byte(hash), recentToken{token, t.now()})
	}
	return token, err == nil, err
}

// List gives a firm's tokens, oldest first, also expired and revoked ones.
func (t *Tokens) List(ctx context.Context, firm uuid.UUID) ([]Token, error) {
	rows, err := t.pool.Query(ctx, `SELECT `+tokenColumns+` FROM ops.api_token WHERE firm = $1 ORDER BY created_at, id`, firm)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, scanToken)
}

// Revoke ends a firm's token for good; ok is false when the firm has no such token. Revoking again changes nothing.
func (t *Tokens) Revoke(ctx context.Context, firm, id uuid.UUID) (ok bool, err error) {
	tag, err := t.pool.Exec(ctx, `
		UPDATE ops.api_token SET revoked_at = coalesce(revoked_at, $3) WHERE firm = $1 AND id = $2`, firm, id, t.now())
	if t.recent != nil {
		t.recent.Purge()
	}
	return tag.RowsAffected() == 1, err
}

const (
	tokenColumns = `id, firm, staff, contact, name, scopes, created_at, last_used_at, expires_at, revoked_at`
	usableToken  = `hash = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $2)`
)

func scanToken(row pgx.CollectableRow) (Token, error) {
	var t Token
	var staff, contact pgtype.UUID
	var used, expires, revoked pgtype.Timestamptz
	err := row.Scan(&t.ID, &t.Firm, &staff, &contact, &t.Name, &t.Scopes, &t.Created, &used, &expires, &revoked)
	t.Staff, t.Contact = uuid.UUID(staff.Bytes), uuid.UUID(contact.Bytes)
	t.Created = t.Created.UTC()
	t.LastUsed, t.Expires, t.Revoked = used.Time.UTC(), expires.Time.UTC(), revoked.Time.UTC()
	return t, err
}

func hashToken(secret string) []byte {
	sum := sha256.Sum256([]byte(secret))
	return sum[:]
}

func orNull(id uuid.UUID) pgtype.UUID { return pgtype.UUID{Bytes: id, Valid: id != uuid.Nil} }

func timeOrNull(t time.Time) pgtype.Timestamptz {
	return pgtype.Timestamptz{Time: t, Valid: !t.IsZero()}
}
