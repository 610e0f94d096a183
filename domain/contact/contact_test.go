package contact_test

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/contact"
	dt "github.com/atrium-portal/atrium/domain/domaintest"
)

type (
	testCase = dt.Case[contact.State, contact.Event]
	events   = []contact.Event
)

var (
	added   = contact.Added{Name: domain.P("Ana Lima"), Email: domain.P("ana@lima.example"), Phone: domain.P("+49 30 1"), Primary: true}
	noEmail = contact.Added{Name: domain.P("Ana Lima")}
	viewer  = contact.AccessGranted{
		Role: contact.Viewer, Permissions: []contact.Permission{contact.ViewContracts, contact.ViewInvoices, contact.ViewProjects},
	}
	frozen  = contact.AccessFrozen{Reason: domain.P("mailbox reported stolen")}
	revoked = contact.AccessRevoked{Reason: domain.P("left")}
	merged  = contact.Merged{Into: dt.ID("other")}
	long    = domain.P(strings.Repeat("x", 501))
)

func text(s string) *domain.Personal { p := domain.P(s); return &p }

// it is the contact itself, who acts; somebody is another contact.
var (
	it       = dt.By(dt.Client("it"))
	somebody = dt.By(dt.Client("somebody"))
)

func TestDetails(t *testing.T) {
	changed := func(name, email, phone, emailBefore string) contact.DetailsChanged {
		return contact.DetailsChanged{Name: domain.P(name), Email: domain.P(email), Phone: domain.P(phone), EmailBefore: domain.P(emailBefore)}
	}
	dt.Run(t, contact.Aggregate, []testCase{
		{
			Name: "is added", When: onlyNew{contact.Add{Account: dt.ID("account"), Name: added.Name, Email: added.Email, Phone: added.Phone, Primary: true}},
			Then: events{added},
		},
		{Name: "is added without an e-mail", When: onlyNew{contact.Add{Account: dt.ID("account"), Name: noEmail.Name}}, Then: events{noEmail}},
		{Name: "needs a name", When: contact.Add{Email: added.Email}, Fault: "name-required name"},
		{Name: "has an e-mail that can be one", When: contact.Add{Name: added.Name, Email: domain.P("ana")}, Fault: "email-invalid email"},
		{Name: "has a short phone number", When: contact.Add{Name: added.Name, Phone: long}, Fault: "phone-too-long phone"},

		{
			Name: "changes only what is given", Given: events{added}, When: contact.ChangeDetails{Phone: text("+49 30 2")},
			Then: events{changed("Ana Lima", "ana@lima.example", "+49 30 2", "")},
		},
		{
			Name: "changes e-mail", Given: events{added}, When: contact.ChangeDetails{Email: text("lima@lima.example")},
			Then: events{changed("Ana Lima", "lima@lima.example", "+49 30 1", "ana@lima.example")},
		},
		{
			Name: "spells the e-mail anew", Given: events{added}, When: contact.ChangeDetails{Email: text("Ana@Lima.example")},
			Then: events{changed("Ana Lima", "Ana@Lima.example", "+49 30 1", "")},
		},
		{
			Name: "clears the e-mail", Given: events{added}, When: contact.ChangeDetails{Email: text("")},
			Then: events{changed("Ana Lima", "", "+49 30 1", "ana@lima.example")},
		},
		{Name: "has these details already", Given: events{added}, When: contact.ChangeDetails{Name: text("Ana Lima"), Email: text("ana@lima.example")}},
		{Name: "keeps a name", Given: events{added}, When: contact.ChangeDetails{Name: text("")}, Fault: "name-required name"},
		{Name: "keeps an e-mail that can be one", Given: events{added}, When: contact.ChangeDetails{Email: text("@")}, Fault: "email-invalid email"},
		{Name: "is another one now", Given: events{added, merged}, When: contact.ChangeDetails{Name: text("Ana")}, Fault: "contact-merged"},

		{
			Name: "changes their own name and phone", Given: events{added}, Meta: it, When: contact.ChangeDetails{Name: text("Ana L."), Phone: text("1")},
			Then: events{changed("Ana L.", "ana@lima.example", "1", "")},
		},
		{Name: "asks the firm for another e-mail", Given: events{added}, Meta: it, When: contact.ChangeDetails{Email: text("a@lima.example")}, Fault: "email-by-request email"},
		{Name: "asks the firm to clear the e-mail", Given: events{added}, Meta: it, When: contact.ChangeDetails{Email: text("")}, Fault: "email-by-request email"},
		{Name: "sends the e-mail along unchanged", Given: events{added}, Meta: it, When: contact.ChangeDetails{Email: text("ana@lima.example")}},
		{Name: "is not found by somebody else", Given: events{added}, Meta: somebody, When: contact.ChangeDetails{Name: text("Ana")}, Fault: "not-found"},
	})
}

