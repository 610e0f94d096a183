package portal

import (
	"net/url"
	"strings"

	"github.com/a-h/templ"

	"github.com/atrium-portal/atrium/readapi"
	"github.com/atrium-portal/atrium/readapi/portal/ui"
)

// historyParameters are what the pages of history take, as the JSON routes do.
var historyParameters = []string{"q", "module", "person", "from", "to", "why", "cursor"}

// historyPage is what happened, to one record or to all of them.
type historyPage struct {
	listPage
	Title   string
	Lead    string
	Crumbs  []ui.Link
	Entries []readapi.StaffEntry
	Modules []ui.Option // to choose from; none leaves the choice out
	People  []ui.Option
	From    string
	To      string
	Export  string // the address of the same as a file, but for its format
	Links   bool   // to the records
	Travel  *timeTravel
	Suppose string // the address of the what-if page, if any
}

// historyLead says what history is, once; whyLead what a chain of causes is.
const (
	historyLead = "Everything that happened, whole and in order. Nothing here can be changed."
	whyLead     = "How this came about: each step was caused by the one below it, down to a person or the clock."
)

// modules are the parts of the portal that history can be narrowed to, as far as whoever looks may see them.
func (v *visit) modules() []ui.Option {
	options := []ui.Option{{Value: "", Label: "Everything"}}
	for _, m := range []struct{ value, label, permission string }{
		{"project", "Projects", "view_projects"},
		{"invoice", "Invoices", "view_invoices"},
		{"payment", "Online payments", "view_invoices"},
		{"contract", "Contracts", "view_contracts"},
		{"contact", "Contacts", ""},
		{"account", "Company", ""},
		{"access", "Sign-ins", ""},
		{"firm", "Firm and staff", "staff"},
	} {
		if m.permission == "" || v.scope.Permits(m.permission) {
			options = append(options, ui.Option{Value: m.value, Label: m.label, Chosen: v.query("module") == m.value})
		}
	}
	return options
}

// historyPage describes a page of history. export is the JSON route with the same entries.
func (v *visit) historyPage(page ui.Page, entries *readapi.Page[readapi.StaffEntry], export string) historyPage {
	h := historyPage{
		listPage: v.list(page, len(entries.Items), "entry", "entries", entries.Ends), Title: "History", Lead: historyLead,
		Entries: entries.Items, From: v.query("from"), To: v.query("to"), Links: true, Travel: v.travel(nil, ""),
	}
	asked := v.ask(historyParameters)
	if len(asked) > 0 {
		h.Clear = h.Path
	}
	if asked.Has("why") {
		h.Lead = whyLead
	}
	asked.Del("cursor")
	asked.Set("format", "")
	h.Export = export + "?" + asked.Encode()
	return h
}

// history is all that happened at a client, as far as the contact may see it.
func (p *portal) history(v *visit) (templ.Component, error) {
	entries := readapi.History(v.q, "", "", v.ask(historyParameters, "limit", pageSize))
	moments := readapi.MomentsOf(v.q, "")
	if err := v.read(); err != nil {
		return nil, err
	}
	h := v.historyPage(v.client("History", "/history"), entries, "/api/v1/activity")
	h.Modules, h.Travel = v.modules(), v.travel(moments, "/changes")
	return historyView(h), nil
}

// historyOf is all that happened to one thing of a collection. read asks for the thing and gives, once that is read,
// its name and the pages above.
func (p *portal) historyOf(collection string, read func(*visit) func() (name string, crumbs []ui.Link)) pageFunc {
	return func(v *visit) (templ.Component, error) {
		about := read(v)
		entries := readapi.History(v.q, collection, v.id(), v.ask(historyParameters, "limit", pageSize))
		if err := v.read(); err != nil {
			return nil, err
		}
		name, crumbs := about()
		page, view := v.client("History of "+name, crumbs[0].Href), historyView
		if v.scope.Staff() {
			page, view = v.staff("History of "+name, crumbs[0].Href), staffHistoryView
		}
		h := v.historyPage(page, entries, "/api/v1/"+collection+"/"+url.PathEscape(v.id())+"/history")
		h.Title, h.Lead, h.Links = "History of "+name, "", false
		h.Crumbs = append(crumbs, ui.Link{Label: name, Href: v.look().path(collection, v.thing())})
		return view(h), nil
	}
}

func (p *portal) invoiceHistory() pageFunc {
	return p.historyOf("invoices", func(v *visit) func() (string, []ui.Link) {
		one := readapi.Get[readapi.InvoiceDetail](v.q, v.id(), nil)
		return func() (string, []ui.Link) {
			return "invoice " + one.Number, []ui.Link{{Label: "Invoices", Href: "/invoices"}}
		}
	})
}

func (p *portal) contractHistory() pageFunc {
	return p.historyOf("contracts", func(v *visit) func() (string, []ui.Link) {
		one := readapi.Get[readapi.ContractDetail](v.q, v.id(), nil)
		return func() (string, []ui.Link) {
			return "“" + one.Title + "”", []ui.Link{{Label: "Contracts", Href: "/contracts"}}
		}
	})
}

func (p *portal) projectHistory() pageFunc {
	return p.historyOf("projects", func(v *visit) func() (string, []ui.Link) {
		one := readapi.Get[readapi.ProjectDetail](v.q, v.id(), nil)
		return func() (string, []ui.Link) { return one.Name, []ui.Link{{Label: "Projects", Href: "/projects"}} }
	})
}

// export is the address of the history as a file.
func (h historyPage) export(format string) string {
	return strings.Replace(h.Export, "format=", "format="+format, 1)
}
