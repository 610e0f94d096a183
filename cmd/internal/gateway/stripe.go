package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/stripe/stripe-go/v86"

	"github.com/atrium-portal/atrium/commands/reactors"
	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/payment"
)

// StripeName is what is stored with attempts.
const StripeName = "stripe"

// StripeOptions say how to reach Stripe.
type StripeOptions struct {
	Key    string // secret key
	Base   string // where people reach the portal
	Logger *slog.Logger

	URL    string       // of the API; empty means Stripe's
	Client *http.Client // nil means one that waits 10 s for an answer
}

// Stripe takes money on pages of Stripe Checkout.
type Stripe struct {
	client *stripe.Client
	base   string
	log    *slog.Logger
}

// NewStripe makes a client of Stripe. It asks nothing yet.
func NewStripe(o StripeOptions) *Stripe {
	if o.Client == nil {
		o.Client = &http.Client{Timeout: 10 * time.Second}
	}
	config := &stripe.BackendConfig{
		HTTPClient: o.Client, MaxNetworkRetries: stripe.Int64(2), EnableTelemetry: stripe.Bool(false), LeveledLogger: leveled{o.Logger},
	}
	if o.URL != "" {
		config.URL = stripe.String(o.URL)
	}
	backend := stripe.GetBackendWithConfig(stripe.APIBackend, config)
	return &Stripe{
		client: stripe.NewClient(o.Key, stripe.WithBackends(&stripe.Backends{API: backend, Connect: backend, Uploads: backend, MeterEvents: backend})),
		base:   o.Base, log: o.Logger,
	}
}

// Keys of the metadata by which Stripe's messages are told from those of other programs on the same Stripe account.
const (
	firmKey    = "atrium_firm"
	attemptKey = "atrium_attempt"
)

// Open implements reactors.Gateway: the attempt is Stripe's idempotency key, so asked again Stripe answers as before.
func (s *Stripe) Open(ctx context.Context, b reactors.Bill) (reactors.Page, error) {
	amount, ok := toStripe(b.Amount)
	if !ok {
		return reactors.Page{}, &reactors.Refusal{Reason: "the payment provider takes no amounts as fine as " + b.Amount.String()}
	}
	marks := map[string]string{firmKey: b.Firm.String(), attemptKey: b.Attempt.String()}
	back := returnTo(s.base, b)
	params := &stripe.CheckoutSessionCreateParams{
		Mode:              stripe.String(string(stripe.CheckoutSessionModePayment)),
		SubmitType:        stripe.String(string(stripe.CheckoutSessionSubmitTypePay)),
		SuccessURL:        stripe.String(back),
		CancelURL:         stripe.String(back),
		ClientReferenceID: stripe.String(b.Attempt.String()),
		ExpiresAt:         stripe.Int64(b.Expires.Unix()),
		Metadata:          marks,
		AdaptivePricing:   &stripe.CheckoutSessionCreateAdaptivePricingParams{Enabled: stripe.Bool(false)}, // we ask for one amount in one currency
		PaymentIntentData: &stripe.CheckoutSessionCreatePaymentIntentDataParams{Description: stripe.String("Invoice " + b.Label), Metadata: marks},
		LineItems: []*stripe.CheckoutSessionCreateLineItemParams{{
			Quantity: stripe.Int64(1),
			PriceData: &stripe.CheckoutSessionCreateLineItemPriceDataParams{
				Currency: stripe.String(strings.ToLower(b.Amount.Currency)), UnitAmount: stripe.Int64(amount),
				ProductData: &stripe.CheckoutSessionCreateLineItemPriceDataProductDataParams{Name: stripe.String("Invoice " + b.Label)},
			},
		}},
	}
	if b.Payer != "" {
		params.CustomerEmail = stripe.String(b.Payer)
	}
	params.SetIdempotencyKey(b.Attempt.String())
	session, err := s.client.V1CheckoutSessions.Create(ctx, params)
	if err != nil {
		return reactors.Page{}, s.refusal(err)
	}
	return reactors.Page{Reference: session.ID, URL: session.URL}, nil
}

// refusal tells a request that Stripe will never take from one whose answer is not known. Stripe's own words are for
// the log: they speak to programmers.
func (s *Stripe) refusal(err error) error {
	e, ok := errors.AsType[*stripe.Error](err)
	if !ok || e.Type != stripe.ErrorTypeInvalidRequest && e.Type != stripe.ErrorTypeIdempotency && e.Type != stripe.ErrorTypeCard ||
		slices.Contains([]int{http.StatusUnauthorized, http.StatusForbidden, http.StatusConflict, http.StatusTooManyRequests}, e.HTTPStatusCode) {
		return fmt.Errorf("stripe: %w", err)
	}
	s.log.Error("Stripe refused a payment page", "code", e.Code, "parameter", e.Param, "message", e.Msg, "request", e.RequestID)
	if e.Code == stripe.ErrorCodeAmountTooSmall {
		return &reactors.Refusal{Reason: "the amount is too small for the payment provider"}
	}
	return &reactors.Refusal{Reason: "the payment provider does not take this payment"}
}

