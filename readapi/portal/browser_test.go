package portal_test

import (
	"flag"
	"fmt"
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

// pictures is where TestEveryPage leaves what pages look like, to be looked at; ofPages are those that it looks at.
var (
	pictures = flag.String("pictures", "", "folder for pictures of the pages")
	ofPages  = flag.String("pages", "", "regular expression for the kinds of pages to look at, such as ^/staff/invoices")
)

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

// view is a page to look at: who opens it, in which scheme of pages it is, its kind and its address.
type view struct{ who, scheme, kind, path string }

// views are all kinds of pages, forms included, in the order in which they are looked at.
func (w *world) views() []view {
	w.t.Helper()
	wanted := regexp.MustCompile(*ofPages)
	var list []view
	for _, who := range []struct{ name, from, scheme string }{{"olga", "/", "client"}, {"ada", "/staff", "staff"}} {
		pages := kinds(w.crawl(who.from, who.name))
		if who.scheme == "staff" { // every form has a page of its own
			for route, rule := range staffRules(w) {
				path, isPage := strings.CutPrefix(route, "GET ")
				if _, there := pages[path]; !there && isPage {
					pages[path] = rule.address(w, path)
				}
			}
		}
		for _, kind := range slices.Sorted(maps.Keys(pages)) {
			if wanted.MatchString(kind) && w.get(pages[kind], who.name).status == http.StatusOK { // else not in this state of the thing; TestStaffAccess opens it
				list = append(list, view{who.name, who.scheme, kind, pages[kind]})
			}
		}
	}
	return list
}

// TestEveryPage opens every kind of page that links lead to, forms included, in a browser, and checks it for barriers:
// labels, names, order and sight of the focus, contrast, and its width on a phone. With -pictures it looks closer: at
// three widths and in both schemes, and leaves pictures of what it sees.
func TestEveryPage(t *testing.T) {
	w := newWorld(t)
	w.console()
	views := w.views()
	browser := portaltest.Start(t)
	mux := http.NewServeMux()
	mux.Handle("/assets/", ui.Static())
	mux.Handle("/", w.pages)
	mux.HandleFunc("/api/v1/events", func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(http.StatusNoContent) }) // nothing happens meanwhile
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	const tabs = 2 // at once; each takes every second page
	for first := range tabs {
		t.Run(fmt.Sprintf("tab %d", first+1), func(t *testing.T) {
			t.Parallel()
			tab := browser.Tab(t)
			for i := first; i < len(views); i += tabs {
				v := views[i]
				tab.Headers(map[string]any{"Authorization": "Bearer " + v.who})
				tab.Size(1280, 800)
				tab.Open(server.URL + v.path)
				shot(tab, v, "1280-light") // before the way through the page scrolls it
				portaltest.Check(tab, v.who+" "+v.kind)
				if *pictures != "" {
					closer(tab, v)
					continue
				}
				tab.Size(360, 740)
				portaltest.CheckWidth(tab, v.who+" "+v.kind+" on a phone")
			}
		})
	}
}

// closer looks at a page in the dark, on a tablet and on a phone. What axe finds depends on the scheme only for colours.
func closer(tab *portaltest.Tab, v view) {
	for _, dark := range []bool{true, false} {
		tab.Dark(dark)
		scheme := map[bool]string{true: "dark", false: "light"}[dark]
		for _, size := range []struct {
			name          string
			width, height int64
		}{{"1280", 1280, 800}, {"768", 768, 1024}, {"360", 360, 740}} {
			tab.Size(size.width, size.height)
			name := v.who + " " + v.kind + " at " + size.name + " " + scheme
			switch {
			case dark && size.width == 1280:
				portaltest.CheckColors(tab, name)
			case !dark && size.width == 360:
				portaltest.CheckLook(tab, name)
			case !dark && size.width == 1280:
				continue // what the page was opened with
			}
			portaltest.CheckWidth(tab, name)
			shot(tab, v, size.name+"-"+scheme)
		}
	}
}

// address is a path of a rule with the ids of its things.
func (r staffRule) address(w *world, path string) string {
	thing := ""
	if r.thing != "" {
		thing = w.id(r.thing)
	}
	return strings.NewReplacer("{staff}", w.id("max"), "{account}", w.id("borealis"), "{id}", thing).Replace(path) + r.query
}

// shot leaves a picture where somebody asked for it.
func shot(tab *portaltest.Tab, v view, look string) {
	if *pictures != "" {
		tab.Shot(filepath.Join(*pictures, v.scheme+strings.TrimSuffix(fileNames.ReplaceAllString(strings.TrimPrefix(v.kind, "/staff"), "-"), "-")+"-"+look+".png"))
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
		path := rule.address(w, strings.TrimPrefix(route, "GET "))
		if a := w.get(path, "ada"); a.status != http.StatusOK {
			t.Errorf("%s cannot be opened: %d", path, a.status)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
