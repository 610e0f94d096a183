package projections

import (
	"slices"
	"time"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/contact"
)

// contactRow is a person at a client. The other contacts of the accounts they work for may read it; its history, which
// tells why somebody was shut out, is for staff. Role and permissions are those at their own account.
type contactRow struct {
	owned
	// Accounts are all that they work for, or ever worked for: what they did there keeps their name. Which client works
	// with which others is nobody else's business.
	Accounts         []domain.ID            `db:"accounts" history:"-"`
	Name             string                 `db:"name" history:"label"`
	Email            string                 `db:"email"`
	Phone            string                 `db:"phone"`
	Role             contact.Role           `db:"role"`        // empty without access
	Permissions      []contact.Permission   `db:"permissions"` // sorted
	Access           contactAccess          `db:"access"`
	Frozen           bool                   `db:"frozen" history:"-"`
	PrimaryContact   bool                   `db:"primary_contact"`
	MergedInto       domain.ID              `db:"merged_into,null"`     // the contact that this duplicate ended in
	NotificationsOff []contact.Notification `db:"notifications_off"`    // sorted
	Absorbed         []domain.ID            `db:"absorbed" history:"-"` // the duplicates that were merged into this one
	AddedAt          time.Time              `db:"added_at" history:"-"`
}

// Audience keeps the history of contacts from clients.
func (contactRow) Audience() (visible bool, recipients []domain.ID) { return false, nil }

// membershipRow is what a person may do at one of the accounts they work for now.
type membershipRow struct {
	Contact     domain.ID            `db:"contact,key"`
	Account     domain.ID            `db:"account,key"`
	Firm        domain.ID            `db:"firm"`
	Own         bool                 `db:"own"`         // the account they belong to, not one they are linked to
	Role        contact.Role         `db:"role"`        // empty without access
	Permissions []contact.Permission `db:"permissions"` // sorted
	Since       time.Time            `db:"since"`
}

// contactNotesRow is why access was taken away.
type contactNotesRow struct {
	ID           domain.ID `db:"id,key"` // of the contact
	Firm         domain.ID `db:"firm"`
	Account      domain.ID `db:"account"`
	FreezeReason string    `db:"freeze_reason"` // while frozen
	RevokeReason string    `db:"revoke_reason"` // while revoked
	MergeReason  string    `db:"merge_reason"`  // of the last duplicate that was merged into this contact
}

func contactTables() []Table {
	return []Table{
		Define(Spec[contactRow]{
			Name: "contacts", Categories: []string{"contact"}, Primary: true, Access: OfAccounts, Hidden: []string{"accounts"}, Fold: foldContact,
			Indexes: []string{"(account, name, id)", "(firm, name, id)", "(firm, lower(email))"},
		}),
		Define(Spec[contactNotesRow]{
			Name: "contact_notes", Categories: []string{"contact"}, Fold: foldContactNotes,
		}),
		Define(Spec[membershipRow]{
			Name: "memberships", Categories: []string{"contact"}, Access: OfAccount, Keys: membershipKeys, Fold: foldMembership,
			Indexes: []string{"(account)"},
		}),
	}
}

// contactAccess is whether a contact gets into the portal.
type contactAccess string

const (
	noAccess      contactAccess = "none" // never had it
	grantedAccess contactAccess = "granted"
	frozenAccess  contactAccess = "frozen"
	revokedAccess contactAccess = "revoked"
)

