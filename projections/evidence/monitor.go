package evidence

import (
	"context"
	"crypto/sha256"
	"fmt"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/atrium-portal/atrium/domain"
)

// Events reads the event store from the beginning.
type Events interface {
	// ReadAll hands over every event after a position, in order, in batches of at most limit events, up to the head at the call
	// or a little beyond.
	ReadAll(ctx context.Context, after domain.Position, limit int, handle func([]domain.Recorded) error) error
}

// Monitor holds every event of the store against what was sealed: it computes all leaves and trees anew and compares
// them with every leaf, tree hash and checkpoint that is stored, and with what the witness saw. It remembers 80 bytes for
// each stream and needs no more memory for a longer log.
type Monitor struct {
	Events   Events
	Store    Store
	Verifier func(Log) (note.Verifier, error) // the public key of a log
	Witness  WitnessMemory                    // nil: there is none
	Cosigner note.Verifier                    // the public key of the witness; nil: its signatures are not looked at
	Firm     *domain.ID                       // only this firm's; nil: all
	Progress func(leaves, total int64)        // nil: nobody looks
}

// Report is what a monitor found. No Differences: the store says what was sealed.
type Report struct {
	Events      int64 // compared with their leaves
	Unsealed    int64 // newer than the newest seal
	Logs        int
	Leaves      int64
	Checkpoints int64
	Witnessed   int // logs that the witness knows
	Differences []Difference
}

// Difference is the first one of a firm's logs.
type Difference struct {
	Firm     domain.ID `json:"firm"`
	Log      string    `json:"log"`   // origin
	Index    int64     `json:"index"` // of the leaf, or the size of the tree, at which it shows
	Stream   string    `json:"stream,omitempty"`
	Revision int64     `json:"revision"`
	What     string    `json:"what"` // event, leaf, tree, checkpoint, witness, opening
	Text     string    `json:"text"` // one sentence
}

// Kinds of differences.
const (
	EventDiffers      = "event"
	LeafDiffers       = "leaf"
	TreeDiffers       = "tree"
	CheckpointDiffers = "checkpoint"
	WitnessDiffers    = "witness"
	OpeningDiffers    = "opening"
)

// batch is how many events are read at once.
const batch = 4096

// Run compares everything.
func (m Monitor) Run(ctx context.Context) (Report, error) {
	r := run{Monitor: m, walks: map[domain.ID]*walk{}, last: map[streamKey]previous{}}
	// First, so that all it says is in what is read of the logs.
	seen, err := r.askWitness(ctx)
	if err != nil {
		return Report{}, err
	}
	if r.standing, err = m.Store.Standing(ctx); err != nil {
		return Report{}, err
	}
	heads, err := m.Store.Heads(ctx)
	if err != nil {
		return Report{}, err
	}
	for _, h := range heads {
		if m.Firm != nil && h.Firm != *m.Firm {
			continue
		}
		w := r.walks[h.Firm]
		if w == nil {
			w = &walk{run: &r, firm: h.Firm, edge: new(edge)}
			r.walks[h.Firm], r.order = w, append(r.order, w)
		}
		w.heads = append(w.heads, h)
		r.total += h.Leaves
		r.report.Logs++
	}
	for _, w := range r.order {
		if err := w.prepare(seen); err != nil {
			return Report{}, err
		}
	}
	err = m.Events.ReadAll(ctx, domain.Position{}, batch, func(events []domain.Recorded) error {
		for _, e := range events {
			if err := r.event(ctx, e); err != nil {
				return err
			}
		}
		if m.Progress != nil {
			m.Progress(r.report.Leaves, r.total)
		}
		return ctx.Err()
	})
	if err != nil {
		return Report{}, err
	}
	for _, w := range r.order {
		if err := w.finish(ctx); err != nil {
			return Report{}, err
		}
	}
	return r.report, nil
}

// run is one run of a monitor.
type run struct {
	Monitor
	standing Standing
	walks    map[domain.ID]*walk
	order    []*walk
	last     map[streamKey]previous // by stream: the last leaf computed
	total    int64
	report   Report
}

// askWitness gives what the witness saw of each log.
func (r *run) askWitness(ctx context.Context) (map[string]Witnessed, error) {
	if r.Witness == nil {
		return nil, nil
	}
	heads, err := r.Store.Heads(ctx)
	if err != nil {
		return nil, err
	}
	seen := map[string]Witnessed{}
	for _, h := range heads {
		c, ok, err := r.Witness.Last(ctx, h.Origin())
		if err != nil {
			return nil, err
		}
		if ok {
			seen[h.Origin()] = c
			r.report.Witnessed++
		}
	}
	return seen, nil
}

