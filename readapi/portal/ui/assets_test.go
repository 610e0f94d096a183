package ui_test

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/atrium-portal/atrium/readapi/portal/ui"
)

func fetch(t *testing.T, method, path string, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(method, path, nil)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	ui.Static().ServeHTTP(w, r)
	return w
}

func body(t *testing.T, r io.Reader) string {
	t.Helper()
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestAssets(t *testing.T) {
	hashed := regexp.MustCompile(`^/assets/[a-z]+\.[0-9a-f]{16}\.(css|js|svg)$`)
	types := map[string]string{
		"portal.css": "text/css; charset=utf-8", "portal.js": "text/javascript; charset=utf-8", "lines.js": "text/javascript; charset=utf-8",
		"pad.js": "text/javascript; charset=utf-8", "passkey.js": "text/javascript; charset=utf-8", "icons.svg": "image/svg+xml", "icon.svg": "image/svg+xml",
	}
	for name, typ := range types {
		path := ui.Asset(name)
		if !hashed.MatchString(path) {
			t.Errorf("%s is at %s", name, path)
		}
		plain := fetch(t, http.MethodGet, path)
		if plain.Code != 200 || plain.Header().Get("Content-Type") != typ || plain.Header().Get("Content-Encoding") != "" {
			t.Errorf("%s answers %d as %v", path, plain.Code, plain.Header())
		}
		if got := plain.Header().Get("Cache-Control"); got != "public, max-age=31536000, immutable" {
			t.Errorf("%s may be kept: %q", path, got)
		}
		zipped := fetch(t, http.MethodGet, path, "Accept-Encoding", "br;q=0, gzip, deflate")
		if zipped.Header().Get("Content-Encoding") != "gzip" || zipped.Header().Get("Vary") != "Accept-Encoding" || zipped.Header().Get("Etag") == plain.Header().Get("Etag") {
			t.Errorf("%s compressed answers %v", path, zipped.Header())
		}
		z, err := gzip.NewReader(zipped.Body)
		if err != nil {
			t.Fatal(err)
		}
		if body(t, z) != body(t, plain.Body) {
			t.Errorf("%s is another file when it is compressed", path)
		}
		again := fetch(t, http.MethodGet, path, "If-None-Match", plain.Header().Get("Etag"))
		if again.Code != http.StatusNotModified {
			t.Errorf("%s answers %d to whoever has it", path, again.Code)
		}
	}
}

func TestAddressesOfAssets(t *testing.T) {
	for path, want := range map[string]int{
		"/assets/portal.css": 200, "/assets/portal.0000000000000000.css": 200, "/assets/brand-1f4f7a-c0662b.css": 200,
		"/assets/": 404, "/assets/nothing.css": 404, "/assets/../ui/doc.go": 404, "/assets/static/portal.css": 404, "/assets/brand-1f4f7a.css": 404,
		"/assets/brand-1F4F7A-C0662B.css": 404, "/assets/brand-zzzzzz-c0662b.css": 404, "/assets/brand-1f4f7a-c0662b.css.css": 404,
	} {
		r := fetch(t, http.MethodGet, path)
		if r.Code != want {
			t.Errorf("%s answers %d, want %d", path, r.Code, want)
		}
	}
	// A page of another version names a hash that is not ours: it gets our file, and asks again the next time.
	if got := fetch(t, http.MethodGet, "/assets/portal.0000000000000000.css").Header().Get("Cache-Control"); got != "no-cache" {
		t.Errorf("a file under a foreign hash may be kept: %q", got)
	}
	if r := fetch(t, http.MethodPost, ui.Asset("portal.css")); r.Code != http.StatusMethodNotAllowed {
		t.Errorf("a POST answers %d", r.Code)
	}
	if r := fetch(t, http.MethodHead, ui.Asset("portal.css")); r.Code != 200 || body(t, r.Body) != "" {
		t.Errorf("a HEAD answers %d", r.Code)
	}
}

// TestAssetsAreSmall: what comes with the first page, with all that is on every page. Figures in bytes as sent without
// compression and with it.
func TestAssetsAreSmall(t *testing.T) {
	size := func(name string) (plain, zipped int) {
		path := ui.Asset(name)
		return len(body(t, fetch(t, http.MethodGet, path).Body)), len(body(t, fetch(t, http.MethodGet, path, "Accept-Encoding", "gzip").Body))
	}
	var plain, zipped int
	for _, name := range []string{"portal.css", "portal.js", "icons.svg", "icon.svg"} {
		p, z := size(name)
		t.Logf("%s: %d bytes, %d compressed", name, p, z)
		plain, zipped = plain+p, zipped+z
	}
	if plain > 46_000 || zipped > 14_000 {
		t.Errorf("the files of every page have %d bytes, %d compressed", plain, zipped)
	}
	if script, _ := size("portal.js"); script > 6_000 {
		t.Errorf("the script has %d bytes", script)
	}
}

// TestScriptsAreNotCut: comments and ends of lines are left out when files are sent, which must not touch strings.
func TestScriptsAreNotCut(t *testing.T) {
	for _, name := range []string{"portal.js", "lines.js", "pad.js", "passkey.js"} {
		text := body(t, fetch(t, http.MethodGet, ui.Asset(name)).Body)
		for line := range strings.Lines(text) {
			if strings.Count(strings.ReplaceAll(line, `\"`, ""), `"`)%2 != 0 || strings.Contains(line, "`") {
				t.Errorf("%s: a string reaches over the end of a line: %s", name, line)
			}
		}
	}
}
