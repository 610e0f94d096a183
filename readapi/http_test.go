package readapi_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/domaintest"
	"github.com/atrium-portal/atrium/domain/project"
	"github.com/atrium-portal/atrium/readapi"
)

func advance(id domain.ID) project.Advance { return project.Advance{Project: id} }

// everyAnswer asks every route in ways that are answered with 200 and with errors.
func (w *world) everyAnswer() map[string]answer {
	answers := map[string]answer{}
	try := func(method, path, who string) { answers[method+" "+path+" as "+who] = w.ask(method, path, who) }
	err := chi.Walk(w.handler.(chi.Routes), func(method, pattern string, _ http.Handler, _ ...func(http.Handler) http.Handler) error {
		if strings.HasSuffix(pattern, "/events") {
			return nil // does not end by itself
		}
		name, _, _ := strings.Cut(strings.TrimPrefix(pattern, "/api/v1/"), "/")
		for _, id := range []string{w.ids["aurora"].String(), w.ids["invoice aurora"].String(), domaintest.ID("none").String(), "x"} {
			path := strings.NewReplacer("{id}", id, "{name}", "SendInvoice", "{asset}", "swagger-ui.css").Replace(pattern)
			try(method, path, "ada")
			try(method, path, "")
			try(method, path+"?bad=1", name)
		}
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	for _, path := range []string{"/", "/api", "/api/v1", "/api/v1/", "/api/v1/none", "/api/v1/invoices/", "/api/v1/../secret", "//api/v1/me", "/api/docs/", "/api/docs/none"} {
		try(http.MethodGet, path, "ada")
	}
	for _, method := range []string{http.MethodPut, http.MethodDelete, http.MethodTrace, "BREW"} {
		try(method, "/api/v1/invoices", "ada")
	}
	return answers
}

func testHeaders(t *testing.T, w *world) {
	leak := regexp.MustCompile(`(?i)pgx|postgres|sqlstate|select |goroutine|\.go:|panic|runtime|github\.com|domain\.|reflect|/work/|/tmp/`)
	for request, a := range w.everyAnswer() {
		for header, want := range map[string]string{
			"X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin", "Cache-Control": "no-store",
			"Cross-Origin-Opener-Policy": "same-origin", "Strict-Transport-Security": "max-age=31536000",
		} {
			if a.header.Get(header) != want {
				t.Errorf("%s: %s is %q", request, header, a.header.Get(header))
			}
		}
		if a.header.Get("X-Request-Id") == "" {
			t.Errorf("%s has no request id", request)
		}
		policy := map[string]string{}
		for directive := range strings.SplitSeq(a.header.Get("Content-Security-Policy"), ";") {
			name, value, _ := strings.Cut(strings.TrimSpace(directive), " ")
			policy[name] = value
		}
		if policy["default-src"] != "'none'" || policy["frame-ancestors"] != "'none'" || policy["base-uri"] != "'none'" || strings.Contains(policy["script-src"], "unsafe") {
			t.Errorf("%s: policy %v", request, policy)
		}
		switch kind, _, _ := strings.Cut(a.header.Get("Content-Type"), ";"); {
		case a.status >= 400:
			w.problemOf(a)
			if found := leak.FindString(a.body); found != "" {
				t.Errorf("%s shows %q: %s", request, found, a.body)
			}
			if a.status == http.StatusUnauthorized && !strings.HasPrefix(a.header.Get("WWW-Authenticate"), "Bearer") {
				t.Errorf("%s does not say how to sign in", request)
			}
		case !slices.Contains([]string{"application/json", "application/pdf", "application/zip", "text/html", "text/css", "text/javascript"}, kind):
			t.Errorf("%s is %q", request, kind)
		}
		if a.status >= 500 {
			t.Errorf("%s: %d", request, a.status)
		}
	}
}

func testMethods(t *testing.T, w *world) {
	a := w.ask(http.MethodDelete, "/api/v1/invoices", "ada")
	if a.status != http.StatusMethodNotAllowed || strings.Join(a.header.Values("Allow"), ",") != "GET" && strings.Join(a.header.Values("Allow"), ",") != "GET,HEAD" {
		t.Errorf("%d, allow %v", a.status, a.header.Values("Allow"))
	}
	if a := w.ask(http.MethodGet, "/api/v1/commands/SendInvoice", "ada"); a.status != http.StatusMethodNotAllowed {
		t.Errorf("GET of a command: %d", a.status)
	}
}

func testHead(t *testing.T, w *world) {
	for _, path := range []string{"/api/v1/invoices", "/api/v1/invoices/" + w.ids["void"].String(), "/api/v1/invoices/none", "/healthz"} {
		get, head := w.ask(http.MethodGet, path, "ada"), w.ask(http.MethodHead, path, "ada")
		if head.status != get.status || head.body != "" || head.header.Get("ETag") != get.header.Get("ETag") || head.header.Get("Content-Length") != get.header.Get("Content-Length") {
			t.Errorf("%s: HEAD %d %q, GET %d", path, head.status, head.body, get.status)
		}
	}
}

func testCrossOrigin(t *testing.T, w *world) {
	r := httptest.NewRequest(http.MethodPost, "/api/v1/commands/SendInvoice", strings.NewReader("{}"))
	r.Header.Set("Authorization", "Bearer ada")
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	recorder := httptest.NewRecorder()
	w.handler.ServeHTTP(recorder, r)
	if recorder.Code != http.StatusForbidden || !strings.Contains(recorder.Body.String(), `"cross-origin"`) {
		t.Errorf("%d %s", recorder.Code, recorder.Body)
	}
}

// conversation counts what goes to the database.
type conversation struct {
	mu                         sync.Mutex
	batches, queries, prepares int
}

func (c *conversation) count(n *int) { c.mu.Lock(); *n++; c.mu.Unlock() }

// TraceBatchStart implements pgx.BatchTracer.
func (c *conversation) TraceBatchStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceBatchStartData) context.Context {
	c.count(&c.batches)
	return ctx
}

// TraceBatchQuery implements pgx.BatchTracer.
func (c *conversation) TraceBatchQuery(context.Context, *pgx.Conn, pgx.TraceBatchQueryData) {}

// TraceBatchEnd implements pgx.BatchTracer.
func (c *conversation) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData) {}

