package portal

import (
	"github.com/a-h/templ"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/readapi"
	"github.com/atrium-portal/atrium/readapi/portal/ui"
)

// whatIfPage is a client's real figures beside those of a hypothesis. The form is sent with GET: nothing is stored.
type whatIfPage struct {
	clientTab
	Path       string
	Hypothesis readapi.Hypothesis
	Fault      *domain.Fault // of what was typed
	Got        *readapi.WhatIf
}

func (p *portal) whatIf(v *visit) (templ.Component, error) {
	tab, err := v.tab("What if")
	if err != nil {
		return nil, err
	}
	page := whatIfPage{clientTab: tab, Path: v.r.URL.Path, Hypothesis: readapi.Hypothesis{LateFee: v.query("late_fee"), TaxRate: v.query("tax_rate"), Plan: v.query("plan")}}
	page.Got, err = p.Supposer.Suppose(v.r.Context(), v.scope.Firm, tab.Account.ID, page.Hypothesis)
	if err != nil {
		fault := domain.AsFault(err)
		if fault.Kind != domain.Malformed {
			return nil, err
		}
		page.Fault = fault
	}
	return whatIfView(page), nil
}

// asked is a field of the hypothesis, with what is wrong with it.
func (p whatIfPage) asked(name, label, hint, value string) ui.Field {
	f := ui.Field{Name: name, Label: label, Hint: hint, Value: value, Optional: true, Width: ui.Medium}
	if p.Fault != nil && p.Fault.Field == name {
		f.Error = p.Fault.Message
	}
	return f
}

func (p whatIfPage) rows() []ui.TableRow {
	row := func(label string, real, supposed readapi.Figures) ui.TableRow {
		return ui.TableRow{Cells: []templ.Component{
			ui.Text(label), p.amountOr(real.Billed), p.amountOr(real.Paid), p.amountOr(real.Due),
			p.amountOr(supposed.Billed), p.amountOr(supposed.Paid), p.amountOr(supposed.Due),
		}}
	}
	rows := make([]ui.TableRow, 0, len(p.Got.Invoices)+1)
	for _, i := range p.Got.Invoices {
		rows = append(rows, row(i.Label, i.Real, i.WhatIf))
	}
	return append(rows, row("Total", p.Got.Real, p.Got.WhatIf))
}

func (p whatIfPage) balances() []ui.TableRow {
	rows := make([]ui.TableRow, 0, len(p.Got.Balances))
	for _, b := range p.Got.Balances {
		rows = append(rows, ui.TableRow{Cells: []templ.Component{ui.Date(b.Date), p.amountOr(b.Real), p.amountOr(b.WhatIf)}})
	}
	return rows
}
