package domain

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"reflect"
	"time"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Codec turns events into their stored form and back: wire name to Go type, schema versions, upcasters, sealing of
// personal data. It is safe for concurrent use.
type Codec struct {
	types  map[string]eventType
	keys   Keyring
	random io.Reader
}

type eventType struct {
	goType    reflect.Type
	category  string
	version   int
	upcasters []Upcaster
	subject   string
	personal  *personalPaths // nil when the event holds none
}

// ErrUnknownType says that the stored event has a type or version this program does not know.
var ErrUnknownType = errors.New("unknown event type")

// NewCodec knows the events of types. random feeds nonces and salts; nil means crypto/rand.
func NewCodec(types []Type, keys Keyring, random io.Reader) (*Codec, error) {
	if random == nil {
		random = rand.Reader
	}
	c := &Codec{types: make(map[string]eventType), keys: keys, random: random}
	for _, t := range types {
		for _, e := range t.Events {
			name := e.EventType()
			if _, taken := c.types[name]; taken || name == "" {
				return nil, fmt.Errorf("event type %q of %s is declared twice or empty", name, t.Category)
			}
			up := t.Upcasters[name]
			goType := reflect.TypeOf(e)
			personal := findPersonal(goType)
			if personal != nil && personal.mistake() != "" {
				return nil, fmt.Errorf("event %s: %s", name, personal.mistake())
			}
			c.types[name] = eventType{goType, t.Category, len(up) + 1, up, t.Subject, personal}
		}
	}
	return c, nil
}

// storedMeta is the stored form of Meta.
type storedMeta struct {
	Correlation ID        `json:"$correlationId,omitzero"`
	Causation   ID        `json:"$causationId,omitzero"`
	Firm        ID        `json:"firm"`
	Account     ID        `json:"account,omitzero"`
	Actor       string    `json:"actor"`
	OnBehalfOf  ID        `json:"on_behalf_of,omitzero"`
	Kind        ActorKind `json:"kind"`
	Time        time.Time `json:"time"`
	Request     string    `json:"request,omitempty"`
	Trace       string    `json:"traceparent,omitempty"`
	Session     string    `json:"session,omitempty"`
	IP          Personal  `json:"ip,omitzero"`
	UserAgent   Personal  `json:"user_agent,omitzero"`
	Command     ID        `json:"command"`
	Digest      string    `json:"digest,omitempty"`
	Version     int       `json:"v"`
}

// Encode gives the stored form of the n-th event of the command described by m, for the stream of m.Target.
func (c *Codec) Encode(e Event, m Meta, n int) (Proposed, error) {
	t, known := c.types[e.EventType()]
	if !known {
		return Proposed{}, fmt.Errorf("%w %q: add it to its aggregate's Events", ErrUnknownType, e.EventType())
	}
	id := m.EventID(n)
	place := aad(m.Firm, StreamName(t.category, m.Target), id)
	subject := defaultSubject(m)
	if t.subject != "" {
		subject = t.subject + ":" + m.Target.String()
	}
	value := reflect.ValueOf(e)
	if t.personal != nil {
		sealed, err := t.personal.rewrite(value, "", subject, func(p Personal, field, subject string) (Personal, error) {
			s, err := seal(c.keys, c.random, m.Firm, subject, place+field, p.text)
			return Personal{sealed: s}, err
		})
		if err != nil {
			return Proposed{}, fmt.Errorf("sealing %s: %w", e.EventType(), err)
		}
		value = sealed
	}
	data, err := json.Marshal(value.Interface())
	if err != nil {
		return Proposed{}, fmt.Errorf("encoding %s: %w", e.EventType(), err)
	}
	stored := storedMeta{
		Correlation: m.Correlation, Causation: m.Causation, Firm: m.Firm, Account: m.Account, Actor: m.Actor.Ref(),
		OnBehalfOf: m.OnBehalfOf, Kind: m.Actor.Kind, Time: m.Time.UTC().Truncate(time.Microsecond), Request: m.Request, Trace: m.Trace,
		Session: m.Session, Command: m.Command, Digest: m.Digest, Version: t.version,
	}
	who := ActorSubject(m.Actor)
	for _, f := range []struct {
		from Personal
		to   *Personal
		name string
	}{{m.IP, &stored.IP, "$ip"}, {m.UserAgent, &stored.UserAgent, "$user_agent"}} {
		if f.from.text != "" && who != "" {
			s, err := seal(c.keys, c.random, m.Firm, who, place+f.name, f.from.text)
			if err != nil {
				return Proposed{}, fmt.Errorf("sealing metadata of %s: %w", e.EventType(), err)
			}
			*f.to = Personal{sealed: s}
		}
	}
	metadata, err := json.Marshal(stored)
	if err != nil {
		return Proposed{}, fmt.Errorf("encoding metadata of %s: %w", e.EventType(), err)
	}
	return Proposed{ID: id, Type: e.EventType(), Data: data, Metadata: metadata}, nil
}

