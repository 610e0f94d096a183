package imports

import (
	"fmt"
	"math/big"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/invoice"
)

// freshClient reads a client of FreshBooks, whose export does not tell the currency.
func freshClient(r row, firmCurrency string) (client, error) {
	return client{
		name:     r.text("Organization"),
		currency: firmCurrency,
		person:   joined(" ", r.text("First Name"), r.text("Last Name")),
		email:    r.text("Email"),
		phone:    r.text("Phone"),
		address: lines(
			r.text("Street"),
			joined(", ", r.text("City"), joined(" ", r.text("Province/State"), r.text("Postal Code"))),
			r.text("Country"),
		),
		notes: r.text("Notes"),
	}, nil
}

func freshLedger() ledger {
	return ledger{number: "Invoice #", client: "Client Name", dates: []string{"Date Issued", "Due Date", "Date Paid"}, read: freshBill}
}

// freshBill reads an invoice of FreshBooks: a row for each line. The export states no total of the invoice but one of
// each line, so every row counts, also one that looks like another, and each is checked by itself. It tells no due date
// either.
func freshBill(rows []row, currency, layout string) (b bill, err error) {
	if err := agree(rows, "Client Name", "Date Issued", "Invoice Status", "Date Paid", "Currency"); err != nil {
		return b, err
	}
	first := rows[0]
	if stated := first.text("Currency"); stated != "" && stated != currency {
		return b, fmt.Errorf("it is in %s, and its client's account in %s", stated, currency)
	}
	b.client = first.text("Client Name")
	if b.issued, err = date(first.text("Date Issued"), layout); err != nil {
		return b, err
	}
	if b.due, err = date(first.text("Due Date"), layout); err != nil {
		return b, err
	}
	taxes := freshTaxes{}
	reading := []invoice.Line{}
	b.total = domain.Money{Currency: currency}
	tax := b.total
	for _, r := range rows {
		l, err := readFreshLine(r, currency)
		if err != nil {
			return b, fmt.Errorf("line %d: %w", r.line, err)
		}
		taxes.add(l)
		b.total, tax = b.total.Add(l.net).Add(l.tax), tax.Add(l.tax)
		reading = append(reading, l.lines...)
	}
	b.tax, b.paid = &tax, b.total.Zero()
	for i, rate := range taxes.rates() {
		reading[i].TaxRate = rate
	}
	b.readings = [][]invoice.Line{reading}

	switch status := fold(first.text("Invoice Status")); status {
	case "draft":
		b.draft = true
	case "sent", "viewed", "outstanding", "overdue", "unpaid", "disputed":
	case "paid", "autopaid", "auto-paid":
		b.paid = b.total
		b.paidOn, err = date(first.text("Date Paid"), layout)
	case "partial":
		err = fmt.Errorf("it is paid in part, and the export does not tell how much")
	default:
		err = fmt.Errorf("its status %q is not one we can import", shorten(status, 30))
	}
	return b, err
}

// freshLine is a row: its line, one that takes its discount off, and what the export says they come to.
type freshLine struct {
	lines    []invoice.Line
	kind     string       // which taxes are on it
	net, tax domain.Money // net without discount and tax
}

func readFreshLine(r row, currency string) (l freshLine, err error) {
	price, err := number(r.text("Rate"))
	if err != nil {
		return l, err
	}
	quantity, err := number(r.text("Quantity"))
	if err != nil {
		return l, err
	}
	what := joined(": ", r.text("Item Name"), r.text("Item Description"))
	whole, err := line(what, price, quantity, 0, currency)
	if err != nil {
		return l, err
	}
	l.lines = []invoice.Line{whole}
	if text := r.text("Discount Percentage"); text != "" {
		rate, err := number(text)
		if err != nil {
			return l, err
		}
		_, totals, err := invoice.Price(l.lines)
		if err != nil {
			return l, err
		}
		if part, ok := totals.Net.Percent(rate); ok && part.Amount != 0 {
			l.lines = append(l.lines, less("Discount "+rate.String()+"%: "+what, part, 0))
		}
	}
	_, totals, err := invoice.Price(l.lines)
	if err != nil {
		return l, err
	}
	l.net, l.tax = totals.Net, totals.Net.Zero()
	for _, n := range []string{"1", "2"} {
		if text := r.text("Tax " + n + " Amount"); text != "" {
			part, err := amount(text, currency)
			if err != nil {
				return l, err
			}
			l.tax = l.tax.Add(part)
			if part.Amount != 0 {
				l.kind += fold(r.text("Tax "+n+" Type")) + "\x00"
			}
		}
	}
	stated, err := amount(r.text("Line Total"), currency)
	if err != nil {
		return l, err
	}
	if stated != l.net && stated != l.net.Add(l.tax) {
		return l, fmt.Errorf("it comes to %s without tax and %s with, and the file says %s", l.net, l.net.Add(l.tax), stated)
	}
	return l, nil
}

// freshTaxes finds the rates of taxes of which the export tells only the amounts.
type freshTaxes struct{ rows []freshLine }

func (t *freshTaxes) add(l freshLine) { t.rows = append(t.rows, l) }

// rates gives each invoice line its rate. Rows with the same taxes have the same rate, if there is one that fits each of
// them; otherwise each has its own. Whether the rates come to the stated tax is checked with the whole invoice.
func (t *freshTaxes) rates() []domain.Decimal {
	var all []domain.Decimal
	for _, l := range t.rows {
		net, tax := l.net.Zero(), l.net.Zero()
		for _, other := range t.rows {
			if other.kind == l.kind {
				net, tax = net.Add(other.net), tax.Add(other.tax)
			}
		}
		rate := rateOf(net, tax)
		for _, other := range t.rows {
			if part, ok := other.net.Percent(rate); other.kind == l.kind && (!ok || max(part.Amount-other.tax.Amount, other.tax.Amount-part.Amount) > 1) {
				rate = rateOf(l.net, l.tax)
				break
			}
		}
		for range l.lines {
			all = append(all, rate)
		}
	}
	return all
}

// rateOf is the tax rate in percent, with as few places as possible, that makes a tax of a base; 0 when none does.
func rateOf(base, tax domain.Money) domain.Decimal {
	if base.Amount == 0 || tax.Amount == 0 {
		return 0
	}
	for step := domain.One; step > 0; step /= 10 {
		// tax ÷ base in percent, in units of step, rounded.
		num := new(big.Int).Mul(big.NewInt(tax.Amount), big.NewInt(100*int64(domain.One)/int64(step)))
		units, err := divided(num, big.NewInt(base.Amount), base.Currency)
		if err != nil {
			return 0
		}
		rate := domain.Decimal(units.Amount) * step
		if part, ok := base.Percent(rate); ok && part == tax {
			return rate
		}
	}
	return 0
}
