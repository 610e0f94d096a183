package reactors

import (
	"context"
	"fmt"
	"slices"

	"github.com/atrium-portal/atrium/commands"
	"github.com/atrium-portal/atrium/domain"
)

// Checkpoints remembers how far each reactor has come.
type Checkpoints interface {
	// Checkpoint returns the position of the last event handled; found is false when the reactor never ran.
	Checkpoint(ctx context.Context, handler string) (p domain.Position, found bool, err error)
	// SetCheckpoint remembers it.
	SetCheckpoint(ctx context.Context, handler string, p domain.Position) error
}

// FollowUps gives the commands that the menu says follow an event. The loop gives them itself right after an append;
// this reactor makes sure that a crash in between loses none.
type FollowUps struct {
	Loop        *commands.Loop
	Codec       *domain.Codec
	Checkpoints Checkpoints
}

// Name is the reactor's name in the checkpoint table; it never changes.
func (FollowUps) Name() string { return "follow-ups" }

// Handle gives the follow-ups of a batch of events, in order, and moves the checkpoint behind it.
func (f FollowUps) Handle(ctx context.Context, batch []domain.Recorded) error {
	followed := f.Loop.Menu.Followed()
	for _, r := range batch {
		if !slices.Contains(followed, r.Type) {
			continue
		}
		fact, err := f.Codec.Decode(r)
		if err != nil {
			return fmt.Errorf("follow-ups of %s revision %d: %w", r.Stream, r.Revision, err)
		}
		if _, err := f.Loop.FollowUp(ctx, fact); err != nil {
			return err
		}
	}
	if len(batch) == 0 {
		return nil
	}
	return f.Checkpoints.SetCheckpoint(ctx, f.Name(), batch[len(batch)-1].Position)
}
