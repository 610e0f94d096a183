package readapi_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/go-chi/chi/v5"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/contact"
	"github.com/atrium-portal/atrium/domain/domaintest"
	"github.com/atrium-portal/atrium/domain/firm"
	"github.com/atrium-portal/atrium/readapi/auth"
)

// The roles of the matrix. liam may see nothing that needs a permission; nora may see everything of aurora that is
// not for somebody else; fritz is frozen; the token "revoked" was taken away.
var (
	north   = []string{"olga", "liam", "nora", "bea", "max", "ada"}
	south   = []string{"carl", "sue"}
	inside  = slices.Concat(north, south)
	outside = []string{"", "fritz", "revoked", "nonsense"}
	staff   = []string{"max", "ada", "sue"}
)

// sight says who may open what; everybody else gets the answer for a thing that does not exist, or, without the
// permission for this kind of thing, is told so whatever they ask for.
type sight struct {
	without []string            // the permission
	sees    map[string][]string // by name of the thing
}

var sights = map[string]sight{
	"accounts": {sees: map[string][]string{
		"aurora": {"olga", "liam", "nora", "max", "ada"}, "borealis": {"bea", "max", "ada"}, "crux": {"carl", "sue"},
	}},
	"contacts": {sees: map[string][]string{
		"olga": {"olga", "liam", "nora", "max", "ada"}, "fritz": {"olga", "liam", "nora", "max", "ada"}, "bea": {"bea", "max", "ada"}, "carl": {"carl", "sue"},
	}},
	"projects": {without: []string{"liam"}, sees: map[string][]string{
		"project aurora": {"olga", "nora", "max", "ada"}, "project borealis": {"bea", "max", "ada"}, "project crux": {"carl", "sue"},
	}},
	"contracts": {without: []string{"liam"}, sees: map[string][]string{
		"contract": {"olga", "max", "ada"}, "contract done": {"olga", "max", "ada"}, "contract draft": {"max", "ada"},
	}},
	"invoices": {without: []string{"liam"}, sees: map[string][]string{
		"invoice aurora": {"olga", "nora", "max", "ada"}, "invoice olga": {"olga", "max", "ada"}, "draft": {"max", "ada"},
		"void": {"olga", "nora", "max", "ada"}, "invoice borealis": {"bea", "max", "ada"}, "invoice crux": {"carl", "sue"},
	}},
	"payments": {without: []string{"liam"}, sees: map[string][]string{
		"payment aurora": {"olga", "nora", "max", "ada"}, "payment borealis": {"bea", "max", "ada"}, "payment crux": {"carl", "sue"},
	}},
	"payment-attempts": {without: []string{"liam"}, sees: map[string][]string{
		"attempt aurora": {"olga", "nora", "max", "ada"}, "attempt borealis": {"bea", "max", "ada"}, "attempt crux": {"carl", "sue"},
	}},
	"statements": {without: []string{"liam"}, sees: map[string][]string{
		"aurora": {"olga", "nora", "max", "ada"}, "borealis": {"bea", "max", "ada"}, "crux": {"carl", "sue"},
	}},
	"team": {sees: map[string][]string{"max": north, "ada": north, "sue": south}},
}

