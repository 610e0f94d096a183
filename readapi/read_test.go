package readapi_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/firm"
	"github.com/atrium-portal/atrium/readapi"
)

var march2 = domain.Date{Year: 2026, Month: 3, Day: 2}

// TestReads asks one world, which it leaves as it is.
func TestReads(t *testing.T) {
	w := newWorld(t)
	for name, test := range map[string]func(*testing.T, *world){
		"invoices": testInvoices, "pages": testPages, "search and filters": testFilters, "statements": testStatements, "papers": testPapers,
		"dashboards": testDashboards, "contracts": testContracts, "me": testMe, "history": testHistory, "why": testWhy, "exports": testExports,
		"what clients must not see": testMarkers, "bad parameters": testParameters, "headers": testHeaders, "round trips": testRoundTrips,
		"bodies of HEAD": testHead, "documentation": testDocs, "methods": testMethods, "cross-origin": testCrossOrigin,
		"pages both ways": testPaging, "cells are no formulas": testCells, "authorisation matrix": testMatrix, "evidence": testEvidence, "rights of tokens": testRights, "as of now": testAsOfNow, "as_of": testAsOfParameter,
		"on record": testOnRecord, "files on record": testFilesOnRecord, "refusals on record": testRefusalsOnRecord, "who may know": testWhoMayKnow,
	} {
		t.Run(name, func(t *testing.T) { test(t, w.of(t)) })
	}
}

func testInvoices(t *testing.T, w *world) {
	shown := map[domain.ID]string{}
	for _, i := range list[readapi.StaffInvoice](w, "/api/v1/invoices", "ada", 50) {
		shown[i.ID] = i.Number + " " + i.Status
	}
	want := map[domain.ID]string{
		w.ids["invoice aurora"]: "0001 overdue", w.ids["invoice borealis"]: "0002 overdue", w.ids["invoice olga"]: "0003 paid",
		w.ids["draft"]: "draft draft", w.ids["void"]: "0004 void",
	}
	if d := cmp.Diff(want, shown); d != "" {
		t.Error(d)
	}

	var got readapi.InvoiceDetail
	a := w.get("/api/v1/invoices/"+w.ids["invoice aurora"].String(), "olga", &got)
	if a.header.Get("ETag") != `"2"` || a.header.Get("Atrium-Position") == "" {
		t.Errorf("ETag %s, position %s", a.header.Get("ETag"), a.header.Get("Atrium-Position"))
	}
	invoice := readapi.Invoice{
		ID: w.ids["invoice aurora"], Revision: 2, Account: w.ids["aurora"], AccountName: "Aurora", Number: "0001", Status: "overdue", Currency: "EUR",
		Issued: march2, Due: domain.Date{Year: 2026, Month: 3, Day: 16},
		Net: eur(10_000), Tax: eur(1_900), Total: eur(11_900), Paid: eur(5_000), Refunded: eur(0), Credited: eur(0), AmountDue: eur(6_900),
	}
	if d := cmp.Diff(invoice, got.Invoice, cmpopts.IgnoreFields(readapi.Invoice{}, "DraftedAt", "SentAt")); d != "" {
		t.Error(d)
	}
	lines := []readapi.InvoiceLine{{Description: "Work", Quantity: 2 * domain.One, UnitPrice: eur(5_000), TaxRate: 19 * domain.One, Net: eur(10_000)}}
	groups := []readapi.TaxGroup{{Rate: 19 * domain.One, Base: eur(10_000), Tax: eur(1_900)}}
	if d := cmp.Diff(lines, got.Lines) + cmp.Diff(groups, got.TaxGroups); d != "" || got.Note != "for invoice aurora" {
		t.Error(d, got.Note)
	}
	if len(got.Payments) != 1 || got.Payments[0].Amount != eur(5_000) || got.Payments[0].Date != march2 || got.Payments[0].Reference != "ref" {
		t.Errorf("%+v", got.Payments)
	}
}

