package readapi

import (
	_ "embed"
	"net/http"
	"slices"

	"github.com/go-chi/chi/v5"
	"github.com/swaggest/swgui/v5emb"
)

// The docs page is our own around the scripts of Swagger UI, which are part of the program: no script stands in the
// page, and no other host is asked.
var (
	//go:embed docs/index.html
	docsPage []byte
	//go:embed docs/start.js
	docsStart []byte
)

// docsPolicy lets the docs page run its own scripts and call the API.
const docsPolicy = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// docsAssets are the files of Swagger UI that the page needs.
var docsAssets = []string{"swagger-ui.css", "swagger-ui-bundle.js", "favicon-32x32.png"}

func mountDocs(r chi.Router) {
	assets := v5emb.New("Atrium", "/api/openapi.json", "/api/docs/")
	own := func(next http.HandlerFunc) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Security-Policy", docsPolicy)
			next(w, r)
		}
	}
	r.Get("/api/docs", own(raw("text/html; charset=utf-8", docsPage)))
	r.Get("/api/docs/start.js", own(raw("text/javascript; charset=utf-8", docsStart)))
	r.Get("/api/docs/{asset}", func(w http.ResponseWriter, r *http.Request) {
		if !slices.Contains(docsAssets, chi.URLParam(r, "asset")) {
			notFound(w, r)
			return
		}
		own(assets.ServeHTTP)(w, r)
	})
}
