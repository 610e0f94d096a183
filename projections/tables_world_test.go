package projections_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/account"
	"github.com/atrium-portal/atrium/domain/catalog"
	"github.com/atrium-portal/atrium/domain/contact"
	"github.com/atrium-portal/atrium/domain/contract"
	"github.com/atrium-portal/atrium/domain/domaintest"
	"github.com/atrium-portal/atrium/domain/firm"
	"github.com/atrium-portal/atrium/domain/invoice"
	"github.com/atrium-portal/atrium/domain/numbering"
	"github.com/atrium-portal/atrium/domain/project"
	"github.com/atrium-portal/atrium/projections"
)

// world makes things by commands, as the loop would, and keeps the events in a log.
type world struct {
	log    *memoryLog
	states map[string]any // by stream
	owners map[string]owner
	n      int // commands so far
}

type owner struct{ firm, account domain.ID }

func newWorld(t testing.TB) *world {
	t.Helper()
	log := newLog(t)
	log.codec = domaintest.Codec(t, catalog.Types()...)
	return &world{log: log, states: map[string]any{}, owners: map[string]owner{}}
}

// now is the time of the last command: they come one an hour.
func (w *world) now() time.Time { return domaintest.Now.Add(time.Duration(w.n) * time.Hour) }

// batch is the whole log.
func (w *world) batch() projections.Batch { return projections.Batch{Events: w.log.all()} }

// give gives a command as somebody. It returns the fault of a command that is refused; what a command makes is named
// by it, so that the next one finds it.
func give[S any, E domain.Event](w *world, a domain.Aggregate[S, E], id domain.ID, who domain.Actor, c domaintest.Decider[S, E], of owner) (domain.Meta, error) {
	w.n++
	stream := domain.StreamName(a.Category, id)
	if known, ok := w.owners[stream]; ok {
		of = known
	}
	w.owners[stream] = of
	m := domain.Meta{
		Firm: of.firm, Account: of.account, Actor: who, Time: w.now(),
		Command: domaintest.ID(fmt.Sprint("command ", w.n)), Target: id, IP: domain.P("secret address"),
	}
	m.Proof = domain.Proof{Method: "link", At: m.Time}
	state, _ := w.states[stream].(S)
	events, err := c.Decide(state, m)
	if err != nil {
		return m, err
	}
	for i, e := range events {
		p, err := w.log.codec.Encode(e, m, i)
		if err != nil {
			return m, err
		}
		w.log.record(stream, p)
		state = a.Evolve(state, e)
	}
	w.states[stream] = state
	return m, nil
}

// refused tells whether an error is a fault: random commands are often refused.
func refused(err error) bool {
	_, is := errors.AsType[*domain.Fault](err)
	return is
}

// person gives commands and stops the test when one is refused.
type person struct {
	t    testing.TB
	w    *world
	who  domain.Actor
	firm domain.ID
}

// must gives a command that makes or changes the thing of a name.
func must[S any, E domain.Event](p person, a domain.Aggregate[S, E], name, accountName string, c domaintest.Decider[S, E]) domain.Meta {
	p.t.Helper()
	of := owner{firm: p.firm}
	if accountName != "" {
		of.account = domaintest.ID(accountName)
	}
	m, err := give(p.w, a, domaintest.ID(name), p.who, c, of)
	if err != nil {
		p.t.Fatalf("%T: %v", c, err)
	}
	return m
}

// as is the same firm with another actor.
func (p person) as(name string) person {
	p.who = domaintest.Client(name)
	return p
}

// foundFirm makes a firm with one administrator and returns its staff member.
func (w *world) foundFirm(t testing.TB, name string) person {
	t.Helper()
	p := person{t: t, w: w, firm: domaintest.ID(name), who: domain.SystemActor("test")}
	must(p, firm.Aggregate, name, "", firm.Create{Name: name, Currency: "EUR", TimeZone: "Europe/Berlin"})
	m := must(p, firm.Aggregate, name, "", firm.Invite{
		Firm: p.firm, Name: domain.P("Ida of " + name), Email: domain.P("secret@example.com"), Role: firm.Administrator,
	})
	p.who = domain.Actor{Kind: domain.Staff, ID: m.NewID("staff")}
	return p
}

