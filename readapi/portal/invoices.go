package portal

import (
	"net/url"
	"strings"

	"github.com/a-h/templ"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/invoice"
	"github.com/atrium-portal/atrium/readapi"
	"github.com/atrium-portal/atrium/readapi/portal/ui"
)

// listParameters are what every list of a page takes.
var listParameters = []string{"q", "status", "sort", "cursor"}

const pageSize = "25"

// listPage is a list with its search and its filters.
type listPage struct {
	look
	Page          ui.Page
	Path          string
	Query         string
	Views         []ui.Link
	Clear         string // the address without search and filters; empty when there are none
	Before, After string // addresses of the parts around this one; empty where there is none
	Shown         string // "25 invoices shown"
}

// list describes the list that is shown. views are ready-made filters: label, then status.
func (v *visit) list(page ui.Page, n int, one, many string, ends readapi.Ends, views ...string) listPage {
	l := listPage{
		look: v.look(), Page: page, Path: v.r.URL.Path, Query: v.query("q"), Before: v.turn(ends.Previous), After: v.turn(ends.Next), Shown: counted(n, one, many) + " shown",
	}
	for i := 0; i+1 < len(views); i += 2 {
		href := l.Path
		if views[i+1] != "" {
			href += "?status=" + views[i+1]
		}
		l.Views = append(l.Views, ui.Link{Label: views[i], Href: href, Current: v.query("status") == views[i+1]})
	}
	if l.Query != "" || v.query("status") != "" || v.query("cursor") != "" {
		l.Clear = l.Path
	}
	return l
}

// pages lead to the parts of the list around this one.
func (l listPage) pages() ui.PagesProps {
	return ui.PagesProps{Previous: l.Before, Next: l.After, Detail: l.Shown}
}

// search is the search field of the list.
func (l listPage) search(label string) *ui.Field {
	return &ui.Field{Name: "q", Label: label, Value: l.Query}
}

// kept are the filters that a search keeps.
func (l listPage) kept() []ui.HiddenField {
	for _, view := range l.Views {
		if _, status, ok := strings.Cut(view.Href, "?status="); ok && view.Current {
			return []ui.HiddenField{{Name: "status", Value: status}}
		}
	}
	return nil
}

// searching reports whether the list is only a part of all that there is.
func (l listPage) searching() bool { return l.Clear != "" }

const (
	openStatuses = "sent,part_paid,overdue"
	paidStatuses = "paid,credited"
)

// invoicesPage is the list of a client's invoices.
type invoicesPage struct {
	listPage
	Invoices []readapi.Invoice
}

func (p *portal) invoices(v *visit) (templ.Component, error) {
	list := readapi.List[readapi.Invoice](v.q, v.ask(listParameters, "limit", pageSize))
	if err := v.read(); err != nil {
		return nil, err
	}
	return invoicesView(invoicesPage{
		v.list(v.client("Invoices", "/invoices"), len(list.Items), "invoice", "invoices", list.Ends, "All", "", "To pay", openStatuses, "Overdue", "overdue", "Paid", paidStatuses),
		list.Items,
	}), nil
}

// invoicePage is one invoice as its client sees it.
type invoicePage struct {
	look
	Page     ui.Page
	Invoice  readapi.InvoiceDetail
	Sheet    invoiceSheet
	Pay      bool             // may be paid online
	Open     *readapi.Attempt // a payment that is under way
	Question bool             // may be asked
	PDF      *ui.Link
	Receipts bool // can be downloaded
	History  []readapi.StaffEntry
	Form     *form
}

func (p *portal) invoice(v *visit) (templ.Component, error) { return p.invoiceForm(v, newForm()) }

func (p *portal) invoiceForm(v *visit, f *form) (templ.Component, error) {
	page, err := p.readInvoice(v, f)
	if err != nil {
		return nil, err
	}
	return invoiceView(page), nil
}

func (p *portal) readInvoice(v *visit, f *form) (invoicePage, error) {
	one := readapi.Get[readapi.InvoiceDetail](v.q, v.id(), nil)
	history := readapi.History(v.q, "invoices", v.id(), url.Values{"limit": {"6"}})
	account := readapi.Get[readapi.Account](v.q, v.scope.Account.String(), nil)
	open, back := v.attempts(v.id())
	if err := v.read(); err != nil {
		return invoicePage{}, err
	}
	page := invoicePage{
		look: v.look(), Page: v.client("Invoice "+one.Number, "/invoices"), Invoice: *one, History: history.Items, Form: f,
		Question: one.Status != "draft" && one.Status != "void", Pay: v.mayPay() && one.AmountDue.Amount > 0, Receipts: v.Papers,
	}
	if one.Status != "draft" {
		page.PDF = v.paper("invoices/"+v.id()+"/pdf", "Download PDF")
	}
	if len(open.Items) > 0 {
		page.Open = &open.Items[0]
	}
	if outcome := v.outcome(back.Items); outcome != nil {
		page.Page.Flash = append(page.Page.Flash, *outcome)
	}
	page.Sheet = v.sheet(one.Invoice, one.InvoiceContent, *account)
	return page, nil
}