// matrix says what each route answers to each role. A route that is not in it fails the test.
var matrix = func() map[string]map[string]int {
	m := map[string]map[string]int{}
	all := func(route string, status int, roles ...[]string) {
		if m[route] == nil {
			m[route] = map[string]int{}
		}
		for _, role := range slices.Concat(roles...) {
			m[route][role] = status
		}
	}
	for _, route := range []string{"GET /healthz", "GET /readyz", "GET /api/openapi.json", "GET /api/docs", "GET /api/docs/start.js"} {
		all(route, 200, inside, outside)
	}
	all("GET /api/docs/{asset}", 404, inside, outside) // of an asset that is not there
	for _, route := range []string{"GET /api/v1/me", "GET /api/v1/dashboard", "GET /api/v1/activity", "GET /api/v1/events", "GET /api/v1/accounts", "GET /api/v1/contacts", "GET /api/v1/team"} {
		all(route, 200, inside)
		all(route, 401, outside)
	}
	for _, route := range []string{"GET /api/v1/projects", "GET /api/v1/contracts", "GET /api/v1/invoices", "GET /api/v1/payments", "GET /api/v1/payment-attempts", "GET /api/v1/statements"} {
		all(route, 200, inside)
		all(route, 403, []string{"liam"})
		all(route, 401, outside)
	}
	all("GET /api/v1/history", 403, inside)
	all("GET /api/v1/history", 200, staff)
	all("GET /api/v1/history", 401, outside)
	for _, route := range []string{"GET /api/v1/ops/projections", "GET /api/v1/ops/parked", "GET /api/v1/ops/seals"} {
		all(route, 404, inside)
		all(route, 403, []string{"max"})
		all(route, 200, []string{"ada", "sue"})
		all(route, 401, outside)
	}
	all("POST /api/v1/uploads", 403, inside)
	all("POST /api/v1/uploads", 400, staff) // what for, it does not say
	all("POST /api/v1/uploads", 401, outside)
	all("POST /api/v1/commands/{name}", 404, inside) // of a command that is not there
	all("POST /api/v1/commands/{name}", 401, outside)
	return m
}()

var requestID = regexp.MustCompile(`"request_id":"[^"]*"`)

