package account_test

import (
	"testing"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/account"
	dt "github.com/atrium-portal/atrium/domain/domaintest"
)

var (
	joined = account.PersonJoined{Contact: dt.ID("ana"), Name: domain.P("Ana"), Role: "viewer"}
	left   = account.PersonLeft{Contact: dt.ID("ana"), Name: domain.P("Ana")}
)

func TestPeopleOfOtherClients(t *testing.T) {
	join := account.NoteJoined{Contact: dt.ID("ana"), Name: domain.P("Ana"), Role: "viewer"}
	leave := account.NoteLeft{Contact: dt.ID("ana"), Name: domain.P("Ana")}
	owner, asOwner := joined, join
	owner.Role, asOwner.Role = "owner", "owner"
	type events = []account.Event
	dt.Run(t, account.Aggregate, []dt.Case[account.State, account.Event]{
		{Name: "join", Given: events{opened}, When: join, Then: events{joined}},
		{Name: "are there already", Given: events{opened, joined}, When: join},
		{Name: "get another role", Given: events{opened, joined}, When: asOwner, Then: events{owner}},
		{Name: "leave", Given: events{opened, joined, owner}, When: leave, Then: events{left}},
		{Name: "have left", Given: events{opened, joined, left}, When: leave},
		{Name: "come again", Given: events{opened, joined, left}, When: join, Then: events{joined}},
	})
	for want, e := range map[string]account.Event{
		"let a contact of another client in as viewer: Ana":    joined,
		"ended the access of a contact of another client: Ana": left,
	} {
		if got := e.Sentence(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	before := account.Aggregate.Fold(opened, joined)
	account.Aggregate.Evolve(before, left)
	if before.Joined[dt.ID("ana")] != "viewer" {
		t.Error("the old state changed")
	}
}
