package evidence_test

import (
	"encoding/hex"
	"encoding/json"
	"flag"
	"os"
	"testing"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	. "github.com/atrium-portal/atrium/projections/evidence"
)

// vectors is what every implementation must agree on, in any language. Hashes are base64, byte strings hex.
type vectors struct {
	Leaves     []leafVector `json:"leaves"`
	Roots      []tlog.Hash  `json:"roots"` // of the log of the first n leaves, n from 0 to 70
	Checkpoint struct {
		Key    string `json:"key"`
		Size   int64  `json:"size"`
		Signed string `json:"signed"`
	} `json:"checkpoint"`
}

type leafVector struct {
	Epoch    string    `json:"epoch"`
	Stream   string    `json:"stream"`
	Revision int64     `json:"revision"`
	Event    string    `json:"event"`
	Type     string    `json:"type"`
	Data     string    `json:"data"`     // as stored
	Metadata string    `json:"metadata"` // as stored
	Bytes    string    `json:"bytes"`
	Hash     tlog.Hash `json:"hash"`
}

// The encoding is for ever: these bytes stand in logs that people hold proofs of. A changed vector means a new leaf
// header, not a new vector.
func TestGoldenVectors(t *testing.T) {
	const path = "testdata/vectors.json"
	var got vectors
	var log stored
	events := plainEvents(70)
	got.Roots = append(got.Roots, log.root(t, 0))
	for i, leaf := range leavesOf(events) {
		log.add(t, int64(i), leaf.Hash())
		got.Roots = append(got.Roots, log.root(t, int64(i)+1))
		got.Leaves = append(got.Leaves, leafVector{
			Epoch: leaf.Epoch, Stream: leaf.Stream, Revision: leaf.Revision, Event: leaf.EventID.String(), Type: leaf.Type,
			Data: string(events[i].Data), Metadata: string(events[i].Metadata),
			Bytes: hex.EncodeToString(leaf.Bytes()), Hash: leaf.Hash(),
		})
	}
	signer, key := newKey(t, origin)
	signed, err := Sign(Checkpoint{Origin: origin, Size: 70, Root: got.Roots[70]}, signer)
	must(t, err)
	got.Checkpoint.Key, got.Checkpoint.Size, got.Checkpoint.Signed = key, 70, string(signed)

	text, err := json.MarshalIndent(got, "", "\t")
	must(t, err)
	text = append(text, '\n')
	if flag.Lookup("update").Value.String() == "true" {
		must(t, os.WriteFile(path, text, 0o644))
	}
	want, err := os.ReadFile(path)
	must(t, err)
	if string(want) != string(text) {
		t.Fatalf("%s says otherwise: the log's encoding changed, and every proof that people hold is void", path)
	}
}

func TestVectorsReadBack(t *testing.T) {
	text, err := os.ReadFile("testdata/vectors.json")
	must(t, err)
	var v vectors
	must(t, json.Unmarshal(text, &v))
	for i, l := range v.Leaves {
		raw, err := hex.DecodeString(l.Bytes)
		must(t, err)
		leaf, err := ParseLeaf(raw)
		must(t, err)
		if leaf.Stream != l.Stream || leaf.Revision != l.Revision || leaf.Type != l.Type || leaf.EventID.String() != l.Event || leaf.Hash() != l.Hash {
			t.Errorf("leaf %d reads as %+v", i, leaf)
		}
	}
	verifier, err := note.NewVerifier(v.Checkpoint.Key)
	must(t, err)
	c, err := Open([]byte(v.Checkpoint.Signed), note.VerifierList(verifier))
	must(t, err)
	if want := (Checkpoint{Origin: origin, Size: 70, Root: v.Roots[70]}); c != want {
		t.Errorf("checkpoint reads as %+v, not %+v", c, want)
	}
}
