package signin_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/readapi/auth/door"
	"github.com/atrium-portal/atrium/readapi/portal/portaltest"
	"github.com/atrium-portal/atrium/readapi/portal/ui"
)

// policy is the one that the portal sends with its pages.
const policy = "default-src 'self'; base-uri 'none'; object-src 'none'; form-action 'self'; frame-ancestors 'none'"

// newSite is a world that browsers reach on localhost.
func newSite(t *testing.T, change ...func(*door.Options)) (w *world, address string) {
	t.Helper()
	var pages http.Handler
	mux := http.NewServeMux()
	mux.Handle("/assets/", ui.Static())
	mux.HandleFunc("/favicon.ico", func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(http.StatusNoContent) })
	mux.HandleFunc("/", func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("Content-Security-Policy", policy)
		pages.ServeHTTP(rw, r)
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	u, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	address = "http://localhost:" + u.Port()
	w = newWorld(t, append(change, func(o *door.Options) { o.PublicURL = address })...)
	pages = w.router
	return w, address
}

// direct is a sign-in link for somebody, as an operator prints it.
func (w *world) direct(who door.Who) string {
	w.Helper()
	address, err := w.Keeper.DirectLink(w.Context(), domain.SystemActor("setup"), who, time.Hour)
	if err != nil {
		w.Fatal(err)
	}
	return address
}

func TestInABrowser(t *testing.T) {
	w, address := newSite(t)
	browser := portaltest.Start(t)

	t.Run("a link takes two presses", func(t *testing.T) {
		tab := browser.Tab(t)
		tab.Open(w.direct(w.Ana))
		tab.WaitText("[data-whose]", "You sign in to North Studio as Ana (ana@lima.example).")
		if got := tab.URL(); got != address+"/login/link" {
			t.Errorf("the token stays in the address: %s", got)
		}
		tab.Follow("[data-link] button")
		if got := tab.Text("body"); got != client(w.Ana) {
			t.Error(got)
		}
		tab.Open(address + "/login/link#" + strings.Repeat("x", 43))
		tab.WaitText("[data-whose]", "not one of ours")
	})

	t.Run("without script the code does", func(t *testing.T) {
		tab := browser.Tab(t)
		tab.Script(false)
		tab.Open(address + "/north-studio/login")
		tab.Type("#email", "ben@lima.example")
		tab.Follow("form.form button")
		letter := w.Letter()
		tab.Open(address + "/login/link#" + letter.Token)
		tab.Type("#email", "ben@lima.example")
		tab.Type("#code", letter.Code)
		tab.Follow("[data-no-link] form button")
		if got := tab.Text("body"); got != client(w.Ben) {
			t.Error(got)
		}
	})

	t.Run("passkeys", func(t *testing.T) {
		tab := browser.Tab(t)
		tab.Passkeys()
		tab.Open(w.direct(w.Ana))
		tab.WaitText("[data-whose]", "Ana")
		tab.Follow("[data-link] button")
		tab.Open(address + "/account/security")
		tab.Follow("[data-passkey=create]")
		tab.WaitText("h1", "Keep these recovery codes") // the first second factor brings them
		tab.Follow("main a.primary")
		tab.Wait("[action$='/remove']")
		tab.Open(address + "/logout")
		tab.Follow("form.form button")
		tab.Follow("[data-passkey=get]")
		tab.WaitTrue("document.body.innerText === '" + client(w.Ana) + "'")
		tab.Open(address + "/account/security")
		tab.Follow("[action$='/remove'] button")
	})
}

// pages leads through all pages and shows each.
func (w *world) pages(t *testing.T, address string, tab *portaltest.Tab, show func(name string)) {
	shown := func(name, path string) {
		if path != "" {
			tab.Open(address + path)
		}
		show(name)
	}
	shown("sign-in", "/north-studio/login")
	tab.Expect("422")
	tab.Type("#email", "nonsense")
	tab.Follow("form.form button")
	shown("sign-in-wrong", "")
	tab.Expect("404")
	shown("lost", "/nobody/login")
	shown("sent", "/login/sent?firm=north-studio")
	shown("code", "/login/code")
	shown("link-without-token", "/login/link")
	shown("password", "/login/password?firm=north-studio")
	shown("reset", "/reset")
	shown("help", "/login/help")
	shown("signing-out", "/logout")
	tab.Open(w.direct(w.Priya))
	tab.WaitText("[data-whose]", "Priya")
	show("link")
	tab.Follow("[data-link] button")
	shown("enrol", "")
	code := (&browser{world: w}).code(portaltest.Eval[string](tab, `document.documentElement.outerHTML`))
	tab.Type("#code", code)
	tab.Follow("form.form button")
	show("recovery-codes")
	shown("security", "/account/security")
	w.Advance(11 * time.Minute)
	shown("proof", "/account/proof")

	tab.Open(address + "/logout")
	tab.Follow("form.form button")
	tab.Open(w.direct(w.Priya))
	tab.WaitText("[data-whose]", "Priya")
	tab.Follow("[data-link] button")
	shown("second-factor", "")

	if err := w.Keeper.Invite(t.Context(), w.StaffActor(), w.Ana, true, door.Visit{}); err != nil {
		t.Fatal(err)
	}
	tab.Open(address + "/login/link#" + w.Letter().Token)
	tab.WaitText("[data-whose]", "Ana")
	tab.Follow("[data-link] button")
	shown("welcome", "")
	tab.Type("#password", "a good long password")
	tab.Follow("form.form button")
	w.Advance(11 * time.Minute)
	shown("proof-by-password", "/account/proof")
	tab.Follow("[action='/account/proof/code'] button")
	shown("proof-by-code", "")
}

// TestPagesHaveNoBarriers looks at every page on a desk, in light, and on a phone, in dark.
func TestPagesHaveNoBarriers(t *testing.T) {
	b := portaltest.Start(t)
	for _, c := range []struct {
		name  string
		width int64
		dark  bool
	}{{"on a desk", 1280, false}, {"on a phone, dark", 360, true}} {
		t.Run(c.name, func(t *testing.T) {
			w, address := newSite(t, func(o *door.Options) { o.StaffSecondFactor = true })
			tab := b.Tab(t)
			tab.Size(c.width, 800)
			tab.Dark(c.dark)
			w.pages(t, address, tab, func(name string) { portaltest.Check(tab, name+" "+c.name) })
		})
	}
}

// TestPictures writes a picture of every page into the folder that ATRIUM_SHOTS names; without it there is nothing to do.
func TestPictures(t *testing.T) {
	folder := os.Getenv("ATRIUM_SHOTS")
	if folder == "" {
		return
	}
	b := portaltest.Start(t)
	for _, width := range []int64{360, 1280} {
		w, address := newSite(t, func(o *door.Options) { o.StaffSecondFactor = true })
		tab := b.Tab(t)
		tab.Size(width, 800)
		tab.Dark(width == 360)
		w.pages(t, address, tab, func(name string) { tab.Shot(filepath.Join(folder, fmt.Sprintf("%s-%d.png", name, width))) })
	}
}
