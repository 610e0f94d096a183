package invoice_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/atrium-portal/atrium/domain"
	dt "github.com/atrium-portal/atrium/domain/domaintest"
	"github.com/atrium-portal/atrium/domain/invoice"
)

type (
	events = []invoice.Event
	cases  = []dt.Case[invoice.State, invoice.Event]
)

var (
	today  = dt.Meta().Today()
	due    = domain.Date{Year: 2026, Month: 4, Day: 1}
	ana    = dt.ID("ana")
	reason = domain.P("agreed on the phone")

	// 100.00 EUR and 20 % tax: 120.00 EUR.
	work = invoice.Line{Description: domain.P("Design work"), Quantity: 2 * domain.One, UnitPrice: eur(5000), TaxRate: 20 * domain.One}
	// 30.00 EUR without tax.
	travel = invoice.Line{Description: domain.P("Travel"), Quantity: 3 * domain.One / 2, UnitPrice: eur(2000)}

	drafted = invoice.Drafted(content(work))
	sent    = invoice.Sent{Number: 7, Label: "0007", Issued: today, Due: due, Recipients: []domain.ID{ana}, Total: eur(12000)}
	open    = events{drafted, sent}

	importer   = dt.By(domain.SystemActor("import"))
	payment    = dt.Meta().NewID("payment")
	earlier    = dt.ID("an earlier payment")
	deposit    = invoice.PaymentRecorded{Payment: earlier, Amount: eur(5000), Date: today, Method: invoice.Card, DueAfter: eur(7000)}
	paidOff    = invoice.PaymentRecorded{Payment: earlier, Amount: eur(12000), Date: today, Method: invoice.Cash, DueAfter: eur(0)}
	refunded   = invoice.PaymentRefunded{Refund: dt.ID("refund"), Payment: earlier, Amount: eur(2000), Date: today, Reason: reason}
	voided     = invoice.Voided{Amount: eur(12000), Date: today, Reason: reason}
	creditNote = invoice.CreditNoteIssued{
		CreditNote: invoice.CreditNoteID(dt.Meta()), Number: 3, Label: "CN-0003", Amount: eur(1200),
		Groups: []invoice.RateGroup{{Rate: 20 * domain.One, Base: eur(1000), Tax: eur(200)}}, Date: today, Reason: reason,
	}
)

func eur(cents int64) domain.Money { return domain.Money{Amount: cents, Currency: "EUR"} }

func content(lines ...invoice.Line) invoice.Content {
	priced, totals, err := invoice.Price(lines)
	if err != nil {
		panic(err)
	}
	return invoice.Content{
		Project: dt.ID("project"), Recipients: []domain.ID{ana}, Due: due, Note: domain.P("Thank you"), Lines: priced, Totals: totals,
	}
}

func draft(change func(*invoice.Draft)) invoice.Draft {
	c := invoice.Draft{
		Account: dt.ID("account"), Project: dt.ID("project"), Recipients: []domain.ID{ana}, Due: due,
		Note: domain.P("Thank you"), Lines: []invoice.Line{work}, Currency: "EUR",
	}
	change(&c)
	return c
}

// withLine is a draft of one changed line.
func withLine(change func(*invoice.Line)) invoice.Draft {
	return draft(func(c *invoice.Draft) {
		l := work
		change(&l)
		c.Lines = []invoice.Line{travel, l}
	})
}

// after is given plus more events.
func after(given events, more ...invoice.Event) events { return slices.Concat(given, more) }

