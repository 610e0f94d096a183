package doortest

import (
	"context"
	"crypto/sha256"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/access"
	"github.com/atrium-portal/atrium/readapi/auth/door"
)

// Now is the instant at which the suite begins.
var Now = time.Date(2026, 3, 2, 9, 30, 0, 0, time.UTC)

func hash(s string) []byte {
	sum := sha256.Sum256([]byte(s))
	return sum[:]
}

// suite is one test with a store of its own.
type suite struct {
	*testing.T
	door.Store
	ana, ben door.Who
}

// Conformance checks that a store does what the door relies on. Each test gets an empty one.
func Conformance(t *testing.T, newStore func(*testing.T) door.Store) {
	for name, test := range map[string]func(suite){
		"attempts": suite.attempts, "requests": suite.requests, "links": suite.links, "codes": suite.codes, "one use": suite.oneUse,
		"sessions": suite.sessions, "endings": suite.endings, "previews": suite.previews, "choices": suite.choices, "passwords": suite.passwords,
		"authenticator apps": suite.totp, "recovery codes": suite.recovery, "passkeys": suite.passkeys, "challenges": suite.challenges,
	} {
		t.Run(name, func(t *testing.T) {
			firm := domain.NewID()
			test(suite{t, newStore(t), door.Who{Firm: firm, Kind: access.Contact, ID: domain.NewID()}, door.Who{Firm: firm, Kind: access.Staff, ID: domain.NewID()}})
		})
	}
}

