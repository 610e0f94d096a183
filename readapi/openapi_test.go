package readapi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/atrium-portal/atrium/commands"
	"github.com/atrium-portal/atrium/domain/domaintest"
	"github.com/atrium-portal/atrium/projections"
	"github.com/atrium-portal/atrium/readapi"
)

// undatabased is a world without people and without a database, which the description needs not.
func undatabased(t *testing.T) *world {
	nowhere, err := pgxpool.ParseConfig("postgres://nobody@127.0.0.1:1/none")
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, client: nowhere, staff: nowhere, options: readapi.Options{
		Tokens: &tokenBook{}, People: people{}, Checkpoint: &projections.Engine{}, Ops: ops{}, Menu: menu(commands.Atrium()), Documents: pencil{},
		Ready: func(context.Context) error { return nil }, Now: func() time.Time { return domaintest.Now },
	}}
	w.serve()
	return w
}

const golden = "testdata/openapi.json"

// TestGoldenDescription keeps the API description in sight: a change of the API is a change of this file. The flag
// -update is domaintest's.
func TestGoldenDescription(t *testing.T) {
	w := undatabased(t)
	got := w.ask(http.MethodGet, "/api/openapi.json", "").body
	if flag.Lookup("update").Value.String() == "true" {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil || !bytes.Equal(want, []byte(got)) {
		t.Errorf("the API description is not the one in %s (%v): make golden writes it; read the difference", golden, err)
	}

	var doc struct {
		OpenAPI    string
		Paths      map[string]map[string]any
		Components struct{ Schemas map[string]any }
	}
	if err := json.Unmarshal([]byte(got), &doc); err != nil || doc.OpenAPI != "3.1.0" {
		t.Fatal(err, doc.OpenAPI)
	}
	// Every route and every command is described, and nothing else.
	described := 0
	err = chi.Walk(w.handler.(chi.Routes), func(method, pattern string, _ http.Handler, _ ...func(http.Handler) http.Handler) error {
		path, ours := strings.CutPrefix(strings.TrimSuffix(pattern, "/"), "/api/v1")
		if !ours || strings.HasPrefix(path, "/commands/") {
			return nil
		}
		described++
		if doc.Paths[path][strings.ToLower(method)] == nil {
			t.Errorf("%s %s is not described", method, path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range w.options.Menu {
		described++
		if doc.Paths["/commands/"+c.Name]["post"] == nil {
			t.Errorf("%s is not described", c.Name)
		}
	}
	if described != len(doc.Paths) {
		t.Errorf("%d paths are described, there are %d", len(doc.Paths), described)
	}
	// Every reference leads somewhere.
	for _, part := range strings.Split(got, `"#/components/schemas/`)[1:] {
		if name, _, _ := strings.Cut(part, `"`); doc.Components.Schemas[name] == nil {
			t.Errorf("there is no schema %s", name)
		}
	}
}
