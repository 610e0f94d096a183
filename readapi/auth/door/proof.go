package door

import (
	"context"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/access"
)

// Proofs are the ways in which a person may show once more who they are.
type Proofs struct {
	Password bool
	TOTP     bool
	Passkey  bool
	Code     bool // by e-mail; for those who have no second factor
}

// ProofsOf tells which ways a person has. Whoever has a second factor proves with it: the password, or the mailbox, may
// be what was stolen.
func (k *Keeper) ProofsOf(ctx context.Context, who Who) (Proofs, error) {
	has, err := k.FactorsOf(ctx, who)
	if err != nil || has.Any() {
		return Proofs{TOTP: has.TOTP, Passkey: has.Passkeys > 0}, err
	}
	password, err := k.HasPassword(ctx, who)
	return Proofs{Password: password, Code: true}, err
}

var errProof = domain.Refuse("proof-not-offered", "Prove who you are in one of the ways that are offered.")

// ProvePassword is a fresh proof by password.
func (k *Keeper) ProvePassword(ctx context.Context, secret, password string, v Visit) (Entry, error) {
	s, p, proofs, err := k.proving(ctx, secret, v)
	if err != nil || !proofs.Password {
		return Entry{}, orElse(err, errProof)
	}
	if ok, err := k.slow(ctx, "second factor", p.Firm.String()+p.ID.String(), seconds, tryWindow); err != nil || !ok {
		return Entry{}, orTooOften(err)
	}
	right, _, err := k.check(ctx, p, true, password)
	if err != nil {
		return Entry{}, err
	}
	if !right {
		k.refuse(ctx, p, access.WrongPassword, v)
		return Entry{}, &domain.Fault{Kind: domain.Invalid, Code: "password-wrong", Field: "password", Message: "This is not your password. Try again."}
	}
	return k.proved(ctx, p, s, access.ProofPassword, v)
}

// ProveTOTP is a fresh proof by the authenticator app.
func (k *Keeper) ProveTOTP(ctx context.Context, secret, code string, v Visit) (Entry, error) {
	s, p, proofs, err := k.proving(ctx, secret, v)
	if err != nil || !proofs.TOTP {
		return Entry{}, orElse(err, errProof)
	}
	t, _, err := k.Store.TOTP(ctx, s.Who)
	if err != nil {
		return Entry{}, err
	}
	if err := k.useTOTP(ctx, p, t, code, v, true); err != nil {
		return Entry{}, err
	}
	return k.proved(ctx, p, s, access.ProofTOTP, v)
}

// SendProofCode mails a code that proves, in this session, who its reader is.
func (k *Keeper) SendProofCode(ctx context.Context, secret string, v Visit) error {
	s, p, proofs, err := k.proving(ctx, secret, v)
	if err != nil || !proofs.Code {
		return orElse(err, errProof)
	}
	if ok, err := k.slow(ctx, "ask for", domain.FoldEmail(p.Email), linksPerAddress, askWindow); err != nil || !ok {
		return orTooOften(err)
	}
	firm, _, err := k.People.Firm(ctx, s.Who.Firm)
	if err != nil {
		return err
	}
	code := newCode()
	link := Link{
		ID: domain.NewID(), Hash: hashOf(NewSecret()), Who: s.Who, Purpose: proofPurpose, Browser: k.proofBrowser(s),
		Created: k.Now(), Expires: k.Now().Add(LinkLasts),
	}
	link.Code = k.codeHash(link.ID, code)
	mail, err := k.mailOfProof(firm, p, link, code)
	if err != nil {
		return err
	}
	return k.Store.Issue(ctx, Issue{Link: link, Mail: &mail})
}

// proofPurpose marks what is no link: its token was thrown away, its code works in the session that asked for it.
const proofPurpose access.Purpose = "proof"

// proofBrowser stands where a link has the browser that asked for it. No browser has a secret of that hash.
func (k *Keeper) proofBrowser(s Session) []byte { return k.keyed("proof", s.ID.String()) }

// ProveCode is a fresh proof by the code of SendProofCode.
func (k *Keeper) ProveCode(ctx context.Context, secret, code string, v Visit) (Entry, error) {
	s, p, proofs, err := k.proving(ctx, secret, v)
	if err != nil || !proofs.Code {
		return Entry{}, orElse(err, errProof)
	}
	link, ok, err := k.Store.LinkOfBrowser(ctx, k.proofBrowser(s), k.Now())
	if err != nil || !ok {
		return Entry{}, orElse(err, errCodeWrong)
	}
	if err := k.tryCode(ctx, link, code, v); err != nil {
		return Entry{}, err
	}
	if used, err := k.Store.Use(ctx, link.ID, k.Now()); err != nil || !used {
		return Entry{}, orElse(err, errLinkUsed)
	}
	return k.proved(ctx, p, s, access.ProofCode, v)
}

func (k *Keeper) proving(ctx context.Context, secret string, v Visit) (s Session, p Person, proofs Proofs, err error) {
	if s, p, err = k.stage(ctx, secret, v, Open); err == nil {
		proofs, err = k.ProofsOf(ctx, s.Who)
	}
	return s, p, proofs, err
}

// proved makes a session fresh, with a new secret.
func (k *Keeper) proved(ctx context.Context, p Person, s Session, how access.Proof, v Visit) (Entry, error) {
	if err := k.record(ctx, access.ProvedAgain{About: about(p.Who), Session: s.ID, How: how}, meta(p, p.actor(), s.ID, v)); err != nil {
		return Entry{}, err
	}
	s.Proved = k.Now()
	return k.change(ctx, p, s, v)
}
