package readapi_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/google/go-cmp/cmp"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/account"
	"github.com/atrium-portal/atrium/domain/contact"
	"github.com/atrium-portal/atrium/domain/domaintest"
	"github.com/atrium-portal/atrium/domain/firm"
	"github.com/atrium-portal/atrium/domain/invoice"
	"github.com/atrium-portal/atrium/readapi"
)

// as adds as_of to a path.
func as(path string, at time.Time) string {
	separator := "?"
	if strings.Contains(path, "?") {
		separator = "&"
	}
	return path + separator + "as_of=" + url.QueryEscape(at.Format(time.RFC3339Nano))
}

// moment is when the last command was given.
func (w *world) moment() time.Time { return domaintest.Now.Add(time.Duration(w.n) * time.Second) }

// days lets days pass before the next command.
func (w *world) days(n int) { w.n += n * 24 * 60 * 60 }

// testAsOfNow asks every route, as every role, for every kind of id, for how things are and for how they are as of now:
// what is answered, and what is refused, is the same.
func testAsOfNow(t *testing.T, w *world) {
	asked := 0
	err := chi.Walk(w.handler.(chi.Routes), func(method, pattern string, _ http.Handler, _ ...func(http.Handler) http.Handler) error {
		route, below := strings.CutPrefix(strings.TrimSuffix(pattern, "/"), "/api/v1/")
		if method != http.MethodGet || !below || route == "events" || strings.HasPrefix(route, "ops/") {
			return nil
		}
		if strings.HasSuffix(route, "/diff") || strings.HasSuffix(route, "/evidence") || strings.HasPrefix(route, "files") {
			return nil // names its instants itself; is no reading
		}
		ids := []string{""}
		if collection, _, one := strings.Cut(route, "/{id}"); one {
			ids = []string{domaintest.ID("none").String(), "x"}
			for name := range sights[collection].sees {
				ids = append(ids, w.ids[name].String())
			}
		}
		for _, id := range ids {
			path := strings.Replace("/api/v1/"+route, "{id}", id, 1)
			for _, role := range slices.Concat(inside, outside) {
				now, then := w.ask(method, path, role), w.ask(method, as(path, w.options.Now()), role)
				asked++
				if d := cmp.Diff(requestID.ReplaceAllString(now.body, ""), requestID.ReplaceAllString(then.body, "")); d != "" || now.status != then.status {
					t.Errorf("%s as %q: %d, as of now %d (-now +as of now):\n%s", path, role, now.status, then.status, d)
				}
			}
		}
		return nil
	})
	if err != nil || asked < 500 {
		t.Errorf("%d requests: %v", asked, err)
	}
	// Lists of one account are of its past alone.
	for _, path := range []string{"/api/v1/invoices?account=", "/api/v1/contacts?account=", "/api/v1/payments?account="} {
		path += w.ids["aurora"].String()
		if d := cmp.Diff(w.ask(http.MethodGet, path, "ada").body, w.ask(http.MethodGet, as(path, w.options.Now()), "ada").body); d != "" {
			t.Errorf("%s (-now +as of now):\n%s", path, d)
		}
	}
	for _, format := range []string{"csv", "json"} {
		path := "/api/v1/activity?format=" + format
		if d := cmp.Diff(w.ask(http.MethodGet, path, "olga").body, w.ask(http.MethodGet, as(path, w.options.Now()), "olga").body); d != "" {
			t.Errorf("%s (-now +as of now):\n%s", path, d)
		}
	}
}

func testAsOfParameter(t *testing.T, w *world) {
	for value, code := range map[string]string{
		"": "parameter-empty", "yesterday": "parameter-invalid", "2026-03-31": "parameter-invalid", "2026-03-31T09:30:00": "parameter-invalid",
		"0001-01-01T00:00:00Z": "parameter-invalid", "-1": "parameter-invalid", "2026-13-31T09:30:00Z": "parameter-invalid",
		"9999-01-01T00:00:00Z": "as-of-future", w.options.Now().Add(time.Second).Format(time.RFC3339): "as-of-future",
	} {
		for _, path := range []string{"/api/v1/invoices", "/api/v1/dashboard", "/api/v1/me", "/api/v1/activity", "/api/v1/invoices/" + w.ids["invoice aurora"].String()} {
			for _, who := range []string{"olga", "ada"} {
				a := w.ask(http.MethodGet, path+"?as_of="+url.QueryEscape(value), who)
				var problem struct{ Code, Field string }
				if err := json.Unmarshal([]byte(a.body), &problem); err != nil || a.status != http.StatusBadRequest || problem.Code != code || problem.Field != "as_of" {
					t.Errorf("%s as_of=%s as %s: %d %s", path, value, who, a.status, a.body)
				}
			}
		}
	}
	// Nobody was there.
	for _, path := range []string{"/api/v1/invoices", "/api/v1/dashboard", "/api/v1/accounts/" + w.ids["aurora"].String()} {
		for _, who := range []string{"olga", "ada"} {
			if a := w.ask(http.MethodGet, as(path, domaintest.Now.AddDate(0, -1, 0)), who); a.status != http.StatusNotFound {
				t.Errorf("%s before there was anything, as %s: %d %s", path, who, a.status, a.body)
			}
		}
	}
}

