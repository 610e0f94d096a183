package projections

import (
	"time"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/access"
)

// accessRow is a month of a person's coming and going. There is little in it: what people want to read is its history,
// which contacts see where it is their own.
type accessRow struct {
	ID         domain.ID         `db:"id,key" history:"-"`
	Firm       domain.ID         `db:"firm" history:"-"`
	Account    domain.ID         `db:"account,null" history:"-"` // none for staff
	Revision   int64             `db:"revision" history:"-"`
	Person     domain.ID         `db:"person" history:"-"`
	PersonKind access.PersonKind `db:"person_kind" history:"-"`
	Recipients []domain.ID       `db:"recipients" history:"-"` // the contact
}

// Audience shows contacts their own.
func (r accessRow) Audience() (visible bool, recipients []domain.ID) {
	return r.PersonKind == access.Contact, r.Recipients
}

// lastSeenRow is when a person was last here. Staff see it of everybody, contacts of themselves.
type lastSeenRow struct {
	Person       domain.ID         `db:"person,key"`
	Firm         domain.ID         `db:"firm"`
	Account      domain.ID         `db:"account,null"`
	PersonKind   access.PersonKind `db:"person_kind"`
	Recipients   []domain.ID       `db:"recipients"`
	InvitedAt    time.Time         `db:"invited_at,null"` // the last time an invitation was sent
	SignedInAt   time.Time         `db:"signed_in_at,null"`
	Method       access.Method     `db:"method"` // of the last sign-in
	SeenAt       time.Time         `db:"seen_at,null"`
	RefusedAt    time.Time         `db:"refused_at,null"`
	SecondFactor bool              `db:"second_factor"` // the sign-in is protected by an authenticator app or a passkey
	HasTOTP      bool              `db:"has_totp"`
	Passkeys     int64             `db:"passkeys"`
}

func accessTables() []Table {
	return []Table{
		Define(Spec[accessRow]{
			Name: "access", Categories: []string{"access"}, Primary: true, Access: OfRecipients, Fold: foldAccess,
		}),
		Define(Spec[lastSeenRow]{
			Name: "last_seen", Categories: []string{"access"}, Access: OfRecipients, Keys: lastSeenKeys, Fold: foldLastSeen,
			Indexes: []string{"(firm, seen_at)"},
		}),
	}
}

// recipientsOf lists a contact, whose facts are also for themselves. Those of staff have no account and are for staff.
func recipientsOf(about access.About) []domain.ID {
	if about.PersonKind == access.Contact {
		return []domain.ID{about.Person}
	}
	return nil
}

// foldAccess fills the row with the first fact, whichever it is.
func foldAccess(row *accessRow, f domain.Fact) *accessRow {
	row = known(row)
	if f.Revision == 0 {
		about := f.Event.(access.Event).Whose()
		*row = accessRow{
			ID: f.Of, Firm: f.Meta.Firm, Account: f.Meta.Account, Person: about.Person, PersonKind: about.PersonKind,
			Recipients: recipientsOf(about),
		}
	}
	return row
}

func lastSeenKeys(f domain.Fact) []Key { return []Key{K(f.Event.(access.Event).Whose().Person)} }

func foldLastSeen(row *lastSeenRow, f domain.Fact) *lastSeenRow {
	fact := f.Event.(access.Event)
	if row == nil {
		about := fact.Whose()
		row = &lastSeenRow{
			Person: about.Person, Firm: f.Meta.Firm, Account: f.Meta.Account, PersonKind: about.PersonKind, Recipients: recipientsOf(about),
		}
	}
	switch e := fact.(type) {
	case access.SignInLinkSent:
		if e.Purpose == access.Invitation {
			row.InvitedAt = f.Meta.Time
		}
	case access.SignedIn:
		row.SignedInAt, row.SeenAt, row.Method = f.Meta.Time, f.Meta.Time, e.Method
	case access.Visited:
		row.SeenAt = f.Meta.Time
	case access.SignInFailed:
		row.RefusedAt = f.Meta.Time
	case access.SecondFactorAdded:
		row.HasTOTP = row.HasTOTP || e.Kind == access.TOTP
	case access.SecondFactorRemoved:
		row.HasTOTP = row.HasTOTP && e.Kind != access.TOTP
	case access.PasskeyAdded:
		row.Passkeys++
	case access.PasskeyRemoved:
		row.Passkeys--
	case access.SignedOut, access.ProvedAgain, access.PasswordSet, access.PasswordReset, access.OneTimePasswordSet,
		access.RecoveryCodesMade, access.RecoveryCodeUsed, access.PreviewStarted, access.PreviewEnded, access.AccountChosen:
	}
	row.SecondFactor = row.HasTOTP || row.Passkeys > 0
	return row
}
