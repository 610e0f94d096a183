package projections

import (
	"time"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/invoice"
)

// ledgerRow is one movement of what a client owes, on two clocks: the date on which it counts and the time at which it
// was recorded. The amounts of an account's rows add up to what is due.
type ledgerRow struct {
	ID         domain.ID   `db:"id,key"` // of the event; the invoice's own id for kind void
	Firm       domain.ID   `db:"firm"`
	Account    domain.ID   `db:"account"`
	Invoice    domain.ID   `db:"invoice"`
	Kind       entryKind   `db:"kind"`  // invoice, payment, refund, credit_note or void
	Label      string      `db:"label"` // of the invoice or credit note; empty for payments and refunds
	Date       domain.Date `db:"date"`
	RecordedAt time.Time   `db:"recorded_at"`
	Position   int64       `db:"position"` // of the event: the order of recording
	Amount     int64       `db:"amount"`   // minor units; above zero the client owes more. 0: not an entry (yet), leave it out
	Currency   string      `db:"currency"`
	Open       int64       `db:"open"` // kind void only: what is due on the invoice
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
			Name: "ledger", Categories: []string{"invoice"}, Access: OfAccount, ClientsWhere: "amount <> 0 and " + withInvoice("ledger"),
			Keys: ledgerKeys, FoldAt: foldLedger,
			Indexes: []string{"(account, date, position) where amount <> 0", "(invoice)"},
		}),
	}
}

// ledgerKeys are the entry that an event makes, if any, and the invoice's void entry, which follows what is due.
func ledgerKeys(f domain.Fact) []Key {
	switch f.Event.(invoice.Event).(type) {
	case invoice.Sent, invoice.PaymentRecorded, invoice.PaymentRefunded, invoice.CreditNoteIssued:
		return []Key{K(f.ID), K(f.Of)}
	case invoice.Voided:
		return []Key{K(f.Of)}
	case invoice.Drafted, invoice.DraftChanged, invoice.Paid, invoice.Overdue:
	}
	return nil
}

func foldLedger(row *ledgerRow, f domain.Fact, key Key) *ledgerRow {
	if _, voided := f.Event.(invoice.Voided); voided {
		return row.close(f)
	}
	entry := entryOf(f)
	switch {
	case key == K(f.ID):
		return entry
	case row == nil:
		row = &ledgerRow{
			ID: f.Of, Firm: entry.Firm, Account: entry.Account, Invoice: f.Of, Kind: voidEntry, Label: entry.Label,
			Date: entry.Date, RecordedAt: entry.RecordedAt, Position: entry.Position, Currency: entry.Currency,
		}
	}
	row.Open += entry.Amount
	return row
}

// close takes back what is due. A draft that is voided never counted: it has no row.
func (r *ledgerRow) close(f domain.Fact) *ledgerRow {
	if r != nil {
		r.Date, r.RecordedAt, r.Position = recordingDate(f), f.Meta.Time, int64(f.Position.Commit)
		r.Amount, r.Open = -r.Open, 0
	}
	return r
}

// entryOf is the entry that an event makes.
func entryOf(f domain.Fact) *ledgerRow {
	row := &ledgerRow{
		ID: f.ID, Firm: f.Meta.Firm, Account: f.Meta.Account, Invoice: f.Of,
		Date: recordingDate(f), RecordedAt: f.Meta.Time, Position: int64(f.Position.Commit),
	}
	move := func(kind entryKind, sign int64, m domain.Money) {
		row.Kind, row.Amount, row.Currency = kind, sign*m.Amount, m.Currency
	}
	switch e := f.Event.(invoice.Event).(type) {
	case invoice.Sent:
		move(invoiceEntry, 1, e.Total)
		row.Label, row.Date = e.Label, e.Issued
	case invoice.PaymentRecorded:
		move(paymentEntry, -1, e.Amount)
		row.Date = e.Date
	case invoice.PaymentRefunded:
		move(refundEntry, 1, e.Amount)
	case invoice.CreditNoteIssued:
		move(creditNoteEntry, -1, e.Amount)
		row.Label = e.Label
	case invoice.Drafted, invoice.DraftChanged, invoice.Paid, invoice.Voided, invoice.Overdue:
	}
	return row
}

// recordingDate is the date, in UTC, on which an event was recorded, for events that name no date of their own.
func recordingDate(f domain.Fact) domain.Date { return domain.DateOf(f.Meta.Time, time.UTC) }
