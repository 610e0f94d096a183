package evidence_test

import (
	"testing"

	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"golang.org/x/mod/sumdb/tlog"
	"pgregory.net/rapid"

	. "github.com/atrium-portal/atrium/projections/evidence"
)

// secondOpinion checks proofs with a library that shares no code with the one that makes them.
type secondOpinion struct {
	leaves []tlog.Hash
	hashes stored
}

func newSecondOpinion(t testing.TB, n int) *secondOpinion {
	s := new(secondOpinion)
	for i, leaf := range leavesOf(plainEvents(n)) {
		s.leaves = append(s.leaves, leaf.Hash())
		s.hashes.add(t, int64(i), leaf.Hash())
	}
	return s
}

func raw(proof []tlog.Hash) [][]byte {
	b := make([][]byte, len(proof))
	for i := range proof {
		b[i] = proof[i][:]
	}
	return b
}

func (s *secondOpinion) inclusion(t testing.TB, index, size int64) {
	t.Helper()
	p, err := tlog.ProveRecord(size, index, s.hashes)
	must(t, err)
	root := s.hashes.root(t, size)
	must(t, tlog.CheckRecord(p, size, root, index, s.leaves[index]))
	if err := proof.VerifyInclusion(rfc6962.DefaultHasher, uint64(index), uint64(size), s.leaves[index][:], raw(p), root[:]); err != nil {
		t.Errorf("leaf %d of %d: %v", index, size, err)
	}
}

func (s *secondOpinion) consistency(t testing.TB, older, size int64) {
	t.Helper()
	p, err := tlog.ProveTree(size, older, s.hashes)
	must(t, err)
	before, after := s.hashes.root(t, older), s.hashes.root(t, size)
	must(t, tlog.CheckTree(p, size, after, older, before))
	if err := proof.VerifyConsistency(rfc6962.DefaultHasher, uint64(older), uint64(size), raw(p), before[:], after[:]); err != nil {
		t.Errorf("%d of %d: %v", older, size, err)
	}
}

// root makes the tree's root from the leaves by the definition of RFC 6962, section 2.1.
func (s *secondOpinion) root(from, to int) []byte {
	switch n := to - from; n {
	case 0:
		return rfc6962.DefaultHasher.EmptyRoot()
	case 1:
		return s.leaves[from][:]
	default:
		k := 1
		for 2*k < n {
			k *= 2
		}
		return rfc6962.DefaultHasher.HashChildren(s.root(from, from+k), s.root(from+k, to))
	}
}

func TestSecondVerifierAgreesOnSmallLogs(t *testing.T) {
	const most = 70
	s := newSecondOpinion(t, most)
	for size := range int64(most + 1) {
		if root := s.hashes.root(t, size); tlog.Hash(s.root(0, int(size))) != root {
			t.Errorf("the root of %d leaves is another one", size)
		}
		for at := range size {
			s.inclusion(t, at, size)
			s.consistency(t, at+1, size)
		}
	}
}

func TestSecondVerifierAgreesOnALargeLog(t *testing.T) {
	const most, pairs = 50_000, 10_000
	s := newSecondOpinion(t, most)
	rapid.Check(t, func(r *rapid.T) {
		for range pairs/100 + 1 { // rapid checks 100 times
			size := rapid.Int64Range(1, most).Draw(r, "size")
			at := rapid.Int64Range(0, size-1).Draw(r, "index")
			s.inclusion(t, at, size)
			s.consistency(t, at+1, size)
		}
	})
}

// A leaf hashes as the second library hashes, from the bytes of the encoding.
func TestSecondVerifierAgreesOnLeaves(t *testing.T) {
	for _, leaf := range leavesOf(plainEvents(20)) {
		if h := leaf.Hash(); tlog.Hash(rfc6962.DefaultHasher.HashLeaf(leaf.Bytes())) != h {
			t.Errorf("the hash of %+v is another one", leaf)
		}
	}
}

func FuzzParseLeaf(f *testing.F) {
	for _, leaf := range leavesOf(plainEvents(3)) {
		f.Add(leaf.Bytes())
		f.Add(leaf.Bytes()[:40])
		f.Add(append(leaf.Bytes(), 0))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if leaf, err := ParseLeaf(b); err == nil && string(leaf.Bytes()) != string(b) {
			t.Errorf("%q is read as %+v, which is written otherwise", b, leaf)
		}
	})
}

func FuzzParseCheckpoint(f *testing.F) {
	f.Add(Checkpoint{Origin: origin, Size: 70}.Text())
	f.Add(origin + "\n+7\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n")
	f.Add(origin + "\n7\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB=\n")
	f.Add(origin + "\n7\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\nmore\n")
	f.Fuzz(func(t *testing.T, text string) {
		if c, err := ParseCheckpoint(text); err == nil && c.Text() != text {
			t.Errorf("%q is read as %+v, which is written otherwise", text, c)
		}
	})
}
