package commands_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/atrium-portal/atrium/commands"
	"github.com/atrium-portal/atrium/commands/commandstest"
	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/account"
	"github.com/atrium-portal/atrium/domain/contact"
	"github.com/atrium-portal/atrium/domain/contract"
	"github.com/atrium-portal/atrium/domain/domaintest"
	"github.com/atrium-portal/atrium/domain/firm"
	"github.com/atrium-portal/atrium/domain/invoice"
	"github.com/atrium-portal/atrium/domain/project"
)

// house is a loop over a log in memory with one firm in it.
type house struct {
	t    *testing.T
	log  *commandstest.Memory
	loop *commands.Loop
	now  time.Time
	n    int

	firm, admin domain.ID
}

func newHouse(t *testing.T) *house {
	t.Helper()
	h := &house{t: t, log: commandstest.NewMemory(), now: domaintest.Now}
	h.loop = h.newLoop()
	h.firm = h.must(h.system("CreateFirm", firm.Create{Name: "North", Currency: "EUR", TimeZone: "Europe/Berlin"})).ID
	h.must(h.system("InviteStaff", firm.Invite{Firm: h.firm, Name: domain.P("Priya"), Email: domain.P("priya@north.example"), Role: firm.Administrator}))
	state, _, err := commands.State(t.Context(), h.loop, firm.Aggregate, h.firm)
	if err != nil {
		t.Fatal(err)
	}
	for id := range state.Staff {
		h.admin = id
	}
	return h
}

// newLoop is another process on the same log.
func (h *house) newLoop() *commands.Loop {
	return commandstest.NewLoop(h.t, h.log, func() time.Time { return h.now }, nil)
}

func (h *house) order(actor domain.Actor, name string, command any) commands.Order {
	h.n++
	return commands.Order{Name: name, Command: command, Meta: domain.Meta{Firm: h.firm, Actor: actor, Command: domaintest.ID(fmt.Sprint("command", h.n))}}
}

func (h *house) system(name string, command any) commands.Order {
	return h.order(domain.SystemActor("setup"), name, command)
}

func (h *house) staff(name string, command any) commands.Order {
	return h.order(domain.Actor{Kind: domain.Staff, ID: h.admin}, name, command)
}

func (h *house) must(o commands.Order) commands.Receipt {
	h.t.Helper()
	r, err := h.loop.Dispatch(h.t.Context(), o)
	if err != nil {
		h.t.Fatalf("%s: %v", o.Name, err)
	}
	return r
}

// refused gives an order that must fail with a fault of that code, appending nothing, and returns the fault.
func (h *house) refused(o commands.Order, code string) *domain.Fault {
	h.t.Helper()
	before := len(h.log.All())
	_, err := h.loop.Dispatch(h.t.Context(), o)
	fault, ok := errors.AsType[*domain.Fault](err)
	if !ok || fault.Code != code {
		h.t.Fatalf("%s: got %v, want %s", o.Name, err, code)
	}
	if n := len(h.log.All()); n != before {
		h.t.Fatalf("%s was refused but appended %d events", o.Name, n-before)
	}
	return fault
}

// account opens an account and returns it with its first contact, who may sign in as owner.
func (h *house) account(name string) (id, person domain.ID) {
	h.t.Helper()
	o := h.staff("OpenAccount", account.Open{Name: domain.P(name), Currency: "EUR", Contact: account.Person{
		Name: domain.P("Ana of " + name), Email: domain.P("ana@" + name + ".example"),
	}})
	r := h.must(o)
	person = o.Meta.NewID("contact")
	h.must(h.staff("GrantPortalAccess", contact.Grant{Contact: person, Role: contact.Owner}))
	return r.ID, person
}

func (h *house) draft(accountID domain.ID, cents int64) domain.ID {
	h.t.Helper()
	return h.must(h.staff("DraftInvoice", draftOf(accountID, cents))).ID
}

