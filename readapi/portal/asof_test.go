package portal_test

import (
	"context"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/account"
	"github.com/atrium-portal/atrium/domain/domaintest"
	"github.com/atrium-portal/atrium/domain/invoice"
	"github.com/atrium-portal/atrium/projections"
	"github.com/atrium-portal/atrium/readapi"
)

// instant is an instant as it stands in an address.
func instant(at time.Time) string { return url.QueryEscape(at.Format(time.RFC3339Nano)) }

// moment is when the last command was given.
func (w *world) moment() time.Time { return domaintest.Now.Add(time.Duration(w.n) * time.Second) }

var postForms = regexp.MustCompile(`<form[^>]*method="post"[^>]*action="([^"]*)"|<form[^>]*action="([^"]*)"[^>]*method="post"`)

// TestPagesOfThePast follows every link from the first page as of an instant: all keep it, say so, and none leads to
// anything that could be done.
func TestPagesOfThePast(t *testing.T) {
	w := newWorld(t)
	at := w.moment()
	w.n += 3600
	w.do("north", w.staffOf("ada"), "ChangeAccountDetails", account.ChangeDetails{Account: w.ids["aurora"], Name: changed("Aurora renamed")})
	w.project()
	for who, start := range map[string]struct {
		path  string
		least int
	}{"olga": {"/", 15}, "liam": {"/", 4}, "ada": {"/staff", 20}, "max": {"/staff", 15}} {
		t.Run(who, func(t *testing.T) {
			pages := w.of(t).crawl(start.path+"?as_of="+instant(at), who)
			past := 0
			for path, page := range pages {
				if !strings.HasPrefix(page, "<!doctype html>") {
					continue
				}
				past++
				sound(t, path, page)
				holds(t, page, "You see how things were on", "Back to today")
				_, main, _ := strings.Cut(page, "<main")                                                       // around it stands who is signed in, today
				if i := strings.Index(main, "Aurora renamed"); i >= 0 && !strings.HasPrefix(path, "/people") { // whose head names where they are signed in
					t.Errorf("%s says what was not known yet: %s", path, main[max(0, i-200):i])
				}
				for _, form := range postForms.FindAllStringSubmatch(page, -1) {
					if form[1]+form[2] != "/logout" {
						t.Errorf("%s has a form that does something: %s", path, form[0])
					}
				}
				for _, link := range links.FindAllStringSubmatch(page, -1) {
					to := html.UnescapeString(link[1])
					if strings.HasPrefix(to, "/assets/") || strings.HasPrefix(to, "/account/") || strings.HasPrefix(to, "/login") {
						continue
					}
					if !strings.Contains(to, "as_of=") && !strings.Contains(page, `href="`+link[1]+`" class="button small" rel="alternate"`) {
						t.Errorf("%s leads to today: %s", path, to)
					}
				}
			}
			if past < start.least {
				t.Errorf("only %d pages of the past", past)
			}
		})
	}
}

func changed(text string) *domain.Personal {
	p := domain.P(text)
	return &p
}

func TestNothingIsDoneInThePast(t *testing.T) {
	w := newWorld(t)
	at := instant(w.moment())
	before := len(w.log.All())
	for _, c := range []struct{ path, who string }{
		{"/invoices/" + w.id("invoice olga") + "/question", "olga"},
		{"/profile", "olga"},
		{"/staff/clients/" + w.id("aurora") + "/edit", "ada"},
		{"/staff/invoices/" + w.id("draft") + "/send", "ada"},
	} {
		for _, a := range []answer{w.post(c.path+"?as_of="+at, c.who, "text", "What is this?", "name", "Somebody"), w.get(c.path+"?as_of="+at, c.who)} {
			if a.status != http.StatusConflict || !strings.Contains(a.body, "Back to today") {
				t.Errorf("%s as %s: %d", c.path, c.who, a.status)
			}
		}
	}
	if len(w.log.All()) != before {
		t.Error("something was done")
	}
}

