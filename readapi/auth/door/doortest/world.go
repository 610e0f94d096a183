package doortest

import (
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/atrium-portal/atrium/commands"
	"github.com/atrium-portal/atrium/commands/commandstest"
	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/access"
	"github.com/atrium-portal/atrium/domain/account"
	"github.com/atrium-portal/atrium/domain/contact"
	"github.com/atrium-portal/atrium/domain/firm"
	"github.com/atrium-portal/atrium/domain/login"
	"github.com/atrium-portal/atrium/readapi/auth"
	"github.com/atrium-portal/atrium/readapi/auth/door"
)

// World is a firm with a door: Priya works there (an administrator), Ana (the owner) and Ben (a viewer) are contacts of
// Lima, Zoe is a contact without access. Another firm, South, has Sue.
type World struct {
	testing.TB
	Log    *commandstest.Memory
	Loop   *commands.Loop
	Store  door.Store
	Keeper *door.Keeper

	Firm, South               domain.ID
	Account                   domain.ID
	Priya, Ana, Ben, Zoe, Sue door.Who
	mails                     func() []door.Mail
	ahead                     atomic.Int64
	commands                  int
	seen                      int
}

// Key keys the hashes of the world's door.
var Key = []byte("a key of at least thirty-two bytes")

// NewWorld makes one over a store. mails gives the mails that were issued since it was asked last; nil with a Memory.
func NewWorld(t testing.TB, store door.Store, mails func() []door.Mail, change ...func(*door.Options)) *World {
	t.Helper()
	if memory, ok := store.(*Memory); ok {
		mails = memory.Mails
	}
	w := &World{TB: t, Log: commandstest.NewMemory(), Store: store, mails: mails}
	w.Loop = commandstest.NewLoop(t, w.Log, w.Now, nil)
	w.Firm = w.Do(domain.NoID, domain.SystemActor("test"), "CreateFirm", firm.Create{Name: "North Studio", Currency: "EUR", TimeZone: "Europe/Berlin"})
	w.South = w.Do(domain.NoID, domain.SystemActor("test"), "CreateFirm", firm.Create{Name: "South", Currency: "EUR", TimeZone: "Europe/Berlin"})
	staff := func(f domain.ID, name string) door.Who {
		m := w.Do(f, domain.SystemActor("test"), "InviteStaff", firm.Invite{Firm: f, Name: domain.P(name), Email: Email(name), Role: firm.Administrator})
		return door.Who{Firm: f, Kind: access.Staff, ID: m}
	}
	w.Priya, w.Sue = staff(w.Firm, "Priya"), staff(w.South, "Sue")
	w.Account = w.Do(w.Firm, w.StaffActor(), "OpenAccount", account.Open{
		Name: domain.P("Lima"), Currency: "EUR", Contact: account.Person{Name: domain.P("Ana"), Email: Email("Ana")},
	})
	someone := func(id domain.ID) door.Who { return door.Who{Firm: w.Firm, Kind: access.Contact, ID: id} }
	w.Ana = someone(w.first())
	for name, who := range map[string]*door.Who{"Ben": &w.Ben, "Zoe": &w.Zoe} {
		*who = someone(w.Do(w.Firm, w.StaffActor(), "AddContact", contact.Add{Account: w.Account, Name: domain.P(name), Email: Email(name)}))
	}
	w.Do(w.Firm, w.StaffActor(), "GrantPortalAccess", contact.Grant{Contact: w.Ana.ID, Role: contact.Owner})
	w.Do(w.Firm, w.StaffActor(), "GrantPortalAccess", contact.Grant{Contact: w.Ben.ID, Role: contact.Viewer})
	w.seen = len(w.Log.All())

	o := door.Options{
		Store: store, People: People{w.Loop, []domain.ID{w.Firm, w.South}}, Journal: Journal{w.Loop}, Now: w.Now, Key: Key,
		PublicURL: "https://portal.example.com", Logger: slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn})),
	}
	for _, c := range change {
		c(&o)
	}
	var err error
	if w.Keeper, err = door.New(o); err != nil {
		t.Fatal(err)
	}
	return w
}

// Email is the address of somebody.
func Email(name string) domain.Personal { return domain.P(strings.ToLower(name) + "@lima.example") }

// StaffActor is Priya as the doer of something.
func (w *World) StaffActor() domain.Actor { return domain.Actor{Kind: domain.Staff, ID: w.Priya.ID} }

// Now is the world's time.
func (w *World) Now() time.Time { return Now.Add(time.Duration(w.ahead.Load())) }

// Advance moves it.
func (w *World) Advance(d time.Duration) { w.ahead.Add(int64(d)) }

// Do gives a command that must be accepted, and returns the id of what it made or acted on; for InviteStaff that of the
// member of staff.
func (w *World) Do(firmID domain.ID, by domain.Actor, name string, command any) domain.ID {
	w.Helper()
	w.commands++
	m := domain.Meta{Firm: firmID, Actor: by, Command: domain.DeriveID("test", fmt.Sprint(w.commands))}
	r, err := w.Loop.Dispatch(w.Context(), commands.Order{Name: name, Command: command, Meta: m})
	if err != nil {
		w.Fatalf("%s: %v", name, err)
	}
	if name == "InviteStaff" {
		return m.NewID("staff")
	}
	return r.ID
}

// first is the contact that the account was opened with.
func (w *World) first() domain.ID {
	for _, r := range w.Log.All() {
		if f := w.fact(r); f.Event.EventType() == "AccountOpened" {
			return f.Event.(account.Opened).Contact
		}
	}
	w.Fatal("no account")
	return domain.NoID
}

func (w *World) fact(r domain.Recorded) domain.Fact {
	w.Helper()
	f, err := w.Loop.Codec.Decode(r)
	if err != nil {
		w.Fatal(err)
	}
	return f
}

