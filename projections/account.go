package projections

import (
	"time"

	"github.com/atrium-portal/atrium/domain"
)

// owned are the first columns of every record of a client.
type owned struct {
	ID       domain.ID `db:"id,key" history:"-"`
	Firm     domain.ID `db:"firm" history:"-"`
	Account  domain.ID `db:"account" history:"-"`
	Revision int64     `db:"revision" history:"-"`
}

// accountRow is a client of the firm. Its account column is its own id.
type accountRow struct {
	owned
	Name           string    `db:"name" history:"label"`
	Currency       string    `db:"currency"`
	Address        string    `db:"address"`
	TaxID          string    `db:"tax_id"`
	PrimaryContact domain.ID `db:"primary_contact"` // the one it was opened with
	Closed         bool      `db:"closed"`
	OpenedAt       time.Time `db:"opened_at" history:"-"`
	ClosedAt       time.Time `db:"closed_at,null" history:"-"`
}

// accountNotesRow is what the firm writes about a client for itself.
type accountNotesRow struct {
	ID          domain.ID `db:"id,key"` // of the account
	Firm        domain.ID `db:"firm"`
	Notes       string    `db:"notes"`
	CloseReason string    `db:"close_reason"` // while closed
}