// event hands an event to the logs of its firm.
func (r *run) event(ctx context.Context, e domain.Recorded) error {
	key := keyOf(e.Stream)
	before := r.last[key]
	firm := FirmOf(e)
	w := r.walks[firm]
	switch {
	case w != nil:
		return w.event(ctx, e, key, before)
	case r.Firm != nil && firm != *r.Firm:
	case r.standing.Position.Before(e.Position):
		r.report.Unsealed++
	default: // the whole log is missing
		w = &walk{run: r, firm: firm, edge: new(edge), heads: []Head{{Log: Log{Firm: firm, Epoch: 1, Key: 1}}}}
		r.walks[firm], r.order = w, append(r.order, w)
		return w.event(ctx, e, key, before)
	}
	return nil
}

// walk goes through the logs of one firm, epoch after epoch, as its events come.
type walk struct {
	*run
	firm  domain.ID
	heads []Head
	at    int // which of them
	edge  *edge
	done  bool // a difference was found; what follows differs anyway

	leaves      pages[SealedLeaf]
	nodes       pages[Node]
	checkpoints pages[SealedCheckpoint]
	verifier    note.Verifiers
	pins        []pin // by size
	kept        int64 // leaves of this epoch that are events in the store
	ends        Opening
	seen        map[string]Witnessed
}

// pin is what somebody else saw of a log.
type pin struct {
	Checkpoint
	who string
}

// differ keeps the first difference.
func (w *walk) differ(what string, index int64, ref Ref, format string, args ...any) {
	if w.done {
		return
	}
	w.done = true
	w.report.Differences = append(w.report.Differences, Difference{
		Firm: w.firm, Log: w.head().Origin(), Index: index, Stream: ref.Stream, Revision: ref.Revision, What: what, Text: fmt.Sprintf(format, args...),
	})
}

func (w *walk) head() Head { return w.heads[w.at] }

// prepare looks at what is known before the first event.
func (w *walk) prepare(seen map[string]Witnessed) error {
	w.seen = seen
	return w.begin()
}

// begin starts with an epoch.
func (w *walk) begin() error {
	h := w.head()
	w.edge = new(edge)
	// All pages together hold about as many leaves, however many firms there are.
	size := min(max(1<<18/len(w.walks), 64), 4096)
	w.leaves = pages[SealedLeaf]{fetch: func(ctx context.Context, last *SealedLeaf) ([]SealedLeaf, error) {
		from := int64(0)
		if last != nil {
			from = last.Index + 1
		}
		return w.Store.Leaves(ctx, h.ID, from, size)
	}}
	w.nodes = pages[Node]{fetch: func(ctx context.Context, last *Node) ([]Node, error) {
		if last == nil {
			last = new(Node)
			last.Index = -1
		}
		return w.Store.Nodes(ctx, h.ID, *last, size)
	}}
	w.checkpoints = pages[SealedCheckpoint]{fetch: func(ctx context.Context, last *SealedCheckpoint) ([]SealedCheckpoint, error) {
		after := int64(-1)
		if last != nil {
			after = last.Size
		}
		return w.Store.Checkpoints(ctx, h.ID, after, size)
	}}
	key, err := w.Verifier(h.Log)
	if err != nil {
		return err
	}
	w.verifier = note.VerifierList(key)
	if w.Cosigner != nil {
		w.verifier = note.VerifierList(key, w.Cosigner)
	}
	w.kept = h.Leaves
	if h.Newest.Size != h.Leaves {
		w.differ(LeafDiffers, min(h.Leaves, h.Newest.Size), Ref{}, "The log has %d leaves, but its newest checkpoint says %d.", h.Leaves, h.Newest.Size)
	}
	w.pin()
	if w.at+1 < len(w.heads) {
		next := w.heads[w.at+1]
		if w.ends, err = openingOf(next.Log); err != nil {
			w.differ(OpeningDiffers, 0, Ref{}, "What opened %s cannot be read.", next.Origin())
		} else if w.ends.Previous != h.Origin() || w.ends.Kept > w.ends.Size {
			w.differ(OpeningDiffers, 0, Ref{}, "What opened %s speaks of another log.", next.Origin())
		}
		w.kept = w.ends.Kept
	}
	return nil
}

