package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/atrium-portal/atrium/projections/evidence/bundle"
)

// TestEvidence has bundles made by the program and by the server, and lets the verifier judge them as an auditor does:
// with its binary, the published keys and nothing else.
func TestEvidence(t *testing.T) {
	data, dir := firmIn(t), t.TempDir()
	clients, invoices, _, _ := export(t, 3, 12)
	program(t, exitDone, "import", "clients", "--data", data, "--from", "invoiceninja", clients)
	program(t, exitDone, "import", "invoices", "--data", data, "--from", "invoiceninja", invoices)
	at := func(name string) string { return filepath.Join(dir, name) }
	verifier := at("atrium-verify")
	if out, err := exec.Command("go", "build", "-o", verifier, "../atrium-verify").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	verify := func(exit int, args ...string) string {
		t.Helper()
		cmd := exec.Command(verifier, append(args, "--keys", at("keys"))...)
		out, _ := cmd.CombinedOutput()
		if got := cmd.ProcessState.ExitCode(); got != exit {
			t.Fatalf("atrium-verify %v: exit %d, want %d\n%s", args, got, exit, out)
		}
		return string(out)
	}
	download := func(s server, path, name string) int {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.base+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+s.token)
		reply, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer reply.Body.Close()
		body, err := io.ReadAll(reply.Body)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(at(name), body, 0o600); err != nil {
			t.Fatal(err)
		}
		return reply.StatusCode
	}

	var account, invoice string
	serving(t, data, func(s server) {
		var list struct {
			Items []struct {
				ID      string `json:"id"`
				Account string `json:"account"`
			} `json:"items"`
		}
		_, _, raw := s.call(http.MethodGet, "/api/v1/invoices?limit=1", "")
		if err := json.Unmarshal([]byte(raw), &list); err != nil || len(list.Items) != 1 {
			t.Fatalf("%v: %s", err, raw)
		}
		account, invoice = list.Items[0].Account, list.Items[0].ID
		path := "/api/v1/accounts/" + account + "/evidence"
		download(s, keysPath, "keys")
		for _, x := range []struct {
			path, name string
			status     int
		}{
			{"/api/v1/invoices/" + invoice + "/pdf", "invoice.pdf", 200},
			{path, "first.zip", 200},
			{path, "second.zip", 200},
			{path + "?about=invoice-" + invoice + "&since=5", "invoice.zip", 200},
			{path + "?about=invoice-" + account, "none.zip", 404},
			{path + "?about=firm-" + account, "none.zip", 400},
			{path + "?since=0", "none.zip", 400},
			{"/api/v1/accounts/" + invoice + "/evidence", "none.zip", 404},
		} {
			if status := download(s, x.path, x.name); status != x.status {
				t.Errorf("%s: %d, want %d", x.path, status, x.status)
			}
		}
		_, _, raw = s.call(http.MethodGet, "/api/v1/accounts/"+account+"/history?action=BundleIssued", "")
		for _, want := range []string{"Priya", "downloaded evidence of the account", "downloaded evidence of one invoice"} {
			if !strings.Contains(raw, want) {
				t.Errorf("history does not say %q: %s", want, raw)
			}
		}
	})
	program(t, exitDone, "audit", "bundle", "--data", data, "--account", account, "--out", at("third.zip"))

	verify(0, at("first.zip"))
	verify(0, at("second.zip"), "--extends", at("first.zip"))
	verify(0, at("third.zip"), "--extends", at("first.zip"), "--extends", at("second.zip"))
	verify(0, at("invoice.zip"))
	verify(3, at("first.zip"), "--extends", at("third.zip"))
	if said := verify(0, at("invoice.pdf"), "--bundle", at("invoice.zip")); !strings.Contains(said, "downloaded from the portal in") {
		t.Error(said)
	}
	changeBit(t, at("invoice.pdf"), at("changed.pdf"), 8*1000)
	verify(3, at("changed.pdf"), "--bundle", at("invoice.zip"))
	var verdict bundle.Verdict
	if err := json.Unmarshal([]byte(verify(0, at("third.zip"), "--json")), &verdict); err != nil {
		t.Fatal(err)
	}
	issued := 0
	for _, e := range verdict.Events {
		if e.Status != bundle.Included {
			t.Errorf("%s is %s", &e, e.Status)
		}
		if e.Type == "BundleIssued" {
			issued++
		}
	}
	if issued != 4 || verdict.About != "account-"+account || verdict.Issued.IsZero() {
		t.Errorf("%d bundles were issued before or by this one about %s at %s", issued, verdict.About, verdict.Issued)
	}

	whole, err := os.ReadFile(at("third.zip"))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(whole, []byte("%PDF-")) || !bytes.Contains(whole, []byte("<!doctype html>")) {
		t.Error("the report is missing")
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range 20 {
		bit := random.IntN(8 * len(whole))
		changeBit(t, at("third.zip"), at("changed.zip"), bit)
		if said := verify(3, at("changed.zip")); !strings.Contains(said, "Not as claimed") {
			t.Error(fmt.Sprint("bit ", bit, ": ", said))
		}
	}
}

// changeBit copies a file with one bit changed.
func changeBit(t *testing.T, from, to string, bit int) {
	t.Helper()
	content, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	content[bit/8] ^= 1 << (bit % 8)
	if err := os.WriteFile(to, content, 0o600); err != nil {
		t.Fatal(err)
	}
}
