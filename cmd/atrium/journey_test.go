package main

import (
	"context"
	"flag"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

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

		// Two clicks from the dashboard: read what waits, sign it.
		tab.Follow(`main a[href^="/contracts/"]`)
		tab.Type(`input[name="name"]`, "Ingrid Holm")
		tab.Click(`input[name="consent"]`)
		tab.Follow(`form[action$="/sign"] button[type="submit"]`)
		tab.WaitText("main", "Signed")
		portaltest.Check(tab, "a signed contract")
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
