package portal

import (
	"github.com/a-h/templ"

	"github.com/atrium-portal/atrium/readapi"
	"github.com/atrium-portal/atrium/readapi/portal/ui"
)

// operationsPage is how far the pages are behind what was recorded, and what waits for a fix.
type operationsPage struct {
	look
	Page        ui.Page
	Projections []readapi.Projection
	Parked      []readapi.ParkedStream
}

func (p *portal) operations(v *visit) (templ.Component, error) {
	projections, err := p.Ops.Projections(v.r.Context())
	if err != nil {
		return nil, err
	}
	parked, err := p.Ops.Parked(v.r.Context(), v.scope.Firm)
	if err != nil {
		return nil, err
	}
	if err := v.read(); err != nil {
		return nil, err
	}
	return operationsView(operationsPage{v.look(), v.staff("Operations", "/staff/operations"), projections, parked}), nil
}

// state is how a projection does.
func state(p readapi.Projection) templ.Component {
	switch {
	case p.Parked > 0:
		return ui.Badge(ui.Bad, "alert", "Streams are parked")
	case p.Build != p.Program:
		return ui.Badge(ui.Warning, "refresh", "Rebuild due")
	case p.Lag > 0:
		return ui.Badge(ui.Warning, "clock", "Catching up")
	}
	return ui.Badge(ui.Good, "check", "Up to date")
}
