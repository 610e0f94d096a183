package portal_test

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/contact"
	"github.com/atrium-portal/atrium/domain/contract"
	"github.com/atrium-portal/atrium/domain/domaintest"
	"github.com/atrium-portal/atrium/domain/invoice"
	"github.com/atrium-portal/atrium/domain/payment"
	"github.com/atrium-portal/atrium/readapi/auth"
)

// console adds what only the console shows: a question, a declined contract, a payment to look into.
func (w *world) console() {
	w.t.Helper()
	w.do("north", w.contactOf("olga"), "QuestionInvoice", invoice.Question{Invoice: w.ids["invoice olga"], Text: domain.P("Why so much?")})
	w.do("north", w.contactOf("bea"), "DeclineContract", contract.Decline{Contract: w.ids["contract borealis"], Reason: domain.P("Not like this.")})
	w.contact("north", "aurora", "rita")
	w.do("north", w.staffOf("meg"), "LinkContact", contact.Link{Contact: w.ids["nora"], Account: w.ids["borealis"], Role: contact.Viewer})
	id := w.do("north", w.contactOf("olga"), "StartPayment", payment.Start{Invoice: w.ids["invoice olga"]}).ID
	w.ids["payment olga"] = id
	provider := domain.SystemActor("provider")
	w.do("north", provider, "HandOverPayment", payment.HandOver{Payment: id, Reference: "page-1", URL: domain.P("https://pay.example/1")})
	w.do("north", provider, "ReportPayment", payment.Report{Payment: id, Outcome: payment.Paid, Capture: "capture-1", Amount: eur(5)})
	for _, r := range w.log.All() {
		f, err := w.loop.Codec.Decode(r)
		if err != nil {
			w.t.Fatal(err)
		}
		switch e := f.Event.(type) {
		case invoice.Questioned:
			w.ids["question"] = e.Question
		case invoice.PaymentRecorded:
			if f.Of == w.ids["invoice aurora"] {
				w.ids["payment aurora"] = e.Payment
			}
		}
	}
}

func TestStaffPagesLeadEverywhere(t *testing.T) {
	w := newWorld(t)
	w.console()
	for who, least := range map[string]int{"ada": 60, "meg": 50, "max": 30, "sue": 30} {
		t.Run(who, func(t *testing.T) {
			pages := w.of(t).crawl("/staff", who)
			if len(pages) < least {
				t.Errorf("only %d pages can be reached", len(pages))
			}
			for path, page := range pages {
				sound(t, path, page)
				if who == "sue" {
					lacks(t, page, "Aurora", "marker")
				} else {
					lacks(t, page, "Crux")
				}
			}
		})
	}
}

func TestStaffHomeShowsWhatNeedsAttention(t *testing.T) {
	w := newWorld(t)
	w.console()
	home := w.page("/staff", "meg")
	holds(t, home, "Olga questions 0003", "Look into a payment for 0003", "another amount arrived", "days overdue", "Bea declined", "The access of Fritz is frozen",
		"waits for Olga", "waits on the client", "Billed and paid by month", "Not due yet", "Projects by stage", `href="/staff/invoices/new"`)
	lacks(t, w.page("/staff", "max"), `href="/staff/invoices/new"`, `href="/staff/settings"`, `href="/staff/operations"`)
	holds(t, w.page("/staff", "ada"), `href="/staff/settings"`, `href="/staff/operations"`)
}

// send posts a form that must take effect, and gives the page that follows.
func (w *world) send(path, who string, fields ...string) string {
	w.t.Helper()
	a := w.post(path, who, fields...)
	if a.status != http.StatusSeeOther {
		w.t.Fatalf("POST %s as %s: %d %s", path, who, a.status, short(a.body))
	}
	return a.header.Get("Location")
}

var wrong = regexp.MustCompile(`aria-invalid="true"`)

// refused posts a form that must come back with what was typed.
func (w *world) refused(path, who string, fields ...string) string {
	w.t.Helper()
	a := w.post(path, who, fields...)
	if a.status != http.StatusUnprocessableEntity && a.status != http.StatusConflict {
		w.t.Fatalf("POST %s as %s: %d %s", path, who, a.status, short(a.body))
	}
	return a.body
}

