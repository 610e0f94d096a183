package auth

import (
	"context"
	"net/http"
	"time"

	"github.com/atrium-portal/atrium/domain"
)

// Tokens keeps the API tokens of programs.
type Tokens interface {
	// Lookup finds the token of a secret; ok is false when it is unknown, expired or revoked.
	Lookup(ctx context.Context, secret string) (token Token, ok bool, err error)
}

// Token stands for one staff member or one contact of a firm.
type Token struct {
	ID      domain.ID
	Firm    domain.ID
	Staff   domain.ID // none for a contact's token
	Contact domain.ID // none for a staff token
	Rights  []string  // Read, Commands, Ops or All
}

// People is the write side as it is now. It answers for things that do not exist with ok or active false.
type People interface {
	// Firm gives the settings of a firm.
	Firm(ctx context.Context, firm domain.ID) (settings Firm, ok bool, err error)
	// Staff gives the role of a staff member of the firm.
	Staff(ctx context.Context, firm, staff domain.ID) (role string, active bool, err error)
	// Contact gives what a contact of the firm may do in the portal, at the account that they have chosen. Who has chosen
	// none, or one that they do not work for, gets their first.
	Contact(ctx context.Context, firm, contact, chosen domain.ID) (ContactAccess, error)
}

// Firm is what readers need of a firm's settings.
type Firm struct {
	Name           string
	Slug           string
	Currency       string
	Zone           *time.Location // says what "today" is; nil means UTC
	NumberFormat   string
	PrimaryColor   string // #rrggbb; empty for ours, like the next
	AccentColor    string
	Logo           domain.File // no id: none
	ShowUnreleased bool        // clients see what is being drafted
	ShowHistory    bool        // clients see what is over, and the history of what they see
}

// Location is the firm's time zone.
func (f Firm) Location() *time.Location {
	if f.Zone == nil {
		return time.UTC
	}
	return f.Zone
}

// ContactAccess is what a contact may do in the portal.
type ContactAccess struct {
	OK          bool      // the contact is of the firm and gets in at all: granted, not frozen, not merged away
	Account     domain.ID // whose things they look at and work on
	Accounts    []Account // all that they work for, their own first
	Role        string
	Permissions []string
	Absorbed    []domain.ID // duplicates of this contact: what was for them is for this one
}

// Account is an account with its name.
type Account struct {
	ID   domain.ID
	Name string
}

// Identity is what a credential says about its holder.
type Identity struct {
	Firm       domain.ID
	Staff      domain.ID // none for a contact
	Contact    domain.ID // none for a staff member
	Account    domain.ID // that a contact has chosen; none: their first
	Strict     bool      // the contact must work for Account: there is nothing to see for them otherwise
	Rights     []string
	Credential string // id of the token or session
	Session    string // id of the session; empty for tokens
	Proved     time.Time
	Method     string   // of the sign-in; empty for tokens
	Preview    *Preview // of Contact's pages, by staff; nil otherwise
}

// Identify reads one kind of credential. ok is false when the request does not carry it, or when it is not valid.
type Identify func(r *http.Request) (who Identity, ok bool, err error)

// Problem writes an error as a problem document: readapi.Problem.
type Problem func(http.ResponseWriter, *http.Request, error)