// testPages reads every collection in pages of every small size: each thing once, in the same order.
func testPages(t *testing.T, w *world) {
	for _, path := range []string{
		"/api/v1/accounts", "/api/v1/contacts?sort=-added", "/api/v1/contacts?sort=-name", "/api/v1/projects", "/api/v1/contracts?sort=title",
		"/api/v1/invoices", "/api/v1/invoices?sort=due", "/api/v1/invoices?sort=-total", "/api/v1/payments", "/api/v1/statements",
		"/api/v1/team?sort=-name", "/api/v1/history", "/api/v1/activity?module=invoice",
	} {
		whole := list[json.RawMessage](w, path, "ada", 200)
		if len(whole) < 2 {
			t.Errorf("%s has %d items: too few to try pages", path, len(whole))
		}
		for limit := 1; limit <= 3; limit++ {
			if pages := list[json.RawMessage](w, path, "ada", limit); !slices.EqualFunc(pages, whole, slices.Equal) {
				t.Errorf("%s in pages of %d gives %d items, at once %d, or in another order", path, limit, len(pages), len(whole))
			}
		}
	}
}

func testFilters(t *testing.T, w *world) {
	for path, want := range map[string]int{
		"/api/v1/invoices?status=overdue":                             2,
		"/api/v1/invoices?status=paid,void":                           2,
		"/api/v1/invoices?status=sent":                                0,
		"/api/v1/invoices?account=" + w.ids["borealis"].String():      1,
		"/api/v1/invoices?account=" + w.ids["crux"].String():          0,
		"/api/v1/invoices?due_from=2026-04-01&due_to=2026-05-01":      3,
		"/api/v1/invoices?q=BOREA":                                    1,
		"/api/v1/invoices?q=%25":                                      0,
		"/api/v1/payments?invoice=" + w.ids["invoice olga"].String():  1,
		"/api/v1/payments?from=2026-03-03":                            0,
		"/api/v1/payment-attempts?status=handed_over":                 2,
		"/api/v1/payment-attempts?status=succeeded,failed":            0,
		"/api/v1/contacts?access=frozen":                              1,
		"/api/v1/contacts?q=olga%40":                                  1,
		"/api/v1/projects?health=shifted":                             0,
		"/api/v1/projects?completed=false":                            2,
		"/api/v1/contracts?signer=" + w.ids["olga"].String():          1,
		"/api/v1/history?module=invoice&action=InvoiceSent":           4,
		"/api/v1/history?person=" + w.ids["max"].String():             3,
		"/api/v1/history?person=import&action=ContractSent":           2,
		"/api/v1/history?to=2026-03-01":                               0,
		"/api/v1/history?from=2026-03-02T09:30:00Z&module=contract":   13,
		"/api/v1/history?from=2026-03-03":                             0,
		"/api/v1/history?q=discovery%20to":                            1,
		"/api/v1/accounts/" + w.ids["borealis"].String() + "/history": 10,
	} {
		if got := list[json.RawMessage](w, path, "ada", 200); len(got) != want {
			t.Errorf("%s: %d, want %d", path, len(got), want)
		}
	}
}

func testStatements(t *testing.T, w *world) {
	aurora := readapi.Statement{
		Account: w.ids["aurora"], AccountName: "Aurora", Currency: "EUR", Opening: eur(0), Billed: eur(42_840), Paid: eur(28_800), Refunded: eur(0),
		Credited: eur(0), Voided: eur(7_140), Closing: eur(6_900),
	}
	if d := cmp.Diff([]readapi.Statement{aurora}, list[readapi.Statement](w, "/api/v1/statements", "olga", 50)); d != "" {
		t.Error(d)
	}
	// nora is not a recipient of one invoice: hers leaves it out.
	mine := aurora
	mine.Billed, mine.Paid = eur(19_040), eur(5_000)
	if d := cmp.Diff([]readapi.Statement{mine}, list[readapi.Statement](w, "/api/v1/statements", "nora", 50)); d != "" {
		t.Error(d)
	}
	// What came before the period is its opening.
	var later readapi.StatementDetail
	w.get("/api/v1/statements/"+w.ids["aurora"].String()+"?from=2026-03-03&to=2026-12-31", "ada", &later)
	if later.Opening != eur(6_900) || later.Closing != eur(6_900) || later.Billed != eur(0) || len(later.Entries) != 0 || later.To.String() != "2026-12-31" {
		t.Errorf("%+v", later)
	}
	var detail readapi.StatementDetail
	w.get("/api/v1/statements/"+w.ids["aurora"].String(), "ada", &detail)
	var lines []string
	for _, e := range detail.Entries {
		lines = append(lines, fmt.Sprint(e.Kind, " ", e.InvoiceNumber, " ", e.Amount, " = ", e.Balance))
	}
	want := []string{
		"invoice 0001 119.00 EUR = 119.00 EUR", "payment 0001 -50.00 EUR = 69.00 EUR", "invoice 0003 238.00 EUR = 307.00 EUR",
		"payment 0003 -238.00 EUR = 69.00 EUR", "invoice 0004 71.40 EUR = 140.40 EUR", "void 0004 -71.40 EUR = 69.00 EUR",
	}
	if d := cmp.Diff(want, lines); d != "" {
		t.Error(d)
	}
}

