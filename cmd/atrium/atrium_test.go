package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// syncBuffer is a buffer that several goroutines may write to.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// totals are the figures of one currency on the dashboard, in minor units.
type totals struct{ Billed, Paid, Due int64 }

func (s server) dashboard() (sums totals) {
	s.t.Helper()
	var reply struct {
		Totals []struct {
			Billed, Paid, Due struct{ Amount int64 }
		} `json:"totals"`
	}
	_, _, raw := s.call("GET", "/api/v1/dashboard", "")
	if err := json.Unmarshal([]byte(raw), &reply); err != nil || len(reply.Totals) != 1 {
		s.t.Fatalf("%s: %v", raw, err)
	}
	one := reply.Totals[0]
	return totals{one.Billed.Amount, one.Paid.Amount, one.Due.Amount}
}

// statements adds the statements of all accounts up.
func (s server) statements() (sums totals) {
	s.t.Helper()
	for next := ""; ; {
		path := "/api/v1/statements?limit=7"
		if next != "" {
			path += "&cursor=" + next
		}
		var reply struct {
			Items []struct{ Billed, Paid, Closing struct{ Amount int64 } }
			Next  string
		}
		_, _, raw := s.call("GET", path, "")
		if err := json.Unmarshal([]byte(raw), &reply); err != nil {
			s.t.Fatalf("%s: %v", raw, err)
		}
		for _, i := range reply.Items {
			sums.Billed, sums.Paid, sums.Due = sums.Billed+i.Billed.Amount, sums.Paid+i.Paid.Amount, sums.Due+i.Closing.Amount
		}
		if next = reply.Next; next == "" {
			return sums
		}
	}
}

// inside opens the stack on a data folder while no program runs on it.
func inside(t *testing.T, data string, f func(*stack)) {
	t.Helper()
	term := &terminal{out: &bytes.Buffer{}, err: &bytes.Buffer{}, log: slog.New(slog.DiscardHandler), now: time.Now}
	err := withIdleStack(t.Context(), stores{Data: data}, term, func(k *stack) error { f(k); return nil })
	if err != nil {
		t.Fatal(err)
	}
}

func TestImportShowsTheSameFiguresEverywhere(t *testing.T) {
	data := firmIn(t)
	clients, invoices, billed, paid := export(t, 9, 60)
	want := totals{billed, paid, billed - paid}
	program(t, exitDone, "import", "clients", "--data", data, "--from", "invoiceninja", clients)
	out := program(t, exitDone, "import", "invoices", "--data", data, "--from", "invoiceninja", invoices, "--firm", "north", "--json")
	if !strings.Contains(out, fmt.Sprint(billed)) {
		t.Fatalf("the summary does not tell %d: %s", billed, out)
	}
	events := happened(t, data)
	program(t, exitDone, "import", "invoices", "--data", data, "--from", "invoiceninja", invoices)
	if again := happened(t, data); again != events {
		t.Fatalf("a second import: %d events, before %d", again, events)
	}
	serving(t, data, func(s server) {
		if got := s.dashboard(); got != want {
			t.Errorf("dashboard %+v, want %+v", got, want)
		}
		if got := s.statements(); got != want {
			t.Errorf("statements %+v, want %+v", got, want)
		}
		_, list, _ := s.call("GET", "/api/v1/invoices?q=A-58&limit=1", "")
		id := list["items"].([]any)[0].(map[string]any)["id"].(string)
		_, _, history := s.call("GET", "/api/v1/invoices/"+id+"/history", "")
		for _, part := range []string{`"InvoiceDrafted"`, `"InvoiceSent"`, `"PaymentRecorded"`, `"name":"Import"`, `"from":"draft"`} {
			if !strings.Contains(history, part) {
				t.Errorf("the history lacks %s: %s", part, history)
			}
		}
	})
	inside(t, data, func(k *stack) {
		var got totals
		row := k.pools.Projector.QueryRow(t.Context(), `select sum(total), sum(paid), sum(due_amount) from read.invoices`)
		if err := row.Scan(&got.Billed, &got.Paid, &got.Due); err != nil || got != want {
			t.Errorf("SQL %+v, %v, want %+v", got, err, want)
		}
	})
}

