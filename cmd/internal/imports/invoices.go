package imports

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/invoice"
)

// bill is what the rows of one invoice say.
type bill struct {
	client string
	draft  bool
	issued domain.Date
	due    domain.Date // when missing: issued
	note   string

	// readings are the ways to read the lines; the first that comes to the stated total is the right one.
	readings [][]invoice.Line
	total    domain.Money // as the file states it
	tax      *domain.Money
	paid     domain.Money
	paidOn   domain.Date // when missing: issued
}

// ledger is how a product writes invoices.
type ledger struct {
	number, client string   // columns
	dates          []string // columns
	// checked tells that the file states the total of each invoice, so that a missing row is noticed.
	checked bool
	// read makes a bill of the rows of an invoice, in the currency of its client.
	read func(rows []row, currency, layout string) (bill, error)
}

// group is the rows of one invoice.
type group struct {
	number string
	rows   []row
	broken bool // one of its rows cannot be used
	doubt  int  // a line that cannot be read and may belong to it
}

// invoices makes a job of each invoice.
func (im *importer) invoices(ctx context.Context, s sheet) ([]*job, error) {
	book := map[string]ledger{InvoiceNinja: ninjaLedger(), FreshBooks: freshLedger()}[im.From]
	var dates []string
	for _, r := range s.rows {
		for _, column := range book.dates {
			if text := r.text(column); r.fault == "" && text != "" {
				dates = append(dates, text)
			}
		}
	}
	layout, err := dateLayout(dates)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", im.Name, err)
	}
	var jobs []*job
	currencies := map[domain.ID]string{}
	for _, g := range im.group(s.rows, book) {
		first := g.rows[0]
		j := &job{line: first.line, what: "invoice " + shorten(g.number, 50)}
		client := first.text(book.client)
		id := im.accountID(client)
		if _, asked := currencies[id]; !asked {
			if currencies[id], _, err = im.Exists(ctx, id); err != nil {
				return nil, err
			}
		}
		if currencies[id] == "" {
			im.problem(j.line, "%s: no client named %s was imported; import the clients first", j.what, shorten(client, 60))
			continue
		}
		b, err := book.read(g.rows, currencies[id], layout)
		if err == nil {
			err = im.bill(g.number, id, b, j)
		}
		if err != nil {
			im.problem(j.line, "%s", reason(j.what, err))
			continue
		}
		jobs = append(jobs, j)
	}
	return jobs, nil
}

// group puts the rows of each invoice together, in the order of the file, and leaves out those with a row that cannot
// be used. A torn row may belong to any invoice; where nothing would show that a line is missing, that is taken to be
// the one before or after it.
func (im *importer) group(rows []row, book ledger) []*group {
	var (
		groups   []*group
		last     *group
		byNumber = map[string]*group{}
		doubt    int
	)
	for _, r := range rows {
		number := r.text(book.number)
		if r.fault != "" {
			im.problem(r.line, "%s", r.fault)
		}
		if r.torn && !book.checked {
			if doubt = r.line; last != nil {
				last.doubt = r.line
			}
			continue
		}
		if number == "" {
			if r.fault == "" {
				im.problem(r.line, "the invoice number is missing")
			}
			continue
		}
		g := byNumber[number]
		if g == nil {
			g = &group{number: number}
			byNumber[number] = g
			groups = append(groups, g)
		}
		if r.fault == "" {
			g.rows = append(g.rows, r)
		} else {
			g.broken = true
		}
		last, g.doubt, doubt = g, max(g.doubt, doubt), 0
	}
	return slices.DeleteFunc(groups, func(g *group) bool {
		if g.doubt > 0 && !g.broken {
			im.problem(g.rows[0].line, "invoice %s: line %d cannot be read and may belong to it", shorten(g.number, 50), g.doubt)
		}
		return g.broken || g.doubt > 0
	})
}

// agree reports the first column in which the rows of an invoice differ.
func agree(rows []row, columns ...string) error {
	for _, column := range columns {
		for _, r := range rows[1:] {
			if r.text(column) != rows[0].text(column) {
				return fmt.Errorf("%s is %q on line %d and %q on line %d",
					column, shorten(rows[0].text(column), 40), rows[0].line, shorten(r.text(column), 40), r.line)
			}
		}
	}
	return nil
}

