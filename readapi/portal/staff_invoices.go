package portal

import (
	"net/url"
	"strings"

	"github.com/a-h/templ"
	"github.com/go-chi/chi/v5"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/invoice"
	"github.com/atrium-portal/atrium/domain/payment"
	"github.com/atrium-portal/atrium/readapi"
	"github.com/atrium-portal/atrium/readapi/portal/ui"
)

// staffInvoices are the pages of invoices and what happens to them. Drafting them is in staff_editor.go.
func (p *portal) staffInvoices(r, manager chi.Router) {
	r.Get("/invoices", p.page(p.staffInvoiceList))
	p.form(manager, "/invoices/new", p.newInvoice, p.draftInvoice)
	r.Get("/invoices/{id}", p.page(p.staffInvoice))
	r.Get("/invoices/{id}/history", p.page(p.staffInvoiceHistory()))
	p.form(manager, "/invoices/{id}/edit", p.editInvoice, p.changeDraft)
	p.form(manager, "/invoices/{id}/send", p.sendInvoicePage, p.sendInvoice)
	p.form(manager, "/invoices/{id}/payment", p.paymentPage, p.recordPayment)
	p.form(manager, "/invoices/{id}/refund", p.refundPage, p.refundPayment)
	p.form(manager, "/invoices/{id}/credit", p.creditPage, p.issueCredit)
	p.form(manager, "/invoices/{id}/void", p.voidInvoicePage, p.voidInvoice)
	p.form(r, "/invoices/{id}/answer", p.answerPage, p.answerQuestion)
	p.form(manager, "/payments/{id}/review", p.reviewPage, p.closeReview)
}

// invoiceFilters are ready-made filters of a list of invoices.
var invoiceFilters = []string{"All", "", "Drafts", "draft", "Open", openStatuses, "Overdue", "overdue", "Paid", paidStatuses, "Void", "void"}

// staffListParameters are what the lists of the console take beyond those of clients.
var staffListParameters = append([]string{"account", "due_from", "due_to"}, listParameters...)

type staffInvoicesPage struct {
	listPage
	Invoices []readapi.StaffInvoice
	Manager  bool
}

func (p *portal) staffInvoiceList(v *visit) (templ.Component, error) {
	list := readapi.List[readapi.StaffInvoice](v.q, v.ask(staffListParameters, "limit", pageSize))
	if err := v.read(); err != nil {
		return nil, err
	}
	page := staffInvoicesPage{
		v.list(v.staff("Invoices", "/staff/invoices"), len(list.Items), "invoice", "invoices", list.Ends, invoiceFilters...), list.Items, v.atLeast("manager"),
	}
	if v.query("due_from") != "" || v.query("due_to") != "" {
		page.Clear = page.Path
	}
	return staffInvoicesView(page), nil
}

// staffInvoicePage is one invoice as the firm sees it.
type staffInvoicePage struct {
	look
	Page     ui.Page
	Invoice  readapi.StaffInvoiceDetail
	Sheet    invoiceSheet
	History  []readapi.StaffEntry
	Manager  bool
	Form     *form
	Audience string   // who sees it, in words
	PDF      *ui.Link // of what was sent
	Receipts bool     // can be had as files
}

// readStaffInvoice reads the invoice in the address and the client it is for.
func (v *visit) readStaffInvoice(title string) (staffInvoicePage, error) {
	one := readapi.Get[readapi.StaffInvoiceDetail](v.q, v.id(), nil)
	history := readapi.History(v.q, "invoices", v.id(), url.Values{"limit": {"8"}})
	if err := v.read(); err != nil {
		return staffInvoicePage{}, err
	}
	next := v.Reader.AsOf(v.scope, v.r.URL.Query().Get(asOf))
	account := readapi.Get[readapi.StaffAccount](next, one.Account.String(), nil)
	people := readapi.List[readapi.StaffContact](next, choices("account", one.Account.String()))
	if err := next.Run(v.r.Context()); err != nil {
		return staffInvoicePage{}, err
	}
	name := "invoice " + one.Number
	if one.Status == "draft" {
		name = "draft for " + one.AccountName
	}
	page := staffInvoicePage{
		look: v.look(), Page: v.staff(strings.TrimSpace(title+" "+name), "/staff/invoices"), Invoice: *one, History: history.Items, Manager: v.atLeast("manager"),
	}
	page.Sheet = v.sheet(one.Invoice, one.InvoiceContent, account.Account)
	page.Receipts = v.Papers
	if one.Status != "draft" && one.Number != "draft" {
		page.PDF = v.paper("invoices/"+v.id()+"/pdf", "Download PDF")
	}
	page.Audience = audience(one.Recipients, people.Items, one.AccountName)
	return page, nil
}

