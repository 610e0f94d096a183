package main

import (
	"context"
	"encoding/base64"
	"flag"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp/kb"

	"github.com/atrium-portal/atrium/readapi/portal/portaltest"
)

// screenshots is where `make screenshots` wants the pictures of the README; without it they go to a folder that is
// thrown away.
var screenshots = flag.String("screenshots", "", "folder for the pictures of the README")

// TestJourneys walks through the demo firm in a real browser, as people would: the demo prints sign-in links, a client
// and a member of staff follow theirs, and every page they see is without barriers.
func TestJourneys(t *testing.T) {
	browser := portaltest.Start(t)
	base, links := demoFirm(t)
	pictures := *screenshots
	if pictures == "" {
		pictures = t.TempDir()
	}

	t.Run("client", func(t *testing.T) {
		tab := browser.Tab(t)
		signIn(tab, links[1])
		tab.WaitText("h1", "Welcome, Ingrid")
		tab.Shot(filepath.Join(pictures, "client.png"))
		portaltest.Check(tab, "the client's dashboard")

		// From the dashboard: read what waits, agree to sign electronically, sign it; by keyboard and without script.
		tab.Follow(`main a[href^="/contracts/"]`)
		portaltest.Check(tab, "consent to signing electronically")
		tab.Script(false)
		tab.Open(tab.URL())
		for _, box := range []string{"read", "consent"} {
			portaltest.Eval[bool](tab, `document.querySelector('input[name="`+box+`"]').focus() ?? true`)
			tab.Press(" ")
		}
		tab.Follow(`form[action$="/consent"] button[type="submit"]`)
		tab.Type(`input[name="name"]`, "Ingrid Holm")
		portaltest.Eval[bool](tab, `document.querySelector('input[name="agree"]').focus() ?? true`)
		tab.Press(" ")
		tab.Follow(`form[action$="/sign"] button[type="submit"]`)
		tab.WaitText("main", "Signed")
		tab.Script(true)
		tab.Open(tab.URL())
		portaltest.Check(tab, "a signed contract")
		signedCopy(t, tab)
		tab.Open(base + "/history")
		tab.WaitText("main", "signed the contract as Ingrid Holm")
		for _, path := range []string{"/invoices", "/contracts", "/projects", "/statement", "/people", "/account/security"} {
			tab.Open(base + path)
			portaltest.Check(tab, "client "+path)
		}
	})

	t.Run("staff", func(t *testing.T) {
		tab := browser.Tab(t)
		signIn(tab, links[0])
		tab.WaitText("h1", "Priya")
		tab.Shot(filepath.Join(pictures, "staff.png"))
		portaltest.Check(tab, "the staff console")
		for _, path := range []string{"/staff/clients", "/staff/projects", "/staff/invoices", "/staff/contracts", "/staff/history", "/staff/operations", "/staff/settings"} {
			tab.Open(base + path)
			portaltest.Check(tab, "staff "+path)
		}
	})
}

// signedCopy waits until a signer has their copy of the contract that a tab shows, and has the verifier judge, as a judge
// might: the file is the one that the record names, and another is not.
func signedCopy(t *testing.T, tab *portaltest.Tab) {
	t.Helper()
	at := path.Base(tab.URL())
	tab.WaitTrue(`fetch("/api/v1/contracts/` + at + `").then((r) => r.json()).then((c) => Boolean(c.signers[0].copy_at))`)
	account := portaltest.Eval[string](tab, `fetch("/api/v1/contracts/`+at+`").then((r) => r.json()).then((c) => c.account)`)
	dir := t.TempDir()
	name := func(file string) string { return filepath.Join(dir, file) }
	for file, path := range map[string]string{
		"contract.pdf": "/api/v1/contracts/" + at + "/pdf", "keys": keysPath, "bundle.zip": "/api/v1/accounts/" + account + "/evidence?about=contract-" + at,
	} {
		encoded := portaltest.Eval[string](tab, `fetch("`+path+`").then((r) => r.bytes()).then((b) => b.toBase64())`)
		content, err := base64.StdEncoding.DecodeString(encoded)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name(file), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(name("other.pdf"), []byte("%PDF-"), 0o600); err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string]int{"contract.pdf": 0, "other.pdf": 3} {
		cmd := exec.CommandContext(t.Context(), "go", "run", "../atrium-verify", name(file), "--bundle", name("bundle.zip"), "--keys", name("keys"))
		out, err := cmd.CombinedOutput()
		if (err == nil) != (want == 0) || want == 0 && !strings.Contains(string(out), "CopyDelivered") {
			t.Errorf("%s: %v\n%s", file, err, out)
		}
	}
}

