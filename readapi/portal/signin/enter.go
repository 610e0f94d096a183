package signin

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"

	"github.com/a-h/templ"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/readapi"
	"github.com/atrium-portal/atrium/readapi/auth"
	"github.com/atrium-portal/atrium/readapi/auth/door"
)

// signIn is the first page. Whoever is signed in goes on to where they wanted to go.
func (p *Pages) signIn(w http.ResponseWriter, r *http.Request) {
	if s, _, err := p.Keeper.Session(r.Context(), secret(r), visit(r)); err == nil && s.Stage == door.Open {
		http.Redirect(w, r, door.OwnPath(r.URL.Query().Get("next"), home(s)), http.StatusSeeOther)
		return
	}
	knownVisit(w, r) // for a passkey, which is asked for without leaving the page
	c, err := p.signInPage(r)(query(r))
	p.page(w, r, c, err)
}

func (p *Pages) signInPage(r *http.Request) func(form) (templ.Component, error) {
	return func(f form) (templ.Component, error) {
		firm, err := p.firm(r)
		if err != nil {
			return nil, err
		}
		frame := p.frame(firm, "Sign in", "We send a link to your e-mail. No password needed.")
		return signInForm(frame, firm, f), nil
	}
}

// ask asks for a link. The answer is the same for every address.
func (p *Pages) ask(w http.ResponseWriter, r *http.Request) {
	p.asked(w, r, false, p.signInPage(r))
}

func (p *Pages) asked(w http.ResponseWriter, r *http.Request, reset bool, page func(form) (templ.Component, error)) {
	f := formOf(r)
	firm, err := p.firm(r)
	if err != nil {
		p.fail(w, r, err)
		return
	}
	if err := p.Keeper.Ask(r.Context(), firm.ID, f.get("email"), reset, f.next(), knownVisit(w, r)); err != nil {
		p.again(w, r, f, err, page)
		return
	}
	to := "/login/sent"
	if firm.Slug != "" {
		to += "?firm=" + firm.Slug
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
}

// sent says that a mail is on its way, if the address is known. The browser that asked may also type the code here.
func (p *Pages) sent(w http.ResponseWriter, r *http.Request) {
	firm, err := p.firm(r)
	if err != nil {
		p.fail(w, r, err)
		return
	}
	frame := p.frame(firm, "Look into your mail", "If the address is known here, a link is on its way. It works once, in this browser, for ten minutes.")
	p.show(w, r, http.StatusOK, sentPage(frame, firm, query(r)))
}

// reset asks for a link to set a new password.
func (p *Pages) reset(w http.ResponseWriter, r *http.Request) {
	c, err := p.resetPage(r)(query(r))
	p.page(w, r, c, err)
}

func (p *Pages) resetPage(r *http.Request) func(form) (templ.Component, error) {
	return func(f form) (templ.Component, error) {
		firm, err := p.firm(r)
		return resetForm(p.frame(firm, "Set a new password", "We send a link to your e-mail. With it you choose a new password."), firm, f), err
	}
}

func (p *Pages) askReset(w http.ResponseWriter, r *http.Request) { p.asked(w, r, true, p.resetPage(r)) }

// link is the page that a mailed link opens. Its token is in the fragment, which no server sees: the script puts it
// into the form. Nothing happens until the form is sent.
func (p *Pages) link(w http.ResponseWriter, r *http.Request) {
	firm, err := p.firm(r)
	p.page(w, r, linkPage(p.frame(firm, "Sign in", ""), query(r)), err)
}

// follow uses a link, in the browser that asked for it. In another one it asks for the code of the same mail.
func (p *Pages) follow(w http.ResponseWriter, r *http.Request) {
	f := formOf(r)
	in, elsewhere, err := p.Keeper.Follow(r.Context(), f.get("token"), visit(r))
	switch {
	case err != nil:
		p.unusable(w, r, err)
	case elsewhere:
		c, err := p.codePage(r)(f)
		p.page(w, r, c, err)
	default:
		p.entered(w, r, in, "")
	}
}

// unusable says what is the matter with a link and offers a new one.
func (p *Pages) unusable(w http.ResponseWriter, r *http.Request, err error) {
	p.again(w, r, form{}, err, func(f form) (templ.Component, error) {
		firm, err := p.firm(r)
		return newLinkForm(p.frame(firm, "Ask for a new link", ""), firm, f), err
	})
}

// whose tells the script whom a link lets in. It changes nothing.
func (p *Pages) whose(w http.ResponseWriter, r *http.Request) {
	person, elsewhere, err := p.Keeper.Whose(r.Context(), formOf(r).get("token"), visit(r))
	if fault, ok := errors.AsType[*domain.Fault](err); ok {
		p.json(w, map[string]string{"detail": fault.Message}) // an answer too: the link is of no use
		return
	}
	if err != nil {
		readapi.Problem(w, r, err)
		return
	}
	firm, _, err := p.People.Firm(r.Context(), person.Firm)
	if err != nil {
		readapi.Problem(w, r, err)
		return
	}
	p.json(w, map[string]any{"name": person.Name, "email": person.Email, "firm": firm.Name, "elsewhere": elsewhere})
}

func (p *Pages) json(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(v) //nolint:errcheck // the browser has gone; there is nobody to tell
}

// code asks for the code of a mail, for browsers in which the link does not open.
func (p *Pages) code(w http.ResponseWriter, r *http.Request) {
	c, err := p.codePage(r)(query(r))
	p.page(w, r, c, err)
}

// codePage asks for the code: of the link whose token is known, else of the latest mail to an address.
func (p *Pages) codePage(r *http.Request) func(form) (templ.Component, error) {
	return func(f form) (templ.Component, error) {
		firm, err := p.firm(r)
		if err != nil {
			return nil, err
		}
		frame := p.frame(firm, "Type the code", "Type the code that stands in the same mail as the link.")
		if token := f.get("token"); token != "" {
			if person, _, err := p.Keeper.Whose(r.Context(), token, visit(r)); err == nil {
				frame.Intro = "You opened the link in another browser than the one that asked for it. You are about to sign in as " + named(person) + "."
			}
		}
		return codeForm(frame, f), nil
	}
}

// named is a person as a page names them.
func named(p door.Person) string {
	if p.Name == "" {
		return p.Email
	}
	return p.Name + " (" + p.Email + ")"
}

func (p *Pages) followCode(w http.ResponseWriter, r *http.Request) {
	f := formOf(r)
	firm, err := p.firm(r)
	if err != nil {
		p.fail(w, r, err)
		return
	}
	in, err := p.Keeper.FollowCode(r.Context(), f.get("token"), firm.ID, f.get("email"), f.get("code"), knownVisit(w, r))
	if err != nil {
		p.again(w, r, f, err, p.codePage(r))
		return
	}
	p.entered(w, r, in, "")
}

// password asks for e-mail and password.
func (p *Pages) password(w http.ResponseWriter, r *http.Request) {
	c, err := p.passwordPage(r)(query(r))
	p.page(w, r, c, err)
}

func (p *Pages) passwordPage(r *http.Request) func(form) (templ.Component, error) {
	return func(f form) (templ.Component, error) {
		firm, err := p.firm(r)
		if err == nil && firm.ID == domain.NoID {
			err = domain.Missing("page") // which firm's portal? The firm's own sign-in page leads here
		}
		return passwordForm(p.frame(firm, "Sign in with a password", ""), firm, f), err
	}
}

func (p *Pages) withPassword(w http.ResponseWriter, r *http.Request) {
	f := formOf(r)
	firm, err := p.firm(r)
	if err == nil && firm.ID == domain.NoID {
		err = domain.Missing("page")
	}
	if err != nil {
		p.fail(w, r, err)
		return
	}
	in, err := p.Keeper.SignIn(r.Context(), firm.ID, f.get("email"), f.get("password"), visit(r))
	if err != nil {
		p.again(w, r, f, err, p.passwordPage(r))
		return
	}
	p.entered(w, r, in, f.next())
}

func (p *Pages) beginPasskeySignIn(w http.ResponseWriter, r *http.Request) {
	options, err := p.Keeper.BeginPasskeySignIn(r.Context(), knownVisit(w, r))
	p.passkeyAnswer(w, r, options, err)
}

// passkeyAnswer answers the script.
func (p *Pages) passkeyAnswer(w http.ResponseWriter, r *http.Request, v any, err error) {
	if err != nil {
		readapi.Problem(w, r, err)
		return
	}
	p.json(w, v)
}

// answer is what the browser's passkey says.
func answer(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	b, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 64<<10))
	if err != nil {
		return nil, &domain.Fault{Kind: domain.Malformed, Code: "body-unreadable", Message: "The answer of the passkey is not complete. Please try again."}
	}
	return b, nil
}

