package domain

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Sealed is a personal value in the JSON of a stored event.
type Sealed struct {
	Path    string // where it stands: ".signers[0].name"
	Subject string // whose key seals it
	stored  sealedText
}

// Disclosure is the plain text of one sealed value with its salt: enough to check that this is what was sealed, and
// no key to anything else.
type Disclosure struct {
	Salt []byte `json:"salt"`
	Text string `json:"text"`
}

// Commits reports whether d is what was sealed.
func (s Sealed) Commits(d Disclosure) bool {
	sum := sha256.Sum256(append(slices.Clone(d.Salt), d.Text...))
	return len(d.Salt) == saltSize && bytes.Equal(sum[:], s.stored.Commitment)
}

// FindSealed lists the personal values in the data or metadata of a stored event, by path.
func FindSealed(stored []byte) ([]Sealed, error) {
	if !bytes.Contains(stored, []byte(`"h":`)) { // no commitment, nothing sealed
		return nil, nil
	}
	var v any
	if err := json.Unmarshal(stored, &v); err != nil {
		return nil, err
	}
	return findSealed(nil, v, ""), nil
}

func findSealed(found []Sealed, v any, path string) []Sealed {
	switch v := v.(type) {
	case []any:
		for i, each := range v {
			found = findSealed(found, each, path+"["+strconv.Itoa(i)+"]")
		}
	case map[string]any:
		if text, ok := asSealed(v); ok {
			return append(found, Sealed{Path: path, Subject: text.Subject, stored: text})
		}
		for _, name := range slices.Sorted(maps.Keys(v)) {
			found = findSealed(found, v[name], path+"."+name)
		}
	}
	return found
}

// asSealed recognises the stored form of a Personal.
func asSealed(v map[string]any) (s sealedText, ok bool) {
	text := func(name string) string { t, _ := v[name].(string); return t }
	s.Subject, s.Field = text("k"), text("f")
	var err1, err2 error
	s.Ciphertext, err1 = base64.StdEncoding.DecodeString(text("c"))
	s.Commitment, err2 = base64.StdEncoding.DecodeString(text("h"))
	return s, err1 == nil && err2 == nil && s.Subject != "" && len(s.Ciphertext) > 0 && len(s.Commitment) == sha256.Size
}

// Disclose opens the personal values of a stored event, by path. Those of people who were erased are left out.
func (c *Codec) Disclose(r Recorded) (data, metadata map[string]Disclosure, err error) {
	var stored storedMeta
	if err := json.Unmarshal(r.Metadata, &stored); err != nil {
		return nil, nil, fmt.Errorf("metadata of %s revision %d: %w", r.Stream, r.Revision, err)
	}
	place := aad(stored.Firm, r.Stream, r.ID)
	open := func(raw []byte, field func(path string) string) (map[string]Disclosure, error) {
		found, err := FindSealed(raw)
		if err != nil || len(found) == 0 {
			return nil, err
		}
		plain := make(map[string]Disclosure, len(found))
		for _, s := range found {
			text, err := s.stored.plain(c.keys, place, field(s.Path))
			if errors.Is(err, ErrErased) {
				continue
			}
			if err != nil {
				return nil, fmt.Errorf("opening %s of %s revision %d: %w", s.Path, r.Stream, r.Revision, err)
			}
			plain[s.Path] = Disclosure{Salt: text[:saltSize], Text: string(text[saltSize:])}
		}
		return plain, nil
	}
	if data, err = open(r.Data, func(path string) string { return path }); err != nil {
		return nil, nil, err
	}
	metadata, err = open(r.Metadata, func(path string) string { return "$" + strings.TrimPrefix(path, ".") })
	return data, metadata, err
}