// audience says who sees a document.
func audience(recipients []domain.ID, people []readapi.StaffContact, account string) string {
	if len(recipients) == 0 {
		return "Everybody at " + account + " who may see invoices"
	}
	var names []string
	for _, id := range recipients {
		name := "a contact"
		for _, one := range people {
			if one.ID == id {
				name = one.Name
			}
		}
		names = append(names, name)
	}
	return strings.Join(names, ", ")
}

func (p *portal) staffInvoice(v *visit) (templ.Component, error) {
	page, err := v.readStaffInvoice("")
	if err != nil {
		return nil, err
	}
	page.Page.Title = page.title()
	return staffInvoiceView(page), nil
}

// title is what the invoice is called.
func (i staffInvoicePage) title() string {
	if i.Invoice.Status == "draft" {
		return "Draft for " + i.Invoice.AccountName
	}
	return "Invoice " + i.Invoice.Number
}

// badge is the status of the invoice; questioned as long as a question waits.
func (i staffInvoicePage) badge() string {
	for _, q := range i.Invoice.Questions {
		if q.AnsweredAt.IsZero() {
			return "disputed"
		}
	}
	return i.Invoice.Status
}

// sent reports whether the invoice is with its client and in force.
func (i staffInvoicePage) sent() bool {
	return i.Invoice.Status != "draft" && i.Invoice.Status != "void"
}

func (p *portal) staffInvoiceHistory() pageFunc {
	return p.historyOf("invoices", func(v *visit) func() (string, []ui.Link) {
		one := readapi.Get[readapi.StaffInvoiceDetail](v.q, v.id(), nil)
		return func() (string, []ui.Link) {
			return "invoice " + one.Number, []ui.Link{{Label: "Invoices", Href: "/staff/invoices"}}
		}
	})
}

// invoiceConfirm shows a page that asks before something happens to the invoice in the address.
func (v *visit) invoiceConfirm(title string, f *form, about func(staffInvoicePage) (ui.ConfirmProps, templ.Component)) (templ.Component, error) {
	page, err := v.readStaffInvoice(title)
	if err != nil {
		return nil, err
	}
	page.Form = f
	ask, field := about(page)
	ask.Back = page.path("invoices", page.Invoice.ID)
	ask.Action = ask.Back + ask.Action
	return staffConfirmView(page.Page, ask, f, field), nil
}

// backToInvoice is where one goes after something happened to an invoice.
func (v *visit) backToInvoice() string { return "/staff/invoices/" + v.id() }

func (p *portal) sendInvoicePage(v *visit, f *form) (templ.Component, error) {
	return v.invoiceConfirm("Send", f, func(i staffInvoicePage) (ui.ConfirmProps, templ.Component) {
		return ui.ConfirmProps{
			Title: "Send this invoice to " + i.Invoice.AccountName + "?",
			Text: "It gets the next number, and " + i.money(i.Invoice.Total) + " are due on " + ui.DateText(i.Invoice.Due) + ". " + i.Audience +
				" can see it at once. After that it cannot be changed: a mistake takes a credit note, or voiding it.",
			Action: "/send", Button: "Send invoice",
		}, nil
	})
}

