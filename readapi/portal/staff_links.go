package portal

import (
	"slices"

	"github.com/a-h/templ"
	"github.com/go-chi/chi/v5"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/contact"
	"github.com/atrium-portal/atrium/readapi"
	"github.com/atrium-portal/atrium/readapi/portal/ui"
)

// A person who works for several clients is one contact: these pages say for which.

// linkForm is a form about what a contact does for another client.
type linkForm struct {
	personForm
	Clients []ui.Option         // to choose from
	Link    readapi.ContactLink // that there is
}

func linkPath(person, account domain.ID) string {
	return contactPath(person) + "/links/" + account.String()
}

// account is the account in the address.
func (v *visit) account() domain.ID { return idOf(chi.URLParam(v.r, "account")) }

func (p *portal) linkPage(v *visit, f *form) (templ.Component, error) {
	page, err := v.personForm("Another client of ", f)
	if err != nil {
		return nil, err
	}
	next := p.Reader.AsOf(v.scope, v.r.URL.Query().Get(asOf))
	all := readapi.List[readapi.StaffAccount](next, choices("closed", "false"))
	if err := next.Run(v.r.Context()); err != nil {
		return nil, err
	}
	form := linkForm{personForm: page}
	for _, one := range all.Items {
		if one.ID != page.Contact.Account && !slices.ContainsFunc(page.Contact.AlsoFor, func(l readapi.ContactLink) bool { return l.Account == one.ID }) {
			form.Clients = append(form.Clients, ui.Option{Value: one.ID.String(), Label: one.Name})
		}
	}
	return linkView(form), nil
}

func (p *portal) link(v *visit, f *form) (step, error) {
	if f.id("account") == domain.NoID {
		f.wrong("account", "account-required", "Choose the other client.")
	}
	role, permissions := f.rights()
	if len(permissions) == 0 {
		permissions = nil // those of the role
	}
	return step{
		name: "LinkContact", command: contact.Link{Contact: v.thing(), Account: f.id("account"), Role: role, Permissions: permissions},
		to: "/staff/contacts/" + v.id(), done: "linked",
	}, nil
}

// linked reads the link in the address.
func (v *visit) linked(title string, f *form) (linkForm, error) {
	page, err := v.personForm(title, f)
	if err != nil {
		return linkForm{}, err
	}
	at := slices.IndexFunc(page.Contact.AlsoFor, func(l readapi.ContactLink) bool { return l.Account == v.account() })
	if at < 0 {
		return linkForm{}, domain.Missing("link")
	}
	return linkForm{personForm: page, Link: page.Contact.AlsoFor[at]}, nil
}

func (p *portal) linkedPage(v *visit, f *form) (templ.Component, error) {
	page, err := v.linked("Access of ", f)
	if err != nil {
		return nil, err
	}
	return linkedView(page), nil
}

func (p *portal) changeLink(v *visit, f *form) (step, error) {
	role, permissions := f.rights()
	return step{
		name: "ChangePermissions", command: contact.ChangePermissions{Contact: v.thing(), Account: v.account(), Role: &role, Permissions: permissions},
		to: "/staff/contacts/" + v.id(), done: "saved",
	}, nil
}

func (p *portal) unlinkPage(v *visit, f *form) (templ.Component, error) {
	page, err := v.linked("Unlink ", f)
	if err != nil {
		return nil, err
	}
	return staffConfirmView(page.Page, ui.ConfirmProps{
		Title:  "Unlink " + page.Contact.Name + " from " + page.Link.Name + "?",
		Text:   "With their next click they see nothing of " + page.Link.Name + " any more. What they did there keeps their name. Their access at " + page.Contact.AccountName + " stays as it is.",
		Action: linkPath(page.Contact.ID, page.Link.Account) + "/unlink", Button: "Unlink", Danger: true, Back: contactPath(page.Contact.ID),
	}, f, optionalReason(f, "Only your colleagues see it.")), nil
}

func (p *portal) unlink(v *visit, f *form) (step, error) {
	if v.account() == domain.NoID {
		return step{}, domain.Missing("link")
	}
	return step{
		name: "UnlinkContact", command: contact.Unlink{Contact: v.thing(), Account: v.account(), Reason: f.reason()},
		to: "/staff/contacts/" + v.id(), done: "unlinked",
	}, nil
}
