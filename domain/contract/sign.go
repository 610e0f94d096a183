package contract

import (
	"fmt"
	"regexp"

	"github.com/atrium-portal/atrium/domain"
)

// View notes that a signer has seen the text.
type View struct {
	Contract domain.ID `json:"contract"`
}

// Target is the contract.
func (c View) Target() domain.ID { return c.Contract }

// Decide records a signer's first view of a contract that waits for signatures.
func (c View) Decide(s State, m domain.Meta) ([]Event, error) {
	place, err := s.signer(m, "view-by-signer-only", "Only a signer's own view is recorded.")
	if err != nil {
		return nil, err
	}
	if s.Status == StatusDraft {
		return nil, s.mustBeOpen()
	}
	if s.Status != StatusSent || s.Signers[place].Viewed {
		return nil, nil
	}
	return []Event{Viewed{Contact: m.Actor.ID, SHA256: s.SHA256}}, nil
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
	if c.SHA256 != s.SHA256 {
		return nil, &domain.Fault{
			Kind: domain.Refused, Code: "document-changed", Field: "sha256",
			Message: "This is not the text that was sent. Open the contract again, read it, and sign what it shows.",
		}
	}
	if !s.Signers[place].Viewed {
		return nil, domain.Refuse("contract-not-viewed", "Open the contract and read it before signing.")
	}
	if turn := s.turn(); turn != place {
		return nil, domain.Refuse("not-your-turn", fmt.Sprintf("Signer %d of %d signs first. You can sign after them.", turn+1, len(s.Signers)))
	}
	events := []Event{Signed{Contact: m.Actor.ID, Name: c.Name, Statement: c.Statement, SHA256: s.SHA256, Order: place + 1, Drawing: c.Drawing}}
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