// onlyNew stands for the loop, which runs a command that makes something only while its stream does not exist.
type onlyNew struct{ contact.Add }

func (c onlyNew) Decide(s contact.State, m domain.Meta) (events, error) {
	if s.Details != (contact.Details{}) {
		return nil, nil
	}
	return c.Add.Decide(s, m)
}

func TestAccess(t *testing.T) {
	type list = []contact.Permission
	grant := func(role contact.Role, permissions ...contact.Permission) contact.Grant {
		return contact.Grant{Role: role, Permissions: permissions}
	}
	change := func(role contact.Role, permissions ...contact.Permission) contact.ChangePermissions {
		return contact.ChangePermissions{Role: &role, Permissions: permissions}
	}
	member := contact.Member.Defaults()
	dt.Run(t, contact.Aggregate, []testCase{
		{Name: "is granted with the role's permissions", Given: events{added}, When: grant(contact.Viewer), Then: events{viewer}},
		{
			Name: "is granted with permissions, sorted and once each", Given: events{added}, When: grant(contact.Viewer, contact.ViewProjects, contact.Message, contact.ViewProjects),
			Then: events{contact.AccessGranted{Role: contact.Viewer, Permissions: list{contact.Message, contact.ViewProjects}}},
		},
		{
			Name: "is granted without any permission", Given: events{added}, When: contact.Grant{Role: contact.Viewer, Permissions: list{}},
			Then: events{contact.AccessGranted{Role: contact.Viewer, Permissions: list{}}},
		},
		{Name: "is granted already", Given: events{added, viewer}, When: grant(contact.Viewer)},
		{Name: "is granted otherwise already", Given: events{added, viewer}, When: grant(contact.Owner), Fault: "contact-has-access"},
		{Name: "is granted again", Given: events{added, viewer, revoked}, When: grant(contact.Viewer), Then: events{viewer}},
		{Name: "needs an e-mail", Given: events{noEmail}, When: grant(contact.Viewer), Fault: "contact-has-no-email"},
		{Name: "needs a role", Given: events{added}, When: grant("boss"), Fault: "role-unknown role"},
		{Name: "needs known permissions", Given: events{added}, When: grant(contact.Owner, contact.Message, "fly"), Fault: "permission-unknown permissions[1]"},
		{Name: "is not for duplicates", Given: events{added, merged}, When: grant(contact.Viewer), Fault: "contact-merged"},

		{
			Name: "changes role and permissions", Given: events{added, viewer}, When: change(contact.Member, contact.RaiseTickets, contact.Message),
			Then: events{contact.PermissionsChanged{RoleFrom: contact.Viewer, RoleTo: contact.Member, From: viewer.Permissions, To: list{contact.Message, contact.RaiseTickets}}},
		},
		{
			Name: "changes to the role's permissions", Given: events{added, viewer}, When: change(contact.Member),
			Then: events{contact.PermissionsChanged{RoleFrom: contact.Viewer, RoleTo: contact.Member, From: viewer.Permissions, To: member}},
		},
		{
			Name: "changes permissions only", Given: events{added, viewer}, When: contact.ChangePermissions{Permissions: list{contact.Message}},
			Then: events{contact.PermissionsChanged{RoleFrom: contact.Viewer, RoleTo: contact.Viewer, From: viewer.Permissions, To: list{contact.Message}}},
		},
		{
			Name: "loses every permission", Given: events{added, viewer}, When: contact.ChangePermissions{Permissions: list{}},
			Then: events{contact.PermissionsChanged{RoleFrom: contact.Viewer, RoleTo: contact.Viewer, From: viewer.Permissions, To: list{}}},
		},
		{
			Name: "has these permissions already", Given: events{added, viewer},
			When: change(contact.Viewer, contact.ViewProjects, contact.ViewInvoices, contact.ViewContracts, contact.ViewContracts),
		},
		{Name: "says what to change", Given: events{added, viewer}, When: contact.ChangePermissions{}, Fault: "permissions-required permissions"},
		{Name: "changes to a known role", Given: events{added, viewer}, When: change(""), Fault: "role-unknown role"},
		{Name: "changes to known permissions", Given: events{added, viewer}, When: change(contact.Owner, "fly"), Fault: "permission-unknown permissions[0]"},
		{Name: "changes what was granted", Given: events{added}, When: change(contact.Owner), Fault: "contact-has-no-access"},
		{Name: "changes nothing of duplicates", Given: events{added, viewer, merged}, When: change(contact.Owner), Fault: "contact-merged"},

		{Name: "is revoked", Given: events{added, viewer}, When: contact.Revoke{Reason: domain.P("left")}, Then: events{revoked}},
		{Name: "is revoked already", Given: events{added, viewer, revoked}, When: contact.Revoke{}},
		{Name: "was never granted", Given: events{added}, When: contact.Revoke{}},
		{Name: "is revoked in few words", Given: events{added, viewer}, When: contact.Revoke{Reason: long}, Fault: "reason-too-long reason"},

		{Name: "is frozen", Given: events{added, viewer}, When: contact.Freeze{Reason: frozen.Reason}, Then: events{frozen}},
		{Name: "is frozen already", Given: events{added, viewer, frozen}, When: contact.Freeze{Reason: domain.P("another")}},
		{Name: "is frozen for a reason", Given: events{added, viewer}, When: contact.Freeze{}, Fault: "reason-required reason"},
		{Name: "is granted before it is frozen", Given: events{added}, When: contact.Freeze{Reason: frozen.Reason}, Fault: "contact-has-no-access"},
		{Name: "is not frozen for duplicates", Given: events{added, viewer, merged}, When: contact.Freeze{Reason: frozen.Reason}, Fault: "contact-merged"},
		{Name: "is unfrozen", Given: events{added, viewer, frozen}, When: contact.Unfreeze{}, Then: events{contact.AccessUnfrozen{}}},
		{Name: "is not frozen", Given: events{added, viewer}, When: contact.Unfreeze{}},
	})
}

