package portal_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/go-chi/chi/v5"

	"github.com/atrium-portal/atrium/domain/domaintest"
	"github.com/atrium-portal/atrium/readapi/portal"
)

// everyRoute gives all routes of the portal with a real id and with one of nothing in the address.
func (w *world) everyRoute(try func(method, path string)) {
	w.t.Helper()
	err := chi.Walk(w.pages, func(method, pattern string, _ http.Handler, _ ...func(http.Handler) http.Handler) error {
		for _, id := range []string{w.id("aurora"), w.id("invoice aurora"), w.id("contract"), domaintest.ID("none").String(), "x"} {
			path := strings.NewReplacer("{id}", id, "{staff}", w.id("max"), "{account}", w.id("borealis")).Replace(strings.TrimSuffix(pattern, "/*"))
			try(method, path)
			if path == pattern {
				break
			}
		}
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

// directives reads a content security policy.
func directives(policy string) map[string][]string {
	read := map[string][]string{}
	for directive := range strings.SplitSeq(policy, ";") {
		if words := strings.Fields(directive); len(words) > 0 {
			read[strings.ToLower(words[0])] = words[1:]
		}
	}
	return read
}

// TestHeadersAreOnEveryAnswer asks every route as somebody of each kind, and as nobody: pages, redirects, errors and
// files all carry the headers.
func TestHeadersAreOnEveryAnswer(t *testing.T) {
	w := newWorld(t)
	w.with(func(o *portal.Options) { o.PublicURL = "https://portal.example" })
	check := func(method, path, who string) {
		a := w.ask(httptest.NewRequest(method, path, nil), who)
		for header, want := range map[string]string{
			"X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin", "Cross-Origin-Opener-Policy": "same-origin",
			"Cross-Origin-Resource-Policy": "same-origin", "Strict-Transport-Security": "max-age=31536000", "Cache-Control": "no-store",
		} {
			if got := a.header.Get(header); got != want {
				t.Errorf("%s %s as %q (%d): %s is %q", method, path, who, a.status, header, got)
			}
		}
		if a.header.Get("ETag") != "" {
			t.Errorf("%s %s as %q has an ETag, which two people could share", method, path, who)
		}
		policy := directives(a.header.Get("Content-Security-Policy"))
		for directive, want := range map[string]string{
			"default-src": "'self'", "object-src": "'none'", "base-uri": "'none'", "frame-ancestors": "'none'", "form-action": "'self'",
		} {
			if !slices.Equal(policy[directive], []string{want}) {
				t.Errorf("%s %s as %q: %s is %v", method, path, who, directive, policy[directive])
			}
		}
		for directive, sources := range policy {
			for _, loose := range []string{"'unsafe-inline'", "'unsafe-eval'", "*", "data:", "http:", "https:"} {
				if slices.Contains(sources, loose) {
					t.Errorf("%s %s as %q: %s allows %s", method, path, who, directive, loose)
				}
			}
		}
		if a.status >= http.StatusInternalServerError {
			t.Errorf("%s %s as %q: %d", method, path, who, a.status)
		}
	}
	for _, who := range []string{"olga", "ada", ""} {
		w.everyRoute(func(method, path string) { check(method, path, who) })
		for _, path := range []string{"/none", "/staff/none", "/../secret", "//staff", "/invoices/%00", "/staff/clients?cursor=abc"} {
			check(http.MethodGet, path, who)
		}
		for _, method := range []string{http.MethodPut, http.MethodDelete, "BREW"} {
			check(method, "/invoices", who)
		}
	}
}

// TestOtherSitesChangeNothing sends every form from a page of another site, in each way in which browsers tell so.
func TestOtherSitesChangeNothing(t *testing.T) {
	w := newWorld(t)
	before := len(w.log.All())
	unsafe := 0
	w.everyRoute(func(method, path string) {
		if method == http.MethodGet || method == http.MethodHead || method == http.MethodOptions {
			return
		}
		unsafe++
		for header, value := range map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"} {
			for _, who := range []string{"ada", "olga"} {
				r := httptest.NewRequest(method, path, strings.NewReader("key="+domaintest.ID("key").String()+"&reason=x&name=x"))
				r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
				r.Header.Set(header, value)
				if a := w.ask(r, who); a.status != http.StatusForbidden {
					t.Errorf("%s %s as %s with %s: %d", method, path, who, header, a.status)
				}
			}
		}
	})
	if unsafe < 30 {
		t.Errorf("only %d forms were tried", unsafe)
	}
	if after := len(w.log.All()); after != before {
		t.Errorf("%d events were stored", after-before)
	}
}
