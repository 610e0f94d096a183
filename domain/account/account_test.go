package account_test

import (
	"testing"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/account"
	dt "github.com/atrium-portal/atrium/domain/domaintest"
)

var (
	person  = account.Person{Name: domain.P("Ana Lima"), Email: domain.P("ana@lima.example"), Phone: domain.P("+49 30 1")}
	opened  = account.Opened{Name: domain.P("Lima Ltd"), Currency: "EUR", Contact: dt.Meta().NewID("contact"), Person: person}
	details = account.DetailsChanged{Name: domain.P("Lima Ltd"), Address: domain.P("1 Road"), TaxID: domain.P("DE1"), Notes: domain.P("pays late")}
)

var (
	heads  = []account.Head{{Stream: domain.StreamName("account", dt.ID("it")), Revision: 4, Leaf: "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I="}}
	issued = account.BundleIssued{Bundle: dt.Meta().NewID("bundle"), About: domain.StreamName("account", dt.ID("it")), Heads: heads}
	issue  = account.IssueBundle{About: issued.About, Heads: heads}
)

func open(name, currency, email string) account.Open {
	return account.Open{Name: domain.P(name), Currency: currency, Contact: account.Person{Name: person.Name, Email: domain.P(email), Phone: person.Phone}}
}

func TestAccount(t *testing.T) {
	text := func(s string) *domain.Personal { p := domain.P(s); return &p }
	dt.Run(t, account.Aggregate, []dt.Case[account.State, account.Event]{
		{Name: "opens with its first contact", When: onlyNew{open("Lima Ltd", "EUR", "ana@lima.example")}, Then: []account.Event{opened}},
		{Name: "needs a name", When: open(" ", "EUR", "ana@lima.example"), Fault: "name-required name"},
		{Name: "needs a currency", When: open("Lima Ltd", "EURO", "ana@lima.example"), Fault: "currency-unknown currency"},
		{Name: "needs a contact", When: account.Open{Name: domain.P("Lima"), Currency: "EUR"}, Fault: "contact.name-required contact.name"},
		{Name: "needs an e-mail address", When: open("Lima Ltd", "EUR", "ana lima"), Fault: "email-invalid contact.email"},
		{
			Name: "changes only what is given", Given: []account.Event{opened},
			When: account.ChangeDetails{Address: text("1 Road")},
			Then: []account.Event{account.DetailsChanged{Name: domain.P("Lima Ltd"), Address: domain.P("1 Road")}},
		},
		{Name: "keeps its name", Given: []account.Event{opened}, When: account.ChangeDetails{Name: text("")}, Fault: "name-required name"},
		{Name: "closes", Given: []account.Event{opened}, When: account.Close{Reason: domain.P("moved")}, Then: []account.Event{account.Closed{Reason: domain.P("moved")}}},
		{Name: "reopens", Given: []account.Event{opened, account.Closed{}}, When: account.Reopen{}, Then: []account.Event{account.Reopened{}}},
		{Name: "hands out evidence, also when closed", Given: []account.Event{opened, account.Closed{}}, When: issue, Then: []account.Event{issued}},
		{Name: "hands out evidence of something", Given: []account.Event{opened}, When: account.IssueBundle{Heads: heads}, Fault: "about-required about"},
		{Name: "hands out evidence with something in it", Given: []account.Event{opened}, When: account.IssueBundle{About: issued.About}, Fault: "heads-required heads"},
		{Name: "is open already", Given: []account.Event{opened}, When: account.Reopen{}},
	})
}

// onlyNew stands for the loop, which runs a command that makes something only while its stream does not exist.
type onlyNew struct{ account.Open }

func (c onlyNew) Decide(s account.State, m domain.Meta) ([]account.Event, error) {
	if s.Currency != "" {
		return nil, nil
	}
	return c.Open.Decide(s, m)
}

func TestClosedAccountTakesNoNewWork(t *testing.T) {
	if err := account.Aggregate.Referable(account.Aggregate.Fold(opened, account.Closed{})); err == nil {
		t.Fatal("a closed account can be referred to")
	}
	if err := account.Aggregate.Referable(account.Aggregate.Fold(opened, account.Closed{}, account.Reopened{})); err != nil {
		t.Fatal(err)
	}
}

func TestGolden(t *testing.T) {
	dt.Golden(t, account.Aggregate, opened, details, account.Closed{Reason: domain.P("moved away")}, account.Reopened{}, modulesOff, issued, joined, left)
}
