package door_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/descope/virtualwebauthn"
	"github.com/pquerna/otp/totp"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/contact"
	"github.com/atrium-portal/atrium/domain/firm"
	"github.com/atrium-portal/atrium/readapi/auth"
	"github.com/atrium-portal/atrium/readapi/auth/door"
)

const password = "a good long password"

// withPassword lets somebody in by an invitation and sets their password.
func (w world) withPassword(who door.Who) door.Entry {
	w.Helper()
	w.no(w.Keeper.Invite(w.Context(), w.StaffActor(), who, true, at("")))
	in, _, err := w.Keeper.Follow(w.Context(), w.Letter().Token, at("laptop"))
	w.no(err)
	in, err = w.Keeper.SetPassword(w.Context(), in.Secret, password, at("laptop"))
	w.no(err)
	return in
}

func TestPasswords(t *testing.T) {
	w := newWorld(t)
	first := w.withPassword(w.Ana)
	w.Facts()
	try := func(email, password string) (door.Entry, string) {
		in, err := w.Keeper.SignIn(t.Context(), w.Firm, email, password, at("laptop"))
		return in, fault(err)
	}
	in, why := try("Ana@Lima.example", password)
	if why != "" || !w.open(in.Secret) {
		t.Fatal(why)
	}
	for _, c := range [][2]string{{"ana@lima.example", "another password"}, {"ana@lima.example", ""}, {"nobody@lima.example", password}, {"ben@lima.example", password}} {
		if _, why := try(c[0], c[1]); why != "sign-in-refused" {
			t.Errorf("%q: %s", c, why)
		}
	}
	w.facts("Ana: signed in with a password", "portal: refused a sign-in: the password was wrong",
		"portal: refused a sign-in: the password was wrong", "portal: refused a sign-in: the password was wrong")
	if has, err := w.Keeper.HasPassword(t.Context(), w.Ana); err != nil || !has {
		t.Error(has, err)
	}

	// A new password ends every other session.
	w.Advance(11 * time.Minute)
	if _, err := w.Keeper.SetPassword(t.Context(), in.Secret, "an even longer password", at("laptop")); fault(err) != "reauth-required" {
		t.Fatal(err)
	}
	in, err := w.Keeper.ProvePassword(t.Context(), in.Secret, password, at("laptop"))
	w.no(err)
	renewed, err := w.Keeper.SetPassword(t.Context(), in.Secret, "an even longer password", at("laptop"))
	if w.no(err); w.open(first.Secret) || w.open(in.Secret) || !w.open(renewed.Secret) {
		t.Error("the wrong sessions ended")
	}
	w.facts("Ana: confirmed who they are with the password", "Ana: set a password", "Ana: ended an earlier session")

	// Frozen people are told what strangers are told.
	w.Do(w.Firm, w.StaffActor(), "FreezeAccess", contact.Freeze{Contact: w.Ana.ID, Reason: domain.P("stolen laptop")})
	w.Facts()
	if _, why := try("ana@lima.example", "an even longer password"); why != "sign-in-refused" {
		t.Error(why)
	}
	w.facts("portal: refused a sign-in: this person has no access")
}

