package projections

import (
	"time"

	"github.com/atrium-portal/atrium/domain"
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

// invoiceStatus is draft, sent, part_paid, paid, credited or void. Overdue is a matter of the day on which one asks.
type invoiceStatus string

// invoiceLine is a line as the API shows it.
type invoiceLine struct {
	Description string         `json:"description"`
	Quantity    domain.Decimal `json:"quantity"`
	UnitPrice   domain.Money   `json:"unit_price"`
	TaxRate     domain.Decimal `json:"tax_rate"` // percent
	Net         domain.Money   `json:"net"`
}

// Audience shows an invoice's history to its recipients once it is sent.
func (r invoiceRow) Audience() (visible bool, recipients []domain.ID) {
	return r.Released, r.Recipients
}

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