func TestDraft(t *testing.T) {
	dt.Run(t, invoice.Aggregate, cases{
		{Name: "prices the lines", When: draft(func(*invoice.Draft) {}), Then: events{drafted}},
		{
			Name: "takes the currency of the first line when that of the account is not known",
			When: draft(func(c *invoice.Draft) { c.Currency = "" }), Then: events{drafted},
		},
		{
			Name: "takes a discount as a negative price",
			When: withLine(func(l *invoice.Line) { l.UnitPrice = eur(-500) }),
			Then: events{invoice.Drafted(content(travel, invoice.Line{work.Description, work.Quantity, eur(-500), work.TaxRate}))},
		},
		{Name: "needs a due date", When: draft(func(c *invoice.Draft) { c.Due = domain.Date{} }), Fault: "due-required due"},
		{Name: "needs a line", When: draft(func(c *invoice.Draft) { c.Lines = nil }), Fault: "lines-required lines"},
		{Name: "takes 500 lines", When: draft(func(c *invoice.Draft) { c.Lines = slices.Repeat(c.Lines, 501) }), Fault: "lines-too-many lines"},
		{Name: "knows each recipient once", When: draft(func(c *invoice.Draft) { c.Recipients = []domain.ID{ana, ana} }), Fault: "recipient-twice recipients[1]"},
		{Name: "needs real recipients", When: draft(func(c *invoice.Draft) { c.Recipients = []domain.ID{ana, {}} }), Fault: "recipient-required recipients[1]"},
		{Name: "takes 100 recipients", When: draft(func(c *invoice.Draft) {
			c.Recipients = nil
			for i := range 101 {
				c.Recipients = append(c.Recipients, dt.ID(strings.Repeat("i", i)))
			}
		}), Fault: "recipients-too-many recipients"},
		{Name: "takes a short note", When: draft(func(c *invoice.Draft) { c.Note = domain.P(strings.Repeat("a", 5001)) }), Fault: "note-too-long note"},
		{Name: "needs a quantity", When: withLine(func(l *invoice.Line) { l.Quantity = 0 }), Fault: "quantity-required lines[1].quantity"},
		{Name: "needs the account's currency", When: draft(func(c *invoice.Draft) { c.Currency = "USD" }), Fault: "currency-mismatch lines[0].unit_price.currency"},
		{
			Name: "is of one currency", When: draft(func(c *invoice.Draft) {
				c.Currency = ""
				c.Lines = []invoice.Line{work, {work.Description, work.Quantity, domain.Money{Amount: 1, Currency: "USD"}, 0}}
			}), Fault: "currency-mismatch lines[1].unit_price.currency",
		},
		{Name: "knows no negative tax", When: withLine(func(l *invoice.Line) { l.TaxRate = -1 }), Fault: "tax-rate-out-of-range lines[1].tax_rate"},
		{Name: "knows no tax above 100 %", When: withLine(func(l *invoice.Line) { l.TaxRate = 100*domain.One + 1 }), Fault: "tax-rate-out-of-range lines[1].tax_rate"},
		{Name: "is not below zero", When: withLine(func(l *invoice.Line) { l.UnitPrice = eur(-1600) }), Fault: "invoice-below-zero lines"},
		{
			Name: "is not beyond what we can count", When: withLine(func(l *invoice.Line) { l.UnitPrice, l.Quantity = eur(10_000_000_000_000), 2*domain.One }),
			Fault: "invoice-too-large lines[1].quantity",
		},
		{
			Name: "has a tax within what we can count", When: draft(func(c *invoice.Draft) {
				big := invoice.Line{Description: work.Description, Quantity: domain.One, UnitPrice: eur(10_000_000_000_000), TaxRate: 100 * domain.One}
				c.Lines = []invoice.Line{big, big}
			}), Fault: "invoice-too-large lines",
		},
		{
			Name: "has a total within what we can count", When: draft(func(c *invoice.Draft) {
				big := invoice.Line{Description: work.Description, Quantity: domain.One, UnitPrice: eur(10_000_000_000_000)}
				c.Lines = []invoice.Line{big, big}
			}), Fault: "invoice-too-large lines",
		},
	})
}

