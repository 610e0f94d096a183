package firm

import (
	"reflect"

	"github.com/atrium-portal/atrium/domain"
)

// Create makes a firm.
type Create struct {
	Name         string `json:"name"`
	Currency     string `json:"currency"`
	TimeZone     string `json:"time_zone"`
	NumberFormat string `json:"number_format,omitempty"`
	Slug         string `json:"slug,omitempty"` // made of the name when left out
}

// SlugOf is the slug of the firm that becomes id: the one that was given, or one made of its name.
func (c Create) SlugOf(id domain.ID) string {
	if c.Slug != "" {
		return c.Slug
	}
	return slugOf(c.Name, SpareSlug(id))
}

// SpareSlug is a slug that no other firm has, for one whose name gives none.
func SpareSlug(id domain.ID) string { return "firm-" + id.String()[24:] }

// Decide creates the firm with the default settings.
func (c Create) Decide(_ State, m domain.Meta) ([]Event, error) {
	settings := Settings{
		Name: c.Name, Currency: c.Currency, TimeZone: c.TimeZone, NumberFormat: c.NumberFormat,
		ShowHistory: true, DefaultAudience: Permitted,
	}
	if settings.NumberFormat == "" {
		settings.NumberFormat = NumberFormats()[0]
	}
	slug := c.SlugOf(m.Target)
	var v domain.Checks
	settings.check(&v)
	checkSlug(&v, slug)
	if err := v.Err(); err != nil {
		return nil, err
	}
	return []Event{Created{Slug: slug, Settings: settings}}, nil
}

// ChangeSettings replaces settings. Fields left out are kept.
type ChangeSettings struct {
	Firm                   domain.ID `json:"firm"`
	Name                   *string   `json:"name,omitempty"`
	Currency               *string   `json:"currency,omitempty"`
	TimeZone               *string   `json:"time_zone,omitempty"`
	NumberFormat           *string   `json:"number_format,omitempty"`
	InvoicePrefix          *string   `json:"invoice_prefix,omitempty"`
	Address                *string   `json:"address,omitempty"`
	TaxID                  *string   `json:"tax_id,omitempty"`
	PaymentDetails         *string   `json:"payment_details,omitempty"`
	PrimaryColor           *string   `json:"primary_color,omitempty"` // #rrggbb
	AccentColor            *string   `json:"accent_color,omitempty"`  // #rrggbb
	ShowUnreleasedInvoices *bool     `json:"show_unreleased_invoices,omitempty"`
	ShowHistory            *bool     `json:"show_history,omitempty"`
	DefaultAudience        *Audience `json:"default_audience,omitempty"`

	RequireSecondFactorForClients *bool `json:"require_second_factor_for_clients,omitempty"`
	ClientSessionDays             *int  `json:"client_session_days,omitempty"` // 1 to 30; 0 for 30

	ModulesOff *[]domain.Module `json:"modules_off,omitempty"` // replaced as a whole; an empty list switches all on
}

// Target is the firm.
func (c ChangeSettings) Target() domain.ID { return c.Firm }

// Decide records the settings when something differs.
func (c ChangeSettings) Decide(s State, _ domain.Meta) ([]Event, error) {
	next := s.Settings
	domain.Replace(&next.Name, c.Name)
	domain.Replace(&next.Currency, c.Currency)
	domain.Replace(&next.TimeZone, c.TimeZone)
	domain.Replace(&next.NumberFormat, c.NumberFormat)
	domain.Replace(&next.InvoicePrefix, c.InvoicePrefix)
	domain.Replace(&next.Address, c.Address)
	domain.Replace(&next.TaxID, c.TaxID)
	domain.Replace(&next.PaymentDetails, c.PaymentDetails)
	domain.Replace(&next.PrimaryColor, c.PrimaryColor)
	domain.Replace(&next.AccentColor, c.AccentColor)
	domain.Replace(&next.ShowUnreleasedInvoices, c.ShowUnreleasedInvoices)
	domain.Replace(&next.ShowHistory, c.ShowHistory)
	domain.Replace(&next.DefaultAudience, c.DefaultAudience)
	domain.Replace(&next.RequireSecondFactorForClients, c.RequireSecondFactorForClients)
	domain.Replace(&next.ClientSessionDays, c.ClientSessionDays)
	if c.ModulesOff != nil {
		next.ModulesOff = domain.TidyModules(*c.ModulesOff)
	}
	var v domain.Checks
	next.check(&v)
	if err := v.Err(); err != nil || reflect.DeepEqual(next, s.Settings) {
		return nil, err
	}
	return []Event{SettingsChanged{next}}, nil
}

