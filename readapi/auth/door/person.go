package door

import (
	"context"
	"time"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/access"
)

// Who is one person at one firm.
type Who struct {
	Firm domain.ID
	Kind access.PersonKind
	ID   domain.ID
}

// actor is the person as the doer of something.
func (w Who) actor() domain.Actor {
	if w.Kind == access.Staff {
		return domain.Actor{Kind: domain.Staff, ID: w.ID}
	}
	return domain.Actor{Kind: domain.Client, ID: w.ID}
}

// Person is somebody who may sign in, as the write side knows them now.
type Person struct {
	Who
	Account domain.ID // of a contact: their own; none for staff
	Name    string
	Email   string
	MayIn   bool // a contact with access that is not frozen, an active member of staff

	Accounts []domain.ID // at which a contact gets in, their own first
}

// Firm is a firm as the door needs it.
type Firm struct {
	ID           domain.ID
	Name         string
	Slug         string
	SecondFactor bool // clients need a second factor

	ClientIdle time.Duration // how long the sessions of its clients last without use; 0: as long as they can

	PrimaryColor, AccentColor string // #rrggbb; empty for ours
	LogoURL                   string // its address on this portal; empty: there is none
}

// People is the write side as it is now.
type People interface {
	// ByEmail finds whoever signs in at a firm with an address; ok is false when nobody does.
	ByEmail(ctx context.Context, firm domain.ID, email string) (p Person, ok bool, err error)
	// Person gives one person; ok is false when there is none.
	Person(ctx context.Context, who Who) (p Person, ok bool, err error)
	// Firm gives one firm; ok is false when there is none.
	Firm(ctx context.Context, id domain.ID) (f Firm, ok bool, err error)
	// Firms lists the firms of this installation, as they were a moment ago.
	Firms(ctx context.Context) ([]Firm, error)
}

// Journal stores facts of access; commands.Loop is one. It returns the position of the fact.
type Journal interface {
	RecordAccess(ctx context.Context, fact access.Event, m domain.Meta) (domain.Position, error)
}

// Visit is a request as the door sees it.
type Visit struct {
	IP        string
	UserAgent string
	Request   string // its id
	// Browser is the secret of a cookie that every browser gets at the sign-in page. It says nothing about who uses it.
	Browser string
}

// Staff reports whether it is a member of staff.
func (w Who) Staff() bool { return w.Kind == access.Staff }

// Contact is a contact of a firm.
func Contact(firm, id domain.ID) Who { return Who{Firm: firm, Kind: access.Contact, ID: id} }

// Member is a member of a firm's staff.
func Member(firm, id domain.ID) Who { return Who{Firm: firm, Kind: access.Staff, ID: id} }
