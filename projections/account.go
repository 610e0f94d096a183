package projections

import (
	"time"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/account"
)

// owned are the first columns of every record of a client. The engine keeps the revision.
type owned struct {
	ID       domain.ID `db:"id,key" history:"-"`
	Firm     domain.ID `db:"firm" history:"-"`
	Account  domain.ID `db:"account" history:"-"`
	Revision int64     `db:"revision" history:"-"`
}

// ownedBy fills them from the first event of a stream.
func ownedBy(f domain.Fact) owned {
	return owned{ID: f.Of, Firm: f.Meta.Firm, Account: f.Meta.Account}
}

// accountRow is a client of the firm. Its account column is its own id.
type accountRow struct {
	owned
	Name           string    `db:"name" history:"label"`
	Currency       string    `db:"currency"`
	Address        string    `db:"address"`
	TaxID          string    `db:"tax_id"`
	PrimaryContact domain.ID `db:"primary_contact" history:"-"` // the one it was opened with
	Closed         bool      `db:"closed"`
	OpenedAt       time.Time `db:"opened_at" history:"-"`
	ClosedAt       time.Time `db:"closed_at,null" history:"-"`
	ModulesOff     []string  `db:"modules_off"`        // for this client alone
	Inward         bool      `db:"inward" history:"-"` // the last event changed nothing but the firm's own notes
}

// Audience keeps from clients that the firm's own notes were changed: there is nothing in it for them to read.
func (r accountRow) Audience() (visible bool, recipients []domain.ID) { return !r.Inward, nil }

// accountNotesRow is what the firm writes about a client for itself.
type accountNotesRow struct {
	ID          domain.ID `db:"id,key"` // of the account
	Firm        domain.ID `db:"firm"`
	Notes       string    `db:"notes"`
	CloseReason string    `db:"close_reason"` // while closed
}

func accountTables() []Table {
	return []Table{
		Define(Spec[accountRow]{
			Name: "accounts", Categories: []string{"account"}, Primary: true, Access: OfAccount, Fold: foldAccount,
			Indexes: []string{"(firm, name, id)", "(account)"},
		}),
		Define(Spec[accountNotesRow]{
			Name: "account_notes", Categories: []string{"account"}, Fold: foldAccountNotes,
		}),
	}
}

func foldAccount(row *accountRow, f domain.Fact) *accountRow {
	row = known(row)
	row.Inward = false
	switch e := f.Event.(account.Event).(type) {
	case account.Opened:
		row.owned = owned{ID: f.Of, Firm: f.Meta.Firm, Account: f.Of}
		row.Name, row.Currency, row.PrimaryContact, row.OpenedAt = e.Name.Reveal(), e.Currency, e.Contact, f.Meta.Time
	case account.DetailsChanged:
		name, address, taxID := e.Name.Reveal(), e.Address.Reveal(), e.TaxID.Reveal()
		row.Inward = name == row.Name && address == row.Address && taxID == row.TaxID
		row.Name, row.Address, row.TaxID = name, address, taxID
	case account.Closed:
		row.Closed, row.ClosedAt = true, f.Meta.Time
	case account.Reopened:
		row.Closed, row.ClosedAt = false, time.Time{}
	case account.ModulesChanged:
		row.ModulesOff = moduleNames(e.Off)
	case account.BundleIssued, account.PersonJoined, account.PersonLeft: // stand in history
	}
	return row
}

// moduleNames are modules as a column holds them.
func moduleNames(list []domain.Module) []string {
	names := make([]string, len(list))
	for i, m := range list {
		names[i] = string(m)
	}
	return names
}

func foldAccountNotes(row *accountNotesRow, f domain.Fact) *accountNotesRow {
	row = known(row)
	switch e := f.Event.(account.Event).(type) {
	case account.Opened:
		row.ID, row.Firm = f.Of, f.Meta.Firm
	case account.DetailsChanged:
		row.Notes = e.Notes.Reveal()
	case account.Closed:
		row.CloseReason = e.Reason.Reveal()
	case account.Reopened:
		row.CloseReason = ""
	case account.ModulesChanged, account.BundleIssued, account.PersonJoined, account.PersonLeft:
	}
	return row
}
