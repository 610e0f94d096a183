package readapi_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/invoice"
	"github.com/atrium-portal/atrium/readapi"
	"github.com/atrium-portal/atrium/readapi/auth"
)

// scopeOf is the scope of somebody as pages have it.
func (w *world) scopeOf(who string) *auth.Scope {
	w.t.Helper()
	token := w.tokens.tokens[who]
	settings, _, err := people{w.loop}.Firm(context.Background(), token.Firm)
	if err != nil {
		w.t.Fatal(err)
	}
	s := &auth.Scope{Firm: token.Firm, Settings: settings, Rights: token.Rights, ShowHistory: true}
	if token.Staff != domain.NoID {
		s.Actor, s.Unreleased = domain.Actor{Kind: domain.Staff, ID: token.Staff}, true
		return s
	}
	access, err := people{w.loop}.Contact(context.Background(), token.Firm, token.Contact, domain.NoID)
	if err != nil {
		w.t.Fatal(err)
	}
	s.Actor, s.Account, s.Permissions = domain.Actor{Kind: domain.Client, ID: token.Contact}, access.Account, access.Permissions
	return s
}

func TestReader(t *testing.T) {
	w := newWorld(t)
	w.do("north", w.contactOf("olga"), "QuestionInvoice", invoice.Question{Invoice: w.ids["invoice aurora"], Text: domain.P("What is this?")})
	w.project()
	traced := conversation{}
	pool := func(config *pgxpool.Config) *pgxpool.Pool {
		config = config.Copy()
		config.ConnConfig.Tracer = &traced
		config.MaxConns = 1
		return open(t, config)
	}
	reader, err := readapi.NewReader(readapi.Pools{Client: pool(w.client), Staff: pool(w.staff)}, w.engine, w.options.Past, w.options.Now)
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()

	t.Run("a page is one round trip", func(t *testing.T) {
		for range 2 { // the first prepares the statements
			traced = conversation{}
			r := reader.Read(w.scopeOf("olga"))
			frame := readapi.FrameOf(r)
			list := readapi.List[readapi.Invoice](r, url.Values{"limit": {"2"}, "sort": {"number"}})
			one := readapi.Get[readapi.InvoiceDetail](r, w.ids["invoice aurora"].String(), nil)
			history := readapi.History(r, "invoices", w.ids["invoice aurora"].String(), url.Values{"limit": {"1"}})
			dashboard := readapi.Dashboard(r, 8)
			if err := r.Run(ctx); err != nil {
				t.Fatal(err)
			}
			if frame.Name != "Olga" || frame.Account != "Aurora" || frame.ToPay != 1 || frame.ToSign != 1 {
				t.Errorf("frame: %+v", frame)
			}
			if len(list.Items) != 2 || list.Next == "" || list.Items[0].Number != "0001" {
				t.Errorf("list: %+v", list)
			}
			if one.Number != "0001" || len(one.Questions) != 1 || one.Questions[0].Name != "Olga" || one.Questions[0].Text != "What is this?" {
				t.Errorf("one: %+v", one)
			}
			if len(history.Items) != 1 || history.Next == "" || history.Items[0].IP != "" {
				t.Errorf("history: %+v", history)
			}
			if len(dashboard.Actions) != 2 || r.Position() == (domain.Position{}) {
				t.Errorf("dashboard: %+v", dashboard)
			}
		}
		if traced.batches != 1 || traced.queries != 0 || traced.prepares != 0 {
			t.Errorf("%d batches, %d queries, %d prepares", traced.batches, traced.queries, traced.prepares)
		}
	})
	t.Run("the staff's home", func(t *testing.T) {
		r := reader.Read(w.scopeOf("ada"))
		frame, home := readapi.FrameOf(r), readapi.HomeOf(r, 8)
		if err := r.Run(ctx); err != nil {
			t.Fatal(err)
		}
		kinds := map[string]int{}
		for _, a := range home.Attention {
			kinds[a.Kind]++
		}
		if frame.Asked != 1 || frame.Overdue != 2 || kinds[readapi.AttentionToQuestion] != 1 || kinds[readapi.AttentionToOverdue] != 2 || kinds[readapi.AttentionToFrozen] != 1 ||
			kinds[readapi.AttentionToUnsigned] != 1 {
			t.Errorf("%+v, %v", frame, kinds)
		}
		total, due := int64(0), home.Totals[0].Due.Amount
		for _, a := range home.Ageing {
			total += a.Current.Amount + a.Days30.Amount + a.Days60.Amount + a.Days90.Amount + a.Older.Amount
		}
		if total != due {
			t.Errorf("%d is owed, by age it is %d", due, total)
		}
		billed, paid := int64(0), int64(0)
		for _, m := range home.Months {
			billed, paid = billed+m.Billed.Amount, paid+m.Paid.Amount
		}
		if billed-paid != due {
			t.Errorf("by month %d was billed and %d paid, but %d is owed", billed, paid, due)
		}
		if len(home.Latest) != 8 || slices.ContainsFunc(home.Latest, func(e readapi.StaffEntry) bool { return e.Record.Type == "numbering" || e.Sentence == "" }) {
			t.Errorf("the latest: %+v", home.Latest)
		}
		if len(home.Stages) != 2 || home.Stages[0].Stage != "Discovery" {
			t.Errorf("%+v", home.Stages)
		}
	})
	t.Run("what may not be read is a fault", func(t *testing.T) {
		for want, ask := range map[string]func(*readapi.Reading){
			"not-found": func(r *readapi.Reading) {
				readapi.Get[readapi.InvoiceDetail](r, w.ids["invoice borealis"].String(), nil)
			},
			"not-found ":        func(r *readapi.Reading) { readapi.Get[readapi.InvoiceDetail](r, "x", nil) },
			"limit-invalid":     func(r *readapi.Reading) { readapi.List[readapi.Invoice](r, url.Values{"limit": {"0"}}) },
			"cursor-invalid":    func(r *readapi.Reading) { readapi.List[readapi.Invoice](r, url.Values{"cursor": {"x"}}) },
			"internal":          func(r *readapi.Reading) { readapi.List[readapi.StaffInvoice](r, nil) }, // is for staff
			"parameter-invalid": func(r *readapi.Reading) { readapi.History(r, "", "", url.Values{"from": {"yesterday"}}) },
		} {
			r := reader.Read(w.scopeOf("olga"))
			ask(r)
			if got := domain.AsFault(r.Run(ctx)).Code; got != want && got+" " != want {
				t.Errorf("%s, want %s", got, want)
			}
		}
		r := reader.Read(w.scopeOf("liam"))
		readapi.List[readapi.Invoice](r, nil)
		if got := domain.AsFault(r.Run(ctx)).Code; got != "not-permitted" {
			t.Errorf("without the permission: %s", got)
		}
	})
	t.Run("what is taken away is what the route gives", func(t *testing.T) {
		for _, x := range []struct {
			who, path, collection, id string
			ask                       url.Values
		}{
			{"ada", "/api/v1/history?format=csv", "", "", url.Values{"format": {"csv"}}},
			{"ada", "/api/v1/history?format=json&module=invoice", "", "", url.Values{"format": {"json"}, "module": {"invoice"}}},
			{"olga", "/api/v1/accounts/" + w.ids["aurora"].String() + "/history?format=csv", "accounts", w.ids["aurora"].String(), url.Values{"format": {"csv"}}},
		} {
			var taken bytes.Buffer
			var of readapi.Opened
			done, whole := int64(0), int64(0)
			total, err := reader.Export(ctx, &taken, readapi.HistoryExport{
				Collection: x.collection, ID: x.id, Taking: readapi.Taking{
					Scope: w.scopeOf(x.who), Ask: x.ask,
					Begin:    func(o readapi.Opened) error { of = o; return nil },
					Progress: func(d, t int64) { done, whole = d, t },
				},
			})
			if err != nil {
				t.Fatal(err)
			}
			if want := w.ask(http.MethodGet, x.path, x.who).body; taken.String() != want || total == 0 || done != total || whole != total {
				t.Errorf("%s: %d of %d of %d entries, %d bytes, want %d", x.path, done, whole, total, taken.Len(), len(want))
			}
			if (of.Type == "account") != (x.collection != "") {
				t.Errorf("%s is taken of %+v", x.path, of)
			}
		}
		refuse := func(ask url.Values, id string, begin error) string {
			_, err := reader.Export(ctx, io.Discard, readapi.HistoryExport{
				Collection: "accounts", ID: id, Taking: readapi.Taking{
					Scope: w.scopeOf("olga"), Ask: ask,
					Begin: func(readapi.Opened) error { return begin }, Progress: func(int64, int64) {},
				},
			})
			return domain.AsFault(err).Code
		}
		ask := url.Values{"format": {"csv"}}
		for want, got := range map[string]string{
			"not-found":         refuse(ask, w.ids["borealis"].String(), nil),
			"parameter-invalid": refuse(url.Values{"format": {"xml"}}, w.ids["aurora"].String(), nil),
			"not-on-record":     refuse(ask, w.ids["aurora"].String(), &domain.Fault{Kind: domain.Unavailable, Code: "not-on-record"}),
		} {
			if got != want {
				t.Errorf("%s, want %s", got, want)
			}
		}
	})
	t.Run("a list is taken away as the API lists it", func(t *testing.T) {
		take := func(who, collection, format string) string {
			var taken bytes.Buffer
			_, err := reader.ExportList(ctx, &taken, readapi.ListExport{Collection: collection, Taking: readapi.Taking{
				Scope: w.scopeOf(who), Ask: url.Values{"format": {format}},
				Begin: func(readapi.Opened) error { return nil }, Progress: func(int64, int64) {},
			}})
			if err != nil {
				return domain.AsFault(err).Code
			}
			return taken.String()
		}
		for _, x := range []struct{ who, collection string }{
			{"ada", "accounts"},
			{"ada", "contacts"},
			{"ada", "invoices"},
			{"ada", "payments"},
			{"ada", "payment-attempts"},
			{"ada", "projects"},
			{"ada", "contracts"},
			{"ada", "team"},
			{"olga", "invoices"},
			{"olga", "contacts"},
			{"olga", "payments"},
		} {
			var taken, listed struct{ Items []map[string]any }
			if err := json.Unmarshal([]byte(take(x.who, x.collection, "json")), &taken); err != nil {
				t.Fatal(x, err)
			}
			if err := json.Unmarshal([]byte(w.ask(http.MethodGet, "/api/v1/"+x.collection+"?limit=200", x.who).body), &listed); err != nil {
				t.Fatal(x, err)
			}
			if d := cmp.Diff(listed.Items, taken.Items); d != "" || len(taken.Items) == 0 && x.collection != "payment-attempts" {
				t.Errorf("%s's %s (-listed +taken): %s", x.who, x.collection, d)
			}
			lines, err := csv.NewReader(strings.NewReader(take(x.who, x.collection, "csv"))).ReadAll()
			if err != nil || len(lines) != len(listed.Items)+1 {
				t.Fatalf("%s's %s: %d lines for %d things: %v", x.who, x.collection, len(lines), len(listed.Items), err)
			}
			for n, item := range listed.Items {
				for i, column := range lines[0] {
					want, is := item[column].(string)
					if is && lines[n+1][i] != want {
						t.Errorf("%s of a %s is %q, want %q", column, x.collection, lines[n+1][i], want)
					}
				}
			}
		}
		if got := take("ada", "everything", "csv"); got != "not-found" {
			t.Errorf("a list that there is not: %s", got)
		}
		if got := take("liam", "invoices", "csv"); got != "not-permitted" {
			t.Errorf("a list that is not theirs to see: %s", got)
		}
	})
	t.Run("waits, but not for long", func(t *testing.T) {
		position, err := w.engine.Position(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if ok, err := reader.Await(ctx, position); !ok || err != nil {
			t.Errorf("what is there: %t, %v", ok, err)
		}
		if ok, err := reader.Await(ctx, domain.Position{Commit: position.Commit + 1, Prepare: position.Commit + 1}); ok || err != nil {
			t.Errorf("what never comes: %t, %v", ok, err)
		}
	})
	if _, err := readapi.NewReader(readapi.Pools{}, nil, nil, nil); err == nil {
		t.Error("a reader of nothing")
	}
}
