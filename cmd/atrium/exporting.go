package main

import (
	"context"
	"io"
	"net/url"

	"github.com/atrium-portal/atrium/readapi"
)

type exportCmd struct {
	stores
	What   string            `arg:"" help:"What to take: ${enum}." enum:"clients,contacts,projects,invoices,payments,contracts,team"`
	Firm   string            `help:"Name or id of the firm, when there are several."`
	Out    string            `help:"File to write; - for standard output." default:"-" placeholder:"FILE"`
	Format string            `help:"csv, json, or auto: json for a file that is called so, csv for others." enum:"auto,csv,json" default:"auto"`
	Q      string            `help:"Only what holds this text." placeholder:"TEXT"`
	Where  map[string]string `help:"Only what fits a filter of the list in the API, such as status=overdue or account=ID. May be repeated." placeholder:"FILTER=VALUE"`
	JSON   bool              `help:"Show progress for programs." name:"json"`
}

func (exportCmd) Help() string {
	return `Examples:
  atrium export clients --out clients.csv
  atrium export invoices --where status=overdue --where due_to=2026-12-31 --out overdue.json
It holds what staff read in the API, all of one moment; that it was taken is put on record first. For the history use audit export. It opens the data like the server does: run it while the server is stopped, or against stores of your own.`
}

func (c exportCmd) Run(ctx context.Context, t *terminal) error {
	collection := c.What
	if collection == "clients" {
		collection = "accounts"
	}
	format := formatOf(c.Format, c.Out)
	ask := url.Values{"format": {format}}
	for name, value := range c.Where {
		ask.Set(name, value)
	}
	if c.Q != "" {
		ask.Set("q", c.Q)
	}
	return withStack(ctx, c.stores, t, func(k *stack) error {
		firm, err := k.firmNamed(ctx, c.Firm)
		if err != nil {
			return err
		}
		scope, err := k.wholeFirm(ctx, firm.ID)
		if err != nil {
			return err
		}
		reader, err := readapi.NewReader(readapi.Pools{Client: k.pools.ClientReader, Staff: k.pools.StaffReader}, k.engine, nil, k.now)
		if err != nil {
			return err
		}
		var taken int64
		err = writing(c.Out, t.out, func(w io.Writer) (err error) {
			m := newMeter(t, "export "+c.What, c.JSON)
			defer m.end()
			begin := func(of readapi.Opened) error { return k.takenAway(ctx, firm.ID, of, c.What, format) }
			taken, err = reader.ExportList(ctx, w, readapi.ListExport{
				Taking: readapi.Taking{Scope: scope, Ask: ask, Begin: begin, Progress: m.at}, Collection: collection,
			})
			return err
		})
		return t.tookAway(taken, c.What, c.Out, c.JSON, err)
	})
}
