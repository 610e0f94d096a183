package storybook_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/a-h/templ"

	"github.com/atrium-portal/atrium/readapi/portal/portaltest"
	"github.com/atrium-portal/atrium/readapi/portal/ui"
	"github.com/atrium-portal/atrium/readapi/portal/ui/storybook"
)

// shot leaves a picture of a state that no page shows by itself, when pictures are wanted.
func shot(tab *portaltest.Tab, name string) {
	if folder := os.Getenv("ATRIUM_SHOTS"); folder != "" {
		tab.Shot(filepath.Join(folder, "state-"+name+".png"))
	}
}

func TestScript(t *testing.T) {
	address := serve(t)
	browser := portaltest.Start(t)
	page := func(t *testing.T, name string) *portaltest.Tab {
		tab := browser.Tab(t)
		tab.Open(address + name)
		return tab
	}

	t.Run("a phone opens the menu, with and without scripts", func(t *testing.T) {
		tab := browser.Tab(t)
		tab.Size(360, 740)
		for _, script := range []bool{true, false} {
			tab.Script(script)
			tab.Open(address + "client-home")
			tab.Click(".menu")
			tab.Wait("#menu nav a")
		}
		tab.Script(true)
		tab.Open(address + "client-home")
		tab.Click(".menu")
		tab.Click("#menu .user summary")
		shot(tab, "menu")
		portaltest.CheckLook(tab, "menu open")
	})

	t.Run("an irreversible act is confirmed in a dialog", func(t *testing.T) {
		tab := page(t, "buttons")
		tab.Click("a[data-dialog]")
		tab.Wait("dialog[open]")
		shot(tab, "dialog")
		portaltest.CheckLook(tab, "dialog")
		if title := tab.Text("dialog h1"); title != "Void invoice INV-1042?" {
			t.Errorf("the dialog is about %q", title)
		}
		tab.Click("dialog [data-close]")
		tab.WaitGone("dialog")
		if !strings.HasSuffix(tab.URL(), "buttons") {
			t.Errorf("closing the dialog led to %s", tab.URL())
		}
	})

	t.Run("without scripts, the act is confirmed on its page", func(t *testing.T) {
		tab := browser.Tab(t)
		tab.Script(false)
		tab.Open(address + "buttons")
		tab.Follow("a[data-dialog]")
		tab.Wait("main [data-confirm]")
	})

	t.Run("the sums of an invoice follow the typing", func(t *testing.T) {
		tab := page(t, "editor")
		tab.Type("#quantity-0", "2.5")
		tab.WaitText("[data-line]:first-child [data-line-net]", "7,000.00\u00a0EUR")
		tab.WaitText("[data-total]", "9,277.75\u00a0EUR")
		tab.Type("#quantity-0", "much")
		tab.WaitText("[data-line]:first-child [data-line-net]", "–")
		tab.Type("#quantity-0", "-0.333333")
		tab.WaitText("[data-line]:first-child [data-line-net]", "\u2212933.33\u00a0EUR")
	})

	t.Run("lines are added and removed", func(t *testing.T) {
		tab := page(t, "editor")
		tab.Click("[data-add-line]")
		tab.WaitTrue(`document.querySelectorAll("[data-line]").length === 4`)
		tab.Press("Workshop")
		if got := portaltest.Eval[string](tab, `document.querySelector("[data-line]:last-child [name=description]").value`); got != "Workshop" {
			t.Errorf("the new line has the focus no more: it holds %q", got)
		}
		tab.WaitTrue(`((all) => all.at(-1) === all.at(-2) && all.at(-1) !== "0")([...document.querySelectorAll("[data-line] [name=tax]")].map((e) => e.value))`)
		portaltest.CheckLook(tab, "a new line")
		tab.Click("[data-line]:first-child [data-remove-line]")
		tab.WaitTrue(`document.querySelectorAll("[data-line]").length === 3`)
		tab.WaitText("[data-total]", "947.75\u00a0EUR")
	})

	t.Run("Enter in a line neither removes it nor sends the invoice", func(t *testing.T) {
		tab := page(t, "editor")
		tab.Type("#quantity-0", "2")
		tab.Press("\r")
		tab.WaitText("[data-line]:first-child [data-line-net]", "5,600.00\u00a0EUR")
		if n := portaltest.Eval[int](tab, `document.querySelectorAll("[data-line]").length`); n != 3 {
			t.Errorf("%d lines are left", n)
		}
	})

	t.Run("a signature is drawn as path data and cleared", func(t *testing.T) {
		tab := page(t, "contract")
		tab.Draw("[data-pad] svg")
		drawing := portaltest.Eval[string](tab, `document.querySelector("[name=drawing]").value`)
		if !ui.ValidDrawing(drawing) || strings.Count(drawing, "L") < 5 {
			t.Errorf("the drawing is %q", drawing)
		}
		shot(tab, "signature")
		tab.Click("[data-clear]")
		tab.WaitTrue(`document.querySelector("[name=drawing]").value === ""`)
	})

	t.Run("times are the reader's", func(t *testing.T) {
		tab := page(t, "client-home")
		if got := tab.Text(".timeline time"); got != "12 Mar 2026, 16:04" {
			t.Errorf("15:04 UTC is shown in Berlin as %q", got)
		}
	})

	t.Run("what needs the script is not there without it", func(t *testing.T) {
		tab := browser.Tab(t)
		tab.Script(false)
		tab.Open(address + "contract")
		tab.Script(true)
		hidden := portaltest.Eval[bool](tab, `[...document.querySelectorAll("[data-script], [data-pad]")].every((e) => !e.checkVisibility())`)
		if !hidden {
			t.Error("a button of the script can be seen without it")
		}
	})

	t.Run("the search is a key away", func(t *testing.T) {
		tab := page(t, "staff-home")
		tab.Press("/")
		tab.WaitTrue(`document.activeElement.name === "q"`)
	})

	t.Run("documents are printed alone", func(t *testing.T) {
		tab := page(t, "invoice")
		tab.Print(true)
		seen := portaltest.Eval[[]string](tab, `[".side", ".top", ".head", ".due", ".foot", ".paper"].filter((s) => document.querySelector(s).checkVisibility())`)
		if strings.Join(seen, " ") != ".paper" {
			t.Errorf("printed are %v", seen)
		}
		tab.Size(720, 1000)
		shot(tab, "print-invoice")
		tab.Open(address + "statement")
		shot(tab, "print-statement")
		tab.Open(address + "contract-signed")
		shot(tab, "print-contract")
	})
}

