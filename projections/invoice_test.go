package projections

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/invoice"
)

func eur(amount int64) domain.Money { return domain.Money{Amount: amount, Currency: "EUR"} }

var (
	issued = domain.Date{Year: 2026, Month: time.March, Day: 2}
	due    = domain.Date{Year: 2026, Month: time.March, Day: 16}
)

// content is one line of 100.00 at 19 %: 119.00.
func content(t *testing.T) invoice.Content {
	t.Helper()
	lines, totals, err := invoice.Price([]invoice.Line{
		{Description: domain.P("Design"), Quantity: 2 * domain.One, UnitPrice: eur(50_00), TaxRate: 19 * domain.One},
	})
	if err != nil {
		t.Fatal(err)
	}
	return invoice.Content{
		Project: id("project"), Recipients: []domain.ID{id("ana")}, Due: due, Note: domain.P("Thank you"), Lines: lines, Totals: totals,
	}
}

func sent() invoice.Sent {
	return invoice.Sent{Number: 7, Label: "INV-0007", Issued: issued, Due: due, Recipients: []domain.ID{id("ana")}, Total: eur(119_00)}
}

func paid(name string, amount, dueAfter int64) invoice.PaymentRecorded {
	return invoice.PaymentRecorded{
		Payment: id(name), Amount: eur(amount), Date: issued.AddDays(3), Method: invoice.BankTransfer,
		Reference: domain.P("RF18"), DueAfter: eur(dueAfter),
	}
}

func refund(payment string, amount int64) invoice.PaymentRefunded {
	return invoice.PaymentRefunded{Refund: id("refund"), Payment: id(payment), Amount: eur(amount), Date: issued, Reason: domain.P("secret reason")}
}

func credit(amount int64) invoice.CreditNoteIssued {
	return invoice.CreditNoteIssued{
		CreditNote: id("credit note"), Number: 3, Label: "CN-0003", Amount: eur(amount), Date: issued, Reason: domain.P("secret reason"),
		Groups: []invoice.RateGroup{{Rate: 19 * domain.One, Base: eur(amount), Tax: eur(0)}},
	}
}

func voided(due int64) invoice.Voided {
	return invoice.Voided{Amount: eur(due), Date: issued, Reason: domain.P("secret reason")}
}

func TestInvoiceRow(t *testing.T) {
	frozen := sent()
	frozen.Seller = invoice.Seller{Name: "North", Address: "1 Quay"}
	frozen.Buyer = invoice.Buyer{Name: domain.P("Lima"), Address: domain.P("2 Hill"), TaxID: domain.P("NO 456")}
	got := row[invoiceRow](t, story("invoice", "it", invoice.Drafted(content(t)), frozen), "invoices", id("it"))
	same(t, &invoiceRow{
		owned: ownedByTest("it"), Project: id("project"), Recipients: []domain.ID{id("ana")}, Status: sentInvoice, Released: true,
		Number: 7, Label: "INV-0007", Currency: "EUR", Issued: issued, Due: due, Note: "Thank you",
		Lines:     []invoiceLine{{"Design", 2 * domain.One, eur(50_00), 19 * domain.One, eur(100_00)}},
		TaxGroups: []invoice.RateGroup{{Rate: 19 * domain.One, Base: eur(100_00), Tax: eur(19_00)}},
		Rule:      invoice.Rule{Rounding: "half_away_from_zero", TaxPer: "rate_group"},
		Seller:    frozen.Seller, Buyer: invoiceBuyer{"Lima", "2 Hill", "NO 456"},
		Net: 100_00, Tax: 19_00, Total: 119_00, DueAmount: 119_00, DraftedAt: at(0), SentAt: at(1),
	}, got)
}

