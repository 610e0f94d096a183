package firm_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/atrium-portal/atrium/domain"
	dt "github.com/atrium-portal/atrium/domain/domaintest"
	"github.com/atrium-portal/atrium/domain/firm"
)

type (
	testCase = dt.Case[firm.State, firm.Event]
	events   = []firm.Event
)

var (
	settings = firm.Settings{
		Name: "North Studio", Currency: "EUR", TimeZone: "Europe/Berlin", NumberFormat: "1,234.56", ShowHistory: true, DefaultAudience: firm.Permitted,
	}
	created = firm.Created{Slug: "north-studio", Settings: settings}
	ada     = invited("ada", firm.Administrator)
	ben     = invited("ben", firm.Member)
)

// invited is a staff member by name.
func invited(name string, role firm.Role) firm.StaffInvited {
	return firm.StaffInvited{Staff: dt.ID(name), Name: domain.P(name), Email: domain.P(name + "@north.example"), Role: role}
}

func of[T any](v T) *T { return &v }

func TestSettings(t *testing.T) {
	create := func(change func(*firm.Create)) firm.Create {
		c := firm.Create{Name: "North Studio", Currency: "EUR", TimeZone: "Europe/Berlin"}
		change(&c)
		return c
	}
	other := settings
	other.Currency, other.TimeZone, other.NumberFormat, other.InvoicePrefix = "USD", "America/New_York", "1 234,56", "INV-"
	other.ShowUnreleasedInvoices, other.ShowHistory, other.DefaultAudience, other.Name = true, false, firm.Named, "South"
	letterhead := settings
	letterhead.Address, letterhead.TaxID, letterhead.PaymentDetails = "1 Quay", "NO 1", "IBAN"
	letterhead.PrimaryColor, letterhead.AccentColor = "#1f5f5b", "#b4632a"
	dt.Run(t, firm.Aggregate, []testCase{
		{Name: "is created with defaults", When: onlyNew{create(func(*firm.Create) {})}, Then: events{created}},
		{Name: "needs a name", When: create(func(c *firm.Create) { c.Name = " " }), Fault: "name-required name"},
		{Name: "needs a currency", When: create(func(c *firm.Create) { c.Currency = "EU" }), Fault: "currency-unknown currency"},
		{Name: "needs a time zone", When: create(func(c *firm.Create) { c.TimeZone = "" }), Fault: "time-zone-unknown time_zone"},
		{Name: "needs a time zone of the list", When: create(func(c *firm.Create) { c.TimeZone = "Berlin" }), Fault: "time-zone-unknown time_zone"},
		{Name: "is not where the server is", When: create(func(c *firm.Create) { c.TimeZone = "Local" }), Fault: "time-zone-unknown time_zone"},
		{Name: "has colours", Given: events{created}, When: firm.ChangeSettings{PrimaryColor: of("green")}, Fault: "color-invalid primary_color"},
		{Name: "has two colours", Given: events{created}, When: firm.ChangeSettings{AccentColor: of("#12345g")}, Fault: "color-invalid accent_color"},
		{
			Name: "has a letterhead", Given: events{created},
			When: firm.ChangeSettings{Address: of("1 Quay"), TaxID: of("NO 1"), PaymentDetails: of("IBAN"), PrimaryColor: of("#1f5f5b"), AccentColor: of("#b4632a")},
			Then: events{firm.SettingsChanged{Settings: letterhead}},
		},
		{Name: "writes numbers in a known way", When: create(func(c *firm.Create) { c.NumberFormat = "1.2" }), Fault: "number-format-unknown number_format"},
		{
			Name: "takes a slug", When: onlyNew{create(func(c *firm.Create) { c.Slug = "north-2" })},
			Then: events{firm.Created{Slug: "north-2", Settings: settings}},
		},
		{Name: "refuses capitals in the slug", When: create(func(c *firm.Create) { c.Slug = "North" }), Fault: "slug-invalid slug"},
		{Name: "refuses a slug that ends in a dash", When: create(func(c *firm.Create) { c.Slug = "north-" }), Fault: "slug-invalid slug"},
		{Name: "refuses a long slug", When: create(func(c *firm.Create) { c.Slug = strings.Repeat("n", 41) }), Fault: "slug-invalid slug"},
		{Name: "refuses the slug of a page", When: create(func(c *firm.Create) { c.Slug = "clients" }), Fault: "slug-reserved slug"},

		{
			Name: "changes every setting", Given: events{created},
			When: firm.ChangeSettings{
				Name: &other.Name, Currency: &other.Currency, TimeZone: &other.TimeZone, NumberFormat: &other.NumberFormat, InvoicePrefix: &other.InvoicePrefix,
				ShowUnreleasedInvoices: &other.ShowUnreleasedInvoices, ShowHistory: &other.ShowHistory, DefaultAudience: &other.DefaultAudience,
			},
			Then: events{firm.SettingsChanged{Settings: other}},
		},
		{
			Name: "changes only what is given", Given: events{created, firm.SettingsChanged{Settings: other}}, When: firm.ChangeSettings{Currency: of("EUR")},
			Then: events{firm.SettingsChanged{Settings: func() firm.Settings { s := other; s.Currency = "EUR"; return s }()}},
		},
		{Name: "has these settings already", Given: events{created}, When: firm.ChangeSettings{Currency: of("EUR"), ShowHistory: of(true)}},
		{Name: "keeps its name", Given: events{created}, When: firm.ChangeSettings{Name: of("")}, Fault: "name-required name"},
		{Name: "knows two audiences", Given: events{created}, When: firm.ChangeSettings{DefaultAudience: of(firm.Audience("all"))}, Fault: "audience-unknown default_audience"},
		{Name: "has known modules", Given: events{created}, When: firm.ChangeSettings{ModulesOff: &[]domain.Module{"weather"}}, Fault: "module-unknown modules_off"},
		{Name: "has all modules on already", Given: events{created}, When: firm.ChangeSettings{ModulesOff: &[]domain.Module{}}},
		{Name: "lets clients stay for a month at most", Given: events{created}, When: firm.ChangeSettings{ClientSessionDays: of(31)}, Fault: "session-days-invalid client_session_days"},
		{Name: "lets clients stay for some time", Given: events{created}, When: firm.ChangeSettings{ClientSessionDays: of(-1)}, Fault: "session-days-invalid client_session_days"},
		{Name: "has a short prefix", Given: events{created}, When: firm.ChangeSettings{InvoicePrefix: of(strings.Repeat("I", 21))}, Fault: "invoice_prefix-too-long invoice_prefix"},
	})
}