func TestMay(t *testing.T) {
	for _, c := range []struct {
		name      string
		given     events
		signIn    bool
		view, pay bool
	}{
		{"added", events{added}, false, false, false},
		{"granted", events{added, viewer}, true, true, false},
		{"granted, without an e-mail now", events{added, viewer, contact.DetailsChanged{Name: added.Name}}, false, false, false},
		{"changed", events{added, viewer, contact.PermissionsChanged{To: []contact.Permission{contact.PayInvoices}}}, true, false, true},
		{"revoked", events{added, viewer, revoked}, false, false, false},
		{"frozen", events{added, viewer, frozen}, false, false, false},
		{"frozen, then revoked and granted anew", events{added, viewer, frozen, revoked, viewer}, false, false, false},
		{"unfrozen", events{added, viewer, frozen, contact.AccessUnfrozen{}}, true, true, false},
		{"merged", events{added, viewer, merged}, false, false, false},
		{"absorbed another", events{added, viewer, contact.Absorbed{Duplicate: dt.ID("other")}}, true, true, false},
	} {
		s := contact.Aggregate.Fold(c.given...)
		if got := s.CanSignIn(); got != c.signIn {
			t.Errorf("%s: can sign in: %v", c.name, got)
		}
		if view, pay := s.May(contact.ViewInvoices), s.May(contact.PayInvoices); view != c.view || pay != c.pay {
			t.Errorf("%s: may view %v, may pay %v", c.name, view, pay)
		}
	}
}

func TestRoleDefaults(t *testing.T) {
	for _, r := range []contact.Role{contact.Owner, contact.Accounts, contact.Member, contact.Viewer} {
		defaults := r.Defaults()
		if len(defaults) == 0 || !slices.IsSorted(defaults) || len(slices.Compact(slices.Clone(defaults))) != len(defaults) {
			t.Errorf("%s: %v", r, defaults)
		}
		for _, p := range defaults {
			if !slices.Contains(contact.Permissions(), p) {
				t.Errorf("%s: unknown permission %s", r, p)
			}
			if r == contact.Viewer && !strings.HasPrefix(string(p), "view_") {
				t.Errorf("a viewer has %s", p)
			}
		}
	}
	if got := len(contact.Owner.Defaults()); got != len(contact.Permissions()) {
		t.Errorf("an owner has %d permissions of %d", got, len(contact.Permissions()))
	}
}

