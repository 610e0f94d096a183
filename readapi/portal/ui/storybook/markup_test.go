package storybook_test

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"testing"

	"github.com/atrium-portal/atrium/readapi/portal/ui"
	"github.com/atrium-portal/atrium/readapi/portal/ui/storybook"
)

// forbidden is what a strict content security policy would not run, and what templates write for an address that they
// would not take.
var forbidden = map[string]*regexp.Regexp{
	"an address that was refused": regexp.MustCompile(`about:invalid`),
	"an inline style":             regexp.MustCompile(`(?i)<[^>]+\sstyle\s*=|<style`),
	"an inline script":            regexp.MustCompile(`(?i)<script(?:\s+(?:type|async|defer)(?:="[^"]*")?)*\s*>`),
	"an event handler":            regexp.MustCompile(`(?i)<[^>]+\son[a-z]+\s*=`),
	"another origin":              regexp.MustCompile(`(?i)(?:src|href)="(?:https?:)?//`),
	"a comment of the template":   regexp.MustCompile(`//\s`),
	"a value without meaning":     regexp.MustCompile(`%!|&lt;nil&gt;|0001-01-01`),
}

func TestMarkup(t *testing.T) {
	for _, name := range names() {
		w := httptest.NewRecorder()
		storybook.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, storybook.Path+name, nil))
		if w.Code != http.StatusOK {
			t.Fatalf("%q answers %d: %s", name, w.Code, w.Body)
		}
		for what, pattern := range forbidden {
			if found := pattern.FindString(w.Body.String()); found != "" {
				t.Errorf("page %q holds %s: %s", name, what, found)
			}
		}
		if size := w.Body.Len(); size > 40_000 {
			t.Errorf("page %q has %d bytes", name, size)
		}
	}
}

// TestFirstVisitIsSmall: a page with everything that it brings along has at most 60 kB, even without compression.
// Everything but the page itself may be kept for ever.
func TestFirstVisitIsSmall(t *testing.T) {
	asset := regexp.MustCompile(`/assets/[a-z0-9.-]+`)
	for _, name := range []string{"sign-in", "client-home", "invoices", "invoice", "statement", "project", "history"} {
		page := httptest.NewRecorder()
		storybook.Handler().ServeHTTP(page, httptest.NewRequest(http.MethodGet, storybook.Path+name, nil))
		size := page.Body.Len()
		brought := map[string]bool{}
		for _, path := range asset.FindAllString(page.Body.String(), -1) {
			if brought[path] {
				continue
			}
			brought[path] = true
			w := httptest.NewRecorder()
			ui.Static().ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
			if w.Code != http.StatusOK || w.Header().Get("Cache-Control") != "public, max-age=31536000, immutable" {
				t.Errorf("%s of %q answers %d and may be kept: %q", path, name, w.Code, w.Header().Get("Cache-Control"))
			}
			size += w.Body.Len()
		}
		t.Logf("%s: %d bytes with %d files", name, size, len(brought))
		if size > 60_000 {
			t.Errorf("the first visit of %q takes %d bytes", name, size)
		}
	}
}