func draftOf(accountID domain.ID, cents int64) invoice.Draft {
	return invoice.Draft{Account: accountID, Due: domain.Date{Year: 2026, Month: 4, Day: 1}, Lines: []invoice.Line{{
		Description: domain.P("Work"), Quantity: domain.One, UnitPrice: domain.Money{Amount: cents, Currency: "EUR"},
	}}}
}

func euros(cents int64) domain.Money { return domain.Money{Amount: cents, Currency: "EUR"} }

func TestOpenAccountBringsItsFirstContact(t *testing.T) {
	h := newHouse(t)
	id, person := h.account("lima")
	state, revision, err := commands.State(t.Context(), h.loop, contact.Aggregate, person)
	if err != nil || revision < 0 || state.Details.Name.Reveal() != "Ana of lima" || !state.CanSignIn() {
		t.Fatalf("contact of %s: %+v at %d, %v", id, state, revision, err)
	}
}

func TestOneLoginPerEmail(t *testing.T) {
	h := newHouse(t)
	lima, _ := h.account("lima")
	add := contact.Add{Account: lima, Name: domain.P("Other Ana"), Email: domain.P(" ANA@lima.example")}
	add.Email = domain.P("ANA@lima.example")
	if f := h.refused(h.staff("AddContact", add), "email-in-use"); f.Field != "email" {
		t.Fatalf("names the field %q", f.Field)
	}
	f := h.refused(h.staff("OpenAccount", account.Open{Name: domain.P("x"), Currency: "EUR", Contact: account.Person{Name: domain.P("y"), Email: domain.P("priya@north.example")}}), "email-in-use")
	if f.Field != "contact.email" {
		t.Fatalf("names the field %q", f.Field)
	}
}

func TestFreedEmailCanBeUsedAgain(t *testing.T) {
	h := newHouse(t)
	lima, person := h.account("lima")
	other := domain.P("new@lima.example")
	h.must(h.staff("ChangeContactDetails", contact.ChangeDetails{Contact: person, Email: &other}))
	h.must(h.staff("AddContact", contact.Add{Account: lima, Name: domain.P("Bo"), Email: domain.P("ana@lima.example")}))
}

func TestMergeRetiresTheDuplicate(t *testing.T) {
	h := newHouse(t)
	lima, person := h.account("lima")
	bo := h.must(h.staff("AddContact", contact.Add{Account: lima, Name: domain.P("Bo")})).ID
	h.must(h.staff("MergeContacts", contact.Merge{Contact: person, Duplicate: bo}))
	state, _, err := commands.State(t.Context(), h.loop, contact.Aggregate, bo)
	if err != nil || state.MergedInto != person {
		t.Fatalf("%+v, %v", state, err)
	}
	h.refused(h.staff("DraftInvoice", func() invoice.Draft { d := draftOf(lima, 100); d.Recipients = []domain.ID{bo}; return d }()), "contact-merged")
}

func TestNumbersHaveNoGaps(t *testing.T) {
	h := newHouse(t)
	lima, _ := h.account("lima")
	const n = 60
	ids := make([]domain.ID, n)
	for i := range ids {
		ids[i] = h.draft(lima, 100)
	}
	orders := make([]commands.Order, n)
	for i, id := range ids {
		orders[i] = h.staff("SendInvoice", invoice.Send{Invoice: id})
	}
	loops := []*commands.Loop{h.newLoop(), h.newLoop(), h.loop}
	var wg sync.WaitGroup
	failures := make([]error, n)
	for i := range orders {
		wg.Go(func() {
			for range 20 { // two processes on one numbering stream conflict; people repeat, with the same command id
				_, failures[i] = loops[i%len(loops)].Dispatch(t.Context(), orders[i])
				if f, ok := errors.AsType[*domain.Fault](failures[i]); !ok || f.Kind != domain.Unavailable {
					return
				}
			}
		})
	}
	wg.Wait()
	if err := errors.Join(failures...); err != nil {
		t.Fatal(err)
	}
	var numbers []int64
	for _, id := range ids {
		state, _, err := commands.State(t.Context(), h.loop, invoice.Aggregate, id)
		if err != nil {
			t.Fatal(err)
		}
		numbers = append(numbers, state.Number)
	}
	slices.Sort(numbers)
	for i, number := range numbers {
		if number != int64(i+1) {
			t.Fatalf("numbers %v", numbers)
		}
	}
}

