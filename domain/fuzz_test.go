package domain_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/catalog"
	dt "github.com/atrium-portal/atrium/domain/domaintest"
)

// FuzzEvent reads anything as a stored event of any type: it is read or refused, and what is read has a sentence and is
// written again as it was understood. Nothing panics, whatever somebody put into the log.
func FuzzEvent(f *testing.F) {
	erased, err := domain.NewCodec(catalog.Types(), nobody{}, nil)
	if err != nil {
		f.Fatal(err)
	}
	var types []domain.Type
	var names []string
	for _, a := range catalog.Types() {
		for _, e := range a.Events {
			stored, err := os.ReadFile(filepath.Join(a.Category, "testdata", e.EventType()+".json"))
			if err != nil {
				f.Fatal(err)
			}
			var metadata, data json.RawMessage
			d := json.NewDecoder(bytes.NewReader(stored))
			if err := errors.Join(d.Decode(&metadata), d.Decode(&data)); err != nil {
				f.Fatal(err)
			}
			f.Add(uint8(len(names)), []byte(data), []byte(metadata))
			types, names = append(types, a), append(names, e.EventType())
		}
	}
	f.Add(uint8(0), []byte(`{"name":{"k":"","c":"","h":""}}`), []byte(`{"v":1,"actor":"x","time":"0000-00-00"}`))
	f.Fuzz(func(t *testing.T, which uint8, data, metadata []byte) {
		n := int(which) % len(names)
		r := domain.Recorded{
			Stream: domain.StreamName(types[n].Category, dt.ID("it")), ID: dt.ID("event"), Type: names[n], Data: data, Metadata: metadata,
		}
		if err := erased.Prefetch([]domain.Recorded{r}); err != nil {
			t.Fatal(err)
		}
		fact, err := erased.Decode(r)
		if err != nil {
			return
		}
		_ = fact.Event.Sentence()
		again, err := json.Marshal(fact.Event)
		if err != nil {
			return // text that is not sealed is never written: that refuses it
		}
		r.Data = again
		if _, err := erased.Decode(r); err != nil {
			t.Fatalf("what was read as %s cannot be read again: %v\n%s", names[n], err, again)
		}
	})
}
