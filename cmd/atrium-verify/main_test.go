package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/projections/evidence"
	"github.com/atrium-portal/atrium/projections/evidence/bundle"
)

var (
	firm   = domain.DeriveID("firm")
	origin = evidence.Origin(firm, "1")
	stream = domain.StreamName("contract", domain.DeriveID("contract"))
	seed   = sha256.Sum256([]byte("seed"))
)

const signedText = "Kitchen\n\nWe build it."

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func public() ed25519.PublicKey { return evidence.PublicKey(seed[:]) }

func logKey() string { return evidence.LogKey(origin, public()) }

type hashes []tlog.Hash

func (h hashes) ReadHashes(at []int64) ([]tlog.Hash, error) {
	list := make([]tlog.Hash, len(at))
	for i, x := range at {
		list[i] = h[x]
	}
	return list, nil
}

// write makes a bundle of a contract of n events, of which the second one is the signature.
func write(t testing.TB, path string, n int, earlier ...int64) (root tlog.Hash) {
	t.Helper()
	var tree hashes
	var items []bundle.Item
	var previous tlog.Hash
	for i := range int64(n) {
		r := domain.Recorded{
			Stream: stream, Revision: i, ID: domain.DeriveID(fmt.Sprint(i)), Type: "ContractViewed",
			Data: []byte(`{"contact":"` + domain.DeriveID("ana").String() + `"}`), Metadata: []byte(`{"firm":"` + firm.String() + `"}`),
		}
		if i == 1 {
			sum := sha256.Sum256([]byte(signedText))
			r.Type, r.Data = "ContractSigned", []byte(`{"sha256":"`+hex.EncodeToString(sum[:])+`"}`)
		}
		leaf := evidence.LeafOf("1", r, previous)
		previous = leaf.Hash()
		more, err := tlog.StoredHashesForRecordHash(i, previous, tree)
		must(t, err)
		tree = append(tree, more...)
		items = append(items, bundle.Item{Place: bundle.Place{Epoch: 1, Index: i}, Leaf: leaf, Data: r.Data, Metadata: r.Metadata})
	}
	root, err := tlog.TreeHash(int64(n), tree)
	must(t, err)
	signer := evidence.LogSigner(origin, seed[:])
	signed, err := evidence.Sign(evidence.Checkpoint{Origin: origin, Size: int64(n), Root: root}, signer)
	must(t, err)
	var b bytes.Buffer
	must(t, bundle.Write(&b, bundle.Contents{
		About: stream, Issued: time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC), Signer: signer, Report: bundle.Report{Title: "Contract"},
		Logs: []bundle.LogContents{{Epoch: 1, Signed: signed, Hashes: tree, Earlier: earlier}},
		Events: func(yield func(bundle.Item, error) bool) {
			for _, i := range items {
				if !yield(i, nil) {
					return
				}
			}
		},
	}))
	must(t, os.WriteFile(path, b.Bytes(), 0o600))
	return root
}

func TestVerdicts(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	put := func(name, text string) { must(t, os.WriteFile(at(name), []byte(text), 0o600)) }
	root := write(t, at("older.zip"), 3)
	write(t, at("bundle.zip"), 5, 3)
	put("keys", "# the firm's log\n"+logKey()+"\n")
	put("list", "# Public keys\nlog-key "+base64.StdEncoding.EncodeToString(public())+"\n"+logKey()+"\nwitness-key "+
		evidence.CosignerKey("witness.example", make([]byte, 32))+"\n")
	put("no.keys", "# nothing yet\n")
	put("contract.txt", signedText)
	put("other.txt", signedText+" ")
	put("seal", evidence.Checkpoint{Origin: origin, Size: 3, Root: root}.Text())
	changed, err := os.ReadFile(at("bundle.zip"))
	must(t, err)
	changed[len(changed)/2] ^= 1
	put("changed.zip", string(changed))
	otherKey := evidence.LogKey(origin, evidence.PublicKey(make([]byte, 32)))

	for _, x := range []struct {
		args string // file names are in dir
		exit int
		says string
	}{
		{"@bundle.zip --keys @keys", exitClaimed, "As claimed"},
		{"--key " + logKey() + " --keys @keys @bundle.zip", exitClaimed, "signed by " + origin},
		{"@bundle.zip --keys @list --keys @keys", exitClaimed, "signed by " + origin},
		{"@bundle.zip --key " + base64.StdEncoding.EncodeToString(public()), exitClaimed, "signed by " + origin},
		{"@bundle.zip --key " + base64.StdEncoding.EncodeToString(make([]byte, 32)), exitNotProof, "is not signed by a key that you gave"},
		{"@bundle.zip", exitNotProof, "no public key was given"},
		{"@bundle.zip --key " + otherKey, exitNotProof, "is not signed by a key that you gave"},
		{"@changed.zip --keys @keys", exitNotProof, "Not as claimed"},
		{"@changed.zip", exitNotProof, "Not as claimed"},
		{"@keys --keys @keys", exitNotProof, "This is not an evidence bundle"},
		{"@bundle.zip --keys @keys --extends @older.zip", exitClaimed, "All 3 events of the older bundle are in this one"},
		{"@bundle.zip --keys @keys --extends @seal", exitClaimed, "goes on from the one of 3 entries"},
		{"@bundle.zip --keys @keys --extends 3:" + root.String(), exitClaimed, "goes on from the one of 3 entries"},
		{"@bundle.zip --keys @keys --extends 3:" + tlog.Hash{}.String(), exitNotProof, "The log was rewritten"},
		{"@older.zip --keys @keys --extends @bundle.zip", exitNotProof, "this bundle is the older one"},
		{"@contract.txt --bundle @bundle.zip --keys @keys", exitClaimed, "signed in leaf 1 (revision 1 of " + stream + ", ContractSigned)"},
		{"@contract.txt --bundle @bundle.zip", exitNotProof, "is a document of this bundle, which is judged below"},
		{"@other.txt --bundle @bundle.zip --keys @keys", exitNotProof, "no event of the bundle names this file"},
		{"--help", 0, "Exit codes:"},
		{"", 0, "Exit codes:"},

		{"@missing.zip", exitFailed, "no such file"},
		{"@bundle.zip --extends @missing.zip", exitFailed, "no such file"},
		{"@bundle.zip --extends @keys", exitFailed, "is neither a bundle nor a seal"},
		{"@missing.pdf --bundle @bundle.zip", exitFailed, "no such file"},
		{"@.", exitFailed, "is not a file"},
		{"--nonsense", exitUsage, "unknown flag"},
		{"@bundle.zip --key nonsense", exitUsage, "not a public key"},
		{"@bundle.zip --keys @no.keys", exitUsage, "there is no key in"},
	} {
		var out, err bytes.Buffer
		args := strings.Fields(strings.ReplaceAll(x.args, "@", dir+"/"))
		exit := run(args, &out, &err)
		said := out.String()
		if x.exit == exitFailed || x.exit == exitUsage {
			said = err.String()
		}
		if exit != x.exit || !strings.Contains(strings.Join(strings.Fields(said), " "), x.says) {
			t.Errorf("%s\nexit %d, not %d, says:\n%s%s", x.args, exit, x.exit, out.String(), err.String())
		}
	}
}

