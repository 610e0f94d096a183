package signin

import (
	"net/http"
	"slices"
	"strings"

	"github.com/a-h/templ"
	"github.com/go-chi/chi/v5"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/readapi"
	"github.com/atrium-portal/atrium/readapi/auth"
	"github.com/atrium-portal/atrium/readapi/auth/door"
	"github.com/atrium-portal/atrium/readapi/portal/ui"
)

// accountRoutes are the pages on which people see and change how they sign in. What changes it needs a fresh proof.
func (p *Pages) accountRoutes(r chi.Router) {
	r.Post(Account, p.chooseAccount)
	r.Get(Security, p.security)
	r.Get("/account/password", p.newPassword)
	r.Post("/account/password", p.changePassword)
	r.Get("/account/authenticator", p.newAuthenticator)
	r.Post("/account/authenticator", p.addAuthenticator)
	r.Post("/account/authenticator/remove", p.removeAuthenticator)
	r.Post("/account/recovery-codes", p.newCodes)
	r.Post("/account/passkeys/begin", p.beginNewPasskey)
	r.Post("/account/passkeys", p.addPasskey)
	r.Post("/account/passkeys/use/begin", p.beginPasskey)
	r.Post("/account/passkeys/use", p.usePasskey)
	r.Post("/account/passkeys/{id}/remove", p.removePasskey)
	r.Post("/account/sessions/{id}/end", p.endSession)
	r.Post("/account/sessions/end-others", p.endOthers)
	r.Get(Proof, p.proof)
	r.Post(Proof, p.prove)
	r.Post("/account/proof/code", p.sendProofCode)
}

