package project_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/atrium-portal/atrium/domain"
	dt "github.com/atrium-portal/atrium/domain/domaintest"
	"github.com/atrium-portal/atrium/domain/project"
)

type (
	testCase = dt.Case[project.State, project.Event]
	events   = []project.Event
)

var (
	opened = project.Opened{
		Name: domain.P("New website"), Description: domain.P("Before the fair"), Stages: project.DefaultStages(), Stage: "Discovery",
	}
	completed = project.Completed{}
	waiting   = project.HealthSet{From: project.OnTrack, To: project.WaitingOnClient, Note: domain.P("We need the texts.")}
)

func to(from, to, reason string) project.StageAdvanced {
	return project.StageAdvanced{From: from, To: to, Reason: domain.P(reason)}
}

func TestOpen(t *testing.T) {
	open := func(stages ...string) project.Open {
		return project.Open{Account: dt.ID("account"), Name: opened.Name, Description: opened.Description, Stages: stages}
	}
	dt.Run(t, project.Aggregate, []testCase{
		{Name: "opens with the usual stages", When: onlyNew{open()}, Then: events{opened}},
		{
			Name: "opens with stages of its own", When: onlyNew{open("Plan", "Build")},
			Then: events{project.Opened{Name: opened.Name, Description: opened.Description, Stages: []string{"Plan", "Build"}, Stage: "Plan"}},
		},
		{Name: "needs a name", When: project.Open{Name: domain.P(" ")}, Fault: "name-required name"},
		{Name: "is described in few words", When: project.Open{Name: opened.Name, Description: domain.P(strings.Repeat("x", 5001))}, Fault: "description-too-long description"},
		{Name: "needs a stage", When: project.Open{Name: opened.Name, Stages: []string{}}, Fault: "stages-count stages"},
		{Name: "needs few stages", When: open(strings.Split(strings.Repeat("s", 21), "")...), Fault: "stages-count stages"},
		{Name: "needs names for stages", When: open("Plan", " "), Fault: "stage-required stages[1]"},
		{Name: "needs different stages", When: open("Plan", "Build", "plan "), Fault: "stage-twice stages[2]"},
		{Name: "needs short names for stages", When: open(strings.Repeat("x", 101)), Fault: "stages[0]-too-long stages[0]"},
	})
}

// onlyNew stands for the loop, which runs a command that makes something only while its stream does not exist.
type onlyNew struct{ project.Open }

func (c onlyNew) Decide(s project.State, m domain.Meta) (events, error) {
	if s.Stage != "" {
		return nil, nil
	}
	return c.Open.Decide(s, m)
}

func TestStages(t *testing.T) {
	because := domain.P("The design exists.")
	dt.Run(t, project.Aggregate, []testCase{
		{Name: "advances by one", Given: events{opened}, When: &once{Advance: project.Advance{}}, Then: events{to("Discovery", "Design", "")}},
		{Name: "advances by one by name", Given: events{opened}, When: project.Advance{To: "Design"}, Then: events{to("Discovery", "Design", "")}},
		{
			Name: "advances further with a reason", Given: events{opened}, When: project.Advance{To: "Development", Reason: because},
			Then: events{to("Discovery", "Development", "The design exists.")},
		},
		{
			Name: "goes back with a reason", Given: events{opened, to("Discovery", "Design", "")}, When: project.Advance{To: "Discovery", Reason: because},
			Then: events{to("Design", "Discovery", "The design exists.")},
		},
		{Name: "needs a reason to skip", Given: events{opened}, When: project.Advance{To: "Review"}, Fault: "stage-reason-required reason"},
		{Name: "needs a reason to go back", Given: events{opened, to("Discovery", "Design", "")}, When: project.Advance{To: "Discovery"}, Fault: "stage-reason-required reason"},
		{Name: "needs more than spaces as a reason", Given: events{opened}, When: project.Advance{To: "Review", Reason: domain.P("  ")}, Fault: "stage-reason-required reason"},
		{Name: "needs a stage it has", Given: events{opened}, When: project.Advance{To: "Party", Reason: because}, Fault: "stage-unknown to"},
		{Name: "is there already", Given: events{opened}, When: project.Advance{To: "Discovery"}},
		{Name: "is at its last stage", Given: events{opened, to("Discovery", "Launch", "x")}, When: project.Advance{}, Fault: "project-at-last-stage"},
		{Name: "is at its last stage already", Given: events{opened, to("Discovery", "Launch", "x")}, When: project.Advance{To: "Launch"}},
		{Name: "is completed", Given: events{opened, completed}, When: project.Advance{}, Fault: "project-completed"},
		{Name: "is completed at that stage", Given: events{opened, completed}, When: project.Advance{To: "Discovery"}, Fault: "project-completed"},
		{
			Name: "advances once reopened", Given: events{opened, completed, project.Reopened{}}, When: project.Advance{To: "Design"},
			Then: events{to("Discovery", "Design", "")},
		},
	})
}

