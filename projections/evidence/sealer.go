package evidence

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/atrium-portal/atrium/domain"
)

// Sealer appends events to the logs of their firms. It is safe for concurrent use; batches are sealed one after the
// other. Of several sealers on one store all but one are fenced off.
type Sealer struct {
	store  Store
	signer func(Log) (note.Signer, error)
	now    func() time.Time

	sealing  sync.Mutex
	known    bool // whether what follows says what the store says
	standing Standing
	logs     map[domain.ID]*growing
	previous map[string]previous // by stream: the last leaf

	mu    sync.Mutex
	moved chan struct{} // closed when this sealer has sealed
	at    domain.Position
}

// growing is the newest log of a firm.
type growing struct {
	log    Log
	edge   *edge
	signer note.Signer
}

type previous struct {
	revision int64
	hash     tlog.Hash
}

// What is remembered is bounded; beyond that, all of it is forgotten and read again.
const (
	knownLogs    = 4096
	knownStreams = 1 << 16
)

// Errors of Seal.
var (
	// ErrRewound says that the batch begins after events that are not sealed yet. The next one has to follow Position.
	ErrRewound = errors.New("the batch begins after events that are not sealed; start over from the position sealed")
	// ErrDiffers says that events that come again are not those that were sealed.
	ErrDiffers = errors.New("audit_differs")
	// ErrGap says that an event comes whose predecessor in its stream was never sealed.
	ErrGap = errors.New("audit_gap")
)

// NewSealer seals into a store. signer gives the key of a log, named as its origin.
func NewSealer(store Store, signer func(Log) (note.Signer, error), now func() time.Time) *Sealer {
	return &Sealer{store: store, signer: signer, now: now, moved: make(chan struct{})}
}

// Position of the last event that is sealed.
func (s *Sealer) Position(ctx context.Context) (domain.Position, error) {
	standing, err := s.store.Standing(ctx)
	return standing.Position, err
}

// Seal adds a batch of events, as they follow each other in the whole store after a position, to the logs of their
// firms, and signs one checkpoint of each log that grew. All of it is one transaction. Events that are sealed already are compared
// with their leaves. After an error nothing was stored and the batch may be sent again, if it still follows Position.
func (s *Sealer) Seal(ctx context.Context, after domain.Position, events []domain.Recorded) error {
	s.sealing.Lock()
	defer s.sealing.Unlock()
	err := s.seal(ctx, after, events)
	if err != nil {
		s.known = false
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.at = s.standing.Position
	close(s.moved)
	s.moved = make(chan struct{})
	return nil
}

// Await waits until everything up to a position is sealed, whoever seals. It ends with the context.
func (s *Sealer) Await(ctx context.Context, p domain.Position) error {
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	for {
		s.mu.Lock()
		moved, at := s.moved, s.at
		s.mu.Unlock()
		if !at.Before(p) {
			return nil
		}
		at, err := s.Position(ctx)
		if err != nil || !at.Before(p) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-moved:
		case <-ticker.C:
		}
	}
}

// Moved is closed when this sealer seals the next batch.
func (s *Sealer) Moved() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.moved
}

func (s *Sealer) seal(ctx context.Context, after domain.Position, events []domain.Recorded) error {
	if err := s.begin(ctx); err != nil {
		return err
	}
	if s.standing.Position.Before(after) {
		return ErrRewound
	}
	for i := 1; i < len(events); i++ {
		if !events[i-1].Position.Before(events[i].Position) {
			return fmt.Errorf("the source gives event %s of %s out of order", events[i].ID, events[i].Stream)
		}
	}
	again := 0
	for again < len(events) && !s.standing.Position.Before(events[again].Position) {
		again++
	}
	if err := s.compare(ctx, events[:again]); err != nil {
		return err
	}
	if events = events[again:]; len(events) == 0 {
		return nil
	}
	if err := s.learn(ctx, events); err != nil {
		return err
	}
	sealing := Sealing{Follows: s.standing.Version, Position: events[len(events)-1].Position, At: s.now().UTC().Truncate(time.Microsecond)}
	grown := map[domain.ID]int{} // firm to its place in Logs
	for _, r := range events {
		firm := FirmOf(r)
		at, ok := grown[firm]
		if !ok {
			opens, err := s.open(ctx, firm)
			if err != nil {
				return err
			}
			at = len(sealing.Logs)
			grown[firm] = at
			sealing.Logs = append(sealing.Logs, Addition{Log: s.logs[firm].log, Opens: opens})
		}
		if err := s.append(&sealing.Logs[at], s.logs[firm], r); err != nil {
			return err
		}
	}
	for i := range sealing.Logs {
		add := &sealing.Logs[i]
		var err error
		if add.Checkpoint, err = s.logs[add.Log.Firm].checkpoint(sealing.At); err != nil {
			return err
		}
	}
	if err := s.store.Seal(ctx, sealing); err != nil {
		return err
	}
	s.standing = Standing{Version: sealing.Follows + 1, Position: sealing.Position, At: sealing.At, Logs: s.standing.Logs}
	return nil
}

// begin makes sure that what is known is what the store says. Another sealer is noticed when storing.
func (s *Sealer) begin(ctx context.Context) error {
	if s.known {
		if len(s.logs) > knownLogs {
			clear(s.logs)
		}
		if len(s.previous) > knownStreams {
			clear(s.previous)
		}
		return nil
	}
	var err error
	if s.standing, err = s.store.Standing(ctx); err != nil {
		return err
	}
	s.logs, s.previous, s.known = map[domain.ID]*growing{}, map[string]previous{}, true
	return nil
}

