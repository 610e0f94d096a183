package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/errgroup"

	"github.com/atrium-portal/atrium/cmd/internal/postgres"
	"github.com/atrium-portal/atrium/cmd/internal/telemetry"
)

// showing says where others see how the program does.
type showing struct {
	Metrics string `help:"Address to show figures for Prometheus on, at /metrics, such as localhost:9464. Keep the public from it." placeholder:"HOST:PORT"`
	Traces  string `help:"OTLP collector to send traces of requests to, such as http://localhost:4318." placeholder:"URL"`
}

// openTraces begins to send traces, if there is somewhere to send them.
func (w showing) openTraces(ctx context.Context) (*telemetry.Traces, error) {
	if w.Traces == "" {
		return nil, nil
	}
	return telemetry.SendTraces(ctx, w.Traces)
}

// readModels is the handler that keeps the read models.
const readModels = "read-models"

// show serves the figures of a stack until ctx ends.
func (w showing) show(ctx context.Context, k *stack, group *errgroup.Group) error {
	if w.Metrics == "" {
		return nil
	}
	k.metrics.Register(telemetry.FollowersOf(k.followers), telemetry.SealLag(k.seals.oldest), telemetry.Pools(map[string]*pgxpool.Pool{
		postgres.RoleOwner: k.pools.Owner, postgres.RoleProjector: k.pools.Projector, postgres.RoleSealer: k.pools.Sealer,
		postgres.RoleApp: k.pools.App, postgres.RoleClient: k.pools.ClientReader, postgres.RoleStaff: k.pools.StaffReader,
	}))
	if k.node != nil {
		k.metrics.Register(k.node.Collector())
	}
	listener, err := net.Listen("tcp", w.Metrics)
	if err != nil {
		return fmt.Errorf("cannot show figures on %s (%w): take another address with --metrics", w.Metrics, err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", k.metrics.Handler())
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	group.Go(func() error {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	})
	group.Go(func() error {
		<-ctx.Done()
		return server.Close()
	})
	return nil
}

// followers says how far the read models have come.
func (k *stack) followers(ctx context.Context) ([]telemetry.Progress, error) {
	head, err := k.source.Head(ctx)
	if err != nil {
		return nil, err
	}
	status, err := k.engine.Status(ctx)
	if err != nil {
		return nil, err
	}
	return []telemetry.Progress{{
		Name: readModels, Behind: lag(status.Position, head), Parked: len(status.Parked),
		Late: k.late.Of(readModels, status.Position.Commit, head.Commit, time.Now()),
	}}, nil
}

// tooLate is for how long the read models may stand still behind the log before the program is not ready.
const tooLate = 2 * time.Minute

// able says why the program cannot serve at the moment: a store does not answer, or the read models stand still.
func (k *stack) able(ctx context.Context) error {
	list, err := k.followers(ctx)
	if err != nil {
		return err
	}
	for _, one := range list {
		if one.Late > tooLate {
			return fmt.Errorf("%s have stood still for %s while the log went on", one.Name, one.Late.Round(time.Second))
		}
	}
	return nil
}

// alone does a work that only one of several processes should do at a time. One that owns its stores has no others.
func (k *stack) alone(ctx context.Context, name string, work func(context.Context) error) error {
	if k.leases == nil {
		return work(ctx)
	}
	return k.leases.Hold(ctx, name, work)
}

// around is what stands around the routes of a surface.
func (k *stack) around(surface string) []func(http.Handler) http.Handler {
	return []func(http.Handler) http.Handler{k.traces.Around(), k.metrics.Around(surface)}
}
