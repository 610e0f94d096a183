package evidence_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"testing"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/atrium-portal/atrium/domain"
	_ "github.com/atrium-portal/atrium/domain/domaintest" // the flag -update
	. "github.com/atrium-portal/atrium/projections/evidence"
)

var (
	firm   = domain.DeriveID("firm")
	origin = Origin(firm, "1")
)

// stored is a log's hashes in memory.
type stored []tlog.Hash

func (s stored) ReadHashes(at []int64) ([]tlog.Hash, error) {
	hashes := make([]tlog.Hash, len(at))
	for i, x := range at {
		hashes[i] = s[x]
	}
	return hashes, nil
}

// add appends the n-th leaf.
func (s *stored) add(t testing.TB, n int64, leaf tlog.Hash) {
	t.Helper()
	more, err := tlog.StoredHashesForRecordHash(n, leaf, *s)
	must(t, err)
	*s = append(*s, more...)
}

func (s stored) root(t testing.TB, size int64) tlog.Hash {
	t.Helper()
	root, err := tlog.TreeHash(size, s)
	must(t, err)
	return root
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// newKey makes the key pair of a name, always the same one.
func newKey(t testing.TB, name string) (note.Signer, string) {
	t.Helper()
	seed := sha256.Sum256([]byte(name))
	secret, public, err := note.GenerateKey(bytes.NewReader(seed[:]), name)
	must(t, err)
	signer, err := note.NewSigner(secret)
	must(t, err)
	return signer, public
}

// plainEvents are n events in a few streams, without a meaning.
func plainEvents(n int) []domain.Recorded {
	events := make([]domain.Recorded, n)
	revisions := make(map[string]int64)
	for i := range events {
		stream := domain.StreamName("invoice", domain.DeriveID("stream", fmt.Sprint(i*i%5)))
		events[i] = domain.Recorded{
			Stream: stream, Revision: revisions[stream], ID: domain.DeriveID("event", fmt.Sprint(i)), Type: "InvoiceNoted",
			Data: fmt.Appendf(nil, `{"n":%d}`, i), Metadata: fmt.Appendf(nil, `{"firm":"%s","v":1}`, firm),
		}
		revisions[stream]++
	}
	return events
}

// leavesOf chains the leaves of events of one epoch.
func leavesOf(events []domain.Recorded) []Leaf {
	heads := make(map[string]tlog.Hash)
	leaves := make([]Leaf, len(events))
	for i, e := range events {
		leaves[i] = LeafOf("1", e, heads[e.Stream])
		heads[e.Stream] = leaves[i].Hash()
	}
	return leaves
}
