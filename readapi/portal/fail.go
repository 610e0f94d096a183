package portal

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/a-h/templ"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/readapi"
	"github.com/atrium-portal/atrium/readapi/auth"
	"github.com/atrium-portal/atrium/readapi/portal/ui"
)

// fail answers with a page that says what went wrong and where to go from there. Whoever is not signed in is asked
// to, and comes back afterwards.
func (p *portal) fail(w http.ResponseWriter, r *http.Request, err error) {
	if r.Context().Err() != nil && errors.Is(err, context.Canceled) {
		return // the reader has gone; there is nobody to tell
	}
	fault := readapi.FaultOf(err)
	request := readapi.RequestID(r.Context())
	if fault.Kind == domain.Internal {
		p.Logger.Error("page failed", "request", request, "method", r.Method, "path", r.URL.Path, "error", err)
	}
	readapi.OnRefusal(r, fault)
	switch {
	case fault.Kind == domain.Unauthenticated && p.Doors.SignIn != "":
		http.Redirect(w, r, withNext(p.Doors.SignIn, r), http.StatusSeeOther)
		return
	case fault.Code == proofNeeded && p.Doors.Proof != "":
		http.Redirect(w, r, withNext(p.Doors.Proof, r), http.StatusSeeOther)
		return
	}
	if fault.Kind == domain.Unavailable {
		w.Header().Set("Retry-After", strconv.Itoa(retryAfter))
	}
	p.show(w, r, readapi.StatusOf(fault), p.errorPage(r, fault, request))
}

// errNotPermitted is for whoever opens the page of an act that they may not do.
var errNotPermitted = &domain.Fault{Kind: domain.Forbidden, Code: "not-permitted", Message: "You may not do this. Ask the firm for the permission."}

const (
	// proofNeeded is the fault of what needs a fresh proof of who asks.
	proofNeeded = "reauth-required"
	retryAfter  = 5 // seconds
)

// withNext names the page to come back to: the one that was asked for, or, after a form, the one it stood on.
func withNext(door string, r *http.Request) string {
	next := r.URL.RequestURI()
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		next = "/"
		if from, err := url.Parse(r.Referer()); err == nil && from.Host == r.Host && strings.HasPrefix(from.Path, "/") {
			next = from.RequestURI()
		}
	}
	if next == "/" {
		return door
	}
	return door + "?next=" + url.QueryEscape(next)
}

func (p *portal) lost(w http.ResponseWriter, r *http.Request) {
	p.fail(w, r, &domain.Fault{Kind: domain.NotFound, Code: "not-found", Message: "It may have moved, or the address was typed wrong."})
}

// errorPage is a page about a fault. It reads nothing: what is wrong may be the reading.
func (p *portal) errorPage(r *http.Request, fault *domain.Fault, request string) templ.Component {
	e := ui.ErrorPageProps{Title: titleOf(fault.Kind), Text: fault.Message, Links: []ui.Link{{Label: "Go to the start", Href: "/", Icon: "home"}}}
	if fault.Kind == domain.Internal || fault.Kind == domain.Unavailable {
		e.Request = request
		if r.Method == http.MethodGet {
			e.Links = append([]ui.Link{{Label: "Try again", Href: r.URL.RequestURI(), Icon: "refresh"}}, e.Links...)
		}
	}
	if r.URL.Query().Has(asOf) {
		e.Links = append([]ui.Link{{Label: "Back to today", Href: today(r), Icon: "history"}}, e.Links...)
	}
	if p.Doors.Help != "" {
		e.Links = append(e.Links, ui.Link{Label: "Get help", Href: p.Doors.Help})
	}
	scope := auth.From(r.Context())
	if scope == nil {
		return outsideError(ui.AuthPage{Title: e.Title, Intro: e.Text, Brand: ui.Brand{Name: "Atrium"}, Home: "/", Help: p.Doors.Help, Privacy: p.Doors.Privacy}, e)
	}
	v := &visit{portal: p, r: r, scope: scope, q: p.Reader.Read(scope), frame: &readapi.Frame{Name: "Signed in"}}
	if scope.Staff() {
		return staffError(v.staff(e.Title, ""), e)
	}
	return clientError(v.client(e.Title, ""), e)
}

func titleOf(kind domain.Kind) string {
	switch kind {
	case domain.NotFound:
		return "This page does not exist"
	case domain.Forbidden:
		return "You may not do this"
	case domain.Unauthenticated:
		return "Please sign in"
	case domain.Unavailable:
		return "This is not possible right now"
	case domain.Throttled:
		return "Please wait a moment"
	case domain.Malformed, domain.Invalid, domain.TooLarge:
		return "This cannot be read"
	case domain.Refused, domain.Stale:
		return "This is not possible"
	case domain.Internal, domain.StorageFull:
	}
	return "Something went wrong"
}
