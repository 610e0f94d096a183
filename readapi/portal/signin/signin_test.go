package signin_test

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/pquerna/otp/totp"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/account"
	"github.com/atrium-portal/atrium/domain/contact"
	"github.com/atrium-portal/atrium/domain/firm"
	"github.com/atrium-portal/atrium/readapi/auth"
	"github.com/atrium-portal/atrium/readapi/auth/door"
	"github.com/atrium-portal/atrium/readapi/auth/door/doortest"
	"github.com/atrium-portal/atrium/readapi/portal/signin"
	"github.com/atrium-portal/atrium/readapi/portal/ui"
)

func TestFromTheFirstPageToTheDoor(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	b.wants(b.get("/invoices?due=1"), http.StatusSeeOther, "/login?next=%2Finvoices%3Fdue%3D1")
	b.says(b.wants(b.get("/north-studio/login?next=%2Finvoices%3Fdue%3D1"), http.StatusOK, ""), `name="next" value="/invoices?due=1"`, "Send me a link", "I cannot get in")
	b.wants(b.post("/north-studio/login", "email", "ana@lima.example", "next", "/invoices?due=1"), http.StatusSeeOther, "/login/sent?firm=north-studio")
	b.says(b.get("/login/sent?firm=north-studio"), "If the address is known here", `name="code"`)
	letter := w.Letter()

	// A mail scanner: it looks in every way that changes nothing.
	scanner := w.browser()
	scanner.wants(scanner.send(scanner.request(http.MethodHead, "/login/link", nil)), http.StatusOK, "")
	for range 5 {
		scanner.says(scanner.wants(scanner.get("/login/link"), http.StatusOK, ""), "data-link", "Continue")
	}
	if a := scanner.post("/login/link/whose", "token", letter.Token); a.status != http.StatusOK || a.body != `{"elsewhere":true,"email":"ana@lima.example","firm":"North Studio","name":"Ana"}`+"\n" {
		t.Errorf("%d %s", a.status, a.body)
	}
	// One that even sends the form gets no further than the code.
	scanner.says(scanner.wants(scanner.post("/login/link", "token", letter.Token), http.StatusOK, ""), "Type the code", "Ana (ana@lima.example)")

	b.wants(b.post("/login/link", "token", letter.Token), http.StatusSeeOther, "/invoices?due=1")
	if got := b.me("/invoices"); got != client(w.Ana) {
		t.Error(got)
	}
	if got := b.me("/api"); got != client(w.Ana) {
		t.Error(got)
	}
	b.says(b.wants(b.post("/login/link", "token", letter.Token), http.StatusConflict, ""), "already used", "Send me a link")
	b.says(b.wants(b.post("/login/link", "token", "nonsense"), http.StatusNotFound, ""), "not complete")
	b.wants(b.get("/login"), http.StatusSeeOther, "/") // whoever is in needs no sign-in page
	if strings.Contains(w.seen.String(), letter.Token) {
		t.Error("the token stands in an address")
	}
}

func TestCodeWithoutScript(t *testing.T) {
	w := newWorld(t)
	b, phone := w.browser(), w.browser()
	letter := b.ask("ana@lima.example")
	phone.says(phone.get("/login/link"), `data-no-link`, `name="email"`, `name="code"`)
	phone.says(phone.wants(phone.post("/login/code", "email", "ana@lima.example", "code", "1111 1111"), http.StatusUnprocessableEntity, ""), "not the code", `value="ana@lima.example"`)
	phone.wants(phone.post("/login/code", "email", "ana@lima.example", "code", letter.Code), http.StatusSeeOther, "/")
	if phone.me("/") != client(w.Ana) || b.me("/") != "/login" {
		t.Error("the wrong browser is in")
	}
	letter = b.ask("ana@lima.example") // on the page that says that a mail is on its way
	b.wants(b.post("/login/code", "firm", "north-studio", "code", letter.Code), http.StatusSeeOther, "/")
}

