package domain_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/catalog"
	dt "github.com/atrium-portal/atrium/domain/domaintest"
)

// nobody is a keyring of which every key was destroyed.
type nobody struct{}

func (nobody) SealingKey(domain.ID, string) ([]byte, error) { return nil, domain.ErrErased }
func (nobody) OpeningKey(string) ([]byte, error)            { return nil, domain.ErrErased }

// Every event of every aggregate is still history when the people in it were erased: it decodes, and its sentence
// does not end in the middle.
func TestHistoryOutlivesErasure(t *testing.T) {
	codec, err := domain.NewCodec(catalog.Types(), nobody{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range catalog.Types() {
		for _, e := range a.Events {
			name := e.EventType()
			stored, err := os.ReadFile(filepath.Join(a.Category, "testdata", name+".json"))
			if err != nil {
				t.Fatal(err)
			}
			var metadata, data json.RawMessage
			d := json.NewDecoder(bytes.NewReader(stored))
			if err := errors.Join(d.Decode(&metadata), d.Decode(&data)); err != nil {
				t.Fatal(err)
			}
			m := dt.Meta()
			f, err := codec.Decode(domain.Recorded{
				Stream: domain.StreamName(a.Category, m.Target), ID: m.EventID(0), Type: name, Data: data, Metadata: metadata,
			})
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			s := f.Event.Sentence()
			if s == "" || strings.TrimRight(s, " :,(") != s || strings.Contains(s, "  ") || strings.Contains(s, " :") {
				t.Errorf("%s without its people: %q", name, s)
			}
		}
	}
}
