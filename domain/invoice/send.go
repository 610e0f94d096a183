package invoice

import (
	"fmt"

	"github.com/atrium-portal/atrium/domain"
)

// Send gives a draft its number and freezes it.
type Send struct {
	Invoice  domain.ID `json:"invoice"`
	Imported *Imported `json:"imported,omitempty"`

	// Number is the next number of the firm and Prefix stands before it; both are put in before the decision. A
	// decision with number 0 checks everything else.
	Number int64  `json:"-"`
	Prefix string `json:"-"`

	Seller Seller `json:"-"` // put in before the decision, too
	Buyer  Buyer  `json:"-"`
}

// Imported is the number and date that another program gave the invoice. Only the importer may give it.
type Imported struct {
	Number string      `json:"number"`
	Issued domain.Date `json:"issued"`
}

// Target is the invoice.
func (c Send) Target() domain.ID { return c.Invoice }

// Decide sends a draft.
func (c Send) Decide(s State, m domain.Meta) ([]Event, error) {
	sent := Sent{
		Number: c.Number, Label: label(c.Prefix, c.Number), Issued: m.Today(),
		Due: s.Content.Due, Recipients: s.Content.Recipients, Total: s.Content.Totals.Total,
		Seller: c.Seller, Buyer: c.Buyer,
	}
	var v domain.Checks
	if c.Imported != nil {
		if m.Actor.Kind != domain.System {
			return nil, &domain.Fault{
				Kind: domain.Forbidden, Code: "import-only", Field: "imported",
				Message: "Only an import can bring its own number. Leave it out to take the next number.",
			}
		}
		sent.Number, sent.Label, sent.Issued, sent.Imported = 0, c.Imported.Number, c.Imported.Issued, true
		v.Text(sent.Label, "imported.number", 50)
		checkDate(&v, sent.Issued, "imported.issued", m.Today())
	}
	if err := v.Err(); err != nil || s.Status == StatusSent {
		return nil, err
	}
	if err := s.mustBeDraft(); err != nil {
		return nil, err
	}
	v.That(sent.Imported || !sent.Due.Before(sent.Issued), "due", "due-before-issue",
		"The due date "+sent.Due.String()+" has passed. Change the draft's due date first.")
	if err := v.Err(); err != nil {
		return nil, err
	}
	return []Event{sent}, nil
}

// label is a number as people read it: at least four digits after the prefix.
func label(prefix string, number int64) string { return fmt.Sprintf("%s%04d", prefix, number) }

// checkDate checks the required date of something that has happened.
func checkDate(v *domain.Checks, d domain.Date, field string, today domain.Date) {
	v.That(!d.IsZero(), field, "date-required", "Give the date on which it happened.")
	v.That(!today.Before(d), field, "date-in-future", "Give a date not later than today, "+today.String()+".")
}

// MarkOverdue notes that the due date has passed. The system sends it; it may be sent at any time.
type MarkOverdue struct {
	Invoice domain.ID `json:"invoice"`
}

// Target is the invoice.
func (c MarkOverdue) Target() domain.ID { return c.Invoice }

// Decide marks an invoice once, until it is paid in full.
func (c MarkOverdue) Decide(s State, m domain.Meta) ([]Event, error) {
	if s.Overdue || s.Due().Amount == 0 || !s.Content.Due.Before(m.Today()) {
		return nil, nil
	}
	return []Event{Overdue{Due: s.Content.Due, Amount: s.Due()}}, nil
}
