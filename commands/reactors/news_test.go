package reactors_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/atrium-portal/atrium/commands"
	"github.com/atrium-portal/atrium/commands/commandstest"
	"github.com/atrium-portal/atrium/commands/reactors"
	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/account"
	"github.com/atrium-portal/atrium/domain/contact"
	"github.com/atrium-portal/atrium/domain/contract"
	"github.com/atrium-portal/atrium/domain/domaintest"
	"github.com/atrium-portal/atrium/domain/firm"
	"github.com/atrium-portal/atrium/domain/invoice"
)

// book lists who works for each client.
type book map[domain.ID][]domain.ID

func (b book) Readers(_ context.Context, _, account domain.ID) ([]domain.ID, error) {
	return b[account], nil
}

// drawer draws copies.
type drawer struct{}

func (drawer) SignedCopy(_ context.Context, _, id domain.ID) (string, error) {
	return "sum of " + id.String(), nil
}

func TestNews(t *testing.T) {
	now := domaintest.Now
	log := commandstest.NewMemory()
	loop := commandstest.NewLoop(t, log, func() time.Time { return now }, nil)
	var north domain.ID
	give := func(who domain.Actor, name string, command any) domain.ID {
		t.Helper()
		r, err := loop.Dispatch(t.Context(), commands.Order{Name: name, Command: command, Meta: domain.Meta{Firm: north, Actor: who, Command: domain.NewID(), Proof: domain.Proof{At: now}}})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		return r.ID
	}
	do := func(name string, command any) domain.ID {
		t.Helper()
		return give(domain.SystemActor("test"), name, command)
	}
	north = do("CreateFirm", firm.Create{Name: "North & Co", Currency: "EUR", TimeZone: "Europe/Berlin"})
	lima := do("OpenAccount", account.Open{Name: domain.P("Lima"), Currency: "EUR", Contact: account.Person{Name: domain.P("Old"), Email: domain.P("old@lima.example")}})
	readers := book{}
	people := map[string]domain.ID{}
	for name, role := range map[string]contact.Role{"ana": contact.Owner, "ben": contact.Owner, "cleo": contact.Owner, "dan": contact.Viewer} {
		id := do("AddContact", contact.Add{Account: lima, Name: domain.P(name), Email: domain.P(name + "@lima.example")})
		readers[lima], people[name] = append(readers[lima], id), id
		permissions := []contact.Permission(nil)
		if name == "dan" {
			permissions = []contact.Permission{contact.ViewProjects}
		}
		do("GrantPortalAccess", contact.Grant{Contact: id, Role: role, Permissions: permissions})
	}
	give(domain.Actor{Kind: domain.Client, ID: people["ben"]}, "SetNotifications", contact.SetNotifications{
		Contact: people["ben"], Off: []contact.Notification{contact.NewInvoice},
	})
	do("FreezeAccess", contact.Freeze{Contact: people["cleo"], Reason: domain.P("left")})

	draft := func(recipients ...domain.ID) domain.ID {
		return do("DraftInvoice", invoice.Draft{
			Account: lima, Due: domain.DateOf(now, time.UTC).AddDays(14), Recipients: recipients,
			Lines: []invoice.Line{{Description: domain.P("Work"), Quantity: domain.One, UnitPrice: domain.Money{Amount: 70_000, Currency: "EUR"}}},
		})
	}
	post, at := &box{letters: map[domain.ID]reactors.Letter{}}, places{}
	n := reactors.Notices{Loop: loop, Codec: loop.Codec, Post: post, Readers: readers, Copies: drawer{}, Base: "https://portal.example", Checkpoints: at, Now: func() time.Time { return now }}
	handled := 0
	told := func(what string, want ...string) {
		t.Helper()
		before := len(post.order)
		for range 2 { // after a crash it all comes again
			if err := n.Handle(t.Context(), log.All()[handled:]); err != nil {
				t.Fatal(err)
			}
		}
		handled = len(log.All())
		got := slices.Sorted(slices.Values(post.order[before:]))
		if d := cmp.Diff(append([]string{}, want...), append([]string{}, got...)); d != "" {
			t.Errorf("%s: %s", what, d)
		}
	}
	told("nothing yet")
	bill := draft()
	told("a draft is nobody's business")
	do("SendInvoice", invoice.Send{Invoice: bill})
	told("who has switched it off, may not see it or is frozen is not told", "ana@lima.example: A new invoice 0001")
	do("SendInvoice", invoice.Send{Invoice: draft(people["ben"])})
	told("an invoice for one alone, who does without")
	do("RecordPayment", invoice.RecordPayment{Invoice: bill, Amount: domain.Money{Amount: 100, Currency: "EUR"}, Date: domain.DateOf(now, time.UTC), Method: invoice.Cash})
	told("a payment", "ana@lima.example: Your payment for invoice 0001 has arrived", "ben@lima.example: Your payment for invoice 0001 has arrived")
	now = now.AddDate(0, 0, 20)
	do("MarkOverdue", invoice.MarkOverdue{Invoice: bill})
	told("a reminder", "ana@lima.example: A reminder of invoice 0001", "ben@lima.example: A reminder of invoice 0001")

	terms := do("DraftContract", contract.Draft{Account: lima, Title: domain.P("Secret terms"), Body: domain.P("We agree."), Signers: []contract.Signer{{Contact: people["ben"]}, {Contact: people["ana"]}}})
	do("SendContract", contract.Send{Contract: terms})
	told("the first signer alone", "ben@lima.example: A contract waits for your signature")
	sign := func(name string) {
		who := domain.Actor{Kind: domain.Client, ID: people[name]}
		give(who, "ViewContract", contract.View{Contract: terms})
		give(who, "ConsentToSigning", contract.Consent{
			Contract: terms, SHA256: contract.Digest("Secret terms", "We agree."), Disclosure: contract.DisclosureNow().SHA256(), Read: true,
		})
		give(who, "SignContract", contract.Sign{Contract: terms, Name: domain.P(name), Statement: domain.P("I agree."), SHA256: contract.Digest("Secret terms", "We agree.")})
	}
	sign("ben")
	told("then the next", "ana@lima.example: A contract waits for your signature")
	sign("ana")
	told("and at the end each signer gets a copy", "ana@lima.example: Your copy of the signed contract", "ben@lima.example: Your copy of the signed contract")
	told("once")
	copies := map[domain.ID]contract.CopyDelivered{}
	for _, r := range log.All() {
		if fact, err := loop.Codec.Decode(r); err == nil {
			if e, ok := fact.Event.(contract.CopyDelivered); ok {
				if _, twice := copies[e.Contact]; twice || e.SHA256 != "sum of "+terms.String() || fact.Meta.Causation == domain.NoID {
					t.Errorf("%+v", e)
				}
				copies[e.Contact] = e
			}
		}
	}
	if len(copies) != 2 {
		t.Errorf("%d copies were delivered", len(copies))
	}

	for _, l := range post.letters {
		if !strings.Contains(l.Text, "Hello ") || !strings.Contains(l.Text, "https://portal.example/profile/notifications") || !strings.Contains(l.HTML, "North &amp; Co") {
			t.Errorf("%+v", l)
		}
		for _, secret := range []string{"700", "Secret", "We agree"} {
			if strings.Contains(l.Text+l.HTML+l.Subject, secret) {
				t.Errorf("the letter %q tells %q", l.Subject, secret)
			}
		}
	}
	now = now.Add(25 * time.Hour)
	handled = 0
	told("what is old is no news")
}
