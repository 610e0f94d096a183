package door

import (
	"context"
	"encoding/json"
	"errors"
	"net/netip"
	"net/url"
	"strings"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/access"
)

// newPasskeys binds passkeys to the host of the public address. That is what makes them safe from pages that only look
// like ours, and why they are lost when the portal moves to another host. A host that is a number has none: browsers
// want a name.
func newPasskeys(public *url.URL) (*webauthn.WebAuthn, error) {
	if _, err := netip.ParseAddr(public.Hostname()); err == nil {
		return nil, nil
	}
	return webauthn.New(&webauthn.Config{
		RPID: public.Hostname(), RPDisplayName: "Atrium", RPOrigins: []string{public.Scheme + "://" + public.Host},
		AttestationPreference: protocol.PreferNoAttestation,
		AuthenticatorSelection: protocol.AuthenticatorSelection{
			ResidentKey: protocol.ResidentKeyRequirementRequired, UserVerification: protocol.VerificationRequired,
		},
	})
}

var (
	errPasskey        = &domain.Fault{Kind: domain.Unauthenticated, Code: "passkey-refused", Message: "This passkey does not open this portal. Sign in another way."}
	errNoPasskeys     = domain.Refuse("no-passkeys", "Passkeys need a portal whose address is a name. Sign in another way.")
	errPasskeyExpired = domain.Refuse("passkey-too-late", "This took too long. Please try again.")
)

// challenge is what a browser is asked to sign, and for what.
type challenge struct {
	For     string
	Session webauthn.SessionData
}

// What challenges are for.
const (
	forNew    = "new"
	forSignIn = "sign-in"
	forSecond = "second factor"
	forProof  = "proof"
)

// holder is a person as the library wants them.
type holder struct {
	Person
	keys []webauthn.Credential
}

// WebAuthnID names the person for the authenticator: the kind, the firm, the person.
func (h holder) WebAuthnID() []byte {
	return append(append([]byte(h.Kind[:1]), h.Firm[:]...), h.ID[:]...)
}

// WebAuthnName is shown when the authenticator asks which passkey to use.
func (h holder) WebAuthnName() string { return h.Email }

// WebAuthnDisplayName is their name.
func (h holder) WebAuthnDisplayName() string {
	if h.Name == "" {
		return h.Email
	}
	return h.Name
}

// WebAuthnCredentials are their passkeys.
func (h holder) WebAuthnCredentials() []webauthn.Credential { return h.keys }

// whoseHandle reads what WebAuthnID made.
func whoseHandle(handle []byte) (w Who, ok bool) {
	if len(handle) != 33 {
		return w, false
	}
	w.Kind = access.Contact
	if handle[0] == access.Staff[0] {
		w.Kind = access.Staff
	}
	copy(w.Firm[:], handle[1:17])
	copy(w.ID[:], handle[17:])
	return w, true
}

func (k *Keeper) holder(ctx context.Context, p Person) (holder, []Passkey, error) {
	keys, err := k.Store.Passkeys(ctx, p.Who)
	h := holder{Person: p}
	for _, key := range keys {
		var c webauthn.Credential
		if err := json.Unmarshal(key.Record, &c); err != nil {
			return h, nil, err
		}
		h.keys = append(h.keys, c)
	}
	return h, keys, err
}

// ask keeps a challenge for whoever of is: a session or a browser.
func (k *Keeper) ask(ctx context.Context, of, purpose string, s *webauthn.SessionData) error {
	data, err := json.Marshal(challenge{purpose, *s})
	if err != nil {
		return err
	}
	return k.Store.SetChallenge(ctx, k.keyed("challenge", of), data, k.Now().Add(LinkLasts))
}

func (k *Keeper) asked(ctx context.Context, of, purpose string) (webauthn.SessionData, error) {
	data, ok, err := k.Store.TakeChallenge(ctx, k.keyed("challenge", of), k.Now())
	if err != nil {
		return webauthn.SessionData{}, err
	}
	var c challenge
	if ok {
		err = json.Unmarshal(data, &c)
	}
	if err == nil && (!ok || c.For != purpose) {
		err = errPasskeyExpired
	}
	return c.Session, err
}

