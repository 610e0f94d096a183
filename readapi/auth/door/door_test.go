package door_test

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/contact"
	"github.com/atrium-portal/atrium/domain/firm"
	"github.com/atrium-portal/atrium/readapi/auth"
	"github.com/atrium-portal/atrium/readapi/auth/door"
	"github.com/atrium-portal/atrium/readapi/auth/door/doortest"
)

// world is a doortest.World with what only these tests need.
type world struct{ *doortest.World }

func newWorld(t *testing.T, change ...func(*door.Options)) world {
	return world{doortest.NewWorld(t, doortest.NewMemory(), nil, change...)}
}

// at is a visit with a browser.
func at(browser string) door.Visit {
	return door.Visit{IP: "192.0.2.1", UserAgent: "test browser", Request: "request", Browser: browser}
}

// fault is the code of a fault; "" for none.
func fault(err error) string {
	if f, ok := errors.AsType[*domain.Fault](err); ok {
		return f.Code
	}
	if err != nil {
		return "not a fault: " + err.Error()
	}
	return ""
}

func (w world) refused(err error, code string) {
	w.Helper()
	if fault(err) != code {
		w.Errorf("%v, want %s", err, code)
	}
}

func (w world) no(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w world) facts(want ...string) {
	w.Helper()
	if d := cmp.Diff(want, w.Facts(), cmpopts.EquateEmpty()); d != "" {
		w.Errorf("facts (-want +got):\n%s", d)
	}
}

// ask asks for a link from a browser and gives the mail.
func (w world) ask(name, browser string) doortest.Letter {
	w.Helper()
	w.no(w.Keeper.Ask(w.Context(), w.Firm, doortest.Email(name).Reveal(), false, "", at(browser)))
	return w.Letter()
}

// signIn lets somebody in by a link.
func (w world) signIn(name string) door.Entry {
	w.Helper()
	in, elsewhere, err := w.Keeper.Follow(w.Context(), w.ask(name, name).Token, at(name))
	if w.no(err); elsewhere {
		w.Fatal("the browser is not recognised")
	}
	return in
}

// open tells whether a secret opens the door.
func (w world) open(secret string) bool {
	w.Helper()
	_, ok, err := w.Keeper.Lookup(w.Context(), secret, auth.Use{})
	w.no(err)
	return ok
}

func TestALinkLetsInOnce(t *testing.T) {
	w := newWorld(t)
	w.no(w.Keeper.Ask(t.Context(), w.Firm, " ANA@lima.example ", false, "/invoices?due=1", at("laptop")))
	letter := w.Letter()
	if letter.To != "ana@lima.example" || letter.Subject != "Sign in to North Studio" || letter.Host != "portal.example.com" || !letter.NotAfter.Equal(w.Now().Add(10*time.Minute)) {
		t.Errorf("the mail: %+v", letter.Mail)
	}
	if !strings.Contains(letter.HTML, "/login/link#"+letter.Token) || !strings.Contains(letter.HTML, letter.Code) || !strings.Contains(letter.Text, "for 10 minutes") {
		t.Errorf("the mail lacks something:\n%s\n%s", letter.Text, letter.HTML)
	}
	if len(letter.Token) != 43 {
		t.Errorf("the token has %d characters", len(letter.Token))
	}
	for range 5 { // somebody only looks
		if p, elsewhere, err := w.Keeper.Whose(t.Context(), letter.Token, at("laptop")); err != nil || elsewhere || p.Name != "Ana" {
			t.Fatal(p, elsewhere, err)
		}
	}
	var entries atomic.Int32
	var in door.Entry
	var racers sync.WaitGroup
	for range 8 {
		racers.Go(func() {
			got, _, err := w.Keeper.Follow(t.Context(), letter.Token, at("laptop"))
			if err == nil {
				entries.Add(1)
				in = got
			} else if fault(err) != "link-used" {
				t.Error(err)
			}
		})
	}
	racers.Wait()
	if entries.Load() != 1 {
		t.Fatalf("%d sessions", entries.Load())
	}
	if in.Next != "/invoices?due=1" || in.Session.Stage != door.Open || !w.open(in.Secret) {
		t.Errorf("%+v", in)
	}
	facts := w.Facts()
	if facts[0] != "portal: sent a sign-in link" || !slices.Contains(facts, "Ana: signed in with a link") || len(facts) != 9 {
		t.Errorf("facts: %q", facts)
	}
	if _, _, err := w.Keeper.Whose(t.Context(), letter.Token, at("laptop")); fault(err) != "link-used" {
		t.Error(err)
	}
	for _, secret := range []string{letter.Token, letter.Code, strings.ReplaceAll(letter.Code, " ", ""), in.Secret} {
		if strings.Contains(w.Stored(), secret) {
			t.Errorf("the log holds %q", secret)
		}
	}
}

