package evidence_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/projections/evidence"
	"github.com/atrium-portal/atrium/projections/evidence/evidencetest"
)

// tampered is a sealed history that somebody changes, and where the change has to show.
type tampered struct {
	events evidencetest.Events
	store  *evidencetest.Memory
	what   []string // kinds of differences that name it
	index  int64    // at or before this leaf or size
	says   evidence.Ref
}

// copyOf lets a change leave the original alone.
func copyOf(m *evidencetest.Memory) *evidencetest.Memory {
	c := evidencetest.NewMemory()
	c.Stands, c.Logs = m.Stands, slices.Clone(m.Logs)
	for id := range m.Sealed {
		c.Sealed[id], c.Inner[id], c.Seals[id], c.Cosigns[id] = slices.Clone(m.Sealed[id]), slices.Clone(m.Inner[id]), slices.Clone(m.Seals[id]), slices.Clone(m.Cosigns[id])
	}
	return c
}

// flip changes one bit of a copy.
func flip(random *rand.Rand, b []byte) []byte {
	b = slices.Clone(b)
	b[random.IntN(len(b))] ^= 1 << random.IntN(8)
	return b
}

// tamper makes one random change.
func tamper(random *rand.Rand, events evidencetest.Events, m *evidencetest.Memory, leafOf map[evidence.Ref]place) (tampered, string) {
	x := tampered{events: slices.Clone(events), store: copyOf(m)}
	i := random.IntN(len(events))
	e := &x.events[i]
	ref := evidence.Ref{Stream: e.Stream, Revision: e.Revision}
	at := leafOf[ref]
	x.index, x.says = at.index, ref
	log := at.log
	eventKinds := []string{evidence.EventDiffers, evidence.LeafDiffers}
	switch kind := random.IntN(14); kind {
	case 0:
		e.Data, x.what = flip(random, e.Data), eventKinds
		return x, "a bit of an event's data"
	case 1:
		e.Metadata, x.what = flip(random, e.Metadata), eventKinds
		return x, "a bit of an event's metadata"
	case 2:
		e.ID[random.IntN(16)] ^= 1
		x.what = eventKinds
		return x, "an event's id"
	case 3:
		e.Type, x.what = e.Type+"x", eventKinds
		return x, "an event's type"
	case 4:
		x.events, x.what = slices.Delete(x.events, i, i+1), eventKinds
		return x, "an event is removed"
	case 5:
		fake := *e
		fake.Stream, fake.Revision, fake.ID = domain.StreamName("invoice", domain.DeriveID("fake")), 0, domain.DeriveID("fake event")
		x.events, x.what, x.says = slices.Insert(x.events, i, fake), eventKinds, evidence.Ref{}
		return x, "an event is put in"
	case 6:
		j := random.IntN(len(events))
		other := leafOf[evidence.Ref{Stream: x.events[j].Stream, Revision: x.events[j].Revision}]
		if other.log != log || i == j {
			return tamper(random, events, m, leafOf)
		}
		x.events[i], x.events[j] = x.events[j], x.events[i]
		x.events[i].Position, x.events[j].Position = x.events[j].Position, x.events[i].Position
		x.what, x.says, x.index = eventKinds, evidence.Ref{}, min(at.index, other.index)
		return x, "two events are swapped"
	case 7:
		x.store.Sealed[log][at.index].Hash[random.IntN(32)] ^= 1 << random.IntN(8)
		x.what = eventKinds
		return x, "a bit of a leaf's hash"
	case 8:
		x.store.Sealed[log][at.index].Revision++
		x.what, x.says = eventKinds, evidence.Ref{}
		return x, "a leaf's revision"
	case 9:
		x.store.Sealed[log] = slices.Delete(x.store.Sealed[log], int(at.index), int(at.index)+1)
		x.what, x.says = eventKinds, evidence.Ref{}
		return x, "a leaf is removed"
	case 10, 11:
		if len(x.store.Inner[log]) == 0 {
			return tamper(random, events, m, leafOf)
		}
		n := random.IntN(len(x.store.Inner[log]))
		node := &x.store.Inner[log][n]
		x.index, x.says, x.what = node.Upto(), evidence.Ref{}, []string{evidence.TreeDiffers}
		if kind == 10 {
			node.Hash[random.IntN(32)] ^= 1 << random.IntN(8)
			return x, "a bit of a tree hash"
		}
		x.store.Inner[log] = slices.Delete(x.store.Inner[log], n, n+1)
		return x, "a tree hash is removed"
	case 12:
		c := &x.store.Seals[log][random.IntN(len(x.store.Seals[log]))]
		c.Signed = flip(random, c.Signed)
		x.index, x.says, x.what = c.Size, evidence.Ref{}, []string{evidence.CheckpointDiffers}
		return x, "a bit of a signed checkpoint"
	default:
		c := &x.store.Seals[log][random.IntN(len(x.store.Seals[log]))]
		x.index, x.says, x.what = c.Size, evidence.Ref{}, []string{evidence.CheckpointDiffers, evidence.LeafDiffers}
		if random.IntN(2) == 0 {
			x.index++
			c.Size++
			return x, "a checkpoint's size"
		}
		newest := &x.store.Seals[log][len(x.store.Seals[log])-1]
		x.index = newest.Size
		x.store.Seals[log] = x.store.Seals[log][:len(x.store.Seals[log])-1]
		return x, "the newest checkpoint is removed"
	}
}

// place is where an event is sealed.
type place struct{ log, index int64 }

// TestTampering makes 10,000 random changes to events, leaves, tree hashes and checkpoints. The monitor finds every one, names it,
// and says nothing of firms that it does not touch.
func TestTampering(t *testing.T) {
	changes := 10_000
	if testing.Short() {
		changes = 500
	}
	a, b := domain.DeriveID("a"), domain.DeriveID("b")
	events := evidencetest.MakeEvents(11, 380, a, a, a, a, b) // so that one log has tree hashes
	store := evidencetest.NewMemory()
	must(t, evidencetest.Seal(t.Context(), evidencetest.NewSealer(store), events, 25))
	leafOf := map[evidence.Ref]place{}
	for id, leaves := range store.Sealed {
		for _, l := range leaves {
			leafOf[l.Ref] = place{id, l.Index}
		}
	}
	random := rand.New(rand.NewPCG(11, 11))
	seen := map[string]int{}
	for n := range changes {
		x, change := tamper(random, events, store, leafOf)
		seen[change]++
		report, err := evidencetest.Monitor(x.events, x.store).Run(t.Context())
		if err != nil {
			t.Fatalf("change %d, %s: %v", n, change, err)
		}
		if err := x.named(report); err != nil {
			t.Errorf("change %d, %s: %v; the monitor says %+v", n, change, err, report.Differences)
		}
	}
	t.Logf("%d changes: %v", changes, seen)
	if len(seen) < 13 {
		t.Errorf("only %v", slices.Sorted(maps.Keys(seen)))
	}
}

func (x tampered) named(r evidence.Report) error {
	if len(r.Differences) == 0 {
		return fmt.Errorf("nothing was found")
	}
	for _, d := range r.Differences {
		if slices.Contains(x.what, d.What) && d.Index <= x.index && d.Text != "" && (x.says.Stream == "" || d.Stream == x.says.Stream && d.Revision == x.says.Revision) {
			return nil
		}
	}
	return fmt.Errorf("nothing names %v at %d", x.says, x.index)
}
