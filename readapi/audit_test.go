package readapi_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/go-chi/chi/v5"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/domaintest"
	"github.com/atrium-portal/atrium/readapi"
)

// scribe keeps what it is told.
type scribe struct {
	mu    sync.Mutex
	looks []readapi.Look
	err   error // that the record is not kept
}

func (s *scribe) Record(_ context.Context, l readapi.Look) error {
	s.Later(context.Background(), l)
	return s.err
}

func (s *scribe) Later(_ context.Context, l readapi.Look) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.looks = append(s.looks, l)
}

// heard gives what it was told since it was asked last.
func (s *scribe) heard() []readapi.Look {
	s.mu.Lock()
	defer s.mu.Unlock()
	looks := s.looks
	s.looks = nil
	return looks
}

// onRecord says of each route that opens or gives away one thing what it leaves on record. Routes without an id leave
// nothing but when they are asked for a file.
var onRecord = map[string]readapi.Look{
	"accounts": {Act: readapi.Viewed, Record: readapi.Opened{Type: "account"}}, "contacts": {Act: readapi.Viewed, Record: readapi.Opened{Type: "contact"}},
	"projects": {Act: readapi.Viewed, Record: readapi.Opened{Type: "project"}}, "contracts": {Act: readapi.Viewed, Record: readapi.Opened{Type: "contract"}},
	"invoices": {Act: readapi.Viewed, Record: readapi.Opened{Type: "invoice"}}, "payments": {Act: readapi.Viewed, Record: readapi.Opened{Type: "payment"}},
	"payment-attempts": {Act: readapi.Viewed, Record: readapi.Opened{Type: "payment"}},
	"statements":       {Act: readapi.Viewed, What: "statement", Record: readapi.Opened{Type: "account"}},
	"team":             {},

	"invoices/pdf":     {Act: readapi.Downloaded, What: "invoice", Record: readapi.Opened{Type: "invoice"}},
	"contracts/pdf":    {Act: readapi.Downloaded, What: "contract", Record: readapi.Opened{Type: "contract"}},
	"payments/receipt": {Act: readapi.Downloaded, What: "receipt", Record: readapi.Opened{Type: "payment"}},
	"statements/pdf":   {Act: readapi.Downloaded, What: "statement", Record: readapi.Opened{Type: "account"}},

	"accounts/evidence": {}, "accounts/diff": {}, // a bundle is a fact of its own
}

