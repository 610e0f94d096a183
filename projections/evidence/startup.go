package evidence

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sort"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/atrium-portal/atrium/domain"
)

// Comparison holds the ends of all logs against the event store, the log keys and the witness. That is a few reads for
// each firm, however long its log: a program does it at each start, because any of them may come from a backup.
type Comparison struct {
	Store    Store
	Event    func(ctx context.Context, ref Ref) (domain.Recorded, bool, error) // of the event store
	Verifier func(Log) (note.Verifier, error)
	Witness  WitnessMemory // nil: there is none, or it cannot be asked
}

// BehindError says that events are sealed which the event store does not have.
type BehindError struct {
	Missing int64
	First   []Ref // the first of them, as far as they are known
	// Witnessed says that only the witness knows of some: the sealed logs are older too, and sealing what the store
	// has may settle it.
	Witnessed bool
}

// Error names the first ones and the cure.
func (e *BehindError) Error() string {
	var first []string
	for _, ref := range e.First {
		first = append(first, fmt.Sprintf("%s revision %d", ref.Stream, ref.Revision))
	}
	list := ""
	if len(first) > 0 {
		list = ", first " + strings.Join(first, ", ")
	}
	return fmt.Sprintf("store_behind_audit: %d events missing%s: restore a newer copy of the event store, or accept the loss with `atrium audit acknowledge`", e.Missing, list)
}

// Loss is what a log has that the event store has not.
type Loss struct {
	Head
	Kept int64 // leaves of events that are there
	Last Witnessed
}

// missing is how many events are lost.
func (l Loss) missing() int64 { return l.Last.Size - l.Kept }

// named is how many lost events an error names.
const named = 5

// Run compares. The error is a *BehindError, or one that wraps ErrFork or ErrDiffers.
func (c Comparison) Run(ctx context.Context) error {
	losses, err := c.losses(ctx, false)
	if err != nil || len(losses) == 0 {
		return err
	}
	behind := new(BehindError)
	for _, l := range losses {
		behind.Missing += l.missing()
		behind.Witnessed = behind.Witnessed || l.Last.Size > l.Leaves
		if room := named - len(behind.First); room > 0 && l.Kept < l.Leaves {
			leaves, err := c.Store.Leaves(ctx, l.ID, l.Kept, room)
			if err != nil {
				return err
			}
			for _, leaf := range leaves {
				behind.First = append(behind.First, leaf.Ref)
			}
		}
	}
	return behind
}

// losses looks at the newest log of each firm. all: also at those that have lost nothing.
func (c Comparison) losses(ctx context.Context, all bool) ([]Loss, error) {
	heads, err := c.Store.Heads(ctx)
	if err != nil {
		return nil, err
	}
	newest := map[domain.ID]int64{}
	for _, h := range heads {
		newest[h.Firm] = h.ID
	}
	var losses []Loss
	for _, h := range heads {
		if newest[h.Firm] != h.ID {
			continue
		}
		loss, err := c.compare(ctx, h)
		if err != nil {
			return nil, err
		}
		if all || loss.missing() > 0 {
			losses = append(losses, loss)
		}
	}
	return losses, nil
}

// compare holds one log against everything else.
func (c Comparison) compare(ctx context.Context, h Head) (Loss, error) {
	e, err := h.edge(ctx, c.Store)
	if err != nil {
		return Loss{}, err
	}
	root, err := e.root()
	if err != nil {
		return Loss{}, err
	}
	key, err := c.Verifier(h.Log)
	if err != nil {
		return Loss{}, err
	}
	own := Checkpoint{Origin: h.Origin(), Size: h.Leaves, Root: root}
	switch said, err := Open(h.Newest.Signed, note.VerifierList(key)); {
	case err != nil:
		return Loss{}, fmt.Errorf("%w: the newest seal of %s is not signed by this installation's log key: restore the master key that belongs to this database (%w)", ErrDiffers, h.Origin(), err)
	case said != own:
		return Loss{}, fmt.Errorf("%w: the newest seal of %s says something else than its leaves: run `atrium audit monitor`", ErrDiffers, h.Origin())
	}
	loss := Loss{Head: h, Kept: h.Leaves, Last: Witnessed{own, h.Newest.Signed}}
	if err := c.findLoss(ctx, &loss); err != nil {
		return Loss{}, err
	}
	return loss, c.askWitness(ctx, &loss)
}

// findLoss finds the first leaf without an event. A store that was restored lacks the end of a log, so that it is
// enough to halve.
func (c Comparison) findLoss(ctx context.Context, l *Loss) error {
	there, err := c.has(ctx, l.Log, l.Leaves-1)
	if err != nil || there {
		return err
	}
	l.Kept = int64(sort.Search(int(l.Leaves-1), func(i int) bool {
		if err != nil {
			return true
		}
		there, err = c.has(ctx, l.Log, int64(i))
		return !there
	}))
	return err
}

