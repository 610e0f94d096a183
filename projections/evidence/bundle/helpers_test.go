package bundle_test

import (
	"archive/zip"
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/atrium-portal/atrium/domain"
	dt "github.com/atrium-portal/atrium/domain/domaintest"
	"github.com/atrium-portal/atrium/projections/evidence"
	"github.com/atrium-portal/atrium/projections/evidence/bundle"
)

// letter is an event with personal text and the SHA-256 of a file.
type letter struct {
	Reader domain.ID       `json:"reader"`
	Text   domain.Personal `json:"text"`
	Name   domain.Personal `json:"name" subject:"reader"`
	SHA256 string          `json:"sha256,omitempty"`
}

func (letter) EventType() string { return "LetterPosted" }
func (letter) Sentence() string  { return "posted a letter" }

var about = domain.StreamName("letter", dt.ID("account"))

// world is a firm's log of which some events belong in a bundle. Every third event is another client's.
type world struct {
	t      testing.TB
	keys   *dt.Keys
	codec  *domain.Codec
	origin string
	signer note.Signer
	trust  note.Verifiers

	hashes    hashes
	leaves    []evidence.Leaf
	recorded  []domain.Recorded
	heads     map[string]evidence.Leaf
	withheld  map[int64]bool
	documents []bundle.Document
	earlier   []int64
}

// hashes are a log's, in memory.
type hashes []tlog.Hash

func (h hashes) ReadHashes(at []int64) ([]tlog.Hash, error) {
	list := make([]tlog.Hash, len(at))
	for i, x := range at {
		list[i] = h[x]
	}
	return list, nil
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// counted are bytes that do not repeat and are the same each time.
type counted struct{ n uint64 }

func (c *counted) Read(b []byte) (int, error) {
	for i := range b {
		c.n++
		b[i] = byte(c.n * 0x9E3779B97F4A7C15 >> 56)
	}
	return len(b), nil
}

func newWorld(t testing.TB) *world {
	w := &world{t: t, keys: dt.NewKeys(), origin: evidence.Origin(dt.ID("firm"), "1"), heads: map[string]evidence.Leaf{}, withheld: map[int64]bool{}}
	var err error
	w.codec, err = domain.NewCodec([]domain.Type{{Category: "letter", Events: []domain.Event{letter{}}}}, w.keys, new(counted))
	must(t, err)
	seed := sha256.Sum256([]byte(w.origin))
	w.signer = evidence.LogSigner(w.origin, seed[:])
	verifier, err := evidence.NewVerifier(logKey(w.origin))
	must(t, err)
	w.trust = note.VerifierList(verifier)
	return w
}

// seal adds an event with that data to the log, and gives its index.
func (w *world) seal(stream, kind string, data []byte) int64 {
	w.t.Helper()
	n := int64(len(w.leaves))
	r := domain.Recorded{
		Stream: stream, ID: domain.DeriveID("event", fmt.Sprint(n)), Type: kind, Data: data,
		Metadata: fmt.Appendf(nil, `{"firm":"%s","actor":"%s","kind":"staff","command":"%s","v":1}`, dt.ID("firm"), dt.ID("staff"), dt.ID("command")),
	}
	return w.append(r)
}

func (w *world) append(r domain.Recorded) int64 {
	w.t.Helper()
	n := int64(len(w.leaves))
	var previous tlog.Hash
	if head, ok := w.heads[r.Stream]; ok {
		r.Revision, previous = head.Revision+1, head.Hash()
	}
	leaf := evidence.LeafOf("1", r, previous)
	more, err := tlog.StoredHashesForRecordHash(n, leaf.Hash(), w.hashes)
	must(w.t, err)
	w.hashes, w.leaves, w.recorded, w.heads[r.Stream] = append(w.hashes, more...), append(w.leaves, leaf), append(w.recorded, r), leaf
	return n
}

// post adds a letter of the client, or one of somebody else.
func (w *world) post(stream string, e letter) int64 {
	w.t.Helper()
	_, id, _ := domain.ParseStream(stream)
	m := dt.Meta()
	m.Target, m.Command = id, domain.DeriveID(stream, fmt.Sprint(len(w.leaves)))
	m.IP = domain.P("192.0.2.7")
	p, err := w.codec.Encode(e, m, 0)
	must(w.t, err)
	return w.append(domain.Recorded{Stream: stream, ID: p.ID, Type: p.Type, Data: p.Data, Metadata: p.Metadata})
}

// fill adds n letters in three streams of the client and, between them, somebody else's.
func (w *world) fill(n int) {
	for i := range n {
		if i%3 == 2 {
			w.post(foreign, letter{Text: domain.P("somebody else's")})
		}
		w.post(domain.StreamName("letter", dt.ID(fmt.Sprint("stream", i*i%3))), letter{Reader: dt.ID("ana"), Text: domain.P(fmt.Sprint("letter ", i)), Name: domain.P("Ana")})
	}
}

var foreign = domain.StreamName("letter", dt.ID("foreign"))

// issue adds the event that says what a bundle holds.
func (w *world) issue() int64 {
	w.t.Helper()
	issued := bundle.Issued{About: about}
	for _, stream := range w.streams() {
		head := w.heads[stream]
		issued.Heads = append(issued.Heads, bundle.Head{Stream: stream, Revision: head.Revision, Leaf: head.Hash()})
	}
	data, err := json.Marshal(issued)
	must(w.t, err)
	return w.seal(about, "BundleIssued", data)
}

// streams are those of the client, in the order in which they began.
func (w *world) streams() (streams []string) {
	for _, leaf := range w.leaves {
		if leaf.Revision == 0 && leaf.Stream != foreign {
			streams = append(streams, leaf.Stream)
		}
	}
	return streams
}

func (w *world) checkpoint(signers ...note.Signer) []byte {
	w.t.Helper()
	size := int64(len(w.leaves))
	root, err := tlog.TreeHash(size, w.hashes)
	must(w.t, err)
	signed, err := evidence.Sign(evidence.Checkpoint{Origin: w.origin, Size: size, Root: root}, append([]note.Signer{w.signer}, signers...)...)
	must(w.t, err)
	return signed
}

func (w *world) contents(signers ...note.Signer) bundle.Contents {
	return bundle.Contents{
		About: about, Issued: dt.Now,
		Logs: []bundle.LogContents{{Epoch: 1, Signed: w.checkpoint(signers...), Hashes: w.hashes, Earlier: w.earlier}},
		Events: func(yield func(bundle.Item, error) bool) {
			for n, leaf := range w.leaves {
				if leaf.Stream == foreign {
					continue
				}
				i := bundle.Item{Place: bundle.Place{Epoch: 1, Index: int64(n)}, Leaf: leaf, Line: bundle.Line{Time: dt.Now.Add(time.Duration(n) * time.Minute), Who: "Ana", Did: "posted a letter"}}
				if !w.withheld[int64(n)] {
					i.Data, i.Metadata = w.recorded[n].Data, w.recorded[n].Metadata
					var err error
					if i.Disclosed.Data, i.Disclosed.Metadata, err = w.codec.Disclose(w.recorded[n]); err != nil {
						yield(i, err)
						return
					}
				}
				if !yield(i, nil) {
					return
				}
			}
		},
		Documents: w.documents, Signer: w.signer,
		Report: bundle.Report{Title: "History of Harbour Café", Firm: "Maple & Sons"},
	}
}

// write makes the bundle.
func (w *world) write() []byte {
	w.t.Helper()
	var b bytes.Buffer
	must(w.t, bundle.Write(&b, w.contents()))
	return b.Bytes()
}

func verify(t testing.TB, b []byte, keys note.Verifiers) *bundle.Verdict {
	t.Helper()
	v, err := bundle.Verify(bytes.NewReader(b), int64(len(b)), keys)
	must(t, err)
	return v
}

// logKey is the public key that goes with the signer of a log of these tests.
func logKey(origin string) string {
	seed := sha256.Sum256([]byte(origin))
	_, public, err := note.GenerateKey(bytes.NewReader(seed[:]), origin)
	if err != nil {
		panic(err)
	}
	return public
}

func document(name, text string) bundle.Document {
	return bundle.Document{Name: name, Open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(text)), nil }}
}

