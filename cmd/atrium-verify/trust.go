package main

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/atrium-portal/atrium/projections/evidence"
	"github.com/atrium-portal/atrium/projections/evidence/bundle"
)

// Words before a key in the list that an installation publishes.
const (
	logWord     = "log-key "
	witnessWord = "witness-key "
)

// trust are the keys that were given.
type trust struct {
	named note.Verifiers
	logs  []ed25519.PublicKey // of an installation: they sign all of its logs, each under the log's own name
}

// Verifier implements note.Verifiers.
func (t trust) Verifier(name string, hash uint32) (note.Verifier, error) {
	for _, public := range t.logs {
		if v, err := evidence.NewVerifier(evidence.LogKey(name, public)); err == nil && v.KeyHash() == hash {
			return v, nil
		}
	}
	return t.named.Verifier(name, hash)
}

// trusted are the keys that were given; nil when none was.
func (c *cli) trusted() (note.Verifiers, error) {
	lines := c.Key
	for _, path := range c.Keys {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		before := len(lines)
		for line := range strings.Lines(string(text)) {
			if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
				lines = append(lines, line)
			}
		}
		if len(lines) == before {
			return nil, fmt.Errorf("there is no key in %s: write one a line, as the portal's list shows them", path)
		}
	}
	if len(lines) == 0 {
		return nil, nil
	}
	var t trust
	var named []note.Verifier
	slices.Sort(lines)
	for _, line := range slices.Compact(lines) { // a key given twice would be ambiguous
		if raw, err := base64.StdEncoding.Strict().DecodeString(strings.TrimPrefix(line, logWord)); err == nil && len(raw) == ed25519.PublicKeySize {
			t.logs = append(t.logs, raw)
			continue
		}
		v, err := evidence.NewVerifier(strings.TrimPrefix(line, witnessWord))
		if err != nil {
			return nil, fmt.Errorf("the key %q: %w", line, err)
		}
		named = append(named, v)
	}
	t.named = note.VerifierList(named...)
	return t, nil
}

// extend compares with what somebody held before: a bundle, a seal in a file, or size and root as a mail shows them. A seal
// is trusted as it is, since it comes from the holder, but if it is signed, then by a key that was given.
func extend(v *bundle.Verdict, older string, keys note.Verifiers) error {
	text, err := beginning(older)
	if seal, ok := parseSeal(older); ok && errors.Is(err, fs.ErrNotExist) {
		v.ExtendsSeal(seal)
		return nil
	}
	if err != nil {
		return err
	}
	if bytes.HasPrefix(text, []byte("PK")) {
		earlier, err := verifyFile(older, keys)
		if err == nil {
			v.Extends(earlier)
		}
		return err
	}
	seal, err := evidence.ParseCheckpoint(string(text))
	if err != nil {
		seal, err = evidence.Open(text, keys)
	}
	if err != nil {
		return fmt.Errorf("%s is neither a bundle nor a seal that can be trusted: %w", older, err)
	}
	v.ExtendsSeal(seal)
	return nil
}

// beginning reads as much of a file as a seal may have.
func beginning(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, 1<<16))
}

// parseSeal reads SIZE:ROOT, or "SIZE · ROOT" as it stands at the foot of mails and papers.
func parseSeal(text string) (c evidence.Checkpoint, ok bool) {
	size, root, ok := strings.Cut(strings.Replace(text, " · ", ":", 1), ":")
	var err1, err2 error
	c.Size, err1 = strconv.ParseInt(size, 10, 64)
	c.Root, err2 = tlog.ParseHash(root)
	return c, ok && err1 == nil && err2 == nil
}
