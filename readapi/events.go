package readapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/readapi/auth"
)

const (
	// heartbeat is how long a stream of events is silent at most; then a comment keeps it open.
	heartbeat = 20 * time.Second
	// recheck is how often a silent stream looks whether its credential still holds. Whatever takes rights away on the
	// write side moves the position, and so is seen at once; a token that is revoked is not, and ends within a second.
	recheck = 800 * time.Millisecond
	// calm is the least time between two events, so that an import does not flood open pages.
	calm = 200 * time.Millisecond
)

// events answers GET /events: server-sent events that say how far the read models have come, whenever something that the
// caller may see has changed. Whoever gets one reads again what they show. With after= it tells what came after that, without
// it the first event is where the read models are. The stream ends when the caller may not read any more.
func (s *server) events(w http.ResponseWriter, r *http.Request) {
	p := parseParams(r, "after")
	shown, known := p.after()
	if last, err := domain.ParsePosition(r.Header.Get("Last-Event-ID")); err == nil { // a browser that comes back
		shown, known = last, true
	}
	if err := p.err(); err != nil {
		Problem(w, r, err)
		return
	}
	scope := auth.From(r.Context())
	position, err := s.Checkpoint.Position(r.Context())
	if known {
		position = shown
	}
	fence, unknown := s.Checkpoint.Fence(r.Context())
	if err = errors.Join(err, unknown); err != nil {
		Problem(w, r, err)
		return
	}
	control := http.NewResponseController(w)
	_ = control.SetWriteDeadline(time.Time{}) // a server-wide deadline is not for streams
	header := w.Header()
	header.Set("Content-Type", "text/event-stream")
	header.Set("X-Accel-Buffering", "no") // asks proxies not to collect
	send := func(text string) error {
		if _, err := fmt.Fprint(w, text); err != nil {
			return err
		}
		return control.Flush()
	}
	silent := time.Duration(0)
	greeting := positionEvent(position)
	if known {
		greeting = ": here\n\n"
	}
	for err = send(greeting); err == nil; {
		var next domain.Position
		if next, err = s.moved(r.Context(), position); err != nil {
			return
		}
		if scope.Check(r.Context()) != nil {
			return
		}
		now, unknown := s.Checkpoint.Fence(r.Context())
		if unknown != nil {
			return
		}
		switch silent += recheck; {
		case now != fence:
			position, fence, silent = next, now, 0
			err = send(swapEvent(position, fence))
		case position.Before(next):
			theirs, unknown := s.concerns(r.Context(), scope, position, next)
			if unknown != nil {
				return
			}
			position = next
			if theirs {
				silent = 0
				err = send(positionEvent(position))
			}
			pause(r.Context(), calm)
		case silent >= heartbeat:
			silent = 0
			err = send(": still here\n\n")
		}
	}
}

// concerns says whether something that the caller may see has changed between two positions. That somebody looked changes
// nothing.
func (s *server) concerns(ctx context.Context, scope *auth.Scope, after, upTo domain.Position) (is bool, err error) {
	if !scope.Staff() && !scope.ShowHistory {
		return true, nil // what they see stands in no history that they see
	}
	q := &reading{scope: scope, today: scope.Today(s.Now())}
	st := q.statement()
	st.add("select exists (select from history h where h.firm = {firm} and h.position > ", st.arg(int64(after.Commit)), " and h.position <= ",
		st.arg(int64(upTo.Commit)), " and h.event not in (", lookEvents, ")")
	if !scope.Staff() {
		st.add(entriesMine)
	}
	st.add(")")
	q.add(st, func(rows pgx.Rows) error {
		for rows.Next() {
			if err := rows.Scan(&is); err != nil {
				return err
			}
		}
		return rows.Err()
	})
	return is, s.run(ctx, q)
}

// swapEvent tells that the read models were replaced: even at the same position they may say something else.
func swapEvent(p domain.Position, fence domain.ID) string {
	return fmt.Sprintf("event: position\nid: %s-%s\ndata: {\"position\":%q,\"replaced\":true}\n\n", p, fence, p)
}

func positionEvent(p domain.Position) string {
	return fmt.Sprintf("event: position\nid: %s\ndata: {\"position\":%q}\n\n", p, p)
}

// moved waits until the read models have come beyond a position, at most until the next check, and gives their
// position.
func (s *server) moved(ctx context.Context, from domain.Position) (domain.Position, error) {
	short, cancel := context.WithTimeout(ctx, recheck)
	defer cancel()
	err := s.Checkpoint.Await(short, domain.Position{Commit: from.Commit, Prepare: from.Prepare + 1})
	if ctx.Err() != nil {
		return from, ctx.Err()
	}
	if err != nil && short.Err() == nil && !errors.Is(err, context.DeadlineExceeded) {
		return from, err
	}
	return s.Checkpoint.Position(ctx)
}

func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