// Facts gives what was recorded since it was asked last, as "who: sentence".
func (w *World) Facts() []string {
	w.Helper()
	names := map[string]string{w.Priya.ID.String(): "Priya", w.Ana.ID.String(): "Ana", w.Ben.ID.String(): "Ben", w.Sue.ID.String(): "Sue"}
	var list []string
	w.Keeper.Settle()
	all := w.Log.All()
	for _, r := range all[w.seen:] {
		f := w.fact(r)
		who := names[f.Meta.Actor.Ref()]
		if who == "" {
			who = f.Meta.Actor.Ref()
		}
		list = append(list, who+": "+f.Event.Sentence())
	}
	w.seen = len(all)
	return list
}

// Stored is everything in the log as bytes, to look for what must not be there.
func (w *World) Stored() string {
	var b strings.Builder
	for _, r := range w.Log.All() {
		b.Write(r.Data)
		b.Write(r.Metadata)
	}
	return b.String()
}

var (
	linkIn = regexp.MustCompile(`https?://\S+/login/link#(\S+)`)
	codeIn = regexp.MustCompile(`(?m)^    (\d{4} \d{4})$`)
)

// Letter is a mail with what is in it.
type Letter struct {
	door.Mail
	Token, Code string
	Host        string // of the link
}

// Letters lets the door do its work and gives the mails that came of it.
func (w *World) Letters() []Letter {
	w.Helper()
	if err := w.Keeper.Work(w.Context()); err != nil {
		w.Fatal(err)
	}
	var list []Letter
	for _, m := range w.mails() {
		l := Letter{Mail: m}
		if found := linkIn.FindStringSubmatch(m.Text); found != nil {
			l.Token = found[1]
			u, err := url.Parse(found[0])
			if err != nil {
				w.Fatal(err)
			}
			l.Host = u.Host
		}
		if found := codeIn.FindStringSubmatch(m.Text); found != nil {
			l.Code = found[1]
		}
		list = append(list, l)
	}
	return list
}

// Letter is Letters where there must be one.
func (w *World) Letter() Letter {
	w.Helper()
	list := w.Letters()
	if len(list) != 1 {
		w.Fatalf("%d mails, want one", len(list))
	}
	return list[0]
}

// People shows the door the write side.
type People struct {
	Loop *commands.Loop
	All  []domain.ID // the firms
}

// ByEmail implements door.People.
func (p People) ByEmail(ctx context.Context, f domain.ID, email string) (door.Person, bool, error) {
	found, ok, err := p.Loop.PersonByLogin(ctx, f, email)
	return personOf(f, found), ok, err
}

// Person implements door.People.
func (p People) Person(ctx context.Context, who door.Who) (door.Person, bool, error) {
	found, ok, err := p.Loop.Person(ctx, who.Firm, login.HolderKind(who.Kind), who.ID)
	return personOf(who.Firm, found), ok, err
}

func personOf(f domain.ID, p commands.Person) door.Person {
	return door.Person{
		Who: door.Who{Firm: f, Kind: access.PersonKind(p.Kind), ID: p.ID}, Account: p.Account, Name: p.Name, Email: p.Email, MayIn: p.MayIn,
		Accounts: p.Accounts,
	}
}

// Firm implements door.People.
func (p People) Firm(ctx context.Context, id domain.ID) (door.Firm, bool, error) {
	state, revision, err := commands.State(ctx, p.Loop, firm.Aggregate, id)
	s := state.Settings
	return door.Firm{
		ID: id, Name: s.Name, Slug: state.Slug, SecondFactor: s.RequireSecondFactorForClients, ClientIdle: time.Duration(s.ClientSessionDays) * 24 * time.Hour,
		PrimaryColor: s.PrimaryColor, AccentColor: s.AccentColor,
	}, revision != domain.NoStream, err
}

// Firms implements door.People.
func (p People) Firms(ctx context.Context) (list []door.Firm, err error) {
	for _, id := range p.All {
		f, _, err := p.Firm(ctx, id)
		if err != nil {
			return nil, err
		}
		list = append(list, f)
	}
	return list, nil
}

// Journal stores facts with a loop.
type Journal struct{ *commands.Loop }

// Scopes is the write side as the middleware of package auth asks it.
type Scopes struct{ Loop *commands.Loop }

// Firm implements auth.People.
func (s Scopes) Firm(ctx context.Context, id domain.ID) (auth.Firm, bool, error) {
	state, revision, err := commands.State(ctx, s.Loop, firm.Aggregate, id)
	return auth.Firm{Name: state.Settings.Name, Slug: state.Slug, Zone: state.Settings.Location()}, revision != domain.NoStream, err
}

// Staff implements auth.People.
func (s Scopes) Staff(ctx context.Context, firmID, id domain.ID) (string, bool, error) {
	state, _, err := commands.State(ctx, s.Loop, firm.Aggregate, firmID)
	return string(state.Staff[id].Role), state.Staff[id].Active, err
}

// Contact implements auth.People.
func (s Scopes) Contact(ctx context.Context, firmID, id, chosen domain.ID) (auth.ContactAccess, error) {
	a, err := s.Loop.Access(ctx, firmID, id, chosen)
	permissions := make([]string, len(a.Permissions))
	for i, p := range a.Permissions {
		permissions[i] = string(p)
	}
	slices.Sort(permissions)
	accounts := make([]auth.Account, len(a.Accounts))
	for i, account := range a.Accounts {
		accounts[i] = auth.Account(account)
	}
	return auth.ContactAccess{OK: a.OK, Account: a.Account, Accounts: accounts, Role: string(a.Role), Permissions: permissions}, err
}
