package portal_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/go-chi/chi/v5"

	"github.com/atrium-portal/atrium/domain/domaintest"
)

// The roles of the table. liam may see nothing that needs a permission; nora may look, and neither pay nor sign; fritz
// is frozen.
var (
	clients = []string{"olga", "liam", "nora", "bea", "carl"}
	staff   = []string{"max", "meg", "ada", "sue"}
	outside = []string{"", "fritz", "nonsense"}
)

// rule says who may use a route. All others are told that there is nothing, like for a thing that does not exist.
type rule struct {
	thing   string   // whose id stands in the address
	fields  []string // that the form needs
	may     []string
	without []string // lack the permission, and are told so whatever they ask for
}

// clientRules are the routes of the pages for clients.
func clientRules() map[string]rule {
	permitted := []string{"olga", "nora", "bea", "carl"}
	list := rule{may: permitted, without: []string{"liam"}}
	everybody := rule{may: clients}
	project := rule{thing: "project aurora", may: []string{"olga", "nora"}, without: []string{"liam"}}
	invoice := rule{thing: "invoice olga", may: []string{"olga"}, without: []string{"liam"}}
	contract := rule{thing: "contract", may: []string{"olga", "nora"}, without: []string{"liam"}}
	noViewers := []string{"liam", "nora"}
	text := []string{"text", "What is this?", "reason", "Too dear", "name", "Somebody", "read", "yes", "consent", "yes", "agree", "yes", "sha256", "x", "disclosure", "x"}
	return map[string]rule{
		"GET /":                         everybody,
		"GET /projects":                 list,
		"GET /projects/{id}":            project,
		"GET /projects/{id}/history":    project,
		"GET /invoices":                 list,
		"GET /invoices/{id}":            invoice,
		"GET /invoices/{id}/history":    invoice,
		"GET /invoices/{id}/question":   invoice,
		"POST /invoices/{id}/question":  {thing: "invoice olga", fields: text, may: []string{"olga"}, without: []string{"liam"}},
		"POST /invoices/{id}/pay":       {thing: "invoice olga", may: []string{"olga"}, without: noViewers},
		"GET /payments/{id}":            {thing: "payment olga", may: []string{"olga"}, without: []string{"liam"}},
		"POST /payments/{id}/cancel":    {thing: "payment olga", may: []string{"olga"}, without: noViewers},
		"GET /statement":                list,
		"GET /statement.csv":            list,
		"GET /contracts":                list,
		"GET /contracts/{id}":           contract,
		"GET /contracts/{id}/history":   contract,
		"POST /contracts/{id}/view":     contract,
		"POST /contracts/{id}/consent":  {thing: "contract", fields: text, may: []string{"olga"}, without: noViewers},
		"GET /contracts/{id}/withdraw":  {thing: "contract", may: []string{"olga"}, without: noViewers},
		"POST /contracts/{id}/withdraw": {thing: "contract", may: []string{"olga"}, without: noViewers},
		"POST /contracts/{id}/sign":     {thing: "contract", fields: text, may: []string{"olga"}, without: noViewers},
		"GET /contracts/{id}/decline":   {thing: "contract", may: []string{"olga"}, without: noViewers},
		"POST /contracts/{id}/decline":  {thing: "contract", fields: text, may: []string{"olga"}, without: noViewers},
		"GET /people":                   everybody,
		"GET /history":                  everybody,
		"GET /changes":                  everybody,
		"GET /records":                  everybody,
		"GET /profile":                  everybody,
		"POST /profile":                 {fields: text, may: clients},
		"GET /profile/notifications":    everybody,
		"POST /profile/notifications":   {fields: text, may: clients},
	}
}

