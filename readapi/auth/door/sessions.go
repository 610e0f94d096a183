package door

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/access"
	"github.com/atrium-portal/atrium/readapi/auth"
)

// How long sessions last: without use, and whatever happens. A firm can shorten ClientIdle. One that lacks something does not wait for long.
const (
	ClientIdle    = 30 * 24 * time.Hour
	ClientLasts   = 90 * 24 * time.Hour
	StaffIdle     = 12 * time.Hour
	StaffLasts    = 7 * 24 * time.Hour
	PendingLasts  = 15 * time.Minute
	visitAfter    = time.Hour
	PreviewsLasts = time.Hour
)

// Entry is what came of showing who one is: a session, with the secret for its cookie.
type Entry struct {
	Session Session
	Person  Person
	Secret  string
	Next    string // where the person wanted to go; empty: nowhere in particular
}

// enter begins a session for a person who showed who they are by one method.
func (k *Keeper) enter(ctx context.Context, p Person, method access.Method, newPassword bool, v Visit) (Entry, error) {
	now := k.Now()
	s := Session{
		ID: domain.NewID(), Who: p.Who, Method: method, Second: access.NoSecond, NewPassword: newPassword,
		Created: now, Seen: now, Idle: PendingLasts, Ends: now.Add(PendingLasts), Proved: now, IP: v.IP, Agent: v.UserAgent,
	}
	if method == access.ByPasskey { // the authenticator has asked for a finger or a PIN: two factors in one
		s.Second = access.Passkey
	}
	return k.advance(ctx, p, s, v, func(s Session, hash []byte) error { return k.Store.Begin(ctx, s, hash) })
}

// advance moves a session as far as it may go and gives it a new secret. keep stores it.
func (k *Keeper) advance(ctx context.Context, p Person, s Session, v Visit, keep func(Session, []byte) error) (Entry, error) {
	stage, err := k.lacks(ctx, s)
	if err != nil {
		return Entry{}, err
	}
	opened := stage == Open && s.Stage != Open
	s.Stage = stage
	if opened {
		now := k.Now()
		s.Seen, s.Proved = now, now
		s.Idle, s.Ends = StaffIdle, now.Add(StaffLasts)
		if p.Kind == access.Contact {
			s.Ends = now.Add(ClientLasts)
			if s.Idle, err = k.clientIdle(ctx, s.Who); err != nil {
				return Entry{}, err
			}
		}
	}
	s.Expires = s.Seen.Add(s.Idle)
	if opened { // first the fact: nobody gets in who is not on record
		fact := access.SignedIn{About: about(p.Who), Session: s.ID, Method: s.Method, Second: s.Second}
		if err := k.record(ctx, fact, meta(p, p.actor(), s.ID, v)); err != nil {
			return Entry{}, err
		}
	}
	secret := NewSecret()
	return Entry{Session: s, Person: p, Secret: secret}, keep(s, hashOf(secret))
}

// change is advance for a session that there is.
func (k *Keeper) change(ctx context.Context, p Person, s Session, v Visit) (Entry, error) {
	return k.advance(ctx, p, s, v, func(s Session, hash []byte) error {
		ok, err := k.Store.Change(ctx, s, hash)
		if err == nil && !ok {
			err = errSessionOver
		}
		return err
	})
}

var errSessionOver = &domain.Fault{Kind: domain.Unauthenticated, Code: "session-over", Message: "Your sign-in took too long. Please begin again."}

// lacks says what a session still needs.
func (k *Keeper) lacks(ctx context.Context, s Session) (Stage, error) {
	has, err := k.FactorsOf(ctx, s.Who)
	if err != nil {
		return "", err
	}
	if s.Second == access.NoSecond && has.Any() && s.Stage != Open {
		return SecondFactor, nil
	}
	if s.NewPassword {
		return NewPassword, nil
	}
	if !has.Any() {
		required, err := k.secondRequired(ctx, s.Who)
		if err != nil || required {
			return Enrol, err
		}
	}
	return Open, nil
}