// once stands for the loop, which answers a command it has seen before with what that did.
type once struct {
	project.Advance
	seen bool
}

func (c *once) Decide(s project.State, m domain.Meta) (events, error) {
	if c.seen {
		return nil, nil
	}
	c.seen = true
	return c.Advance.Decide(s, m)
}

func TestHealth(t *testing.T) {
	set := func(h project.Health, note string) project.SetHealth {
		return project.SetHealth{Health: h, Note: domain.P(note)}
	}
	dt.Run(t, project.Aggregate, []testCase{
		{Name: "is set with a note", Given: events{opened}, When: set(project.WaitingOnClient, "We need the texts."), Then: events{waiting}},
		{
			Name: "is set with another note", Given: events{opened, waiting}, When: set(project.WaitingOnClient, "We need the logo."),
			Then: events{project.HealthSet{From: project.WaitingOnClient, To: project.WaitingOnClient, Note: domain.P("We need the logo.")}},
		},
		{
			Name: "is good again", Given: events{opened, waiting}, When: set(project.OnTrack, ""),
			Then: events{project.HealthSet{From: project.WaitingOnClient, To: project.OnTrack}},
		},
		{Name: "is good already", Given: events{opened}, When: set(project.OnTrack, "")},
		{Name: "is like that already", Given: events{opened, waiting}, When: set(project.WaitingOnClient, "We need the texts.")},
		{Name: "needs a note", Given: events{opened}, When: set(project.Shifted, ""), Fault: "note-required note"},
		{Name: "needs a short note", Given: events{opened}, When: set(project.OnTrack, strings.Repeat("x", 1001)), Fault: "note-too-long note"},
		{Name: "is one of three", Given: events{opened}, When: set("red", "x"), Fault: "health-unknown health"},
		{Name: "ends with the project", Given: events{opened, completed}, When: set(project.Shifted, "x"), Fault: "project-completed"},
	})
}

func TestTeam(t *testing.T) {
	ada := project.MemberAssigned{Staff: dt.ID("ada"), Role: "Designer"}
	dt.Run(t, project.Aggregate, []testCase{
		{Name: "takes a member", Given: events{opened}, When: project.Assign{Staff: dt.ID("ada"), Role: "Designer"}, Then: events{ada}},
		{Name: "takes a member without a role", Given: events{opened}, When: project.Assign{Staff: dt.ID("ada")}, Then: events{project.MemberAssigned{Staff: dt.ID("ada")}}},
		{Name: "has this member already", Given: events{opened, ada}, When: project.Assign{Staff: dt.ID("ada"), Role: "Designer"}},
		{Name: "has this member already without a role", Given: events{opened, project.MemberAssigned{Staff: dt.ID("ada")}}, When: project.Assign{Staff: dt.ID("ada")}},
		{
			Name: "gives a member another role", Given: events{opened, ada}, When: project.Assign{Staff: dt.ID("ada"), Role: "Lead"},
			Then: events{project.MemberAssigned{Staff: dt.ID("ada"), Role: "Lead"}},
		},
		{Name: "takes somebody", Given: events{opened}, When: project.Assign{}, Fault: "staff-required staff"},
		{Name: "takes short roles", Given: events{opened}, When: project.Assign{Staff: dt.ID("ada"), Role: strings.Repeat("x", 101)}, Fault: "role-too-long role"},
		{Name: "lets a member go", Given: events{opened, ada}, When: project.Remove{Staff: dt.ID("ada")}, Then: events{project.MemberRemoved{Staff: dt.ID("ada")}}},
		{Name: "let this member go already", Given: events{opened, ada, project.MemberRemoved{Staff: dt.ID("ada")}}, When: project.Remove{Staff: dt.ID("ada")}},
		{Name: "lets somebody go", Given: events{opened}, When: project.Remove{}, Fault: "staff-required staff"},
	})
}

func TestCompletion(t *testing.T) {
	reopened := project.Reopened{Reason: domain.P("One more page.")}
	dt.Run(t, project.Aggregate, []testCase{
		{Name: "completes", Given: events{opened}, When: project.Complete{}, Then: events{completed}},
		{Name: "is completed already", Given: events{opened, completed}, When: project.Complete{}},
		{Name: "reopens", Given: events{opened, completed}, When: project.Reopen{Reason: reopened.Reason}, Then: events{reopened}},
		{Name: "reopens for a reason", Given: events{opened, completed}, When: project.Reopen{}, Fault: "reason-required reason"},
		{Name: "is open already", Given: events{opened}, When: project.Reopen{Reason: reopened.Reason}},
		{Name: "completes again", Given: events{opened, completed, reopened}, When: project.Complete{}, Then: events{completed}},
	})
}

