package portal_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/account"
	"github.com/atrium-portal/atrium/domain/contact"
	"github.com/atrium-portal/atrium/domain/contract"
	"github.com/atrium-portal/atrium/domain/firm"
	"github.com/atrium-portal/atrium/domain/invoice"
	"github.com/atrium-portal/atrium/domain/payment"
	"github.com/atrium-portal/atrium/domain/project"
	"github.com/atrium-portal/atrium/readapi"
	"github.com/atrium-portal/atrium/readapi/auth"
	"github.com/atrium-portal/atrium/readapi/portal"
)

// TestClientPages shares one world among its parts, which is dear to make. They leave alone what others look at.
func TestClientPages(t *testing.T) {
	w := newWorld(t)
	for _, part := range []struct {
		name string
		test func(*testing.T, *world)
	}{
		{"dashboard", testDashboard},
		{"invoice page", testInvoicePage},
		{"statement page", testStatementPage},
		{"question", testQuestion},
		{"contract is read then signed", testContractIsReadThenSigned},
		{"preview only looks", testPreviewOnlyLooks},
		{"signing needs a fresh proof", testSigningNeedsAFreshProof},
		{"decline", testDecline},
		{"payment", testPayment},
		{"profile form keeps what was typed", testProfileFormKeepsWhatWasTyped},
		{"error pages", testErrorPages},
		{"modules that are off are not there", testModulesThatAreOffAreNotThere},
		{"history pages", testHistoryPages},
	} {
		t.Run(part.name, func(t *testing.T) { part.test(t, w.of(t)) })
	}
}

// events counts how often something happened.
func (w *world) events(name string) (n int) {
	for _, r := range w.log.All() {
		if r.Type == name {
			n++
		}
	}
	return n
}

// startPayment begins a payment as a contact, for "payment <contact>".
func (w *world) startPayment(who, invoiceName string) {
	w.t.Helper()
	a := w.post("/invoices/"+w.id(invoiceName)+"/pay", who)
	if a.status != http.StatusSeeOther {
		w.t.Fatalf("pay: %d %s", a.status, a.body)
	}
	var id domain.ID
	if err := id.UnmarshalText([]byte(strings.TrimPrefix(a.header.Get("Location"), "/payments/"))); err != nil {
		w.t.Fatalf("pay leads to %s", a.header.Get("Location"))
	}
	w.ids["payment "+who] = id
}

func testDashboard(t *testing.T, w *world) {
	olga := w.page("/", "olga")
	holds(t, olga, "Welcome, Olga", "Site of aurora is in Design and waits for you", "We need the photos.", "Waiting for you", "Sign “Terms: contract”", "6 days overdue", `href="/statement"`)
	if strings.Index(olga, "6 days overdue") > strings.Index(olga, "Sign “Terms") {
		t.Error("what is late does not come first")
	}
	holds(t, olga, "307.00", "Question an invoice") // 69.00 and 238.00
	lacks(t, w.page("/", "liam"), "Amount due", "Waiting for you")
	fresh := w.page("/", "carl")
	holds(t, fresh, "Welcome, Carl", "Question this invoice")

	w.account("north", "busy")
	w.contact("north", "busy", "bo", contact.ViewInvoices)
	for i := range 10 {
		name := fmt.Sprint("busy ", i)
		w.invoice("north", "busy", name, 1_00, fmt.Sprintf("2026-04-%02d", 20-i))
		w.sendInvoice("north", name)
	}
	w.project()
	busy := w.page("/", "bo")
	holds(t, busy, "10 invoices, the first due on", "2 more things wait", `href="/invoices?status=sent,part_paid,overdue"`, w.id("busy 9"), w.id("busy 2"))
	lacks(t, busy, w.id("busy 1"), w.id("busy 0"))
}

