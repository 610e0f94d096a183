package signin

import (
	"net/http"

	"github.com/a-h/templ"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/readapi"
	"github.com/atrium-portal/atrium/readapi/auth/door"
)

// at gives the session of a request when it is in a stage; in another one the browser is sent to where it should be.
func (p *Pages) at(w http.ResponseWriter, r *http.Request, stage door.Stage) (s door.Session, who door.Person, ok bool) {
	s, who, err := p.Keeper.Session(r.Context(), secret(r), visit(r))
	if err != nil {
		p.fail(w, r, err)
		return s, who, false
	}
	if s.Stage != stage {
		http.Redirect(w, r, after(door.Entry{Session: s}, r.URL.Query().Get("next")), http.StatusSeeOther)
		return s, who, false
	}
	return s, who, true
}

// secondFactor asks for the second factor.
func (p *Pages) secondFactor(w http.ResponseWriter, r *http.Request) {
	s, _, ok := p.at(w, r, door.SecondFactor)
	if !ok {
		return
	}
	c, err := p.secondPage(r, s)(query(r))
	p.page(w, r, c, err)
}

func (p *Pages) secondPage(r *http.Request, s door.Session) func(form) (templ.Component, error) {
	return func(f form) (templ.Component, error) {
		firm, err := p.firmOf(r.Context(), s)
		if err != nil {
			return nil, err
		}
		has, err := p.Keeper.FactorsOf(r.Context(), s.Who)
		frame := p.frame(firm, "One more step", "")
		if has.TOTP {
			frame.Intro = "Open your authenticator app and type the six digits."
		}
		return secondForm(frame, has, f), err
	}
}

func (p *Pages) second(w http.ResponseWriter, r *http.Request) {
	s, _, ok := p.at(w, r, door.SecondFactor)
	if !ok {
		return
	}
	f := formOf(r)
	var in door.Entry
	var err error
	if code := f.get("recovery"); code != "" {
		in, err = p.Keeper.SecondRecovery(r.Context(), secret(r), code, visit(r))
		if fault, is := err.(*domain.Fault); is && fault.Field == "code" { //nolint:errorlint // only its own fault is about that field
			renamed := *fault
			renamed.Field, renamed.Message = "recovery", "This recovery code is not right, or was used before."
			err = &renamed
		}
	} else {
		in, err = p.Keeper.SecondTOTP(r.Context(), secret(r), f.get("code"), visit(r))
	}
	if err != nil {
		p.again(w, r, f, err, p.secondPage(r, s))
		return
	}
	p.entered(w, r, in, f.next())
}

// beginPasskey asks for one of the person's passkeys: as second factor, or as proof.
func (p *Pages) beginPasskey(w http.ResponseWriter, r *http.Request) {
	options, err := p.Keeper.BeginSecondPasskey(r.Context(), secret(r), visit(r))
	p.passkeyAnswer(w, r, options, err)
}

func (p *Pages) usePasskey(w http.ResponseWriter, r *http.Request) {
	b, err := answer(w, r)
	if err != nil {
		readapi.Problem(w, r, err)
		return
	}
	in, err := p.Keeper.SecondPasskey(r.Context(), secret(r), b, visit(r))
	p.enteredByScript(w, r, in, r.URL.Query().Get("next"), err)
}

// enrol sets up the second factor that a sign-in needs.
func (p *Pages) enrol(w http.ResponseWriter, r *http.Request) {
	s, _, ok := p.at(w, r, door.Enrol)
	if !ok {
		return
	}
	c, err := p.enrolPage(r, s, "/login/enrol")(query(r))
	p.page(w, r, c, err)
}

// enrolPage shows what to set up: an authenticator app, or instead of it a passkey.
func (p *Pages) enrolPage(r *http.Request, s door.Session, action string) func(form) (templ.Component, error) {
	return func(f form) (templ.Component, error) {
		firm, err := p.firmOf(r.Context(), s)
		if err != nil {
			return nil, err
		}
		setup, err := p.Keeper.BeginTOTP(r.Context(), secret(r), visit(r))
		intro := "Your sign-in needs a second factor: an authenticator app on your phone, or a passkey. It takes a minute, once."
		if s.Stage == door.Open {
			intro = "Scan the code with an authenticator app on your phone, then type the six digits that it shows."
		}
		return enrolForm(p.frame(firm, "Protect your sign-in", intro), setup, action, s.Stage == door.Enrol, f), err
	}
}

func (p *Pages) confirmEnrolment(w http.ResponseWriter, r *http.Request) {
	if s, _, ok := p.at(w, r, door.Enrol); ok {
		p.confirmTOTP(w, r, s, "/login/enrol")
	}
}

// confirmTOTP finishes setting an authenticator app up.
func (p *Pages) confirmTOTP(w http.ResponseWriter, r *http.Request, s door.Session, action string) {
	f := formOf(r)
	in, codes, err := p.Keeper.ConfirmTOTP(r.Context(), secret(r), f.get("code"), visit(r))
	if err != nil {
		p.again(w, r, f, err, p.enrolPage(r, s, action))
		return
	}
	p.keep(w, in)
	p.codes(w, r, in.Session, codes, after(in, f.next()))
}

// codes shows recovery codes, this once, or goes on when there are no new ones.
func (p *Pages) codes(w http.ResponseWriter, r *http.Request, s door.Session, codes []string, next string) {
	if len(codes) == 0 {
		http.Redirect(w, r, next, http.StatusSeeOther)
		return
	}
	firm, err := p.firmOf(r.Context(), s)
	p.page(w, r, codesPage(p.frame(firm, "Keep these recovery codes", "Each stands in for your second factor once, should you lose your phone. They are shown only now: print them, or keep them with your passwords."), codes, next), err)
}

// welcome asks for the first password, or for a new one after a reset.
func (p *Pages) welcome(w http.ResponseWriter, r *http.Request) {
	s, who, ok := p.at(w, r, door.NewPassword)
	if !ok {
		return
	}
	c, err := p.welcomePage(r, s, who)(query(r))
	p.page(w, r, c, err)
}

func (p *Pages) welcomePage(r *http.Request, s door.Session, who door.Person) func(form) (templ.Component, error) {
	return func(f form) (templ.Component, error) {
		firm, err := p.firmOf(r.Context(), s)
		return newPasswordForm(p.frame(firm, "Choose a password", ""), who, "/welcome", f), err
	}
}

func (p *Pages) setPassword(w http.ResponseWriter, r *http.Request) {
	s, who, ok := p.at(w, r, door.NewPassword)
	if !ok {
		return
	}
	f := formOf(r)
	in, err := p.Keeper.SetPassword(r.Context(), secret(r), f.get("password"), visit(r))
	if err != nil {
		p.again(w, r, f, err, p.welcomePage(r, s, who))
		return
	}
	p.entered(w, r, in, f.next())
}