// Look implements reactors.Gateway.
func (s *Stripe) Look(ctx context.Context, reference string) (reactors.Report, error) {
	params := &stripe.CheckoutSessionRetrieveParams{}
	params.AddExpand("payment_intent.latest_charge.balance_transaction")
	session, err := s.client.V1CheckoutSessions.Retrieve(ctx, reference, params)
	if e, ok := errors.AsType[*stripe.Error](err); ok && e.Code == stripe.ErrorCodeResourceMissing {
		return reactors.Report{Outcome: payment.Lapsed}, nil
	}
	if err != nil {
		return reactors.Report{}, fmt.Errorf("stripe: %w", err)
	}
	return reportOf(session), nil
}

// Close implements reactors.Gateway. A page that is closed already, or was paid on, cannot be closed; it can be looked at.
func (s *Stripe) Close(ctx context.Context, reference string) (reactors.Report, error) {
	_, err := s.client.V1CheckoutSessions.Expire(ctx, reference, &stripe.CheckoutSessionExpireParams{})
	if e, ok := errors.AsType[*stripe.Error](err); err != nil && (!ok || e.Type != stripe.ErrorTypeInvalidRequest) {
		return reactors.Report{}, fmt.Errorf("stripe: %w", err)
	}
	return s.Look(ctx, reference)
}

// reportOf says what became of a session. Methods that take days, such as bank debits, are complete and unpaid
// meanwhile.
func reportOf(session *stripe.CheckoutSession) reactors.Report {
	intent := session.PaymentIntent
	switch {
	case session.Status == stripe.CheckoutSessionStatusExpired:
		return reactors.Report{Outcome: payment.Lapsed}
	case session.Status != stripe.CheckoutSessionStatusComplete || intent == nil:
		return reactors.Report{Outcome: payment.Pending}
	case session.PaymentStatus == stripe.CheckoutSessionPaymentStatusPaid:
		report := reactors.Report{Outcome: payment.Paid, Capture: intent.ID, Amount: fromStripe(intent.AmountReceived, intent.Currency)}
		if charge := intent.LatestCharge; charge != nil {
			if charge.AmountRefunded > 0 {
				report.Refunded = fromStripe(charge.AmountRefunded, charge.Currency)
			}
			if entry := charge.BalanceTransaction; entry != nil && entry.Currency != "" {
				report.Fee = fromStripe(entry.Fee, entry.Currency)
			}
		}
		return report
	case intent.Status == stripe.PaymentIntentStatusRequiresPaymentMethod || intent.Status == stripe.PaymentIntentStatusCanceled:
		return reactors.Report{Outcome: payment.Refused, Reason: "the bank refused the payment"}
	}
	return reactors.Report{Outcome: payment.Pending}
}

// Stripe counts some currencies in other units than the rest of the world.
var (
	withoutCents = []string{"BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF"}
	wholeCents   = []string{"ISK", "UGX"} // counted in hundredths, in steps of a whole
	thousandths  = []string{"BHD", "JOD", "KWD", "OMR", "TND"}
)

// unitsOfStripe is how many of Stripe's units make one of a currency, and the step in which they come.
func unitsOfStripe(code string) (units, step int64) {
	switch {
	case slices.Contains(withoutCents, code):
		return 1, 1
	case slices.Contains(wholeCents, code):
		return 100, 100
	case slices.Contains(thousandths, code):
		return 1000, 10
	}
	return 100, 1
}

// unitsOfOurs is how many minor units make one of a currency.
func unitsOfOurs(code string) int64 {
	one, err := domain.ParseMoney("1", code)
	if err != nil {
		return 100
	}
	return one.Amount
}

// toStripe gives an amount in Stripe's units; ok is false when it is finer than they are.
func toStripe(m domain.Money) (amount int64, ok bool) {
	units, step := unitsOfStripe(m.Currency)
	ours := unitsOfOurs(m.Currency)
	if m.Amount*units%ours != 0 {
		return 0, false
	}
	amount = m.Amount * units / ours
	return amount, amount%step == 0
}

// fromStripe gives an amount of Stripe's in our units. We never ask for what is finer than they are.
func fromStripe(amount int64, currency stripe.Currency) domain.Money {
	code := strings.ToUpper(string(currency))
	units, _ := unitsOfStripe(code)
	return domain.Money{Amount: amount * unitsOfOurs(code) / units, Currency: code}
}

// leveled passes on what Stripe's library has to say. Requests that fail are reported by whoever made them.
type leveled struct{ log *slog.Logger }

func (l leveled) Debugf(string, ...any) {}
func (l leveled) Infof(string, ...any)  {}

// Warnf implements stripe.LeveledLoggerInterface.
func (l leveled) Warnf(format string, v ...any) {
	l.log.Warn("stripe", "message", fmt.Sprintf(format, v...))
}

// Errorf implements stripe.LeveledLoggerInterface.
func (l leveled) Errorf(format string, v ...any) {
	l.log.Warn("stripe", "message", fmt.Sprintf(format, v...))
}
