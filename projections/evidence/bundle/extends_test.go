package bundle_test

import (
	"encoding/json"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/atrium-portal/atrium/domain"
	dt "github.com/atrium-portal/atrium/domain/domaintest"
	"github.com/atrium-portal/atrium/projections/evidence"
	"github.com/atrium-portal/atrium/projections/evidence/bundle"
)

// twoBundles of one log: an older one, and one made after more happened, by somebody who may have meddled in between.
func twoBundles(t *testing.T, meddle func(w *world)) (older, newer *bundle.Verdict) {
	t.Helper()
	w := newWorld(t)
	w.fill(6)
	w.issue()
	w.earlier = []int64{int64(len(w.leaves))}
	w.post(foreign, letter{})
	older = verify(t, w.write(), w.trust)
	if !older.AsClaimed() {
		t.Fatalf("the older bundle is not as claimed:\n%s", problems(older))
	}
	w.earlier = append(w.earlier, int64(len(w.leaves)))
	meddle(w)
	w.fill(5)
	w.issue()
	newer = verify(t, w.write(), w.trust)
	newer.Extends(older)
	return older, newer
}

func TestNewerBundleGoesOnFromAnOlderOne(t *testing.T) {
	_, newer := twoBundles(t, func(*world) {})
	if !newer.AsClaimed() || len(newer.Shown) != 2 {
		t.Errorf("%v\n%s", newer.Shown, problems(newer))
	}
}

// rewrite makes the log anew from its events, with one of them changed.
func (w *world) rewrite(change func(events []domain.Recorded) []domain.Recorded) {
	events := change(w.recorded)
	w.hashes, w.leaves, w.recorded, w.heads = nil, nil, nil, map[string]evidence.Leaf{}
	for _, r := range events {
		r.Revision = 0
		w.append(r)
	}
}

func TestMeddlingBetweenTwoBundlesIsFound(t *testing.T) {
	for _, x := range []struct {
		name   string
		meddle func(w *world)
		want   string
	}{
		{"an event is another one, all is sealed and signed again", func(w *world) {
			w.rewrite(func(events []domain.Recorded) []domain.Recorded {
				events[2].Type = "LetterBurned"
				return events
			})
		}, "The log was rewritten"},
		{"an event is gone, all is sealed and signed again", func(w *world) {
			w.rewrite(func(events []domain.Recorded) []domain.Recorded { return append(events[:3:3], events[4:]...) })
		}, "The log was rewritten"},
		{"no proof from the older seal", func(w *world) { w.earlier = nil }, "Ask for a bundle made since size"},
		{"a stream is left out", func(w *world) {
			for n, leaf := range w.leaves {
				if leaf.Stream == w.leaves[0].Stream {
					w.leaves[n].Stream = foreign // so that it is not written
				}
			}
		}, "the older bundle has it, this one leaves it out"},
	} {
		t.Run(x.name, func(t *testing.T) {
			if _, newer := twoBundles(t, x.meddle); newer.Consistent || !strings.Contains(problems(newer), x.want) {
				t.Errorf("problems are:\n%s", problems(newer))
			}
		})
	}
}

func TestOlderBundleIsNotTheNewerOne(t *testing.T) {
	older, newer := twoBundles(t, func(*world) {})
	older.Extends(newer)
	if older.Consistent || !strings.Contains(problems(older), "this bundle is the older one, or the log was cut off") {
		t.Errorf("problems are:\n%s", problems(older))
	}
}

// What an event of the bundle says was issued before must still be there: nobody needs to have kept the older bundle.
func TestBundleContradictsWhatItIssued(t *testing.T) {
	for _, x := range []struct {
		name  string
		about string
		spoil func(h *bundle.Head)
		want  string
	}{
		{"as it is", about, func(*bundle.Head) {}, ""},
		{"a longer stream", about, func(h *bundle.Head) { h.Revision++ }, "here it ends with"},
		{"another event", about, func(h *bundle.Head) { h.Leaf[0] ^= 1 }, "is another event than the one here"},
		{"another stream", about, func(h *bundle.Head) { h.Stream = foreign }, "leaves it out"},
		{"another stream, about something else", "project-1", func(h *bundle.Head) { h.Stream = foreign }, ""},
	} {
		t.Run(x.name, func(t *testing.T) {
			w := newWorld(t)
			w.fill(4)
			stream := w.leaves[0].Stream
			head := w.heads[stream]
			h := bundle.Head{Stream: stream, Revision: head.Revision, Leaf: head.Hash()}
			x.spoil(&h)
			data, err := json.Marshal(bundle.Issued{About: x.about, Heads: []bundle.Head{h}})
			must(t, err)
			w.seal(about, "BundleIssued", data)
			v := verify(t, w.write(), w.trust)
			if got := problems(v); (x.want == "") != v.Consistent || !strings.Contains(got, x.want) {
				t.Errorf("problems are:\n%s", got)
			}
		})
	}
}

func TestSealInAMailIsEnough(t *testing.T) {
	w := newWorld(t)
	w.fill(5)
	root, err := tlog.TreeHash(3, w.hashes)
	must(t, err)
	w.earlier = []int64{3}
	b := w.write()
	for _, x := range []struct {
		seal evidence.Checkpoint
		want string
	}{
		{evidence.Checkpoint{Size: 3, Root: root}, ""},
		{evidence.Checkpoint{Origin: w.origin, Size: 3, Root: root}, ""},
		{evidence.Checkpoint{Size: 3, Root: tlog.Hash{1}}, "The log was rewritten"},
		{evidence.Checkpoint{Size: 4, Root: root}, "Ask for a bundle"},
		{evidence.Checkpoint{Size: 400, Root: root}, "this bundle is the older one"},
		{evidence.Checkpoint{Origin: evidence.Origin(dt.ID("other"), "1"), Size: 3, Root: root}, "which this bundle has no seal of"},
	} {
		v := verify(t, b, w.trust)
		v.ExtendsSeal(x.seal)
		if (x.want == "") != v.AsClaimed() || !strings.Contains(problems(v), x.want) {
			t.Errorf("%+v: %s", x.seal, problems(v))
		}
	}
}
