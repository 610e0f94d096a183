package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/ThreeDotsLabs/watermill"
	"github.com/ThreeDotsLabs/watermill/message"
	"golang.org/x/sync/errgroup"

	"github.com/atrium-portal/atrium/cmd/internal/feed"
	"github.com/atrium-portal/atrium/commands/reactors"
	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/catalog"
	"github.com/atrium-portal/atrium/projections"
)

// withIdleStack opens the stack, runs f and closes it. Nothing is projected meanwhile.
func withIdleStack(ctx context.Context, s stores, t *terminal, f func(*stack) error) (err error) {
	k, err := openStack(ctx, s, t.now, t.log, nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, k.Close()) }()
	if _, err := k.engine.Open(ctx); err != nil {
		return err
	}
	return f(k)
}

// withStack is withIdleStack with the projector running, so that f sees in the read models what it did.
func withStack(ctx context.Context, s stores, t *terminal, f func(*stack) error) (err error) {
	k, err := openStack(ctx, s, t.now, t.log, nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, k.Close()) }()
	if err := k.seals.compare(ctx); err != nil {
		return err
	}
	return k.projecting(ctx, func() error { return f(k) })
}

// catchUp folds what the read models lack of the log, so that there is something to compare. Those of another build stay.
func (k *stack) catchUp(ctx context.Context) error {
	if other, err := k.engine.Open(ctx); err != nil || other {
		return err
	}
	return k.projecting(ctx, func() error { return nil })
}

// catchUpToCompare is catchUp unless the read models lack more than half of the log, as when a database was lost: a rebuild fills
// them sooner, and there is nothing that would be worth comparing.
func (k *stack) catchUpToCompare(ctx context.Context) error {
	if _, err := k.engine.Open(ctx); err != nil {
		return err
	}
	at, err := k.engine.Position(ctx)
	if err != nil {
		return err
	}
	head, err := k.source.Head(ctx)
	if err != nil || at.Commit < head.Commit/2 {
		return err
	}
	return k.catchUp(ctx)
}

// projecting runs f while the read models follow the log, as soon as they have all of it.
func (k *stack) projecting(ctx context.Context, f func() error) error {
	work, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	group, work := errgroup.WithContext(work)
	if err := k.startProjector(work, group); err != nil {
		return err
	}
	err := k.awaitTables(ctx)
	if err == nil {
		err = k.settle(ctx)
	}
	if err == nil {
		err = f()
	}
	stop()
	if stopped := group.Wait(); stopped != nil && !errors.Is(stopped, context.Canceled) {
		err = errors.Join(err, stopped)
	}
	return err
}

// startProjector keeps the read models up to date until ctx ends. Tables of another build are rebuilt first, with the
// old ones still serving.
func (k *stack) startProjector(ctx context.Context, group *errgroup.Group) error {
	if _, err := k.engine.Open(ctx); err != nil {
		return err
	}
	group.Go(func() error { return k.alone(ctx, readModels, k.project) })
	return nil
}

// project rebuilds the tables of another build, and then keeps up with the log.
func (k *stack) project(ctx context.Context) error {
	needsRebuild, err := k.engine.Open(ctx)
	if err != nil {
		return err
	}
	if needsRebuild {
		k.log.Info("the read tables are of another build: rebuilding beside them")
		rebuilt, err := k.engine.Rebuild(ctx, k.source, func(projections.Progress) {})
		if err != nil {
			return fmt.Errorf("rebuilding the read tables: %w", err)
		}
		k.log.Info("rebuilt", "events", rebuilt.Events, "digest", rebuilt.Digest.Total)
	}
	return k.feed(ctx, readModels, 0, k.engine.Position, projections.Handler(k.engine))
}

// startReactors gives follow-ups and watches the clock until ctx ends.
func (k *stack) startReactors(ctx context.Context, group *errgroup.Group) {
	followUps := reactors.FollowUps{Loop: k.loop, Codec: k.codec, Checkpoints: checkpoints{k.pools.App}}
	group.Go(func() error {
		from := func(ctx context.Context) (domain.Position, error) {
			// A first start reads the whole log: imports and tools may have died before what follows from them.
			at, _, err := followUps.Checkpoints.Checkpoint(ctx, followUps.Name())
			return at, err
		}
		return k.follow(ctx, followUps.Name(), unhurried, from, func(m *message.Message) error {
			batch, ok := projections.BatchOf(m)
			if !ok {
				return errors.New("message without a batch")
			}
			return followUps.Handle(m.Context(), batch.Events)
		})
	})
	group.Go(func() error {
		overdue := reactors.Overdue{Loop: k.loop, Receivables: receivables{k.pools}, Now: k.now, Logger: k.log}
		return k.alone(ctx, "overdue", func(ctx context.Context) error { return overdue.Run(ctx, time.Minute) })
	})
}

// unhurried is how long handlers wait for more events for whose work nobody waits: one commit then does for many.
const unhurried = 200 * time.Millisecond

// follow feeds the log to one handler while no other process does, until ctx ends.
func (k *stack) follow(ctx context.Context, name string, linger time.Duration, from func(context.Context) (domain.Position, error), handle message.NoPublishHandlerFunc) error {
	return k.alone(ctx, name, func(ctx context.Context) error { return k.feed(ctx, name, linger, from, handle) })
}

// feed gives the log to one handler, in order, from where the handler is, until ctx ends. Batches linger for more events.
func (k *stack) feed(ctx context.Context, name string, linger time.Duration, from func(context.Context) (domain.Position, error), handle message.NoPublishHandlerFunc) error {
	// Starting and stopping a handler is news for developers only.
	logger := watermill.NewSlogLoggerWithLevelMapping(k.log.With("handler", name), map[slog.Level]slog.Level{slog.LevelInfo: slog.LevelDebug})
	subscriber, err := feed.New(feed.Options{Client: k.newClient, Prefixes: catalog.Prefixes(), From: from, Linger: linger, Logger: k.log.With("handler", name)})
	if err != nil {
		return err
	}
	router, err := message.NewRouter(message.RouterConfig{CloseTimeout: 10 * time.Second}, logger)
	if err != nil {
		return err
	}
	router.AddConsumerHandler(name, "$all", subscriber, k.metrics.Batches(name)(k.traces.Batches(name)(handle)))
	return router.Run(ctx)
}

// awaitTables waits until the read tables can be read: at a first start the projector makes them.
func (k *stack) awaitTables(ctx context.Context) error {
	for {
		if _, err := k.engine.Position(ctx); err == nil {
			return nil
		} else if ctx.Err() != nil {
			return errors.Join(ctx.Err(), err)
		}
		if err := pause(ctx, 20*time.Millisecond); err != nil {
			return err
		}
	}
}

// settle waits until the read models have all that is in the log now.
func (k *stack) settle(ctx context.Context) error {
	head, err := k.source.Head(ctx)
	if err != nil {
		return err
	}
	return k.engine.Await(ctx, head)
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