func TestDraftNamesTheFieldOfTheLine(t *testing.T) {
	for field, change := range map[string]func(*invoice.Line){
		"lines[1].description":         func(l *invoice.Line) { l.Description = domain.P(" ") },
		"lines[1].unit_price.currency": func(l *invoice.Line) { l.UnitPrice = domain.Money{} },
		"lines[1].unit_price.amount":   func(l *invoice.Line) { l.UnitPrice = eur(10_000_000_000_001) },
	} {
		_, err := withLine(change).Decide(invoice.State{}, dt.Meta())
		if f := domain.AsFault(err); f.Field != field || f.Kind != domain.Invalid {
			t.Errorf("%+v, want a fault of %s", f, field)
		}
	}
}

func TestReferences(t *testing.T) {
	want := []domain.Ref{
		{Field: "project", Category: "project", ID: dt.ID("project")},
		{Field: "recipients[0]", Category: "contact", ID: ana},
	}
	c := draft(func(*invoice.Draft) {})
	if got := c.Refs(); !slices.Equal(got, want) || c.Owner() != dt.ID("account") {
		t.Fatalf("refs %v, owner %v", got, c.Owner())
	}
	change := invoice.ChangeDraft{Recipients: []domain.ID{ana}}
	if got := change.Refs(); got[0].ID != domain.NoID || got[1] != want[1] {
		t.Fatalf("refs %v", got)
	}
}

func TestChangeDraft(t *testing.T) {
	note, moved, none, noDate := domain.P("Please pay soon"), due.AddDays(7), domain.NoID, domain.Date{}
	changed := content(work, travel)
	changed.Note, changed.Due = note, moved
	alone := content(work)
	alone.Project, alone.Recipients = none, []domain.ID{}
	dt.Run(t, invoice.Aggregate, cases{
		{
			Name: "carries the whole content", Given: events{drafted},
			When: invoice.ChangeDraft{Note: &note, Due: &moved, Lines: []invoice.Line{work, travel}},
			Then: events{invoice.DraftChanged(changed)},
		},
		{
			Name: "takes project and recipients away", Given: events{drafted},
			When: invoice.ChangeDraft{Project: &none, Recipients: []domain.ID{}},
			Then: events{invoice.DraftChanged(alone)},
		},
		{Name: "is silent without a difference", Given: events{drafted}, When: invoice.ChangeDraft{Lines: []invoice.Line{work}, Recipients: []domain.ID{ana}}},
		{Name: "is silent without a field", Given: events{drafted}, When: invoice.ChangeDraft{}},
		{Name: "keeps a due date", Given: events{drafted}, When: invoice.ChangeDraft{Due: &noDate}, Fault: "due-required due"},
		{Name: "keeps a line", Given: events{drafted}, When: invoice.ChangeDraft{Lines: []invoice.Line{}}, Fault: "lines-required lines"},
		{
			Name: "keeps the currency", Given: events{drafted},
			When:  invoice.ChangeDraft{Lines: []invoice.Line{{work.Description, work.Quantity, domain.Money{Amount: 1, Currency: "USD"}, 0}}},
			Fault: "currency-mismatch lines[0].unit_price.currency",
		},
		{
			Name: "is not below zero", Given: events{drafted},
			When: invoice.ChangeDraft{Lines: []invoice.Line{{work.Description, work.Quantity, eur(-1), 0}}}, Fault: "invoice-below-zero lines",
		},
		{Name: "leaves a sent invoice alone", Given: open, When: invoice.ChangeDraft{Note: &note}, Fault: "invoice-already-sent"},
		{Name: "leaves a void invoice alone", Given: events{drafted, voided}, When: invoice.ChangeDraft{Note: &note}, Fault: "invoice-void"},
	})
}

