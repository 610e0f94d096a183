package readapi

import (
	"slices"
	"time"

	"github.com/atrium-portal/atrium/domain"
)

// Invoice is an invoice as lists show it. Once it is sent, total = paid + credited + amount_due, unless it is void.
type Invoice struct {
	ID          domain.ID    `json:"id" sql:"i.id"`
	Revision    int64        `json:"revision" sql:"i.revision"`
	Account     domain.ID    `json:"account" sql:"i.account"`
	AccountName string       `json:"account_name" sql:"a.name"`
	Project     domain.ID    `json:"project,omitzero" sql:"i.project"`
	Number      string       `json:"number" sql:"i.label" doc:"as people read it; draft before it is sent"`
	Status      string       `json:"status" sql:"case when i.due_amount > 0 and i.due < {today} and i.status in ('sent', 'part_paid') then 'overdue' else i.status end" enum:"draft,sent,part_paid,overdue,paid,credited,void"`
	Currency    string       `json:"currency" sql:"i.currency"`
	Issued      domain.Date  `json:"issued,omitzero" sql:"i.issued"`
	Due         domain.Date  `json:"due" sql:"i.due"`
	Net         domain.Money `json:"net" sql:"i.net"`
	Tax         domain.Money `json:"tax" sql:"i.tax"`
	Total       domain.Money `json:"total" sql:"i.total"`
	Paid        domain.Money `json:"paid" sql:"i.paid" doc:"without what was refunded"`
	Refunded    domain.Money `json:"refunded" sql:"i.refunded"`
	Credited    domain.Money `json:"credited" sql:"i.credited"`
	AmountDue   domain.Money `json:"amount_due" sql:"i.due_amount"`
	DraftedAt   time.Time    `json:"drafted_at" sql:"i.drafted_at"`
	SentAt      time.Time    `json:"sent_at,omitzero" sql:"i.sent_at"`
	PaidAt      time.Time    `json:"paid_at,omitzero" sql:"i.paid_at"`
	VoidedAt    time.Time    `json:"voided_at,omitzero" sql:"i.voided_at"`
}

// StaffInvoice adds who receives it.
type StaffInvoice struct {
	Invoice
	Recipients []domain.ID `json:"recipients" sql:"i.recipients" doc:"contacts; none means all of the account"`
	Imported   bool        `json:"imported" sql:"i.imported" doc:"number and date are those of another program"`
}

// InvoiceDetail is an invoice with all that stands on it and what was paid.
type InvoiceDetail struct {
	Invoice
	InvoiceContent
}

// StaffInvoiceDetail adds who receives it and why it was voided.
type StaffInvoiceDetail struct {
	StaffInvoice
	InvoiceContent
	VoidReason string `json:"void_reason,omitempty" sql:"r.reason"`
}

// InvoiceContent is what stands on an invoice.
type InvoiceContent struct {
	Seller      Seller              `json:"seller" sql:"i.seller" doc:"the firm as it was when the invoice was sent"`
	Buyer       Buyer               `json:"buyer" sql:"i.buyer" doc:"the client as it was when the invoice was sent"`
	Note        string              `json:"note,omitempty" sql:"i.note"`
	Lines       []InvoiceLine       `json:"lines" sql:"i.lines"`
	TaxGroups   []TaxGroup          `json:"tax_groups" sql:"i.tax_groups"`
	Payments    []InvoicePayment    `json:"payments"`
	CreditNotes []InvoiceCreditNote `json:"credit_notes"`
	Questions   []InvoiceQuestion   `json:"questions" doc:"what contacts asked about it, and the answers"`
	OpenAttempt domain.ID           `json:"open_attempt,omitzero" sql:"(select t.id from payment_attempts t where t.invoice = i.id and t.status in ('started', 'handed_over') limit 1)" doc:"the online payment that is under way"`
}

// Seller is what an invoice says of the firm.
type Seller struct {
	Name         string `json:"name"`
	Address      string `json:"address,omitempty"`
	TaxID        string `json:"tax_id,omitempty"`
	Payment      string `json:"payment,omitempty" doc:"how to pay"`
	NumberFormat string `json:"number_format,omitempty"`
	Color        string `json:"color,omitempty" doc:"of the letterhead: #rrggbb"`
}

// Buyer is what an invoice says of the client.
type Buyer struct {
	Name    string `json:"name"`
	Address string `json:"address,omitempty"`
	TaxID   string `json:"tax_id,omitempty"`
}

// InvoiceLine is one line of an invoice.
type InvoiceLine struct {
	Description string         `json:"description"`
	Quantity    domain.Decimal `json:"quantity"`
	UnitPrice   domain.Money   `json:"unit_price"`
	TaxRate     domain.Decimal `json:"tax_rate" doc:"percent"`
	Net         domain.Money   `json:"net"`
}

