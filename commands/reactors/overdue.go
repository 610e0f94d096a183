package reactors

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/atrium-portal/atrium/commands"
	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/invoice"
)

// Receivable is an invoice that is past its due date, by UTC, and not marked so.
type Receivable struct {
	Firm, Invoice domain.ID
	Due           domain.Date
	Revision      int64 // of the invoice: paid and refunded, it may be overdue again
}

// Receivables lists invoices that may be overdue.
type Receivables interface {
	PastDue(ctx context.Context, day domain.Date) ([]Receivable, error)
}

// Overdue marks invoices overdue on the day after their due date, in the firm's time zone: the decision looks at the
// firm's date, this reactor only proposes.
type Overdue struct {
	Loop        *commands.Loop
	Receivables Receivables
	Now         func() time.Time
	Logger      *slog.Logger
}

// Run marks what is overdue now and then every interval until ctx ends.
func (o Overdue) Run(ctx context.Context, interval time.Duration) error {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		if err := o.Mark(ctx); err != nil && ctx.Err() == nil {
			o.Logger.Error("marking overdue invoices", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// Mark marks every invoice that is overdue now. One that cannot be marked does not hold up the others.
func (o Overdue) Mark(ctx context.Context) error {
	// One day ahead: somewhere east of Greenwich tomorrow has begun.
	list, err := o.Receivables.PastDue(ctx, domain.DateOf(o.Now(), time.UTC).AddDays(1))
	if err != nil {
		return err
	}
	var failed []error
	for _, r := range list {
		id := domain.DeriveID("overdue", r.Invoice.String(), fmt.Sprint(r.Revision))
		_, err := o.Loop.Dispatch(ctx, commands.Order{
			Name: "MarkOverdue", Command: invoice.MarkOverdue{Invoice: r.Invoice},
			Meta: domain.Meta{Firm: r.Firm, Actor: domain.SystemActor("clock"), Command: id, Time: o.Now()},
		})
		if err != nil {
			failed = append(failed, err)
		}
	}
	return errors.Join(failed...)
}