func testDashboards(t *testing.T, w *world) {
	var staff readapi.StaffDashboard
	w.get("/api/v1/dashboard", "max", &staff)
	staff.Position = domain.Position{}
	want := readapi.StaffDashboard{
		Totals: []readapi.CurrencyTotals{{
			Currency: "EUR", Billed: eur(47_600), Paid: eur(33_800), Credited: eur(0), Due: eur(13_800), Overdue: eur(13_800),
		}},
		Accounts: map[string]int64{"open": 2}, Projects: map[string]int64{"on_track": 2},
		Contracts: map[string]int64{"complete": 1, "draft": 1, "sent": 1},
		Invoices:  map[string]int64{"draft": 1, "overdue": 2, "paid": 1, "void": 1},
	}
	if d := cmp.Diff(want, staff); d != "" {
		t.Error(d)
	}
	actions := func(who string) (list []string) {
		var mine readapi.ClientDashboard
		w.get("/api/v1/dashboard", who, &mine)
		for _, a := range mine.Actions {
			list = append(list, fmt.Sprint(a.Kind, " ", a.Label, " ", a.Overdue))
		}
		return append(list, fmt.Sprint(mine.AmountDue, mine.Open, mine.Overdue, len(mine.Projects), len(mine.Activity) > 0))
	}
	for who, want := range map[string][]string{
		"olga": {"sign_contract Terms: contract false", "pay_invoice 0001 true", "[69.00 EUR] 1 1 1 true"},
		"nora": {"pay_invoice 0001 true", "[69.00 EUR] 1 1 1 true"},
		"liam": {"[] 0 0 0 true"},
		"bea":  {"pay_invoice 0002 true", "[69.00 EUR] 1 1 1 true"},
	} {
		if d := cmp.Diff(want, actions(who)); d != "" {
			t.Errorf("%s: %s", who, d)
		}
	}
}

func testContracts(t *testing.T, w *world) {
	var got readapi.ContractDetail
	w.get("/api/v1/contracts/"+w.ids["contract done"].String(), "olga", &got)
	if got.Body != "We agree." || got.Status != "complete" || len(got.Signers) != 1 || got.Signers[0].SignedAs != "Olga O." || got.Signers[0].Name != "Olga" {
		t.Errorf("%+v", got)
	}
	var project readapi.ProjectDetail
	w.get("/api/v1/projects/"+w.ids["project aurora"].String(), "olga", &project)
	if d := cmp.Diff([]readapi.ProjectMember{{Staff: w.ids["max"], Name: "Max", Role: "Designer"}}, project.Team); d != "" || project.Stage != "Design" {
		t.Error(d, project.Stage)
	}
}

func testMe(t *testing.T, w *world) {
	var me readapi.Me
	w.get("/api/v1/me", "nora", &me)
	want := readapi.Me{
		Kind: "client", ID: w.ids["nora"], Name: "Nora", Email: "nora@aurora.example", Role: "viewer",
		Permissions: []string{"view_contracts", "view_invoices", "view_projects"}, Scopes: []string{"all"},
		Firm: readapi.MyFirm{
			ID: w.ids["north"], Name: "North", Slug: "north", Currency: "EUR", TimeZone: "Europe/Berlin", NumberFormat: "1,234.56",
			Today: domain.Date{Year: 2026, Month: 3, Day: 22},
		},
		Account:  &readapi.MyOwn{ID: w.ids["aurora"], Name: "Aurora", Currency: "EUR"},
		Accounts: []readapi.MyOther{{ID: w.ids["aurora"], Name: "Aurora"}},
	}
	if d := cmp.Diff(want, me); d != "" {
		t.Error(d)
	}
}

