package readapi

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
	"github.com/go-chi/httprate"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/readapi/auth"
)

// server answers the requests.
type server struct {
	Options
	collections []*collection
	papers      []*paper
	exports     chan struct{} // a place for each export under way
}

const (
	defaultRate = 6_000
	// maxBody bounds what is read of a request; commands have a limit of their own below it.
	maxBody = 2 << 20
)

// Router answers everything under /api, /healthz and /readyz. It fails only on a mistake in the program.
func Router(o Options) (http.Handler, error) {
	if o.Pools.Client == nil || o.Pools.Staff == nil || o.Tokens == nil || o.People == nil || o.Checkpoint == nil || o.Ops == nil || o.Ready == nil || o.Now == nil {
		return nil, errors.New("readapi: Pools, Tokens, People, Checkpoint, Ops, Ready and Now are needed")
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	s := &server{Options: o, collections: allCollections(), papers: allPapers(), exports: make(chan struct{}, maxExports)}
	description, err := s.describe()
	if err != nil {
		return nil, err
	}
	crossOrigin := http.NewCrossOriginProtection()
	crossOrigin.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		Problem(w, r, &domain.Fault{Kind: domain.Forbidden, Code: "cross-origin", Message: "This request came from a page of another site. Only our own pages may change something."})
	}))

	r := chi.NewRouter()
	r.Use(o.Around...)
	r.Use(
		withVisit(o.Logger, o.Audit), headers(strings.HasPrefix(o.PublicURL, "https://")), recovered, middleware.ClientIPFromRemoteAddr,
		crossOrigin.Handler, middleware.RequestSize(maxBody), middleware.GetHead,
	)
	r.NotFound(notFound)
	r.MethodNotAllowed(methodNotAllowed)

	r.Get("/healthz", func(w http.ResponseWriter, r *http.Request) { reply(w, r, health{"ok"}, false) })
	r.Get("/readyz", s.ready503)
	r.Get("/api/openapi.json", raw("application/json", description))
	mountDocs(r)
	r.Route("/api/v1", func(r chi.Router) {
		ways := []auth.Identify{auth.Bearer(o.Tokens)}
		if o.Sessions != nil {
			ways = append(ways, auth.Session(o.Sessions))
		}
		r.Use(auth.Authenticate(o.People, Problem, ways...), s.limit())
		if o.Commands != nil {
			r.With(auth.Need(auth.Commands, Problem), nowOnly).Route("/commands", o.Commands)
		}
		if o.Uploads != nil {
			r.With(auth.Need(auth.Commands, Problem)).Post("/uploads", s.upload)
		}
		err = s.mount(r)
	})
	return r, err
}

type health struct {
	Status string `json:"status"`
}

// ready503 answers 200 when the program can serve.
func (s *server) ready503(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), patience)
	defer cancel()
	if err := s.Ready(ctx); err != nil {
		visitOf(r.Context()).log.Warn("not ready", "error", err)
		Problem(w, r, &domain.Fault{Kind: domain.Unavailable, Code: "not-ready", Message: "The program is not ready yet. Please try again in a moment."})
		return
	}
	reply(w, r, health{"ready"}, false)
}

// limit bounds the requests of a credential.
func (s *server) limit() func(http.Handler) http.Handler {
	rate := s.Limit
	switch {
	case rate < 0:
		return func(next http.Handler) http.Handler { return next }
	case rate == 0:
		rate = defaultRate
	}
	return httprate.LimitBy(
		rate, time.Minute, func(r *http.Request) (string, error) { return auth.From(r.Context()).Credential, nil },
		httprate.WithLimitHandler(func(w http.ResponseWriter, r *http.Request) {
			Problem(w, r, &domain.Fault{Kind: domain.Throttled, Code: "too-many-requests", Message: "There were too many requests in a short time. Please wait a minute."})
		}),
	)
}

// strictPolicy lets a browser do nothing with an answer but show it as text.
const strictPolicy = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// headers are on every answer, errors included.
func headers(https bool) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			header := w.Header()
			header.Set("X-Content-Type-Options", "nosniff")
			header.Set("Content-Security-Policy", strictPolicy)
			header.Set("Referrer-Policy", "same-origin")
			header.Set("Cross-Origin-Opener-Policy", "same-origin")
			header.Set("Cross-Origin-Resource-Policy", "same-origin")
			header.Set("Cache-Control", "no-store")
			if https {
				header.Set("Strict-Transport-Security", "max-age=31536000")
			}
			next.ServeHTTP(w, r)
		})
	}
}

// recovered turns a panic into an answer, where there is none yet.
func recovered(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		tracked := middleware.NewWrapResponseWriter(w, r.ProtoMajor)
		defer func() {
			switch cause := recover(); {
			case cause == nil:
			case cause == http.ErrAbortHandler: //nolint:errorlint // the very value is the signal
				panic(cause)
			default:
				visit := visitOf(r.Context())
				visit.log.Error("panic", "request", visit.id, "path", r.URL.Path, "cause", cause, "stack", string(debug.Stack()))
				if tracked.Status() != 0 {
					panic(http.ErrAbortHandler)
				}
				Problem(tracked, r, domain.AsFault(nil))
			}
		}()
		next.ServeHTTP(tracked, r)
	})
}

func notFound(w http.ResponseWriter, r *http.Request) {
	Problem(w, r, &domain.Fault{Kind: domain.NotFound, Code: "not-found", Message: "There is nothing at this address. /api/docs lists what there is."})
}

func methodNotAllowed(w http.ResponseWriter, r *http.Request) {
	routes := chi.RouteContext(r.Context()).Routes
	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPost} {
		if routes.Match(chi.NewRouteContext(), method, r.URL.Path) {
			w.Header().Add("Allow", method)
		}
	}
	writeProblem(w, r, http.StatusMethodNotAllowed, &domain.Fault{Code: "method-not-allowed", Message: "This address does not take " + clean(r.Method) + "."})
}

// raw answers with bytes that stay the same.
func raw(contentType string, body []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.Write(body) //nolint:errcheck // the client has gone; there is nobody to tell
	}
}
