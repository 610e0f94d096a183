package readapi

import (
	"slices"
	"time"

	"github.com/atrium-portal/atrium/domain"
)

// Attempt is an attempt to pay an invoice online. One that brought money has a payment of the same id.
type Attempt struct {
	ID            domain.ID    `json:"id" sql:"t.id"`
	Revision      int64        `json:"revision" sql:"t.revision"`
	Account       domain.ID    `json:"account" sql:"t.account"`
	AccountName   string       `json:"account_name" sql:"a.name"`
	Invoice       domain.ID    `json:"invoice" sql:"t.invoice"`
	InvoiceNumber string       `json:"invoice_number" sql:"t.label"`
	Contact       domain.ID    `json:"contact" sql:"t.contact" doc:"who pays"`
	ContactName   string       `json:"contact_name" sql:"p.name"`
	Status        string       `json:"status" sql:"t.status" enum:"started,handed_over,succeeded,failed,expired,review,reviewed" doc:"started: a page is being asked for; handed_over: url can be paid at; review: money arrived that the firm looks into"`
	CancelAsked   bool         `json:"cancel_asked,omitempty" sql:"t.cancel"`
	Amount        domain.Money `json:"amount" sql:"t.amount; t.currency" doc:"that was asked for"`
	URL           string       `json:"url,omitempty" sql:"g.url" doc:"of the provider's page, for those who may pay, while it is open"`
	Reason        string       `json:"reason,omitempty" sql:"t.reason" doc:"why it failed"`
	StartedAt     time.Time    `json:"started_at" sql:"t.started_at"`
	ExpiresAt     time.Time    `json:"expires_at" sql:"t.expires_at" doc:"the page closes then"`
	EndedAt       time.Time    `json:"ended_at,omitzero" sql:"t.ended_at"`
}

// StaffAttempt adds what the provider said.
type StaffAttempt struct {
	Attempt
	Gateway   string       `json:"gateway" sql:"n.gateway"`
	Reference string       `json:"reference,omitempty" sql:"n.reference" doc:"the provider's name of the page"`
	Capture   string       `json:"capture,omitempty" sql:"n.capture" doc:"the provider's name of the money that arrived last"`
	Received  domain.Money `json:"received,omitzero" sql:"n.received; n.received_currency"`
	Fee       domain.Money `json:"fee,omitzero" sql:"n.fee; n.fee_currency" doc:"of the provider, where it says so"`
	Why       string       `json:"why,omitempty" sql:"n.why" enum:"amount,invoice,twice" doc:"it needs a review: another amount or currency than asked; not due any more; taken twice"`
	Note      string       `json:"note,omitempty" sql:"n.note" doc:"what the review came to"`
}

var attemptStatuses = []string{"started", "handed_over", "succeeded", "failed", "expired", "review", "reviewed"}

func attempts() *collection {
	from := "payment_attempts t left join payment_pages g on g.id = t.id left join contacts p on p.id = t.contact"
	client, staff := viewOf[Attempt](), viewOf[StaffAttempt]()
	return &collection{
		name: "payment-attempts", what: "payment", permission: "view_invoices",
		doc:    "Attempts to pay an invoice online. After StartPayment send the payer to url.",
		client: source{from: from, list: client, get: client},
		staff:  source{from: from + " left join payment_notes n on n.id = t.id", list: staff, get: staff},
		id:     "t.id", firm: "t.firm", account: "t.account", named: true,
		search: []string{"t.label", "a.name"},
		sorts:  slices.Concat(both("-started", "t.started_at", sortInstant), both("-amount", "t.amount", sortNumber)),
		filters: []filter{
			{name: "account", kind: byID, sql: "t.account = $"},
			{name: "invoice", kind: byID, sql: "t.invoice = $"},
			{name: "status", kind: byWords, words: attemptStatuses, sql: "t.status = any($)"},
		},
		history: "h.record = $",
		about:   aboutOf{kind: "payment", label: "t.label", open: "t.status not in ('review', 'reviewed')", to: "t.recipients"},
	}
}
