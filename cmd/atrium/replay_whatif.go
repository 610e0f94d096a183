package main

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/jedib0t/go-pretty/v6/table"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/projections"
	"github.com/atrium-portal/atrium/readapi"
)

type replayWhatIfCmd struct {
	replayFlags
	Account string `help:"Id of the account." required:"" placeholder:"ID"`
	LateFee string `help:"Once per late invoice, a share of what is due or an amount, and how many days after the due date." placeholder:"1.5%/30d"`
	TaxRate string `help:"On every line of every invoice, in percent." placeholder:"19"`
	Plan    string `help:"What is due now is paid in parts, and the days between them." placeholder:"6/30d"`
}

func (replayWhatIfCmd) Help() string {
	return `The history of the account is folded again in memory with the hypothetical events. Nothing is appended, sent or sealed.

Examples:
  atrium replay whatif --account 0198a6f2-3c11-7cc2-9d1e-5a3b8c7d6e5f --late-fee 1.5%/30d
  atrium replay whatif --account 0198a6f2-3c11-7cc2-9d1e-5a3b8c7d6e5f --tax-rate 21 --plan 6/30d`
}

func (c replayWhatIfCmd) Run(ctx context.Context, t *terminal) error {
	var account domain.ID
	if err := account.UnmarshalText([]byte(c.Account)); err != nil {
		return fmt.Errorf("--account %q is no id: `atrium events list` shows those of accounts", c.Account)
	}
	return withIdleStack(ctx, c.stores, t, func(k *stack) error {
		var firm domain.ID
		if err := k.pools.Projector.QueryRow(ctx, "select firm from read.accounts where id = $1", account).Scan(&firm); err != nil {
			return fmt.Errorf("there is no account %s in the read tables: start the server once, or look for the id with `atrium events list`", account)
		}
		got, err := supposer{k}.Suppose(ctx, firm, account, readapi.Hypothesis{LateFee: c.LateFee, TaxRate: c.TaxRate, Plan: c.Plan})
		if err != nil {
			return err
		}
		if c.JSON {
			return json.NewEncoder(t.out).Encode(got)
		}
		w := table.NewWriter()
		w.AppendHeader(table.Row{"invoice", "billed", "paid", "due", "billed, what if", "paid", "due"})
		for _, i := range got.Invoices {
			label := i.Label
			if i.Added {
				label += " (supposed)"
			}
			w.AppendRow(table.Row{label, i.Real.Billed, i.Real.Paid, i.Real.Due, i.WhatIf.Billed, i.WhatIf.Paid, i.WhatIf.Due})
		}
		w.AppendFooter(table.Row{"total", got.Real.Billed, got.Real.Paid, got.Real.Due, got.WhatIf.Billed, got.WhatIf.Paid, got.WhatIf.Due})
		fmt.Fprintln(t.out, w.Render())
		fmt.Fprintln(t.out, "Nothing was appended.")
		return nil
	})
}

// supposer answers what-if questions from the log.
type supposer struct{ k *stack }

// Suppose implements readapi.Supposer.
func (s supposer) Suppose(ctx context.Context, firm, account domain.ID, h readapi.Hypothesis) (*readapi.WhatIf, error) {
	var supposed projections.Hypothesis
	for _, part := range []struct {
		field, text string
		read        func(string) error
	}{
		{"late_fee", h.LateFee, func(text string) (err error) { supposed.LateFee, err = projections.ParseLateFee(text); return err }},
		{"tax_rate", h.TaxRate, func(text string) (err error) { supposed.TaxRate, err = projections.ParseTaxRate(text); return err }},
		{"plan", h.Plan, func(text string) (err error) { supposed.Plan, err = projections.ParsePlan(text); return err }},
	} {
		if part.text == "" {
			continue
		}
		if err := part.read(part.text); err != nil {
			return nil, &domain.Fault{Kind: domain.Malformed, Code: "hypothesis-unreadable", Field: part.field, Message: err.Error()}
		}
	}
	got, err := s.k.engine.WhatIf(ctx, s.k.events, projections.Whose{Firm: firm, Account: account}, s.k.now(), supposed)
	if err != nil {
		return nil, err
	}
	figures := func(f projections.Figures) readapi.Figures {
		money := func(n int64) domain.Money { return domain.Money{Amount: n, Currency: got.Currency} }
		return readapi.Figures{Billed: money(f.Billed), Paid: money(f.Paid), Due: money(f.Due)}
	}
	shown := &readapi.WhatIf{Real: figures(got.Real), WhatIf: figures(got.WhatIf)}
	for _, i := range got.Invoices {
		shown.Invoices = append(shown.Invoices, readapi.SupposedInvoice{ID: i.Invoice, Label: i.Label, Added: i.Added, Real: figures(i.Real), WhatIf: figures(i.WhatIf)})
	}
	for _, b := range got.Balances {
		shown.Balances = append(shown.Balances, readapi.SupposedBalance{
			Date: b.Date, Real: domain.Money{Amount: b.Real, Currency: got.Currency}, WhatIf: domain.Money{Amount: b.WhatIf, Currency: got.Currency},
		})
	}
	return shown, nil
}
