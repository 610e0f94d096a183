package commands_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/atrium-portal/atrium/commands"
	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/account"
	"github.com/atrium-portal/atrium/domain/contact"
	"github.com/atrium-portal/atrium/domain/domaintest"
	"github.com/atrium-portal/atrium/domain/firm"
	"github.com/atrium-portal/atrium/domain/invoice"
)

// at is a contact's order for the account that they have chosen.
func (h *house) at(accountID, person domain.ID, name string, command any) commands.Order {
	o := h.order(domain.Actor{Kind: domain.Client, ID: person}, name, command)
	o.Meta.Account = accountID
	return o
}

func (h *house) link(person, accountID domain.ID, permissions ...contact.Permission) {
	h.t.Helper()
	h.must(h.staff("LinkContact", contact.Link{Contact: person, Account: accountID, Role: contact.Viewer, Permissions: permissions}))
}

func (h *house) access(person, chosen domain.ID) commands.Access {
	h.t.Helper()
	access, err := h.loop.Access(h.t.Context(), h.firm, person, chosen)
	if err != nil {
		h.t.Fatal(err)
	}
	return access
}

func TestAPersonWorksForSeveralClients(t *testing.T) {
	h := newHouse(t)
	lima, ana := h.account("lima")
	bolt, carl := h.account("bolt")
	h.refused(h.staff("LinkContact", contact.Link{Contact: ana, Account: domaintest.ID("nothing"), Role: contact.Viewer}), "unknown-account")
	h.link(ana, bolt, contact.ViewInvoices)

	names := []commands.NamedAccount{{ID: lima, Name: "lima"}, {ID: bolt, Name: "bolt"}}
	for _, c := range []struct {
		chosen, want domain.ID
		role         contact.Role
		permissions  []contact.Permission
	}{
		{domain.NoID, lima, contact.Owner, contact.Owner.Defaults()},
		{lima, lima, contact.Owner, contact.Owner.Defaults()},
		{bolt, bolt, contact.Viewer, []contact.Permission{contact.ViewInvoices}},
		{domaintest.ID("nothing"), lima, contact.Owner, contact.Owner.Defaults()},
	} {
		want := commands.Access{OK: true, Account: c.want, Accounts: names, Role: c.role, Permissions: c.permissions}
		if d := cmp.Diff(want, h.access(ana, c.chosen)); d != "" {
			t.Errorf("choosing %s (-want +got):\n%s", c.chosen, d)
		}
	}
	if got := h.access(carl, lima); got.Account != bolt || len(got.Accounts) != 1 {
		t.Errorf("carl works for %+v", got)
	}

	// What they do is done at the account that they have chosen, with what they may there.
	theirs, ours := h.sent(bolt, 100, ana, carl), h.sent(lima, 100)
	question := func(id domain.ID) invoice.Question { return invoice.Question{Invoice: id, Text: domain.P("Why?")} }
	h.must(h.at(bolt, ana, "QuestionInvoice", question(theirs)))
	h.refused(h.at(bolt, ana, "QuestionInvoice", question(ours)), "not-found")
	h.refused(h.at(lima, ana, "QuestionInvoice", question(theirs)), "not-found")
	h.refused(h.at(domaintest.ID("nothing"), ana, "QuestionInvoice", question(theirs)), "not-permitted")
	h.refused(h.at(lima, carl, "QuestionInvoice", question(ours)), "not-permitted")
	h.must(h.at(lima, ana, "QuestionInvoice", question(ours)))

	// They are themselves wherever they are; what they change about themselves stays at their own account.
	name := domain.P("Ana L.")
	r := h.must(h.at(bolt, ana, "ChangeContactDetails", contact.ChangeDetails{Contact: ana, Name: &name}))
	if f := h.fact(r); f.Meta.Account != lima {
		t.Errorf("the details are of %s", f.Meta.Account)
	}
	h.refused(h.at(bolt, ana, "ChangeContactDetails", contact.ChangeDetails{Contact: carl, Name: &name}), "not-found")

	h.must(h.staff("ChangePermissions", contact.ChangePermissions{Contact: ana, Account: bolt, Permissions: []contact.Permission{}}))
	h.refused(h.at(bolt, ana, "QuestionInvoice", question(theirs)), "not-permitted")
	h.must(h.staff("UnlinkContact", contact.Unlink{Contact: ana, Account: bolt}))
	if got := h.access(ana, bolt); got.Account != lima || len(got.Accounts) != 1 {
		t.Errorf("unlinked, ana works for %+v", got)
	}
	h.refused(h.staff("DraftInvoice", to(draftOf(bolt, 100), ana)), "unknown-contact")
}

