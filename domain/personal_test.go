package domain_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/atrium-portal/atrium/domain"
	dt "github.com/atrium-portal/atrium/domain/domaintest"
)

func TestPlainTextIsNeverWritten(t *testing.T) {
	secret := domain.P("secret")
	wrapped := struct{ Name domain.Personal }{secret}
	for _, v := range []any{secret, &secret, wrapped, []domain.Personal{secret}, map[string]domain.Personal{"name": secret}} {
		if form, err := json.Marshal(v); err == nil {
			t.Errorf("%T is written as %s", v, form)
		}
	}
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		for _, v := range []any{secret, &secret, wrapped, []domain.Personal{secret}} {
			if got := fmt.Sprintf(format, v); strings.Contains(got, "secret") {
				t.Errorf("%s shows %s", format, got)
			}
		}
	}
	var log bytes.Buffer
	for _, handler := range []slog.Handler{slog.NewTextHandler(&log, nil), slog.NewJSONHandler(&log, nil)} {
		slog.New(handler).Info("saved", "name", secret, "whole", wrapped)
	}
	if strings.Contains(log.String(), "secret") {
		t.Errorf("the log shows %s", log.String())
	}
}

// hidden has personal text where the codec does not look.
type hidden struct {
	Name *domain.Personal `json:"name"`
}

func (hidden) EventType() string { return "NameHidden" }
func (hidden) Sentence() string  { return "hid a name" }

func TestTextOutOfReachIsNotStored(t *testing.T) {
	codec := newCodec(t, dt.NewKeys(), domain.Type{Category: "letter", Events: []domain.Event{hidden{}}})
	name := domain.P("Ana")
	if p, err := codec.Encode(hidden{&name}, dt.Meta(), 0); err == nil {
		t.Fatalf("stored as %s", p.Data)
	}
}

func TestTextFromACommand(t *testing.T) {
	for form, want := range map[string]string{`"Ana"`: "Ana", `""`: "", `null`: "", `"\u00e4"`: "ä"} {
		var p domain.Personal
		if err := json.Unmarshal([]byte(form), &p); err != nil || p.Reveal() != want || p.IsZero() != (want == "") {
			t.Errorf("%s: %q (%v)", form, p.Reveal(), err)
		}
	}
	for _, form := range []string{`1`, `true`, `["Ana"]`, `{"k":1}`} {
		var p domain.Personal
		if err := json.Unmarshal([]byte(form), &p); err == nil {
			t.Errorf("%s is read as %q", form, p.Reveal())
		}
	}
}

func TestBecause(t *testing.T) {
	if got := domain.P("left").After(": ") + domain.P("").After(": "); got != ": left" {
		t.Error(got)
	}
}

func TestErasureTakesOnePersonsText(t *testing.T) {
	keys := dt.NewKeys()
	codec := newCodec(t, keys, letters)
	m := dt.Meta()
	m.IP = domain.P("192.0.2.7")
	e := posted{Subject: domain.P("Hello"), Reader: dt.ID("ana"), Name: domain.P("Ana"), Copies: []copied{{dt.ID("ada"), domain.P("Ada")}}, Weight: 20}
	stored := recorded(t, codec, "letter", e, m)

	keys.Erase("contact:" + dt.ID("ana").String())
	keys.Erase("staff:" + m.Actor.ID.String())
	f, err := codec.Decode(stored)
	if err != nil {
		t.Fatal(err)
	}
	got := f.Event.(posted)
	if !got.Name.Erased() || got.Name.Reveal() != "" || got.Name.IsZero() || got.Name.Equal(domain.P("")) {
		t.Errorf("the erased name is %+v", got.Name)
	}
	if !f.Meta.IP.Erased() || f.Meta.IP.Reveal() != "" {
		t.Error("the address of an erased person is there")
	}
	if got.Subject.Reveal() != "Hello" || got.Copies[0].Name.Reveal() != "Ada" || got.Weight != 20 || got.Reader != dt.ID("ana") {
		t.Errorf("something of others is gone: %+v", got)
	}
	if got.Name.Commitment() == "" || domain.P("Ana").Commitment() != "" {
		t.Error("only what is sealed has a commitment")
	}

	_, err = codec.Encode(e, m, 1)
	if f := domain.AsFault(err); f.Kind != domain.Refused || f.Code != "person-erased" || !errors.Is(err, domain.ErrErased) {
		t.Errorf("new text about an erased person: %v", err)
	}
}