// secondRequired tells whether a person needs a second factor.
func (k *Keeper) secondRequired(ctx context.Context, w Who) (bool, error) {
	if w.Kind == access.Staff {
		return k.StaffSecondFactor, nil
	}
	firm, _, err := k.People.Firm(ctx, w.Firm)
	return firm.SecondFactor, err
}

// Lookup implements auth.Sessions.
func (k *Keeper) Lookup(ctx context.Context, secret string, use auth.Use) (auth.Identity, bool, error) {
	now := k.Now()
	s, noted, ok, err := k.lookedUp(ctx, secret, use, now)
	if err != nil || !ok || s.Stage != Open {
		return auth.Identity{}, false, err
	}
	id := auth.Identity{
		Firm: s.Who.Firm, Rights: []string{auth.All}, Credential: s.ID.String(), Session: s.ID.String(), Proved: s.Proved, Method: string(s.Method),
	}
	switch {
	case s.Who.Kind == access.Contact:
		id.Contact, id.Account = s.Who.ID, s.Account
	case s.Preview != domain.NoID && now.Before(s.PreviewEnds):
		id.Contact, id.Rights = s.Preview, []string{auth.Read}
		id.Preview = &auth.Preview{Staff: s.Who.ID, Ends: s.PreviewEnds}
	default:
		id.Staff = s.Who.ID
	}
	if noted && now.Sub(s.Seen) >= visitAfter {
		k.visited(ctx, s, Visit{IP: use.IP, UserAgent: use.UserAgent})
	}
	return id, true, nil
}

// lookedUp finds a session and notes its use; noted is false for a quiet use. Where the firm lets its clients' sessions
// last less long than when this one began, it ends by what the firm says now.
func (k *Keeper) lookedUp(ctx context.Context, secret string, use auth.Use, now time.Time) (s Session, noted, ok bool, err error) {
	if use.Quiet {
		s, ok, err = k.Store.Peek(ctx, hashOf(secret), now)
		return s, false, ok, err
	}
	s, noted, ok, err = k.Store.Session(ctx, hashOf(secret), use.IP, use.UserAgent, now)
	if err != nil || !ok || !noted || s.Who.Kind != access.Contact {
		return s, noted, ok, err
	}
	idle, err := k.clientIdle(ctx, s.Who)
	if err != nil || now.Before(s.Seen.Add(idle)) {
		return s, noted, err == nil, err
	}
	if _, _, err = k.Store.End(ctx, s.Who, s.ID); err == nil {
		err = k.ended(ctx, s.Who, portal, access.ByExpiry, Visit{}, s)
	}
	return Session{}, false, false, err
}

// clientIdle is how long a session of a firm's client lasts without use.
func (k *Keeper) clientIdle(ctx context.Context, w Who) (time.Duration, error) {
	firm, _, err := k.People.Firm(ctx, w.Firm)
	if err != nil || firm.ClientIdle == 0 {
		return ClientIdle, err
	}
	return firm.ClientIdle, nil
}

// ChooseAccount has the session of a cookie's secret look at another account of its person from now on. An account that
// they do not work for is one that does not exist.
func (k *Keeper) ChooseAccount(ctx context.Context, secret string, account domain.ID, v Visit) error {
	s, p, err := k.stage(ctx, secret, v, Open)
	if err != nil {
		return err
	}
	if !slices.Contains(p.Accounts, account) {
		return domain.Missing("account")
	}
	from := s.Account
	if !slices.Contains(p.Accounts, from) {
		from = p.Accounts[0]
	}
	if from == account {
		return nil
	}
	fact := access.AccountChosen{About: about(p.Who), Session: s.ID, From: from, To: account}
	if err := k.record(ctx, fact, meta(p, p.actor(), s.ID, v)); err != nil {
		return err
	}
	return k.Store.Choose(ctx, s.ID, account)
}

