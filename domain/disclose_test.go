package domain_test

import (
	"maps"
	"slices"
	"testing"

	"github.com/atrium-portal/atrium/domain"
	dt "github.com/atrium-portal/atrium/domain/domaintest"
)

// One field can be shown and checked without its key; that of an erased person can not.
func TestDisclosedTextIsWhatWasSealed(t *testing.T) {
	keys := dt.NewKeys()
	codec := newCodec(t, keys, letters)
	m := dt.Meta()
	m.IP = domain.P("192.0.2.7")
	stored := recorded(t, codec, "letter", posted{
		Subject: domain.P("Hello"), Reader: dt.ID("ana"), Name: domain.P("Ana"), Copies: []copied{{dt.ID("ada"), domain.P("Ada")}},
	}, m)
	keys.Erase("contact:" + dt.ID("ana").String())

	data, metadata, err := codec.Disclose(stored)
	if err != nil {
		t.Fatal(err)
	}
	if paths := slices.Sorted(maps.Keys(data)); !slices.Equal(paths, []string{".copies[0].name", ".subject"}) {
		t.Errorf("disclosed %v", paths)
	}
	if data[".copies[0].name"].Text != "Ada" || data[".subject"].Text != "Hello" || metadata[".ip"].Text != "192.0.2.7" || len(metadata) != 1 {
		t.Errorf("disclosed %v and %v", data, metadata)
	}
	for _, part := range []struct {
		raw   []byte
		plain map[string]domain.Disclosure
	}{{stored.Data, data}, {stored.Metadata, metadata}} {
		found, err := domain.FindSealed(part.raw)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range found {
			d, shown := part.plain[s.Path]
			if erased := s.Subject == "contact:"+dt.ID("ana").String(); shown == erased || s.Commits(d) != shown {
				t.Errorf("%s of %s: disclosed %v", s.Path, s.Subject, shown)
			}
			if !shown {
				continue
			}
			if s.Commits(domain.Disclosure{Salt: d.Salt, Text: d.Text + "."}) {
				t.Errorf("%s commits to another text as well", s.Path)
			}
			// The border is fixed, or the beginning of a text could be passed off as salt.
			if s.Commits(domain.Disclosure{Salt: append(slices.Clone(d.Salt), d.Text[0]), Text: d.Text[1:]}) {
				t.Errorf("%s commits to a part of its text as well", s.Path)
			}
		}
	}
}
