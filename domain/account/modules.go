package account

import (
	"slices"
	"strings"

	"github.com/atrium-portal/atrium/domain"
)

// ModulesChanged says which parts of the portal this client does not get, beyond those that are off for everybody.
type ModulesChanged struct {
	Off []domain.Module `json:"off"` // sorted, each once
}

func (ModulesChanged) account() {}

// EventType is the wire name.
func (ModulesChanged) EventType() string { return "AccountModulesChanged" }

// Sentence for history.
func (e ModulesChanged) Sentence() string {
	if len(e.Off) == 0 {
		return "switched all modules on for the account"
	}
	names := make([]string, len(e.Off))
	for i, m := range e.Off {
		names[i] = string(m)
	}
	return "switched off for the account: " + strings.Join(names, ", ")
}

// ChangeModules says which modules an account does not get; none switches all of them on.
type ChangeModules struct {
	Account domain.ID       `json:"account"`
	Off     []domain.Module `json:"off"`
}

// Target is the account.
func (c ChangeModules) Target() domain.ID { return c.Account }

// Decide records the modules when something differs.
func (c ChangeModules) Decide(s State, _ domain.Meta) ([]Event, error) {
	var v domain.Checks
	v.Modules(c.Off, "off")
	off := domain.TidyModules(c.Off)
	if err := v.Err(); err != nil || slices.Equal(off, s.ModulesOff) {
		return nil, err
	}
	return []Event{ModulesChanged{Off: off}}, nil
}
