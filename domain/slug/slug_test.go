package slug_test

import (
	"testing"

	dt "github.com/atrium-portal/atrium/domain/domaintest"
	"github.com/atrium-portal/atrium/domain/slug"
)

func TestClaim(t *testing.T) {
	claim := slug.Claim{Slug: "north"}
	dt.Run(t, slug.Aggregate, []dt.Case[slug.State, slug.Event]{
		{Name: "takes what is free", When: claim, Then: []slug.Event{slug.Claimed{Slug: "north"}}},
		{Name: "keeps what it has", Given: []slug.Event{slug.Claimed{Slug: "north"}}, When: claim},
	})
	if claim.Target() != slug.StreamID("north") || slug.StreamID("north") == slug.StreamID("south") {
		t.Error("a stream for each slug")
	}
	if got := (slug.Claimed{Slug: "north"}).Sentence(); got != "took the address /north" {
		t.Error(got)
	}
}

func TestGolden(t *testing.T) { dt.Golden(t, slug.Aggregate, slug.Claimed{Slug: "north"}) }