// asStored reads JSON as encoding/json does, which wrote it.
var asStored = jsonv2.JoinOptions(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))

// decodeStored reads stored JSON, which is a large part of a replay. This library is the next version of encoding/json and takes
// three fifths of its time.
func decodeStored(data []byte, to any) error { return jsonv2.Unmarshal(data, to, asStored) }

// Decode reads a stored event. The error wraps ErrUnknownType when the type or its version is not known.
func (c *Codec) Decode(r Recorded) (Fact, error) {
	t, known := c.types[r.Type]
	if !known {
		return Fact{}, fmt.Errorf("%w %q in %s at revision %d", ErrUnknownType, r.Type, r.Stream, r.Revision)
	}
	category, of, ok := ParseStream(r.Stream)
	if !ok || category != t.category {
		return Fact{}, fmt.Errorf("event %s does not belong in stream %s", r.Type, r.Stream)
	}
	var stored storedMeta
	if err := decodeStored(r.Metadata, &stored); err != nil {
		return Fact{}, fmt.Errorf("metadata of %s revision %d: %w", r.Stream, r.Revision, err)
	}
	data := r.Data
	if stored.Version < 1 || stored.Version > t.version {
		return Fact{}, fmt.Errorf("%w: version %d of %s; this program knows up to %d", ErrUnknownType, stored.Version, r.Type, t.version)
	}
	for _, up := range t.upcasters[stored.Version-1:] {
		var err error
		if data, err = up(data); err != nil {
			return Fact{}, fmt.Errorf("upcasting %s of %s revision %d: %w", r.Type, r.Stream, r.Revision, err)
		}
	}
	pointer := reflect.New(t.goType)
	if err := decodeStored(data, pointer.Interface()); err != nil {
		return Fact{}, fmt.Errorf("data of %s revision %d: %w", r.Stream, r.Revision, err)
	}
	value := pointer.Elem()
	place := ""
	if t.personal != nil || stored.IP.sealed != nil || stored.UserAgent.sealed != nil {
		place = aad(stored.Firm, r.Stream, r.ID)
	}
	if t.personal != nil {
		opened, err := t.personal.rewrite(value, "", "", func(p Personal, field, _ string) (Personal, error) {
			if p.sealed == nil {
				return Personal{}, errUnsealed
			}
			if p.sealed.Field != "" && stored.Version == t.version {
				return Personal{}, errMoved
			}
			return p.sealed.open(c.keys, place, field)
		})
		if err != nil {
			return Fact{}, fmt.Errorf("opening %s revision %d: %w", r.Stream, r.Revision, err)
		}
		value = opened
	}
	for _, f := range []struct {
		p    *Personal
		name string
	}{{&stored.IP, "$ip"}, {&stored.UserAgent, "$user_agent"}} {
		if f.p.sealed == nil {
			continue
		}
		opened, err := f.p.sealed.open(c.keys, place, f.name)
		if err != nil {
			return Fact{}, fmt.Errorf("opening metadata of %s revision %d: %w", r.Stream, r.Revision, err)
		}
		*f.p = opened
	}
	actor := Actor{Kind: stored.Kind}
	if stored.Kind == System {
		actor.Name = stored.Actor
	} else if id, err := parseID(stored.Actor); err == nil {
		actor.ID = id
	}
	return Fact{
		Stream: r.Stream, Category: category, Of: of, Revision: r.Revision, Position: r.Position, ID: r.ID,
		Event: value.Interface().(Event),
		Meta: Meta{
			Firm: stored.Firm, Account: stored.Account, Actor: actor, OnBehalfOf: stored.OnBehalfOf, Time: stored.Time,
			Request: stored.Request, Trace: stored.Trace, Session: stored.Session, IP: stored.IP, UserAgent: stored.UserAgent,
			Command: stored.Command, Digest: stored.Digest, Correlation: stored.Correlation, Causation: stored.Causation,
			Target: of,
		},
	}, nil
}