// pin remembers what others saw of the log.
func (w *walk) pin() {
	h := w.head()
	w.pins = nil
	if c := h.Cosigned; c.Size > 0 {
		seen, err := Open(c.Signed, w.verifier)
		if err != nil || seen.Size != c.Size || seen.Origin != h.Origin() || c.Size > h.Leaves {
			w.differ(CheckpointDiffers, c.Size, Ref{}, "The checkpoint of size %d with the signature of the witness is not one of this log, or its signature is wrong.", c.Size)
		} else {
			w.pins = append(w.pins, pin{seen, "the checkpoint with the signature of the witness"})
		}
	}
	if c, ok := w.seen[h.Origin()]; ok {
		if c.Size > h.Leaves {
			w.differ(WitnessDiffers, h.Leaves, Ref{}, "The witness has seen %d leaves, the log has %d.", c.Size, h.Leaves)
		}
		w.pins = append(w.pins, pin{c.Checkpoint, "the witness"})
	}
}

// event compares an event with the next leaf. before is what was computed of its stream so far.
func (w *walk) event(ctx context.Context, e domain.Recorded, key streamKey, before previous) error {
	for !w.done && w.at+1 < len(w.heads) && w.edge.size == w.kept {
		if err := w.nextEpoch(ctx); err != nil {
			return err
		}
	}
	if w.done {
		return nil
	}
	ref := Ref{e.Stream, e.Revision}
	index := w.edge.size
	if index == w.kept {
		if w.standing.Position.Before(e.Position) {
			w.report.Unsealed++
		} else {
			w.differ(EventDiffers, index, ref, "Revision %d of %s has no leaf, although everything up to its position was sealed.", e.Revision, e.Stream)
		}
		return nil
	}
	leaf, err := w.leaf(ctx)
	if err != nil || w.done {
		return err
	}
	if leaf.Ref != ref {
		w.differ(EventDiffers, index, leaf.Ref, "Leaf %d is revision %d of %s, but the store has revision %d of %s in its place.", index, leaf.Revision, leaf.Stream, e.Revision, e.Stream)
		return nil
	}
	hash := LeafOf(w.head().epoch(), e, before.hash).Hash()
	if hash != leaf.Hash {
		w.differ(EventDiffers, index, ref, "Revision %d of %s is not what was sealed as leaf %d: the event or the leaf was changed.", e.Revision, e.Stream, index)
		return nil
	}
	w.last[key] = previous{e.Revision, hash}
	w.report.Events++
	return w.grow(ctx, hash)
}

// leaf takes the next stored leaf.
func (w *walk) leaf(ctx context.Context) (SealedLeaf, error) {
	leaf, err := w.leaves.next(ctx)
	switch {
	case err != nil:
		return SealedLeaf{}, err
	case leaf == nil:
		w.differ(LeafDiffers, w.edge.size, Ref{}, "Leaf %d is missing.", w.edge.size)
		return SealedLeaf{}, nil
	case leaf.Index != w.edge.size:
		w.differ(LeafDiffers, w.edge.size, leaf.Ref, "Leaf %d is missing; the next one is %d, revision %d of %s.", w.edge.size, leaf.Index, leaf.Revision, leaf.Stream)
	}
	return *leaf, nil
}

// grow adds a leaf that is right and compares what the tree is now.
func (w *walk) grow(ctx context.Context, leaf tlog.Hash) error {
	w.report.Leaves++
	for _, want := range w.edge.add(leaf) {
		got, err := w.nodes.next(ctx)
		if err != nil {
			return err
		}
		if got == nil || *got != want {
			w.differ(TreeDiffers, want.Upto(), Ref{}, "The stored tree hash over leaves %d to %d is missing or was changed.", want.Index<<want.Level, want.Upto()-1)
			return nil
		}
	}
	for _, p := range w.pins {
		if p.Size != w.edge.size {
			continue
		}
		if root, err := w.edge.root(); err != nil || root != p.Root {
			w.differ(WitnessDiffers, p.Size, Ref{}, "At size %d %s has another root than the log: history was rewritten.", p.Size, p.who)
			return err
		}
	}
	return w.compareCheckpoints(ctx)
}

// compareCheckpoints holds the stored checkpoints up to this size against the tree.
func (w *walk) compareCheckpoints(ctx context.Context) error {
	for !w.done {
		c, err := w.checkpoints.peek(ctx)
		if err != nil || c == nil || c.Size > w.edge.size {
			return err
		}
		if c.Size < w.edge.size {
			w.differ(CheckpointDiffers, c.Size, Ref{}, "There is a checkpoint of size %d, which the log never had.", c.Size)
			return nil
		}
		root, err := w.edge.root()
		if err != nil {
			return err
		}
		switch said, err := Open(c.Signed, w.verifier); {
		case err != nil:
			w.differ(CheckpointDiffers, c.Size, Ref{}, "The signature of the checkpoint of size %d is wrong.", c.Size)
		case said != Checkpoint{Origin: w.head().Origin(), Size: c.Size, Root: root}:
			w.differ(CheckpointDiffers, c.Size, Ref{}, "The checkpoint of size %d says something else than the log.", c.Size)
		}
		w.report.Checkpoints++
		if _, err := w.checkpoints.next(ctx); err != nil {
			return err
		}
	}
	return nil
}

