package portal

import (
	"net/url"
	"slices"
	"time"

	"github.com/a-h/templ"
	"github.com/go-chi/chi/v5"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/contact"
	"github.com/atrium-portal/atrium/readapi"
	"github.com/atrium-portal/atrium/readapi/portal/ui"
)

// staffContacts are the pages of people at clients.
func (p *portal) staffContacts(r, manager chi.Router) {
	p.form(r, "/clients/{id}/contacts/new", p.newContact, p.addContact)
	r.Get("/contacts/{id}", p.page(p.contact))
	r.Get("/contacts/{id}/history", p.page(p.contactHistory()))
	r.Get("/contacts/{id}/preview", p.page(p.previewPage))
	p.form(r, "/contacts/{id}/edit", p.editContact, p.changeContact)
	p.form(manager, "/contacts/{id}/access", p.accessPage, p.changeAccess)
	p.form(r, "/contacts/{id}/freeze", p.freezePage, p.freeze)
	p.form(manager, "/contacts/{id}/unfreeze", p.unfreezePage, p.unfreeze)
	p.form(manager, "/contacts/{id}/revoke", p.revokePage, p.revoke)
	p.form(manager, "/contacts/{id}/merge", p.mergePage, p.merge)
	p.form(manager, "/contacts/{id}/link", p.linkPage, p.link)
	p.form(manager, "/contacts/{id}/links/{account}", p.linkedPage, p.changeLink)
	p.form(manager, "/contacts/{id}/links/{account}/unlink", p.unlinkPage, p.unlink)
}

func contactPath(id domain.ID) string { return "/staff/contacts/" + id.String() }

// contactPage is one person at a client.
type contactPage struct {
	look
	Page    ui.Page
	Contact readapi.StaffContact
	Account *readapi.Account
	Seen    readapi.Seen
	History []readapi.StaffEntry
	Manager bool
	Doors   bool // the sign-in is there: people can be invited and previewed
	Form    *form
}

// readPerson reads a contact and the name of their client: one after the other, because the first names the second.
func (v *visit) readPerson() (readapi.StaffContact, readapi.StaffAccount, error) {
	person := readapi.Get[readapi.StaffContact](v.q, v.id(), nil)
	if err := v.read(); err != nil {
		return readapi.StaffContact{}, readapi.StaffAccount{}, err
	}
	next := v.Reader.AsOf(v.scope, v.r.URL.Query().Get(asOf))
	account := readapi.Get[readapi.StaffAccount](next, person.Account.String(), nil)
	err := next.Run(v.r.Context())
	return *person, *account, err
}

func (p *portal) contact(v *visit) (templ.Component, error) {
	history := readapi.History(v.q, "contacts", v.id(), url.Values{"limit": {"8"}})
	person := readapi.Get[readapi.StaffContact](v.q, v.id(), nil)
	if err := v.read(); err != nil {
		return nil, err
	}
	next := p.Reader.AsOf(v.scope, v.r.URL.Query().Get(asOf))
	account := readapi.Get[readapi.StaffAccount](next, person.Account.String(), nil)
	seen := readapi.SeenOf(next, person.Account.String())
	if err := next.Run(v.r.Context()); err != nil {
		return nil, err
	}
	return contactView(contactPage{
		look: v.look(), Page: v.staff(person.Name, "/staff/clients"), Contact: *person, Account: &account.Account, Seen: seen[person.ID],
		History: history.Items, Manager: v.atLeast("manager"), Doors: p.Doors.Security != "", Form: newForm(),
	}), nil
}

// personCrumbs are the pages above a contact's.
func personCrumbs(account readapi.Account, further ...ui.Link) []ui.Link {
	return append([]ui.Link{{Label: "Clients", Href: "/staff/clients"}, {Label: account.Name, Href: clientPath(account.ID)}}, further...)
}

func (p *portal) contactHistory() pageFunc {
	return p.historyOf("contacts", func(v *visit) func() (string, []ui.Link) {
		one := readapi.Get[readapi.StaffContact](v.q, v.id(), nil)
		return func() (string, []ui.Link) {
			return one.Name, []ui.Link{{Label: "Clients", Href: "/staff/clients"}}
		}
	})
}

// personForm is a form about a person at a client.
type personForm struct {
	look
	Page    ui.Page
	Form    *form
	Account readapi.StaffAccount
	Contact readapi.StaffContact // none of a new one
	Others  []ui.Option
}

func (p *portal) newContact(v *visit, f *form) (templ.Component, error) {
	account := readapi.Get[readapi.StaffAccount](v.q, v.id(), nil)
	if err := v.read(); err != nil {
		return nil, err
	}
	return newContactView(personForm{look: v.look(), Page: v.staff("New contact", "/staff/clients"), Form: f, Account: *account}), nil
}

