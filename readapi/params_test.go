package readapi_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

type problem struct {
	Type, Title, Code, Detail, Field string
	Status                           int
	Request                          string `json:"request_id"`
	Errors                           []struct{ Code, Field string }
}

// problemOf reads a problem document and checks what holds for all of them.
func (w *world) problemOf(a answer) problem {
	w.t.Helper()
	var p problem
	if err := json.Unmarshal([]byte(a.body), &p); err != nil {
		w.t.Fatalf("%v: %s", err, a.body)
	}
	if a.header.Get("Content-Type") != "application/problem+json" || p.Status != a.status || p.Type != "/api/docs#"+p.Code ||
		p.Title != http.StatusText(a.status) || p.Detail == "" || p.Request != a.header.Get("X-Request-Id") || p.Request == "" {
		w.t.Errorf("not a whole problem document: %s %s", a.header.Get("Content-Type"), a.body)
	}
	return p
}

func testParameters(t *testing.T, w *world) {
	long := strings.Repeat("x", 300)
	invoice := "/api/v1/invoices/" + w.ids["invoice aurora"].String()
	for _, c := range []struct{ path, code, field string }{
		{"/api/v1/invoices?limit=0", "limit-invalid", "limit"},
		{"/api/v1/invoices?limit=201", "limit-invalid", "limit"},
		{"/api/v1/invoices?limit=1e2", "limit-invalid", "limit"},
		{"/api/v1/invoices?limit=", "parameter-empty", "limit"},
		{"/api/v1/invoices?limit=5&limit=5", "duplicate-parameter", "limit"},
		{"/api/v1/invoices?colour=red", "unknown-parameter", "colour"},
		{"/api/v1/invoices?as_of=tomorrow", "parameter-invalid", "as_of"},
		{"/api/v1/invoices?" + long + "=1", "unknown-parameter", long[:40] + "…"},
		{"/api/v1/invoices?%00%1b[31m=1", "unknown-parameter", "[31m"},
		{"/api/v1/invoices?sort=amount", "parameter-invalid", "sort"},
		{"/api/v1/invoices?sort=i.total;drop%20table", "query-malformed", ""},
		{"/api/v1/invoices?sort=total,due", "parameter-invalid", "sort"},
		{"/api/v1/invoices?status=overdue,late", "parameter-invalid", "status"},
		{"/api/v1/invoices?account=x", "parameter-invalid", "account"},
		{"/api/v1/invoices?account=00000000-0000-0000-0000-000000000000", "parameter-invalid", "account"},
		{"/api/v1/invoices?due_from=2026-02-30", "parameter-invalid", "due_from"},
		{"/api/v1/invoices?after=soon", "parameter-invalid", "after"},
		{"/api/v1/invoices?after=-1", "parameter-invalid", "after"},
		{"/api/v1/invoices?after=99999999999999999999", "parameter-invalid", "after"},
		{"/api/v1/invoices?q=" + long, "parameter-invalid", "q"},
		{"/api/v1/invoices?q=%ff", "parameter-invalid", "q"},
		{"/api/v1/invoices?q=a%00b", "parameter-invalid", "q"},
		{"/api/v1/invoices?q=%zz", "query-malformed", ""},
		{"/api/v1/accounts?closed=1", "parameter-invalid", "closed"},
		{"/api/v1/team?after=1&after=2", "duplicate-parameter", "after"},
		{"/api/v1/statements?from=2026-03-02&to=2026-03-01", "period-backwards", "to"},
		{"/api/v1/history?from=yesterday", "parameter-invalid", "from"},
		{"/api/v1/history?format=xml", "parameter-invalid", "format"},
		{"/api/v1/history?cursor=abc", "cursor-invalid", "cursor"},
		{"/api/v1/invoices?cursor=" + long, "cursor-invalid", "cursor"},
		{"/api/v1/me?verbose=true", "unknown-parameter", "verbose"},
		{"/api/v1/dashboard?limit=1", "unknown-parameter", "limit"},
		{"/api/v1/events?limit=1", "unknown-parameter", "limit"},
		{"/api/v1/ops/parked?limit=1", "unknown-parameter", "limit"},
		{invoice + "?fields=all", "unknown-parameter", "fields"},
		{invoice + "/history?sort=due", "unknown-parameter", "sort"},
	} {
		a := w.ask(http.MethodGet, c.path, "ada")
		if p := w.problemOf(a); a.status != http.StatusBadRequest || p.Code != c.code || p.Field != c.field {
			t.Errorf("%s: %d %s %q, want 400 %s %q", c.path, a.status, p.Code, p.Field, c.code, c.field)
		}
	}
	// A cursor belongs to one list in one order, and works for whoever has it without showing them more.
	var page struct{ Next string }
	w.get("/api/v1/invoices?limit=1&sort=due", "ada", &page)
	for _, other := range []string{"/api/v1/invoices?sort=-due&cursor=", "/api/v1/invoices?cursor=", "/api/v1/projects?cursor=", "/api/v1/history?cursor="} {
		if p := w.problemOf(w.ask(http.MethodGet, other+page.Next, "ada")); p.Field != "cursor" {
			t.Errorf("%s takes the cursor of another list", other)
		}
	}
	for i := range page.Next {
		changed := page.Next[:i] + "A" + page.Next[i+1:]
		if a := w.ask(http.MethodGet, "/api/v1/invoices?sort=due&cursor="+url.QueryEscape(changed), "bea"); a.status != http.StatusOK && a.status != http.StatusBadRequest {
			t.Errorf("cursor %s: %d", changed, a.status)
		} else if strings.Contains(a.body, w.ids["aurora"].String()) {
			t.Errorf("cursor %s shows another client's invoices", changed)
		}
	}
}
