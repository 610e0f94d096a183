package evidence

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/atrium-portal/atrium/domain"
)

// Origin names the log of a firm in one epoch. It is the first line of each of its checkpoints and the name of the
// key that signs them.
func Origin(firm domain.ID, epoch string) string {
	return "portal/" + firm.String() + "/audit/" + epoch
}

// Checkpoint is what a log says of itself: it has Size leaves, and Root is the hash over all of them.
type Checkpoint struct {
	Origin string
	Size   int64
	Root   tlog.Hash
}

// Text is the C2SP form (c2sp.org/tlog-checkpoint) without extension lines: origin, size, root in base64, one a line.
func (c Checkpoint) Text() string {
	return c.Origin + "\n" + strconv.FormatInt(c.Size, 10) + "\n" + c.Root.String() + "\n"
}

var (
	errCheckpoint = errors.New("not a checkpoint: it must be three lines of origin, size and root, each in its one form")
	errSignatures = errors.New("a signature line is repeated or not in its one form")
)

// ParseCheckpoint reads what Text wrote and nothing else.
func ParseCheckpoint(text string) (Checkpoint, error) {
	lines := strings.Split(text, "\n")
	if len(lines) != 4 || lines[0] == "" {
		return Checkpoint{}, errCheckpoint
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || size < 0 {
		return Checkpoint{}, errCheckpoint
	}
	root, err := tlog.ParseHash(lines[2])
	if err != nil {
		return Checkpoint{}, errCheckpoint
	}
	c := Checkpoint{Origin: lines[0], Size: size, Root: root}
	if c.Text() != text {
		return Checkpoint{}, errCheckpoint
	}
	return c, nil
}

// Sign gives the checkpoint as a signed note. The first signer is the log's own, named as the origin; witnesses add theirs.
func Sign(c Checkpoint, s ...note.Signer) ([]byte, error) {
	return note.Sign(&note.Note{Text: c.Text()}, s...)
}

// Open reads a signed checkpoint. It must carry a signature of the log itself: by a key of v that is named as the
// origin. Every signature by a key of v must be right, those by other keys are passed over.
func Open(signed []byte, v note.Verifiers) (Checkpoint, error) {
	n, err := OpenNote(signed, v)
	if err != nil {
		return Checkpoint{}, err
	}
	c, err := ParseCheckpoint(n.Text)
	if err != nil {
		return Checkpoint{}, err
	}
	for _, sig := range n.Sigs {
		if sig.Name == c.Origin {
			return c, nil
		}
	}
	return Checkpoint{}, fmt.Errorf("the checkpoint of %s is not signed by a known key of that name", c.Origin)
}

// OpenNote is note.Open for notes that have one form only. A note that no key of v signed is a *note.UnverifiedNoteError.
func OpenNote(signed []byte, v note.Verifiers) (*note.Note, error) {
	n, err := note.Open(signed, v)
	read := n
	if unverified, ok := errors.AsType[*note.UnverifiedNoteError](err); ok {
		read = unverified.Note
	}
	if read != nil {
		if err := checkSignatureLines(read, signed); err != nil {
			return nil, err
		}
	}
	return n, err
}

// checkSignatureLines refuses what note.Open lets pass: base64 with stray bits, and a line given twice.
func checkSignatureLines(n *note.Note, signed []byte) error {
	if lines := strings.Count(string(signed[len(n.Text)+1:]), "\n"); lines != len(n.Sigs)+len(n.UnverifiedSigs) {
		return errSignatures
	}
	for _, sigs := range [][]note.Signature{n.Sigs, n.UnverifiedSigs} {
		for _, sig := range sigs {
			if raw, err := base64.StdEncoding.Strict().DecodeString(sig.Base64); err != nil || base64.StdEncoding.EncodeToString(raw) != sig.Base64 {
				return errSignatures
			}
		}
	}
	return nil
}
