package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"

	"github.com/atrium-portal/atrium/projections"
)

type replayCmd struct {
	Status   replayStatusCmd   `cmd:"" help:"Positions, lag, build and parked streams."`
	Rebuild  replayRebuildCmd  `cmd:"" help:"Fold the whole log into new tables beside the live ones, then swap."`
	Verify   replayVerifyCmd   `cmd:"" help:"Fold again and name every row that differs. Exit code 3 when one does."`
	Until    replayUntilCmd    `cmd:"" help:"Build a copy of the tables as of an instant, beside the live ones."`
	WhatIf   replayWhatIfCmd   `cmd:"" name:"whatif" help:"An account under another late fee, tax rate or payment plan, beside the real figures. Nothing is stored."`
	Retry    replayRetryCmd    `cmd:"" help:"Apply parked streams after a fix."`
	Rollback replayRollbackCmd `cmd:"" help:"Put the tables before the last swap back."`
}

func (replayCmd) Help() string {
	return "Examples:\n  atrium replay status\n  atrium replay rebuild\n  atrium replay rebuild --only invoices\n  atrium replay until 2026-03-31T22:00:00Z --schema end_of_march\n  atrium replay verify --json"
}

type replayFlags struct {
	stores
	JSON bool `help:"Print for programs." name:"json"`
}

type replayStatusCmd struct{ replayFlags }

func (c replayStatusCmd) Run(ctx context.Context, t *terminal) error {
	return withIdleStack(ctx, c.stores, t, func(k *stack) error {
		status, err := k.engine.Status(ctx)
		if err != nil {
			return err
		}
		head, err := k.source.Head(ctx)
		if err != nil {
			return err
		}
		if c.JSON {
			return json.NewEncoder(t.out).Encode(map[string]any{
				"build": status.Build, "program": status.Program, "position": status.Position, "head": head,
				"lag": lag(status.Position, head), "events": status.Events, "updated": status.Updated, "parked": status.Parked,
			})
		}
		w := table.NewWriter()
		w.AppendRows([]table.Row{
			{"build", status.Build},
			{"this program's build", status.Program},
			{"position", status.Position},
			{"head of the log", head},
			{"lag", lag(status.Position, head)},
			{"events", status.Events},
			{"updated", status.Updated.Format(time.RFC3339)},
			{"parked streams", len(status.Parked)},
		})
		fmt.Fprintln(t.out, w.Render())
		printParked(t, status.Parked)
		return nil
	})
}

func printParked(t *terminal, parked []projections.ParkedStream) {
	if len(parked) == 0 {
		return
	}
	w := table.NewWriter()
	w.AppendHeader(table.Row{"parked stream", "events", "since", "why"})
	for _, p := range parked {
		w.AppendRow(table.Row{p.Stream, p.Events, p.Position, p.Error})
	}
	fmt.Fprintln(t.out, w.Render())
}

type replayRebuildCmd struct {
	replayFlags
	Only string `help:"Make this table alone anew, in one swap; rollback does not undo that." placeholder:"TABLE"`
}

func (c replayRebuildCmd) Run(ctx context.Context, t *terminal) error {
	return withIdleStack(ctx, c.stores, t, recorded(ctx, "replay rebuild", func(k *stack) error {
		if err := k.catchUpToCompare(ctx); err != nil {
			return err
		}
		begun := k.now()
		m := newMeter(t, "rebuild", c.JSON)
		rebuild := k.engine.Rebuild
		if c.Only != "" {
			rebuild = func(ctx context.Context, s projections.Source, progress func(projections.Progress)) (projections.Rebuilt, error) {
				return k.engine.RebuildOnly(ctx, s, c.Only, progress)
			}
		}
		rebuilt, err := rebuild(ctx, k.source, m.projection)
		if err == nil && !rebuilt.Compared && c.Only == "" {
			rebuilt.Digest, err = k.engine.Digest(ctx, "") // so that it can be compared with that of another time or place
		}
		m.end()
		if err != nil {
			return err
		}
		took := k.now().Sub(begun)
		if c.JSON {
			return json.NewEncoder(t.out).Encode(map[string]any{
				"events": rebuilt.Events, "digest": rebuilt.Digest.Total, "tables": rebuilt.Digest.Tables, "compared": rebuilt.Compared,
				"differ": rebuilt.Differ, "seconds": took.Seconds(),
			})
		}
		printDigest(t, rebuilt.Digest)
		fmt.Fprintf(t.out, "%d events in %s; digest %s\n", rebuilt.Events, took.Round(time.Millisecond), rebuilt.Digest.Total)
		switch {
		case !rebuilt.Compared:
			fmt.Fprintln(t.out, "The tables before were of another build or lacked most of the log, so there was nothing to compare.")
		case len(rebuilt.Differ) == 0:
			fmt.Fprintln(t.out, "Byte for byte the same rows as before.")
		default:
			fmt.Fprintf(t.out, "These tables had other rows before: %s. The new ones say what the events say; `atrium replay rollback` brings the old ones back.\n", strings.Join(rebuilt.Differ, ", "))
			return errDifference
		}
		return nil
	}))
}