// visited notes that somebody came back, if the write side still lets them in.
func (k *Keeper) visited(ctx context.Context, s Session, v Visit) {
	p, err := k.person(ctx, s.Who)
	if err != nil {
		return // the request is about to be refused, or to fail, for the same reason
	}
	k.note(ctx, access.Visited{About: about(p.Who), Session: s.ID}, meta(p, p.actor(), s.ID, v))
}

// Session gives the session of a cookie's secret with its person, in whatever stage it is.
func (k *Keeper) Session(ctx context.Context, secret string, v Visit) (Session, Person, error) {
	if secret == "" {
		return Session{}, Person{}, errSessionOver
	}
	s, _, ok, err := k.Store.Session(ctx, hashOf(secret), v.IP, v.UserAgent, k.Now())
	if err != nil {
		return Session{}, Person{}, err
	}
	if !ok {
		return Session{}, Person{}, errSessionOver
	}
	p, err := k.person(ctx, s.Who)
	return s, p, err
}

// stage gives the session of a cookie's secret when it is in one of some stages.
func (k *Keeper) stage(ctx context.Context, secret string, v Visit, stages ...Stage) (Session, Person, error) {
	s, p, err := k.Session(ctx, secret, v)
	if err != nil {
		return s, p, err
	}
	for _, stage := range stages {
		if s.Stage == stage {
			return s, p, nil
		}
	}
	return s, p, errOtherStage
}

var errOtherStage = domain.Refuse("other-step", "This step is not due now. Please go on from the page where you are.")

// SignOut ends the session of a cookie's secret. One that is over already is no error.
func (k *Keeper) SignOut(ctx context.Context, secret string, v Visit) error {
	if secret == "" {
		return nil
	}
	s, _, ok, err := k.Store.Session(ctx, hashOf(secret), v.IP, v.UserAgent, k.Now())
	if err != nil || !ok {
		return err
	}
	if _, _, err := k.Store.End(ctx, s.Who, s.ID); err != nil {
		return err
	}
	return k.ended(ctx, s.Who, Person{Who: s.Who}.actor(), access.BySelf, v, s)
}

// Sessions lists the devices on which a person is signed in, the last used first.
func (k *Keeper) Sessions(ctx context.Context, who Who) ([]Session, error) {
	return k.Store.Sessions(ctx, who, k.Now())
}

// EndSession ends one session of a person, for themselves or for the firm.
func (k *Keeper) EndSession(ctx context.Context, by domain.Actor, who Who, id domain.ID, v Visit) error {
	s, ok, err := k.Store.End(ctx, who, id)
	if err != nil {
		return err
	}
	if !ok {
		return domain.Missing("session")
	}
	return k.ended(ctx, who, by, endingBy(by, who), v, s)
}

// EndSessions ends all sessions of a person but one (none: all).
func (k *Keeper) EndSessions(ctx context.Context, by domain.Actor, who Who, but domain.ID, v Visit) error {
	p, ok, err := k.People.Person(ctx, who)
	if err != nil {
		return err
	}
	if !ok {
		return domain.Missing("person")
	}
	return k.endOthers(ctx, p, by, but, endingBy(by, who), v)
}

func endingBy(by domain.Actor, who Who) access.Ending {
	if by == who.actor() {
		return access.ByDevice
	}
	return access.ByStaff
}

func (k *Keeper) endOthers(ctx context.Context, p Person, by domain.Actor, but domain.ID, how access.Ending, v Visit) error {
	ended, err := k.Store.EndOthers(ctx, p.Who, but)
	if err != nil {
		return err
	}
	return k.ended(ctx, p.Who, by, how, v, ended...)
}

