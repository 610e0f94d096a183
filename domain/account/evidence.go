package account

import (
	"strings"

	"github.com/atrium-portal/atrium/domain"
)

// BundleIssued says that an evidence bundle was handed out, and what it held. A later bundle about the same that
// holds less contradicts it, so nobody can leave out the end of a stream unseen.
type BundleIssued struct {
	Bundle domain.ID `json:"bundle"`
	// About is the stream of what the bundle is about and, for contacts, whose eyes it is seen with: "account-<id> as
	// contact-<id>".
	About string `json:"about"`
	Heads []Head `json:"heads"`
}

// Head is the last event of a stream when the bundle was made.
type Head struct {
	Stream   string `json:"stream"`
	Revision int64  `json:"revision"`
	Leaf     string `json:"leaf"` // its hash in the log, base64
}

func (BundleIssued) account() {}

// EventType is the wire name.
func (BundleIssued) EventType() string { return "BundleIssued" }

// Sentence for history.
func (e BundleIssued) Sentence() string {
	stream, _, _ := strings.Cut(e.About, " ")
	if kind, _, ok := domain.ParseStream(stream); ok && kind != Aggregate.Category {
		return "downloaded evidence of one " + kind
	}
	return "downloaded evidence of the account"
}

// IssueBundle records that evidence is handed out. The program gives it, for whoever asked.
type IssueBundle struct {
	Account domain.ID `json:"account"`
	About   string    `json:"about"`
	Heads   []Head    `json:"heads"`
}

// Target is the account.
func (c IssueBundle) Target() domain.ID { return c.Account }

// Decide records what is handed out, also of a closed account.
func (c IssueBundle) Decide(s State, m domain.Meta) ([]Event, error) {
	var v domain.Checks
	v.That(c.About != "", "about", "about-required", "Say what the evidence is about.")
	v.That(len(c.Heads) > 0, "heads", "heads-required", "Say what the bundle holds.")
	if err := v.Err(); err != nil || s.Bundle == m.NewID("bundle") {
		return nil, err
	}
	return []Event{BundleIssued{Bundle: m.NewID("bundle"), About: c.About, Heads: c.Heads}}, nil
}