// testMarkers plants words in everything that clients must not see, and looks for them in everything they can ask.
func testMarkers(t *testing.T, w *world) {
	paths := []string{
		"/api/v1/me", "/api/v1/dashboard", "/api/v1/activity", "/api/v1/activity?format=csv", "/api/v1/activity?format=json", "/api/v1/accounts",
		"/api/v1/contacts", "/api/v1/projects", "/api/v1/contracts", "/api/v1/invoices", "/api/v1/payments", "/api/v1/statements", "/api/v1/team",
	}
	for _, id := range w.ids {
		for _, collection := range []string{"accounts", "contacts", "projects", "contracts", "invoices", "payments", "statements", "team"} {
			paths = append(paths, "/api/v1/"+collection+"/"+id.String(), "/api/v1/"+collection+"/"+id.String()+"/history")
		}
	}
	for _, who := range []string{"olga", "nora", "liam"} {
		for _, path := range paths {
			body := w.ask(http.MethodGet, path, who).body
			for _, marker := range []string{"marker-", "192.0.2.7", "secret-session", "@north.example", "borealis", "Borealis", "Crux", "administrator", w.ids["bea"].String()} {
				if strings.Contains(body, marker) {
					t.Errorf("%s as %s shows %q", path, who, marker)
				}
			}
			if (who != "olga") && strings.Contains(body, "238.00") {
				t.Errorf("%s as %s shows the invoice for olga alone", path, who)
			}
		}
	}
}

func TestSettingsOfTheFirm(t *testing.T) {
	w := newWorld(t)
	count := func(path, who string) int { return len(list[json.RawMessage](w, path, who, 200)) }
	before := count("/api/v1/invoices", "olga")
	if got := count("/api/v1/contracts", "olga"); got != 2 {
		t.Errorf("%d contracts", got)
	}
	w.do("north", w.staffOf("ada"), "ChangeFirmSettings", firm.ChangeSettings{
		Firm: w.ids["north"], ShowHistory: ptr(false), ShowUnreleasedInvoices: ptr(true),
	})
	w.project()
	if got := count("/api/v1/invoices", "olga"); got != before+1 {
		t.Errorf("%d invoices with drafts shown, %d without", got, before)
	}
	if got := count("/api/v1/contracts", "olga"); got != 1 {
		t.Errorf("%d contracts without history, want the open one", got)
	}
	if got := count("/api/v1/activity", "olga"); got != 0 {
		t.Errorf("%d entries of history, want none", got)
	}
	if got := count("/api/v1/invoices/"+w.ids["invoice aurora"].String()+"/history", "olga"); got != 0 {
		t.Errorf("%d entries of an invoice's history, want none", got)
	}
	if got := count("/api/v1/activity", "ada"); got == 0 {
		t.Error("staff always see history")
	}
}

func TestAnswersWaitForAPosition(t *testing.T) {
	w := newWorld(t)
	receipt := w.do("north", w.staffOf("max"), "AdvanceStage", advance(w.ids["project aurora"]))
	path := "/api/v1/projects/" + w.ids["project aurora"].String() + "?after=" + receipt.Position.String()

	var project readapi.ProjectDetail
	a := w.get(path, "max", &project)
	if a.header.Get("Atrium-Stale") != "true" || project.Stage != "Design" {
		t.Errorf("behind: stale %q, stage %s", a.header.Get("Atrium-Stale"), project.Stage)
	}
	var page struct{ Stale bool }
	if a := w.get("/api/v1/projects?after="+receipt.Position.String(), "max", &page); !page.Stale || a.header.Get("Atrium-Stale") != "true" {
		t.Error("a list that is behind does not say so")
	}
	done := make(chan answer)
	go func() { done <- w.ask(http.MethodGet, path, "max") }()
	w.project()
	got := <-done
	if err := json.Unmarshal([]byte(got.body), &project); err != nil || project.Stage != "Development" || got.header.Get("Atrium-Stale") != "" {
		t.Errorf("%v, stage %s, stale %q", err, project.Stage, got.header.Get("Atrium-Stale"))
	}
	position, err := domain.ParsePosition(got.header.Get("Atrium-Position"))
	if err != nil || position.Before(receipt.Position) {
		t.Errorf("position %v (%v) is before %v", position, err, receipt.Position)
	}
}
