package demo

import (
	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/project"
)

// work is the projects, for what is written about them.
type work struct{ brand, ordering, website, exhibition, donations domain.ID }

// job is a project under way.
type job struct {
	s   *story
	by  domain.Actor // who runs it
	key string
	id  domain.ID
}

func (s *story) project(by Staff, p party, when moment, name, description string, stages ...string) job {
	m := s.do(by.actor(), when, name, "OpenProject", project.Open{Account: p.id, Name: domain.P(name), Description: domain.P(description), Stages: stages})
	return job{s, by.actor(), name, m.NewID("project")}
}

func (j job) team(when moment, p Staff, role string) {
	j.s.do(j.by, when, j.key+", "+p.Name, "AssignTeamMember", project.Assign{Project: j.id, Staff: p.ID, Role: role})
}

// advance moves the project to its next stage.
func (j job) advance(when moment) {
	j.s.do(j.by, when, on(j.key, when), "AdvanceStage", project.Advance{Project: j.id})
}

func (j job) move(when moment, to, reason string) {
	j.s.do(j.by, when, on(j.key, when), "AdvanceStage", project.Advance{Project: j.id, To: to, Reason: domain.P(reason)})
}

func (j job) health(when moment, h project.Health, note string) {
	j.s.do(j.by, when, on(j.key, when), "SetHealth", project.SetHealth{Project: j.id, Health: h, Note: domain.P(note)})
}

func (j job) complete(when moment) {
	j.s.do(j.by, when, j.key, "CompleteProject", project.Complete{Project: j.id})
}

// projects tells of the year's work.
func (s *story) projects(c cast) work {
	brand := s.project(c.priya, c.holm, at(-350, 9_15), "Brand refresh and packaging",
		"A calmer mark for nine shops, bags and boxes that can be printed anywhere, and a book that says how it all goes together.",
		"Discovery", "Design", "Production", "Delivery")
	brand.team(at(-350, 9_20), c.priya, "Creative director")
	brand.team(at(-350, 9_21), c.tom, "Project manager")
	brand.advance(at(-326, 10_00))
	brand.health(at(-304, 16_45), project.WaitingOnClient, "The choice between the two marks needs the family's yes. We meet again on Thursday.")
	brand.health(at(-296, 11_10), project.OnTrack, "The wheat ear it is. Colours follow next week.")
	brand.advance(at(-272, 9_30))
	brand.health(at(-251, 15_05), project.Shifted, "The box maker moved the press date by eight days; the shops receive everything before the tenth one opens.")
	brand.advance(at(-229, 10_40))
	brand.health(at(-226, 10_45), project.OnTrack, "")
	brand.complete(at(-204, 17_20))

	website := s.project(c.tom, c.varga, at(-279, 10_00), "Practice website",
		"Forty projects, drawn and photographed, that load fast on a building site; a page for each partner; applications without e-mail.")
	website.team(at(-279, 10_05), c.tom, "Project manager")
	website.team(at(-279, 10_06), c.priya, "Art direction")
	website.advance(at(-255, 9_45))
	website.advance(at(-206, 11_30))
	website.health(at(-186, 14_20), project.WaitingOnClient, "Drawings of eleven projects are missing. Mei collects them.")
	website.health(at(-172, 9_05), project.OnTrack, "All drawings are in.")
	website.advance(at(-150, 10_15))
	website.move(at(-143, 16_30), "Design", "The partners want the projects sorted by material, not by year; two page designs change.")
	website.move(at(-122, 9_50), "Review", "The two pages were built along with their design.")
	website.advance(at(-98, 10_10))
	website.complete(at(-71, 15_45))

	donations := s.project(c.tom, c.harbour, at(-210, 9_30), "Donations platform",
		"Giving in three steps, by card or direct debit, with Gift Aid; a dashboard for the trustees; a quiet page for gifts in memory.")
	donations.team(at(-210, 9_33), c.tom, "Project manager")
	donations.team(at(-210, 9_34), c.priya, "Service design")
	donations.advance(at(-184, 10_20))
	donations.advance(at(-131, 11_00))
	donations.health(at(-112, 17_00), project.WaitingOnClient, "The bank needs the trustees' signatures before it opens the direct debit account.")
	donations.health(at(-94, 9_20), project.OnTrack, "The account is open; the first test collection went through.")
	donations.advance(at(-52, 10_05))
	donations.health(at(-30, 13_35), project.Shifted, "The accessibility review found the amount field unusable by keyboard. Fixed and tested again; launch moves by two weeks.")

	ordering := s.project(c.priya, c.holm, at(-162, 9_10), "Online ordering",
		"Order by six, collect warm at seven: a shop for nine bakeries, with cut-off times by oven and a counter view for the staff.")
	ordering.team(at(-162, 9_12), c.tom, "Project manager")
	ordering.team(at(-162, 9_13), c.priya, "Product design")
	ordering.advance(at(-137, 10_30))
	ordering.advance(at(-91, 9_40))
	ordering.health(at(-61, 16_10), project.Shifted, "Approval by the card company took two weeks longer than promised. The pilot in Ottensen starts later, the other shops on the day planned.")
	ordering.health(at(-41, 11_25), project.OnTrack, "Approved. The pilot runs.")
	ordering.advance(at(-12, 10_00))
	ordering.health(at(-6, 15_30), project.WaitingOnClient, "Allergen texts for fourteen breads are missing; without them we may not sell these online.")

	exhibition := s.project(c.priya, c.varga, at(-46, 10_15), "Exhibition: Building with Timber",
		"Six rooms, twelve models and one full-size wall joint. We design the path, the panels and the small book that visitors take home.",
		"Concept", "Design", "Build", "Opening")
	exhibition.team(at(-46, 10_18), c.priya, "Exhibition design")
	exhibition.advance(at(-19, 9_55))
	exhibition.team(at(-15, 9_30), c.tom, "Production")

	return work{brand.id, ordering.id, website.id, exhibition.id, donations.id}
}