// TestSealedTextStaysInItsPlace changes a stored event in every way that should not go unnoticed.
func TestSealedTextStaysInItsPlace(t *testing.T) {
	codec := newCodec(t, dt.NewKeys(), letters)
	type fields = map[string]map[string]any
	edit := func(change func(fields)) func(*domain.Recorded) {
		return func(r *domain.Recorded) {
			var whole map[string]json.RawMessage
			sealed := fields{}
			if err := json.Unmarshal(r.Data, &whole); err != nil {
				t.Fatal(err)
			}
			for _, name := range []string{"subject", "body", "name"} {
				var f map[string]any
				if err := json.Unmarshal(whole[name], &f); err != nil {
					t.Fatal(err)
				}
				sealed[name] = f
			}
			change(sealed)
			for name, f := range sealed {
				r.Data = setField(t, r.Data, name, f)
			}
		}
	}
	// flip changes the n-th character of a base64 text.
	flip := func(text any, n int) string {
		b := []byte(text.(string))
		if b[n]++; b[n] == 'z'+1 || b[n] == 'Z'+1 || b[n] == '9'+1 || b[n] == '+'+1 || b[n] == '/'+1 {
			b[n] = 'a'
		}
		return string(b)
	}
	e := posted{Subject: domain.P("Hello"), Body: domain.P("Dear Ana"), Reader: dt.ID("ana"), Name: domain.P("Ana")}
	other := dt.Meta()
	other.Command = dt.ID("another command")
	elsewhere := recorded(t, codec, "letter", e, other)

	for name, change := range map[string]func(*domain.Recorded){
		"in another field":             edit(func(f fields) { f["subject"], f["body"] = f["body"], f["subject"] }),
		"in another field, relabelled": edit(func(f fields) { f["subject"] = f["body"]; f["subject"]["f"] = ".body" }),
		"in another event":             func(r *domain.Recorded) { r.Data = elsewhere.Data },
		"under another event id":       func(r *domain.Recorded) { r.ID = elsewhere.ID },
		"in another stream":            func(r *domain.Recorded) { r.Stream = domain.StreamName("letter", dt.ID("other")) },
		"in another firm":              func(r *domain.Recorded) { r.Metadata = setField(t, r.Metadata, "firm", dt.ID("other").String()) },
		"under another key":            edit(func(f fields) { f["subject"]["k"] = f["name"]["k"] }),
		"with another nonce":           edit(func(f fields) { f["subject"]["c"] = flip(f["subject"]["c"], 0) }),
		"with another ciphertext":      edit(func(f fields) { f["subject"]["c"] = flip(f["subject"]["c"], 30) }),
		"with another commitment":      edit(func(f fields) { f["subject"]["h"] = flip(f["subject"]["h"], 3) }),
		"with somebody's commitment":   edit(func(f fields) { f["subject"]["h"] = f["body"]["h"] }),
		"without a commitment":         edit(func(f fields) { delete(f["subject"], "h") }),
		"without a ciphertext":         edit(func(f fields) { delete(f["subject"], "c") }),
		"too short":                    edit(func(f fields) { f["subject"]["c"] = "AAAA" }),
		"in plain":                     func(r *domain.Recorded) { r.Data = setField(t, r.Data, "subject", "Hello") },
	} {
		stored := recorded(t, codec, "letter", e, dt.Meta())
		if _, err := codec.Decode(stored); err != nil {
			t.Fatal(err)
		}
		change(&stored)
		if f, err := codec.Decode(stored); err == nil {
			t.Errorf("%s: decoded to %q", name, f.Event.(posted).Subject.Reveal())
		}
	}
}

func TestMetadataStaysInItsPlace(t *testing.T) {
	codec := newCodec(t, dt.NewKeys(), letters)
	m := dt.Meta()
	m.IP, m.UserAgent = domain.P("192.0.2.7"), domain.P("Mozilla/5.0")
	stored := recorded(t, codec, "letter", posted{}, m)
	var fields map[string]any
	if err := json.Unmarshal(stored.Metadata, &fields); err != nil {
		t.Fatal(err)
	}
	stored.Metadata = setField(t, stored.Metadata, "ip", fields["user_agent"])
	if f, err := codec.Decode(stored); err == nil {
		t.Errorf("the address is %q", f.Meta.IP.Reveal())
	}
}

// brokenKeys is a keyring that cannot be reached, or holds a key of a wrong size.
type brokenKeys struct {
	key []byte
	err error
}

func (k brokenKeys) SealingKey(domain.ID, string) ([]byte, error) { return k.key, k.err }
func (k brokenKeys) OpeningKey(string) ([]byte, error)            { return k.key, k.err }

func TestWithoutAKeyNothingIsStoredOrRead(t *testing.T) {
	m := dt.Meta()
	m.IP = domain.P("192.0.2.7")
	e := posted{Subject: domain.P("Hello")}
	inData := recorded(t, newCodec(t, dt.NewKeys(), letters), "letter", e, dt.Meta())
	inMeta := recorded(t, newCodec(t, dt.NewKeys(), letters), "letter", posted{}, m)
	down := errors.New("keystore: connection refused")
	for name, keys := range map[string]brokenKeys{"out of reach": {err: down}, "of a wrong size": {key: []byte("short")}} {
		codec := newCodec(t, keys, letters)
		for _, try := range []func() error{
			func() error { _, err := codec.Encode(e, dt.Meta(), 0); return err },
			func() error { _, err := codec.Encode(posted{}, m, 0); return err },
			func() error { _, err := codec.Decode(inData); return err },
			func() error { _, err := codec.Decode(inMeta); return err },
		} {
			err := try()
			if err == nil || keys.err != nil && !errors.Is(err, down) {
				t.Errorf("key %s: %v", name, err)
			}
		}
	}
	codec, err := domain.NewCodec([]domain.Type{letters}, dt.NewKeys(), strings.NewReader("few random bytes"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := codec.Encode(e, dt.Meta(), 0); err == nil {
		t.Error("text is sealed with too little randomness")
	}
}

func TestRevealJSON(t *testing.T) {
	e := posted{Subject: domain.P("Hello"), Reader: dt.ID("ana"), Copies: []copied{{dt.ID("ada"), domain.P("Ada")}}, Weight: 20}
	form, err := domain.RevealJSON(e)
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Subject string `json:"subject"`
		Copies  []struct{ Name string }
		Weight  int
	}
	if err := json.Unmarshal(form, &got); err != nil || got.Subject != "Hello" || got.Copies[0].Name != "Ada" || got.Weight != 20 {
		t.Errorf("%s (%v)", form, err)
	}
	if _, err := json.Marshal(e); err == nil {
		t.Error("revealing an event once reveals it for ever")
	}
}