// openAccount makes an account with contacts who may do everything.
func (p person) openAccount(name string, contacts ...string) {
	p.t.Helper()
	must(p, account.Aggregate, name, name, account.Open{
		Name: domain.P(name), Currency: "EUR", Contact: account.Person{Name: domain.P(contacts[0]), Email: mailbox(contacts[0])},
	})
	must(p, account.Aggregate, name, name, account.ChangeDetails{Account: domaintest.ID(name), Notes: ref(domain.P("secret: pays late"))})
	for i, c := range contacts {
		must(p, contact.Aggregate, c, name, contact.Add{
			Account: domaintest.ID(name), Name: domain.P(c), Email: mailbox(c), Primary: i == 0,
		})
		must(p, contact.Aggregate, c, name, contact.Grant{Contact: domaintest.ID(c), Role: contact.Owner})
	}
}

func (p person) openProject(name, accountName string) {
	p.t.Helper()
	must(p, project.Aggregate, name, accountName, project.Open{Account: domaintest.ID(accountName), Name: domain.P(name)})
	must(p, project.Aggregate, name, accountName, project.Assign{Project: domaintest.ID(name), Staff: p.who.ID, Role: "Designer"})
}

// draftInvoice makes a draft for contacts of an account, for all when none is named.
func (p person) draftInvoice(name, accountName string, recipients ...string) {
	p.t.Helper()
	var to []domain.ID
	for _, r := range recipients {
		to = append(to, domaintest.ID(r))
	}
	must(p, invoice.Aggregate, name, accountName, invoice.Draft{
		Account: domaintest.ID(accountName), Recipients: to, Due: domain.Date{Year: 2027, Month: time.January, Day: 31},
		Lines: []invoice.Line{{
			Description: domain.P("Work for " + name), Quantity: domain.One, UnitPrice: domain.Money{Amount: 100_00, Currency: "EUR"}, TaxRate: 19 * domain.One,
		}},
	})
}

// sendInvoice makes an invoice and sends it under a number.
func (p person) sendInvoice(name, accountName string, recipients ...string) {
	p.t.Helper()
	p.draftInvoice(name, accountName, recipients...)
	number := p.w.reserve(p, numbering.Invoice, domaintest.ID(name))
	must(p, invoice.Aggregate, name, accountName, invoice.Send{Invoice: domaintest.ID(name), Number: number})
}

// reserve takes the number of a document.
func (w *world) reserve(p person, kind string, document domain.ID) int64 {
	id := numbering.StreamID(p.firm, kind, 0)
	if _, err := give(w, numbering.Aggregate, id, p.who, numbering.Reserve{Numbering: id, Kind: kind, First: 1, Document: document}, owner{firm: p.firm}); err != nil {
		p.t.Fatal(err)
	}
	number, _ := w.states[domain.StreamName("numbering", id)].(numbering.State).Number(document)
	return number
}

func (p person) draftContract(name, accountName string, signers ...string) {
	p.t.Helper()
	var list []contract.Signer
	for _, s := range signers {
		list = append(list, contract.Signer{Contact: domaintest.ID(s)})
	}
	must(p, contract.Aggregate, name, accountName, contract.Draft{
		Account: domaintest.ID(accountName), Title: domain.P(name), Body: domain.P("The text of " + name), Signers: list,
	})
}

// sign lets a signer view and sign.
func (p person) sign(name, signer string) {
	p.t.Helper()
	p = p.as(signer)
	must(p, contract.Aggregate, name, "", contract.View{Contract: domaintest.ID(name)})
	state := p.w.states[domain.StreamName("contract", domaintest.ID(name))].(contract.State)
	must(p, contract.Aggregate, name, "", contract.Consent{
		Contract: domaintest.ID(name), SHA256: state.SHA256, Disclosure: contract.DisclosureNow().SHA256(), Read: true,
	})
	must(p, contract.Aggregate, name, "", contract.Sign{
		Contract: domaintest.ID(name), Name: domain.P(signer), Statement: domain.P("I agree"), SHA256: state.SHA256,
	})
}

// mailbox is the e-mail address of somebody.
func mailbox(name string) domain.Personal {
	return domain.P(strings.ReplaceAll(name, " ", ".") + "@example.com")
}

func ref[V any](v V) *V { return &v }