// onlyNew stands for the loop, which runs a command that makes something only while its stream does not exist.
type onlyNew struct{ firm.Create }

func (c onlyNew) Decide(s firm.State, m domain.Meta) (events, error) {
	if s.Slug != "" {
		return nil, nil
	}
	return c.Create.Decide(s, m)
}

func TestSlugIsMadeOfTheName(t *testing.T) {
	for name, want := range map[string]string{
		"North Studio":              "north-studio",
		"Müller & Söhne":            "mueller-and-soehne",
		"O'Hara — Architects, Inc.": "ohara-architects-inc",
		"  7 -- seven ":             "7-seven",
		"Clients":                   "firm-" + dt.ID("it").String()[24:],
		"株式会社":                      "firm-" + dt.ID("it").String()[24:],
		strings.Repeat("long ", 20): "long-long-long-long-long-long-long-long",
	} {
		got, err := firm.Create{Name: name, Currency: "EUR", TimeZone: "UTC"}.Decide(firm.State{}, dt.Meta())
		if err != nil || got[0].(firm.Created).Slug != want {
			t.Errorf("%q: slug %v (%v), want %q", name, got, err, want)
		}
	}
}

func TestEveryNameMakesASlugThatIsAccepted(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := firm.Create{Name: "n" + rapid.StringN(0, 60, -1).Draw(t, "name"), Currency: "EUR", TimeZone: "UTC"}
		got, err := c.Decide(firm.State{}, dt.Meta())
		if err != nil {
			if f := domain.AsFault(err); f.Field != "name" {
				t.Fatalf("%q: %v", c.Name, err)
			}
			return
		}
		c.Slug = got[0].(firm.Created).Slug
		if _, err := c.Decide(firm.State{}, dt.Meta()); err != nil {
			t.Fatalf("%q made the slug %q, which is refused: %v", c.Name, c.Slug, err)
		}
	})
}