// BeginPasskey asks a browser to make a passkey; the answer goes to AddPasskey. options is JSON for the browser.
func (k *Keeper) BeginPasskey(ctx context.Context, secret string, v Visit) (options any, err error) {
	s, p, err := k.settingUp(ctx, secret, v)
	if err != nil {
		return nil, err
	}
	h, _, err := k.holder(ctx, p)
	if err != nil {
		return nil, err
	}
	var known []protocol.CredentialDescriptor
	for _, c := range h.keys {
		known = append(known, c.Descriptor())
	}
	if k.passkeys == nil {
		return nil, errNoPasskeys
	}
	creation, session, err := k.passkeys.BeginRegistration(h, webauthn.WithExclusions(known))
	if err != nil {
		return nil, err
	}
	return creation, k.ask(ctx, s.ID.String(), forNew, session)
}

// AddPasskey keeps the passkey that a browser made, under a name that its owner gives it.
func (k *Keeper) AddPasskey(ctx context.Context, secret, name string, answer []byte, v Visit) (in Entry, err error) {
	s, p, err := k.settingUp(ctx, secret, v)
	if err != nil {
		return in, err
	}
	session, err := k.asked(ctx, s.ID.String(), forNew)
	if err != nil {
		return in, err
	}
	h, _, err := k.holder(ctx, p)
	if err != nil {
		return in, err
	}
	parsed, err := protocol.ParseCredentialCreationResponseBytes(answer)
	if err != nil {
		return in, k.strange(err)
	}
	made, err := k.passkeys.CreateCredential(h, session, parsed)
	if err != nil {
		return in, k.strange(err)
	}
	record, err := json.Marshal(made)
	if err != nil {
		return in, err
	}
	if name = strings.TrimSpace(name); name == "" {
		name = "Passkey"
	}
	key := Passkey{ID: domain.NewID(), Who: p.Who, Credential: made.ID, Name: shorten(name, 60), Record: record, Created: k.Now()}
	if err := k.record(ctx, access.PasskeyAdded{About: about(p.Who), Passkey: key.ID}, meta(p, p.actor(), s.ID, v)); err != nil {
		return in, err
	}
	ok, err := k.Store.AddPasskey(ctx, key)
	if err != nil || !ok {
		return in, orElse(err, domain.Refuse("passkey-known", "This passkey is here already."))
	}
	if s.Second == access.NoSecond {
		s.Second = access.Passkey
	}
	return k.change(ctx, p, s, v)
}

func shorten(s string, n int) string {
	if runes := []rune(s); len(runes) > n {
		return string(runes[:n])
	}
	return s
}

// strange turns what the library says of an answer into what people are told.
func (k *Keeper) strange(err error) error {
	if detail, ok := errors.AsType[*protocol.Error](err); ok {
		k.Logger.Debug("passkey refused", "error", detail.Details, "why", detail.DevInfo)
		return errPasskey
	}
	return err
}

// BeginPasskeySignIn asks a browser for any passkey of this portal.
func (k *Keeper) BeginPasskeySignIn(ctx context.Context, v Visit) (options any, err error) {
	if k.passkeys == nil {
		return nil, errNoPasskeys
	}
	assertion, session, err := k.passkeys.BeginDiscoverableLogin(webauthn.WithUserVerification(protocol.VerificationRequired))
	if err != nil {
		return nil, err
	}
	return assertion, k.ask(ctx, v.Browser, forSignIn, session)
}

// SignInPasskey lets in whoever a passkey belongs to.
func (k *Keeper) SignInPasskey(ctx context.Context, answer []byte, v Visit) (Entry, error) {
	if ok, err := k.slow(ctx, "password from", network(v.IP), passwordsPerNetwork, tryWindow); err != nil || !ok {
		return Entry{}, orTooOften(err)
	}
	session, err := k.asked(ctx, v.Browser, forSignIn)
	if err != nil {
		return Entry{}, err
	}
	parsed, err := protocol.ParseCredentialRequestResponseBytes(answer)
	if err != nil {
		return Entry{}, k.strange(err)
	}
	var p Person
	var keys []Passkey
	find := func(_, handle []byte) (webauthn.User, error) {
		who, ok := whoseHandle(handle)
		if !ok {
			return nil, errPasskey
		}
		var known bool
		var err error
		if p, known, err = k.People.Person(ctx, who); err != nil || !known {
			return nil, orElse(err, errPasskey)
		}
		var h holder
		h, keys, err = k.holder(ctx, p)
		return h, err
	}
	_, used, err := k.passkeys.ValidatePasskeyLogin(find, session, parsed)
	if err != nil {
		return Entry{}, k.strange(err)
	}
	if !p.MayIn {
		k.refuse(ctx, p, access.NoAccess, v)
		return Entry{}, errNoAccess
	}
	if err := k.used(ctx, p, keys, used, v); err != nil {
		return Entry{}, err
	}
	return k.enter(ctx, p, access.ByPasskey, false, v)
}

