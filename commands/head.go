package commands

import (
	"context"
	"slices"
	"sync"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/atrium-portal/atrium/domain"
)

// head is a stream folded up to its last event. It is never changed once it is shared: the cache hands it to many.
type head[S any] struct {
	stream   string
	state    S
	revision int64
	position domain.Position
	owner    owner
	done     []doneCommand
	cached   bool // from memory, without asking the log
}

// owner is whose a stream is: fixed for ever by its first event.
type owner struct {
	firm, account domain.ID
	also          []domain.ID // further accounts whose things may refer to it now
	missing       bool
}

// of tells whether things of an account may refer to it.
func (o owner) of(account domain.ID) bool {
	return o.account == account || slices.Contains(o.also, account)
}

// admits tells whether the actor of m may know of the stream at all: it is of the account that a client looks at, or
// the client's own, who belongs to one account and works for others, too. m.Account is set for clients by authorise.
func (o owner) admits(m *domain.Meta) bool {
	return o.firm == m.Firm && (m.Actor.Kind != domain.Client || o.account == m.Account || m.Actor.ID == m.Target)
}

// doneCommand is what one earlier command did to the stream.
type doneCommand struct {
	id       domain.ID
	digest   string
	revision int64
	position domain.Position
	events   []string
}

// copy makes a head that may be changed until it is shared.
func (h *head[S]) copy() *head[S] {
	next := *h
	next.done = slices.Clone(h.done)
	return &next
}

// note records that the command of m appended events ending at position.
func (h *head[S]) note(m domain.Meta, events []string, position domain.Position) {
	if h.revision == domain.NoStream {
		h.owner = owner{firm: m.Firm, account: m.Account}
	}
	h.revision += int64(len(events))
	h.position = position
	if n := len(h.done); n > 0 && h.done[n-1].id == m.Command { // the next event of the same command, while loading
		last := h.done[n-1]
		events = slices.Concat(last.events, events)
		h.done = h.done[:n-1]
	}
	h.done = append(h.done, doneCommand{m.Command, m.Digest, h.revision, position, events})
}

// receipt answers a command from what it did before; ok is false when it is new here.
func (h *head[S]) receipt(m domain.Meta) (Receipt, bool) {
	for _, d := range slices.Backward(h.done) {
		if d.id == m.Command {
			return Receipt{ID: m.Target, Stream: h.stream, Revision: d.revision, Position: d.position, Events: d.events}, true
		}
	}
	return Receipt{}, false
}

// sameBody refuses a command id that was used before with another body.
func sameBody[S any](h *head[S], m domain.Meta) error {
	for _, d := range h.done {
		if d.id == m.Command && d.digest != m.Digest {
			return IdempotencyMismatch()
		}
	}
	return nil
}

// IdempotencyMismatch is the fault for an idempotency key that comes again with another command.
func IdempotencyMismatch() error {
	return domain.Refuse("idempotency-mismatch", "This Idempotency-Key was used for another request. Use a new key for each new request.")
}

// load folds a stream. With fresh it asks the log for what came after the remembered state, unless nobody else can have
// appended; without, it trusts memory: an append at the remembered revision fails if memory was old.
func load[S any, E domain.Event](ctx context.Context, l *Loop, a domain.Aggregate[S, E], stream string, fresh bool) (*head[S], error) {
	h := &head[S]{stream: stream, revision: domain.NoStream}
	if remembered, ok := l.cache.get(stream); ok {
		h = remembered.(*head[S])
		if l.Exclusive {
			return h, nil
		}
		if !fresh {
			known := *h
			known.cached = true
			return &known, nil
		}
	}
	tail, err := l.Log.Load(ctx, stream, h.revision+1)
	if err != nil {
		return nil, err
	}
	if len(tail) == 0 {
		return h, nil
	}
	next := h.copy()
	for _, r := range tail {
		f, err := l.Codec.Decode(r)
		if err != nil {
			return nil, err
		}
		next.state = a.Evolve(next.state, f.Event.(E))
		next.note(f.Meta, []string{r.Type}, r.Position)
	}
	l.cache.put(stream, next)
	return next, nil
}

// State gives the folded state of a thing and its revision (domain.NoStream when it does not exist), as it is now.
func State[S any, E domain.Event](ctx context.Context, l *Loop, a domain.Aggregate[S, E], id domain.ID) (S, int64, error) {
	h, err := load(ctx, l, a, domain.StreamName(a.Category, id), true)
	if err != nil {
		var zero S
		return zero, domain.NoStream, unavailable(err)
	}
	return h.state, h.revision, nil
}

// Origin gives the event that began a thing and the command that it came of: the cause of what others report about it later.
// Both are none when there is no such thing.
func Origin[S any, E domain.Event](ctx context.Context, l *Loop, a domain.Aggregate[S, E], id domain.ID) (event, command domain.ID, err error) {
	h, err := load(ctx, l, a, domain.StreamName(a.Category, id), false)
	if err != nil || len(h.done) == 0 {
		return event, command, unavailable(err)
	}
	first := domain.Meta{Command: h.done[0].id}
	return first.EventID(0), first.Command, nil
}

// stateCache remembers folded streams, the least recently used forgotten first.
type stateCache struct {
	heads *lru.Cache[string, any]
}

func newStateCache(size int) (stateCache, error) {
	heads, err := lru.New[string, any](size)
	return stateCache{heads}, err
}

func (c stateCache) get(stream string) (any, bool) { return c.heads.Get(stream) }

// forget drops a head that may not be what is stored.
func (c stateCache) forget(stream string) { c.heads.Remove(stream) }

// put remembers a head. An older one may overwrite a newer one in a race; that costs a conflict, not a mistake.
func (c stateCache) put(stream string, head any) { c.heads.Add(stream, head) }

// streamLocks lets one command at a time work on a stream within this process. A command may hold the lock of one
// stream while its steps take those of others, so each stream has a lock of its own.
type streamLocks struct {
	mu   sync.Mutex
	held map[string]*streamLock
}

type streamLock struct {
	sync.Mutex
	users int
}

// lock takes the stream's lock and returns its release.
func (s *streamLocks) lock(stream string) func() {
	s.mu.Lock()
	if s.held == nil {
		s.held = map[string]*streamLock{}
	}
	l := s.held[stream]
	if l == nil {
		l = &streamLock{}
		s.held[stream] = l
	}
	l.users++
	s.mu.Unlock()
	l.Lock()
	return func() {
		l.Unlock()
		s.mu.Lock()
		defer s.mu.Unlock()
		if l.users--; l.users == 0 {
			delete(s.held, stream)
		}
	}
}

// cachedState is State without asking the log for news: for streams where being behind only costs a refusal.
func cachedState[S any, E domain.Event](ctx context.Context, l *Loop, a domain.Aggregate[S, E], id domain.ID) (S, error) {
	h, err := load(ctx, l, a, domain.StreamName(a.Category, id), false)
	if err != nil {
		var zero S
		return zero, unavailable(err)
	}
	return h.state, nil
}