// no stops the test at an error.
func (s suite) no(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

// want compares what came of a call with an error.
func want[T any](s suite, wanted T) func(T, error) {
	return func(got T, err error) {
		s.Helper()
		s.no(err)
		if d := cmp.Diff(wanted, got, cmpopts.EquateEmpty(), cmpopts.EquateApproxTime(time.Microsecond)); d != "" {
			s.Errorf("(-want +got):\n%s", d)
		}
	}
}

// found compares what was looked up.
func found[T any](s suite, wanted T) func(T, bool, error) {
	return func(got T, ok bool, err error) {
		s.Helper()
		if err == nil && !ok {
			s.Error("not found")
		}
		want(s, wanted)(got, err)
	}
}

// missing wants that nothing was found.
func missing[T any](s suite) func(T, bool, error) {
	return func(_ T, ok bool, err error) {
		s.Helper()
		s.no(err)
		if ok {
			s.Error("found")
		}
	}
}

func (s suite) attempts() {
	ctx, key := s.Context(), hash("ana")
	try := func(kind string, key []byte, at time.Time) bool {
		ok, err := s.Allow(ctx, kind, key, 3, at.Add(-time.Hour), at)
		s.no(err)
		return ok
	}
	for i := range 3 {
		if !try("ask", key, Now.Add(time.Duration(i)*time.Minute)) {
			s.Errorf("try %d is refused", i)
		}
	}
	if try("ask", key, Now.Add(59*time.Minute)) {
		s.Error("a fourth try in an hour")
	}
	if !try("code", key, Now) || !try("ask", hash("ben"), Now) {
		s.Error("another kind or key is refused")
	}
	if !try("ask", key, Now.Add(time.Hour)) {
		s.Error("an hour after the first try, a try is refused")
	}
	var allowed atomic.Int32
	s.race(func() {
		if try("race", key, Now) {
			allowed.Add(1)
		}
	})
	if allowed.Load() != 3 {
		s.Errorf("%d of 8 at once, want 3", allowed.Load())
	}
}

// race runs f eight times at once.
func (s suite) race(f func()) {
	var racers sync.WaitGroup
	for range 8 {
		racers.Go(f)
	}
	racers.Wait()
}

func (s suite) requests() {
	ctx := s.Context()
	request := door.Request{ID: domain.NewID(), Firm: s.ana.Firm, Email: "ana@example.com", Reset: true, Browser: hash("browser"), Next: "/invoices", At: Now}
	later := door.Request{ID: domain.NewID(), Email: "ben@example.com", Browser: hash("browser"), At: Now.Add(time.Second)}
	s.no(s.Ask(ctx, request))
	s.no(s.Ask(ctx, later))
	link := s.newLink("token")
	failed := errors.New("failed")
	if _, err := s.Answer(ctx, func(context.Context, door.Request) ([]door.Issue, error) { return []door.Issue{{Link: link}}, failed }); !errors.Is(err, failed) {
		s.Errorf("an answer that fails gives %v", err)
	}
	missing[door.Link](s)(s.Link(ctx, link.Hash))
	for _, wanted := range []door.Request{request, later} {
		none, err := s.Answer(ctx, func(_ context.Context, got door.Request) ([]door.Issue, error) {
			want(s, wanted)(got, nil)
			if got.ID == later.ID {
				return nil, nil
			}
			return []door.Issue{{Link: link}}, nil
		})
		if s.no(err); none {
			s.Error("no request")
		}
	}
	found(s, link)(s.Link(ctx, link.Hash))
	if none, err := s.Answer(ctx, nil); err != nil || !none {
		s.Errorf("none is left: %v, %v", none, err)
	}
}

func (s suite) newLink(token string) door.Link {
	return door.Link{
		ID: domain.NewID(), Hash: hash(token), Who: s.ana, Purpose: access.Link, NewPassword: true, Browser: hash("browser"), Code: hash("code"), Next: "/",
		Created: Now, Expires: Now.Add(10 * time.Minute),
	}
}

func (s suite) links() {
	ctx := s.Context()
	first, second, invitation, proof := s.newLink("1"), s.newLink("2"), s.newLink("3"), s.newLink("4")
	second.Created = Now.Add(time.Minute)
	invitation.Purpose, invitation.Browser, invitation.Created = access.Invitation, nil, Now.Add(2*time.Minute)
	proof.Purpose, proof.Browser, proof.Created = "proof", hash("session"), Now.Add(3*time.Minute)
	for _, l := range []door.Link{first, second, invitation, proof} {
		s.no(s.Issue(ctx, door.Issue{Link: l}))
	}
	found(s, first)(s.Link(ctx, hash("1")))
	missing[door.Link](s)(s.Link(ctx, hash("5")))
	found(s, second)(s.LinkOfBrowser(ctx, hash("browser"), Now))
	missing[door.Link](s)(s.LinkOfBrowser(ctx, hash("another"), Now))
	missing[door.Link](s)(s.LinkOfBrowser(ctx, hash("browser"), Now.Add(10*time.Minute)))
	found(s, invitation)(s.LinkOf(ctx, s.ana, Now))
	missing[door.Link](s)(s.LinkOf(ctx, s.ben, Now))
	s.no(s.Void(ctx, s.ben, Now))
	found(s, invitation)(s.LinkOf(ctx, s.ana, Now))
	s.no(s.Void(ctx, s.ana, Now))
	missing[door.Link](s)(s.LinkOf(ctx, s.ana, Now))
	s.no(s.Forget(ctx, Now.Add(10*time.Minute)))
	first.Used = Now
	found(s, first)(s.Link(ctx, hash("1")))
	s.no(s.Forget(ctx, Now.Add(11*time.Minute)))
	missing[door.Link](s)(s.Link(ctx, hash("1")))
}

func (s suite) codes() {
	ctx, link := s.Context(), s.newLink("1")
	s.no(s.Issue(ctx, door.Issue{Link: link}))
	want(s, false)(s.Try(ctx, link.ID, 3, link.Expires))
	var tried atomic.Int32
	s.race(func() {
		if ok, err := s.Try(ctx, link.ID, 3, Now); err == nil && ok {
			tried.Add(1)
		}
	})
	if tried.Load() != 3 {
		s.Errorf("%d tries, want 3", tried.Load())
	}
	want(s, true)(s.Use(ctx, link.ID, Now))
	want(s, false)(s.Try(ctx, link.ID, 5, Now))
}

func (s suite) oneUse() {
	ctx := s.Context()
	link, older, invitation := s.newLink("1"), s.newLink("2"), s.newLink("3")
	invitation.Purpose = access.Invitation
	for _, l := range []door.Link{older, link, invitation} {
		s.no(s.Issue(ctx, door.Issue{Link: l}))
	}
	want(s, false)(s.Use(ctx, link.ID, link.Expires))
	want(s, false)(s.Use(ctx, domain.NewID(), Now))
	var used atomic.Int32
	s.race(func() {
		if ok, err := s.Use(ctx, link.ID, Now); err == nil && ok {
			used.Add(1)
		}
	})
	if used.Load() != 1 {
		s.Errorf("used %d times", used.Load())
	}
	want(s, false)(s.Use(ctx, older.ID, Now))
	want(s, true)(s.Use(ctx, invitation.ID, Now))
}

func (s suite) newSession(who door.Who) door.Session {
	return door.Session{
		ID: domain.NewID(), Who: who, Method: access.ByLink, Second: access.NoSecond, Stage: door.Open, Created: Now, Seen: Now, Idle: time.Hour,
		Expires: Now.Add(time.Hour), Ends: Now.Add(3 * time.Hour), Proved: Now, IP: "192.0.2.1", Agent: "browser",
	}
}

func (s suite) sessions() {
	ctx, session := s.Context(), s.newSession(s.ana)
	s.no(s.Begin(ctx, session, hash("secret")))
	look := func(secret string, at time.Time, wanted *door.Session, wantNoted bool) {
		s.Helper()
		got, noted, ok, err := s.Session(ctx, hash(secret), "192.0.2.2", "other", at)
		s.no(err)
		if ok != (wanted != nil) || noted != wantNoted {
			s.Fatalf("%q at %s: found %v, noted %v", secret, at, ok, noted)
		}
		if ok {
			want(s, *wanted)(got, nil)
		}
	}
	look("wrong", Now, nil, false)
	missing[door.Session](s)(s.Peek(ctx, hash("wrong"), Now))
	missing[door.Session](s)(s.Peek(ctx, hash("secret"), Now.Add(time.Hour)))
	found(s, session)(s.Peek(ctx, hash("secret"), Now.Add(59*time.Minute))) // which does not make it last longer
	look("secret", Now.Add(59*time.Second), &session, false)
	look("secret", Now.Add(time.Hour), nil, false)
	look("secret", Now.Add(time.Minute), &session, true)
	session.Seen, session.Expires, session.IP, session.Agent = Now.Add(time.Minute), Now.Add(61*time.Minute), "192.0.2.2", "other"
	look("secret", Now.Add(time.Minute), &session, false)
	look("secret", Now.Add(60*time.Minute), &session, true)
	session.Stage, session.Second, session.NewPassword, session.Idle = door.NewPassword, access.TOTP, true, 24*time.Hour
	session.Expires = Now.Add(24 * time.Hour)
	want(s, true)(s.Change(ctx, session, hash("renewed")))
	look("secret", Now, nil, false)
	look("renewed", Now, &session, false)
	look("renewed", Now.Add(3*time.Hour), nil, false) // it ends, though it was used
	want(s, false)(s.Change(ctx, s.newSession(s.ana), hash("another")))
}

func (s suite) endings() {
	ctx := s.Context()
	begin := func(who door.Who, seen time.Duration, stage door.Stage) door.Session {
		session := s.newSession(who)
		session.Seen, session.Expires, session.Stage = Now.Add(seen), Now.Add(seen+time.Hour), stage
		s.no(s.Begin(ctx, session, hash(session.ID.String())))
		return session
	}
	old, phone, half, desk := begin(s.ana, -2*time.Hour, door.Open), begin(s.ana, 0, door.Open), begin(s.ana, 0, door.SecondFactor), begin(s.ana, time.Minute, door.Open)
	ben := begin(s.ben, 0, door.Open)
	want(s, []door.Session{desk, phone})(s.Sessions(ctx, s.ana, Now))
	missing[door.Session](s)(s.End(ctx, s.ben, phone.ID))
	found(s, phone)(s.End(ctx, s.ana, phone.ID))
	missing[door.Session](s)(s.End(ctx, s.ana, phone.ID))
	ended, more, err := s.EndExpired(ctx, Now)
	if want(s, []door.Session{old})(ended, err); more {
		s.Error("there are more")
	}
	want(s, []door.Session{half})(s.EndOthers(ctx, s.ana, desk.ID))
	want(s, []door.Session{desk})(s.EndOthers(ctx, s.ana, domain.NoID))
	want(s, []door.Session{ben})(s.Sessions(ctx, s.ben, Now))
}

func (s suite) previews() {
	ctx, session := s.Context(), s.newSession(s.ben)
	s.no(s.Begin(ctx, session, hash("secret")))
	s.no(s.Preview(ctx, session.ID, s.ana.ID, Now.Add(time.Hour)))
	got, _, _, err := s.Session(ctx, hash("secret"), "", "", Now)
	session.Preview, session.PreviewEnds = s.ana.ID, Now.Add(time.Hour)
	want(s, session)(got, err)
	s.no(s.Preview(ctx, session.ID, domain.NoID, time.Time{}))
	got, _, _, err = s.Session(ctx, hash("secret"), "", "", Now)
	session.Preview, session.PreviewEnds = domain.NoID, time.Time{}
	want(s, session)(got, err)
}

func (s suite) choices() {
	ctx, session := s.Context(), s.newSession(s.ana)
	s.no(s.Begin(ctx, session, hash("secret")))
	for _, account := range []domain.ID{domain.NewID(), domain.NoID} {
		s.no(s.Choose(ctx, session.ID, account))
		got, _, _, err := s.Session(ctx, hash("secret"), "", "", Now)
		session.Account = account
		want(s, session)(got, err)
	}
}

func (s suite) passwords() {
	ctx := s.Context()
	missing[door.Password](s)(s.Password(ctx, s.ana))
	once := door.Password{PHC: "once", MustChange: true, Expires: Now.Add(time.Hour), Set: Now}
	s.no(s.SetPassword(ctx, s.ana, once))
	found(s, once)(s.Password(ctx, s.ana))
	missing[door.Password](s)(s.Password(ctx, s.ben))
	want(s, false)(s.DropPassword(ctx, s.ana, "another"))
	var dropped atomic.Int32
	s.race(func() {
		if ok, err := s.DropPassword(ctx, s.ana, "once"); err == nil && ok {
			dropped.Add(1)
		}
	})
	if dropped.Load() != 1 {
		s.Errorf("dropped %d times", dropped.Load())
	}
	own := door.Password{PHC: "own", Set: Now}
	s.no(s.SetPassword(ctx, s.ana, once))
	s.no(s.SetPassword(ctx, s.ana, own))
	found(s, own)(s.Password(ctx, s.ana))
	want(s, true)(s.DropPassword(ctx, s.ana, ""))
	missing[door.Password](s)(s.Password(ctx, s.ana))
}

func (s suite) totp() {
	ctx := s.Context()
	missing[door.TOTP](s)(s.TOTP(ctx, s.ana))
	want(s, false)(s.UseTOTP(ctx, s.ana, 1, Now))
	s.no(s.SetTOTP(ctx, s.ana, door.TOTP{Secret: "ABC"}, Now))
	found(s, door.TOTP{Secret: "ABC"})(s.TOTP(ctx, s.ana))
	missing[door.TOTP](s)(s.TOTP(ctx, s.ben))
	var used atomic.Int32
	s.race(func() {
		if ok, err := s.UseTOTP(ctx, s.ana, 100, Now); err == nil && ok {
			used.Add(1)
		}
	})
	if used.Load() != 1 {
		s.Errorf("a code works %d times", used.Load())
	}
	want(s, false)(s.UseTOTP(ctx, s.ana, 99, Now))
	want(s, true)(s.UseTOTP(ctx, s.ana, 101, Now))
	found(s, door.TOTP{Secret: "ABC", Step: 101, Confirmed: true})(s.TOTP(ctx, s.ana))
	s.no(s.SetTOTP(ctx, s.ana, door.TOTP{Secret: "DEF"}, Now))
	found(s, door.TOTP{Secret: "DEF"})(s.TOTP(ctx, s.ana))
	s.no(s.DropTOTP(ctx, s.ana))
	missing[door.TOTP](s)(s.TOTP(ctx, s.ana))
}

func (s suite) recovery() {
	ctx := s.Context()
	s.no(s.SetRecoveryCodes(ctx, s.ana, [][]byte{hash("1"), hash("2"), hash("3")}))
	want(s, 3)(s.RecoveryCodes(ctx, s.ana))
	want(s, 0)(s.RecoveryCodes(ctx, s.ben))
	missing[int](s)(s.UseRecoveryCode(ctx, s.ben, hash("1")))
	missing[int](s)(s.UseRecoveryCode(ctx, s.ana, hash("4")))
	found(s, 2)(s.UseRecoveryCode(ctx, s.ana, hash("1")))
	missing[int](s)(s.UseRecoveryCode(ctx, s.ana, hash("1")))
	s.no(s.SetRecoveryCodes(ctx, s.ana, [][]byte{hash("5")}))
	missing[int](s)(s.UseRecoveryCode(ctx, s.ana, hash("2")))
	found(s, 0)(s.UseRecoveryCode(ctx, s.ana, hash("5")))
}

func (s suite) passkeys() {
	ctx := s.Context()
	phone := door.Passkey{ID: domain.NewID(), Who: s.ana, Credential: []byte("phone"), Name: "Phone", Record: []byte(`{"a": 1}`), Created: Now}
	stick := door.Passkey{ID: domain.NewID(), Who: s.ana, Credential: []byte("stick"), Name: "Stick", Record: []byte(`{"b": 1}`), Created: Now.Add(time.Minute)}
	want(s, true)(s.AddPasskey(ctx, phone))
	want(s, true)(s.AddPasskey(ctx, stick))
	again := phone
	again.ID, again.Who = domain.NewID(), s.ben
	want(s, false)(s.AddPasskey(ctx, again))
	want(s, []door.Passkey{phone, stick})(s.Passkeys(ctx, s.ana))
	want(s, []door.Passkey(nil))(s.Passkeys(ctx, s.ben))
	phone.Record, phone.Used = []byte(`{"a": 2}`), Now.Add(time.Hour)
	s.no(s.UsePasskey(ctx, phone.ID, phone.Record, phone.Used))
	want(s, []door.Passkey{phone, stick})(s.Passkeys(ctx, s.ana))
	want(s, false)(s.DropPasskey(ctx, s.ben, phone.ID))
	want(s, true)(s.DropPasskey(ctx, s.ana, phone.ID))
	want(s, []door.Passkey{stick})(s.Passkeys(ctx, s.ana))
}

func (s suite) challenges() {
	ctx := s.Context()
	missing[[]byte](s)(s.TakeChallenge(ctx, hash("browser"), Now))
	s.no(s.SetChallenge(ctx, hash("browser"), []byte(`{"a": 1}`), Now.Add(time.Minute)))
	s.no(s.SetChallenge(ctx, hash("browser"), []byte(`{"a": 2}`), Now.Add(time.Minute)))
	found(s, []byte(`{"a": 2}`))(s.TakeChallenge(ctx, hash("browser"), Now))
	missing[[]byte](s)(s.TakeChallenge(ctx, hash("browser"), Now))
	s.no(s.SetChallenge(ctx, hash("browser"), []byte(`{"a": 3}`), Now.Add(time.Minute)))
	missing[[]byte](s)(s.TakeChallenge(ctx, hash("browser"), Now.Add(time.Minute)))
}
