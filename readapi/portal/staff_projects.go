package portal

import (
	"net/url"
	"slices"
	"strings"

	"github.com/a-h/templ"
	"github.com/go-chi/chi/v5"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/project"
	"github.com/atrium-portal/atrium/readapi"
	"github.com/atrium-portal/atrium/readapi/portal/ui"
)

// staffProjects are the pages of projects.
func (p *portal) staffProjects(r, manager chi.Router) {
	r.Get("/projects", p.page(p.board))
	r.Get("/projects/list", p.page(p.staffProjectList))
	p.form(r, "/projects/new", p.newProject, p.openProject)
	r.Get("/projects/{id}", p.page(p.staffProject))
	r.Get("/projects/{id}/history", p.page(p.staffProjectHistory()))
	r.Post("/projects/{id}/advance", p.act(p.stagePage, p.advance))
	p.form(r, "/projects/{id}/stage", p.stagePage, p.moveProject)
	p.form(r, "/projects/{id}/health", p.healthPage, p.setHealth)
	p.form(r, "/projects/{id}/team", p.teamPage, p.assign)
	r.Post("/projects/{id}/team/{staff}/remove", p.act(nil, p.unassign))
	p.form(r, "/projects/{id}/complete", p.completePage, p.complete)
	p.form(manager, "/projects/{id}/reopen", p.reopenProjectPage, p.reopenProject)
}

// boardPage are the projects under way by stage.
type boardPage struct {
	listPage
	Columns []ui.Column
	More    bool // than fit on the board
}

// boardViews are the two ways to look at projects.
func boardViews(current string) []ui.Link {
	views := []ui.Link{{Label: "Board", Href: "/staff/projects"}, {Label: "List", Href: "/staff/projects/list"}, {Label: "Completed", Href: "/staff/projects/list?status=completed"}}
	for i := range views {
		views[i].Current = views[i].Label == current
	}
	return views
}

func (p *portal) board(v *visit) (templ.Component, error) {
	list := readapi.List[readapi.Project](v.q, v.ask([]string{"q"}, "completed", "false", "limit", "200"))
	if err := v.read(); err != nil {
		return nil, err
	}
	page := boardPage{listPage: v.list(v.staff("Projects", "/staff/projects"), len(list.Items), "project", "projects", readapi.Ends{}), More: list.Next != ""}
	page.Views = boardViews("Board")
	page.Columns = columns(list.Items, newForm())
	return boardView(page), nil
}

// columns are the stages of projects, in the order that most of them agree on, with the projects in them.
func columns(projects []readapi.Project, f *form) []ui.Column {
	var titles []string
	for _, one := range projects {
		at := 0
		for _, stage := range one.Stages {
			if i := slices.Index(titles, stage); i >= 0 {
				at = i + 1
			} else {
				titles = slices.Insert(titles, at, stage)
				at++
			}
		}
	}
	list := make([]ui.Column, len(titles))
	for i, title := range titles {
		list[i].Title = title
	}
	for _, one := range projects {
		card := ui.BoardCard{Title: one.Name, Href: "/staff/projects/" + one.ID.String(), Detail: one.AccountName, Badge: ui.HealthBadge(one.Health)}
		if next := nextStage(one); next != "" {
			card.Advance, card.Next, card.Fields = card.Href+"/advance", next, f.hidden("to", next)
		}
		if i := slices.Index(titles, one.Stage); i >= 0 {
			list[i].Cards = append(list[i].Cards, card)
		}
	}
	return list
}

// nextStage is the stage that follows on a project's; none after the last.
func nextStage(p readapi.Project) string {
	if p.Completed || p.StageIndex+1 >= len(p.Stages) {
		return ""
	}
	return p.Stages[p.StageIndex+1]
}

func (p *portal) staffProjectList(v *visit) (templ.Component, error) {
	completed := "false"
	if v.query("status") == "completed" {
		completed = "true"
	}
	list := readapi.List[readapi.Project](v.q, v.ask([]string{"q", "cursor"}, "completed", completed, "limit", pageSize))
	if err := v.read(); err != nil {
		return nil, err
	}
	page := projectsPage{v.list(v.staff("Projects", "/staff/projects"), len(list.Items), "project", "projects", list.Ends), list.Items}
	page.Views = boardViews(map[string]string{"false": "List", "true": "Completed"}[completed])
	return staffProjectsView(page), nil
}

