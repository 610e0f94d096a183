package projections_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/domaintest"
	"github.com/atrium-portal/atrium/domain/invoice"
	"github.com/atrium-portal/atrium/projections"
)

// TestWhatIf supposes things of an account with an invoice of 119.00, of which 50.00 are paid, and one of 119.00 that is
// paid. Both were due at the end of January 2027.
func TestWhatIf(t *testing.T) {
	db, w := newDatabase(t), newWorld(t)
	p := w.foundFirm(t, "north")
	p.openAccount("acme", "ana")
	p.sendInvoice("acme part", "acme")
	p.sendInvoice("acme paid", "acme")
	p.draftInvoice("acme draft", "acme")
	for name, amount := range map[string]int64{"acme part": 50_00, "acme paid": 119_00} {
		must(p, invoice.Aggregate, name, "", invoice.RecordPayment{
			Invoice: domaintest.ID(name), Amount: domain.Money{Amount: amount, Currency: "EUR"}, Date: domain.Date{Year: 2026, Month: time.March, Day: 2}, Method: invoice.Card,
		})
	}
	e := db.engineOf(t, w.log, projections.Tables())
	if err := e.Apply(t.Context(), w.batch()); err != nil {
		t.Fatal(err)
	}
	head, before := len(w.log.all()), digest(t, e)
	of := projections.Whose{Firm: p.firm, Account: domaintest.ID("acme")}
	now := time.Date(2027, time.March, 15, 12, 0, 0, 0, time.UTC)

	real := projections.Figures{Billed: 238_00, Paid: 169_00, Due: 69_00}
	for name, c := range map[string]struct {
		rate, fee, plan string
		want            projections.Figures
		added           int
		last            int64 // the balance in the end
	}{
		"nothing":       {want: real, last: 69_00},
		"the same rate": {rate: "19", want: real, last: 69_00},
		"no tax":        {rate: "0", want: projections.Figures{Billed: 200_00, Paid: 169_00, Due: 31_00}, last: 31_00},
		"more tax":      {rate: "25", want: projections.Figures{Billed: 250_00, Paid: 169_00, Due: 81_00}, last: 81_00},
		"a share":       {fee: "10%/30d", want: projections.Figures{Billed: 244_90, Paid: 169_00, Due: 75_90}, added: 1, last: 75_90},
		"an amount":     {fee: "25.00/14d", want: projections.Figures{Billed: 263_00, Paid: 169_00, Due: 94_00}, added: 1, last: 94_00},
		"not late yet":  {fee: "25.00/90d", want: real, last: 69_00},
		"a plan":        {plan: "3/30d", want: projections.Figures{Billed: 238_00, Paid: 238_00}},
		"all of it":     {rate: "25", fee: "10%/30d", plan: "4/7d", want: projections.Figures{Billed: 258_10, Paid: 258_10}, added: 2},
		"odd parts":     {plan: "7/30d", want: projections.Figures{Billed: 238_00, Paid: 238_00}},
		"fee of no tax": {rate: "0", fee: "10%/30d", want: projections.Figures{Billed: 205_00, Paid: 169_00, Due: 36_00}, added: 1, last: 36_00},
	} {
		got, err := e.WhatIf(t.Context(), w.log, of, now, suppose(t, c.rate, c.fee, c.plan))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got.Real != real || got.Currency != "EUR" {
			t.Errorf("%s: really %+v", name, got.Real)
		}
		added := 0
		for _, i := range got.Invoices {
			if i.Added {
				added++
			}
		}
		// One invoice may be overpaid where there is less tax: what is due in all is what counts.
		if d := cmp.Diff(c.want, got.WhatIf); d != "" || added != c.added {
			t.Errorf("%s: %d added (-want +got):\n%s", name, added, d)
		}
		if last := got.Balances[len(got.Balances)-1]; last.Real != 69_00 || last.WhatIf != c.last {
			t.Errorf("%s: in the end %+v", name, last)
		}
	}
	if len(w.log.all()) != head {
		t.Error("something was appended")
	}
	if d := cmp.Diff(before, digest(t, e)); d != "" {
		t.Errorf("the live tables changed:\n%s", d)
	}
	if _, err := e.WhatIf(t.Context(), w.log, projections.Whose{Firm: domaintest.ID("south"), Account: of.Account}, now, projections.Hypothesis{}); err == nil {
		t.Error("another firm's account")
	}
}

func suppose(t *testing.T, rate, fee, plan string) (h projections.Hypothesis) {
	t.Helper()
	var err error
	read := func(text string, parse func() error) {
		if text != "" {
			if err = parse(); err != nil {
				t.Fatal(err)
			}
		}
	}
	read(rate, func() (err error) { h.TaxRate, err = projections.ParseTaxRate(rate); return err })
	read(fee, func() (err error) { h.LateFee, err = projections.ParseLateFee(fee); return err })
	read(plan, func() (err error) { h.Plan, err = projections.ParsePlan(plan); return err })
	return h
}

func TestHypothesesThatCannotBeRead(t *testing.T) {
	for _, text := range []string{"", "x", "5", "5%", "/30d", "5%/", "5%/0d", "-5/30d", "101%/30d", "1.005/30d", "5%/400d", "0/30d"} {
		if fee, err := projections.ParseLateFee(text); err == nil {
			t.Errorf("late fee %q is %+v", text, fee)
		}
	}
	for _, text := range []string{"", "x", "0/30d", "61/30d", "3", "3/", "3/0d", "-1/30d"} {
		if plan, err := projections.ParsePlan(text); err == nil {
			t.Errorf("plan %q is %+v", text, plan)
		}
	}
	for _, text := range []string{"", "x", "-1", "101"} {
		if rate, err := projections.ParseTaxRate(text); err == nil {
			t.Errorf("rate %q is %s", text, rate)
		}
	}
}