func TestRefusedSendBurnsNoNumber(t *testing.T) {
	h := newHouse(t)
	lima, _ := h.account("lima")
	void := h.draft(lima, 100)
	h.must(h.staff("VoidInvoice", invoice.Void{Invoice: void, Reason: domain.P("mistake")}))
	h.refused(h.staff("SendInvoice", invoice.Send{Invoice: void}), "invoice-void")
	good := h.draft(lima, 100)
	h.must(h.staff("SendInvoice", invoice.Send{Invoice: good}))
	state, _, err := commands.State(t.Context(), h.loop, invoice.Aggregate, good)
	if err != nil || state.Number != 1 {
		t.Fatalf("number %d, %v", state.Number, err)
	}
}

func TestTwiceIsOnce(t *testing.T) {
	h := newHouse(t)
	lima, _ := h.account("lima")
	id := h.draft(lima, 1000)
	h.must(h.staff("SendInvoice", invoice.Send{Invoice: id}))
	pay := h.staff("RecordPayment", invoice.RecordPayment{Invoice: id, Amount: euros(400), Date: domain.Date{Year: 2026, Month: 3, Day: 1}, Method: invoice.Card})
	first := h.must(pay)
	for name, loop := range map[string]*commands.Loop{"same process": h.loop, "after a restart": h.newLoop()} {
		again, err := loop.Dispatch(t.Context(), pay)
		if err != nil || again.Position != first.Position || again.Revision != first.Revision || !slices.Equal(again.Events, first.Events) || again.Stream != first.Stream {
			t.Fatalf("%s: %+v, %v; first %+v", name, again, err, first)
		}
	}
	pay.Meta.Digest = "another body"
	h.refused(pay, "idempotency-mismatch")
}

