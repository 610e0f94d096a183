package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"

	"github.com/atrium-portal/atrium/projections"
)

type benchCmd struct {
	Append  benchAppendCmd  `cmd:"" help:"Durable appends through the official client (P1), against a bare group-commit sequencer; with --events growth (P8) and reads (P2)."`
	Replay  benchReplayCmd  `cmd:"" help:"Rebuild (P3) against COPY of the same rows, backlog (P4) against one transaction per event."`
	Read    benchReadCmd    `cmd:"" help:"A list with row-level security (P6), against a bare handler without."`
	History benchHistoryCmd `cmd:"" help:"First pages of a long history with filters and search, against what they have to reach."`
	Audit   benchAuditCmd   `cmd:"" help:"Sealing a backlog, and the monitor over it (P12), against what they have to reach."`
	Visible benchVisibleCmd `cmd:"" help:"From a command to its row (P5), against a synced write and a commit."`
	Scale   benchScaleCmd   `cmd:"" help:"Start (P11), memory (P9), growth (P8), the past (P10) and proofs (P12) of the running program, at several sizes."`
	Pages   benchPagesCmd   `cmd:"" help:"Pages at 16 connections, and the weight of a first visit (P7), beside the bare handler of read."`
}

func (benchCmd) Help() string {
	return "Examples:\n  atrium bench append --events 1000000\n  atrium bench replay --full\nEach benchmark measures its limit and the product in turn and prints medians with [min .. max]."
}

type benchFlags struct {
	Dir    string `help:"Folder for scratch data, on the disk to measure." default:"." type:"path"`
	Rounds int    `help:"How often limit and product are measured in turn." default:"3"`
	Full   bool   `help:"Full size: longer, larger."`
	JSON   bool   `help:"Print for programs." name:"json"`
}

// figures of one measure, over the rounds.
type figures []float64

func (f figures) median() float64 {
	sorted := slices.Sorted(slices.Values(f))
	return sorted[len(sorted)/2]
}

func (f figures) String() string {
	return fmt.Sprintf("%.4g [%.4g .. %.4g]", f.median(), slices.Min(f), slices.Max(f))
}

// result is one line of a benchmark: the product, its limit, and their ratio.
type result struct {
	Name    string  `json:"name"`
	Product figures `json:"product"`
	Limit   figures `json:"limit"`
	Unit    string  `json:"unit"`
	Ratio   float64 `json:"ratio"`
	Reach   string  `json:"reach"`
}

func (b benchFlags) print(t *terminal, results []result) error {
	if b.JSON {
		return json.NewEncoder(t.out).Encode(results)
	}
	w := table.NewWriter()
	w.AppendHeader(table.Row{"what", "product", "limit", "unit", "ratio", "reach"})
	for _, r := range results {
		w.AppendRow(table.Row{r.Name, r.Product, r.Limit, r.Unit, fmt.Sprintf("%.3g", r.Ratio), r.Reach})
	}
	fmt.Fprintln(t.out, w.Render())
	return nil
}

// scratch makes an empty folder that is removed afterwards.
func (b benchFlags) scratch(f func(dir string) error) (err error) {
	dir, err := os.MkdirTemp(b.Dir, ".atrium-bench-*")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	return f(dir)
}

type benchReplayCmd struct {
	benchFlags
	Events int `help:"Events in the log; 0 means 20,000, or 1,000,000 with --full." default:"0"`
}

func (c benchReplayCmd) Run(ctx context.Context, t *terminal) error {
	events := c.Events
	if events == 0 {
		events = 20_000
		if c.Full {
			events = 1_000_000
		}
	}
	return c.scratch(func(dir string) error {
		k, err := openStack(ctx, stores{Data: dir}, t.now, t.log, nil)
		if err != nil {
			return err
		}
		defer func() {
			if err := k.Close(); err != nil {
				t.log.Error("closing", "error", err)
			}
		}()
		if _, err := k.engine.Open(ctx); err != nil {
			return err
		}
		m := newMeter(t, "writing the log", c.JSON)
		err = fillLog(ctx, k, events, m)
		m.end()
		if err != nil {
			return err
		}
		rebuild := result{Name: fmt.Sprintf("P3 rebuild, %d events", events), Unit: "s", Reach: "<= 2.5"}
		naive := result{Name: "P3 rebuild against naive projector", Unit: "events/s", Reach: ">= 20"}
		backlog := result{Name: "P4 backlog against naive projector", Unit: "events/s", Reach: ">= 20"}
		for range c.Rounds {
			slow, err := applyRate(ctx, k, 2_000, 1)
			if err != nil {
				return err
			}
			fast, err := applyRate(ctx, k, min(events, 100_000), 4096)
			if err != nil {
				return err
			}
			begun := time.Now()
			if _, err := k.engine.Rebuild(ctx, k.source, func(projections.Progress) {}); err != nil {
				return err
			}
			took := time.Since(begun)
			limit, _, err := k.engine.CopyLimit(ctx, time.Now)
			if err != nil {
				return err
			}
			rebuild.Product, rebuild.Limit = append(rebuild.Product, took.Seconds()), append(rebuild.Limit, limit.Seconds())
			naive.Product, naive.Limit = append(naive.Product, float64(events)/took.Seconds()), append(naive.Limit, slow)
			backlog.Product, backlog.Limit = append(backlog.Product, fast), append(backlog.Limit, slow)
		}
		for _, r := range []*result{&rebuild, &naive, &backlog} {
			r.Ratio = r.Product.median() / r.Limit.median()
		}
		return c.print(t, []result{rebuild, naive, backlog})
	})
}
