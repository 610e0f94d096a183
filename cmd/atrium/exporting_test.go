package main

import (
	"encoding/csv"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestListsAreTakenAway exports what was imported: all of it, with the same sums, in both formats, and on record.
func TestListsAreTakenAway(t *testing.T) {
	data, dir := firmIn(t), t.TempDir()
	const clients, invoices = 3, 250 // more than one page of the API
	clientFile, invoiceFile, billed, paid := export(t, clients, invoices)
	program(t, exitDone, "import", "clients", "--data", data, "--from", "invoiceninja", clientFile)
	program(t, exitDone, "import", "invoices", "--data", data, "--from", "invoiceninja", invoiceFile)

	lines := tableOf(t, program(t, exitDone, "export", "invoices", "--data", data))
	if len(lines) != invoices+1 {
		t.Fatalf("%d lines of %d invoices", len(lines), invoices)
	}
	if got := sumOf(t, lines, "total"); got != billed {
		t.Errorf("the totals are %d, billed were %d", got, billed)
	}
	if got := sumOf(t, lines, "paid"); got != paid {
		t.Errorf("what was paid is %d, not %d", got, paid)
	}

	file := filepath.Join(dir, "overdue.json")
	if said := program(t, exitDone, "export", "invoices", "--data", data, "--where", "status=paid,overdue,part_paid", "--q", "1", "--out", file); !strings.HasPrefix(said, file+" holds ") {
		t.Errorf("it says %q", said)
	}
	var taken struct {
		Items []struct{ Status, Number string }
	}
	text, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(text, &taken)
	}
	if err != nil || len(taken.Items) == 0 {
		t.Fatalf("%s: %v", text, err)
	}
	for _, one := range taken.Items {
		if !slices.Contains([]string{"paid", "overdue", "part_paid"}, one.Status) {
			t.Errorf("an invoice that was not asked for: %+v", one)
		}
	}

	for what, want := range map[string]int{"clients": clients, "contacts": clients, "projects": 0, "payments": invoices / 2, "contracts": 0, "team": 1} {
		if lines := tableOf(t, program(t, exitDone, "export", what, "--data", data)); len(lines) != want+1 {
			t.Errorf("%d lines of %d %s", len(lines), want, what)
		}
	}
	lines = tableOf(t, program(t, exitDone, "audit", "export", "--data", data, "--action", "DataExported"))
	sentence := slices.Index(lines[0], "sentence")
	if got := lines[len(lines)-1][sentence]; got != "Operator exported the invoices of the firm as csv" {
		t.Errorf("the first export is on record as %q", got)
	}
	for _, mistake := range [][]string{{"--where", "colour=red"}, {"--where", "status=lost"}, {"--where", "limit=3"}, {"--out", filepath.Join(dir, "no", "folder")}, {"--firm", "South"}} {
		program(t, exitFailed, slices.Concat([]string{"export", "invoices", "--data", data}, mistake)...)
	}
	program(t, exitUsage, "export", "everything", "--data", data)
}

func tableOf(t *testing.T, text string) [][]string {
	t.Helper()
	lines, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return lines
}

// sumOf adds up a column of amounts, in cents.
func sumOf(t *testing.T, lines [][]string, column string) (cents int64) {
	t.Helper()
	at := slices.Index(lines[0], column)
	for _, line := range lines[1:] {
		n, err := strconv.ParseInt(strings.ReplaceAll(line[at], ".", ""), 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		cents += n
	}
	return cents
}
