package main

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/atrium-portal/atrium/readapi/portal/portaltest"
)

// TestStaffLookAfterAccess: a member of staff sees the portal as a client does, invites a colleague of hers, sends her a
// new password, freezes her and lets her in again, and merges a contact who was written down twice.
func TestStaffLookAfterAccess(t *testing.T) {
	browser := portaltest.Start(t)
	base, links := demoFirm(t)
	staff, ingrid := browser.Tab(t), browser.Tab(t)
	signIn(staff, links[0])
	staff.WaitText("h1", "Priya")
	ingrid.Expect("401") // the stream of news of a page whose session has ended
	signIn(ingrid, links[1])
	ingrid.WaitText("h1", "Welcome, Ingrid")
	staff.Open(base + "/staff/clients?q=Holm")
	staff.Follow(`main table a[href^="/staff/clients/"]`)
	client := staff.URL()
	staff.Follow(`main a[href$="/contacts"]`)
	staff.Follow(`main table a[href^="/staff/contacts/"]`)
	contact := staff.URL()

	// See as client: why is asked, nothing can be changed, and the client reads of it.
	staff.Click(`main a[href$="/preview"]`)
	staff.Type(`dialog textarea[name="reason"]`, "She asked what she sees.")
	staff.Follow(`dialog form button[type="submit"]`)
	staff.WaitText(`aside[aria-label="Preview"]`, "You see the pages of Ingrid Holm")
	portaltest.Check(staff, "a preview")
	staff.Open(base + "/profile")
	staff.Type(`input[name="name"]`, "Somebody else")
	staff.Expect("403")
	staff.Follow(`main form button[type="submit"]`)
	staff.WaitText("main", "End the preview to do something.")
	staff.Open(base + "/invoices")
	staff.Follow(`aside[aria-label="Preview"] button`)
	staff.WaitText(".side", "Clients")
	ingrid.Open(base + "/history")
	ingrid.WaitText("main", "She asked what she sees.")

	// A colleague is written down, gets access and an invitation, and comes in by it.
	addContact := func(name, email string) {
		staff.Open(client + "/contacts/new")
		staff.Type(`input[name="name"]`, name)
		staff.Type(`input[name="email"]`, email)
		staff.Follow(`main form button[type="submit"]`)
		staff.WaitText("h1", name)
	}
	addContact("Mette Lund", "mette@holmrye.example")
	staff.Follow(`main a[href$="/access"]`)
	staff.Follow(`main form button[type="submit"]`)
	staff.WaitText("main", "The contact may sign in.")
	staff.Follow(`main form[action$="/invite"] button`)
	mette := browser.Tab(t)
	signIn(mette, mailedLink(t, base, "mette@holmrye.example", "Welcome to the portal"))
	mette.WaitText("h1", "Welcome, Mette")

	// A new password; whoever sets one ends every other session.
	staff.Open(contact)
	staff.Follow(`main button[formaction$="/reset"]`)
	fresh := browser.Tab(t)
	fresh.Expect("401")
	signIn(fresh, mailedLink(t, base, "ingrid@holmrye.example", "Set a new password"))
	fresh.Type(`input[name="password"]`, "nine bakeries and a tenth")
	portaltest.Check(fresh, "a new password")
	fresh.Follow(`main form button[type="submit"]`)
	fresh.WaitText("h1", "Welcome, Ingrid")
	ingrid.Open(base + "/invoices")
	ingrid.WaitText("main", "Send me a link")

	// One device ends all others.
	enter := func(tab *portaltest.Tab) {
		tab.Open(base + "/login/password")
		tab.Type(`input[name="email"]`, "ingrid@holmrye.example")
		tab.Type(`input[name="password"]`, "nine bakeries and a tenth")
		tab.Follow(`main form button[type="submit"]`)
		tab.WaitText("h1", "Welcome, Ingrid")
	}
	enter(ingrid)
	ingrid.Open(base + "/account/security")
	ingrid.Follow(`form[action$="/end-others"] button`)
	fresh.Open(base + "/invoices")
	fresh.WaitText("main", "Send me a link")

	// Frozen, she is out at the next click and stays out; then she comes in as before.
	staff.Open(contact)
	staff.Click(`main a[href$="/freeze"]`)
	staff.Type(`dialog textarea[name="reason"]`, "Her phone was stolen.")
	staff.Follow(`dialog form button[type="submit"]`)
	staff.WaitText("main", "Access is frozen")
	portaltest.Check(staff, "a frozen contact")
	ingrid.Open(base + "/contracts")
	ingrid.WaitText("main", "Send me a link")
	staff.Click(`main a[href$="/unfreeze"]`)
	staff.Follow(`dialog form button[type="submit"]`)
	staff.WaitText("main", "may sign in again as before")
	enter(ingrid)

	// Written down twice: what was the other's is hers, and the other leads to her.
	addContact("I. Holm", "i.holm@holmrye.example")
	other := staff.URL()
	staff.Open(contact)
	staff.Click(`main a[href$="/merge"]`)
	staff.Wait(`dialog select[name="duplicate"]`)
	staff.Choose(`dialog select[name="duplicate"]`, portaltest.Eval[string](staff, `[...document.querySelectorAll('dialog select[name="duplicate"] option')].find((o) => o.label.includes("I. Holm,")).value`))
	staff.Follow(`dialog form button[type="submit"]`)
	staff.WaitText("main", "The duplicate is merged")
	staff.Open(other)
	staff.WaitText("main", "This was a duplicate.")
	portaltest.Check(staff, "a merged contact")
}

// mailedLink is the link in the newest mail to an address with a subject, once it is there.
func mailedLink(t *testing.T, base, to, subject string) string {
	t.Helper()
	var box struct {
		Items []struct {
			To, Subject string
			Links       []string
		}
	}
	for range 100 {
		r, err := http.Get(base + "/dev/mail.json") //nolint:noctx // the test's own server
		if err != nil {
			t.Fatal(err)
		}
		err = json.NewDecoder(r.Body).Decode(&box)
		r.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		for _, one := range box.Items {
			if strings.Contains(one.To, to) && strings.Contains(one.Subject, subject) && len(one.Links) > 0 {
				return one.Links[0]
			}
		}
		if err := pause(t.Context(), 100*time.Millisecond); err != nil {
			t.Fatal(err)
		}
	}
	t.Fatalf("no mail %q has come for %s", subject, to)
	return ""
}
