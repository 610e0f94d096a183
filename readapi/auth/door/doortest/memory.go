// Package doortest is the test kit of the door: a store in memory, and the suite that every store passes.
package doortest

import (
	"bytes"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/access"
	"github.com/atrium-portal/atrium/readapi/auth/door"
)

// Memory is a store in memory. It is safe for concurrent use.
type Memory struct {
	mu         sync.Mutex
	attempts   map[string][]time.Time
	requests   []door.Request
	links      []door.Link
	sessions   map[domain.ID]*kept
	passwords  map[person]door.Password
	totps      map[person]door.TOTP
	codes      map[person]map[string]bool
	passkeys   []door.Passkey
	challenges map[string]asked
	mails      []door.Mail
}

var _ door.Store = (*Memory)(nil)

type kept struct {
	door.Session
	hash string
}

type person struct{ firm, id domain.ID }

type asked struct {
	data    []byte
	expires time.Time
}

func of(w door.Who) person { return person{w.Firm, w.ID} }

// NewMemory makes an empty store.
func NewMemory() *Memory {
	return &Memory{
		attempts: map[string][]time.Time{}, sessions: map[domain.ID]*kept{}, passwords: map[person]door.Password{},
		totps: map[person]door.TOTP{}, codes: map[person]map[string]bool{}, challenges: map[string]asked{},
	}
}

// Mails gives the mails that were issued and forgets them.
func (m *Memory) Mails() []door.Mail {
	m.mu.Lock()
	defer m.mu.Unlock()
	mails := m.mails
	m.mails = nil
	return mails
}

// Allow implements door.Attempts.
func (m *Memory) Allow(_ context.Context, kind string, key []byte, limit int, since, now time.Time) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	name := kind + string(key)
	m.attempts[name] = slices.DeleteFunc(m.attempts[name], func(at time.Time) bool { return !at.After(since) })
	if len(m.attempts[name]) >= limit {
		return false, nil
	}
	m.attempts[name] = append(m.attempts[name], now)
	return true, nil
}

// Ask implements door.Links.
func (m *Memory) Ask(_ context.Context, r door.Request) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.requests = append(m.requests, r)
	return nil
}

// Answer implements door.Links.
func (m *Memory) Answer(ctx context.Context, answer func(context.Context, door.Request) ([]door.Issue, error)) (none bool, err error) {
	m.mu.Lock()
	if len(m.requests) == 0 {
		m.mu.Unlock()
		return true, nil
	}
	r := m.requests[0]
	m.requests = m.requests[1:]
	m.mu.Unlock()
	issues, err := answer(ctx, r)
	if err != nil {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.requests = append([]door.Request{r}, m.requests...)
		return false, err
	}
	for _, i := range issues {
		if err := m.Issue(ctx, i); err != nil {
			return false, err
		}
	}
	return false, nil
}

// Issue implements door.Links.
func (m *Memory) Issue(_ context.Context, i door.Issue) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.links = append(m.links, i.Link)
	if i.Mail != nil {
		m.mails = append(m.mails, *i.Mail)
	}
	return nil
}

// newest finds the last link that fits.
func (m *Memory) newest(fits func(door.Link) bool) (door.Link, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, l := range slices.Backward(m.links) {
		if fits(l) {
			return l, true, nil
		}
	}
	return door.Link{}, false, nil
}

func usable(l door.Link, now time.Time) bool { return l.Used.IsZero() && l.Expires.After(now) }

// Link implements door.Links.
func (m *Memory) Link(_ context.Context, hash []byte) (door.Link, bool, error) {
	return m.newest(func(l door.Link) bool { return bytes.Equal(l.Hash, hash) })
}

// LinkOfBrowser implements door.Links.
func (m *Memory) LinkOfBrowser(_ context.Context, browser []byte, now time.Time) (door.Link, bool, error) {
	return m.newest(func(l door.Link) bool { return bytes.Equal(l.Browser, browser) && usable(l, now) })
}

// LinkOf implements door.Links.
func (m *Memory) LinkOf(_ context.Context, who door.Who, now time.Time) (door.Link, bool, error) {
	mailed := []access.Purpose{access.Link, access.Invitation, access.Reset}
	return m.newest(func(l door.Link) bool {
		return of(l.Who) == of(who) && slices.Contains(mailed, l.Purpose) && usable(l, now)
	})
}

// change changes the links that fit and tells how many did.
func (m *Memory) change(fits func(door.Link) bool, with func(*door.Link)) (n int) {
	for i := range m.links {
		if fits(m.links[i]) {
			with(&m.links[i])
			n++
		}
	}
	return n
}

// Try implements door.Links.
func (m *Memory) Try(_ context.Context, id domain.ID, limit int, now time.Time) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := m.change(func(l door.Link) bool { return l.ID == id && l.Tries < limit && usable(l, now) }, func(l *door.Link) { l.Tries++ })
	return n == 1, nil
}

