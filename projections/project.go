package projections

import (
	"slices"
	"time"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/contact"
	"github.com/atrium-portal/atrium/domain/project"
)

// projectRow is a piece of work for a client.
type projectRow struct {
	owned
	Name        string         `db:"name" history:"label"`
	Description string         `db:"description"`
	Stages      []string       `db:"stages" history:"-"` // in order
	Stage       string         `db:"stage"`
	StageIndex  int            `db:"stage_index" history:"-"` // of Stage in Stages, from 0
	Health      project.Health `db:"health"`
	HealthNote  string         `db:"health_note"` // written for the client
	Completed   bool           `db:"completed"`
	OpenedAt    time.Time      `db:"opened_at" history:"-"`
	CompletedAt time.Time      `db:"completed_at,null" history:"-"`
}

// Audience shows a project's history to everybody at the client.
func (projectRow) Audience() (visible bool, recipients []domain.ID) { return true, nil }

// Permission is what it takes to read a project's history.
func (projectRow) Permission() string { return string(contact.ViewProjects) }

// projectTeamRow is a staff member on a project's team.
type projectTeamRow struct {
	Project    domain.ID `db:"project,key"`
	Staff      domain.ID `db:"staff,key"`
	Firm       domain.ID `db:"firm"`
	Account    domain.ID `db:"account"`
	Role       string    `db:"role"` // as clients see it; may be empty
	AssignedAt time.Time `db:"assigned_at"`
}

func projectTables() []Table {
	return []Table{
		Define(Spec[projectRow]{
			Name: "projects", Categories: []string{"project"}, Primary: true, Access: OfAccount, Fold: foldProject,
			ClientsWhere: Permitted(string(contact.ViewProjects)),
			Indexes:      []string{"(account, opened_at, id)", "(firm, opened_at, id)"},
		}),
		Define(Spec[projectTeamRow]{
			Name: "project_team", Categories: []string{"project"}, Access: OfAccount, Keys: teamKeys, Fold: foldTeam,
			ClientsWhere: Permitted(string(contact.ViewProjects)),
			Indexes:      []string{"(staff)"},
		}),
	}
}

func foldProject(row *projectRow, f domain.Fact) *projectRow {
	row = known(row)
	switch e := f.Event.(project.Event).(type) {
	case project.Opened:
		row.owned = ownedBy(f)
		row.Name, row.Description, row.Stages = e.Name.Reveal(), e.Description.Reveal(), e.Stages
		row.Health, row.OpenedAt = project.OnTrack, f.Meta.Time
		row.setStage(e.Stage)
	case project.StageAdvanced:
		row.setStage(e.To)
	case project.HealthSet:
		row.Health, row.HealthNote = e.To, e.Note.Reveal()
	case project.Completed:
		row.Completed, row.CompletedAt = true, f.Meta.Time
	case project.Reopened:
		row.Completed, row.CompletedAt = false, time.Time{}
	case project.MemberAssigned, project.MemberRemoved: // rows of project_team
	}
	return row
}

func (r *projectRow) setStage(stage string) {
	r.Stage, r.StageIndex = stage, slices.Index(r.Stages, stage)
}

func teamKeys(f domain.Fact) []Key {
	switch e := f.Event.(project.Event).(type) {
	case project.MemberAssigned:
		return []Key{K(f.Of, e.Staff)}
	case project.MemberRemoved:
		return []Key{K(f.Of, e.Staff)}
	case project.Opened, project.StageAdvanced, project.HealthSet, project.Completed, project.Reopened:
	}
	return nil
}

// foldTeam keeps the day on which somebody joined when they only get another role.
func foldTeam(row *projectTeamRow, f domain.Fact) *projectTeamRow {
	switch e := f.Event.(project.Event).(type) {
	case project.MemberAssigned:
		if row == nil {
			row = &projectTeamRow{Project: f.Of, Staff: e.Staff, Firm: f.Meta.Firm, Account: f.Meta.Account, AssignedAt: f.Meta.Time}
		}
		row.Role = e.Role
	case project.MemberRemoved:
		return nil
	case project.Opened, project.StageAdvanced, project.HealthSet, project.Completed, project.Reopened:
	}
	return row
}