// Prefetcher is implemented by keyrings that can get many keys at once.
type Prefetcher interface {
	// Prefetch gets the keys of subjects, so that opening what is sealed under them finds them. Unknown ones are left out.
	Prefetch(subjects []string) error
}

// Prefetch gets the keys of everything that is sealed in a run of events at once, where the keyring can.
func (c *Codec) Prefetch(records []Recorded) error {
	keys, can := c.keys.(Prefetcher)
	if !can {
		return nil
	}
	seen := map[string]bool{}
	var subjects []string
	for _, r := range records {
		for _, stored := range [][]byte{r.Data, r.Metadata} {
			for subject := range sealedSubjects(stored) {
				if !seen[subject] {
					seen[subject] = true
					subjects = append(subjects, subject)
				}
			}
		}
	}
	if len(subjects) == 0 {
		return nil
	}
	return keys.Prefetch(subjects)
}

// sealedSubjects are the subjects in stored JSON, without reading the rest of it. Text cannot look like one: its quotes
// are escaped.
func sealedSubjects(stored []byte) iter.Seq[string] {
	return func(yield func(string) bool) {
		for {
			_, rest, found := bytes.Cut(stored, []byte(`{"k":"`))
			subject, after, ended := bytes.Cut(rest, []byte{'"'})
			if !found || !ended || !yield(string(subject)) {
				return
			}
			stored = after
		}
	}
}

// Knows reports whether the codec has a type of that wire name.
func (c *Codec) Knows(eventType string) bool { _, known := c.types[eventType]; return known }

// ActorSubject is the data subject of an actor's own network address; empty for parts of the system.
func ActorSubject(a Actor) string {
	switch a.Kind {
	case Staff:
		return "staff:" + a.ID.String()
	case Client:
		return "contact:" + a.ID.String()
	case System:
	}
	return ""
}

// defaultSubject seals under the account's key, or the firm's where there is no account.
func defaultSubject(m Meta) string {
	if m.Account != NoID {
		return "account:" + m.Account.String()
	}
	return "firm:" + m.Firm.String()
}

// aad is what a ciphertext is bound to, without the field: firm, stream and event.
func aad(firm ID, stream string, event ID) string {
	return firm.String() + "|" + stream + "|" + event.String() + "|"
}

// RevealJSON is the data of an event with its personal values in plain text, for an operator who may see them. It is
// never what is stored.
func RevealJSON(e Event) ([]byte, error) {
	value := reflect.ValueOf(e)
	if paths := findPersonal(value.Type()); paths != nil {
		plain, err := paths.rewrite(value, "", "", func(p Personal, _, _ string) (Personal, error) {
			return Personal{text: p.text, erased: p.erased, revealed: true}, nil
		})
		if err != nil {
			return nil, err
		}
		value = plain
	}
	return json.Marshal(value.Interface())
}
