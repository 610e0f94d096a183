package door

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base32"
	"net/url"
	"strconv"
	"strings"

	"github.com/boombuler/barcode/qr"
	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/access"
	"github.com/atrium-portal/atrium/readapi/auth"
)

// Has is what second factors a person has.
type Has struct {
	TOTP     bool
	Passkeys int
	Recovery int // codes that are left
}

// Any reports whether there is any second factor. Recovery codes alone are none.
func (h Has) Any() bool { return h.TOTP || h.Passkeys > 0 }

// FactorsOf tells what second factors a person has.
func (k *Keeper) FactorsOf(ctx context.Context, who Who) (h Has, err error) {
	t, _, err := k.Store.TOTP(ctx, who)
	if err != nil {
		return h, err
	}
	keys, err := k.Store.Passkeys(ctx, who)
	if err != nil {
		return h, err
	}
	h.TOTP, h.Passkeys = t.Confirmed, len(keys)
	h.Recovery, err = k.Store.RecoveryCodes(ctx, who)
	return h, err
}

var (
	errSecondWrong = &domain.Fault{Kind: domain.Invalid, Code: "second-factor-wrong", Field: "code", Message: "This code is not right, or was used before. Wait for the next one and try again."}
	errNoTOTP      = domain.Refuse("no-authenticator", "No authenticator app is set up. Begin again.")
)

// NewTOTP is an authenticator app in the making.
type NewTOTP struct {
	Secret string // base32, to be typed where there is no camera
	URL    string // otpauth://…
	QR     QR
}

// QR is a QR code as the path of an SVG of Size by Size units, the quiet zone included.
type QR struct {
	Path string
	Size int
}

// BeginTOTP makes the secret of an authenticator app. It counts only once a code of it was typed: ConfirmTOTP.
func (k *Keeper) BeginTOTP(ctx context.Context, secret string, v Visit) (n NewTOTP, err error) {
	s, p, err := k.settingUp(ctx, secret, v)
	if err != nil {
		return n, err
	}
	old, _, err := k.Store.TOTP(ctx, s.Who)
	if err != nil {
		return n, err
	}
	if old.Confirmed {
		return n, domain.Refuse("authenticator-there", "An authenticator app is set up already. Remove it first.")
	}
	if old.Secret == "" {
		raw := make([]byte, 20)
		rand.Read(raw) // it never fails
		old.Secret = base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(raw)
		if err := k.Store.SetTOTP(ctx, s.Who, old, k.Now()); err != nil {
			return n, err
		}
	}
	firm, _, err := k.People.Firm(ctx, s.Who.Firm)
	if err != nil {
		return n, err
	}
	values := url.Values{"secret": {old.Secret}, "issuer": {firm.Name}, "algorithm": {"SHA1"}, "digits": {"6"}, "period": {"30"}}
	n.Secret = old.Secret
	n.URL = "otpauth://totp/" + url.PathEscape(firm.Name+":"+p.Email) + "?" + strings.ReplaceAll(values.Encode(), "+", "%20")
	n.QR, err = newQR(n.URL)
	return n, err
}

// settingUp gives a session in which a second factor may be set up: at a sign-in that needs one, or with a fresh proof.
func (k *Keeper) settingUp(ctx context.Context, secret string, v Visit) (Session, Person, error) {
	s, p, err := k.stage(ctx, secret, v, Open, Enrol)
	if err == nil && s.Stage == Open {
		err = k.fresh(s)
	}
	return s, p, err
}

// fresh asks for a fresh proof.
func (k *Keeper) fresh(s Session) error { return (&auth.Scope{Proved: s.Proved}).Fresh(k.Now()) }

// newQR draws a QR code as one path.
func newQR(text string) (QR, error) {
	const quiet = 4
	code, err := qr.Encode(text, qr.M, qr.Auto)
	if err != nil {
		return QR{}, err
	}
	side := code.Bounds().Dx()
	var path strings.Builder
	for y := range side {
		for x := 0; x < side; x++ {
			if r, _, _, _ := code.At(x, y).RGBA(); r != 0 {
				continue
			}
			run := 1
			for ; x+run < side; run++ {
				if r, _, _, _ := code.At(x+run, y).RGBA(); r != 0 {
					break
				}
			}
			writeRun(&path, x+quiet, y+quiet, run)
			x += run
		}
	}
	return QR{path.String(), side + 2*quiet}, nil
}

