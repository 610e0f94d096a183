package reactors

import (
	"context"
	"time"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/payment"
)

// Gateway is a payment provider that takes money on pages of its own. Its methods may be called twice for the same
// thing, also at the same time and by several processes.
type Gateway interface {
	// Open makes a page on which an attempt can be paid, once: asked again it gives the same page. A *Refusal says that
	// there will be none; any other error that we do not know.
	Open(ctx context.Context, b Bill) (Page, error)
	// Look tells what became of a page. One that the provider does not know has expired.
	Look(ctx context.Context, reference string) (Report, error)
	// Close closes a page, unless something was paid on it, and tells what became of it.
	Close(ctx context.Context, reference string) (Report, error)
}

// Bill is what a page asks for.
type Bill struct {
	Firm    domain.ID
	Attempt domain.ID // also the provider's idempotency key
	Invoice domain.ID
	Label   string // of the invoice
	Amount  domain.Money
	Payer   string    // e-mail address; empty when not known
	Expires time.Time // the page closes then
}

// Page is a page at the provider.
type Page struct {
	Reference string // the provider's name of it
	URL       string
}

// Report is what became of a page.
type Report struct {
	Outcome  payment.Outcome
	Capture  string       // the provider's name of the money, when paid
	Amount   domain.Money // that arrived, when paid
	Fee      domain.Money // of the provider, where it says so
	Refunded domain.Money // of Amount, in all
	Reason   string       // when failed, in words for the payer
}

// Notice is a message of the provider, whose origin was checked: something happened to an attempt. What it was is asked
// of the provider, so it does not matter in which order notices come.
type Notice struct {
	ID        string // the provider's name of the message
	Firm      domain.ID
	Attempt   domain.ID
	Reference string // of the page; empty when the notice does not say
}

// Refusal says that a provider will not make a page.
type Refusal struct{ Reason string }

// Error gives the reason.
func (r *Refusal) Error() string { return "the payment provider refused: " + r.Reason }

// OpenAttempts lists the attempts that wait for the provider, of all firms.
type OpenAttempts interface {
	OpenAttempts(ctx context.Context) ([]OpenAttempt, error)
}

// OpenAttempt is an attempt that waits for the provider.
type OpenAttempt struct {
	Firm, Attempt domain.ID
	Started       time.Time
}
