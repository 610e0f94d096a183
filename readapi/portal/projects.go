package portal

import (
	"net/url"

	"github.com/a-h/templ"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/readapi"
	"github.com/atrium-portal/atrium/readapi/portal/ui"
)

// projectsPage is the list of a client's projects.
type projectsPage struct {
	listPage
	Projects []readapi.Project
}

// completion is the filter of the list of projects for the state in the address.
func (v *visit) completion() string {
	return map[string]string{"open": "false", "completed": "true"}[v.query("status")]
}

func (p *portal) projects(v *visit) (templ.Component, error) {
	list := readapi.List[readapi.Project](v.q, v.ask([]string{"q", "cursor"}, "completed", v.completion(), "limit", pageSize))
	if err := v.read(); err != nil {
		return nil, err
	}
	return projectsView(projectsPage{
		v.list(v.client("Projects", "/projects"), len(list.Items), "project", "projects", list.Ends, "All", "", "Under way", "open", "Completed", "completed"),
		list.Items,
	}), nil
}

// projectPage is one project as its client sees it.
type projectPage struct {
	look
	Page     ui.Page
	Project  readapi.ProjectDetail
	Invoices []readapi.Invoice // of the project; none for whoever may not see invoices
	History  []readapi.StaffEntry
}

func (p *portal) project(v *visit) (templ.Component, error) {
	one := readapi.Get[readapi.ProjectDetail](v.q, v.id(), nil)
	invoices := &readapi.Page[readapi.Invoice]{}
	if v.scope.Permits("view_invoices") && v.thing() != domain.NoID {
		invoices = readapi.List[readapi.Invoice](v.q, url.Values{"project": {v.id()}, "limit": {"100"}})
	}
	history := readapi.History(v.q, "projects", v.id(), url.Values{"limit": {"10"}})
	if err := v.read(); err != nil {
		return nil, err
	}
	return projectView(projectPage{
		look: v.look(), Page: v.client(one.Name, "/projects"), Project: *one, Invoices: invoices.Items, History: history.Items,
	}), nil
}

// stages are where a project stands; past the last when it is completed.
func stages(p readapi.Project) ui.StagesProps {
	s := ui.StagesProps{Stages: p.Stages, Current: p.StageIndex}
	if p.Completed {
		s.Current = len(p.Stages)
	}
	return s
}

// healthOf is how a project stands, as badges name it.
func healthOf(p readapi.Project) string {
	if p.Completed {
		return "completed"
	}
	return p.Health
}

// health is how a project stands in the words of whoever looks: what waits on the client waits for you, on a client's page.
func (l look) health(state string) string {
	if state == "waiting_on_client" && !l.Staff {
		return "waiting_on_you"
	}
	return state
}

// money are the sums over a project's invoices. All are of the account's currency.
func (p projectPage) sums() []ui.Pair {
	if len(p.Invoices) == 0 {
		return nil
	}
	billed := p.Invoices[0].Total.Zero()
	paid, due := billed, billed
	for _, i := range p.Invoices {
		if i.Status == "draft" || i.Status == "void" {
			continue
		}
		billed, paid, due = billed.Add(i.Total).Sub(i.Credited), paid.Add(i.Paid), due.Add(i.AmountDue)
	}
	return []ui.Pair{
		{Key: "Billed", Value: ui.Amount(billed, p.Format)}, {Key: "Paid", Value: ui.Amount(paid, p.Format)}, {Key: "To pay", Value: ui.Amount(due, p.Format)},
	}
}

func (l look) invoiceItems(list []readapi.Invoice) []ui.Item {
	items := make([]ui.Item, 0, len(list))
	for _, i := range list {
		items = append(items, ui.Item{Title: invoiceName(i), Detail: l.money(i.Total) + ", due " + ui.DateText(i.Due), Href: l.path("invoices", i.ID), Icon: "invoice", Side: ui.InvoiceBadge(i.Status)})
	}
	return items
}