func TestEveryAddressIsAnsweredAlike(t *testing.T) {
	w := newWorld(t)
	var first answer
	for i, email := range []string{"ana@lima.example", "nobody@lima.example", "zoe@lima.example", "sue@lima.example", "priya@lima.example"} {
		a := w.browser().post("/north-studio/login", "email", email)
		a.header.Del("Set-Cookie")
		a.header.Del("X-Request-Id")
		a.header.Del("Date")
		if i == 0 {
			first = a
		}
		if a.status != first.status || a.to != first.to || a.body != first.body || len(a.header) != len(first.header) {
			t.Errorf("%s is answered otherwise: %+v", email, a)
		}
	}
	b := w.browser()
	b.says(b.wants(b.post("/north-studio/login", "email", "no address"), http.StatusUnprocessableEntity, ""), "Give an e-mail address", `value="no address"`)
}

func TestCookies(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	var all []string
	note := func(a answer) answer {
		all = append(all, a.header.Values("Set-Cookie")...)
		return a
	}
	note(b.get("/login"))
	note(b.post("/north-studio/login", "email", "ana@lima.example"))
	before := b.cookie("__Host-atrium-browser")
	b.give(auth.SessionCookie, door.NewSecret()) // fixation
	fixed := b.cookie(auth.SessionCookie)
	note(b.post("/login/link", "token", b.Letter().Token))
	if got := b.cookie(auth.SessionCookie); got == fixed || len(got) != 43 {
		t.Errorf("the session's secret is %q", got)
	}
	old := b.cookie(auth.SessionCookie)
	note(b.post("/logout"))
	if b.cookie(auth.SessionCookie) != "" || before == "" {
		t.Error("the cookie outlives the session")
	}
	flags := regexp.MustCompile(`^__Host-atrium(-browser)?=[A-Za-z0-9_-]*; Path=/; Max-Age=\d+; HttpOnly; Secure; SameSite=Lax$`)
	for _, c := range all {
		if !flags.MatchString(c) {
			t.Errorf("cookie %s", c)
		}
	}
	if len(all) < 4 {
		t.Errorf("%d cookies", len(all))
	}
	b.give(auth.SessionCookie, old)
	b.wants(b.get("/"), http.StatusSeeOther, "/login")
	if a := b.get("/api"); a.status != http.StatusUnauthorized {
		t.Error(a.status)
	}
}

func TestSignOut(t *testing.T) {
	w := newWorld(t)
	b := w.browser().signIn("ana@lima.example")
	b.says(b.wants(b.get("/logout"), http.StatusOK, ""), "Sign out")
	if b.me("/") != client(w.Ana) {
		t.Error("a GET signs out")
	}
	a := b.wants(b.post("/logout"), http.StatusSeeOther, "/north-studio/login")
	if a.header.Get("Clear-Site-Data") != `"cache", "storage"` {
		t.Error(a.header)
	}
	b.wants(b.get("/"), http.StatusSeeOther, "/login")
	b.wants(b.post("/logout"), http.StatusSeeOther, "/login")
}

