package main

import (
	"context"
	"errors"
	"fmt"
	"time"
)

type benchAuditCmd struct {
	benchFlags
	Events int `help:"Events in the log; 0 means 20,000, or 1,000,000 with --full." default:"0"`
}

// What sealing and the monitor have to reach.
const (
	sealRate    = 20_000          // events per second of a backlog
	monitorRate = 1_000_000 / 120 // a million events in two minutes
)

func (c benchAuditCmd) Run(ctx context.Context, t *terminal) error {
	events := c.Events
	if events == 0 {
		events = 20_000
		if c.Full {
			events = 1_000_000
		}
	}
	return c.scratch(func(dir string) (err error) {
		k, err := openStack(ctx, stores{Data: dir}, t.now, t.log, nil)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, k.Close()) }()
		if _, err := k.engine.Open(ctx); err != nil {
			return err
		}
		m := newMeter(t, "writing the log", c.JSON)
		err = fillLog(ctx, k, events, m)
		m.end()
		if err != nil {
			return err
		}
		begun := time.Now()
		if err := k.seals.catchUp(ctx); err != nil {
			return err
		}
		sealed := time.Since(begun).Seconds()
		monitor := result{Name: fmt.Sprintf("P12 monitor, %d events", events), Unit: "events/s", Limit: figures{monitorRate}, Reach: ">= 1"}
		for range c.Rounds {
			begun := time.Now()
			report, err := k.seals.monitor(k).Run(ctx)
			if err != nil {
				return err
			}
			if len(report.Differences) > 0 || report.Unsealed > 0 {
				return fmt.Errorf("the monitor found differences: %+v", report)
			}
			monitor.Product = append(monitor.Product, float64(report.Events)/time.Since(begun).Seconds())
		}
		seal := result{Name: "sealing a backlog", Product: figures{float64(events) / sealed}, Limit: figures{sealRate}, Unit: "events/s", Reach: ">= 1"}
		for _, r := range []*result{&seal, &monitor} {
			r.Ratio = r.Product.median() / r.Limit.median()
		}
		return c.print(t, []result{seal, monitor})
	})
}
