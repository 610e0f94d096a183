package postgres

import (
	"bytes"
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Idempotency remembers the first reply to each idempotency key, so that a repeated request gets the same one,
// also after a restart. Only Finish writes: the caller derives the command id from the key, so a crash between
// the append and Finish is healed by running the command again, which adds nothing.
type Idempotency struct {
	pool *pgxpool.Pool
}

// NewIdempotency keeps replies in ops.idempotency; pool is Pools.App.
func NewIdempotency(pool *pgxpool.Pool) *Idempotency { return &Idempotency{pool} }

// Reply is what the first request was answered.
type Reply struct {
	Status int
	Body   []byte
}

// ErrMismatch says that an idempotency key was used before with another body.
var ErrMismatch = errors.New("this idempotency key was used before with another request")

// Begin gives the reply stored for the key, nil when there is none, or ErrMismatch when it belongs to another
// body. Keys are separate per firm and actor. One round trip.
func (s *Idempotency) Begin(ctx context.Context, firm, actor, key string, bodyHash [32]byte) (*Reply, error) {
	var hash []byte
	var prior Reply
	err := s.pool.QueryRow(ctx, `
		SELECT body_hash, status, reply FROM ops.idempotency WHERE firm = $1 AND actor = $2 AND key = $3`,
		firm, actor, key).Scan(&hash, &prior.Status, &prior.Body)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return nil, nil
	case err != nil:
		return nil, err
	case !bytes.Equal(hash, bodyHash[:]):
		return nil, ErrMismatch
	}
	return &prior, nil
}

// Finish stores the reply durably. When a racing request with the same key stored one first, that one stays;
// it is ErrMismatch if its body was another. One round trip unless somebody was first.
func (s *Idempotency) Finish(ctx context.Context, firm, actor, key string, bodyHash [32]byte, status int, reply []byte) error {
	if reply == nil {
		reply = []byte{}
	}
	tag, err := s.pool.Exec(ctx, `
		INSERT INTO ops.idempotency (firm, actor, key, body_hash, status, reply) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT DO NOTHING`, firm, actor, key, bodyHash[:], status, reply)
	if err != nil || tag.RowsAffected() == 1 {
		return err
	}
	_, err = s.Begin(ctx, firm, actor, key, bodyHash)
	return err
}

// Forget removes replies stored before the given time and tells how many.
func (s *Idempotency) Forget(ctx context.Context, before time.Time) (int64, error) {
	tag, err := s.pool.Exec(ctx, `DELETE FROM ops.idempotency WHERE created_at < $1`, before)
	return tag.RowsAffected(), err
}