func TestLinksKeepToTheFirm(t *testing.T) {
	h := newHouse(t)
	_, ana := h.account("lima")
	closed, _ := h.account("closed")
	h.must(h.staff("CloseAccount", account.Close{Account: closed}))
	h.refused(h.staff("LinkContact", contact.Link{Contact: ana, Account: closed, Role: contact.Viewer}), "account-closed")

	first := h.firm
	h.firm = h.must(h.system("CreateFirm", firm.Create{Name: "South", Currency: "EUR", TimeZone: "Europe/Berlin"})).ID
	foreign := h.must(h.system("OpenAccount", account.Open{Name: domain.P("delta"), Currency: "EUR", Contact: account.Person{Name: domain.P("Dora"), Email: domain.P("dora@delta.example")}})).ID
	h.refused(h.system("LinkContact", contact.Link{Contact: ana, Account: foreign, Role: contact.Viewer}), "not-found")
	if got := h.access(ana, foreign); got.OK {
		t.Errorf("another firm's contact gets in: %+v", got)
	}
	h.firm = first
	h.refused(h.staff("LinkContact", contact.Link{Contact: ana, Account: foreign, Role: contact.Viewer}), "unknown-account")
}

func TestMergeCarriesMemberships(t *testing.T) {
	h := newHouse(t)
	lima, ana := h.account("lima")
	bolt, anaOfBolt := h.account("bolt")
	crux, _ := h.account("crux")
	h.link(anaOfBolt, crux)
	h.must(h.staff("RevokePortalAccess", contact.Revoke{Contact: ana}))
	merge := contact.Merge{Contact: ana, Duplicate: anaOfBolt}
	h.refused(h.staff("MergeContacts", merge), "duplicate-elsewhere")
	h.must(h.staff("GrantPortalAccess", contact.Grant{Contact: ana, Role: contact.Owner}))
	h.must(h.staff("MergeContacts", merge))
	var accounts []domain.ID
	for _, a := range h.access(ana, domain.NoID).Accounts {
		accounts = append(accounts, a.ID)
	}
	if !slices.Equal(accounts, []domain.ID{lima, bolt, crux}) {
		t.Errorf("works for %v", accounts)
	}
	if got := h.access(anaOfBolt, domain.NoID); got.OK {
		t.Errorf("the duplicate gets in: %+v", got)
	}
	if got := h.access(ana, bolt).Absorbed; !slices.Equal(got, []domain.ID{anaOfBolt}) {
		t.Errorf("absorbed %v", got)
	}
	h.refused(h.staff("MergeContacts", contact.Merge{Contact: ana, Duplicate: domaintest.ID("nobody")}), "unknown-contact")
}

// sent is an invoice of an account that was sent to contacts; to all when none is named.
func (h *house) sent(accountID domain.ID, cents int64, recipients ...domain.ID) domain.ID {
	h.t.Helper()
	id := h.must(h.staff("DraftInvoice", to(draftOf(accountID, cents), recipients...))).ID
	h.must(h.staff("SendInvoice", invoice.Send{Invoice: id}))
	return id
}

func to(d invoice.Draft, recipients ...domain.ID) invoice.Draft {
	d.Recipients = recipients
	return d
}

// fact is the last event of a command.
func (h *house) fact(r commands.Receipt) domain.Fact {
	h.t.Helper()
	for _, stored := range slices.Backward(h.log.All()) {
		if stored.Position == r.Position {
			f, err := h.loop.Codec.Decode(stored)
			if err != nil {
				h.t.Fatal(err)
			}
			return f
		}
	}
	h.t.Fatal("no such event")
	return domain.Fact{}
}
