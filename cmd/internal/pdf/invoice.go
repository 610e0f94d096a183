package pdf

import (
	"strings"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/readapi"
)

// Documents draws papers. It implements readapi.Documents.
type Documents struct{}

// Invoice draws an invoice as it was sent; with Current it also says how it stands now.
func (Documents) Invoice(p *readapi.InvoicePaper) ([]byte, error) {
	n := numbers(p.Seller.NumberFormat)
	title := "Invoice " + p.Number
	facts := []fact{{"Invoice number", p.Number}, {"Issued", date(p.Issued)}, {"Due", date(p.Due)}, {"Total", n.money(p.Total)}}
	if p.Draft {
		title = "Draft invoice"
		facts = []fact{{"Due", date(p.Due)}, {"Total", n.money(p.Total)}}
	}
	s := begin(title, p.Seller.Name, p.At, parseColor(p.Seller.Color))
	switch {
	case p.Draft:
		s.stamp = "DRAFT"
	case p.Current && p.Void:
		s.stamp = "VOID"
	}
	s.page()
	s.letterhead(p.Seller, "TO", p.Buyer, title, facts...)

	t := table{s, []column{
		{"DESCRIPTION", width - 17 - 25 - 13 - 26 - 4*cellGap, false}, {"QUANTITY", 17, true}, {"UNIT PRICE", 25, true}, {"TAX", 13, true}, {"AMOUNT", 26, true},
	}, body}
	t.head()
	for _, l := range p.Lines {
		t.line(cell{text: l.Description}, cell{text: n.number(l.Quantity)}, cell{text: n.amount(l.UnitPrice)}, cell{text: n.percent(l.TaxRate)}, cell{text: n.amount(l.Net)})
	}
	s.down(3)
	list := []sum{{"Net", n.money(p.Net), false}}
	for _, g := range p.TaxGroups {
		if g.Rate != 0 || len(p.TaxGroups) > 1 {
			list = append(list, sum{"Tax " + n.percent(g.Rate) + " on " + n.amount(g.Base), n.money(g.Tax), false})
		}
	}
	list = append(list, sum{"Total", n.money(p.Total), true})
	s.need(float64(len(list))*6.2 + 4)
	s.sums(list...)

	if p.Current && !p.Draft {
		standing(s, n, p)
	}
	if p.Note != "" {
		s.down(9)
		s.lines(left, width*0.8, body, p.Note)
	}
	if !p.Draft && p.Seller.Payment != "" && !(p.Current && p.AmountDue.Amount == 0) {
		howToPay(s, p)
	}
	return s.end(footer(p.Seller))
}

// standing says what happened to an invoice since it was sent.
func standing(s *sheet, n numbers, p *readapi.InvoicePaper) {
	if len(p.Payments)+len(p.CreditNotes) > 0 {
		s.section("Payments and credits")
		t := table{s, []column{{"DATE", 28, false}, {"WHAT", width - 28 - 36 - 2*cellGap, false}, {"AMOUNT", 36, true}}, body}
		t.head()
		for _, pay := range p.Payments {
			below := joined(" · ", pay.Receipt, pay.Reference)
			t.line(cell{text: shortDate(pay.Date)}, cell{text: "Payment, " + strings.ToLower(method(pay.Method)), below: below}, cell{text: n.amount(negative(pay.Amount))})
			if pay.Refunded.Amount > 0 {
				t.line(cell{}, cell{text: "Refunded of this payment"}, cell{text: n.amount(pay.Refunded)})
			}
		}
		for _, credit := range p.CreditNotes {
			t.line(cell{text: shortDate(credit.Date)}, cell{text: "Credit note " + credit.Number}, cell{text: n.amount(negative(credit.Amount))})
		}
		s.down(3)
	}
	name := "Amount due"
	switch {
	case p.Void:
		name = "Void: nothing to pay"
	case p.AmountDue.Amount == 0:
		name = "Nothing due"
	}
	due := p.AmountDue
	if p.Void {
		due = due.Zero()
	}
	s.sums(sum{name, n.money(due), true})
}

func negative(m domain.Money) domain.Money { return m.Zero().Sub(m) }

// howToPay says where the money goes.
func howToPay(s *sheet, p *readapi.InvoicePaper) {
	lines := s.wrap(body, p.Seller.Payment, width-10)
	height := float64(len(lines)+1)*body.line() + 12
	s.down(10)
	s.need(height)
	s.fill(left, s.y, width, height, tint)
	s.fill(left, s.y, 0.9, height, s.accent)
	s.text(left+5, s.y+6, label, "HOW TO PAY")
	ends := s.block(left+5, s.y+7, width-10, body, p.Seller.Payment)
	s.block(left+5, ends+0.8, width-10, small, "Please pay by "+date(p.Due)+" and name "+p.Number+" as the reference.")
	s.y += height
}

func footer(from readapi.Seller) string {
	return joined(" · ", from.Name, oneLine(from.Address), tax(from.TaxID))
}
