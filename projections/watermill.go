package projections

import (
	"context"
	"errors"

	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/atrium-portal/atrium/domain"
)

// Batch is a run of events as they follow each other in the log, and the position they follow.
type Batch struct {
	After  domain.Position // of the event before the first one; the zero Position when that is not known
	Events []domain.Recorded
}

type batchKey struct{}

// WithBatch puts a batch into a message's context.
func WithBatch(ctx context.Context, b Batch) context.Context {
	return context.WithValue(ctx, batchKey{}, b)
}

// BatchOf takes the batch out of a message.
func BatchOf(m *message.Message) (Batch, bool) {
	b, ok := m.Context().Value(batchKey{}).(Batch)
	return b, ok
}

// Handler applies the batches of messages. An error leaves the checkpoint where it was; the feed sends again.
func Handler(e *Engine) message.NoPublishHandlerFunc {
	return func(m *message.Message) error {
		b, ok := BatchOf(m)
		if !ok {
			return errors.New("message without a batch: only the feed may publish to projections")
		}
		return e.Apply(m.Context(), b)
	}
}