// TestInvoiceMoney follows status and amounts through an invoice's life.
func TestInvoiceMoney(t *testing.T) {
	type money struct {
		Status                                       invoiceStatus
		Paid, Refunded, Credited, Voided, Due, Total int64
		PaidAt                                       time.Time
	}
	free := content(t)
	free.Lines, free.Totals, _ = invoice.Price([]invoice.Line{{Quantity: domain.One, UnitPrice: eur(0)}})
	drafted := invoice.Drafted(content(t))
	freeSent := sent()
	freeSent.Total = eur(0)
	for _, c := range []struct {
		name   string
		events []domain.Event
		want   money
	}{
		{"draft", []domain.Event{drafted}, money{Status: "draft", Total: 119_00}},
		{"sent", []domain.Event{drafted, sent()}, money{Status: "sent", Due: 119_00, Total: 119_00}},
		{"nothing to pay", []domain.Event{invoice.Drafted(free), freeSent}, money{Status: "paid", PaidAt: at(1)}},
		{
			"part paid",
			[]domain.Event{drafted, sent(), paid("p1", 19_00, 100_00)},
			money{Status: "part_paid", Paid: 19_00, Due: 100_00, Total: 119_00},
		},
		{
			"paid",
			[]domain.Event{drafted, sent(), paid("p1", 119_00, 0), invoice.Paid{}},
			money{Status: "paid", Paid: 119_00, Total: 119_00, PaidAt: at(3)},
		},
		{
			"part refunded",
			[]domain.Event{drafted, sent(), paid("p1", 119_00, 0), invoice.Paid{}, refund("p1", 19_00)},
			money{Status: "part_paid", Paid: 100_00, Refunded: 19_00, Due: 19_00, Total: 119_00},
		},
		{
			"refunded and paid again",
			[]domain.Event{drafted, sent(), paid("p1", 119_00, 0), invoice.Paid{}, refund("p1", 119_00), paid("p2", 119_00, 0), invoice.Paid{}},
			money{Status: "paid", Paid: 119_00, Refunded: 119_00, Total: 119_00, PaidAt: at(6)},
		},
		{
			"credited in part",
			[]domain.Event{drafted, sent(), credit(19_00)},
			money{Status: "sent", Credited: 19_00, Due: 100_00, Total: 119_00},
		},
		{
			"credited",
			[]domain.Event{drafted, sent(), credit(119_00)},
			money{Status: "credited", Credited: 119_00, Total: 119_00},
		},
		{
			"paid in part, the rest credited",
			[]domain.Event{drafted, sent(), paid("p1", 100_00, 19_00), credit(19_00)},
			money{Status: "paid", Paid: 100_00, Credited: 19_00, Total: 119_00, PaidAt: at(3)},
		},
		{"void draft", []domain.Event{drafted, voided(0)}, money{Status: "void", Total: 119_00}},
		{"void", []domain.Event{drafted, sent(), voided(119_00)}, money{Status: "void", Voided: 119_00, Total: 119_00}},
		{
			"void after a credit",
			[]domain.Event{drafted, sent(), credit(19_00), voided(100_00)},
			money{Status: "void", Credited: 19_00, Voided: 100_00, Total: 119_00},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := row[invoiceRow](t, story("invoice", "it", c.events...), "invoices", id("it"))
			got := money{r.Status, r.Paid, r.Refunded, r.Credited, r.Voided, r.DueAmount, r.Total, r.PaidAt}
			if d := cmp.Diff(c.want, got); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

// TestPaidIsTheEventThatChangesTheStatus: history shows "sent → paid" at InvoicePaid, not at the payment before it.
func TestPaidIsTheEventThatChangesTheStatus(t *testing.T) {
	facts := story("invoice", "it", invoice.Drafted(content(t)), sent(), paid("p1", 119_00, 0), invoice.Paid{})
	for n, want := range map[int]invoiceStatus{3: sentInvoice, 4: paidInvoice} {
		if got := row[invoiceRow](t, facts[:n], "invoices", id("it")); got.Status != want || got.DueAmount != 0 {
			t.Errorf("after %d events: %s with %d due, want %s", n, got.Status, got.DueAmount, want)
		}
	}
}

func TestOverdueMarkLastsUntilPaid(t *testing.T) {
	facts := story("invoice", "it", invoice.Drafted(content(t)), sent(), invoice.Overdue{Due: due, Amount: eur(119_00)},
		paid("p1", 119_00, 0), invoice.Paid{})
	for n, want := range map[int]bool{2: false, 3: true, 4: true, 5: false} {
		if got := row[invoiceRow](t, facts[:n], "invoices", id("it")); got.OverdueMarked != want {
			t.Errorf("after %d events the mark is %v", n, got.OverdueMarked)
		}
	}
}

func TestInvoiceAudience(t *testing.T) {
	facts := story("invoice", "it", invoice.Drafted(content(t)), sent(), voided(119_00))
	for n, want := range map[int]bool{1: false, 2: true, 3: true} {
		visible, to := row[invoiceRow](t, facts[:n], "invoices", id("it")).Audience()
		if visible != want || len(to) != 1 || to[0] != id("ana") {
			t.Errorf("after %d events: visible %v to %v", n, visible, to)
		}
	}
}

func TestImportedInvoice(t *testing.T) {
	imported := invoice.Sent{Label: "0043", Issued: issued, Due: due, Total: eur(119_00), Imported: true}
	got := row[invoiceRow](t, story("invoice", "it", invoice.Drafted(content(t)), imported), "invoices", id("it"))
	if !got.Imported || got.Number != 0 || got.Label != "0043" || len(got.Recipients) != 0 {
		t.Errorf("got %+v", got)
	}
}

func TestDraftChangeReplacesTheContent(t *testing.T) {
	changed := content(t)
	changed.Project, changed.Due, changed.Note, changed.Recipients = domain.NoID, due.AddDays(5), domain.P(""), nil
	got := row[invoiceRow](t, story("invoice", "it", invoice.Drafted(content(t)), invoice.DraftChanged(changed)), "invoices", id("it"))
	if got.Project != domain.NoID || got.Due != due.AddDays(5) || got.Note != "" || len(got.Recipients) != 0 || got.Status != draftInvoice {
		t.Errorf("got %+v", got)
	}
}

func TestPaymentRow(t *testing.T) {
	first := paid("p1", 100_00, 19_00)
	first.Receipt = "R-0012"
	facts := story("invoice", "it", invoice.Drafted(content(t)), sent(), first, paid("p2", 19_00, 0), refund("p1", 30_00))
	same(t, &paymentRow{
		ID: id("p1"), Firm: id("firm"), Account: id("account"), Invoice: id("it"), Amount: 100_00, Refunded: 30_00, Currency: "EUR",
		Date: issued.AddDays(3), Method: invoice.BankTransfer, Reference: "RF18", Receipt: "R-0012", DueAfter: 19_00, RecordedAt: at(2),
	}, row[paymentRow](t, facts, "payments", id("p1")))
	if other := row[paymentRow](t, facts, "payments", id("p2")); other.Refunded != 0 {
		t.Errorf("the refund of one payment shows on the other: %+v", other)
	}
}

func TestCreditNoteAndReasons(t *testing.T) {
	facts := story("invoice", "it", invoice.Drafted(content(t)), sent(), paid("p1", 19_00, 100_00), refund("p1", 19_00), credit(19_00), voided(100_00))
	same(t, &creditNoteRow{
		ID: id("credit note"), Firm: id("firm"), Account: id("account"), Invoice: id("it"), Number: 3, Label: "CN-0003", Amount: 19_00,
		Currency: "EUR", TaxGroups: credit(19_00).Groups, Date: issued, IssuedAt: at(4),
	}, row[creditNoteRow](t, facts, "credit_notes", id("credit note")))
	for n, kind := range map[string]entryKind{"refund": refundEntry, "credit note": creditNoteEntry, "it": voidEntry} {
		got := row[invoiceReasonRow](t, facts, "invoice_reasons", id(n))
		if got == nil || got.Kind != kind || got.Reason != "secret reason" || got.Invoice != id("it") {
			t.Errorf("reason of the %s: %+v", kind, got)
		}
	}
}

func TestLedger(t *testing.T) {
	facts := story("invoice", "it", invoice.Drafted(content(t)), sent(), paid("p1", 19_00, 100_00), refund("p1", 19_00), credit(19_00), voided(100_00))
	type entry struct {
		Kind   entryKind
		Amount int64
		Date   domain.Date
		At     time.Time
		Label  string
	}
	for n, want := range map[domain.ID]entry{
		eventID(1): {invoiceEntry, 119_00, issued, at(1), "INV-0007"},
		eventID(2): {paymentEntry, -19_00, issued.AddDays(3), at(2), ""},
		eventID(3): {refundEntry, 19_00, issued, at(3), ""},
		eventID(4): {creditNoteEntry, -19_00, issued, at(4), "CN-0003"},
		eventID(5): {voidEntry, -100_00, issued, at(5), ""},
	} {
		r := row[ledgerRow](t, facts, "ledger", n)
		if got := (entry{r.Kind, r.Amount, r.Date, r.RecordedAt, r.Label}); got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
		if r.Currency != "EUR" || r.Invoice != id("it") {
			t.Errorf("got %+v", r)
		}
	}
	if n := len(fold(t, facts)["ledger"]); n != 5 {
		t.Errorf("%d rows, want 5", n)
	}
}

// TestLedgerOfAVoidDraft: what was never sent never counted.
func TestLedgerOfAVoidDraft(t *testing.T) {
	if rows := fold(t, story("invoice", "it", invoice.Drafted(content(t)), voided(0)))["ledger"]; len(rows) != 0 {
		t.Errorf("got %v", rows)
	}
}
