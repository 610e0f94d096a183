package imports_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/atrium-portal/atrium/cmd/internal/imports"
	"github.com/atrium-portal/atrium/commands"
	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/account"
	"github.com/atrium-portal/atrium/domain/invoice"
)

// ninjaWant is what the invoices of testdata come to.
var ninjaWant = imports.Summary{
	File: "file.csv", From: imports.InvoiceNinja, Kind: imports.Invoices, Rows: 10, Invoices: imports.Count{New: 7}, Drafts: 1, Events: 18,
	Totals: []imports.Totals{
		{Currency: "EUR", Billed: euros(100500), Paid: euros(500), Due: euros(100000)},
		{Currency: "USD", Billed: usd(164117), Paid: usd(134144), Due: usd(29973)},
	},
}

func euros(cents int64) domain.Money { return domain.Money{Amount: cents, Currency: "EUR"} }

func TestInvoiceNinja(t *testing.T) {
	h := newHouse(t)
	clients, invoices := fixture(t, "invoiceninja-clients.csv"), fixture(t, "invoiceninja-invoices.csv")
	s := h.clean(imports.Clients, imports.InvoiceNinja, clients)
	if s.Rows != 5 || s.Accounts.New != 4 || s.Events != 4+1+1 {
		t.Fatalf("clients: %+v", s)
	}
	if d := cmp.Diff(ninjaWant, h.clean(imports.Invoices, imports.InvoiceNinja, invoices), cmpopts.EquateEmpty()); d != "" {
		t.Fatalf("invoices (-want +got):\n%s", d)
	}
	for _, f := range h.facts()[2:] { // after the firm and its slug
		if f.Meta.Actor != domain.SystemActor("import") || f.Meta.Firm != h.firm {
			t.Fatalf("%s by %+v", f.Event.EventType(), f.Meta.Actor)
		}
	}

	found := h.invoices()
	one := found["1"]
	if len(found) != 7 || one.Issued.String() != "2019-11-25" || one.Content.Due.String() != "2019-10-20" || one.Number != 0 {
		t.Fatalf("invoice 1: %+v", one)
	}
	if l := one.Content.Lines[0]; l.Description.Reveal() != "Planting plan – Two beds,\nnorth side" || l.Quantity != 2*domain.One || l.UnitPrice != usd(12500) {
		t.Fatalf("line: %q %+v", l.Description.Reveal(), l)
	}
	if note := one.Content.Note.Reveal(); note != "PO number: PO-77" {
		t.Fatalf("note %q", note)
	}
	two := found["2"]
	if two.Due() != usd(0) || two.Content.Lines[1].Net != usd(23450) || two.Content.Lines[1].Description.Reveal() != "Report – Printed report (3 × 78.165)" {
		t.Fatalf("a price finer than a cent: %+v", two.Content.Lines)
	}
	if n := len(found["3"].Content.Lines); n != 1 {
		t.Fatalf("a repeated row makes %d lines", n)
	}
	if four := found["4"]; len(four.Content.Lines) != 2 || four.Content.Due != four.Issued {
		t.Fatalf("a row that counts twice, without a due date: %+v", four)
	}
	if five := found["5"]; five.Due() != usd(9000) || five.Content.Lines[1].Net != usd(-1000) {
		t.Fatalf("a discount: %+v", five.Content.Lines)
	}
	if draft := found["draft"]; draft.Content.Totals.Total != usd(6000) {
		t.Fatalf("draft: %+v", draft)
	}

	before := len(h.log.All())
	again := h.clean(imports.Clients, imports.InvoiceNinja, clients)
	if again.Accounts != (imports.Count{Unchanged: 4}) || again.Events != 0 {
		t.Fatalf("clients again: %+v", again)
	}
	again = h.clean(imports.Invoices, imports.InvoiceNinja, invoices)
	if again.Invoices != (imports.Count{Unchanged: 7}) || again.Events != 0 || !slices.Equal(again.Totals, ninjaWant.Totals) {
		t.Fatalf("invoices again: %+v", again)
	}
	if n := len(h.log.All()); n != before {
		t.Fatalf("the second run added %d events", n-before)
	}
}

