package firm

import "github.com/atrium-portal/atrium/domain"

// LogoSet gives the firm a logo. It is public, like all that a firm shows of itself.
type LogoSet struct {
	Logo domain.File `json:"logo"`
}

// LogoRemoved takes it away: pages show the firm's name again.
type LogoRemoved struct{}

func (LogoSet) firm()     {}
func (LogoRemoved) firm() {}

// EventType is the wire name.
func (LogoSet) EventType() string { return "FirmLogoSet" }

// EventType is the wire name.
func (LogoRemoved) EventType() string { return "FirmLogoRemoved" }

// Sentence for history.
func (LogoSet) Sentence() string { return "changed the firm's logo" }

// Sentence for history.
func (LogoRemoved) Sentence() string { return "removed the firm's logo" }

// SetLogo shows an uploaded picture as the firm's logo.
type SetLogo struct {
	Firm domain.ID `json:"firm"`
	File domain.ID `json:"file"` // that the upload was answered with

	Logo domain.File `json:"-"` // looked up before the decision
}

// Target is the firm.
func (c SetLogo) Target() domain.ID { return c.Firm }

// Decide changes the logo.
func (c SetLogo) Decide(s State, _ domain.Meta) ([]Event, error) {
	var v domain.Checks
	v.That(c.File != domain.NoID, "file", "file-required", "Choose a picture.")
	if err := v.Err(); err != nil || s.Logo.ID == c.File {
		return nil, err
	}
	return []Event{LogoSet{Logo: c.Logo}}, nil
}

// RemoveLogo shows the firm's name in place of its logo.
type RemoveLogo struct {
	Firm domain.ID `json:"firm"`
}

// Target is the firm.
func (c RemoveLogo) Target() domain.ID { return c.Firm }

// Decide removes the logo.
func (RemoveLogo) Decide(s State, _ domain.Meta) ([]Event, error) {
	if s.Logo.ID == domain.NoID {
		return nil, nil
	}
	return []Event{LogoRemoved{}}, nil
}