func TestVerdictAsJSON(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bundle.zip")
	write(t, path, 3)
	var out, err bytes.Buffer
	if exit := run([]string{path, "--json", "--key", logKey()}, &out, &err); exit != exitClaimed {
		t.Fatal(exit, err.String())
	}
	var v struct {
		AsClaimed  bool `json:"as_claimed"`
		Consistent bool `json:"consistent"`
		Trusted    bool `json:"trusted"`
		Events     []struct {
			Index  int64  `json:"index"`
			Type   string `json:"type"`
			Status string `json:"status"`
		} `json:"events"`
	}
	must(t, json.Unmarshal(out.Bytes(), &v))
	if !v.AsClaimed || !v.Consistent || !v.Trusted || len(v.Events) != 3 || v.Events[1].Type != "ContractSigned" || v.Events[2].Status != "included" {
		t.Errorf("%+v", v)
	}
}

// program builds the verifier as it is shipped.
func program(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "atrium-verify")
	build := exec.Command("go", "build", "-trimpath", "-o", path, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return path
}

// An auditor need not take our word for it that nothing leaves the machine: there is no code in the program that could.
func TestProgramHasNoNetwork(t *testing.T) {
	path := program(t)
	deps, err := exec.Command("go", "list", "-deps", ".").Output()
	must(t, err)
	for _, no := range []string{"net/http", "crypto/tls", "net/smtp", "google.golang.org/grpc", "github.com/jackc/pgx/v5", "github.com/EventStore/EventStore-Client-Go/v4/esdb", "database/sql", "os/exec"} {
		if strings.Contains("\n"+string(deps), "\n"+no+"\n") {
			t.Errorf("the verifier links %s", no)
		}
	}
	symbols, err := exec.Command("go", "tool", "nm", path).Output()
	must(t, err)
	if !bytes.Contains(symbols, []byte("bundle.Verify")) {
		t.Fatal("the program has no symbols to look at")
	}
	// Package net itself is there for the sake of UUIDs made from network cards, which it asks the kernel for.
	for _, found := range regexp.MustCompile(`(?m) (net\.(Dial|Listen|\(\*Dialer\)|\(\*Resolver\)|socket|internetSocket|sysSocket)|syscall\.(Connect|connect)\b).*$`).FindAllString(string(symbols), -1) {
		t.Errorf("the verifier has the function%s", found)
	}
	if file, err := exec.Command("go", "version", "-m", path).Output(); err != nil || !bytes.Contains(file, []byte("CGO_ENABLED=0")) {
		t.Errorf("the verifier is not static: %s (%v)", file, err)
	}
}

func TestLargeBundleTakesLittleMemory(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bundle.zip")
	write(t, path, 10_000)
	cmd := exec.Command(program(t), path, "--key", logKey())
	begun := time.Now()
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	usage := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	t.Logf("10,000 events verified in %v, %v of it computing, with %d MB", time.Since(begun).Round(time.Millisecond), cmd.ProcessState.UserTime(), usage.Maxrss/1024)
	if usage.Maxrss > 200*1024 {
		t.Errorf("the verifier took %d MB of memory, of 200", usage.Maxrss/1024)
	}
}