// writeRun adds a run of dark modules to a path.
func writeRun(path *strings.Builder, x, y, run int) {
	path.WriteString("M" + strconv.Itoa(x) + " " + strconv.Itoa(y) + "h" + strconv.Itoa(run) + "v1h-" + strconv.Itoa(run) + "z")
}

// ConfirmTOTP finishes setting an authenticator app up with a code of it. Recovery codes come with it, if there are none.
func (k *Keeper) ConfirmTOTP(ctx context.Context, secret, code string, v Visit) (in Entry, recovery []string, err error) {
	s, p, err := k.settingUp(ctx, secret, v)
	if err != nil {
		return in, nil, err
	}
	t, ok, err := k.Store.TOTP(ctx, s.Who)
	if err != nil || !ok || t.Confirmed {
		return in, nil, orElse(err, errNoTOTP)
	}
	if err := k.useTOTP(ctx, p, t, code, v, false); err != nil {
		return in, nil, err
	}
	if err := k.record(ctx, access.SecondFactorAdded{About: about(p.Who), Kind: access.TOTP}, meta(p, p.actor(), s.ID, v)); err != nil {
		return in, nil, err
	}
	if s.Second == access.NoSecond {
		s.Second = access.TOTP
	}
	left, err := k.Store.RecoveryCodes(ctx, p.Who)
	if err == nil && left == 0 {
		recovery, err = k.newRecoveryCodes(ctx, p, s, v)
	}
	if err != nil {
		return in, nil, err
	}
	in, err = k.change(ctx, p, s, v)
	return in, recovery, err
}

// useTOTP compares a code with that of this half minute, the one before and the one after. Each works once.
func (k *Keeper) useTOTP(ctx context.Context, p Person, t TOTP, code string, v Visit, known bool) error {
	if ok, err := k.slow(ctx, "second factor", p.Firm.String()+p.ID.String(), seconds, tryWindow); err != nil || !ok {
		return orTooOften(err)
	}
	now := k.Now().Unix() / 30
	for step := now - 1; step <= now+1; step++ {
		want, err := hotp.GenerateCodeCustom(t.Secret, uint64(step), hotp.ValidateOpts{Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1})
		if err != nil {
			return err
		}
		if subtle.ConstantTimeCompare([]byte(want), []byte(digits(code))) == 0 {
			continue
		}
		ok, err := k.Store.UseTOTP(ctx, p.Who, step, k.Now())
		if err != nil || ok {
			return err
		}
	}
	if known {
		k.refuse(ctx, p, access.WrongSecond, v)
	}
	return errSecondWrong
}

// SecondTOTP shows the second factor at a sign-in: a code of the authenticator app.
func (k *Keeper) SecondTOTP(ctx context.Context, secret, code string, v Visit) (Entry, error) {
	s, p, err := k.stage(ctx, secret, v, SecondFactor)
	if err != nil {
		return Entry{}, err
	}
	t, ok, err := k.Store.TOTP(ctx, s.Who)
	if err != nil || !ok || !t.Confirmed {
		return Entry{}, orElse(err, errNoTOTP)
	}
	if err := k.useTOTP(ctx, p, t, code, v, true); err != nil {
		return Entry{}, err
	}
	s.Second = access.TOTP
	return k.change(ctx, p, s, v)
}

// SecondRecovery shows the second factor at a sign-in: a recovery code, which it uses up.
func (k *Keeper) SecondRecovery(ctx context.Context, secret, code string, v Visit) (Entry, error) {
	s, p, err := k.stage(ctx, secret, v, SecondFactor)
	if err != nil {
		return Entry{}, err
	}
	if ok, err := k.slow(ctx, "second factor", p.Firm.String()+p.ID.String(), seconds, tryWindow); err != nil || !ok {
		return Entry{}, orTooOften(err)
	}
	left, ok, err := k.Store.UseRecoveryCode(ctx, s.Who, k.recoveryHash(s.Who, code))
	if err != nil {
		return Entry{}, err
	}
	if !ok {
		k.refuse(ctx, p, access.WrongSecond, v)
		return Entry{}, errSecondWrong
	}
	if err := k.record(ctx, access.RecoveryCodeUsed{About: about(p.Who), Left: left}, meta(p, p.actor(), s.ID, v)); err != nil {
		return Entry{}, err
	}
	s.Second = access.RecoveryCode
	return k.change(ctx, p, s, v)
}