// staffProjectPage is one project as the firm sees it.
type staffProjectPage struct {
	look
	Page     ui.Page
	Project  readapi.ProjectDetail
	Invoices []readapi.StaffInvoice
	History  []readapi.StaffEntry
	Manager  bool
	Form     *form
	Staff    []ui.Option // who may join the team
}

func (v *visit) readProject(title string, f *form) (staffProjectPage, error) {
	one := readapi.Get[readapi.ProjectDetail](v.q, v.id(), nil)
	invoices := readapi.List[readapi.StaffInvoice](v.q, choices("project", orElse(known(v.thing()), domain.NewID().String())))
	history := readapi.History(v.q, "projects", v.id(), url.Values{"limit": {"10"}})
	team := readapi.List[readapi.StaffTeamMember](v.q, choices("active", "true"))
	if err := v.read(); err != nil {
		return staffProjectPage{}, err
	}
	return staffProjectPage{
		look: v.look(), Page: v.staff(strings.TrimSpace(title+" "+one.Name), "/staff/projects"), Project: *one, Invoices: invoices.Items, History: history.Items,
		Manager: v.atLeast("manager"), Form: f, Staff: colleagues(team.Items),
	}, nil
}

func (p *portal) staffProject(v *visit) (templ.Component, error) {
	page, err := v.readProject("", newForm())
	if err != nil {
		return nil, err
	}
	return staffProjectView(page), nil
}

// sums are those of the project's invoices.
func (p staffProjectPage) sums() []ui.Pair {
	return projectPage{look: p.look, Invoices: plainInvoices(p.Invoices)}.sums()
}

// plainInvoices are invoices without what only staff see.
func plainInvoices(list []readapi.StaffInvoice) []readapi.Invoice {
	plain := make([]readapi.Invoice, len(list))
	for i := range list {
		plain[i] = list[i].Invoice
	}
	return plain
}

func (p *portal) staffProjectHistory() pageFunc {
	return p.historyOf("projects", func(v *visit) func() (string, []ui.Link) {
		one := readapi.Get[readapi.ProjectDetail](v.q, v.id(), nil)
		return func() (string, []ui.Link) { return one.Name, []ui.Link{{Label: "Projects", Href: "/staff/projects"}} }
	})
}

// newProjectPage is the form for a new project.
type newProjectPage struct {
	look
	Page    ui.Page
	Form    *form
	Account readapi.StaffAccount
}

func (p *portal) newProject(v *visit, f *form) (templ.Component, error) {
	if v.query("account") == "" {
		return v.chooseClient("New project", "/staff/projects")
	}
	account := readapi.Get[readapi.StaffAccount](v.q, v.query("account"), nil)
	if err := v.read(); err != nil {
		return nil, err
	}
	return newProjectView(newProjectPage{v.look(), v.staff("New project", "/staff/projects"), f, *account}), nil
}

func (p *portal) openProject(v *visit, f *form) (step, error) {
	account := idOf(v.query("account"))
	if account == domain.NoID {
		return step{}, domain.Missing("account")
	}
	return step{name: "OpenProject", command: project.Open{
		Account: account, Name: f.personal("name"), Description: f.personal("description"), Stages: textLines(f.text("stages")),
	}, to: "/staff/projects/{id}", done: "project-opened"}, nil
}

// backToProject is where one goes after something happened to a project.
func (v *visit) backToProject() string { return "/staff/projects/" + v.id() }

// advance moves a project on by one stage, from the board or from its page. The stage stands in the form: whoever
// presses the button of a page that is out of date does not move it twice.
func (p *portal) advance(v *visit, f *form) (step, error) {
	to := "/staff/projects"
	if f.text("from") == "page" {
		to = v.backToProject()
	}
	return step{name: "AdvanceStage", command: project.Advance{Project: v.thing(), To: f.text("to")}, to: to, done: "moved"}, nil
}

