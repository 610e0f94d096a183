// Package payment is one attempt of a client to pay an invoice through a payment provider: started, handed over to the
// provider, and ended by what the provider reports.
//
// payment.go declares the events and folds them; the payer's commands are in start.go, those that follow what the
// provider says in report.go, and those for what does not add up in review.go.
//
// # Decisions that closed a door
//
//   - The n-th attempt on an invoice has the id AttemptID(invoice, n), and the next one may begin only when the one
//     before has ended. So there is at most one open attempt per invoice without a lock or a reservation to give
//     back: two that start at once want the same stream, and one of them gets it. The cost is that finding the open
//     attempt means walking over the earlier ones, so there are at most MaxAttempts of them.
//   - The id of the attempt is the provider's idempotency key, and it is stored before the provider is called: asking
//     again after a crash or a lost reply opens the same payment page.
//   - Money that arrived is a fact whatever was decided before: a success counts also after the attempt failed,
//     expired or was cancelled here. What cannot be put on the invoice is kept for review, never dropped.
//   - Refunds are reported as the total given back so far, so a report that comes twice, late or before the capture says
//     the same.
package payment

import (
	"slices"
	"strconv"
	"time"

	"github.com/atrium-portal/atrium/domain"
)

// Aggregate describes the stream of a payment attempt.
var Aggregate = domain.Aggregate[State, Event]{
	Category: "payment",
	Evolve:   evolve,
	Events: []Event{
		Started{}, HandedOver{}, CancelRequested{}, Succeeded{}, Failed{}, Expired{}, Mismatched{}, RefundReported{}, ReviewClosed{},
	},
}

// MaxAttempts is how many attempts there may be on one invoice.
const MaxAttempts = 100

// AttemptID is the id of the n-th attempt, from 1, on an invoice.
func AttemptID(invoice domain.ID, n int) domain.ID {
	return domain.DeriveID("payment attempt", invoice.String(), strconv.Itoa(n))
}

// Event is a fact about a payment attempt.
//
//sumtype:decl
type Event interface {
	domain.Event
	payment()
}

// Started is the first event of every attempt.
type Started struct {
	Invoice domain.ID    `json:"invoice"`
	Label   string       `json:"label"` // number of the invoice as people read it
	Amount  domain.Money `json:"amount"`
	Gateway string       `json:"gateway"` // name of the provider's adapter
	Contact domain.ID    `json:"contact"` // who pays
	Expires time.Time    `json:"expires"` // the payment page closes then

	Recipients []domain.ID `json:"recipients,omitempty"` // of the invoice: contacts; none means all of the account
}

// HandedOver says that the provider has a page for the attempt.
type HandedOver struct {
	Reference string          `json:"reference"`    // the provider's name of the page
	URL       domain.Personal `json:"url,omitzero"` // of the page; whoever has it can pay
}

// CancelRequested asks the provider to close the page. The attempt ends when the provider says so.
type CancelRequested struct{}

// Succeeded says that the provider holds exactly the money that was asked for.
type Succeeded struct {
	Capture string       `json:"capture"` // the provider's name of the money
	Amount  domain.Money `json:"amount"`
	Fee     domain.Money `json:"fee,omitzero"`    // of the provider, where it says so
	Date    domain.Date  `json:"date"`            // where the firm is
	Notice  string       `json:"notice,omitzero"` // the provider's id of the message that said so
}

// Failed ends an attempt: it will bring no money.
type Failed struct {
	Reason string `json:"reason"` // in words for the payer; never what the payer typed
	Notice string `json:"notice,omitzero"`
}

// Expired ends an attempt whose page was closed before anybody paid.
type Expired struct {
	Notice string `json:"notice,omitzero"`
}

// Mismatched says that money arrived that somebody has to look into.
type Mismatched struct {
	Capture string       `json:"capture"`
	Amount  domain.Money `json:"amount"` // that arrived
	Asked   domain.Money `json:"asked"`
	Why     Why          `json:"why"`
	Notice  string       `json:"notice,omitzero"`
}

// RefundReported is money that the provider gave back.
type RefundReported struct {
	Total   domain.Money `json:"total"`             // of all refunds so far
	Waiting bool         `json:"waiting,omitempty"` // it came before the news of the capture, and counts after it
	Notice  string       `json:"notice,omitzero"`
}

// ReviewClosed says that somebody has looked into a mismatch and dealt with it.
type ReviewClosed struct {
	Note domain.Personal `json:"note"`
}

// Why says what does not add up.
type Why string

// The reasons for a review.
const (
	OtherAmount   Why = "amount"  // another amount or currency arrived than was asked for
	NotDue        Why = "invoice" // the invoice does not need the money any more: it was paid, credited or voided meanwhile
	SecondCapture Why = "twice"   // the provider took money a second time for the same attempt
)

