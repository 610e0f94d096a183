package payment

import "github.com/atrium-portal/atrium/domain"

// Flag puts money that arrived as asked under review, because the invoice does not take it any more.
type Flag struct {
	Payment domain.ID `json:"payment"`
}

// Target is the attempt.
func (c Flag) Target() domain.ID { return c.Payment }

// Decide flags a success once.
func (c Flag) Decide(s State, _ domain.Meta) ([]Event, error) {
	if s.Status != StatusSucceeded {
		return nil, nil
	}
	return []Event{Mismatched{Capture: s.Captures[len(s.Captures)-1], Amount: s.Captured, Asked: s.Amount, Why: NotDue}}, nil
}

// CloseReview says that a mismatch was dealt with: refunded at the provider, or recorded where it belongs.
type CloseReview struct {
	Payment domain.ID       `json:"payment"`
	Note    domain.Personal `json:"note"` // what was done about it
}

// Target is the attempt.
func (c CloseReview) Target() domain.ID { return c.Payment }

// Decide closes a review.
func (c CloseReview) Decide(s State, _ domain.Meta) ([]Event, error) {
	var v domain.Checks
	v.Text(c.Note.Reveal(), "note", 500)
	if err := v.Err(); err != nil || s.Status == StatusReviewed {
		return nil, err
	}
	if s.Status != StatusReview {
		return nil, domain.Refuse("payment-not-in-review", "There is nothing to look into with this payment.")
	}
	return []Event{ReviewClosed{Note: c.Note}}, nil
}