func testInvoicePage(t *testing.T, w *world) {
	page := w.page("/invoices/"+w.id("invoice aurora"), "olga")
	holds(t, page, "Invoice 0001", "Work on invoice aurora", "Tax 19", "119.00", "69.00", "Hafenstraße 7", "6 days overdue", "for invoice aurora", "bank transfer", "Pay now")
	holds(t, page, "/api/v1/invoices/"+w.id("invoice aurora")+"/pdf", "/receipt\"")
	lacks(t, w.page("/invoices/"+w.id("invoice aurora"), "nora"), "Pay now")
	holds(t, w.page("/invoices/"+w.id("void"), "olga"), "Void: nothing to pay")
	list := w.page("/invoices?status=overdue", "olga")
	holds(t, list, w.id("invoice aurora"))
	lacks(t, list, w.id("invoice olga"))
	holds(t, w.page("/invoices?q=nosuchnumber", "olga"), "Nothing fits", "Clear filters")
	if a := w.get("/invoices?cursor=nonsense", "olga"); a.status != http.StatusBadRequest {
		t.Errorf("a cursor that nobody made: %d", a.status)
	}
	for format, total := range map[string]string{"1.234,56": "119,00", "1,234.56": "119.00"} {
		w.do("north", w.staffOf("ada"), "ChangeFirmSettings", firm.ChangeSettings{Firm: w.ids["north"], NumberFormat: &format})
		holds(t, w.page("/invoices/"+w.id("invoice aurora"), "olga"), total)
	}
	w.do("north", w.staffOf("ada"), "ChangeFirmSettings", firm.ChangeSettings{Firm: w.ids["north"], NumberFormat: new("1,234.56")})
}

func testStatementPage(t *testing.T, w *world) {
	holds(t, w.page("/statement", "olga"), "1\u00a0January\u00a02026 until today", "Opening balance", "Closing balance", "Invoice 0001", "Payment", "−50.00")
	holds(t, w.page("/statement?from=2026-04-01&to=2026-04-30", "olga"), "Nothing moved in this period")
	file := w.get("/statement.csv?from=2026-01-01", "olga")
	if !strings.HasPrefix(file.body, "date,what,number,amount,balance,currency\n2026-03-02,invoice,0001,119.00,119.00,EUR\n2026-03-02,payment,,-50.00,69.00,EUR\n") ||
		!strings.Contains(file.header.Get("Content-Disposition"), "statement.csv") {
		t.Errorf("%s\n%v", file.body, file.header)
	}
	if a := w.get("/statement?from=2026-04-01&to=2026-03-01", "olga"); a.status != http.StatusBadRequest {
		t.Errorf("a period that runs backwards: %d", a.status)
	}
}

func testQuestion(t *testing.T, w *world) {
	at := "/invoices/" + w.id("invoice aurora")
	empty := w.post(at+"/question", "olga", "text", " ")
	if empty.status != http.StatusUnprocessableEntity {
		t.Errorf("without words: %d", empty.status)
	}
	holds(t, empty.body, `href="#text"`, "Fill in the text")
	key := domain.NewID().String()
	for range 2 {
		if a := w.post(at+"/question", "olga", "key", key, "text", "We cancelled <this>."); a.status != http.StatusSeeOther || a.header.Get("Location") != at {
			t.Fatalf("question: %d %s", a.status, a.body)
		}
	}
	if n := w.events("InvoiceQuestioned"); n != 1 {
		t.Errorf("sent twice, asked %d times", n)
	}
	holds(t, w.page(at, "olga"), "Questioned", "We cancelled &lt;this&gt;.", "Not answered yet")
	question := w.questionOf("invoice aurora")
	w.do("north", w.staffOf("max"), "AnswerQuestion", invoice.Answer{Invoice: w.ids["invoice aurora"], Question: question, Text: domain.P("A credit note follows.")})
	page := w.page(at, "nora") // everybody who sees the invoice sees what was asked
	holds(t, page, "A credit note follows.", "Max")
	lacks(t, page, "Not answered yet")
}

// questionOf finds the question about an invoice.
func (w *world) questionOf(invoiceName string) domain.ID {
	w.t.Helper()
	for _, r := range w.log.All() {
		if f, err := w.loop.Codec.Decode(r); err == nil && f.Of == w.ids[invoiceName] {
			if e, ok := f.Event.(invoice.Questioned); ok {
				return e.Question
			}
		}
	}
	w.t.Fatal("no question")
	return domain.NoID
}