// has tells whether the event of a leaf is in the store; one that is there must be the one that was sealed.
func (c Comparison) has(ctx context.Context, log Log, index int64) (bool, error) {
	if index == 0 && log.Opening != nil {
		return true, nil
	}
	leaves, err := c.Store.Leaves(ctx, log.ID, index, 1)
	if err != nil {
		return false, err
	}
	if len(leaves) != 1 || leaves[0].Index != index {
		return false, fmt.Errorf("%w: leaf %d of %s is missing: run `atrium audit monitor`", ErrDiffers, index, log.Origin())
	}
	ref := leaves[0].Ref
	event, ok, err := c.Event(ctx, ref)
	if err != nil || !ok {
		return false, err
	}
	before := Ref{ref.Stream, ref.Revision - 1}
	found, err := c.Store.Find(ctx, []Ref{before})
	if err != nil {
		return false, err
	}
	leaf := FoundLeaf{Log: log.ID, Epoch: log.Epoch, Index: index, Hash: leaves[0].Hash}
	return true, leaf.compare(event, found[before].Hash)
}

// askWitness compares with what the witness saw.
func (c Comparison) askWitness(ctx context.Context, l *Loss) error {
	if c.Witness == nil {
		return nil
	}
	seen, ok, err := c.Witness.Last(ctx, l.Origin())
	if err != nil || !ok {
		return err
	}
	if seen.Size > l.Leaves {
		l.Last = seen
		return nil
	}
	root, err := tlog.TreeHash(seen.Size, Hashes(ctx, c.Store, l.ID, l.Leaves))
	if err != nil {
		return err
	}
	if root != seen.Root {
		return fmt.Errorf("%w: at size %d of %s the witness has seen another root than the one sealed here: history was rewritten, so find out by whom, and restore the database that the witness knows", ErrFork, seen.Size, l.Origin())
	}
	return nil
}

// Acknowledgement is an operator's word that a loss is accepted, or that the log key changes.
type Acknowledgement struct {
	By, Reason string
	NewKey     bool            // every log goes on under the next log key
	Head       domain.Position // of the event store
	Now        time.Time
	Signer     func(Log) (note.Signer, error)
}

// ErrNothing says that there is nothing to acknowledge.
var ErrNothing = errors.New("nothing is missing, so there is nothing to acknowledge")

// Acknowledge opens a new epoch for each log that has lost events, or for all when the key changes. Its first leaf says how
// the epoch before ended and what is missing. Nothing is removed.
func (c Comparison) Acknowledge(ctx context.Context, a Acknowledgement) ([]Opening, error) {
	standing, err := c.Store.Standing(ctx)
	if err != nil {
		return nil, err
	}
	losses, err := c.losses(ctx, a.NewKey)
	if err != nil {
		return nil, err
	}
	if len(losses) == 0 {
		return nil, ErrNothing
	}
	sealing := Sealing{Follows: standing.Version, Position: standing.Position, At: a.Now.UTC().Truncate(time.Microsecond)}
	if a.Head.Before(sealing.Position) {
		sealing.Position = a.Head
	}
	var openings []Opening
	for i, l := range losses {
		o := Opening{
			Firm: l.Firm, Epoch: l.Epoch + 1, Previous: l.Origin(), Size: l.Last.Size, Root: l.Last.Root, Checkpoint: string(l.Last.Signed), Kept: l.Kept,
			Key: l.Key, By: a.By, Reason: a.Reason, Time: sealing.At,
		}
		if a.NewKey {
			o.Key++
		}
		add, err := open(standing.Logs+int64(i)+1, o, a.Signer)
		if err != nil {
			return nil, err
		}
		sealing.Logs, openings = append(sealing.Logs, add), append(openings, o)
	}
	return openings, c.Store.Seal(ctx, sealing)
}

// open makes a log of its opening.
func open(id int64, o Opening, signer func(Log) (note.Signer, error)) (Addition, error) {
	data, err := json.Marshal(o)
	if err != nil {
		return Addition{}, err
	}
	g := &growing{log: Log{ID: id, Firm: o.Firm, Epoch: o.Epoch, Key: o.Key, Opening: data}, edge: new(edge)}
	if g.signer, err = signer(g.log); err != nil {
		return Addition{}, err
	}
	leaf, err := g.log.openingLeaf()
	if err != nil {
		return Addition{}, err
	}
	hash := leaf.Hash()
	add := Addition{Log: g.log, Opens: true, Leaves: []SealedLeaf{{Ref: Ref{leaf.Stream, leaf.Revision}, Hash: hash}}}
	g.edge.add(hash)
	add.Checkpoint, err = g.checkpoint(o.Time)
	return add, err
}