func TestBadPasswords(t *testing.T) {
	w := newWorld(t)
	in := w.signIn("Ana")
	for text, want := range map[string]string{
		"short": "password-short", "": "password-short", "password1": "password-breached", "QWERTYUIOP": "password-breached", "ana@lima.example": "password-obvious",
		strings.Repeat("é", 600): "password-long", "correct horse battery staple": "password-breached",
	} {
		_, err := w.Keeper.SetPassword(t.Context(), in.Secret, text, at(""))
		w.refused(err, want)
	}
	for _, good := range []string{"8letters", strings.Repeat("x", 64), "пароль с пробелами"} {
		var err error
		if in, err = w.Keeper.SetPassword(t.Context(), in.Secret, good, at("")); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
}

func TestGuessingPasswordsIsSlow(t *testing.T) {
	w := newWorld(t)
	w.withPassword(w.Ana)
	for i := range 11 {
		_, err := w.Keeper.SignIn(t.Context(), w.Firm, "ana@lima.example", "wrong password", at(""))
		want := "sign-in-refused"
		if i == 10 {
			want = "too-many-tries"
		}
		w.refused(err, want)
	}
	w.signIn("Ana") // a link always works
	w.Advance(15 * time.Minute)
	_, err := w.Keeper.SignIn(t.Context(), w.Firm, "ana@lima.example", password, at(""))
	w.no(err)
}

func TestOneTimePasswords(t *testing.T) {
	w := newWorld(t)
	once, err := w.Keeper.OneTimePassword(t.Context(), w.StaffActor(), w.Ana, at(""))
	w.no(err)
	signIn := func() (door.Entry, string) {
		in, err := w.Keeper.SignIn(t.Context(), w.Firm, "ana@lima.example", once, at("laptop"))
		return in, fault(err)
	}
	in, why := signIn()
	if why != "" || in.Session.Stage != door.NewPassword || w.open(in.Secret) {
		t.Fatalf("%s %+v", why, in.Session)
	}
	if _, why := signIn(); why != "sign-in-refused" {
		t.Errorf("it works twice: %q", why)
	}
	in, err = w.Keeper.SetPassword(t.Context(), in.Secret, password, at("laptop"))
	if w.no(err); !w.open(in.Secret) {
		t.Error("it is not open")
	}
	w.facts("Priya: made a one-time password", "portal: refused a sign-in: the password was wrong", "Ana: set a password", "Ana: signed in with a one-time password")
	once, err = w.Keeper.OneTimePassword(t.Context(), w.StaffActor(), w.Ana, at(""))
	if w.no(err); w.open(in.Secret) {
		t.Error("the session outlives the password")
	}
	w.Advance(72 * time.Hour)
	if _, why := signIn(); why != "sign-in-refused" {
		t.Error(why)
	}
	if strings.Contains(w.Stored(), once) {
		t.Error("the log holds the password")
	}
}

func TestResets(t *testing.T) {
	w := newWorld(t)
	in := w.withPassword(w.Ana)
	w.Facts()
	w.no(w.Keeper.ResetPassword(t.Context(), w.StaffActor(), w.Ana, at("")))
	if w.open(in.Secret) {
		t.Error("sessions outlive the reset")
	}
	if _, err := w.Keeper.SignIn(t.Context(), w.Firm, "ana@lima.example", password, at("")); fault(err) != "sign-in-refused" {
		t.Error(err)
	}
	letter := w.Letter()
	in, _, err := w.Keeper.Follow(t.Context(), letter.Token, at("phone"))
	if w.no(err); in.Session.Stage != door.NewPassword || letter.Subject != "Set a new password" {
		t.Errorf("%+v %s", in.Session, letter.Subject)
	}
	w.facts("Priya: reset the password", "Priya: ended an earlier session", "Priya: sent a link to set a new password", "portal: refused a sign-in: the password was wrong")

	// By the person's own wish.
	w.no(w.Keeper.Ask(t.Context(), w.Firm, "ana@lima.example", true, "", at("laptop")))
	in, elsewhere, err := w.Keeper.Follow(t.Context(), w.Letter().Token, at("laptop"))
	if w.no(err); elsewhere || in.Session.Stage != door.NewPassword {
		t.Errorf("%+v", in.Session)
	}
	w.refused(w.Keeper.ResetPassword(t.Context(), w.StaffActor(), w.Zoe, at("")), "person-has-no-access")
}

// code is what the authenticator app shows.
func (w world) code(secret string) string {
	w.Helper()
	code, err := totp.GenerateCode(secret, w.Now())
	w.no(err)
	return code
}

// withTOTP sets an authenticator app up.
func (w world) withTOTP(in door.Entry) (after door.Entry, secret string, recovery []string) {
	w.Helper()
	setup, err := w.Keeper.BeginTOTP(w.Context(), in.Secret, at("laptop"))
	w.no(err)
	after, recovery, err = w.Keeper.ConfirmTOTP(w.Context(), in.Secret, w.code(setup.Secret), at("laptop"))
	w.no(err)
	return after, setup.Secret, recovery
}

func TestAuthenticatorApps(t *testing.T) {
	w := newWorld(t)
	in := w.signIn("Ana")
	w.Facts()
	setup, err := w.Keeper.BeginTOTP(t.Context(), in.Secret, at(""))
	w.no(err)
	again, err := w.Keeper.BeginTOTP(t.Context(), in.Secret, at(""))
	if w.no(err); again.Secret != setup.Secret {
		t.Error("a second look at the page makes another secret")
	}
	if setup.URL != "otpauth://totp/North%20Studio:ana@lima.example?algorithm=SHA1&digits=6&issuer=North%20Studio&period=30&secret="+setup.Secret {
		t.Error(setup.URL)
	}
	if setup.QR.Size < 29 || !strings.HasPrefix(setup.QR.Path, "M4 4h7v1h-7z") {
		t.Errorf("%d %.40s", setup.QR.Size, setup.QR.Path)
	}
	if has, err := w.Keeper.FactorsOf(t.Context(), w.Ana); err != nil || has.Any() {
		t.Errorf("it counts before it is confirmed: %+v %v", has, err)
	}
	if _, _, err := w.Keeper.ConfirmTOTP(t.Context(), in.Secret, "000000", at("")); fault(err) != "second-factor-wrong" {
		t.Error(err)
	}
	in, recovery, err := w.Keeper.ConfirmTOTP(t.Context(), in.Secret, w.code(setup.Secret), at(""))
	if w.no(err); len(recovery) != 10 || !w.open(in.Secret) {
		t.Errorf("%d recovery codes", len(recovery))
	}
	w.facts("Ana: protected the sign-in with an authenticator app", "Ana: made 10 recovery codes")

	half := w.signIn("Ana")
	if half.Session.Stage != door.SecondFactor || w.open(half.Secret) {
		t.Fatalf("%+v", half.Session)
	}
	w.Facts()
	second := func(code string) (door.Entry, string) {
		in, err := w.Keeper.SecondTOTP(t.Context(), half.Secret, code, at(""))
		return in, fault(err)
	}
	if _, why := second(w.code(setup.Secret)); why != "second-factor-wrong" {
		t.Errorf("a code works twice: %q", why)
	}
	w.Advance(time.Minute)
	whole, why := second(w.code(setup.Secret)[:3] + " " + w.code(setup.Secret)[3:])
	if why != "" || !w.open(whole.Secret) || w.open(half.Secret) {
		t.Fatal(why)
	}
	w.facts("portal: refused a sign-in: the second factor was wrong", "Ana: signed in with a link and an authenticator app")

	half = w.signIn("Ana")
	w.Facts()
	if _, err := w.Keeper.SecondRecovery(t.Context(), half.Secret, "wrong", at("")); fault(err) != "second-factor-wrong" {
		t.Error(err)
	}
	whole, err = w.Keeper.SecondRecovery(t.Context(), half.Secret, " "+strings.ToUpper(strings.ReplaceAll(recovery[3], "-", " ")), at(""))
	if w.no(err); !w.open(whole.Secret) {
		t.Error("not open")
	}
	w.facts("portal: refused a sign-in: the second factor was wrong", "Ana: used a recovery code, 9 are left", "Ana: signed in with a link and a recovery code")
	half = w.signIn("Ana")
	if _, err := w.Keeper.SecondRecovery(t.Context(), half.Secret, recovery[3], at("")); fault(err) != "second-factor-wrong" {
		t.Errorf("a recovery code works twice: %v", err)
	}
	for _, secret := range append(recovery, setup.Secret) {
		if strings.Contains(w.Stored(), secret) {
			t.Errorf("the log holds %s", secret)
		}
	}
	w.Facts()
	codes, err := w.Keeper.NewRecoveryCodes(t.Context(), whole.Secret, at(""))
	if w.no(err); len(codes) != 10 || codes[0] == recovery[0] {
		t.Error(codes)
	}
	whole, err = w.Keeper.RemoveTOTP(t.Context(), whole.Secret, at(""))
	w.no(err)
	w.facts("Ana: made 10 recovery codes", "Ana: ended the protection of the sign-in with an authenticator app")
	if in := w.signIn("Ana"); in.Session.Stage != door.Open {
		t.Errorf("%+v", in.Session)
	}
	_, err = w.Keeper.RemoveTOTP(t.Context(), whole.Secret, at(""))
	w.refused(err, "no-authenticator")
	_, err = w.Keeper.NewRecoveryCodes(t.Context(), whole.Secret, at(""))
	w.refused(err, "no-second-factor")
}

func TestGuessingSecondFactorsIsSlow(t *testing.T) {
	w := newWorld(t)
	w.withTOTP(w.signIn("Ana"))
	half := w.signIn("Ana")
	var last error
	for range 11 {
		_, last = w.Keeper.SecondTOTP(t.Context(), half.Secret, "000000", at(""))
	}
	w.refused(last, "too-many-tries")
}

func TestSecondFactorsThatAreRequired(t *testing.T) {
	w := newWorld(t, func(o *door.Options) { o.StaffSecondFactor = true })
	half := w.signIn("Priya")
	if half.Session.Stage != door.Enrol || w.open(half.Secret) {
		t.Fatalf("%+v", half.Session)
	}
	whole, _, _ := w.withTOTP(half)
	if !w.open(whole.Secret) {
		t.Error("not open")
	}
	facts := w.Facts()
	if last := facts[len(facts)-1]; last != "Priya: signed in with a link and an authenticator app" {
		t.Error(facts)
	}
	_, err := w.Keeper.RemoveTOTP(t.Context(), whole.Secret, at(""))
	w.refused(err, "last-second-factor")

	if in := w.signIn("Ana"); in.Session.Stage != door.Open {
		t.Errorf("%+v", in.Session)
	}
	yes := true
	w.Do(w.Firm, w.StaffActor(), "ChangeFirmSettings", firm.ChangeSettings{Firm: w.Firm, RequireSecondFactorForClients: &yes})
	if in := w.signIn("Ana"); in.Session.Stage != door.Enrol {
		t.Errorf("%+v", in.Session)
	}
	// A new password comes before a second factor is set up, and both before the door opens.
	w.no(w.Keeper.Invite(t.Context(), w.StaffActor(), w.Ben, true, at("")))
	in, _, err := w.Keeper.Follow(t.Context(), w.Letter().Token, at(""))
	w.no(err)
	if in, err = w.Keeper.SetPassword(t.Context(), in.Secret, password, at("")); err != nil || in.Session.Stage != door.Enrol {
		t.Errorf("%+v %v", in.Session, err)
	}
	if in, _, _ = w.withTOTP(in); in.Session.Stage != door.Open || !w.open(in.Secret) {
		t.Errorf("%+v", in.Session)
	}
}

// authenticator is a device with passkeys.
type authenticator struct {
	w     world
	party virtualwebauthn.RelyingParty
	virtualwebauthn.Authenticator
}

func (w world) authenticator() *authenticator {
	return &authenticator{
		w, virtualwebauthn.RelyingParty{Name: "Atrium", ID: "portal.example.com", Origin: "https://portal.example.com"}, virtualwebauthn.NewAuthenticator(),
	}
}

// create answers the wish for a passkey.
func (a *authenticator) create(options any) []byte {
	a.w.Helper()
	asked, err := json.Marshal(options)
	a.w.no(err)
	parsed, err := virtualwebauthn.ParseAttestationOptions(string(asked))
	a.w.no(err)
	made := virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeEC2)
	for len(made.Key.AttestationData()) < 77 { // the library writes a coordinate that begins with a zero too short
		made = virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeEC2)
	}
	answer := virtualwebauthn.CreateAttestationResponse(a.party, a.Authenticator, made, *parsed)
	handle := parsed.UserID
	a.Options.UserHandle = []byte(handle)
	a.AddCredential(made)
	return []byte(answer)
}