func testContractIsReadThenSigned(t *testing.T, w *world) {
	at := "/contracts/" + w.id("contract")
	unread := w.page(at, "olga")
	holds(t, unread, "Read the contract")
	lacks(t, unread, "<strong>agree</strong>", "Sign contract")
	if w.events("ContractViewed") != 0 {
		t.Error("looking at the page counts as reading")
	}
	if a := w.post(at+"/view", "olga"); a.status != http.StatusSeeOther || a.header.Get("Location") != at {
		t.Fatalf("view: %d %s", a.status, a.body)
	}
	page := w.page(at, "olga")
	holds(t, page, "<h2>Terms</h2>", "<strong>agree</strong>", "<li>first</li>", "Nora", "I have read the contract above to its end", "a copy on paper")
	lacks(t, page, "Sign contract")
	hash, told := contract.Digest("Terms: contract", contractBody), contract.DisclosureNow().SHA256()
	holds(t, page, `value="`+hash+`"`, hash[:8], `value="`+told+`"`)
	if a := w.post(at+"/sign", "olga", "name", "Olga O.", "agree", "yes", "sha256", hash); a.status != http.StatusConflict || !strings.Contains(a.body, "Agree to sign electronically first") {
		t.Errorf("signed without consent: %d", a.status)
	}
	if a := w.post(at+"/consent", "olga", "read", "yes", "sha256", hash, "disclosure", told); a.status != http.StatusUnprocessableEntity || !strings.Contains(a.body, "Tick the box to sign electronically") {
		t.Errorf("consent without a tick: %d", a.status)
	}
	if a := w.post(at+"/consent", "olga", "read", "yes", "consent", "yes", "sha256", "other", "disclosure", told); a.status != http.StatusConflict {
		t.Errorf("consent to another text: %d", a.status)
	}
	w.consent("contract", "olga")
	page = w.page(at, "olga")
	holds(t, page, "Sign contract", `name="drawing"`, "I have read this contract and sign it electronically.", "Withdraw consent")

	holds(t, w.page(at+"/withdraw", "olga"), "You can agree again")
	if a := w.post(at+"/withdraw", "olga"); a.status != http.StatusSeeOther {
		t.Fatalf("withdraw: %d %s", a.status, a.body)
	}
	holds(t, w.page(at, "olga"), "I agree to sign it electronically", "Withdrew the consent")
	if a := w.post(at+"/sign", "olga", "name", "Olga O.", "agree", "yes", "sha256", hash); a.status != http.StatusConflict {
		t.Errorf("signed after the consent was withdrawn: %d", a.status)
	}
	w.consent("contract", "olga")

	refused := w.post(at+"/sign", "olga", "name", "Olga O.", "sha256", hash, "drawing", "M1 2L3 4")
	if refused.status != http.StatusUnprocessableEntity {
		t.Errorf("without agreement: %d", refused.status)
	}
	holds(t, refused.body, "Tick the box", `value="Olga O."`, `value="M1 2L3 4"`)
	w.do("north", w.staffOf("meg"), "ChangePermissions", contact.ChangePermissions{
		Contact: w.ids["nora"], Permissions: []contact.Permission{contact.ViewContracts, contact.SignContracts},
	})
	w.post(at+"/view", "nora")
	w.consent("contract", "nora")
	if a := w.post(at+"/sign", "nora", "name", "Nora", "agree", "yes", "sha256", hash); a.status == http.StatusSeeOther || w.events("ContractSigned") != 0 {
		t.Errorf("the second signer signed before the first: %d", a.status)
	}
	for _, stranger := range []string{"bea", "carl", "ada"} {
		if a := w.post(at+"/sign", stranger, "name", "S", "agree", "yes", "sha256", hash); a.status != http.StatusNotFound && a.status != http.StatusForbidden || w.events("ContractSigned") != 0 {
			t.Errorf("%s signed what is not theirs: %d", stranger, a.status)
		}
	}
	other := w.post(at+"/sign", "olga", "name", "Olga O.", "agree", "yes", "sha256", contract.Digest("Terms: contract", "Something else"))
	if other.status != http.StatusConflict {
		t.Errorf("another text: %d", other.status)
	}
	holds(t, other.body, "This is not the text that was sent", `value="`+hash+`"`)

	if a := w.post(at+"/sign", "olga", "name", "Olga O.", "agree", "yes", "sha256", hash, "drawing", "M1 2L3 4"); a.status != http.StatusSeeOther {
		t.Fatalf("sign: %d %s", a.status, a.body)
	}
	signed := w.page(at, "olga")
	holds(t, signed, "You have signed. It waits for Nora.", `d="M1 2L3 4"`)
	lacks(t, signed, "Sign contract")
	lacks(t, w.page("/", "olga"), "Sign “Terms: contract”")
	holds(t, w.page(at+"/history", "olga"), "signed the contract as Olga O.", "History of “Terms: contract”", "drew a signature",
		"agreed to sign electronically", "withdrew the consent", "read the contract to its end", "opened the contract, signed in by link")
}

