package keystore

import (
	"sync"
	"time"

	"github.com/atrium-portal/atrium/domain"
)

// entry is an unwrapped key, or the knowledge that it was destroyed.
type entry struct {
	firm   domain.ID
	key    [keySize]byte
	erased bool
	until  time.Time // a key must be read again from then on; destruction is for ever
}

// cache holds the keys in use, in two generations: a full young one becomes the old one and the old one is dropped.
// That bounds it and keeps what is used, while a hit takes no more than a shared lock.
type cache struct {
	limit int // of each generation
	life  time.Duration
	now   func() time.Time

	mu         sync.RWMutex
	young, old map[string]*entry
}

func newCache(limit int, life time.Duration, now func() time.Time) *cache {
	return &cache{limit: limit, life: life, now: now, young: make(map[string]*entry)}
}

// get gives a subject's entry, nil when it is not held or too old.
func (c *cache) get(subject string) *entry {
	c.mu.RLock()
	e, young := c.young[subject]
	if !young {
		e = c.old[subject]
	}
	c.mu.RUnlock()
	if e == nil || !e.erased && !c.now().Before(e.until) {
		return nil
	}
	if !young {
		c.mu.Lock()
		e = c.keep(subject, e)
		c.mu.Unlock()
	}
	return e
}

// put holds an entry that was just read. A destruction that happened meanwhile stands.
func (c *cache) put(subject string, e *entry) *entry {
	c.mu.Lock()
	defer c.mu.Unlock()
	if held := c.old[subject]; held != nil && held.erased {
		e = held
	}
	e.until = c.now().Add(c.life)
	return c.keep(subject, e)
}

// keep puts e into the young generation, unless a destruction stands there.
func (c *cache) keep(subject string, e *entry) *entry {
	if held := c.young[subject]; held != nil && held.erased {
		return held
	}
	if len(c.young) >= c.limit {
		c.old, c.young = c.young, make(map[string]*entry, c.limit)
	}
	c.young[subject] = e
	return e
}