func TestSend(t *testing.T) {
	old := domain.Date{Year: 2019, Month: 11, Day: 25}
	imported := invoice.Send{Imported: &invoice.Imported{Number: "INV/19-1", Issued: old}}
	late := dt.Meta()
	late.Time = late.Time.AddDate(0, 2, 0)
	dt.Run(t, invoice.Aggregate, cases{
		{Name: "takes the next number", Given: events{drafted}, When: invoice.Send{Number: 7}, Then: events{sent}},
		{
			Name: "puts the firm's prefix before it", Given: events{drafted}, When: invoice.Send{Number: 12345, Prefix: "2026-"},
			Then: events{invoice.Sent{Number: 12345, Label: "2026-12345", Issued: today, Due: due, Recipients: []domain.ID{ana}, Total: eur(12000)}},
		},
		{Name: "is sent already", Given: open, When: invoice.Send{Number: 8}},
		{Name: "is paid already", Given: after(open, paidOff, invoice.Paid{}), When: invoice.Send{Number: 8}},
		{Name: "is void", Given: after(open, voided), When: invoice.Send{Number: 8}, Fault: "invoice-void"},
		{Name: "does not exist", When: invoice.Send{Number: 8}, Fault: "not-found"},
		{Name: "is due after it is sent", Given: events{drafted}, When: invoice.Send{}, Meta: late, Fault: "due-before-issue due"},
		{
			Name: "keeps its number and date in an import, even when they are odd", Given: events{drafted}, Meta: importer, When: imported,
			Then: events{invoice.Sent{Label: "INV/19-1", Issued: old, Due: due, Recipients: []domain.ID{ana}, Total: eur(12000), Imported: true}},
		},
		{Name: "gets an own number from nobody else", Given: events{drafted}, When: imported, Fault: "import-only imported"},
		{
			Name: "needs the number it had", Given: events{drafted}, Meta: importer, When: invoice.Send{Imported: &invoice.Imported{Issued: old}},
			Fault: "imported.number-required imported.number",
		},
		{
			Name: "was not issued in the future", Given: events{drafted}, Meta: importer,
			When: invoice.Send{Imported: &invoice.Imported{Number: "1", Issued: today.AddDays(1)}}, Fault: "date-in-future imported.issued",
		},
	})
}

func TestImportedInvoiceMayBeDueBeforeItWasIssued(t *testing.T) {
	c := invoice.Send{Imported: &invoice.Imported{Number: "1", Issued: due.AddDays(30)}}
	m := importer
	m.Time = m.Time.AddDate(1, 0, 0)
	if got, err := c.Decide(invoice.Aggregate.Fold(drafted), m); err != nil || len(got) != 1 {
		t.Fatalf("%v, %v", got, err)
	}
}

func TestVoid(t *testing.T) {
	rest := invoice.PaymentRefunded{Refund: dt.ID("another"), Payment: earlier, Amount: eur(3000), Date: today, Reason: reason}
	dt.Run(t, invoice.Aggregate, cases{
		{Name: "ends a draft", Given: events{drafted}, When: invoice.Void{Reason: reason}, Then: events{invoice.Voided{Amount: eur(0), Date: today, Reason: reason}}},
		{Name: "ends a sent invoice", Given: open, When: invoice.Void{Reason: reason}, Then: events{voided}},
		{Name: "ends an invoice of which all was refunded", Given: after(open, deposit, refunded, rest), When: invoice.Void{Reason: reason}, Then: events{voided}},
		{Name: "is void already", Given: after(open, voided), When: invoice.Void{Reason: reason}},
		{Name: "needs payments refunded", Given: after(open, deposit, refunded), When: invoice.Void{Reason: reason}, Fault: "invoice-has-payments"},
		{Name: "needs a reason", Given: open, When: invoice.Void{}, Fault: "reason-required reason"},
		{Name: "needs an invoice", When: invoice.Void{Reason: reason}, Fault: "not-found"},
	})
}