// consent sends the form below the text of a contract that a signer has opened.
func (w *world) consent(name, who string) {
	w.t.Helper()
	a := w.post("/contracts/"+w.id(name)+"/consent", who, "read", "yes", "consent", "yes",
		"sha256", contract.Digest("Terms: "+name, contractBody), "disclosure", contract.DisclosureNow().SHA256())
	if a.status != http.StatusSeeOther {
		w.t.Fatalf("consent of %s: %d %s", who, a.status, a.body)
	}
}

func testDecline(t *testing.T, w *world) {
	at := "/contracts/" + w.id("second")
	holds(t, w.page(at+"/decline", "olga"), "ends for everybody who should sign it", "data-confirm")
	if a := w.post(at+"/decline", "olga", "reason", ""); a.status != http.StatusUnprocessableEntity || !strings.Contains(a.body, "Fill in the reason") {
		t.Errorf("without a reason: %d", a.status)
	}
	if a := w.post(at+"/decline", "olga", "reason", "Too dear"); a.status != http.StatusSeeOther {
		t.Fatalf("%d %s", a.status, a.body)
	}
	holds(t, w.page(at, "olga"), "It was declined and is not in force", "Declined")
	if a := w.get(at+"/decline", "olga"); a.status != http.StatusConflict {
		t.Errorf("once more: %d", a.status)
	}
}

func testPayment(t *testing.T, w *world) {
	at := "/invoices/" + w.id("invoice olga")
	w.startPayment("olga", "invoice olga")
	id := w.ids["payment olga"]
	w.startPayment("olga", "invoice olga") // another click, another form
	if w.ids["payment olga"] != id || w.events("PaymentStarted") != 1 {
		t.Error("a second click began a second payment")
	}
	way := w.get("/payments/"+id.String(), "olga")
	if way.header.Get("Refresh") != "0; url=https://pay.example/page" || !strings.Contains(way.body, `href="https://pay.example/page"`) {
		t.Errorf("the way to the provider: %v %s", way.header, way.body)
	}
	page := w.page(at+"?payment="+id.String(), "olga")
	holds(t, page, "has not told us the outcome yet", "Go on with the payment")
	lacks(t, page, "Pay now")
	w.do("north", domain.SystemActor("cashier"), "ReportPayment", payment.Report{
		Payment: id, Outcome: payment.Paid, Capture: "money", Amount: eur(23_800), Notice: "n1",
	})
	holds(t, w.page(at+"?payment="+id.String(), "olga"), "Thank you. Your payment of 238.00", "Paid in full")
	done := w.get("/payments/"+id.String(), "olga")
	holds(t, done.body, "The money has arrived")
	if done.header.Get("Refresh") != "" {
		t.Error("a payment that has ended leads on")
	}
	w.with(func(o *portal.Options) { o.Pays, o.Papers = false, false })
	lacks(t, w.page("/invoices/"+w.id("invoice aurora"), "olga"), "Pay now", "PDF", "Receipt")
}