func TestAsOfShowsWhatWasKnown(t *testing.T) {
	w := newWorld(t, func(w *world) {
		w.days(10)
		w.do("north", w.staffOf("ada"), "ChangeAccountDetails", account.ChangeDetails{Account: w.ids["aurora"], Name: ptr(domain.P("Aurora before"))})
		w.ids["before"] = domain.NoID
		w.invoice("north", "aurora", "later", 30_000, "2026-04-30")
		w.project()
		w.options.Now = func() time.Time { return domaintest.Now.AddDate(0, 0, 60) }
	})
	drafted := w.moment()
	w.days(1)
	w.do("north", w.staffOf("ada"), "SendInvoice", invoice.Send{Invoice: w.ids["later"]})
	sent := w.moment()
	w.days(2)
	w.pay("north", "later", 5_000)
	paid := w.moment()
	w.days(1)
	w.do("north", w.staffOf("ada"), "ChangeAccountDetails", account.ChangeDetails{Account: w.ids["aurora"], Name: ptr(domain.P("Aurora renamed"))})
	w.project()

	path := "/api/v1/invoices/" + w.ids["later"].String()
	for _, c := range []struct {
		at      time.Time
		who     string
		status  int
		shown   string
		due     int64
		account string
	}{
		{drafted, "olga", http.StatusNotFound, "", 0, ""},
		{drafted, "ada", http.StatusOK, "draft", 0, "Aurora before"},
		{sent.Add(-time.Nanosecond), "olga", http.StatusNotFound, "", 0, ""},
		{sent, "olga", http.StatusOK, "sent", 35_700, "Aurora before"},
		{sent, "nora", http.StatusOK, "sent", 35_700, "Aurora before"},
		{sent, "bea", http.StatusNotFound, "", 0, ""},
		{sent, "carl", http.StatusNotFound, "", 0, ""},
		{sent, "liam", http.StatusForbidden, "", 0, ""},
		{paid, "olga", http.StatusOK, "part_paid", 30_700, "Aurora before"},
		{w.moment(), "olga", http.StatusOK, "part_paid", 30_700, "Aurora renamed"},
		{w.options.Now(), "olga", http.StatusOK, "overdue", 30_700, "Aurora renamed"},
	} {
		a := w.ask(http.MethodGet, as(path, c.at), c.who)
		if a.status != c.status {
			t.Errorf("%s as of %s: %d %s", c.who, c.at, a.status, a.body)
		}
		if c.status != http.StatusOK {
			continue
		}
		var got readapi.InvoiceDetail
		if err := json.Unmarshal([]byte(a.body), &got); err != nil {
			t.Fatal(err)
		}
		if got.Status != c.shown || got.AmountDue.Amount != c.due || got.AccountName != c.account {
			t.Errorf("%s as of %s: %s, %d due, of %s", c.who, c.at, got.Status, got.AmountDue.Amount, got.AccountName)
		}
	}
	for _, entry := range list[readapi.Entry](w, as("/api/v1/activity", sent), "olga", 50) {
		if entry.Time.After(sent) {
			t.Errorf("history as of %s tells what happened at %s", sent, entry.Time)
		}
	}
	var paper readapi.InvoicePaper
	w.get(as(path+"/pdf?current=true", sent), "olga", &paper)
	if paper.AmountDue.Amount != 35_700 || len(paper.Payments) != 0 {
		t.Errorf("paper as of then: %+v", paper)
	}
	// Nothing of the past stays with the connection.
	var after readapi.InvoiceDetail
	w.get(path, "olga", &after)
	if after.Status != "overdue" || after.AmountDue.Amount != 30_700 {
		t.Errorf("afterwards: %+v", after)
	}
}

