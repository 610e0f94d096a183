package access_test

import (
	"testing"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/access"
	dt "github.com/atrium-portal/atrium/domain/domaintest"
)

type (
	testCase = dt.Case[access.State, access.Event]
	events   = []access.Event
)

var ana = access.About{Entry: dt.ID("entry"), Person: dt.ID("ana"), PersonKind: access.Contact}

// samples has every fact with every field filled.
func samples() []domain.Event {
	session := dt.ID("session")
	return []domain.Event{
		access.SignInLinkSent{About: ana, Purpose: access.Invitation},
		access.SignedIn{About: ana, Session: session, Method: access.ByPassword, Second: access.TOTP},
		access.SignInFailed{About: ana, Reason: access.WrongCode, From: domain.P("192.0.2.7")},
		access.Visited{About: ana, Session: session},
		access.SignedOut{About: ana, Session: session, How: access.ByStaff},
		access.ProvedAgain{About: ana, Session: session, How: access.ProofPasskey},
		access.PasswordSet{About: ana},
		access.PasswordReset{About: ana},
		access.OneTimePasswordSet{About: ana},
		access.SecondFactorAdded{About: ana, Kind: access.TOTP},
		access.SecondFactorRemoved{About: ana, Kind: access.TOTP},
		access.RecoveryCodesMade{About: ana, Count: 10},
		access.RecoveryCodeUsed{About: ana, Left: 9},
		access.PasskeyAdded{About: ana, Passkey: dt.ID("passkey")},
		access.PasskeyRemoved{About: ana, Passkey: dt.ID("passkey")},
		access.PreviewStarted{About: ana, Contact: dt.ID("ana"), Reason: domain.P("asked about an invoice")},
		access.PreviewEnded{About: ana},
		access.AccountChosen{About: ana, Session: session, From: dt.ID("acme"), To: dt.ID("bolt")},
	}
}

func TestRecord(t *testing.T) {
	another := ana
	another.Entry = dt.ID("another entry")
	var cases []testCase
	for _, e := range samples() {
		fact := e.(access.Event)
		cases = append(cases, testCase{Name: "stores " + e.EventType(), When: access.Record{Fact: fact}, Then: events{fact}})
	}
	nobody, nothing, something := ana, ana, ana
	nobody.Person, nothing.Entry, something.PersonKind = domain.NoID, domain.NoID, "client"
	dt.Run(t, access.Aggregate, append(cases, []testCase{
		{Name: "was stored", Given: events{access.PasswordSet{About: ana}}, When: access.Record{Fact: access.PasswordSet{About: ana}}},
		{
			Name: "happened again", Given: events{access.PasswordSet{About: ana}}, When: access.Record{Fact: access.PasswordSet{About: another}},
			Then: events{access.PasswordSet{About: another}},
		},
		{Name: "needs a fact", When: access.Record{}, Fault: "fact-required fact"},
		{Name: "needs a person", When: access.Record{Fact: access.PasswordSet{About: nobody}}, Fault: "person-required fact.person"},
		{Name: "needs an id", When: access.Record{Fact: access.PasswordSet{About: nothing}}, Fault: "entry-required fact.entry"},
		{Name: "needs a kind of person", When: access.Record{Fact: access.PasswordSet{About: something}}, Fault: "person-kind-unknown fact.person_kind"},
	}...))
}

func TestAStreamPerMonth(t *testing.T) {
	on := func(person, day string) domain.ID {
		date, err := domain.ParseDate(day)
		if err != nil {
			t.Fatal(err)
		}
		return access.StreamID(dt.ID(person), date)
	}
	if on("ana", "2026-03-01") != on("ana", "2026-03-31") {
		t.Error("a month has two streams")
	}
	if on("ana", "2026-03-31") == on("ana", "2026-04-01") || on("ana", "2026-03-01") == on("ana", "2027-03-01") || on("ana", "2026-03-01") == on("ben", "2026-03-01") {
		t.Error("two months or two people share a stream")
	}
	if (access.Record{Stream: dt.ID("it")}).Target() != dt.ID("it") {
		t.Error("it acts on something else")
	}
}

func TestSentences(t *testing.T) {
	for want, e := range map[string]domain.Event{
		"sent a sign-in link":                                access.SignInLinkSent{Purpose: access.Link},
		"sent an invitation to the portal":                   access.SignInLinkSent{Purpose: access.Invitation},
		"sent a link to set a new password":                  access.SignInLinkSent{Purpose: access.Reset},
		"made a sign-in link":                                access.SignInLinkSent{Purpose: access.Direct},
		"signed in with a link":                              access.SignedIn{Method: access.ByLink, Second: access.NoSecond},
		"signed in with a code":                              access.SignedIn{Method: access.ByCode},
		"signed in with a password and an authenticator app": access.SignedIn{Method: access.ByPassword, Second: access.TOTP},
		"signed in with a link and a recovery code":          access.SignedIn{Method: access.ByLink, Second: access.RecoveryCode},
		"signed in with a one-time password":                 access.SignedIn{Method: access.ByOneTimePassword},
		"signed in with a passkey":                           access.SignedIn{Method: access.ByPasskey, Second: access.Passkey},
		"refused a sign-in: the password was wrong":          access.SignInFailed{Reason: access.WrongPassword},
		"refused a sign-in: this person has no access":       access.SignInFailed{Reason: access.NoAccess},
		"signed out":                                         access.SignedOut{How: access.BySelf},
		"signed out another device":                          access.SignedOut{How: access.ByDevice},
		"signed this person out":                             access.SignedOut{How: access.ByStaff},
		"confirmed who they are with the password":           access.ProvedAgain{How: access.ProofPassword},
		"protected the sign-in with a passkey":               access.SecondFactorAdded{Kind: access.Passkey},
		"made 10 recovery codes":                             access.RecoveryCodesMade{Count: 10},
		"used a recovery code, 1 is left":                    access.RecoveryCodeUsed{Left: 1},
		"used a recovery code, 0 are left":                   access.RecoveryCodeUsed{},
		"looked at the portal as this contact sees it: help": access.PreviewStarted{Reason: domain.P("help")},
	} {
		if got := e.Sentence(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestGolden(t *testing.T) { dt.Golden(t, access.Aggregate, samples()...) }
