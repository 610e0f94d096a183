package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/atrium-portal/atrium/projections/evidence"
)

type auditCmd struct {
	Export      auditExportCmd      `cmd:"" help:"Write the history of the firm or of a client as CSV or JSON."`
	Monitor     auditMonitorCmd     `cmd:"" help:"Compare every event with what was sealed. Exit code 3 when one differs."`
	Acknowledge auditAcknowledgeCmd `cmd:"" help:"Accept that sealed events are lost, or change the log key: a new epoch begins."`
	Bundle      auditBundleCmd      `cmd:"" help:"Write evidence of an account, a project or one document, which atrium-verify checks."`
	Keys        auditKeysCmd        `cmd:"" help:"Print the public log keys, for atrium-verify and for a witness."`
}

func (auditCmd) Help() string {
	return "Examples:\n  atrium audit export --out history.csv\n  atrium audit monitor --witness https://witness.example.org --witness-key @witness.pub\n  atrium audit acknowledge --reason 'restored the backup of 3 May'"
}

type auditMonitorCmd struct {
	stores
	witnessing
	Firm string `help:"Only the logs of this firm (its id)." placeholder:"ID"`
	JSON bool   `help:"Print for programs." name:"json"`
}

func (auditMonitorCmd) Help() string {
	return `Example:
  atrium audit monitor --json
It reads every event, computes all leaves and trees anew, and names the first difference in each log. It opens the data like the server does: run it while the server is stopped, on a copy, or against stores of your own.`
}

func (c auditMonitorCmd) Run(ctx context.Context, t *terminal) error {
	return withIdleStack(ctx, c.stores, t, recorded(ctx, "audit monitor", func(k *stack) error {
		if err := k.seals.watchedBy(c.witnessing); err != nil {
			return err
		}
		begun := t.now()
		meter := newMeter(t, "comparing with the seals", c.JSON)
		monitor := k.seals.monitor(k)
		monitor.Progress = meter.at
		if c.Firm != "" {
			firm, err := uuid.Parse(c.Firm)
			if err != nil {
				return fmt.Errorf("--firm %q is not an id: `atrium firm list` shows them", c.Firm)
			}
			monitor.Firm = &firm
		}
		report, err := monitor.Run(ctx)
		meter.end()
		if err != nil {
			return err
		}
		if err := c.print(t, report, t.now().Sub(begun)); err != nil {
			return err
		}
		if len(report.Differences) > 0 {
			return errDifference
		}
		return nil
	}))
}

// monitor compares all that k has.
func (s *seals) monitor(k *stack) evidence.Monitor {
	return evidence.Monitor{Events: k.source, Store: s.store, Verifier: s.keys.verifier, Witness: s.memory(), Cosigner: s.cosigner}
}

func (c auditMonitorCmd) print(t *terminal, r evidence.Report, took time.Duration) error {
	if c.JSON {
		if r.Differences == nil {
			r.Differences = []evidence.Difference{}
		}
		return json.NewEncoder(t.out).Encode(map[string]any{
			"events": r.Events, "unsealed": r.Unsealed, "logs": r.Logs, "leaves": r.Leaves, "checkpoints": r.Checkpoints, "witnessed": r.Witnessed,
			"differences": r.Differences, "seconds": took.Seconds(),
		})
	}
	fmt.Fprintf(t.out, "%d events, %d leaves in %d logs, %d checkpoints compared in %s.\n", r.Events, r.Leaves, r.Logs, r.Checkpoints, took.Round(time.Millisecond))
	if r.Unsealed > 0 {
		fmt.Fprintf(t.out, "%d newer events are not sealed yet; the server does that.\n", r.Unsealed)
	}
	if c.Witness != "" {
		fmt.Fprintf(t.out, "The witness knows %d of the logs.\n", r.Witnessed)
	}
	for _, d := range r.Differences {
		fmt.Fprintf(t.out, "%s, at %d: %s\n", d.Log, d.Index, d.Text)
	}
	if len(r.Differences) == 0 {
		fmt.Fprintln(t.out, "The events are those that were sealed.")
	}
	return nil
}

type auditAcknowledgeCmd struct {
	stores
	witnessing
	Reason string `help:"Why: it stands in the new epoch for ever." required:""`
	By     string `help:"Who accepts it." placeholder:"NAME"`
	NewKey bool   `help:"Change the log key of all logs, as when it may be known to others."`
}

func (auditAcknowledgeCmd) Help() string {
	return `Example:
  atrium audit acknowledge --by 'Priya Nair' --reason 'restored the backup of 3 May after the disk failed'
The first leaf of the new epoch holds the last seal of the old one and says what is missing. Nothing is removed, and it cannot be taken back.`
}

func (c auditAcknowledgeCmd) Run(ctx context.Context, t *terminal) error {
	return withIdleStack(ctx, c.stores, t, recorded(ctx, "audit acknowledge", func(k *stack) error {
		if err := k.seals.watchedBy(c.witnessing); err != nil {
			return err
		}
		head, err := k.source.Head(ctx)
		if err != nil {
			return err
		}
		openings, err := k.seals.comparison().Acknowledge(ctx, evidence.Acknowledgement{
			By: c.By, Reason: c.Reason, NewKey: c.NewKey, Head: head, Now: time.Now(), Signer: k.seals.keys.signer,
		})
		if errors.Is(err, evidence.ErrNothing) {
			fmt.Fprintln(t.out, "Nothing is missing, so there is nothing to acknowledge.")
			return nil
		}
		if err != nil {
			return err
		}
		for _, o := range openings {
			fmt.Fprintf(t.out, "%s ended at %d leaves, of which %d are missing; epoch %d goes on.\n", o.Previous, o.Size, o.Size-o.Kept, o.Epoch)
		}
		return nil
	}))
}

type auditKeysCmd struct{ stores }

func (c auditKeysCmd) Run(ctx context.Context, t *terminal) error {
	return withIdleStack(ctx, c.stores, t, func(k *stack) error {
		text, err := k.seals.publicKeys(ctx)
		fmt.Fprint(t.out, text)
		return err
	})
}