// TestTwoClocks asks for the balance on a business date as known at two instants.
func TestTwoClocks(t *testing.T) {
	w := newWorld(t, func(w *world) { w.options.Now = func() time.Time { return domaintest.Now.AddDate(0, 0, 60) } })
	march31, april2 := domain.Date{Year: 2026, Month: time.March, Day: 31}, time.Date(2026, time.April, 2, 12, 0, 0, 0, time.UTC)
	w.n = int(time.Date(2026, time.April, 5, 9, 0, 0, 0, time.UTC).Sub(domaintest.Now) / time.Second)
	w.do("north", w.staffOf("ada"), "RecordPayment", invoice.RecordPayment{
		Invoice: w.ids["invoice aurora"], Amount: eur(6_900), Date: march31, Method: invoice.BankTransfer,
	})
	w.project()
	for _, who := range []string{"olga", "ada"} {
		path := "/api/v1/statements/" + w.ids["aurora"].String() + "?to=2026-03-31"
		var today, then readapi.StatementDetail
		w.get(path, who, &today)
		w.get(as(path, april2), who, &then)
		if then.Closing.Amount != 6_900 || today.Closing.Amount != 0 || len(today.Entries) != len(then.Entries)+1 {
			t.Errorf("%s: on 31 March they owed %d as known on 2 April and %d as known now", who, then.Closing.Amount, today.Closing.Amount)
		}
		payments := "/api/v1/payments?from=2026-03-31&to=2026-03-31&account=" + w.ids["aurora"].String()
		if known, now := list[readapi.Payment](w, as(payments, april2), who, 50), list[readapi.Payment](w, payments, who, 50); len(known) != 0 || len(now) != 1 {
			t.Errorf("%s: %d payments of 31 March as known on 2 April, %d as known now", who, len(known), len(now))
		}
	}
}

// TestThePastIsBoundByToday takes things away from people who had them at the time that they ask for.
func TestThePastIsBoundByToday(t *testing.T) {
	w := newWorld(t)
	settings := firm.ChangeSettings{Firm: w.ids["north"], ShowUnreleasedInvoices: ptr(true)}
	w.do("north", w.staffOf("ada"), "ChangeFirmSettings", settings)
	w.project()
	then := w.moment()
	path := "/api/v1/invoices/" + w.ids["draft"].String()
	want := func(path, who string, status int) {
		t.Helper()
		now, past := w.ask(http.MethodGet, path, who), w.ask(http.MethodGet, as(path, then), who)
		if now.status != status || past.status != status {
			t.Errorf("%s as %s: now %d, then %d, want %d: %s", path, who, now.status, past.status, status, past.body)
		}
		if status == http.StatusNotFound && requestID.ReplaceAllString(now.body, "") != requestID.ReplaceAllString(past.body, "") {
			t.Errorf("%s as %s: the past tells it from a missing one: %s", path, who, past.body)
		}
	}
	want(path, "nora", http.StatusOK)
	w.do("north", w.staffOf("ada"), "ChangeDraft", invoice.ChangeDraft{Invoice: w.ids["draft"], Recipients: []domain.ID{w.ids["olga"]}})
	w.project()
	want(path, "olga", http.StatusOK)
	want(path, "nora", http.StatusNotFound)
	want(path+"/history", "nora", http.StatusNotFound)
	want(path+"/pdf", "nora", http.StatusNotFound)
	for _, i := range list[readapi.Invoice](w, as("/api/v1/invoices", then), "nora", 50) {
		if i.ID == w.ids["draft"] {
			t.Error("nora finds in the past what is not for her any more")
		}
	}
	w.do("north", w.staffOf("ada"), "ChangePermissions", contact.ChangePermissions{Contact: w.ids["nora"], Permissions: []contact.Permission{contact.ViewProjects}})
	want("/api/v1/invoices", "nora", http.StatusForbidden)
	w.do("north", w.staffOf("ada"), "FreezeAccess", contact.Freeze{Contact: w.ids["olga"], Reason: domain.P("lost laptop")})
	want("/api/v1/me", "olga", http.StatusUnauthorized)
}

