package portal

import (
	"encoding/csv"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/a-h/templ"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/readapi"
	"github.com/atrium-portal/atrium/readapi/auth"
	"github.com/atrium-portal/atrium/readapi/portal/ui"
)

// statementPage is what an account owed before a period, what moved in it, and what it owed after.
type statementPage struct {
	look
	Page      ui.Page
	Statement readapi.StatementDetail
	Address   []string
	Path      string
	Periods   []ui.Link
	Error     string // what is wrong with the period
	CSV       string
	PDF       *ui.Link
}

// period is the one in the address; without any, this year.
func (v *visit) period() url.Values {
	ask := v.ask([]string{"from", "to"})
	if len(ask) == 0 && v.query("period") != "all" {
		ask.Set("from", domain.Date{Year: v.q.Today().Year, Month: time.January, Day: 1}.String())
	}
	return ask
}

// periods are ready-made periods.
func (v *visit) periods(ask url.Values) []ui.Link {
	today := v.q.Today()
	january := func(year int) domain.Date { return domain.Date{Year: year, Month: time.January, Day: 1} }
	var links []ui.Link
	for _, p := range []struct {
		label    string
		from, to string
	}{
		{"This year", january(today.Year).String(), ""},
		{"Last year", january(today.Year - 1).String(), january(today.Year).AddDays(-1).String()},
		{"Last 90 days", today.AddDays(-90).String(), ""},
		{"All", "", ""},
	} {
		query := url.Values{"period": {"all"}}
		if p.from != "" {
			query = url.Values{"from": {p.from}}
		}
		if p.to != "" {
			query.Set("to", p.to)
		}
		current := ask.Get("from") == p.from && ask.Get("to") == p.to
		links = append(links, ui.Link{Label: p.label, Href: v.r.URL.Path + "?" + query.Encode(), Current: current})
	}
	return links
}

func (p *portal) statement(v *visit) (templ.Component, error) {
	ask := v.period()
	one := readapi.Get[readapi.StatementDetail](v.q, v.scope.Account.String(), ask)
	account := readapi.Get[readapi.Account](v.q, v.scope.Account.String(), nil)
	if err := v.read(); err != nil {
		return nil, err
	}
	return statementView(v.statementPage(v.client("Statement", "/statement"), ask, *one, *account)), nil
}

func (v *visit) statementPage(page ui.Page, ask url.Values, s readapi.StatementDetail, a readapi.Account) statementPage {
	return statementPage{
		look: v.look(), Page: page, Statement: s, Address: textLines(a.Name, a.Address, a.TaxID), Path: v.r.URL.Path,
		Periods: v.periods(ask), CSV: v.r.URL.Path + ".csv?" + ask.Encode(),
		PDF: v.paper("statements/"+a.ID.String()+"/pdf?"+ask.Encode(), "PDF"),
	}
}

// title is the period in words.
func (s statementPage) title() string {
	from, to := s.Statement.From, s.Statement.To
	switch {
	case from.IsZero() && to.IsZero():
		return "All until " + ui.DateText(s.Today)
	case from.IsZero():
		return "Until " + ui.DateText(to)
	case to.IsZero():
		return ui.DateText(from) + " until today"
	}
	return ui.DateText(from) + " to " + ui.DateText(to)
}

func (s statementPage) facts() []ui.Pair {
	pair := func(key string, m domain.Money) ui.Pair { return ui.Pair{Key: key, Value: ui.Amount(m, s.Format)} }
	facts := []ui.Pair{pair("Opening balance", s.Statement.Opening), pair("Billed", s.Statement.Billed)}
	for _, f := range []struct {
		key string
		m   domain.Money
	}{
		{"Paid", s.Statement.Paid.Zero().Sub(s.Statement.Paid)},
		{"Given back", s.Statement.Refunded},
		{"Credited", s.Statement.Credited.Zero().Sub(s.Statement.Credited)},
		{"Voided", s.Statement.Voided.Zero().Sub(s.Statement.Voided)},
	} {
		if f.m.Amount != 0 {
			facts = append(facts, pair(f.key, f.m))
		}
	}
	return append(facts, pair("Closing balance", s.Statement.Closing))
}

// what names an entry of a statement.
func what(e readapi.StatementEntry) string {
	switch e.Kind {
	case "invoice":
		return "Invoice " + e.Number
	case "payment":
		return "Payment, thank you"
	case "refund":
		return "Money given back"
	case "credit_note":
		return "Credit note " + e.Number
	case "void":
		return "Invoice voided"
	}
	return words(e.Kind)
}

// statementCSV answers with the entries of a statement as a file.
func (p *portal) statementCSV(w http.ResponseWriter, r *http.Request) {
	v := p.visit(w, r)
	one := readapi.Get[readapi.StatementDetail](v.q, v.accountID(), v.period())
	err := v.read()
	if err == nil {
		err = v.onRecord("csv")
	}
	if err != nil {
		p.fail(w, r, err)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/csv; charset=utf-8; header=present")
	h.Set("Content-Disposition", `attachment; filename="statement.csv"`)
	out := csv.NewWriter(w)
	rows := [][]string{{"date", "what", "number", "amount", "balance", "currency"}}
	for _, e := range one.Entries {
		rows = append(rows, []string{e.Date.String(), e.Kind, plainCell(e.Number), decimal(e.Amount), decimal(e.Balance), e.Amount.Currency})
	}
	if err := out.WriteAll(rows); err != nil {
		p.Logger.Debug("the reader of a statement has gone", "error", err)
	}
}

// accountID is the account of a contact, or the one in the address for staff.
func (v *visit) accountID() string {
	if auth.From(v.r.Context()).Staff() {
		return v.id()
	}
	return v.scope.Account.String()
}

// decimal is an amount as programs read it: -1234.50.
func decimal(m domain.Money) string {
	number, _, _ := strings.Cut(m.String(), " ")
	return strings.ReplaceAll(number, ",", "")
}

// plainCell keeps spreadsheets from taking text for a formula.
func plainCell(text string) string {
	if text != "" && strings.ContainsRune("=+-@\t\r", rune(text[0])) {
		return "'" + text
	}
	return text
}
