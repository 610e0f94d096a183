package reactors

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/atrium-portal/atrium/commands"
	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/contact"
	"github.com/atrium-portal/atrium/domain/payment"
)

// Cashier brings payment attempts and the payment provider together: it opens the provider's page for an attempt that
// was started, closes it for one that was cancelled, and turns what the provider says into commands. Everything it does
// may be done again, so it does it as soon as it can and once more when nobody knows whether it was done.
type Cashier struct {
	Loop     *commands.Loop
	Gateway  Gateway
	Attempts OpenAttempts
	Now      func() time.Time
	Logger   *slog.Logger

	mu      sync.Mutex
	calling map[domain.ID]chan struct{} // attempts that the provider is asked about, closed at the end
	looks   map[domain.ID]time.Time     // when a silent attempt is looked at again
}

const (
	// patience is how long somebody who pays waits for the provider's page.
	patience = 12 * time.Second
	// unheard is how long the provider may fail to make a page. Nobody knows its address then, so nobody can pay.
	unheard = 15 * time.Minute
	// silence is how long we wait for a message of the provider before we ask.
	silence = time.Minute
)

// provider is who reports what happened at the provider.
var provider = domain.SystemActor("payment provider")

// Dispatch runs a command as the loop does. When it starts or cancels a payment, the provider is asked at once, so that
// the caller finds the payment page when this returns. A provider that does not answer is asked again later.
func (c *Cashier) Dispatch(ctx context.Context, o commands.Order) (commands.Receipt, error) {
	receipt, err := c.Loop.Dispatch(ctx, o)
	if err != nil || o.Name != "StartPayment" && o.Name != "CancelPayment" {
		return receipt, err
	}
	short, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	position, err := c.Tend(short, o.Meta.Firm, receipt.ID)
	if err != nil {
		c.Logger.Warn("the payment provider is asked again later", "attempt", receipt.ID, "error", err)
	}
	if receipt.Position.Before(position) {
		receipt.Position = position
	}
	return receipt, nil
}

// Tend does what an attempt waits for. It returns the position of what it stored.
func (c *Cashier) Tend(ctx context.Context, firm, attempt domain.ID) (domain.Position, error) {
	release, err := c.claim(ctx, attempt)
	if err != nil {
		return domain.Position{}, err
	}
	defer release()
	s, _, err := commands.State(ctx, c.Loop, payment.Aggregate, attempt)
	if err != nil || !s.Status.Open() {
		return domain.Position{}, err
	}
	now := c.Now()
	var last domain.Position
	if s.Status == payment.StatusStarted {
		if now.After(s.Expires.Add(unheard - payment.Open)) {
			return c.report(ctx, firm, attempt, s, Report{Outcome: payment.Refused, Reason: "the payment provider did not answer"}, "unheard")
		}
		if s, last, err = c.open(ctx, firm, attempt, s); err != nil || !s.Status.Open() {
			return last, err
		}
	}
	if s.Cancel || !now.Before(s.Expires) {
		report, err := c.Gateway.Close(ctx, s.Reference)
		if err != nil {
			return last, fmt.Errorf("closing the page of payment %s: %w", attempt, err)
		}
		return c.report(ctx, firm, attempt, s, report, "")
	}
	return last, nil
}

// open gets the page of an attempt and stores where it is, before anybody is sent there.
func (c *Cashier) open(ctx context.Context, firm, attempt domain.ID, s payment.State) (payment.State, domain.Position, error) {
	payer, _, err := commands.State(ctx, c.Loop, contact.Aggregate, s.Contact)
	if err != nil {
		return s, domain.Position{}, err
	}
	page, err := c.Gateway.Open(ctx, Bill{
		Firm: firm, Attempt: attempt, Invoice: s.Invoice, Label: s.Label, Amount: s.Amount, Payer: payer.Details.Email.Reveal(), Expires: s.Expires,
	})
	if refusal, ok := errors.AsType[*Refusal](err); ok {
		position, err := c.report(ctx, firm, attempt, s, Report{Outcome: payment.Refused, Reason: refusal.Reason}, "refused")
		s.Status = payment.StatusFailed
		return s, position, err
	}
	if err != nil {
		return s, domain.Position{}, fmt.Errorf("opening a page for payment %s: %w", attempt, err)
	}
	position, err := c.give(ctx, firm, attempt, s, "HandOverPayment", payment.HandOver{Payment: attempt, Reference: page.Reference, URL: domain.P(page.URL)}, "page", attempt.String())
	if err != nil {
		return s, position, err
	}
	s, _, err = commands.State(ctx, c.Loop, payment.Aggregate, attempt)
	return s, position, err
}