// shop is a server whose page changes and whose form takes its time.
type shop struct {
	version atomic.Int64
	posts   atomic.Int64
	changed chan struct{}
	release chan struct{}
}

func (s *shop) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/events":
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = fmt.Fprint(w, "event: position\nid: 1\ndata: {}\n\n")
		_ = http.NewResponseController(w).Flush()
		for n := 2; ; n++ {
			select {
			case <-s.changed:
				_, _ = fmt.Fprintf(w, "event: position\nid: %d\ndata: {}\n\n", n)
				_ = http.NewResponseController(w).Flush()
			case <-r.Context().Done():
				return
			}
		}
	case "/pay":
		s.posts.Add(1)
		_ = r.ParseForm() // only then the server sees that a browser leaves
		select {
		case <-s.release:
		case <-r.Context().Done():
		}
		http.Redirect(w, r, "/", http.StatusSeeOther)
	default:
		content := templ.Raw(fmt.Sprintf(`<h1>Invoices</h1><p id="version">%d</p><form method="post" action="/pay" id="pay"><label>Name <input name="name"></label> <button class="button" id="go">Pay</button></form>`, s.version.Load()))
		page := ui.ClientLayout(ui.Page{Title: "Invoices", Brand: ui.Brand{Name: "North & Field"}, Home: "/", Events: "/events", Position: "1"})
		_ = page.Render(templ.WithChildren(r.Context(), content), w)
	}
}

func TestScriptWithServer(t *testing.T) {
	s := &shop{changed: make(chan struct{}), release: make(chan struct{})}
	mux := http.NewServeMux()
	mux.Handle("/assets/", ui.Static())
	mux.Handle("/", s)
	server := httptest.NewServer(mux)
	// The open stream of events would keep the server from closing.
	t.Cleanup(func() { server.CloseClientConnections(); server.Close() })
	browser := portaltest.Start(t)

	t.Run("a change is shown by itself, and offered to whoever is typing", func(t *testing.T) {
		tab := browser.Tab(t)
		tab.Open(server.URL)
		s.version.Add(1)
		s.changed <- struct{}{}
		tab.WaitText("#version", "1")
		tab.Type("[name=name]", "Olga")
		s.version.Add(1)
		s.changed <- struct{}{}
		tab.Wait(".toast button")
		if got := tab.Text("#version"); got != "1" {
			t.Errorf("while typing the page became %q", got)
		}
		if got := portaltest.Eval[string](tab, `document.querySelector("[name=name]").value`); got != "Olga" {
			t.Errorf("what was typed became %q", got)
		}
		tab.Click(".toast button")
		tab.WaitText("#version", "2")
	})

	t.Run("a form is sent once", func(t *testing.T) {
		tab := browser.Tab(t)
		tab.Open(server.URL)
		disabled := portaltest.Eval[string](tab, `((b) => { b.click(); b.click(); b.click(); return b.getAttribute("aria-disabled"); })(document.querySelector("#go"))`)
		if disabled != "true" {
			t.Error("the button does not say that it was pressed")
		}
		close(s.release)
		tab.WaitTrue(`!document.querySelector("#go").hasAttribute("aria-disabled")`)
		if n := s.posts.Load(); n != 1 {
			t.Errorf("three presses sent the form %d times", n)
		}
	})
}

// TestAddressesOfTheStorybook: what is not there is not found.
func TestAddressesOfTheStorybook(t *testing.T) {
	for path, want := range map[string]int{storybook.Path: 200, storybook.Path + "board": 200, storybook.Path + "nothing": 404} {
		w := httptest.NewRecorder()
		storybook.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		if w.Code != want {
			t.Errorf("%s answers %d", path, w.Code)
		}
	}
}
