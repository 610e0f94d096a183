package bundle_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"flag"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/atrium-portal/atrium/domain"
	dt "github.com/atrium-portal/atrium/domain/domaintest"
	"github.com/atrium-portal/atrium/projections/evidence"
	"github.com/atrium-portal/atrium/projections/evidence/bundle"
)

func problems(v *bundle.Verdict) string {
	var all []string
	for _, p := range v.Problems {
		all = append(all, p.What)
	}
	return strings.Join(all, "\n")
}

// statusOf finds the event at an index.
func statusOf(t *testing.T, v *bundle.Verdict, index int64) *bundle.EventVerdict {
	t.Helper()
	at := slices.IndexFunc(v.Events, func(e bundle.EventVerdict) bool { return e.Index == index })
	if at < 0 {
		t.Fatalf("there is no event %d", index)
	}
	return &v.Events[at]
}

func TestBundleIsAsClaimed(t *testing.T) {
	w := newWorld(t)
	ana, bob := dt.ID("ana"), dt.ID("bob")
	w.post(about, letter{Reader: ana, Text: domain.P("welcome"), Name: domain.P("Ana")})
	w.post(foreign, letter{Text: domain.P("somebody else's")})
	signed := w.post(about, letter{Reader: bob, Text: domain.P("agreed"), Name: domain.P("Bob"), SHA256: sha("contract")})
	w.documents = append(w.documents, document("contract 1.txt", "contract"))
	hidden := w.post(about, letter{Reader: ana, Text: domain.P("internal"), Name: domain.P("Ana")})
	w.withheld[hidden] = true
	removed := w.post(about, letter{Reader: ana, Text: domain.P("gone"), Name: domain.P("Ana")})
	w.withheld[removed] = true
	overwritten := w.post(about, letter{Reader: ana, Text: domain.P("gone too"), Name: domain.P("Ana")})
	removal := w.seal(about, "RemovalAuthorised", []byte(`{"stream":"`+about+`","from":3,"to":4}`))
	w.recorded[overwritten].Data = bytes.Repeat([]byte{0xff}, len(w.recorded[overwritten].Data))
	w.keys.Erase("reader:" + bob.String())
	erasure := w.seal(about, "SubjectKeyDestroyed", []byte(`{"subject":"reader:`+bob.String()+`"}`))
	w.issue()

	b := w.writeOverwritten(overwritten)
	v := verify(t, b, w.trust)
	if !v.AsClaimed() {
		t.Fatalf("not as claimed:\n%s", problems(v))
	}
	if v.About != about || !v.Issued.Equal(dt.Now.Truncate(time.Second)) || len(v.Streams) != 1 || !v.Streams[0].Unbroken {
		t.Errorf("the bundle is about %s, issued %s, streams %+v", v.About, v.Issued, v.Streams)
	}
	if e := statusOf(t, v, signed); e.Status != bundle.Included || !slices.Equal(e.ErasedBy, []bundle.Place{{Epoch: 1, Index: erasure}}) ||
		!slices.Equal(e.Disclosed, []string{"data.text", "metadata.ip"}) {
		t.Errorf("the letter to somebody who was erased is %+v", e)
	}
	if e := statusOf(t, v, hidden); e.Status != bundle.Withheld || e.RemovedBy != nil {
		t.Errorf("the withheld letter is %+v", e)
	}
	for _, index := range []int64{removed, overwritten} {
		if e := statusOf(t, v, index); e.Status != bundle.Removed || e.RemovedBy == nil || e.RemovedBy.Index != removal {
			t.Errorf("the removed letter is %+v", e)
		}
	}
	if d := v.Documents; len(d) != 1 || d[0].SHA256 != sha("contract") || !slices.Equal(d[0].NamedBy, []bundle.Place{{Epoch: 1, Index: signed}}) {
		t.Errorf("documents are %+v", d)
	}
	if named := v.Naming(sha("contract")); len(named) != 1 || named[0].Index != signed {
		t.Errorf("the file is named by %+v", named)
	}
	if strings.Contains(string(b), "somebody else's") || strings.Contains(string(b), foreign) {
		t.Error("something of another client is in the bundle")
	}
	for _, e := range unpack(t, b) {
		if strings.Contains(string(e.content), "+"+strings.Split(logKey(w.origin), "+")[1]+"+") {
			t.Errorf("the public key is in %s", e.name)
		}
	}
}

// writeOverwritten writes a bundle with an event whose stored data was overwritten.
func (w *world) writeOverwritten(index int64) []byte {
	w.t.Helper()
	c := w.contents()
	all := c.Events
	c.Events = func(yield func(bundle.Item, error) bool) {
		for i, err := range all {
			if i.Index == index {
				i.Data, i.Disclosed.Data = w.recorded[index].Data, nil
			}
			if !yield(i, err) {
				return
			}
		}
	}
	var b bytes.Buffer
	must(w.t, bundle.Write(&b, c))
	return b.Bytes()
}

