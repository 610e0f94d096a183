package evidence

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// Witness remembers the last checkpoint of each log and signs the next one only after a proof that the log has grown
// and is otherwise the same. It is safe for concurrent use. It speaks c2sp.org/tlog-witness; carrying is somebody else's.
//
// A witness of the firm's own makes a rewritten history visible; one of somebody else's makes that hard to hide.
type Witness struct {
	Verifier func(origin string) (note.Verifiers, bool) // the public keys of a log; false: not a log that it watches
	Signer   note.Signer                                // a Cosigner
	Memory   WitnessDisk

	mu sync.Mutex
}

// WitnessDisk keeps the last checkpoint of each log.
type WitnessDisk interface {
	// Last gives what was kept last; nil when nothing was.
	Last(origin string) ([]byte, error)
	// Keep replaces it, and returns when that is on disk.
	Keep(origin string, signed []byte) error
}

// Refusal is the answer of a witness to a checkpoint that it does not sign.
type Refusal struct {
	Status int   // as in HTTP: 400, 403, 404, 409, 422
	Size   int64 // with 409: of the last checkpoint that it signed
	Text   string
}

// Error says why, in one sentence.
func (r *Refusal) Error() string { return r.Text }

// What a Refusal says.
const (
	Malformed  = 400
	Unsigned   = 403
	UnknownLog = 404
	OtherSize  = 409
	Forked     = 422
)

// Add looks at a request of c2sp.org/tlog-witness: the line "old SIZE", the lines of a proof that the log of that size is the
// beginning of the new one, an empty line, the signed checkpoint. It answers with its signature line, after the checkpoint is on disk. An error
// is a *Refusal, or one of the disk.
func (w *Witness) Add(request []byte) (signature []byte, err error) {
	old, proof, signed, err := parseRequest(request)
	if err != nil {
		return nil, &Refusal{Status: Malformed, Text: err.Error()}
	}
	origin, _, _ := strings.Cut(string(signed), "\n")
	keys, ok := w.Verifier(origin)
	if !ok {
		return nil, &Refusal{Status: UnknownLog, Text: "This witness does not watch the log " + origin + "."}
	}
	next, err := Open(signed, keys)
	if err != nil {
		return nil, &Refusal{Status: Unsigned, Text: "The checkpoint is not signed by the log's key."}
	}
	if old > next.Size {
		return nil, &Refusal{Status: Malformed, Text: "The old size is above the new one."}
	}

	w.mu.Lock()
	defer w.mu.Unlock()
	last := Checkpoint{Origin: origin}
	kept, err := w.Memory.Last(origin)
	if err != nil {
		return nil, err
	}
	if kept != nil {
		if last, err = Open(kept, keys); err != nil {
			return nil, fmt.Errorf("what the witness kept of %s cannot be read: %w", origin, err)
		}
	}
	if old != last.Size {
		return nil, &Refusal{Status: OtherSize, Size: last.Size, Text: fmt.Sprintf("The last checkpoint here has size %d.", last.Size)}
	}
	if err := grows(proof, last, next); err != nil {
		return nil, &Refusal{Status: Forked, Size: last.Size, Text: err.Error()}
	}
	cosigned, err := note.Sign(&note.Note{Text: next.Text()}, w.Signer)
	if err != nil {
		return nil, err
	}
	line := cosigned[len(next.Text())+1:]
	// Signed lines of others are not kept: whoever sends could make the file as long as they like.
	own, err := onlyBy(signed, keys)
	if err != nil {
		return nil, err
	}
	if err := w.Memory.Keep(origin, append(own, line...)); err != nil {
		return nil, err
	}
	return line, nil
}

// onlyBy is a note without the signatures of others.
func onlyBy(signed []byte, keys note.Verifiers) ([]byte, error) {
	n, err := note.Open(signed, keys)
	if err != nil {
		return nil, err
	}
	n.UnverifiedSigs = nil
	return note.Sign(n)
}

// grows checks that the log of the last checkpoint is the beginning of that of the next one.
func grows(proof tlog.TreeProof, last, next Checkpoint) error {
	var err error
	switch {
	case last.Size == next.Size && last.Size > 0 && last.Root != next.Root:
		err = errors.New("the root is another one")
	case last.Size == 0 || last.Size == next.Size:
		if len(proof) > 0 {
			err = errors.New("there is nothing to prove")
		}
	default:
		err = tlog.CheckTree(proof, next.Size, next.Root, last.Size, last.Root)
	}
	if err != nil {
		return fmt.Errorf("The log of size %d is not the one of size %d grown: %w.", next.Size, last.Size, err) //nolint:staticcheck // a sentence for the answer
	}
	return nil
}

// Last gives the last checkpoint of a log, with the signatures of log and witness; nil when it knows none.
func (w *Witness) Last(origin string) ([]byte, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.Memory.Last(origin)
}

// maxProof is more than any tree has levels.
const maxProof = 63

var errRequest = errors.New("the request must be: old SIZE, lines of proof, an empty line, a signed checkpoint")

func parseRequest(request []byte) (old int64, proof tlog.TreeProof, signed []byte, err error) {
	head, signed, ok := bytes.Cut(request, []byte("\n\n"))
	lines := strings.Split(string(head), "\n")
	size, isOld := strings.CutPrefix(lines[0], "old ")
	if !ok || !isOld || len(lines) > 1+maxProof {
		return 0, nil, nil, errRequest
	}
	if old, err = strconv.ParseInt(size, 10, 64); err != nil || old < 0 || strconv.FormatInt(old, 10) != size {
		return 0, nil, nil, errRequest
	}
	for _, line := range lines[1:] {
		h, err := tlog.ParseHash(line)
		if err != nil || h.String() != line {
			return 0, nil, nil, errRequest
		}
		proof = append(proof, h)
	}
	return old, proof, signed, nil
}

// formatRequest is what Add reads.
func formatRequest(old int64, proof tlog.TreeProof, signed []byte) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "old %d\n", old)
	for _, h := range proof {
		fmt.Fprintf(&b, "%s\n", h)
	}
	b.WriteString("\n")
	b.Write(signed)
	return b.Bytes()
}

// Witnessed is a checkpoint that a witness signed.
type Witnessed struct {
	Checkpoint
	Signed []byte
}

// OpenWitnessed reads what a witness answers when it is asked for the last checkpoint of a log: it has to carry the
// witness's signature.
func OpenWitnessed(signed []byte, origin string, witness note.Verifier) (Witnessed, error) {
	n, err := note.Open(signed, note.VerifierList(witness))
	if err != nil {
		return Witnessed{}, fmt.Errorf("the answer of the witness is not signed by its key, so check --witness-key: %w", err)
	}
	c, err := ParseCheckpoint(n.Text)
	if err == nil && c.Origin != origin {
		err = errors.New("the witness answers for another log")
	}
	return Witnessed{c, signed}, err
}

// WitnessMemory is a witness asked what it remembers.
type WitnessMemory interface {
	// Last gives the last checkpoint of a log that the witness signed, after checking its signature; false when it
	// knows none.
	Last(ctx context.Context, origin string) (Witnessed, bool, error)
}