// used keeps what a use changed. A counter that went back says that somebody has a copy.
func (k *Keeper) used(ctx context.Context, p Person, keys []Passkey, used *webauthn.Credential, v Visit) error {
	if used.Authenticator.CloneWarning {
		k.refuse(ctx, p, access.WrongSecond, v)
		return errPasskey
	}
	record, err := json.Marshal(used)
	if err != nil {
		return err
	}
	for _, key := range keys {
		if string(key.Credential) == string(used.ID) {
			return k.Store.UsePasskey(ctx, key.ID, record, k.Now())
		}
	}
	return errPasskey
}

// BeginSecondPasskey asks for one of the person's passkeys, at a sign-in or as a fresh proof.
func (k *Keeper) BeginSecondPasskey(ctx context.Context, secret string, v Visit) (options any, err error) {
	s, p, err := k.stage(ctx, secret, v, SecondFactor, Open)
	if err != nil {
		return nil, err
	}
	h, _, err := k.holder(ctx, p)
	if err != nil {
		return nil, err
	}
	if len(h.keys) == 0 {
		return nil, errProof
	}
	if k.passkeys == nil {
		return nil, errNoPasskeys
	}
	assertion, session, err := k.passkeys.BeginLogin(h, webauthn.WithUserVerification(protocol.VerificationPreferred))
	if err != nil {
		return nil, err
	}
	return assertion, k.ask(ctx, s.ID.String(), purposeOf(s), session)
}

func purposeOf(s Session) string {
	if s.Stage == Open {
		return forProof
	}
	return forSecond
}

// SecondPasskey takes the answer: the second factor of a sign-in, or a fresh proof.
func (k *Keeper) SecondPasskey(ctx context.Context, secret string, answer []byte, v Visit) (Entry, error) {
	s, p, err := k.stage(ctx, secret, v, SecondFactor, Open)
	if err != nil {
		return Entry{}, err
	}
	session, err := k.asked(ctx, s.ID.String(), purposeOf(s))
	if err != nil {
		return Entry{}, err
	}
	h, keys, err := k.holder(ctx, p)
	if err != nil {
		return Entry{}, err
	}
	parsed, err := protocol.ParseCredentialRequestResponseBytes(answer)
	if err != nil {
		return Entry{}, k.strange(err)
	}
	used, err := k.passkeys.ValidateLogin(h, session, parsed)
	if err != nil {
		k.refuse(ctx, p, access.WrongSecond, v)
		return Entry{}, k.strange(err)
	}
	if err := k.used(ctx, p, keys, used, v); err != nil {
		return Entry{}, err
	}
	if s.Stage == Open {
		return k.proved(ctx, p, s, access.ProofPasskey, v)
	}
	s.Second = access.Passkey
	return k.change(ctx, p, s, v)
}

// PasskeysOf lists a person's passkeys, oldest first.
func (k *Keeper) PasskeysOf(ctx context.Context, who Who) ([]Passkey, error) {
	return k.Store.Passkeys(ctx, who)
}

// RemovePasskey removes one of the person's passkeys.
func (k *Keeper) RemovePasskey(ctx context.Context, secret string, id domain.ID, v Visit) (Entry, error) {
	s, p, err := k.open(ctx, secret, v)
	if err != nil {
		return Entry{}, err
	}
	has, err := k.FactorsOf(ctx, s.Who)
	if err != nil {
		return Entry{}, err
	}
	keys, err := k.Store.Passkeys(ctx, s.Who)
	if err != nil {
		return Entry{}, err
	}
	known := false
	for _, key := range keys {
		known = known || key.ID == id
	}
	if !known {
		return Entry{}, domain.Missing("passkey")
	}
	if err := k.mayLose(ctx, s.Who, has); err != nil {
		return Entry{}, err
	}
	if err := k.record(ctx, access.PasskeyRemoved{About: about(p.Who), Passkey: id}, meta(p, p.actor(), s.ID, v)); err != nil {
		return Entry{}, err
	}
	if _, err := k.Store.DropPasskey(ctx, s.Who, id); err != nil {
		return Entry{}, err
	}
	return k.change(ctx, p, s, v)
}