func testProfileFormKeepsWhatWasTyped(t *testing.T, w *world) {
	wrong := w.post("/profile", "olga", "name", "", "phone", "+49 <1>")
	if wrong.status != http.StatusUnprocessableEntity {
		t.Errorf("no name: %d", wrong.status)
	}
	holds(t, wrong.body, "Fill in the name", `value="+49 &lt;1&gt;"`, `aria-invalid="true"`, `href="#name"`)
	key := domain.NewID().String()
	first := w.post("/profile", "olga", "key", key, "name", "Olga Ortiz", "phone", "+49 40 1")
	again := w.post("/profile", "olga", "key", key, "name", "Olga Ortiz", "phone", "+49 40 1")
	if first.status != http.StatusSeeOther || again.status != http.StatusSeeOther || w.events("ContactDetailsChanged") != 1 {
		t.Errorf("sent twice: %d, %d, changed %d times", first.status, again.status, w.events("ContactDetailsChanged"))
	}
	other := w.post("/profile", "olga", "key", key, "name", "Somebody else")
	if other.status != http.StatusConflict || !strings.Contains(other.body, "sent before with other content") || strings.Contains(other.body, `value="`+key+`"`) {
		t.Errorf("the same form with other content: %d %s", other.status, other.body)
	}
	r := httptest.NewRequest(http.MethodGet, "/profile", nil)
	for _, c := range first.header["Set-Cookie"] {
		r.Header.Add("Cookie", strings.Split(c, ";")[0])
	}
	done := w.ask(r, "olga")
	holds(t, done.body, "Saved.", `value="Olga Ortiz"`)
	if !strings.Contains(strings.Join(done.header["Set-Cookie"], ""), "Max-Age=0") {
		t.Error("it is said again on the next page")
	}
	if a := w.post("/profile", "olga", "key", "x", "name", "N"); a.status != http.StatusBadRequest {
		t.Errorf("a form without its key: %d", a.status)
	}
}

func testHistoryPages(t *testing.T, w *world) {
	for i := range 30 {
		w.do("north", w.staffOf("max"), "SetHealth", project.SetHealth{Project: w.ids["project aurora"], Health: project.OnTrack, Note: domain.P(fmt.Sprint("Step ", i))})
	}
	holds(t, w.page("/history", "olga"), `rel="next"`, "Step 29")
	page := w.page("/history?to=2026-03-03&module=project&q=moved", "olga")
	holds(t, page, "moved the project from Discovery to Design", "Stage", "<del>", "/api/v1/activity?format=csv")
	lacks(t, page, "192.0.2.7")
	only := w.page("/history?module=contract&q=sent", "olga")
	holds(t, only, "sent the contract to its 2 signers", "format=csv&amp;module=contract&amp;q=sent")
	lacks(t, only, "moved the project")
	w.do("north", w.staffOf("ada"), "ChangeFirmSettings", firm.ChangeSettings{Firm: w.ids["north"], ShowHistory: new(false)})
	lacks(t, w.page("/", "olga"), `href="/history"`, "Recent activity")
}

func testModulesThatAreOffAreNotThere(t *testing.T, w *world) {
	gone := func(who string, paths ...string) {
		t.Helper()
		menu := w.page("/", who)
		for _, path := range paths {
			lacks(t, menu, `href="`+path)
			if a := w.get(path, who); a.status != http.StatusForbidden {
				t.Errorf("%s as %s: %d", path, who, a.status)
			}
		}
	}
	w.do("north", w.staffOf("meg"), "ChangeAccountModules", account.ChangeModules{Account: w.ids["borealis"], Off: []domain.Module{domain.Contracts}})
	gone("bea", "/contracts")
	holds(t, w.page("/", "bea"), `href="/invoices"`, `href="/projects"`)
	w.page("/contracts", "olga")
	w.do("north", w.staffOf("ada"), "ChangeFirmSettings", firm.ChangeSettings{Firm: w.ids["north"], ModulesOff: &[]domain.Module{domain.Invoices}})
	gone("olga", "/invoices", "/statement")
	gone("bea", "/invoices", "/contracts")
	if a := w.post("/invoices/"+w.id("invoice olga")+"/pay", "olga"); a.status != http.StatusForbidden {
		t.Errorf("paying what is off: %d", a.status)
	}
	w.page("/invoices", "carl") // another firm
	w.do("north", w.staffOf("ada"), "ChangeFirmSettings", firm.ChangeSettings{Firm: w.ids["north"], ModulesOff: &[]domain.Module{}})
	w.page("/invoices", "olga")
}

// somebody is a credential made up for a test.
func somebody(id auth.Identity) auth.Identify {
	return func(*http.Request) (auth.Identity, bool, error) { return id, true, nil }
}