func TestReplay(t *testing.T) {
	data := firmIn(t)
	clients, invoices, _, _ := export(t, 3, 12)
	program(t, exitDone, "import", "clients", "--data", data, "--from", "invoiceninja", clients)
	program(t, exitDone, "import", "invoices", "--data", data, "--from", "invoiceninja", invoices)
	digest := func() string {
		var reply struct {
			Digest string   `json:"digest"`
			Differ []string `json:"differ"`
		}
		out := program(t, exitDone, "replay", "rebuild", "--data", data, "--json")
		if err := json.Unmarshal([]byte(out), &reply); err != nil || reply.Digest == "" || len(reply.Differ) > 0 {
			t.Fatalf("%s: %v", out, err)
		}
		return reply.Digest
	}
	first := digest()
	if second := digest(); second != first {
		t.Fatalf("digests %s and %s", first, second)
	}
	program(t, exitDone, "replay", "verify", "--data", data)
	var edited string
	inside(t, data, func(k *stack) {
		row := k.pools.Owner.QueryRow(t.Context(), `update read.invoices set paid = paid + 1 where label = 'A-4' returning id::text`)
		if err := row.Scan(&edited); err != nil {
			t.Fatal(err)
		}
	})
	if out := program(t, exitDifference, "replay", "verify", "--data", data); !strings.Contains(out, edited) || !strings.Contains(out, "paid") {
		t.Fatalf("verify does not name %s: %s", edited, out)
	}
	program(t, exitDifference, "replay", "rebuild", "--data", data)
	program(t, exitDone, "replay", "verify", "--data", data)
}

func TestKilledImportIsFinishedByRepeatingIt(t *testing.T) {
	data := firmIn(t)
	clients, invoices, billed, paid := export(t, 5, 150)
	program(t, exitDone, "import", "clients", "--data", data, "--from", "invoiceninja", clients)
	events := happened(t, data)
	for round := range 3 {
		cmd, output := child(t, "import", "invoices", "--data", data, "--from", "invoiceninja", invoices)
		awaitGrowth(t, filepath.Join(data, "events"), round)
		if err := cmd.Process.Kill(); err != nil {
			t.Logf("the import was done already: %s", output.String())
		}
		cmd.Wait() //nolint:errcheck // it was killed
	}
	program(t, exitDone, "import", "invoices", "--data", data, "--from", "invoiceninja", invoices)
	if now := happened(t, data); now != events+150*2+75 {
		t.Errorf("%d events after %d, want %d more", now, events, 150*2+75)
	}
	serving(t, data, func(s server) {
		if got, want := s.dashboard(), (totals{billed, paid, billed - paid}); got != want {
			t.Errorf("dashboard %+v, want %+v", got, want)
		}
	})
	program(t, exitDone, "replay", "verify", "--data", data)
}