func TestStaff(t *testing.T) {
	invite := func(email, name string, role firm.Role) firm.Invite {
		return firm.Invite{Email: domain.P(email), Name: domain.P(name), Role: role}
	}
	gone := firm.StaffDeactivated{Staff: dt.ID("ben")}
	dt.Run(t, firm.Aggregate, []testCase{
		{
			Name: "is invited", Given: events{created, ada}, When: invite("cleo@north.example", "Cleo", firm.Manager),
			Then: events{firm.StaffInvited{Staff: dt.Meta().NewID("staff"), Name: domain.P("Cleo"), Email: domain.P("cleo@north.example"), Role: firm.Manager}},
		},
		{Name: "needs an e-mail", Given: events{created}, When: invite("cleo", "Cleo", firm.Manager), Fault: "email-invalid email"},
		{Name: "needs a name", Given: events{created}, When: invite("cleo@north.example", "", firm.Manager), Fault: "name-required name"},
		{Name: "needs a role", Given: events{created}, When: invite("cleo@north.example", "Cleo", "owner"), Fault: "role-unknown role"},
		{Name: "is invited once", Given: events{created, ada}, When: invite("ADA@north.example", "Ada", firm.Member), Fault: "staff-email-in-use"},
		{
			Name: "comes back as somebody new", Given: events{created, ada, ben, gone}, When: invite("ben@north.example", "Ben", firm.Member),
			Then: events{firm.StaffInvited{Staff: dt.Meta().NewID("staff"), Name: domain.P("Ben"), Email: domain.P("ben@north.example"), Role: firm.Member}},
		},

		{
			Name: "is promoted", Given: events{created, ada, ben}, When: firm.ChangeRole{Staff: dt.ID("ben"), Role: firm.Manager},
			Then: events{firm.StaffRoleChanged{Staff: dt.ID("ben"), From: firm.Member, To: firm.Manager}},
		},
		{Name: "has this role already", Given: events{created, ada, ben}, When: firm.ChangeRole{Staff: dt.ID("ben"), Role: firm.Member}},
		{Name: "takes no unknown role", Given: events{created, ada, ben}, When: firm.ChangeRole{Staff: dt.ID("ben")}, Fault: "role-unknown role"},
		{Name: "is known, to change role", Given: events{created, ada}, When: firm.ChangeRole{Staff: dt.ID("ben"), Role: firm.Member}, Fault: "not-found"},
		{Name: "has no role any more", Given: events{created, ada, ben, gone}, When: firm.ChangeRole{Staff: dt.ID("ben"), Role: firm.Manager}, Fault: "staff-deactivated"},
		{Name: "stays while the last administrator (role)", Given: events{created, ada, ben}, When: firm.ChangeRole{Staff: dt.ID("ada"), Role: firm.Manager}, Fault: "last-administrator"},
		{
			Name: "steps down beside another administrator", Given: events{created, ada, ben, firm.StaffRoleChanged{Staff: dt.ID("ben"), From: firm.Member, To: firm.Administrator}},
			When: firm.ChangeRole{Staff: dt.ID("ada"), Role: firm.Manager},
			Then: events{firm.StaffRoleChanged{Staff: dt.ID("ada"), From: firm.Administrator, To: firm.Manager}},
		},

		{
			Name: "is deactivated", Given: events{created, ada, ben}, When: firm.Deactivate{Staff: dt.ID("ben"), Reason: domain.P("left")},
			Then: events{firm.StaffDeactivated{Staff: dt.ID("ben"), Reason: domain.P("left")}},
		},
		{Name: "is deactivated already", Given: events{created, ada, ben, gone}, When: firm.Deactivate{Staff: dt.ID("ben")}},
		{Name: "is known, to be deactivated", Given: events{created, ada}, When: firm.Deactivate{Staff: dt.ID("ben")}, Fault: "not-found"},
		{Name: "stays while the last administrator", Given: events{created, ada, ben}, When: firm.Deactivate{Staff: dt.ID("ada")}, Fault: "last-administrator"},
		{
			Name:  "stays while the other administrator is gone",
			Given: events{created, ada, invited("ben", firm.Administrator), gone}, When: firm.Deactivate{Staff: dt.ID("ada")}, Fault: "last-administrator",
		},
		{Name: "goes for a short reason", Given: events{created, ada, ben}, When: firm.Deactivate{Staff: dt.ID("ben"), Reason: domain.P(strings.Repeat("x", 501))}, Fault: "reason-too-long reason"},
	})
}

