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
}

// Target is the contact that stays.
func (c Merge) Target() domain.ID { return c.Contact }

// Refs is the duplicate: of the same account, and not merged before.
func (c Merge) Refs() []domain.Ref {
	return []domain.Ref{{Field: "duplicate", Category: "contact", ID: c.Duplicate}}
}

// Decide absorbs the duplicate.
func (c Merge) Decide(s State, _ domain.Meta) ([]Event, error) {
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
	return []Event{Absorbed{Duplicate: c.Duplicate, Reason: c.Reason}}, nil
}

// Retire ends a duplicate that another contact absorbed. The loop gives it; people give Merge.
type Retire struct {
	Contact domain.ID `json:"contact"`
	Into    domain.ID `json:"into"`
}

// Target is the duplicate.
func (c Retire) Target() domain.ID { return c.Contact }

// Decide ends the duplicate once. When two people merge the same two contacts in opposite directions at the same
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
	return []Event{Merged{Into: c.Into}}, nil
}
