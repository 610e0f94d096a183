package projections_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/domaintest"
	"github.com/atrium-portal/atrium/domain/invoice"
	"github.com/atrium-portal/atrium/projections"
)

// TestInvoiceHistory shows what people read about an invoice: what changed with each event, and nothing else.
func TestInvoiceHistory(t *testing.T) {
	db, w := newDatabase(t), newWorld(t)
	north := w.foundFirm(t, "north")
	north.openAccount("acme", "ana")
	north.sendInvoice("site", "acme")
	for _, amount := range []int64{19_00, 100_00} {
		must(north, invoice.Aggregate, "site", "", invoice.RecordPayment{
			Invoice: domaintest.ID("site"), Amount: domain.Money{Amount: amount, Currency: "EUR"},
			Date: domain.Date{Year: 2026, Month: time.March, Day: 1}, Method: invoice.Cash,
		})
	}
	if err := db.engineOf(t, w.log, projections.Tables()).Apply(t.Context(), w.batch()); err != nil {
		t.Fatal(err)
	}
	rows, err := db.owner.Query(t.Context(), `
		select event || coalesce((
			select string_agg(format(', %s %s → %s', c ->> 'field', c #>> '{from}', c #>> '{to}'), '' order by n)
			from jsonb_array_elements(changes) with ordinality e (c, n)), '') || ', of ' || label
		from read.history where record = $1 order by position`, domaintest.ID("site"))
	if err != nil {
		t.Fatal(err)
	}
	got, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	eur := func(amount string) string { return `{"amount": ` + amount + `, "currency": "EUR"}` }
	want := []string{
		"InvoiceDrafted, status  → draft, label  → draft, due  → 2027-01-31, total  → " + eur("11900") + ", of draft",
		"InvoiceSent, status draft → sent, label draft → 0001, issued  → 2026-03-02, due_amount " + eur("0") + " → " + eur("11900") + ", of 0001",
		"PaymentRecorded, status sent → part_paid, paid " + eur("0") + " → " + eur("1900") +
			", due_amount " + eur("11900") + " → " + eur("10000") + ", of 0001",
		"PaymentRecorded, paid " + eur("1900") + " → " + eur("11900") + ", due_amount " + eur("10000") + " → " + eur("0") + ", of 0001",
		"InvoicePaid, status part_paid → paid, of 0001",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}
