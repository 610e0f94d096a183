package contact_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/contact"
	dt "github.com/atrium-portal/atrium/domain/domaintest"
)

var (
	linked   = contact.Linked{Account: dt.ID("bolt"), Role: contact.Viewer, Permissions: viewer.Permissions}
	unlinked = contact.Unlinked{Account: dt.ID("bolt"), Reason: domain.P("left Bolt")}
)

func TestLinks(t *testing.T) {
	type list = []contact.Permission
	bolt, home := dt.ID("bolt"), dt.Meta().Account
	link := func(account domain.ID, role contact.Role, permissions ...contact.Permission) contact.Link {
		return contact.Link{Account: account, Role: role, Permissions: permissions}
	}
	change := func(role contact.Role, permissions ...contact.Permission) contact.ChangePermissions {
		return contact.ChangePermissions{Account: bolt, Role: &role, Permissions: permissions}
	}
	var many events
	for i := range 100 {
		many = append(many, contact.Linked{Account: domain.ID{byte(i), 1}, Role: contact.Viewer})
	}
	dt.Run(t, contact.Aggregate, []testCase{
		{Name: "is linked with the role's permissions", Given: events{added, viewer}, When: link(bolt, contact.Viewer), Then: events{linked}},
		{
			Name: "is linked with permissions, sorted and once each", Given: events{added, viewer}, When: link(bolt, contact.Owner, contact.ViewProjects, contact.Message, contact.ViewProjects),
			Then: events{contact.Linked{Account: bolt, Role: contact.Owner, Permissions: list{contact.Message, contact.ViewProjects}}},
		},
		{Name: "is linked already", Given: events{added, viewer, linked}, When: link(bolt, contact.Viewer)},
		{Name: "is linked otherwise already", Given: events{added, viewer, linked}, When: link(bolt, contact.Owner), Fault: "contact-is-linked"},
		{Name: "is linked again", Given: events{added, viewer, linked, unlinked}, When: link(bolt, contact.Viewer), Then: events{linked}},
		{Name: "is linked while frozen", Given: events{added, viewer, frozen}, When: link(bolt, contact.Viewer), Then: events{linked}},
		{Name: "needs no link to their own client", Given: events{added, viewer}, When: link(home, contact.Viewer), Fault: "contact-is-at-home"},
		{Name: "needs access before a link", Given: events{added}, When: link(bolt, contact.Viewer), Fault: "contact-has-no-access"},
		{Name: "needs another client", Given: events{added, viewer}, When: link(domain.NoID, contact.Viewer), Fault: "account-required account"},
		{Name: "needs a role there", Given: events{added, viewer}, When: link(bolt, "boss"), Fault: "role-unknown role"},
		{Name: "needs known permissions there", Given: events{added, viewer}, When: link(bolt, contact.Owner, "fly"), Fault: "permission-unknown permissions[0]"},
		{Name: "is not linked as a duplicate", Given: events{added, viewer, merged}, When: link(bolt, contact.Viewer), Fault: "contact-merged"},
		{Name: "works for a hundred others at most", Given: slices.Concat(events{added, viewer}, many), When: link(bolt, contact.Viewer), Fault: "contact-has-many-links"},

		{Name: "is unlinked", Given: events{added, viewer, linked}, When: contact.Unlink{Account: bolt, Reason: unlinked.Reason}, Then: events{unlinked}},
		{Name: "was never linked", Given: events{added, viewer}, When: contact.Unlink{Account: bolt}},
		{Name: "is unlinked in few words", Given: events{added, viewer, linked}, When: contact.Unlink{Account: bolt, Reason: long}, Fault: "reason-too-long reason"},
		{Name: "is unlinked from a client", Given: events{added, viewer, linked}, When: contact.Unlink{}, Fault: "account-required account"},
		{Name: "is not unlinked from their own client", Given: events{added, viewer, linked}, When: contact.Unlink{Account: home}, Fault: "contact-is-at-home account"},

		{
			Name: "changes what they may do there", Given: events{added, viewer, linked}, When: change(contact.Member, contact.Message),
			Then: events{contact.PermissionsChanged{Account: bolt, RoleFrom: contact.Viewer, RoleTo: contact.Member, From: viewer.Permissions, To: list{contact.Message}}},
		},
		{Name: "may do this there already", Given: events{added, viewer, linked}, When: change(contact.Viewer)},
		{Name: "changes nothing where they are not linked", Given: events{added, viewer}, When: change(contact.Owner), Fault: "contact-has-no-access"},
		{
			Name: "changes at home by its name, too", Given: events{added, viewer}, When: contact.ChangePermissions{Account: home, Permissions: list{}},
			Then: events{contact.PermissionsChanged{RoleFrom: contact.Viewer, RoleTo: contact.Viewer, From: viewer.Permissions, To: list{}}},
		},

		{
			Name: "loses every link with access", Given: events{added, viewer, linked}, When: contact.Revoke{Reason: revoked.Reason},
			Then: events{contact.Unlinked{Account: bolt}, revoked},
		},
		{
			Name: "loses every link as a duplicate", Given: events{added, viewer, linked}, When: contact.Retire{Contact: dt.ID("it"), Into: dt.ID("other")},
			Then: events{contact.Unlinked{Account: bolt}, merged},
		},
	})
}

