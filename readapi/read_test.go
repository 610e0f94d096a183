package readapi_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/readapi"
)

func TestListsAndObjects(t *testing.T) {
	w := newWorld(t)
	t.Run("invoices as staff", func(t *testing.T) {
		got := map[string]string{}
		for _, i := range list[readapi.StaffInvoice](w, "/api/v1/invoices", "ada", 2) {
			got[i.Number+" "+i.ID.String()] = i.Status
		}
		want := map[string]string{
			"1 " + w.ids["invoice aurora"].String(): "overdue", "2 " + w.ids["invoice borealis"].String(): "overdue",
			"3 " + w.ids["invoice olga"].String(): "paid", "draft " + w.ids["draft"].String(): "draft", "4 " + w.ids["void"].String(): "void",
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Error(d)
		}
	})
	t.Run("an invoice", func(t *testing.T) {
		var got readapi.InvoiceDetail
		a := w.get("/api/v1/invoices/"+w.ids["invoice aurora"].String(), "olga", &got)
		if a.header.Get("ETag") != `"2"` || a.header.Get("Atrium-Position") == "" {
			t.Errorf("ETag %s, position %s", a.header.Get("ETag"), a.header.Get("Atrium-Position"))
		}
		want := readapi.InvoiceDetail{
			Invoice: readapi.Invoice{
				ID: w.ids["invoice aurora"], Revision: 2, Account: w.ids["aurora"], AccountName: "Aurora", Number: "1", Status: "overdue",
				Issued: domain.Date{Year: 2026, Month: 3, Day: 2}, Due: domain.Date{Year: 2026, Month: 3, Day: 16},
				Net: eur(10_000), Tax: eur(1_900), Total: eur(11_900), Paid: eur(5_000), Refunded: eur(0), Credited: eur(0), AmountDue: eur(6_900),
			},
			InvoiceContent: readapi.InvoiceContent{
				Note:      "for invoice aurora",
				Lines:     []readapi.InvoiceLine{{Description: "Work", Quantity: 2 * domain.One, UnitPrice: eur(5_000), TaxRate: 19 * domain.One, Net: eur(10_000)}},
				TaxGroups: []readapi.TaxGroup{{Rate: 19 * domain.One, Base: eur(10_000), Tax: eur(1_900)}},
				Payments: []readapi.InvoicePayment{{
					ID: w.ids["payment aurora"], Amount: eur(5_000), Refunded: eur(0), Date: domain.Date{Year: 2026, Month: 3, Day: 2}, Method: "bank_transfer", Reference: "ref",
				}},
				CreditNotes: []readapi.InvoiceCreditNote{},
			},
		}
		if d := cmp.Diff(want, got, cmpopts.IgnoreFields(readapi.Invoice{}, "DraftedAt", "SentAt")); d != "" {
			t.Error(d)
		}
	})
}
