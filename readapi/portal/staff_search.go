package portal

import (
	"github.com/a-h/templ"
	"github.com/go-chi/chi/v5"

	"github.com/atrium-portal/atrium/readapi"
	"github.com/atrium-portal/atrium/readapi/portal/ui"
)

// staffEverything are the pages over all records: the history, how it is checked, and the search.
func (p *portal) staffEverything(r chi.Router) {
	r.Get("/history", p.page(p.staffHistory))
	r.Get("/search", p.page(p.search))
	r.Get(recordsPath, p.page(p.staffRecords))
}

func (p *portal) staffHistory(v *visit) (templ.Component, error) {
	entries := readapi.History(v.q, "", "", v.ask(historyParameters, "limit", pageSize))
	team := readapi.List[readapi.StaffTeamMember](v.q, choices())
	if err := v.read(); err != nil {
		return nil, err
	}
	h := v.historyPage(v.staff("History", "/staff/history"), entries, "/api/v1/history")
	h.Modules = v.modules()
	h.People = append([]ui.Option{{Value: "", Label: "Everybody"}}, colleagues(team.Items)...)
	for i := range h.People {
		h.People[i].Chosen = h.People[i].Value == v.query("person")
	}
	return staffHistoryView(h), nil
}

// searchPage is what a search over everything found.
type searchPage struct {
	look
	Page   ui.Page
	Query  string
	Groups []hitGroup
}

// hitGroup are the hits of one kind.
type hitGroup struct {
	Title string
	Items []ui.Item
}

func (p *portal) search(v *visit) (templ.Component, error) {
	hits := readapi.Search(v.q, v.query("q"))
	if err := v.read(); err != nil {
		return nil, err
	}
	page := searchPage{look: v.look(), Page: v.staff("Search", ""), Query: v.query("q")}
	page.Page.Search.Value = page.Query
	for _, kind := range []struct{ kind, title string }{
		{"account", "Clients"}, {"contact", "Contacts"}, {"project", "Projects"}, {"invoice", "Invoices"}, {"contract", "Contracts"},
	} {
		group := hitGroup{Title: kind.title}
		for _, hit := range *hits {
			if hit.Kind == kind.kind {
				group.Items = append(group.Items, page.item(hit))
			}
		}
		if len(group.Items) > 0 {
			page.Groups = append(page.Groups, group)
		}
	}
	return searchView(page), nil
}

// item is a line for a hit.
func (s searchPage) item(h readapi.Hit) ui.Item {
	one := ui.Item{Title: orElse(h.Label, "Without a name"), Detail: h.AccountName}
	if h.Detail != "" {
		one.Detail += ", " + h.Detail
	}
	switch h.Kind {
	case "account":
		one.Href, one.Icon, one.Side, one.Detail = clientPath(h.ID), "building", accountBadge(h.Status == "closed"), ""
	case "contact":
		one.Href, one.Icon, one.Side = contactPath(h.ID), "person", ui.AccessBadge(h.Status)
	case "project":
		one.Href, one.Icon, one.Side = s.path("projects", h.ID), "project", ui.HealthBadge(h.Status)
	case "invoice":
		one.Href, one.Icon, one.Side = s.path("invoices", h.ID), "invoice", ui.InvoiceBadge(h.Status)
		if h.Status == "draft" {
			one.Title = "Draft"
		}
	case "contract":
		one.Href, one.Icon, one.Side = s.path("contracts", h.ID), "contract", ui.ContractBadge(h.Status)
	}
	return one
}
