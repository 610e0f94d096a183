package projections

import (
	"slices"
	"testing"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/account"
	"github.com/atrium-portal/atrium/domain/firm"
)

func TestModulesOff(t *testing.T) {
	opened := account.Opened{Name: domain.P("Lima"), Currency: "EUR", Contact: id("ana")}
	facts := story("account", "acme", opened, account.ModulesChanged{Off: []domain.Module{domain.Projects}}, account.ModulesChanged{})
	if got := row[accountRow](t, facts[:2], "accounts", id("acme")); !slices.Equal(got.ModulesOff, []string{"projects"}) {
		t.Errorf("off for a client: %v", got.ModulesOff)
	}
	if got := row[accountRow](t, facts, "accounts", id("acme")); len(got.ModulesOff) != 0 || got.Name != "Lima" {
		t.Errorf("on again: %+v", got)
	}
	settings := firm.Settings{Name: "North", ModulesOff: []domain.Module{domain.Contracts, domain.Invoices}}
	if got := row[firmRow](t, story("firm", "north", firm.Created{Settings: settings}), "firms", id("north")); !slices.Equal(got.ModulesOff, []string{"contracts", "invoices"}) {
		t.Errorf("off for all clients: %v", got.ModulesOff)
	}
}
