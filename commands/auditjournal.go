package commands

import (
	"context"
	"log/slog"
	"time"

	"github.com/atrium-portal/atrium/domain"
)

// AuditJournal keeps lines of the record for those who cannot wait for them. It is safe for concurrent use. Somebody must
// Run it.
type AuditJournal struct {
	Loop   *Loop
	Logger *slog.Logger
	queue  chan AuditLine
}

const (
	journalQueue = 4096 // lines that may wait
	journalBatch = 512  // lines that are appended together
	journalPause = 250 * time.Millisecond
)

// NewAuditJournal makes a journal on a loop.
func NewAuditJournal(loop *Loop, log *slog.Logger) *AuditJournal {
	return &AuditJournal{Loop: loop, Logger: log, queue: make(chan AuditLine, journalQueue)}
}

// Now appends a line before it returns.
func (j *AuditJournal) Now(ctx context.Context, line AuditLine) error {
	_, err := j.Loop.RecordAudit(context.WithoutCancel(ctx), line)
	return err
}

// Later keeps a line, which is appended within a second unless the program dies. When too many wait it is appended at
// once: none is dropped.
func (j *AuditJournal) Later(ctx context.Context, line AuditLine) {
	if line.Meta.Time.IsZero() {
		line.Meta.Time = j.Loop.Now()
	}
	select {
	case j.queue <- line:
	default:
		if err := j.Now(ctx, line); err != nil {
			j.Logger.Error("line of the record lost", "line", line.Fact.EventType(), "error", err)
		}
	}
}

// ViewedOnce is the command of opening a record: the same for a person, record and hour, so that it is told once.
func ViewedOnce(m domain.Meta, what string, record domain.ID) domain.ID {
	return domain.DeriveID("viewed", m.Firm.String(), m.Actor.Ref(), m.OnBehalfOf.String(), m.Account.String(), what, record.String(), m.Time.UTC().Truncate(time.Hour).Format(time.RFC3339))
}

// Run appends what waits, by the batch, until ctx ends; then it appends the rest.
func (j *AuditJournal) Run(ctx context.Context) error {
	tick := time.NewTicker(journalPause)
	defer tick.Stop()
	var waiting []AuditLine
	for {
		select {
		case <-ctx.Done():
			j.Flush(context.WithoutCancel(ctx), waiting)
			return nil
		case <-tick.C:
			waiting = j.Flush(ctx, waiting)
		}
	}
}

// Flush appends waiting and what waits in the queue, and gives back what could not be appended.
func (j *AuditJournal) Flush(ctx context.Context, waiting []AuditLine) []AuditLine {
	for {
		for len(waiting) < journalBatch {
			select {
			case line := <-j.queue:
				waiting = append(waiting, line)
				continue
			default:
			}
			break
		}
		if len(waiting) == 0 {
			return nil
		}
		if _, err := j.Loop.RecordAudit(ctx, waiting...); err != nil {
			j.Logger.Error("lines of the record are not stored yet", "lines", len(waiting), "error", err)
			return waiting // a line that was stored is known again by its command
		}
		waiting = waiting[:0]
	}
}