// Hear acts on a notice of the provider. When it returns nil, what the notice is about is stored.
func (c *Cashier) Hear(ctx context.Context, n Notice) error {
	s, revision, err := commands.State(ctx, c.Loop, payment.Aggregate, n.Attempt)
	if err != nil {
		return err
	}
	if revision == domain.NoStream {
		return domain.Missing("payment")
	}
	reference := s.Reference
	if reference == "" {
		reference = n.Reference
	}
	if reference == "" {
		return &domain.Fault{Kind: domain.Unavailable, Code: "payment-page-unknown", Message: "The page of this payment is not known yet. Send the notice again later."}
	}
	report, err := c.Gateway.Look(ctx, reference)
	if err != nil {
		return fmt.Errorf("asking about payment %s: %w", n.Attempt, err)
	}
	_, err = c.report(ctx, n.Firm, n.Attempt, s, report, n.ID)
	return err
}

// report stores what became of a page. notice is the provider's message that led to it; without one we asked.
func (c *Cashier) report(ctx context.Context, firm, attempt domain.ID, s payment.State, r Report, notice string) (last domain.Position, err error) {
	if r.Outcome != payment.Pending {
		last, err = c.give(ctx, firm, attempt, s, "ReportPayment", payment.Report{
			Payment: attempt, Outcome: r.Outcome, Capture: r.Capture, Amount: r.Amount, Fee: r.Fee, Reason: r.Reason, Notice: notice,
		}, "report", attempt.String(), notice, string(r.Outcome), r.Capture)
	}
	if err == nil && r.Refunded.Amount > 0 {
		var refunded domain.Position
		refunded, err = c.give(ctx, firm, attempt, s, "ReportRefund", payment.ReportRefund{Payment: attempt, Total: r.Refunded, Notice: notice},
			"refund", attempt.String(), notice, r.Refunded.String())
		if last.Before(refunded) {
			last = refunded
		}
	}
	return last, err
}

// give gives a command in the provider's name for whoever pays. Its id is derived from what it says; what began the attempt is
// its cause.
func (c *Cashier) give(ctx context.Context, firm, attempt domain.ID, s payment.State, name string, command any, says ...string) (domain.Position, error) {
	cause, conversation, err := commands.Origin(ctx, c.Loop, payment.Aggregate, attempt)
	if err != nil {
		return domain.Position{}, err
	}
	r, err := c.Loop.Dispatch(ctx, commands.Order{Name: name, Command: command, Meta: domain.Meta{
		Firm: firm, Actor: provider, OnBehalfOf: s.Contact, Command: domain.DeriveID(append([]string{"payment provider"}, says...)...), Time: c.Now(),
		Causation: cause, Correlation: conversation,
	}})
	return r.Position, err
}

// claim makes sure that this process asks about an attempt once at a time: whoever comes second waits, and then finds
// what the first one got.
func (c *Cashier) claim(ctx context.Context, attempt domain.ID) (release func(), err error) {
	for {
		c.mu.Lock()
		busy := c.calling[attempt]
		if busy == nil {
			if c.calling == nil {
				c.calling = map[domain.ID]chan struct{}{}
			}
			mine := make(chan struct{})
			c.calling[attempt] = mine
			c.mu.Unlock()
			return func() {
				c.mu.Lock()
				delete(c.calling, attempt)
				c.mu.Unlock()
				close(mine)
			}, nil
		}
		c.mu.Unlock()
		select {
		case <-busy:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// Run tends the open attempts now and then every interval until ctx ends.
func (c *Cashier) Run(ctx context.Context, interval time.Duration) error {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		if err := c.Sweep(ctx); err != nil && ctx.Err() == nil {
			c.Logger.Error("tending payments", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// Sweep tends every open attempt, and asks about those of which nothing was heard. One that cannot be tended does not
// hold up the others.
func (c *Cashier) Sweep(ctx context.Context) error {
	list, err := c.Attempts.OpenAttempts(ctx)
	if err != nil {
		return err
	}
	var failed []error
	looks := map[domain.ID]time.Time{}
	for _, a := range list {
		_, err := c.Tend(ctx, a.Firm, a.Attempt)
		due, known := c.looks[a.Attempt]
		if !known {
			due = a.Started.Add(silence)
		}
		if err == nil && !c.Now().Before(due) {
			err = c.ask(ctx, a)
			due = c.Now().Add(max(silence, c.Now().Sub(a.Started)/4)) // the longer it lasts, the less often
		}
		looks[a.Attempt] = due
		failed = append(failed, err)
	}
	c.looks = looks
	return errors.Join(failed...)
}

// ask asks the provider about an attempt of which nothing was heard.
func (c *Cashier) ask(ctx context.Context, a OpenAttempt) error {
	s, _, err := commands.State(ctx, c.Loop, payment.Aggregate, a.Attempt)
	if err != nil || s.Status != payment.StatusHandedOver {
		return err
	}
	report, err := c.Gateway.Look(ctx, s.Reference)
	if err != nil {
		return fmt.Errorf("asking about payment %s: %w", a.Attempt, err)
	}
	_, err = c.report(ctx, a.Firm, a.Attempt, s, report, "")
	return err
}
