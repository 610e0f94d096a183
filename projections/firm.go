package projections

import (
	"time"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/firm"
)

// firmRow is a firm and its settings. Every client of the firm may read it; its history is for staff.
type firmRow struct {
	ID                     domain.ID     `db:"id,key" history:"-"`
	Firm                   domain.ID     `db:"firm" history:"-"` // the id again
	Revision               int64         `db:"revision" history:"-"`
	Name                   string        `db:"name" history:"label"`
	Slug                   string        `db:"slug"`
	Currency               string        `db:"currency"`
	TimeZone               string        `db:"time_zone"`
	NumberFormat           string        `db:"number_format"`
	InvoicePrefix          string        `db:"invoice_prefix"`
	ShowUnreleasedInvoices bool          `db:"show_unreleased_invoices"`
	ShowHistory            bool          `db:"show_history"`
	DefaultAudience        firm.Audience `db:"default_audience"`
	CreatedAt              time.Time     `db:"created_at" history:"-"`
}

// Audience keeps the firm's own history, with its staff's comings and goings, from clients.
func (firmRow) Audience() (visible bool, recipients []domain.ID) { return false, nil }

// staffRow is what clients may know about somebody who works for the firm.
type staffRow struct {
	ID     domain.ID `db:"id,key"`
	Firm   domain.ID `db:"firm"`
	Name   string    `db:"name"`
	Role   firm.Role `db:"role"`
	Active bool      `db:"active"`
}

// staffDetailsRow is the rest.
type staffDetailsRow struct {
	ID            domain.ID `db:"id,key"`
	Firm          domain.ID `db:"firm"`
	Email         string    `db:"email"`
	InvitedAt     time.Time `db:"invited_at"`
	DeactivatedAt time.Time `db:"deactivated_at,null"`
	Reason        string    `db:"reason"` // of the deactivation
}
