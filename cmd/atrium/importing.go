package main

import (
	"context"
	"fmt"
	"os"

	"github.com/atrium-portal/atrium/cmd/internal/imports"
	"github.com/atrium-portal/atrium/commands"
	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/account"
)

type importCmd struct {
	Clients  importClientsCmd  `cmd:"" help:"Import clients with their contacts."`
	Invoices importInvoicesCmd `cmd:"" help:"Import invoices with what was paid on them. Import the clients first."`
}

type importClientsCmd struct{ importFlags }

func (c importClientsCmd) Run(ctx context.Context, t *terminal) error {
	return c.run(ctx, t, "clients")
}

type importInvoicesCmd struct{ importFlags }

func (c importInvoicesCmd) Run(ctx context.Context, t *terminal) error {
	return c.run(ctx, t, "invoices")
}

type importFlags struct {
	stores
	File   string `arg:"" help:"The exported CSV file." type:"existingfile"`
	From   string `help:"Product it was exported from: ${enum}." enum:"invoiceninja,freshbooks" required:""`
	Firm   string `help:"Name or id of the firm, when there are several."`
	DryRun bool   `help:"Read and check everything, change nothing."`
	JSON   bool   `help:"Print for programs." name:"json"`
}

func (importFlags) Help() string {
	return `Examples:
  atrium import clients --from invoiceninja clients.csv --firm 'North Studio'
  atrium import invoices --from invoiceninja invoices.csv --firm 'North Studio' --dry-run
Rows that cannot be imported are listed with line and reason, the rest is loaded. Importing the same file again
changes nothing; a killed import is finished by giving it again.`
}

func (c importFlags) run(ctx context.Context, t *terminal, kind string) error {
	file, err := os.Open(c.File)
	if err != nil {
		return err
	}
	defer file.Close()
	return withStack(ctx, c.stores, t, func(k *stack) error {
		firm, err := k.firmNamed(ctx, c.Firm)
		if err != nil {
			return err
		}
		m := newMeter(t, "import "+kind, c.JSON)
		summary, err := imports.Run(ctx, imports.Options{
			Dispatcher: k.loop, Firm: firm.ID, FirmCurrency: firm.Currency, Kind: kind, From: c.From, Name: c.File, File: file,
			DryRun: c.DryRun, Now: k.now, Progress: func(done, total int) { m.at(int64(done), int64(total)) },
			Exists: func(ctx context.Context, id domain.ID) (string, bool, error) {
				state, revision, err := commands.State(ctx, k.loop, account.Aggregate, id)
				return state.Currency, revision != domain.NoStream, err
			},
		})
		m.end()
		if err := k.ranTool(ctx, "import "+kind, "done", err, firm.ID); err != nil {
			return err
		}
		if err := k.settle(ctx); err != nil {
			return err
		}
		if c.JSON {
			err = summary.WriteJSON(t.out)
		} else {
			_, err = fmt.Fprintln(t.out, summary)
		}
		if err == nil && len(summary.Problems) > 0 {
			err = fmt.Errorf("%d rows were not imported; the list above says why, the rest is in", len(summary.Problems))
		}
		return err
	})
}