func TestRolesAreOrdered(t *testing.T) {
	order := []firm.Role{"", firm.Member, firm.Manager, firm.Administrator}
	for i, r := range order {
		for j, other := range order {
			if got := r.AtLeast(other); got != (i >= j) {
				t.Errorf("%q at least %q: %v", r, other, got)
			}
		}
	}
}

// However staff are promoted, demoted and sent away, a firm that had an administrator has one.
func TestThereIsAlwaysAnAdministrator(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := firm.Aggregate.Fold(created, ada, ben, invited("cleo", firm.Manager))
		for range rapid.IntRange(1, 30).Draw(t, "commands") {
			who := dt.ID(rapid.SampledFrom([]string{"ada", "ben", "cleo"}).Draw(t, "who"))
			var command dt.Decider[firm.State, firm.Event] = firm.Deactivate{Staff: who}
			if rapid.Float64().Draw(t, "which") < 0.8 {
				command = firm.ChangeRole{Staff: who, Role: rapid.SampledFrom([]firm.Role{firm.Administrator, firm.Manager, firm.Member}).Draw(t, "role")}
			}
			decided, _ := command.Decide(s, dt.Meta())
			for _, e := range decided {
				s = firm.Aggregate.Evolve(s, e)
			}
			administrators := 0
			for _, member := range s.Staff {
				if member.Active && member.Role == firm.Administrator {
					administrators++
				}
			}
			if administrators == 0 {
				t.Fatalf("no administrator left after %v", command)
			}
		}
	})
}

func TestCommandsActOnTheirTarget(t *testing.T) {
	for _, c := range []interface{ Target() domain.ID }{
		firm.ChangeSettings{Firm: dt.ID("it")},
		firm.Invite{Firm: dt.ID("it")},
		firm.ChangeRole{Firm: dt.ID("it"), Staff: dt.ID("ben")},
		firm.Deactivate{Firm: dt.ID("it"), Staff: dt.ID("ben")},
	} {
		if c.Target() != dt.ID("it") {
			t.Errorf("%T acts on something else", c)
		}
	}
}

func TestFoldLeavesEarlierStatesAlone(t *testing.T) {
	before := firm.Aggregate.Fold(created, ada)
	firm.Aggregate.Evolve(before, ben)
	firm.Aggregate.Evolve(before, firm.StaffRoleChanged{Staff: dt.ID("ada"), From: firm.Administrator, To: firm.Member})
	firm.Aggregate.Evolve(before, firm.StaffDeactivated{Staff: dt.ID("ada")})
	if member := before.Staff[dt.ID("ada")]; len(before.Staff) != 1 || !member.Active || member.Role != firm.Administrator {
		t.Fatalf("an earlier state changed: %+v", before)
	}
}

func TestLocation(t *testing.T) {
	if got := settings.Location().String(); got != "Europe/Berlin" {
		t.Fatal(got)
	}
	if got := (firm.Settings{TimeZone: "Nowhere"}).Location().String(); got != "UTC" {
		t.Fatal(got)
	}
}