func TestStaffOpenAClient(t *testing.T) {
	w := newWorld(t)
	typed := []string{"name", "Dorado <Ltd>", "currency", "EUR", "contact.name", "Dora", "contact.email", "nonsense", "contact.phone", "040"}
	page := w.refused("/staff/clients/new", "meg", typed...)
	holds(t, page, `value="Dorado &lt;Ltd&gt;"`, `value="Dora"`, `value="nonsense"`, `value="040"`, `href="#contact.email"`)
	if len(wrong.FindAllString(page, -1)) != 1 {
		t.Error("not the one field is marked")
	}
	typed[7] = "dora@dorado.example"
	at := w.send("/staff/clients/new", "meg", typed...)
	holds(t, w.page(at, "meg"), "Dorado &lt;Ltd&gt;", "Dora", "No invoice yet")
	holds(t, w.page("/staff/clients?q=dora%40", "meg"), "Dorado")
	lacks(t, w.page("/staff/clients?q=dora%40", "meg"), "Aurora")

	w.send(at+"/modules", "meg", "modules", "projects")
	lacks(t, w.page(at+"/modules", "meg"), `value="invoices" checked`)
	w.send(at+"/close", "meg", "reason", "moved away")
	lacks(t, w.page("/staff/clients", "meg"), "Dorado")
	holds(t, w.page("/staff/clients?status=closed", "meg"), "Dorado")
	holds(t, w.page(at, "meg"), "Closed", "moved away")
	w.send(at+"/reopen", "meg")
	holds(t, w.page("/staff/clients", "meg"), "Dorado")
}

func TestStaffManageContacts(t *testing.T) {
	w := newWorld(t)
	at := w.send("/staff/clients/"+w.id("aurora")+"/contacts/new", "max", "name", "Paul", "email", "paul@aurora.example", "phone", "")
	holds(t, w.page(at, "meg"), "cannot sign in yet", "Grant access")
	lacks(t, w.page(at, "max"), "Grant access")
	w.send(at+"/access", "meg", "now", "none", "role", "viewer")
	holds(t, w.page(at, "meg"), "Has access", "View invoices")
	lacks(t, w.page(at, "meg"), "Pay invoices")
	w.send(at+"/access", "meg", "now", "granted", "role", "viewer", "permissions", "pay_invoices", "permissions", "view_invoices")
	holds(t, w.page(at, "meg"), "Pay invoices")
	holds(t, w.refused(at+"/freeze", "max", "reason", " "), "Freeze the access of Paul?", `id="reason-error"`)
	w.send(at+"/freeze", "max", "reason", "mailbox stolen")
	holds(t, w.page(at, "meg"), "Frozen", "mailbox stolen", "Unfreeze")
	w.send(at+"/unfreeze", "meg")
	w.send(at+"/revoke", "meg", "reason", "")
	holds(t, w.page(at, "meg"), "Access was revoked")
	w.send("/staff/contacts/"+w.id("olga")+"/merge", "meg", "duplicate", strings.TrimPrefix(at, "/staff/contacts/"), "reason", "same person")
	holds(t, w.page(at, "meg"), "This was a duplicate")
	lacks(t, w.page("/staff/clients/"+w.id("aurora")+"/contacts", "meg"), "Paul")
	holds(t, w.refused("/staff/clients/"+w.id("aurora")+"/contacts/new", "max", "name", "Again", "email", "olga@aurora.example"), `value="Again"`, `value="olga@aurora.example"`, `aria-invalid`)
}

