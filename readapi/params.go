package readapi

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/atrium-portal/atrium/domain"
)

// params are the query parameters of a request, read strictly: the first that is unknown, given twice or not readable
// is the fault.
type params struct {
	values url.Values
	fault  *domain.Fault
}

// parseParams reads the parameters of a request, which may have those named and no others.
func parseParams(r *http.Request, allowed ...string) *params {
	p := new(params)
	var err error
	if p.values, err = url.ParseQuery(r.URL.RawQuery); err != nil {
		p.fail("", "query-malformed", "The part of the address after the question mark cannot be read.")
		return p
	}
	p.only(allowed)
	return p
}

// only refuses all parameters but those named.
func (p *params) only(allowed []string) {
	names := make([]string, 0, len(p.values))
	for name := range p.values {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		switch {
		case !slices.Contains(allowed, name):
			p.fail(clean(name), "unknown-parameter", "There is no parameter "+clean(name)+" here. "+offer(allowed))
		case len(p.values[name]) > 1:
			p.fail(name, "duplicate-parameter", "Give the parameter "+name+" once.")
		}
	}
}

func offer(allowed []string) string {
	if len(allowed) == 0 {
		return "There are none."
	}
	return "There are " + strings.Join(allowed, ", ") + "."
}

// clean is a name that somebody made up, fit to be shown.
func clean(name string) string {
	name = strings.Map(func(c rune) rune {
		if c < ' ' || c == utf8.RuneError || c == 0x7f {
			return -1
		}
		return c
	}, name)
	if runes := []rune(name); len(runes) > 40 {
		name = string(runes[:40]) + "…"
	}
	return name
}

func (p *params) fail(name, code, message string) {
	if p.fault == nil {
		p.fault = &domain.Fault{Kind: domain.Malformed, Code: code, Field: name, Message: message}
	}
}

// err is the fault, if any.
func (p *params) err() error {
	if p.fault == nil {
		return nil
	}
	return p.fault
}

// get gives a parameter; ok is false when it is not there. An empty one is a mistake.
func (p *params) get(name string) (value string, ok bool) {
	list := p.values[name]
	if len(list) == 0 {
		return "", false
	}
	if list[0] == "" {
		p.fail(name, "parameter-empty", "Give the parameter "+name+" a value, or leave it out.")
		return "", false
	}
	return list[0], true
}

const (
	defaultLimit = 50
	maxLimit     = 200
	maxSearch    = 200
)

func (p *params) limit() int {
	value, ok := p.get("limit")
	if !ok {
		return defaultLimit
	}
	n, err := strconv.Atoi(value)
	if err != nil || n < 1 || n > maxLimit {
		p.fail("limit", "limit-invalid", "Give a limit from 1 to "+strconv.Itoa(maxLimit)+".")
	}
	return n
}

// text is a piece of text to look for.
func (p *params) text(name string) (string, bool) {
	value, ok := p.get(name)
	if ok && (!utf8.ValidString(value) || strings.ContainsRune(value, 0) || utf8.RuneCountInString(value) > maxSearch) {
		p.fail(name, "parameter-invalid", "Give at most "+strconv.Itoa(maxSearch)+" characters of text.")
		return "", false
	}
	return value, ok
}

func (p *params) id(name string) (domain.ID, bool) {
	value, ok := p.get(name)
	if !ok {
		return domain.NoID, false
	}
	id, ok := parseID(value)
	if !ok {
		p.fail(name, "parameter-invalid", "Give an id such as 0198a6f2-3c11-7cc2-9d1e-5a3b8c7d6e5f.")
	}
	return id, ok
}

func (p *params) date(name string) (domain.Date, bool) {
	value, ok := p.get(name)
	if !ok {
		return domain.Date{}, false
	}
	date, err := domain.ParseDate(value)
	if err != nil {
		p.fail(name, "parameter-invalid", "Give a date such as 2026-03-31.")
	}
	return date, err == nil
}

// instant is a point in time, or a date: midnight where the firm is, at the start of the date or, for the end of a
// period, of the day after.
func (p *params) instant(name string, zone *time.Location, end bool) (time.Time, bool) {
	value, ok := p.get(name)
	if !ok {
		return time.Time{}, false
	}
	if date, err := domain.ParseDate(value); err == nil {
		if end {
			date = date.AddDays(1)
		}
		return time.Date(date.Year, date.Month, date.Day, 0, 0, 0, 0, zone), true
	}
	at, err := time.Parse(time.RFC3339Nano, value)
	if err != nil || at.Year() < 1900 || at.Year() > 9999 {
		p.fail(name, "parameter-invalid", "Give a date such as 2026-03-31 or a time such as 2026-03-31T09:30:00Z.")
		return time.Time{}, false
	}
	return at, true
}

func (p *params) yesNo(name string) (value, ok bool) {
	text, ok := p.get(name)
	if ok && text != "true" && text != "false" {
		p.fail(name, "parameter-invalid", "Give true or false.")
	}
	return text == "true", ok
}

// words is a list from a fixed set, separated by commas.
func (p *params) words(name string, known []string) ([]string, bool) {
	value, ok := p.get(name)
	if !ok {
		return nil, false
	}
	words := strings.Split(value, ",")
	for _, w := range words {
		if !slices.Contains(known, w) {
			p.fail(name, "parameter-invalid", "Give one or more of "+strings.Join(known, ", ")+", separated by commas.")
			return nil, false
		}
	}
	return words, true
}

// oneOf is one word from a fixed set; the first when it is not given.
func (p *params) oneOf(name string, known []string) string {
	value, ok := p.get(name)
	if !ok {
		return known[0]
	}
	if !slices.Contains(known, value) {
		p.fail(name, "parameter-invalid", "Give one of "+strings.Join(known, ", ")+".")
		return known[0]
	}
	return value
}

// after is the position that the answer must have reached.
func (p *params) after() (domain.Position, bool) {
	value, ok := p.get("after")
	if !ok {
		return domain.Position{}, false
	}
	position, err := domain.ParsePosition(value)
	if err != nil {
		p.fail("after", "parameter-invalid", "Give a position as a command's reply has it.")
	}
	return position, err == nil
}

// parseID reads an id as we write it. Any other spelling names nothing.
func parseID(text string) (domain.ID, bool) {
	var id domain.ID
	err := id.UnmarshalText([]byte(text))
	return id, err == nil && id != domain.NoID && id.String() == text
}
