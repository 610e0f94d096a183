package bundle_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"
	"pgregory.net/rapid"

	"github.com/atrium-portal/atrium/domain"
	dt "github.com/atrium-portal/atrium/domain/domaintest"
	"github.com/atrium-portal/atrium/projections/evidence/bundle"
)

// No bit of a bundle is without meaning, even to somebody who has no key.
func TestEverySingleBitIsRefused(t *testing.T) {
	w := newWorld(t)
	w.post(about, letter{Reader: dt.ID("ana"), Text: domain.P("hello"), Name: domain.P("Ana"), SHA256: sha("file")})
	w.documents = append(w.documents, document("file.txt", "file"))
	w.earlier = []int64{1}
	w.issue()
	b := w.write()
	if v := verify(t, b, nil); !v.Consistent {
		t.Fatal(problems(v))
	}
	const parts = 4
	for part := range parts {
		t.Run(fmt.Sprint(part), func(t *testing.T) {
			t.Parallel()
			mine := bytes.Clone(b)
			for at := part; at < len(mine); at += parts {
				for bit := range 8 {
					mine[at] ^= 1 << bit
					if v := verify(t, mine, nil); v.Consistent {
						t.Errorf("bit %d of byte %d does not count", bit, at)
					}
					mine[at] ^= 1 << bit
				}
			}
		})
	}
}

func TestRandomBitsOfALargerBundleAreRefused(t *testing.T) {
	w := newWorld(t)
	w.fill(60)
	w.issue()
	b := w.write()
	rapid.Check(t, func(r *rapid.T) {
		for range 5 {
			at, bit := rapid.IntRange(0, len(b)-1).Draw(r, "byte"), rapid.IntRange(0, 7).Draw(r, "bit")
			b[at] ^= 1 << bit
			v := verify(t, b, w.trust)
			b[at] ^= 1 << bit
			if v.AsClaimed() {
				r.Fatalf("bit %d of byte %d does not count", bit, at)
			}
		}
	})
}

func TestCutOrGrownArchiveIsRefused(t *testing.T) {
	w := newWorld(t)
	w.fill(2)
	w.issue()
	b := w.write()
	for name, other := range map[string][]byte{
		"cut": b[:len(b)-1], "more behind": append(bytes.Clone(b), 0), "more before": append([]byte{0}, b...), "twice": append(bytes.Clone(b), b...),
	} {
		if v := verify(t, other, w.trust); v.Consistent {
			t.Errorf("%s: consistent", name)
		}
	}
}

// tampering is one change to a bundle by somebody who has the log's key and makes a fitting manifest.
type tampering struct {
	entries []entry
	events  []string // folders
	r       *rand.Rand
}

func (x *tampering) dir() string { return x.events[x.r.IntN(len(x.events))] }

func (x *tampering) file(name string) *entry {
	return &x.entries[slices.IndexFunc(x.entries, func(e entry) bool { return e.name == name })]
}

// flip changes a bit of a file.
func (x *tampering) flip(name string) {
	e := x.file(name)
	e.content = bytes.Clone(e.content)
	e.content[x.r.IntN(len(e.content))] ^= 1 << x.r.IntN(8)
}

// changes are what can be done to a bundle; each tells in which folder the trouble must be noticed.
var changes = []struct {
	name   string
	change func(x *tampering) (dir string)
}{
	{"leaf", func(x *tampering) string { dir := x.dir(); x.flip(dir + "0-leaf.bin"); return dir }},
	{"proof", func(x *tampering) string { dir := x.dir(); x.flip(dir + "1-proof.tlog-proof"); return dir }},
	{"data", func(x *tampering) string { dir := x.dir(); x.flip(dir + "2-data.json"); return dir }},
	{"metadata", func(x *tampering) string { dir := x.dir(); x.flip(dir + "3-metadata.json"); return dir }},
	{"disclosed", func(x *tampering) string {
		for {
			dir := x.dir()
			if at := slices.IndexFunc(x.entries, func(e entry) bool { return e.name == dir+"4-disclosed.json" }); at >= 0 {
				x.entries[at].content = bytes.Replace(x.entries[at].content, []byte(`"text": "`), []byte(`"text": "not `), 1)
				return dir
			}
		}
	}},
	{"exchanged contents", func(x *tampering) string {
		a, b := x.dir(), x.dir()
		for a == b {
			b = x.dir()
		}
		for _, name := range []string{"2-data.json", "3-metadata.json"} {
			x.file(a+name).content, x.file(b+name).content = x.file(b+name).content, x.file(a+name).content
		}
		return a
	}},
	{"exchanged order", func(x *tampering) string {
		at := x.r.IntN(len(x.events) - 1)
		a, b := x.events[at], x.events[at+1]
		for _, name := range []string{"0-leaf.bin", "2-data.json", "3-metadata.json"} {
			x.file(a+name).content, x.file(b+name).content = x.file(b+name).content, x.file(a+name).content
		}
		return a
	}},
	{"removed", func(x *tampering) string {
		dir := x.events[x.r.IntN(len(x.events)-1)] // the last one says that the others belong
		x.entries = slices.DeleteFunc(x.entries, func(e entry) bool { return strings.HasPrefix(e.name, dir) })
		return "" // noticed by those that follow, see below
	}},
	{"inserted", func(x *tampering) string {
		dir := x.dir()
		index, _ := strconv.Atoi(strings.Split(dir, "/")[2])
		other := fmt.Sprintf("events/0001/%012d/", index+1)
		if slices.Contains(x.events, other) {
			return x.changed("data")
		}
		var more []entry
		for _, e := range x.entries {
			if name, ok := strings.CutPrefix(e.name, dir); ok {
				more = append(more, entry{other + name, e.content})
			}
		}
		at := slices.IndexFunc(x.entries, func(e entry) bool {
			return e.name > other && strings.HasPrefix(e.name, "events/") || e.name == "report.html"
		})
		x.entries = slices.Insert(x.entries, at, more...)
		return other
	}},
	{"checkpoint", func(x *tampering) string { x.flip("logs/0001/checkpoint"); return "logs/0001/" }},
	{"earlier seal", func(x *tampering) string { x.flip("logs/0001/earlier/000000000005"); return "logs/0001/" }},
}

