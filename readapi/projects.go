package readapi

import (
	"time"

	"github.com/atrium-portal/atrium/domain"
)

// Project is a piece of work for a client.
type Project struct {
	ID          domain.ID `json:"id" sql:"p.id"`
	Revision    int64     `json:"revision" sql:"p.revision"`
	Account     domain.ID `json:"account" sql:"p.account"`
	AccountName string    `json:"account_name" sql:"a.name"`
	Name        string    `json:"name" sql:"p.name"`
	Description string    `json:"description,omitempty" sql:"p.description"`
	Stages      []string  `json:"stages" sql:"p.stages"`
	Stage       string    `json:"stage" sql:"p.stage"`
	StageIndex  int       `json:"stage_index" sql:"p.stage_index" doc:"of stage in stages, from 0"`
	Health      string    `json:"health" sql:"p.health" enum:"on_track,waiting_on_client,shifted"`
	HealthNote  string    `json:"health_note,omitempty" sql:"p.health_note"`
	Completed   bool      `json:"completed" sql:"p.completed"`
	OpenedAt    time.Time `json:"opened_at" sql:"p.opened_at"`
	CompletedAt time.Time `json:"completed_at,omitzero" sql:"p.completed_at"`
}

// ProjectDetail is a project with its team.
type ProjectDetail struct {
	Project
	Team []ProjectMember `json:"team"`
}

// ProjectMember is a staff member on a project's team.
type ProjectMember struct {
	Staff domain.ID `json:"staff" sql:"t.staff"`
	Name  string    `json:"name" sql:"s.name"`
	Role  string    `json:"role,omitempty" sql:"t.role"`
}

func projects() *collection {
	all := source{from: "projects p", list: viewOf[Project](), get: viewOf[ProjectDetail]()}
	return &collection{
		name: "projects", what: "project", doc: "Pieces of work for clients.", permission: "view_projects",
		client: all, staff: all,
		id: "p.id", firm: "p.firm", account: "p.account", named: true,
		search: []string{"p.name"},
		sorts:  append(both("-opened", "p.opened_at", sortInstant), both("name", "lower(p.name)", sortText)...),
		filters: []filter{
			{name: "account", kind: byID, sql: "p.account = $"},
			{name: "completed", kind: byYesNo, sql: "p.completed = $"},
			{name: "health", kind: byWords, sql: "p.health = any($)", words: []string{"on_track", "waiting_on_client", "shifted"}},
		},
		parts: []part{{
			field: "Team", view: viewOf[ProjectMember](), order: "t.assigned_at, t.staff",
			from: "project_team t left join staff s on s.id = t.staff", where: "t.firm = {firm} and t.project = $",
		}},
		history: "h.record = $",
		about:   aboutOf{kind: "project", label: "p.name"},
	}
}
