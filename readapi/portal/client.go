package portal

import "github.com/go-chi/chi/v5"

// clientRoutes are the pages for clients.
func (p *portal) clientRoutes(r chi.Router) {
	r.Get("/", p.page(p.home))
}