func TestLinksGrowOld(t *testing.T) {
	w := newWorld(t)
	follow := func(letter doortest.Letter) string {
		_, _, err := w.Keeper.Follow(t.Context(), letter.Token, at("laptop"))
		return fault(err)
	}
	first := w.ask("Ana", "laptop")
	w.Advance(9*time.Minute + 59*time.Second)
	if code := follow(first); code != "" {
		t.Error(code)
	}
	second := w.ask("Ana", "laptop")
	w.Advance(10 * time.Minute)
	if code := follow(second); code != "link-expired" {
		t.Error(code)
	}
	w.no(w.Keeper.Invite(t.Context(), w.StaffActor(), w.Ana, false, at("")))
	invitation := w.Letter()
	if invitation.Subject != "Welcome to the portal of North Studio" || !strings.Contains(invitation.Text, "for 3 days") {
		t.Errorf("%+v", invitation)
	}
	w.Advance(72*time.Hour - time.Second)
	if code := follow(invitation); code != "" { // in any browser: nobody's asked for it
		t.Error(code)
	}
	w.no(w.Keeper.Invite(t.Context(), w.StaffActor(), w.Ana, false, at("")))
	invitation = w.Letter()
	w.Advance(72 * time.Hour)
	if code := follow(invitation); code != "link-expired" {
		t.Error(code)
	}
	if code := follow(doortest.Letter{Token: "nonsense"}); code != "link-unknown" {
		t.Error(code)
	}
}

func TestAnotherBrowserNeedsTheCode(t *testing.T) {
	w := newWorld(t)
	letter := w.ask("Ana", "laptop")
	if _, elsewhere, err := w.Keeper.Follow(t.Context(), letter.Token, at("phone")); err != nil || !elsewhere {
		t.Fatal(elsewhere, err)
	}
	if _, elsewhere, err := w.Keeper.Whose(t.Context(), letter.Token, at("phone")); err != nil || !elsewhere {
		t.Fatal(elsewhere, err)
	}
	w.facts("portal: sent a sign-in link")
	code := func(token, email, code, browser string) (door.Entry, string) {
		in, err := w.Keeper.FollowCode(t.Context(), token, w.Firm, email, code, at(browser))
		return in, fault(err)
	}
	if _, why := code(letter.Token, "", "0000 0000", "phone"); why != "code-wrong" {
		t.Error(why)
	}
	w.facts("portal: refused a sign-in: the code was wrong")
	in, why := code(letter.Token, "", letter.Code, "phone")
	if why != "" || !w.open(in.Secret) {
		t.Fatal(why)
	}
	w.facts("Ana: signed in with a code")

	// Without script: the browser that asked, or the address, finds the mail.
	letter = w.ask("Ana", "laptop")
	if _, why := code("", "", letter.Code, "phone"); why != "code-wrong" {
		t.Error(why)
	}
	if in, why := code("", "", strings.ReplaceAll(letter.Code, " ", "-"), "laptop"); why != "" || !w.open(in.Secret) {
		t.Error(why)
	}
	letter = w.ask("Ana", "laptop")
	if in, why := code("", "ana@lima.example", letter.Code, "tablet"); why != "" || !w.open(in.Secret) {
		t.Error(why)
	}
	if _, why := code("", "nobody@lima.example", letter.Code, "tablet"); why != "code-wrong" {
		t.Error(why)
	}
}

