package main

import (
	"testing"

	"github.com/atrium-portal/atrium/readapi/portal/portaltest"
)

// TestTwentyClicksPayOnce: a client presses Pay now on twenty open pages at once, and the provider tells three times
// that the money is there. It is taken once, and stands in the books once.
func TestTwentyClicksPayOnce(t *testing.T) {
	browser := portaltest.Start(t)
	base, links := demoFirm(t)
	tab := browser.Tab(t)
	signIn(tab, links[1])
	tab.WaitText("h1", "Welcome, Ingrid")
	tab.Follow(`main .due a.button[href^="/invoices/"]`)
	invoice := tab.URL()
	pages := portaltest.Eval[[]string](tab, `Promise.all(Array.from({ length: 20 }, () =>
		fetch(location.pathname + "/pay", { method: "POST", body: new URLSearchParams({ key: crypto.randomUUID() }) }).then((r) => r.status + " " + new URL(r.url).pathname)))`)
	for _, page := range pages {
		if page != pages[0] {
			t.Fatalf("one click leads to %s, another to %s", pages[0], page)
		}
	}
	tab.Open(invoice)
	tab.WaitText("main", "is under way")
	tab.Click(`main a[href^="/payments/"]`)
	tab.Wait(`button[value="repeat"]`)
	tab.Click(`button[value="repeat"]`)
	tab.WaitText("main", "has arrived")
	portaltest.Check(tab, "a paid invoice")
	taken := `fetch("/dev/gateway.json").then((r) => r.json()).then((all) => all.filter((one) => one.outcome === "paid").length)`
	recorded := `fetch("/api/v1/invoices/" + location.pathname.split("/")[2] + "/history?limit=100").then((r) => r.json()).then((h) => h.items.filter((e) => e.action === "PaymentRecorded").length)`
	if a, b := portaltest.Eval[int](tab, taken), portaltest.Eval[int](tab, recorded); a != 1 || b != 1 {
		t.Errorf("taken %d times, recorded %d times", a, b)
	}
	tab.Open(base + "/")
	tab.WaitText("main", "Nothing to pay")
}
