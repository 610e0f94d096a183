package evidence_test

import (
	"bytes"
	"testing"

	"golang.org/x/mod/sumdb/note"
	"pgregory.net/rapid"

	"github.com/atrium-portal/atrium/domain"
	. "github.com/atrium-portal/atrium/projections/evidence"
)

func TestLeafGoesAround(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		leaf := LeafOf(rapid.String().Draw(r, "epoch"), domain.Recorded{
			Stream: rapid.String().Draw(r, "stream"), Revision: rapid.Int64Min(0).Draw(r, "revision"),
			ID: domain.DeriveID(rapid.String().Draw(r, "id")), Type: rapid.String().Draw(r, "type"),
			Data: []byte(rapid.String().Draw(r, "data")), Metadata: []byte(rapid.String().Draw(r, "metadata")),
		}, [32]byte(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(r, "previous")))
		b := leaf.Bytes()
		if again, err := ParseLeaf(b); err != nil || again != leaf {
			r.Fatalf("%+v reads as %+v (%v)", leaf, again, err)
		}
		if _, err := ParseLeaf(b[:rapid.IntRange(0, len(b)-1).Draw(r, "cut")]); err == nil {
			r.Fatal("a part of a leaf is read as a leaf")
		}
		if _, err := ParseLeaf(append(b, 0)); err == nil {
			r.Fatal("a leaf with more behind it is read as a leaf")
		}
	})
}

// Every bit of a leaf is of some meaning: no two leaves have the same bytes, so none the same hash.
func TestLeafHasNoSpareBits(t *testing.T) {
	leaf := leavesOf(plainEvents(9))[8]
	for bit := range 8 * len(leaf.Bytes()) {
		b := leaf.Bytes()
		b[bit/8] ^= 1 << (bit % 8)
		if other, err := ParseLeaf(b); err == nil && (other == leaf || !bytes.Equal(other.Bytes(), b)) {
			t.Errorf("bit %d does not count", bit)
		}
	}
}

func TestOpenRefusesEverySingleBit(t *testing.T) {
	signer, key := newKey(t, origin)
	verifier, err := note.NewVerifier(key)
	must(t, err)
	keys := note.VerifierList(verifier)
	want := Checkpoint{Origin: origin, Size: 70, Root: [32]byte{1, 2, 3}}
	signed, err := Sign(want, signer)
	must(t, err)
	if got, err := Open(signed, keys); err != nil || got != want {
		t.Fatalf("%+v (%v)", got, err)
	}
	for bit := range 8 * len(signed) {
		b := bytes.Clone(signed)
		b[bit/8] ^= 1 << (bit % 8)
		if got, err := Open(b, keys); err == nil {
			t.Errorf("bit %d does not count: %q is %+v", bit, b, got)
		}
	}
}

func TestOpenWantsTheLogsOwnKey(t *testing.T) {
	witness, witnessKey := newKey(t, "witness.example")
	other, otherKey := newKey(t, Origin(domain.DeriveID("other firm"), "1"))
	log, logKey := newKey(t, origin)
	verifiers := func(keys ...string) note.Verifiers {
		var list []note.Verifier
		for _, key := range keys {
			v, err := NewVerifier(key)
			must(t, err)
			list = append(list, v)
		}
		return note.VerifierList(list...)
	}
	c := Checkpoint{Origin: origin, Size: 1}
	for _, x := range []struct {
		name string
		by   []note.Signer
		keys []string
		fine bool
	}{
		{"the log", []note.Signer{log}, []string{logKey}, true},
		{"log and witness", []note.Signer{log, witness}, []string{logKey, witnessKey}, true},
		{"log and an unknown witness", []note.Signer{log, witness}, []string{logKey}, true},
		{"only the witness is known", []note.Signer{log, witness}, []string{witnessKey}, false},
		{"the log of another firm", []note.Signer{other}, []string{logKey, otherKey}, false},
		{"nobody is known", []note.Signer{log}, nil, false},
	} {
		signed, err := Sign(c, x.by...)
		must(t, err)
		if _, err := Open(signed, verifiers(x.keys...)); (err == nil) != x.fine {
			t.Errorf("%s: %v", x.name, err)
		}
	}
	signed, err := Sign(c, log)
	must(t, err)
	line := signed[bytes.Index(signed, []byte("\n\n"))+2:]
	if _, err := Open(append(signed, line...), verifiers(logKey)); err == nil {
		t.Error("a signature may stand there twice")
	}
}
