package main

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/account"
	"github.com/atrium-portal/atrium/domain/contact"
	"github.com/atrium-portal/atrium/domain/firm"
	"github.com/atrium-portal/atrium/domain/invoice"
	"github.com/atrium-portal/atrium/domain/project"
	"github.com/atrium-portal/atrium/projections"
)

// fillLog appends the events of a made-up firm: per client an account, a contact, a project that goes through its
// stages, and five invoices that are sent and paid in two parts.
func fillLog(ctx context.Context, k *stack, events int, m *meter) error {
	w := logWriter{k: k, firm: domain.NewID(), at: k.now().AddDate(-1, 0, 0)}
	if err := w.append(ctx, w.firm, domain.NoID, "firm", firm.Created{Slug: "bench", Settings: firm.Settings{
		Name: "Bench", Currency: "EUR", TimeZone: "UTC", NumberFormat: "1,234.56", ShowHistory: true, DefaultAudience: firm.Permitted,
	}}); err != nil {
		return err
	}
	return w.clients(ctx, events, m)
}

// clients appends the events of clients, as many as it takes.
func (w logWriter) clients(ctx context.Context, events int, m *meter) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(32)
	for made := 1; made < events; made += perClient {
		group.Go(func() error { return w.client(ctx, made) })
		m.at(int64(made), int64(events))
	}
	return group.Wait()
}

// perClient is how many events one client of the benchmark brings.
const perClient = 1 + 2 + 6 + 5*perInvoice

type logWriter struct {
	k    *stack
	firm domain.ID
	at   time.Time
}

func (w logWriter) client(ctx context.Context, n int) error {
	id, person := domain.NewID(), domain.NewID()
	named := account.Person{Name: domain.P(fmt.Sprintf("Person %d", n)), Email: domain.P(fmt.Sprintf("p%d@client.example", n))}
	if err := w.append(ctx, id, id, "account", account.Opened{Name: domain.P(fmt.Sprintf("Client %d", n)), Currency: "EUR", Contact: person, Person: named}); err != nil {
		return err
	}
	if err := w.append(ctx, person, id, "contact",
		contact.Added{Name: named.Name, Email: named.Email, Primary: true},
		contact.AccessGranted{Role: contact.Owner, Permissions: contact.Owner.Defaults()}); err != nil {
		return err
	}
	stages := []string{"Discovery", "Design", "Development", "Review", "Launch"}
	facts := []domain.Event{project.Opened{Name: domain.P("Website"), Stages: stages, Stage: stages[0]}}
	for i := range stages[1:] {
		facts = append(facts, project.StageAdvanced{From: stages[i], To: stages[i+1]})
	}
	facts = append(facts, project.HealthSet{From: project.OnTrack, To: project.WaitingOnClient, Note: domain.P("waiting for the texts")})
	if err := w.append(ctx, domain.NewID(), id, "project", facts...); err != nil {
		return err
	}
	return w.invoices(ctx, id, n*5, 5)
}

// invoices appends some of one account, numbered from a number on.
func (w logWriter) invoices(ctx context.Context, account domain.ID, from, count int) error {
	for i := range count {
		if err := w.append(ctx, domain.NewID(), account, "invoice", w.invoice(int64(from+i))...); err != nil {
			return err
		}
	}
	return nil
}

// perInvoice is how many events one invoice of the benchmark brings.
const perInvoice = 5

func (w logWriter) invoice(number int64) []domain.Event {
	euros := func(n int64) domain.Money { return domain.Money{Amount: n, Currency: "EUR"} }
	lines, totals, err := invoice.Price([]invoice.Line{
		{Description: domain.P("Design"), Quantity: 3 * domain.One, UnitPrice: euros(95_00), TaxRate: 19 * domain.One},
		{Description: domain.P("Printed matter"), Quantity: 40 * domain.One, UnitPrice: euros(1_20), TaxRate: 7 * domain.One},
	})
	if err != nil {
		panic(err) // the lines are constants
	}
	due := domain.DateOf(w.at, time.UTC).AddDays(30)
	half := euros(totals.Total.Amount / 2)
	rest := totals.Total.Sub(half)
	return []domain.Event{
		invoice.Drafted{Due: due, Lines: lines, Totals: totals},
		invoice.Sent{Number: number, Label: fmt.Sprintf("%04d", number), Issued: due.AddDays(-30), Due: due, Total: totals.Total},
		invoice.PaymentRecorded{Payment: domain.NewID(), Amount: half, Date: due, Method: invoice.BankTransfer, DueAfter: rest},
		invoice.PaymentRecorded{Payment: domain.NewID(), Amount: rest, Date: due, Method: invoice.BankTransfer, DueAfter: rest.Zero()},
		invoice.Paid{},
	}
}

// append stores a whole stream at once.
func (w logWriter) append(ctx context.Context, id, accountID domain.ID, category string, facts ...domain.Event) error {
	m := domain.Meta{Firm: w.firm, Account: accountID, Actor: domain.SystemActor("bench"), Time: w.at, Command: domain.NewID(), Target: id}
	proposed := make([]domain.Proposed, len(facts))
	for i, f := range facts {
		p, err := w.k.codec.Encode(f, m, i)
		if err != nil {
			return err
		}
		proposed[i] = p
	}
	_, err := w.k.events.Append(ctx, domain.StreamName(category, id), domain.NoStream, proposed)
	return err
}

// applyRate applies the first n events of the log to fresh tables, batch events in a transaction, and returns events
// per second. The events are in memory before the clock starts.
func applyRate(ctx context.Context, k *stack, n, batch int) (perSecond float64, err error) {
	const schema = "bench_apply"
	drop := func() error {
		_, err := k.pools.Owner.Exec(ctx, `drop schema if exists `+schema+` cascade`)
		return err
	}
	if err := drop(); err != nil {
		return 0, err
	}
	engine, err := projections.New(k.pools.Owner, k.codec, projections.Tables(), projections.Options{Schema: schema, Logger: k.log})
	if err != nil {
		return 0, err
	}
	if _, err := engine.Open(ctx); err != nil {
		return 0, err
	}
	var events []domain.Recorded
	reading, enough := context.WithCancel(ctx)
	err = k.source.ReadAll(reading, domain.Position{}, 4096, func(b []domain.Recorded) error {
		if events = append(events, b...); len(events) >= n {
			events = events[:n]
			enough()
		}
		return nil
	})
	enough()
	if err != nil && len(events) < n {
		return 0, err
	}
	begun := time.Now()
	after := domain.Position{}
	for at := 0; at < len(events); at += batch {
		b := events[at:min(at+batch, len(events))]
		if err := engine.Apply(ctx, projections.Batch{After: after, Events: b}); err != nil {
			return 0, err
		}
		after = b[len(b)-1].Position
	}
	perSecond = float64(len(events)) / time.Since(begun).Seconds()
	return perSecond, drop()
}