// open are the questions that wait for an answer.
func (i invoicePage) open() (open []readapi.InvoiceQuestion) {
	for _, q := range i.Invoice.Questions {
		if q.AnsweredAt.IsZero() {
			open = append(open, q)
		}
	}
	return open
}

// badge is the status of the invoice; questioned as long as a question waits.
func (i invoicePage) badge() string {
	if len(i.open()) > 0 && i.Invoice.AmountDue.Amount > 0 {
		return "disputed"
	}
	return i.Invoice.Status
}

// due is what is still to be paid.
func (i invoicePage) due() ui.AmountDueProps {
	d := ui.AmountDueProps{Label: "Amount due", Format: i.Format, Nothing: "Nothing to pay"}
	switch {
	case i.Invoice.AmountDue.Amount > 0:
		d.Amounts = []domain.Money{i.Invoice.AmountDue}
		if i.Invoice.Status == "overdue" {
			d.Late = strings.ToUpper(i.lateness(i.Invoice.Due)[:1]) + i.lateness(i.Invoice.Due)[1:]
		} else {
			d.Detail = "Due on " + ui.DateText(i.Invoice.Due)
		}
	case i.Invoice.Status == "paid":
		d.Nothing = "Paid in full"
	case i.Invoice.Status == "void":
		d.Nothing = "Void: nothing to pay"
	}
	if i.Question {
		d.Links = []ui.Link{{Label: "Question this invoice", Href: i.path("invoices", i.Invoice.ID) + "/question", Icon: "question"}}
	}
	return d
}

// invoiceSheet is an invoice as it stands on paper.
type invoiceSheet struct {
	look
	Paper ui.PaperProps
	Lines ui.LinesProps
	Note  string
	How   []string // how to pay, line by line
}

// sheet lays an invoice out. What it says of firm and client was fixed when it was sent; a draft shows them as they are.
func (v *visit) sheet(i readapi.Invoice, c readapi.InvoiceContent, account readapi.Account) invoiceSheet {
	s := invoiceSheet{look: v.look(), Note: c.Note}
	s.Paper = ui.PaperProps{
		Kind: "Invoice", Title: i.Number, Brand: v.brand(), To: textLines(account.Name, account.Address, account.TaxID),
		Facts: []ui.Pair{{Key: "Issued", Value: ui.Date(i.Issued)}, {Key: "Due", Value: ui.Date(i.Due)}},
		Stamp: stamps[i.Status],
	}
	if i.Number == "draft" {
		s.Paper.Title = "Not sent yet"
	}
	if c.Seller.Name != "" {
		s.Paper.Brand.Name, s.Paper.From = c.Seller.Name, textLines(c.Seller.Address, c.Seller.TaxID)
		s.How = textLines(c.Seller.Payment)
	}
	if c.Buyer.Name != "" {
		s.Paper.To = textLines(c.Buyer.Name, c.Buyer.Address, c.Buyer.TaxID)
	}
	l := ui.LinesProps{Net: i.Net, Total: i.Total, Format: s.Format}
	for _, line := range c.Lines {
		l.Lines = append(l.Lines, ui.DocumentLine{Description: line.Description, Quantity: line.Quantity, UnitPrice: line.UnitPrice, TaxRate: line.TaxRate, Net: line.Net})
	}
	for _, t := range c.TaxGroups {
		l.Taxes = append(l.Taxes, ui.DocumentTax{Rate: t.Rate, Base: t.Base, Tax: t.Tax})
	}
	for _, p := range c.Payments {
		l.After = append(l.After, ui.Sum{Label: "Paid on " + ui.DateText(p.Date) + ", " + strings.ToLower(words(p.Method)), Amount: p.Amount.Zero().Sub(p.Amount)})
		if p.Refunded.Amount > 0 {
			l.After = append(l.After, ui.Sum{Label: "Given back", Amount: p.Refunded})
		}
	}
	for _, n := range c.CreditNotes {
		l.After = append(l.After, ui.Sum{Label: "Credit note " + n.Number, Amount: n.Amount.Zero().Sub(n.Amount)})
	}
	if i.Status != "draft" && len(l.After) > 0 {
		l.Due = ui.Sum{Label: "Amount due", Amount: i.AmountDue}
	}
	s.Lines = l
	return s
}

var stamps = map[string]string{"draft": "Draft", "paid": "Paid", "void": "Void", "credited": "Credited"}

// textLines are the lines of several texts; empty ones are left out.
func textLines(texts ...string) (lines []string) {
	for _, text := range texts {
		for line := range strings.Lines(text) {
			if line = strings.TrimSpace(line); line != "" {
				lines = append(lines, line)
			}
		}
	}
	return lines
}

// questionPage asks what a client wants to know about an invoice.
func (p *portal) question(v *visit, f *form) (templ.Component, error) {
	one := readapi.Get[readapi.InvoiceDetail](v.q, v.id(), nil)
	if err := v.read(); err != nil {
		return nil, err
	}
	return questionView(v.client("Question invoice "+one.Number, "/invoices"), v.look(), *one, f), nil
}

func (p *portal) askQuestion(v *visit, f *form) (step, error) {
	return step{
		name: "QuestionInvoice", command: invoice.Question{Invoice: v.thing(), Text: f.personal("text")},
		to: "/invoices/" + v.id(), done: "questioned",
	}, nil
}
