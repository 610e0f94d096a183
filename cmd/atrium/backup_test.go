package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestBackup loses a firm's folder and brings it back, from a copy that was made while the server was at work.
func TestBackup(t *testing.T) {
	data := firmIn(t)
	clients, invoices, _, _ := export(t, 3, 12)
	program(t, exitDone, "import", "clients", "--data", data, "--from", "invoiceninja", clients)
	program(t, exitDone, "import", "invoices", "--data", data, "--from", "invoiceninja", invoices)
	before := happened(t, data)
	copies := t.TempDir()
	at := func(name string) string { return filepath.Join(copies, name) }

	serving(t, data, func(s server) {
		done := make(chan struct{})
		go func() { // people go on working
			defer close(done)
			for n := range 30 {
				body := fmt.Sprintf(`{"name":"Client %d","currency":"USD","contact":{"name":"Bea","email":"bea%d@client.example"}}`, n, n)
				if code, _, raw := s.call("POST", "/api/v1/commands/OpenAccount", body); code != 200 {
					t.Errorf("%d: %s", code, raw)
				}
			}
		}()
		program(t, exitDone, "backup", "--data", data, at("busy"))
		<-done
		if said := program(t, exitFailed, "backup", "--data", data, at("busy")); !strings.Contains(said, "exists already") {
			t.Error(said)
		}
	})
	program(t, exitDone, "backup", "--data", data, "--without-key", at("idle"))
	if _, err := os.Stat(at("idle/secrets")); err == nil {
		t.Error("the key is in a copy that was made without it")
	}
	if left, err := filepath.Glob(at("*.unfinished")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
	program(t, exitDone, "replay", "verify", "--data", data) // the tables have all of it
	all := happened(t, data)

	for _, c := range []struct {
		from   string
		key    []string
		events int64 // at least
	}{
		{"busy", nil, before},
		{"idle", []string{"--key", filepath.Join(data, "secrets", "master.key")}, all},
	} {
		again := filepath.Join(folder(t), "again")
		if c.key != nil {
			if said := program(t, exitFailed, "restore", at(c.from), "--data", again); !strings.Contains(said, "--key") {
				t.Error(said)
			}
		}
		var restored struct{ Events int64 }
		out := program(t, exitDone, append([]string{"restore", at(c.from), "--data", again, "--json"}, c.key...)...)
		if err := json.Unmarshal([]byte(out[strings.LastIndex(strings.TrimSpace(out), "\n")+1:]), &restored); err != nil || restored.Events < c.events {
			t.Errorf("%s: %d events, at least %d were to come back: %v in %s", c.from, restored.Events, c.events, err, out)
		}
		program(t, exitDone, "replay", "verify", "--data", again)
		program(t, exitDone, "audit", "monitor", "--data", again)
		if got := happened(t, again); got < c.events || got > all {
			t.Errorf("%s: %d events of %d", c.from, got, all)
		}
		inside(t, again, func(k *stack) {
			var names int // a name that cannot be read is empty
			row := k.pools.Projector.QueryRow(t.Context(), `select count(*) from read.contacts where name = ''`)
			if err := row.Scan(&names); err != nil || names > 0 {
				t.Errorf("%s: %d people lost their names: %v", c.from, names, err)
			}
		})
		if said := program(t, exitFailed, append([]string{"restore", at(c.from), "--data", again}, c.key...)...); !strings.Contains(said, "has data in it") {
			t.Error(said)
		}
		serving(t, again, func(s server) {
			if code, _, raw := s.call("POST", "/api/v1/commands/OpenAccount", `{"name":"Life goes on","currency":"USD","contact":{"name":"Bea","email":"on@client.example"}}`); code != 200 {
				t.Errorf("%d: %s", code, raw)
			}
		})
	}
	if said := program(t, exitFailed, "restore", copies, "--data", filepath.Join(copies, "new")); !strings.Contains(said, "not a whole backup") {
		t.Error(said)
	}
	if said := program(t, exitFailed, "backup", "--data", filepath.Join(copies, "nothing"), at("none")); !strings.Contains(said, "--data") {
		t.Error(said)
	}
}
