package readapi

import (
	"time"

	"github.com/atrium-portal/atrium/domain"
)

// TeamMember is somebody who works for the firm, as clients see them.
type TeamMember struct {
	ID     domain.ID `json:"id" sql:"s.id"`
	Name   string    `json:"name" sql:"s.name"`
	Active bool      `json:"active" sql:"s.active"`
}

// StaffTeamMember is a staff member as their colleagues see them.
type StaffTeamMember struct {
	TeamMember
	Role          string    `json:"role" sql:"s.role" enum:"administrator,manager,member"`
	Email         string    `json:"email" sql:"d.email"`
	InvitedAt     time.Time `json:"invited_at" sql:"d.invited_at"`
	DeactivatedAt time.Time `json:"deactivated_at,omitzero" sql:"d.deactivated_at"`
	Reason        string    `json:"reason,omitempty" sql:"d.reason" doc:"of the deactivation"`
}

func team() *collection {
	client, staff := viewOf[TeamMember](), viewOf[StaffTeamMember]()
	return &collection{
		name: "team", what: "staff member", doc: "Who works for the firm. Contacts see names.",
		client: source{from: "staff s", list: client, get: client, shown: "s.active"},
		staff:  source{from: "staff s left join staff_details d on d.id = s.id", list: staff, get: staff},
		id:     "s.id", firm: "s.firm",
		search:  []string{"s.name"},
		sorts:   both("name", "lower(s.name)", sortText),
		filters: []filter{{name: "active", kind: byYesNo, sql: "s.active = $"}},
	}
}
