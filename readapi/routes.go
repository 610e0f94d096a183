package readapi

import (
	"fmt"
	"net/http"
	"reflect"

	"github.com/go-chi/chi/v5"

	"github.com/atrium-portal/atrium/readapi/auth"
)

// route is one GET route below /api/v1. The router and the API description are made of the same list.
type route struct {
	path    string
	id      string // name of the operation
	group   string // in the description
	summary string
	doc     string

	parameters []string
	of         *collection    // whose filters and sorts the parameters are, if any
	answers    []reflect.Type // for staff and for contacts, where they differ
	paged      bool           // the answer is a page of answers
	stream     bool           // the answer is text/event-stream
	exports    bool           // the answer can be CSV
	pdf        bool           // the answer is a PDF file
	zip        bool           // the answer is a zip archive

	audit   Audited // what the answer is on record
	right   string  // that the credential needs
	only    func(http.Handler) http.Handler
	handler http.HandlerFunc
}

// allCollections lists what can be listed and opened.
func allCollections() []*collection {
	return []*collection{
		accounts(), contacts(), projects(), contracts(), invoices(), payments(), attempts(), statements(), team(),
	}
}

// routes lists every GET route below /api/v1.
func (s *server) routes() []route {
	entries := []reflect.Type{reflect.TypeFor[StaffEntry](), reflect.TypeFor[Entry]()}
	list := []route{
		{
			path: "/me", id: "me", audit: Unaudited(OfTheFirm), group: "me", summary: "Who asks, and what they may do", parameters: everyRead,
			answers: []reflect.Type{reflect.TypeFor[Me]()}, handler: s.me,
		},
		{
			path: "/dashboard", id: "dashboard", audit: Unaudited(AList), group: "me", summary: "The firm at a glance, or what a contact has to know and to do",
			parameters: everyRead, answers: []reflect.Type{reflect.TypeFor[StaffDashboard](), reflect.TypeFor[ClientDashboard]()},
			handler: s.dashboard,
		},
		{
			path: "/events", id: "events", audit: Unaudited("it tells that something changed, not what"), group: "me", summary: "How far the read models have come, as server-sent events", stream: true, parameters: []string{"after"},
			doc: "An event `position` follows whenever something that the caller may see has changed: read again what you show. With `after` it tells what came after that position.", handler: s.events,
		},
		{
			path: "/activity", id: "activity", audit: Exports("history"), group: "history", summary: "What happened, as far as the caller may see it", parameters: historyParameters,
			answers: entries, paged: true, exports: true, handler: s.history(false),
		},
		{
			path: "/history", id: "history", audit: Exports("history"), group: "history", summary: "The whole history of the firm, for staff", parameters: historyParameters,
			answers: entries[:1], paged: true, exports: true, handler: s.history(true),
		},
		{
			path: "/accounts/{id}/diff", id: "diff", audit: Unaudited(ItsHistory), group: "history", summary: "What changed on an account between two instants",
			doc:        "Records whose fields differ, and what happened in between, by the time of recording. Without from: since the beginning; without to: until now.",
			parameters: []string{"from", "to", "after"}, answers: []reflect.Type{reflect.TypeFor[StaffDifference](), reflect.TypeFor[ClientDifference]()},
			handler: s.diff,
		},
		{
			path: "/ops/projections", id: "projections", audit: Unaudited(OfTheFirm), group: "ops", summary: "How far the read models have come, for administrators",
			answers: []reflect.Type{reflect.TypeFor[opsAnswer[Projection]]()}, right: auth.Ops, only: administrators,
			handler: opsList(func(r *http.Request) ([]Projection, error) { return s.Ops.Projections(r.Context()) }),
		},
		{
			path: "/ops/seals", id: "seals", audit: Unaudited(OfTheFirm), group: "ops", summary: "How far the history is sealed, for administrators",
			answers: []reflect.Type{reflect.TypeFor[opsAnswer[Seal]]()}, right: auth.Ops, only: administrators, handler: opsList(s.seals),
		},
		{
			path: "/ops/parked", id: "parked", audit: Unaudited(OfTheFirm), group: "ops", summary: "Streams that wait for a fix, for administrators",
			answers: []reflect.Type{reflect.TypeFor[opsAnswer[ParkedStream]]()}, right: auth.Ops, only: administrators,
			handler: opsList(func(r *http.Request) ([]ParkedStream, error) {
				return s.Ops.Parked(r.Context(), auth.From(r.Context()).Firm)
			}),
		},
	}
	if s.Evidence != nil {
		list = append(list, route{
			path: "/accounts/{id}/evidence", id: "evidence", audit: Unaudited(ItsOwnFact), group: "history", summary: "A bundle that proves what happened on an account, as far as the caller may see it",
			doc:        "A zip archive that `atrium-verify` checks offline. That it was handed out is part of the history.",
			parameters: []string{"about", "since", "after"}, zip: true, handler: s.evidence,
		})
	}
	for _, c := range s.collections {
		list = append(
			list,
			route{
				path: "/" + c.name, id: "list-" + c.name, audit: Unaudited(AList), group: c.name, summary: "List " + c.name, doc: c.doc, parameters: c.parameters(), of: c,
				answers: types(c.staff.list, c.client.list), paged: true, handler: s.list(c),
			},
			route{
				path: "/" + c.name + "/{id}", id: "get-" + c.name, audit: c.views(), group: c.name, summary: "Open one of " + c.name, doc: c.doc,
				parameters: c.openParameters(), of: c, answers: types(c.staff.get, c.client.get), handler: s.open(c),
			},
		)
		if c.history != "" {
			list = append(list, route{
				path: "/" + c.name + "/{id}/history", id: "history-" + c.name, audit: Exports("history"), group: c.name, summary: "The history of one of " + c.name,
				parameters: historyParameters, answers: entries, paged: true, exports: true, handler: s.historyOf(c),
			})
		}
	}
	return append(list, s.paperRoutes()...)
}

func types(views ...*view) []reflect.Type {
	list := []reflect.Type{views[0].typ}
	if views[1].typ != views[0].typ {
		list = append(list, views[1].typ)
	}
	return list
}

// mount puts the routes on a router that authenticates. It fails on a route that does not say what it leaves on record.
func (s *server) mount(r chi.Router) error {
	for _, route := range s.routes() {
		if route.audit == (Audited{}) {
			return fmt.Errorf("readapi: %s does not declare what it leaves on record", route.path)
		}
		right := auth.Read
		if route.right != "" {
			right = route.right
		}
		handlers := chi.Middlewares{declares(route.audit), auth.Need(right, Problem)}
		if route.only != nil {
			handlers = append(handlers, route.only)
		}
		r.With(handlers...).Get(route.path, route.handler)
	}
	return nil
}