func TestOverwrittenWithoutAuthorityIsWrong(t *testing.T) {
	w := newWorld(t)
	index := w.post(about, letter{Text: domain.P("inconvenient")})
	w.recorded[index].Data = bytes.Repeat([]byte{0xff}, len(w.recorded[index].Data))
	w.issue()
	v := verify(t, w.writeOverwritten(index), w.trust)
	if e := statusOf(t, v, index); v.Consistent || e.Status != bundle.Wrong {
		t.Errorf("%+v\n%s", e, problems(v))
	}
}

func TestSameContentsGiveTheSameBytes(t *testing.T) {
	w := newWorld(t)
	w.fill(7)
	w.issue()
	if !bytes.Equal(w.write(), w.write()) {
		t.Error("two bundles of the same contents differ")
	}
}

// Old bundles stay verifiable: the verifier makes the archive again, so its form must never change.
func TestGoldenBundle(t *testing.T) {
	const path = "testdata/bundle.sha256"
	w := newWorld(t)
	w.fill(4)
	w.issue()
	sum := sha256.Sum256(w.write())
	got := hex.EncodeToString(sum[:]) + "\n"
	if flag.Lookup("update").Value.String() == "true" {
		must(t, os.WriteFile(path, []byte(got), 0o644))
	}
	want, err := os.ReadFile(path)
	must(t, err)
	if got != string(want) {
		t.Error("a bundle of the same contents has other bytes than before")
	}
}

func TestTrustComesFromOutside(t *testing.T) {
	w := newWorld(t)
	w.fill(3)
	w.issue()
	seed := sha256.Sum256([]byte("witness"))
	at := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	witness := evidence.Cosigner("witness.example", seed[:], func() time.Time { return at })
	var b bytes.Buffer
	must(t, bundle.Write(&b, w.contents(witness)))

	v := verify(t, b.Bytes(), nil)
	if v.AsClaimed() || !v.Consistent || v.Trusted || !strings.HasPrefix(v.Conclusion(), "Not proved") {
		t.Errorf("without a key: %s\n%s", v.Conclusion(), problems(v))
	}
	if v := verify(t, b.Bytes(), note.VerifierList()); v.AsClaimed() || v.Consistent {
		t.Error("keys that sign nothing in the bundle vouch for it")
	}
	v = verify(t, b.Bytes(), w.trust)
	if !v.AsClaimed() || v.Logs[0].Unchecked != 1 || v.Logs[0].Cosigned != nil {
		t.Errorf("with the log's key: %+v\n%s", v.Logs[0], problems(v))
	}
	log, err := evidence.NewVerifier(logKey(w.origin))
	must(t, err)
	known, err := evidence.NewVerifier(witnessKey(seed))
	must(t, err)
	v = verify(t, b.Bytes(), note.VerifierList(log, known))
	if want := []bundle.Cosignature{{By: "witness.example", Time: at}}; !v.AsClaimed() || !slices.Equal(v.Logs[0].Cosigned, want) {
		t.Errorf("with both keys: %+v\n%s", v.Logs[0], problems(v))
	}
	if v := verify(t, b.Bytes(), note.VerifierList(known)); v.AsClaimed() {
		t.Error("a witness alone vouches for the log")
	}
}

func TestNoBundleHasAVerdict(t *testing.T) {
	for _, text := range []string{"", "PK", "no archive at all", string(make([]byte, 1000))} {
		if v := verify(t, []byte(text), nil); v.Consistent || len(v.Problems) == 0 {
			t.Errorf("%q is consistent", text)
		}
	}
}

func TestWriteRefusesWhatItCannotProve(t *testing.T) {
	fresh := func() *world {
		w := newWorld(t)
		w.fill(4)
		w.issue()
		return w
	}
	for name, spoil := range map[string]func(w *world, c *bundle.Contents){
		"an event that is not what was sealed": func(w *world, _ *bundle.Contents) { w.leaves[1].Data[0] ^= 1 },
		"an event that is not sealed yet": func(w *world, _ *bundle.Contents) {
			w.leaves = append(w.leaves, w.leaves[0])
			w.recorded = append(w.recorded, w.recorded[0])
		},
		"no log": func(_ *world, c *bundle.Contents) { c.Logs = nil },
		"events out of order": func(w *world, _ *bundle.Contents) {
			slices.Reverse(w.leaves)
			slices.Reverse(w.recorded)
		},
	} {
		w := fresh()
		c := w.contents()
		spoil(w, &c)
		if err := bundle.Write(new(bytes.Buffer), c); err == nil {
			t.Errorf("%s: written", name)
		}
	}
}
