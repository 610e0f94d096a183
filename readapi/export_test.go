package readapi_test

import (
	"encoding/csv"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/readapi"
)

func testHistory(t *testing.T, w *world) {
	entries := list[readapi.StaffEntry](w, "/api/v1/invoices/"+w.ids["invoice aurora"].String()+"/history", "ada", 2)
	var sentences []string
	for _, e := range entries {
		sentences = append(sentences, e.Action+": "+e.Sentence)
	}
	want := []string{
		"PaymentRecorded: Import recorded a payment of 50.00 EUR by bank transfer",
		"InvoiceSent: Import sent invoice 0001 for 119.00 EUR, due 2026-03-16",
		"InvoiceDrafted: Import drafted an invoice for 119.00 EUR, due 2026-03-16",
	}
	if d := cmp.Diff(want, sentences); d != "" {
		t.Fatal(d)
	}
	paid := entries[0]
	if paid.Actor != (readapi.EntryActor{Name: "Import", Kind: "system"}) || paid.Record != (readapi.EntryRecord{Type: "invoice", ID: w.ids["invoice aurora"], Label: "0001"}) || paid.Session != "secret-session" {
		t.Errorf("%+v", paid)
	}
	changes := map[string]string{}
	for _, c := range paid.Changes {
		changes[c.Field] = string(c.From) + " > " + string(c.To)
	}
	if d := cmp.Diff(map[string]string{
		"status": `"sent" > "part_paid"`, "paid": `{"amount":0,"currency":"EUR"} > {"amount":5000,"currency":"EUR"}`,
		"due_amount": `{"amount":11900,"currency":"EUR"} > {"amount":6900,"currency":"EUR"}`,
	}, changes); d != "" {
		t.Error(d)
	}
	// Who did it is named; contacts see what was theirs to see, from the day it was sent.
	moved := list[readapi.Entry](w, "/api/v1/projects/"+w.ids["project aurora"].String()+"/history?action=StageAdvanced", "olga", 50)
	if len(moved) != 1 || moved[0].Sentence != "Max moved the project from Discovery to Design" || moved[0].Actor.ID != w.ids["max"] {
		t.Errorf("%+v", moved)
	}
	mine := list[readapi.Entry](w, "/api/v1/invoices/"+w.ids["invoice aurora"].String()+"/history", "nora", 50)
	if len(mine) != 2 || mine[1].Action != "InvoiceSent" {
		t.Errorf("%+v", mine)
	}
	for _, e := range list[readapi.Entry](w, "/api/v1/accounts/"+w.ids["aurora"].String()+"/history", "liam", 50) {
		if e.Record.Type != "account" {
			t.Errorf("liam has no permission to see %s: %s", e.Record.Type, e.Sentence)
		}
	}
}

// testWhy asks why a contact was added: because their account was opened. Whoever may not see the entry gets nothing.
func testWhy(t *testing.T, w *world) {
	at := ""
	for _, e := range list[readapi.StaffEntry](w, "/api/v1/accounts/"+w.ids["aurora"].String()+"/history?action=ContactAdded", "ada", 50) {
		if e.Cause != domain.NoID {
			at = e.Position.String()
		}
	}
	for _, path := range []string{"/api/v1/history", "/api/v1/activity", "/api/v1/accounts/" + w.ids["aurora"].String() + "/history"} {
		why := list[readapi.StaffEntry](w, path+"?why="+at, "ada", 50)
		if len(why) != 2 || why[0].Action != "ContactAdded" || why[1].Action != "AccountOpened" || why[0].Cause != why[1].ID || why[1].Cause != domain.NoID {
			t.Errorf("%s: %+v", path, why)
		}
	}
	mine := list[readapi.Entry](w, "/api/v1/activity", "olga", 1)
	if why := list[readapi.Entry](w, "/api/v1/activity?why="+mine[0].Position.String(), "olga", 50); len(why) != 1 || why[0].ID != mine[0].ID {
		t.Errorf("olga is told %+v", why)
	}
	for who, path := range map[string]string{"bea": "/api/v1/activity?why=" + at, "ada": "/api/v1/activity?why=1"} {
		if why := list[readapi.Entry](w, path, who, 50); len(why) != 0 {
			t.Errorf("%s is told %+v", who, why)
		}
	}
	if a := w.ask(http.MethodGet, "/api/v1/activity?why=x", "ada"); w.problemOf(a).Code != "parameter-invalid" {
		t.Errorf("why=x: %s", a.body)
	}
}

func testExports(t *testing.T, w *world) {
	paged := list[readapi.StaffEntry](w, "/api/v1/history", "ada", 50)
	a := w.ask(http.MethodGet, "/api/v1/history?format=json", "ada")
	var whole struct {
		Items    []readapi.StaffEntry
		Position domain.Position
	}
	if err := json.Unmarshal([]byte(a.body), &whole); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(paged, whole.Items); d != "" || whole.Position == (domain.Position{}) {
		t.Errorf("the export differs from the pages: %s", d)
	}
	a = w.ask(http.MethodGet, "/api/v1/history?format=csv", "ada")
	lines, err := csv.NewReader(strings.NewReader(a.body)).ReadAll()
	if err != nil || len(lines) != len(paged)+1 || !strings.HasPrefix(a.header.Get("Content-Type"), "text/csv") || !strings.HasPrefix(a.header.Get("Content-Disposition"), "attachment") {
		t.Errorf("%d lines for %d entries (%v) as %q", len(lines), len(paged), err, a.header.Get("Content-Type"))
	}
	if a := w.ask(http.MethodGet, "/api/v1/history?format=csv&module=nothing", "ada"); strings.Count(a.body, "\n") != 1 {
		t.Errorf("an empty export is its first line: %q", a.body)
	}
	if a := w.ask(http.MethodGet, "/api/v1/invoices/"+w.ids["invoice borealis"].String()+"/history?format=csv", "olga"); a.status != http.StatusNotFound || a.header.Get("Content-Disposition") != "" {
		t.Errorf("a foreign invoice's export: %d %v", a.status, a.header)
	}
}

// formulas are names that a spreadsheet would take for formulas; the account of south had them all.
var formulas = []string{"=1+1", "+1", "-1", "@SUM(A1)", "=1\t", "=1\r\n+2"}

func testCells(t *testing.T, w *world) {
	a := w.ask(http.MethodGet, "/api/v1/accounts/"+w.ids["crux"].String()+"/history?format=csv", "sue")
	lines, err := csv.NewReader(strings.NewReader(a.body)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, line := range lines {
		for _, cell := range line {
			if cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
				t.Errorf("a cell begins like a formula: %q", cell)
			}
			for _, name := range formulas {
				if strings.ReplaceAll(cell, "\r\n", "\n") == "'"+strings.ReplaceAll(name, "\r\n", "\n") {
					found++
				}
			}
		}
	}
	if found < len(formulas) {
		t.Errorf("%d of the names are in the export: %s", found, a.body)
	}
}