func TestSentences(t *testing.T) {
	for want, e := range map[string]domain.Event{
		"created the firm North Studio":                         created,
		"changed the firm's settings":                           firm.SettingsChanged{},
		"invited ben as member":                                 ben,
		"changed a staff member's role from member to manager":  firm.StaffRoleChanged{From: firm.Member, To: firm.Manager},
		"deactivated a staff member":                            firm.StaffDeactivated{},
		"deactivated a staff member: left for another position": firm.StaffDeactivated{Reason: domain.P("left for another position")},
	} {
		if got := e.Sentence(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestLogo(t *testing.T) {
	first := domain.File{ID: dt.ID("first"), SHA256: "5ha", Size: 70, Type: "image/png"}
	set := firm.SetLogo{File: first.ID, Logo: first}
	dt.Run(t, firm.Aggregate, []testCase{
		{Name: "is set", Given: events{created}, When: set, Then: events{firm.LogoSet{Logo: first}}},
		{Name: "is this one already", Given: events{created, firm.LogoSet{Logo: first}}, When: set},
		{Name: "takes a file", Given: events{created}, When: firm.SetLogo{}, Fault: "file-required file"},
		{Name: "is removed", Given: events{created, firm.LogoSet{Logo: first}}, When: firm.RemoveLogo{}, Then: events{firm.LogoRemoved{}}},
		{Name: "is not there", Given: events{created}, When: firm.RemoveLogo{}},
		{Name: "comes back", Given: events{created, firm.LogoSet{Logo: first}, firm.LogoRemoved{}}, When: set, Then: events{firm.LogoSet{Logo: first}}},
	})
}

func TestOperations(t *testing.T) {
	run := dt.Meta().NewID("run")
	started := firm.RebuildStarted{Run: run}
	ended := firm.RebuildEnded{Run: run, Events: 70, Digest: "5ha"}
	dt.Run(t, firm.Aggregate, []testCase{
		{Name: "starts a rebuild", Given: events{created}, When: firm.Rebuild{}, Then: events{started}},
		{Name: "starts another one", Given: events{created, firm.RebuildStarted{Run: dt.ID("before")}}, When: firm.Rebuild{}, Then: events{started}},
		{Name: "ends it", Given: events{created, started}, When: firm.EndRebuild{Ended: ended}, Then: events{ended}},
		{Name: "has ended it", Given: events{created, started, ended}, When: firm.EndRebuild{Ended: ended}},
		{Name: "ends none that was not started", Given: events{created}, When: firm.EndRebuild{Ended: ended}},
		{Name: "puts the tables back", Given: events{created, firm.RebuildStarted{Run: dt.ID("before")}}, When: firm.PutBackTables{}, Then: events{firm.TablesPutBack{Run: run}}},
	})
	for want, e := range map[string]firm.Event{
		"made all pages' tables anew from 70 events":                            ended,
		"could not make the pages' tables anew":                                 firm.RebuildEnded{Failed: true},
		"made all pages' tables anew from 7 events; some had other rows before": firm.RebuildEnded{Events: 7, Differ: []string{"invoices"}},
	} {
		if e.Sentence() != want {
			t.Errorf("%q", e.Sentence())
		}
	}
}

func TestGolden(t *testing.T) {
	full := settings
	full.InvoicePrefix, full.ShowUnreleasedInvoices, full.DefaultAudience = "INV-", true, firm.Named
	full.RequireSecondFactorForClients, full.ClientSessionDays = true, 7
	full.Address, full.TaxID, full.PaymentDetails = "1 Quay\nBergen", "NO 123", "IBAN NO93 8601"
	full.PrimaryColor, full.AccentColor = "#1f5f5b", "#b4632a"
	full.ModulesOff = []domain.Module{domain.Contracts, domain.Projects}
	dt.Golden(t, firm.Aggregate,
		firm.Created{Slug: "north-studio", Settings: full}, firm.SettingsChanged{Settings: full}, ben,
		firm.StaffRoleChanged{Staff: dt.ID("ben"), From: firm.Member, To: firm.Manager},
		firm.StaffDeactivated{Staff: dt.ID("ben"), Reason: domain.P("left")},
		firm.LogoSet{Logo: domain.File{ID: dt.ID("logo"), SHA256: "45777c14d90fa79dc6ce71ceb6f81cced62c929c472199547cfd939a54e954c6", Size: 1234, Type: "image/png"}}, firm.LogoRemoved{},
		firm.RebuildStarted{Run: dt.ID("run")}, firm.RebuildEnded{Run: dt.ID("run"), Events: 12, Digest: "5ha", Differ: []string{"invoices"}, Failed: true},
		firm.TablesPutBack{Run: dt.ID("run")},
	)
}
