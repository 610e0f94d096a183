package reactors_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/atrium-portal/atrium/commands"
	"github.com/atrium-portal/atrium/commands/commandstest"
	"github.com/atrium-portal/atrium/commands/reactors"
	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/access"
	"github.com/atrium-portal/atrium/domain/account"
	"github.com/atrium-portal/atrium/domain/contact"
	"github.com/atrium-portal/atrium/domain/domaintest"
	"github.com/atrium-portal/atrium/domain/firm"
)

// box keeps letters, each once.
type box struct {
	letters map[domain.ID]reactors.Letter
	order   []string
}

func (b *box) Post(_ context.Context, l reactors.Letter) error {
	if _, known := b.letters[l.ID]; !known {
		b.letters[l.ID] = l
		b.order = append(b.order, l.To+": "+l.Subject)
	}
	return nil
}

// places remembers checkpoints in memory.
type places map[string]domain.Position

func (p places) Checkpoint(_ context.Context, handler string) (domain.Position, bool, error) {
	at, found := p[handler]
	return at, found, nil
}

func (p places) SetCheckpoint(_ context.Context, handler string, at domain.Position) error {
	p[handler] = at
	return nil
}

func TestNotices(t *testing.T) {
	now := domaintest.Now
	log := commandstest.NewMemory()
	loop := commandstest.NewLoop(t, log, func() time.Time { return now }, nil)
	do := func(firmID domain.ID, name string, command any) domain.ID {
		t.Helper()
		r, err := loop.Dispatch(t.Context(), commands.Order{Name: name, Command: command, Meta: domain.Meta{
			Firm: firmID, Actor: domain.SystemActor("test"), Command: domain.NewID(),
		}})
		if err != nil {
			t.Fatal(err)
		}
		return r.ID
	}
	north := do(domain.NoID, "CreateFirm", firm.Create{Name: "North <Studio>", Currency: "EUR", TimeZone: "Europe/Berlin"})
	lima := do(north, "OpenAccount", account.Open{Name: domain.P("Lima"), Currency: "EUR", Contact: account.Person{Name: domain.P("Ana"), Email: domain.P("ana@lima.example")}})
	ana := do(north, "AddContact", contact.Add{Account: lima, Name: domain.P("Ben"), Email: domain.P("ben@lima.example")})
	fact := func(of func(access.About) access.Event) {
		t.Helper()
		about := access.About{Entry: domain.NewID(), Person: ana, PersonKind: access.Contact}
		if _, err := loop.RecordAccess(t.Context(), of(about), domain.Meta{Firm: north, Account: lima, Actor: domain.SystemActor("test")}); err != nil {
			t.Fatal(err)
		}
	}
	fact(func(a access.About) access.Event { return access.PasswordSet{About: a} })
	now = now.Add(25 * time.Hour) // what is older than a day is no news
	fact(func(a access.About) access.Event { return access.SignedIn{About: a, Session: ana} })
	fact(func(a access.About) access.Event { return access.PasswordSet{About: a} })
	fact(func(a access.About) access.Event { return access.SecondFactorRemoved{About: a, Kind: access.TOTP} })
	fact(func(a access.About) access.Event { return access.RecoveryCodeUsed{About: a, Left: 3} })
	name, phone, email := domain.P("Benno"), domain.P("+49 30 1"), domain.P("benno@lima.example")
	do(north, "ChangeContactDetails", contact.ChangeDetails{Contact: ana, Phone: &phone})
	do(north, "ChangeContactDetails", contact.ChangeDetails{Contact: ana, Name: &name, Email: &email})

	post, at := &box{letters: map[domain.ID]reactors.Letter{}}, places{}
	n := reactors.Notices{Loop: loop, Codec: loop.Codec, Post: post, Checkpoints: at, Now: func() time.Time { return now }}
	for range 2 { // after a crash it all comes again
		if err := n.Handle(t.Context(), log.All()); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{
		"benno@lima.example: Your password was set", "benno@lima.example: Your sign-in lost its second factor",
		"benno@lima.example: A recovery code was used", "ben@lima.example: Your sign-in has another address",
	}
	if d := cmp.Diff(want, post.order); d != "" {
		t.Error(d)
	}
	for _, l := range post.letters {
		if !strings.Contains(l.Text, "Hello Benno") || !strings.Contains(l.Text, "North <Studio>") || !strings.Contains(l.HTML, "North &lt;Studio&gt;") || !l.Created.Equal(now) {
			t.Errorf("%+v", l)
		}
	}
	all := log.All()
	if at[n.Name()] != all[len(all)-1].Position {
		t.Error("the checkpoint stays behind")
	}
}