func TestHundredTimesInParallelIsOnce(t *testing.T) {
	h := newHouse(t)
	lima, _ := h.account("lima")
	id := h.draft(lima, 1000)
	h.must(h.staff("SendInvoice", invoice.Send{Invoice: id}))
	pay := h.staff("RecordPayment", invoice.RecordPayment{Invoice: id, Amount: euros(1), Date: domain.Date{Year: 2026, Month: 3, Day: 1}, Method: invoice.Card})
	loops := []*commands.Loop{h.loop, h.newLoop()}
	var wg sync.WaitGroup
	for i := range 100 {
		wg.Go(func() {
			if _, err := loops[i%2].Dispatch(t.Context(), pay); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	state, _, err := commands.State(t.Context(), h.loop, invoice.Aggregate, id)
	if err != nil || len(state.Payments) != 1 {
		t.Fatalf("%d payments, %v", len(state.Payments), err)
	}
}

func TestLostReplyIsFoundAgain(t *testing.T) {
	h := newHouse(t)
	lima, _ := h.account("lima")
	lost := 0
	h.log.FailAfter(func(stream string) error {
		if lost++; lost%2 == 1 {
			return &commands.Unknown{Stream: stream, Err: errors.New("connection cut")}
		}
		return nil
	})
	id := h.draft(lima, 1000)
	h.must(h.staff("SendInvoice", invoice.Send{Invoice: id}))
	h.log.FailAfter(nil)
	state, revision, err := commands.State(t.Context(), h.newLoop(), invoice.Aggregate, id)
	if err != nil || revision != 1 || state.Number != 1 || lost < 3 {
		t.Fatalf("revision %d, number %d, %d lost, %v", revision, state.Number, lost, err)
	}
}

func TestUnreachableStoreIsUnavailable(t *testing.T) {
	h := newHouse(t)
	lima, _ := h.account("lima")
	for code, failure := range map[string]*commands.Rejected{"store-unavailable": {Err: errors.New("down")}, "storage-full": {Full: true, Err: errors.New("full")}} {
		h.log.FailBefore(func(string) error { return failure })
		h.refused(h.staff("DraftInvoice", draftOf(lima, 100)), code)
	}
}

func TestCrashBetweenSteps(t *testing.T) {
	// The n-th append of sending an invoice or opening an account never happens, and the process ends. The same
	// command afterwards finishes the work once.
	for n := 1; n <= 3; n++ {
		h := newHouse(t)
		lima, _ := h.account("lima")
		draft := h.draft(lima, 100)
		for _, o := range []commands.Order{
			h.staff("SendInvoice", invoice.Send{Invoice: draft}),
			h.staff("OpenAccount", account.Open{Name: domain.P("B"), Currency: "EUR", Contact: account.Person{Name: domain.P("Bo"), Email: domain.P("bo@b.example")}}),
		} {
			appends := 0
			h.log.FailBefore(func(string) error {
				if appends++; appends >= n {
					return &commands.Rejected{Err: errors.New("killed")}
				}
				return nil
			})
			_, err := h.newLoop().Dispatch(t.Context(), o)
			h.log.FailBefore(nil)
			h.loop = h.newLoop()
			if again := h.must(o); err == nil && len(again.Events) == 0 {
				t.Fatalf("step %d: %+v", n, again)
			}
		}
		counts := map[string]int{}
		for _, r := range h.log.All() {
			counts[r.Type]++
		}
		if counts["NumberReserved"] != 1 || counts["InvoiceSent"] != 1 || counts["AccountOpened"] != 2 || counts["ContactAdded"] != 2 {
			t.Fatalf("killed at append %d: %v", n, counts)
		}
	}
}

func TestPinnedRevision(t *testing.T) {
	h := newHouse(t)
	lima, _ := h.account("lima")
	id := h.draft(lima, 100)
	old, now := int64(7), int64(0)
	o := h.staff("SendInvoice", invoice.Send{Invoice: id})
	o.Pinned = &old
	h.refused(o, "stale")
	o.Pinned = &now
	h.must(o)
}

func TestDecidesAgainOnConflict(t *testing.T) {
	h := newHouse(t)
	lima, _ := h.account("lima")
	id := h.must(h.staff("OpenProject", project.Open{Account: lima, Name: domain.P("Site")})).ID
	other := h.newLoop()
	if _, _, err := commands.State(t.Context(), other, project.Aggregate, id); err != nil { // remembers revision 0
		t.Fatal(err)
	}
	h.must(h.staff("AdvanceStage", project.Advance{Project: id}))
	if _, err := other.Dispatch(t.Context(), h.staff("AdvanceStage", project.Advance{Project: id})); err != nil {
		t.Fatal(err)
	}
	state, revision, err := commands.State(t.Context(), h.loop, project.Aggregate, id)
	if err != nil || revision != 2 || state.Stage != "Development" {
		t.Fatalf("%s at %d, %v", state.Stage, revision, err)
	}
}

func TestRefusalsAreNeverOldNews(t *testing.T) {
	h := newHouse(t)
	lima, _ := h.account("lima")
	other := h.newLoop()
	id := h.draft(lima, 100)
	if _, _, err := commands.State(t.Context(), other, invoice.Aggregate, id); err != nil {
		t.Fatal(err)
	}
	h.must(h.staff("SendInvoice", invoice.Send{Invoice: id}))
	// The other process remembers a draft, on which no payment could be recorded.
	if _, err := other.Dispatch(t.Context(), h.staff("RecordPayment", invoice.RecordPayment{Invoice: id, Amount: euros(100), Date: domain.Date{Year: 2026, Month: 3, Day: 1}, Method: invoice.Cash})); err != nil {
		t.Fatal(err)
	}
}

func TestReferencesStayInTheAccount(t *testing.T) {
	h := newHouse(t)
	lima, _ := h.account("lima")
	oslo, osloPerson := h.account("oslo")
	osloProject := h.must(h.staff("OpenProject", project.Open{Account: oslo, Name: domain.P("Roof")})).ID
	with := func(change func(*invoice.Draft)) commands.Order {
		d := draftOf(lima, 100)
		change(&d)
		return h.staff("DraftInvoice", d)
	}
	for field, o := range map[string]commands.Order{
		"project":       with(func(d *invoice.Draft) { d.Project = osloProject }),
		"recipients[0]": with(func(d *invoice.Draft) { d.Recipients = []domain.ID{osloPerson} }),
		"account":       with(func(d *invoice.Draft) { d.Account = domaintest.ID("nobody") }),
	} {
		var code string
		switch field {
		case "project":
			code = "unknown-project"
		case "account":
			code = "unknown-account"
		default:
			code = "unknown-contact"
		}
		if f := h.refused(o, code); f.Field != field {
			t.Fatalf("names %q, want %q", f.Field, field)
		}
	}
	h.refused(with(func(d *invoice.Draft) { d.Lines[0].UnitPrice.Currency = "USD" }), "currency-mismatch")
	h.must(h.staff("CloseAccount", account.Close{Account: lima}))
	h.refused(with(func(*invoice.Draft) {}), "account-closed")
}

func TestWhoMayWhat(t *testing.T) {
	h := newHouse(t)
	lima, ana := h.account("lima")
	_, oslo := h.account("oslo")
	body := contract.Draft{Account: lima, Title: domain.P("Terms"), Body: domain.P("We agree."), Signers: []contract.Signer{{Contact: ana}}}
	agreement := h.must(h.staff("DraftContract", body)).ID
	h.must(h.staff("SendContract", contract.Send{Contract: agreement}))
	h.must(h.staff("InviteStaff", firm.Invite{Firm: h.firm, Name: domain.P("Tom"), Email: domain.P("tom@north.example"), Role: firm.Member}))
	var tom domain.ID
	state, _, err := commands.State(t.Context(), h.loop, firm.Aggregate, h.firm)
	if err != nil {
		t.Fatal(err)
	}
	for id := range state.Staff {
		if id != h.admin {
			tom = id
		}
	}
	client := func(id domain.ID) domain.Actor { return domain.Actor{Kind: domain.Client, ID: id} }
	member := domain.Actor{Kind: domain.Staff, ID: tom}
	sign := contract.Sign{Contract: agreement, Statement: domain.P("I agree"), Name: domain.P("Ana"), SHA256: contract.Digest("Terms", "We agree.")}

	h.refused(h.order(member, "InviteStaff", firm.Invite{Firm: h.firm, Name: domain.P("Eve"), Email: domain.P("eve@north.example"), Role: firm.Administrator}), "not-permitted")
	h.refused(h.order(member, "DraftInvoice", draftOf(lima, 1)), "not-permitted")
	h.refused(h.order(client(ana), "DraftInvoice", draftOf(lima, 1)), "not-permitted")
	h.refused(h.order(client(oslo), "ViewContract", contract.View{Contract: agreement}), "not-found")
	h.refused(h.order(client(oslo), "SignContract", sign), "not-found")
	h.refused(h.order(client(domaintest.ID("nobody")), "SignContract", sign), "not-permitted")
	h.refused(h.staff("SignContract", sign), "staff-cannot-sign")
	h.refused(h.order(client(ana), "SignContract", sign), "contract-not-viewed")
	h.must(h.order(client(ana), "ViewContract", contract.View{Contract: agreement}))

	h.must(h.order(member, "FreezeAccess", contact.Freeze{Contact: ana, Reason: domain.P("mailbox stolen")}))
	h.refused(h.order(client(ana), "SignContract", sign), "not-permitted")
	h.must(h.staff("UnfreezeAccess", contact.Unfreeze{Contact: ana}))
	h.refused(h.order(client(ana), "SignContract", sign), "consent-required")
	h.must(h.order(client(ana), "ConsentToSigning", contract.Consent{
		Contract: agreement, SHA256: sign.SHA256, Disclosure: contract.DisclosureNow().SHA256(), Read: true,
	}))
	h.refused(h.order(client(ana), "SignContract", sign), "reauth-required")
	signing := h.order(client(ana), "SignContract", sign)
	signing.Meta.Proof.At = h.loop.Now()
	h.must(signing)

	h.must(h.staff("DeactivateStaff", firm.Deactivate{Firm: h.firm, Staff: tom}))
	h.refused(h.order(member, "OpenProject", project.Open{Account: lima, Name: domain.P("x")}), "not-permitted")

	elsewhere := h.must(h.system("CreateFirm", firm.Create{Name: "South", Currency: "EUR", TimeZone: "UTC"})).ID
	foreign := h.system("CloseAccount", account.Close{Account: lima})
	foreign.Meta.Firm = elsewhere
	h.refused(foreign, "not-found")
}

func TestStepsAreNotOnTheMenuForPeople(t *testing.T) {
	h := newHouse(t)
	_, ana := h.account("lima")
	h.refused(h.staff("RetireContact", contact.Retire{Contact: ana, Into: domaintest.ID("x")}), "not-permitted")
	h.refused(h.staff("NoSuchCommand", nil), "unknown-command")
}

func TestCancelledRequestAppendsNothingLater(t *testing.T) {
	h := newHouse(t)
	lima, _ := h.account("lima")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	before := len(h.log.All())
	if _, err := h.loop.Dispatch(ctx, h.staff("DraftInvoice", draftOf(lima, 1))); err == nil || len(h.log.All()) != before {
		t.Fatalf("%v, %d new events", err, len(h.log.All())-before)
	}
}

func TestExclusiveLoopForgetsWhatMayNotBeStored(t *testing.T) {
	h := newHouse(t)
	h.loop.Exclusive = true
	lima, _ := h.account("lima")
	id := h.draft(lima, 100)
	h.log.FailBefore(func(string) error { return &commands.Rejected{Err: errors.New("down")} })
	o := h.staff("VoidInvoice", invoice.Void{Invoice: id, Reason: domain.P("mistake")})
	h.refused(o, "store-unavailable")
	h.log.FailBefore(nil)
	if r := h.must(o); r.Revision != 1 || r.Repeated {
		t.Fatalf("%+v", r)
	}
	state, revision, err := commands.State(t.Context(), h.loop, invoice.Aggregate, id)
	if err != nil || revision != 1 || state.Status != invoice.StatusVoid {
		t.Fatalf("%s at %d, %v", state.Status, revision, err)
	}
}

func TestExclusiveLoopsThatAreNotConflictAndRecover(t *testing.T) {
	h := newHouse(t)
	lima, _ := h.account("lima")
	id := h.must(h.staff("OpenProject", project.Open{Account: lima, Name: domain.P("Site")})).ID
	other := h.newLoop()
	other.Exclusive = true // wrongly: it finds out when it appends
	if _, _, err := commands.State(t.Context(), other, project.Aggregate, id); err != nil {
		t.Fatal(err)
	}
	h.must(h.staff("AdvanceStage", project.Advance{Project: id}))
	if _, err := other.Dispatch(t.Context(), h.staff("AdvanceStage", project.Advance{Project: id})); err != nil {
		t.Fatal(err)
	}
	if _, revision, err := commands.State(t.Context(), other, project.Aggregate, id); err != nil || revision != 2 {
		t.Fatalf("at %d, %v", revision, err)
	}
}