func TestStaffLinkContactsToOtherClients(t *testing.T) {
	w := newWorld(t)
	at, borealis := "/staff/contacts/"+w.id("nora"), w.id("borealis")
	holds(t, w.page(at, "meg"), "Also works for", "No other client.", "Link to another client")
	lacks(t, w.page(at, "max"), "Link to another client")
	lacks(t, w.page("/", "nora"), `action="/account"`)
	holds(t, w.page(at+"/link", "meg"), ">Borealis</option>")
	lacks(t, w.page(at+"/link", "meg"), ">Aurora</option>", ">Crux</option>")
	holds(t, w.refused(at+"/link", "meg", "role", "viewer"), "Choose the other client.")
	holds(t, w.refused(at+"/link", "meg", "account", w.id("crux"), "role", "viewer"), "no such account")
	w.send(at+"/link", "meg", "account", borealis, "role", "viewer")
	holds(t, w.page(at, "meg"), "/links/"+borealis+"/unlink", "linked this contact to another client as viewer")
	lacks(t, w.page(at, "max"), "/links/")
	lacks(t, w.page(at+"/link", "meg"), ">Borealis</option>")
	holds(t, w.page("/staff/clients/"+borealis+"/contacts", "meg"), "Nora", "nora@aurora.example, of Aurora")
	holds(t, w.page("/staff/invoices/new?account="+borealis, "meg"), "Nora")

	// Nora chooses in the menu, and sees one client's things at a time.
	holds(t, w.page("/", "nora"), `action="/account"`, `value="`+borealis+`"`, "Change to ")
	holds(t, w.page("/invoices", "nora"), w.id("invoice aurora"))
	there := w.ofAccount("/invoices", "nora", "borealis")
	holds(t, there, w.id("invoice borealis"), `value="`+w.id("aurora")+`"`)
	lacks(t, there, w.id("invoice aurora"))
	holds(t, w.ofAccount("/people", "nora", "borealis"), "At Borealis", "Bea", "Nora")
	holds(t, w.page("/people", "bea"), "Nora", "Viewer")
	lacks(t, w.page("/people", "bea"), "Aurora")

	w.send(at+"/links/"+borealis, "meg", "role", "accounts", "do", "defaults")
	holds(t, w.ofAccount("/", "nora", "borealis"), `href="/invoices"`)
	lacks(t, w.ofAccount("/", "nora", "borealis"), `href="/projects"`)
	holds(t, w.page(at+"/links/"+borealis+"/unlink", "meg"), "Unlink Nora from Borealis?")
	w.send(at+"/links/"+borealis+"/unlink", "meg", "reason", "left them")
	holds(t, w.page(at, "meg"), "No other client.", "left them")
	if got := w.get(at+"/links/"+borealis, "meg").status; got != http.StatusNotFound {
		t.Errorf("a link that has ended: %d", got)
	}
	lacks(t, w.page("/", "nora"), `action="/account"`)
	lacks(t, w.page("/people", "bea"), "Nora")
}

// ofAccount asks for a page of an account that somebody has chosen.
func (w *world) ofAccount(path, who, accountName string) string {
	w.t.Helper()
	r := httptest.NewRequest(http.MethodGet, path, nil)
	r.Header.Set(auth.AccountHeader, w.id(accountName))
	a := w.ask(r, who)
	if a.status != http.StatusOK {
		w.t.Fatalf("GET %s as %s of %s: %d %s", path, who, accountName, a.status, short(a.body))
	}
	return a.body
}

var total = regexp.MustCompile(`(?s)data-total>([^<]*)<`)

