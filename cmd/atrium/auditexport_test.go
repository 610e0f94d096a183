package main

import (
	"encoding/csv"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestHistoryIsTakenAway exports the history of a firm and of a client: it is all there, and that it was taken is too.
func TestHistoryIsTakenAway(t *testing.T) {
	data, dir := firmIn(t), t.TempDir()
	clients, invoices, _, _ := export(t, 2, 6)
	program(t, exitDone, "import", "clients", "--data", data, "--from", "invoiceninja", clients)
	program(t, exitDone, "import", "invoices", "--data", data, "--from", "invoiceninja", invoices)
	var account string
	var events, its int
	inside(t, data, func(k *stack) {
		if err := k.pools.Projector.QueryRow(t.Context(), `select id::text from read.accounts limit 1`).Scan(&account); err != nil {
			t.Fatal(err)
		}
		if err := k.pools.Projector.QueryRow(t.Context(), `select count(*), count(*) filter (where account::text = $1) from read.history`, account).Scan(&events, &its); err != nil {
			t.Fatal(err)
		}
	})

	whole := filepath.Join(dir, "whole.json")
	program(t, exitDone, "audit", "export", "--data", data, "--out", whole)
	var taken struct {
		Items []struct{ Action, Sentence string }
	}
	text, err := os.ReadFile(whole)
	if err == nil {
		err = json.Unmarshal(text, &taken)
	}
	if err != nil || len(taken.Items) != events {
		t.Fatalf("%d entries of %d: %v", len(taken.Items), events, err)
	}
	lines, err := csv.NewReader(strings.NewReader(program(t, exitDone, "audit", "export", "--data", data, "--account", account))).ReadAll()
	if err != nil || len(lines) != its+1 {
		t.Fatalf("%d lines of %d: %v", len(lines), its+1, err)
	}
	lines, err = csv.NewReader(strings.NewReader(program(t, exitDone, "audit", "export", "--data", data, "--action", "DataExported"))).ReadAll()
	if err != nil || len(lines) != 3 {
		t.Fatalf("two exports left %v: %v", lines, err)
	}
	sentence := slices.Index(lines[0], "sentence")
	if got := lines[2][sentence]; got != "Operator exported the history of the firm as json" {
		t.Error(got)
	}
	if got := lines[1][sentence]; !strings.HasPrefix(got, "Operator exported the history of account ") {
		t.Error(got)
	}
	for _, mistake := range [][]string{{"--account", "x"}, {"--from", "yesterday"}, {"--out", filepath.Join(dir, "no", "folder")}, {"--firm", "South"}} {
		program(t, exitFailed, slices.Concat([]string{"audit", "export", "--data", data}, mistake)...)
	}
}