func TestChoosingAPointInTime(t *testing.T) {
	w := newWorld(t)
	first := w.moment()
	w.n += 3600
	w.invoice("north", "aurora", "late", 50_000, "2026-04-30")
	w.do("north", w.staffOf("ada"), "SendInvoice", invoice.Send{Invoice: w.ids["late"]})
	w.project()
	page := w.page("/history", "olga")
	holds(t, page, `name="as_of_date"`, `name="as_of_time"`, `type="range"`, "Previous change", "What changed since")
	for query, want := range map[string]string{
		"as_of_date=2026-03-02&as_of_time=10:31":                         "2026-03-02T09:31:59.999999999Z", // Berlin
		"as_of_date=2026-03-02":                                          "2026-03-02T22:59:59.999999999Z",
		"as_of_second=1772440000&module=invoice&cursor=x":                "2026-03-02T08:26:40.999999999Z",
		"as_of_date=2026-03-02&as_of_time=10:31&as_of=" + instant(first): "2026-03-02T09:31:59.999999999Z",
	} {
		a := w.get("/history?"+query, "olga")
		to, err := url.Parse(a.header.Get("Location"))
		if err != nil || a.status != http.StatusSeeOther || to.Path != "/history" || to.Query().Get("as_of") != want || to.Query().Has("as_of_date") || to.Query().Has("cursor") {
			t.Errorf("%s leads to %d %s, want %s", query, a.status, to, want)
		}
		if strings.Contains(query, "module") && to.Query().Get("module") != "invoice" {
			t.Errorf("%s loses what was chosen: %s", query, to)
		}
	}
	for _, query := range []string{"as_of_date=x", "as_of_date=2026-03-02&as_of_time=noon", "as_of_second=x", "as_of_second=-1", "as_of_date=2030-01-01", "as_of=x", "as_of=2030-01-01T00:00:00Z"} {
		if a := w.get("/history?"+query, "olga"); a.status != http.StatusBadRequest {
			t.Errorf("%s: %d", query, a.status)
		}
	}
	if a := w.get("/invoices?as_of="+instant(domaintest.Now.AddDate(-1, 0, 0)), "olga"); a.status != http.StatusNotFound {
		t.Errorf("before the account was there: %d", a.status)
	}
	// The invoice is not there before it was sent, and the list does not know it.
	then := "?as_of=" + instant(first)
	if a := w.get("/invoices/"+w.id("late")+then, "olga"); a.status != http.StatusNotFound {
		t.Errorf("an invoice before it was sent: %d", a.status)
	}
	lacks(t, w.page("/invoices"+then, "olga"), w.id("late"))
	holds(t, w.page("/invoices", "olga"), w.id("late"))
	// From change to change until it is there.
	next := regexp.MustCompile(`href="(/history\?as_of=[^"]*)"[^>]*>(?:<svg[^>]*><use[^>]*></use></svg>)?\s*<span>Next change`)
	page = w.page("/history"+then, "olga")
	for steps := 0; !strings.Contains(page, w.id("late")); steps++ {
		to := next.FindStringSubmatch(page)
		if to == nil || steps > 5 {
			t.Fatalf("there is no way to the invoice after %d steps", steps)
		}
		page = w.page(html.UnescapeString(to[1]), "olga")
	}
}

func TestWhatChanged(t *testing.T) {
	w := newWorld(t)
	w.n += 3 * 24 * 3600
	w.do("north", w.staffOf("ada"), "ChangeAccountDetails", account.ChangeDetails{Account: w.ids["aurora"], Name: changed("Aurora renamed")})
	w.project()
	for path, who := range map[string]string{"/changes?from=2026-03-04": "olga", "/staff/clients/" + w.id("aurora") + "/changes?from=2026-03-04": "ada"} {
		page := w.page(path, who)
		holds(t, page, "Records that differ", "Account has changed", "Aurora renamed", "What happened in between")
		lacks(t, page, "Invoice is new")
		sound(t, path, page)
		if a := w.get(strings.Replace(path, "2026-03-04", "x", 1), who); a.status != http.StatusBadRequest {
			t.Errorf("a date that is none: %d", a.status)
		}
	}
	holds(t, w.page("/changes?from=2026-03-20", "olga"), "Nothing changed")
}

// supposer is what-if questions without the reading of what people write: a tax rate of 0, or nothing, is supposed.
type supposer struct{ w *world }

// Suppose implements readapi.Supposer.
func (s supposer) Suppose(ctx context.Context, firm, account domain.ID, h readapi.Hypothesis) (*readapi.WhatIf, error) {
	if h.TaxRate == "x" {
		return nil, &domain.Fault{Kind: domain.Malformed, Code: "hypothesis-unreadable", Field: "tax_rate", Message: "Give percent."}
	}
	var supposed projections.Hypothesis
	if h.TaxRate != "" {
		supposed.TaxRate = new(domain.Decimal)
	}
	got, err := s.w.engine.WhatIf(ctx, s.w.log, projections.Whose{Firm: firm, Account: account}, later(), supposed)
	if err != nil {
		return nil, err
	}
	shown := &readapi.WhatIf{}
	for _, i := range got.Invoices {
		figures := func(f projections.Figures) readapi.Figures {
			return readapi.Figures{Billed: domain.Money{Amount: f.Billed, Currency: got.Currency}, Due: domain.Money{Amount: f.Due, Currency: got.Currency}}
		}
		shown.Invoices = append(shown.Invoices, readapi.SupposedInvoice{ID: i.Invoice, Label: i.Label, Real: figures(i.Real), WhatIf: figures(i.WhatIf)})
	}
	return shown, nil
}

func TestWhatIfPage(t *testing.T) {
	w := newWorld(t)
	head := len(w.log.All())
	path := "/staff/clients/" + w.id("aurora") + "/what-if"
	page := w.page(path+"?tax_rate=0", "max")
	sound(t, path, page)
	holds(t, page, "Billed, what if", "119.00", "100.00", "Nothing is stored")
	holds(t, w.page(path+"?tax_rate=x", "max"), "Give percent.", `value="x"`)
	if len(w.log.All()) != head {
		t.Error("something was appended")
	}
}
