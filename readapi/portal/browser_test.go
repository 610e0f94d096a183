package portal_test

import (
	"flag"
	"maps"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/go-chi/chi/v5"

	"github.com/atrium-portal/atrium/readapi/portal/portaltest"
	"github.com/atrium-portal/atrium/readapi/portal/ui"
)

// pictures is where TestEveryPage leaves what pages look like, to be looked at.
var pictures = flag.String("pictures", "", "folder for pictures of the pages")

var (
	anyID     = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f-]{27}`)
	fileNames = regexp.MustCompile(`[^a-z0-9]+`)
)

// kinds are pages by their kind: the address without ids, the first page of each kind.
func kinds(pages map[string]string) map[string]string {
	found := map[string]string{}
	for _, path := range slices.Sorted(maps.Keys(pages)) {
		plain, _, _ := strings.Cut(path, "?")
		kind := anyID.ReplaceAllString(plain, "{id}")
		if _, there := found[kind]; !there && strings.HasPrefix(pages[path], "<!doctype html>") {
			found[kind] = path
		}
	}
	return found
}

// TestEveryPage opens every kind of page that links lead to, forms included, in a browser, and checks it for barriers:
// labels, names, order and sight of the focus, contrast in both schemes, and its width on a phone.
func TestEveryPage(t *testing.T) {
	w := newWorld(t)
	w.console()
	browser := portaltest.Start(t)
	mux := http.NewServeMux()
	mux.Handle("/assets/", ui.Static())
	mux.Handle("/", w.pages)
	server := httptest.NewServer(mux)
	defer server.Close()
	for _, who := range []struct{ name, from, scheme string }{{"olga", "/", "client"}, {"ada", "/staff", "staff"}} {
		pages := kinds(w.crawl(who.from, who.name))
		if who.scheme == "staff" { // every form has a page of its own
			for route, rule := range staffRules(w) {
				path, isPage := strings.CutPrefix(route, "GET ")
				if _, there := pages[path]; there || !isPage {
					continue
				}
				pages[path] = strings.NewReplacer("{staff}", w.id("max"), "{account}", w.id("borealis"), "{id}", known(w, rule.thing)).Replace(path) + rule.query
			}
		}
		tab := browser.Tab(t)
		tab.Headers(map[string]any{"Authorization": "Bearer " + who.name})
		for _, kind := range slices.Sorted(maps.Keys(pages)) {
			if w.get(pages[kind], who.name).status != http.StatusOK {
				continue // not in this state of the thing; TestStaffAccess opens it
			}
			tab.Size(1280, 800)
			tab.Dark(false)
			tab.Open(server.URL + pages[kind])
			shot(tab, who.scheme, kind, "1280-light") // before the way through the page scrolls it
			portaltest.Check(tab, who.name+" "+kind)
			if who.scheme == "staff" && *pictures == "" {
				continue // the same components as on clients' pages, which are also checked in the dark and on a phone
			}
			tab.Dark(true)
			portaltest.CheckColors(tab, who.name+" "+kind+" in the dark")
			shot(tab, who.scheme, kind, "1280-dark")
			tab.Dark(false)
			tab.Size(768, 1024)
			shot(tab, who.scheme, kind, "768-light")
			tab.Size(360, 740)
			portaltest.CheckLook(tab, who.name+" "+kind+" on a phone")
			shot(tab, who.scheme, kind, "360-light")
		}
	}
}

func known(w *world, thing string) string {
	if thing == "" {
		return ""
	}
	return w.id(thing)
}

// shot leaves a picture where somebody asked for it.
func shot(tab *portaltest.Tab, scheme, kind, look string) {
	if *pictures != "" {
		tab.Shot(filepath.Join(*pictures, scheme+strings.TrimSuffix(fileNames.ReplaceAllString(strings.TrimPrefix(kind, "/staff"), "-"), "-")+"-"+look+".png"))
	}
}

// TestPagesAreOfRoutes makes sure that the world of TestEveryPage has something on nearly every page: a route whose page
// cannot be opened in it is named here.
func TestPagesAreOfRoutes(t *testing.T) {
	w := newWorld(t)
	w.console()
	rules := staffRules(w)
	err := chi.Walk(w.pages, func(method, pattern string, _ http.Handler, _ ...func(http.Handler) http.Handler) error {
		route := method + " " + strings.TrimSuffix(pattern, "/")
		rule, listed := rules[route]
		if method != http.MethodGet || !listed {
			return nil
		}
		path := strings.NewReplacer("{staff}", w.id("max"), "{account}", w.id("borealis"), "{id}", known(w, rule.thing)).Replace(strings.TrimPrefix(route, "GET ")) + rule.query
		if a := w.get(path, "ada"); a.status != http.StatusOK {
			t.Errorf("%s cannot be opened: %d", path, a.status)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
