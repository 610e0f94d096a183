package readapi_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/account"
	"github.com/atrium-portal/atrium/domain/contract"
	"github.com/atrium-portal/atrium/domain/firm"
	"github.com/atrium-portal/atrium/readapi"
)

// drawn asks for a paper; the pencil of the world writes JSON.
func drawn[P any](w *world, path, who string) (p P, a answer) {
	w.t.Helper()
	a = w.ask(http.MethodGet, path, who)
	if a.status != http.StatusOK || a.header.Get("Content-Type") != "application/pdf" || a.header.Get("X-Content-Type-Options") != "nosniff" {
		w.t.Fatalf("%s as %s: %d %v %s", path, who, a.status, a.header, a.body)
	}
	if err := json.Unmarshal([]byte(a.body), &p); err != nil {
		w.t.Fatal(err)
	}
	return p, a
}

var onlyNow = cmpopts.IgnoreTypes(readapi.PartiesNow{})

func testPapers(t *testing.T, w *world) {
	march2 := domain.Date{Year: 2026, Month: 3, Day: 2}
	seller, buyer := readapi.Seller{Name: "North", NumberFormat: "1,234.56"}, readapi.Buyer{Name: "Aurora"}

	invoice, a := drawn[readapi.InvoicePaper](w, "/api/v1/invoices/"+w.ids["invoice aurora"].String()+"/pdf", "olga")
	if got := a.header.Get("Content-Disposition"); got != `attachment; filename="invoice-0001.pdf"` {
		t.Error(got)
	}
	want := readapi.InvoicePaper{
		Currency: "EUR", Number: "0001", Issued: march2, Due: domain.Date{Year: 2026, Month: 3, Day: 16}, Seller: seller, Buyer: buyer,
		Note:      "for invoice aurora",
		Lines:     []readapi.InvoiceLine{{Description: "Work", Quantity: 2 * domain.One, UnitPrice: eur(5_000), TaxRate: 19 * domain.One, Net: eur(10_000)}},
		TaxGroups: []readapi.TaxGroup{{Rate: 19 * domain.One, Base: eur(10_000), Tax: eur(1_900)}},
		Net:       eur(10_000), Total: eur(11_900), AmountDue: eur(6_900), CreditNotes: []readapi.InvoiceCreditNote{},
		Payments: []readapi.InvoicePayment{{
			ID: w.ids["payment aurora"], Amount: eur(5_000), Refunded: eur(0), Date: march2, Method: "bank_transfer", Reference: "ref", Receipt: "R-0001",
		}},
	}
	if d := cmp.Diff(want, invoice, onlyNow, cmpopts.IgnoreFields(readapi.InvoicePaper{}, "At")); d != "" || invoice.At.IsZero() {
		t.Error(d, invoice.At)
	}
	if current, _ := drawn[readapi.InvoicePaper](w, "/api/v1/invoices/"+w.ids["invoice aurora"].String()+"/pdf?current=true", "olga"); !current.Current {
		t.Error("current is not passed on")
	}
	if draft, _ := drawn[readapi.InvoicePaper](w, "/api/v1/invoices/"+w.ids["draft"].String()+"/pdf", "ada"); !draft.Draft || draft.Seller != seller || draft.Buyer != buyer {
		t.Errorf("a draft names the parties as they are: %+v", draft)
	}

	receipt, a := drawn[readapi.ReceiptPaper](w, "/api/v1/payments/"+w.ids["payment aurora"].String()+"/receipt", "olga")
	if got := a.header.Get("Content-Disposition"); got != `attachment; filename="receipt-R-0001.pdf"` {
		t.Error(got)
	}
	if d := cmp.Diff(readapi.ReceiptPaper{
		Currency: "EUR", Number: "R-0001", Payment: w.ids["payment aurora"], Amount: eur(5_000), Date: march2, Method: "bank_transfer", Reference: "ref",
		Invoice: "0001", Issued: march2, Total: eur(11_900), DueAfter: eur(6_900), Seller: seller, Buyer: buyer,
	}, receipt, onlyNow, cmpopts.IgnoreFields(readapi.ReceiptPaper{}, "At")); d != "" {
		t.Error(d)
	}

	statement, a := drawn[readapi.StatementPaper](w, "/api/v1/statements/"+w.ids["aurora"].String()+"/pdf?from=2026-03-01&to=2026-03-31", "nora")
	if len(statement.Entries) != 4 || statement.Closing != statement.Entries[3].Balance || statement.From.String() != "2026-03-01" {
		t.Errorf("%+v", statement)
	}
	if statement.SellerNow() != seller || statement.BuyerNow() != buyer || statement.Made.String() != "2026-03-22" {
		t.Errorf("from %+v to %+v on %s", statement.SellerNow(), statement.BuyerNow(), statement.Made)
	}
	if got := a.header.Get("Content-Disposition"); got != `attachment; filename="statement-2026-03-22.pdf"` {
		t.Error(got)
	}

	terms, a := drawn[readapi.ContractPaper](w, "/api/v1/contracts/"+w.ids["contract done"].String()+"/pdf", "olga")
	if got := a.header.Get("Content-Disposition"); got != `attachment; filename="contract-Terms-contract-done.pdf"` {
		t.Error(got)
	}
	signer := terms.Signers[0]
	if terms.Status != "complete" || terms.Body != "We agree." || terms.SHA256 != contract.Digest(terms.Title, terms.Body) || terms.CompletedAt.IsZero() ||
		terms.Parties != (readapi.ContractParties{Firm: "North", Client: "Aurora", TimeZone: "Europe/Berlin"}) ||
		terms.Verify != "https://portal.example/contracts/"+w.ids["contract done"].String() {
		t.Errorf("%+v", terms)
	}
	if signer.SignedAs != "Olga O." || signer.IP != "192.0.2.7" || signer.Event == domain.NoID || signer.SignedAt.IsZero() {
		t.Errorf("%+v", signer)
	}
	if open, _ := drawn[readapi.ContractPaper](w, "/api/v1/contracts/"+w.ids["contract draft"].String()+"/pdf", "ada"); open.Parties.Firm != "North" {
		t.Errorf("a draft names the parties as they are: %+v", open.Parties)
	}
}