func (p *portal) sendInvoice(v *visit, _ *form) (step, error) {
	return step{name: "SendInvoice", command: invoice.Send{Invoice: v.thing()}, to: v.backToInvoice(), done: "sent"}, nil
}

func (p *portal) paymentPage(v *visit, f *form) (templ.Component, error) {
	return v.invoiceConfirm("Payment for", f, func(i staffInvoicePage) (ui.ConfirmProps, templ.Component) {
		return ui.ConfirmProps{
			Title: "Record a payment", Text: i.money(i.Invoice.AmountDue) + " are open on invoice " + i.Invoice.Number + " of " + i.Invoice.AccountName + ". The client sees the payment and its receipt.",
			Action: "/payment", Button: "Record payment",
		}, paymentFields(i)
	})
}

// currencyOf reads what currency the invoice in the address is in, for the amounts in a form.
func (v *visit) currencyOf() (readapi.StaffInvoiceDetail, error) {
	one := readapi.Get[readapi.StaffInvoiceDetail](v.q, v.id(), nil)
	err := v.read()
	return *one, err
}

func (p *portal) recordPayment(v *visit, f *form) (step, error) {
	one, err := v.currencyOf()
	if err != nil {
		return step{}, err
	}
	return step{name: "RecordPayment", command: invoice.RecordPayment{
		Invoice: v.thing(), Amount: f.money(v, "amount", one.Currency), Date: f.date("date"), Method: invoice.Method(f.text("method")), Reference: f.personal("reference"),
	}, to: v.backToInvoice(), done: "paid"}, nil
}

func methodOptions() []ui.Option {
	options := []ui.Option{}
	for _, m := range []invoice.Method{invoice.BankTransfer, invoice.Card, invoice.DirectDebit, invoice.Cash, invoice.Cheque, invoice.Other} {
		options = append(options, ui.Option{Value: string(m), Label: words(string(m))})
	}
	return options
}

// chosenPayment is the payment that the address names.
func (i staffInvoicePage) chosenPayment(id domain.ID) (readapi.InvoicePayment, bool) {
	for _, one := range i.Invoice.Payments {
		if one.ID == id {
			return one, true
		}
	}
	return readapi.InvoicePayment{}, false
}

func (p *portal) refundPage(v *visit, f *form) (templ.Component, error) {
	var missing error
	page, err := v.invoiceConfirm("Refund of", f, func(i staffInvoicePage) (ui.ConfirmProps, templ.Component) {
		paid, found := i.chosenPayment(idOf(v.query("payment")))
		if !found {
			missing = domain.Missing("payment")
			return ui.ConfirmProps{}, nil
		}
		left := paid.Amount.Sub(paid.Refunded)
		return ui.ConfirmProps{
			Title: "Refund a payment", Text: "Of " + i.money(paid.Amount) + " from " + ui.DateText(paid.Date) + ", " + i.money(left) +
				" can be given back. This records it and makes it due again: money that came by card goes back at the provider, other money you send yourself.",
			Action: "/refund?payment=" + paid.ID.String(), Button: "Record refund", Danger: true,
		}, refundFields(i, left)
	})
	if missing != nil {
		return nil, missing
	}
	return page, err
}

func (p *portal) refundPayment(v *visit, f *form) (step, error) {
	one, err := v.currencyOf()
	if err != nil {
		return step{}, err
	}
	amount := f.money(v, "amount", one.Currency)
	return step{name: "RefundPayment", command: invoice.RefundPayment{
		Invoice: v.thing(), Payment: idOf(v.query("payment")), Amount: &amount, Reason: f.reason(),
	}, to: v.backToInvoice(), done: "refunded"}, nil
}

func (p *portal) creditPage(v *visit, f *form) (templ.Component, error) {
	return v.invoiceConfirm("Credit note for", f, func(i staffInvoicePage) (ui.ConfirmProps, templ.Component) {
		return ui.ConfirmProps{
			Title:  "Issue a credit note for invoice " + i.Invoice.Number,
			Text:   "It lowers the " + i.money(i.Invoice.AmountDue) + " that are open, gets a number of its own, and the client sees it. It cannot be taken back.",
			Action: "/credit", Button: "Issue credit note",
		}, creditFields(i)
	})
}