func (x *tampering) changed(name string) string {
	dir := x.dir()
	x.flip(dir + "2-" + name + ".json")
	return dir
}

// Whatever an insider with the log's key changes, against the seal in other hands, is noticed and named.
func TestTamperingIsFoundAndNamed(t *testing.T) {
	const each = 1000 // of each kind
	w := newWorld(t)
	w.fill(9)
	w.earlier = []int64{5}
	w.issue()
	whole := unpack(t, w.write())
	var events []string
	streams := map[string]string{}
	for _, e := range whole {
		if dir, ok := strings.CutSuffix(e.name, "0-leaf.bin"); ok {
			events = append(events, dir)
			index, _ := strconv.Atoi(strings.Split(dir, "/")[2])
			streams[dir] = w.leaves[index].Stream
		}
	}
	if v := verify(t, w.pack(whole), w.trust); !v.AsClaimed() {
		t.Fatalf("packed again it is not as claimed:\n%s", problems(v))
	}
	for k, c := range changes {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			random := rand.New(rand.NewPCG(uint64(k), 4711))
			for n := range each {
				x := &tampering{entries: slices.Clone(whole), events: events, r: random}
				dir := c.change(x)
				v := verify(t, w.pack(x.entries), w.trust)
				if v.Consistent {
					t.Fatalf("change %d in %s is not noticed", n, dir)
				}
				if !named(v, dir, streams[dir], c.name) {
					t.Fatalf("change %d in %s, stream %s, is not named:\n%s", n, dir, streams[dir], problems(v))
				}
			}
		})
	}
}

// named tells whether a problem says where the change is: index and stream, or the file.
func named(v *bundle.Verdict, dir, stream, change string) bool {
	return slices.ContainsFunc(v.Problems, func(p bundle.Problem) bool {
		if p.Leaf == nil {
			return dir != "" && strings.HasPrefix(p.Entry, dir)
		}
		switch at := fmt.Sprintf("events/0001/%012d/", p.Leaf.Index); change {
		case "removed": // the next one of the stream, or the event that says what belongs in the bundle
			return p.Stream != "" && strings.Contains(p.What, "missing before it") || strings.Contains(p.What, "here it ends with") || strings.Contains(p.What, "leaves it out")
		case "leaf", "exchanged order": // the leaf here names another stream now
			return at == dir
		default:
			return at == dir && (p.Stream == stream || stream == "")
		}
	})
}

func FuzzVerify(f *testing.F) {
	w := newWorld(f)
	w.post(about, letter{Reader: dt.ID("ana"), Text: domain.P("hello"), SHA256: sha("file")})
	w.documents = append(w.documents, document("file.txt", "file"))
	w.issue()
	whole := w.write()
	f.Add(whole)
	f.Add(whole[:len(whole)/2])
	f.Add([]byte("PK\x05\x06" + strings.Repeat("\x00", 18)))
	f.Add(w.pack([]entry{{"logs/0001/checkpoint", w.checkpoint()}, {"events/0001/000000000000/0-leaf.bin", nil}}))
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, keys := range []note.Verifiers{nil, w.trust} {
			v, err := bundle.Verify(bytes.NewReader(b), int64(len(b)), keys)
			if err != nil || v.Consistent == (len(v.Problems) > 0) {
				t.Errorf("%+v (%v)", v, err)
			}
			if v.AsClaimed() && !bytes.Equal(b, whole) {
				t.Error("another bundle is as claimed")
			}
		}
	})
}
