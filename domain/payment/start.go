package payment

import (
	"time"

	"github.com/atrium-portal/atrium/domain"
)

// Open is how long a payment page stays open.
const Open = 24 * time.Hour

// Start begins an attempt to pay an invoice: the amount, or all that is due.
type Start struct {
	Invoice domain.ID     `json:"invoice"`
	Amount  *domain.Money `json:"amount,omitempty"`

	// What follows is looked up before the decision.

	Attempt domain.ID    `json:"-"` // the open attempt on the invoice, or else the next one
	Label   string       `json:"-"` // of the invoice
	Due     domain.Money `json:"-"` // on the invoice; none when it cannot be paid
	Gateway string       `json:"-"` // name of the provider's adapter; empty when there is none

	Recipients []domain.ID `json:"-"` // of the invoice
}

// Target is the attempt.
func (c Start) Target() domain.ID { return c.Attempt }

// Decide starts an attempt. One that is open for the same amount is the answer to a second click; nothing happens.
func (c Start) Decide(s State, m domain.Meta) ([]Event, error) {
	amount := c.Due
	domain.Replace(&amount, c.Amount)
	if s.Status.Open() {
		if amount == s.Amount || c.Amount == nil {
			return nil, nil
		}
		return nil, domain.Refuse("payment-under-way", "A payment of "+s.Amount.String()+" for this invoice is under way. Finish it or cancel it first.")
	}
	if c.Gateway == "" {
		return nil, domain.Refuse("payment-not-offered", "This firm takes no payments online. Pay as the invoice says, or ask the firm.")
	}
	if c.Due.Amount <= 0 {
		return nil, domain.Refuse("nothing-due", "Nothing is due on this invoice.")
	}
	var v domain.Checks
	v.Money(amount, "amount", c.Due.Currency, min(c.Due.Amount, Least(c.Due.Currency)))
	if err := v.Err(); err != nil {
		return nil, err
	}
	if amount.Amount > c.Due.Amount {
		return nil, &domain.Fault{
			Kind: domain.Refused, Code: "payment-exceeds-due", Field: "amount",
			Message: "Only " + c.Due.String() + " is due on this invoice. Give at most that.",
		}
	}
	if s.Status != "" {
		return nil, domain.Refuse("payment-ended", "The payment before this one has just ended. Please try again.")
	}
	return []Event{Started{
		Invoice: c.Invoice, Label: c.Label, Amount: amount, Gateway: c.Gateway, Contact: m.Actor.ID,
		Expires: m.Time.Add(Open).UTC().Truncate(time.Second), Recipients: c.Recipients,
	}}, nil
}

// Least is the smallest amount in minor units that may be paid online in a currency, unless less is due: one of its
// units, or a hundred where it has no smaller ones. Providers take about as much for less as it would bring.
func Least(currency string) int64 {
	one, err := domain.ParseMoney("1", currency)
	if err != nil {
		return 100
	}
	return max(one.Amount, 100)
}

// Cancel asks the provider to close the payment page.
type Cancel struct {
	Payment domain.ID `json:"payment"`
}

// Target is the attempt.
func (c Cancel) Target() domain.ID { return c.Payment }

// Decide asks once, while there is something to cancel.
func (c Cancel) Decide(s State, _ domain.Meta) ([]Event, error) {
	if s.Cancel || !s.Status.Open() {
		return nil, nil
	}
	return []Event{CancelRequested{}}, nil
}

// HandOver notes the payment page that the provider has made.
type HandOver struct {
	Payment   domain.ID       `json:"payment"`
	Reference string          `json:"reference"`
	URL       domain.Personal `json:"url,omitzero"`
}

// Target is the attempt.
func (c HandOver) Target() domain.ID { return c.Payment }

// Decide notes the page of an attempt that waits for one. For an attempt that has ended meanwhile nobody learns of it.
func (c HandOver) Decide(s State, _ domain.Meta) ([]Event, error) {
	var v domain.Checks
	v.Text(c.Reference, "reference", 200)
	v.OptionalText(c.URL.Reveal(), "url", 4000)
	if err := v.Err(); err != nil || s.Status != StatusStarted {
		return nil, err
	}
	return []Event{HandedOver{Reference: c.Reference, URL: c.URL}}, nil
}
