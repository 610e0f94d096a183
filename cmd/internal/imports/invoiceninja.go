package imports

import (
	"fmt"
	"slices"
	"strings"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/invoice"
)

// ninjaClient reads a client of Invoice Ninja. Two columns are named Phone: the client's, then the contact's.
func ninjaClient(r row, firmCurrency string) (client, error) {
	c := client{
		name:   r.text("Name"),
		person: joined(" ", r.text("First Name"), r.text("Last Name")),
		email:  r.text("Email"),
		phone:  r.text("Phone"),
		address: lines(
			joined(", ", r.text("Billing Street"), r.text("Billing Apt/Suite")),
			joined(", ", r.text("Billing City"), joined(" ", r.text("Billing State/Province"), r.text("Billing Postal Code"))),
			r.text("Billing Country"),
		),
		taxID: r.text("VAT Number"),
	}
	own := ""
	if r.count("Phone") > 1 {
		own, c.phone = c.phone, r.nth("Phone", 1)
	}
	c.notes = lines(
		r.text("Private Notes"), labelled("Public notes", r.text("Public Notes")), labelled("Website", r.text("Website")),
		labelled("Phone", own), labelled("ID number", r.text("ID Number")), labelled("Ship to", joined(", ",
			r.text("Shipping Street"), r.text("Shipping Apt/Suite"), r.text("Shipping City"),
			joined(" ", r.text("Shipping State/Province"), r.text("Shipping Postal Code")), r.text("Shipping Country"))),
	)
	var err error
	if c.currency = strings.ToUpper(r.text("Currency")); c.currency == "" {
		c.currency, err = currencyOf(firmCurrency, r.text("Balance"), r.text("Paid to Date"))
	}
	return c, err
}

func ninjaLedger() ledger {
	return ledger{number: "Invoice Number", client: "Client", dates: []string{"Invoice Date", "Due Date"}, checked: true, read: ninjaBill}
}

// ninjaBill reads an invoice of Invoice Ninja: a row for each line, with what concerns the whole invoice on each of
// them. The export repeats a row for no reason of the invoice's; the Amount tells whether a repetition counts.
func ninjaBill(rows []row, currency, layout string) (b bill, err error) {
	if err := agree(rows, "Client", "Amount", "Paid", "Status", "Invoice Date", "Due Date", "Discount"); err != nil {
		return b, err
	}
	first := rows[0]
	switch status := fold(first.text("Status")); status {
	case "draft", "logged":
		b.draft = true
	case "", "sent", "viewed", "approved", "partial", "paid", "unpaid", "overdue":
	default:
		return b, fmt.Errorf("its status %q is not one we can import", shorten(status, 30))
	}
	b.client = first.text("Client")
	b.note = lines(labelled("PO number", first.text("PO Number")), first.text("Public Notes"))
	if b.total, err = amount(first.text("Amount"), currency); err != nil {
		return b, err
	}
	b.paid = b.total.Zero()
	if text := first.text("Paid"); text != "" {
		if b.paid, err = amount(text, currency); err != nil {
			return b, err
		}
	}
	if b.issued, err = date(first.text("Invoice Date"), layout); err != nil {
		return b, err
	}
	if b.due, err = date(first.text("Due Date"), layout); err != nil {
		return b, err
	}
	var once, all []invoice.Line
	for i, r := range rows {
		l, err := ninjaLine(r, currency)
		if err != nil {
			return b, fmt.Errorf("line %d: %w", r.line, err)
		}
		all = append(all, l)
		if !slices.ContainsFunc(rows[:i], func(before row) bool { return slices.Equal(before.cells, r.cells) }) {
			once = append(once, l)
		}
	}
	for _, lines := range [][]invoice.Line{once, all} {
		readings, err := ninjaDiscount(lines, first.text("Discount"), currency)
		if err != nil {
			return b, err
		}
		b.readings = append(b.readings, readings...)
	}
	return b, nil
}

// ninjaLine reads the line in a row. Later versions of the export add up to two taxes to it.
func ninjaLine(r row, currency string) (invoice.Line, error) {
	price, err := number(r.text("Item Cost"))
	if err != nil {
		return invoice.Line{}, err
	}
	quantity, err := number(r.text("Item Quantity"))
	if err != nil {
		return invoice.Line{}, err
	}
	var rate domain.Decimal
	for i := range r.count("Item Tax Rate") {
		if text := r.nth("Item Tax Rate", i); text != "" {
			part, err := number(text)
			if err != nil {
				return invoice.Line{}, err
			}
			rate += part
		}
	}
	return line(joined(" – ", r.text("Item Product"), r.text("Item Notes")), price, quantity, rate, currency)
}

// ninjaDiscount takes the discount of the whole invoice off, from the lines of each tax rate their part: "10%", an
// amount such as "$5.00", or a bare number, which may be either.
func ninjaDiscount(given []invoice.Line, text, currency string) (readings [][]invoice.Line, err error) {
	if text == "" {
		return [][]invoice.Line{given}, nil
	}
	_, totals, err := invoice.Price(given)
	if err != nil {
		return nil, err
	}
	if rate, err := number(text); err == nil {
		reading := slices.Clone(given)
		for _, g := range totals.Groups {
			if part, ok := g.Base.Percent(rate); ok && part.Amount != 0 {
				reading = append(reading, less("Discount "+rate.String()+"%", part, g.Rate))
			}
		}
		readings = append(readings, reading)
		if strings.HasSuffix(text, "%") {
			return readings, nil
		}
	}
	rest, err := amount(text, currency)
	if err != nil {
		return readings, err
	}
	reading, whole := slices.Clone(given), rest
	for i, g := range totals.Groups {
		part, err := share(whole, g.Base, totals.Net)
		if err != nil {
			return nil, err
		}
		if i == len(totals.Groups)-1 {
			part = rest // what rounding left over
		}
		if rest = rest.Sub(part); part.Amount != 0 {
			reading = append(reading, less("Discount", part, g.Rate))
		}
	}
	return append(readings, reading), nil
}
