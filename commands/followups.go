package commands

import (
	"context"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/account"
	"github.com/atrium-portal/atrium/domain/contact"
	"github.com/atrium-portal/atrium/domain/firm"
	"github.com/atrium-portal/atrium/domain/login"
)

// addFirstContact gives an account the contact it was opened with.
func addFirstContact(_ context.Context, _ *Loop, e account.Opened, f domain.Fact) ([]FollowUp, error) {
	return []FollowUp{{
		Name:    "AddContact",
		Command: contact.Add{Account: f.Of, Name: e.Person.Name, Email: e.Person.Email, Phone: e.Person.Phone, Primary: true}, Target: e.Contact,
	}}, nil
}

// noteJoined puts it into an account's history that a contact of another one works for it too.
func noteJoined(ctx context.Context, l *Loop, e contact.Linked, f domain.Fact) ([]FollowUp, error) {
	state, _, err := State(ctx, l, contact.Aggregate, f.Of)
	return []FollowUp{{
		Name: "NoteJoined", Command: account.NoteJoined{Account: e.Account, Contact: f.Of, Name: state.Details.Name, Role: string(e.Role)},
	}}, err
}

// noteLeft does the same when that ends.
func noteLeft(ctx context.Context, l *Loop, e contact.Unlinked, f domain.Fact) ([]FollowUp, error) {
	state, _, err := State(ctx, l, contact.Aggregate, f.Of)
	return []FollowUp{{Name: "NoteLeft", Command: account.NoteLeft{Account: e.Account, Contact: f.Of, Name: state.Details.Name}}}, err
}

// retireDuplicate ends a contact that another one absorbed.
func retireDuplicate(_ context.Context, _ *Loop, e contact.Absorbed, f domain.Fact) ([]FollowUp, error) {
	return []FollowUp{{Name: "RetireContact", Command: contact.Retire{Contact: e.Duplicate, Into: f.Of}}}, nil
}

// releaseChangedLogin frees the address a contact does not use any more.
func releaseChangedLogin(_ context.Context, l *Loop, e contact.DetailsChanged, f domain.Fact) ([]FollowUp, error) {
	return l.release(f, e.EmailBefore, f.Of), nil
}

// releaseMergedLogin frees the address of a contact that ended in another one.
func releaseMergedLogin(ctx context.Context, l *Loop, _ contact.Merged, f domain.Fact) ([]FollowUp, error) {
	state, _, err := State(ctx, l, contact.Aggregate, f.Of)
	return l.release(f, state.Details.Email, f.Of), err
}

// releaseStaffLogin frees the address of a staff member who was deactivated.
func releaseStaffLogin(ctx context.Context, l *Loop, e firm.StaffDeactivated, f domain.Fact) ([]FollowUp, error) {
	state, _, err := State(ctx, l, firm.Aggregate, f.Of)
	return l.release(f, state.Staff[e.Staff].Email, e.Staff), err
}

func (l *Loop) release(f domain.Fact, email domain.Personal, holder domain.ID) []FollowUp {
	if email.Reveal() == "" {
		return nil
	}
	return []FollowUp{{Name: "ReleaseLogin", Command: login.Release{Login: login.Address(l.LoginKey, f.Meta.Firm, email.Reveal()), Holder: holder}}}
}
