package portal

import (
	"slices"
	"strconv"

	"github.com/a-h/templ"
	"github.com/go-chi/chi/v5"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/firm"
	"github.com/atrium-portal/atrium/readapi"
	"github.com/atrium-portal/atrium/readapi/portal/ui"
)

// staffSettings are the pages for administrators: how the installation does, the firm's choices, its staff.
func (p *portal) staffSettings(administrator chi.Router) {
	administrator.Get("/operations", p.page(p.operations))
	p.form(administrator, "/operations/rebuild", p.rebuildPage, p.rebuild)
	p.form(administrator, "/operations/rollback", p.rollbackPage, p.rollback)
	p.form(administrator, "/settings", p.firmSettings, p.changeSettings)
	if p.Uploads != nil {
		p.staffLogo(administrator)
	}
	administrator.Get("/settings/staff", p.page(p.staffList))
	p.form(administrator, "/settings/staff/new", p.newStaff, p.inviteStaff)
	p.form(administrator, "/settings/staff/{id}/role", p.rolePage, p.changeRole)
	p.form(administrator, "/settings/staff/{id}/deactivate", p.deactivatePage, p.deactivate)
}

// settingsPage is a part of the settings.
type settingsPage struct {
	look
	Page     ui.Page
	Form     *form
	Settings readapi.FirmSettings
	Team     []readapi.StaffTeamMember
	Seen     map[domain.ID]readapi.Seen
	Member   readapi.StaffTeamMember // that a form is about
	Me       domain.ID
	Tabs     []ui.Link
	Doors    bool // the sign-in is there: colleagues can be invited
}

// settingsTabs are the parts of the settings.
func (v *visit) settingsTabs(current string) []ui.Link {
	tabs := []ui.Link{{Label: "Firm", Href: "/staff/settings"}, {Label: "Staff", Href: "/staff/settings/staff"}}
	if v.Uploads != nil {
		tabs = slices.Insert(tabs, 1, ui.Link{Label: "Logo", Href: logoPath})
	}
	for i := range tabs {
		tabs[i].Current = tabs[i].Label == current
	}
	return tabs
}

func (p *portal) firmSettings(v *visit, f *form) (templ.Component, error) {
	settings := readapi.SettingsOf(v.q)
	if err := v.read(); err != nil {
		return nil, err
	}
	return settingsView(settingsPage{look: v.look(), Page: v.staff("Settings", "/staff/settings"), Form: f, Settings: *settings, Tabs: v.settingsTabs("Firm")}), nil
}

func (p *portal) changeSettings(v *visit, f *form) (step, error) {
	name, currency, zone, format, prefix := f.text("name"), f.text("currency"), f.text("time_zone"), f.text("number_format"), f.text("invoice_prefix")
	unreleased, history, second := f.text("show_unreleased_invoices") == "yes", f.text("show_history") == "yes", f.text("require_second_factor_for_clients") == "yes"
	audience := firm.Audience(f.text("default_audience"))
	address, taxID, details := f.text("address"), f.text("tax_id"), f.text("payment_details")
	primary, accent := own(f.text("primary_color"), ui.DefaultPrimary), own(f.text("accent_color"), ui.DefaultAccent)
	off, idle := f.off(), f.sessionDays()
	return step{name: "ChangeFirmSettings", command: firm.ChangeSettings{
		Firm: v.scope.Firm, Name: &name, Currency: &currency, TimeZone: &zone, NumberFormat: &format, InvoicePrefix: &prefix,
		Address: &address, TaxID: &taxID, PaymentDetails: &details, PrimaryColor: &primary, AccentColor: &accent, ModulesOff: &off,
		ShowUnreleasedInvoices: &unreleased, ShowHistory: &history, DefaultAudience: &audience, RequireSecondFactorForClients: &second,
		ClientSessionDays: &idle,
	}, to: "/staff/settings", done: "saved"}, nil
}

// allDays is for how many days without a visit clients stay signed in where the firm has not said.
const allDays = 30

func sessionDays(s readapi.FirmSettings) string {
	if s.ClientSessionDays == 0 {
		return plain(allDays)
	}
	return plain(s.ClientSessionDays)
}

// sessionDays reads what sessionDays wrote; an empty field leaves it to the program.
func (f *form) sessionDays() int {
	text := f.text("client_session_days")
	days, err := strconv.Atoi(text)
	switch {
	case text == "" || days == allDays:
		return 0
	case err != nil || days < 1 || days > allDays:
		f.wrong("client_session_days", "session-days-invalid", "Give 1 to 30 days.")
	}
	return days
}

// number is a field for a whole number.
func number(f ui.Field) ui.Field {
	f.InputMode = "numeric"
	return f
}