func (p *portal) stagePage(v *visit, f *form) (templ.Component, error) {
	page, err := v.readProject("Move", f)
	if err != nil {
		return nil, err
	}
	return stageView(page), nil
}

func (p *portal) moveProject(v *visit, f *form) (step, error) {
	return step{name: "AdvanceStage", command: project.Advance{Project: v.thing(), To: f.text("to"), Reason: f.reason()}, to: v.backToProject(), done: "moved"}, nil
}

// stageOptions are the stages that a project may move to.
func (p staffProjectPage) stageOptions() []ui.Option {
	var options []ui.Option
	for i, stage := range p.Project.Stages {
		one := ui.Option{Value: stage, Label: stage}
		switch {
		case i == p.Project.StageIndex:
			one.Label, one.Blocked = stage+" (now)", true
		case i == p.Project.StageIndex+1:
			one.Label = stage + " (next)"
		case i < p.Project.StageIndex:
			one.Label = stage + " (back)"
		default:
			one.Label = stage + " (skips)"
		}
		options = append(options, one)
	}
	return p.Form.options("to", options, nextStage(p.Project.Project))
}

func healthOptions() []ui.Option {
	var options []ui.Option
	for _, health := range []project.Health{project.OnTrack, project.WaitingOnClient, project.Shifted} {
		options = append(options, ui.Option{Value: string(health), Label: ui.StateLabel("project", string(health))})
	}
	return options
}

func (p *portal) healthPage(v *visit, f *form) (templ.Component, error) {
	page, err := v.readProject("Health of", f)
	if err != nil {
		return nil, err
	}
	return healthView(page), nil
}

func (p *portal) setHealth(v *visit, f *form) (step, error) {
	return step{name: "SetHealth", command: project.SetHealth{Project: v.thing(), Health: project.Health(f.text("health")), Note: f.personal("note")}, to: v.backToProject(), done: "saved"}, nil
}

func (p *portal) teamPage(v *visit, f *form) (templ.Component, error) {
	page, err := v.readProject("Team of", f)
	if err != nil {
		return nil, err
	}
	return teamView(page), nil
}

func (p *portal) assign(v *visit, f *form) (step, error) {
	return step{name: "AssignTeamMember", command: project.Assign{Project: v.thing(), Staff: f.id("staff"), Role: f.text("role")}, to: v.backToProject() + "/team", done: "saved"}, nil
}

func (p *portal) unassign(v *visit, _ *form) (step, error) {
	return step{name: "RemoveTeamMember", command: project.Remove{Project: v.thing(), Staff: idOf(chi.URLParam(v.r, "staff"))}, to: v.backToProject() + "/team", done: "saved"}, nil
}

func (p *portal) completePage(v *visit, f *form) (templ.Component, error) {
	page, err := v.readProject("Complete", f)
	if err != nil {
		return nil, err
	}
	return staffConfirmView(page.Page, ui.ConfirmProps{
		Title: "Complete " + page.Project.Name + "?", Text: "It leaves the board, and " + page.Project.AccountName + " sees it as completed. Everything about it stays readable, and a last invoice can still be made.",
		Action: v.backToProject() + "/complete", Button: "Complete project", Back: v.backToProject(),
	}, f, nil), nil
}

func (p *portal) complete(v *visit, _ *form) (step, error) {
	return step{name: "CompleteProject", command: project.Complete{Project: v.thing()}, to: v.backToProject(), done: "project-done"}, nil
}

func (p *portal) reopenProjectPage(v *visit, f *form) (templ.Component, error) {
	page, err := v.readProject("Reopen", f)
	if err != nil {
		return nil, err
	}
	return staffConfirmView(page.Page, ui.ConfirmProps{
		Title: "Reopen " + page.Project.Name + "?", Text: "It goes back onto the board in the stage " + page.Project.Stage + ". The client sees that it is under way again, and why.",
		Action: v.backToProject() + "/reopen", Button: "Reopen project", Back: v.backToProject(),
	}, f, reasonField(f, "")), nil
}

func (p *portal) reopenProject(v *visit, f *form) (step, error) {
	return step{name: "ReopenProject", command: project.Reopen{Project: v.thing(), Reason: f.reason()}, to: v.backToProject(), done: "project-reopened"}, nil
}