// TraceQueryStart implements pgx.QueryTracer.
func (c *conversation) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	c.count(&c.queries)
	return ctx
}

// TraceQueryEnd implements pgx.QueryTracer.
func (c *conversation) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// TracePrepareStart implements pgx.PrepareTracer.
func (c *conversation) TracePrepareStart(ctx context.Context, _ *pgx.Conn, _ pgx.TracePrepareStartData) context.Context {
	c.count(&c.prepares)
	return ctx
}

// TracePrepareEnd implements pgx.PrepareTracer.
func (c *conversation) TracePrepareEnd(context.Context, *pgx.Conn, pgx.TracePrepareEndData) {}

// testRoundTrips looks at what each read asks of the database once its statements are known: one batch.
func testRoundTrips(t *testing.T, w *world) {
	traced := conversation{}
	single := func(config *pgxpool.Config) *pgxpool.Config {
		config = config.Copy()
		config.ConnConfig.Tracer = &traced
		config.MaxConns = 1
		return config
	}
	options := w.options
	options.Pools = readapi.Pools{Client: open(t, single(w.client)), Staff: open(t, single(w.staff))}
	handler, err := readapi.Router(options)
	if err != nil {
		t.Fatal(err)
	}
	w.handler = handler
	aurora, invoice := w.ids["aurora"].String(), w.ids["invoice aurora"].String()
	for _, path := range []string{
		"/me", "/dashboard", "/activity", "/accounts", "/contacts?q=o", "/projects", "/contracts", "/invoices?status=overdue&limit=25", "/payments",
		"/statements?from=2026-01-01", "/team", "/accounts/" + aurora, "/invoices/" + invoice, "/statements/" + aurora, "/invoices/" + invoice + "/history",
		"/accounts/" + aurora + "/history?format=csv",
	} {
		for _, who := range []string{"olga", "ada"} {
			w.ask(http.MethodGet, "/api/v1"+path, who) // the statements are prepared
			traced = conversation{}
			if a := w.ask(http.MethodGet, "/api/v1"+path, who); a.status != http.StatusOK {
				t.Errorf("%s: %d %s", path, a.status, a.body)
			}
			if traced.batches != 1 || traced.queries != 0 || traced.prepares != 0 {
				t.Errorf("%s as %s: %d batches, %d queries, %d prepares", path, who, traced.batches, traced.queries, traced.prepares)
			}
		}
	}
}

