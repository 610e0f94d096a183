package readapi

import (
	"context"
	"log/slog"
	"net/http"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/readapi/auth"
)

// visit is one request: its id and the logger for what goes wrong in it.
type visit struct {
	id  string
	log *slog.Logger

	audit Audit // nil: nothing is put on record
}

type visitKey struct{}

func visitOf(ctx context.Context) visit {
	if v, ok := ctx.Value(visitKey{}).(visit); ok {
		return v
	}
	return visit{log: slog.New(slog.DiscardHandler)}
}

// withVisit gives each request an id of its own. A request's X-Request-Id is not taken over: ids are found in logs, and
// whoever asks must not choose what is found.
func withVisit(log *slog.Logger, audit Audit) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			v := visit{domain.NewID().String(), log, audit}
			w.Header().Set("X-Request-Id", v.id)
			next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), visitKey{}, v)))
		})
	}
}

// Meta describes whoever makes a request, for a command: a fresh command id, and the scope's firm, account and actor. The loop
// sets the time.
func Meta(r *http.Request) (domain.Meta, error) {
	scope := auth.From(r.Context())
	if scope == nil {
		return domain.Meta{}, &domain.Fault{Kind: domain.Unauthenticated, Code: "not-signed-in", Message: "Sign in, or send a valid token as Authorization: Bearer."}
	}
	if scope.Preview != nil { // whatever a page does while it is shown, staff do not do it as the client
		return domain.Meta{}, &domain.Fault{Kind: domain.Forbidden, Code: "preview-read-only", Message: "You are looking at a client's pages. End the preview to do something."}
	}
	return metaOf(r, scope), nil
}

func metaOf(r *http.Request, scope *auth.Scope) domain.Meta {
	return domain.Meta{
		Firm: scope.Firm, Account: scope.Account, Actor: scope.Actor, Zone: scope.Settings.Zone, Request: visitOf(r.Context()).id, Session: scope.Session,
		IP: domain.P(scope.IP), UserAgent: domain.P(scope.UserAgent), Proof: scope.Proof(), Command: domain.NewID(),
	}
}
