package login_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/atrium-portal/atrium/domain"
	dt "github.com/atrium-portal/atrium/domain/domaintest"
	"github.com/atrium-portal/atrium/domain/login"
)

type (
	testCase = dt.Case[login.State, login.Event]
	events   = []login.Event
)

func claimed(name string, ago time.Duration) login.Claimed {
	return login.Claimed{Holder: dt.ID(name), HolderKind: login.Contact, At: dt.Now.Add(-ago)}
}

func TestLogin(t *testing.T) {
	claim := func(name string, freeable bool) login.Claim {
		return login.Claim{Holder: dt.ID(name), HolderKind: login.Contact, Freeable: freeable}
	}
	dt.Run(t, login.Aggregate, []testCase{
		{Name: "is claimed while free", When: claim("ana", false), Then: events{claimed("ana", 0)}},
		{
			Name: "is claimed by staff", When: login.Claim{Holder: dt.ID("ada"), HolderKind: login.Staff},
			Then: events{login.Claimed{Holder: dt.ID("ada"), HolderKind: login.Staff, At: dt.Now}},
		},
		{Name: "belongs to the claimant already", Given: events{claimed("ana", time.Hour)}, When: claim("ana", false)},
		{Name: "belongs to another", Given: events{claimed("ana", time.Hour)}, When: claim("bob", false), Fault: "email-in-use"},
		{Name: "may be on its way to another", Given: events{claimed("ana", 10*time.Minute)}, When: claim("bob", true), Fault: "email-in-use"},
		{Name: "is taken over when unused", Given: events{claimed("ana", 10*time.Minute+time.Second)}, When: claim("bob", true), Then: events{claimed("bob", 0)}},
		{Name: "is claimed after a release", Given: events{claimed("ana", 0), login.Released{Holder: dt.ID("ana")}}, When: claim("bob", false), Then: events{claimed("bob", 0)}},
		{Name: "needs a holder", When: login.Claim{HolderKind: login.Contact}, Fault: "holder-required holder"},
		{Name: "needs a kind of holder", When: login.Claim{Holder: dt.ID("ana"), HolderKind: "client"}, Fault: "holder-kind-unknown holder_kind"},

		{Name: "is released", Given: events{claimed("ana", 0)}, When: login.Release{Holder: dt.ID("ana")}, Then: events{login.Released{Holder: dt.ID("ana")}}},
		{Name: "stays with another", Given: events{claimed("ana", 0)}, When: login.Release{Holder: dt.ID("bob")}},
		{Name: "is free already", When: login.Release{Holder: dt.ID("ana")}},
		{Name: "has nobody to release it", When: login.Release{}},
	})
}

func TestRefusalOffersTheCures(t *testing.T) {
	_, err := login.Claim{Holder: dt.ID("bob"), HolderKind: login.Contact}.Decide(login.Aggregate.Fold(claimed("ana", 0)), dt.Meta())
	const want = "Someone else here already signs in with this e-mail. Merge the two contacts, or clear the e-mail of the other person, then try again."
	if f := domain.AsFault(err); f.Kind != domain.Refused || f.Message != want {
		t.Fatal(err)
	}
}

func TestAddress(t *testing.T) {
	key := []byte("a key of at least sixteen bytes")
	id := login.Address(key, dt.ID("firm"), "Ana@Lima.example")
	if id.Version() != 8 || id.Variant() != dt.ID("x").Variant() {
		t.Errorf("%s is not a version 8 UUID", id)
	}
	if login.Address(key, dt.ID("firm"), " ana@lima.EXAMPLE ") != id {
		t.Error("another spelling has another id")
	}
	for name, other := range map[string]domain.ID{
		"address": login.Address(key, dt.ID("firm"), "bob@lima.example"),
		"firm":    login.Address(key, dt.ID("other"), "ana@lima.example"),
		"key":     login.Address([]byte("another key of sixteen"), dt.ID("firm"), "ana@lima.example"),
	} {
		if other == id {
			t.Errorf("another %s has the same id", name)
		}
	}
}

// Whoever claims, releases and waits: an address changes hands only when it was released, or unused for long enough.
func TestOneHolder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var s login.State
		m := dt.Meta()
		for range rapid.IntRange(1, 30).Draw(t, "commands") {
			m.Time = m.Time.Add(time.Duration(rapid.IntRange(0, 900).Draw(t, "seconds")) * time.Second)
			who, freeable := dt.ID(rapid.SampledFrom([]string{"ana", "bob"}).Draw(t, "who")), rapid.Bool().Draw(t, "freeable")
			var command dt.Decider[login.State, login.Event] = login.Claim{Holder: who, HolderKind: login.Contact, Freeable: freeable}
			if rapid.Bool().Draw(t, "release") {
				command = login.Release{Holder: who}
			}
			decided, err := command.Decide(s, m)
			next := login.Aggregate.Fold(decided...)
			switch {
			case err != nil && s.Holder == who:
				t.Fatalf("the holder was refused: %v", err)
			case err != nil || len(decided) == 0:
				continue
			case s.Holder != domain.NoID && next.Holder != domain.NoID && (!freeable || m.Time.Sub(s.At) <= 10*time.Minute):
				t.Fatalf("%v took the address from %v", next, s)
			}
			s = login.Aggregate.Evolve(s, decided[0])
		}
	})
}

func TestCommandsActOnTheirTarget(t *testing.T) {
	for _, c := range []interface{ Target() domain.ID }{
		login.Claim{Login: dt.ID("it"), Holder: dt.ID("ana")}, login.Release{Login: dt.ID("it"), Holder: dt.ID("ana")},
	} {
		if c.Target() != dt.ID("it") {
			t.Errorf("%T acts on something else", c)
		}
	}
}

func TestSentences(t *testing.T) {
	for want, e := range map[string]domain.Event{
		"gave a login e-mail to a contact": claimed("ana", 0),
		"released a login e-mail":          login.Released{},
	} {
		if got := e.Sentence(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestGolden(t *testing.T) {
	dt.Golden(t, login.Aggregate, claimed("ana", 0), login.Released{Holder: dt.ID("ana")})
}
