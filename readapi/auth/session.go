package auth

import (
	"context"
	"net/http"
	"time"

	"github.com/go-chi/chi/v5/middleware"

	"github.com/atrium-portal/atrium/domain"
)

// SessionCookie carries the secret of a session. Its prefix makes browsers take it only over a secure connection (or
// from localhost), for this very host and for all of its paths.
const SessionCookie = "__Host-atrium"

// Sessions keeps the sessions of people who signed in.
type Sessions interface {
	// Lookup finds the session of a cookie's secret and notes its use, unless that is quiet; ok is false when it is unknown, over, or lacks
	// something yet.
	Lookup(ctx context.Context, secret string, use Use) (who Identity, ok bool, err error)
}

// Use is from where a session is used.
type Use struct {
	IP        string
	UserAgent string
	// Quiet says that nobody did anything: an open page looks for news. It does not make a session last longer.
	Quiet bool
}

// RefreshHeader is sent by an open page that fetches itself again because something changed.
const RefreshHeader = "X-Refresh"

type quietKey struct{}

// quiet marks what is done for an answer that stays open.
func quiet(ctx context.Context) context.Context { return context.WithValue(ctx, quietKey{}, true) }

// UseOf reads it from a request.
func UseOf(r *http.Request) Use {
	return Use{
		IP: middleware.GetClientIP(r.Context()), UserAgent: clip(r.UserAgent(), 400),
		Quiet: r.Header.Get(RefreshHeader) != "" || r.Context().Value(quietKey{}) != nil,
	}
}

// Preview is a member of staff who looks at the portal as a contact sees it.
type Preview struct {
	Staff domain.ID
	Ends  time.Time // when it ends by itself
}

// Session identifies people by their session. A member of staff stays themselves while they preview a client's pages.
func Session(sessions Sessions) Identify {
	return func(r *http.Request) (Identity, bool, error) {
		who, ok, err := lookup(sessions, r)
		if who.Preview != nil {
			who.Staff, who.Contact, who.Preview, who.Rights = who.Preview.Staff, domain.NoID, nil, []string{All}
		}
		return who, ok, err
	}
}

// Previewed is Session for the pages of clients: a member of staff who previews them is answered as the contact whom
// they look at, and may only look.
func Previewed(sessions Sessions) Identify {
	return func(r *http.Request) (Identity, bool, error) { return lookup(sessions, r) }
}

func lookup(sessions Sessions, r *http.Request) (Identity, bool, error) {
	cookies := r.CookiesNamed(SessionCookie)
	if len(cookies) != 1 || cookies[0].Value == "" {
		return Identity{}, false, nil
	}
	return sessions.Lookup(r.Context(), cookies[0].Value, UseOf(r))
}

// Fresh refuses what needs a fresh proof of who its doer is: see domain.Proof.
func (s *Scope) Fresh(now time.Time) error { return s.Proof().Fresh(now) }

// Proof is how whoever it is last showed who they are.
func (s *Scope) Proof() domain.Proof { return domain.Proof{Method: s.Method, At: s.Proved} }

// looksOnly refuses everything but looking while staff preview the pages of a client.
func (s *Scope) looksOnly(method string) error {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodOptions:
		return nil
	}
	if s.Preview == nil {
		return nil
	}
	return &domain.Fault{Kind: domain.Forbidden, Code: "preview-read-only", Message: "You are looking at a client's pages. End the preview to do something."}
}
