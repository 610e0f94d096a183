package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/readapi"
)

// TestReplayTools walks the tools that look at the past or at what did not happen: they show other figures and change
// none.
func TestReplayTools(t *testing.T) {
	data := firmIn(t)
	clients, invoices, _, _ := export(t, 1, 6)
	program(t, exitDone, "import", "clients", "--data", data, "--from", "invoiceninja", clients)
	program(t, exitDone, "import", "invoices", "--data", data, "--from", "invoiceninja", invoices)
	var account string
	var mails int
	inside(t, data, func(k *stack) {
		if err := k.pools.Projector.QueryRow(t.Context(), `select id::text from read.accounts`).Scan(&account); err != nil {
			t.Fatal(err)
		}
		if err := k.pools.App.QueryRow(t.Context(), `select count(*) from ops.mail`).Scan(&mails); err != nil {
			t.Fatal(err)
		}
	})
	before := happened(t, data)

	var supposed readapi.WhatIf
	out := program(t, exitDone, "replay", "whatif", "--data", data, "--account", account, "--late-fee", "10%/1d", "--json")
	if err := json.Unmarshal([]byte(out), &supposed); err != nil {
		t.Fatal(err)
	}
	if fee := supposed.WhatIf.Billed.Amount - supposed.Real.Billed.Amount; fee <= 0 || supposed.Real.Paid != supposed.WhatIf.Paid {
		t.Errorf("a late fee of a tenth adds %d: %s", fee, out)
	}
	if out := program(t, exitDone, "replay", "whatif", "--data", data, "--account", account, "--tax-rate", "20"); !strings.Contains(out, "Nothing was appended") {
		t.Error(out)
	}
	program(t, exitFailed, "replay", "whatif", "--data", data, "--account", account, "--late-fee", "much")

	var copied struct {
		Events int64             `json:"events"`
		Digest string            `json:"digest"`
		Tables map[string]string `json:"tables"`
	}
	now := time.Now().UTC().Format(time.RFC3339Nano)
	if err := json.Unmarshal([]byte(program(t, exitDone, "replay", "until", now, "--data", data, "--json")), &copied); err != nil {
		t.Fatal(err)
	}
	if copied.Events <= before || copied.Tables["invoices"] == "" { // two tools have run too
		t.Errorf("the copy as of now has %d events, there are more than %d", copied.Events, before)
	}
	program(t, exitFailed, "replay", "until", "2031-01-01T00:00:00Z", "--data", data)

	inside(t, data, func(k *stack) {
		if _, err := k.pools.Owner.Exec(t.Context(), `update read.invoices set paid = paid + 1 where label = 'A-4'`); err != nil {
			t.Fatal(err)
		}
	})
	program(t, exitDifference, "replay", "verify", "--data", data)
	program(t, exitDifference, "replay", "rebuild", "--only", "invoices", "--data", data)
	program(t, exitDone, "replay", "verify", "--data", data)
	program(t, exitFailed, "replay", "rebuild", "--only", "nothing", "--data", data)

	if after := happened(t, data); after != before {
		t.Errorf("the tools changed %d events to %d", before, after)
	}
	inside(t, data, func(k *stack) {
		var now int
		if err := k.pools.App.QueryRow(t.Context(), `select count(*) from ops.mail`).Scan(&now); err != nil || now != mails {
			t.Errorf("%d mails wait, %d before: %v", now, mails, err)
		}
	})
}

// TestRebuildOfTablesThatLackMostOfTheLog: they are not brought up first, and there is a digest all the same, which the next rebuild
// finds again.
func TestRebuildOfTablesThatLackMostOfTheLog(t *testing.T) {
	data := firmIn(t)
	inside(t, data, func(k *stack) { // appended with nobody projecting
		w := logWriter{k: k, firm: domain.NewID(), at: k.now()}
		for n := range 5 {
			if err := w.client(t.Context(), n); err != nil {
				t.Fatal(err)
			}
		}
	})
	var first, second struct {
		Digest   string
		Compared bool
	}
	for i, into := range []any{&first, &second} {
		out := program(t, exitDone, "replay", "rebuild", "--data", data, "--json")
		if err := json.Unmarshal([]byte(out), into); err != nil {
			t.Fatalf("rebuild %d: %s: %v", i, out, err)
		}
	}
	if first.Compared || !second.Compared || first.Digest == "" || first.Digest != second.Digest {
		t.Errorf("rebuilt %+v, then %+v", first, second)
	}
}
