package projections

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/invoice"
)

// Hypothesis is what is supposed to have been otherwise with the invoices of an account. Zero values suppose nothing.
type Hypothesis struct {
	TaxRate *domain.Decimal // percent, on every line
	LateFee *LateFee
	Plan    *Plan
}

// LateFee is billed once for an invoice of which something is still due some days after its due date.
type LateFee struct {
	Percent domain.Decimal // of what is due; or else
	Amount  int64          // minor units of the account's currency
	Days    int            // after the due date
}

// Plan is a payment plan: what is due now is paid in equal parts, the first one interval from now.
type Plan struct {
	Parts int
	Days  int // between parts
}

// ParseLateFee reads "1.5%/30d" or "25.00/14d": how much, and how many days after the due date.
func ParseLateFee(text string) (*LateFee, error) {
	wrong := fmt.Errorf("late fee %q: give a share or an amount and the days after the due date, such as 1.5%%/30d or 25.00/14d", text)
	much, days, ok := strings.Cut(strings.TrimSpace(text), "/")
	n, err := parseDays(days)
	if !ok || err != nil {
		return nil, wrong
	}
	share, percent := strings.CutSuffix(much, "%")
	value, err := domain.ParseDecimal(share)
	switch {
	case err != nil || value <= 0 || percent && value > 100*domain.One || !percent && (value > 1_000_000*domain.One || value%(domain.One/100) != 0):
		return nil, wrong
	case percent:
		return &LateFee{Percent: value, Days: n}, nil
	}
	return &LateFee{Amount: int64(value / (domain.One / 100)), Days: n}, nil
}

// ParsePlan reads "6/30d": how many parts, and the days between them.
func ParsePlan(text string) (*Plan, error) {
	parts, days, ok := strings.Cut(strings.TrimSpace(text), "/")
	n, err := strconv.Atoi(parts)
	between, wrong := parseDays(days)
	if !ok || err != nil || wrong != nil || n < 1 || n > 60 {
		return nil, fmt.Errorf("plan %q: give from 1 to 60 parts and the days between them, such as 6/30d", text)
	}
	return &Plan{Parts: n, Days: between}, nil
}

func parseDays(text string) (int, error) {
	n, err := strconv.Atoi(strings.TrimSuffix(text, "d"))
	if err == nil && (n < 1 || n > 366) {
		err = fmt.Errorf("%d days", n)
	}
	return n, err
}

// ParseTaxRate reads a rate in percent, such as "19".
func ParseTaxRate(text string) (*domain.Decimal, error) {
	rate, err := domain.ParseDecimal(strings.TrimSuffix(strings.TrimSpace(text), "%"))
	if err != nil || rate < 0 || rate > 100*domain.One {
		return nil, fmt.Errorf("tax rate %q: give percent from 0 to 100, such as 19 or 8.875", text)
	}
	return &rate, nil
}

// Figures are what was billed, paid and is due of an invoice that was sent, or of several. Minor units.
type Figures struct{ Billed, Paid, Due int64 }

func (f *Figures) add(more Figures) {
	f.Billed, f.Paid, f.Due = f.Billed+more.Billed, f.Paid+more.Paid, f.Due+more.Due
}

// Supposed is an invoice as it is and as it would be.
type Supposed struct {
	Invoice domain.ID
	Label   string
	Added   bool // there is none really
	Real    Figures
	WhatIf  Figures
}

// Balance is what the account owes at the end of a day, as it is and as it would be.
type Balance struct {
	Date         domain.Date
	Real, WhatIf int64
}

// WhatIf is an account's real figures beside those of a hypothesis.
type WhatIf struct {
	Currency string
	Invoices []Supposed // in the order in which they were sent
	Real     Figures
	WhatIf   Figures
	Balances []Balance // by day, where something moves
}

// WhatIf folds the history of an account twice, as it is and with the events of a hypothesis, in memory. Nothing is
// appended or stored.
func (e *Engine) WhatIf(ctx context.Context, log Streams, of Whose, now time.Time, h Hypothesis) (*WhatIf, error) {
	records, err := e.past(ctx, log, of, now)
	if err != nil {
		return nil, err
	}
	s := &supposing{engine: e, of: of, now: now}
	events, err := e.sandbox().decode(records)
	if err != nil {
		return nil, err
	}
	real, err := s.fold(ctx, events)
	if err != nil {
		return nil, err
	}
	if h.TaxRate != nil {
		if events, err = s.taxed(events, *h.TaxRate); err != nil {
			return nil, err
		}
	}
	if h.LateFee != nil {
		if events, err = s.charged(ctx, events, *h.LateFee); err != nil {
			return nil, err
		}
	}
	if h.Plan != nil {
		if events, err = s.planned(events, *h.Plan); err != nil {
			return nil, err
		}
	}
	supposed, err := s.fold(ctx, events)
	if err != nil {
		return nil, err
	}
	return compareFigures(real, supposed), nil
}