func TestACodeIsNotGuessed(t *testing.T) {
	w := newWorld(t)
	letter := w.ask("Ana", "laptop")
	for i, want := range []string{"code-wrong", "code-wrong", "code-wrong", "code-wrong", "code-wrong", "code-spent", "code-spent"} {
		code := "0000 0000"
		if i == 6 {
			code = letter.Code
		}
		if _, err := w.Keeper.FollowCode(t.Context(), letter.Token, w.Firm, "", code, at("phone")); fault(err) != want {
			t.Errorf("try %d: %v, want %s", i+1, err, want)
		}
	}
	if _, elsewhere, err := w.Keeper.Follow(t.Context(), letter.Token, at("laptop")); err != nil || elsewhere { // nobody is locked out
		t.Error(elsewhere, err)
	}
}

func TestNobodyLearnsWhoIsKnown(t *testing.T) {
	w := newWorld(t)
	w.Do(w.Firm, w.StaffActor(), "FreezeAccess", contact.Freeze{Contact: w.Ben.ID, Reason: domain.P("stolen laptop")})
	w.Facts()
	for _, email := range []string{"ana@lima.example", "nobody@lima.example", "ben@lima.example", "zoe@lima.example", "sue@lima.example"} {
		w.no(w.Keeper.Ask(t.Context(), w.Firm, email, false, "", at("laptop")))
	}
	if letter := w.Letter(); letter.To != "ana@lima.example" {
		t.Error(letter)
	}
	w.facts("portal: sent a sign-in link", "portal: refused a sign-in: this person has no access", "portal: refused a sign-in: this person has no access")
	w.refused(w.Keeper.Ask(t.Context(), w.Firm, "no address", false, "", at("")), "email-invalid")

	// At the page of an installation with several firms the address is looked up in each.
	w.no(w.Keeper.Ask(t.Context(), domain.NoID, "sue@lima.example", false, "", at("laptop")))
	if letter := w.Letter(); letter.Subject != "Sign in to South" || !strings.Contains(letter.Text, "https://portal.example.com/south/login") {
		t.Error(letter)
	}
	// A request that waited too long is not answered.
	w.no(w.Keeper.Ask(t.Context(), w.Firm, "ana@lima.example", false, "", at("laptop")))
	w.Advance(11 * time.Minute)
	if letters := w.Letters(); len(letters) != 0 {
		t.Error(letters)
	}
}

func TestAskingAgainAndAgain(t *testing.T) {
	w := newWorld(t)
	var letters []doortest.Letter
	for i := range 100 {
		v := at("laptop")
		v.IP = strings.Repeat("x", i+1) // from everywhere
		w.no(w.Keeper.Ask(t.Context(), w.Firm, "ana@lima.example", false, "", v))
		letters = append(letters, w.Letters()...)
	}
	if len(letters) != 5 {
		t.Errorf("%d mails", len(letters))
	}
	if _, _, err := w.Keeper.Follow(t.Context(), letters[4].Token, at("laptop")); err != nil {
		t.Errorf("the person cannot sign in any more: %v", err)
	}
	w.Advance(time.Hour)
	w.ask("Ana", "laptop")
	var last error
	for range 100 {
		last = errors.Join(last, w.Keeper.Ask(t.Context(), w.Firm, domain.NewID().String()+"@lima.example", false, "", at("")))
	}
	w.refused(last, "too-many-tries") // one network asks for everybody
}

