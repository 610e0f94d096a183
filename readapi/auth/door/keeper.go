package door

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"log/slog"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/go-webauthn/webauthn/webauthn"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/access"
)

// Options of a Keeper. All are needed but those with a zero value that is explained.
type Options struct {
	Store   Store
	People  People
	Journal Journal
	Now     func() time.Time
	Logger  *slog.Logger // silent when nil
	// Key keys the hashes of codes, addresses and networks; at least 32 bytes.
	Key []byte
	// PublicURL is where people reach the program: links in mails lead there, passkeys are bound to its host.
	PublicURL string
	// StaffSecondFactor lets staff in only with a second factor, which they set up at their first sign-in.
	StaffSecondFactor bool
	// Hashers is how many passwords are hashed at a time, 19 MiB each; 0 means 4.
	Hashers int
}

// Keeper keeps the door.
type Keeper struct {
	Options
	public   *url.URL
	passkeys *webauthn.WebAuthn // nil: the portal cannot have any
	hashers  chan struct{}
	nobody   string        // the hash of a password nobody has
	wake     chan struct{} // there is a request to look at
	later    sync.WaitGroup
}

// New makes a keeper. It fails on options that cannot work.
func New(o Options) (*Keeper, error) {
	if o.Store == nil || o.People == nil || o.Journal == nil || o.Now == nil || len(o.Key) < 32 {
		return nil, errors.New("door: Store, People, Journal, Now and a Key of at least 32 bytes are needed")
	}
	public, err := url.Parse(o.PublicURL)
	if err != nil || public.Host == "" {
		return nil, errors.New("door: PublicURL must be an address such as https://portal.example.com")
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Hashers == 0 {
		o.Hashers = 4
	}
	k := &Keeper{Options: o, public: public, hashers: make(chan struct{}, o.Hashers), wake: make(chan struct{}, 1)}
	if k.passkeys, err = newPasskeys(public); err != nil {
		return nil, err
	}
	k.nobody, err = k.hashPassword(context.Background(), NewSecret())
	return k, err
}

// NewSecret makes 256 random bits for a cookie or a link, as text that needs no escaping.
func NewSecret() string {
	secret := make([]byte, 32)
	rand.Read(secret) // it never fails
	return base64.RawURLEncoding.EncodeToString(secret)
}

// hashOf is what is kept of a secret.
func hashOf(secret string) []byte {
	sum := sha256.Sum256([]byte(secret))
	return sum[:]
}

// keyed hides what could be guessed: addresses, networks, short codes. Its parts tell purposes apart.
func (k *Keeper) keyed(parts ...string) []byte {
	mac := hmac.New(sha256.New, k.Key)
	mac.Write([]byte(strings.Join(parts, "\x00")))
	return mac.Sum(nil)
}

// address is a page of the portal as it is written in mails. The host is ours to name, whatever a request said.
func (k *Keeper) address(path string) string { return strings.TrimSuffix(k.PublicURL, "/") + path }

// portal is the door itself, as the doer of what nobody did who was known.
var portal = domain.SystemActor("portal")

// meta describes a fact: who did it, in which session, from where.
func meta(p Person, by domain.Actor, session domain.ID, v Visit) domain.Meta {
	m := domain.Meta{
		Firm: p.Firm, Account: p.Account, Actor: by, Request: v.Request, IP: domain.P(v.IP), UserAgent: domain.P(v.UserAgent),
	}
	if session != domain.NoID {
		m.Session = session.String()
	}
	return m
}

// about begins a fact about a person.
func about(w Who) access.About {
	return access.About{Entry: domain.NewID(), Person: w.ID, PersonKind: w.Kind}
}

// record stores a fact that must not be missing: without it, what it is about does not happen.
func (k *Keeper) record(ctx context.Context, fact access.Event, m domain.Meta) error {
	_, err := k.Journal.RecordAccess(ctx, fact, m)
	return err
}

// note stores a fact about what has happened in any case.
func (k *Keeper) note(ctx context.Context, fact access.Event, m domain.Meta) {
	if err := k.record(context.WithoutCancel(ctx), fact, m); err != nil {
		k.Logger.Error("fact of access not recorded", "fact", fact.EventType(), "error", err)
	}
}

// refuse notes a failed try to get in as a person.
func (k *Keeper) refuse(ctx context.Context, p Person, why access.Reason, v Visit) {
	m := meta(p, portal, domain.NoID, v)
	k.note(ctx, access.SignInFailed{About: about(p.Who), Reason: why, From: domain.P(v.IP)}, m)
}

// refuseLater is refuse without waiting: how long it takes would tell that there is such a person. Settle waits for it.
func (k *Keeper) refuseLater(ctx context.Context, p Person, why access.Reason, v Visit) {
	k.later.Go(func() { k.refuse(context.WithoutCancel(ctx), p, why, v) })
}

// Settle waits until all that happened is on record.
func (k *Keeper) Settle() { k.later.Wait() }

// person gives whom the write side lets in now.
func (k *Keeper) person(ctx context.Context, who Who) (Person, error) {
	p, ok, err := k.People.Person(ctx, who)
	if err == nil && (!ok || !p.MayIn) {
		err = errNoAccess
	}
	return p, err
}

var errNoAccess = &domain.Fault{
	Kind: domain.Unauthenticated, Code: "no-access", Message: "You have no access to this portal at the moment. Please ask the firm.",
}

// How often something may be tried.
const (
	linksPerAddress     = 5 // an hour
	asksPerNetwork      = 60
	passwordsPerAddress = 10 // in 15 minutes
	passwordsPerNetwork = 100
	seconds             = 10 // second factors of a person in 15 minutes
	codesPerNetwork     = 100

	askWindow = time.Hour
	tryWindow = 15 * time.Minute
)

// network is whom tries from an address are counted for: itself, or of IPv6 the /64 that one customer has.
func network(ip string) string {
	address, err := netip.ParseAddr(ip)
	if err != nil || address.Unmap().Is4() {
		return ip
	}
	prefix, _ := address.Prefix(64) // it fails for IPv4 only
	return prefix.String()
}

// slow counts a try and refuses it when there were too many. It says nothing about who exists: keys are of what was
// typed and of where it came from.
func (k *Keeper) slow(ctx context.Context, kind, of string, limit int, within time.Duration) (ok bool, err error) {
	now := k.Now()
	return k.Store.Allow(ctx, kind, k.keyed("try", kind, of), limit, now.Add(-within), now)
}

var errTooOften = &domain.Fault{
	Kind: domain.Throttled, Code: "too-many-tries", Message: "There were too many tries in a short time. Please wait a quarter of an hour, or ask for a sign-in link.",
}

// OwnPath gives an address to return to, if it is a page of the portal, and the fallback otherwise: nobody can be sent
// to another site by a link to the sign-in page.
func OwnPath(path, fallback string) string {
	u, err := url.Parse(path)
	if err != nil || u.IsAbs() || u.Host != "" || u.User != nil || !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") ||
		strings.ContainsFunc(path, func(r rune) bool { return r == '\\' || r <= ' ' || r == 0x7f }) || strings.HasPrefix(u.Path, "//") || strings.Contains(u.Path, `\`) {
		return fallback
	}
	return path
}
