package invoice

import "github.com/atrium-portal/atrium/domain"

// Method is how money was received.
type Method string

// The methods.
const (
	Card         Method = "card"
	BankTransfer Method = "bank_transfer"
	Cash         Method = "cash"
	Cheque       Method = "cheque"
	DirectDebit  Method = "direct_debit"
	Other        Method = "other"
)

// words is the end of a sentence about a payment.
func (m Method) words() string {
	switch m {
	case Card:
		return " by card"
	case BankTransfer:
		return " by bank transfer"
	case Cash:
		return " in cash"
	case Cheque:
		return " by cheque"
	case DirectDebit:
		return " by direct debit"
	case Other:
	}
	return ""
}

func (m Method) known() bool { return m == Other || m.words() != "" }

// RecordPayment notes money received for a sent invoice.
type RecordPayment struct {
	Invoice   domain.ID       `json:"invoice"`
	Amount    domain.Money    `json:"amount"`
	Date      domain.Date     `json:"date"`
	Method    Method          `json:"method"`
	Reference domain.Personal `json:"reference,omitzero"`

	// Receipt is the next receipt number of the firm, reserved for ID; it is put in before the decision, and stays 0
	// where another program gave the receipt.
	Receipt int64 `json:"-"`
	// Attempt is the online payment that brought the money. It gives its id to what is recorded, which is how it is
	// recorded once.
	Attempt domain.ID `json:"-"`
}

// ID is the id of the payment that the command described by m records.
func (c RecordPayment) ID(m domain.Meta) domain.ID {
	if c.Attempt != domain.NoID {
		return c.Attempt
	}
	return m.NewID("payment")
}

// Target is the invoice.
func (c RecordPayment) Target() domain.ID { return c.Invoice }

// Decide records a payment of at most what is due; one that pays the rest also marks the invoice paid.
func (c RecordPayment) Decide(s State, m domain.Meta) ([]Event, error) {
	var v domain.Checks
	v.Money(c.Amount, "amount", s.Currency(), 1)
	checkDate(&v, c.Date, "date", m.Today())
	v.That(c.Method.known(), "method", "method-unknown", "Choose card, bank_transfer, cash, cheque, direct_debit or other.")
	v.OptionalText(c.Reference.Reveal(), "reference", 200)
	if err := v.Err(); err != nil {
		return nil, err
	}
	id := c.ID(m)
	if _, done := s.Payments[id]; done {
		return nil, nil
	}
	if err := s.mustBeSent(); err != nil {
		return nil, err
	}
	due := s.Due().Sub(c.Amount)
	if due.Amount < 0 {
		return nil, exceeds("payment-exceeds-due", s.Due(), "due on this invoice")
	}
	recorded := PaymentRecorded{
		Payment: id, Amount: c.Amount, Date: c.Date, Method: c.Method, Reference: c.Reference, DueAfter: due,
	}
	if c.Receipt > 0 {
		recorded.Receipt = label("R-", c.Receipt)
	}
	events := []Event{recorded}
	if due.Amount == 0 {
		events = append(events, Paid{})
	}
	return events, nil
}

// exceeds refuses an amount above the limit there is.
func exceeds(code string, limit domain.Money, what string) error {
	message := "Nothing is " + what + "."
	if limit.Amount > 0 {
		message = "Only " + limit.String() + " is " + what + ". Give at most that."
	}
	return &domain.Fault{Kind: domain.Refused, Code: code, Field: "amount", Message: message}
}

// RefundPayment gives money of a payment back: the amount, or all that is left of it.
type RefundPayment struct {
	Invoice domain.ID       `json:"invoice"`
	Payment domain.ID       `json:"payment"`
	Amount  *domain.Money   `json:"amount,omitempty"`
	Reason  domain.Personal `json:"reason"`
}

// Target is the invoice.
func (c RefundPayment) Target() domain.ID { return c.Invoice }

// Decide refunds at most what is left of the payment.
func (c RefundPayment) Decide(s State, m domain.Meta) ([]Event, error) {
	var v domain.Checks
	if c.Amount != nil {
		v.Money(*c.Amount, "amount", s.Currency(), 1)
	}
	v.Text(c.Reason.Reveal(), "reason", 500)
	if err := v.Err(); err != nil {
		return nil, err
	}
	id := m.NewID("refund")
	if s.Made[id] {
		return nil, nil
	}
	payment, known := s.Payments[c.Payment]
	if !known {
		return nil, domain.Missing("payment")
	}
	left := payment.Left()
	amount := left
	domain.Replace(&amount, c.Amount)
	if amount.Amount == 0 || amount.Amount > left.Amount {
		return nil, exceeds("refund-exceeds-payment", left, "left of this payment")
	}
	return []Event{PaymentRefunded{Refund: id, Payment: c.Payment, Amount: amount, Date: m.Today(), Reason: c.Reason}}, nil
}

// MatchRefunds brings the refunds of an online payment up to the total that the provider gave back. Whoever has
// recorded a refund by hand that the provider reports later has recorded it once.
type MatchRefunds struct {
	Invoice domain.ID    `json:"invoice"`
	Payment domain.ID    `json:"payment"`
	Total   domain.Money `json:"total"`
}

// Target is the invoice.
func (c MatchRefunds) Target() domain.ID { return c.Invoice }

// Decide records what is missing, at most what is left of the payment.
func (c MatchRefunds) Decide(s State, m domain.Meta) ([]Event, error) {
	payment, known := s.Payments[c.Payment]
	if !known {
		return nil, domain.Missing("payment")
	}
	missing := c.Total.Sub(payment.Refunded)
	missing.Amount = min(missing.Amount, payment.Left().Amount)
	if missing.Amount <= 0 {
		return nil, nil
	}
	return []Event{PaymentRefunded{
		Refund: m.NewID("refund"), Payment: c.Payment, Amount: missing, Date: m.Today(), Reason: domain.P("Refunded by the payment provider."),
	}}, nil
}