// moduleOptions are the parts of the portal that clients can have; off are those that they do not get now.
func (f *form) moduleOptions(off []string) []ui.Option {
	var options []ui.Option
	for _, m := range domain.Modules() {
		one := ui.Option{Value: string(m), Label: words(string(m)), Hint: moduleHints[m]}
		one.Chosen = !slices.Contains(off, one.Value)
		if f.values != nil {
			one.Chosen = slices.Contains(f.values["modules"], one.Value)
		}
		options = append(options, one)
	}
	return options
}

var moduleHints = map[domain.Module]string{domain.Invoices: "With payments and the statement."}

// own is a colour that was chosen; none when it is the one that firms without a choice have.
func own(colour, usual string) string {
	if colour == usual {
		return ""
	}
	return colour
}

// off are the modules that were not ticked.
func (f *form) off() []domain.Module {
	off := []domain.Module{}
	for _, m := range domain.Modules() {
		if !slices.Contains(f.values["modules"], string(m)) {
			off = append(off, m)
		}
	}
	return off
}

func formatOptions() []ui.Option {
	var options []ui.Option
	for _, format := range firm.NumberFormats() {
		options = append(options, ui.Option{Value: format, Label: format})
	}
	return options
}

func audienceOptions() []ui.Option {
	return []ui.Option{
		{Value: string(firm.Permitted), Label: "Everybody at the client with the permission"},
		{Value: string(firm.Named), Label: "Only those who are named", Hint: "New invoices begin with the first contact alone."},
	}
}

func (p *portal) staffList(v *visit) (templ.Component, error) {
	team := readapi.List[readapi.StaffTeamMember](v.q, choices())
	seen := readapi.SeenOf(v.q, "")
	if err := v.read(); err != nil {
		return nil, err
	}
	return staffListView(settingsPage{
		look: v.look(), Page: v.staff("Staff", "/staff/settings"), Team: team.Items, Seen: seen, Me: v.scope.Actor.ID, Tabs: v.settingsTabs("Staff"),
		Form: newForm(), Doors: p.Doors.Security != "",
	}), nil
}

// staffRoles are what a member of staff can be.
func staffRoles() []ui.Option {
	return []ui.Option{
		{Value: string(firm.Member), Label: "Member", Hint: "Works on projects, sees clients, answers questions."},
		{Value: string(firm.Manager), Label: "Manager", Hint: "Also opens clients, gives them access, and handles invoices and contracts."},
		{Value: string(firm.Administrator), Label: "Administrator", Hint: "Also changes settings and staff, and looks after the installation."},
	}
}

func (p *portal) newStaff(v *visit, f *form) (templ.Component, error) {
	if err := v.read(); err != nil {
		return nil, err
	}
	return newStaffView(settingsPage{look: v.look(), Page: v.staff("New colleague", "/staff/settings"), Form: f}), nil
}

func (p *portal) inviteStaff(v *visit, f *form) (step, error) {
	return step{name: "InviteStaff", command: firm.Invite{
		Firm: v.scope.Firm, Name: f.personal("name"), Email: f.personal("email"), Role: firm.Role(f.text("role")),
	}, to: "/staff/settings/staff", done: "invited"}, nil
}

// member reads the colleague in the address.
func (v *visit) member(title string, f *form) (settingsPage, error) {
	one := readapi.Get[readapi.StaffTeamMember](v.q, v.id(), nil)
	if err := v.read(); err != nil {
		return settingsPage{}, err
	}
	return settingsPage{look: v.look(), Page: v.staff(title+" "+one.Name, "/staff/settings"), Form: f, Member: *one}, nil
}

func (p *portal) rolePage(v *visit, f *form) (templ.Component, error) {
	page, err := v.member("Role of", f)
	if err != nil {
		return nil, err
	}
	return roleView(page), nil
}

func (p *portal) changeRole(v *visit, f *form) (step, error) {
	return step{name: "ChangeStaffRole", command: firm.ChangeRole{Firm: v.scope.Firm, Staff: v.thing(), Role: firm.Role(f.text("role"))}, to: "/staff/settings/staff", done: "role-changed"}, nil
}

func (p *portal) deactivatePage(v *visit, f *form) (templ.Component, error) {
	page, err := v.member("Deactivate", f)
	if err != nil {
		return nil, err
	}
	return staffConfirmView(page.Page, ui.ConfirmProps{
		Title: "Deactivate " + page.Member.Name + "?", Text: "They are signed out at once and cannot sign in any more. What they did stays in the history. They can be invited again, as somebody new.",
		Action: "/staff/settings/staff/" + page.Member.ID.String() + "/deactivate", Button: "Deactivate", Danger: true, Back: "/staff/settings/staff",
	}, f, optionalReason(f, "")), nil
}

func (p *portal) deactivate(v *visit, f *form) (step, error) {
	return step{name: "DeactivateStaff", command: firm.Deactivate{Firm: v.scope.Firm, Staff: v.thing(), Reason: f.reason()}, to: "/staff/settings/staff", done: "deactivated"}, nil
}