func (Started) payment()         {}
func (HandedOver) payment()      {}
func (CancelRequested) payment() {}
func (Succeeded) payment()       {}
func (Failed) payment()          {}
func (Expired) payment()         {}
func (Mismatched) payment()      {}
func (RefundReported) payment()  {}
func (ReviewClosed) payment()    {}

// EventType is the wire name.
func (Started) EventType() string { return "PaymentStarted" }

// EventType is the wire name.
func (HandedOver) EventType() string { return "PaymentHandedOver" }

// EventType is the wire name.
func (CancelRequested) EventType() string { return "PaymentCancelRequested" }

// EventType is the wire name.
func (Succeeded) EventType() string { return "PaymentSucceeded" }

// EventType is the wire name.
func (Failed) EventType() string { return "PaymentFailed" }

// EventType is the wire name.
func (Expired) EventType() string { return "PaymentExpired" }

// EventType is the wire name.
func (Mismatched) EventType() string { return "PaymentMismatched" }

// EventType is the wire name.
func (RefundReported) EventType() string { return "PaymentRefundReported" }

// EventType is the wire name.
func (ReviewClosed) EventType() string { return "PaymentReviewClosed" }

// Sentence for history.
func (e Started) Sentence() string {
	return "started a payment of " + e.Amount.String() + " for invoice " + e.Label
}

// Sentence for history.
func (HandedOver) Sentence() string { return "opened the payment page" }

// Sentence for history.
func (CancelRequested) Sentence() string { return "asked to cancel the payment" }

// Sentence for history.
func (e Succeeded) Sentence() string { return "received " + e.Amount.String() + " online" }

// Sentence for history.
func (e Failed) Sentence() string { return "reported that the payment failed: " + e.Reason }

// Sentence for history.
func (Expired) Sentence() string { return "closed the payment page; nothing was paid" }

// Sentence for history.
func (e Mismatched) Sentence() string {
	switch e.Why {
	case NotDue:
		return "received " + e.Amount.String() + " that is not due any more: refund it, or record it elsewhere"
	case SecondCapture:
		return "received " + e.Amount.String() + " a second time: refund it"
	case OtherAmount:
	}
	return "received " + e.Amount.String() + " where " + e.Asked.String() + " was asked for: look into it"
}

// Sentence for history.
func (e RefundReported) Sentence() string {
	return "reported that " + e.Total.String() + " of the payment was given back in all"
}

// Sentence for history.
func (ReviewClosed) Sentence() string { return "closed the review of the payment" }

// Status is where an attempt is in its life.
type Status string

// The statuses; the zero Status is an attempt that does not exist.
const (
	StatusStarted    Status = "started"     // the provider is being asked
	StatusHandedOver Status = "handed_over" // the payer is with the provider
	StatusSucceeded  Status = "succeeded"
	StatusFailed     Status = "failed"
	StatusExpired    Status = "expired"
	StatusReview     Status = "review"   // money arrived that somebody has to look into
	StatusReviewed   Status = "reviewed" // somebody has
)

// Open reports whether an attempt can still bring money in the ordinary way; only then it keeps others from starting.
func (s Status) Open() bool { return s == StatusStarted || s == StatusHandedOver }

// State is what decisions about an attempt need.
type State struct {
	Status    Status
	Invoice   domain.ID
	Label     string // of the invoice
	Amount    domain.Money
	Gateway   string
	Contact   domain.ID
	Expires   time.Time
	Reference string
	URL       string
	Cancel    bool // was asked for

	Captures []string     // the provider's names of the money that arrived; more than one needs a review
	Captured domain.Money // that arrived last
	Refunded domain.Money // that was given back of it, by what the provider reports
	Waiting  domain.Money // of Refunded, reported before the capture
}

func evolve(s State, e Event) State {
	switch e := e.(type) {
	case Started:
		s = State{
			Status: StatusStarted, Invoice: e.Invoice, Label: e.Label, Amount: e.Amount, Gateway: e.Gateway, Contact: e.Contact, Expires: e.Expires,
			Captured: e.Amount.Zero(), Refunded: e.Amount.Zero(), Waiting: e.Amount.Zero(),
		}
	case HandedOver:
		s.Status, s.Reference, s.URL = StatusHandedOver, e.Reference, e.URL.Reveal()
	case CancelRequested:
		s.Cancel = true
	case Succeeded:
		s.Status, s.Captured, s.Captures = StatusSucceeded, e.Amount, slices.Concat(s.Captures, []string{e.Capture})
	case Failed:
		s.Status = StatusFailed
	case Expired:
		s.Status = StatusExpired
	case Mismatched:
		s.Status, s.Captured = StatusReview, e.Amount
		if !slices.Contains(s.Captures, e.Capture) {
			s.Captures = slices.Concat(s.Captures, []string{e.Capture})
		}
	case RefundReported:
		if s.Refunded = e.Total; e.Waiting {
			s.Waiting = e.Total
		}
	case ReviewClosed:
		s.Status = StatusReviewed
	}
	return s
}
