package portal_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
)

var revisionOf = regexp.MustCompile(`name="revision" value="(-?\d+)"`)

// revision is the revision that a form on a page was opened at.
func revision(t *testing.T, page string) string {
	t.Helper()
	found := revisionOf.FindStringSubmatch(page)
	if found == nil {
		t.Fatalf("the form does not say what it was opened at: %s", short(page))
	}
	return found[1]
}

// TestTwoEditorsOfADraft has Ada save a draft that Meg has open: Meg is told by whom it was changed, keeps what she
// typed, and replaces it when she saves again.
func TestTwoEditorsOfADraft(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct{ name, at, field, sees string }{
		{"contract", "/staff/contracts/" + w.id("contract draft"), "body", "The text of ada."},
		{"invoice", "/staff/invoices/" + w.id("draft"), "description", "The text of ada."},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := w.of(t)
			write := func(text, revision string) []string {
				fields := []string{"do", "save", "revision", revision, "title", "Terms", "signer", w.id("nora"), "due", "2026-05-01", "note", "note of " + text, "project", ""}
				fields = append(fields, "quantity", "1", "price", "10.00", "tax", "19")
				return append(fields, c.field, text)
			}
			opened := revision(t, w.page(c.at+"/edit", "meg"))
			w.send(c.at+"/edit", "ada", write("The text of ada.", revision(t, w.page(c.at+"/edit", "ada")))...)

			late := w.post(c.at+"/edit", "meg", write("The text of meg.", opened)...)
			if late.status != http.StatusPreconditionFailed {
				t.Fatalf("the second to save gets %d: %s", late.status, short(late.body))
			}
			holds(t, late.body, "Ada saved it", "Your text is kept below", "The text of meg.", c.sees)
			lacks(t, late.body, "at revision")
			holds(t, w.page(c.at, "meg"), "The text of ada.")

			now := revision(t, late.body)
			if now == opened {
				t.Fatal("the form still says the old revision")
			}
			// A mistake in between keeps the revision.
			bad := w.refused(c.at+"/edit", "meg", append(write("", now), "title", "")...)
			if revision(t, bad) != now {
				t.Error("a mistake has moved the revision")
			}
			w.send(c.at+"/edit", "meg", write("The text of meg.", now)...)
			page := w.page(c.at, "meg")
			holds(t, page, "The text of meg.")
			if main, _, _ := strings.Cut(page, "<h2 id=\"history"); strings.Contains(main, "The text of ada.") {
				t.Error("both texts are there")
			}
			if a := w.post(c.at+"/edit", "meg", write("Without a revision.", "")...); a.status != http.StatusPreconditionFailed {
				t.Errorf("a form that does not say what it was opened at gets %d", a.status)
			}
		})
	}
}

// TestADraftThatWasSentMeanwhile has Ada send a draft that Meg has open: Meg keeps what she typed, and saving again makes
// a new draft of it.
func TestADraftThatWasSentMeanwhile(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct{ name, at, collection, field string }{
		{"contract", "/staff/contracts/" + w.id("contract draft"), "contracts", "body"},
		{"invoice", "/staff/invoices/" + w.id("draft"), "invoices", "description"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := w.of(t)
			fields := []string{
				"do", "save", "title", "Terms", "signer", w.id("nora"), "due", "2026-05-01", "note", "", "project", "",
				"quantity", "1", "price", "10.00", "tax", "19", c.field, "The text of meg.",
			}
			opened := revision(t, w.page(c.at+"/edit", "meg"))
			w.send(c.at+"/send", "ada")
			late := w.post(c.at+"/edit", "meg", append(fields, "revision", opened)...)
			if late.status != http.StatusConflict {
				t.Fatalf("who saves what was sent gets %d: %s", late.status, short(late.body))
			}
			action := "/staff/" + c.collection + "/new?account=" + w.id("aurora")
			holds(t, late.body, "This draft was sent while you were writing", "Ada did that", "The text of meg.", `action="`+action+`"`)
			lacks(t, w.page(c.at, "meg"), "The text of meg.")
			to := w.send(action, "meg", fields...)
			if to == c.at {
				t.Fatal("what was sent has changed")
			}
			holds(t, w.page(to, "meg"), "The text of meg.")
		})
	}
}

func TestStaffChangeTheDraftOfAContract(t *testing.T) {
	w := newWorld(t)
	at := "/staff/contracts/" + w.id("contract draft")
	form := w.page(at+"/edit", "meg")
	holds(t, form, `value="Terms: contract draft"`, "We **agree**", `value="`+w.id("olga")+`" selected`)
	fields := []string{"revision", revision(t, form), "title", "New terms", "body", "We agree anew.", "project", "", "signer", w.id("nora")}
	again := w.post(at+"/edit", "meg", append([]string{"do", "add-signer"}, fields...)...)
	holds(t, again.body, "Signer 2", `value="New terms"`)
	if to := w.send(at+"/edit", "meg", append([]string{"do", "send"}, fields...)...); to != at+"/send" {
		t.Fatalf("leads to %s", to)
	}
	page := w.page(at, "meg")
	holds(t, page, "New terms", "We agree anew.", "Nora", "changed the draft of the contract")
	lacks(t, page, "We <strong>agree")
	w.send(at+"/send", "meg")
	if a := w.get(at+"/edit", "meg"); a.status != http.StatusConflict {
		t.Errorf("what was sent can be changed: %d", a.status)
	}
}
