package storybook_test

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"testing"

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