// chooseAccount has whoever works for several clients look at the pages of another one.
func (p *Pages) chooseAccount(w http.ResponseWriter, r *http.Request) {
	if err := p.Keeper.ChooseAccount(r.Context(), secret(r), parseID(r.PostFormValue("account")), visit(r)); err != nil {
		p.fail(w, r, err)
		return
	}
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// open gives the open session of a request.
func (p *Pages) open(w http.ResponseWriter, r *http.Request) (s door.Session, who door.Person, ok bool) {
	return p.at(w, r, door.Open)
}

// idIn is the id in the address; none when it is none.
func idIn(r *http.Request) domain.ID { return parseID(chi.URLParam(r, "id")) }

// parseID reads an id as addresses and forms have it; none when it is none.
func parseID(text string) (id domain.ID) {
	if id.UnmarshalText([]byte(text)) != nil || id.String() != text {
		return domain.NoID
	}
	return id
}

// securityView is all that the page about one's sign-in shows.
type securityView struct {
	frame    ui.AuthPage
	who      door.Person
	now      door.Session
	sessions []door.Session
	passkeys []door.Passkey
	has      door.Has
	password bool
	home     string
}

func (p *Pages) security(w http.ResponseWriter, r *http.Request) {
	s, who, ok := p.open(w, r)
	if !ok {
		return
	}
	v := securityView{who: who, now: s, home: home(s)}
	firm, err := p.firmOf(r.Context(), s)
	if err == nil {
		v.sessions, err = p.Keeper.Sessions(r.Context(), s.Who)
	}
	if err == nil {
		v.passkeys, err = p.Keeper.PasskeysOf(r.Context(), s.Who)
	}
	if err == nil {
		v.has, err = p.Keeper.FactorsOf(r.Context(), s.Who)
	}
	if err == nil {
		v.password, err = p.Keeper.HasPassword(r.Context(), s.Who)
	}
	v.frame = p.frame(firm, "Sign-in and security", "How you sign in as "+who.Email+", and where you are signed in.")
	v.frame.Wide, v.frame.Home = true, v.home
	p.page(w, r, securityPage(v), err)
}

// back returns to the page about one's sign-in.
func (p *Pages) back(w http.ResponseWriter, r *http.Request, err error) {
	if err != nil {
		p.fail(w, r, err)
		return
	}
	http.Redirect(w, r, Security, http.StatusSeeOther)
}

// backWith is back for what gave the session a new secret.
func (p *Pages) backWith(w http.ResponseWriter, r *http.Request, in door.Entry, err error) {
	if err == nil {
		p.keep(w, in)
	}
	p.back(w, r, err)
}

// fresh gives the open session when who it is was proved lately; otherwise it asks for a proof, and comes back.
func (p *Pages) fresh(w http.ResponseWriter, r *http.Request) (s door.Session, who door.Person, ok bool) {
	if s, who, ok = p.open(w, r); !ok {
		return s, who, false
	}
	if err := (&auth.Scope{Proved: s.Proved}).Fresh(p.Now()); err != nil {
		p.fail(w, r, err)
		return s, who, false
	}
	return s, who, true
}

func (p *Pages) newPassword(w http.ResponseWriter, r *http.Request) {
	if s, who, ok := p.fresh(w, r); ok {
		c, err := p.passwordChange(r, s, who)(form{})
		p.page(w, r, c, err)
	}
}

func (p *Pages) passwordChange(r *http.Request, s door.Session, who door.Person) func(form) (templ.Component, error) {
	return func(f form) (templ.Component, error) {
		firm, err := p.firmOf(r.Context(), s)
		return newPasswordForm(p.frame(firm, "Choose a password", "All your other devices are signed out then."), who, "/account/password", f), err
	}
}

func (p *Pages) changePassword(w http.ResponseWriter, r *http.Request) {
	s, who, ok := p.fresh(w, r)
	if !ok {
		return
	}
	f := formOf(r)
	in, err := p.Keeper.SetPassword(r.Context(), secret(r), f.get("password"), visit(r))
	if err != nil {
		p.again(w, r, f, err, p.passwordChange(r, s, who))
		return
	}
	p.backWith(w, r, in, nil)
}

func (p *Pages) newAuthenticator(w http.ResponseWriter, r *http.Request) {
	if s, _, ok := p.fresh(w, r); ok {
		c, err := p.enrolPage(r, s, "/account/authenticator")(form{})
		p.page(w, r, c, err)
	}
}

func (p *Pages) addAuthenticator(w http.ResponseWriter, r *http.Request) {
	if s, _, ok := p.fresh(w, r); ok {
		f := formOf(r)
		f.values.Set("next", Security)
		p.confirmTOTP(w, r, s, "/account/authenticator")
	}
}

func (p *Pages) removeAuthenticator(w http.ResponseWriter, r *http.Request) {
	in, err := p.Keeper.RemoveTOTP(r.Context(), secret(r), visit(r))
	p.backWith(w, r, in, err)
}

func (p *Pages) newCodes(w http.ResponseWriter, r *http.Request) {
	s, _, ok := p.fresh(w, r)
	if !ok {
		return
	}
	codes, err := p.Keeper.NewRecoveryCodes(r.Context(), secret(r), visit(r))
	if err != nil {
		p.fail(w, r, err)
		return
	}
	p.codes(w, r, s, codes, door.OwnPath(r.URL.Query().Get("next"), Security))
}

func (p *Pages) beginNewPasskey(w http.ResponseWriter, r *http.Request) {
	options, err := p.Keeper.BeginPasskey(r.Context(), secret(r), visit(r))
	p.passkeyAnswer(w, r, options, err)
}

// addPasskey keeps a passkey, named after the device.
func (p *Pages) addPasskey(w http.ResponseWriter, r *http.Request) {
	b, err := answer(w, r)
	if err != nil {
		readapi.Problem(w, r, err)
		return
	}
	in, err := p.Keeper.AddPasskey(r.Context(), secret(r), Device(r.UserAgent()), b, visit(r))
	next := r.URL.Query().Get("next")
	if next == "" && in.Session.Stage == door.Open {
		next = Security
	}
	var has door.Has
	if err == nil && in.Session.Stage == door.Open {
		has, err = p.Keeper.FactorsOf(r.Context(), in.Session.Who)
		if err == nil && has.Recovery == 0 {
			p.codesByScript(w, in, next)
			return
		}
	}
	p.enteredByScript(w, r, in, next, err)
}

func (p *Pages) removePasskey(w http.ResponseWriter, r *http.Request) {
	in, err := p.Keeper.RemovePasskey(r.Context(), secret(r), idIn(r), visit(r))
	p.backWith(w, r, in, err)
}

// actor is the person of a session as the doer of something.
func actor(s door.Session) domain.Actor {
	if s.Who.Staff() {
		return domain.Actor{Kind: domain.Staff, ID: s.Who.ID}
	}
	return domain.Actor{Kind: domain.Client, ID: s.Who.ID}
}

func (p *Pages) endSession(w http.ResponseWriter, r *http.Request) {
	if s, _, ok := p.open(w, r); ok {
		p.back(w, r, p.Keeper.EndSession(r.Context(), actor(s), s.Who, idIn(r), visit(r)))
	}
}

func (p *Pages) endOthers(w http.ResponseWriter, r *http.Request) {
	if s, _, ok := p.open(w, r); ok {
		p.back(w, r, p.Keeper.EndSessions(r.Context(), actor(s), s.Who, s.ID, visit(r)))
	}
}

// proof asks once more who it is.
func (p *Pages) proof(w http.ResponseWriter, r *http.Request) {
	if s, _, ok := p.open(w, r); ok {
		c, err := p.proofPage(r, s)(query(r))
		p.page(w, r, c, err)
	}
}

func (p *Pages) proofPage(r *http.Request, s door.Session) func(form) (templ.Component, error) {
	return func(f form) (templ.Component, error) {
		firm, err := p.firmOf(r.Context(), s)
		if err != nil {
			return nil, err
		}
		proofs, err := p.Keeper.ProofsOf(r.Context(), s.Who)
		return proofForm(p.frame(firm, "Is it you?", "This needs a proof that is not older than ten minutes."), proofs, f), err
	}
}

func (p *Pages) prove(w http.ResponseWriter, r *http.Request) {
	s, _, ok := p.open(w, r)
	if !ok {
		return
	}
	f := formOf(r)
	var in door.Entry
	var err error
	switch {
	case f.values.Has("password"):
		in, err = p.Keeper.ProvePassword(r.Context(), secret(r), f.get("password"), visit(r))
	case f.values.Has("mailed"):
		in, err = p.Keeper.ProveCode(r.Context(), secret(r), f.get("code"), visit(r))
	default:
		in, err = p.Keeper.ProveTOTP(r.Context(), secret(r), f.get("code"), visit(r))
	}
	if err != nil {
		p.again(w, r, f, err, p.proofPage(r, s))
		return
	}
	next := f.next()
	if next == "" {
		next = Security
	}
	p.entered(w, r, in, next)
}

func (p *Pages) sendProofCode(w http.ResponseWriter, r *http.Request) {
	s, _, ok := p.open(w, r)
	if !ok {
		return
	}
	f := formOf(r)
	if err := p.Keeper.SendProofCode(r.Context(), secret(r), visit(r)); err != nil {
		p.again(w, r, f, err, p.proofPage(r, s))
		return
	}
	f.values.Set("mailed", "1")
	c, err := p.proofPage(r, s)(f)
	p.page(w, r, c, err)
}

// Device names a device by what its browser says of itself: "Firefox on Linux".
func Device(agent string) string {
	find := func(names [][2]string) string {
		for _, n := range names {
			if strings.Contains(agent, n[0]) {
				return n[1]
			}
		}
		return ""
	}
	browser := find([][2]string{{"Edg", "Edge"}, {"OPR/", "Opera"}, {"Firefox/", "Firefox"}, {"FxiOS", "Firefox"}, {"CriOS", "Chrome"}, {"Chrome/", "Chrome"}, {"Safari/", "Safari"}})
	system := find([][2]string{{"iPhone", "iPhone"}, {"iPad", "iPad"}, {"Android", "Android"}, {"Windows", "Windows"}, {"Mac OS X", "Mac"}, {"CrOS", "Chromebook"}, {"Linux", "Linux"}})
	parts := slices.DeleteFunc([]string{browser, system}, func(s string) bool { return s == "" })
	if len(parts) == 0 {
		return "Unknown device"
	}
	return strings.Join(parts, " on ")
}

// grouped sets a long key in groups of four, to be typed.
func grouped(key string) string {
	var b strings.Builder
	for i, r := range key {
		if i > 0 && i%4 == 0 {
			b.WriteByte(' ')
		}
		b.WriteRune(r)
	}
	return b.String()
}

func joined(codes []string) string { return strings.Join(codes, "\n") }
