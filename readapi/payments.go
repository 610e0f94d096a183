package readapi

import (
	"time"

	"github.com/atrium-portal/atrium/domain"
)

// Payment is money received.
type Payment struct {
	ID            domain.ID    `json:"id" sql:"p.id"`
	Account       domain.ID    `json:"account" sql:"p.account"`
	AccountName   string       `json:"account_name" sql:"a.name"`
	Invoice       domain.ID    `json:"invoice" sql:"p.invoice"`
	InvoiceNumber string       `json:"invoice_number" sql:"i.label"`
	Currency      string       `json:"currency" sql:"p.currency"`
	Amount        domain.Money `json:"amount" sql:"p.amount"`
	Refunded      domain.Money `json:"refunded" sql:"p.refunded"`
	Date          domain.Date  `json:"date" sql:"p.date" doc:"when the money arrived"`
	Method        string       `json:"method" sql:"p.method"`
	Reference     string       `json:"reference,omitempty" sql:"p.reference"`
	Receipt       string       `json:"receipt,omitempty" sql:"p.receipt" doc:"number of the receipt"`
	RecordedAt    time.Time    `json:"recorded_at" sql:"p.recorded_at"`
}

func payments() *collection {
	view := viewOf[Payment]()
	all := source{from: "payments p join invoices i on i.id = p.invoice", list: view, get: view}
	return &collection{
		name: "payments", what: "payment", doc: "Money received. Whoever sees the invoice sees its payments.", permission: "view_invoices",
		client: all, staff: all,
		id: "p.id", firm: "p.firm", account: "p.account", named: true,
		search: []string{"i.label", "a.name", "p.reference"},
		sorts:  append(both("-date", "p.date", sortDate), both("-recorded", "p.recorded_at", sortInstant)...),
		filters: []filter{
			{name: "account", kind: byID, sql: "p.account = $"},
			{name: "invoice", kind: byID, sql: "p.invoice = $"},
			{name: "from", kind: byDate, sql: "p.date >= $"},
			{name: "to", kind: byDate, sql: "p.date <= $"},
		},
		history: "h.record in (select unnest(array[p.id, p.invoice]) from payments p where p.id = $)",
		about:   aboutOf{kind: "payment", label: "i.label", open: "i.released", to: "i.recipients"},
	}
}
