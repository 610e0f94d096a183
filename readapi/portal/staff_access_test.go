package portal_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/go-chi/chi/v5"

	"github.com/atrium-portal/atrium/domain/domaintest"
)

// Who may use what in the console: those of the firm north with a role or a wider one.
var (
	members        = []string{"max", "meg", "ada"}
	managers       = []string{"meg", "ada"}
	administrators = []string{"ada"}
)

// staffRule says who of the firm may use a route. Members of staff with a narrower role are told so, whatever they ask
// for; everybody else is told that there is nothing.
type staffRule struct {
	may    []string
	thing  string   // of the firm north, whose id stands in the address
	query  string   // after the address
	fields []string // that the form needs
	owned  bool     // also those of other firms may use it, on their own things
	upload bool     // the form holds a file; as it is tried here, it holds none and cannot be read
}

// staffRules are the routes of the console.
func staffRules(w *world) map[string]staffRule {
	rules := map[string]staffRule{}
	both := func(route string, r staffRule) {
		rules["GET "+route] = r
		rules["POST "+route] = r
	}
	for _, route := range []string{"/staff", "/staff/search", "/staff/history", "/staff/records", "/staff/clients", "/staff/projects", "/staff/projects/list", "/staff/invoices", "/staff/contracts"} {
		rules["GET "+route] = staffRule{may: members, owned: true}
	}
	both("/staff/operations/rebuild", staffRule{may: administrators, owned: true})
	both("/staff/operations/rollback", staffRule{may: administrators, owned: true})
	rules["GET /staff/operations"] = staffRule{may: administrators, owned: true}

	for _, tab := range []string{"", "/contacts", "/projects", "/invoices", "/contracts", "/history", "/changes", "/what-if"} {
		rules["GET /staff/clients/{id}"+tab] = staffRule{may: members, thing: "aurora"}
	}
	both("/staff/clients/new", staffRule{may: managers, owned: true, fields: []string{"name", "", "currency", "EUR"}})
	both("/staff/clients/{id}/edit", staffRule{may: managers, thing: "aurora", fields: []string{"name", ""}})
	both("/staff/clients/{id}/modules", staffRule{may: managers, thing: "borealis", fields: []string{"modules", "projects"}})
	both("/staff/clients/{id}/close", staffRule{may: managers, thing: "borealis"})
	both("/staff/clients/{id}/reopen", staffRule{may: managers, thing: "borealis"})
	both("/staff/clients/{id}/contacts/new", staffRule{may: members, thing: "aurora", fields: []string{"name", ""}})

	rules["GET /staff/contacts/{id}"] = staffRule{may: members, thing: "olga"}
	rules["GET /staff/contacts/{id}/history"] = staffRule{may: members, thing: "olga"}
	rules["GET /staff/contacts/{id}/preview"] = staffRule{may: members, thing: "olga"}
	both("/staff/contacts/{id}/edit", staffRule{may: members, thing: "olga", fields: []string{"name", ""}})
	both("/staff/contacts/{id}/access", staffRule{may: managers, thing: "olga", fields: []string{"role", "king", "now", "granted"}})
	both("/staff/contacts/{id}/freeze", staffRule{may: members, thing: "rita", fields: []string{"reason", ""}})
	both("/staff/contacts/{id}/unfreeze", staffRule{may: managers, thing: "rita"})
	both("/staff/contacts/{id}/revoke", staffRule{may: managers, thing: "rita"})
	both("/staff/contacts/{id}/merge", staffRule{may: managers, thing: "olga", fields: []string{"duplicate", w.id("olga")}})

	both("/staff/contacts/{id}/link", staffRule{may: managers, thing: "olga", fields: []string{"account", w.id("borealis"), "role", "king"}})
	both("/staff/contacts/{id}/links/{account}", staffRule{may: managers, thing: "nora", fields: []string{"role", "king"}})
	both("/staff/contacts/{id}/links/{account}/unlink", staffRule{may: managers, thing: "nora"})

	rules["GET /staff/projects/{id}"] = staffRule{may: members, thing: "project aurora"}
	rules["GET /staff/projects/{id}/history"] = staffRule{may: members, thing: "project aurora"}
	rules["POST /staff/projects/{id}/advance"] = staffRule{may: members, thing: "project aurora", fields: []string{"to", "Development"}}
	rules["POST /staff/projects/{id}/team/{staff}/remove"] = staffRule{may: members, thing: "project aurora"}
	both("/staff/projects/new", staffRule{may: members, query: "?account=" + w.id("aurora"), fields: []string{"name", ""}})
	both("/staff/projects/{id}/stage", staffRule{may: members, thing: "project aurora", fields: []string{"to", "Nowhere"}})
	both("/staff/projects/{id}/health", staffRule{may: members, thing: "project aurora", fields: []string{"health", "shifted"}})
	both("/staff/projects/{id}/team", staffRule{may: members, thing: "project aurora", fields: []string{"staff", w.id("max")}})
	both("/staff/projects/{id}/complete", staffRule{may: members, thing: "project aurora"})
	both("/staff/projects/{id}/reopen", staffRule{may: managers, thing: "project aurora", fields: []string{"reason", "More to do"}})

	rules["GET /staff/invoices/{id}"] = staffRule{may: members, thing: "invoice olga"}
	rules["GET /staff/invoices/{id}/history"] = staffRule{may: members, thing: "invoice olga"}
	both("/staff/invoices/new", staffRule{may: managers, query: "?account=" + w.id("aurora"), fields: []string{"do", "sum"}})
	both("/staff/invoices/{id}/edit", staffRule{may: managers, thing: "draft", fields: []string{"do", "sum"}})
	both("/staff/invoices/{id}/send", staffRule{may: managers, thing: "draft"})
	both("/staff/invoices/{id}/payment", staffRule{may: managers, thing: "invoice olga", fields: []string{"amount", "x"}})
	both("/staff/invoices/{id}/credit", staffRule{may: managers, thing: "invoice olga", fields: []string{"amount", "x"}})
	both("/staff/invoices/{id}/void", staffRule{may: managers, thing: "invoice olga", fields: []string{"reason", ""}})
	both("/staff/invoices/{id}/refund", staffRule{may: managers, thing: "invoice aurora", query: "?payment=" + w.id("payment aurora"), fields: []string{"amount", "x"}})
	both("/staff/invoices/{id}/answer", staffRule{may: members, thing: "invoice olga", query: "?question=" + w.id("question"), fields: []string{"text", ""}})
	both("/staff/payments/{id}/review", staffRule{may: managers, thing: "payment olga", fields: []string{"note", "Given back"}})

	rules["GET /staff/contracts/{id}"] = staffRule{may: members, thing: "contract"}
	rules["GET /staff/contracts/{id}/history"] = staffRule{may: members, thing: "contract"}
	both("/staff/contracts/new", staffRule{may: managers, query: "?account=" + w.id("aurora"), fields: []string{"title", ""}})
	both("/staff/contracts/{id}/edit", staffRule{may: managers, thing: "contract draft", fields: []string{"revision", "0", "title", ""}})
	both("/staff/contracts/{id}/send", staffRule{may: managers, thing: "contract draft"})
	both("/staff/contracts/{id}/void", staffRule{may: managers, thing: "contract", fields: []string{"reason", ""}})

	both("/staff/settings", staffRule{may: administrators, owned: true, fields: []string{"name", ""}})
	rules["GET /staff/settings/logo"] = staffRule{may: administrators, owned: true}
	rules["POST /staff/settings/logo"] = staffRule{may: administrators, owned: true, upload: true}
	rules["POST /staff/settings/logo/remove"] = staffRule{may: administrators, owned: true}
	rules["GET /staff/settings/staff"] = staffRule{may: administrators, owned: true}
	both("/staff/settings/staff/new", staffRule{may: administrators, owned: true, fields: []string{"name", ""}})
	both("/staff/settings/staff/{id}/role", staffRule{may: administrators, thing: "max", fields: []string{"role", "king"}})
	both("/staff/settings/staff/{id}/deactivate", staffRule{may: administrators, thing: "ada"})
	return rules
}