// supposing makes hypothetical events.
type supposing struct {
	engine *Engine
	of     Whose
	now    time.Time
	n      int // made so far
}

func (s *supposing) fold(ctx context.Context, events []event) (*Then, error) {
	fresh := slices.Clone(events)
	b := s.engine.sandbox()
	revisions, last := map[string]int64{}, uint64(0)
	for i := range fresh {
		ev := &fresh[i]
		ev.touches, ev.Revision = nil, revisions[ev.Stream]
		revisions[ev.Stream]++
		last = max(last+1, ev.Position.Commit) // events between others get places of their own
		ev.Position = domain.Position{Commit: last, Prepare: last}
		ev.fact.Revision, ev.fact.Position = ev.Revision, ev.Position
		if ev.err == nil {
			b.aim(ev)
		}
	}
	return b.then(ctx, s.engine, s.of, fresh)
}

// made is a hypothetical event of an invoice.
func (s *supposing) made(id domain.ID, at time.Time, e invoice.Event) event {
	s.n++
	stream := domain.StreamName(invoice.Aggregate.Category, id)
	eventID := domain.DeriveID("what-if event", id.String(), strconv.Itoa(s.n))
	return event{
		Recorded: domain.Recorded{Stream: stream, ID: eventID, Type: e.EventType(), Created: at},
		fact: domain.Fact{
			Stream: stream, Category: invoice.Aggregate.Category, Of: id, ID: eventID, Event: e, Meta: s.meta(id, at),
		},
	}
}

func (s *supposing) meta(target domain.ID, at time.Time) domain.Meta {
	return domain.Meta{
		Firm: s.of.Firm, Account: s.of.Account, Actor: domain.SystemActor("what-if"), Time: at, Target: target,
		Command: domain.DeriveID("what-if", target.String(), strconv.Itoa(s.n)),
	}
}

// taxed gives every line of every invoice another tax rate, and has what follows from the amounts follow.
func (s *supposing) taxed(events []event, rate domain.Decimal) ([]event, error) {
	states := map[domain.ID]invoice.State{}
	var list []event
	for _, ev := range events {
		e, is := ev.fact.Event.(invoice.Event)
		if !is || ev.err != nil {
			list = append(list, ev)
			continue
		}
		id := ev.fact.Of
		state := states[id]
		var err error
		switch known := e.(type) {
		case invoice.Drafted:
			var content invoice.Content
			content, err = retaxed(invoice.Content(known), rate)
			e = invoice.Drafted(content)
		case invoice.DraftChanged:
			var content invoice.Content
			content, err = retaxed(invoice.Content(known), rate)
			e = invoice.DraftChanged(content)
		case invoice.Sent:
			known.Total = state.Content.Totals.Total
			e = known
		case invoice.PaymentRecorded:
			known.DueAfter = state.Due().Sub(known.Amount)
			e = known
		case invoice.Voided:
			known.Amount = state.Due()
			e = known
		case invoice.Paid:
			continue // follows where it would
		case invoice.PaymentRefunded, invoice.CreditNoteIssued, invoice.Overdue, invoice.Questioned, invoice.QuestionAnswered:
		}
		if err != nil {
			return nil, err
		}
		ev.fact.Event = e
		list = append(list, ev)
		state = invoice.Aggregate.Evolve(state, e)
		if p, paid := e.(invoice.PaymentRecorded); paid && p.DueAfter.Amount == 0 {
			list = append(list, s.made(id, ev.fact.Meta.Time, invoice.Paid{}))
			state = invoice.Aggregate.Evolve(state, invoice.Paid{})
		}
		states[id] = state
	}
	return list, nil
}

func retaxed(c invoice.Content, rate domain.Decimal) (invoice.Content, error) {
	lines := make([]invoice.Line, len(c.Lines))
	for i, l := range c.Lines {
		lines[i] = invoice.Line{Description: l.Description, Quantity: l.Quantity, UnitPrice: l.UnitPrice, TaxRate: rate}
	}
	var err error
	c.Lines, c.Totals, err = invoice.Price(lines)
	return c, err
}

// rowsOfTable are the rows of a table.
func rowsOfTable[R any](t *Then, name string) (rows []*R) {
	for i, table := range t.engine.tables {
		if table.name == name {
			for _, row := range t.rows[i] {
				rows = append(rows, row.(*R))
			}
		}
	}
	return rows
}