func TestCommandsAreOfNow(t *testing.T) {
	w := newWorld(t)
	body := fmt.Sprintf(`{"project":%q}`, w.ids["project aurora"])
	if a := w.ask(http.MethodPost, as("/api/v1/commands/AdvanceStage", w.moment()), "ada", body); a.status != http.StatusBadRequest || !strings.Contains(a.body, `"as_of"`) {
		t.Errorf("a command as of then: %d %s", a.status, a.body)
	}
}

// TestDifference compares what changed with the entries in between, and with the two pasts.
func TestDifference(t *testing.T) {
	w := newWorld(t, func(w *world) { w.options.Now = func() time.Time { return domaintest.Now.AddDate(0, 0, 60) } })
	from := w.moment()
	w.days(1)
	w.do("north", w.staffOf("ada"), "ChangeAccountDetails", account.ChangeDetails{Account: w.ids["aurora"], Name: ptr(domain.P("Aurora renamed"))})
	w.invoice("north", "aurora", "fresh", 1_000, "2026-06-30")
	w.do("north", w.staffOf("ada"), "SendInvoice", invoice.Send{Invoice: w.ids["fresh"]})
	w.pay("north", "invoice aurora", 1_900)
	to := w.moment()
	w.days(1)
	w.pay("north", "invoice aurora", 5_000)
	w.project()

	path := fmt.Sprintf("/api/v1/accounts/%s/diff?from=%s&to=%s", w.ids["aurora"], url.QueryEscape(from.Format(time.RFC3339Nano)), url.QueryEscape(to.Format(time.RFC3339Nano)))
	for _, who := range []string{"olga", "ada"} {
		var d readapi.StaffDifference
		w.get(path, who, &d)
		kinds := map[string]string{}
		changes := map[string]string{}
		for _, r := range d.Records {
			kinds[r.Record.Type+" "+r.Record.ID.String()] = r.Kind
			for _, c := range r.Changes {
				changes[r.Record.ID.String()+" "+c.Field] = string(c.From) + " -> " + string(c.To)
			}
		}
		for record, kind := range map[string]string{
			"account " + w.ids["aurora"].String(): "changed", "invoice " + w.ids["fresh"].String(): "added", "invoice " + w.ids["invoice aurora"].String(): "changed",
		} {
			if kinds[record] != kind {
				t.Errorf("%s: %s is %q in %v", who, record, kinds[record], kinds)
			}
		}
		for field, want := range map[string]string{
			w.ids["aurora"].String() + " name":               `"Aurora" -> "Aurora renamed"`,
			w.ids["invoice aurora"].String() + " amount_due": `{"amount":6900,"currency":"EUR"} -> {"amount":5000,"currency":"EUR"}`,
			w.ids["fresh"].String() + " total":               `null -> {"amount":1190,"currency":"EUR"}`,
		} {
			if changes[field] != want {
				t.Errorf("%s: %s is %s, want %s", who, field, changes[field], want)
			}
		}
		if len(d.Entries) < 4 || d.More {
			t.Errorf("%s: %d entries", who, len(d.Entries))
		}
		last := map[string]string{}
		for _, e := range slices.Backward(d.Entries) {
			if !e.Time.After(from) || e.Time.After(to) {
				t.Errorf("%s: an entry of %s is not between %s and %s", who, e.Time, from, to)
			}
			for _, c := range e.Changes {
				last[e.Record.ID.String()+" "+c.Field] = string(c.To)
			}
		}
		// What both tell of a field ends in the same.
		for field, to := range last {
			if change, both := changes[field]; both && !strings.HasSuffix(change, " -> "+strings.ReplaceAll(to, ": ", ":")) {
				t.Errorf("%s: %s is %s, and the last entry says %s", who, field, change, to)
			}
		}
	}
	for who, status := range map[string]int{"bea": 404, "carl": 404, "sue": 404, "": 401} {
		if a := w.ask(http.MethodGet, path, who); a.status != status {
			t.Errorf("the difference as %q: %d", who, a.status)
		}
	}
	for query, field := range map[string]string{"from=2030-01-01": "from", "to=2030-01-01": "to", "from=x": "from", "to=2026-03-01&from=2026-03-02": "from"} {
		a := w.ask(http.MethodGet, "/api/v1/accounts/"+w.ids["aurora"].String()+"/diff?"+query, "ada")
		if a.status != http.StatusBadRequest || !strings.Contains(a.body, `"field":"`+field+`"`) {
			t.Errorf("%s: %d %s", query, a.status, a.body)
		}
	}
}
