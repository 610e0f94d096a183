package portal

import "github.com/go-chi/chi/v5"

// staffRoutes are the pages of the staff console, below /staff.
func (p *portal) staffRoutes(r chi.Router) {
}