// testOnRecord takes all routes from the router and looks for the one line that each leaves.
func testOnRecord(t *testing.T, w *world) {
	book := w.options.Audit.(*scribe)
	err := chi.Walk(w.handler.(chi.Routes), func(method, pattern string, _ http.Handler, _ ...func(http.Handler) http.Handler) error {
		collection, rest, one := strings.Cut(strings.TrimPrefix(pattern, "/api/v1/"), "/{id}")
		switch {
		case method != http.MethodGet || !strings.HasPrefix(pattern, "/api/v1/"):
			return nil
		case pattern == "/api/v1/events":
			return nil // it does not end
		case !one:
			book.heard()
			if a := w.ask(http.MethodGet, pattern, "ada"); a.status == http.StatusOK && len(book.heard()) > 0 {
				t.Errorf("%s leaves a line", pattern)
			}
			return nil
		}
		want, listed := onRecord[collection+rest]
		if !listed && rest != "/history" {
			t.Errorf("%s is not in the table: say what it leaves on record", pattern)
			return nil
		}
		for name, who := range sights[collection].sees {
			for _, role := range who {
				w.leaves("/api/v1/"+collection+"/"+w.ids[name].String()+rest, role, want)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// leaves asks for something and compares the lines that it leaves.
func (w *world) leaves(path, role string, want readapi.Look) {
	w.t.Helper()
	book := w.options.Audit.(*scribe)
	book.heard()
	a := w.ask(http.MethodGet, path, role)
	if a.status != http.StatusOK {
		w.t.Errorf("%s as %s: %d", path, role, a.status)
		return
	}
	heard := book.heard()
	if want.Act == "" {
		if len(heard) > 0 {
			w.t.Errorf("%s as %s leaves %v", path, role, heard)
		}
		return
	}
	if len(heard) != 1 {
		w.t.Errorf("%s as %s leaves %d lines, want 1", path, role, len(heard))
		return
	}
	got := heard[0]
	if got.Act != want.Act || got.What != want.What || got.Record.Type != want.Record.Type || !strings.Contains(path, got.Record.ID.String()) {
		w.t.Errorf("%s as %s leaves %s %q of %s %s", path, role, got.Act, got.What, got.Record.Type, got.Record.ID)
	}
	if sum := fmt.Sprintf("%x", sha256.Sum256([]byte(a.body))); (got.Act == readapi.Downloaded) != (got.Record.SHA256 == sum) {
		w.t.Errorf("%s as %s: the line names file %q, it is %s", path, role, got.Record.SHA256, sum)
	}
	if got.Meta.Actor.ID != w.ids[role] || got.Meta.Account == domain.NoID || got.Meta.Firm == domain.NoID || got.Meta.Request == "" {
		w.t.Errorf("%s as %s: who it was is %+v of account %s", path, role, got.Meta.Actor, got.Meta.Account)
	}
}

// testFilesOnRecord exports histories and looks for the line; without one there is no file.
func testFilesOnRecord(t *testing.T, w *world) {
	book := w.options.Audit.(*scribe)
	invoice := w.ids["invoice aurora"]
	for path, want := range map[string]readapi.Opened{
		"/api/v1/history?format=csv":                                    {Type: "firm", ID: w.ids["north"]},
		"/api/v1/invoices/" + invoice.String() + "/history?format=json": {Type: "invoice", ID: invoice, Label: "0001", Account: w.ids["aurora"], Open: true},
	} {
		book.heard()
		a := w.ask(http.MethodGet, path, "ada")
		heard := book.heard()
		if a.status != http.StatusOK || len(heard) != 1 || heard[0].Act != readapi.Exported || heard[0].What != "history" || !strings.HasSuffix(path, heard[0].Format) {
			t.Fatalf("%s: %d, leaves %v", path, a.status, heard)
		}
		if got := heard[0].Record; got.Type != want.Type || got.ID != want.ID || got.Label != want.Label || got.Account != want.Account || got.Open != want.Open {
			t.Errorf("%s leaves a line about %+v, want %+v", path, got, want)
		}
	}
	book.err = &domain.Fault{Kind: domain.Unavailable, Code: "not-on-record", Message: "Not now."}
	defer func() { book.err = nil }()
	for _, path := range []string{"/api/v1/history?format=csv", "/api/v1/invoices/" + invoice.String() + "/pdf"} {
		if a := w.ask(http.MethodGet, path, "ada"); a.status != http.StatusServiceUnavailable || !strings.Contains(a.body, "not-on-record") {
			t.Errorf("%s without a record: %d %s", path, a.status, a.body)
		}
	}
	book.heard()
	if a := w.ask(http.MethodHead, "/api/v1/invoices/"+invoice.String()+"/pdf", "ada"); a.status != http.StatusOK || len(book.heard()) > 0 {
		t.Errorf("asking how long a file is: %d", a.status)
	}
}

// testRefusalsOnRecord is refused in every way.
func testRefusalsOnRecord(t *testing.T, w *world) {
	book := w.options.Audit.(*scribe)
	missing := domaintest.ID("none")
	for _, c := range []struct {
		method, path, who, body, tried, code string
		record                               domain.ID
	}{
		{http.MethodGet, "/api/v1/invoices/" + w.ids["invoice borealis"].String(), "olga", "", "look", "not-found", w.ids["invoice borealis"]},
		{http.MethodGet, "/api/v1/contracts/" + missing.String() + "/pdf", "ada", "", "look", "not-found", missing},
		{http.MethodGet, "/api/v1/history", "olga", "", "look", "not-permitted", w.ids["aurora"]},
		{http.MethodGet, "/api/v1/ops/parked", "olga", "", "look", "", w.ids["aurora"]},
		{http.MethodPost, "/api/v1/commands/DraftInvoice", "olga", "{}", "DraftInvoice", "", w.ids["aurora"]},
		{http.MethodPost, "/api/v1/commands/NoSuchCommand", "ada", "{}", "NoSuchCommand", "unknown-command", w.ids["north"]},
	} {
		book.heard()
		body := []string{c.body}
		if c.body == "" {
			body = nil
		}
		a := w.ask(c.method, c.path, c.who, body...)
		heard := book.heard()
		if len(heard) != 1 || heard[0].Act != readapi.Refused || heard[0].What != c.tried || heard[0].Record.ID != c.record || heard[0].Meta.Actor.ID != w.ids[c.who] ||
			c.code != "" && heard[0].Code != c.code {
			t.Errorf("%s %s as %s: %d, leaves %+v", c.method, c.path, c.who, a.status, heard)
		}
	}
	// What was mistyped, and what is no address at all, is no refusal.
	for _, path := range []string{"/api/v1/nothing", "/api/v1/invoices?limit=x"} {
		book.heard()
		if a := w.ask(http.MethodGet, path, "olga"); a.status < 400 || len(book.heard()) > 0 {
			t.Errorf("%s: %d leaves a line", path, a.status)
		}
	}
}

// testWhoMayKnow looks at what the record says of who of a client may know that staff opened something.
func testWhoMayKnow(t *testing.T, w *world) {
	book := w.options.Audit.(*scribe)
	for name, open := range map[string]bool{"draft": false, "invoice aurora": true} {
		book.heard()
		w.ask(http.MethodGet, "/api/v1/invoices/"+w.ids[name].String(), "ada")
		if heard := book.heard(); len(heard) != 1 || heard[0].Record.Open != open {
			t.Errorf("%s: %+v", name, heard)
		}
	}
	book.heard()
	w.ask(http.MethodGet, "/api/v1/contracts/"+w.ids["contract done"].String(), "ada")
	if heard := book.heard(); len(heard) != 1 || !slices.Contains(heard[0].Record.To, w.ids["olga"]) {
		t.Errorf("a contract: %+v", heard)
	}
}