// get answers the wish for a signature.
func (a *authenticator) get(options any) []byte {
	a.w.Helper()
	asked, err := json.Marshal(options)
	a.w.no(err)
	parsed, err := virtualwebauthn.ParseAssertionOptions(string(asked))
	a.w.no(err)
	return []byte(virtualwebauthn.CreateAssertionResponse(a.party, a.Authenticator, a.Credentials[len(a.Credentials)-1], *parsed))
}

// withPasskey adds a passkey.
func (w world) withPasskey(in door.Entry, a *authenticator) door.Entry {
	w.Helper()
	options, err := w.Keeper.BeginPasskey(w.Context(), in.Secret, at("laptop"))
	w.no(err)
	after, err := w.Keeper.AddPasskey(w.Context(), in.Secret, "Phone", a.create(options), at("laptop"))
	w.no(err)
	return after
}

func TestPasskeys(t *testing.T) {
	w := newWorld(t)
	a := w.authenticator()
	in := w.signIn("Ana")
	w.Facts()
	w.withPasskey(in, a)
	w.facts("Ana: added a passkey")
	keys, err := w.Keeper.PasskeysOf(t.Context(), w.Ana)
	if err != nil || len(keys) != 1 || keys[0].Name != "Phone" {
		t.Fatal(keys, err)
	}

	// By itself it is two factors.
	options, err := w.Keeper.BeginPasskeySignIn(t.Context(), at("laptop"))
	w.no(err)
	answer := a.get(options)
	if _, err := w.Keeper.SignInPasskey(t.Context(), answer, at("phone")); fault(err) != "passkey-too-late" {
		t.Errorf("another browser answers: %v", err)
	}
	whole, err := w.Keeper.SignInPasskey(t.Context(), answer, at("laptop"))
	if w.no(err); !w.open(whole.Secret) {
		t.Error("not open")
	}
	if _, err := w.Keeper.SignInPasskey(t.Context(), answer, at("laptop")); fault(err) != "passkey-too-late" {
		t.Errorf("an answer works twice: %v", err)
	}
	w.facts("Ana: signed in with a passkey")

	// As second factor, and as fresh proof.
	half := w.signIn("Ana")
	if half.Session.Stage != door.SecondFactor {
		t.Fatalf("%+v", half.Session)
	}
	w.Facts()
	options, err = w.Keeper.BeginSecondPasskey(t.Context(), half.Secret, at(""))
	w.no(err)
	whole, err = w.Keeper.SecondPasskey(t.Context(), half.Secret, a.get(options), at(""))
	if w.no(err); !w.open(whole.Secret) {
		t.Error("not open")
	}
	w.Advance(11 * time.Minute)
	if _, err := w.Keeper.BeginPasskey(t.Context(), whole.Secret, at("")); fault(err) != "reauth-required" {
		t.Error(err)
	}
	options, err = w.Keeper.BeginSecondPasskey(t.Context(), whole.Secret, at(""))
	w.no(err)
	whole, err = w.Keeper.SecondPasskey(t.Context(), whole.Secret, a.get(options), at(""))
	w.no(err)
	w.facts("Ana: signed in with a link and a passkey", "Ana: confirmed who they are with a passkey")

	// Somebody else's passkey, another site's, a challenge that is too old.
	other := w.authenticator()
	ben := w.withPasskey(w.signIn("Ben"), other)
	half = w.signIn("Ana")
	options, err = w.Keeper.BeginSecondPasskey(t.Context(), half.Secret, at(""))
	w.no(err)
	_, err = w.Keeper.SecondPasskey(t.Context(), half.Secret, other.get(options), at(""))
	w.refused(err, "passkey-refused")
	a.party.Origin = "https://portal.example.com.evil.example"
	options, err = w.Keeper.BeginPasskeySignIn(t.Context(), at("laptop"))
	w.no(err)
	_, err = w.Keeper.SignInPasskey(t.Context(), a.get(options), at("laptop"))
	w.refused(err, "passkey-refused")
	options, err = w.Keeper.BeginPasskeySignIn(t.Context(), at("laptop"))
	w.no(err)
	w.Advance(10 * time.Minute)
	_, err = w.Keeper.SignInPasskey(t.Context(), other.get(options), at("laptop"))
	w.refused(err, "passkey-too-late")
	_, err = w.Keeper.SignInPasskey(t.Context(), []byte("{}"), at("laptop"))
	w.refused(err, "passkey-too-late")

	w.Facts()
	_, err = w.Keeper.RemovePasskey(t.Context(), ben.Secret, keys[0].ID, at(""))
	w.refused(err, "not-found")
	whole, err = w.Keeper.RemovePasskey(t.Context(), whole.Secret, keys[0].ID, at(""))
	if w.no(err); !w.open(whole.Secret) || w.signIn("Ana").Session.Stage != door.Open {
		t.Error("there is a second factor still")
	}
	if facts := w.Facts(); facts[0] != "Ana: removed a passkey" {
		t.Error(facts)
	}
}

