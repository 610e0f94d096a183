package projections

import (
	"time"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/contact"
	"github.com/atrium-portal/atrium/domain/invoice"
)

// invoiceRow is an invoice. Amounts are minor units of currency. Once sent,
// total = paid + credited + voided + due_amount; before, all but the total are 0.
type invoiceRow struct {
	owned
	Project    domain.ID     `db:"project,null" history:"-"`
	Recipients []domain.ID   `db:"recipients" history:"-"` // contacts; none means all of the account
	Status     invoiceStatus `db:"status"`                 // follows from the facts below
	Released   bool          `db:"released" history:"-"`   // was sent, whatever came after
	Void       bool          `db:"void" history:"-"`
	Number     int64         `db:"number,null" history:"-"` // none for drafts and imported invoices
	Label      string        `db:"label" history:"label"`   // the number as people read it; "draft" before
	Currency   string        `db:"currency" history:"-"`
	Issued     domain.Date   `db:"issued,null"`
	Due        domain.Date   `db:"due"`
	Note       string        `db:"note" history:"-"` // printed on the invoice
	Lines      []invoiceLine `db:"lines" history:"-"`

	Seller invoice.Seller `db:"seller" history:"-"` // the firm as it was when the invoice was sent
	Buyer  invoiceBuyer   `db:"buyer" history:"-"`  // the client, likewise

	TaxGroups []invoice.RateGroup `db:"tax_groups" history:"-"` // [{rate, base, tax}]
	Rule      invoice.Rule        `db:"rule" history:"-"`       // how it was rounded
	Net       int64               `db:"net" history:"-"`
	Tax       int64               `db:"tax" history:"-"`
	Total     int64               `db:"total" history:"money"`
	Paid      int64               `db:"paid" history:"money"` // without what was refunded
	Refunded  int64               `db:"refunded" history:"money"`
	Credited  int64               `db:"credited" history:"money"`
	Voided    int64               `db:"voided" history:"-"` // was due when it was voided
	DueAmount int64               `db:"due_amount" history:"money"`

	OverdueMarked bool      `db:"overdue_marked" history:"-"` // the firm's clock noted it; overdue itself follows from due and due_amount
	Imported      bool      `db:"imported" history:"-"`
	DraftedAt     time.Time `db:"drafted_at" history:"-"`
	SentAt        time.Time `db:"sent_at,null" history:"-"`
	PaidAt        time.Time `db:"paid_at,null" history:"-"` // when nothing was due any more because it was paid
	VoidedAt      time.Time `db:"voided_at,null" history:"-"`
}

// invoiceStatus is how an invoice stands. Overdue is a matter of the day on which one asks.
type invoiceStatus string

const (
	draftInvoice    invoiceStatus = "draft"
	sentInvoice     invoiceStatus = "sent"
	partPaidInvoice invoiceStatus = "part_paid"
	paidInvoice     invoiceStatus = "paid"     // nothing is due, and at least a part was paid
	creditedInvoice invoiceStatus = "credited" // nothing is due, and nothing was paid
	voidInvoice     invoiceStatus = "void"
)

// invoiceLine is a line as the API shows it.
type invoiceLine struct {
	Description string         `json:"description"`
	Quantity    domain.Decimal `json:"quantity"`
	UnitPrice   domain.Money   `json:"unit_price"`
	TaxRate     domain.Decimal `json:"tax_rate"` // percent
	Net         domain.Money   `json:"net"`
}

// invoiceBuyer is the client as the API shows it.
type invoiceBuyer struct {
	Name    string `json:"name"`
	Address string `json:"address,omitempty"`
	TaxID   string `json:"tax_id,omitempty"`
}

// Audience shows an invoice's history to its recipients once it is sent.
func (r invoiceRow) Audience() (visible bool, recipients []domain.ID) {
	return r.Released, r.Recipients
}

// Permission is what it takes to read an invoice's history.
func (invoiceRow) Permission() string { return string(contact.ViewInvoices) }