// What was sent never changes, whatever firm and client do later.
func TestPapersOfDay1AreThoseOfDay400(t *testing.T) {
	w := newWorld(t)
	paths := map[string]string{
		"/api/v1/invoices/" + w.ids["invoice aurora"].String() + "/pdf":     "olga",
		"/api/v1/payments/" + w.ids["payment aurora"].String() + "/receipt": "olga",
		"/api/v1/contracts/" + w.ids["contract done"].String() + "/pdf":     "olga",
	}
	before := map[string]string{}
	shown := func(path, who string) string {
		a := w.ask(http.MethodGet, path, who)
		var paper map[string]json.RawMessage
		if err := json.Unmarshal([]byte(a.body), &paper); err != nil {
			t.Fatal(err)
		}
		for _, now := range []string{"AmountDue", "Payments", "CreditNotes"} { // drawn only when asked for
			delete(paper, now)
		}
		for name := range paper {
			if slices.Contains([]string{"FirmName", "FirmAddress", "FirmTaxID", "FirmPayment", "FirmColor", "NumberFormat", "TimeZone", "AccountName", "AccountAddress", "AccountTaxID"}, name) {
				delete(paper, name) // nor these: they stand in for what is not said
			}
		}
		b, err := json.Marshal(paper)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	for path, who := range paths {
		before[path] = shown(path, who)
	}
	w.n += 400 * 24 * 60 * 60
	w.do("north", w.staffOf("ada"), "ChangeFirmSettings", firm.ChangeSettings{
		Firm: w.ids["north"], Name: ptr("South"), Address: ptr("elsewhere"), NumberFormat: ptr("1.234,56"), PrimaryColor: ptr("#000000"), TimeZone: ptr("Asia/Tokyo"),
	})
	w.do("north", w.staffOf("ada"), "ChangeAccountDetails", account.ChangeDetails{Account: w.ids["aurora"], Name: ptr(domain.P("Aurora & Sons")), Address: ptr(domain.P("far away"))})
	w.pay("north", "invoice aurora", 1_000)
	w.project()
	for path, want := range before {
		if got := shown(path, paths[path]); got != want {
			t.Errorf("%s changed:\n%s\n%s", path, want, got)
		}
	}
}
