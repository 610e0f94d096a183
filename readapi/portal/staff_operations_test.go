package portal_test

import (
	"testing"
	"time"

	"github.com/atrium-portal/atrium/readapi"
	"github.com/atrium-portal/atrium/readapi/portal"
)

func TestStaffRebuild(t *testing.T) {
	w := newWorld(t)
	const at = "/staff/operations"
	shows := func(r readapi.Rebuild) answer {
		w.with(func(o *portal.Options) { o.Ops = ops{r} })
		return w.get(at, "ada")
	}
	holds(t, w.page(at, "ada"), "Rebuild the tables")
	lacks(t, w.page(at, "ada"), "from before back")

	began := later().Add(-10 * time.Second)
	running := shows(readapi.Rebuild{Running: true, Phase: "fold", Events: 20_000, Of: 50_000, Began: began})
	holds(t, running.body, "Folding the events", `value="20000" max="50000"`, "20\u202f000 events, 2\u202f000 a second, about 15s left")
	lacks(t, running.body, "Rebuild the tables")
	if running.header.Get("Refresh") == "" {
		t.Error("without the script the page stands still")
	}
	ended := shows(readapi.Rebuild{
		Events: 50_000, Began: began, Ended: later(), Compared: true, Kept: true,
		Tables: []readapi.TableDigest{{Table: "contracts", SHA256: "0123456789abcdef"}, {Table: "invoices", SHA256: "fedcba9876543210", Differ: true}},
	})
	holds(t, ended.body, "Rebuilt from 50\u202f000 events in 10s", "These tables had other rows before: invoices", "Digests of 2 tables", "Put the tables from before back")
	if ended.header.Get("Refresh") != "" {
		t.Error("a page on which nothing moves is fetched again and again")
	}
	holds(t, shows(readapi.Rebuild{Events: 5, Began: began, Ended: later(), Compared: true, Tables: []readapi.TableDigest{{Table: "contracts"}}}).body, "the very same rows as before")
	holds(t, shows(readapi.Rebuild{Began: began, Ended: later(), Err: "Streams are parked."}).body, "The last rebuild failed", "Streams are parked.")

	holds(t, w.page(at+"/rebuild", "ada"), "can be put back", "Start the rebuild")
	w.send(at+"/rebuild", "ada")
	w.send(at+"/rollback", "ada")
	holds(t, w.page("/staff/history?module=firm", "ada"), "started to make all pages&#39; tables anew", "put back the pages&#39; tables")
}