// nextEpoch ends the walk through an epoch whose other leaves are known to be without events, and begins with the next one.
func (w *walk) nextEpoch(ctx context.Context) error {
	for !w.done && w.edge.size < w.head().Leaves {
		leaf, err := w.leaf(ctx)
		if err != nil || w.done {
			return err
		}
		if err := w.grow(ctx, leaf.Hash); err != nil {
			return err
		}
	}
	if err := w.endEpoch(ctx); err != nil || w.done {
		return err
	}
	if root, err := w.edge.root(); err != nil || w.edge.size > w.ends.Size || w.edge.size == w.ends.Size && root != w.ends.Root {
		w.differ(OpeningDiffers, w.edge.size, Ref{}, "The epoch after %s says that it ended otherwise.", w.head().Origin())
		return err
	}
	w.at++
	if err := w.begin(); err != nil || w.done {
		return err
	}
	leaf, err := w.leaf(ctx)
	if err != nil || w.done {
		return err
	}
	opening, err := w.head().openingLeaf()
	if err != nil || opening.Hash() != leaf.Hash || leaf.Ref != (Ref{opening.Stream, opening.Revision}) {
		w.differ(OpeningDiffers, 0, leaf.Ref, "What opened %s is not what was sealed as its first leaf.", w.head().Origin())
		return nil
	}
	return w.grow(ctx, leaf.Hash)
}

// endEpoch looks for what is stored beyond the last leaf.
func (w *walk) endEpoch(ctx context.Context) error {
	size := w.edge.size
	if n, err := w.nodes.peek(ctx); err != nil {
		return err
	} else if n != nil && n.Upto() <= w.head().Leaves {
		w.differ(TreeDiffers, size, Ref{}, "There is a tree hash over leaves %d to %d that the log does not have.", n.Index<<n.Level, n.Upto()-1)
	}
	if c, err := w.checkpoints.peek(ctx); err != nil {
		return err
	} else if c != nil && c.Size <= w.head().Newest.Size {
		w.differ(CheckpointDiffers, c.Size, Ref{}, "There is a checkpoint of size %d, which the log never had.", c.Size)
	}
	return nil
}

// finish looks for what has no event.
func (w *walk) finish(ctx context.Context) error {
	for !w.done && w.at+1 < len(w.heads) && w.edge.size == w.kept {
		if err := w.nextEpoch(ctx); err != nil {
			return err
		}
	}
	if w.done {
		return nil
	}
	if w.edge.size < w.kept {
		leaf, err := w.leaf(ctx)
		if err != nil || w.done {
			return err
		}
		w.differ(EventDiffers, w.edge.size, leaf.Ref, "Leaf %d is revision %d of %s, which the store does not have; nor does it have the %d after it.", leaf.Index, leaf.Revision, leaf.Stream, w.kept-w.edge.size-1)
		return nil
	}
	return w.endEpoch(ctx)
}

// streamKey stands for a stream's name in little space.
type streamKey [16]byte

func keyOf(stream string) (k streamKey) {
	sum := sha256.Sum256([]byte(stream))
	copy(k[:], sum[:])
	return k
}

// pages reads a list page by page.
type pages[T any] struct {
	fetch func(ctx context.Context, last *T) ([]T, error)
	page  []T
	last  *T
	ended bool
}

// peek gives the next one without taking it; nil at the end.
func (p *pages[T]) peek(ctx context.Context) (*T, error) {
	if len(p.page) == 0 && !p.ended && p.fetch != nil {
		var err error
		if p.page, err = p.fetch(ctx, p.last); err != nil {
			return nil, err
		}
		if p.ended = len(p.page) == 0; !p.ended {
			p.last = &p.page[len(p.page)-1]
		}
	}
	if len(p.page) == 0 {
		return nil, nil
	}
	return &p.page[0], nil
}

// next takes the next one; nil at the end.
func (p *pages[T]) next(ctx context.Context) (*T, error) {
	one, err := p.peek(ctx)
	if one != nil {
		p.page = p.page[1:]
	}
	return one, err
}