func foldContact(row *contactRow, f domain.Fact) *contactRow {
	row = known(row)
	switch e := f.Event.(contact.Event).(type) {
	case contact.Added:
		row.owned = ownedBy(f)
		row.Accounts = []domain.ID{f.Meta.Account}
		row.Name, row.Email, row.Phone = e.Name.Reveal(), e.Email.Reveal(), e.Phone.Reveal()
		row.PrimaryContact, row.Access, row.AddedAt = e.Primary, noAccess, f.Meta.Time
	case contact.DetailsChanged:
		row.Name, row.Email, row.Phone = e.Name.Reveal(), e.Email.Reveal(), e.Phone.Reveal()
	case contact.AccessGranted:
		row.Role, row.Permissions = e.Role, e.Permissions
		row.setAccess(grantedAccess)
	case contact.PermissionsChanged:
		if e.Account == domain.NoID {
			row.Role, row.Permissions = e.RoleTo, e.To
		}
	case contact.AccessRevoked:
		row.endAccess()
	case contact.AccessFrozen:
		row.Frozen = true
		row.setAccess(row.Access)
	case contact.AccessUnfrozen:
		row.Frozen = false
		row.setAccess(row.Access)
	case contact.Absorbed:
		row.Absorbed = slices.Concat(row.Absorbed, []domain.ID{e.Duplicate})
	case contact.Merged:
		row.MergedInto = e.Into
		if row.Access != noAccess {
			row.endAccess()
		}
	case contact.Linked:
		if !slices.Contains(row.Accounts, e.Account) {
			row.Accounts = slices.Concat(row.Accounts, []domain.ID{e.Account})
		}
	case contact.NotificationsChanged:
		row.NotificationsOff = e.Off
	case contact.Unlinked: // a membership
	}
	return row
}

// membershipKeys is the account that an event is about: one that is named, or else the contact's own.
func membershipKeys(f domain.Fact) []Key {
	at := f.Meta.Account
	switch e := f.Event.(contact.Event).(type) {
	case contact.Linked:
		at = e.Account
	case contact.Unlinked:
		at = e.Account
	case contact.PermissionsChanged:
		if e.Account != domain.NoID {
			at = e.Account
		}
	case contact.Added, contact.AccessGranted, contact.AccessRevoked, contact.Merged:
	case contact.DetailsChanged, contact.AccessFrozen, contact.AccessUnfrozen, contact.Absorbed, contact.NotificationsChanged:
		return nil
	}
	return []Key{K(f.Of, at)}
}

func foldMembership(row *membershipRow, f domain.Fact) *membershipRow {
	row = known(row)
	switch e := f.Event.(contact.Event).(type) {
	case contact.Added:
		*row = membershipRow{Contact: f.Of, Account: f.Meta.Account, Firm: f.Meta.Firm, Own: true, Since: f.Meta.Time}
	case contact.Linked:
		*row = membershipRow{Contact: f.Of, Account: e.Account, Firm: f.Meta.Firm, Role: e.Role, Permissions: e.Permissions, Since: f.Meta.Time}
	case contact.Unlinked:
		return nil
	case contact.AccessGranted:
		row.Role, row.Permissions = e.Role, e.Permissions
	case contact.PermissionsChanged:
		row.Role, row.Permissions = e.RoleTo, e.To
	case contact.AccessRevoked, contact.Merged:
		row.Role, row.Permissions = "", nil
	case contact.DetailsChanged, contact.AccessFrozen, contact.AccessUnfrozen, contact.Absorbed, contact.NotificationsChanged: // not of one account
	}
	return row
}

// setAccess gives a contact access or none; a freeze outlasts both.
func (r *contactRow) setAccess(access contactAccess) {
	switch {
	case access == grantedAccess && r.Frozen:
		access = frozenAccess
	case access == frozenAccess && !r.Frozen:
		access = grantedAccess
	}
	r.Access = access
}

func (r *contactRow) endAccess() {
	r.Role, r.Permissions = "", nil
	r.setAccess(revokedAccess)
}

func foldContactNotes(row *contactNotesRow, f domain.Fact) *contactNotesRow {
	row = known(row)
	switch e := f.Event.(contact.Event).(type) {
	case contact.Added:
		row.ID, row.Firm, row.Account = f.Of, f.Meta.Firm, f.Meta.Account
	case contact.AccessGranted:
		row.RevokeReason = ""
	case contact.AccessRevoked:
		row.RevokeReason = e.Reason.Reveal()
	case contact.AccessFrozen:
		row.FreezeReason = e.Reason.Reveal()
	case contact.AccessUnfrozen:
		row.FreezeReason = ""
	case contact.Absorbed:
		row.MergeReason = e.Reason.Reveal()
	case contact.DetailsChanged, contact.PermissionsChanged, contact.Merged, contact.Linked, contact.Unlinked, contact.NotificationsChanged:
	}
	return row
}