func testSigningNeedsAFreshProof(t *testing.T, w *world) {
	at := "/contracts/" + w.id("second")
	w.post(at+"/view", "olga")
	w.consent("second", "olga")
	proved, signed := later(), w.events("ContractSigned")
	w.with(func(o *portal.Options) {
		o.Client = []auth.Identify{func(*http.Request) (auth.Identity, bool, error) {
			return auth.Identity{Firm: w.ids["north"], Contact: w.ids["olga"], Rights: []string{auth.All}, Session: "s", Proved: proved}, true, nil
		}}
	})
	holds(t, w.page(at, ""), "Sign contract")
	proved = proved.Add(-time.Hour)
	page := w.page(at, "")
	holds(t, page, "show once more that it is you", "/account/proof?next="+strings.ReplaceAll(at, "/", "%2F"))
	lacks(t, page, "Sign contract")
	a := w.post(at+"/sign", "", "name", "Olga", "agree", "yes", "sha256", contract.Digest("Terms: second", contractBody))
	if a.status != http.StatusSeeOther || !strings.HasPrefix(a.header.Get("Location"), "/account/proof") || w.events("ContractSigned") != signed {
		t.Errorf("an old proof: %d to %s", a.status, a.header.Get("Location"))
	}
}

func testPreviewOnlyLooks(t *testing.T, w *world) {
	w.with(func(o *portal.Options) {
		o.Client = []auth.Identify{somebody(auth.Identity{
			Firm: w.ids["north"], Contact: w.ids["olga"], Rights: []string{auth.Read}, Session: "s",
			Preview: &auth.Preview{Staff: w.ids["max"], Ends: later()},
		})}
	})
	holds(t, w.page("/", ""), "You see the pages of", "Olga of Aurora", "End preview")
	at := "/contracts/" + w.id("second")
	page := w.page(at, "")
	holds(t, page, "<strong>agree</strong>")
	lacks(t, page, "Read the contract", "Sign contract")
	lacks(t, w.page("/invoices/"+w.id("invoice olga"), ""), "Pay now")
	book := &scribe{}
	w.with(func(o *portal.Options) { o.Audit = book })
	for _, path := range []string{at + "/view", at + "/consent", at + "/withdraw", at + "/sign", "/profile", "/invoices/" + w.id("invoice olga") + "/pay"} {
		a := w.post(path, "", "name", "N")
		if a.status != http.StatusForbidden {
			t.Errorf("%s: %d", path, a.status)
		}
		holds(t, a.body, "End preview")
		if heard := book.heard(); len(heard) != 1 || heard[0].Act != readapi.Refused || heard[0].Meta.Actor.ID != w.ids["max"] || heard[0].Meta.OnBehalfOf != w.ids["olga"] {
			t.Errorf("%s leaves %+v", path, heard)
		}
	}
}

func testErrorPages(t *testing.T, w *world) {
	lost := w.get("/nothing/here", "olga")
	if lost.status != http.StatusNotFound || !strings.Contains(lost.header.Get("Content-Type"), "text/html") {
		t.Errorf("%d %v", lost.status, lost.header)
	}
	holds(t, lost.body, "This page does not exist", `href="/login/help"`)
	if a := w.get("/invoices", ""); a.header.Get("Location") != "/login?next=%2Finvoices" {
		t.Errorf("the way back from the sign-in is lost: %s", a.header.Get("Location"))
	}
	r := httptest.NewRequest(http.MethodPost, "/profile", strings.NewReader("key="+domain.NewID().String()+"&name=Evil"))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	before := w.events("ContactDetailsChanged")
	if a := w.ask(r, "olga"); a.status != http.StatusForbidden || w.events("ContactDetailsChanged") != before {
		t.Errorf("a form of another site: %d", a.status)
	}
	for _, a := range []answer{lost, w.get("/", "olga"), w.get("/statement.csv", "olga"), w.post("/profile", "olga", "name", "N")} {
		if a.header.Get("Cache-Control") != "no-store" || !strings.HasPrefix(a.header.Get("Content-Security-Policy"), "default-src 'self';") ||
			a.header.Get("X-Content-Type-Options") != "nosniff" || a.header.Get("X-Request-Id") == "" {
			t.Errorf("headers: %v", a.header)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	gone := httptest.NewRecorder()
	w.pages.ServeHTTP(gone, httptest.NewRequest(http.MethodGet, "/", nil).WithContext(ctx))
	if gone.Body.Len() > 0 && gone.Code == http.StatusOK {
		t.Error("a page for nobody")
	}
}
