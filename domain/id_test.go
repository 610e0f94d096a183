package domain_test

import (
	"testing"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/atrium-portal/atrium/domain"
	dt "github.com/atrium-portal/atrium/domain/domaintest"
)

func TestStreamNames(t *testing.T) {
	id := dt.ID("it")
	if category, of, ok := domain.ParseStream(domain.StreamName("invoice", id)); category != "invoice" || of != id || !ok {
		t.Fatal(category, of, ok)
	}
	for _, stream := range []string{
		"", "invoice", "invoice-", "invoice-7", "$ce-invoice", "invoice-{" + id.String() + "}", "invoice-urn:uuid:" + id.String(),
		"invoice-" + id.String() + "x", "invoice-9F3D2C4A-8A8B-4B44-9B7C-3B6E3C1B2A10", "daily-log-" + id.String(),
	} {
		if _, _, ok := domain.ParseStream(stream); ok {
			t.Errorf("%q passes for one of our streams", stream)
		}
	}
}

func TestDerivedIDs(t *testing.T) {
	if first, again := domain.DeriveID("a", "b"), domain.DeriveID("a", "b"); first != again {
		t.Error("the same parts give another id")
	}
	if domain.DeriveID("a", "b") == domain.DeriveID("ab") || domain.DeriveID("a", "b") == domain.DeriveID("b", "a") {
		t.Error("other parts give the same id")
	}
	m := dt.Meta()
	if first, again := m.EventID(0), m.EventID(0); first != again || first == m.EventID(1) || m.NewID("contact") == m.NewID("staff") {
		t.Error("ids of a command are not its own")
	}
	if a := domain.NewID(); a.Version() != 7 || a == domain.NewID() {
		t.Error("fresh ids are not fresh version 7 ids")
	}
}

// What a command makes is named after the command, and sorts where the command's id sorts.
func TestNewThingsSortByTime(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		command := uuid.UUID(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "command"))
		version := rapid.SampledFrom([]byte{4, 5, 7, 8}).Draw(t, "version")
		command[6] = command[6]&0x0f | version<<4
		command[8] = command[8]&0x3f | 0x80
		name := rapid.StringMatching("[a-z]{1,10}").Draw(t, "name")
		m := domain.Meta{Command: command}
		child := m.NewID(name)
		want := uuid.Version(5)
		if version == 7 {
			want = 7
			if [6]byte(child[:6]) != [6]byte(command[:6]) {
				t.Fatalf("%s does not have the time of %s", child, command)
			}
		}
		if child.Version() != want || child.Variant() != uuid.RFC4122 || child == command || child != m.NewID(name) || child == m.NewID(name+"x") {
			t.Fatalf("%s makes %s", command, child)
		}
	})
}

func TestPositions(t *testing.T) {
	for text, want := range map[string]domain.Position{"0": {}, "7": {Commit: 7, Prepare: 7}, "9-7": {Commit: 9, Prepare: 7}} {
		if got, err := domain.ParsePosition(text); err != nil || got != want || got.String() != text {
			t.Errorf("%s: %v (%v)", text, got, err)
		}
	}
	for _, text := range []string{"", "-", "7-", "-7", "a", "7-b", "-1", "1-2-3", "99999999999999999999"} {
		if got, err := domain.ParsePosition(text); err == nil {
			t.Errorf("%q is read as %v", text, got)
		}
	}
	order := []domain.Position{{}, {Commit: 1, Prepare: 1}, {Commit: 2, Prepare: 1}, {Commit: 2, Prepare: 2}, {Commit: 3}}
	for i, a := range order {
		for j, b := range order {
			if a.Before(b) != (i < j) {
				t.Errorf("%v before %v: %v", a, b, a.Before(b))
			}
		}
		var again domain.Position
		form, err := a.MarshalText()
		if err != nil || again.UnmarshalText(form) != nil || again != a {
			t.Errorf("%v became %v", a, again)
		}
	}
}

func TestActors(t *testing.T) {
	id := dt.ID("ada")
	for _, c := range []struct {
		actor        domain.Actor
		ref, subject string
	}{
		{domain.Actor{Kind: domain.Staff, ID: id}, id.String(), "staff:" + id.String()},
		{domain.Actor{Kind: domain.Client, ID: id}, id.String(), "contact:" + id.String()},
		{domain.SystemActor("import"), "import", ""},
	} {
		if got := c.actor.Ref(); got != c.ref {
			t.Errorf("%v is stored as %q, want %q", c.actor, got, c.ref)
		}
		if got := domain.ActorSubject(c.actor); got != c.subject {
			t.Errorf("%v is the subject %q, want %q", c.actor, got, c.subject)
		}
	}
}