// creditNoteRow is a credit note. Whoever sees its invoice sees it.
type creditNoteRow struct {
	ID        domain.ID           `db:"id,key"`
	Firm      domain.ID           `db:"firm"`
	Account   domain.ID           `db:"account"`
	Invoice   domain.ID           `db:"invoice"`
	Number    int64               `db:"number"`
	Label     string              `db:"label"`
	Amount    int64               `db:"amount"` // tax included, in minor units of currency
	Currency  string              `db:"currency"`
	TaxGroups []invoice.RateGroup `db:"tax_groups"` // [{rate, base, tax}]
	Date      domain.Date         `db:"date"`
	IssuedAt  time.Time           `db:"issued_at"`
}

// invoiceReasonRow is why an invoice was voided, a payment refunded or a credit note issued, in the firm's own words.
type invoiceReasonRow struct {
	ID         domain.ID `db:"id,key"` // of the refund or the credit note; of the invoice when it was voided
	Firm       domain.ID `db:"firm"`
	Account    domain.ID `db:"account"`
	Invoice    domain.ID `db:"invoice"`
	Kind       entryKind `db:"kind"` // refund, credit_note or void
	Reason     string    `db:"reason"`
	RecordedAt time.Time `db:"recorded_at"`
}

// withInvoice is the condition that clients see the invoice of a row.
func withInvoice(table string) string {
	return "exists (select from invoices where invoices.id = " + table + ".invoice)"
}

func invoiceTables() []Table {
	return []Table{
		Define(Spec[invoiceRow]{
			Name: "invoices", Categories: []string{"invoice"}, Primary: true, Access: OfRecipients, Fold: foldInvoice,
			ClientsWhere: "(released or " + Unreleased + ") and " + Permitted(string(contact.ViewInvoices)),
			Indexes: []string{
				"(account, drafted_at, id)", "(firm, drafted_at, id)", "(firm, due, id) where due_amount > 0",
				"(account, due, id) where due_amount > 0", // what a client owes is asked for on each of its pages
				"(project) where project is not null", "(firm, number) where number is not null",
			},
		}),
		Define(Spec[creditNoteRow]{
			Name: "credit_notes", Categories: []string{"invoice"}, Access: OfAccount, ClientsWhere: withInvoice("credit_notes"),
			Keys: creditNoteKeys, Fold: foldCreditNote,
			Indexes: []string{"(invoice)", "(account, issued_at, id)", "(firm, number)"},
		}),
		Define(Spec[invoiceReasonRow]{
			Name: "invoice_reasons", Categories: []string{"invoice"}, Keys: reasonKeys, Fold: foldReason, Indexes: []string{"(invoice)"},
		}),
	}
}

func foldInvoice(row *invoiceRow, f domain.Fact) *invoiceRow {
	row = known(row)
	switch e := f.Event.(invoice.Event).(type) {
	case invoice.Drafted:
		row.owned, row.Label, row.DraftedAt = ownedBy(f), "draft", f.Meta.Time
		row.setContent(invoice.Content(e))
	case invoice.DraftChanged:
		row.setContent(invoice.Content(e))
	case invoice.Sent:
		row.Released, row.SentAt, row.Imported = true, f.Meta.Time, e.Imported
		row.Number, row.Label, row.Issued, row.Due, row.Recipients = e.Number, e.Label, e.Issued, e.Due, e.Recipients
		row.Seller, row.Buyer = e.Seller, invoiceBuyer{e.Buyer.Name.Reveal(), e.Buyer.Address.Reveal(), e.Buyer.TaxID.Reveal()}
	case invoice.PaymentRecorded:
		row.Paid += e.Amount.Amount
		if e.DueAfter.Amount == 0 { // Paid follows
			row.DueAmount = 0
			return row
		}
	case invoice.Paid:
		row.OverdueMarked = false
	case invoice.PaymentRefunded:
		row.Paid -= e.Amount.Amount
		row.Refunded += e.Amount.Amount
	case invoice.CreditNoteIssued:
		row.Credited += e.Amount.Amount
	case invoice.Voided:
		row.Void, row.VoidedAt, row.Voided = true, f.Meta.Time, row.DueAmount
	case invoice.Overdue:
		row.OverdueMarked = true
	case invoice.Questioned, invoice.QuestionAnswered: // rows of questions
	}
	row.settle(f.Meta.Time)
	return row
}