// open makes sure that the newest log of a firm is known; it tells whether that is a new one.
func (s *Sealer) open(ctx context.Context, firm domain.ID) (opens bool, err error) {
	if s.logs[firm] != nil {
		return false, nil
	}
	head, ok, err := s.store.Newest(ctx, firm)
	if err != nil {
		return false, err
	}
	g := &growing{log: head.Log, edge: new(edge)}
	if !ok {
		s.standing.Logs++
		g.log = Log{ID: s.standing.Logs, Firm: firm, Epoch: 1, Key: 1}
	} else if g.edge, err = head.edge(ctx, s.store); err != nil {
		return false, err
	}
	if g.signer, err = s.signer(g.log); err != nil {
		return false, err
	}
	s.logs[firm] = g
	return !ok, nil
}

// edge reads the right edge of a log, after its leaves and its newest checkpoint say the same size.
func (h Head) edge(ctx context.Context, t Tree) (*edge, error) {
	if h.Leaves != h.Newest.Size || h.Leaves == 0 {
		return nil, fmt.Errorf("%w: the log of firm %s has %d leaves, its newest seal says %d: run `atrium audit monitor`", ErrDiffers, h.Firm, h.Leaves, h.Newest.Size)
	}
	return openEdge(ctx, t, h.ID, h.Leaves)
}

// learn reads the leaves that come before those of the events in their streams.
func (s *Sealer) learn(ctx context.Context, events []domain.Recorded) error {
	var missing []Ref
	inBatch := make(map[string]int64, len(events))
	for _, r := range events {
		known, ok := inBatch[r.Stream]
		if !ok {
			if p, cached := s.previous[r.Stream]; cached {
				known, ok = p.revision, true
			}
		}
		if r.Revision > 0 && !(ok && known == r.Revision-1) {
			missing = append(missing, Ref{r.Stream, r.Revision - 1})
		}
		inBatch[r.Stream] = r.Revision
	}
	if len(missing) == 0 {
		return nil
	}
	found, err := s.store.Find(ctx, missing)
	if err != nil {
		return err
	}
	for _, ref := range missing {
		leaf, ok := found[ref]
		if !ok {
			return fmt.Errorf("%w: revision %d of %s comes, but revision %d was never sealed: run `atrium audit monitor`", ErrGap, ref.Revision+1, ref.Stream, ref.Revision)
		}
		s.previous[ref.Stream] = previous{ref.Revision, leaf.Hash}
	}
	return nil
}

// append adds an event to a log.
func (s *Sealer) append(add *Addition, g *growing, r domain.Recorded) error {
	var before tlog.Hash
	if r.Revision > 0 {
		p := s.previous[r.Stream]
		if p.revision != r.Revision-1 {
			return fmt.Errorf("%w: revision %d of %s follows revision %d", ErrGap, r.Revision, r.Stream, p.revision)
		}
		before = p.hash
	}
	hash := LeafOf(g.log.epoch(), r, before).Hash()
	s.previous[r.Stream] = previous{r.Revision, hash}
	add.Leaves = append(add.Leaves, SealedLeaf{Index: g.edge.size, Ref: Ref{r.Stream, r.Revision}, Hash: hash})
	add.Nodes = append(add.Nodes, g.edge.add(hash)...)
	return nil
}

// checkpoint signs the log as it is now.
func (g *growing) checkpoint(at time.Time) (SealedCheckpoint, error) {
	root, err := g.edge.root()
	if err != nil {
		return SealedCheckpoint{}, err
	}
	signed, err := Sign(Checkpoint{Origin: g.log.Origin(), Size: g.edge.size, Root: root}, g.signer)
	return SealedCheckpoint{Size: g.edge.size, Signed: signed, At: at}, err
}

// compare holds events that were sealed before against their leaves.
func (s *Sealer) compare(ctx context.Context, events []domain.Recorded) error {
	if len(events) == 0 {
		return nil
	}
	refs := make([]Ref, 0, 2*len(events))
	for _, r := range events {
		refs = append(refs, Ref{r.Stream, r.Revision})
		if r.Revision > 0 {
			refs = append(refs, Ref{r.Stream, r.Revision - 1})
		}
	}
	found, err := s.store.Find(ctx, refs)
	if err != nil {
		return err
	}
	for _, r := range events {
		leaf, ok := found[Ref{r.Stream, r.Revision}]
		if !ok {
			return fmt.Errorf("%w: revision %d of %s lies before the position sealed, but has no leaf: run `atrium audit monitor`", ErrDiffers, r.Revision, r.Stream)
		}
		if err := leaf.compare(r, found[Ref{r.Stream, r.Revision - 1}].Hash); err != nil {
			return err
		}
	}
	return nil
}

// compare holds a stored event against its leaf. before is the leaf hash of the stream's previous event.
func (l FoundLeaf) compare(r domain.Recorded, before tlog.Hash) error {
	if LeafOf(Log{Epoch: l.Epoch}.epoch(), r, before).Hash() != l.Hash {
		return fmt.Errorf("%w: revision %d of %s is not the event that was sealed as leaf %d: run `atrium audit monitor`", ErrDiffers, r.Revision, r.Stream, l.Index)
	}
	return nil
}