func TestAnswersWhenSomethingIsDown(t *testing.T) {
	w := newWorld(t, func(w *world) {
		w.options.Ready = func(context.Context) error { return errors.New("the database is at /tmp/x") }
	})
	if a := w.ask(http.MethodGet, "/readyz", ""); a.status != http.StatusServiceUnavailable || strings.Contains(a.body, "/tmp/x") || a.header.Get("Retry-After") == "" {
		t.Errorf("%d %s", a.status, a.body)
	}
	w.client.ConnConfig.Host, w.client.ConnConfig.Port, w.client.ConnConfig.Fallbacks = "127.0.0.1", 1, nil
	w.serve()
	a := w.ask(http.MethodGet, "/api/v1/invoices", "olga")
	if p := w.problemOf(a); p.Status != http.StatusServiceUnavailable || p.Code != "unavailable" || a.header.Get("Retry-After") == "" {
		t.Errorf("database down: %d %s", a.status, a.body)
	}
	late, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	r := httptest.NewRequestWithContext(late, http.MethodGet, "/api/v1/invoices?after=999999999", nil)
	r.Header.Set("Authorization", "Bearer ada")
	recorder := httptest.NewRecorder()
	w.handler.ServeHTTP(recorder, r)
	if recorder.Code != http.StatusServiceUnavailable || !strings.Contains(recorder.Body.String(), `"timeout"`) {
		t.Errorf("out of time: %d %s", recorder.Code, recorder.Body)
	}
	w.options.Commands = func(r chi.Router) {
		r.Post("/{name}", func(http.ResponseWriter, *http.Request) { panic("secret detail") })
	}
	w.serve()
	a = w.ask(http.MethodPost, "/api/v1/commands/X", "ada", "{}")
	if p := w.problemOf(a); p.Status != http.StatusInternalServerError || p.Code != "internal" || strings.Contains(a.body, "secret detail") {
		t.Errorf("panic: %d %s", a.status, a.body)
	}
	w.options.Limit = 3
	w.serve()
	for range 3 {
		a = w.ask(http.MethodGet, "/api/v1/me", "ada")
	}
	if a.status != http.StatusOK {
		t.Errorf("within the limit: %d", a.status)
	}
	a = w.ask(http.MethodGet, "/api/v1/me", "ada")
	if p := w.problemOf(a); p.Code != "too-many-requests" || a.header.Get("Retry-After") == "" {
		t.Errorf("beyond the limit: %d %s", a.status, a.body)
	}
	if a := w.ask(http.MethodGet, "/api/v1/me", "max"); a.status != http.StatusOK {
		t.Errorf("somebody else: %d", a.status)
	}
}

func testDocs(t *testing.T, w *world) {
	page := w.ask(http.MethodGet, "/api/docs", "")
	if strings.Contains(page.body, "://") || strings.Contains(page.body, "<script>") {
		t.Errorf("the docs page names another host or holds a script:\n%s", page.body)
	}
	for _, asset := range regexp.MustCompile(`(?:src|href)="([^"]+)"`).FindAllStringSubmatch(page.body, -1) {
		if a := w.ask(http.MethodGet, asset[1], ""); a.status != http.StatusOK || a.body == "" {
			t.Errorf("%s: %d", asset[1], a.status)
		}
	}
}
