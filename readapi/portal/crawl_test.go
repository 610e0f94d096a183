package portal_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

var (
	links     = regexp.MustCompile(`href="(/[^"#]*)"`)
	ids       = regexp.MustCompile(`\sid="([^"]*)"`)
	inline    = regexp.MustCompile(`(?i)<style|\sstyle=|\son[a-z]+=|javascript:`)
	scripts   = regexp.MustCompile(`<script[^>]*>`)
	forms     = regexp.MustCompile(`(?s)<form[^>]*method="post"[^>]*>.*?</form>`)
	headings  = regexp.MustCompile(`<h1[ >]`)
	elsewhere = []string{"/api/", "/assets/", "/login", "/logout", "/account/", "/.well-known/"}
)

// crawl follows every link from a page, as somebody, and gives the pages by their address. It stays at the point in time
// at which it begins.
func (w *world) crawl(from, who string) map[string]string {
	w.t.Helper()
	pages := map[string]string{}
	moment := instantOf(from)
	for todo := []string{from}; len(todo) > 0; todo = todo[1:] {
		path := todo[0]
		if _, seen := pages[path]; seen {
			continue
		}
		a := w.get(path, who)
		if a.status != http.StatusOK {
			w.t.Errorf("a page leads %s to %s, which answers %d", who, path, a.status)
		}
		pages[path] = a.body
		if !strings.HasPrefix(a.header.Get("Content-Type"), "text/html") {
			continue
		}
	next:
		for _, link := range links.FindAllStringSubmatch(a.body, -1) {
			for _, prefix := range elsewhere {
				if strings.HasPrefix(link[1], prefix) {
					continue next
				}
			}
			if to := strings.ReplaceAll(link[1], "&amp;", "&"); instantOf(to) == moment {
				todo = append(todo, to)
			}
		}
	}
	return pages
}

// instantOf is the point in time that an address is of; empty for now.
func instantOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Query().Get("as_of")
}

// sound checks what holds for every page.
func sound(t *testing.T, path, page string) {
	t.Helper()
	if !strings.HasPrefix(page, "<!doctype html>") {
		return // a file
	}
	if strings.Contains(page, "about:invalid") {
		t.Errorf("%s has a link that was refused", path)
	}
	if found := inline.FindString(page); found != "" {
		t.Errorf("%s has something inline: %s", path, found)
	}
	for _, script := range scripts.FindAllString(page, -1) {
		if !strings.Contains(script, ` src="/assets/`) {
			t.Errorf("%s has a script of its own: %s", path, script)
		}
	}
	if n := len(headings.FindAllString(page, -1)); n != 1 {
		t.Errorf("%s has %d headings of the first level", path, n)
	}
	seen := map[string]bool{}
	for _, id := range ids.FindAllStringSubmatch(page, -1) {
		if seen[id[1]] {
			t.Errorf("%s has the id %q twice", path, id[1])
		}
		seen[id[1]] = true
	}
	for _, form := range forms.FindAllString(page, -1) {
		if !strings.Contains(form, `name="key"`) && !strings.Contains(form, `action="/logout"`) {
			t.Errorf("%s has a form that would take effect twice: %s", path, form)
		}
	}
	if strings.Contains(page, `href="http`) && !strings.Contains(page, `href="https://pay.example/`) {
		t.Errorf("%s leads to another site", path)
	}
}

func TestClientsSeeWhatIsTheirs(t *testing.T) {
	w := newWorld(t)
	w.startPayment("olga", "invoice olga")
	w.post("/contracts/"+w.id("contract")+"/view", "olga")
	for who, least := range map[string]int{"olga": 20, "nora": 15, "bea": 12, "liam": 4} {
		t.Run(who, func(t *testing.T) {
			pages := w.of(t).crawl("/", who)
			if len(pages) < least {
				t.Errorf("only %d pages can be reached", len(pages))
			}
			for path, page := range pages {
				sound(t, path, page)
				lacks(t, page, "marker", "/staff")
				if who != "bea" {
					lacks(t, page, "Borealis", "borealis")
				} else {
					lacks(t, page, "Aurora", "aurora")
				}
				lacks(t, page, "Crux", "crux", w.id("draft"), w.id("contract draft"))
				if who != "olga" {
					lacks(t, page, w.id("invoice olga"))
				}
			}
		})
	}
}