func TestMerge(t *testing.T) {
	merge := func(name string) contact.Merge { return contact.Merge{Contact: dt.ID("it"), Duplicate: dt.ID(name)} }
	retire := func(into domain.ID) contact.Retire { return contact.Retire{Contact: dt.ID("it"), Into: into} }
	smaller, larger := domain.ID{1}, domain.ID{0xff}
	dt.Run(t, contact.Aggregate, []testCase{
		{
			Name: "absorbs a duplicate", Given: events{added}, When: contact.Merge{Contact: dt.ID("it"), Duplicate: dt.ID("other"), Reason: domain.P("same person")},
			Then: events{contact.Absorbed{Duplicate: dt.ID("other"), Reason: domain.P("same person")}},
		},
		{
			Name: "absorbs one more", Given: events{added, contact.Absorbed{Duplicate: dt.ID("other")}}, When: merge("third"),
			Then: events{contact.Absorbed{Duplicate: dt.ID("third")}},
		},
		{Name: "absorbed it already", Given: events{added, contact.Absorbed{Duplicate: dt.ID("other")}}, When: merge("other")},
		{Name: "is not its own duplicate", Given: events{added}, When: merge("it"), Fault: "contact-is-itself duplicate"},
		{Name: "needs a duplicate", Given: events{added}, When: contact.Merge{Contact: dt.ID("it")}, Fault: "duplicate-required duplicate"},
		{Name: "merges in few words", Given: events{added}, When: contact.Merge{Contact: dt.ID("it"), Duplicate: dt.ID("other"), Reason: long}, Fault: "reason-too-long reason"},
		{Name: "was merged itself", Given: events{added, merged}, When: merge("third"), Fault: "contact-merged"},

		{Name: "retires", Given: events{added, viewer}, When: retire(dt.ID("other")), Then: events{merged}},
		{Name: "retired already", Given: events{added, merged}, When: retire(dt.ID("other"))},
		{Name: "retired into another", Given: events{added, merged}, When: retire(dt.ID("third")), Fault: "contact-merged"},
		{Name: "does not retire into itself", Given: events{added}, When: retire(dt.ID("it")), Fault: "into-required into"},
		{Name: "retires into somebody", Given: events{added}, When: retire(domain.NoID), Fault: "into-required into"},
		{Name: "stays as the smaller of two that absorbed each other", Given: events{added, contact.Absorbed{Duplicate: larger}}, When: retire(larger)},
		{
			Name: "retires as the larger of two that absorbed each other", Given: events{added, contact.Absorbed{Duplicate: smaller}}, When: retire(smaller),
			Then: events{contact.Merged{Into: smaller}},
		},
	})
}

func TestOtherThingsReferToContacts(t *testing.T) {
	if err := contact.Aggregate.Referable(contact.Aggregate.Fold(added)); err != nil {
		t.Fatal(err)
	}
	if err := contact.Aggregate.Referable(contact.Aggregate.Fold(added, merged)); domain.AsFault(err).Code != "contact-merged" {
		t.Fatal(err)
	}
}

// Whatever is given to a contact: only who was granted access, has an e-mail and is neither frozen nor merged gets in.
func TestNobodyGetsInByAccident(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := contact.Aggregate.Fold(added)
		granted, frozen, gone, email := false, false, false, true
		for range rapid.IntRange(1, 20).Draw(t, "commands") {
			choices := map[string]dt.Decider[contact.State, contact.Event]{
				"grant": contact.Grant{Role: contact.Member}, "revoke": contact.Revoke{}, "freeze": contact.Freeze{Reason: domain.P("stolen")},
				"unfreeze": contact.Unfreeze{}, "retire": contact.Retire{Contact: dt.ID("it"), Into: dt.ID("other")},
				"clear": contact.ChangeDetails{Email: text("")}, "set": contact.ChangeDetails{Email: text("ana@lima.example")},
			}
			choice := rapid.SampledFrom([]string{"grant", "revoke", "freeze", "unfreeze", "grant", "clear", "set", "retire"}).Draw(t, "choice")
			decided, err := choices[choice].Decide(s, dt.Meta())
			for _, e := range decided {
				s = contact.Aggregate.Evolve(s, e)
			}
			if err == nil {
				switch choice {
				case "grant":
					granted = true
				case "revoke":
					granted = false
				case "freeze", "unfreeze":
					frozen = choice == "freeze"
				case "retire":
					gone = true
				case "clear", "set":
					email = choice == "set"
				}
			}
			if want := granted && email && !frozen && !gone; s.CanSignIn() != want || s.May(contact.Message) != want {
				t.Fatalf("after %s: can sign in %v, want %v", choice, s.CanSignIn(), want)
			}
		}
	})
}

