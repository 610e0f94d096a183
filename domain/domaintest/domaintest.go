// Package domaintest is the test kit of aggregates: Given/When/Then over plain data, each accepted command sent twice,
// and golden samples of the stored form of every event.
package domaintest

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/atrium-portal/atrium/domain"
)

// Now is the instant at which the commands of tests are given, a Monday.
var Now = time.Date(2026, 3, 2, 9, 30, 0, 0, time.UTC)

// ID gives a stable id for a name.
func ID(name string) domain.ID { return domain.DeriveID("test", name) }

// Meta is a staff member's command at Now; its target is ID("it").
func Meta() domain.Meta {
	return domain.Meta{
		Firm: ID("firm"), Account: ID("account"), Actor: domain.Actor{Kind: domain.Staff, ID: ID("staff")},
		Time: Now, Command: ID("command"), Correlation: ID("correlation"), Target: ID("it"),
	}
}

// By is Meta with another actor.
func By(a domain.Actor) domain.Meta { m := Meta(); m.Actor = a; return m }

// Client is a contact of the client, by name.
func Client(name string) domain.Actor { return domain.Actor{Kind: domain.Client, ID: ID(name)} }

// Decider is a command of an aggregate.
type Decider[S any, E domain.Event] interface {
	Decide(S, domain.Meta) ([]E, error)
}

// Case is one Given/When/Then: either the events of Then (none: nothing to do) or the code of a fault.
type Case[S any, E domain.Event] struct {
	Name  string
	Given []E
	When  Decider[S, E]
	Meta  domain.Meta // zero: Meta()
	Then  []E
	Fault string // the code; for an Invalid fault "code field"
}

// Run checks the cases. A command that is accepted is sent again with the same Meta and must add nothing.
func Run[S any, E domain.Event](t *testing.T, a domain.Aggregate[S, E], cases []Case[S, E]) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			m := c.Meta
			if m.Command == domain.NoID {
				m = Meta()
			}
			state := a.Fold(c.Given...)
			got, err := c.When.Decide(state, m)
			if c.Fault != "" {
				if code := faultCode(err); code != c.Fault || len(got) > 0 {
					t.Fatalf("fault %q (%v) with %d events, want %q", code, err, len(got), c.Fault)
				}
				return
			}
			if err != nil {
				t.Fatalf("refused: %v", err)
			}
			if d := cmp.Diff(c.Then, got, cmpopts.EquateEmpty()); d != "" {
				t.Fatalf("events (-want +got):\n%s", d)
			}
			again, err := c.When.Decide(a.Fold(slices.Concat(c.Given, got)...), m)
			if err != nil && domain.AsFault(err).Kind != domain.Refused || len(again) > 0 {
				t.Fatalf("sent again it adds %v (%v), want nothing", again, err)
			}
		})
	}
}

func faultCode(err error) string {
	f, ok := errors.AsType[*domain.Fault](err)
	switch {
	case err == nil:
		return ""
	case !ok:
		return "not a fault"
	case f.Field != "":
		return f.Code + " " + f.Field
	default:
		return f.Code
	}
}

var update = flag.Bool("update", false, "rewrite the golden samples of current versions")

// Golden checks the stored form of every event type of an aggregate against testdata/<EventType>.json: the sample
// encodes to exactly those bytes and the bytes decode to the sample. Samples of older versions, named
// <EventType>.v<n>.json, stay for ever and must still decode.
func Golden[S any, E domain.Event](t *testing.T, a domain.Aggregate[S, E], samples ...domain.Event) {
	t.Helper()
	bySample := map[string]domain.Event{}
	for _, s := range samples {
		bySample[s.EventType()] = s
	}
	for _, e := range a.Events {
		name := e.EventType()
		t.Run(name, func(t *testing.T) {
			sample, ok := bySample[name]
			if !ok {
				t.Fatalf("no sample of %s: add one, with every field filled", name)
			}
			codec := Codec(t, a.Type())
			m := Meta()
			m.IP = domain.P("192.0.2.7")
			p, err := codec.Encode(sample, m, 0)
			if err != nil {
				t.Fatal(err)
			}
			var form bytes.Buffer
			for _, part := range [][]byte{p.Metadata, p.Data} {
				if err := json.Indent(&form, part, "", "  "); err != nil {
					t.Fatal(err)
				}
				form.WriteByte('\n')
			}
			file := filepath.Join("testdata", name+".json")
			if *update {
				if err := os.MkdirAll("testdata", 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(file, form.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			stored, err := os.ReadFile(file)
			if err != nil {
				t.Fatalf("no golden sample: run `make golden` and look at what it writes: %v", err)
			}
			if d := cmp.Diff(string(stored), form.String()); d != "" {
				t.Fatalf("the stored form of %s changed; stored events never change, write an upcaster (-stored +now):\n%s", name, d)
			}
			decodeAll(t, codec, a.Category, name, m, sample)
		})
	}
}

// decodeAll decodes the current sample and the samples of older versions.
func decodeAll(t *testing.T, codec *domain.Codec, category, name string, m domain.Meta, sample domain.Event) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", name+"*.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		base := strings.TrimSuffix(filepath.Base(file), ".json")
		if base != name && !strings.HasPrefix(base, name+".v") {
			continue
		}
		stored, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var metadata, data json.RawMessage
		d := json.NewDecoder(bytes.NewReader(stored))
		if err := errors.Join(d.Decode(&metadata), d.Decode(&data)); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		f, err := codec.Decode(domain.Recorded{
			Stream: domain.StreamName(category, m.Target), ID: m.EventID(0), Type: name, Data: data, Metadata: metadata,
		})
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		if base == name {
			if d := cmp.Diff(sample, f.Event); d != "" {
				t.Fatalf("%s decodes to something else (-sample +decoded):\n%s", file, d)
			}
		}
		if f.Event.Sentence() == "" {
			t.Fatalf("%s has no sentence", name)
		}
	}
}

// Codec is a codec over types with test keys and a fixed stream of "random" bytes, so that stored forms repeat.
func Codec(t testing.TB, types ...domain.Type) *domain.Codec {
	t.Helper()
	c, err := domain.NewCodec(types, NewKeys(), &fixedRandom{})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

type fixedRandom struct {
	mu sync.Mutex
	n  byte
}

// Read fills b with a counter.
func (r *fixedRandom) Read(b []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range b {
		b[i] = r.n
		r.n++
	}
	return len(b), nil
}

// Keys is a keyring in memory: every subject's key is a hash of its name.
type Keys struct {
	mu     sync.Mutex
	erased map[string]bool
}

// NewKeys makes an empty keyring.
func NewKeys() *Keys { return &Keys{erased: map[string]bool{}} }

// SealingKey implements domain.Keyring.
func (k *Keys) SealingKey(_ domain.ID, subject string) ([]byte, error) { return k.OpeningKey(subject) }

// OpeningKey implements domain.Keyring.
func (k *Keys) OpeningKey(subject string) ([]byte, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.erased[subject] {
		return nil, domain.ErrErased
	}
	sum := sha256.Sum256([]byte(subject))
	return sum[:], nil
}

// Erase destroys a subject's key.
func (k *Keys) Erase(subject string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.erased[subject] = true
}
