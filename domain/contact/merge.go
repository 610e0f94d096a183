package contact

import (
	"bytes"
	"slices"

	"github.com/atrium-portal/atrium/domain"
)

// Merge says that a duplicate is the same person as this contact, which stays. It touches two streams, one after the
// other: this one absorbs, and Retire follows on the duplicate.
type Merge struct {
	Contact   domain.ID       `json:"contact"`
	Duplicate domain.ID       `json:"duplicate"`
	Reason    domain.Personal `json:"reason,omitzero"`

	// Home is the duplicate's own account and Carried are the accounts at which it gets in. The loop looks them up.
	Home    domain.ID    `json:"-"`
	Carried []Membership `json:"-"`
}

// Target is the contact that stays.
func (c Merge) Target() domain.ID { return c.Contact }

// Decide absorbs the duplicate and goes on where the duplicate got in. What was for the duplicate is for the contact from
// then on, so the contact must work for the duplicate's own client.
func (c Merge) Decide(s State, m domain.Meta) ([]Event, error) {
	var v domain.Checks
	v.That(c.Duplicate != domain.NoID, "duplicate", "duplicate-required", "Say which contact is the duplicate.")
	v.That(c.Duplicate != c.Contact, "duplicate", "contact-is-itself", "Choose another contact: this is the one that stays.")
	v.OptionalText(c.Reason.Reveal(), "reason", 500)
	if err := v.Err(); err != nil || slices.Contains(s.Absorbed, c.Duplicate) {
		return nil, err
	}
	if err := s.unmerged(); err != nil {
		return nil, err
	}
	events := []Event{Absorbed{Duplicate: c.Duplicate, Reason: c.Reason}}
	_, works := s.link(c.Home)
	works = works || c.Home == m.Account || c.Home == domain.NoID
	for _, there := range c.Carried {
		if _, known := s.link(there.Account); s.Granted && !known && there.Account != m.Account {
			events = append(events, Linked(there))
			works = works || there.Account == c.Home
		}
	}
	if !works {
		return nil, domain.Refuse("duplicate-elsewhere", "The duplicate belongs to another client. Link this contact to that client first, then merge.")
	}
	return events, nil
}

// Retire ends a duplicate that another contact absorbed. The loop gives it; people give Merge.
type Retire struct {
	Contact domain.ID `json:"contact"`
	Into    domain.ID `json:"into"`
}

// Target is the duplicate.
func (c Retire) Target() domain.ID { return c.Contact }

// Decide ends the duplicate once, and its links. When two people merge the same two contacts in opposite directions at the same
// moment, both were absorbed: the one with the smaller id stays.
func (c Retire) Decide(s State, _ domain.Meta) ([]Event, error) {
	var v domain.Checks
	v.That(c.Into != domain.NoID && c.Into != c.Contact, "into", "into-required", "Say which other contact stays.")
	if err := v.Err(); err != nil || s.MergedInto == c.Into {
		return nil, err
	}
	if err := s.unmerged(); err != nil {
		return nil, err
	}
	if slices.Contains(s.Absorbed, c.Into) && bytes.Compare(c.Contact[:], c.Into[:]) < 0 {
		return nil, nil
	}
	return append(s.unlinkAll(), Merged{Into: c.Into}), nil
}
