package portal

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/a-h/templ"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/invoice"
	"github.com/atrium-portal/atrium/readapi"
	"github.com/atrium-portal/atrium/readapi/portal/ui"
)

// usualDays is how long clients have to pay when nobody says otherwise.
const usualDays = 14

// usualRates are offered beside those that the firm uses, in percent.
var usualRates = []string{"0", "5", "7", "10", "19", "20", "21", "25"}

// editorPage is an invoice that is being written.
type editorPage struct {
	look
	Page     ui.Page
	Form     *form
	Action   string
	Back     string
	Title    string
	Account  readapi.StaffAccount
	Projects []ui.Option
	People   []ui.Option
	Due      domain.Date
	Note     string
	Lines    ui.EditorProps
	Pin      *ui.HiddenField // the revision of the draft; nil for a new invoice
	Changed  *meanwhile
}

// lineFields are the fields of a line: as they are sent, and as the command names them.
var lineFields = []struct{ sent, named string }{{"description", "description"}, {"quantity", "quantity"}, {"price", "unit_price"}, {"tax", "tax_rate"}}

// newInvoice asks for whom first: everything else on the page depends on it.
func (p *portal) newInvoice(v *visit, f *form) (templ.Component, error) {
	if v.query("account") == "" {
		return v.chooseClient("New invoice", "/staff/invoices")
	}
	return v.editor(f, v.query("account"), nil)
}

func (p *portal) editInvoice(v *visit, f *form) (templ.Component, error) {
	one := readapi.Get[readapi.StaffInvoiceDetail](v.q, v.id(), nil)
	if err := v.read(); err != nil {
		return nil, err
	}
	if one.Status != "draft" && f.values == nil {
		return nil, domain.Refuse("invoice-not-draft", "This invoice was sent and cannot be changed any more. Issue a credit note, or void it.")
	}
	return v.editor(f, one.Account.String(), one)
}

// editor reads what there is to choose from for an account, and shows the form. draft is nil for a new invoice.
func (v *visit) editor(f *form, account string, draft *readapi.StaffInvoiceDetail) (templ.Component, error) {
	q := v.q
	if draft != nil { // the first reading has run
		q = v.Reader.AsOf(v.scope, v.r.URL.Query().Get(asOf))
	}
	of := orElse(known(idOf(account)), domain.NewID().String())
	client := readapi.Get[readapi.StaffAccount](q, account, nil)
	projects := readapi.List[readapi.Project](q, choices("account", of))
	people := readapi.List[readapi.StaffContact](q, choices("account", of))
	rates := readapi.TaxRates(q)
	settings := readapi.SettingsOf(q)
	overtaken, last := f.overtaken(), &readapi.Page[readapi.StaffEntry]{}
	sent := draft != nil && draft.Status != "draft"
	if overtaken || sent {
		last = whatChanged(q, "invoices", v.id())
	}
	if err := q.Run(v.r.Context()); err != nil {
		return nil, err
	}
	page := editorPage{
		look: v.look(), Form: f, Account: *client, Title: "New invoice", Action: "/staff/invoices/new?account=" + account, Back: clientPath(client.ID),
		Projects: []ui.Option{{Value: "", Label: "None"}}, Due: v.q.Today().AddDays(usualDays),
	}
	var project string
	var recipients []string
	if draft != nil {
		page.Back, page.Due, page.Note = "/staff/invoices/"+draft.ID.String(), draft.Due, draft.Note
		project = known(draft.Project)
		if f.closed = sent; !sent {
			pin := f.pin(draft.Revision, overtaken)
			page.Title, page.Action, page.Pin = "Draft for "+client.Name, page.Back+"/edit", &pin
		}
		if overtaken || sent {
			page.Changed = v.meanwhile(last, sheet(v.sheet(draft.Invoice, draft.InvoiceContent, client.Account)))
			page.Changed.Sent = sent
		}
		for _, id := range draft.Recipients {
			recipients = append(recipients, id.String())
		}
	} else if settings.DefaultAudience == named {
		recipients = []string{client.PrimaryContact.String()}
	}
	page.Page = v.staff(page.Title, "/staff/invoices")
	for _, one := range projects.Items {
		page.Projects = append(page.Projects, ui.Option{Value: one.ID.String(), Label: one.Name})
	}
	page.Projects = f.options("project", page.Projects, project)
	page.People = f.options("recipients", peopleOptions(people.Items), recipients...)
	page.Lines = v.editorLines(f, draft, client.Currency, *rates)
	return editorView(page), nil
}

// named is the audience of documents that only those see whom their author names.
const named = "named"

