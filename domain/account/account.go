// Package account is a client of the firm: a company or a person that has contacts, projects, contracts and invoices.
package account

import "github.com/atrium-portal/atrium/domain"

// Aggregate describes the account stream.
var Aggregate = domain.Aggregate[State, Event]{
	Category: "account",
	Evolve:   evolve,
	Events:   []Event{Opened{}, DetailsChanged{}, Closed{}, Reopened{}, ModulesChanged{}, BundleIssued{}, PersonJoined{}, PersonLeft{}},
	Referable: func(s State) error {
		if s.Closed {
			return domain.Refuse("account-closed", "This account is closed. Reopen it first.")
		}
		return nil
	},
}

// Event is a fact about an account.
//
//sumtype:decl
type Event interface {
	domain.Event
	account()
}

// Opened is the first event of every account. Contact is the id of its first contact, whose own stream follows.
type Opened struct {
	Name     domain.Personal `json:"name"`
	Currency string          `json:"currency"` // every amount of the account is in it
	Contact  domain.ID       `json:"contact"`
	Person   Person          `json:"person" subject:"contact"` // the first contact as given
}

// Person is a contact's name, e-mail and phone number as given when an account is opened.
type Person struct {
	Name  domain.Personal `json:"name"`
	Email domain.Personal `json:"email"`
	Phone domain.Personal `json:"phone,omitzero"`
}

// DetailsChanged carries the details as they are from now on.
type DetailsChanged struct {
	Name    domain.Personal `json:"name"`
	Address domain.Personal `json:"address,omitzero"`
	TaxID   domain.Personal `json:"tax_id,omitzero"`
	Notes   domain.Personal `json:"notes,omitzero"` // internal: never shown to clients
}

// Closed takes no new work; everything stays readable.
type Closed struct {
	Reason domain.Personal `json:"reason,omitzero"`
}

// Reopened takes new work again.
type Reopened struct{}

func (Opened) account()         {}
func (DetailsChanged) account() {}
func (Closed) account()         {}
func (Reopened) account()       {}

// EventType is the wire name.
func (Opened) EventType() string { return "AccountOpened" }

// EventType is the wire name.
func (DetailsChanged) EventType() string { return "AccountDetailsChanged" }

// EventType is the wire name.
func (Closed) EventType() string { return "AccountClosed" }

// EventType is the wire name.
func (Reopened) EventType() string { return "AccountReopened" }

// Sentence for history.
func (e Opened) Sentence() string { return "opened the account" + e.Name.After(" ") }

// Sentence for history.
func (DetailsChanged) Sentence() string { return "changed the account's details" }

// Sentence for history.
func (Closed) Sentence() string { return "closed the account" }

// Sentence for history.
func (Reopened) Sentence() string { return "reopened the account" }

// State is what decisions about an account need.
type State struct {
	Currency   string
	Details    DetailsChanged
	Closed     bool
	ModulesOff []domain.Module      // sorted, each once
	Bundle     domain.ID            // the last one issued
	Joined     map[domain.ID]string // contacts of other accounts, with their role here
}

func evolve(s State, e Event) State {
	switch e := e.(type) {
	case Opened:
		s.Currency, s.Details.Name = e.Currency, e.Name
	case DetailsChanged:
		s.Details = e
	case Closed:
		s.Closed = true
	case Reopened:
		s.Closed = false
	case ModulesChanged:
		s.ModulesOff = e.Off
	case BundleIssued:
		s.Bundle = e.Bundle
	case PersonJoined:
		s.Joined = s.joined(e.Contact, e.Role)
	case PersonLeft:
		s.Joined = s.joined(e.Contact, "")
	}
	return s
}

// Open makes an account with its first contact.
type Open struct {
	Name     domain.Personal `json:"name"`
	Currency string          `json:"currency"`
	Contact  Person          `json:"contact"`
}

// Decide opens the account.
func (c Open) Decide(_ State, m domain.Meta) ([]Event, error) {
	var v domain.Checks
	v.Text(c.Name.Reveal(), "name", 200)
	v.That(domain.KnownCurrency(c.Currency), "currency", "currency-unknown", "Give a currency code such as EUR.")
	v.Text(c.Contact.Name.Reveal(), "contact.name", 200)
	v.Email(c.Contact.Email.Reveal(), "contact.email")
	v.OptionalText(c.Contact.Phone.Reveal(), "contact.phone", 50)
	if err := v.Err(); err != nil {
		return nil, err
	}
	return []Event{Opened{Name: c.Name, Currency: c.Currency, Contact: m.NewID("contact"), Person: c.Contact}}, nil
}

// ChangeDetails replaces the account's details. Fields left out are kept.
type ChangeDetails struct {
	Account domain.ID        `json:"account"`
	Name    *domain.Personal `json:"name,omitempty"`
	Address *domain.Personal `json:"address,omitempty"`
	TaxID   *domain.Personal `json:"tax_id,omitempty"`
	Notes   *domain.Personal `json:"notes,omitempty"`
}

// Target is the account.
func (c ChangeDetails) Target() domain.ID { return c.Account }

// Decide records the details when something differs.
func (c ChangeDetails) Decide(s State, _ domain.Meta) ([]Event, error) {
	next := s.Details
	domain.Replace(&next.Name, c.Name)
	domain.Replace(&next.Address, c.Address)
	domain.Replace(&next.TaxID, c.TaxID)
	domain.Replace(&next.Notes, c.Notes)
	var v domain.Checks
	v.Text(next.Name.Reveal(), "name", 200)
	v.OptionalText(next.Address.Reveal(), "address", 500)
	v.OptionalText(next.TaxID.Reveal(), "tax_id", 50)
	v.OptionalText(next.Notes.Reveal(), "notes", 5000)
	if err := v.Err(); err != nil || next == s.Details {
		return nil, err
	}
	return []Event{next}, nil
}

// Close ends an account; it stays readable.
type Close struct {
	Account domain.ID       `json:"account"`
	Reason  domain.Personal `json:"reason,omitzero"`
}

// Target is the account.
func (c Close) Target() domain.ID { return c.Account }

// Decide closes an open account.
func (c Close) Decide(s State, _ domain.Meta) ([]Event, error) {
	var v domain.Checks
	v.OptionalText(c.Reason.Reveal(), "reason", 500)
	if err := v.Err(); err != nil || s.Closed {
		return nil, err
	}
	return []Event{Closed{Reason: c.Reason}}, nil
}

// Reopen takes new work for a closed account.
type Reopen struct {
	Account domain.ID `json:"account"`
}

// Target is the account.
func (c Reopen) Target() domain.ID { return c.Account }

// Decide reopens a closed account.
func (c Reopen) Decide(s State, _ domain.Meta) ([]Event, error) {
	if !s.Closed {
		return nil, nil
	}
	return []Event{Reopened{}}, nil
}