func printDigest(t *terminal, d projections.Digest) {
	w := table.NewWriter()
	w.AppendHeader(table.Row{"table", "digest"})
	var names []string
	for name := range d.Tables {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		w.AppendRow(table.Row{name, d.Tables[name]})
	}
	fmt.Fprintln(t.out, w.Render())
}

// projection shows the progress of a rebuild or a check.
func (m *meter) projection(p projections.Progress) {
	m.phase(string(p.Phase))
	if p.Head.Commit == 0 {
		m.at(p.Events, 0)
		return
	}
	// Positions are not dense: the share of the log that is done gives the total.
	share := float64(p.Position.Commit) / float64(p.Head.Commit)
	total := p.Events
	if share > 0 {
		total = max(p.Events, int64(float64(p.Events)/share))
	}
	m.at(p.Events, total)
}

type replayVerifyCmd struct{ replayFlags }

func (c replayVerifyCmd) Run(ctx context.Context, t *terminal) error {
	return withIdleStack(ctx, c.stores, t, recorded(ctx, "replay verify", func(k *stack) error {
		if err := k.catchUp(ctx); err != nil {
			return err
		}
		m := newMeter(t, "verify", c.JSON)
		differences, err := k.engine.Verify(ctx, k.source, m.projection)
		m.end()
		if err != nil {
			return err
		}
		if c.JSON {
			if differences == nil {
				differences = []projections.Difference{}
			}
			err = json.NewEncoder(t.out).Encode(map[string]any{"differences": differences})
		} else {
			for _, d := range differences {
				fmt.Fprintf(t.out, "%s %s: %s %s\n", d.Table, d.Key, d.Kind, strings.Join(d.Columns, ", "))
			}
			if len(differences) == 0 {
				fmt.Fprintln(t.out, "Every row says what the events say.")
			} else {
				fmt.Fprintf(t.out, "%d rows differ from the events. `atrium replay rebuild` makes them anew.\n", len(differences))
			}
		}
		if err == nil && len(differences) > 0 {
			err = errDifference
		}
		return err
	}))
}

type replayRetryCmd struct{ replayFlags }

func (c replayRetryCmd) Run(ctx context.Context, t *terminal) error {
	return withIdleStack(ctx, c.stores, t, recorded(ctx, "replay retry", func(k *stack) error {
		applied, still, err := k.engine.Retry(ctx)
		if err != nil {
			return err
		}
		fmt.Fprintf(t.out, "%d events applied.\n", applied)
		if len(still) > 0 {
			printParked(t, still)
			return errors.New("some streams still cannot be applied; the table says why")
		}
		return nil
	}))
}

type replayRollbackCmd struct{ replayFlags }

func (c replayRollbackCmd) Run(ctx context.Context, t *terminal) error {
	return withIdleStack(ctx, c.stores, t, recorded(ctx, "replay rollback", func(k *stack) error {
		if err := k.engine.Rollback(ctx); err != nil {
			return err
		}
		fmt.Fprintln(t.out, "The tables before the last swap are live again; the server folds what they lack.")
		return nil
	}))
}