func TestCommandsActOnTheirTarget(t *testing.T) {
	for _, c := range []interface{ Target() domain.ID }{
		contact.ChangeDetails{Contact: dt.ID("it")},
		contact.Grant{Contact: dt.ID("it")},
		contact.ChangePermissions{Contact: dt.ID("it")},
		contact.Revoke{Contact: dt.ID("it")},
		contact.Freeze{Contact: dt.ID("it")},
		contact.Unfreeze{Contact: dt.ID("it")},
		contact.Merge{Contact: dt.ID("it"), Duplicate: dt.ID("other")},
		contact.Retire{Contact: dt.ID("it"), Into: dt.ID("other")},
		contact.Link{Contact: dt.ID("it"), Account: dt.ID("bolt")},
		contact.Unlink{Contact: dt.ID("it"), Account: dt.ID("bolt")},
	} {
		if c.Target() != dt.ID("it") {
			t.Errorf("%T acts on something else", c)
		}
	}
	if (contact.Add{Account: dt.ID("account")}).Owner() != dt.ID("account") {
		t.Error("it belongs to another account")
	}
}

func TestFoldLeavesEarlierStatesAlone(t *testing.T) {
	before := contact.Aggregate.Fold(added, contact.Absorbed{Duplicate: dt.ID("a")}, contact.Absorbed{Duplicate: dt.ID("b")}, contact.Absorbed{Duplicate: dt.ID("c")})
	one := contact.Aggregate.Evolve(before, contact.Absorbed{Duplicate: dt.ID("d")})
	contact.Aggregate.Evolve(before, contact.Absorbed{Duplicate: dt.ID("e")})
	if one.Absorbed[3] != dt.ID("d") {
		t.Fatal("one fold changed the state of another")
	}
}

func TestSentences(t *testing.T) {
	for want, e := range map[string]domain.Event{
		"added the contact Ana Lima":                                          added,
		"changed the contact's details":                                       contact.DetailsChanged{},
		"granted portal access as viewer":                                     viewer,
		"changed the contact's role from viewer to owner":                     contact.PermissionsChanged{RoleFrom: contact.Viewer, RoleTo: contact.Owner},
		"changed what the contact may do":                                     contact.PermissionsChanged{RoleFrom: contact.Viewer, RoleTo: contact.Viewer},
		"revoked portal access: left":                                         revoked,
		"froze portal access: mailbox reported stolen":                        frozen,
		"unfroze portal access":                                               contact.AccessUnfrozen{},
		"merged a duplicate into this contact: typed twice at the exhibition": contact.Absorbed{Reason: domain.P("typed twice at the exhibition")},
		"merged this contact into another one":                                merged,
		"linked this contact to another client as viewer":                     linked,
		"ended this contact's link to another client: left Bolt":              unlinked,
		"changed the contact's role at another client from viewer to owner":   contact.PermissionsChanged{Account: dt.ID("bolt"), RoleFrom: contact.Viewer, RoleTo: contact.Owner},
		"changed what the contact may do at another client":                   contact.PermissionsChanged{Account: dt.ID("bolt"), RoleFrom: contact.Viewer, RoleTo: contact.Viewer},
	} {
		if got := e.Sentence(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestGolden(t *testing.T) {
	dt.Golden(t, contact.Aggregate,
		added, contact.DetailsChanged{Name: added.Name, Email: domain.P("lima@lima.example"), Phone: added.Phone, EmailBefore: added.Email}, viewer,
		contact.PermissionsChanged{RoleFrom: contact.Viewer, RoleTo: contact.Member, From: viewer.Permissions, To: contact.Member.Defaults()},
		revoked, frozen, contact.AccessUnfrozen{}, contact.Absorbed{Duplicate: dt.ID("other"), Reason: domain.P("typed twice")}, merged,
		linked, unlinked, contact.NotificationsChanged{Off: []contact.Notification{contact.InvoiceOverdue, contact.NewInvoice}},
	)
}