// RemoveTOTP ends the protection by an authenticator app.
func (k *Keeper) RemoveTOTP(ctx context.Context, secret string, v Visit) (Entry, error) {
	s, p, err := k.open(ctx, secret, v)
	if err != nil {
		return Entry{}, err
	}
	has, err := k.FactorsOf(ctx, s.Who)
	if err != nil || !has.TOTP {
		return Entry{}, orElse(err, errNoTOTP)
	}
	if err := k.mayLose(ctx, s.Who, has); err != nil {
		return Entry{}, err
	}
	if err := k.record(ctx, access.SecondFactorRemoved{About: about(p.Who), Kind: access.TOTP}, meta(p, p.actor(), s.ID, v)); err != nil {
		return Entry{}, err
	}
	if err := k.Store.DropTOTP(ctx, s.Who); err != nil {
		return Entry{}, err
	}
	return k.change(ctx, p, s, v)
}

// open gives an open session with a fresh proof.
func (k *Keeper) open(ctx context.Context, secret string, v Visit) (Session, Person, error) {
	s, p, err := k.stage(ctx, secret, v, Open)
	if err == nil {
		err = k.fresh(s)
	}
	return s, p, err
}

// mayLose refuses to give up the last second factor of somebody who needs one.
func (k *Keeper) mayLose(ctx context.Context, who Who, has Has) error {
	if has.TOTP && has.Passkeys > 0 || has.Passkeys > 1 {
		return nil
	}
	required, err := k.secondRequired(ctx, who)
	if err == nil && required {
		err = domain.Refuse("last-second-factor", "You need a second factor here. Set up another one first.")
	}
	return err
}

// recoveryCodes is how many there are when they are new.
const recoveryCodes = 10

// NewRecoveryCodes replaces the recovery codes, which are shown this once.
func (k *Keeper) NewRecoveryCodes(ctx context.Context, secret string, v Visit) ([]string, error) {
	s, p, err := k.open(ctx, secret, v)
	if err != nil {
		return nil, err
	}
	has, err := k.FactorsOf(ctx, s.Who)
	if err != nil {
		return nil, err
	}
	if !has.Any() {
		return nil, domain.Refuse("no-second-factor", "Recovery codes stand in for a second factor. Set one up first.")
	}
	return k.newRecoveryCodes(ctx, p, s, v)
}

func (k *Keeper) newRecoveryCodes(ctx context.Context, p Person, s Session, v Visit) ([]string, error) {
	codes, hashes := make([]string, recoveryCodes), make([][]byte, recoveryCodes)
	for i := range codes {
		codes[i] = spelled(12)
		hashes[i] = k.recoveryHash(p.Who, codes[i])
	}
	if err := k.record(ctx, access.RecoveryCodesMade{About: about(p.Who), Count: len(codes)}, meta(p, p.actor(), s.ID, v)); err != nil {
		return nil, err
	}
	return codes, k.Store.SetRecoveryCodes(ctx, p.Who, hashes)
}

// recoveryHash is what is kept of a recovery code, however it is typed.
func (k *Keeper) recoveryHash(w Who, code string) []byte {
	plain := strings.Map(func(r rune) rune {
		if strings.ContainsRune(letters, r) {
			return r
		}
		return -1
	}, strings.ToLower(code))
	return k.keyed("recovery", w.Firm.String(), w.ID.String(), plain)
}

// letters are those that nobody takes for another.
const letters = "abcdefghjkmnpqrstuvwxyz23456789"

// spelled makes n random letters and digits in groups of four.
func spelled(n int) string {
	var b strings.Builder
	for one := make([]byte, 1); n > 0; {
		rand.Read(one) // it never fails
		if int(one[0]) >= 256-256%len(letters) {
			continue // so that every letter is as likely
		}
		b.WriteByte(letters[int(one[0])%len(letters)])
		if n--; n > 0 && n%4 == 0 {
			b.WriteByte('-')
		}
	}
	return b.String()
}