func TestASessionGetsANewSecretWhenItGrows(t *testing.T) {
	w := newWorld(t)
	w.no(w.Keeper.Invite(t.Context(), w.StaffActor(), w.Ana, true, at("")))
	half, _, err := w.Keeper.Follow(t.Context(), w.Letter().Token, at("laptop"))
	if w.no(err); half.Session.Stage != door.NewPassword || w.open(half.Secret) {
		t.Fatalf("before there is a password the door is open: %+v", half.Session)
	}
	whole, err := w.Keeper.SetPassword(t.Context(), half.Secret, "a good long password", at("laptop"))
	if w.no(err); whole.Secret == half.Secret || !w.open(whole.Secret) || w.open(half.Secret) {
		t.Error("the secret stayed the same")
	}
	if _, _, err := w.Keeper.Session(t.Context(), half.Secret, at("laptop")); fault(err) != "session-over" {
		t.Error(err)
	}
	w.facts("Priya: sent an invitation to the portal", "Ana: set a password", "Ana: signed in with a link")
}

func TestSessionsEnd(t *testing.T) {
	for _, c := range []struct {
		name        string
		idle, lasts time.Duration
		step        time.Duration
	}{{"Ana", 30 * 24 * time.Hour, 90 * 24 * time.Hour, 29 * 24 * time.Hour}, {"Priya", 12 * time.Hour, 7 * 24 * time.Hour, 11 * time.Hour}} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			in := w.signIn(c.name)
			w.Advance(c.idle - time.Second)
			if !w.open(in.Secret) {
				t.Error("it ends early")
			}
			w.Advance(c.idle)
			if w.open(in.Secret) {
				t.Error("it lasts without being used")
			}
			in = w.signIn(c.name)
			var used time.Duration
			for used+c.step < c.lasts {
				w.Advance(c.step)
				if used += c.step; !w.open(in.Secret) {
					t.Fatalf("it ends after %s though it is used", used)
				}
			}
			w.Advance(c.lasts - used)
			if w.open(in.Secret) {
				t.Error("it lasts for ever")
			}
			w.Facts()
			w.no(w.Keeper.Tidy(t.Context()))
			w.facts("portal: ended a session whose time was over", "portal: ended a session whose time was over")
		})
	}
}

func TestAFirmShortensTheSessionsOfItsClients(t *testing.T) {
	w := newWorld(t)
	ana, priya := w.signIn("Ana"), w.signIn("Priya")
	days := 2
	w.Do(w.Firm, domain.SystemActor("setup"), "ChangeFirmSettings", firm.ChangeSettings{Firm: w.Firm, ClientSessionDays: &days})
	ben := w.signIn("Ben")
	w.Advance(11 * time.Hour)
	if !w.open(priya.Secret) || !w.open(ana.Secret) || !w.open(ben.Secret) {
		t.Fatal("a session ends early")
	}
	w.Facts()
	w.Advance(48 * time.Hour)
	if w.open(ben.Secret) {
		t.Error("a new session lasts longer than the firm wants")
	}
	if w.open(ana.Secret) {
		t.Error("a session that began before lasts longer than the firm wants")
	}
	w.facts("portal: ended a session whose time was over")
}

func TestAnOpenPageDoesNotKeepASessionAlive(t *testing.T) {
	w := newWorld(t)
	in := w.signIn("Priya")
	quietly := func() bool {
		_, ok, err := w.Keeper.Lookup(t.Context(), in.Secret, auth.Use{Quiet: true})
		w.no(err)
		return ok
	}
	for range 11 {
		w.Advance(time.Hour)
		if !quietly() {
			t.Fatal("it ends early")
		}
	}
	w.Advance(time.Hour)
	if quietly() || w.open(in.Secret) {
		t.Error("looking for news makes a session last")
	}
}

func TestWhoComesBack(t *testing.T) {
	w := newWorld(t)
	in := w.signIn("Ana")
	w.Facts()
	for range 3 {
		w.Advance(59 * time.Minute)
		w.open(in.Secret)
	}
	w.facts()
	w.Advance(time.Hour)
	w.open(in.Secret)
	w.open(in.Secret)
	w.facts("Ana: came back to the portal")
}

