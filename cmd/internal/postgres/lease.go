package postgres

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Leases let one of several processes do a work at a time; another takes over within five seconds when it stops, dies
// or hangs. A lease decides who works, not what is safe: a process that hung may write once more when it wakes, so the
// work has to be fenced or idempotent itself.
type Leases struct {
	pool   *pgxpool.Pool
	holder uuid.UUID
	log    *slog.Logger
	times  LeaseTimes
}

// LeaseTimes are how long a lease lasts without being renewed, and how often it is renewed or, by others, tried.
type LeaseTimes struct{ Lasts, Renewed time.Duration }

// DefaultLeaseTimes hand a work over within five seconds.
var DefaultLeaseTimes = LeaseTimes{Lasts: 3 * time.Second, Renewed: 700 * time.Millisecond}

// NewLeases keeps leases in ops.lease; pool is Pools.App.
func NewLeases(pool *pgxpool.Pool, times LeaseTimes, log *slog.Logger) *Leases {
	return &Leases{pool: pool, holder: uuid.New(), times: times, log: log}
}

// ErrLeaseLost is why the context of a work ends when somebody else may do it now.
var ErrLeaseLost = errors.New("another process may have taken over")

// Hold waits until nobody else does the work called name, does it, and lets others go on. When the lease is lost the
// work's context ends with ErrLeaseLost and Hold waits again. It returns what work returns, or when ctx ends.
func (l *Leases) Hold(ctx context.Context, name string, work func(context.Context) error) error {
	for {
		if err := l.await(ctx, name); err != nil {
			return err
		}
		err := l.working(ctx, name, work)
		if !errors.Is(err, ErrLeaseLost) {
			return err
		}
		l.log.Warn("lost the lease of a work; another process goes on with it", "work", name)
	}
}

// await takes the lease as soon as nobody has it. A database out of reach is waited for.
func (l *Leases) await(ctx context.Context, name string) error {
	ticker := time.NewTicker(l.times.Renewed)
	defer ticker.Stop()
	for {
		took, err := l.take(ctx, name)
		if took {
			return nil
		}
		if err != nil && ctx.Err() == nil {
			l.log.Warn("cannot ask for the lease of a work; trying again", "work", name, "error", err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
	}
}

// take takes or renews a lease.
func (l *Leases) take(ctx context.Context, name string) (took bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, l.times.Renewed)
	defer cancel()
	tag, err := l.pool.Exec(ctx, `
		INSERT INTO ops.lease (name, holder, expires) VALUES ($1, $2, clock_timestamp() + $3::interval)
		ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, expires = excluded.expires
		WHERE lease.holder = excluded.holder OR lease.expires < clock_timestamp()`, name, l.holder, l.times.Lasts)
	return err == nil && tag.RowsAffected() == 1, err
}

// working does the work for as long as the lease can be renewed.
func (l *Leases) working(ctx context.Context, name string, work func(context.Context) error) error {
	working, end := context.WithCancelCause(ctx)
	defer end(nil)
	renewing := make(chan struct{})
	go func() {
		defer close(renewing)
		l.renew(working, name, end)
	}()
	err := work(working)
	lost := errors.Is(context.Cause(working), ErrLeaseLost)
	end(nil)
	<-renewing
	if lost {
		return ErrLeaseLost
	}
	l.release(ctx, name)
	return err
}

// renew ends the work when the lease was not renewed in time: a while before others may take it, by this process's own
// monotonic clock, which goes on while the process is stopped.
func (l *Leases) renew(ctx context.Context, name string, end context.CancelCauseFunc) {
	ticker := time.NewTicker(l.times.Renewed)
	defer ticker.Stop()
	renewed := time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		asked := time.Now()
		took, err := l.take(ctx, name)
		switch {
		case took:
			renewed = asked
		case err == nil, time.Since(renewed) > l.times.Lasts-l.times.Renewed:
			end(ErrLeaseLost)
			return
		}
	}
}

// release lets the next one go on at once. A lease that is not released runs out.
func (l *Leases) release(ctx context.Context, name string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), l.times.Renewed)
	defer cancel()
	if _, err := l.pool.Exec(ctx, `DELETE FROM ops.lease WHERE name = $1 AND holder = $2`, name, l.holder); err != nil {
		l.log.Debug("a lease was not released; it runs out", "work", name, "error", err)
	}
}
