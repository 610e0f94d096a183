package projections_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/domaintest"
	"github.com/atrium-portal/atrium/domain/invoice"
	"github.com/atrium-portal/atrium/domain/numbering"
	"github.com/atrium-portal/atrium/projections"
)

// BenchmarkReplay measures, over a log of paid invoices and all of the program's tables: a projector with one
// transaction per event, a backlog in live batches, a rebuild, and copying the finished rows. The figures are ratios.
func BenchmarkReplay(b *testing.B) {
	db, w := newDatabase(b), newWorld(b)
	for i := range 40 {
		firm := fmt.Sprint("firm ", i)
		p := w.foundFirm(b, firm)
		p.openAccount(firm+" account", firm+" contact")
		for n := range 250 {
			name := fmt.Sprint(firm, " invoice ", n)
			must(p, invoice.Aggregate, name, firm+" account", invoice.Draft{
				Account: domaintest.ID(firm + " account"), Due: domain.Date{Year: 2099, Month: time.January, Day: 31},
				Lines: []invoice.Line{{
					Description: domain.P("Work for " + name), Quantity: domain.One, UnitPrice: domain.Money{Amount: 100_00, Currency: "EUR"}, TaxRate: 19 * domain.One,
				}},
			})
			number := w.reserve(p, numbering.Invoice, domaintest.ID(name))
			must(p, invoice.Aggregate, name, "", invoice.Send{Invoice: domaintest.ID(name), Number: number})
			must(p, invoice.Aggregate, name, "", invoice.RecordPayment{
				Invoice: domaintest.ID(name), Amount: domain.Money{Amount: 119_00, Currency: "EUR"}, Date: domain.Date{Year: 2026, Month: time.March, Day: 1},
				Method: invoice.BankTransfer,
			})
		}
	}
	all := w.log.all()
	const some = 2000
	for b.Loop() {
		naive := db.engineOf(b, w.log, projections.Tables(), func(o *projections.Options) { o.Schema = "naive" })
		start := time.Now()
		apply(b, naive, all[:some], 1)
		one := float64(some) / time.Since(start).Seconds()

		e := db.engineOf(b, w.log, projections.Tables(), func(o *projections.Options) { o.Batch = 0 })
		start = time.Now()
		apply(b, e, all, 4096)
		live := float64(len(all)) / time.Since(start).Seconds()

		start = time.Now()
		if _, err := e.Rebuild(b.Context(), w.log, func(p projections.Progress) {
			b.Logf("%8s %s %d", time.Since(start).Round(time.Millisecond), p.Phase, p.Events)
		}); err != nil {
			b.Fatal(err)
		}
		rebuild := time.Since(start)
		limit, rows, err := e.CopyLimit(b.Context(), time.Now)
		if err != nil {
			b.Fatal(err)
		}
		b.Logf("%d events, %d rows; naive %.0f/s, live %.0f/s, rebuild %s (%.0f/s), copy %s", len(all), rows, one, live,
			rebuild, float64(len(all))/rebuild.Seconds(), limit)
		b.ReportMetric(live/one, "live/naive")
		b.ReportMetric(rebuild.Seconds()/limit.Seconds(), "rebuild/copy")
		if _, err := db.owner.Exec(b.Context(), "drop schema naive cascade; drop schema read cascade; drop schema read_previous cascade"); err != nil {
			b.Fatal(err)
		}
	}
}
