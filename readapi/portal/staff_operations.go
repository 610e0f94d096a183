package portal

import (
	"strconv"
	"time"

	"github.com/a-h/templ"

	"github.com/atrium-portal/atrium/domain/firm"
	"github.com/atrium-portal/atrium/readapi"
	"github.com/atrium-portal/atrium/readapi/portal/ui"
)

// operationsPage is how far the pages are behind what was recorded, and what waits for a fix.
type operationsPage struct {
	look
	Page        ui.Page
	Projections []readapi.Projection
	Parked      []readapi.ParkedStream
	Rebuild     readapi.Rebuild
	Now         time.Time
	Seals       []readapi.Seal
}

// lookAgain is after how many seconds a page on which something moves is fetched again, with or without the script.
const lookAgain = 2

func (p *portal) operations(v *visit) (templ.Component, error) {
	projections, err := p.Ops.Projections(v.r.Context())
	if err != nil {
		return nil, err
	}
	parked, err := p.Ops.Parked(v.r.Context(), v.scope.Firm)
	if err != nil {
		return nil, err
	}
	rebuild, err := p.Ops.Rebuilding(v.r.Context())
	if err != nil {
		return nil, err
	}
	var seals []readapi.Seal
	if p.Seals != nil {
		if seals, err = p.Seals.Seals(v.r.Context(), v.scope.Firm); err != nil {
			return nil, err
		}
	}
	if err := v.read(); err != nil {
		return nil, err
	}
	if rebuild.Running {
		v.w.Header().Set("Refresh", strconv.Itoa(lookAgain))
	}
	return operationsView(operationsPage{v.look(), v.staff("Operations", operationsPath), projections, parked, rebuild, p.Now(), seals}), nil
}

const operationsPath = "/staff/operations"

// operationsConfirm asks before something is done to the tables.
func (p *portal) operationsConfirm(v *visit, f *form, ask ui.ConfirmProps) (templ.Component, error) {
	if err := v.read(); err != nil {
		return nil, err
	}
	ask.Back = operationsPath
	return staffConfirmView(v.staff(ask.Title, operationsPath), ask, f, nil), nil
}

func (p *portal) rebuildPage(v *visit, f *form) (templ.Component, error) {
	return p.operationsConfirm(v, f, ui.ConfirmProps{
		Title:  "Make all tables anew?",
		Text:   "All that pages show is computed again from what was recorded, beside the tables in use, which serve everybody until the new ones are complete. The old ones are kept and can be put back. It stands in the history.",
		Action: operationsPath + "/rebuild", Button: "Start the rebuild",
	})
}

func (p *portal) rebuild(v *visit, _ *form) (step, error) {
	return step{name: "RebuildTables", command: firm.Rebuild{Firm: v.scope.Firm}, to: operationsPath, done: "rebuilding"}, nil
}

func (p *portal) rollbackPage(v *visit, f *form) (templ.Component, error) {
	return p.operationsConfirm(v, f, ui.ConfirmProps{
		Title:  "Put the tables from before back?",
		Text:   "Pages read the tables from before the last rebuild again, and catch up with what they lack. The tables of now are kept in their place, so that this can be undone. It stands in the history.",
		Action: operationsPath + "/rollback", Button: "Put them back",
	})
}

func (p *portal) rollback(v *visit, _ *form) (step, error) {
	return step{name: "PutBackTables", command: firm.PutBackTables{Firm: v.scope.Firm}, to: operationsPath, done: "put-back"}, nil
}

// phases say what a rebuild does.
var phases = map[string]string{"fold": "Folding the events", "index": "Making the indexes", "compare": "Comparing with the tables in use", "swap": "Swapping the tables"}

// pace says how fast a rebuild goes and how long it may take: "12 345 events, 5 000 a second, about 30 seconds left".
func (o operationsPage) pace() string {
	text := grouped(o.Rebuild.Events) + " events"
	passed := o.Now.Sub(o.Rebuild.Began).Seconds()
	if rate := float64(o.Rebuild.Events) / max(passed, 0.001); o.Rebuild.Events > 0 && passed > 0 {
		text += ", " + grouped(int64(rate)) + " a second"
		if left := o.Rebuild.Of - o.Rebuild.Events; left > 0 {
			text += ", about " + time.Duration(float64(left)/rate*float64(time.Second)).Round(time.Second).String() + " left"
		}
	}
	return text
}

// took is how long the last rebuild took.
func (o operationsPage) took() string {
	return o.Rebuild.Ended.Sub(o.Rebuild.Began).Round(time.Millisecond).String()
}

// differ are the tables that had other rows before.
func (o operationsPage) differ() (names []string) {
	for _, t := range o.Rebuild.Tables {
		if t.Differ {
			names = append(names, t.Table)
		}
	}
	return names
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