// Use implements door.Links.
func (m *Memory) Use(_ context.Context, id domain.ID, now time.Time) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var used door.Link
	if m.change(func(l door.Link) bool { return l.ID == id && usable(l, now) }, func(l *door.Link) { l.Used, used = now, *l }) == 0 {
		return false, nil
	}
	m.change(func(l door.Link) bool {
		return of(l.Who) == of(used.Who) && l.Purpose == used.Purpose && usable(l, now)
	}, func(l *door.Link) { l.Used = now })
	return true, nil
}

// Void implements door.Links.
func (m *Memory) Void(_ context.Context, who door.Who, now time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.change(func(l door.Link) bool { return of(l.Who) == of(who) && usable(l, now) }, func(l *door.Link) { l.Used = now })
	return nil
}

// Begin implements door.Sessions.
func (m *Memory) Begin(_ context.Context, s door.Session, hash []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sessions[s.ID] = &kept{s, string(hash)}
	return nil
}

func alive(s door.Session, now time.Time) bool { return s.Expires.After(now) && s.Ends.After(now) }

// Session implements door.Sessions.
func (m *Memory) Session(_ context.Context, hash []byte, ip, agent string, now time.Time) (s door.Session, noted, ok bool, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, k := range m.sessions {
		if k.hash != string(hash) || !alive(k.Session, now) {
			continue
		}
		s = k.Session
		if noted = now.Sub(k.Seen) >= time.Minute; noted {
			k.Seen, k.Expires, k.IP, k.Agent = now, now.Add(k.Idle), ip, agent
		}
		return s, noted, true, nil
	}
	return s, false, false, nil
}

// Peek implements door.Sessions.
func (m *Memory) Peek(_ context.Context, hash []byte, now time.Time) (door.Session, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, k := range m.sessions {
		if k.hash == string(hash) && alive(k.Session, now) {
			return k.Session, true, nil
		}
	}
	return door.Session{}, false, nil
}

// Change implements door.Sessions.
func (m *Memory) Change(_ context.Context, s door.Session, hash []byte) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.sessions[s.ID] == nil {
		return false, nil
	}
	m.sessions[s.ID] = &kept{s, string(hash)}
	return true, nil
}

// Sessions implements door.Sessions.
func (m *Memory) Sessions(_ context.Context, who door.Who, now time.Time) (list []door.Session, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, k := range m.sessions {
		if of(k.Who) == of(who) && k.Stage == door.Open && alive(k.Session, now) {
			list = append(list, k.Session)
		}
	}
	slices.SortFunc(list, func(a, b door.Session) int {
		if c := b.Seen.Compare(a.Seen); c != 0 {
			return c
		}
		return bytes.Compare(a.ID[:], b.ID[:])
	})
	return list, nil
}

// end ends the sessions that fit.
func (m *Memory) end(fits func(door.Session) bool) (ended []door.Session) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for id, k := range m.sessions {
		if fits(k.Session) {
			ended = append(ended, k.Session)
			delete(m.sessions, id)
		}
	}
	return ended
}

// End implements door.Sessions.
func (m *Memory) End(_ context.Context, who door.Who, id domain.ID) (s door.Session, ok bool, err error) {
	ended := m.end(func(s door.Session) bool { return of(s.Who) == of(who) && s.ID == id })
	if len(ended) == 0 {
		return s, false, nil
	}
	return ended[0], true, nil
}

// EndOthers implements door.Sessions.
func (m *Memory) EndOthers(_ context.Context, who door.Who, but domain.ID) ([]door.Session, error) {
	return m.end(func(s door.Session) bool { return of(s.Who) == of(who) && s.ID != but }), nil
}

// EndExpired implements door.Sessions.
func (m *Memory) EndExpired(_ context.Context, now time.Time) (ended []door.Session, more bool, err error) {
	return m.end(func(s door.Session) bool { return !alive(s, now) }), false, nil
}

// Choose implements door.Sessions.
func (m *Memory) Choose(_ context.Context, id, account domain.ID) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if k := m.sessions[id]; k != nil {
		k.Account = account
	}
	return nil
}

// Preview implements door.Sessions.
func (m *Memory) Preview(_ context.Context, id, contact domain.ID, until time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if k := m.sessions[id]; k != nil {
		k.Preview, k.PreviewEnds = contact, until
	}
	return nil
}

// Forget implements door.Sessions.
func (m *Memory) Forget(_ context.Context, before time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.links = slices.DeleteFunc(m.links, func(l door.Link) bool { return l.Expires.Before(before) })
	m.requests = slices.DeleteFunc(m.requests, func(r door.Request) bool { return r.At.Before(before) })
	return nil
}
