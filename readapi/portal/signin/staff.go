package signin

import (
	"net/http"
	"slices"

	"github.com/go-chi/chi/v5"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/readapi/auth"
	"github.com/atrium-portal/atrium/readapi/auth/door"
)

// staffRoutes are what the firm does about the sign-in of others. Each takes a POST from a page of the staff console,
// with the field next for where to return to. {kind} is contacts or team.
//
//	/staff/preview {contact, reason}                    look at a contact's pages
//	/staff/preview/end
//	/staff/access/{kind}/{id}/invite {way}              way: link (none), password
//	/staff/access/{kind}/{id}/reset                     a new password by a new link
//	/staff/access/{kind}/{id}/one-time-password         shows it once
//	/staff/access/{kind}/{id}/sign-out                  ends all sessions
func (p *Pages) staffRoutes(r chi.Router) {
	r.Post("/staff/preview", p.startPreview)
	r.Post("/staff/preview/end", p.endPreview)
	r.Post("/staff/access/{kind}/{id}/invite", p.invite)
	r.Post("/staff/access/{kind}/{id}/reset", p.resetFor)
	r.Post("/staff/access/{kind}/{id}/one-time-password", p.oneTimePassword)
	r.Post("/staff/access/{kind}/{id}/sign-out", p.signOutFor)
}

// staffOnly tells clients that there is nothing here.
func (p *Pages) staffOnly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !auth.From(r.Context()).Staff() {
			p.fail(w, r, domain.Missing("page"))
			return
		}
		next.ServeHTTP(w, r)
	})
}

// roles that a member of staff may have, from the narrowest.
var roles = []string{"member", "manager", "administrator"}

// whom gives the person in the address, if the member of staff may do something about their sign-in: for contacts from
// the role that is given up, for the team administrators only.
func (p *Pages) whom(r *http.Request, role string) (door.Who, error) {
	scope := auth.From(r.Context())
	who := door.Contact(scope.Firm, idIn(r))
	switch chi.URLParam(r, "kind") {
	case "contacts":
	case "team":
		who, role = door.Member(scope.Firm, idIn(r)), "administrator"
	default:
		return who, domain.Missing("page")
	}
	if slices.Index(roles, scope.Role) < slices.Index(roles, role) {
		return who, &domain.Fault{Kind: domain.Forbidden, Code: "not-permitted", Message: "You may not do this. Ask somebody who is " + role + " at your firm."}
	}
	_, ok, err := p.People.Person(r.Context(), who)
	if err == nil && !ok {
		err = domain.Missing("person")
	}
	return who, err
}

// returned goes back to the page of the staff console.
func (p *Pages) returned(w http.ResponseWriter, r *http.Request, err error) {
	if err != nil {
		p.fail(w, r, err)
		return
	}
	http.Redirect(w, r, door.OwnPath(r.PostFormValue("next"), "/staff"), http.StatusSeeOther)
}

func (p *Pages) invite(w http.ResponseWriter, r *http.Request) {
	who, err := p.whom(r, "manager")
	if err == nil {
		err = p.Keeper.Invite(r.Context(), auth.From(r.Context()).Actor, who, r.PostFormValue("way") == "password", visit(r))
	}
	p.returned(w, r, err)
}

func (p *Pages) resetFor(w http.ResponseWriter, r *http.Request) {
	who, err := p.whom(r, "manager")
	if err == nil {
		err = p.Keeper.ResetPassword(r.Context(), auth.From(r.Context()).Actor, who, visit(r))
	}
	p.returned(w, r, err)
}

func (p *Pages) signOutFor(w http.ResponseWriter, r *http.Request) {
	who, err := p.whom(r, "member")
	if err == nil {
		err = p.Keeper.EndSessions(r.Context(), auth.From(r.Context()).Actor, who, domain.NoID, visit(r))
	}
	p.returned(w, r, err)
}

// oneTimePassword shows a password that works once, for somebody who cannot be reached by e-mail. Only this answer has
// it.
func (p *Pages) oneTimePassword(w http.ResponseWriter, r *http.Request) {
	who, err := p.whom(r, "manager")
	if err != nil {
		p.fail(w, r, err)
		return
	}
	password, err := p.Keeper.OneTimePassword(r.Context(), auth.From(r.Context()).Actor, who, visit(r))
	if err != nil {
		p.fail(w, r, err)
		return
	}
	person, _, err := p.People.Person(r.Context(), who)
	if err != nil {
		p.fail(w, r, err)
		return
	}
	firm, _, err := p.People.Firm(r.Context(), who.Firm)
	frame := p.frame(firm, "One-time password", "Tell it to "+named(person)+". It works once, within three days, and leads to the page where they choose their own.")
	p.page(w, r, oneTimePage(frame, password, door.OwnPath(r.PostFormValue("next"), "/staff")), err)
}

func (p *Pages) startPreview(w http.ResponseWriter, r *http.Request) {
	var contact domain.ID
	if err := contact.UnmarshalText([]byte(r.PostFormValue("contact"))); err != nil {
		p.fail(w, r, domain.Missing("contact"))
		return
	}
	if err := p.Keeper.StartPreview(r.Context(), secret(r), contact, r.PostFormValue("reason"), visit(r)); err != nil {
		p.fail(w, r, err)
		return
	}
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

func (p *Pages) endPreview(w http.ResponseWriter, r *http.Request) {
	p.returned(w, r, p.Keeper.EndPreview(r.Context(), secret(r), visit(r)))
}