// Invite makes a staff member.
type Invite struct {
	Firm  domain.ID       `json:"firm"`
	Email domain.Personal `json:"email"`
	Name  domain.Personal `json:"name"`
	Role  Role            `json:"role"`
}

// Target is the firm.
func (c Invite) Target() domain.ID { return c.Firm }

// Decide invites somebody whose e-mail no active staff member has.
func (c Invite) Decide(s State, m domain.Meta) ([]Event, error) {
	var v domain.Checks
	v.Email(c.Email.Reveal(), "email")
	v.Text(c.Name.Reveal(), "name", 200)
	checkRole(&v, c.Role)
	if err := v.Err(); err != nil {
		return nil, err
	}
	if s.uses(c.Email.Reveal()) {
		return nil, domain.Refuse("staff-email-in-use", "A staff member has this e-mail already. Change their role, or deactivate them first.")
	}
	return []Event{StaffInvited{Staff: m.NewID("staff"), Name: c.Name, Email: c.Email, Role: c.Role}}, nil
}

// ChangeRole gives a staff member another role.
type ChangeRole struct {
	Firm  domain.ID `json:"firm"`
	Staff domain.ID `json:"staff"`
	Role  Role      `json:"role"`
}

// Target is the firm.
func (c ChangeRole) Target() domain.ID { return c.Firm }

// Decide changes the role of an active staff member.
func (c ChangeRole) Decide(s State, _ domain.Meta) ([]Event, error) {
	var v domain.Checks
	checkRole(&v, c.Role)
	if err := v.Err(); err != nil {
		return nil, err
	}
	member, known := s.Staff[c.Staff]
	switch {
	case !known:
		return nil, domain.Missing("staff member")
	case !member.Active:
		return nil, domain.Refuse("staff-deactivated", "This staff member was deactivated. Invite them again.")
	case member.Role == c.Role:
		return nil, nil
	case s.lastAdministrator(c.Staff):
		return nil, refuseLastAdministrator()
	}
	return []Event{StaffRoleChanged{Staff: c.Staff, From: member.Role, To: c.Role}}, nil
}

// Deactivate ends a staff member's access.
type Deactivate struct {
	Firm   domain.ID       `json:"firm"`
	Staff  domain.ID       `json:"staff"`
	Reason domain.Personal `json:"reason,omitzero"`
}

// Target is the firm.
func (c Deactivate) Target() domain.ID { return c.Firm }

// Decide deactivates a staff member, never the last administrator.
func (c Deactivate) Decide(s State, _ domain.Meta) ([]Event, error) {
	var v domain.Checks
	v.OptionalText(c.Reason.Reveal(), "reason", 500)
	if err := v.Err(); err != nil {
		return nil, err
	}
	member, known := s.Staff[c.Staff]
	switch {
	case !known:
		return nil, domain.Missing("staff member")
	case !member.Active:
		return nil, nil
	case s.lastAdministrator(c.Staff):
		return nil, refuseLastAdministrator()
	}
	return []Event{StaffDeactivated{Staff: c.Staff, Reason: c.Reason}}, nil
}

func checkRole(v *domain.Checks, r Role) {
	v.That(r.rank() > 0, "role", "role-unknown", "Give administrator, manager or member.")
}

func refuseLastAdministrator() error {
	return domain.Refuse("last-administrator", "This is the firm's last administrator. Make somebody else administrator first.")
}
