package portal

import (
	"net/http"
	"net/url"
	"strconv"

	"github.com/go-chi/chi/v5"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/readapi"
	"github.com/atrium-portal/atrium/readapi/portal/ui"
)

// staffRoutes are the pages of the staff console, below /staff. What a role may not do answers 403; the commands look
// again.
func (p *portal) staffRoutes(r chi.Router) {
	manager := r.With(p.from("manager"))
	administrator := r.With(p.from("administrator"))

	r.Get("/", p.page(p.staffHome))
	p.staffEverything(r)
	p.staffClients(r, manager)
	p.staffContacts(r, manager)
	p.staffProjects(r, manager)
	p.staffInvoices(r, manager)
	p.staffContracts(r, manager)
	p.staffSettings(administrator)
}

// from lets in members of staff who have a role or a wider one.
func (p *portal) from(role string) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if v := p.visit(w, r); !v.atLeast(role) {
				p.fail(w, r, &domain.Fault{Kind: domain.Forbidden, Code: "not-permitted", Message: "This takes the role " + role + ". Ask an administrator of your firm."})
				return
			}
			next.ServeHTTP(w, r)
		})
	}
}

// staffDoneTexts say what was just done in the console. See doneTexts.
var staffDoneTexts = map[string]string{
	"account-opened":   "The client is there. Grant the first contact access when they should sign in.",
	"account-closed":   "The account is closed. Everything in it stays readable.",
	"account-reopened": "The account takes new work again.",
	"contact-added":    "The contact is there. Grant access when they should sign in.",
	"access-granted":   "The contact may sign in.",
	"access-frozen":    "Access is frozen. Every session of this contact has ended.",
	"access-unfrozen":  "The contact may sign in again as before.",
	"access-revoked":   "The contact may not sign in any more.",
	"merged":           "The duplicate is merged into this contact.",
	"linked":           "The contact works for that client, too.",
	"unlinked":         "The contact does not work for that client any more.",
	"project-opened":   "The project is open. Its client can follow it.",
	"moved":            "Moved on.",
	"project-done":     "The project is completed.",
	"project-reopened": "The project is under way again.",
	"drafted":          "The draft is saved. Its client does not have it yet.",
	"sent":             "Sent. Its client can see it now.",
	"paid":             "The payment is recorded.",
	"refunded":         "The refund is recorded.",
	"credited":         "The credit note is issued.",
	"voided":           "It is void.",
	"answered":         "Your answer is with the invoice.",
	"reviewed":         "The payment is reviewed.",
	"rebuilding":       "The tables are being made anew. Nobody has to wait for it.",
	"put-back":         "Pages read the tables from before again.",
	"logo-set":         "The new logo is on every page now.",
	"logo-removed":     "The logo is gone. Pages show the name of the firm.",
	"invited":          "The new colleague is there.",
	"role-changed":     "The role has changed.",
	"deactivated":      "The colleague has no access any more.",
}

// choices asks for things to choose from: as many as fit on a page that is still quick.
func choices(further ...string) url.Values {
	ask := url.Values{"limit": {"200"}}
	for i := 0; i+1 < len(further); i += 2 {
		ask.Set(further[i], further[i+1])
	}
	return ask
}

// colleagues are the staff as options of a field.
func colleagues(team []readapi.StaffTeamMember) []ui.Option {
	options := make([]ui.Option, 0, len(team))
	for _, m := range team {
		options = append(options, ui.Option{Value: m.ID.String(), Label: m.Name})
	}
	return options
}

// reason is the reason in a form of its own.
func (f *form) reason() domain.Personal { return f.personal("reason") }

// plain is a number as text.
func plain(n int64) string { return strconv.FormatInt(n, 10) }
