package contract

import (
	"fmt"
	"regexp"

	"github.com/atrium-portal/atrium/domain"
)

// View notes that a signer came to the contract, saw its text and what is to know about signing it electronically. All of
// that stands on one page.
type View struct {
	Contract domain.ID `json:"contract"`
}

// Target is the contract.
func (c View) Target() domain.ID { return c.Contract }

// Decide records what is new of it, while the contract waits for signatures.
func (c View) Decide(s State, m domain.Meta) ([]Event, error) {
	place, err := s.signer(m, "view-by-signer-only", "Only a signer's own view is recorded.")
	if err != nil {
		return nil, err
	}
	if s.Status == StatusDraft {
		return nil, s.mustBeOpen()
	}
	if s.Status != StatusSent || s.Signers[place].Signed {
		return nil, nil
	}
	var events []Event
	if !s.Signers[place].Opened {
		events = append(events, Opened{Contact: m.Actor.ID, Proof: Proof(m.Proof)})
	}
	if told := DisclosureNow(); s.Signers[place].Told != told.SHA256() {
		events = append(events, DisclosureShown{Contact: m.Actor.ID, Version: told.Version, SHA256: told.SHA256()})
	}
	if !s.Signers[place].Viewed {
		events = append(events, Viewed{Contact: m.Actor.ID, SHA256: s.SHA256, Through: Shown})
	}
	return events, nil
}

// Consent says that a signer has read the text and agrees to sign it electronically.
type Consent struct {
	Contract   domain.ID `json:"contract"`
	SHA256     string    `json:"sha256"`     // of the text that was shown
	Disclosure string    `json:"disclosure"` // SHA-256 of what the signer was told; see View
	Read       bool      `json:"read"`       // to the end of the text
}

// Target is the contract.
func (c Consent) Target() domain.ID { return c.Contract }

// Decide records how far the signer has read, and the consent.
func (c Consent) Decide(s State, m domain.Meta) ([]Event, error) {
	place, err := s.signer(m, "consent-by-signer-only", "Only a signer can agree to sign electronically.")
	if err != nil {
		return nil, err
	}
	var v domain.Checks
	v.That(c.SHA256 != "", "sha256", "sha256-required", "Give the SHA-256 of the text that was shown.")
	v.That(c.Disclosure != "", "disclosure", "disclosure-required", "Give the SHA-256 of what the signer was told about signing electronically.")
	v.That(c.Read, "read", "read-required", "Read the contract to its end, then say that you have.")
	if err := v.Err(); err != nil {
		return nil, err
	}
	if err := s.mustBeOpen(); err != nil {
		return nil, err
	}
	signer := s.Signers[place]
	switch {
	case c.SHA256 != s.SHA256:
		return nil, errChanged()
	case !signer.Viewed:
		return nil, errNotViewed()
	case signer.Told != c.Disclosure || c.Disclosure != DisclosureNow().SHA256():
		return nil, &domain.Fault{
			Kind: domain.Refused, Code: "disclosure-changed", Field: "disclosure",
			Message: "What you agreed to is not what is to know about signing electronically today. Open the contract again and read it.",
		}
	case signer.Signed || signer.Consented:
		return nil, nil
	}
	var events []Event
	if !signer.Read {
		events = append(events, Viewed{Contact: m.Actor.ID, SHA256: s.SHA256, Through: ToTheEnd})
	}
	return append(events, ConsentGiven{Contact: m.Actor.ID, Disclosure: c.Disclosure}), nil
}

// WithdrawConsent takes the consent of a signer back. They can give it again.
type WithdrawConsent struct {
	Contract domain.ID `json:"contract"`
}

// Target is the contract.
func (c WithdrawConsent) Target() domain.ID { return c.Contract }

// Decide withdraws what was given and not used yet.
func (c WithdrawConsent) Decide(s State, m domain.Meta) ([]Event, error) {
	place, err := s.signer(m, "consent-by-signer-only", "Only a signer can withdraw their consent.")
	if err != nil {
		return nil, err
	}
	if err := s.mustBeOpen(); err != nil {
		return nil, err
	}
	switch signer := s.Signers[place]; {
	case signer.Signed:
		return nil, domain.Refuse("contract-already-signed", "You have signed this contract; the signature stays. Ask the firm to void it.")
	case !signer.Consented:
		return nil, nil
	}
	return []Event{ConsentWithdrawn{Contact: m.Actor.ID}}, nil
}

func errChanged() error {
	return &domain.Fault{
		Kind: domain.Refused, Code: "document-changed", Field: "sha256",
		Message: "This is not the text that was sent. Open the contract again, read it, and sign what it shows.",
	}
}

func errNotViewed() error {
	return domain.Refuse("contract-not-viewed", "Open the contract and read it before signing.")
}

// signer is the place of the actor among the signers. Another client sees no contract; anybody else is forbidden.
func (s State) signer(m domain.Meta, code, message string) (int, error) {
	if m.Actor.Kind != domain.Client {
		return 0, &domain.Fault{Kind: domain.Forbidden, Code: code, Message: message}
	}
	place := s.place(m.Actor.ID)
	if place < 0 {
		return 0, domain.Missing("contract")
	}
	return place, nil
}

