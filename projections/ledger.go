package projections

import (
	"time"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/invoice"
)

// ledgerRow is one movement of what a client owes, on two clocks: the date on which it counts and the time at which it
// was recorded. The amounts of an account's rows add up to what is due.
type ledgerRow struct {
	ID         domain.ID   `db:"id,key"` // of the event
	Firm       domain.ID   `db:"firm"`
	Account    domain.ID   `db:"account"`
	Invoice    domain.ID   `db:"invoice"`
	Kind       entryKind   `db:"kind"`  // invoice, payment, refund, credit_note or void
	Label      string      `db:"label"` // of the invoice or credit note; empty for the rest
	Date       domain.Date `db:"date"`
	RecordedAt time.Time   `db:"recorded_at"`
	Position   int64       `db:"position"` // of the event: the order of recording
	Amount     int64       `db:"amount"`   // minor units; above zero the client owes more
	Currency   string      `db:"currency"`
}

// entryKind says what moved the balance.
type entryKind string

const (
	invoiceEntry    entryKind = "invoice"
	paymentEntry    entryKind = "payment"
	refundEntry     entryKind = "refund"
	creditNoteEntry entryKind = "credit_note"
	voidEntry       entryKind = "void"
)

func ledgerTables() []Table {
	return []Table{
		Define(Spec[ledgerRow]{
			Name: "ledger", Categories: []string{"invoice"}, Access: OfAccount, ClientsWhere: withInvoice("ledger"),
			Keys:    func(f domain.Fact) []Key { return []Key{K(f.ID)} },
			Fold:    foldLedger,
			Indexes: []string{"(account, date, position)", "(invoice)"},
		}),
	}
}

// foldLedger makes the entry of an event that moves money, if it does.
func foldLedger(_ *ledgerRow, f domain.Fact) *ledgerRow {
	entry := func(kind entryKind, sign int64, m domain.Money, label string, date domain.Date) *ledgerRow {
		if m.Amount == 0 {
			return nil
		}
		return &ledgerRow{
			ID: f.ID, Firm: f.Meta.Firm, Account: f.Meta.Account, Invoice: f.Of, Kind: kind, Label: label, Date: date,
			RecordedAt: f.Meta.Time, Position: int64(f.Position.Commit), Amount: sign * m.Amount, Currency: m.Currency,
		}
	}
	switch e := f.Event.(invoice.Event).(type) {
	case invoice.Sent:
		return entry(invoiceEntry, 1, e.Total, e.Label, e.Issued)
	case invoice.PaymentRecorded:
		return entry(paymentEntry, -1, e.Amount, "", e.Date)
	case invoice.PaymentRefunded:
		return entry(refundEntry, 1, e.Amount, "", e.Date)
	case invoice.CreditNoteIssued:
		return entry(creditNoteEntry, -1, e.Amount, e.Label, e.Date)
	case invoice.Voided:
		return entry(voidEntry, -1, e.Amount, "", e.Date)
	case invoice.Drafted, invoice.DraftChanged, invoice.Paid, invoice.Overdue, invoice.Questioned, invoice.QuestionAnswered:
	}
	return nil
}