// TestStaffAccess takes all routes of the console from the router: one that nobody has thought about fails.
func TestStaffAccess(t *testing.T) {
	w := newWorld(t)
	w.console()
	rules := staffRules(w)
	seen := map[string]bool{}
	var routes []string
	err := chi.Walk(w.pages, func(method, pattern string, _ http.Handler, _ ...func(http.Handler) http.Handler) error {
		if !strings.HasPrefix(pattern, "/staff") {
			return nil // TestAccess
		}
		route := method + " " + strings.TrimSuffix(pattern, "/")
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
		t.Run(route, func(t *testing.T) { w.of(t).triesStaff(method, path, rules[route]) })
	}
	for route := range rules {
		if !seen[route] {
			t.Errorf("%s is in the table but is no route", route)
		}
	}
}

// triesStaff uses a route of the console as everybody, on the thing of the rule and on things that are not there.
func (w *world) triesStaff(method, pattern string, r staffRule) {
	w.t.Helper()
	pattern = strings.NewReplacer("{staff}", w.id("max"), "{account}", w.id("borealis")).Replace(pattern)
	paths := []string{pattern + r.query}
	if r.thing != "" {
		paths = []string{strings.Replace(pattern, "{id}", w.id(r.thing), 1) + r.query}
		for _, id := range []string{domaintest.ID("none").String(), "x", "%00", strings.ToUpper(w.id(r.thing))} {
			paths = append(paths, strings.Replace(pattern, "{id}", id, 1)+r.query)
		}
	}
	for i, path := range paths {
		for _, who := range slices.Concat(clients, staff, outside) {
			a := w.get(path, who)
			if method == http.MethodPost {
				a = w.post(path, who, r.fields...)
			}
			found, role := i == 0 && (who != "sue" || r.owned), who == "sue" || slices.Contains(r.may, who)
			want := []int{http.StatusNotFound}
			switch {
			case slices.Contains(outside, who):
				if !strings.HasPrefix(a.header.Get("Location"), "/login") {
					w.t.Errorf("%s %s as %q: no way to the sign-in", method, path, who)
				}
				want = []int{http.StatusSeeOther}
			case slices.Contains(clients, who):
			case !role:
				want = []int{http.StatusForbidden}
			case found && method == http.MethodGet:
				want = []int{http.StatusOK}
			case found && r.upload:
				want = []int{http.StatusBadRequest}
			case found:
				// A form may be refused for what was done with it before; what matters is that they get so far.
				want = []int{http.StatusOK, http.StatusSeeOther, http.StatusConflict, http.StatusUnprocessableEntity}
			}
			if !slices.Contains(want, a.status) {
				w.t.Errorf("%s %s as %s: %d, want one of %v: %s", method, path, who, a.status, want, short(a.body))
			}
		}
	}
}

// short is the text of a page's main part, as far as a message needs it.
func short(page string) string {
	if _, main, ok := strings.Cut(page, "<main"); ok {
		page = main
	}
	return page[:min(len(page), 600)]
}
