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
	ModulesOff             []string      `db:"modules_off"`
	Address                string        `db:"address"`
	TaxID                  string        `db:"tax_id"`
	PaymentDetails         string        `db:"payment_details"`
	PrimaryColor           string        `db:"primary_color"`
	AccentColor            string        `db:"accent_color"`
	ShowUnreleasedInvoices bool          `db:"show_unreleased_invoices"`
	ShowHistory            bool          `db:"show_history"`
	DefaultAudience        firm.Audience `db:"default_audience"`
	RequireSecondFactor    bool          `db:"require_second_factor_for_clients"`
	ClientSessionDays      int64         `db:"client_session_days"`
	Logo                   domain.ID     `db:"logo,null" history:"-"`
	LogoSHA256             string        `db:"logo_sha256" history:"-"` // of the logo; empty without one
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

func firmTables() []Table {
	return []Table{
		Define(Spec[firmRow]{
			Name: "firms", Categories: []string{"firm"}, Primary: true, Access: OfFirm, Fold: foldFirm, Indexes: []string{"(slug)"},
		}),
		Define(Spec[staffRow]{
			Name: "staff", Categories: []string{"firm"}, Access: OfFirm, Keys: staffKeys, Fold: foldStaff, Indexes: []string{"(firm)"},
		}),
		Define(Spec[staffDetailsRow]{
			Name: "staff_details", Categories: []string{"firm"}, Keys: staffKeys, Fold: foldStaffDetails,
			Indexes: []string{"(firm, lower(email))"},
		}),
	}
}

func foldFirm(row *firmRow, f domain.Fact) *firmRow {
	row = known(row)
	switch e := f.Event.(firm.Event).(type) {
	case firm.Created:
		row.ID, row.Firm, row.Slug, row.CreatedAt = f.Of, f.Of, e.Slug, f.Meta.Time
		row.set(e.Settings)
	case firm.SettingsChanged:
		row.set(e.Settings)
	case firm.LogoSet:
		row.Logo, row.LogoSHA256 = e.Logo.ID, e.Logo.SHA256
	case firm.LogoRemoved:
		row.Logo, row.LogoSHA256 = domain.NoID, ""
	case firm.StaffInvited, firm.StaffRoleChanged, firm.StaffDeactivated: // rows of staff
	case firm.RebuildStarted, firm.RebuildEnded, firm.TablesPutBack: // history alone
	}
	return row
}

func (r *firmRow) set(s firm.Settings) {
	r.Name, r.Currency, r.TimeZone, r.NumberFormat, r.InvoicePrefix = s.Name, s.Currency, s.TimeZone, s.NumberFormat, s.InvoicePrefix
	r.ShowUnreleasedInvoices, r.ShowHistory, r.DefaultAudience = s.ShowUnreleasedInvoices, s.ShowHistory, s.DefaultAudience
	r.RequireSecondFactor, r.ClientSessionDays = s.RequireSecondFactorForClients, int64(s.ClientSessionDays)
	r.ModulesOff = moduleNames(s.ModulesOff)
	r.Address, r.TaxID, r.PaymentDetails, r.PrimaryColor, r.AccentColor = s.Address, s.TaxID, s.PaymentDetails, s.PrimaryColor, s.AccentColor
}

func staffKeys(f domain.Fact) []Key {
	switch e := f.Event.(firm.Event).(type) {
	case firm.StaffInvited:
		return []Key{K(e.Staff)}
	case firm.StaffRoleChanged:
		return []Key{K(e.Staff)}
	case firm.StaffDeactivated:
		return []Key{K(e.Staff)}
	case firm.Created, firm.SettingsChanged, firm.LogoSet, firm.LogoRemoved, firm.RebuildStarted, firm.RebuildEnded, firm.TablesPutBack:
	}
	return nil
}

func foldStaff(row *staffRow, f domain.Fact) *staffRow {
	row = known(row)
	switch e := f.Event.(firm.Event).(type) {
	case firm.StaffInvited:
		*row = staffRow{ID: e.Staff, Firm: f.Meta.Firm, Name: e.Name.Reveal(), Role: e.Role, Active: true}
	case firm.StaffRoleChanged:
		row.Role = e.To
	case firm.StaffDeactivated:
		row.Active = false
	case firm.Created, firm.SettingsChanged, firm.LogoSet, firm.LogoRemoved, firm.RebuildStarted, firm.RebuildEnded, firm.TablesPutBack:
	}
	return row
}

func foldStaffDetails(row *staffDetailsRow, f domain.Fact) *staffDetailsRow {
	row = known(row)
	switch e := f.Event.(firm.Event).(type) {
	case firm.StaffInvited:
		*row = staffDetailsRow{ID: e.Staff, Firm: f.Meta.Firm, Email: e.Email.Reveal(), InvitedAt: f.Meta.Time}
	case firm.StaffDeactivated:
		row.DeactivatedAt, row.Reason = f.Meta.Time, e.Reason.Reveal()
	case firm.Created, firm.SettingsChanged, firm.LogoSet, firm.LogoRemoved, firm.RebuildStarted, firm.RebuildEnded, firm.TablesPutBack, firm.StaffRoleChanged:
	}
	return row
}
