package projections_test

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/atrium-portal/atrium/projections"
)

// TestGoldenSchema keeps the schema that the tables make in testdata/schema.sql, for reading: `make golden` writes it
// anew.
func TestGoldenSchema(t *testing.T) {
	made, err := projections.DDL(projections.Tables(), "read")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join("testdata", "schema.sql")
	if flag.Lookup("update").Value.String() == "true" {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(made), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	kept, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("run `make golden`: %v", err)
	}
	if d := cmp.Diff(string(kept), made); d != "" {
		t.Errorf("the tables changed: run `make golden` and look at what it writes (-kept +made):\n%s", d)
	}
}
