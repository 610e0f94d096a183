package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/atrium-portal/atrium/commands"
	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/audit"
	"github.com/atrium-portal/atrium/readapi"
)

type auditExportCmd struct {
	stores
	Firm    string `help:"Name or id of the firm, when there are several."`
	Account string `help:"Only what is about this client." placeholder:"ID"`
	Out     string `help:"File to write; - for standard output." default:"-" placeholder:"FILE"`
	Format  string `help:"csv, json, or auto: json for a file that is called so, csv for others." enum:"auto,csv,json" default:"auto"`
	Person  string `help:"Only what this person did (an id), or this part of the system (such as clock)." placeholder:"ID"`
	Module  string `help:"Only records of this kind, such as invoice." placeholder:"KIND"`
	Action  string `help:"Only this event, such as InvoiceSent." placeholder:"EVENT"`
	From    string `help:"Only from this date or time on." placeholder:"DATE"`
	To      string `help:"Only up to this date or time." placeholder:"DATE"`
	Q       string `help:"Only what holds this text." placeholder:"TEXT"`
	JSON    bool   `help:"Show progress for programs." name:"json"`
}

func (auditExportCmd) Help() string {
	return `Example:
  atrium audit export --account 0190d5a1-0000-7000-8000-000000000001 --from 2026-01-01 --out history.csv
It holds what staff read at /api/v1/history, newest first; that it was taken is put on record first. It opens the data like the server does: run it while the server is stopped, or against stores of your own.`
}

func (c auditExportCmd) Run(ctx context.Context, t *terminal) error {
	return withStack(ctx, c.stores, t, func(k *stack) error {
		firm, err := k.firmNamed(ctx, c.Firm)
		if err != nil {
			return err
		}
		export := readapi.HistoryExport{Taking: readapi.Taking{Ask: c.ask()}}
		if export.Scope, err = k.wholeFirm(ctx, firm.ID); err != nil {
			return err
		}
		if c.Account != "" {
			export.Collection, export.ID = "accounts", c.Account
		}
		export.Begin = func(of readapi.Opened) error {
			return k.takenAway(ctx, firm.ID, of, "history", export.Ask.Get("format"))
		}
		reader, err := readapi.NewReader(readapi.Pools{Client: k.pools.ClientReader, Staff: k.pools.StaffReader}, k.engine, nil, k.now)
		if err != nil {
			return err
		}
		var taken int64
		err = writing(c.Out, t.out, func(w io.Writer) (err error) {
			m := newMeter(t, "export", c.JSON)
			defer m.end()
			export.Progress = m.at
			taken, err = reader.Export(ctx, w, export)
			return err
		})
		return t.tookAway(taken, "entries", c.Out, c.JSON, err)
	})
}

// tookAway says how much was written to a file, or why nothing was. Who wrote to standard output needs no word.
func (t *terminal) tookAway(n int64, what, file string, asJSON bool, err error) error {
	switch fault, refused := errors.AsType[*domain.Fault](err); {
	case refused:
		return errors.New(fault.Message)
	case err != nil || file == standardOutput:
		return err
	case asJSON:
		return json.NewEncoder(t.out).Encode(map[string]any{what: n, "file": file})
	}
	fmt.Fprintf(t.out, "%s holds %d %s.\n", file, n, what)
	return nil
}

// ask is what is asked for, as the JSON route takes it.
func (c auditExportCmd) ask() url.Values {
	ask := url.Values{"format": {formatOf(c.Format, c.Out)}}
	for name, value := range map[string]string{
		"person": c.Person, "module": c.Module, "action": c.Action, "from": c.From, "to": c.To, "q": c.Q,
	} {
		if value != "" {
			ask.Set(name, value)
		}
	}
	return ask
}

// formatOf is the format that was asked for, or the one that the file is called after.
func formatOf(format, file string) string {
	switch {
	case format != "auto":
		return format
	case strings.EqualFold(filepath.Ext(file), ".json"):
		return "json"
	}
	return "csv"
}

const standardOutput = "-"

// writing fills a file, or standard output. A file that cannot be written whole is removed.
func writing(name string, standard io.Writer, fill func(io.Writer) error) error {
	if name == standardOutput {
		return fill(standard)
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("the file cannot be written (%w): name another one with --out", err)
	}
	if err := errors.Join(fill(f), f.Close()); err != nil {
		return errors.Join(err, os.Remove(name))
	}
	return nil
}

// takenAway puts on record that an operator takes data away. The client whose data it is may know.
func (k *stack) takenAway(ctx context.Context, firm domain.ID, of readapi.Opened, data, format string) error {
	_, err := k.loop.RecordAudit(ctx, commands.AuditLine{
		Fact: audit.DataExported{
			About: audit.About{Record: audit.Record{Type: of.Type, ID: of.ID, Label: domain.P(of.Label)}, Open: of.Open, To: of.To}, Data: data, Format: format,
		},
		Meta: domain.Meta{
			Firm: firm, Account: of.Account, Actor: domain.SystemActor("operator"), Command: domain.NewID(), Request: "command line", Time: k.now(),
		},
	})
	return err
}
