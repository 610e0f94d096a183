package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

type replayUntilCmd struct {
	replayFlags
	Time   string `arg:"" help:"The instant, such as 2026-03-31T22:00:00Z: what was recorded later is left out."`
	Schema string `help:"Schema of the copy. One that this command made before is made anew." default:"as_of"`
}

func (replayUntilCmd) Help() string {
	return `The copy stays until you drop it. Its readers have the same rights as on the live tables.

Examples:
  atrium replay until 2026-03-31T22:00:00Z
  atrium replay until 2026-03-31T22:00:00Z --schema end_of_march --json`
}

func (c replayUntilCmd) Run(ctx context.Context, t *terminal) error {
	at, err := time.Parse(time.RFC3339Nano, c.Time)
	if err != nil {
		return fmt.Errorf("%q is no time: give one such as 2026-03-31T22:00:00Z", c.Time)
	}
	return withIdleStack(ctx, c.stores, t, func(k *stack) error {
		if at.After(k.now()) {
			return fmt.Errorf("%s is still to come: give a time that has passed", c.Time)
		}
		begun := k.now()
		m := newMeter(t, "until", c.JSON)
		done, err := k.engine.Until(ctx, k.source, at, c.Schema, m.projection)
		m.end()
		if err != nil {
			return err
		}
		took := k.now().Sub(begun)
		if c.JSON {
			return json.NewEncoder(t.out).Encode(map[string]any{
				"until": at.UTC(), "schema": c.Schema, "events": done.Events, "digest": done.Digest.Total, "tables": done.Digest.Tables, "seconds": took.Seconds(),
			})
		}
		printDigest(t, done.Digest)
		fmt.Fprintf(t.out, "%d events up to %s in %s; digest %s\nThe copy is schema %s. `drop schema %s cascade` in Postgres removes it.\n",
			done.Events, at.UTC().Format(time.RFC3339), took.Round(time.Millisecond), done.Digest.Total, c.Schema, c.Schema)
		return nil
	})
}
