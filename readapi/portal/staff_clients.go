package portal

import (
	"net/url"
	"slices"
	"strings"

	"github.com/a-h/templ"
	"github.com/go-chi/chi/v5"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/account"
	"github.com/atrium-portal/atrium/readapi"
	"github.com/atrium-portal/atrium/readapi/portal/ui"
)

// staffClients are the pages of clients.
func (p *portal) staffClients(r, manager chi.Router) {
	r.Get("/clients", p.page(p.clients))
	p.form(manager, "/clients/new", p.newClient, p.openAccount)
	r.Get("/clients/{id}", p.page(p.clientOverview))
	r.Get("/clients/{id}/contacts", p.page(p.clientContacts))
	r.Get("/clients/{id}/projects", p.page(p.clientProjects))
	r.Get("/clients/{id}/invoices", p.page(p.clientInvoices))
	r.Get("/clients/{id}/contracts", p.page(p.clientContracts))
	r.Get("/clients/{id}/history", p.page(p.clientHistory))
	r.Get("/clients/{id}/changes", p.page(p.staffChanges))
	if p.Supposer != nil {
		r.Get("/clients/{id}/what-if", p.page(p.whatIf))
	}
	p.form(manager, "/clients/{id}/edit", p.editClient, p.changeAccount)
	p.form(manager, "/clients/{id}/modules", p.modulesPage, p.changeModules)
	p.form(manager, "/clients/{id}/close", p.closeClient, p.closeAccount)
	p.form(manager, "/clients/{id}/reopen", p.reopenClient, p.reopenAccount)
}

// clientsPage is the list of the firm's clients.
type clientsPage struct {
	listPage
	Clients []readapi.Client
	Manager bool
	Sorted  string
	Newest  string // the addresses of the other orders
	ByName  string
}

// closing is the filter of the list of clients for the state in the address: those that are open when it names none.
func (v *visit) closing() string {
	return map[string]string{"": "false", "closed": "true"}[v.query("status")]
}

func (p *portal) clients(v *visit) (templ.Component, error) {
	list := readapi.Clients(v.q, v.ask([]string{"q", "cursor", "sort"}, "closed", v.closing(), "limit", pageSize))
	if err := v.read(); err != nil {
		return nil, err
	}
	return clientsView(clientsPage{
		listPage: v.list(v.staff("Clients", "/staff/clients"), len(list.Items), "client", "clients", list.Ends, "Open", "", "Closed", "closed", "All", "all"),
		Clients:  list.Items, Manager: v.atLeast("manager"),
	}), nil
}

// clientTab is the frame of one client: its head, and which of its tabs is shown.
type clientTab struct {
	look
	Page    ui.Page
	Account readapi.StaffAccount
	Manager bool
	Tab     string
}

// tabs are the parts of a client, each a page of its own.
func (c clientTab) tabs() []ui.Link {
	base := clientPath(c.Account.ID)
	tabs := []ui.Link{
		{Label: "Overview", Href: base},
		{Label: "Contacts", Href: base + "/contacts"},
		{Label: "Projects", Href: base + "/projects"},
		{Label: "Invoices", Href: base + "/invoices"},
		{Label: "Contracts", Href: base + "/contracts"},
		{Label: "History", Href: base + "/history"},
	}
	for i := range tabs {
		tabs[i].Current = tabs[i].Label == c.Tab
	}
	return tabs
}

// tab reads what was asked for with the client in the address, and describes one of its tabs.
func (v *visit) tab(name string) (clientTab, error) {
	account := readapi.Get[readapi.StaffAccount](v.q, v.id(), nil)
	if err := v.read(); err != nil {
		return clientTab{}, err
	}
	title := account.Name
	if name != "Overview" {
		title = name + " of " + title
	}
	return clientTab{v.look(), v.staff(title, "/staff/clients"), *account, v.atLeast("manager"), name}, nil
}

// overviewPage is how a client stands at a glance.
type overviewPage struct {
	clientTab
	Client   *readapi.Client
	Contacts []readapi.StaffContact
	Seen     map[domain.ID]readapi.Seen
	Invoices []readapi.StaffInvoice
	Projects []readapi.Project
	History  []readapi.StaffEntry
}

// ofAccount asks for what belongs to the client in the address; for nothing when that is no id.
func (v *visit) ofAccount(further ...string) url.Values {
	return choices(append([]string{"account", orElse(known(v.thing()), domain.NewID().String())}, further...)...)
}

