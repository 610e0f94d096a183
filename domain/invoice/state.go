package invoice

import (
	"maps"

	"github.com/atrium-portal/atrium/domain"
)

// Status is where an invoice is in its life. Paid, credited and overdue are not statuses: they follow from what is
// due.
type Status string

// The statuses; the zero Status is an invoice that does not exist.
const (
	StatusDraft Status = "draft"
	StatusSent  Status = "sent"
	StatusVoid  Status = "void"
)

// State is what decisions about an invoice need.
type State struct {
	Status  Status
	Content Content // frozen once sent

	Number int64
	Label  string
	Issued domain.Date

	Payments map[domain.ID]Payment
	Credited domain.Money
	Made     map[domain.ID]bool // refunds and credit notes, by id
	Overdue  bool               // marked since it was last paid in full

	Questions map[domain.ID]bool // whether it was answered
}

// Payment is money received, and how much of it was given back.
type Payment struct {
	Amount, Refunded domain.Money
}

// Left is what was not given back.
func (p Payment) Left() domain.Money { return p.Amount.Sub(p.Refunded) }

// Currency is that of every amount of the invoice.
func (s State) Currency() string { return s.Content.Totals.Total.Currency }

// Paid is the sum of all payments without what was refunded.
func (s State) Paid() domain.Money {
	sum := s.Content.Totals.Total.Zero()
	for _, p := range s.Payments {
		sum = sum.Add(p.Left())
	}
	return sum
}

// Due is what is neither paid nor credited. Nothing is due on a draft and on a void invoice.
func (s State) Due() domain.Money {
	total := s.Content.Totals.Total
	if s.Status != StatusSent {
		return total.Zero()
	}
	return total.Sub(s.Credited).Sub(s.Paid())
}

func evolve(s State, e Event) State {
	switch e := e.(type) {
	case Drafted:
		s.Status, s.Content = StatusDraft, Content(e)
		s.Credited = e.Totals.Total.Zero()
	case DraftChanged:
		s.Content = Content(e)
	case Sent:
		s.Status, s.Number, s.Label, s.Issued = StatusSent, e.Number, e.Label, e.Issued
	case PaymentRecorded:
		s.Payments = with(s.Payments, e.Payment, Payment{e.Amount, e.Amount.Zero()})
	case Paid:
		s.Overdue = false
	case PaymentRefunded:
		p := s.Payments[e.Payment]
		p.Refunded = p.Refunded.Add(e.Amount)
		s.Payments = with(s.Payments, e.Payment, p)
		s.Made = with(s.Made, e.Refund, true)
	case CreditNoteIssued:
		s.Credited = s.Credited.Add(e.Amount)
		s.Made = with(s.Made, e.CreditNote, true)
	case Voided:
		s.Status = StatusVoid
	case Overdue:
		s.Overdue = true
	case Questioned:
		s.Questions = with(s.Questions, e.Question, false)
	case QuestionAnswered:
		s.Questions = with(s.Questions, e.Question, true)
	}
	return s
}

// with is a copy of old with one more entry: others may be reading old.
func with[V any](old map[domain.ID]V, id domain.ID, v V) map[domain.ID]V {
	fresh := maps.Clone(old)
	if fresh == nil {
		fresh = map[domain.ID]V{}
	}
	fresh[id] = v
	return fresh
}

// mustBeSent refuses what needs a sent invoice that is not void.
func (s State) mustBeSent() error {
	switch s.Status {
	case StatusSent:
		return nil
	case StatusDraft:
		return domain.Refuse("invoice-not-sent", "This invoice is still a draft. Send it first.")
	case StatusVoid:
		return errVoid()
	}
	return domain.Missing("invoice")
}

// mustBeDraft refuses what needs a draft.
func (s State) mustBeDraft() error {
	switch s.Status {
	case StatusDraft:
		return nil
	case StatusSent:
		return domain.Refuse("invoice-already-sent", "This invoice was sent and stays as it is. Issue a credit note, or void it and send a new one.")
	case StatusVoid:
		return errVoid()
	}
	return domain.Missing("invoice")
}

func errVoid() error {
	return domain.Refuse("invoice-void", "This invoice is void. Draft a new one.")
}
