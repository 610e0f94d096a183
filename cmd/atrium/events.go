package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/atrium-portal/atrium/domain"
)

type eventsCmd struct {
	List eventsListCmd `cmd:"" help:"List the latest events of the whole log, or of one stream."`
	Show eventsShowCmd `cmd:"" help:"Print the events of a stream in full."`
	Tail eventsTailCmd `cmd:"" help:"Print events as they are appended."`
}

func (eventsCmd) Help() string {
	return "Examples:\n  atrium events list --last 20\n  atrium events show invoice-0190d5a1-0000-7000-8000-000000000001 --reveal"
}

type eventsListCmd struct {
	stores
	Stream string `arg:"" optional:"" help:"Stream name, such as invoice-<id>."`
	Last   int    `help:"How many." default:"50"`
}

func (c eventsListCmd) Run(ctx context.Context, t *terminal) error {
	return withIdleStack(ctx, c.stores, t, func(k *stack) error {
		var ring []domain.Recorded
		keep := func(batch []domain.Recorded) error {
			ring = append(ring, batch...)
			if extra := len(ring) - c.Last; extra > 0 {
				ring = append([]domain.Recorded(nil), ring[extra:]...)
			}
			return nil
		}
		var err error
		if c.Stream != "" {
			var all []domain.Recorded
			if all, err = k.events.Load(ctx, c.Stream, 0); err == nil {
				err = keep(all)
			}
		} else {
			err = k.source.ReadAll(ctx, domain.Position{}, 1000, keep)
		}
		for _, r := range ring {
			printLine(t.out, r)
		}
		return err
	})
}

type eventsShowCmd struct {
	stores
	Stream string `arg:"" help:"Stream name, such as invoice-<id>."`
	Reveal bool   `help:"Show personal data; without it, it is masked."`
}

func (c eventsShowCmd) Run(ctx context.Context, t *terminal) error {
	return withIdleStack(ctx, c.stores, t, func(k *stack) error {
		all, err := k.events.Load(ctx, c.Stream, 0)
		if err != nil {
			return err
		}
		if len(all) == 0 {
			return fmt.Errorf("there is no stream %s: `atrium events list` names some", c.Stream)
		}
		for _, r := range all {
			printLine(t.out, r)
			if !c.Reveal {
				printJSON(t.out, "  data ", r.Data)
				printJSON(t.out, "  meta ", r.Metadata)
				continue
			}
			f, err := k.codec.Decode(r)
			if err != nil {
				return err
			}
			plain, err := domain.RevealJSON(f.Event)
			if err != nil {
				return err
			}
			printJSON(t.out, "  data ", plain)
			fmt.Fprintf(t.out, "  says  %s %s\n", f.Meta.Actor.Ref(), f.Event.Sentence())
		}
		return nil
	})
}

type eventsTailCmd struct{ stores }

func (c eventsTailCmd) Run(ctx context.Context, t *terminal) error {
	return withIdleStack(ctx, c.stores, t, func(k *stack) error {
		at, err := k.source.Head(ctx)
		for err == nil {
			err = k.source.ReadAll(ctx, at, 1000, func(batch []domain.Recorded) error {
				for _, r := range batch {
					printLine(t.out, r)
					at = r.Position
				}
				return nil
			})
			if err == nil {
				err = pause(ctx, 200*time.Millisecond)
			}
		}
		if errors.Is(err, context.Canceled) {
			return nil
		}
		return err
	})
}

func printLine(w io.Writer, r domain.Recorded) {
	fmt.Fprintf(w, "%s  %s  %s@%d  %s\n", r.Position, r.Created.UTC().Format("2006-01-02 15:04:05.000"), r.Stream, r.Revision, r.Type)
}

func printJSON(w io.Writer, label string, raw json.RawMessage) {
	pretty, err := json.MarshalIndent(raw, "        ", "  ")
	if err != nil {
		pretty = raw
	}
	fmt.Fprintf(w, "%s %s\n", label, pretty)
}