func TestClientsDetails(t *testing.T) {
	h := newHouse(t)
	h.clean(imports.Clients, imports.InvoiceNinja, fixture(t, "invoiceninja-clients.csv"))
	details := map[string]account.State{}
	people := map[string]string{}
	for _, f := range h.facts() {
		switch e := f.Event.(type) {
		case account.Opened:
			state, _, err := commands.State(t.Context(), h.loop, account.Aggregate, f.Of)
			if err != nil {
				t.Fatal(err)
			}
			details[e.Name.Reveal()] = state
			people[e.Person.Email.Reveal()] = e.Person.Name.Reveal() + "|" + e.Person.Phone.Reveal()
		}
	}
	fern := details["Blue Fern Nursery"].Details
	if fern.Address.Reveal() != "14 Quay Road, Unit 3\nPortmouth, Oregon 97001\nUnited States" || fern.TaxID.Reveal() != "US-4411" ||
		fern.Notes.Reveal() != "Prefers calls before noon.\nWebsite: https://bluefern.example\nPhone: 555-0101" {
		t.Fatalf("%q %q %q", fern.Address.Reveal(), fern.TaxID.Reveal(), fern.Notes.Reveal())
	}
	want := map[string]string{
		"ada@bluefern.example": "Ada Lund|555-0102 x7", "cy@corvid.example": "Cy Corvid|", "dena@delft.example": "Dena Vos|+31 20 555 0177", "edda@storm.example": "Edda Storm|",
	}
	if !maps.Equal(people, want) || h.counts()["ContactAdded"] != 5 {
		t.Fatalf("contacts: %v", people)
	}
	if details["Delft Optics"].Currency != "EUR" || details["Corvid & Sons, Roofing"].Currency != "USD" || details["Edda Storm"].Currency != "USD" {
		t.Fatalf("currencies: %+v", details)
	}
}

func TestFreshBooks(t *testing.T) {
	h := newHouse(t)
	for run := range 2 {
		s := h.clean(imports.Clients, imports.FreshBooks, fixture(t, "freshbooks-clients.csv"))
		if s.Accounts.New+s.Accounts.Unchanged != 2 || (s.Events == 0) != (run == 1) {
			t.Fatalf("clients: %+v", s)
		}
		s = h.clean(imports.Invoices, imports.FreshBooks, fixture(t, "freshbooks-invoices.csv"))
		want := []imports.Totals{{Currency: "USD", Billed: usd(89547), Paid: usd(21850), Due: usd(67697)}}
		if s.Invoices.New+s.Invoices.Unchanged != 3 || s.Drafts != 1 || !slices.Equal(s.Totals, want) || (s.Events == 0) != (run == 1) {
			t.Fatalf("invoices: %+v", s)
		}
	}
	found := h.invoices()
	two := found["0000002"]
	if g := two.Content.Totals.Groups; len(g) != 1 || g[0].Rate.String() != "9.25" || g[0].Tax != usd(1850) {
		t.Fatalf("taxes: %+v", g)
	}
	for _, f := range h.facts() {
		if e, ok := f.Event.(invoice.PaymentRecorded); ok && (e.Date.String() != "2021-03-01" || e.Reference.Reveal() != "imported" || e.Method != invoice.Other) {
			t.Fatalf("payment: %+v", e)
		}
	}
}

