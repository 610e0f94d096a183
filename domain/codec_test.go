package domain_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/atrium-portal/atrium/domain"
	dt "github.com/atrium-portal/atrium/domain/domaintest"
)

// posted is an event with personal text at every place where there can be some.
type posted struct {
	Subject domain.Personal   `json:"subject"`
	Body    domain.Personal   `json:"body,omitzero"`
	Reader  domain.ID         `json:"contact"`
	Name    domain.Personal   `json:"name,omitzero" subject:"contact"`
	Place   place             `json:"place"`
	Copies  []copied          `json:"copies,omitempty"`
	Notes   []domain.Personal `json:"notes,omitempty"`
	Weight  int64             `json:"weight"`
}

type place struct {
	Street domain.Personal `json:"street,omitzero"`
	Floor  int             `json:"floor"`
}

type copied struct {
	Staff domain.ID       `json:"staff"`
	Name  domain.Personal `json:"name" subject:"staff"`
}

func (posted) EventType() string { return "LetterPosted" }
func (posted) Sentence() string  { return "posted a letter" }

var letters = domain.Type{Category: "letter", Events: []domain.Event{posted{}}}

// recorded is an event of the command of m as the log returns it.
func recorded(t testing.TB, c *domain.Codec, category string, e domain.Event, m domain.Meta) domain.Recorded {
	t.Helper()
	p, err := c.Encode(e, m, 0)
	if err != nil {
		t.Fatal(err)
	}
	return domain.Recorded{
		Stream: domain.StreamName(category, m.Target), Revision: 3, Position: domain.Position{Commit: 9, Prepare: 9}, ID: p.ID, Type: p.Type,
		Data: p.Data, Metadata: p.Metadata,
	}
}

