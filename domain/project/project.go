// Package project is a piece of work for a client: its stages, its health, who works on it.
package project

import (
	"maps"

	"github.com/atrium-portal/atrium/domain"
)

// Aggregate describes the project stream. A completed project may still be referred to: its last invoice comes after.
var Aggregate = domain.Aggregate[State, Event]{
	Category: "project",
	Evolve:   evolve,
	Events:   []Event{Opened{}, StageAdvanced{}, HealthSet{}, MemberAssigned{}, MemberRemoved{}, Completed{}, Reopened{}},
}

// Event is a fact about a project.
//
//sumtype:decl
type Event interface {
	domain.Event
	project()
}

// Opened is the first event of every project. Stage is the one it starts in.
type Opened struct {
	Name        domain.Personal `json:"name"`
	Description domain.Personal `json:"description,omitzero"`
	Stages      []string        `json:"stages"` // in order, each once
	Stage       string          `json:"stage"`
}

// StageAdvanced moves the project to another stage: the next one, or any with a reason.
type StageAdvanced struct {
	From   string          `json:"from"`
	To     string          `json:"to"`
	Reason domain.Personal `json:"reason,omitzero"`
}

// HealthSet says how the project stands.
type HealthSet struct {
	From Health          `json:"from"`
	To   Health          `json:"to"`
	Note domain.Personal `json:"note,omitzero"`
}

// MemberAssigned puts a staff member on the project's team, or gives them another role in it.
type MemberAssigned struct {
	Staff domain.ID `json:"staff"`
	Role  string    `json:"role,omitempty"` // as clients see it: "Designer"
}

// MemberRemoved takes a staff member off the team.
type MemberRemoved struct {
	Staff domain.ID `json:"staff"`
}

// Completed ends the work. The stage stays as it was.
type Completed struct{}

// Reopened takes the work up again.
type Reopened struct {
	Reason domain.Personal `json:"reason"`
}

func (Opened) project()         {}
func (StageAdvanced) project()  {}
func (HealthSet) project()      {}
func (MemberAssigned) project() {}
func (MemberRemoved) project()  {}
func (Completed) project()      {}
func (Reopened) project()       {}

// EventType is the wire name.
func (Opened) EventType() string { return "ProjectOpened" }

// EventType is the wire name.
func (StageAdvanced) EventType() string { return "StageAdvanced" }

// EventType is the wire name.
func (HealthSet) EventType() string { return "HealthSet" }

// EventType is the wire name.
func (MemberAssigned) EventType() string { return "TeamMemberAssigned" }

// EventType is the wire name.
func (MemberRemoved) EventType() string { return "TeamMemberRemoved" }

// EventType is the wire name.
func (Completed) EventType() string { return "ProjectCompleted" }

// EventType is the wire name.
func (Reopened) EventType() string { return "ProjectReopened" }

// Sentence for history.
func (e Opened) Sentence() string {
	if e.Name.Erased() {
		return "opened a project"
	}
	return "opened the project " + e.Name.Reveal()
}

// Sentence for history.
func (e StageAdvanced) Sentence() string {
	return "moved the project from " + e.From + " to " + e.To + e.Reason.After(": ")
}

// Sentence for history.
func (e HealthSet) Sentence() string {
	return "marked the project as " + e.To.words() + e.Note.After(": ")
}

// Sentence for history.
func (e MemberAssigned) Sentence() string {
	if e.Role == "" {
		return "put a staff member on the project's team"
	}
	return "put a staff member on the project's team as " + e.Role
}

// Sentence for history.
func (MemberRemoved) Sentence() string { return "took a staff member off the project's team" }

// Sentence for history.
func (Completed) Sentence() string { return "completed the project" }

// Sentence for history.
func (e Reopened) Sentence() string { return "reopened the project" + e.Reason.After(": ") }

// Health is how a project stands, for its clients at a glance.
type Health string

// The healths. A project starts on track.
const (
	OnTrack         Health = "on_track"
	WaitingOnClient Health = "waiting_on_client"
	Shifted         Health = "shifted" // the dates moved
)

// words is the health in a sentence; empty for one we do not know.
func (h Health) words() string {
	switch h {
	case OnTrack:
		return "on track"
	case WaitingOnClient:
		return "waiting on the client"
	case Shifted:
		return "shifted"
	default:
		return ""
	}
}

// State is what decisions about a project need.
type State struct {
	Stages    []string
	Stage     string
	Health    Health
	Note      domain.Personal      // of the health
	Team      map[domain.ID]string // role by staff member
	Completed bool
}

func evolve(s State, e Event) State {
	switch e := e.(type) {
	case Opened:
		s.Stages, s.Stage, s.Health = e.Stages, e.Stage, OnTrack
	case StageAdvanced:
		s.Stage = e.To
	case HealthSet:
		s.Health, s.Note = e.To, e.Note
	case MemberAssigned:
		team := maps.Clone(s.Team)
		if team == nil {
			team = map[domain.ID]string{}
		}
		team[e.Staff] = e.Role
		s.Team = team
	case MemberRemoved:
		s.Team = maps.Clone(s.Team)
		delete(s.Team, e.Staff)
	case Completed:
		s.Completed = true
	case Reopened:
		s.Completed = false
	}
	return s
}
