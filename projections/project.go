package projections

import (
	"time"

	"github.com/atrium-portal/atrium/domain"
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

// projectTeamRow is a staff member on a project's team.
type projectTeamRow struct {
	Project    domain.ID `db:"project,key"`
	Staff      domain.ID `db:"staff,key"`
	Firm       domain.ID `db:"firm"`
	Account    domain.ID `db:"account"`
	Role       string    `db:"role"` // as clients see it; may be empty
	AssignedAt time.Time `db:"assigned_at"`
}
