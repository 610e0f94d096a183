package projections

import (
	"time"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/invoice"
)

// paymentRow is money received. Whoever sees its invoice sees it.
type paymentRow struct {
	ID         domain.ID      `db:"id,key"`
	Firm       domain.ID      `db:"firm"`
	Account    domain.ID      `db:"account"`
	Invoice    domain.ID      `db:"invoice"`
	Amount     int64          `db:"amount"`   // minor units of currency, as received
	Refunded   int64          `db:"refunded"` // of it
	Currency   string         `db:"currency"`
	Date       domain.Date    `db:"date"` // when the money arrived
	Method     invoice.Method `db:"method"`
	Reference  string         `db:"reference"`
	DueAfter   int64          `db:"due_after"`   // on the invoice, after the payment
	Receipt    string         `db:"receipt"`     // number of the receipt; empty where there is none
	RecordedAt time.Time      `db:"recorded_at"` // when we learned it
}

func paymentTables() []Table {
	return []Table{
		Define(Spec[paymentRow]{
			Name: "payments", Categories: []string{"invoice"}, Access: OfAccount, ClientsWhere: withInvoice("payments"),
			Keys: paymentKeys, Fold: foldPayment,
			Indexes: []string{"(invoice)", "(account, date, id)", "(firm, date, id)"},
		}),
	}
}

func paymentKeys(f domain.Fact) []Key {
	switch e := f.Event.(invoice.Event).(type) {
	case invoice.PaymentRecorded:
		return []Key{K(e.Payment)}
	case invoice.PaymentRefunded:
		return []Key{K(e.Payment)}
	case invoice.Drafted, invoice.DraftChanged, invoice.Sent, invoice.Paid, invoice.CreditNoteIssued, invoice.Voided, invoice.Overdue,
		invoice.Questioned, invoice.QuestionAnswered:
	}
	return nil
}

func foldPayment(row *paymentRow, f domain.Fact) *paymentRow {
	row = known(row)
	switch e := f.Event.(invoice.Event).(type) {
	case invoice.PaymentRecorded:
		*row = paymentRow{
			ID: e.Payment, Firm: f.Meta.Firm, Account: f.Meta.Account, Invoice: f.Of, Amount: e.Amount.Amount, Currency: e.Amount.Currency,
			Date: e.Date, Method: e.Method, Reference: e.Reference.Reveal(), Receipt: e.Receipt, DueAfter: e.DueAfter.Amount, RecordedAt: f.Meta.Time,
		}
	case invoice.PaymentRefunded:
		row.Refunded += e.Amount.Amount
	case invoice.Drafted, invoice.DraftChanged, invoice.Sent, invoice.Paid, invoice.CreditNoteIssued, invoice.Voided, invoice.Overdue,
		invoice.Questioned, invoice.QuestionAnswered:
	}
	return row
}
