package projections

import (
	"github.com/hashicorp/golang-lru/v2/simplelru"
)

// rowCache holds the rows used last, up to a size in bytes. Rows in it are never changed.
type rowCache struct {
	rows  *simplelru.LRU[touch, cached]
	bytes int
	limit int
}

type cached struct {
	row   any
	bytes int
}

func newCache(limit int) *rowCache {
	c := &rowCache{limit: limit}
	// The number of rows has no limit of its own, and the size given is positive, which is all that can be wrong.
	c.rows, _ = simplelru.NewLRU(1<<62, func(_ touch, gone cached) { c.bytes -= gone.bytes })
	return c
}

func (c *rowCache) get(at touch) any {
	hit, _ := c.rows.Get(at)
	return hit.row
}

// put remembers a row; nil means that there is none any more.
func (c *rowCache) put(at touch, row any, t *table) {
	c.rows.Remove(at)
	if row == nil {
		return
	}
	size := t.size(row)
	c.rows.Add(at, cached{row, size})
	for c.bytes += size; c.bytes > c.limit; {
		c.rows.RemoveOldest()
	}
}

func (c *rowCache) clear() { c.rows.Purge() }