func sha(text string) string { sum := sha256.Sum256([]byte(text)); return hex.EncodeToString(sum[:]) }

// entry is a file of a bundle taken apart.
type entry struct {
	name    string
	content []byte
}

func unpack(t testing.TB, b []byte) (entries []entry) {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	must(t, err)
	for _, f := range z.File {
		r, err := f.Open()
		must(t, err)
		content, err := io.ReadAll(r)
		must(t, err)
		entries = append(entries, entry{f.Name, content})
	}
	return entries
}

// pack makes a bundle of entries as somebody does who has the log's key: with a manifest that names them as they are.
func (w *world) pack(entries []entry) []byte {
	w.t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	add := func(e entry) {
		f, err := z.CreateRaw(&zip.FileHeader{
			Name: e.name, CRC32: crc32.ChecksumIEEE(e.content), CompressedSize64: uint64(len(e.content)), UncompressedSize64: uint64(len(e.content)),
			CreatorVersion: 20, ReaderVersion: 20, ModifiedDate: 33, //nolint:staticcheck // CreateRaw writes this field
		})
		must(w.t, err)
		_, err = f.Write(e.content)
		must(w.t, err)
	}
	text := w.origin + "/bundle\nportal-evidence-bundle/v1\nabout " + about + "\nissued " + dt.Now.UTC().Format(time.RFC3339) + "\n"
	for _, e := range entries {
		if e.name != "manifest" {
			add(e)
			text += sha(string(e.content)) + "  " + e.name + "\n"
		}
	}
	signed, err := note.Sign(&note.Note{Text: text}, w.signer)
	must(w.t, err)
	add(entry{"manifest", signed})
	must(w.t, z.Close())
	return b.Bytes()
}

func witnessKey(seed [32]byte) string {
	return evidence.CosignerKey("witness.example", ed25519.NewKeyFromSeed(seed[:]).Public().(ed25519.PublicKey))
}
