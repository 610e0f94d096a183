package door

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"fmt"
	"math/big"
	"strings"
	"time"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/access"
)

// How long links last.
const (
	LinkLasts       = 10 * time.Minute
	InvitationLasts = 72 * time.Hour
)

// Ask asks for a sign-in link, or for a link to set a new password. The answer is the same for every address. firm is
// none at the sign-in page of an installation with several firms.
func (k *Keeper) Ask(ctx context.Context, firm domain.ID, email string, reset bool, next string, v Visit) error {
	email = strings.TrimSpace(email)
	var c domain.Checks
	c.Email(email, "email")
	if err := c.Err(); err != nil {
		return err
	}
	if ok, err := k.slow(ctx, "ask from", network(v.IP), asksPerNetwork, askWindow); err != nil || !ok {
		return orTooOften(err)
	}
	// Whoever asks again and again is told nothing: the mails that were sent are still on their way.
	if ok, err := k.slow(ctx, "ask for", domain.FoldEmail(email), linksPerAddress, askWindow); err != nil || !ok {
		return err
	}
	err := k.Store.Ask(ctx, Request{
		ID: domain.NewID(), Firm: firm, Email: email, Reset: reset, Browser: hashOf(v.Browser), Next: OwnPath(next, ""), At: k.Now(),
	})
	if err == nil {
		select {
		case k.wake <- struct{}{}:
		default:
		}
	}
	return err
}

func orTooOften(err error) error {
	if err == nil {
		return errTooOften
	}
	return err
}

// Work looks at requests until none is left: whoever is known gets a link. Run does it all the time.
func (k *Keeper) Work(ctx context.Context) error {
	for {
		none, err := k.Store.Answer(ctx, k.answer)
		if err != nil || none {
			return err
		}
	}
}

// answer gives the links that a request leads to: one for each firm where the address is known.
func (k *Keeper) answer(ctx context.Context, r Request) ([]Issue, error) {
	if k.Now().Sub(r.At) > LinkLasts {
		return nil, nil // nobody waits for it any more
	}
	firms, err := k.firmsOf(ctx, r.Firm)
	if err != nil {
		return nil, err
	}
	var issues []Issue
	for _, firm := range firms {
		p, ok, err := k.People.ByEmail(ctx, firm.ID, r.Email)
		switch {
		case err != nil:
			return nil, err
		case !ok:
			continue
		case !p.MayIn:
			k.refuse(ctx, p, access.NoAccess, Visit{})
			continue
		}
		link := Link{Who: p.Who, Purpose: access.Link, Browser: r.Browser, Next: r.Next, Expires: k.Now().Add(LinkLasts)}
		if r.Reset {
			link.Purpose, link.NewPassword = access.Reset, true
		}
		issue, _, err := k.issue(ctx, firm, p, link, true)
		if err != nil {
			return nil, err
		}
		issues = append(issues, issue)
		k.note(ctx, access.SignInLinkSent{About: about(p.Who), Purpose: link.Purpose}, meta(p, portal, domain.NoID, Visit{}))
	}
	return issues, nil
}

func (k *Keeper) firmsOf(ctx context.Context, id domain.ID) ([]Firm, error) {
	if id == domain.NoID {
		return k.People.Firms(ctx)
	}
	firm, ok, err := k.People.Firm(ctx, id)
	if err != nil || !ok {
		return nil, err
	}
	return []Firm{firm}, nil
}

// issue completes a link with its token and code, and the mail that carries both.
func (k *Keeper) issue(_ context.Context, firm Firm, p Person, link Link, mailed bool) (i Issue, address string, err error) {
	token, code := NewSecret(), newCode()
	link.ID, link.Created, link.Hash = domain.NewID(), k.Now(), hashOf(token)
	link.Code = k.codeHash(link.ID, code)
	i = Issue{Link: link}
	address = k.address("/login/link#" + token)
	if mailed {
		mail, err := k.mailOfLink(firm, p, link, address, code)
		if err != nil {
			return i, "", err
		}
		i.Mail = &mail
	}
	return i, address, nil
}

// newCode makes a code of 8 digits.
func newCode() string {
	n, _ := rand.Int(rand.Reader, big.NewInt(100_000_000)) // it never fails: see crypto/rand
	return fmt.Sprintf("%08d", n)
}

// codeHash is what is kept of a link's code.
func (k *Keeper) codeHash(link domain.ID, code string) []byte {
	return k.keyed("code", link.String(), code)
}

// digits leaves the digits of what somebody typed: codes are written with a gap.
func digits(typed string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, typed)
}