// However many commands a run gets through before it dies, running it again gives what one run gives.
func TestKilledAndRunAgain(t *testing.T) {
	files := []struct{ kind, text string }{
		{imports.Clients, fixture(t, "invoiceninja-clients.csv")}, {imports.Invoices, fixture(t, "invoiceninja-invoices.csv")},
	}
	whole := newHouse(t)
	for _, f := range files {
		whole.clean(f.kind, imports.InvoiceNinja, f.text)
	}
	check := func(t *testing.T, h *house) {
		t.Helper()
		h.restart()
		h.clean(imports.Clients, imports.InvoiceNinja, files[0].text)
		s := h.clean(imports.Invoices, imports.InvoiceNinja, files[1].text)
		if !slices.Equal(s.Totals, ninjaWant.Totals) || s.Invoices.New+s.Invoices.Unchanged != 7 {
			t.Fatalf("%+v", s)
		}
		if !maps.Equal(h.counts(), whole.counts()) {
			t.Fatalf("events %v, want %v", h.counts(), whole.counts())
		}
	}
	for n := 0; ; n++ {
		h, done := newHouse(t), true
		d := newMortal(h.loop, n)
		for _, f := range files {
			o := h.options(f.kind, imports.InvoiceNinja, f.text)
			o.Dispatcher = d
			s, err := imports.Run(t.Context(), o)
			if err != nil {
				if !errors.Is(err, errKilled) || !strings.Contains(err.Error(), "run it again") {
					t.Fatalf("after %d commands: %v", n, err)
				}
				if got := s.Accounts.New + s.Invoices.New; got > n {
					t.Fatalf("after %d commands it says it made %d", n, got)
				}
				done = false
				break
			}
		}
		check(t, h)
		if done {
			break
		}
	}
	for n := 1; ; n++ {
		h, appends := newHouse(t), 0
		h.log.FailBefore(func(string) error {
			if appends++; appends >= n {
				return &commands.Rejected{Err: errKilled}
			}
			return nil
		})
		for _, f := range files {
			if _, err := imports.Run(t.Context(), h.options(f.kind, imports.InvoiceNinja, f.text)); err != nil && !errors.Is(err, errKilled) {
				t.Fatalf("at append %d: %v", n, err)
			}
		}
		h.log.FailBefore(nil)
		check(t, h)
		if appends < n {
			break
		}
	}
}

func TestChangedRow(t *testing.T) {
	h := newHouse(t)
	clients, invoices := fixture(t, "invoiceninja-clients.csv"), fixture(t, "invoiceninja-invoices.csv")
	h.clean(imports.Clients, imports.InvoiceNinja, clients)
	h.clean(imports.Invoices, imports.InvoiceNinja, invoices)
	before := len(h.log.All())
	s := h.run(imports.Clients, imports.InvoiceNinja, strings.ReplaceAll(clients, "cy@corvid.example", "cyrus@corvid.example"))
	expect(t, s.Problems, imports.RowProblem{7, "client Corvid & Sons, Roofing was imported before with other content"})
	s = h.run(imports.Invoices, imports.InvoiceNinja, strings.ReplaceAll(invoices, "$100.00,PO-77", "$130.00,PO-77"))
	if s.Invoices.Unchanged != 6 {
		t.Fatalf("%+v", s)
	}
	expect(t, s.Problems, imports.RowProblem{5, "invoice 1 was imported before with other content"})
	if n := len(h.log.All()); n != before {
		t.Fatalf("%d events were added", n-before)
	}
}

func TestDryRun(t *testing.T) {
	h := newHouse(t)
	run := func(kind, text string) imports.Summary {
		o := h.options(kind, imports.InvoiceNinja, text)
		o.DryRun = true
		before := len(h.log.All())
		s, err := imports.Run(t.Context(), o)
		if err != nil || len(h.log.All()) != before || s.Events != 0 {
			t.Fatalf("%+v, %v, %d events", s, err, len(h.log.All())-before)
		}
		return s
	}
	clients, invoices := fixture(t, "invoiceninja-clients.csv"), fixture(t, "invoiceninja-invoices.csv")
	if s := run(imports.Clients, clients); s.Accounts != (imports.Count{New: 4}) {
		t.Fatalf("%+v", s)
	}
	if s := run(imports.Invoices, invoices); len(s.Problems) != 7 || s.Problems[0].Reason != "invoice 1: no client named Blue Fern Nursery was imported; import the clients first" {
		t.Fatalf("%+v", s)
	}
	h.clean(imports.Clients, imports.InvoiceNinja, clients)
	if s := run(imports.Clients, clients); s.Accounts != (imports.Count{Unchanged: 4}) {
		t.Fatalf("%+v", s)
	}
	if s := run(imports.Invoices, invoices); s.Invoices != (imports.Count{New: 7}) || !slices.Equal(s.Totals, ninjaWant.Totals) {
		t.Fatalf("%+v", s)
	}
	h.clean(imports.Invoices, imports.InvoiceNinja, invoices)
	if s := run(imports.Invoices, invoices); s.Invoices != (imports.Count{Unchanged: 7}) {
		t.Fatalf("%+v", s)
	}
}

