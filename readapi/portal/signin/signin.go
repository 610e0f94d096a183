package signin

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/a-h/templ"
	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/readapi"
	"github.com/atrium-portal/atrium/readapi/auth"
	"github.com/atrium-portal/atrium/readapi/auth/door"
	"github.com/atrium-portal/atrium/readapi/portal/ui"
)

// Options of the pages. All are needed, except where a zero value is explained.
type Options struct {
	Keeper *door.Keeper
	People door.People
	Scopes auth.People // for the pages of the staff
	Now    func() time.Time
	Logger *slog.Logger // silent when nil
	// Privacy is the address of the privacy policy; empty: there is none.
	Privacy string
}

// Addresses of the pages that others lead to.
const (
	Login    = "/login"            // takes ?next=
	Logout   = "/logout"           // takes a POST
	Security = "/account/security" // how one signs in
	Proof    = "/account/proof"    // takes ?next=
	Help     = "/login/help"
	Account  = "/account" // takes a POST with account=<id>: look at another client's pages
)

// Pages answer the requests.
type Pages struct{ Options }

// New makes the pages.
func New(o Options) (*Pages, error) {
	if o.Keeper == nil || o.People == nil || o.Scopes == nil || o.Now == nil {
		return nil, errors.New("signin: Keeper, People, Scopes and Now are needed")
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return &Pages{o}, nil
}

// Routes puts the pages on a router.
func (p *Pages) Routes(r chi.Router) {
	for _, at := range []string{Login, "/clients/login", "/{firm}/login"} {
		r.Get(at, p.signIn)
		r.Post(at, p.ask)
	}
	r.Get("/login/sent", p.sent)
	r.Get("/login/link", p.link)
	r.Post("/login/link", p.follow)
	r.Post("/login/link/whose", p.whose)
	r.Get("/login/code", p.code)
	r.Post("/login/code", p.followCode)
	r.Get("/login/password", p.password)
	r.Post("/login/password", p.withPassword)
	r.Post("/login/passkey/begin", p.beginPasskeySignIn)
	r.Post("/login/passkey", p.withPasskey)
	r.Get("/login/second-factor", p.secondFactor)
	r.Post("/login/second-factor", p.second)
	r.Get("/login/enrol", p.enrol)
	r.Post("/login/enrol", p.confirmEnrolment)
	r.Get(Help, p.help)
	r.Get("/reset", p.reset)
	r.Post("/reset", p.askReset)
	r.Get("/welcome", p.welcome)
	r.Post("/welcome", p.setPassword)
	r.Get(Logout, p.leaving)
	r.Post(Logout, p.signOut)

	p.accountRoutes(r)
	r.Group(func(r chi.Router) {
		r.Use(auth.Authenticate(p.Scopes, p.fail, auth.Session(p.Keeper)), p.staffOnly)
		p.staffRoutes(r)
	})
}

// ToSignIn writes an error as others would, but sends whoever is not signed in to the sign-in page, and back
// afterwards.
func ToSignIn(others auth.Problem) auth.Problem {
	return func(w http.ResponseWriter, r *http.Request, err error) {
		fault, ok := errors.AsType[*domain.Fault](err)
		if !ok || fault.Kind != domain.Unauthenticated || r.Method != http.MethodGet && r.Method != http.MethodHead {
			others(w, r, err)
			return
		}
		http.Redirect(w, r, withNext(Login, r.URL.RequestURI()), http.StatusSeeOther)
	}
}

// withNext adds where to go afterwards to an address.
func withNext(path, next string) string {
	next = door.OwnPath(next, "")
	if next == "" || next == "/" {
		return path
	}
	return path + "?next=" + url.QueryEscape(next)
}

// browserCookie tells browsers apart, so that a link works at once only where it was asked for.
const (
	browserCookie = "__Host-atrium-browser"
	browserLasts  = time.Hour
)

// visit is a request as the door sees it.
func visit(r *http.Request) door.Visit {
	use := auth.UseOf(r)
	v := door.Visit{IP: middleware.GetClientIP(r.Context()), UserAgent: use.UserAgent, Request: readapi.RequestID(r.Context())}
	if c, err := r.Cookie(browserCookie); err == nil {
		v.Browser = c.Value
	}
	return v
}

// knownVisit is visit for a browser that is to be recognised later: it gets its cookie, or keeps it for longer.
func knownVisit(w http.ResponseWriter, r *http.Request) door.Visit {
	v := visit(r)
	if v.Browser == "" {
		v.Browser = door.NewSecret()
	}
	setCookie(w, browserCookie, v.Browser, browserLasts)
	return v
}

func setCookie(w http.ResponseWriter, name, value string, lasts time.Duration) {
	c := &http.Cookie{Name: name, Value: value, Path: "/", MaxAge: int(lasts / time.Second), Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode}
	if value == "" {
		c.MaxAge = -1
	}
	http.SetCookie(w, c)
}

// secret is that of the session's cookie; empty when there is none.
func secret(r *http.Request) string {
	if c, err := r.Cookie(auth.SessionCookie); err == nil {
		return c.Value
	}
	return ""
}

// entered gives the browser the session's new secret and sends it to what comes next.
func (p *Pages) entered(w http.ResponseWriter, r *http.Request, in door.Entry, next string) {
	p.keep(w, in)
	http.Redirect(w, r, after(in, next), http.StatusSeeOther)
}

func (p *Pages) keep(w http.ResponseWriter, in door.Entry) {
	setCookie(w, auth.SessionCookie, in.Secret, in.Session.Ends.Sub(p.Now()))
}

// after is where a sign-in goes on.
func after(in door.Entry, next string) string {
	if next == "" {
		next = in.Next
	}
	switch in.Session.Stage {
	case door.SecondFactor:
		return withNext("/login/second-factor", next)
	case door.NewPassword:
		return withNext("/welcome", next)
	case door.Enrol:
		return withNext("/login/enrol", next)
	case door.Open:
	}
	return door.OwnPath(next, home(in.Session))
}

// home is the first page of whoever has a session.
func home(s door.Session) string {
	if s.Who.Staff() {
		return "/staff"
	}
	return "/"
}

// firm is the firm of a sign-in page: the one in the address, the only one there is, or none.
func (p *Pages) firm(r *http.Request) (f door.Firm, err error) {
	firms, err := p.People.Firms(r.Context())
	if err != nil {
		return f, err
	}
	slug := chi.URLParam(r, "firm")
	if slug == "" {
		slug = r.FormValue("firm")
	}
	at := slices.IndexFunc(firms, func(f door.Firm) bool { return f.Slug == slug })
	switch {
	case slug != "" && at < 0:
		return f, domain.Missing("page")
	case slug != "":
		return firms[at], nil
	case len(firms) == 1:
		return firms[0], nil
	}
	return door.Firm{Name: "Atrium"}, nil
}

// firmOf is the firm of a session.
func (p *Pages) firmOf(ctx context.Context, s door.Session) (door.Firm, error) {
	f, _, err := p.People.Firm(ctx, s.Who.Firm)
	return f, err
}

// frame is what stands around a page.
func (p *Pages) frame(f door.Firm, title, intro string) ui.AuthPage {
	a := ui.AuthPage{Title: title, Intro: intro, Brand: brandOf(f), Home: Login, Help: Help, Privacy: p.Privacy}
	if f.Slug != "" {
		a.Home = "/" + f.Slug + "/login"
	}
	return a
}

// brandOf is how a firm shows itself.
func brandOf(f door.Firm) ui.Brand {
	return ui.Brand{Name: f.Name, Primary: f.PrimaryColor, Accent: f.AccentColor, LogoURL: f.LogoURL}
}

// form is what was typed into a form, and what was wrong with it.
type form struct {
	values url.Values
	fault  *domain.Fault
}

// formOf reads a form. One that is too large or cannot be read is empty.
func formOf(r *http.Request) form {
	if err := r.ParseForm(); err != nil {
		return form{values: url.Values{}}
	}
	return form{values: r.PostForm}
}

func (f form) get(name string) string { return f.values.Get(name) }

// next is where to go afterwards.
func (f form) next() string { return door.OwnPath(f.values.Get("next"), "") }

// err is what is wrong with a field.
func (f form) err(name string) string {
	for _, fault := range f.faults() {
		if fault.Field == name {
			return fault.Message
		}
	}
	return ""
}

func (f form) faults() []*domain.Fault {
	if f.fault == nil {
		return nil
	}
	return append([]*domain.Fault{f.fault}, f.fault.More...)
}

// errors is what is wrong, for the summary above the form.
func (f form) errors() (list ui.FieldErrors) {
	for _, fault := range f.faults() {
		list = append(list, ui.FieldError{ID: fault.Field, Message: fault.Message})
	}
	return list
}

// hidden carries fields along that nobody types.
func (f form) hidden(names ...string) (list []ui.HiddenField) {
	for _, name := range names {
		if value := f.values.Get(name); value != "" {
			list = append(list, ui.HiddenField{Name: name, Value: value})
		}
	}
	return list
}

// query is a form as an address fills it in.
func query(r *http.Request) form { return form{values: r.URL.Query()} }

// again shows a form once more with what was wrong, or an error that no form can cure.
func (p *Pages) again(w http.ResponseWriter, r *http.Request, f form, err error, page func(form) (templ.Component, error)) {
	fault, ok := errors.AsType[*domain.Fault](err)
	if !ok || fault.Kind == domain.Internal || fault.Kind == domain.Unavailable || fault.Kind == domain.NotFound {
		p.fail(w, r, err)
		return
	}
	f.fault = fault
	c, err := page(f)
	if err != nil {
		p.fail(w, r, err)
		return
	}
	p.show(w, r, statusOf(fault), c)
}

// page shows a page, or what went wrong with it.
func (p *Pages) page(w http.ResponseWriter, r *http.Request, c templ.Component, err error) {
	if err != nil {
		p.fail(w, r, err)
		return
	}
	p.show(w, r, http.StatusOK, c)
}

func statusOf(f *domain.Fault) int {
	switch f.Kind {
	case domain.Invalid, domain.Malformed:
		return http.StatusUnprocessableEntity
	case domain.Unauthenticated:
		return http.StatusUnauthorized
	case domain.Forbidden:
		return http.StatusForbidden
	case domain.NotFound:
		return http.StatusNotFound
	case domain.Refused, domain.Stale:
		return http.StatusConflict
	case domain.Throttled:
		return http.StatusTooManyRequests
	case domain.Unavailable:
		return http.StatusServiceUnavailable
	case domain.Internal, domain.TooLarge, domain.StorageFull:
	}
	return http.StatusInternalServerError
}

// fail answers with a page that says what went wrong. Whoever has no session (any more) is asked to sign in; whoever has
// to prove who they are is asked to.
func (p *Pages) fail(w http.ResponseWriter, r *http.Request, err error) {
	if r.Context().Err() != nil && errors.Is(err, context.Canceled) {
		return // the reader has gone; there is nobody to tell
	}
	fault := readapi.FaultOf(err)
	request := readapi.RequestID(r.Context())
	if fault.Kind == domain.Internal {
		p.Logger.Error("request failed", "request", request, "method", r.Method, "path", r.URL.Path, "error", err)
	}
	switch {
	case fault.Code == "reauth-required":
		back := r.URL.RequestURI()
		if r.Method == http.MethodPost {
			back = Security
		}
		http.Redirect(w, r, withNext(Proof, back), http.StatusSeeOther)
		return
	case fault.Code == "session-over" || fault.Code == "not-signed-in":
		next := ""
		if r.Method == http.MethodGet && !strings.HasPrefix(r.URL.Path, "/login/") {
			next = r.URL.RequestURI()
		}
		http.Redirect(w, r, withNext(Login, next), http.StatusSeeOther)
		return
	}
	if fault.Kind == domain.Throttled {
		w.Header().Set("Retry-After", "900")
	}
	f, firmErr := p.firm(r)
	if firmErr != nil {
		f = door.Firm{Name: "Atrium"}
	}
	title := "This did not work"
	if fault.Kind == domain.NotFound {
		title = "There is nothing here"
	}
	p.show(w, r, statusOf(fault), failure(p.frame(f, title, fault.Message), request))
}

// show sends a page once all of it is there.
func (p *Pages) show(w http.ResponseWriter, r *http.Request, status int, c templ.Component) {
	var b bytes.Buffer
	if err := c.Render(r.Context(), &b); err != nil {
		p.Logger.Error("page cannot be made", "request", readapi.RequestID(r.Context()), "path", r.URL.Path, "error", err)
		http.Error(w, domain.AsFault(nil).Message, http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		w.Write(b.Bytes()) //nolint:errcheck // the reader has gone; there is nobody to tell
	}
}

// withFirm adds the firm to an address, and where to go afterwards.
func withFirm(path string, f door.Firm, next string) string {
	path = withNext(path, next)
	if f.Slug == "" {
		return path
	}
	if strings.Contains(path, "?") {
		return path + "&firm=" + url.QueryEscape(f.Slug)
	}
	return path + "?firm=" + url.QueryEscape(f.Slug)
}

// firmField carries the firm along in a form.
func firmField(f door.Firm) []ui.HiddenField {
	if f.Slug == "" {
		return nil
	}
	return []ui.HiddenField{{Name: "firm", Value: f.Slug}}
}
