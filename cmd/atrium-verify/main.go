// Atrium-verify checks an evidence bundle offline: no network, no database, nothing but the file and the public keys
// that you trust. It is package bundle behind a command line, small enough to be read whole by whoever has to rely on it.
package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/alecthomas/kong"
	"golang.org/x/mod/sumdb/note"

	"github.com/atrium-portal/atrium/projections/evidence/bundle"
)

// Exit codes: as claimed, could not run, wrong usage, not as claimed.
const (
	exitClaimed  = 0
	exitFailed   = 1
	exitUsage    = 2
	exitNotProof = 3
)

type cli struct {
	File    string   `arg:"" help:"The bundle; with --bundle, a file that may be a document of it."`
	Bundle  string   `help:"Say whether the file is a document of this bundle, and which event names it." placeholder:"BUNDLE"`
	Extends []string `help:"Also check that the log goes on from this older bundle, seal, or SIZE:ROOT as a mail shows it." placeholder:"OLDER" sep:"none"`
	Key     []string `help:"A public key that you trust, of the logs or of a witness, as the portal's list of keys shows it." placeholder:"KEY" sep:"none"`
	Keys    []string `help:"Read such keys from a file, one a line, such as the portal's list itself." placeholder:"FILE" sep:"none"`
	JSON    bool     `help:"Print the verdict as JSON, with every event."`
}

const help = `Checks an evidence bundle offline and says what it proves.

Examples:
  atrium-verify bundle.zip --keys firm.keys
  atrium-verify bundle.zip --keys firm.keys --extends last-year.zip
  atrium-verify bundle.zip --keys firm.keys --extends 48213:CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=
  atrium-verify contract.pdf --bundle bundle.zip --keys firm.keys

A portal publishes its keys at /.well-known/atrium-log-keys; save that list, or get it from a witness or somebody else
you trust. Keys are never taken from the bundle, which would only vouch for itself. Without a key the bundle is checked
against itself: whether anything in it was changed by somebody who could not make all of it anew. That proves nothing
about who made it, so the exit code is 3.

Exit codes: 0 as claimed, 1 could not run, 2 wrong usage, 3 not as claimed or not proved.`

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// run is the program as a value, for tests: arguments and streams in, exit code out.
func run(args []string, stdout, stderr io.Writer) int {
	var c cli
	exit := -1
	parser, err := kong.New(&c, kong.Name("atrium-verify"), kong.Description(help), kong.Writers(stdout, stderr), kong.Exit(func(code int) { exit = code }))
	if err != nil {
		fmt.Fprintln(stderr, "atrium-verify:", err)
		return exitFailed
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	_, err = parser.Parse(args)
	if exit >= 0 { // --help has printed all there is to say
		return exit
	}
	if err != nil {
		fmt.Fprintf(stderr, "atrium-verify: %v. See `atrium-verify --help`.\n", err)
		return exitUsage
	}
	keys, err := c.trusted()
	if err != nil {
		fmt.Fprintln(stderr, "atrium-verify:", err)
		return exitUsage
	}
	r, err := c.verify(keys)
	if err == nil {
		err = r.print(stdout, c.JSON)
	}
	switch {
	case err != nil:
		fmt.Fprintln(stderr, "atrium-verify:", err)
		return exitFailed
	case !r.AsClaimed:
		return exitNotProof
	}
	return exitClaimed
}

// result is what is printed.
type result struct {
	AsClaimed  bool   `json:"as_claimed"`
	Conclusion string `json:"conclusion"`
	File       *file  `json:"file,omitempty"`
	*bundle.Verdict
}

// file is a document that was given.
type file struct {
	Name    string                `json:"name"`
	SHA256  string                `json:"sha256"`
	NamedBy []bundle.EventVerdict `json:"named_by"` // events of the bundle, which are as they were sealed
}

func (c *cli) verify(keys note.Verifiers) (*result, error) {
	path := c.File
	if c.Bundle != "" {
		path = c.Bundle
	}
	v, err := verifyFile(path, keys)
	if err != nil {
		return nil, err
	}
	for _, older := range c.Extends {
		if err := extend(v, older, keys); err != nil {
			return nil, err
		}
	}
	r := &result{AsClaimed: v.AsClaimed(), Conclusion: v.Conclusion(), Verdict: v}
	if c.Bundle == "" {
		return r, nil
	}
	sum, err := sumOf(c.File)
	if err != nil {
		return nil, err
	}
	r.File = &file{Name: c.File, SHA256: sum, NamedBy: v.Naming(sum)}
	if len(r.File.NamedBy) == 0 {
		r.AsClaimed, r.Conclusion = false, "Not as claimed: no event of the bundle names this file by its SHA-256, so it is not, or no longer, a document of it."
	}
	return r, nil
}

func verifyFile(path string, keys note.Verifiers) (*bundle.Verdict, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a file: name the bundle itself", path)
	}
	return bundle.Verify(f, info.Size(), keys)
}

func sumOf(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	sum := sha256.New()
	_, err = io.Copy(sum, f)
	return hex.EncodeToString(sum.Sum(nil)), errors.Join(err, f.Close())
}

func (r *result) print(w io.Writer, asJSON bool) error {
	if asJSON {
		out := json.NewEncoder(w)
		out.SetIndent("", "\t")
		return out.Encode(r)
	}
	if r.File == nil {
		return r.Words(w)
	}
	if len(r.File.NamedBy) == 0 {
		fmt.Fprintln(w, r.Conclusion)
	} else {
		fmt.Fprintf(w, "%s is a document of this bundle, which is judged below.\n", r.File.Name)
	}
	fmt.Fprintf(w, "  SHA-256 %s\n", r.File.SHA256)
	for i := range r.File.NamedBy {
		e := &r.File.NamedBy[i]
		what := "named by"
		switch {
		case strings.HasSuffix(e.Type, "Signed"):
			what = "signed in"
		case e.Type == "CopyDelivered":
			what = "delivered as the signed copy in"
		case e.Type == "FileDownloaded":
			what = "downloaded from the portal in"
		}
		fmt.Fprintf(w, "  %s %s\n", what, e)
	}
	fmt.Fprintln(w)
	return r.Words(w)
}