// Invite mails a contact or a member of staff a link that works for 72 hours, once. With newPassword its first use leads
// to the page where they choose a password.
func (k *Keeper) Invite(ctx context.Context, by domain.Actor, who Who, newPassword bool, v Visit) error {
	return k.send(ctx, by, who, Link{Purpose: access.Invitation, NewPassword: newPassword}, v)
}

// ResetPassword makes a person's password void, ends their sessions and mails them a link to set a new one.
func (k *Keeper) ResetPassword(ctx context.Context, by domain.Actor, who Who, v Visit) error {
	p, err := k.person(ctx, who)
	if err != nil {
		return k.cannotBeInvited(err)
	}
	if err := k.record(ctx, access.PasswordReset{About: about(who)}, meta(p, by, domain.NoID, v)); err != nil {
		return err
	}
	if _, err := k.Store.DropPassword(ctx, who, ""); err != nil {
		return err
	}
	if err := k.endOthers(ctx, p, by, domain.NoID, access.ByRenewal, v); err != nil {
		return err
	}
	return k.send(ctx, by, who, Link{Purpose: access.Reset, NewPassword: true}, v)
}

// send mails a link that the firm sends of its own accord.
func (k *Keeper) send(ctx context.Context, by domain.Actor, who Who, link Link, v Visit) error {
	p, err := k.person(ctx, who)
	if err != nil {
		return k.cannotBeInvited(err)
	}
	firm, _, err := k.People.Firm(ctx, who.Firm)
	if err != nil {
		return err
	}
	link.Who, link.Expires = who, k.Now().Add(InvitationLasts)
	issue, _, err := k.issue(ctx, firm, p, link, true)
	if err != nil {
		return err
	}
	if err := k.record(ctx, access.SignInLinkSent{About: about(who), Purpose: link.Purpose}, meta(p, by, domain.NoID, v)); err != nil {
		return err
	}
	return k.Store.Issue(ctx, issue)
}

// cannotBeInvited says to the firm what errNoAccess says to the person.
func (k *Keeper) cannotBeInvited(err error) error {
	if err == errNoAccess { //nolint:errorlint // the very value is meant
		return domain.Refuse("person-has-no-access", "This person has no portal access, or it is frozen. Grant it first.")
	}
	return err
}

// DirectLink makes a link for an operator to hand over, and gives its address. It works once, for as long as lasts.
func (k *Keeper) DirectLink(ctx context.Context, by domain.Actor, who Who, lasts time.Duration) (address string, err error) {
	p, err := k.person(ctx, who)
	if err != nil {
		return "", k.cannotBeInvited(err)
	}
	firm, _, err := k.People.Firm(ctx, who.Firm)
	if err != nil {
		return "", err
	}
	link := Link{Who: who, Purpose: access.Direct, Expires: k.Now().Add(min(lasts, InvitationLasts))}
	issue, address, err := k.issue(ctx, firm, p, link, false)
	if err != nil {
		return "", err
	}
	if err := k.record(ctx, access.SignInLinkSent{About: about(who), Purpose: access.Direct}, meta(p, by, domain.NoID, Visit{})); err != nil {
		return "", err
	}
	return address, k.Store.Issue(ctx, issue)
}

// codeTries is how often the code of a link may be typed.
const codeTries = 5

var (
	errLinkUnknown = &domain.Fault{Kind: domain.NotFound, Code: "link-unknown", Message: "This link is not complete, or not one of ours. Ask for a new one."}
	errLinkUsed    = domain.Refuse("link-used", "This link was already used. Ask for a new one.")
	errLinkExpired = domain.Refuse("link-expired", "This link is too old. Ask for a new one.")
	errCodeWrong   = &domain.Fault{Kind: domain.Invalid, Code: "code-wrong", Field: "code", Message: "This is not the code of your latest mail. Look again, or ask for a new mail."}
	errCodeSpent   = domain.Refuse("code-spent", "The code was typed wrong too often. Ask for a new mail.")
)

// Whose tells whom a link lets in, for the page that asks whether to go on. It changes nothing. elsewhere is true when
// another browser asked for it, so that its code is needed.
func (k *Keeper) Whose(ctx context.Context, token string, v Visit) (p Person, elsewhere bool, err error) {
	link, ok, err := k.Store.Link(ctx, hashOf(token))
	if err != nil {
		return Person{}, false, err
	}
	if !ok {
		return Person{}, false, errLinkUnknown
	}
	if err := link.usable(k.Now()); err != nil {
		return Person{}, false, err
	}
	p, err = k.person(ctx, link.Who)
	return p, link.elsewhere(v), err
}

