package contact

import (
	"slices"

	"github.com/atrium-portal/atrium/domain"
)

// Notification is a kind of mail that a contact may do without. Mails about signing in are none of these: whoever gets
// in as somebody must not be able to keep that from them. Nor are signers' copies of what they signed.
type Notification string

// The notifications. A contact gets those that are about what they may see.
const (
	NewInvoice     Notification = "new_invoice"      // an invoice was sent
	PaymentArrived Notification = "payment_arrived"  // with the number of its receipt
	InvoiceOverdue Notification = "invoice_overdue"  // a reminder
	QuestionReply  Notification = "question_reply"   // the firm answered a question about an invoice
	ContractToSign Notification = "contract_to_sign" // it is the contact's turn
)

// Notifications lists all of them.
func Notifications() []Notification {
	return []Notification{NewInvoice, PaymentArrived, InvoiceOverdue, QuestionReply, ContractToSign}
}

// NotificationsChanged says which mails the contact does without from now on. It tells what is off, so that a kind of
// mail that is new is on.
type NotificationsChanged struct {
	Off []Notification `json:"off"` // sorted, each once
}

func (NotificationsChanged) contact() {}

// EventType is the wire name.
func (NotificationsChanged) EventType() string { return "NotificationsChanged" }

// Sentence for history.
func (NotificationsChanged) Sentence() string { return "chose which mails to get" }

// SetNotifications chooses which mails a contact does without.
type SetNotifications struct {
	Contact domain.ID      `json:"contact"`
	Off     []Notification `json:"off"` // replaced as a whole; an empty list switches all on
}

// Target is the contact.
func (c SetNotifications) Target() domain.ID { return c.Contact }

// Decide records the choice when it differs. People at the client choose for themselves alone.
func (c SetNotifications) Decide(s State, m domain.Meta) ([]Event, error) {
	if m.Actor.Kind == domain.Client && m.Actor.ID != m.Target {
		return nil, domain.Missing("contact")
	}
	var v domain.Checks
	for _, one := range c.Off {
		v.That(slices.Contains(Notifications(), one), "off", "notification-unknown", "There is no such notification.")
	}
	if err := v.Err(); err != nil {
		return nil, err
	}
	off := slices.Compact(slices.Sorted(slices.Values(c.Off)))
	if slices.Equal(off, s.Off) {
		return nil, nil
	}
	if err := s.unmerged(); err != nil {
		return nil, err
	}
	return []Event{NotificationsChanged{Off: slices.Concat([]Notification{}, off)}}, nil
}

// Wants reports whether the contact gets a kind of mail.
func (s State) Wants(n Notification) bool { return s.CanSignIn() && !slices.Contains(s.Off, n) }