// charged bills a fee for every invoice that was late, as an invoice of its own.
func (s *supposing) charged(ctx context.Context, events []event, fee LateFee) ([]event, error) {
	then, err := s.fold(ctx, events)
	if err != nil {
		return nil, err
	}
	today := domain.DateOf(s.now, time.UTC)
	for _, row := range rowsOfTable[invoiceRow](then, "invoices") {
		day := row.Due.AddDays(fee.Days)
		if !row.Released || today.Before(day) {
			continue
		}
		due := domain.Money{Currency: row.Currency}
		for _, entry := range rowsOfTable[ledgerRow](then, "ledger") {
			if entry.Invoice == row.ID && !day.Before(entry.Date) {
				due.Amount += entry.Amount
			}
		}
		amount := domain.Money{Amount: fee.Amount, Currency: row.Currency}
		if fee.Percent > 0 {
			amount, _ = due.Percent(fee.Percent)
		}
		if due.Amount <= 0 || amount.Amount <= 0 {
			continue
		}
		id := domain.DeriveID("what-if late fee", row.ID.String())
		at := day.Time()
		bill := invoice.Draft{
			Account: s.of.Account, Recipients: row.Recipients, Due: day,
			Lines: []invoice.Line{{Description: domain.P("Late fee"), Quantity: domain.One, UnitPrice: amount}},
		}
		drafted, err := bill.Decide(invoice.State{}, s.meta(id, at))
		if err != nil {
			return nil, err
		}
		for _, e := range append(drafted, invoice.Sent{Label: "Late fee " + row.Label, Issued: day, Due: day, Recipients: row.Recipients, Total: amount}) {
			events = append(events, s.made(id, at, e))
		}
	}
	return events, nil
}

// planned pays what is due in parts, from now on.
func (s *supposing) planned(events []event, plan Plan) ([]event, error) {
	states := map[domain.ID]invoice.State{}
	for _, ev := range events {
		if e, is := ev.fact.Event.(invoice.Event); is && ev.err == nil {
			states[ev.fact.Of] = invoice.Aggregate.Evolve(states[ev.fact.Of], e)
		}
	}
	ids := slices.SortedFunc(maps.Keys(states), func(a, b domain.ID) int { return strings.Compare(a.String(), b.String()) })
	for part := 1; part <= plan.Parts; part++ {
		at := s.now.AddDate(0, 0, part*plan.Days)
		for _, id := range ids {
			due := states[id].Due()
			due.Amount /= int64(plan.Parts - part + 1)
			if due.Amount <= 0 {
				continue
			}
			s.n++
			m := s.meta(id, at)
			facts, err := invoice.RecordPayment{Invoice: id, Amount: due, Date: m.Today(), Method: invoice.Other}.Decide(states[id], m)
			if err != nil {
				return nil, err
			}
			for _, e := range facts {
				events = append(events, s.made(id, at, e))
				states[id] = invoice.Aggregate.Evolve(states[id], e)
			}
		}
	}
	return events, nil
}

// figures are those of an invoice that was sent and not voided.
func figures(row *invoiceRow) Figures {
	if !row.Released || row.Void {
		return Figures{}
	}
	return Figures{Billed: row.Total - row.Credited, Paid: row.Paid, Due: row.DueAmount}
}

func compareFigures(real, supposed *Then) *WhatIf {
	w := &WhatIf{}
	was := map[domain.ID]*invoiceRow{}
	for _, row := range rowsOfTable[invoiceRow](real, "invoices") {
		was[row.ID] = row
	}
	all := rowsOfTable[invoiceRow](supposed, "invoices")
	slices.SortStableFunc(all, func(a, b *invoiceRow) int { return a.SentAt.Compare(b.SentAt) })
	for _, row := range all {
		if !row.Released {
			continue
		}
		w.Currency = row.Currency
		one := Supposed{Invoice: row.ID, Label: row.Label, Added: was[row.ID] == nil, WhatIf: figures(row)}
		if !one.Added {
			one.Real = figures(was[row.ID])
		}
		w.Real.add(one.Real)
		w.WhatIf.add(one.WhatIf)
		w.Invoices = append(w.Invoices, one)
	}
	moves := map[domain.Date]*Balance{}
	move := func(rows []*ledgerRow, of func(*Balance) *int64) {
		for _, row := range rows {
			if moves[row.Date] == nil {
				moves[row.Date] = &Balance{Date: row.Date}
			}
			*of(moves[row.Date]) += row.Amount
		}
	}
	move(rowsOfTable[ledgerRow](real, "ledger"), func(b *Balance) *int64 { return &b.Real })
	move(rowsOfTable[ledgerRow](supposed, "ledger"), func(b *Balance) *int64 { return &b.WhatIf })
	var sum Balance
	for _, day := range slices.SortedFunc(maps.Keys(moves), func(a, b domain.Date) int { return a.Time().Compare(b.Time()) }) {
		sum = Balance{Date: day, Real: sum.Real + moves[day].Real, WhatIf: sum.WhatIf + moves[day].WhatIf}
		w.Balances = append(w.Balances, sum)
	}
	return w
}