func (p *portal) issueCredit(v *visit, f *form) (step, error) {
	one, err := v.currencyOf()
	if err != nil {
		return step{}, err
	}
	return step{name: "IssueCreditNote", command: invoice.IssueCreditNote{
		Invoice: v.thing(), Amount: f.money(v, "amount", one.Currency), Reason: f.reason(),
	}, to: v.backToInvoice(), done: "credited"}, nil
}

func (p *portal) voidInvoicePage(v *visit, f *form) (templ.Component, error) {
	return v.invoiceConfirm("Void", f, func(i staffInvoicePage) (ui.ConfirmProps, templ.Component) {
		title, text := "Void invoice "+i.Invoice.Number+"?", "Nothing is due on it any more. It keeps its number and stays readable, marked as void. This cannot be undone."
		if i.Invoice.Status == "draft" {
			title, text = "Void this draft?", "It is never sent and stays readable for you, marked as void. This cannot be undone."
		}
		return ui.ConfirmProps{Title: title, Text: text, Action: "/void", Button: "Void", Danger: true}, reasonField(f, "Only your colleagues see it.")
	})
}

func (p *portal) voidInvoice(v *visit, f *form) (step, error) {
	return step{name: "VoidInvoice", command: invoice.Void{Invoice: v.thing(), Reason: f.reason()}, to: v.backToInvoice(), done: "voided"}, nil
}

func (p *portal) answerPage(v *visit, f *form) (templ.Component, error) {
	var missing error
	page, err := v.invoiceConfirm("Answer about", f, func(i staffInvoicePage) (ui.ConfirmProps, templ.Component) {
		for _, q := range i.Invoice.Questions {
			if q.ID == idOf(v.query("question")) {
				return ui.ConfirmProps{
					Title: "Answer " + orElse(q.Name, "the question"), Text: "“" + q.Text + "”", Action: "/answer?question=" + q.ID.String(), Button: "Send answer",
				}, answerField(i)
			}
		}
		missing = domain.Missing("question")
		return ui.ConfirmProps{}, nil
	})
	if missing != nil {
		return nil, missing
	}
	return page, err
}

func (p *portal) answerQuestion(v *visit, f *form) (step, error) {
	return step{name: "AnswerQuestion", command: invoice.Answer{
		Invoice: v.thing(), Question: idOf(v.query("question")), Text: f.personal("text"),
	}, to: v.backToInvoice(), done: "answered"}, nil
}

func (p *portal) reviewPage(v *visit, f *form) (templ.Component, error) {
	one := readapi.Get[readapi.StaffAttempt](v.q, v.id(), nil)
	if err := v.read(); err != nil {
		return nil, err
	}
	l := v.look()
	text := l.money(one.Received) + " arrived for invoice " + one.InvoiceNumber + " of " + one.AccountName + ", where " + l.money(one.Amount) + " were asked for: " +
		orElse(reviewWhy[one.Why], "it did not fit") + ". Give the money back at " + orElse(words(one.Gateway), "the provider") + ", or record it where it belongs; then say here what was done."
	if one.Status != "review" {
		text = "There is nothing to look into with this payment any more. " + one.Note
	}
	return staffConfirmView(v.staff("Review a payment", "/staff/invoices"), ui.ConfirmProps{
		Title: "Review a payment", Text: text, Action: "/staff/payments/" + one.ID.String() + "/review", Button: "Close review", Back: l.path("invoices", one.Invoice),
	}, f, noteField(f, orElse(one.Reference, one.Capture))), nil
}

func (p *portal) closeReview(v *visit, f *form) (step, error) {
	return step{name: "ClosePaymentReview", command: payment.CloseReview{Payment: v.thing(), Note: f.personal("note")}, to: "/staff", done: "reviewed"}, nil
}
