package portal

import (
	"net/url"

	"github.com/a-h/templ"

	"github.com/atrium-portal/atrium/domain/contact"
	"github.com/atrium-portal/atrium/readapi"
	"github.com/atrium-portal/atrium/readapi/portal/ui"
)

// peoplePage is who works with whom: the firm's team and the client's own contacts.
type peoplePage struct {
	look
	Page     ui.Page
	Team     []readapi.TeamMember
	Contacts []readapi.Contact
	Pages    ui.PagesProps // of the contacts
}

func (p *portal) people(v *visit) (templ.Component, error) {
	team := readapi.List[readapi.TeamMember](v.q, url.Values{"limit": {"100"}})
	contacts := readapi.List[readapi.Contact](v.q, v.ask([]string{"cursor"}, "limit", "100"))
	if err := v.read(); err != nil {
		return nil, err
	}
	return peopleView(peoplePage{v.look(), v.client("People", "/people"), team.Items, contacts.Items, ui.PagesProps{Previous: v.turn(contacts.Previous), Next: v.turn(contacts.Next)}}), nil
}

// profilePage is what a contact may change about themselves.
type profilePage struct {
	look
	Page    ui.Page
	Me      readapi.Contact
	Account readapi.Account
	Form    *form
}

func (p *portal) profile(v *visit, f *form) (templ.Component, error) {
	me := readapi.Get[readapi.Contact](v.q, v.scope.Actor.ID.String(), nil)
	account := readapi.Get[readapi.Account](v.q, v.scope.Account.String(), nil)
	if err := v.read(); err != nil {
		return nil, err
	}
	return profileView(profilePage{v.look(), v.client("Profile", ""), *me, *account, f}), nil
}

func (p *portal) changeProfile(v *visit, f *form) (step, error) {
	return step{name: "ChangeContactDetails", command: contact.ChangeDetails{
		Contact: v.scope.Actor.ID, Name: f.changed("name"), Phone: f.changed("phone"),
	}, to: "/profile", done: "saved"}, nil
}
