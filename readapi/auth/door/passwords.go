package door

import (
	"context"
	_ "embed"
	"strings"
	"unicode/utf8"

	"github.com/alexedwards/argon2id"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/access"
)

// argon are the parameters of new hashes: 19 MiB, two passes.
var argon = &argon2id.Params{Memory: 19 * 1024, Iterations: 2, Parallelism: 1, SaltLength: 16, KeyLength: 32}

// hashing waits for a place: as many hashes at a time as memory was set aside for.
func (k *Keeper) hashing(ctx context.Context) (done func(), err error) {
	select {
	case k.hashers <- struct{}{}:
		return func() { <-k.hashers }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (k *Keeper) hashPassword(ctx context.Context, password string) (string, error) {
	done, err := k.hashing(ctx)
	if err != nil {
		return "", err
	}
	defer done()
	return argon2id.CreateHash(password, argon)
}

func (k *Keeper) matches(ctx context.Context, password, phc string) (bool, error) {
	done, err := k.hashing(ctx)
	if err != nil {
		return false, err
	}
	defer done()
	return argon2id.ComparePasswordAndHash(password, phc)
}

var errPassword = &domain.Fault{
	Kind: domain.Unauthenticated, Code: "sign-in-refused", Message: "The e-mail address or the password is not right. Try again, or ask for a sign-in link.",
}

// SignIn lets somebody in by their password, or by a one-time password, which it uses up.
func (k *Keeper) SignIn(ctx context.Context, firm domain.ID, email, password string, v Visit) (Entry, error) {
	if ok, err := k.slow(ctx, "password from", network(v.IP), passwordsPerNetwork, tryWindow); err != nil || !ok {
		return Entry{}, orTooOften(err)
	}
	if ok, err := k.slow(ctx, "password for", firm.String()+domain.FoldEmail(email), passwordsPerAddress, tryWindow); err != nil || !ok {
		return Entry{}, orTooOften(err)
	}
	p, known, err := k.People.ByEmail(ctx, firm, email)
	if err != nil {
		return Entry{}, err
	}
	right, stored, err := k.check(ctx, p, known, password)
	if err != nil {
		return Entry{}, err
	}
	switch {
	case !known:
		return Entry{}, errPassword
	case !right:
		k.refuseLater(ctx, p, access.WrongPassword, v)
		return Entry{}, errPassword
	case !p.MayIn:
		k.refuse(ctx, p, access.NoAccess, v)
		return Entry{}, errPassword
	}
	method := access.ByPassword
	if stored.MustChange {
		method = access.ByOneTimePassword
		first, err := k.Store.DropPassword(ctx, p.Who, stored.PHC)
		if err != nil || !first {
			return Entry{}, orElse(err, errPassword)
		}
	}
	return k.enter(ctx, p, method, stored.MustChange, v)
}

func orElse(err, otherwise error) error {
	if err != nil {
		return err
	}
	return otherwise
}

// check compares a password, and takes as long where there is none to compare with.
func (k *Keeper) check(ctx context.Context, p Person, known bool, password string) (right bool, stored Password, err error) {
	against, found := k.nobody, false
	if stored, found, err = k.Store.Password(ctx, p.Who); err != nil { // asked for whoever it is: it takes its time, too
		return false, stored, err
	}
	if known {
		if known = found && (stored.Expires.IsZero() || k.Now().Before(stored.Expires)); known {
			against = stored.PHC
		}
	}
	if len(password) > maxPassword {
		password = ""
	}
	right, err = k.matches(ctx, password, against)
	return right && known, stored, err
}

// What passwords may be.
const (
	MinPassword = 8
	maxPassword = 1024 // bytes
)

//go:embed breached.txt
var breached string

// goodPassword checks a new password: long enough, and not among those that everybody tries first.
func goodPassword(password string, p Person) error {
	var c domain.Checks
	folded := strings.ToLower(strings.TrimSpace(password))
	name, _, _ := strings.Cut(domain.FoldEmail(p.Email), "@")
	c.That(utf8.RuneCountInString(password) >= MinPassword, "password", "password-short", "Use at least 8 characters; 15 or more are better. A few words in a row are fine.")
	c.That(len(password) <= maxPassword, "password", "password-long", "This is longer than we can keep. Use at most 1,000 characters.")
	c.That(!strings.Contains(breached, "\n"+folded+"\n"), "password", "password-breached", "This password is on every list of stolen passwords. Choose another one.")
	c.That(folded != domain.FoldEmail(p.Email) && folded != strings.ToLower(p.Name) && strings.Trim(folded, "0123456789!?.") != name,
		"password", "password-obvious", "This password says who you are. Choose another one.")
	return c.Err()
}

// SetPassword sets the password of whoever has a session: where the sign-in lacks one, or with a fresh proof. All other
// sessions end, and links that were sent are void.
func (k *Keeper) SetPassword(ctx context.Context, secret, password string, v Visit) (Entry, error) {
	s, p, err := k.stage(ctx, secret, v, Open, NewPassword)
	if err != nil {
		return Entry{}, err
	}
	if s.Stage == Open {
		if err := k.fresh(s); err != nil {
			return Entry{}, err
		}
	}
	if err := goodPassword(password, p); err != nil {
		return Entry{}, err
	}
	phc, err := k.hashPassword(ctx, password)
	if err != nil {
		return Entry{}, err
	}
	if err := k.record(ctx, access.PasswordSet{About: about(p.Who)}, meta(p, p.actor(), s.ID, v)); err != nil {
		return Entry{}, err
	}
	if err := k.Store.SetPassword(ctx, p.Who, Password{PHC: phc, Set: k.Now()}); err != nil {
		return Entry{}, err
	}
	if err := k.Store.Void(ctx, p.Who, k.Now()); err != nil {
		return Entry{}, err
	}
	if err := k.endOthers(ctx, p, p.actor(), s.ID, access.ByRenewal, v); err != nil {
		return Entry{}, err
	}
	s.NewPassword = false
	return k.change(ctx, p, s, v)
}

// HasPassword tells whether a person has a password of their own.
func (k *Keeper) HasPassword(ctx context.Context, who Who) (bool, error) {
	p, ok, err := k.Store.Password(ctx, who)
	return ok && !p.MustChange, err
}

// OneTimePassword makes a password for somebody who cannot be reached by e-mail: the firm tells it to them. It works
// once, for 72 hours, and leads to the page where they choose their own. The one they had is void.
func (k *Keeper) OneTimePassword(ctx context.Context, by domain.Actor, who Who, v Visit) (password string, err error) {
	p, err := k.person(ctx, who)
	if err != nil {
		return "", k.cannotBeInvited(err)
	}
	password = spelled(12)
	phc, err := k.hashPassword(ctx, password)
	if err != nil {
		return "", err
	}
	if err := k.record(ctx, access.OneTimePasswordSet{About: about(who)}, meta(p, by, domain.NoID, v)); err != nil {
		return "", err
	}
	now := k.Now()
	if err := k.Store.SetPassword(ctx, who, Password{PHC: phc, MustChange: true, Expires: now.Add(InvitationLasts), Set: now}); err != nil {
		return "", err
	}
	return password, k.endOthers(ctx, p, by, domain.NoID, access.ByRenewal, v)
}