func TestProgressAndCancellation(t *testing.T) {
	h := newHouse(t)
	o := h.options(imports.Clients, imports.InvoiceNinja, fixture(t, "invoiceninja-clients.csv"))
	var told []string
	o.Progress = func(done, total int) { told = append(told, fmt.Sprint(done, "/", total)) }
	if _, err := imports.Run(t.Context(), o); err != nil || !slices.Equal(told, []string{"1/4", "2/4", "3/4", "4/4"}) {
		t.Fatalf("%v, %v", told, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	before := len(h.log.All())
	_, err := imports.Run(ctx, h.options(imports.Invoices, imports.InvoiceNinja, fixture(t, "invoiceninja-invoices.csv")))
	if !errors.Is(err, context.Canceled) || len(h.log.All()) != before {
		t.Fatalf("%v", err)
	}
}

func TestPrinted(t *testing.T) {
	h := newHouse(t)
	h.clean(imports.Clients, imports.InvoiceNinja, fixture(t, "invoiceninja-clients.csv"))
	s := h.run(imports.Invoices, imports.InvoiceNinja, strings.ReplaceAll(fixture(t, "invoiceninja-invoices.csv"), "$250.00", "$251.00"))
	var program strings.Builder
	if err := s.WriteJSON(&program); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"file.csv (invoices from Invoice Ninja)", "1,391.17 USD", "1,000.00 EUR", "invoice 1: its lines come to 250.00 USD"} {
		if !strings.Contains(s.String(), want) {
			t.Errorf("%q is not in:\n%s", want, s)
		}
	}
	var back imports.Summary
	if err := json.Unmarshal([]byte(program.String()), &back); err != nil || !cmp.Equal(back, s) || !strings.Contains(program.String(), `"line": 5`) {
		t.Fatalf("%v:\n%s", err, program.String())
	}
}

// The exports of a real product, where they are at hand: ATRIUM_IMPORT_SAMPLES names their folder.
func TestSamples(t *testing.T) {
	folder := os.Getenv("ATRIUM_IMPORT_SAMPLES")
	if folder == "" {
		return
	}
	read := func(name string) string {
		data, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	h := newHouse(t)
	for run := range 2 {
		s := h.clean(imports.Clients, imports.InvoiceNinja, read("invoiceninja-clients.csv"))
		if s.Accounts.New+s.Accounts.Unchanged != 20 || (s.Events == 0) != (run == 1) {
			t.Fatalf("%+v", s)
		}
		s = h.clean(imports.Invoices, imports.InvoiceNinja, read("invoiceninja-invoice.csv"))
		want := []imports.Totals{{Currency: "USD", Billed: usd(1186087), Paid: usd(568621), Due: usd(617466)}}
		if s.Invoices.New+s.Invoices.Unchanged != 400 || !slices.Equal(s.Totals, want) || (s.Events == 0) != (run == 1) {
			t.Fatalf("%+v", s)
		}
		t.Logf("run %d, %d events in the log\n%s", run+1, len(h.log.All()), s)
	}
	fresh := newHouse(t)
	fresh.clean(imports.Clients, imports.FreshBooks, read("freshbooks-clients.csv"))
	if s := fresh.clean(imports.Invoices, imports.FreshBooks, read("freshbooks-invoices.csv")); len(s.Totals) != 1 || s.Totals[0].Billed != usd(789000) {
		t.Fatalf("%+v", s)
	}
	for name, kind := range map[string]string{"invoiceninja-payments.csv": "payments", "invoiceninja-quotes.csv": "quotes"} {
		_, err := imports.Run(t.Context(), fresh.options(imports.Invoices, imports.InvoiceNinja, read(name)))
		if err == nil || !strings.Contains(err.Error(), "is an export of "+kind+" from Invoice Ninja") {
			t.Fatalf("%s: %v", name, err)
		}
	}
}
