package project

import (
	"slices"
	"strconv"
	"strings"

	"github.com/atrium-portal/atrium/domain"
)

// DefaultStages are the stages of a project that names none.
func DefaultStages() []string {
	return []string{"Discovery", "Design", "Development", "Review", "Launch"}
}

const maxStages = 20

// Open starts a project.
type Open struct {
	Account     domain.ID       `json:"account"`
	Name        domain.Personal `json:"name"`
	Description domain.Personal `json:"description,omitzero"`
	Stages      []string        `json:"stages,omitempty"` // DefaultStages when left out
}

// Owner is the account.
func (c Open) Owner() domain.ID { return c.Account }

// Decide opens the project in its first stage.
func (c Open) Decide(_ State, _ domain.Meta) ([]Event, error) {
	stages := c.Stages
	if stages == nil {
		stages = DefaultStages()
	}
	var v domain.Checks
	v.Text(c.Name.Reveal(), "name", 200)
	v.OptionalText(c.Description.Reveal(), "description", 5000)
	v.That(len(stages) >= 1 && len(stages) <= maxStages, "stages", "stages-count", "Give between 1 and 20 stages.")
	seen := map[string]bool{}
	for i, stage := range stages {
		field, name := "stages["+strconv.Itoa(i)+"]", strings.ToLower(strings.TrimSpace(stage))
		v.That(name != "", field, "stage-required", "Give the stage a name.")
		v.That(name == "" || !seen[name], field, "stage-twice", "Give each stage a name of its own.")
		v.OptionalText(stage, field, 100)
		seen[name] = true
	}
	if err := v.Err(); err != nil {
		return nil, err
	}
	return []Event{Opened{Name: c.Name, Description: c.Description, Stages: stages, Stage: stages[0]}}, nil
}

// Advance moves a project on: to the next stage, or to the one named in To.
type Advance struct {
	Project domain.ID       `json:"project"`
	To      string          `json:"to,omitempty"`
	Reason  domain.Personal `json:"reason,omitzero"` // needed to skip a stage or to go back
}

// Target is the project.
func (c Advance) Target() domain.ID { return c.Project }

// Decide moves the project by one stage, or further with a reason.
func (c Advance) Decide(s State, _ domain.Meta) ([]Event, error) {
	if err := s.underWay(); err != nil {
		return nil, err
	}
	from := slices.Index(s.Stages, s.Stage)
	to := from + 1
	var v domain.Checks
	if c.To != "" {
		to = slices.Index(s.Stages, c.To)
		v.That(to >= 0, "to", "stage-unknown", "Give one of this project's stages: "+strings.Join(s.Stages, ", ")+".")
	} else if to == len(s.Stages) {
		return nil, domain.Refuse("project-at-last-stage", "The project is at its last stage. Complete it, or say which stage it goes back to.")
	}
	usual := to == from || to == from+1
	v.That(to < 0 || usual || strings.TrimSpace(c.Reason.Reveal()) != "", "reason", "stage-reason-required",
		"Say why the project does not go to the next stage.")
	v.OptionalText(c.Reason.Reveal(), "reason", 500)
	if err := v.Err(); err != nil || to == from {
		return nil, err
	}
	return []Event{StageAdvanced{From: s.Stage, To: s.Stages[to], Reason: c.Reason}}, nil
}

// SetHealth says how a project stands.
type SetHealth struct {
	Project domain.ID       `json:"project"`
	Health  Health          `json:"health"`
	Note    domain.Personal `json:"note,omitzero"` // needed unless on track
}

// Target is the project.
func (c SetHealth) Target() domain.ID { return c.Project }

// Decide records health and note when one differs.
func (c SetHealth) Decide(s State, _ domain.Meta) ([]Event, error) {
	var v domain.Checks
	v.That(c.Health.words() != "", "health", "health-unknown", "Give on_track, waiting_on_client or shifted.")
	if c.Health == OnTrack {
		v.OptionalText(c.Note.Reveal(), "note", 1000)
	} else {
		v.Text(c.Note.Reveal(), "note", 1000)
	}
	if err := v.Err(); err != nil {
		return nil, err
	}
	if err := s.underWay(); err != nil {
		return nil, err
	}
	if c.Health == s.Health && c.Note.Equal(s.Note) {
		return nil, nil
	}
	return []Event{HealthSet{From: s.Health, To: c.Health, Note: c.Note}}, nil
}

// Assign puts a staff member on the team. Whether there is such a staff member the loop checks.
type Assign struct {
	Project domain.ID `json:"project"`
	Staff   domain.ID `json:"staff"`
	Role    string    `json:"role,omitempty"`
}

// Target is the project.
func (c Assign) Target() domain.ID { return c.Project }

// Decide assigns the staff member, or their new role.
func (c Assign) Decide(s State, _ domain.Meta) ([]Event, error) {
	var v domain.Checks
	v.That(c.Staff != domain.NoID, "staff", "staff-required", "Say which staff member.")
	v.OptionalText(c.Role, "role", 100)
	if err := v.Err(); err != nil {
		return nil, err
	}
	if role, assigned := s.Team[c.Staff]; assigned && role == c.Role {
		return nil, nil
	}
	return []Event{MemberAssigned{Staff: c.Staff, Role: c.Role}}, nil
}

// Remove takes a staff member off the team.
type Remove struct {
	Project domain.ID `json:"project"`
	Staff   domain.ID `json:"staff"`
}

// Target is the project.
func (c Remove) Target() domain.ID { return c.Project }

// Decide removes somebody who is on the team.
func (c Remove) Decide(s State, _ domain.Meta) ([]Event, error) {
	var v domain.Checks
	v.That(c.Staff != domain.NoID, "staff", "staff-required", "Say which staff member.")
	if err := v.Err(); err != nil {
		return nil, err
	}
	if _, assigned := s.Team[c.Staff]; !assigned {
		return nil, nil
	}
	return []Event{MemberRemoved{Staff: c.Staff}}, nil
}

// Complete ends the work on a project.
type Complete struct {
	Project domain.ID `json:"project"`
}

// Target is the project.
func (c Complete) Target() domain.ID { return c.Project }

// Decide completes a project that is under way.
func (c Complete) Decide(s State, _ domain.Meta) ([]Event, error) {
	if s.Completed {
		return nil, nil
	}
	return []Event{Completed{}}, nil
}

// Reopen takes up a completed project.
type Reopen struct {
	Project domain.ID       `json:"project"`
	Reason  domain.Personal `json:"reason"`
}

// Target is the project.
func (c Reopen) Target() domain.ID { return c.Project }

// Decide reopens a completed project.
func (c Reopen) Decide(s State, _ domain.Meta) ([]Event, error) {
	var v domain.Checks
	v.Text(c.Reason.Reveal(), "reason", 500)
	if err := v.Err(); err != nil || !s.Completed {
		return nil, err
	}
	return []Event{Reopened{Reason: c.Reason}}, nil
}

// underWay refuses what a completed project does not take.
func (s State) underWay() error {
	if s.Completed {
		return domain.Refuse("project-completed", "This project is completed. Reopen it first.")
	}
	return nil
}