func (p *portal) clientOverview(v *visit) (templ.Component, error) {
	page := overviewPage{Client: readapi.ClientOf(v.q, v.id()), Seen: readapi.SeenOf(v.q, v.id())}
	contacts := readapi.List[readapi.StaffContact](v.q, v.ofAccount("limit", "6"))
	invoices := readapi.List[readapi.StaffInvoice](v.q, v.ofAccount("limit", "6"))
	projects := readapi.List[readapi.Project](v.q, v.ofAccount("completed", "false", "limit", "6"))
	history := readapi.History(v.q, "accounts", v.id(), url.Values{"limit": {"6"}})
	var err error
	page.clientTab, err = v.tab("Overview")
	if err != nil {
		return nil, err
	}
	page.Contacts, page.Invoices, page.Projects, page.History = contacts.Items, invoices.Items, projects.Items, history.Items
	return overviewView(page), nil
}

// clientContactsPage are the people of a client.
type clientContactsPage struct {
	clientTab
	listPage
	Contacts []readapi.StaffContact
	Seen     map[domain.ID]readapi.Seen
}

func (p *portal) clientContacts(v *visit) (templ.Component, error) {
	seen := readapi.SeenOf(v.q, v.id())
	ask := v.ask([]string{"q", "cursor"}, "access", v.query("status"), "account", v.ofAccount().Get("account"), "limit", pageSize)
	list := readapi.List[readapi.StaffContact](v.q, ask)
	tab, err := v.tab("Contacts")
	if err != nil {
		return nil, err
	}
	page := clientContactsPage{clientTab: tab, Contacts: list.Items, Seen: seen}
	page.listPage = v.list(tab.Page, len(list.Items), "contact", "contacts", list.Ends, "All", "", "With access", "granted", "Frozen", "frozen", "Without", "none,revoked")
	return clientContactsView(page), nil
}

// clientListPage is a list of what belongs to a client.
type clientListPage[V any] struct {
	clientTab
	listPage
	Items []V
}

func (p *portal) clientProjects(v *visit) (templ.Component, error) {
	list := readapi.List[readapi.Project](v.q, v.ask([]string{"q", "cursor"}, "completed", v.completion(), "account", v.ofAccount().Get("account"), "limit", pageSize))
	tab, err := v.tab("Projects")
	if err != nil {
		return nil, err
	}
	shown := v.list(tab.Page, len(list.Items), "project", "projects", list.Ends, "All", "", "Under way", "open", "Completed", "completed")
	return clientProjectsView(clientListPage[readapi.Project]{tab, shown, list.Items}), nil
}

func (p *portal) clientInvoices(v *visit) (templ.Component, error) {
	list := readapi.List[readapi.StaffInvoice](v.q, v.ask(listParameters, "account", v.ofAccount().Get("account"), "limit", pageSize))
	tab, err := v.tab("Invoices")
	if err != nil {
		return nil, err
	}
	shown := v.list(tab.Page, len(list.Items), "invoice", "invoices", list.Ends, invoiceFilters...)
	return clientInvoicesView(clientListPage[readapi.StaffInvoice]{tab, shown, list.Items}), nil
}

func (p *portal) clientContracts(v *visit) (templ.Component, error) {
	list := readapi.List[readapi.Contract](v.q, v.ask(listParameters, "account", v.ofAccount().Get("account"), "limit", pageSize))
	tab, err := v.tab("Contracts")
	if err != nil {
		return nil, err
	}
	shown := v.list(tab.Page, len(list.Items), "contract", "contracts", list.Ends, contractFilters...)
	return clientContractsView(clientListPage[readapi.Contract]{tab, shown, list.Items}), nil
}

// clientHistoryPage is all that happened at a client.
type clientHistoryPage struct {
	clientTab
	History historyPage
}

func (p *portal) clientHistory(v *visit) (templ.Component, error) {
	entries := readapi.History(v.q, "accounts", v.id(), v.ask(historyParameters, "limit", pageSize))
	moments := readapi.MomentsOf(v.q, v.id())
	tab, err := v.tab("History")
	if err != nil {
		return nil, err
	}
	h := v.historyPage(tab.Page, entries, "/api/v1/accounts/"+v.id()+"/history")
	h.Modules, h.Travel = v.modules(), v.travel(moments, clientPath(tab.Account.ID)+"/changes")
	if p.Supposer != nil {
		h.Suppose = clientPath(tab.Account.ID) + "/what-if"
	}
	return clientHistoryView(clientHistoryPage{tab, h}), nil
}

// accountForm is a form about a client.
type accountForm struct {
	look
	Page     ui.Page
	Form     *form
	Account  readapi.StaffAccount // none of a new one
	Currency string
	Off      []string // modules that no client gets
}

func (p *portal) newClient(v *visit, f *form) (templ.Component, error) {
	if err := v.read(); err != nil {
		return nil, err
	}
	return newClientView(accountForm{look: v.look(), Page: v.staff("New client", "/staff/clients"), Form: f, Currency: v.scope.Settings.Currency}), nil
}

