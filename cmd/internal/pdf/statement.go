package pdf

import (
	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/readapi"
)

// Statement draws a statement of account.
func (Documents) Statement(p *readapi.StatementPaper) ([]byte, error) {
	n := numbers(p.NumberFormat)
	from := p.SellerNow()
	s := begin("Statement of account", from.Name, p.Made.Time(), parseColor(from.Color))
	until := p.To
	if until.IsZero() {
		until = p.Made
	}
	period := "up to " + date(until)
	if !p.From.IsZero() {
		period = shortDate(p.From) + " – " + shortDate(until)
	}
	s.page()
	s.letterhead(from, "ACCOUNT OF", p.BuyerNow(), "Statement of account", fact{"Period", period}, fact{"Drawn up", date(p.Made)}, fact{"Balance", n.money(p.Closing)})

	t := table{s, []column{{"DATE", 22, false}, {"WHAT", width - 22 - 24 - 27 - 24 - 4*cellGap, false}, {"BILLED", 24, true}, {"PAID, CREDITED", 27, true}, {"BALANCE", 24, true}}, body}
	t.head()
	if !p.From.IsZero() {
		t.line(cell{text: shortDate(p.From)}, cell{text: "Opening balance", strong: true}, cell{}, cell{}, cell{text: n.amount(p.Opening), strong: true})
	}
	for _, e := range p.Entries {
		billed, paid := n.amount(e.Amount), ""
		if e.Amount.Amount < 0 {
			billed, paid = "", n.amount(negative(e.Amount))
		}
		t.line(cell{text: shortDate(e.Date)}, cell{text: entry(e)}, cell{text: billed}, cell{text: paid}, cell{text: n.amount(e.Balance)})
	}
	if len(p.Entries) == 0 {
		t.line(cell{text: ""}, cell{text: "Nothing happened in this period."}, cell{}, cell{}, cell{})
	}
	s.down(3)
	list := []sum{{"Opening balance", n.money(p.Opening), false}}
	for _, part := range []struct {
		name   string
		amount domain.Money
	}{{"Billed", p.Billed}, {"Paid", negative(p.Paid)}, {"Refunded", p.Refunded}, {"Credited", negative(p.Credited)}, {"Voided", negative(p.Voided)}} {
		if part.amount.Amount != 0 {
			list = append(list, sum{part.name, n.money(part.amount), false})
		}
	}
	list = append(list, sum{"Closing balance", n.money(p.Closing), true})
	s.need(float64(len(list))*6.2 + 4)
	s.sums(list...)
	if p.Seal == "" {
		return s.end(footer(from))
	}
	return s.end(joined(" · ", from.Name, "Seal "+p.Seal))
}

// entry says what moved the balance.
func entry(e readapi.StatementEntry) string {
	switch e.Kind {
	case "invoice":
		return "Invoice " + e.InvoiceNumber
	case "payment":
		return "Payment for invoice " + e.InvoiceNumber
	case "refund":
		return "Refund, invoice " + e.InvoiceNumber
	case "credit_note":
		return "Credit note " + e.Number + " to invoice " + e.InvoiceNumber
	case "void":
		return "Invoice " + e.InvoiceNumber + " made void"
	}
	return e.Kind
}
