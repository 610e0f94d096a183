package eventnode

import (
	"context"
	"errors"
	"math"

	"google.golang.org/grpc/codes"
)

// How much one page may hold. While a page is sent no Pebble iterator is open; so a slow caller costs this much and no more.
const (
	pageBytes  = 128 << 10
	pageLooked = 4096 // events looked at
)

// cursor is a place in the log or in a stream that moves with each page.
type cursor interface {
	// fill adds what comes next to the page, as the store stood at limit, and tells whether it came to the end.
	fill(p *page, r *reader) (end bool, err error)
}

// sendRead answers a plain read: what there is when it begins, up to the count.
func (n *Node) sendRead(ctx context.Context, q *query, send func(*page) error) error {
	limit := n.store.durable.Load()
	c, err := n.readCursor(q, limit)
	if err != nil {
		return err
	}
	p := &page{}
	for {
		end, err := n.fill(c, p, limit)
		if err != nil {
			return err
		}
		if err := send(p); err != nil || end {
			return err
		}
		if err := n.interrupted(ctx); err != nil {
			return err
		}
	}
}

// interrupted tells whether the caller or the node has gone.
func (n *Node) interrupted(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return statusOf(ctx.Err())
	case <-n.closing:
		return errShuttingDown()
	default:
		return nil
	}
}

func (n *Node) fill(c cursor, p *page, limit uint64) (bool, error) {
	r := n.store.reader(limit, ticks(n.now()))
	end, err := c.fill(p, r)
	if closing := r.close(); err == nil {
		err = closing
	}
	if refused := (*refusal)(nil); err != nil && !errors.As(err, &refused) {
		err = errRead(err)
	}
	return end, err
}

func (n *Node) readCursor(q *query, limit uint64) (cursor, error) {
	if !q.all {
		if q.start == fromEnd && !q.backwards {
			return nil, refuse(codes.Unknown, "Unexpected ReadStreamResult: Error")
		}
		c := &streamCursor{q: q, next: q.revision, left: q.count}
		switch {
		case q.start == fromEnd:
			c.next = math.MaxInt64 - 1
		case q.start == fromStart:
			c.next = 0
		}
		return c, nil
	}
	c := &allCursor{q: q, next: q.commit, left: q.count}
	switch q.start {
	case fromStart:
		c.next = 0
	case fromEnd:
		c.next = limit + 1
	case fromPoint:
	}
	return c, nil
}

// streamCursor reads one stream.
type streamCursor struct {
	q     *query
	next  int64
	left  uint64 // events a plain read has still to deliver
	found bool
	live  bool // a subscription that has caught up: truncation no longer applies
	over  bool // the tombstone was delivered
}

func (c *streamCursor) fill(p *page, r *reader) (bool, error) {
	if c.live {
		return c.visit(p, r, view{})
	}
	v, err := r.view(c.q.stream)
	switch {
	case err != nil:
		return false, err
	case c.q.subscribe && v.missing():
		c.next = max(c.next, v.last+1) // nothing shows; whatever brings the stream back does
		return c.visit(p, r, view{})
	case c.q.subscribe:
		return c.visit(p, r, v)
	case v.tombstoned:
		return false, errStreamDeleted(c.q.stream)
	case v.missing():
		p.notFound(c.q.stream)
		return true, nil
	}
	end, err := c.visit(p, r, v)
	if end && c.q.bounds {
		if !c.found && !c.q.backwards {
			p.bound(fieldReplyFirst, v.first())
		}
		p.bound(fieldReplyLast, v.last)
	}
	return end, err
}

func (c *streamCursor) visit(p *page, r *reader, v view) (bool, error) {
	first := v.first()
	if !c.q.backwards {
		c.next = max(c.next, first)
	}
	looked, done := 0, false
	end, err := r.stream(c.q.stream, c.next, c.q.backwards, func(revision int64, at place) (bool, error) {
		if revision < first {
			done = true // only downwards
			return false, nil
		}
		record, err := r.record(at.position)
		if err != nil {
			return false, err
		}
		c.step(revision)
		if visible, err := v.shows(record, r.now); err != nil {
			return false, err
		} else if visible || c.over {
			if err := deliver(p, r, c.q, at.position, record); err != nil {
				return false, err
			}
			c.found = true
			c.left--
			done = !c.q.subscribe && c.left == 0
		}
		looked++
		return !done && looked < pageLooked && p.size < pageBytes, nil
	})
	return end || done, err
}

func (c *streamCursor) step(revision int64) {
	switch {
	case c.q.backwards:
		c.next = revision - 1
	case revision == tombstoneRevision:
		c.next, c.over = revision, true
	default:
		c.next = revision + 1
	}
}

// allCursor reads the whole log. Upwards next is the lowest position that may be delivered, downwards the lowest that may not.
type allCursor struct {
	q    *query
	next uint64
	left uint64 // events a plain read has still to deliver

	looked     uint64 // events looked at since the last checkpoint
	checkpoint uint64 // position of the last checkpoint sent
}

func (c *allCursor) fill(p *page, r *reader) (bool, error) {
	looked, done := 0, false
	end, err := r.all(c.next, c.q.backwards, func(position uint64, record []byte) (bool, error) {
		looked++
		matches, err := c.matches(record)
		if err != nil {
			return false, err
		}
		if matches {
			if err := deliver(p, r, c.q, position, record); err != nil {
				return false, err
			}
			c.left--
			done = !c.q.subscribe && c.left == 0
		}
		if c.next = position; !c.q.backwards {
			c.next++
		}
		if c.looked++; c.q.subscribe && c.q.filter != nil && c.looked >= c.q.filter.interval {
			c.mark(p)
		}
		return !done && looked < pageLooked && p.size < pageBytes, nil
	})
	return end || done, err
}

// mark sends a checkpoint: every matching event up to it has been delivered.
func (c *allCursor) mark(p *page) {
	c.looked = 0
	if at := c.next - 1; c.next > 0 && at > c.checkpoint {
		c.checkpoint = at
		p.checkpoint(at)
	}
}

func (c *allCursor) matches(record []byte) (bool, error) {
	name, err := recordStream(record)
	if err != nil || hiddenFromAll(name) {
		return false, err
	}
	if c.q.filter == nil {
		return true, nil
	}
	return c.q.filter.matches(record)
}

// deliver adds an event to the page, following a link if the caller wants that.
func deliver(p *page, r *reader, q *query, position uint64, record []byte) error {
	if !q.resolve {
		p.event(record, nil, position, q.stringIDs)
		return nil
	}
	target, isLink, err := r.target(record)
	switch {
	case err != nil:
		return err
	case isLink:
		p.event(target, record, position, q.stringIDs)
	default:
		p.event(record, nil, position, q.stringIDs)
	}
	return nil
}