// However a project moves, it is at one of its stages, and without a reason it moves by one step at most.
func TestStageIsAlwaysKnown(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		stages := rapid.SliceOfNDistinct(rapid.StringMatching("[A-Z][a-z]{0,3}"), 1, 20, strings.ToLower).Draw(t, "stages")
		decided, err := project.Open{Name: opened.Name, Stages: stages}.Decide(project.State{}, dt.Meta())
		if err != nil {
			t.Fatal(err)
		}
		s := project.Aggregate.Fold(decided...)
		at := 0
		for range rapid.IntRange(1, 20).Draw(t, "moves") {
			target := rapid.IntRange(-1, len(stages)-1).Draw(t, "to") // -1: the next one
			c := project.Advance{Reason: domain.P(rapid.SampledFrom([]string{"", "because"}).Draw(t, "reason"))}
			if target >= 0 {
				c.To = stages[target]
			} else {
				target = at + 1
			}
			decided, err := c.Decide(s, dt.Meta())
			for _, e := range decided {
				s = project.Aggregate.Evolve(s, e)
			}
			step := target - at
			if allowed := target < len(stages) && (step == 0 || step == 1 || c.Reason.Reveal() != ""); allowed != (err == nil) {
				t.Fatalf("from %d to %d with reason %q: %v", at, target, c.Reason.Reveal(), err)
			}
			if err == nil {
				at = target
			}
			if s.Stage != stages[at] {
				t.Fatalf("at %q, want %q", s.Stage, stages[at])
			}
		}
	})
}

func TestCommandsActOnTheirTarget(t *testing.T) {
	for _, c := range []interface{ Target() domain.ID }{
		project.Advance{Project: dt.ID("it")},
		project.SetHealth{Project: dt.ID("it")},
		project.Assign{Project: dt.ID("it"), Staff: dt.ID("ada")},
		project.Remove{Project: dt.ID("it"), Staff: dt.ID("ada")},
		project.Complete{Project: dt.ID("it")},
		project.Reopen{Project: dt.ID("it")},
	} {
		if c.Target() != dt.ID("it") {
			t.Errorf("%T acts on something else", c)
		}
	}
	if (project.Open{Account: dt.ID("account")}).Owner() != dt.ID("account") {
		t.Error("it belongs to another account")
	}
}

func TestFoldLeavesEarlierStatesAlone(t *testing.T) {
	before := project.Aggregate.Fold(opened, project.MemberAssigned{Staff: dt.ID("ada"), Role: "Lead"})
	project.Aggregate.Evolve(before, project.MemberAssigned{Staff: dt.ID("ben")})
	project.Aggregate.Evolve(before, project.MemberRemoved{Staff: dt.ID("ada")})
	if len(before.Team) != 1 || before.Team[dt.ID("ada")] != "Lead" {
		t.Fatalf("an earlier state changed: %v", before.Team)
	}
}

func TestSentences(t *testing.T) {
	for want, e := range map[string]domain.Event{
		"opened the project New website":                                  opened,
		"moved the project from Design to Development":                    to("Design", "Development", ""),
		"moved the project from Design to Launch: it is only a page":      to("Design", "Launch", "it is only a page"),
		"marked the project as waiting on the client: We need the texts.": waiting,
		"marked the project as on track":                                  project.HealthSet{To: project.OnTrack},
		"marked the project as shifted: by a week":                        project.HealthSet{To: project.Shifted, Note: domain.P("by a week")},
		"put a staff member on the project's team":                        project.MemberAssigned{},
		"put a staff member on the project's team as Designer":            project.MemberAssigned{Role: "Designer"},
		"took a staff member off the project's team":                      project.MemberRemoved{},
		"completed the project":                                           completed,
		"reopened the project: One more page.":                            project.Reopened{Reason: domain.P("One more page.")},
	} {
		if got := e.Sentence(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestGolden(t *testing.T) {
	dt.Golden(t, project.Aggregate,
		opened, to("Discovery", "Development", "The design exists."), waiting, project.MemberAssigned{Staff: dt.ID("ada"), Role: "Designer"},
		project.MemberRemoved{Staff: dt.ID("ada")}, completed, project.Reopened{Reason: domain.P("One more page.")},
	)
}
