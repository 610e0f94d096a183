package portal

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/readapi"
	"github.com/atrium-portal/atrium/readapi/auth"
	"github.com/atrium-portal/atrium/readapi/portal/ui"
	"github.com/atrium-portal/atrium/readapi/upload"
)

// visit is one request of somebody who is signed in: who they are, what their page reads, and what stands around it.
type visit struct {
	*portal
	w     http.ResponseWriter
	r     *http.Request
	scope *auth.Scope
	q     *readapi.Reading
	frame *readapi.Frame
}

// visit begins a page. Its frame is read with all that the page asks for.
func (p *portal) visit(w http.ResponseWriter, r *http.Request) *visit {
	v := &visit{portal: p, w: w, r: r, scope: auth.From(r.Context())}
	v.q = p.Reader.AsOf(v.scope, r.URL.Query().Get(asOf))
	v.frame = readapi.FrameOf(v.q)
	return v
}

// read reads what was asked for.
func (v *visit) read() error {
	err := v.q.Run(v.r.Context())
	if !v.q.Then().IsZero() { // what waits today is no matter of then
		v.frame.ToPay, v.frame.ToSign, v.frame.Overdue, v.frame.Asked = 0, 0, 0, 0
	}
	return err
}

// id is the id in the address. What it is of, and whether there is such a thing, its reader says.
func (v *visit) id() string { return chi.URLParam(v.r, "id") }

// thing is the id in the address as a command takes it; none when it is no id, which no command finds.
func (v *visit) thing() domain.ID { return idOf(v.id()) }

func idOf(text string) domain.ID {
	var id domain.ID
	if id.UnmarshalText([]byte(text)) != nil || id.String() != text {
		return domain.NoID
	}
	return id
}

// query is a parameter of the address.
func (v *visit) query(name string) string { return strings.TrimSpace(v.r.URL.Query().Get(name)) }

// ask gives the parameters of a list: those named that stand in the address and are filled in, and further ones as
// name, value, name, value.
func (v *visit) ask(names []string, further ...string) url.Values {
	ask := url.Values{}
	for name, values := range v.r.URL.Query() {
		if slices.Contains(names, name) && len(values) > 0 && strings.TrimSpace(values[0]) != "" {
			ask.Set(name, strings.TrimSpace(values[0]))
		}
	}
	for i := 0; i+1 < len(further); i += 2 {
		if further[i+1] != "" {
			ask.Set(further[i], further[i+1])
		}
	}
	return ask
}

// look is how a firm writes things.
type look struct {
	Format string // of numbers
	Zone   *time.Location
	Today  domain.Date
	Staff  bool // who looks
}

func (v *visit) look() look {
	return look{v.scope.Settings.NumberFormat, v.scope.Settings.Location(), v.q.Today(), v.scope.Staff()}
}

// money writes an amount.
func (l look) money(m domain.Money) string { return ui.Money(m, l.Format) }

// brand is the firm as pages show it.
func (v *visit) brand() ui.Brand { return brandOf(v.scope) }

func brandOf(s *auth.Scope) ui.Brand {
	return ui.Brand{
		Name: s.Settings.Name, Primary: s.Settings.PrimaryColor, Accent: s.Settings.AccentColor, LogoURL: upload.LogoPath(s.Settings.Logo),
	}
}

const eventsPath = "/api/v1/events"

// client is the frame of a page for a client. current is the entry of the menu that it belongs to.
func (v *visit) client(title, current string) ui.Page {
	p := v.common(title)
	p.Home, p.Records = "/", recordsPath
	p.User.Detail = v.frame.Account
	p.User.Links = append([]ui.Link{{Label: "Profile", Href: "/profile", Icon: "person"}}, p.User.Links...)
	p.Accounts = v.accounts()
	if v.scope.Preview != nil {
		p.Preview = &ui.Preview{Client: v.frame.Name + " of " + v.frame.Account, End: previewEnd}
	}
	for _, item := range []struct {
		ui.NavItem
		permission string
	}{
		{ui.NavItem{Label: "Home", Href: "/", Icon: "home"}, ""},
		{ui.NavItem{Label: "Projects", Href: "/projects", Icon: "project"}, "view_projects"},
		{ui.NavItem{Label: "Invoices", Href: "/invoices", Icon: "invoice", Count: v.frame.ToPay, Counted: "to pay"}, "view_invoices"},
		{ui.NavItem{Label: "Statement", Href: "/statement", Icon: "statement"}, "view_invoices"},
		{ui.NavItem{Label: "Contracts", Href: "/contracts", Icon: "contract", Count: v.frame.ToSign, Counted: "to sign"}, "view_contracts"},
		{ui.NavItem{Label: "People", Href: "/people", Icon: "people"}, ""},
		{ui.NavItem{Label: "History", Href: "/history", Icon: "history"}, "history"},
	} {
		allowed := item.permission == "" || v.scope.Permits(item.permission)
		if item.permission == "history" {
			allowed = v.scope.ShowHistory
		}
		if allowed {
			item.Current = item.Href == current
			p.Nav = append(p.Nav, item.NavItem)
		}
	}
	return p
}

