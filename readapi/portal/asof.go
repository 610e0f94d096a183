package portal

import (
	"bytes"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"
	"github.com/go-chi/chi/v5"
	"golang.org/x/net/html"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/readapi"
	"github.com/atrium-portal/atrium/readapi/auth"
	"github.com/atrium-portal/atrium/readapi/portal/ui"
)

// Every page can be looked at as it stood at an instant, with as_of= in its address. Nothing can be done there: requests
// that would are refused, and what leads to them is taken out of the page on its way out, in one place for all pages,
// where links are made to keep the instant too.
const (
	asOf = "as_of"
	// A form may give the instant as a date and a time where the firm is, or in seconds since 1970.
	asOfDate   = "as_of_date"
	asOfTime   = "as_of_time"
	asOfSecond = "as_of_second"
)

// looking refuses to do anything in the past.
func (p *portal) looking(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		switch safe := r.Method == http.MethodGet || r.Method == http.MethodHead; {
		case q.Has(asOf) && !safe:
			p.fail(w, r, errPast)
		case safe && (q.Has(asOfDate) || q.Has(asOfSecond)):
			at, err := chosenInstant(q, auth.From(r.Context()).Settings.Location(), p.Now())
			if err != nil {
				p.fail(w, r, err)
				return
			}
			for _, name := range []string{asOfDate, asOfTime, asOfSecond, "cursor"} {
				q.Del(name)
			}
			http.Redirect(w, r, withAsOf(&url.URL{Path: r.URL.Path, RawQuery: q.Encode()}, at.Format(time.RFC3339Nano)), http.StatusSeeOther)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

var errPast = &domain.Fault{
	Kind: domain.Refused, Code: "as-of-read-only", Field: asOf, Message: "You are looking at the past, where nothing can be changed. Go back to today to do this.",
}

// chosenInstant reads the instant of a form. A time of day means its whole minute, as pages show it.
func chosenInstant(q url.Values, zone *time.Location, now time.Time) (time.Time, error) {
	fault := func(field, message string) error {
		return &domain.Fault{Kind: domain.Malformed, Code: "as-of-unreadable", Field: field, Message: message}
	}
	var at time.Time
	if text := q.Get(asOfSecond); text != "" {
		seconds, err := strconv.ParseInt(text, 10, 64)
		if err != nil || seconds < 0 || seconds > 1<<37 {
			return at, fault(asOfSecond, "Choose a point in time on the slider.")
		}
		at = time.Unix(seconds, 0).Add(time.Second - time.Nanosecond)
	} else {
		date, err := domain.ParseDate(q.Get(asOfDate))
		if err != nil {
			return at, fault(asOfDate, "Give a date such as 2026-03-31.")
		}
		clock := q.Get(asOfTime)
		if clock == "" {
			clock = "23:59"
		}
		day, err := time.Parse("15:04", clock[:min(len(clock), 5)])
		if err != nil {
			return at, fault(asOfTime, "Give a time such as 14:30.")
		}
		at = time.Date(date.Year, date.Month, date.Day, day.Hour(), day.Minute(), 59, 999_999_999, zone)
	}
	if at.After(now) {
		if at.Sub(now) > 24*time.Hour {
			return at, fault(asOfDate, "Give a point in time that has passed.")
		}
		at = now // the end of this day or minute
	}
	return at.UTC(), nil
}

// withAsOf is an address with the instant in it.
func withAsOf(u *url.URL, at string) string {
	q := u.Query()
	q.Set(asOf, at)
	u.RawQuery = q.Encode()
	return u.String()
}

// shownAsOf describes the instant that a page is of; nil for now.
func (v *visit) shownAsOf() *ui.AsOf {
	at := v.q.Then()
	if at.IsZero() {
		return nil
	}
	return &ui.AsOf{Time: at, Zone: v.scope.Settings.Location(), Now: today(v.r)}
}

// today is the address of a page as it is now.
func today(r *http.Request) string {
	now := *r.URL
	q := now.Query()
	q.Del(asOf)
	now.RawQuery = q.Encode()
	return now.RequestURI()
}

// ofThePast makes a page one of the past: links keep the instant, and what leads to doing something is gone.
func (p *portal) ofThePast(page []byte, at string) []byte {
	var out bytes.Buffer
	out.Grow(len(page) + len(page)/4)
	tokens := html.NewTokenizer(bytes.NewReader(page))
	gone := "" // the element that is left out
	for {
		kind := tokens.Next()
		if kind == html.ErrorToken { // the end: pages are read from memory
			return out.Bytes()
		}
		raw := slices.Clone(tokens.Raw())
		name, more := tokens.TagName()
		tag := string(name)
		switch {
		case gone != "":
			if kind == html.EndTagToken && tag == gone {
				gone = ""
			}
		case kind != html.StartTagToken || tag != "a" && tag != "form":
			out.Write(raw)
		default:
			element := html.Token{Type: kind, Data: tag}
			for more {
				var key, value []byte
				key, value, more = tokens.TagAttr()
				element.Attr = append(element.Attr, html.Attribute{Key: string(key), Val: string(value)})
			}
			if !p.keep(&element, at) {
				gone = tag
				continue
			}
			out.WriteString(element.String())
			if tag == "form" {
				field := html.Token{Type: html.StartTagToken, Data: "input", Attr: []html.Attribute{{Key: "type", Val: "hidden"}, {Key: "name", Val: asOf}, {Key: "value", Val: at}}}
				if attribute(element, "method") != "post" {
					out.WriteString(field.String())
				}
			}
		}
	}
}

// keep decides whether a link or a form stays on a page of the past, and has a link keep the instant.
func (p *portal) keep(element *html.Token, at string) bool {
	if element.Data == "form" {
		action := attribute(*element, "action")
		return attribute(*element, "method") != "post" || action == p.Doors.SignOut || action == previewEnd
	}
	for i, a := range element.Attr {
		if a.Key != "href" {
			continue
		}
		to, err := url.Parse(a.Val)
		if err != nil || !strings.HasPrefix(to.Path, "/") || to.Host != "" || to.Query().Has(asOf) || attribute(*element, "rel") == leaves {
			continue
		}
		if p.routes.Match(chi.NewRouteContext(), http.MethodPost, to.Path) {
			return slices.Contains([]string{p.Doors.Security, p.Doors.Help, p.Doors.Privacy}, to.Path)
		}
		element.Attr[i].Val = withAsOf(to, at)
	}
	return true
}

// leaves is the relation of the link that leads back to today.
const leaves = "alternate"

func attribute(t html.Token, key string) string {
	for _, a := range t.Attr {
		if a.Key == key {
			return strings.ToLower(a.Val)
		}
	}
	return ""
}

// timeTravel lets people choose the instant that a page is of.
type timeTravel struct {
	Path     string // of the page
	Date     string
	Time     string
	First    int64 // seconds, for the slider; none without a first
	Second   int64
	Last     int64
	Previous string // the addresses of the page as of the changes around it
	Next     string
	Changes  string // the address of what changed since
}

// travel describes the choice on a page of history.
func (v *visit) travel(moments *readapi.Moments, changes string) *timeTravel {
	at := v.q.Then()
	if at.IsZero() {
		at = v.Now()
	}
	local := at.In(v.scope.Settings.Location())
	t := &timeTravel{Path: v.r.URL.Path, Date: local.Format(time.DateOnly), Time: local.Format("15:04"), Second: at.Unix(), Last: v.Now().Unix(), Changes: changes}
	if moments == nil {
		return t
	}
	address := func(at time.Time) string {
		if at.IsZero() {
			return ""
		}
		return withAsOf(&url.URL{Path: t.Path}, at.Format(time.RFC3339Nano))
	}
	t.Previous, t.Next = address(moments.Previous), address(moments.Next)
	if !moments.First.IsZero() {
		t.First = moments.First.Unix()
	}
	return t
}

// slider is the field of the slider, from the first thing that happened until now.
func (t timeTravel) slider() ui.Field {
	return ui.Field{
		Name: asOfSecond, Label: "Point in time", Type: "range", Value: strconv.FormatInt(t.Second, 10),
		Attrs: templ.Attributes{"min": strconv.FormatInt(t.First, 10), "max": strconv.FormatInt(t.Last, 10), "step": "1"},
	}
}