func TestMergeGoesOnWhereTheDuplicateGotIn(t *testing.T) {
	bolt, crux, home := dt.ID("bolt"), dt.ID("crux"), dt.Meta().Account
	absorbed := contact.Absorbed{Duplicate: dt.ID("other")}
	merge := func(of domain.ID, carried ...contact.Membership) contact.Merge {
		return contact.Merge{Contact: dt.ID("it"), Duplicate: dt.ID("other"), Home: of, Carried: carried}
	}
	at := func(account domain.ID) contact.Membership { return contact.Membership(linkedTo(account)) }
	dt.Run(t, contact.Aggregate, []testCase{
		{Name: "takes over the duplicate's links", Given: events{added, viewer}, When: merge(home, at(home), at(crux)), Then: events{absorbed, linkedTo(crux)}},
		{Name: "takes over the duplicate's client", Given: events{added, viewer}, When: merge(bolt, at(bolt)), Then: events{absorbed, linkedTo(bolt)}},
		{Name: "keeps the links it has", Given: events{added, viewer, linked}, When: merge(bolt, contact.Membership{Account: bolt, Role: contact.Owner}), Then: events{absorbed}},
		{Name: "takes over nothing without access", Given: events{added}, When: merge(home, at(home), at(crux)), Then: events{absorbed}},
		{Name: "works for the duplicate's client", Given: events{added, viewer}, When: merge(bolt), Fault: "duplicate-elsewhere"},
		{Name: "has access at the duplicate's client", Given: events{added}, When: merge(bolt, at(bolt)), Fault: "duplicate-elsewhere"},
	})
}

func linkedTo(account domain.ID) contact.Linked {
	return contact.Linked{Account: account, Role: contact.Viewer, Permissions: viewer.Permissions}
}

func TestMemberships(t *testing.T) {
	home, bolt := dt.ID("home"), dt.ID("bolt")
	own, there := contact.Membership{Account: home, Role: contact.Viewer, Permissions: viewer.Permissions}, contact.Membership(linked)
	for name, c := range map[string]struct {
		given events
		want  []contact.Membership
		also  []domain.ID
	}{
		"without access":          {events{added}, nil, nil},
		"granted":                 {events{added, viewer}, []contact.Membership{own}, nil},
		"linked":                  {events{added, viewer, linked}, []contact.Membership{own, there}, []domain.ID{bolt}},
		"changed there":           {events{added, viewer, linked, contact.PermissionsChanged{Account: bolt, RoleTo: contact.Owner}}, []contact.Membership{own, {Account: bolt, Role: contact.Owner}}, []domain.ID{bolt}},
		"unlinked":                {events{added, viewer, linked, unlinked}, []contact.Membership{own}, nil},
		"linked and frozen":       {events{added, viewer, linked, frozen}, nil, []domain.ID{bolt}},
		"linked, e-mail cleared":  {events{added, viewer, linked, contact.DetailsChanged{Name: added.Name}}, nil, []domain.ID{bolt}},
		"revoked, granted anew":   {events{added, viewer, linked, contact.Unlinked{Account: bolt}, revoked, viewer}, []contact.Membership{own}, nil},
		"merged into another one": {events{added, viewer, linked, contact.Unlinked{Account: bolt}, merged}, nil, nil},
	} {
		s := contact.Aggregate.Fold(c.given...)
		if d := cmp.Diff(c.want, s.Memberships(home)); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
		if d := cmp.Diff(c.also, contact.Aggregate.Also(s)); d != "" {
			t.Errorf("%s: things of other accounts (-want +got):\n%s", name, d)
		}
	}
}