func peopleOptions(people []readapi.StaffContact) []ui.Option {
	options := make([]ui.Option, 0, len(people))
	for _, one := range people {
		option := ui.Option{Value: one.ID.String(), Label: one.Name, Hint: one.Email}
		if !granted(one) {
			option.Hint = strings.TrimPrefix(one.Email+", no access yet", ", ")
		}
		options = append(options, option)
	}
	return options
}

// editorLines are the lines as they were typed, or else as the draft has them, with their sums.
func (v *visit) editorLines(f *form, draft *readapi.StaffInvoiceDetail, currency string, used []string) ui.EditorProps {
	format := v.scope.Settings.NumberFormat
	e := ui.EditorProps{Currency: currency, Digits: digits(currency), Format: format}
	usual := "0"
	if len(used) > 0 {
		usual = used[0]
	}
	switch {
	case f.values != nil:
		for i := range f.lines() {
			e.Lines = append(e.Lines, f.line(i))
		}
	case draft != nil:
		for _, one := range draft.Lines {
			e.Lines = append(e.Lines, ui.EditorLine{
				Description: one.Description, Quantity: strings.Replace(ui.NumberText(one.Quantity, format), "\u2212", "-", 1), Price: ui.AmountText(one.UnitPrice, format), Tax: one.TaxRate.String(),
			})
		}
	}
	if len(e.Lines) == 0 {
		e.Lines = []ui.EditorLine{{Quantity: "1", Tax: usual}}
	}
	rates := slices.Concat(used, usualRates)
	for _, line := range e.Lines {
		if _, err := domain.ParseDecimal(line.Tax); err == nil {
			rates = append(rates, line.Tax)
		}
	}
	e.Rates = rateOptions(rates, format)
	e.Sums = v.sums(e.Lines, currency)
	return e
}

// digits is how many decimals a currency has.
func digits(currency string) int {
	_, decimals, _ := strings.Cut(ui.AmountText(domain.Money{Currency: currency}, ""), ".")
	return len(decimals)
}

// rateOptions are tax rates, each once and by size.
func rateOptions(rates []string, format string) []ui.Option {
	var all []domain.Decimal
	for _, text := range rates {
		if rate, err := domain.ParseDecimal(text); err == nil {
			all = append(all, rate)
		}
	}
	slices.SortFunc(all, func(a, b domain.Decimal) int { return cmp.Compare(a, b) })
	var options []ui.Option
	for _, rate := range slices.Compact(all) {
		options = append(options, ui.Option{Value: rate.String(), Label: ui.Percent(rate, format)})
	}
	return options
}

// sums are the sums of the lines as far as they can be read.
func (v *visit) sums(lines []ui.EditorLine, currency string) ui.LinesProps {
	var readable []invoice.Line
	for _, line := range lines {
		if one, err := parseLine(line, currency, v.scope.Settings.NumberFormat); len(err) == 0 {
			readable = append(readable, one)
		}
	}
	zero := domain.Money{Currency: currency}
	sums := ui.LinesProps{Net: zero, Total: zero}
	_, totals, err := invoice.Price(readable)
	if err != nil || len(readable) == 0 {
		return sums
	}
	sums.Net, sums.Total = totals.Net, totals.Total
	for _, g := range totals.Groups {
		sums.Taxes = append(sums.Taxes, ui.DocumentTax{Rate: g.Rate, Base: g.Base, Tax: g.Tax})
	}
	return sums
}

// parseLine reads a line, and says what is wrong by field as it is sent.
func parseLine(line ui.EditorLine, currency, format string) (invoice.Line, map[string]string) {
	wrong := map[string]string{}
	one := invoice.Line{Description: domain.P(strings.TrimSpace(line.Description))}
	var err error
	if one.Quantity, err = ui.ParseNumber(line.Quantity, format); err != nil {
		wrong["quantity"] = "Give a quantity such as " + ui.NumberText(domain.One*3/2, format) + "."
	}
	if one.UnitPrice, err = ui.ParseAmount(line.Price, currency, format); err != nil {
		wrong["price"] = amountHint(format, currency)
	}
	if one.TaxRate, err = domain.ParseDecimal(line.Tax); err != nil {
		wrong["tax"] = "Choose a tax rate."
	}
	return one, wrong
}

// lines is how many lines were sent.
func (f *form) lines() int {
	most := 0
	for _, field := range lineFields {
		most = max(most, len(f.values[field.sent]))
	}
	return most
}