// Sign puts the signer's name under the text they saw.
type Sign struct {
	Contract  domain.ID       `json:"contract"`
	Statement domain.Personal `json:"statement"` // what the signer agrees to by signing
	Name      domain.Personal `json:"name"`
	SHA256    string          `json:"sha256"` // of the text that was shown

	// Drawing is the signature as it was drawn, beside the name: SVG path data of moves and lines between whole
	// numbers, in a field of 600 by 180. Typing the name alone is enough.
	Drawing domain.Personal `json:"drawing,omitzero"`
}

const maxDrawing = 20_000 // characters

// drawing is what a signature pad makes, and nothing else: it is shown to others.
var drawing = regexp.MustCompile(`^(?:M\d{1,3} \d{1,3}(?:L\d{1,3} \d{1,3})*)*$`)

// Target is the contract.
func (c Sign) Target() domain.ID { return c.Contract }

// Decide records the signature of the signer whose turn it is; the last one completes the contract.
func (c Sign) Decide(s State, m domain.Meta) ([]Event, error) {
	place, err := s.signer(m, "staff-cannot-sign", "Only the signer can sign; staff cannot sign for a client.")
	if err != nil {
		return nil, err
	}
	var v domain.Checks
	v.Text(c.Statement.Reveal(), "statement", 2000)
	v.Text(c.Name.Reveal(), "name", 200)
	v.That(c.SHA256 != "", "sha256", "sha256-required", "Give the SHA-256 of the text that was shown.")
	drawn := c.Drawing.Reveal()
	v.That(len(drawn) <= maxDrawing && drawing.MatchString(drawn), "drawing", "drawing-unreadable", "The drawing cannot be read. Clear it and draw again, or only type your name.")
	if err := v.Err(); err != nil || s.Signers[place].Signed {
		return nil, err
	}
	if err := s.mustBeOpen(); err != nil {
		return nil, err
	}
	switch signer := s.Signers[place]; {
	case c.SHA256 != s.SHA256:
		return nil, errChanged()
	case !signer.Viewed:
		return nil, errNotViewed()
	case !signer.Consented || signer.Told != DisclosureNow().SHA256():
		return nil, domain.Refuse("consent-required", "Agree to sign electronically first, below the text of the contract; or ask for it on paper.")
	}
	if turn := s.turn(); turn != place {
		return nil, domain.Refuse("not-your-turn", fmt.Sprintf("Signer %d of %d signs first. You can sign after them.", turn+1, len(s.Signers)))
	}
	if err := m.Proof.Fresh(m.Time); err != nil {
		return nil, err
	}
	adopted := SignatureAdopted{Contact: m.Actor.ID, Form: Typed}
	if drawn != "" {
		adopted.Form, adopted.Drawing, adopted.SHA256 = Drawn, c.Drawing, digest(drawn)
	}
	events := []Event{adopted, Signed{
		Contact: m.Actor.ID, Name: c.Name, Statement: c.Statement, SHA256: s.SHA256, Order: place + 1, Proof: Proof(m.Proof),
	}}
	if place == len(s.Signers)-1 {
		events = append(events, Completed{SHA256: s.SHA256})
	}
	return events, nil
}

// Decline says that a signer will not sign.
type Decline struct {
	Contract domain.ID       `json:"contract"`
	Reason   domain.Personal `json:"reason"`
}

// Target is the contract.
func (c Decline) Target() domain.ID { return c.Contract }

// Decide ends the contract for a signer who has not signed.
func (c Decline) Decide(s State, m domain.Meta) ([]Event, error) {
	place, err := s.signer(m, "staff-cannot-decline", "Only a signer can decline; void the contract instead.")
	if err != nil {
		return nil, err
	}
	var v domain.Checks
	v.Text(c.Reason.Reveal(), "reason", 2000)
	if err := v.Err(); err != nil || s.Signers[place].Declined {
		return nil, err
	}
	if err := s.mustBeOpen(); err != nil {
		return nil, err
	}
	if s.Signers[place].Signed {
		return nil, domain.Refuse("contract-already-signed", "You have signed this contract and can no longer decline it. Ask the firm to void it.")
	}
	return []Event{Declined{Contact: m.Actor.ID, Reason: c.Reason}}, nil
}

// DeliverCopy notes that the signed contract went to a signer.
type DeliverCopy struct {
	Contract domain.ID `json:"contract"`
	Contact  domain.ID `json:"contact"`
	Channel  string    `json:"channel"`
	SHA256   string    `json:"sha256,omitempty"` // of the PDF file
}

// Target is the contract.
func (c DeliverCopy) Target() domain.ID { return c.Contract }

// Decide records it once for each signer of a complete contract.
func (c DeliverCopy) Decide(s State, _ domain.Meta) ([]Event, error) {
	place := s.place(c.Contact)
	switch {
	case s.Status == "" || place < 0:
		return nil, domain.Missing("contract")
	case s.Status != StatusComplete:
		return nil, domain.Refuse("contract-not-complete", "The contract is not signed by everybody yet.")
	case s.Signers[place].Copied:
		return nil, nil
	}
	return []Event{CopyDelivered{Contact: c.Contact, Channel: c.Channel, SHA256: c.SHA256}}, nil
}
