package bundle_test

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/atrium-portal/atrium/domain"
	dt "github.com/atrium-portal/atrium/domain/domaintest"
	"github.com/atrium-portal/atrium/projections/evidence"
	"github.com/atrium-portal/atrium/projections/evidence/bundle"
)

// A stream goes on in the log of the next epoch, and its events are proved by two seals of two keys.
func TestBundleOfTwoEpochs(t *testing.T) {
	var contents bundle.Contents
	var items []bundle.Item
	var keys []note.Verifier
	var previous tlog.Hash
	revision := int64(0)
	for epoch := 1; epoch <= 2; epoch++ {
		origin := evidence.Origin(dt.ID("firm"), strconv.Itoa(epoch))
		seed := bytes.Repeat([]byte{byte(epoch)}, 32)
		verifier, err := evidence.NewVerifier(evidence.LogKey(origin, evidence.PublicKey(seed)))
		must(t, err)
		keys = append(keys, verifier)
		contents.Signer = evidence.LogSigner(origin, seed)
		var tree hashes
		for index := range int64(3) {
			r := domain.Recorded{Stream: about, Revision: revision, ID: domain.DeriveID(fmt.Sprint(revision)), Type: "LetterPosted", Data: []byte("{}"), Metadata: []byte("{}")}
			leaf := evidence.LeafOf(strconv.Itoa(epoch), r, previous)
			previous = leaf.Hash()
			revision++
			more, err := tlog.StoredHashesForRecordHash(index, previous, tree)
			must(t, err)
			tree = append(tree, more...)
			items = append(items, bundle.Item{Place: bundle.Place{Epoch: epoch, Index: index}, Leaf: leaf, Data: r.Data, Metadata: r.Metadata})
		}
		root, err := tlog.TreeHash(3, tree)
		must(t, err)
		signed, err := evidence.Sign(evidence.Checkpoint{Origin: origin, Size: 3, Root: root}, contents.Signer)
		must(t, err)
		contents.Logs = append(contents.Logs, bundle.LogContents{Epoch: epoch, Signed: signed, Hashes: tree})
	}
	contents.About, contents.Issued = about, dt.Now
	contents.Events = func(yield func(bundle.Item, error) bool) {
		for _, i := range items {
			if !yield(i, nil) {
				return
			}
		}
	}
	var b bytes.Buffer
	must(t, bundle.Write(&b, contents))
	v := verify(t, b.Bytes(), note.VerifierList(keys...))
	if !v.AsClaimed() || len(v.Logs) != 2 || len(v.Streams) != 1 || v.Streams[0].Head != 5 || !v.Streams[0].Unbroken {
		t.Errorf("%+v\n%s", v.Streams, problems(v))
	}
	if v := verify(t, b.Bytes(), note.VerifierList(keys[1])); v.AsClaimed() || !strings.Contains(problems(v), "The seal of "+v.Logs[0].Origin+" is not signed by a key") {
		t.Errorf("without the first key:\n%s", problems(v))
	}

	items = items[1:] // what came first is left out
	b.Reset()
	must(t, bundle.Write(&b, contents))
	if v := verify(t, b.Bytes(), note.VerifierList(keys...)); v.Consistent || !strings.Contains(problems(v), "revisions 0 to 0 of its stream are missing") {
		t.Errorf("without its first event:\n%s", problems(v))
	}
}
