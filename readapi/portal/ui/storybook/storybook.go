// Package storybook shows every component of the design system, and whole pages made of them, with canned data. It is
// for whoever draws a page, and for the tests that look at each of them in a browser. It is served in development
// only.
//
// It may import ui, domain and templ. To show something new, add it to a page here or add a page to the list.
package storybook

import (
	"net/http"
	"slices"
	"strings"

	"github.com/a-h/templ"

	"github.com/atrium-portal/atrium/readapi/portal/ui"
)

// Path is where Handler is mounted.
const Path = "/dev/ui/"

// Page is one page of the storybook.
type Page struct {
	Name  string // in its address
	Title string
	Group string // components or pages
	view  func() templ.Component
}

// Pages lists all pages in their order.
func Pages() []Page {
	return []Page{
		{"colours", "Colours and type", components, colours},
		{"buttons", "Buttons and badges", components, buttons},
		{"forms", "Forms", components, forms},
		{"form-errors", "A form with errors", components, formErrors},
		{"lists", "Lists, tables and figures", components, lists},
		{"charts", "Charts", components, charts},
		{"feedback", "Messages and empty places", components, feedback},

		{"client-home", "Client: dashboard", examples, clientHome},
		{"client-new", "Client: dashboard of a new client", examples, clientNew},
		{"client-preview", "Client: dashboard, seen by staff", examples, clientPreview},
		{"invoices", "Client: invoices", examples, invoices},
		{"invoice", "Client: an invoice", examples, invoice},
		{"contract", "Client: a contract to sign", examples, contract},
		{"contract-signed", "Client: a signed contract", examples, contractSigned},
		{"statement", "Client: statement", examples, statement},
		{"project", "Client: a project", examples, project},
		{"profile", "Client: profile and security", examples, profile},
		{"sign-in", "Sign in", examples, signIn},
		{"check-mail", "Sign in: look into your mail", examples, checkMail},
		{"second-factor", "Sign in: second factor", examples, secondFactor},
		{"staff-home", "Staff: home", examples, staffHome},
		{"staff-client", "Staff: a client", examples, staffClient},
		{"board", "Staff: projects as a board", examples, board},
		{"editor", "Staff: writing an invoice", examples, editor},
		{"history", "Staff: history", examples, history},
		{"settings", "Staff: settings", examples, settings},
		{"operations", "Staff: operations", examples, operations},
		{"confirm", "Staff: before an invoice is voided", examples, confirm},
		{"as-of", "Staff: a client as of a day", examples, asOf},
		{"error", "An error", examples, failure},
	}
}

const (
	components = "Components"
	examples   = "Pages"
)

// Handler serves the storybook under Path. It needs ui.Static beside it. A query of brand=rrggbb and accent=rrggbb
// shows a page in other colours.
func Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := strings.TrimPrefix(r.URL.Path, Path)
		pages := Pages()
		i := slices.IndexFunc(pages, func(p Page) bool { return p.Name == name })
		view := templ.Component(index(pages))
		switch {
		case i >= 0:
			view = pages[i].view()
		case name != "":
			http.NotFound(w, r)
			return
		}
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'")
		h.Set("Content-Type", "text/html; charset=utf-8")
		if brand := r.URL.Query().Get("brand"); brand != "" {
			h.Set("Cache-Control", "no-store")
			view = rebranded(view, ui.Brand{Primary: "#" + brand, Accent: "#" + r.URL.Query().Get("accent")})
		}
		if err := view.Render(r.Context(), w); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	})
}