func TestMarkOverdue(t *testing.T) {
	late, onTheDay := importer, importer
	late.Time = due.AddDays(1).Time()
	onTheDay.Time = due.Time()
	marked := invoice.Overdue{Due: due, Amount: eur(12000)}
	dt.Run(t, invoice.Aggregate, cases{
		{Name: "marks the day after", Given: open, Meta: late, When: invoice.MarkOverdue{}, Then: events{marked}},
		{Name: "waits for the end of the day", Given: open, Meta: onTheDay, When: invoice.MarkOverdue{}},
		{Name: "marks once", Given: after(open, marked), Meta: late, When: invoice.MarkOverdue{}},
		{Name: "marks what is still due", Given: after(open, deposit), Meta: late, When: invoice.MarkOverdue{}, Then: events{invoice.Overdue{Due: due, Amount: eur(7000)}}},
		{Name: "leaves a paid invoice alone", Given: after(open, paidOff, invoice.Paid{}), Meta: late, When: invoice.MarkOverdue{}},
		{
			Name: "marks again when a payment was taken back", Given: after(open, marked, paidOff, invoice.Paid{}, refunded), Meta: late, When: invoice.MarkOverdue{},
			Then: events{invoice.Overdue{Due: due, Amount: eur(2000)}},
		},
		{Name: "leaves a draft alone", Given: events{drafted}, Meta: late, When: invoice.MarkOverdue{}},
		{Name: "leaves a void invoice alone", Given: after(open, voided), Meta: late, When: invoice.MarkOverdue{}},
	})
}

func TestSentences(t *testing.T) {
	for want, e := range map[string]invoice.Event{
		"drafted an invoice for 120.00 EUR, due 2026-04-01":           drafted,
		"sent invoice 0007 for 120.00 EUR, due 2026-04-01":            sent,
		"recorded a payment of 50.00 EUR by card":                     deposit,
		"recorded a payment of 120.00 EUR in cash":                    paidOff,
		"recorded a payment of 0.01 EUR":                              invoice.PaymentRecorded{Amount: eur(1), Method: invoice.Other},
		"recorded a payment of 0.02 EUR by cheque":                    invoice.PaymentRecorded{Amount: eur(2), Method: invoice.Cheque},
		"recorded a payment of 0.03 EUR by direct debit":              invoice.PaymentRecorded{Amount: eur(3), Method: invoice.DirectDebit},
		"recorded a payment of 0.04 EUR by bank transfer":             invoice.PaymentRecorded{Amount: eur(4), Method: invoice.BankTransfer},
		"refunded 20.00 EUR":                                          refunded,
		"issued credit note CN-0003 for 12.00 EUR":                    creditNote,
		"marked the invoice as overdue: 70.00 EUR was due 2026-04-01": invoice.Overdue{Due: due, Amount: eur(7000)},
	} {
		if got := e.Sentence(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestFoldingLeavesTheOldStateAlone(t *testing.T) {
	before := invoice.Aggregate.Fold(after(open, deposit)...)
	for _, e := range (events{paidOff, refunded, creditNote, voided}) {
		invoice.Aggregate.Evolve(before, e)
	}
	if len(before.Payments) != 1 || len(before.Made) != 0 || before.Paid() != eur(5000) || before.Due() != eur(7000) {
		t.Fatalf("the state changed: %+v", before)
	}
}

func TestGolden(t *testing.T) {
	full := content(work, travel)
	imported := sent
	imported.Imported = true
	imported.Seller = invoice.Seller{
		Name: "North Studio", Address: "1 Quay\nBergen", TaxID: "NO 123", Payment: "IBAN NO93 8601", NumberFormat: "1 234,56", Color: "#123456",
	}
	imported.Buyer = invoice.Buyer{Name: domain.P("Lima"), Address: domain.P("2 Hill\nOslo"), TaxID: domain.P("NO 456")}
	referenced := deposit
	referenced.Reference, referenced.Receipt = domain.P("RF18 5390"), "R-0012"
	dt.Golden(t, invoice.Aggregate,
		invoice.Drafted(full), invoice.DraftChanged(full), imported, referenced, invoice.Paid{}, refunded, creditNote, voided,
		invoice.Overdue{Due: due, Amount: eur(7000)}, asked, answered)
}

// code is the code and field of a fault.
func code(err error) string {
	f, ok := errors.AsType[*domain.Fault](err)
	if !ok {
		return ""
	}
	return f.Code
}