func TestStaffInvoiceFromDraftToPaid(t *testing.T) {
	w := newWorld(t)
	form := "/staff/invoices/new?account=" + w.id("aurora")
	holds(t, w.page("/staff/invoices/new", "meg"), "Whom is it for?", form)
	line := []string{"due", "2026-04-30", "project", "", "note", "Thank you", "description", "Design", "quantity", "2", "price", "1,000.00", "tax", "19"}

	again := w.post(form, "meg", append([]string{"do", "add-line"}, line...)...)
	if again.status != http.StatusOK || strings.Count(again.body, `data-line>`) != 3 { // two, and the template
		t.Fatalf("adding a line: %d", again.status)
	}
	holds(t, again.body, `value="Design"`, "Thank you", total.FindString(again.body))
	if sum := total.FindStringSubmatch(again.body); sum == nil || !strings.HasPrefix(sum[1], "2,380.00") {
		t.Errorf("the sum is %q", sum)
	}
	removed := w.post(form, "meg", append([]string{"do", "remove-line-0", "description", "Print", "quantity", "1", "price", "5", "tax", "7"}, line...)...)
	holds(t, removed.body, `value="Design"`)
	lacks(t, removed.body, `value="Print"`)

	bad := w.refused(form, "meg", "do", "save", "due", "", "description", "Design", "quantity", "two", "price", "1.000,00", "tax", "19", "note", "keep me")
	holds(t, bad, `value="two"`, `value="1.000,00"`, "keep me", `id="quantity-0-error"`, `id="price-0-error"`, `href="#quantity-0"`)

	at := w.send(form, "meg", append([]string{"do", "save"}, line...)...)
	holds(t, w.page(at, "meg"), "Draft for Aurora", "2,380.00", "Thank you")
	confirm := w.send(at+"/edit", "meg", append([]string{"do", "send", "revision", revision(t, w.page(at+"/edit", "meg"))}, append(line, "description", "Photos", "quantity", "1", "price", "100", "tax", "19")...)...)
	if confirm != at+"/send" {
		t.Fatalf("leads to %s", confirm)
	}
	holds(t, w.page(confirm, "meg"), "2,499.00", "cannot be changed", "Everybody at Aurora who may see invoices")
	w.send(confirm, "meg")
	sent := w.page(at, "meg")
	holds(t, sent, "Sent", "Record payment")
	if w.get(at+"/edit", "meg").status != http.StatusConflict {
		t.Error("what was sent can be changed")
	}

	holds(t, w.refused(at+"/payment", "meg", "amount", "lots", "date", "", "method", "cash", "reference", "R1"), `value="lots"`, `value="R1"`, `id="amount-error"`)
	key := domain.NewID().String()
	for range 2 { // a double click
		w.send(at+"/payment", "meg", "key", key, "amount", "499.00", "date", domain.DateOf(domaintest.Now, time.UTC).String(), "method", "cash", "reference", "R1")
	}
	paid := w.page(at, "meg")
	holds(t, paid, "Part paid", "2,000.00", "R1")
	if strings.Count(paid, ">R1<") != 1 && strings.Count(paid, "R1") != 1 {
		t.Error("the payment is there twice")
	}
	refund := regexp.MustCompile(`/refund\?payment=[^"]*`).FindString(paid)
	w.send(at+refund, "meg", "amount", "99", "reason", "too much")
	holds(t, w.page(at, "meg"), "Given back", "2,099.00")
	w.send(at+"/credit", "meg", "amount", "99", "reason", "a discount")
	holds(t, w.page(at, "meg"), "Credited", "Credit note")
	holds(t, w.page("/staff/search?q=R1", "max"), at)
	holds(t, w.refused(at+"/void", "meg", "reason", "gone"), "Refund it first", "gone")
}

func TestStaffAnswerAndReview(t *testing.T) {
	w := newWorld(t)
	w.console()
	at := "/staff/invoices/" + w.id("invoice olga")
	holds(t, w.page(at, "max"), "Why so much?", "Answer Olga", "Questioned")
	w.send(at+"/answer?question="+w.id("question"), "max", "text", "Because of the photos.")
	holds(t, w.page(at, "max"), "Because of the photos.")
	review := "/staff/payments/" + w.id("payment olga") + "/review"
	holds(t, w.page(review, "meg"), "page-1", "another amount arrived")
	w.send(review, "meg", "note", "given back")
	lacks(t, w.page("/staff", "meg"), "Look into a payment", "Olga questions")
}

func TestStaffMoveProjects(t *testing.T) {
	w := newWorld(t)
	at := "/staff/projects/" + w.id("project aurora")
	holds(t, w.page("/staff/projects", "max"), "Site of aurora", "Site of borealis", "Waiting on client", `value="Development"`)
	w.send(at+"/advance", "max", "to", "Development")
	w.send(at+"/advance", "max", "to", "Development") // from a page that is out of date
	holds(t, w.page(at, "max"), "Move to Review")
	holds(t, w.refused(at+"/stage", "max", "to", "Launch", "reason", ""), `id="reason-error"`, `value="Launch" checked`)
	w.send(at+"/stage", "max", "to", "Design", "reason", "a new wish")
	holds(t, w.page(at, "max"), "Move to Development")
	holds(t, w.refused(at+"/health", "max", "health", "shifted", "note", ""), `id="note-error"`)
	w.send(at+"/health", "max", "health", "shifted", "note", "The printer is late.")
	holds(t, w.page(at, "max"), "The printer is late.", "Timeline shifted")
	w.send(at+"/team", "max", "staff", w.id("ada"), "role", "Lead")
	holds(t, w.page(at+"/team", "max"), "Ada", "Lead")
	w.send(at+"/team/"+w.id("max")+"/remove", "max")
	w.send(at+"/complete", "max")
	lacks(t, w.page("/staff/projects", "max"), "Site of aurora")
	holds(t, w.page("/staff/projects/list?status=completed", "max"), "Site of aurora")
	w.send(at+"/reopen", "meg", "reason", "one more page")
	holds(t, w.page("/staff/projects", "max"), "Site of aurora")
	made := w.send("/staff/projects/new?account="+w.id("borealis"), "max", "name", "Shop", "description", "", "stages", "First\r\nSecond\r\n")
	holds(t, w.page(made, "max"), "Stage 1 of 2", "Move to Second")
}

