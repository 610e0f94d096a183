package portal

import (
	"cmp"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/a-h/templ"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/readapi"
	"github.com/atrium-portal/atrium/readapi/portal/ui"
)

// staffHomePage is what a member of staff sees first: what needs attention, and how the firm does.
type staffHomePage struct {
	look
	Page    ui.Page
	Welcome string
	Home    *readapi.StaffHome
	Manager bool
}

// How much of what needs attention, and of what happened, stands on the first page.
const (
	shownAttention = 12
	shownLatest    = 8
)

func (p *portal) staffHome(v *visit) (templ.Component, error) {
	home := readapi.HomeOf(v.q, shownLatest)
	if err := v.read(); err != nil {
		return nil, err
	}
	return staffHomeView(staffHomePage{
		look: v.look(), Page: v.staff("Home", "/staff"), Welcome: welcome(v.frame.Name), Home: home, Manager: v.atLeast("manager"),
	}), nil
}

// lead says in a sentence how much waits.
func (h staffHomePage) lead() string {
	switch n := len(h.Home.Attention); n {
	case 0:
		return "Nothing needs attention today."
	case 1:
		return "1 thing needs attention today."
	default:
		return counted(n, "thing needs", "things need") + " attention today."
	}
}

// attention is what somebody should look at, the most urgent first. A member cannot change invoices, but sees them.
func (h staffHomePage) attention() []ui.Action {
	var actions []ui.Action
	for _, a := range h.Home.Attention[:min(len(h.Home.Attention), shownAttention)] {
		actions = append(actions, h.attend(a))
	}
	return actions
}

func (h staffHomePage) attend(a readapi.Attention) ui.Action {
	since := "since " + ui.DateText(domain.DateOf(a.Since, h.Zone))
	switch a.Kind {
	case readapi.AttentionToQuestion:
		return ui.Action{Icon: "question", Title: orElse(a.Person, "A contact") + " questions " + a.Label, Detail: a.AccountName + ": “" + short(a.Text) + "”", Href: h.path("invoices", a.ID), Verb: "Answer"}
	case readapi.AttentionToReview:
		look := ui.Action{Icon: "card", Title: "Look into a payment for " + a.Label, Detail: a.AccountName + ", " + h.money(a.Amount) + ": " + reviewWhy[a.Text], Late: true}
		if look.Href, look.Verb = "/staff/payments/"+a.ID.String()+"/review", "Review"; !h.Manager {
			look.Href, look.Verb = "/staff/search?"+url.Values{"q": {a.Label}}.Encode(), "Look"
		}
		return look
	case readapi.AttentionToOverdue:
		return ui.Action{Icon: "alert", Title: a.Label + " is " + h.lateness(a.Due), Detail: a.AccountName + ", " + h.money(a.Amount), Href: h.path("invoices", a.ID), Verb: "Look", Late: true}
	case readapi.AttentionToDeclined:
		return ui.Action{Icon: "close", Title: orElse(a.Person, "A signer") + " declined “" + a.Label + "”", Detail: a.AccountName + ": “" + short(a.Text) + "”", Href: h.path("contracts", a.ID), Verb: "Look"}
	case readapi.AttentionToShifted:
		return ui.Action{Icon: "calendar", Title: a.Label + " has shifted", Detail: a.AccountName + ": " + short(a.Text), Href: h.path("projects", a.ID), Verb: "Look"}
	case readapi.AttentionToFrozen:
		return ui.Action{Icon: "freeze", Title: "The access of " + a.Label + " is frozen", Detail: a.AccountName + ": " + short(a.Text), Href: "/staff/contacts/" + a.ID.String(), Verb: "Look"}
	case readapi.AttentionToUnsigned:
		return ui.Action{Icon: "contract", Title: "“" + a.Label + "” waits for " + orElse(a.Person, "a signature"), Detail: a.AccountName + ", " + since, Href: h.path("contracts", a.ID), Verb: "Look"}
	}
	return ui.Action{Icon: "clock", Title: a.Label + " waits on the client", Detail: a.AccountName + ": " + short(a.Text), Href: h.path("projects", a.ID), Verb: "Look"}
}

// reviewWhy says why somebody has to look into a payment.
var reviewWhy = map[string]string{
	"amount": "another amount arrived than was asked for", "invoice": "the invoice was not due any more", "twice": "the money was taken twice",
}

// short is the beginning of a text.
func short(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if runes := []rune(text); len(runes) > 90 {
		return strings.TrimSpace(string(runes[:90])) + "…"
	}
	return text
}

// stats are the figures at the top: what is owed, and what is under way.
func (h staffHomePage) stats() []ui.Stat {
	open := ui.Stat{Label: "Open", Href: "/staff/invoices?status=" + openStatuses}
	late := ui.Stat{Label: "Overdue", Href: "/staff/invoices?status=overdue"}
	var owed, overdue []domain.Money
	for _, t := range h.Home.Totals {
		owed, overdue = append(owed, t.Due), append(overdue, t.Overdue)
	}
	n := h.Home.Invoices
	open.Value, open.Detail = h.amounts(owed, counted(int(n["sent"]+n["part_paid"]+n["overdue"]), "invoice", "invoices"))
	late.Value, late.Detail = h.amounts(overdue, counted(int(n["overdue"]), "invoice", "invoices"))
	if n["overdue"] > 0 {
		late.Tone = ui.Bad
	}
	under := h.Home.Projects["on_track"] + h.Home.Projects["waiting_on_client"] + h.Home.Projects["shifted"]
	projects := ui.Stat{Label: "Projects under way", Value: plain(under), Href: "/staff/projects", Detail: "for " + counted(int(h.Home.Accounts["open"]), "client", "clients")}
	if n := h.Home.Projects["waiting_on_client"]; n > 0 {
		projects.Detail = counted(int(n), "waits on the client", "wait on the client")
	}
	waiting := ui.Stat{Label: "Contracts to be signed", Value: plain(h.Home.Contracts["sent"]), Href: "/staff/contracts?status=sent"}
	if n := h.Home.Contracts["declined"]; n > 0 {
		waiting.Detail, waiting.Tone = counted(int(n), "was declined", "were declined"), ui.Warning
	}
	return []ui.Stat{open, late, projects, waiting}
}