func (p *Pages) withPasskey(w http.ResponseWriter, r *http.Request) {
	b, err := answer(w, r)
	if err != nil {
		readapi.Problem(w, r, err)
		return
	}
	in, err := p.Keeper.SignInPasskey(r.Context(), b, visit(r))
	p.enteredByScript(w, r, in, r.URL.Query().Get("next"), err)
}

// enteredByScript is entered for an answer to the script.
func (p *Pages) enteredByScript(w http.ResponseWriter, r *http.Request, in door.Entry, next string, err error) {
	if err != nil {
		readapi.Problem(w, r, err)
		return
	}
	p.keep(w, in)
	p.json(w, map[string]string{"location": after(in, door.OwnPath(next, ""))})
}

// codesByScript is enteredByScript for whoever has no recovery codes yet: the script sends on a form that makes and
// shows them.
func (p *Pages) codesByScript(w http.ResponseWriter, in door.Entry, next string) {
	p.keep(w, in)
	next = url.QueryEscape(after(in, door.OwnPath(next, "")))
	p.json(w, map[string]any{"location": "/account/recovery-codes?next=" + next, "post": true})
}

// leaving is for those who type the address: signing out takes a button.
func (p *Pages) leaving(w http.ResponseWriter, r *http.Request) {
	firm, err := p.firm(r)
	p.page(w, r, leavingPage(p.frame(firm, "Sign out", "")), err)
}

func (p *Pages) signOut(w http.ResponseWriter, r *http.Request) {
	s, _, known := p.Keeper.Session(r.Context(), secret(r), visit(r))
	if err := p.Keeper.SignOut(r.Context(), secret(r), visit(r)); err != nil {
		p.fail(w, r, err)
		return
	}
	setCookie(w, auth.SessionCookie, "", 0)
	w.Header().Set("Clear-Site-Data", `"cache", "storage"`)
	to := Login
	if known == nil {
		if firm, err := p.firmOf(r.Context(), s); err == nil && firm.Slug != "" {
			to = "/" + firm.Slug + "/login"
		}
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
}

// help is for those who cannot get in.
func (p *Pages) help(w http.ResponseWriter, r *http.Request) {
	firm, err := p.firm(r)
	p.page(w, r, helpPage(p.frame(firm, "I cannot get in", "")), err)
}