// TaxGroup is the part of an amount at one tax rate.
type TaxGroup struct {
	Rate domain.Decimal `json:"rate" doc:"percent"`
	Base domain.Money   `json:"base"`
	Tax  domain.Money   `json:"tax"`
}

// InvoicePayment is money received for an invoice.
type InvoicePayment struct {
	Currency  string       `json:"-" sql:"p.currency"`
	ID        domain.ID    `json:"id" sql:"p.id"`
	Amount    domain.Money `json:"amount" sql:"p.amount"`
	Refunded  domain.Money `json:"refunded" sql:"p.refunded"`
	Date      domain.Date  `json:"date" sql:"p.date" doc:"when the money arrived"`
	Method    string       `json:"method" sql:"p.method"`
	Reference string       `json:"reference,omitempty" sql:"p.reference"`
	Receipt   string       `json:"receipt,omitempty" sql:"p.receipt" doc:"number of the receipt"`
}

// InvoiceCreditNote lowers what is due on an invoice.
type InvoiceCreditNote struct {
	Currency  string       `json:"-" sql:"n.currency"`
	ID        domain.ID    `json:"id" sql:"n.id"`
	Number    string       `json:"number" sql:"n.label"`
	Amount    domain.Money `json:"amount" sql:"n.amount" doc:"tax included"`
	TaxGroups []TaxGroup   `json:"tax_groups" sql:"n.tax_groups"`
	Date      domain.Date  `json:"date" sql:"n.date"`
}

// InvoiceQuestion is what a contact asked about an invoice, and what the firm answered.
type InvoiceQuestion struct {
	ID         domain.ID `json:"id" sql:"q.id"`
	Contact    domain.ID `json:"contact" sql:"q.contact"`
	Name       string    `json:"name" sql:"c.name" doc:"of the contact"`
	Text       string    `json:"text" sql:"q.text"`
	AskedAt    time.Time `json:"asked_at" sql:"q.asked_at"`
	Answer     string    `json:"answer,omitempty" sql:"q.answer"`
	AnsweredBy string    `json:"answered_by,omitempty" sql:"s.name"`
	AnsweredAt time.Time `json:"answered_at,omitzero" sql:"q.answered_at"`
}

// shownStatus is the status on the day on which one asks. It is also the tag of Invoice.Status.
const shownStatus = "case when i.due_amount > 0 and i.due < {today} and i.status in ('sent', 'part_paid') then 'overdue' else i.status end"

// invoiceStatuses are the statuses as they are shown.
var invoiceStatuses = []string{"draft", "sent", "part_paid", "overdue", "paid", "credited", "void"}

func invoices() *collection {
	return &collection{
		name: "invoices", what: "invoice", doc: "Invoices. Contacts see those that were sent to them.", permission: "view_invoices",
		client: source{from: "invoices i", list: viewOf[Invoice](), get: viewOf[InvoiceDetail](), where: "i.released or {unreleased}"},
		staff: source{
			from: "invoices i left join invoice_reasons r on r.id = i.id and r.kind = 'void'",
			list: viewOf[StaffInvoice](), get: viewOf[StaffInvoiceDetail](),
		},
		id: "i.id", firm: "i.firm", account: "i.account", named: true,
		search: []string{"i.label", "a.name"},
		sorts: slices.Concat(
			both("-drafted", "i.drafted_at", sortInstant), both("due", "i.due", sortDate), both("-total", "i.total", sortNumber),
			both("number", "i.label", sortText),
		),
		filters: []filter{
			{name: "account", kind: byID, sql: "i.account = $"},
			{name: "project", kind: byID, sql: "i.project = $"},
			{name: "status", kind: byWords, words: invoiceStatuses, sql: shownStatus + " = any($)"},
			{name: "due_from", kind: byDate, sql: "i.due >= $"},
			{name: "due_to", kind: byDate, sql: "i.due <= $"},
		},
		parts: []part{
			{
				field: "Payments", view: viewOf[InvoicePayment](), order: "p.date, p.recorded_at, p.id",
				from: "payments p", where: "p.firm = {firm} and p.invoice = $",
			},
			{
				field: "CreditNotes", view: viewOf[InvoiceCreditNote](), order: "n.date, n.issued_at, n.id",
				from: "credit_notes n", where: "n.firm = {firm} and n.invoice = $",
			},
			{
				field: "Questions", view: viewOf[InvoiceQuestion](), order: "q.asked_at, q.id",
				from:  "questions q left join contacts c on c.id = q.contact left join staff s on s.id = q.answered_by",
				where: "q.firm = {firm} and q.invoice = $",
			},
		},
		history: "h.record = $",
		about:   aboutOf{kind: "invoice", label: "i.label", open: "i.released", to: "i.recipients"},
	}
}
