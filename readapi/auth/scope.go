package auth

import (
	"context"
	"slices"
	"time"

	"github.com/atrium-portal/atrium/domain"
)

// Scope is who makes a request and what they may see. It is read-only.
type Scope struct {
	Firm  domain.ID
	Actor domain.Actor
	// Role of a staff member (administrator, manager, member) or of a contact at its client (owner, accounts, …).
	Role string
	// Account of a contact; none for staff, who see all accounts of their firm. A contact who works for several looks at
	// one at a time.
	Account domain.ID
	// Accounts are all that a contact works for, their own first.
	Accounts []Account
	// Absorbed are the duplicates that were merged into a contact; what was for them is for this one.
	Absorbed []domain.ID
	// Permissions of a contact, such as view_invoices; staff have none and need none.
	Permissions []string
	// Unreleased says that things not released yet are shown: always to staff, to contacts when the firm wants it.
	Unreleased bool
	// ShowHistory says that what is over and how it came about is shown: always to staff, to contacts when the firm
	// wants it.
	ShowHistory bool
	// Settings of the firm, for dates and for display.
	Settings Firm
	// Rights of the credential: what it may be used for.
	Rights []string

	Credential string // id of the token or session, for limits and for the record
	Session    string // id of the session; empty for tokens
	IP         string
	UserAgent  string

	// Proved is when whoever it is last showed who they are; zero for tokens. See Fresh.
	Proved time.Time
	Method string // of the sign-in: link, password, passkey …; empty for tokens
	// Preview says that a member of staff looks at the portal as this contact sees it; nil otherwise.
	Preview *Preview

	check func(context.Context) error
}

// Check looks again whether the credential still lets its holder in as it did; an error says that it does not, or
// that we cannot tell. Answers that stay open for long ask now and then.
func (s *Scope) Check(ctx context.Context) error { return s.check(ctx) }

// Rights that a credential may have. A session has all of them.
const (
	Read     = "read"     // look at whatever its person may see
	Commands = "commands" // give the commands its person may give
	Ops      = "ops"      // operate the installation; of use to administrators only
	All      = "all"      // everything
)

// Rights lists every right, for the tools that make tokens.
func Rights() []string { return []string{Read, Commands, Ops, All} }

// Staff reports whether the scope is a staff member's.
func (s *Scope) Staff() bool { return s.Actor.Kind == domain.Staff }

// May reports whether the credential has a right.
func (s *Scope) May(right string) bool {
	return slices.Contains(s.Rights, right) || slices.Contains(s.Rights, All)
}

// Permits reports whether whoever it is may see what needs a permission; staff may.
func (s *Scope) Permits(permission string) bool {
	return s.Staff() || slices.Contains(s.Permissions, permission)
}

// Today is the date of an instant where the firm is.
func (s *Scope) Today(now time.Time) domain.Date { return domain.DateOf(now, s.Settings.Location()) }

type scopeKey struct{}

// In puts the scope into a context.
func In(ctx context.Context, s *Scope) context.Context { return context.WithValue(ctx, scopeKey{}, s) }

// From takes the scope out of a context; nil when nobody is signed in.
func From(ctx context.Context) *Scope {
	s, _ := ctx.Value(scopeKey{}).(*Scope)
	return s
}
