package readapi

import (
	"encoding/base64"
	"encoding/json"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/atrium-portal/atrium/domain"
)

// cursor is the place after which the next page begins: the sort key and the id of the last item; or the place before
// which the previous page ends. It says nothing about
// what may be seen: a cursor that somebody made up only moves the place.
type cursor struct {
	List  string    `json:"l"` // collection and sort that it belongs to
	Value string    `json:"v"`
	ID    domain.ID `json:"i,omitzero"`
	Back  bool      `json:"b,omitempty"` // the page is the one before
}

func (c cursor) String() string {
	b, err := json.Marshal(c)
	if err != nil {
		return "" // texts and ids always have a JSON form
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

const maxCursor = 2000

// parseCursor reads a cursor of a list whose sort key is of kind; ok is false for anything that we did not write.
func parseCursor(text, list string, kind sortKind) (c cursor, ok bool) {
	if len(text) > maxCursor {
		return cursor{}, false
	}
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || json.Unmarshal(b, &c) != nil || c.List != list || !kind.fits(c.Value) {
		return cursor{}, false
	}
	return c, c.String() == text
}

// sortKind is the type of a sort key in Postgres.
type sortKind string

const (
	sortText    sortKind = "text"
	sortDate    sortKind = "date"
	sortInstant sortKind = "timestamptz"
	sortNumber  sortKind = "bigint"
)

// instantText is how Postgres writes instants as text in UTC.
const instantText = "2006-01-02 15:04:05.999999-07"

// fits tells whether Postgres would read a value as this kind.
func (k sortKind) fits(value string) bool {
	switch k {
	case sortText:
		return utf8.ValidString(value) && !strings.ContainsRune(value, 0)
	case sortDate:
		_, err := domain.ParseDate(value)
		return err == nil
	case sortInstant:
		_, err := time.Parse(instantText, value)
		return err == nil
	case sortNumber:
		_, err := strconv.ParseInt(value, 10, 64)
		return err == nil
	}
	return false
}

// ends are the first and the last item of a page, as they are read: those of a page before come from its end.
type ends struct {
	first, last        cursor
	any                bool
	turned, back, more bool // the page has a cursor, one that goes back; there are items beyond
}

func (e *ends) add(c cursor) {
	if !e.any {
		e.first, e.any = c, true
	}
	e.last = c
}

// cursors lead to the page before and to the next one. Whoever came from a page finds it again.
func (e *ends) cursors() (previous, next string) {
	if !e.any {
		return "", ""
	}
	before, after, hasBefore, hasAfter := e.first, e.last, e.turned, e.more
	if e.back {
		before, after, hasBefore, hasAfter = e.last, e.first, e.more, true
	}
	before.Back = true
	if hasBefore {
		previous = before.String()
	}
	if hasAfter {
		next = after.String()
	}
	return previous, next
}