func TestStaffContractFromDraftToSent(t *testing.T) {
	w := newWorld(t)
	form := "/staff/contracts/new?account=" + w.id("aurora")
	again := w.post(form, "meg", "do", "add-signer", "title", "Terms", "body", "We agree.", "signer", w.id("olga"))
	holds(t, again.body, "Signer 2", `value="Terms"`, "We agree.")
	holds(t, w.refused(form, "meg", "title", "", "body", "Kept", "signer", w.id("olga"), "signer", w.id("olga")), "Kept", `id="title-error"`, `id="signer-1-error"`)
	at := w.send(form, "meg", "do", "send", "title", "Terms", "body", "We agree.", "signer", w.id("olga"), "signer", "", "signer", w.id("nora"))
	holds(t, w.page(at, "meg"), "text is frozen", "Olga is asked to sign first, then Nora")
	w.send(at, "meg")
	at = strings.TrimSuffix(at, "/send")
	holds(t, w.page(at, "meg"), "Waiting for signature", "waits for Olga", "Next to sign", "Has not opened it yet")
	w.send(at+"/void", "meg", "reason", "wrong text")
	holds(t, w.page(at, "meg"), "wrong text")
	holds(t, w.page("/staff/contracts/new?account="+w.id("aurora")+"&from="+strings.TrimPrefix(at, "/staff/contracts/"), "meg"), "We agree.", `value="Terms"`)
}

func TestStaffHistorySearchAndOperations(t *testing.T) {
	w := newWorld(t)
	history := w.page("/staff/history?module=invoice&person="+w.id("ada"), "max")
	holds(t, history, `href="/api/v1/history?format=csv`, "module=invoice")
	holds(t, w.page("/staff/history", "max"), "192.0.2.7", "Everybody")
	for text, found := range map[string]string{"auro": "Aurora", "olga@": "Olga", "site of b": "Site of borealis", "terms": "Terms: contract"} {
		page := w.page("/staff/search?q="+strings.ReplaceAll(text, " ", "+"), "max")
		holds(t, page, found)
		lacks(t, page, "Crux")
	}
	holds(t, w.page("/staff/search?q=crux", "max"), "Nothing fits")
	holds(t, w.page("/staff/operations", "ada"), "Up to date", "invoice-x", "no such fold", "atrium replay retry")
}

func TestStaffSettings(t *testing.T) {
	w := newWorld(t)
	choices := []string{"name", "North & Co", "currency", "EUR", "time_zone", "Mars", "number_format", "1.234,56", "invoice_prefix", "N-", "default_audience", "named", "show_history", "yes", "modules", "projects", "modules", "invoices", "primary_color", "#123456", "accent_color", "#b4632a", "address", "Dock 1"}
	holds(t, w.refused("/staff/settings", "ada", choices...), `value="Mars"`, `id="time_zone-error"`, `value="N-"`, `value="1.234,56" selected`)
	choices[5] = "Europe/Vienna"
	w.send("/staff/settings", "ada", choices...)
	holds(t, w.page("/staff/settings", "ada"), "North &amp; Co", "Europe/Vienna", `value="N-"`, "#123456", "Dock 1", `value="invoices" checked`)
	lacks(t, w.page("/staff/settings", "ada"), `value="contracts" checked`)
	lacks(t, w.page("/", "olga"), `href="/contracts"`)
	holds(t, w.page("/staff/invoices/"+w.id("invoice olga"), "ada"), "238,00")

	w.send("/staff/settings/staff/new", "ada", "name", "Tim", "email", "tim@north.example", "role", "member")
	holds(t, w.page("/staff/settings/staff", "ada"), "Tim", "tim@north.example")
	w.send("/staff/settings/staff/"+w.id("max")+"/role", "ada", "role", "manager")
	holds(t, w.page("/staff/invoices", "max"), "New invoice")
	w.send("/staff/settings/staff/"+w.id("max")+"/deactivate", "ada", "reason", "left")
	if a := w.get("/staff", "max"); a.status != http.StatusSeeOther {
		t.Errorf("whoever was deactivated gets %d", a.status)
	}
	holds(t, w.refused("/staff/settings/staff/"+w.id("ada")+"/role", "ada", "role", "member"), "last administrator")
}
