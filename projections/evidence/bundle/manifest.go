package bundle

import (
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/atrium-portal/atrium/projections/evidence"
)

// manifest names every entry of a bundle with its SHA-256. It is a note signed by the key of the newest log, so what
// the log does not cover (the report, what was disclosed) is bound to the firm as well. The lines of the entries are
// those that `sha256sum -c` reads:
//
//	portal/<firm>/audit/<epoch>/bundle
//	portal-evidence-bundle/v1
//	about account-<id>
//	issued 2026-11-22T10:00:00Z
//	<SHA-256 in hex>  README.txt
//	…
type manifest struct {
	origin string // of the newest log
	about  string // name of the stream of what the bundle is about
	issued time.Time
	lines  []string // without line ends, in the order of the archive
}

const manifestForm = "portal-evidence-bundle/v1"

func manifestLine(sum []byte, name string) string { return hex.EncodeToString(sum) + "  " + name }

func (m manifest) text() string {
	head := m.origin + "/bundle\n" + manifestForm + "\nabout " + m.about + "\nissued " + m.issued.UTC().Format(time.RFC3339) + "\n"
	return head + strings.Join(m.lines, "\n") + "\n"
}

var errManifest = errors.New("the manifest is not in its one form")

// parseManifest reads what text wrote and nothing else.
func parseManifest(text string) (m manifest, err error) {
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	if len(lines) < 5 {
		return manifest{}, errManifest
	}
	m.origin = strings.TrimSuffix(lines[0], "/bundle")
	m.about = strings.TrimPrefix(lines[2], "about ")
	m.issued, err = time.Parse(time.RFC3339, strings.TrimPrefix(lines[3], "issued "))
	m.lines = lines[4:]
	if err != nil || m.text() != text {
		return manifest{}, errManifest
	}
	return m, nil
}

// openNote reads a signed text. known tells whether the key that has to sign (its name follows from the text) is one
// of keys and has signed. Without that the text is only what it claims to be; with an error it may be read too.
func openNote(signed []byte, keys note.Verifiers, signer func(text string) string) (n *note.Note, known bool, err error) {
	n, err = evidence.OpenNote(signed, keys)
	var unverified *note.UnverifiedNoteError
	if errors.As(err, &unverified) {
		return unverified.Note, false, nil
	}
	if err != nil {
		if _, errAnyway := evidence.OpenNote(signed, nil); errors.As(errAnyway, &unverified) {
			n = unverified.Note
		}
		return n, false, err
	}
	return n, slices.ContainsFunc(n.Sigs, func(s note.Signature) bool { return s.Name == signer(n.Text) }), nil
}
