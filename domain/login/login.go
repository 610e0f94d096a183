// Package login keeps each login e-mail of a firm to one person. The stream is named after a keyed hash of the
// address, so it holds no personal data and its name gives none away; whoever appends to it first has the address.
package login

import (
	"crypto/hmac"
	"crypto/sha256"
	"time"

	"github.com/atrium-portal/atrium/domain"
)

// Aggregate describes the login stream; the stream's id is Address.
var Aggregate = domain.Aggregate[State, Event]{
	Category: "login",
	Evolve:   evolve,
	Events:   []Event{Claimed{}, Released{}},
}

// Address is the id of a firm's login stream for an e-mail address, however it is spelled: the first 16 bytes of
// HMAC-SHA-256 under key, in the form of a version 8 UUID. Without the key nobody can test whether an address is known.
func Address(key []byte, firm domain.ID, email string) (id domain.ID) {
	mac := hmac.New(sha256.New, key)
	mac.Write(firm[:])
	mac.Write([]byte(domain.FoldEmail(email)))
	copy(id[:], mac.Sum(nil))
	id[6] = id[6]&0x0f | 0x80
	id[8] = id[8]&0x3f | 0x80
	return id
}

// takeover is how old a claim must be before another person may take over an address that its holder does not use.
// Until then the holder's own event may be on its way: the address is claimed before the contact is stored.
const takeover = 10 * time.Minute

// Event is a fact about a login e-mail.
//
//sumtype:decl
type Event interface {
	domain.Event
	login()
}

// Claimed gives the address to a person; it takes it from whoever had it.
type Claimed struct {
	Holder     domain.ID  `json:"holder"`
	HolderKind HolderKind `json:"holder_kind"`
	At         time.Time  `json:"at"`
}

// Released makes the address free.
type Released struct {
	Holder domain.ID `json:"holder"`
}

func (Claimed) login()  {}
func (Released) login() {}

// EventType is the wire name.
func (Claimed) EventType() string { return "LoginClaimed" }

// EventType is the wire name.
func (Released) EventType() string { return "LoginReleased" }

// Sentence for history.
func (e Claimed) Sentence() string { return "gave a login e-mail to a " + string(e.HolderKind) }

// Sentence for history.
func (Released) Sentence() string { return "released a login e-mail" }

// HolderKind tells what sort of person holds an address.
type HolderKind string

// The kinds of holder.
const (
	Contact HolderKind = "contact"
	Staff   HolderKind = "staff"
)

// State is who holds the address now; Holder is NoID when it is free.
type State struct {
	Holder     domain.ID
	HolderKind HolderKind
	At         time.Time // of the claim
}

func evolve(s State, e Event) State {
	switch e := e.(type) {
	case Claimed:
		s = State(e)
	case Released:
		s = State{}
	}
	return s
}

// Claim takes the address for a person. The loop gives it before it stores that person's e-mail.
type Claim struct {
	Login      domain.ID  `json:"login"`
	Holder     domain.ID  `json:"holder"`
	HolderKind HolderKind `json:"holder_kind"`
	// Freeable says that the loop looked at the present holder, who does not use the address.
	Freeable bool `json:"freeable,omitempty"`
}

// Target is the login stream.
func (c Claim) Target() domain.ID { return c.Login }

// Decide gives a free address to the holder.
func (c Claim) Decide(s State, m domain.Meta) ([]Event, error) {
	var v domain.Checks
	v.That(c.Holder != domain.NoID, "holder", "holder-required", "Say who takes the address.")
	v.That(c.HolderKind == Contact || c.HolderKind == Staff, "holder_kind", "holder-kind-unknown", "Give contact or staff.")
	if err := v.Err(); err != nil || s.Holder == c.Holder {
		return nil, err
	}
	if s.Holder != domain.NoID && !(c.Freeable && m.Time.Sub(s.At) > takeover) {
		return nil, domain.Refuse("email-in-use",
			"Someone else here already signs in with this e-mail. Merge the two contacts, or clear the e-mail of the other person, then try again.")
	}
	return []Event{Claimed{Holder: c.Holder, HolderKind: c.HolderKind, At: m.Time.UTC().Truncate(time.Microsecond)}}, nil
}

// Release gives the address back.
type Release struct {
	Login  domain.ID `json:"login"`
	Holder domain.ID `json:"holder"`
}

// Target is the login stream.
func (c Release) Target() domain.ID { return c.Login }

// Decide frees the address when it is the holder's.
func (c Release) Decide(s State, _ domain.Meta) ([]Event, error) {
	if s.Holder == domain.NoID || s.Holder != c.Holder {
		return nil, nil
	}
	return []Event{Released{Holder: c.Holder}}, nil
}