// bill makes the commands of an invoice and decides them in memory.
func (im *importer) bill(number string, account domain.ID, b bill, j *job) error {
	chosen, err := b.choose()
	if err != nil {
		return err
	}
	today := domain.Meta{Time: im.now}.Today()
	switch {
	case b.issued.IsZero():
		return errors.New("its date is missing")
	case b.paid.Amount < 0:
		return fmt.Errorf("the amount paid, %s, is below zero", b.paid)
	case b.paid.Amount > 0 && b.paid.Amount > b.total.Amount:
		return fmt.Errorf("%s was paid, more than its amount, %s", b.paid, b.total)
	case b.draft && b.paid.Amount > 0:
		return fmt.Errorf("it is a draft, and %s was paid on it", b.paid)
	}
	if b.due.IsZero() {
		b.due = b.issued
	}
	if b.paidOn.IsZero() {
		b.paidOn = b.issued
	}
	content := []string{fold(b.client), fmt.Sprint(b.draft), b.issued.String(), b.due.String(), b.note, b.paid.String(), b.paidOn.String()}
	for _, l := range chosen {
		content = append(content, l.Description.Reveal(), l.Quantity.String(), l.UnitPrice.String(), l.TaxRate.String())
	}
	key, sum := []string{"invoice", im.From, number}, digest(content...)

	draft := invoice.Draft{Account: account, Due: b.due, Note: domain.P(b.note), Lines: chosen, Currency: b.total.Currency}
	o := im.order("DraftInvoice", draft, sum, append(key, "draft")...)
	state, err := rehearse(im, invoice.Aggregate, invoice.State{}, draft, o)
	if err != nil {
		return err
	}
	j.orders = append(j.orders, o)
	id := o.Meta.NewID("invoice")
	if b.draft {
		return nil
	}
	send := invoice.Send{Invoice: id, Imported: &invoice.Imported{Number: number, Issued: b.issued}}
	o = im.order("SendInvoice", send, sum, append(key, "send")...)
	if state, err = rehearse(im, invoice.Aggregate, state, send, o); err != nil {
		return err
	}
	j.orders = append(j.orders, o)
	if b.paid.Amount > 0 {
		if today.Before(b.paidOn) {
			b.paidOn = today
		}
		pay := invoice.RecordPayment{Invoice: id, Amount: b.paid, Date: b.paidOn, Method: invoice.Other, Reference: domain.P("imported")}
		o = im.order("RecordPayment", pay, sum, append(key, "payment")...)
		if state, err = rehearse(im, invoice.Aggregate, state, pay, o); err != nil {
			return err
		}
		j.orders = append(j.orders, o)
	}
	j.billed = &Totals{Currency: b.total.Currency, Billed: state.Content.Totals.Total, Paid: state.Paid(), Due: state.Due()}
	return nil
}

// choose finds the reading that comes to the total that the file states.
func (b bill) choose() ([]invoice.Line, error) {
	var sums []string
	for _, reading := range b.readings {
		_, totals, err := invoice.Price(reading)
		if err != nil {
			return nil, err
		}
		if totals.Total == b.total && (b.tax == nil || totals.Tax == *b.tax) {
			return reading, nil
		}
		text := totals.Total.String()
		if b.tax != nil {
			text += " with " + totals.Tax.String() + " of tax"
		}
		if !slices.Contains(sums, text) {
			sums = append(sums, text)
		}
	}
	stated := b.total.String()
	if b.tax != nil {
		stated += " with " + b.tax.String() + " of tax"
	}
	return nil, fmt.Errorf("its lines come to %s, and the file says %s", joined(" or ", sums...), stated)
}

// line makes an invoice line. A price that is finer than the currency becomes part of the description, and the line
// counts once what it comes to.
func line(description string, price, quantity, rate domain.Decimal, currency string) (invoice.Line, error) {
	if description == "" {
		description = "Item"
	}
	l := invoice.Line{Description: domain.P(description), Quantity: quantity, TaxRate: rate}
	var err error
	if l.UnitPrice, err = domain.ParseMoney(price.String(), currency); err == nil {
		return l, nil
	}
	l.Description, l.Quantity = domain.P(description+" ("+quantity.String()+" × "+price.String()+")"), domain.One
	l.UnitPrice, err = times(price, quantity, currency)
	return l, err
}

// less is a line that takes an amount off.
func less(description string, amount domain.Money, rate domain.Decimal) invoice.Line {
	return invoice.Line{
		Description: domain.P(description), Quantity: domain.One, TaxRate: rate,
		UnitPrice: amount.Zero().Sub(amount),
	}
}
