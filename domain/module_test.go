package domain_test

import (
	"slices"
	"testing"

	"github.com/atrium-portal/atrium/domain"
)

func TestModules(t *testing.T) {
	tidy := domain.TidyModules([]domain.Module{domain.Projects, domain.Contracts, domain.Projects})
	if !slices.Equal(tidy, []domain.Module{domain.Contracts, domain.Projects}) || domain.TidyModules([]domain.Module{}) != nil {
		t.Errorf("%v", tidy)
	}
	var v domain.Checks
	if v.Modules(domain.Modules(), "modules_off"); v.Err() != nil {
		t.Error(v.Err())
	}
	v.Modules([]domain.Module{domain.Invoices, "weather"}, "modules_off")
	if fault := domain.AsFault(v.Err()); fault.Code != "module-unknown" || fault.Field != "modules_off" || len(fault.More) != 0 {
		t.Errorf("%v", fault)
	}
}