// TestAPersonWorksForTwoClients: staff link a contact to a second client; she changes between both in the menu, on a
// phone, by keyboard and without script; then the link ends, and with it what she sees.
func TestAPersonWorksForTwoClients(t *testing.T) {
	browser := portaltest.Start(t)
	base, links := demoFirm(t)
	staff, ingrid := browser.Tab(t), browser.Tab(t)
	signIn(staff, links[0])
	staff.WaitText("h1", "Priya")
	signIn(ingrid, links[1])
	ingrid.WaitText("h1", "Welcome, Ingrid")
	if portaltest.Eval[bool](ingrid, `document.querySelector('form[action="/account"]') !== null`) {
		t.Error("there is a choice of one")
	}

	staff.Open(base + "/staff/clients?q=Holm")
	staff.Follow(`main table a[href^="/staff/clients/"]`)
	staff.Follow(`main a[href$="/contacts"]`)
	staff.Follow(`main table a[href^="/staff/contacts/"]`)
	staff.Follow(`main a[href$="/link"]`)
	portaltest.Check(staff, "linking a contact")
	staff.Choose(`select[name="account"]`, portaltest.Eval[string](staff, `[...document.querySelectorAll('select[name="account"] option')].find((o) => o.label.includes("Harbour")).value`))
	staff.Click(`input[name="role"][value="viewer"]`)
	staff.Follow(`main form button[type="submit"]`)
	staff.WaitText("main", "Harbour Light Trust")
	portaltest.Check(staff, "a contact who works for two clients")

	ingrid.Size(360, 740)
	ingrid.Open(base + "/invoices")
	own := portaltest.Eval[string](ingrid, invoicesShown)
	portaltest.Check(ingrid, "the choice of accounts on a phone")
	ingrid.Click(`button[popovertarget="menu"]`)
	portaltest.Eval[bool](ingrid, `document.querySelector(".switch summary").focus() ?? true`)
	ingrid.Press(kb.Enter + "\t" + kb.Enter)
	ingrid.WaitText(".switch summary", "Harbour Light Trust")
	ingrid.Open(base + "/invoices")
	theirs := portaltest.Eval[string](ingrid, invoicesShown)
	if own == "" || theirs == "" || own == theirs {
		t.Errorf("the invoices of one client are %q, those of the other %q", own, theirs)
	}

	ingrid.Size(1280, 800)
	ingrid.Script(false)
	ingrid.Open(base + "/invoices")
	ingrid.Click(".switch summary")
	ingrid.Follow(`form[action="/account"] button`)
	ingrid.WaitText(".switch summary", "Holm & Rye")
	ingrid.Click(".switch summary")
	ingrid.Follow(`form[action="/account"] button`)
	ingrid.WaitText(".switch summary", "Harbour Light Trust")
	ingrid.Script(true)

	staff.Click(`main a[href$="/unlink"]`)
	staff.Wait(`dialog form[action$="/unlink"]`)
	portaltest.Check(staff, "unlinking a contact")
	staff.Follow(`dialog form[action$="/unlink"] button[type="submit"]`)
	staff.WaitText("main", "No other client.")
	ingrid.Open(base + "/invoices")
	if got := portaltest.Eval[string](ingrid, invoicesShown); got != own {
		t.Errorf("unlinked, she sees %q, want %q", got, own)
	}
}

// invoicesShown are the addresses of the invoices on a page.
const invoicesShown = `[...document.querySelectorAll('main a[href^="/invoices/"]')].map((a) => a.pathname).sort().join(" ")`

// signIn follows a link of the demo.
func signIn(tab *portaltest.Tab, link string) {
	tab.Open(link)
	tab.Follow(`main button[type="submit"]`)
}

var linkPattern = regexp.MustCompile(`http://\S+/login/link#\S+`)

// demoFirm starts the demo and returns its address and the sign-in links that it prints: staff first, then clients.
func demoFirm(t *testing.T) (base string, links []string) {
	t.Helper()
	_, port, _ := strings.Cut(freeAddress(t), ":")
	address := "localhost:" + port
	ctx, stop := context.WithCancel(context.Background())
	var printed, log syncBuffer
	done := make(chan error, 1)
	data := folder(t)
	go func() {
		c := demoCmd{stores: stores{Data: data}, Listen: address}
		done <- c.Run(ctx, &terminal{out: &printed, err: io.Discard, log: slog.New(slog.NewTextHandler(&log, nil)), now: time.Now})
	}()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Errorf("the demo ended with %v\n%s", err, log.String())
		}
		if *screenshots == "" {
			os.RemoveAll(data)
		}
	})
	server{t, "http://" + address, ""}.await(done)
	links = linkPattern.FindAllString(printed.String(), -1)
	if len(links) != 3 {
		t.Fatalf("the demo prints %d sign-in links:\n%s", len(links), printed.String())
	}
	return "http://" + address, links
}
