package projections

import (
	"time"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/invoice"
)

// questionRow is a question about an invoice and its answer. Whoever sees the invoice sees it.
type questionRow struct {
	ID         domain.ID `db:"id,key"`
	Firm       domain.ID `db:"firm"`
	Account    domain.ID `db:"account"`
	Invoice    domain.ID `db:"invoice"`
	Contact    domain.ID `db:"contact"` // who asks
	Text       string    `db:"text"`
	AskedAt    time.Time `db:"asked_at"`
	Answer     string    `db:"answer"`
	AnsweredBy domain.ID `db:"answered_by,null"` // a member of staff
	AnsweredAt time.Time `db:"answered_at,null"`
}

func questionTables() []Table {
	return []Table{
		Define(Spec[questionRow]{
			Name: "questions", Categories: []string{"invoice"}, Access: OfAccount, ClientsWhere: withInvoice("questions"),
			Keys: questionKeys, Fold: foldQuestion,
			Indexes: []string{"(invoice)", "(firm, asked_at) where answered_at is null"},
		}),
	}
}

func questionKeys(f domain.Fact) []Key {
	switch e := f.Event.(invoice.Event).(type) {
	case invoice.Questioned:
		return []Key{K(e.Question)}
	case invoice.QuestionAnswered:
		return []Key{K(e.Question)}
	case invoice.Drafted, invoice.DraftChanged, invoice.Sent, invoice.PaymentRecorded, invoice.Paid, invoice.PaymentRefunded,
		invoice.CreditNoteIssued, invoice.Voided, invoice.Overdue:
	}
	return nil
}

func foldQuestion(row *questionRow, f domain.Fact) *questionRow {
	row = known(row)
	switch e := f.Event.(invoice.Event).(type) {
	case invoice.Questioned:
		*row = questionRow{
			ID: e.Question, Firm: f.Meta.Firm, Account: f.Meta.Account, Invoice: f.Of, Contact: e.Contact, Text: e.Text.Reveal(), AskedAt: f.Meta.Time,
		}
	case invoice.QuestionAnswered:
		row.Answer, row.AnsweredBy, row.AnsweredAt = e.Text.Reveal(), f.Meta.Actor.ID, f.Meta.Time
	case invoice.Drafted, invoice.DraftChanged, invoice.Sent, invoice.PaymentRecorded, invoice.Paid, invoice.PaymentRefunded,
		invoice.CreditNoteIssued, invoice.Voided, invoice.Overdue:
	}
	return row
}