func newCodec(t testing.TB, keys domain.Keyring, types ...domain.Type) *domain.Codec {
	t.Helper()
	c, err := domain.NewCodec(types, keys, nil)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestEventsGoAround(t *testing.T) {
	codec := newCodec(t, dt.NewKeys(), letters)
	text := rapid.Map(rapid.OneOf(rapid.Just(""), rapid.StringN(1, 200, -1)), domain.P)
	rapid.Check(t, func(r *rapid.T) {
		e := posted{
			Subject: text.Draw(r, "subject"), Body: text.Draw(r, "body"), Reader: dt.ID("ana"), Name: text.Draw(r, "name"),
			Place:  place{Street: text.Draw(r, "street"), Floor: rapid.Int().Draw(r, "floor")},
			Notes:  rapid.SliceOfN(text, 0, 3).Draw(r, "notes"),
			Weight: rapid.Int64().Draw(r, "weight"),
		}
		for _, name := range rapid.SliceOfN(text, 0, 3).Draw(r, "copies") {
			e.Copies = append(e.Copies, copied{dt.ID("ada"), name})
		}
		given := e
		given.Copies, given.Notes = slices.Clone(e.Copies), slices.Clone(e.Notes)
		stored := recorded(t, codec, "letter", e, dt.Meta())
		if d := cmp.Diff(given, e); d != "" {
			r.Fatalf("sealing changed the event it was given:\n%s", d)
		}
		f, err := codec.Decode(stored)
		if err != nil {
			r.Fatal(err)
		}
		if d := cmp.Diff(domain.Event(e), f.Event, cmpopts.EquateEmpty()); d != "" {
			r.Fatalf("-encoded +decoded:\n%s", d)
		}
		if f.Stream != stored.Stream || f.Category != "letter" || f.Of != dt.ID("it") || f.Revision != 3 || f.Position != stored.Position || f.ID != stored.ID {
			r.Fatalf("the fact stands elsewhere: %+v", f)
		}
	})
}

func TestStoredFormHidesPersonalText(t *testing.T) {
	codec := newCodec(t, dt.NewKeys(), letters)
	e := posted{
		Subject: domain.P("secret-1"), Body: domain.P("secret-2"), Name: domain.P("secret-3"), Place: place{Street: domain.P("secret-4")},
		Copies: []copied{{dt.ID("ada"), domain.P("secret-5")}}, Notes: []domain.Personal{domain.P("secret-6")},
	}
	m := dt.Meta()
	m.IP, m.UserAgent = domain.P("secret-7"), domain.P("secret-8")
	one, two := recorded(t, codec, "letter", e, m), recorded(t, codec, "letter", e, m)
	if bytes.Contains(one.Data, []byte("secret")) || bytes.Contains(one.Metadata, []byte("secret")) {
		t.Fatalf("personal text in\n%s\n%s", one.Data, one.Metadata)
	}
	if bytes.Equal(one.Data, two.Data) {
		t.Fatal("the same text is sealed the same way twice")
	}
	if empty := recorded(t, codec, "letter", posted{}, dt.Meta()); bytes.Contains(empty.Data, []byte(`"k"`)) {
		t.Fatalf("empty text is sealed: %s", empty.Data)
	}
}

func TestMetadataGoesAround(t *testing.T) {
	codec := newCodec(t, dt.NewKeys(), letters)
	full := dt.Meta()
	full.OnBehalfOf, full.Request, full.Session, full.Digest, full.Causation = dt.ID("boss"), "r-1", "s-1", "d-1", dt.ID("cause")
	full.Trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	full.IP, full.UserAgent = domain.P("192.0.2.7"), domain.P("Mozilla/5.0")
	full.Time = time.Date(2026, 3, 2, 10, 30, 0, 123_456_789, time.FixedZone("", 3600))
	client, program, bare := full, full, domain.Meta{Firm: dt.ID("firm"), Target: dt.ID("it"), Command: dt.ID("command"), Time: dt.Now, Actor: full.Actor}
	client.Actor = dt.Client("ana")
	program.Actor = domain.SystemActor("import")
	for name, m := range map[string]domain.Meta{"staff": full, "client": client, "system": program, "bare": bare} {
		f, err := codec.Decode(recorded(t, codec, "letter", posted{}, m))
		if err != nil {
			t.Fatal(err)
		}
		want := m
		want.Time = m.Time.UTC().Truncate(time.Microsecond)
		if m.Actor.Kind == domain.System {
			want.IP, want.UserAgent = domain.Personal{}, domain.Personal{} // a program has no address of its own
		}
		if d := cmp.Diff(want, f.Meta); d != "" {
			t.Errorf("%s: -given +decoded:\n%s", name, d)
		}
	}
}

func TestEventsOutOfPlaceAreRefused(t *testing.T) {
	codec := newCodec(t, dt.NewKeys(), letters)
	for name, change := range map[string]func(*domain.Recorded){
		"type unknown":     func(r *domain.Recorded) { r.Type = "LetterBurnt" },
		"version unknown":  func(r *domain.Recorded) { r.Metadata = setField(t, r.Metadata, "v", 2) },
		"version zero":     func(r *domain.Recorded) { r.Metadata = setField(t, r.Metadata, "v", 0) },
		"stream of others": func(r *domain.Recorded) { r.Stream = domain.StreamName("parcel", dt.ID("it")) },
		"stream not ours":  func(r *domain.Recorded) { r.Stream = "$settings" },
		"metadata broken":  func(r *domain.Recorded) { r.Metadata = []byte("{") },
		"metadata missing": func(r *domain.Recorded) { r.Metadata = nil },
		"data broken":      func(r *domain.Recorded) { r.Data = []byte(`{"weight":"heavy"}`) },
		"data missing":     func(r *domain.Recorded) { r.Data = nil },
	} {
		stored := recorded(t, codec, "letter", posted{Weight: 1}, dt.Meta())
		change(&stored)
		_, err := codec.Decode(stored)
		unknown := name == "type unknown" || name == "version unknown" || name == "version zero"
		if err == nil || errors.Is(err, domain.ErrUnknownType) != unknown {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := codec.Encode(old{}, dt.Meta(), 0); !errors.Is(err, domain.ErrUnknownType) {
		t.Errorf("an event of no aggregate is encoded: %v", err)
	}
	if !codec.Knows("LetterPosted") || codec.Knows("LetterBurnt") {
		t.Error("the codec does not know what it knows")
	}
}

// setField replaces one field of a JSON object.
func setField(t testing.TB, object []byte, field string, value any) []byte {
	t.Helper()
	var fields map[string]any
	if err := json.Unmarshal(object, &fields); err != nil {
		t.Fatal(err)
	}
	fields[field] = value
	changed, err := json.Marshal(fields)
	if err != nil {
		t.Fatal(err)
	}
	return changed
}

// old, newer and newest are the same event as it was declared over the years.
type (
	old struct {
		Who domain.Personal `json:"who"`
	}
	newer struct {
		Name domain.Personal `json:"name"`
	}
	newest struct {
		Name domain.Personal `json:"name"`
		Kind string          `json:"kind"`
	}
)

func (old) EventType() string    { return "GuestGreeted" }
func (newer) EventType() string  { return "GuestGreeted" }
func (newest) EventType() string { return "GuestGreeted" }
func (old) Sentence() string     { return "greeted a guest" }
func (newer) Sentence() string   { return "greeted a guest" }
func (newest) Sentence() string  { return "greeted a guest" }

// rename moves the sealed text and says where it was sealed.
func rename(data []byte) ([]byte, error) {
	var fields map[string]map[string]any
	if err := json.Unmarshal(data, &fields); err != nil {
		return nil, err
	}
	fields["who"]["f"] = ".who"
	return json.Marshal(map[string]any{"name": fields["who"]})
}

func addKind(data []byte) ([]byte, error) {
	var fields map[string]any
	if err := json.Unmarshal(data, &fields); err != nil {
		return nil, err
	}
	fields["kind"] = "friend"
	return json.Marshal(fields)
}

func TestUpcastersFollowOneAnother(t *testing.T) {
	keys := dt.NewKeys()
	version := func(e domain.Event, up ...domain.Upcaster) *domain.Codec {
		return newCodec(t, keys, domain.Type{Category: "guest", Events: []domain.Event{e}, Upcasters: map[string][]domain.Upcaster{"GuestGreeted": up}})
	}
	first, second, third := version(old{}), version(newer{}, rename), version(newest{}, rename, addKind)
	ana := domain.P("Ana")
	for name, c := range map[string]struct {
		stored domain.Recorded
		kind   string
	}{
		"version 1": {recorded(t, first, "guest", old{ana}, dt.Meta()), "friend"},
		"version 2": {recorded(t, second, "guest", newer{ana}, dt.Meta()), "friend"},
		"version 3": {recorded(t, third, "guest", newest{ana, "stranger"}, dt.Meta()), "stranger"},
	} {
		f, err := third.Decode(c.stored)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if d := cmp.Diff(domain.Event(newest{ana, c.kind}), f.Event); d != "" {
			t.Errorf("%s: -want +decoded:\n%s", name, d)
		}
	}
	if _, err := first.Decode(recorded(t, third, "guest", newest{Name: ana}, dt.Meta())); !errors.Is(err, domain.ErrUnknownType) {
		t.Errorf("an older program reads a newer event: %v", err)
	}
	failing := version(newer{}, func([]byte) ([]byte, error) { return nil, errors.New("odd data") })
	if _, err := failing.Decode(recorded(t, first, "guest", old{ana}, dt.Meta())); err == nil {
		t.Error("a failing upcaster goes unnoticed")
	}
}

type nameless struct{ posted }

func (nameless) EventType() string { return "" }

// orphan names a subject whose id is not there; the first field would be somebody else's.
type orphan struct {
	Document domain.ID       `json:"document"`
	Inner    []orphaned      `json:"inner"`
	Title    domain.Personal `json:"title"`
}

type orphaned struct {
	Staff string          `json:"staff"`
	Name  domain.Personal `json:"name" subject:"staff"`
}

func (orphan) EventType() string { return "OrphanFound" }
func (orphan) Sentence() string  { return "found an orphan" }

func TestCodecRefusesMistakesInDeclarations(t *testing.T) {
	for name, types := range map[string][]domain.Type{
		"declared twice":          {letters, {Category: "parcel", Events: []domain.Event{posted{}}}},
		"without a name":          {{Category: "letter", Events: []domain.Event{nameless{}}}},
		"with an unknown subject": {{Category: "letter", Events: []domain.Event{orphan{}}}},
		"with unnamed text":       {{Category: "letter", Events: []domain.Event{unnamed{}}}},
	} {
		if _, err := domain.NewCodec(types, dt.NewKeys(), nil); err == nil {
			t.Errorf("an event %s passes", name)
		}
	}
}

// unnamed leaves the wire names of its texts to Go: they could be swapped, or renamed by accident.
type unnamed struct {
	Place domain.Personal
}

func (unnamed) EventType() string { return "TextUnnamed" }
func (unnamed) Sentence() string  { return "wrote something" }

// subjects lists whose keys seal what of an event, by field.
func subjects(t testing.TB, data []byte) map[string]string {
	t.Helper()
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(data, &fields); err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for name, raw := range fields {
		var sealed struct {
			K string `json:"k"`
		}
		if json.Unmarshal(raw, &sealed) == nil && sealed.K != "" {
			found[name] = sealed.K
		}
	}
	return found
}

func TestWhoseKeySeals(t *testing.T) {
	own := domain.Type{Category: "contact", Subject: "contact", Events: letters.Events}
	m := dt.Meta()
	ofFirm := m
	ofFirm.Account = domain.NoID
	e := posted{Subject: domain.P("s"), Reader: dt.ID("ana"), Name: domain.P("n")}
	unknownReader := e
	unknownReader.Reader = domain.NoID
	ana, account, firm := "contact:"+dt.ID("ana").String(), "account:"+m.Account.String(), "firm:"+m.Firm.String()
	for name, c := range map[string]struct {
		of   domain.Type
		e    posted
		m    domain.Meta
		want map[string]string
	}{
		"the account's":               {letters, e, m, map[string]string{"subject": account, "name": ana}},
		"the firm's, without one":     {letters, e, ofFirm, map[string]string{"subject": firm, "name": ana}},
		"the contact's own stream":    {own, e, m, map[string]string{"subject": "contact:" + m.Target.String(), "name": ana}},
		"the account's, for nobody's": {letters, unknownReader, m, map[string]string{"subject": account, "name": account}},
	} {
		stored := recorded(t, newCodec(t, dt.NewKeys(), c.of), c.of.Category, c.e, c.m)
		if got := subjects(t, stored.Data); !maps.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
	nested := recorded(t, newCodec(t, dt.NewKeys(), letters), "letter", posted{Copies: []copied{{dt.ID("ada"), domain.P("Ada")}}}, m)
	if !bytes.Contains(nested.Data, []byte(`"k":"staff:`+dt.ID("ada").String())) {
		t.Errorf("a name in a list has another key: %s", nested.Data)
	}
}

// shelf is a keyring that can get many keys at once.
type shelf struct {
	*dt.Keys
	asked [][]string
}

func (s *shelf) Prefetch(subjects []string) error {
	s.asked = append(s.asked, subjects)
	return nil
}

func TestKeysOfARunAreFetchedAtOnce(t *testing.T) {
	keys := &shelf{Keys: dt.NewKeys()}
	codec := newCodec(t, keys, letters)
	m := dt.Meta()
	m.IP = domain.P("192.0.2.7")
	hostile := posted{Subject: domain.P(`{"k":"somebody else"}`)}
	run := []domain.Recorded{recorded(t, codec, "letter", hostile, m), recorded(t, codec, "letter", hostile, m), recorded(t, codec, "letter", posted{}, dt.Meta())}
	if err := codec.Prefetch(run); err != nil {
		t.Fatal(err)
	}
	if len(keys.asked) != 1 || len(keys.asked[0]) != 2 || slices.Contains(keys.asked[0], "somebody else") {
		t.Errorf("asked for %q; want the recipient's and the actor's key, once", keys.asked)
	}
	if err := codec.Prefetch(run[2:]); err != nil || len(keys.asked) != 1 {
		t.Errorf("asked for %q where nothing is sealed, %v", keys.asked, err)
	}
}
