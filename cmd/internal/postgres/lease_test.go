package postgres_test

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/atrium-portal/atrium/cmd/internal/postgres"
)

var quick = postgres.LeaseTimes{Lasts: 400 * time.Millisecond, Renewed: 50 * time.Millisecond}

func TestOneOfSeveralWorksAndAnotherTakesOver(t *testing.T) {
	pool := migrated(t).App
	var working atomic.Int64
	started := make(chan int, 3)
	stop := make([]context.CancelFunc, 3)
	ended := make(chan error, 3)
	for i := range stop {
		var ctx context.Context
		ctx, stop[i] = context.WithCancel(t.Context())
		leases := postgres.NewLeases(pool, quick, slog.New(slog.DiscardHandler))
		go func() {
			ended <- leases.Hold(ctx, "reading", func(ctx context.Context) error {
				if n := working.Add(1); n != 1 {
					t.Errorf("%d work at a time", n)
				}
				started <- i
				<-ctx.Done()
				working.Add(-1)
				return ctx.Err()
			})
		}()
	}
	for range stop {
		stop[<-started]() // the next can only start because this one ends
	}
	for range stop {
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("a work that was stopped ends with %v", err)
		}
	}
}

func TestALostLeaseEndsTheWork(t *testing.T) {
	p := migrated(t)
	leases := postgres.NewLeases(p.App, quick, slog.New(slog.DiscardHandler))
	times := 0
	err := leases.Hold(t.Context(), "reading", func(ctx context.Context) error {
		if times++; times == 2 {
			return nil
		}
		// Somebody else took over, as after this process was stopped for a while.
		if _, err := p.App.Exec(ctx, `UPDATE ops.lease SET holder = gen_random_uuid(), expires = clock_timestamp() + interval '200 ms'`); err != nil {
			t.Error(err)
		}
		<-ctx.Done()
		if cause := context.Cause(ctx); !errors.Is(cause, postgres.ErrLeaseLost) {
			t.Errorf("the work ended because of %v", cause)
		}
		return ctx.Err()
	})
	if err != nil || times != 2 {
		t.Errorf("worked %d times, %v; want to work again once the other has gone", times, err)
	}
	var left int
	if err := p.App.QueryRow(t.Context(), `SELECT count(*) FROM ops.lease`).Scan(&left); err != nil || left != 0 {
		t.Errorf("%d leases left, %v", left, err)
	}
}

func TestWorkEndsWhenTheLeaseCannotBeRenewed(t *testing.T) {
	p := migrated(t)
	leases := postgres.NewLeases(p.App, quick, slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(t.Context())
	err := leases.Hold(ctx, "reading", func(working context.Context) error {
		p.App.Close() // the database is out of reach
		<-working.Done()
		if cause := context.Cause(working); !errors.Is(cause, postgres.ErrLeaseLost) {
			t.Errorf("the work ended because of %v", cause)
		}
		cancel()
		return working.Err()
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("ended with %v", err)
	}
}
