package account_test

import (
	"testing"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/account"
	dt "github.com/atrium-portal/atrium/domain/domaintest"
)

var modulesOff = account.ModulesChanged{Off: []domain.Module{domain.Contracts, domain.Projects}}

func TestModules(t *testing.T) {
	type (
		events = []account.Event
		list   = []domain.Module
	)
	dt.Run(t, account.Aggregate, []dt.Case[account.State, account.Event]{
		{Name: "go off", Given: events{opened}, When: account.ChangeModules{Off: list{domain.Projects, domain.Contracts, domain.Projects}}, Then: events{modulesOff}},
		{Name: "go on again", Given: events{opened, modulesOff}, When: account.ChangeModules{}, Then: events{account.ModulesChanged{}}},
		{Name: "are on already", Given: events{opened}, When: account.ChangeModules{Off: list{}}},
		{Name: "are off already", Given: events{opened, modulesOff}, When: account.ChangeModules{Off: list{domain.Contracts, domain.Projects}}},
		{Name: "are known", Given: events{opened}, When: account.ChangeModules{Off: list{"weather"}}, Fault: "module-unknown off"},
	})
	if (account.ChangeModules{Account: dt.ID("it")}).Target() != dt.ID("it") {
		t.Error("it acts on something else")
	}
	for e, want := range map[string]string{
		modulesOff.Sentence():               "switched off for the account: contracts, projects",
		account.ModulesChanged{}.Sentence(): "switched all modules on for the account",
	} {
		if e != want {
			t.Errorf("%q, want %q", e, want)
		}
	}
}
