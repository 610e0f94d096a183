package eventlog

import (
	"context"
	"errors"
	"io"
	"math"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"

	"github.com/atrium-portal/atrium/commands"
	"github.com/atrium-portal/atrium/domain"
)

// Options bound what is asked of the event store. The zero value is fine.
type Options struct {
	// Timeout bounds each call. Default 10 s.
	Timeout time.Duration
	// Calls bounds how many calls run at once, those included that were given up while the client still waits. Default 512.
	Calls int
}

// Log is the event store as commands need it.
type Log struct{ session *session }

var _ commands.Log = (*Log)(nil)

// Open prepares a log for a connection string; see NewClient for its forms. It connects with the first call.
func Open(connection string, o Options) (*Log, error) {
	if o.Timeout == 0 {
		o.Timeout = 10 * time.Second
	}
	if o.Calls == 0 {
		o.Calls = 512
	}
	client, err := newClient(connection, o.Timeout)
	if err != nil {
		return nil, err
	}
	return &Log{&session{
		connection: connection,
		timeout:    o.Timeout,
		slots:      make(chan struct{}, o.Calls),
		calls:      make(chan func()),
		stopped:    make(chan struct{}),
		client:     client,
	}}, nil
}

// Close waits for calls that run, at most the timeout, and disconnects. Later calls are refused.
func (l *Log) Close() error { return l.session.close() }

// Load implements commands.Log. Every failure is a *commands.Rejected.
func (l *Log) Load(ctx context.Context, stream string, from int64) ([]domain.Recorded, error) {
	events, err := guard(ctx, l.session, func(ctx context.Context, c *esdb.Client) ([]domain.Recorded, error) {
		return load(ctx, c, stream, from)
	})
	if err != nil {
		return nil, &commands.Rejected{Err: err}
	}
	return events, nil
}

func load(ctx context.Context, c *esdb.Client, stream string, from int64) ([]domain.Recorded, error) {
	read, err := c.ReadStream(ctx, stream, esdb.ReadStreamOptions{
		Direction: esdb.Forwards,
		From:      esdb.Revision(uint64(max(from, 0))),
	}, math.MaxInt64)
	if err != nil {
		return nil, err
	}
	defer read.Close()
	var events []domain.Recorded
	for {
		resolved, err := read.Recv()
		switch {
		case errors.Is(err, io.EOF), code(err) == esdb.ErrorCodeResourceNotFound:
			return events, nil
		case err != nil:
			return nil, err
		}
		events = append(events, recorded(resolved.OriginalEvent()))
	}
}

func recorded(e *esdb.RecordedEvent) domain.Recorded {
	return domain.Recorded{
		Stream:   e.StreamID,
		Revision: int64(e.EventNumber),
		Position: domain.Position{Commit: e.Position.Commit, Prepare: e.Position.Prepare},
		ID:       e.EventID,
		Type:     e.EventType,
		Data:     e.Data,
		Metadata: e.UserMetadata,
		Created:  e.CreatedDate,
	}
}

// Append implements commands.Log.
func (l *Log) Append(ctx context.Context, stream string, expected int64, events []domain.Proposed) (domain.Position, error) {
	if len(events) == 0 {
		return domain.Position{}, &commands.Rejected{Err: errors.New("an append needs events")}
	}
	proposed := make([]esdb.EventData, len(events))
	for i, e := range events {
		if e.ID == domain.NoID { // the client would make one up, and a repeat would not be recognised
			return domain.Position{}, &commands.Rejected{Err: errors.New("an event needs an id")}
		}
		proposed[i] = esdb.EventData{EventID: e.ID, EventType: e.Type, ContentType: esdb.ContentTypeJson, Data: e.Data, Metadata: e.Metadata}
	}
	o := esdb.AppendToStreamOptions{ExpectedRevision: esdb.NoStream{}}
	if expected >= 0 {
		o.ExpectedRevision = esdb.Revision(uint64(expected))
	}
	written, err := guard(ctx, l.session, func(ctx context.Context, c *esdb.Client) (*esdb.WriteResult, error) {
		return c.AppendToStream(ctx, stream, o, proposed...)
	})
	if err != nil {
		return domain.Position{}, appendFailure(stream, expected, err)
	}
	return domain.Position{Commit: written.CommitPosition, Prepare: written.PreparePosition}, nil
}
