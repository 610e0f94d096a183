package portal

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/a-h/templ"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/readapi"
	"github.com/atrium-portal/atrium/readapi/portal/ui"
)

// shownWaiting is how much of what waits for a contact stands on the first page.
const shownWaiting = 8

// homePage is what a contact sees first: what waits for them, and how things stand.
type homePage struct {
	look
	Page      ui.Page
	Welcome   string
	Lead      string // the current engagement in a sentence
	Dashboard *readapi.ClientDashboard
	Team      []readapi.TeamMember
	Invoices  bool // may be seen
	Projects  bool
	Contracts bool
	History   bool
}

func (p *portal) home(v *visit) (templ.Component, error) {
	dashboard := readapi.Dashboard(v.q, shownWaiting)
	team := readapi.List[readapi.TeamMember](v.q, url.Values{"limit": {"4"}})
	if err := v.read(); err != nil {
		return nil, err
	}
	return homeView(homePage{
		look: v.look(), Page: v.client("Home", "/"), Welcome: welcome(v.frame.Name), Lead: engagement(v.brand().Name, dashboard.Projects),
		Dashboard: dashboard, Team: team.Items, Invoices: v.scope.Permits("view_invoices"), Projects: v.scope.Permits("view_projects"),
		Contracts: v.scope.Permits("view_contracts"), History: v.scope.ShowHistory,
	}), nil
}

func welcome(name string) string {
	first, _, _ := strings.Cut(name, " ")
	if first == "" {
		return "Welcome"
	}
	return "Welcome, " + first
}

// engagement says in a sentence what is under way.
func engagement(firm string, projects []readapi.ProjectSummary) string {
	if len(projects) == 0 {
		return "This is where your work with " + firm + " comes together."
	}
	p := projects[0]
	text := p.Name + " is in " + p.Stage
	switch p.Health {
	case "waiting_on_client":
		text += " and waits for you"
	case "shifted":
		text += "; its dates have moved"
	default:
		text += " and on track"
	}
	if more := len(projects) - 1; more > 0 {
		text += ", and " + counted(more, "more project is", "more projects are") + " under way"
	}
	return text + "."
}

// counted says how many there are: "1 invoice", "3 invoices".
func counted(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}

// actions are what waits, the most urgent first: what is late, then signatures, then what is due next. more is how much there
// is no room for.
func (h homePage) actions() (shown []ui.Action, more int) {
	var late, sign, pay []ui.Action
	for _, a := range h.Dashboard.Actions {
		switch {
		case a.Kind == "sign_contract":
			sign = append(sign, ui.Action{
				Icon: "pen", Title: "Sign “" + a.Label + "”", Detail: "Sent on " + ui.DateText(domain.DateOf(a.Since, h.Zone)), Href: h.path("contracts", a.ID), Verb: "Sign",
			})
		case a.Overdue:
			late = append(late, ui.Action{
				Icon: "alert", Title: "Pay invoice " + a.Label, Detail: h.money(*a.Amount) + ", " + h.lateness(a.Due), Href: h.path("invoices", a.ID), Verb: "Pay", Late: true,
			})
		default:
			pay = append(pay, ui.Action{
				Icon: "card", Title: "Pay invoice " + a.Label, Detail: h.money(*a.Amount) + ", " + h.lateness(a.Due), Href: h.path("invoices", a.ID), Verb: "Pay",
			})
		}
	}
	shown = slices.Concat(late, sign, pay)
	shown = shown[:min(len(shown), shownWaiting)]
	return shown, len(sign) + int(h.Dashboard.Open) - len(shown)
}

// lateness says how a due date lies to today.
func (l look) lateness(due domain.Date) string {
	days := int(due.Time().Sub(l.Today.Time()).Hours() / 24)
	switch {
	case days < -1:
		return strconv.Itoa(-days) + " days overdue"
	case days == -1:
		return "due yesterday"
	case days == 0:
		return "due today"
	case days == 1:
		return "due tomorrow"
	case days <= 14:
		return "due in " + strconv.Itoa(days) + " days"
	}
	return "due on " + ui.DateText(due)
}

// due is what a contact owes, with statement and question one tap away.
func (h homePage) due() ui.AmountDueProps {
	d := ui.AmountDueProps{
		Label: "Amount due", Amounts: h.Dashboard.AmountDue, Format: h.Format, Nothing: "Nothing to pay",
		Links: []ui.Link{{Label: "Statement", Href: "/statement", Icon: "statement"}},
	}
	open, late := int(h.Dashboard.Open), int(h.Dashboard.Overdue)
	first := slices.IndexFunc(h.Dashboard.Actions, func(a readapi.Action) bool { return a.Kind == "pay_invoice" })
	if late > 0 {
		d.Late = counted(late, "invoice is overdue", "invoices are overdue")
	}
	if first < 0 {
		return d
	}
	next := h.Dashboard.Actions[first]
	d.Detail = counted(open, "invoice", "invoices") + ", the first " + h.lateness(next.Due)
	if open == 1 {
		d.Detail = "1 invoice, " + h.lateness(next.Due)
	}
	d.Pay = &ui.Link{Label: "See " + next.Label, Href: h.path("invoices", next.ID), Icon: "invoice"}
	question := ui.Link{Label: "Question an invoice", Href: "/invoices?status=sent,part_paid,overdue", Icon: "question"}
	if open == 1 {
		question = ui.Link{Label: "Question this invoice", Href: h.path("invoices", next.ID) + "/question", Icon: "question"}
	}
	d.Links = append(d.Links, question)
	return d
}

// quick are short ways to what people come for.
func (h homePage) quick() []ui.Link {
	var links []ui.Link
	if h.Invoices {
		links = append(links, ui.Link{Label: "All invoices", Href: "/invoices", Icon: "invoice"})
	}
	if h.Contracts {
		links = append(links, ui.Link{Label: "Your contracts", Href: "/contracts", Icon: "contract"})
	}
	if h.History {
		links = append(links, ui.Link{Label: "What happened", Href: "/history", Icon: "history"})
	}
	return append(links, ui.Link{Label: "Your details", Href: "/profile", Icon: "person"})
}