// ended notes the end of sessions that were open, and of the looks at clients' pages that went with them.
func (k *Keeper) ended(ctx context.Context, who Who, by domain.Actor, how access.Ending, v Visit, sessions ...Session) error {
	var p Person
	for _, s := range sessions {
		if s.Stage != Open {
			continue
		}
		if p.ID == domain.NoID {
			var ok bool
			var err error
			if p, ok, err = k.People.Person(ctx, who); err != nil || !ok {
				return err
			}
		}
		k.note(ctx, access.SignedOut{About: about(who), Session: s.ID, How: how}, meta(p, by, s.ID, v))
		if s.Preview != domain.NoID {
			k.previewEnded(ctx, s, v)
		}
	}
	return nil
}

// StartPreview lets a member of staff look at the portal as a contact sees it, for an hour.
func (k *Keeper) StartPreview(ctx context.Context, secret string, contact domain.ID, reason string, v Visit) error {
	s, staff, err := k.stage(ctx, secret, v, Open)
	if err != nil {
		return err
	}
	if staff.Kind != access.Staff {
		return domain.Missing("page")
	}
	var c domain.Checks
	c.Text(reason, "reason", 500)
	if err := c.Err(); err != nil {
		return err
	}
	who := Who{Firm: s.Who.Firm, Kind: access.Contact, ID: contact}
	p, ok, err := k.People.Person(ctx, who)
	switch {
	case err != nil:
		return err
	case !ok:
		return domain.Missing("contact")
	case !p.MayIn:
		return domain.Refuse("person-has-no-access", "This contact has no portal access, or it is frozen: there is nothing to look at.")
	}
	if s.Preview != domain.NoID {
		k.previewEnded(ctx, s, v)
	}
	fact := access.PreviewStarted{About: about(who), Contact: contact, Reason: domain.P(reason)}
	if err := k.record(ctx, fact, meta(p, staff.actor(), s.ID, v)); err != nil {
		return err
	}
	return k.Store.Preview(ctx, s.ID, contact, k.Now().Add(PreviewsLasts))
}

// EndPreview ends the look at a contact's pages.
func (k *Keeper) EndPreview(ctx context.Context, secret string, v Visit) error {
	s, _, err := k.stage(ctx, secret, v, Open)
	if err != nil || s.Preview == domain.NoID {
		return err
	}
	if err := k.Store.Preview(ctx, s.ID, domain.NoID, time.Time{}); err != nil {
		return err
	}
	k.previewEnded(ctx, s, v)
	return nil
}

func (k *Keeper) previewEnded(ctx context.Context, s Session, v Visit) {
	who := Who{Firm: s.Who.Firm, Kind: access.Contact, ID: s.Preview}
	p, ok, err := k.People.Person(ctx, who)
	if err != nil || !ok {
		k.Logger.Error("end of a preview not recorded", "session", s.ID, "error", err)
		return
	}
	k.note(ctx, access.PreviewEnded{About: about(who)}, meta(p, s.Who.actor(), s.ID, v))
}

// Tidy ends sessions whose time is over and forgets what is of no use any more.
func (k *Keeper) Tidy(ctx context.Context) error {
	now := k.Now()
	for more := true; more; {
		var over []Session
		var err error
		if over, more, err = k.Store.EndExpired(ctx, now); err != nil {
			return err
		}
		for _, s := range over {
			if err := k.ended(ctx, s.Who, portal, access.ByExpiry, Visit{}, s); err != nil {
				return err
			}
		}
	}
	return k.Store.Forget(ctx, now.Add(-7*24*time.Hour))
}

// Run looks at requests for links as they come and tidies up now and then, until ctx ends.
func (k *Keeper) Run(ctx context.Context, every time.Duration) error {
	tick := time.NewTicker(every)
	defer tick.Stop()
	defer k.Settle()
	var tidied time.Time
	for {
		err := k.Work(ctx)
		if err == nil && k.Now().Sub(tidied) >= time.Minute {
			tidied = k.Now()
			err = k.Tidy(ctx)
		}
		if err != nil && ctx.Err() == nil && !errors.Is(err, context.Canceled) {
			k.Logger.Error("the door's own work failed and will be tried again", "error", err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-k.wake:
		case <-tick.C:
		}
	}
}
