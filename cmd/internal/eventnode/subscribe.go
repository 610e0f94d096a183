package eventnode

import (
	"context"
	"math"

	"github.com/google/uuid"
)

// sendSubscription follows the log: a cursor that reads until it finds nothing, says so once, and then waits to be woken by the
// writer. There is no buffer of live events that a slow caller could overflow; a slow caller reads later.
func (n *Node) sendSubscription(ctx context.Context, q *query, send func(*page) error) error {
	limit, _ := n.store.watch()
	c, err := n.subscriptionCursor(q, limit)
	if err != nil {
		return err
	}
	id, err := uuid.NewRandom()
	if err != nil {
		return errRead(err)
	}
	n.meters.subscriptions.Inc()
	defer n.meters.subscriptions.Dec()
	p := &page{}
	p.confirmation(id.String())
	if err := send(p); err != nil {
		return err
	}
	for live := false; ; {
		limit, changed := n.store.watch()
		end, err := n.fill(c, p, limit)
		if err != nil {
			return err
		}
		if end && !live {
			live = true
			c.caughtUp(p)
			p.caughtUp()
		}
		if err := send(p); err != nil {
			return err
		}
		if c.closed() {
			return errStreamDeleted(q.stream)
		}
		if !end {
			if err := n.interrupted(ctx); err != nil {
				return err
			}
			continue
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return statusOf(ctx.Err())
		case <-n.closing:
			return errShuttingDown()
		}
	}
}

// follower is a cursor that can be kept open at the end.
type follower interface {
	cursor
	// caughtUp is called once, when the cursor has delivered everything there was.
	caughtUp(p *page)
	// closed tells whether nothing can follow any more.
	closed() bool
}

// subscriptionCursor begins after the point named, unlike a read, which begins with it.
func (n *Node) subscriptionCursor(q *query, limit uint64) (follower, error) {
	if q.all {
		c := &allCursor{q: q}
		switch {
		case q.start == fromEnd:
			c.next = limit + 1
		case q.start == fromPoint && q.exact:
			c.next = q.commit + 1
		case q.start == fromPoint:
			c.next = q.commit
		}
		return c, nil
	}
	r := n.store.reader(limit, ticks(n.now()))
	v, err := r.view(q.stream)
	if closing := r.close(); err == nil {
		err = closing
	}
	switch {
	case err != nil:
		return nil, errRead(err)
	case v.tombstoned:
		return nil, errStreamDeleted(q.stream)
	}
	c := &streamCursor{q: q}
	switch q.start {
	case fromStart:
	case fromEnd:
		c.next = v.last + 1
	case fromPoint:
		c.next = q.revision
		if q.revision < math.MaxInt64 {
			c.next++
		}
	}
	return c, nil
}

func (c *streamCursor) caughtUp(*page) { c.live = true }

func (c *streamCursor) closed() bool { return c.over }

func (c *allCursor) caughtUp(p *page) {
	if c.q.filter != nil && c.q.start != fromEnd {
		c.mark(p)
	}
}

func (c *allCursor) closed() bool { return false }
