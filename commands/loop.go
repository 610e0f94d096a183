package commands

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/firm"
)

// Options of a Loop.
type Options struct {
	Log    Log
	Codec  *domain.Codec
	Menu   *Menu
	Now    func() time.Time
	Logger *slog.Logger

	// LoginKey keys the hashes of what could be guessed: login e-mails, which name streams, and bodies of commands.
	LoginKey []byte
	// Gateway is the name of the payment provider's adapter; empty when clients cannot pay online.
	Gateway string
	// Files is where uploads are; nil where nothing can be uploaded.
	Files Files
	// Exclusive says that nobody else appends to the log: what this process remembers of a stream is what is stored.
	Exclusive bool
	// CachedStates bounds the cache of folded states; zero means 50,000.
	CachedStates int
	// Observe is told of each command that has ended, with what it took and its error; nil: nobody is.
	Observe func(command string, took time.Duration, err error)
	// Trace gives the W3C traceparent of what a context belongs to, which its events keep; nil: requests are not traced.
	Trace func(context.Context) string
	// Retries is how often a conflicting command is decided again; zero means 3.
	Retries int
}

// Loop runs commands: load, fold, decide, append. It is safe for concurrent use.
type Loop struct {
	Options
	cache stateCache
	locks streamLocks
}

// NewLoop checks the options and makes a loop.
func NewLoop(o Options) (*Loop, error) {
	if o.Log == nil || o.Codec == nil || o.Menu == nil || o.Now == nil || len(o.LoginKey) < 16 {
		return nil, errors.New("commands: Log, Codec, Menu, Now and a LoginKey of at least 16 bytes are needed")
	}
	if err := o.Menu.Check(); err != nil {
		return nil, err
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.CachedStates == 0 {
		o.CachedStates = 50_000
	}
	if o.Retries == 0 {
		o.Retries = 3
	}
	cache, err := newStateCache(o.CachedStates)
	return &Loop{Options: o, cache: cache}, err
}

// Order is a command to run.
type Order struct {
	Name    string
	Command any         // the command struct, by value
	Meta    domain.Meta // Firm, Actor and Command at least; Time is set by the loop when zero
	Target  domain.ID   // of a command that makes something; none: derived from the command id
	Pinned  *int64      // revision the caller saw; another one is Stale

	internal bool // a step of another command, which was authorised
}

// Receipt says what a command did.
type Receipt struct {
	ID       domain.ID       `json:"id"` // of the thing it acted on or made
	Stream   string          `json:"stream"`
	Revision int64           `json:"revision"` // the last of the stream now
	Position domain.Position `json:"position"` // of the command's last event, or of the stream's when there was nothing to do
	Events   []string        `json:"events"`   // types, in order; empty when there was nothing to do
	Repeated bool            `json:"-"`        // the command was done before: this is what it did then
}

// Dispatch runs a command for its actor and gives the follow-ups of its events. Errors are *domain.Fault wherever
// somebody can act on them.
func (l *Loop) Dispatch(ctx context.Context, o Order) (Receipt, error) {
	begun := l.Now()
	receipt, err := l.dispatch(ctx, o)
	took := l.Now().Sub(begun)
	if l.Observe != nil {
		l.Observe(o.Name, took, err)
	}
	attrs := []any{"command", o.Name, "stream", receipt.Stream, "took", took, "request", o.Meta.Request}
	var fault *domain.Fault
	switch {
	case err == nil:
		l.Logger.Debug("command done", append(attrs, "events", len(receipt.Events))...)
	case errors.As(err, &fault) && fault.Kind != domain.Internal:
		l.Logger.Debug("command refused", append(attrs, "code", fault.Code)...)
	default:
		l.Logger.Error("command failed", append(attrs, "error", err)...)
	}
	return receipt, err
}

func (l *Loop) dispatch(ctx context.Context, o Order) (Receipt, error) {
	entry := l.Menu.Entry(o.Name)
	if entry == nil {
		return Receipt{}, &domain.Fault{Kind: domain.NotFound, Code: "unknown-command", Message: fmt.Sprintf("There is no command %q.", o.Name)}
	}
	if o.Meta.Command == domain.NoID {
		return Receipt{}, errors.New("commands: an order without a command id")
	}
	if o.Meta.Time.IsZero() {
		o.Meta.Time = l.Now()
	}
	if o.Meta.Correlation == domain.NoID {
		o.Meta.Correlation = o.Meta.Command
	}
	if o.Meta.Trace == "" && l.Trace != nil {
		o.Meta.Trace = l.Trace(ctx)
	}
	if o.Meta.Digest != "" {
		o.Meta.Digest = l.keyed(o.Meta.Digest)
	}
	if !o.internal {
		if err := l.authorise(ctx, entry, &o.Meta); err != nil {
			return Receipt{}, err
		}
	}
	receipt, facts, err := entry.run(ctx, l, o)
	if err != nil {
		return Receipt{}, err
	}
	for _, f := range facts {
		// The events are stored: a follow-up that fails now is given again by the reactor.
		if position, err := l.FollowUp(ctx, f); err != nil {
			l.Logger.Error("follow-up failed", "event", f.Event.EventType(), "stream", f.Stream, "error", err)
		} else if receipt.Position.Before(position) {
			receipt.Position = position
		}
	}
	return receipt, nil
}

// FollowUp gives the commands that follow a fact and returns the position of the last event they appended. Where one is
// refused and names no other, that is final: the fact stands, and what should follow is not possible any more.
func (l *Loop) FollowUp(ctx context.Context, f domain.Fact) (last domain.Position, err error) {
	steps, err := l.followUps(ctx, f)
	if err != nil || len(steps) == 0 {
		return last, err
	}
	if f.Meta.Zone == nil { // it is not stored
		settings, err := cachedState(ctx, l, firm.Aggregate, f.Meta.Firm)
		if err != nil {
			return last, err
		}
		f.Meta.Zone = settings.Settings.Location()
	}
	for i, step := range steps {
		r, err := l.followUp(ctx, f, step, fmt.Sprint(i))
		if err != nil {
			return last, fmt.Errorf("%s after %s: %w", step.Name, f.Event.EventType(), err)
		}
		if last.Before(r.Position) {
			last = r.Position
		}
	}
	return last, nil
}

// followUp gives one command, or the one that stands in for it. name tells it from the others after the same fact.
func (l *Loop) followUp(ctx context.Context, f domain.Fact, step FollowUp, name string) (Receipt, error) {
	m := f.Meta
	m.Command = domain.DeriveID("follow-up", f.ID.String(), name)
	m.Causation, m.Digest = f.ID, ""
	r, err := l.dispatch(ctx, Order{Name: step.Name, Command: step.Command, Meta: m, Target: step.Target, internal: true})
	fault, ok := errors.AsType[*domain.Fault](err)
	if !ok || fault.Kind != domain.Refused && fault.Kind != domain.NotFound {
		return r, err
	}
	l.Logger.Warn("follow-up refused", "command", step.Name, "after", f.Event.EventType(), "stream", f.Stream, "code", fault.Code)
	if step.Otherwise == nil {
		return Receipt{}, nil
	}
	return l.followUp(ctx, f, *step.Otherwise, name+" otherwise")
}

// keyed hides the digest of a body, which is stored with the events and could be guessed otherwise.
func (l *Loop) keyed(digest string) string {
	mac := hmac.New(sha256.New, l.LoginKey)
	mac.Write([]byte(digest))
	return hex.EncodeToString(mac.Sum(nil)[:12])
}

// step runs a command as part of another one, which was authorised: same actor, time and conversation, an id derived
// from the whole command and what.
func (l *Loop) step(ctx context.Context, name string, command any, m domain.Meta, target domain.ID) (Receipt, error) {
	part := m
	part.Command = domain.DeriveID("step", m.Command.String(), name, target.String())
	part.Account, part.Digest = domain.NoID, ""
	return l.dispatch(ctx, Order{Name: name, Command: command, Meta: part, Target: target, internal: true})
}

// factsOf reads what a command did to a stream, when something follows from it.
func (l *Loop) factsOf(ctx context.Context, stream string, command domain.ID) ([]domain.Fact, error) {
	stored, err := l.Log.Load(ctx, stream, 0)
	if err != nil {
		return nil, unavailable(err)
	}
	var facts []domain.Fact
	for _, r := range stored {
		if l.Menu.whenever[r.Type] == nil {
			continue
		}
		f, err := l.Codec.Decode(r)
		if err != nil {
			return nil, err
		}
		if f.Meta.Command == command {
			facts = append(facts, f)
		}
	}
	return facts, nil
}

// runner runs the commands of one entry with their types.
type runner[S any, E domain.Event, C Decider[S, E]] struct {
	aggregate domain.Aggregate[S, E]
	entry     *Entry
	target    func(C) domain.ID
	locate    func(context.Context, *Loop, C, domain.Meta) (C, error)
	before    []func(context.Context, *Loop, C, domain.Meta) (C, error)
	upsert    bool
}

func (r *runner[S, E, C]) run(ctx context.Context, l *Loop, o Order) (Receipt, []domain.Fact, error) {
	command, ok := o.Command.(C)
	if !ok {
		return Receipt{}, nil, fmt.Errorf("commands: %s takes a %T, not a %T", r.entry.Name, *new(C), o.Command)
	}
	m := o.Meta
	if r.locate != nil {
		var err error
		if command, err = r.locate(ctx, l, command, m); err != nil {
			return Receipt{}, nil, err
		}
	}
	switch m.Target = r.target(command); {
	case m.Target != domain.NoID:
	case o.Target != domain.NoID:
		m.Target = o.Target
	case r.entry.Creates:
		m.Target = m.NewID(r.entry.Category)
	default:
		return Receipt{}, nil, domain.Missing(r.entry.Category)
	}
	if r.entry.Category == "firm" && r.entry.Creates {
		m.Firm = m.Target
	}
	stream := domain.StreamName(r.entry.Category, m.Target)
	defer l.locks.lock(stream)()

	for attempt, fresh := 0, false; ; attempt++ {
		h, err := load(ctx, l, r.aggregate, stream, fresh)
		if err != nil {
			return Receipt{}, nil, unavailable(err)
		}
		if done, ok := h.receipt(m); ok {
			done.Repeated = true
			if err := sameBody(h, m); err != nil {
				return Receipt{}, nil, err
			}
			facts, err := l.factsOf(ctx, stream, m.Command)
			return done, facts, err // whoever gave it before may have died before what follows
		}
		events, err := r.decide(ctx, l, command, h, &m, o.Pinned)
		if (err != nil || len(events) == 0) && h.cached && !fresh {
			fresh = true // what was decided on remembered state may be old news: look before saying no
			attempt--
			continue
		}
		if err != nil {
			return Receipt{}, nil, err
		}
		if len(events) == 0 {
			return Receipt{ID: m.Target, Stream: stream, Revision: h.revision, Position: h.position, Events: []string{}}, nil, nil
		}
		next, facts, err := r.append(ctx, l, stream, h, events, m)
		if err != nil {
			l.cache.forget(stream)
		}
		var conflict *Conflict
		if errors.As(err, &conflict) {
			fresh = true
			if o.Pinned != nil {
				return Receipt{}, nil, stale(h.revision)
			}
			if attempt < l.Retries {
				continue
			}
			return Receipt{}, nil, &domain.Fault{Kind: domain.Unavailable, Code: "busy", Message: "Many changes are being made to this right now. Please try again."}
		}
		if err != nil {
			return Receipt{}, nil, unavailable(err)
		}
		l.cache.put(stream, next)
		receipt, _ := next.receipt(m)
		return receipt, facts, nil
	}
}

// decide checks everything and answers with events, without changing anything on this stream.
func (r *runner[S, E, C]) decide(ctx context.Context, l *Loop, command C, h *head[S], m *domain.Meta, pinned *int64) ([]E, error) {
	switch {
	case h.revision == domain.NoStream && !r.entry.Creates && !r.upsert:
		return nil, domain.Missing(r.entry.Category)
	case h.revision != domain.NoStream && r.entry.Creates:
		return nil, domain.Refuse("already-exists", "This "+r.entry.Category+" exists already.")
	case h.revision != domain.NoStream && !h.owner.admits(m):
		return nil, domain.Missing(r.entry.Category)
	case pinned != nil && *pinned != h.revision:
		return nil, stale(h.revision)
	}
	if h.revision != domain.NoStream {
		m.Account = h.owner.account
	}
	if h.revision >= maxEvents {
		return nil, domain.Refuse("stream-full", "This "+r.entry.Category+" has too long a history to take more. Open a new one.")
	}
	events, err := command.Decide(h.state, *m)
	if err != nil || len(events) == 0 {
		return nil, err
	}
	if err := l.checkRefs(ctx, any(command), r.entry.Category, m, h.revision == domain.NoStream); err != nil {
		return nil, err
	}
	if len(r.before) == 0 {
		return events, nil
	}
	for _, prepare := range r.before {
		if command, err = prepare(ctx, l, command, *m); err != nil {
			return nil, err
		}
	}
	return command.Decide(h.state, *m)
}

// append stores the events after h and returns the head with them folded in.
func (r *runner[S, E, C]) append(ctx context.Context, l *Loop, stream string, h *head[S], events []E, m domain.Meta) (*head[S], []domain.Fact, error) {
	next := h.copy()
	proposed := make([]domain.Proposed, len(events))
	facts := make([]domain.Fact, len(events))
	names := make([]string, len(events))
	for i, e := range events {
		p, err := l.Codec.Encode(e, m, i)
		if err != nil {
			return nil, nil, err
		}
		proposed[i], names[i] = p, p.Type
		next.state = r.aggregate.Evolve(next.state, e)
		facts[i] = domain.Fact{
			Stream: stream, Category: r.entry.Category, Of: m.Target, Revision: h.revision + int64(i) + 1, ID: p.ID, Event: e, Meta: m,
		}
	}
	position, err := l.append(ctx, stream, h.revision, proposed)
	if err != nil {
		return nil, nil, err
	}
	next.note(m, names, position)
	if next.revision >= warnEvents && h.revision < warnEvents {
		l.Logger.Warn("stream grows long", "stream", stream, "events", next.revision+1)
	}
	return next, facts, nil
}

const (
	warnEvents = 500
	maxEvents  = 10_000
)

// append stores events and finds out what happened when the reply was lost.
func (l *Loop) append(ctx context.Context, stream string, expected int64, events []domain.Proposed) (domain.Position, error) {
	for {
		position, err := l.Log.Append(ctx, stream, expected, events)
		var unknown *Unknown
		if !errors.As(err, &unknown) {
			return position, err
		}
		l.Logger.Warn("append without an answer, looking for its events", "stream", stream, "error", err)
		stored, readErr := l.Log.Load(ctx, stream, expected+1)
		switch {
		case readErr != nil:
			return position, unknown
		case len(stored) == 0:
			// Not there (yet): the same ids at the same revision are the same append.
		case stored[0].ID == events[0].ID && len(stored) >= len(events):
			return stored[len(events)-1].Position, nil
		default:
			return position, &Conflict{Stream: stream, Expected: expected}
		}
		if ctx.Err() != nil {
			return position, unknown
		}
	}
}

func stale(revision int64) error {
	return &domain.Fault{Kind: domain.Stale, Code: "stale", Message: fmt.Sprintf("This changed in the meantime (it is at revision %d now). Look at it again, then repeat.", revision)}
}

// unavailable turns a failure of the log into a fault that tells the caller what to do.
func unavailable(err error) error {
	var (
		unknown  *Unknown
		rejected *Rejected
	)
	switch {
	case errors.As(err, &unknown):
		return errors.Join(&domain.Fault{Kind: domain.Unavailable, Code: "outcome-unknown", Message: "We could not find out whether this was saved. Repeat it with the same Idempotency-Key: it will take effect once."}, err)
	case errors.As(err, &rejected) && rejected.Full:
		return errors.Join(&domain.Fault{Kind: domain.StorageFull, Code: "storage-full", Message: "There is no room to save this. Nothing was changed; an operator must free disk space."}, err)
	case errors.As(err, &rejected):
		return errors.Join(&domain.Fault{Kind: domain.Unavailable, Code: "store-unavailable", Message: "Saving is not possible right now. Nothing was changed; please try again in a moment."}, err)
	default:
		return err
	}
}