func TestTheHostOfALinkIsOurs(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	b.host = "evil.example"
	r := b.request(http.MethodPost, "/north-studio/login", strings.NewReader(url.Values{"email": {"ana@lima.example"}}.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("X-Forwarded-Host", "evil.example")
	b.send(r)
	letter := w.Letter()
	if letter.Host != "portal.example.com" || strings.Contains(letter.Text+letter.HTML, "evil") {
		t.Errorf("%s", letter.Text)
	}
}

func TestNobodyIsSentElsewhere(t *testing.T) {
	w := newWorld(t)
	for _, next := range []string{"//evil.example", `/\evil.example`, "https://evil.example", "/%2f/evil.example", "javascript:alert(1)"} {
		b := w.browser()
		a := b.get("/north-studio/login?next=" + url.QueryEscape(next))
		if strings.Contains(a.body, `action="`+next) {
			t.Errorf("%q stands in a form's address", next)
		}
		b.post("/north-studio/login", "email", "ben@lima.example", "next", next)
		for _, letter := range w.Letters() {
			b.wants(b.post("/login/link", "token", letter.Token), http.StatusSeeOther, "/")
			b.wants(b.get("/login?next="+url.QueryEscape(next)), http.StatusSeeOther, "/")
		}
	}
}

func TestOtherSitesCannotSendForms(t *testing.T) {
	w := newWorld(t)
	b := w.browser().signIn("ana@lima.example")
	for _, path := range []string{"/logout", "/login", "/account/sessions/end-others", "/login/link"} {
		r := b.request(http.MethodPost, path, nil)
		r.Header.Set("Sec-Fetch-Site", "cross-site")
		if a := b.send(r); a.status != http.StatusForbidden {
			t.Errorf("%s from another site: %d", path, a.status)
		}
	}
}

func TestFirstPassword(t *testing.T) {
	w := newWorld(t)
	priya := w.browser().signIn("priya@lima.example")
	path := "/staff/access/contacts/" + w.Ana.ID.String()
	priya.wants(priya.post(path+"/invite", "way", "password", "next", "/staff/clients/x"), http.StatusSeeOther, "/staff/clients/x")
	b := w.browser()
	b.wants(b.post("/login/link", "token", w.Letter().Token), http.StatusSeeOther, "/welcome")
	b.wants(b.get("/"), http.StatusSeeOther, "/login")
	b.says(b.wants(b.get("/welcome"), http.StatusOK, ""), `value="ana@lima.example"`, "readonly", "new-password")
	b.says(b.wants(b.post("/welcome", "password", "password1"), http.StatusUnprocessableEntity, ""), "stolen passwords")
	b.wants(b.post("/welcome", "password", "a good long password"), http.StatusSeeOther, "/")
	if b.me("/") != client(w.Ana) {
		t.Error("not in")
	}
	b.wants(b.get("/welcome"), http.StatusSeeOther, "/")

	laptop := w.browser()
	laptop.says(laptop.get("/login/password?firm=north-studio&next=/invoices"), `value="north-studio"`, `value="/invoices"`)
	laptop.says(laptop.wants(laptop.post("/login/password", "firm", "north-studio", "email", "ana@lima.example", "password", "wrong"), http.StatusUnauthorized, ""), "is not right")
	laptop.wants(laptop.post("/login/password", "firm", "north-studio", "email", "ana@lima.example", "password", "a good long password", "next", "/invoices"), http.StatusSeeOther, "/invoices")
	if a := laptop.get("/login/password"); a.status != http.StatusNotFound { // of which firm?
		t.Error(a.status)
	}

	// Forgotten, by the person; then reset, by the firm.
	laptop.wants(laptop.post("/reset", "firm", "north-studio", "email", "ana@lima.example"), http.StatusSeeOther, "/login/sent?firm=north-studio")
	laptop.wants(laptop.post("/login/link", "token", w.Letter().Token), http.StatusSeeOther, "/welcome")
	priya.wants(priya.post(path+"/reset"), http.StatusSeeOther, "/staff")
	b.wants(b.get("/"), http.StatusSeeOther, "/login")
	b.wants(b.post("/login/link", "token", w.Letter().Token), http.StatusSeeOther, "/welcome")

	once := regexp.MustCompile(`<code>([a-z0-9-]{14})</code>`).FindStringSubmatch(priya.wants(priya.post(path+"/one-time-password"), http.StatusOK, "").body)
	if once == nil {
		t.Fatal("no password is shown")
	}
	b = w.browser()
	b.wants(b.post("/login/password", "firm", "north-studio", "email", "ana@lima.example", "password", once[1]), http.StatusSeeOther, "/welcome")
	priya.wants(priya.post(path+"/sign-out"), http.StatusSeeOther, "/staff")
	b.wants(b.get("/welcome"), http.StatusSeeOther, "/login?next=%2Fwelcome")
}

// code is what an authenticator app shows, whose key stands in a page.
func (b *browser) code(page string) string {
	b.Helper()
	key := setup.FindStringSubmatch(page)
	if key == nil {
		b.Fatalf("no key in %s", page)
	}
	code, err := totp.GenerateCode(strings.ReplaceAll(key[1], " ", ""), b.Now())
	if err != nil {
		b.Fatal(err)
	}
	return code
}

func TestSecondFactorOfStaff(t *testing.T) {
	w := newWorld(t, func(o *door.Options) { o.StaffSecondFactor = true })
	b := w.browser()
	b.wants(b.post("/login/link", "token", b.ask("priya@lima.example").Token), http.StatusSeeOther, "/login/enrol")
	b.wants(b.get("/staff"), http.StatusSeeOther, "/login?next=%2Fstaff")
	page := b.says(b.wants(b.get("/login/enrol"), http.StatusOK, ""), "<svg", "Make a passkey instead", "otpauth://totp/North%20Studio")
	if strings.Contains(page.body, "style=") || strings.Contains(page.body, "about:invalid") {
		t.Error("the policy refuses part of the page")
	}
	b.says(b.wants(b.post("/login/enrol", "code", "000000"), http.StatusUnprocessableEntity, ""), "not right")
	codes := regexp.MustCompile(`<li><code>([a-z0-9-]{14})</code></li>`).FindAllStringSubmatch(b.wants(b.post("/login/enrol", "code", b.code(page.body)), http.StatusOK, "").body, -1)
	if len(codes) != 10 || b.me("/staff") != member(w.Priya) {
		t.Fatalf("%d codes, %s", len(codes), b.me("/staff"))
	}

	laptop := w.browser()
	laptop.wants(laptop.post("/north-studio/login", "email", "priya@lima.example", "next", "/staff/clients"), http.StatusSeeOther, "/login/sent?firm=north-studio")
	laptop.wants(laptop.post("/login/link", "token", w.Letter().Token), http.StatusSeeOther, "/login/second-factor?next=%2Fstaff%2Fclients")
	laptop.says(laptop.get("/login/second-factor?next=/staff/clients"), `name="code"`, `name="recovery"`, `value="/staff/clients"`)
	laptop.wants(laptop.get("/staff"), http.StatusSeeOther, "/login?next=%2Fstaff")
	w.Advance(time.Minute)
	laptop.wants(laptop.post("/login/second-factor", "code", laptop.code(page.body), "next", "/staff/clients"), http.StatusSeeOther, "/staff/clients")

	phone := w.browser()
	phone.wants(phone.post("/login/link", "token", phone.ask("priya@lima.example").Token), http.StatusSeeOther, "/login/second-factor")
	phone.says(phone.wants(phone.post("/login/second-factor", "recovery", "wrong"), http.StatusUnprocessableEntity, ""), "recovery code is not right", "<details class=\"fold\" open>")
	phone.wants(phone.post("/login/second-factor", "recovery", codes[0][1]), http.StatusSeeOther, "/staff")
	phone.says(phone.get("/account/security"), "9 recovery codes are left")
}

func TestSecurity(t *testing.T) {
	w := newWorld(t)
	b, phone := w.browser().signIn("ana@lima.example"), w.browser()
	phone.agent = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1"
	w.Advance(2 * time.Minute)
	phone.signIn("ana@lima.example")
	page := b.says(b.wants(b.get("/account/security"), http.StatusOK, ""), "Firefox on Linux", "This device", "Safari on iPhone", "Add a password", "Set up an authenticator app", "Sign out everywhere else")
	end := regexp.MustCompile(`action="(/account/sessions/[0-9a-f-]+/end)"`).FindStringSubmatch(page.body)
	if end == nil {
		t.Fatal(page.body)
	}
	ben := w.browser().signIn("ben@lima.example")
	if a := ben.post(end[1]); a.status != http.StatusNotFound {
		t.Errorf("somebody else ends it: %d", a.status)
	}
	b.wants(b.post(end[1]), http.StatusSeeOther, "/account/security")
	phone.wants(phone.get("/"), http.StatusSeeOther, "/login")

	// What changes the sign-in needs a fresh proof.
	w.Advance(11 * time.Minute)
	b.wants(b.get("/account/password"), http.StatusSeeOther, "/account/proof?next=%2Faccount%2Fpassword")
	b.wants(b.post("/account/password", "password", "a good long password"), http.StatusSeeOther, "/account/proof?next=%2Faccount%2Fsecurity")
	if a := b.post("/account/passkeys/begin"); a.status != http.StatusForbidden || !strings.Contains(a.body, "reauth-required") {
		t.Errorf("%d %s", a.status, a.body)
	}
	b.says(b.get("/account/proof?next=/account/password"), "Send me a code by e-mail")
	old := b.cookie(auth.SessionCookie)
	b.says(b.wants(b.post("/account/proof/code", "next", "/account/password"), http.StatusOK, ""), `name="code"`, `value="/account/password"`)
	letter := w.Letter()
	b.says(b.wants(b.post("/account/proof", "mailed", "1", "code", "1"), http.StatusUnprocessableEntity, ""), "not the code")
	b.wants(b.post("/account/proof", "mailed", "1", "code", letter.Code, "next", "/account/password"), http.StatusSeeOther, "/account/password")
	if b.cookie(auth.SessionCookie) == old {
		t.Error("the secret stays the same")
	}
	b.says(b.get("/account/password"), "New password")
	b.wants(b.post("/account/password", "password", "a good long password"), http.StatusSeeOther, "/account/security")
	page = b.says(b.get("/account/authenticator"), "<svg")
	b.says(b.wants(b.post("/account/authenticator", "code", b.code(page.body)), http.StatusOK, ""), "Keep these recovery codes")
	b.says(b.get("/account/security"), "An authenticator app is set up", "Change the password", "10 recovery codes are left")
	b.says(b.wants(b.post("/account/recovery-codes"), http.StatusOK, ""), "Keep these recovery codes")
	b.wants(b.post("/account/authenticator/remove"), http.StatusSeeOther, "/account/security")
}

func TestPreview(t *testing.T) {
	w := newWorld(t)
	b := w.browser().signIn("priya@lima.example")
	if a := b.post("/staff/preview", "contact", w.Ana.ID.String(), "reason", ""); a.status != http.StatusUnprocessableEntity {
		t.Error(a.status)
	}
	b.wants(b.post("/staff/preview", "contact", w.Ana.ID.String(), "reason", "asked about an invoice"), http.StatusSeeOther, "/")
	if b.me("/invoices") != client(w.Ana) || b.me("/staff") != member(w.Priya) || b.me("/api") != member(w.Priya) {
		t.Errorf("%s, %s, %s", b.me("/invoices"), b.me("/staff"), b.me("/api"))
	}
	for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		r := b.request(method, "/invoices", nil)
		r.Header.Set("Sec-Fetch-Site", "same-origin")
		if a := b.send(r); a.status != http.StatusForbidden || !strings.Contains(a.body, "preview-read-only") {
			t.Errorf("%s: %d %s", method, a.status, a.body)
		}
	}
	w.Do(w.Firm, w.StaffActor(), "FreezeAccess", contact.Freeze{Contact: w.Ana.ID, Reason: domain.P("stolen laptop")})
	b.wants(b.get("/invoices"), http.StatusSeeOther, "/login?next=%2Finvoices")
	b.wants(b.post("/staff/preview/end", "next", "/staff/clients"), http.StatusSeeOther, "/staff/clients")
	if b.me("/invoices") != member(w.Priya) {
		t.Error("still a client")
	}
}

func TestAccessThatIsTakenAwayEndsTheNextRequest(t *testing.T) {
	w := newWorld(t)
	b := w.browser().signIn("ana@lima.example")
	w.Do(w.Firm, w.StaffActor(), "FreezeAccess", contact.Freeze{Contact: w.Ana.ID, Reason: domain.P("stolen laptop")})
	b.wants(b.get("/"), http.StatusSeeOther, "/login")
	b.says(b.wants(b.get("/account/security"), http.StatusUnauthorized, ""), "no access to this portal at the moment")
	w.Do(w.Firm, w.StaffActor(), "UnfreezeAccess", contact.Unfreeze{Contact: w.Ana.ID})
	if b.me("/") != client(w.Ana) {
		t.Error("not in again")
	}
}

func TestWhoWorksForSeveralClientsChoosesOne(t *testing.T) {
	w := newWorld(t)
	other := w.Do(w.Firm, w.StaffActor(), "OpenAccount", account.Open{
		Name: domain.P("Bolt"), Currency: "EUR", Contact: account.Person{Name: domain.P("Carl"), Email: doortest.Email("Carl")},
	})
	b, phone := w.browser().signIn("ana@lima.example"), w.browser().signIn("ana@lima.example")
	choose := func(account domain.ID) answer { return b.post("/account", "account", account.String()) }
	at := func(b *browser, want domain.ID) {
		t.Helper()
		if got := b.me("/at"); got != want.String() {
			t.Errorf("at %s, want %s", got, want)
		}
	}
	b.wants(choose(other), http.StatusNotFound, "")
	w.Do(w.Firm, w.StaffActor(), "LinkContact", contact.Link{Contact: w.Ana.ID, Account: other, Role: contact.Viewer})
	at(b, w.Account)
	w.Facts()
	for _, wrong := range []string{"", "x", domain.NewID().String(), w.Ana.ID.String(), strings.ToUpper(other.String())} {
		b.wants(b.post("/account", "account", wrong), http.StatusNotFound, "")
	}
	b.wants(choose(other), http.StatusSeeOther, "/")
	b.wants(choose(other), http.StatusSeeOther, "/") // once more is no news
	at(b, other)
	at(phone, w.Account) // each session looks where it looks
	if facts := w.Facts(); !slices.Equal(facts, []string{"Ana: went on to another account they work for"}) {
		t.Error(facts)
	}
	b.wants(choose(w.Account), http.StatusSeeOther, "/")
	at(b, w.Account)
	b.wants(choose(other), http.StatusSeeOther, "/")
	w.Do(w.Firm, w.StaffActor(), "UnlinkContact", contact.Unlink{Contact: w.Ana.ID, Account: other})
	at(b, w.Account)
	b.wants(choose(other), http.StatusNotFound, "")
}

func TestTheFirmShowsItsColours(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	primary, accent := "#7a1f5b", "#1f3a7a"
	w.Do(w.Firm, domain.SystemActor("setup"), "ChangeFirmSettings", firm.ChangeSettings{Firm: w.Firm, PrimaryColor: &primary, AccentColor: &accent})
	sheet := ui.Brand{Name: "North Studio", Primary: primary, Accent: accent}.Stylesheet()
	b.says(b.get("/north-studio/login"), `href="`+sheet+`"`)
	if strings.Contains(b.get("/login").body, sheet) {
		t.Error("a page of no firm in particular has a firm's colours")
	}
}

// TestEveryRoute tries every route as everybody: one that nobody has thought about fails.
func TestEveryRoute(t *testing.T) {
	w := newWorld(t)
	people := map[string]*browser{"nobody": w.browser(), "client": w.browser().signIn("ana@lima.example"), "staff": w.browser().signIn("priya@lima.example")}
	w.Advance(11 * time.Minute) // no fresh proof
	const page, moved, wrong, none, refused, mayNot, ours = http.StatusOK, http.StatusSeeOther, http.StatusUnprocessableEntity, http.StatusNotFound, http.StatusConflict, http.StatusForbidden, http.StatusUnauthorized
	everybody := func(status int) [3]int { return [3]int{status, status, status} }
	matrix := map[string][3]int{
		"GET /login": {page, moved, moved}, "POST /login": everybody(wrong), "GET /clients/login": {page, moved, moved}, "POST /clients/login": everybody(wrong),
		"GET /{firm}/login": {page, moved, moved}, "POST /{firm}/login": everybody(wrong), "GET /login/sent": everybody(page), "GET /login/link": everybody(page),
		"POST /login/link": everybody(none), "POST /login/link/whose": everybody(page), "GET /login/code": everybody(page), "POST /login/code": everybody(wrong),
		"GET /login/password": everybody(none), "POST /login/password": everybody(none), "POST /login/passkey/begin": everybody(page), "POST /login/passkey": everybody(refused),
		"GET /login/second-factor": everybody(moved), "POST /login/second-factor": everybody(moved), "GET /login/enrol": everybody(moved), "POST /login/enrol": everybody(moved),
		"GET /login/help": everybody(page), "GET /reset": everybody(page), "POST /reset": everybody(wrong), "GET /welcome": everybody(moved), "POST /welcome": everybody(moved),
		"GET /logout":           everybody(page),
		"GET /account/security": {moved, page, page}, "GET /account/password": everybody(moved), "POST /account/password": everybody(moved),
		"GET /account/authenticator": everybody(moved), "POST /account/authenticator": everybody(moved), "POST /account/authenticator/remove": everybody(moved),
		"POST /account/recovery-codes": everybody(moved), "POST /account/passkeys/begin": {ours, mayNot, mayNot}, "POST /account/passkeys": {ours, mayNot, mayNot},
		"POST /account":                    {moved, none, none},
		"POST /account/passkeys/use/begin": {ours, refused, refused}, "POST /account/passkeys/use": {ours, refused, refused}, "POST /account/passkeys/{id}/remove": everybody(moved),
		"POST /account/sessions/{id}/end": {moved, none, none}, "POST /account/sessions/end-others": everybody(moved), "GET /account/proof": {moved, page, page},
		"POST /account/proof": {moved, refused, refused}, "POST /account/proof/code": {moved, page, page},
		"POST /staff/preview": {moved, none, none}, "POST /staff/preview/end": {moved, none, moved},
		"POST /staff/access/{kind}/{id}/invite": {moved, none, none}, "POST /staff/access/{kind}/{id}/reset": {moved, none, none},
		"POST /staff/access/{kind}/{id}/one-time-password": {moved, none, none}, "POST /staff/access/{kind}/{id}/sign-out": {moved, none, none},
	}
	behind := []string{"/", "/at", "/invoices", "/staff", "/api"} // of the test itself
	err := chi.Walk(w.router, func(method, pattern string, _ http.Handler, _ ...func(http.Handler) http.Handler) error {
		route := method + " " + pattern
		if slices.Contains(behind, pattern) || route == "POST /logout" {
			return nil
		}
		want, listed := matrix[route]
		if !listed {
			t.Errorf("%s is not in the matrix: say what it answers", route)
		}
		path := strings.NewReplacer("{firm}", "north-studio", "{id}", domain.NewID().String(), "{kind}", "contacts").Replace(pattern)
		for i, who := range []string{"nobody", "client", "staff"} {
			send := people[who].post
			if method == http.MethodGet {
				send = func(path string, _ ...string) answer { return people[who].get(path) }
			}
			if got := send(path); got.status != want[i] {
				t.Errorf("%s as %s: %d, want %d: %s", route, who, got.status, want[i], got.body)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestDevices(t *testing.T) {
	for agent, want := range map[string]string{
		"": "Unknown device", "curl/8.0": "Unknown device",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0": "Edge on Windows",
		"Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36":               "Chrome on Android",
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Safari/605.1.15":         "Safari on Mac",
	} {
		if got := signin.Device(agent); got != want {
			t.Errorf("%q is %q, want %q", agent, got, want)
		}
	}
}