func (l Link) usable(now time.Time) error {
	switch {
	case !l.Used.IsZero():
		return errLinkUsed
	case !now.Before(l.Expires):
		return errLinkExpired
	}
	return nil
}

// elsewhere reports whether another browser asked for the link.
func (l Link) elsewhere(v Visit) bool {
	return l.Browser != nil && subtle.ConstantTimeCompare(l.Browser, hashOf(v.Browser)) == 0
}

// Follow uses a link. In a browser that did not ask for it nothing happens, but that needCode is true: somebody else may
// have brought it there.
func (k *Keeper) Follow(ctx context.Context, token string, v Visit) (in Entry, needCode bool, err error) {
	link, ok, err := k.Store.Link(ctx, hashOf(token))
	if err != nil {
		return Entry{}, false, err
	}
	if !ok {
		return Entry{}, false, errLinkUnknown
	}
	if link.usable(k.Now()) == nil && link.elsewhere(v) {
		return Entry{}, true, nil
	}
	in, err = k.use(ctx, link, access.ByLink, v)
	return in, false, err
}

// FollowCode uses a link by the code of its mail. The link is the one of the token, else the newest that this browser
// asked for, else the newest of the person with the address.
func (k *Keeper) FollowCode(ctx context.Context, token string, firm domain.ID, email, code string, v Visit) (Entry, error) {
	if ok, err := k.slow(ctx, "code from", network(v.IP), codesPerNetwork, tryWindow); err != nil || !ok {
		return Entry{}, orTooOften(err)
	}
	link, ok, err := k.linkFor(ctx, token, firm, email, v)
	if err != nil {
		return Entry{}, err
	}
	if !ok || link.Purpose == proofPurpose {
		return Entry{}, errCodeWrong
	}
	if err := k.tryCode(ctx, link, code, v); err != nil {
		return Entry{}, err
	}
	return k.use(ctx, link, access.ByCode, v)
}

func (k *Keeper) linkFor(ctx context.Context, token string, firm domain.ID, email string, v Visit) (Link, bool, error) {
	switch {
	case token != "":
		return k.Store.Link(ctx, hashOf(token))
	case email == "":
		return k.Store.LinkOfBrowser(ctx, hashOf(v.Browser), k.Now())
	}
	firms, err := k.firmsOf(ctx, firm)
	if err != nil {
		return Link{}, false, err
	}
	for _, f := range firms {
		p, ok, err := k.People.ByEmail(ctx, f.ID, email)
		if err != nil {
			return Link{}, false, err
		}
		if !ok {
			continue
		}
		if link, ok, err := k.Store.LinkOf(ctx, p.Who, k.Now()); err != nil || ok {
			return link, ok, err
		}
	}
	return Link{}, false, nil
}

// tryCode compares the code of a link with what was typed.
func (k *Keeper) tryCode(ctx context.Context, link Link, code string, v Visit) error {
	if err := link.usable(k.Now()); err != nil {
		return err
	}
	ok, err := k.Store.Try(ctx, link.ID, codeTries, k.Now())
	if err != nil {
		return err
	}
	if !ok {
		return errCodeSpent
	}
	if subtle.ConstantTimeCompare(link.Code, k.codeHash(link.ID, digits(code))) == 1 {
		return nil
	}
	if p, known, err := k.People.Person(ctx, link.Who); err == nil && known {
		k.refuse(ctx, p, access.WrongCode, v)
	}
	return errCodeWrong
}

// use uses a link up and lets its person in.
func (k *Keeper) use(ctx context.Context, link Link, method access.Method, v Visit) (Entry, error) {
	p, ok, err := k.People.Person(ctx, link.Who)
	if err != nil {
		return Entry{}, err
	}
	fail := func(why access.Reason, fault error) (Entry, error) {
		if ok {
			k.refuse(ctx, p, why, v)
		}
		return Entry{}, fault
	}
	switch err := link.usable(k.Now()); {
	case err == errLinkUsed: //nolint:errorlint // the very value is meant
		return fail(access.UsedLink, err)
	case err != nil:
		return fail(access.ExpiredLink, err)
	case !ok || !p.MayIn:
		return fail(access.NoAccess, errNoAccess)
	}
	used, err := k.Store.Use(ctx, link.ID, k.Now())
	if err != nil {
		return Entry{}, err
	}
	if !used { // somebody was faster
		return fail(access.UsedLink, errLinkUsed)
	}
	in, err := k.enter(ctx, p, method, link.NewPassword, v)
	in.Next = link.Next
	return in, err
}
