package doortest

import (
	"bytes"
	"context"
	"slices"
	"time"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/readapi/auth/door"
)

// Password implements door.Passwords.
func (m *Memory) Password(_ context.Context, who door.Who) (p door.Password, ok bool, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	p, ok = m.passwords[of(who)]
	return p, ok, nil
}

// SetPassword implements door.Passwords.
func (m *Memory) SetPassword(_ context.Context, who door.Who, p door.Password) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.passwords[of(who)] = p
	return nil
}

// DropPassword implements door.Passwords.
func (m *Memory) DropPassword(_ context.Context, who door.Who, phc string) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	p, ok := m.passwords[of(who)]
	if !ok || phc != "" && p.PHC != phc {
		return false, nil
	}
	delete(m.passwords, of(who))
	return true, nil
}

// TOTP implements door.Factors.
func (m *Memory) TOTP(_ context.Context, who door.Who) (t door.TOTP, ok bool, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	t, ok = m.totps[of(who)]
	return t, ok, nil
}

// SetTOTP implements door.Factors.
func (m *Memory) SetTOTP(_ context.Context, who door.Who, t door.TOTP, _ time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.totps[of(who)] = door.TOTP{Secret: t.Secret}
	return nil
}

// UseTOTP implements door.Factors.
func (m *Memory) UseTOTP(_ context.Context, who door.Who, step int64, _ time.Time) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	t, ok := m.totps[of(who)]
	if !ok || t.Step >= step {
		return false, nil
	}
	t.Step, t.Confirmed = step, true
	m.totps[of(who)] = t
	return true, nil
}

// DropTOTP implements door.Factors.
func (m *Memory) DropTOTP(_ context.Context, who door.Who) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.totps, of(who))
	return nil
}

// SetRecoveryCodes implements door.Factors.
func (m *Memory) SetRecoveryCodes(_ context.Context, who door.Who, hashes [][]byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	codes := map[string]bool{}
	for _, h := range hashes {
		codes[string(h)] = true
	}
	m.codes[of(who)] = codes
	return nil
}

// UseRecoveryCode implements door.Factors.
func (m *Memory) UseRecoveryCode(_ context.Context, who door.Who, hash []byte) (left int, ok bool, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	codes := m.codes[of(who)]
	if !codes[string(hash)] {
		return 0, false, nil
	}
	delete(codes, string(hash))
	return len(codes), true, nil
}

// RecoveryCodes implements door.Factors.
func (m *Memory) RecoveryCodes(_ context.Context, who door.Who) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.codes[of(who)]), nil
}

// Passkeys implements door.Passkeys.
func (m *Memory) Passkeys(_ context.Context, who door.Who) (list []door.Passkey, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, p := range m.passkeys {
		if of(p.Who) == of(who) {
			list = append(list, p)
		}
	}
	return list, nil
}

// AddPasskey implements door.Passkeys.
func (m *Memory) AddPasskey(_ context.Context, p door.Passkey) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if slices.ContainsFunc(m.passkeys, func(o door.Passkey) bool { return bytes.Equal(o.Credential, p.Credential) }) {
		return false, nil
	}
	m.passkeys = append(m.passkeys, p)
	return true, nil
}

// UsePasskey implements door.Passkeys.
func (m *Memory) UsePasskey(_ context.Context, id domain.ID, record []byte, now time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i := range m.passkeys {
		if m.passkeys[i].ID == id {
			m.passkeys[i].Record, m.passkeys[i].Used = record, now
		}
	}
	return nil
}

// DropPasskey implements door.Passkeys.
func (m *Memory) DropPasskey(_ context.Context, who door.Who, id domain.ID) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	before := len(m.passkeys)
	m.passkeys = slices.DeleteFunc(m.passkeys, func(p door.Passkey) bool { return of(p.Who) == of(who) && p.ID == id })
	return len(m.passkeys) < before, nil
}

// SetChallenge implements door.Passkeys.
func (m *Memory) SetChallenge(_ context.Context, browser, data []byte, expires time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.challenges[string(browser)] = asked{data, expires}
	return nil
}

// TakeChallenge implements door.Passkeys.
func (m *Memory) TakeChallenge(_ context.Context, browser []byte, now time.Time) ([]byte, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	a, ok := m.challenges[string(browser)]
	delete(m.challenges, string(browser))
	return a.data, ok && a.expires.After(now), nil
}
