package payment

import (
	"slices"

	"github.com/atrium-portal/atrium/domain"
)

// Outcome is what the provider says about an attempt.
type Outcome string

// The outcomes.
const (
	Pending Outcome = "pending" // nothing yet
	Paid    Outcome = "paid"
	Refused Outcome = "failed"
	Lapsed  Outcome = "expired" // the page is closed
)

// Report is what the provider says, whether in a message or when asked. It may come twice and in any order.
type Report struct {
	Payment domain.ID    `json:"payment"`
	Outcome Outcome      `json:"outcome"`
	Capture string       `json:"capture,omitempty"` // the provider's name of the money, when paid
	Amount  domain.Money `json:"amount,omitzero"`   // that arrived, when paid
	Fee     domain.Money `json:"fee,omitzero"`
	Reason  string       `json:"reason,omitempty"` // when failed
	Notice  string       `json:"notice,omitempty"` // the provider's id of its message
}

// Target is the attempt.
func (c Report) Target() domain.ID { return c.Payment }

// Decide ends the attempt as the provider says. Money counts also when the attempt had ended without; nothing else
// changes what has ended.
func (c Report) Decide(s State, m domain.Meta) ([]Event, error) {
	var v domain.Checks
	v.OptionalText(c.Reason, "reason", 500)
	v.OptionalText(c.Notice, "notice", 200)
	if c.Outcome == Paid {
		v.Text(c.Capture, "capture", 200)
		v.Money(c.Amount, "amount", "", 0)
	}
	if err := v.Err(); err != nil {
		return nil, err
	}
	switch c.Outcome {
	case Paid:
		return c.paid(s, m), nil
	case Refused:
		if s.Status.Open() {
			return []Event{Failed{Reason: c.reason(), Notice: c.Notice}}, nil
		}
	case Lapsed:
		if s.Status.Open() {
			return []Event{Expired{Notice: c.Notice}}, nil
		}
	case Pending:
	}
	return nil, nil
}

func (c Report) reason() string {
	if c.Reason == "" {
		return "the provider gave no reason"
	}
	return c.Reason
}

func (c Report) paid(s State, m domain.Meta) []Event {
	mismatch := Mismatched{Capture: c.Capture, Amount: c.Amount, Asked: s.Amount, Why: OtherAmount, Notice: c.Notice}
	switch {
	case slices.Contains(s.Captures, c.Capture):
		return nil
	case len(s.Captures) > 0:
		mismatch.Why = SecondCapture
		return []Event{mismatch}
	case c.Amount != s.Amount:
		return []Event{mismatch}
	}
	return []Event{Succeeded{Capture: c.Capture, Amount: c.Amount, Fee: c.Fee, Date: m.Today(), Notice: c.Notice}}
}

// ReportRefund is what the provider says it has given back of an attempt's money.
type ReportRefund struct {
	Payment domain.ID    `json:"payment"`
	Total   domain.Money `json:"total"` // of all refunds so far
	Notice  string       `json:"notice,omitempty"`
}

// Target is the attempt.
func (c ReportRefund) Target() domain.ID { return c.Payment }

// Decide notes a total that is larger than the one before; an older report says nothing new. Money in another currency
// than was asked for is under review anyway.
func (c ReportRefund) Decide(s State, _ domain.Meta) ([]Event, error) {
	var v domain.Checks
	v.Money(c.Total, "total", "", 0)
	v.OptionalText(c.Notice, "notice", 200)
	if err := v.Err(); err != nil || c.Total.Currency != s.Amount.Currency || c.Total.Amount <= s.Refunded.Amount {
		return nil, err
	}
	return []Event{RefundReported{Total: c.Total, Waiting: len(s.Captures) == 0, Notice: c.Notice}}, nil
}