func TestAccessThatIsTakenAway(t *testing.T) {
	w := newWorld(t)
	ana, priya := w.signIn("Ana"), w.signIn("Priya")
	invitation := func() string {
		w.no(w.Keeper.Invite(t.Context(), w.StaffActor(), w.Ana, false, at("")))
		return w.Letter().Token
	}()
	w.Do(w.Firm, w.StaffActor(), "FreezeAccess", contact.Freeze{Contact: w.Ana.ID, Reason: domain.P("stolen laptop")})
	if _, _, err := w.Keeper.Session(t.Context(), ana.Secret, at("")); fault(err) != "no-access" {
		t.Error(err)
	}
	if _, _, err := w.Keeper.Follow(t.Context(), invitation, at("")); fault(err) != "no-access" {
		t.Error(err)
	}
	w.refused(w.Keeper.Invite(t.Context(), w.StaffActor(), w.Ana, false, at("")), "person-has-no-access")
	w.refused(w.Keeper.Invite(t.Context(), w.StaffActor(), w.Zoe, false, at("")), "person-has-no-access")
	w.Do(w.Firm, domain.SystemActor("test"), "InviteStaff", firm.Invite{Firm: w.Firm, Name: domain.P("Tom"), Email: doortest.Email("Tom"), Role: firm.Administrator})
	w.Do(w.Firm, domain.SystemActor("test"), "DeactivateStaff", firm.Deactivate{Firm: w.Firm, Staff: w.Priya.ID})
	if _, _, err := w.Keeper.Session(t.Context(), priya.Secret, at("")); fault(err) != "no-access" {
		t.Error(err)
	}
}

func TestDevices(t *testing.T) {
	w := newWorld(t)
	first := w.signIn("Ana")
	w.Advance(2 * time.Minute)
	second := w.signIn("Ana")
	w.Advance(2 * time.Minute)
	third, ben := w.signIn("Ana"), w.signIn("Ben")
	list, err := w.Keeper.Sessions(t.Context(), w.Ana)
	if err != nil || len(list) != 3 || list[0].ID != third.Session.ID || list[2].Agent != "test browser" {
		t.Fatal(list, err)
	}
	w.Facts()
	me := domain.Actor{Kind: domain.Client, ID: w.Ana.ID}
	w.refused(w.Keeper.EndSession(t.Context(), me, w.Ana, ben.Session.ID, at("")), "not-found")
	w.no(w.Keeper.EndSession(t.Context(), me, w.Ana, first.Session.ID, at("")))
	w.no(w.Keeper.EndSessions(t.Context(), me, w.Ana, third.Session.ID, at("")))
	w.facts("Ana: signed out another device", "Ana: signed out another device")
	if w.open(first.Secret) || w.open(second.Secret) || !w.open(third.Secret) || !w.open(ben.Secret) {
		t.Error("the wrong sessions ended")
	}
	w.no(w.Keeper.EndSessions(t.Context(), w.StaffActor(), w.Ben, domain.NoID, at("")))
	w.no(w.Keeper.SignOut(t.Context(), third.Secret, at("")))
	w.no(w.Keeper.SignOut(t.Context(), third.Secret, at("")))
	w.no(w.Keeper.SignOut(t.Context(), "", at("")))
	w.facts("Priya: signed this person out", "Ana: signed out")
	if w.open(ben.Secret) || w.open(third.Secret) {
		t.Error("they are still in")
	}
}

