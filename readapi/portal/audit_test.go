package portal_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/go-chi/chi/v5"

	"github.com/atrium-portal/atrium/domain/domaintest"
	"github.com/atrium-portal/atrium/readapi"
	"github.com/atrium-portal/atrium/readapi/portal"
)

// scribe keeps what it is told.
type scribe struct{ looks []readapi.Look }

func (s *scribe) Record(ctx context.Context, l readapi.Look) error {
	s.Later(ctx, l)
	return nil
}

func (s *scribe) Later(_ context.Context, l readapi.Look) { s.looks = append(s.looks, l) }

// heard gives what it was told since it was asked last.
func (s *scribe) heard() []readapi.Look {
	looks := s.looks
	s.looks = nil
	return looks
}

// usage is a route with somebody who may use it.
type usage struct {
	method, pattern, path, who string
	fields                     []string
}

// asItWas are the forms that find nothing to do here: it is already as they want it.
var asItWas = []string{"/contracts/{id}/view", "/payments/{id}/cancel", "/staff/contacts/{id}/unfreeze", "/staff/settings/logo/remove"}

// TestEveryRouteLeavesItsLine takes all routes from the router, uses each as somebody who may, and looks for its one
// line: of the page, of the command that a form gave, or of its refusal.
func TestEveryRouteLeavesItsLine(t *testing.T) {
	book := &scribe{}
	w := newWorld(t, func(w *world) { w.options.Audit = book })
	w.startPayment("olga", "invoice olga")
	w.console()
	forClients, forStaff := clientRules(), staffRules(w)
	var uses []usage
	forms := map[string]bool{}
	err := chi.Walk(w.pages, func(method, pattern string, _ http.Handler, _ ...func(http.Handler) http.Handler) error {
		route := method + " " + strings.TrimSuffix(pattern, "/")
		if pattern == "/" {
			route = method + " /"
		}
		_, path, _ := strings.Cut(route, " ")
		u := usage{method: method, pattern: path, path: path}
		switch {
		case !strings.HasPrefix(pattern, "/staff"):
			r := forClients[route]
			u.path, u.who, u.fields = strings.Replace(path, "{id}", w.ids[r.thing].String(), 1), r.may[0], r.fields
		default:
			r := forStaff[route]
			path = strings.NewReplacer("{staff}", w.id("max"), "{account}", w.id("borealis"), "{id}", w.ids[r.thing].String()).Replace(path)
			u.path, u.who, u.fields = path+r.query, r.may[len(r.may)-1], r.fields
		}
		if method == http.MethodPost {
			forms[u.pattern] = true
		}
		uses = append(uses, u)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(uses, func(a, b usage) int { return strings.Compare(a.method+a.pattern, b.method+b.pattern) })
	for _, u := range uses {
		t.Run(u.method+" "+u.pattern, func(t *testing.T) {
			w := w.of(t)
			declared, ok := portal.AuditOf(u.pattern)
			if u.method == http.MethodGet && !ok && !forms[u.pattern] {
				t.Fatal("this page does not declare what it leaves on record, nor why nothing")
			}
			book.heard()
			events := len(w.log.All())
			var a answer
			if u.method == http.MethodGet {
				a = w.get(u.path, u.who)
			} else {
				a = w.post(u.path, u.who, u.fields...)
			}
			heard := book.heard()
			want := 0
			switch {
			case a.status == http.StatusConflict, u.method == http.MethodGet && declared.Act != "":
				want = 1
			case a.status == http.StatusSeeOther:
				// A form that was taken leaves the facts of its command.
				if len(w.log.All()) == events && !slices.Contains(asItWas, u.pattern) {
					t.Errorf("%s as %s is done, and no fact says so", u.path, u.who)
				}
			}
			if len(heard) != want {
				t.Fatalf("%s as %s: %d, leaves %d lines, want %d: %+v", u.path, u.who, a.status, len(heard), want, heard)
			}
			for _, one := range heard {
				if one.Meta.Actor.ID != w.ids[u.who] || one.Record.ID.String() == "" || one.Record.Type == "" {
					t.Errorf("%s as %s: the line names %+v and %+v", u.path, u.who, one.Meta.Actor, one.Record)
				}
				if a.status == http.StatusOK && strings.Contains(u.path, "/") && strings.Contains(u.pattern, "{id}") && !strings.Contains(u.path, one.Record.ID.String()) {
					t.Errorf("%s: the line is about %s", u.path, one.Record.ID)
				}
			}
			if !strings.Contains(u.pattern, "{id}") {
				return
			}
			none := domaintest.ID("none").String()
			path := strings.NewReplacer("{id}", none, "{staff}", none, "{account}", none).Replace(u.pattern)
			if u.method == http.MethodGet {
				a = w.get(path, u.who)
			} else {
				a = w.post(path, u.who, u.fields...)
			}
			if heard := book.heard(); a.status != http.StatusNotFound || len(heard) != 1 || heard[0].Act != readapi.Refused || heard[0].Record.ID.String() != none {
				t.Errorf("%s as %s: %d, leaves %+v", path, u.who, a.status, heard)
			}
		})
	}
}
