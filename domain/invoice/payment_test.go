package invoice_test

import (
	"strings"
	"testing"

	"github.com/atrium-portal/atrium/domain"
	dt "github.com/atrium-portal/atrium/domain/domaintest"
	"github.com/atrium-portal/atrium/domain/invoice"
)

func pay(cents int64) invoice.RecordPayment {
	return invoice.RecordPayment{Amount: eur(cents), Date: today, Method: invoice.BankTransfer}
}

func recorded(cents, dueAfter int64) invoice.PaymentRecorded {
	return invoice.PaymentRecorded{Payment: payment, Amount: eur(cents), Date: today, Method: invoice.BankTransfer, DueAfter: eur(dueAfter)}
}

func TestRecordPayment(t *testing.T) {
	with := func(change func(*invoice.RecordPayment)) invoice.RecordPayment {
		c := pay(5000)
		change(&c)
		return c
	}
	dt.Run(t, invoice.Aggregate, cases{
		{Name: "records a part", Given: open, When: pay(5000), Then: events{recorded(5000, 7000)}},
		{Name: "pays all", Given: open, When: pay(12000), Then: events{recorded(12000, 0), invoice.Paid{}}},
		{Name: "pays the rest", Given: after(open, deposit), When: pay(7000), Then: events{recorded(7000, 0), invoice.Paid{}}},
		{Name: "pays what a credit note left", Given: after(open, creditNote), When: pay(10800), Then: events{recorded(10800, 0), invoice.Paid{}}},
		{Name: "pays again what was refunded", Given: after(open, paidOff, invoice.Paid{}, refunded), When: pay(2000), Then: events{recorded(2000, 0), invoice.Paid{}}},
		{Name: "takes no more than is due", Given: open, When: pay(12001), Fault: "payment-exceeds-due amount"},
		{Name: "takes no more than a payment left", Given: after(open, deposit), When: pay(7001), Fault: "payment-exceeds-due amount"},
		{Name: "takes nothing when nothing is due", Given: after(open, paidOff, invoice.Paid{}), When: pay(1), Fault: "payment-exceeds-due amount"},
		{Name: "needs an amount", Given: open, When: pay(0), Fault: "amount-out-of-range amount.amount"},
		{Name: "takes no negative amount", Given: open, When: pay(-1), Fault: "amount-out-of-range amount.amount"},
		{Name: "needs the invoice's currency", Given: open, When: with(func(c *invoice.RecordPayment) { c.Amount.Currency = "USD" }), Fault: "currency-mismatch amount.currency"},
		{Name: "needs a date", Given: open, When: with(func(c *invoice.RecordPayment) { c.Date = domain.Date{} }), Fault: "date-required date"},
		{Name: "does not look ahead", Given: open, When: with(func(c *invoice.RecordPayment) { c.Date = today.AddDays(1) }), Fault: "date-in-future date"},
		{Name: "knows its methods", Given: open, When: with(func(c *invoice.RecordPayment) { c.Method = "barter" }), Fault: "method-unknown method"},
		{Name: "needs a method", Given: open, When: with(func(c *invoice.RecordPayment) { c.Method = "" }), Fault: "method-unknown method"},
		{Name: "takes a short reference", Given: open, When: with(func(c *invoice.RecordPayment) { c.Reference = domain.P(strings.Repeat("1", 201)) }), Fault: "reference-too-long reference"},
		{Name: "needs a sent invoice", Given: events{drafted}, When: pay(5000), Fault: "invoice-not-sent"},
		{Name: "needs a valid invoice", Given: after(open, voided), When: pay(5000), Fault: "invoice-void"},
		{Name: "needs an invoice", When: pay(5000), Fault: "not-found"},
	})
}

func TestOverpaymentIsRefusedWithWhatIsDue(t *testing.T) {
	_, err := pay(7001).Decide(invoice.Aggregate.Fold(after(open, deposit)...), dt.Meta())
	f := domain.AsFault(err)
	if f.Kind != domain.Refused || !strings.Contains(f.Message, "70.00 EUR") {
		t.Fatalf("%+v", f)
	}
}

func TestTodayIsWhereTheFirmIs(t *testing.T) {
	m := dt.Meta()
	m.Time = due.Time().Add(-1) // one nanosecond before midnight UTC
	c := pay(100)
	c.Date = due
	if _, err := c.Decide(invoice.Aggregate.Fold(open...), m); code(err) != "date-in-future" {
		t.Fatal(err)
	}
	m.Zone = east
	if _, err := c.Decide(invoice.Aggregate.Fold(open...), m); err != nil {
		t.Fatal(err)
	}
}