func (p *portal) openAccount(_ *visit, f *form) (step, error) {
	return step{name: "OpenAccount", command: account.Open{
		Name: f.personal("name"), Currency: strings.ToUpper(f.text("currency")),
		Contact: account.Person{Name: f.personal("contact.name"), Email: f.personal("contact.email"), Phone: f.personal("contact.phone")},
	}, to: "/staff/clients/{id}", done: "account-opened"}, nil
}

func (p *portal) editClient(v *visit, f *form) (templ.Component, error) {
	account := readapi.Get[readapi.StaffAccount](v.q, v.id(), nil)
	if err := v.read(); err != nil {
		return nil, err
	}
	return editClientView(accountForm{look: v.look(), Page: v.staff("Change "+account.Name, "/staff/clients"), Form: f, Account: *account}), nil
}

func (p *portal) changeAccount(v *visit, f *form) (step, error) {
	return step{name: "ChangeAccountDetails", command: account.ChangeDetails{
		Account: v.thing(), Name: f.changed("name"), Address: f.changed("address"), TaxID: f.changed("tax_id"), Notes: f.changed("notes"),
	}, to: "/staff/clients/" + v.id(), done: "saved"}, nil
}

func (p *portal) modulesPage(v *visit, f *form) (templ.Component, error) {
	account := readapi.Get[readapi.StaffAccount](v.q, v.id(), nil)
	settings := readapi.SettingsOf(v.q)
	if err := v.read(); err != nil {
		return nil, err
	}
	page := accountForm{look: v.look(), Page: v.staff("Portal of "+account.Name, "/staff/clients"), Form: f, Account: *account, Off: settings.ModulesOff}
	return modulesView(page), nil
}

// options are the modules for this client. Those that are off for everybody cannot be switched on for one.
func (a accountForm) options() []ui.Option {
	options := a.Form.moduleOptions(a.Account.ModulesOff)
	for i := range options {
		if slices.Contains(a.Off, options[i].Value) {
			options[i].Hint = "Off for all clients, in the settings."
		}
	}
	return options
}

func (p *portal) changeModules(v *visit, f *form) (step, error) {
	return step{name: "ChangeAccountModules", command: account.ChangeModules{Account: v.thing(), Off: f.off()}, to: "/staff/clients/" + v.id(), done: "saved"}, nil
}

func (p *portal) closeClient(v *visit, f *form) (templ.Component, error) {
	account := readapi.Get[readapi.StaffAccount](v.q, v.id(), nil)
	if err := v.read(); err != nil {
		return nil, err
	}
	return staffConfirmView(v.staff("Close "+account.Name, "/staff/clients"), ui.ConfirmProps{
		Title:  "Close " + account.Name + "?",
		Text:   "No new project, invoice or contract can be made for a closed account. Its people still sign in and read what is there, and what is open can be paid. You can reopen it.",
		Action: clientPath(account.ID) + "/close", Button: "Close account", Danger: true, Back: clientPath(account.ID),
	}, f, optionalReason(f, "Only your colleagues see it.")), nil
}

func (p *portal) closeAccount(v *visit, f *form) (step, error) {
	return step{
		name: "CloseAccount", command: account.Close{Account: v.thing(), Reason: f.reason()}, to: "/staff/clients/" + v.id(), done: "account-closed",
	}, nil
}

func (p *portal) reopenClient(v *visit, f *form) (templ.Component, error) {
	account := readapi.Get[readapi.StaffAccount](v.q, v.id(), nil)
	if err := v.read(); err != nil {
		return nil, err
	}
	return staffConfirmView(v.staff("Reopen "+account.Name, "/staff/clients"), ui.ConfirmProps{
		Title: "Reopen " + account.Name + "?", Text: "The account takes new work again.",
		Action: clientPath(account.ID) + "/reopen", Button: "Reopen account", Back: clientPath(account.ID),
	}, f, nil), nil
}

func (p *portal) reopenAccount(v *visit, _ *form) (step, error) {
	return step{name: "ReopenAccount", command: account.Reopen{Account: v.thing()}, to: "/staff/clients/" + v.id(), done: "account-reopened"}, nil
}

// choosePage lets staff choose the client that something new is for.
type choosePage struct {
	listPage
	Title   string
	Crumb   ui.Link
	Clients []readapi.Client
}

// chooseClient is the page before a form for something new: whom it is for.
func (v *visit) chooseClient(title, list string) (templ.Component, error) {
	clients := readapi.Clients(v.q, v.ask([]string{"q", "cursor"}, "closed", "false", "limit", pageSize))
	if err := v.read(); err != nil {
		return nil, err
	}
	page := choosePage{Title: title, Clients: clients.Items, listPage: v.list(v.staff(title, list), len(clients.Items), "client", "clients", clients.Ends)}
	page.Crumb = ui.Link{Label: words(strings.TrimPrefix(list, "/staff/")), Href: list}
	return chooseView(page), nil
}