// accounts lets a person who works for several clients change to another one; nothing for everybody else.
func (v *visit) accounts() *ui.Accounts {
	if len(v.scope.Accounts) < 2 || v.scope.Preview != nil || v.Doors.Account == "" {
		return nil
	}
	accounts := &ui.Accounts{Action: v.Doors.Account}
	for _, one := range v.scope.Accounts {
		if one.ID == v.scope.Account {
			accounts.Current = one.Name
		} else {
			accounts.Others = append(accounts.Others, ui.Account{ID: one.ID.String(), Name: one.Name})
		}
	}
	return accounts
}

// previewEnd is where package signin ends a preview.
const previewEnd = "/staff/preview/end"

// staff is the frame of a page of the staff console.
func (v *visit) staff(title, current string) ui.Page {
	p := v.common(title)
	p.Home, p.Records = "/staff", "/staff"+recordsPath
	p.User.Detail = words(v.scope.Role)
	p.Search = &ui.Search{Action: "/staff/search", Label: "Search everything"}
	for _, item := range []ui.NavItem{
		{Label: "Home", Href: "/staff", Icon: "home", Count: v.frame.Asked, Counted: "questions"},
		{Label: "Clients", Href: "/staff/clients", Icon: "people"},
		{Label: "Projects", Href: "/staff/projects", Icon: "board"},
		{Label: "Invoices", Href: "/staff/invoices", Icon: "invoice", Count: v.frame.Overdue, Counted: "overdue"},
		{Label: "Contracts", Href: "/staff/contracts", Icon: "contract"},
		{Label: "History", Href: "/staff/history", Icon: "history"},
		{Label: "Operations", Href: "/staff/operations", Icon: "pulse"},
		{Label: "Settings", Href: "/staff/settings", Icon: "settings"},
	} {
		if (item.Href == "/staff/operations" || item.Href == "/staff/settings") && !v.atLeast("administrator") {
			continue
		}
		item.Current = item.Href == current
		p.Nav = append(p.Nav, item)
	}
	return p
}

// common is what the frames of all pages have.
func (v *visit) common(title string) ui.Page {
	p := ui.Page{
		Title: title, Brand: v.brand(), Help: v.Doors.Help, Privacy: v.Doors.Privacy,
		Events: eventsPath + "?after=" + v.q.Position().String(), Position: v.q.Position().String(), User: ui.User{Name: v.frame.Name, SignOut: v.Doors.SignOut},
	}
	if v.Doors.Security != "" {
		p.User.Links = []ui.Link{{Label: "Sign-in and security", Href: v.Doors.Security, Icon: "shield"}}
	}
	p.Flash, p.AsOf = v.done(), v.shownAsOf()
	return p
}

// atLeast reports whether a member of staff has a role or a wider one.
func (v *visit) atLeast(role string) bool {
	roles := []string{"member", "manager", "administrator"}
	return v.scope.Staff() && slices.Index(roles, v.scope.Role) >= slices.Index(roles, role)
}

var spaced = strings.NewReplacer("_", " ", "-", " ")

// words is a name of the API as people read it: "bank_transfer" becomes "Bank transfer".
func words(name string) string {
	name = spaced.Replace(name)
	if name == "" {
		return ""
	}
	return strings.ToUpper(name[:1]) + name[1:]
}

// turn is the address of another part of the list that is shown.
func (v *visit) turn(cursor string) string {
	if cursor == "" {
		return ""
	}
	q := v.r.URL.Query()
	q.Set("cursor", cursor)
	return v.r.URL.Path + "?" + q.Encode()
}
