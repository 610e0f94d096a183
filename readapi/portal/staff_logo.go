package portal

import (
	"net/http"

	"github.com/a-h/templ"
	"github.com/go-chi/chi/v5"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/firm"
	"github.com/atrium-portal/atrium/readapi/auth"
	"github.com/atrium-portal/atrium/readapi/portal/ui"
)

const logoPath = "/staff/settings/logo"

// staffLogo is the page on which administrators give the firm its logo.
func (p *portal) staffLogo(administrator chi.Router) {
	administrator.Get("/settings/logo", p.page(func(v *visit) (templ.Component, error) { return p.logo(v, newForm()) }))
	administrator.Post("/settings/logo", p.taking(p.logoSent, p.logo, p.setLogo))
	administrator.Post("/settings/logo/remove", p.act(p.logo, p.removeLogo))
}

// logoPage is the firm's logo as it is.
type logoPage struct {
	Page ui.Page
	Form *form
	Tabs []ui.Link
}

func (p *portal) logo(v *visit, f *form) (templ.Component, error) {
	if err := v.read(); err != nil {
		return nil, err
	}
	return logoView(logoPage{v.staff("Logo", "/staff/settings"), f, v.settingsTabs("Logo")}), nil
}

// logoSent reads the form with the picture, once it is clear that its sender may change the logo.
func (p *portal) logoSent(w http.ResponseWriter, r *http.Request) (*form, error) {
	if err := p.Uploads.Allow(auth.From(r.Context()), domain.LogoFile); err != nil {
		return nil, err
	}
	sent, err := p.Uploads.Receive(w, r, domain.LogoFile)
	if err != nil {
		return nil, err
	}
	f, err := keyedForm(sent.Fields)
	if err == nil {
		f.file = sent
	}
	return f, err
}

func (p *portal) setLogo(v *visit, f *form) (step, error) {
	file, err := p.Uploads.Take(v.r.Context(), v.scope, domain.LogoFile, f.file)
	return step{name: "SetFirmLogo", command: firm.SetLogo{Firm: v.scope.Firm, File: file.ID}, to: logoPath, done: "logo-set"}, err
}

func (p *portal) removeLogo(v *visit, _ *form) (step, error) {
	return step{name: "RemoveFirmLogo", command: firm.RemoveLogo{Firm: v.scope.Firm}, to: logoPath, done: "logo-removed"}, nil
}
