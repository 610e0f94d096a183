package invoice

import "github.com/atrium-portal/atrium/domain"

// IssueCreditNote lowers what is due on a sent invoice by an amount, tax included.
type IssueCreditNote struct {
	Invoice domain.ID       `json:"invoice"`
	Amount  domain.Money    `json:"amount"`
	Reason  domain.Personal `json:"reason"`

	// Number is the next credit note number of the firm, reserved for CreditNoteID, and Prefix stands before it; both
	// are put in before the decision. A decision with number 0 checks everything else.
	Number int64  `json:"-"`
	Prefix string `json:"-"`
}

// CreditNoteID is the id of the credit note that the command described by m issues.
func CreditNoteID(m domain.Meta) domain.ID { return m.NewID("credit_note") }

// Target is the invoice.
func (c IssueCreditNote) Target() domain.ID { return c.Invoice }

// Decide credits at most what is due.
func (c IssueCreditNote) Decide(s State, m domain.Meta) ([]Event, error) {
	var v domain.Checks
	v.Money(c.Amount, "amount", s.Currency(), 1)
	v.Text(c.Reason.Reveal(), "reason", 500)
	if err := v.Err(); err != nil {
		return nil, err
	}
	id := CreditNoteID(m)
	if s.Made[id] {
		return nil, nil
	}
	if err := s.mustBeSent(); err != nil {
		return nil, err
	}
	if due := s.Due(); c.Amount.Amount > due.Amount {
		return nil, exceeds("credit-exceeds-due", due, "due on this invoice")
	}
	return []Event{CreditNoteIssued{
		CreditNote: id, Number: c.Number, Label: label(c.Prefix, c.Number), Amount: c.Amount,
		Groups: s.nextCredit(c.Amount), Date: m.Today(), Reason: c.Reason,
	}}, nil
}

// nextCredit splits one more credit by tax rate: what is credited with it less what was credited before. So a total
// credited in steps credits exactly the tax of each rate, whatever rounding did on the way.
func (s State) nextCredit(amount domain.Money) []RateGroup {
	before, groups := s.Content.Totals.part(s.Credited), s.Content.Totals.part(s.Credited.Add(amount))
	for i := range groups {
		groups[i].Base = groups[i].Base.Sub(before[i].Base)
		groups[i].Tax = groups[i].Tax.Sub(before[i].Tax)
	}
	return groups
}