// line is a line as it was sent, with what is wrong with it.
func (f *form) line(i int) ui.EditorLine {
	value := func(name string) string {
		if i < len(f.values[name]) {
			return f.values[name][i]
		}
		return ""
	}
	line := ui.EditorLine{Description: value("description"), Quantity: value("quantity"), Price: value("price"), Tax: value("tax"), Errors: map[string]string{}}
	for _, fault := range f.faults {
		for _, field := range lineFields {
			if at := fmt.Sprintf("lines[%d].%s", i, field.named); fault.Field == at || strings.HasPrefix(fault.Field, at+".") {
				line.Errors[field.sent] = fault.Message
			}
		}
	}
	return line
}

// lineErrors are what is wrong with the form, with the ids of the fields of its lines.
func (f *form) lineErrors() ui.FieldErrors {
	list := f.errors("lines")
	for n, fault := range f.faults {
		for i := range f.lines() {
			for _, field := range lineFields {
				if strings.HasPrefix(fault.Field, fmt.Sprintf("lines[%d].%s", i, field.named)) {
					list[n].ID = field.sent + "-" + strconv.Itoa(i)
				}
			}
		}
	}
	return list
}

// edited changes the lines as the buttons of the editor ask, and reports whether one of them was pressed.
func (f *form) edited() bool {
	do := f.text("do")
	removed, isRemoved := strings.CutPrefix(do, "remove-line-")
	switch {
	case do == "sum":
	case do == "add-line":
		for name, value := range map[string]string{"description": "", "quantity": "1", "price": "", "tax": last(f.values["tax"])} {
			f.values[name] = append(f.values[name], value)
		}
	case isRemoved:
		i, err := strconv.Atoi(removed)
		if err == nil && i >= 0 && f.lines() > 1 {
			f.removeLine(i)
		}
	default:
		return false
	}
	f.again = true
	return true
}

func last(texts []string) string {
	if len(texts) == 0 {
		return ""
	}
	return texts[len(texts)-1]
}

// invoiceLines reads the lines for the command, and notes what cannot be read.
func (f *form) invoiceLines(v *visit, currency string) []invoice.Line {
	lines := []invoice.Line{}
	f.dropUnused()
	for i := range f.lines() {
		line := f.line(i)
		one, wrong := parseLine(line, currency, v.scope.Settings.NumberFormat)
		for _, field := range lineFields {
			if message := wrong[field.sent]; message != "" {
				f.wrong(fmt.Sprintf("lines[%d].%s", i, field.named), "line-unreadable", message)
			}
		}
		lines = append(lines, one)
	}
	return lines
}

// dropUnused takes out lines that were added and not filled in, so that places in faults are those that are shown.
func (f *form) dropUnused() {
	for i := f.lines() - 1; i >= 0 && f.lines() > 1; i-- {
		if line := f.line(i); strings.TrimSpace(line.Description+line.Price) == "" {
			f.removeLine(i)
		}
	}
}

func (f *form) removeLine(i int) {
	for _, field := range lineFields {
		if list := f.values[field.sent]; i < len(list) {
			f.values[field.sent] = slices.Delete(slices.Clone(list), i, i+1)
		}
	}
}

// recipients are the contacts that were ticked; never nil, so that a draft can lose them.
func (f *form) recipients() []domain.ID {
	ids := []domain.ID{}
	for _, text := range f.values["recipients"] {
		ids = append(ids, idOf(text))
	}
	return ids
}

func (p *portal) draftInvoice(v *visit, f *form) (step, error) {
	if f.edited() {
		return step{}, nil
	}
	account := readapi.Get[readapi.StaffAccount](v.q, v.query("account"), nil)
	if err := v.read(); err != nil {
		return step{}, err
	}
	s := step{name: "DraftInvoice", command: invoice.Draft{
		Account: account.ID, Project: f.id("project"), Recipients: f.recipients(), Due: f.date("due"), Note: f.personal("note"), Lines: f.invoiceLines(v, account.Currency),
	}, to: "/staff/invoices/{id}", done: "drafted"}
	return f.thenSend(s), nil
}

func (p *portal) changeDraft(v *visit, f *form) (step, error) {
	if f.edited() {
		return step{}, nil
	}
	one, err := v.currencyOf()
	if err != nil {
		return step{}, err
	}
	project, due, note := f.id("project"), f.date("due"), f.personal("note")
	return f.thenSend(step{name: "ChangeDraft", command: invoice.ChangeDraft{
		Invoice: v.thing(), Project: &project, Recipients: f.recipients(), Due: &due, Note: &note, Lines: f.invoiceLines(v, one.Currency),
	}, to: v.backToInvoice(), done: "drafted", pinned: f.openedAt()}), nil
}

// thenSend goes on to the page that asks before sending, when that button was pressed.
func (f *form) thenSend(s step) step {
	if f.text("do") == "send" {
		s.to += "/send"
	}
	return s
}