// amounts puts the largest of amounts first, and the others, with what they are of, below it.
func (h staffHomePage) amounts(all []domain.Money, of string) (value, detail string) {
	all = slices.DeleteFunc(slices.Clone(all), func(m domain.Money) bool { return m.Amount == 0 })
	if len(all) == 0 {
		return "–", of
	}
	slices.SortStableFunc(all, func(a, b domain.Money) int { return cmp.Compare(b.Amount, a.Amount) })
	for _, m := range all[1:] {
		detail += "and " + h.money(m) + ", "
	}
	return strings.ReplaceAll(h.money(all[0]), "\u00a0", " "), detail + of // where it is narrow the currency goes below
}

// revenue are the charts of what was billed and paid, one per currency.
func (h staffHomePage) revenue() []ui.BarsProps {
	var charts []ui.BarsProps
	for _, t := range h.Home.Totals {
		charts = append(charts, h.revenueIn(t.Currency, len(h.Home.Totals) > 1))
	}
	return charts
}

func (h staffHomePage) revenueIn(currency string, several bool) ui.BarsProps {
	chart := ui.BarsProps{Title: "Billed and paid by month", Series: []string{"Billed", "Paid"}}
	if several {
		chart.Title += " in " + currency
	}
	zero := domain.Money{Currency: currency}
	billed, paid, most := zero, zero, zero
	first := time.Date(h.Today.Year, h.Today.Month, 1, 0, 0, 0, 0, time.UTC).AddDate(0, -11, 0)
	for i := range 12 {
		at := first.AddDate(0, i, 0)
		month := readapi.Month{Billed: zero, Paid: zero}
		for _, m := range h.Home.Months {
			if m.Billed.Currency == currency && m.First.Time().Equal(at) {
				month = m
			}
		}
		billed, paid = billed.Add(month.Billed), paid.Add(month.Paid)
		most.Amount = max(most.Amount, month.Billed.Amount, month.Paid.Amount)
		chart.Groups = append(chart.Groups, ui.BarGroup{
			Label: at.Format("Jan"), Name: at.Format("January 2006"), Values: []int64{max(month.Billed.Amount, 0), max(month.Paid.Amount, 0)},
			Texts: []string{h.money(month.Billed), h.money(month.Paid)},
		})
	}
	chart.Top = h.money(most)
	chart.Text = "In twelve months " + h.money(billed) + " were billed and " + h.money(paid) + " were paid."
	return chart
}

// ageing are the bars of what is owed by how long it is due, one per currency.
func (h staffHomePage) ageing() []ui.PartsProps {
	var charts []ui.PartsProps
	for _, a := range h.Home.Ageing {
		part := func(label string, m domain.Money, href string) ui.Part {
			return ui.Part{Label: label, Value: m.Amount, Text: h.money(m), Href: "/staff/invoices?" + href}
		}
		total := a.Current.Add(a.Days30).Add(a.Days60).Add(a.Days90).Add(a.Older)
		chart := ui.PartsProps{
			Title: "By age", Kind: ui.Ageing, Text: h.money(total) + " are owed, of which " + h.money(a.Current) + " are not due yet.",
			Parts: []ui.Part{
				part("Not due yet", a.Current, "status=sent,part_paid"), part("Up to 30 days", a.Days30, h.overdue(1, 30)), part("31 to 60 days", a.Days60, h.overdue(31, 60)),
				part("61 to 90 days", a.Days90, h.overdue(61, 90)), part("Older", a.Older, h.overdue(91, 0)),
			},
		}
		if len(h.Home.Ageing) > 1 {
			chart.Title = "By age in " + a.Current.Currency
		}
		charts = append(charts, chart)
	}
	return charts
}

// overdue narrows the list of invoices to those due some days ago; until 0: or longer.
func (h staffHomePage) overdue(from, until int) string {
	ask := url.Values{"status": {"overdue"}, "due_to": {h.Today.AddDays(-from).String()}}
	if until > 0 {
		ask.Set("due_from", h.Today.AddDays(-until).String())
	}
	return ask.Encode()
}

// mix is how the projects under way spread over their stages.
func (h staffHomePage) mix() ui.PartsProps {
	chart := ui.PartsProps{Title: "Projects by stage", Kind: ui.Mix}
	total := int64(0)
	for _, s := range h.Home.Stages {
		total += s.Count
		chart.Parts = append(chart.Parts, ui.Part{Label: s.Stage, Value: s.Count, Text: plain(s.Count), Href: "/staff/projects"})
	}
	chart.Text = counted(int(total), "project is", "projects are") + " under way in " + counted(len(h.Home.Stages), "stage", "stages") + "."
	return chart
}