func (p *portal) addContact(v *visit, f *form) (step, error) {
	return step{name: "AddContact", command: contact.Add{
		Account: v.thing(), Name: f.personal("name"), Email: f.personal("email"), Phone: f.personal("phone"),
	}, to: "/staff/contacts/{id}", done: "contact-added"}, nil
}

// personForm reads the contact of a form about one.
func (v *visit) personForm(title string, f *form) (personForm, error) {
	person, account, err := v.readPerson()
	if err != nil {
		return personForm{}, err
	}
	return personForm{look: v.look(), Page: v.staff(title+person.Name, "/staff/clients"), Form: f, Account: account, Contact: person}, nil
}

func (p *portal) editContact(v *visit, f *form) (templ.Component, error) {
	page, err := v.personForm("Change ", f)
	if err != nil {
		return nil, err
	}
	return editContactView(page), nil
}

func (p *portal) changeContact(v *visit, f *form) (step, error) {
	return step{name: "ChangeContactDetails", command: contact.ChangeDetails{
		Contact: v.thing(), Name: f.changed("name"), Email: f.changed("email"), Phone: f.changed("phone"),
	}, to: "/staff/contacts/" + v.id(), done: "saved"}, nil
}

// granted reports whether a contact has a role and permissions now.
func granted(c readapi.StaffContact) bool { return c.Access == "granted" || c.Access == "frozen" }

func (p *portal) accessPage(v *visit, f *form) (templ.Component, error) {
	page, err := v.personForm("Access of ", f)
	if err != nil {
		return nil, err
	}
	return accessView(page), nil
}

// rights are the role and the permissions in a form.
func (f *form) rights() (contact.Role, []contact.Permission) {
	role, permissions := contact.Role(f.text("role")), []contact.Permission{}
	for _, one := range f.values["permissions"] {
		permissions = append(permissions, contact.Permission(one))
	}
	if f.text("do") == "defaults" {
		permissions = role.Defaults()
	}
	return role, permissions
}

// changeAccess grants access, or changes what a contact with access may do. The form says which of both it was.
func (p *portal) changeAccess(v *visit, f *form) (step, error) {
	role, permissions := f.rights()
	if f.text("now") == "granted" {
		return step{
			name: "ChangePermissions", command: contact.ChangePermissions{Contact: v.thing(), Role: &role, Permissions: permissions},
			to: "/staff/contacts/" + v.id(), done: "saved",
		}, nil
	}
	if len(permissions) == 0 {
		permissions = nil // those of the role
	}
	return step{
		name: "GrantPortalAccess", command: contact.Grant{Contact: v.thing(), Role: role, Permissions: permissions},
		to: "/staff/contacts/" + v.id(), done: "access-granted",
	}, nil
}

// contactRoles are what a contact can be at their client.
func contactRoles() []ui.Option {
	return []ui.Option{
		{Value: string(contact.Owner), Label: "Owner", Hint: "May do everything."},
		{Value: string(contact.Accounts), Label: "Accounts", Hint: "Does the bookkeeping: invoices, payments, contracts."},
		{Value: string(contact.Member), Label: "Member", Hint: "Works with you: projects, documents, messages."},
		{Value: string(contact.Viewer), Label: "Viewer", Hint: "Looks, and changes nothing."},
	}
}

func permissionOptions() []ui.Option {
	options := []ui.Option{}
	for _, one := range contact.Permissions() {
		options = append(options, ui.Option{Value: string(one), Label: words(string(one))})
	}
	return options
}

// role is the role that is chosen when nobody has chosen one.
func (p personForm) role() string {
	if p.Contact.Role != "" {
		return p.Contact.Role
	}
	if p.Contact.Primary {
		return string(contact.Owner)
	}
	return string(contact.Member)
}

func (p *portal) freezePage(v *visit, f *form) (templ.Component, error) {
	page, err := v.personForm("Freeze the access of ", f)
	if err != nil {
		return nil, err
	}
	return staffConfirmView(page.Page, ui.ConfirmProps{
		Title: "Freeze the access of " + page.Contact.Name + "?", Text: "They are signed out everywhere at once and cannot sign in until somebody lets them in again. Role and permissions are kept.",
		Action: contactPath(page.Contact.ID) + "/freeze", Button: "Freeze access", Danger: true, Back: contactPath(page.Contact.ID),
	}, f, reasonField(f, "Only your colleagues see it, such as “mailbox was stolen”.")), nil
}

func (p *portal) freeze(v *visit, f *form) (step, error) {
	return step{name: "FreezeAccess", command: contact.Freeze{Contact: v.thing(), Reason: f.reason()}, to: "/staff/contacts/" + v.id(), done: "access-frozen"}, nil
}

