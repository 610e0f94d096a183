package projections

import (
	"time"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/contact"
	"github.com/atrium-portal/atrium/domain/payment"
)

// attemptRow is an attempt to pay an invoice online. The money itself is a row of payments, with the same id.
type attemptRow struct {
	owned
	Invoice    domain.ID      `db:"invoice" history:"-"`
	Recipients []domain.ID    `db:"recipients" history:"-"`
	Label      string         `db:"label" history:"label"` // of the invoice
	Contact    domain.ID      `db:"contact" history:"-"`   // who pays
	Status     payment.Status `db:"status"`
	Cancel     bool           `db:"cancel" history:"-"` // was asked for
	Amount     int64          `db:"amount" history:"-"` // that was asked for, in minor units of currency
	Currency   string         `db:"currency" history:"-"`
	Reason     string         `db:"reason"` // why it failed, in words for the payer
	StartedAt  time.Time      `db:"started_at" history:"-"`
	ExpiresAt  time.Time      `db:"expires_at" history:"-"`
	EndedAt    time.Time      `db:"ended_at,null" history:"-"`
}

// Audience shows an attempt's history to whoever receives the invoice, but for what the firm has to look into.
func (r attemptRow) Audience() (visible bool, recipients []domain.ID) {
	return r.Status != payment.StatusReview && r.Status != payment.StatusReviewed, r.Recipients
}

// Permission is what it takes to read an attempt's history.
func (attemptRow) Permission() string { return string(contact.ViewInvoices) }

// pageRow is the provider's page of an attempt. Whoever has its address can pay.
type pageRow struct {
	ID         domain.ID   `db:"id,key"` // of the attempt
	Firm       domain.ID   `db:"firm"`
	Account    domain.ID   `db:"account"`
	Recipients []domain.ID `db:"recipients"`
	URL        string      `db:"url"`
}

// attemptNotesRow is what the firm knows of an attempt beyond that.
type attemptNotesRow struct {
	ID        domain.ID `db:"id,key"` // of the attempt
	Firm      domain.ID `db:"firm"`
	Account   domain.ID `db:"account"`
	Gateway   string    `db:"gateway"`
	Reference string    `db:"reference"` // the provider's name of the page
	Capture   string    `db:"capture"`   // the provider's name of the money that arrived last
	Received  int64     `db:"received"`  // minor units of received_currency
	ReceivedC string    `db:"received_currency"`
	Fee       int64     `db:"fee"` // minor units of fee_currency
	FeeC      string    `db:"fee_currency"`
	Why       string    `db:"why"`  // it needs a review
	Note      string    `db:"note"` // what the review came to
}

func attemptTables() []Table {
	return []Table{
		Define(Spec[attemptRow]{
			Name: "payment_attempts", Categories: []string{"payment"}, Primary: true, Access: OfRecipients, Fold: foldAttempt,
			ClientsWhere: Permitted(string(contact.ViewInvoices)),
			Indexes: []string{
				"(invoice, started_at)", "(account, started_at, id)", "(firm, started_at, id)",
				"(started_at) where status in ('started', 'handed_over')", "(firm) where status = 'review'",
			},
		}),
		Define(Spec[pageRow]{
			Name: "payment_pages", Categories: []string{"payment"}, Access: OfRecipients, Fold: foldPage,
			ClientsWhere: Permitted(string(contact.PayInvoices)) + " and " + Permitted(string(contact.ViewInvoices)),
		}),
		Define(Spec[attemptNotesRow]{
			Name: "payment_notes", Categories: []string{"payment"}, Fold: foldAttemptNotes,
		}),
	}
}

func foldAttempt(row *attemptRow, f domain.Fact) *attemptRow {
	row = known(row)
	end := func(s payment.Status) { row.Status, row.EndedAt = s, f.Meta.Time }
	switch e := f.Event.(payment.Event).(type) {
	case payment.Started:
		row.owned = ownedBy(f)
		row.Invoice, row.Recipients, row.Label, row.Contact, row.Status = e.Invoice, e.Recipients, e.Label, e.Contact, payment.StatusStarted
		row.Amount, row.Currency, row.StartedAt, row.ExpiresAt = e.Amount.Amount, e.Amount.Currency, f.Meta.Time, e.Expires
	case payment.HandedOver:
		row.Status = payment.StatusHandedOver
	case payment.CancelRequested:
		row.Cancel = true
	case payment.Succeeded:
		end(payment.StatusSucceeded)
		row.Reason = ""
	case payment.Failed:
		end(payment.StatusFailed)
		row.Reason = e.Reason
	case payment.Expired:
		end(payment.StatusExpired)
	case payment.Mismatched:
		end(payment.StatusReview)
		row.Reason = ""
	case payment.ReviewClosed:
		row.Status = payment.StatusReviewed
	case payment.RefundReported: // a row of payments
	}
	return row
}

func foldPage(row *pageRow, f domain.Fact) *pageRow {
	row = known(row)
	switch e := f.Event.(payment.Event).(type) {
	case payment.Started:
		*row = pageRow{ID: f.Of, Firm: f.Meta.Firm, Account: f.Meta.Account, Recipients: e.Recipients}
	case payment.HandedOver:
		row.URL = e.URL.Reveal()
	case payment.Succeeded, payment.Failed, payment.Expired, payment.Mismatched:
		row.URL = "" // nobody can pay there any more
	case payment.CancelRequested, payment.RefundReported, payment.ReviewClosed:
	}
	return row
}

func foldAttemptNotes(row *attemptNotesRow, f domain.Fact) *attemptNotesRow {
	row = known(row)
	switch e := f.Event.(payment.Event).(type) {
	case payment.Started:
		*row = attemptNotesRow{ID: f.Of, Firm: f.Meta.Firm, Account: f.Meta.Account, Gateway: e.Gateway}
	case payment.HandedOver:
		row.Reference = e.Reference
	case payment.Succeeded:
		row.Capture, row.Received, row.ReceivedC = e.Capture, e.Amount.Amount, e.Amount.Currency
		row.Fee, row.FeeC = e.Fee.Amount, e.Fee.Currency
	case payment.Mismatched:
		row.Capture, row.Received, row.ReceivedC, row.Why = e.Capture, e.Amount.Amount, e.Amount.Currency, string(e.Why)
	case payment.ReviewClosed:
		row.Note = e.Note.Reveal()
	case payment.CancelRequested, payment.Failed, payment.Expired, payment.RefundReported:
	}
	return row
}
