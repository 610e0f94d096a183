package pdf

import (
	"github.com/atrium-portal/atrium/readapi"
)

// Receipt draws the receipt of one payment.
func (Documents) Receipt(p *readapi.ReceiptPaper) ([]byte, error) {
	n := numbers(p.Seller.NumberFormat)
	title := "Receipt"
	var facts []fact
	if p.Number != "" {
		title += " " + p.Number
		facts = append(facts, fact{"Receipt number", p.Number})
	}
	facts = append(facts, fact{"Received", date(p.Date)}, fact{"By", method(p.Method)}, fact{"For invoice", p.Invoice})
	s := begin(title, p.Seller.Name, p.At, parseColor(p.Seller.Color))
	s.page()
	s.letterhead(p.Seller, "RECEIVED FROM", p.Buyer, title, facts...)

	s.fill(left, s.y, width, 26, tint)
	s.fill(left, s.y, 0.9, 26, s.accent)
	s.text(left+6, s.y+8, label, "RECEIVED WITH THANKS")
	s.text(left+6, s.y+19, face{bold, 22, ink}, n.money(p.Amount))
	s.down(36)
	t := table{s, []column{{"WHAT", width - 46 - cellGap, false}, {"AMOUNT", 46, true}}, body}
	t.head()
	t.line(cell{text: "Invoice " + p.Invoice + " of " + date(p.Issued)}, cell{text: n.money(p.Total)})
	t.line(cell{text: "This payment, " + date(p.Date), below: joined(" · ", method(p.Method), reference(p.Reference)), strong: true}, cell{text: n.money(p.Amount), strong: true})
	t.line(cell{text: "Due on the invoice after this payment"}, cell{text: n.money(p.DueAfter)})
	if p.DueAfter.Amount == 0 {
		s.down(8)
		s.lines(left, width, body, "The invoice is paid in full. Thank you.")
	}
	return s.end(footer(p.Seller))
}

func reference(text string) string {
	if text == "" {
		return ""
	}
	return "reference " + text
}