func (p *portal) unfreezePage(v *visit, f *form) (templ.Component, error) {
	page, err := v.personForm("Unfreeze the access of ", f)
	if err != nil {
		return nil, err
	}
	text := "They may sign in again with the role and the permissions they had."
	if page.Contact.FreezeReason != "" {
		text += " It was frozen because: " + page.Contact.FreezeReason
	}
	return staffConfirmView(page.Page, ui.ConfirmProps{
		Title: "Let " + page.Contact.Name + " in again?", Text: text,
		Action: contactPath(page.Contact.ID) + "/unfreeze", Button: "Unfreeze access", Back: contactPath(page.Contact.ID),
	}, f, nil), nil
}

func (p *portal) unfreeze(v *visit, _ *form) (step, error) {
	return step{name: "UnfreezeAccess", command: contact.Unfreeze{Contact: v.thing()}, to: "/staff/contacts/" + v.id(), done: "access-unfrozen"}, nil
}

func (p *portal) revokePage(v *visit, f *form) (templ.Component, error) {
	page, err := v.personForm("Revoke the access of ", f)
	if err != nil {
		return nil, err
	}
	return staffConfirmView(page.Page, ui.ConfirmProps{
		Title: "Revoke the access of " + page.Contact.Name + "?", Text: "They are signed out everywhere and lose role and permissions. What they did stays in the history. Access can be granted anew.",
		Action: contactPath(page.Contact.ID) + "/revoke", Button: "Revoke access", Danger: true, Back: contactPath(page.Contact.ID),
	}, f, optionalReason(f, "Only your colleagues see it.")), nil
}

func (p *portal) revoke(v *visit, f *form) (step, error) {
	return step{name: "RevokePortalAccess", command: contact.Revoke{Contact: v.thing(), Reason: f.reason()}, to: "/staff/contacts/" + v.id(), done: "access-revoked"}, nil
}

// previewPage asks why, before a member of staff looks at the pages of a contact. Package signin takes the form.
func (p *portal) previewPage(v *visit) (templ.Component, error) {
	f := newForm()
	page, err := v.personForm("See the portal as ", f)
	if err != nil {
		return nil, err
	}
	return staffConfirmView(page.Page, ui.ConfirmProps{
		Title: "See the portal as " + page.Contact.Name + "?", Text: "You see their pages as they do, and can change nothing. That you looked, and why, stands in their history.",
		Action: "/staff/preview", Button: "See as " + page.Contact.Name, Back: contactPath(page.Contact.ID),
		Hidden: []ui.HiddenField{{Name: "contact", Value: page.Contact.ID.String()}},
	}, f, reasonField(f, "They can read it.")), nil
}

func (p *portal) mergePage(v *visit, f *form) (templ.Component, error) {
	page, err := v.personForm("Merge a duplicate into ", f)
	if err != nil {
		return nil, err
	}
	next := p.Reader.AsOf(v.scope, v.r.URL.Query().Get(asOf))
	others := readapi.List[readapi.StaffContact](next, choices("account", page.Account.ID.String()))
	if err := next.Run(v.r.Context()); err != nil {
		return nil, err
	}
	for _, other := range others.Items {
		if other.ID != page.Contact.ID {
			page.Others = append(page.Others, ui.Option{Value: other.ID.String(), Label: other.Name + ", " + orElse(other.Email, "no e-mail")})
		}
	}
	return mergeView(page), nil
}

func (p *portal) merge(v *visit, f *form) (step, error) {
	if f.id("duplicate") == domain.NoID {
		f.wrong("duplicate", "duplicate-required", "Choose the contact that is the same person.")
	}
	return step{
		name: "MergeContacts", command: contact.Merge{Contact: v.thing(), Duplicate: f.id("duplicate"), Reason: f.reason()},
		to: "/staff/contacts/" + v.id(), done: "merged",
	}, nil
}

// contactBadge is how a contact's access stands. Who was invited and has never come is shown as such.
func contactBadge(c readapi.StaffContact, seen readapi.Seen) templ.Component {
	if c.Access == "granted" && seen.SignedInAt.IsZero() && !seen.InvitedAt.IsZero() {
		return ui.AccessBadge("invited")
	}
	return ui.AccessBadge(c.Access)
}

// timeOrNever is an instant, or that there was none.
func timeOrNever(at time.Time, zone *time.Location) templ.Component {
	if at.IsZero() {
		return ui.Muted("never")
	}
	return ui.Time(at, zone)
}

// permitted are the names of permissions, in the order in which people choose them.
func permitted(permissions []string) []string {
	var names []string
	for _, one := range contact.Permissions() {
		if slices.Contains(permissions, string(one)) {
			names = append(names, words(string(one)))
		}
	}
	return names
}