// TestAccess takes all routes from the router: one that nobody has thought about fails.
func TestAccess(t *testing.T) {
	w := newWorld(t)
	w.startPayment("olga", "invoice olga")
	rules := clientRules()
	seen := map[string]bool{}
	var routes []string
	err := chi.Walk(w.pages, func(method, pattern string, _ http.Handler, _ ...func(http.Handler) http.Handler) error {
		route := method + " " + strings.TrimSuffix(pattern, "/")
		if pattern == "/" {
			route = method + " /"
		}
		if strings.HasPrefix(pattern, "/staff") {
			return nil // TestStaffAccess
		}
		seen[route] = true
		if _, listed := rules[route]; !listed {
			t.Errorf("%s is not in the table: say who may use it", route)
			return nil
		}
		routes = append(routes, route)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(routes) // forms come last: they change what pages show
	for _, route := range routes {
		method, path, _ := strings.Cut(route, " ")
		t.Run(route, func(t *testing.T) { w.of(t).tries(method, path, rules[route]) })
	}
	for route := range rules {
		if !seen[route] {
			t.Errorf("%s is in the table but is no route", route)
		}
	}
}

// tries uses a route as everybody, on the thing of the rule and on things that are not there.
func (w *world) tries(method, pattern string, r rule) {
	w.t.Helper()
	paths := []string{pattern}
	if r.thing != "" {
		paths = []string{strings.Replace(pattern, "{id}", w.id(r.thing), 1)}
		for _, id := range []string{domaintest.ID("none").String(), "x", "%00", strings.ToUpper(w.id(r.thing))} {
			paths = append(paths, strings.Replace(pattern, "{id}", id, 1))
		}
	}
	for i, path := range paths {
		for _, who := range slices.Concat(clients, staff, outside) {
			a := w.get(path, who)
			if method == http.MethodPost {
				a = w.post(path, who, r.fields...)
			}
			switch {
			case slices.Contains(outside, who):
				if a.status != http.StatusSeeOther || !strings.HasPrefix(a.header.Get("Location"), "/login") {
					w.t.Errorf("%s %s as %q: %d, want the way to the sign-in", method, path, who, a.status)
				}
			case slices.Contains(staff, who):
				if path == "/" && a.header.Get("Location") == "/staff" {
					continue
				}
				if a.status != http.StatusNotFound {
					w.t.Errorf("%s %s as %s: %d, want %d", method, path, who, a.status, http.StatusNotFound)
				}
			case slices.Contains(r.without, who):
				if a.status != http.StatusForbidden {
					w.t.Errorf("%s %s as %s: %d, want %d", method, path, who, a.status, http.StatusForbidden)
				}
			case i > 0 || !slices.Contains(r.may, who):
				if a.status != http.StatusNotFound {
					w.t.Errorf("%s %s as %s: %d, want %d", method, path, who, a.status, http.StatusNotFound)
				}
			default:
				// A form may be refused for what was done with it before; what matters is that they get so far.
				may := []int{http.StatusOK}
				if method == http.MethodPost {
					may = []int{http.StatusSeeOther, http.StatusConflict, http.StatusUnprocessableEntity}
				}
				if !slices.Contains(may, a.status) {
					w.t.Errorf("%s %s as %s: %d, want one of %v: %s", method, path, who, a.status, may, a.body)
				}
			}
		}
	}
}

func TestForeignThingsLookLikeMissingOnes(t *testing.T) {
	w := newWorld(t)
	missing := domaintest.ID("none").String()
	for _, c := range []struct{ path, thing, who string }{
		{"/invoices/", "invoice borealis", "olga"},
		{"/invoices/", "invoice olga", "nora"},
		{"/invoices/", "draft", "olga"},
		{"/invoices/", "invoice crux", "bea"},
		{"/contracts/", "contract borealis", "olga"},
		{"/contracts/", "contract draft", "olga"},
		{"/projects/", "project crux", "olga"},
	} {
		foreign, none := w.get(c.path+w.id(c.thing), c.who), w.get(c.path+missing, c.who)
		if foreign.status != http.StatusNotFound || strings.ReplaceAll(foreign.body, w.id(c.thing), missing) != none.body {
			t.Errorf("%s%q as %s is told from one that is not there (%d)", c.path, c.thing, c.who, foreign.status)
		}
	}
}

func TestMenuShowsWhatMayBeUsed(t *testing.T) {
	w := newWorld(t)
	holds(t, w.page("/", "olga"), `href="/invoices"`, `href="/projects"`, `href="/contracts"`, `href="/statement"`, `href="/history"`)
	liam := w.page("/", "liam")
	lacks(t, liam, `href="/invoices"`, `href="/projects"`, `href="/contracts"`, `href="/statement"`)
	holds(t, liam, `href="/people"`, "Welcome, Liam")
	lacks(t, w.page("/", "olga"), `href="/staff`)
}
