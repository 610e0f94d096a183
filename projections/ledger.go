package projections

import (
	"time"

	"github.com/atrium-portal/atrium/domain"
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
