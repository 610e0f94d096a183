// Package invoice is one invoice from draft to paid: its lines and totals, its number, payments, refunds, credit
// notes, and its end.
//
// invoice.go declares the events, state.go folds them, totals.go does the arithmetic; the commands are in draft.go,
// send.go, payment.go and credit.go.
//
// # Decisions that closed a door
//
//   - The lines, the totals and the rule that made them are stored in the event: an invoice shows for ever what was
//     sent, also after the arithmetic changes. The cost is a larger event.
//   - A sent invoice is never edited. A mistake is credited or voided, and a new invoice is sent.
package invoice

import "github.com/atrium-portal/atrium/domain"

// Aggregate describes the invoice stream.
var Aggregate = domain.Aggregate[State, Event]{
	Category: "invoice",
	Evolve:   evolve,
	Events: []Event{
		Drafted{},
		DraftChanged{},
		Sent{},
		PaymentRecorded{},
		Paid{},
		PaymentRefunded{},
		CreditNoteIssued{},
		Voided{},
		Overdue{},
		Questioned{},
		QuestionAnswered{},
	},
}

// Event is a fact about an invoice.
//
//sumtype:decl
type Event interface {
	domain.Event
	invoice()
}

// Content is what an invoice says. The currency is that of its totals.
type Content struct {
	Project    domain.ID       `json:"project,omitzero"`
	Recipients []domain.ID     `json:"recipients,omitempty"` // contacts; none means all of the account
	Due        domain.Date     `json:"due"`
	Note       domain.Personal `json:"note,omitzero"` // shown on the invoice
	Lines      []PricedLine    `json:"lines"`
	Totals     Totals          `json:"totals"`
}

// Drafted is the first event of every invoice.
type Drafted Content

// DraftChanged carries the whole content as it is from now on.
type DraftChanged Content

// Sent freezes the content and gives the invoice its number.
type Sent struct {
	Number     int64       `json:"number,omitzero"` // gap-free in its firm; none for an imported invoice
	Label      string      `json:"label"`           // the number as people read it
	Issued     domain.Date `json:"issued"`
	Due        domain.Date `json:"due"`
	Recipients []domain.ID `json:"recipients,omitempty"`

	Total    domain.Money `json:"total"`
	Imported bool         `json:"imported,omitempty"` // number and date are those of another program

	Seller Seller `json:"seller,omitzero"`
	Buyer  Buyer  `json:"buyer,omitzero"`
}

// Seller is what an invoice says of the firm: as it was when the invoice was sent, so that the document never changes.
type Seller struct {
	Name         string `json:"name"`
	Address      string `json:"address,omitempty"`
	TaxID        string `json:"tax_id,omitempty"`
	Payment      string `json:"payment,omitempty"` // how to pay: bank and account
	NumberFormat string `json:"number_format,omitempty"`
	Color        string `json:"color,omitempty"` // #rrggbb, of the letterhead
}

// Buyer is what an invoice says of the client, as it was when the invoice was sent.
type Buyer struct {
	Name    domain.Personal `json:"name"`
	Address domain.Personal `json:"address,omitzero"`
	TaxID   domain.Personal `json:"tax_id,omitzero"`
}

// PaymentRecorded is money received.
type PaymentRecorded struct {
	Payment   domain.ID       `json:"payment"`
	Amount    domain.Money    `json:"amount"`
	Date      domain.Date     `json:"date"` // when the money arrived
	Method    Method          `json:"method"`
	Reference domain.Personal `json:"reference,omitzero"`
	DueAfter  domain.Money    `json:"due_after"`
	Receipt   string          `json:"receipt,omitempty"` // number of the receipt as people read it; none for what another program received
}

// Paid follows the payment after which nothing is due.
type Paid struct{}

// PaymentRefunded is money given back; it is due again.
type PaymentRefunded struct {
	Refund  domain.ID       `json:"refund"`
	Payment domain.ID       `json:"payment"`
	Amount  domain.Money    `json:"amount"`
	Date    domain.Date     `json:"date"` // where the firm is
	Reason  domain.Personal `json:"reason"`
}

// CreditNoteIssued lowers what is due. Groups are the parts of the amount by tax rate; their sum is Amount.
type CreditNoteIssued struct {
	CreditNote domain.ID       `json:"credit_note"`
	Number     int64           `json:"number"` // gap-free in its firm
	Label      string          `json:"label"`
	Amount     domain.Money    `json:"amount"` // tax included
	Groups     []RateGroup     `json:"groups"`
	Date       domain.Date     `json:"date"` // where the firm is
	Reason     domain.Personal `json:"reason"`
}

// Voided ends an invoice: nothing is due. Its number stays taken.
type Voided struct {
	Amount domain.Money    `json:"amount"` // was due; zero for a draft
	Date   domain.Date     `json:"date"`   // where the firm is
	Reason domain.Personal `json:"reason"`
}

// Overdue says that the due date passed with an amount still due.
type Overdue struct {
	Due    domain.Date  `json:"due"`
	Amount domain.Money `json:"amount"`
}

func (Drafted) invoice()          {}
func (DraftChanged) invoice()     {}
func (Sent) invoice()             {}
func (PaymentRecorded) invoice()  {}
func (Paid) invoice()             {}
func (PaymentRefunded) invoice()  {}
func (CreditNoteIssued) invoice() {}
func (Voided) invoice()           {}
func (Overdue) invoice()          {}

// EventType is the wire name.
func (Drafted) EventType() string { return "InvoiceDrafted" }

// EventType is the wire name.
func (DraftChanged) EventType() string { return "DraftChanged" }

// EventType is the wire name.
func (Sent) EventType() string { return "InvoiceSent" }

// EventType is the wire name.
func (PaymentRecorded) EventType() string { return "PaymentRecorded" }

// EventType is the wire name.
func (Paid) EventType() string { return "InvoicePaid" }

// EventType is the wire name.
func (PaymentRefunded) EventType() string { return "PaymentRefunded" }

// EventType is the wire name.
func (CreditNoteIssued) EventType() string { return "CreditNoteIssued" }

// EventType is the wire name.
func (Voided) EventType() string { return "InvoiceVoided" }

// EventType is the wire name.
func (Overdue) EventType() string { return "InvoiceOverdue" }

// Sentence for history.
func (e Drafted) Sentence() string {
	return "drafted an invoice for " + e.Totals.Total.String() + ", due " + e.Due.String()
}

// Sentence for history.
func (e DraftChanged) Sentence() string {
	return "changed the draft to " + e.Totals.Total.String() + ", due " + e.Due.String()
}

// Sentence for history.
func (e Sent) Sentence() string {
	return "sent invoice " + e.Label + " for " + e.Total.String() + ", due " + e.Due.String()
}

// Sentence for history.
func (e PaymentRecorded) Sentence() string {
	return "recorded a payment of " + e.Amount.String() + e.Method.words()
}

// Sentence for history.
func (Paid) Sentence() string { return "marked the invoice as paid in full" }

// Sentence for history.
func (e PaymentRefunded) Sentence() string { return "refunded " + e.Amount.String() }

// Sentence for history.
func (e CreditNoteIssued) Sentence() string {
	return "issued credit note " + e.Label + " for " + e.Amount.String()
}

// Sentence for history.
func (Voided) Sentence() string { return "voided the invoice" }

// Sentence for history.
func (e Overdue) Sentence() string {
	return "marked the invoice as overdue: " + e.Amount.String() + " was due " + e.Due.String()
}
