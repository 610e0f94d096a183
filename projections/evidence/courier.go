package evidence

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// RemoteWitness carries requests to a witness.
type RemoteWitness interface {
	WitnessMemory
	// Add gives the signature line; a *Refusal when the witness does not sign.
	Add(ctx context.Context, request []byte) ([]byte, error)
}

// ErrFork says that the witness has seen another history than the one that is stored.
var ErrFork = errors.New("audit_fork")

// Courier brings the newest checkpoints to the witness and its signatures back. Sealing does not wait for it: while the witness
// is away, checkpoints add up to one.
type Courier struct {
	Store    Store
	Witness  RemoteWitness
	Cosigner note.Verifier // the public key of the witness
	Now      func() time.Time
	Logger   *slog.Logger

	mu      sync.Mutex
	trouble map[int64]error // by log
}

// Every is how long a courier waits between two rounds.
const Every = time.Second

// Run sends what is new until ctx ends. moved gives a channel that is closed when something was sealed.
func (c *Courier) Run(ctx context.Context, moved func() <-chan struct{}) error {
	for wait := Every; ; {
		next := moved()
		err := c.Send(ctx)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, ErrFork):
			c.Logger.Error("the witness has seen another history: run `atrium audit monitor`", "error", err)
			wait = time.Minute
		case err != nil:
			c.Logger.Warn("the witness does not sign; trying again", "error", err, "in", wait)
			wait = min(2*wait, time.Minute)
		default:
			wait = Every
		}
		if err := pause(ctx, wait); err != nil {
			return err
		}
		if err == nil {
			select {
			case <-next:
			case <-time.After(time.Minute): // another process may have sealed
			case <-ctx.Done():
			}
		}
	}
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// Send brings the newest checkpoint of every log that the witness has not signed yet.
func (c *Courier) Send(ctx context.Context) error {
	heads, err := c.Store.Heads(ctx)
	if err != nil {
		return err
	}
	var failed []error
	for _, h := range heads {
		if h.Newest.Size == h.Cosigned.Size {
			continue
		}
		err := c.send(ctx, h)
		c.mu.Lock()
		if c.trouble == nil {
			c.trouble = map[int64]error{}
		}
		c.trouble[h.ID] = err
		c.mu.Unlock()
		if err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", h.Origin(), err))
		}
		if err != nil && !errors.Is(err, ErrFork) { // the others would fail alike
			break
		}
	}
	return errors.Join(failed...)
}

// Trouble is why the witness has not signed the newest checkpoint of a log; nil when it is not known to refuse.
func (c *Courier) Trouble(log int64) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.trouble[log]
}

func (c *Courier) send(ctx context.Context, h Head) error {
	line, err := c.add(ctx, h, h.Cosigned.Size)
	if refusal, ok := errors.AsType[*Refusal](err); ok && refusal.Status == OtherSize {
		if refusal.Size > h.Newest.Size {
			return fmt.Errorf("%w: the witness has seen %d leaves, there are %d", ErrFork, refusal.Size, h.Newest.Size)
		}
		line, err = c.add(ctx, h, refusal.Size)
	}
	if refusal, ok := errors.AsType[*Refusal](err); ok && refusal.Status == Forked {
		return fmt.Errorf("%w: %s", ErrFork, refusal.Text)
	}
	if err != nil {
		return err
	}
	signed := append(bytes.Clone(h.Newest.Signed), line...)
	if _, ok := Cosigned(signed, c.Cosigner); !ok {
		return errors.New("the answer of the witness is not signed by its key: check --witness-key")
	}
	return c.Store.Cosign(ctx, h.ID, SealedCheckpoint{Size: h.Newest.Size, Signed: signed, At: c.Now().UTC().Truncate(time.Microsecond)})
}

// add sends the newest checkpoint with the proof that it goes on from the log of size old.
func (c *Courier) add(ctx context.Context, h Head, old int64) ([]byte, error) {
	var proof tlog.TreeProof
	if old > 0 && old < h.Newest.Size {
		var err error
		if proof, err = tlog.ProveTree(h.Newest.Size, old, Hashes(ctx, c.Store, h.ID, h.Newest.Size)); err != nil {
			return nil, err
		}
	}
	return c.Witness.Add(ctx, formatRequest(old, proof, h.Newest.Signed))
}