func TestFreshProofs(t *testing.T) {
	w := newWorld(t)
	in := w.signIn("Ana")
	fresh := func(secret string) bool {
		who, ok, err := w.Keeper.Lookup(t.Context(), secret, auth.Use{})
		if err != nil || !ok {
			t.Fatal(ok, err)
		}
		return (&auth.Scope{Proved: who.Proved}).Fresh(w.Now()) == nil
	}
	w.Advance(10 * time.Minute)
	if !fresh(in.Secret) {
		t.Error("a sign-in is no proof")
	}
	w.Advance(time.Second)
	if fresh(in.Secret) {
		t.Error("it lasts for ever")
	}
	proofs, err := w.Keeper.ProofsOf(t.Context(), w.Ana)
	if err != nil || (proofs != door.Proofs{Code: true}) {
		t.Error(proofs, err)
	}
	w.Facts()
	w.no(w.Keeper.SendProofCode(t.Context(), in.Secret, at("laptop")))
	letter := w.Letter()
	if letter.Subject != "Confirm that it is you" || letter.Code == "" || letter.Token != "" {
		t.Errorf("%+v", letter)
	}
	if _, err := w.Keeper.FollowCode(t.Context(), "", w.Firm, "ana@lima.example", letter.Code, at("thief")); fault(err) != "code-wrong" {
		t.Errorf("the code opens another door: %v", err)
	}
	if _, err := w.Keeper.ProveCode(t.Context(), in.Secret, "1234 5678", at("laptop")); fault(err) != "code-wrong" {
		t.Error(err)
	}
	proved, err := w.Keeper.ProveCode(t.Context(), in.Secret, letter.Code, at("laptop"))
	if w.no(err); !fresh(proved.Secret) || w.open(in.Secret) {
		t.Error("not fresh, or the old secret works")
	}
	w.facts("portal: refused a sign-in: the code was wrong", "Ana: confirmed who they are with a code sent by e-mail")
	if _, err := w.Keeper.ProveCode(t.Context(), proved.Secret, letter.Code, at("laptop")); fault(err) != "code-wrong" {
		t.Errorf("the code works twice: %v", err)
	}
	// Whoever has a second factor proves with it.
	after, secret, _ := w.withTOTP(proved)
	_, err = w.Keeper.ProvePassword(t.Context(), after.Secret, password, at(""))
	w.refused(err, "proof-not-offered")
	w.refused(w.Keeper.SendProofCode(t.Context(), after.Secret, at("")), "proof-not-offered")
	w.Advance(11 * time.Minute)
	after, err = w.Keeper.ProveTOTP(t.Context(), after.Secret, w.code(secret), at(""))
	if w.no(err); !fresh(after.Secret) {
		t.Error("not fresh")
	}
}

func TestAPortalWithoutAName(t *testing.T) {
	w := newWorld(t, func(o *door.Options) { o.PublicURL = "http://127.0.0.1:8080" })
	_, err := w.Keeper.BeginPasskeySignIn(t.Context(), at("laptop"))
	w.refused(err, "no-passkeys")
	_, err = w.Keeper.BeginPasskey(t.Context(), w.signIn("Ana").Secret, at("laptop"))
	w.refused(err, "no-passkeys")
}
