package projections_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/domaintest"
	"github.com/atrium-portal/atrium/domain/invoice"
	"github.com/atrium-portal/atrium/projections"
)

// BenchmarkAsOf folds the past of an account with 2,000 events and fills the tables that a list of invoices asks for,
// from a log in memory: what reading the streams costs comes on top. The figure to reach is 300 ms for a page.
func BenchmarkAsOf(b *testing.B) {
	db, w := newDatabase(b), newWorld(b)
	p := w.foundFirm(b, "north")
	p.openAccount("acme", "ana")
	for n := 0; len(w.log.events) < 2000; n++ {
		name := fmt.Sprint("acme ", n)
		p.sendInvoice(name, "acme")
		must(p, invoice.Aggregate, name, "", invoice.RecordPayment{
			Invoice: domaintest.ID(name), Amount: domain.Money{Amount: 119_00, Currency: "EUR"}, Date: domain.Date{Year: 2026, Month: 3, Day: 2}, Method: invoice.Card,
		})
	}
	e := db.engineOf(b, w.log, projections.Tables())
	if err := e.Apply(b.Context(), w.batch()); err != nil {
		b.Fatal(err)
	}
	streams := map[string][]domain.Recorded{}
	for _, r := range w.log.events {
		streams[r.Stream] = append(streams[r.Stream], r)
	}
	for b.Loop() {
		past, err := e.AsOf(b.Context(), loaded(streams), projections.Whose{Firm: p.firm, Account: domaintest.ID("acme")}, w.now())
		if err != nil {
			b.Fatal(err)
		}
		err = pgx.BeginFunc(b.Context(), db.client, func(tx pgx.Tx) error {
			return past.Fill(b.Context(), tx.Conn(), domain.Client, "invoices accounts history")
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}

// loaded are streams by name.
type loaded map[string][]domain.Recorded

// Load implements projections.Streams.
func (l loaded) Load(_ context.Context, stream string, from int64) ([]domain.Recorded, error) {
	return l[stream][min(int64(len(l[stream])), from):], nil
}