// awaitGrowth waits until the event store's folder has been written to often enough that an import is under way.
func awaitGrowth(t *testing.T, dir string, round int) {
	t.Helper()
	size := func() (sum int64) {
		names, _ := filepath.Glob(filepath.Join(dir, "*.log"))
		for _, n := range names {
			if info, err := os.Stat(n); err == nil {
				sum += info.Size()
			}
		}
		return sum
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	before := int64(-1)
	for grown := 0; grown < 3+2*round; {
		if now := size(); now > before {
			before = now
			grown++
		}
		if err := pause(ctx, time.Millisecond); err != nil {
			t.Fatal("the import does not write")
		}
	}
}

func TestCommandsOverHTTP(t *testing.T) {
	data := firmIn(t)
	body := `{"name":"Lima Ltd","currency":"USD","contact":{"name":"Ana Lima","email":"ana@lima.example"}}`
	var first string
	serving(t, data, func(s server) {
		status, reply, raw := s.call("POST", "/api/v1/commands/OpenAccount", body, "Idempotency-Key", "k1")
		if status != 200 {
			t.Fatal(raw)
		}
		first = raw
		id := reply["id"].(string)
		if status, got, raw := s.call("GET", "/api/v1/accounts/"+id+"?after="+reply["position"].(string), ""); status != 200 || got["name"] != "Lima Ltd" {
			t.Fatalf("the account is not there: %d %s", status, raw)
		}
		if status, _, raw := s.call("POST", "/api/v1/commands/CloseAccount", `{"account":"`+id+`"}`, "If-Match", `"9"`); status != 412 {
			t.Fatalf("%d %s", status, raw)
		}
		if status, _, raw := s.call("POST", "/api/v1/commands/OpenAccount", `{"nome":"x"}`); status != 400 || !strings.Contains(raw, `"nome"`) {
			t.Fatalf("%d %s", status, raw)
		}
		if status, _, raw := s.call("POST", "/api/v1/commands/OpenAccount", strings.Replace(body, "Lima Ltd", "Other", 1), "Idempotency-Key", "k2"); status != 409 || !strings.Contains(raw, "email-in-use") {
			t.Fatalf("%d %s", status, raw)
		}
	})
	serving(t, data, func(s server) {
		if status, _, again := s.call("POST", "/api/v1/commands/OpenAccount", body, "Idempotency-Key", "k1"); status != 200 || again != first {
			t.Errorf("after a restart: %d %s, first %s", status, again, first)
		}
		if status, _, raw := s.call("POST", "/api/v1/commands/OpenAccount", body+" ", "Idempotency-Key", "k1"); status != 409 || !strings.Contains(raw, "idempotency-mismatch") {
			t.Errorf("another body: %d %s", status, raw)
		}
	})
}

func TestKilledServerStartsAgain(t *testing.T) {
	data := firmIn(t)
	for range 3 {
		address := freeAddress(t)
		cmd, output := child(t, "serve", "--data", data, "--listen", address)
		server{t, "http://" + address, ""}.await(nil)
		if err := cmd.Process.Kill(); err != nil {
			t.Fatalf("%v: %s", err, output.String())
		}
		cmd.Wait() //nolint:errcheck // it was killed
	}
	program(t, exitDone, "replay", "verify", "--data", data)
}

func TestMistakesAreOneSentenceWithTheCure(t *testing.T) {
	data := firmIn(t)
	clients, invoices, _, _ := export(t, 2, 2)
	address := freeAddress(t)
	empty := filepath.Join(t.TempDir(), "empty.csv")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		code int
		says string
		args []string
	}{
		{exitUsage, "--help", []string{"serve", "--colour"}},
		{exitUsage, "--help", []string{"no-such-command"}},
		{exitUsage, "--from", []string{"import", "clients", clients}},
		{exitFailed, "--dev", []string{"serve", "--data", data, "--dev", "--listen", "0.0.0.0:0"}},
		{exitFailed, "loopback", []string{"node", "--data", filepath.Join(data, "other"), "--listen", "0.0.0.0:0"}},
		{exitFailed, "firm list", []string{"import", "clients", "--data", data, "--from", "invoiceninja", "--firm", "South", clients}},
		{exitFailed, "nobody", []string{"token", "create", "--data", data, "--staff", "eve@north.example"}},
		{exitFailed, "import clients", []string{"import", "invoices", "--data", data, "--from", "invoiceninja", clients}},
		{exitFailed, "empty", []string{"import", "invoices", "--data", data, "--from", "invoiceninja", empty}},
		{exitFailed, "import", []string{"import", "invoices", "--data", data, "--from", "invoiceninja", invoices}}, // no clients yet
		{exitFailed, "time zone", []string{"firm", "create", "--data", data, "--name", "X", "--currency", "EUR", "--timezone", "Mars/Base"}},
		{exitFailed, "no stream", []string{"events", "show", "--data", data, "invoice-1"}},
	} {
		said := program(t, c.code, c.args...)
		last := strings.TrimSpace(said[strings.LastIndex(strings.TrimSpace(said), "\n")+1:])
		if !strings.HasPrefix(last, "atrium: ") || !strings.Contains(said, c.says) || strings.Contains(said, "panic") {
			t.Errorf("atrium %s says %q, which should mention %q", strings.Join(c.args, " "), said, c.says)
		}
	}
	program(t, exitDone, "replay", "verify", "--data", data) // the read models have all there is
	if events := happened(t, data); events != 4 {            // FirmCreated, StaffInvited, the claims of slug and login e-mail
		t.Errorf("%d events: something was half done", events)
	}
	cmd, output := child(t, "serve", "--data", data, "--listen", address)
	server{t, "http://" + address, ""}.await(nil)
	if said := program(t, exitFailed, "replay", "status", "--data", data); !strings.Contains(said, "in use") {
		t.Errorf("a folder in use: %s", said)
	}
	if said := program(t, exitFailed, "serve", "--data", folder(t), "--listen", address); !strings.Contains(said, "--listen") {
		t.Errorf("an address in use: %s", said)
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("an interrupted server ends with %v: %s", errors.Unwrap(err), output.String())
	}
}

func TestDoctor(t *testing.T) {
	data := firmIn(t)
	if out := program(t, exitDone, "doctor", "--data", data, "--listen", freeAddress(t)); strings.Contains(out, "fail") {
		t.Fatal(out)
	}
	if err := os.Remove(filepath.Join(data, "secrets", "master.key")); err != nil {
		t.Fatal(err)
	}
	said := program(t, exitFailed, "doctor", "--data", data, "--listen", freeAddress(t))
	if !strings.Contains(said, "1 of") {
		t.Fatal(said)
	}
}
