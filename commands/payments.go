package commands

import (
	"context"
	"slices"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/invoice"
	"github.com/atrium-portal/atrium/domain/numbering"
	"github.com/atrium-portal/atrium/domain/payment"
)

// findAttempt completes the command that starts a payment: what is due on the invoice, and which attempt it is about.
// Whoever does not receive the invoice learns nothing of it.
func findAttempt(ctx context.Context, l *Loop, c payment.Start, m domain.Meta) (payment.Start, error) {
	h, err := l.invoiceFor(ctx, c.Invoice, m)
	if err != nil {
		return c, err
	}
	c.Label, c.Recipients, c.Due, c.Gateway = h.state.Label, h.state.Content.Recipients, h.state.Due(), l.Gateway
	c.Attempt, err = l.attemptOn(ctx, c.Invoice, m.Command)
	if err == nil && c.Attempt == domain.NoID {
		err = domain.Refuse("payment-attempts-exhausted", "There were too many payments on this invoice that came to nothing. Please ask the firm how to pay.")
	}
	return c, err
}

// invoiceFor loads an invoice that the actor of m receives.
func (l *Loop) invoiceFor(ctx context.Context, id domain.ID, m domain.Meta) (*head[invoice.State], error) {
	h, err := load(ctx, l, invoice.Aggregate, domain.StreamName(invoice.Aggregate.Category, id), true)
	if err != nil {
		return nil, unavailable(err)
	}
	if h.revision == domain.NoStream || !h.owner.admits(&m) {
		return nil, domain.Missing("invoice")
	}
	if m.Actor.Kind != domain.Client {
		return h, nil
	}
	persons, err := l.persons(ctx, m.Actor.ID)
	if err != nil {
		return nil, err
	}
	to := h.state.Content.Recipients
	named := len(to) == 0 || slices.ContainsFunc(persons, func(id domain.ID) bool { return slices.Contains(to, id) })
	if h.state.Label == "" || !named {
		return nil, domain.Missing("invoice")
	}
	return h, nil
}

// attemptOn is the attempt on an invoice that is open or that the command made, or else the id of the next one; none
// when there were too many.
func (l *Loop) attemptOn(ctx context.Context, invoiceID, command domain.ID) (domain.ID, error) {
	for n := 1; n <= payment.MaxAttempts; n++ {
		id := payment.AttemptID(invoiceID, n)
		stream := domain.StreamName(payment.Aggregate.Category, id)
		h, err := load(ctx, l, payment.Aggregate, stream, false)
		if err == nil && h.cached && h.state.Status.Open() {
			h, err = load(ctx, l, payment.Aggregate, stream, true)
		}
		if err != nil {
			return domain.NoID, unavailable(err)
		}
		_, did := h.receipt(domain.Meta{Command: command})
		if h.revision == domain.NoStream || h.state.Status.Open() || did {
			return id, nil
		}
	}
	return domain.NoID, nil
}

// checkPayer lets contacts cancel only payments of invoices that they receive.
func checkPayer(ctx context.Context, l *Loop, c payment.Cancel, m domain.Meta) (payment.Cancel, error) {
	s, _, err := State(ctx, l, payment.Aggregate, c.Payment)
	if err == nil {
		if _, err = l.invoiceFor(ctx, s.Invoice, m); err != nil {
			err = domain.Missing("payment")
		}
	}
	return c, err
}

// takeReceiptNumber gives a payment that is about to be recorded the number of its receipt. What was paid on an
// invoice of another program has a receipt of that program, if it has one.
func takeReceiptNumber(ctx context.Context, l *Loop, c invoice.RecordPayment, m domain.Meta) (invoice.RecordPayment, error) {
	s, err := cachedState(ctx, l, invoice.Aggregate, c.Invoice)
	if err != nil || s.Number == 0 {
		return c, err
	}
	c.Receipt, err = l.reserveNumber(ctx, numbering.Receipt, c.ID(m), m)
	return c, err
}

// recordOnlinePayment puts money that a provider holds on its invoice, with what was given back of it before we heard
// of it. Money that the invoice does not take (any more) goes under review.
func recordOnlinePayment(ctx context.Context, l *Loop, e payment.Succeeded, f domain.Fact) ([]FollowUp, error) {
	s, _, err := State(ctx, l, payment.Aggregate, f.Of)
	if err != nil || s.Status != payment.StatusSucceeded {
		return nil, err // under review already
	}
	steps := []FollowUp{{
		Name: "RecordPayment",
		Command: invoice.RecordPayment{
			Invoice: s.Invoice, Amount: e.Amount, Date: e.Date, Method: invoice.Card, Reference: domain.P(e.Capture), Attempt: f.Of,
		},
		Otherwise: &FollowUp{Name: "FlagPayment", Command: payment.Flag{Payment: f.Of}},
	}}
	if s.Waiting.Amount > 0 {
		steps = append(steps, FollowUp{Name: "MatchRefunds", Command: invoice.MatchRefunds{Invoice: s.Invoice, Payment: f.Of, Total: s.Waiting}})
	}
	return steps, nil
}

// recordOnlineRefund puts what the provider gave back on the invoice. A report that waits for its capture is followed
// when that comes.
func recordOnlineRefund(ctx context.Context, l *Loop, e payment.RefundReported, f domain.Fact) ([]FollowUp, error) {
	if e.Waiting {
		return nil, nil
	}
	s, _, err := State(ctx, l, payment.Aggregate, f.Of)
	return []FollowUp{{Name: "MatchRefunds", Command: invoice.MatchRefunds{Invoice: s.Invoice, Payment: f.Of, Total: e.Total}}}, err
}

// closePageWhenPaid closes the payment page of an invoice that does not need all of its money any more.
func closePageWhenPaid(ctx context.Context, l *Loop, _ invoice.PaymentRecorded, f domain.Fact) ([]FollowUp, error) {
	return l.closePage(ctx, f)
}

// closePageWhenCredited does the same.
func closePageWhenCredited(ctx context.Context, l *Loop, _ invoice.CreditNoteIssued, f domain.Fact) ([]FollowUp, error) {
	return l.closePage(ctx, f)
}

// closePageWhenVoid does the same.
func closePageWhenVoid(ctx context.Context, l *Loop, _ invoice.Voided, f domain.Fact) ([]FollowUp, error) {
	return l.closePage(ctx, f)
}

func (l *Loop) closePage(ctx context.Context, f domain.Fact) ([]FollowUp, error) {
	attempt, err := l.attemptOn(ctx, f.Of, domain.NoID)
	if err != nil || attempt == domain.NoID {
		return nil, err
	}
	s, _, err := State(ctx, l, payment.Aggregate, attempt)
	if err != nil || !s.Status.Open() {
		return nil, err
	}
	i, _, err := State(ctx, l, invoice.Aggregate, f.Of)
	if err != nil || s.Amount.Amount <= i.Due().Amount {
		return nil, err
	}
	return []FollowUp{{Name: "CancelPayment", Command: payment.Cancel{Payment: attempt}}}, nil
}
