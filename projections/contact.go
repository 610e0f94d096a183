package projections

import (
	"time"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/contact"
)

// contactRow is a person at a client. The other contacts of the account may read it; its history, which tells why
// somebody was shut out, is for staff.
type contactRow struct {
	owned
	Name           string               `db:"name" history:"label"`
	Email          string               `db:"email"`
	Phone          string               `db:"phone"`
	Role           contact.Role         `db:"role"`        // empty without access
	Permissions    []contact.Permission `db:"permissions"` // sorted
	Access         string               `db:"access"`      // none, granted, frozen or revoked
	Frozen         bool                 `db:"frozen" history:"-"`
	PrimaryContact bool                 `db:"primary_contact"`
	MergedInto     domain.ID            `db:"merged_into,null"` // the contact that this duplicate ended in
	Absorbed       []domain.ID          `db:"absorbed"`         // the duplicates that were merged into this one
	AddedAt        time.Time            `db:"added_at" history:"-"`
}

// Audience keeps the history of contacts from clients.
func (contactRow) Audience() (visible bool, recipients []domain.ID) { return false, nil }

// contactNotesRow is why access was taken away.
type contactNotesRow struct {
	ID           domain.ID `db:"id,key"` // of the contact
	Firm         domain.ID `db:"firm"`
	Account      domain.ID `db:"account"`
	FreezeReason string    `db:"freeze_reason"` // while frozen
	RevokeReason string    `db:"revoke_reason"` // while revoked
	MergeReason  string    `db:"merge_reason"`  // of the last duplicate that was merged into this contact
}