func TestRefundPayment(t *testing.T) {
	refund := func(cents int64) invoice.RefundPayment {
		amount := eur(cents)
		return invoice.RefundPayment{Payment: earlier, Amount: &amount, Reason: reason}
	}
	gives := func(cents int64) events {
		return events{invoice.PaymentRefunded{Refund: dt.Meta().NewID("refund"), Payment: earlier, Amount: eur(cents), Date: today, Reason: reason}}
	}
	usd := domain.Money{Amount: 1, Currency: "USD"}
	second := invoice.PaymentRecorded{Payment: payment, Amount: eur(7000), Date: today, Method: invoice.Card}
	dt.Run(t, invoice.Aggregate, cases{
		{Name: "gives a part back", Given: after(open, deposit), When: refund(2000), Then: gives(2000)},
		{Name: "gives all back", Given: after(open, deposit), When: invoice.RefundPayment{Payment: earlier, Reason: reason}, Then: gives(5000)},
		{Name: "gives the rest back", Given: after(open, deposit, refunded), When: invoice.RefundPayment{Payment: earlier, Reason: reason}, Then: gives(3000)},
		{Name: "gives no more than is left", Given: after(open, deposit, refunded), When: refund(3001), Fault: "refund-exceeds-payment amount"},
		{Name: "gives no more than that payment", Given: after(open, deposit, second), When: refund(5001), Fault: "refund-exceeds-payment amount"},
		{
			Name:  "gives nothing when nothing is left",
			Given: after(open, deposit, invoice.PaymentRefunded{Refund: ana, Payment: earlier, Amount: eur(5000)}),
			When:  invoice.RefundPayment{Payment: earlier, Reason: reason}, Fault: "refund-exceeds-payment amount",
		},
		{Name: "needs a payment of this invoice", Given: after(open, deposit), When: invoice.RefundPayment{Payment: ana, Reason: reason}, Fault: "not-found"},
		{Name: "needs an amount", Given: after(open, deposit), When: refund(0), Fault: "amount-out-of-range amount.amount"},
		{Name: "needs a reason", Given: after(open, deposit), When: invoice.RefundPayment{Payment: earlier}, Fault: "reason-required reason"},
		{
			Name: "needs the invoice's currency", Given: after(open, deposit),
			When: invoice.RefundPayment{Payment: earlier, Amount: &usd, Reason: reason}, Fault: "currency-mismatch amount.currency",
		},
	})
}

func TestRefundMakesTheInvoiceDueAgain(t *testing.T) {
	s := invoice.Aggregate.Fold(after(open, paidOff, invoice.Paid{}, refunded)...)
	if s.Due() != eur(2000) || s.Paid() != eur(10000) {
		t.Fatalf("due %s, paid %s", s.Due(), s.Paid())
	}
}

func TestIssueCreditNote(t *testing.T) {
	credit := func(cents int64) invoice.IssueCreditNote {
		return invoice.IssueCreditNote{Amount: eur(cents), Reason: reason, Number: 3, Prefix: "CN-"}
	}
	dt.Run(t, invoice.Aggregate, cases{
		{Name: "splits the tax", Given: open, When: credit(1200), Then: events{creditNote}},
		{Name: "credits no more than is due", Given: after(open, deposit), When: credit(7001), Fault: "credit-exceeds-due amount"},
		{Name: "credits nothing when nothing is due", Given: after(open, paidOff, invoice.Paid{}), When: credit(1), Fault: "credit-exceeds-due amount"},
		{Name: "needs an amount", Given: open, When: credit(0), Fault: "amount-out-of-range amount.amount"},
		{Name: "needs a reason", Given: open, When: invoice.IssueCreditNote{Amount: eur(1)}, Fault: "reason-required reason"},
		{Name: "needs a sent invoice", Given: events{drafted}, When: credit(1), Fault: "invoice-not-sent"},
		{Name: "needs a valid invoice", Given: after(open, voided), When: credit(1), Fault: "invoice-void"},
	})
}

func TestCreditOfTheRestEndsWithNothingDue(t *testing.T) {
	c := invoice.IssueCreditNote{Amount: eur(7000), Reason: reason, Number: 3}
	given := after(open, deposit)
	got, err := c.Decide(invoice.Aggregate.Fold(given...), dt.Meta())
	if err != nil || len(got) != 1 {
		t.Fatalf("%v, %v", got, err)
	}
	if s := invoice.Aggregate.Fold(after(given, got...)...); s.Due() != eur(0) || s.Paid() != eur(5000) || s.Credited != eur(7000) {
		t.Fatalf("due %s, paid %s, credited %s", s.Due(), s.Paid(), s.Credited)
	}
}

func TestReceiptAndOnlinePayment(t *testing.T) {
	online := pay(5000)
	online.Method, online.Receipt, online.Attempt = invoice.Card, 12, dt.ID("attempt")
	with := recorded(5000, 7000)
	with.Method, with.Receipt, with.Payment = invoice.Card, "R-0012", dt.ID("attempt")
	again := dt.Meta()
	again.Command = dt.ID("another command")
	dt.Run(t, invoice.Aggregate, cases{
		{Name: "the number of the receipt and the id of the online payment are kept", Given: open, When: online, Then: events{with}},
		{Name: "an online payment is recorded once, whatever the command", Given: after(open, with), When: online, Meta: again},
	})
}

func TestMatchRefunds(t *testing.T) {
	total := func(cents int64) invoice.MatchRefunds {
		return invoice.MatchRefunds{Payment: earlier, Total: eur(cents)}
	}
	given := after(open, paidOff, invoice.Paid{}, refunded) // 20.00 EUR of 120.00 EUR
	missing := func(cents int64) events {
		return events{invoice.PaymentRefunded{
			Refund: dt.Meta().NewID("refund"), Payment: earlier, Amount: eur(cents), Date: today, Reason: domain.P("Refunded by the payment provider."),
		}}
	}
	dt.Run(t, invoice.Aggregate, cases{
		{Name: "records what is missing", Given: given, When: total(5000), Then: missing(3000)},
		{Name: "records nothing that was recorded by hand", Given: given, When: total(2000)},
		{Name: "records nothing for an older total", Given: given, When: total(1000)},
		{Name: "records no more than was paid", Given: given, When: total(99999), Then: missing(10000)},
		{Name: "needs the payment", Given: open, When: total(5000), Fault: "not-found"},
	})
}
