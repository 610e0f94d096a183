package commands_test

import (
	"strings"
	"testing"

	"github.com/atrium-portal/atrium/commands"
	"github.com/atrium-portal/atrium/domain/firm"
)

func TestASlugIsOneFirms(t *testing.T) {
	h := newHouse(t)
	create := func(name, slug string) commands.Order {
		return h.system("CreateFirm", firm.Create{Name: name, Slug: slug, Currency: "EUR", TimeZone: "UTC"})
	}
	slugOf := func(o commands.Order) string {
		state, _, err := commands.State(t.Context(), h.loop, firm.Aggregate, h.must(o).ID)
		if err != nil {
			t.Fatal(err)
		}
		return state.Slug
	}
	first := create("Harbour", "harbour-light")
	if got := slugOf(first); got != "harbour-light" {
		t.Fatalf("slug %q", got)
	}
	if f := h.refused(create("Other", "harbour-light"), "slug-in-use"); f.Field != "slug" {
		t.Errorf("names %q", f.Field)
	}
	if got := slugOf(first); got != "harbour-light" { // sent again
		t.Errorf("slug %q", got)
	}
	if got := slugOf(create("Harbour Light", "")); !strings.HasPrefix(got, "firm-") {
		t.Errorf("a second firm of the name has the slug %q", got)
	}
}