func TestDirectLinks(t *testing.T) {
	w := newWorld(t)
	address, err := w.Keeper.DirectLink(t.Context(), domain.SystemActor("setup"), w.Priya, time.Hour)
	w.no(err)
	token, ok := strings.CutPrefix(address, "https://portal.example.com/login/link#")
	if !ok {
		t.Fatal(address)
	}
	in, elsewhere, err := w.Keeper.Follow(t.Context(), token, at("any"))
	if w.no(err); elsewhere || !w.open(in.Secret) || in.Person.Name != "Priya" {
		t.Error(in, elsewhere)
	}
	w.facts("setup: made a sign-in link", "Priya: signed in with a link")
}

func TestPreviews(t *testing.T) {
	w := newWorld(t)
	priya, ana := w.signIn("Priya"), w.signIn("Ana")
	w.Facts()
	start := func(secret string, who door.Who, reason string) error {
		return w.Keeper.StartPreview(t.Context(), secret, who.ID, reason, at(""))
	}
	w.refused(start(ana.Secret, w.Ben, "to look"), "not-found")
	w.refused(start(priya.Secret, w.Ana, " "), "reason-required")
	w.refused(start(priya.Secret, w.Zoe, "to look"), "person-has-no-access")
	w.refused(start(priya.Secret, w.Sue, "to look"), "not-found")
	w.no(start(priya.Secret, w.Ana, "asked about an invoice"))
	who, ok, err := w.Keeper.Lookup(t.Context(), priya.Secret, auth.Use{})
	if err != nil || !ok || who.Contact != w.Ana.ID || who.Staff != domain.NoID || who.Preview == nil || who.Preview.Staff != w.Priya.ID || !slices.Equal(who.Rights, []string{auth.Read}) {
		t.Fatalf("%+v %v %v", who, ok, err)
	}
	w.no(start(priya.Secret, w.Ben, "and this one"))
	w.no(w.Keeper.EndPreview(t.Context(), priya.Secret, at("")))
	w.no(w.Keeper.EndPreview(t.Context(), priya.Secret, at("")))
	w.facts(
		"Priya: looked at the portal as this contact sees it: asked about an invoice", "Priya: ended the look at the portal",
		"Priya: looked at the portal as this contact sees it: and this one", "Priya: ended the look at the portal",
	)
	w.no(start(priya.Secret, w.Ana, "once more"))
	w.Advance(time.Hour)
	if who, _, _ := w.Keeper.Lookup(t.Context(), priya.Secret, auth.Use{}); who.Staff != w.Priya.ID || who.Preview != nil {
		t.Errorf("after an hour: %+v", who)
	}
	w.Facts()
	w.no(w.Keeper.SignOut(t.Context(), priya.Secret, at("")))
	w.facts("Priya: signed out", "Priya: ended the look at the portal")
}

func TestOwnPath(t *testing.T) {
	for path, want := range map[string]string{
		"/": "/", "/invoices?due=1#top": "/invoices?due=1#top", "": "/home", "//evil.example": "/home", `/\evil.example`: "/home", `\\evil`: "/home",
		"https://evil.example": "/home", "/%2f/evil.example": "/home", "/%5Cevil": "/home", "/\tevil": "/home", "/ evil": "/home", "javascript:alert(1)": "/home",
		"/a\r\nSet-Cookie: x=1": "/home", "http:/evil": "/home", "/invoices/%0d%0a": "/invoices/%0d%0a",
	} {
		if got := door.OwnPath(path, "/home"); got != want {
			t.Errorf("%q gives %q, want %q", path, got, want)
		}
	}
}

func TestWithoutTheLogNobodyGetsIn(t *testing.T) {
	w := newWorld(t)
	letter := w.ask("Ana", "laptop")
	broken := errors.New("the event store is down")
	w.Log.FailBefore(func(string) error { return broken })
	if in, _, err := w.Keeper.Follow(t.Context(), letter.Token, at("laptop")); err == nil || in.Secret != "" {
		t.Error("somebody got in without a trace")
	}
	w.Log.FailBefore(nil)
	if list, err := w.Keeper.Sessions(t.Context(), w.Ana); err != nil || len(list) != 0 {
		t.Error(list, err)
	}
}