// testMatrix takes all routes from the router: one that nobody has thought about fails.
func testMatrix(t *testing.T, w *world) {
	w.tokens.set("revoked", w.tokens.tokens["ada"])
	w.tokens.revoke("revoked")
	seen := map[string]bool{}
	err := chi.Walk(w.handler.(chi.Routes), func(method, pattern string, _ http.Handler, _ ...func(http.Handler) http.Handler) error {
		route := method + " " + strings.TrimSuffix(pattern, "/")
		seen[route] = true
		if collection, rest, ok := strings.Cut(strings.TrimPrefix(route, "GET /api/v1/"), "/{id}"); ok {
			t.Run(route, func(t *testing.T) { w.of(t).opens(collection, rest) })
			return nil
		}
		expected, listed := matrix[route]
		if !listed {
			t.Errorf("%s is not in the matrix: say who may use it", route)
		}
		path := strings.NewReplacer("{asset}", "none.js", "{name}", "NoSuchCommand").Replace(strings.TrimPrefix(route, method+" "))
		for role, status := range expected {
			if got := w.status(method, path, role); got != status {
				t.Errorf("%s as %q: %d, want %d", route, role, got, status)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for route := range matrix {
		if !seen[route] {
			t.Errorf("%s is in the matrix but is no route", route)
		}
	}
}

// opens tries every thing of a collection as every role.
func (w *world) opens(collection, rest string) {
	w.t.Helper()
	sight, listed := sights[collection]
	if !listed {
		w.t.Fatalf("collection %s is not in the matrix: say who sees what", collection)
	}
	path := func(id string) string { return "/api/v1/" + collection + "/" + id + rest }
	malformed := []string{"x", "0", strings.ToUpper(domaintest.ID("none").String()), "%00", "'%20or%20true--", "00000000-0000-0000-0000-000000000000"}
	for _, role := range slices.Concat(inside, outside) {
		nothing := w.ask(http.MethodGet, path(domaintest.ID("none").String()), role)
		want := http.StatusNotFound
		switch {
		case slices.Contains(outside, role):
			want = http.StatusUnauthorized
		case slices.Contains(sight.without, role):
			want = http.StatusForbidden
		}
		if nothing.status != want {
			w.t.Errorf("missing %s as %q: %d, want %d", collection, role, nothing.status, want)
		}
		hidden := slices.Clone(malformed)
		for name, who := range sight.sees {
			if slices.Contains(who, role) {
				if a := w.ask(http.MethodGet, path(w.ids[name].String()), role); a.status != http.StatusOK {
					w.t.Errorf("%s %q as %s: %d %s", collection, name, role, a.status, a.body)
				}
				continue
			}
			hidden = append(hidden, w.ids[name].String())
		}
		for _, id := range hidden {
			a := w.ask(http.MethodGet, path(id), role)
			if a.status != nothing.status || requestID.ReplaceAllString(a.body, "") != requestID.ReplaceAllString(nothing.body, "") {
				w.t.Errorf("%s %s as %q is answered %d %s\nbut a missing one %d %s", collection, id, role, a.status, a.body, nothing.status, nothing.body)
			}
			for name := range nothing.header {
				if name != "X-Request-Id" && a.header.Get(name) != nothing.header.Get(name) {
					w.t.Errorf("%s %s as %q: header %s tells it from a missing one", collection, id, role, name)
				}
			}
		}
	}
}

// status asks and, where the answer would not end by itself, hangs up.
func (w *world) status(method, path, who string) int {
	ctx, hangUp := context.WithCancel(w.t.Context())
	defer hangUp()
	r := httptest.NewRequestWithContext(ctx, method, path, nil)
	r.Header.Set("Content-Type", "application/json")
	if who != "" {
		r.Header.Set("Authorization", "Bearer "+who)
	}
	recorder := httptest.NewRecorder()
	w.handler.ServeHTTP(hangsUp{recorder, hangUp}, r)
	return recorder.Code
}

// hangsUp ends the request as soon as something of the answer arrives.
type hangsUp struct {
	*httptest.ResponseRecorder
	hangUp func()
}

// Flush is called when a part of an answer is to be sent.
func (h hangsUp) Flush() { h.hangUp() }

func testRights(t *testing.T, w *world) {
	for _, c := range []struct {
		path, method string
		right        string
	}{
		{"/api/v1/me", http.MethodGet, auth.Read},
		{"/api/v1/invoices", http.MethodGet, auth.Read},
		{"/api/v1/ops/parked", http.MethodGet, auth.Ops},
		{"/api/v1/commands/NoSuchCommand", http.MethodPost, auth.Commands},
		{"/api/v1/uploads", http.MethodPost, auth.Commands},
	} {
		for _, right := range append(auth.Rights(), "") {
			token := w.tokens.tokens["ada"]
			token.Rights = []string{right}
			w.tokens.set("narrow", token)
			refused := w.ask(c.method, c.path, "narrow").status == http.StatusForbidden
			if want := right != c.right && right != auth.All; refused != want {
				t.Errorf("%s %s with right %q: refused %t, want %t", c.method, c.path, right, refused, want)
			}
		}
	}
}

func TestAccessThatIsTakenAwayIsGoneWithTheNextRequest(t *testing.T) {
	w := newWorld(t)
	if got := w.status(http.MethodGet, "/api/v1/me", "olga"); got != http.StatusOK {
		t.Fatal(got)
	}
	w.do("north", w.staffOf("ada"), "FreezeAccess", contact.Freeze{Contact: w.ids["olga"], Reason: domain.P("lost laptop")}) // the read models do not know it yet
	if got := w.status(http.MethodGet, "/api/v1/me", "olga"); got != http.StatusUnauthorized {
		t.Errorf("frozen: %d", got)
	}
	w.do("north", w.staffOf("ada"), "DeactivateStaff", firm.Deactivate{Firm: w.ids["north"], Staff: w.ids["max"]})
	if got := w.status(http.MethodGet, "/api/v1/me", "max"); got != http.StatusUnauthorized {
		t.Errorf("deactivated: %d", got)
	}
	w.do("north", w.staffOf("ada"), "ChangePermissions", contact.ChangePermissions{Contact: w.ids["nora"], Permissions: []contact.Permission{contact.ViewProjects}})
	if got := w.status(http.MethodGet, "/api/v1/invoices", "nora"); got != http.StatusForbidden {
		t.Errorf("permission taken away: %d", got)
	}
}
