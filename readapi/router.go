package readapi

import (
	"log/slog"
	"net/http"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"

	"github.com/atrium-portal/atrium/readapi/auth"
)

// Router answers everything under /api, /healthz and /readyz. It fails only on a mistake in the program.
func Router(o Options) (http.Handler, error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	r := chi.NewRouter()
	r.Use(withVisit(o.Logger), middleware.ClientIPFromRemoteAddr)
	r.Route("/api/v1", func(r chi.Router) {
		r.Use(auth.Authenticate(o.People, Problem, auth.Bearer(o.Tokens)))
		r.With(auth.Need(auth.Commands, Problem)).Route("/commands", o.Commands)
	})
	return r, nil
}