func (r *invoiceRow) setContent(c invoice.Content) {
	r.Project, r.Recipients, r.Due, r.Note = c.Project, c.Recipients, c.Due, c.Note.Reveal()
	r.Lines = make([]invoiceLine, len(c.Lines))
	for i, l := range c.Lines {
		r.Lines[i] = invoiceLine{l.Description.Reveal(), l.Quantity, l.UnitPrice, l.TaxRate, l.Net}
	}
	t := c.Totals
	r.Currency, r.Net, r.Tax, r.Total, r.TaxGroups, r.Rule = t.Total.Currency, t.Net.Amount, t.Tax.Amount, t.Total.Amount, t.Groups, t.Rule
}

// settle draws the conclusions from the facts: what is due, the status, since when it is paid.
func (r *invoiceRow) settle(now time.Time) {
	if r.DueAmount = 0; r.Released {
		r.DueAmount = r.Total - r.Paid - r.Credited - r.Voided
	}
	switch {
	case r.Void:
		r.Status = voidInvoice
	case !r.Released:
		r.Status = draftInvoice
	case r.DueAmount == 0 && r.Paid == 0 && r.Credited > 0:
		r.Status = creditedInvoice
	case r.DueAmount == 0:
		r.Status = paidInvoice
	case r.Paid > 0:
		r.Status = partPaidInvoice
	default:
		r.Status = sentInvoice
	}
	switch {
	case r.Status != paidInvoice:
		r.PaidAt = time.Time{}
	case r.PaidAt.IsZero():
		r.PaidAt = now
	}
}

func creditNoteKeys(f domain.Fact) []Key {
	if e, ok := f.Event.(invoice.CreditNoteIssued); ok {
		return []Key{K(e.CreditNote)}
	}
	return nil
}

func foldCreditNote(row *creditNoteRow, f domain.Fact) *creditNoteRow {
	if e, ok := f.Event.(invoice.CreditNoteIssued); ok {
		row = &creditNoteRow{
			ID: e.CreditNote, Firm: f.Meta.Firm, Account: f.Meta.Account, Invoice: f.Of, Number: e.Number, Label: e.Label,
			Amount: e.Amount.Amount, Currency: e.Amount.Currency, TaxGroups: e.Groups, Date: e.Date, IssuedAt: f.Meta.Time,
		}
	}
	return row
}

func reasonKeys(f domain.Fact) []Key {
	switch e := f.Event.(invoice.Event).(type) {
	case invoice.PaymentRefunded:
		return []Key{K(e.Refund)}
	case invoice.CreditNoteIssued:
		return []Key{K(e.CreditNote)}
	case invoice.Voided:
		return []Key{K(f.Of)}
	case invoice.Drafted, invoice.DraftChanged, invoice.Sent, invoice.PaymentRecorded, invoice.Paid, invoice.Overdue,
		invoice.Questioned, invoice.QuestionAnswered:
	}
	return nil
}

func foldReason(row *invoiceReasonRow, f domain.Fact) *invoiceReasonRow {
	reason := func(id domain.ID, kind entryKind, text domain.Personal) *invoiceReasonRow {
		return &invoiceReasonRow{
			ID: id, Firm: f.Meta.Firm, Account: f.Meta.Account, Invoice: f.Of, Kind: kind, Reason: text.Reveal(), RecordedAt: f.Meta.Time,
		}
	}
	switch e := f.Event.(invoice.Event).(type) {
	case invoice.PaymentRefunded:
		return reason(e.Refund, refundEntry, e.Reason)
	case invoice.CreditNoteIssued:
		return reason(e.CreditNote, creditNoteEntry, e.Reason)
	case invoice.Voided:
		return reason(f.Of, voidEntry, e.Reason)
	case invoice.Drafted, invoice.DraftChanged, invoice.Sent, invoice.PaymentRecorded, invoice.Paid, invoice.Overdue,
		invoice.Questioned, invoice.QuestionAnswered:
	}
	return row
}
