package readapi_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/atrium-portal/atrium/commands"
	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/contact"
	"github.com/atrium-portal/atrium/domain/domaintest"
	"github.com/atrium-portal/atrium/domain/invoice"
	"github.com/atrium-portal/atrium/readapi"
	"github.com/atrium-portal/atrium/readapi/auth"
)

// at is how an answer looks to somebody who says for which account they ask.
func (w *world) at(account, path, who string, into any) int {
	w.t.Helper()
	r := httptest.NewRequest(http.MethodGet, path, nil)
	r.Header.Set("Authorization", "Bearer "+who)
	if account != "" {
		r.Header.Set(auth.AccountHeader, account)
	}
	recorder := httptest.NewRecorder()
	w.handler.ServeHTTP(recorder, r)
	if into != nil && recorder.Code == http.StatusOK {
		if err := json.Unmarshal(recorder.Body.Bytes(), into); err != nil {
			w.t.Fatal(err)
		}
	}
	return recorder.Code
}

// doAt gives a command of a contact for the account that they have chosen; it must be accepted.
func (w *world) doAt(accountName string, who domain.Actor, name string, command any) {
	w.t.Helper()
	w.n++
	_, err := w.loop.Dispatch(w.t.Context(), commands.Order{Name: name, Command: command, Meta: domain.Meta{
		Firm: w.ids["north"], Account: w.ids[accountName], Actor: who, Command: domain.DeriveID("world", strconv.Itoa(w.n)),
	}})
	if err != nil {
		w.t.Fatalf("%s: %v", name, err)
	}
}

// TestWhoWorksForTwoAccountsSeesOneAtATime: bea of borealis is linked to aurora, where she may look at invoices only.
func TestWhoWorksForTwoAccountsSeesOneAtATime(t *testing.T) {
	w := newWorld(t)
	w.do("north", w.staffOf("ada"), "LinkContact", contact.Link{
		Contact: w.ids["bea"], Account: w.ids["aurora"], Role: contact.Viewer, Permissions: []contact.Permission{contact.ViewInvoices},
	})
	aurora, borealis := w.ids["aurora"].String(), w.ids["borealis"].String()
	w.invoice("north", "aurora", "invoice bea", 7_000, "2026-05-01", w.ids["bea"])
	w.do("north", importer, "SendInvoice", invoice.Send{Invoice: w.ids["invoice bea"]})
	w.doAt("aurora", w.contactOf("bea"), "QuestionInvoice", invoice.Question{Invoice: w.ids["invoice bea"], Text: domain.P("What is this?")})
	w.project()

	numbers := func(account string) (list []string) {
		var page struct{ Items []readapi.Invoice }
		if status := w.at(account, "/api/v1/invoices?sort=due", "bea", &page); status != http.StatusOK {
			t.Fatalf("at %q: %d", account, status)
		}
		for _, i := range page.Items {
			list = append(list, i.Number)
		}
		slices.Sort(list)
		return list
	}
	if got := numbers(""); !slices.Equal(got, []string{"0002"}) {
		t.Errorf("at her own account: %v", got)
	}
	if got := numbers(borealis); !slices.Equal(got, []string{"0002"}) {
		t.Errorf("at her own account by its name: %v", got)
	}
	if got := numbers(aurora); !slices.Equal(got, []string{"0001", "0004", "0005"}) {
		t.Errorf("at the other account: %v", got)
	}
	for path, want := range map[string][2]int{ // at borealis, at aurora
		"/api/v1/invoices/" + w.ids["invoice borealis"].String(): {200, 404},
		"/api/v1/invoices/" + w.ids["invoice bea"].String():      {404, 200},
		"/api/v1/invoices/" + w.ids["invoice olga"].String():     {404, 404},
		"/api/v1/accounts/" + borealis:                           {200, 404},
		"/api/v1/accounts/" + aurora:                             {404, 200},
		"/api/v1/contacts/" + w.ids["olga"].String():             {404, 200},
		"/api/v1/contacts/" + w.ids["bea"].String():              {200, 200},
		"/api/v1/projects":                                       {200, 403},
	} {
		if got := [2]int{w.at(borealis, path, "bea", nil), w.at(aurora, path, "bea", nil)}; got != want {
			t.Errorf("%s: %v, want %v", path, got, want)
		}
	}
	for _, wrong := range []string{w.ids["crux"].String(), domaintest.ID("none").String(), "x", strings.ToUpper(aurora) + " "} {
		if got := w.at(wrong, "/api/v1/me", "bea", nil); got != http.StatusNotFound {
			t.Errorf("at %s: %d", wrong, got)
		}
	}
	if got := w.at(aurora, "/api/v1/me", "ada", nil); got != http.StatusOK {
		t.Errorf("staff work for no account: %d", got)
	}

	var me readapi.Me
	w.at(aurora, "/api/v1/me", "bea", &me)
	if me.Name != "Bea" || me.Account.Name != "Aurora" || me.Role != "viewer" || !slices.Equal(me.Permissions, []string{"view_invoices"}) ||
		!slices.Equal(me.Accounts, []readapi.MyOther{{ID: w.ids["borealis"], Name: "Borealis"}, {ID: w.ids["aurora"], Name: "Aurora"}}) {
		t.Errorf("me: %+v", me)
	}

	// Olga finds her among the people of aurora, and by her name in its history, but not for whom else she works.
	for _, c := range list[readapi.Contact](w, "/api/v1/contacts", "olga", 50) {
		if c.ID == w.ids["bea"] && (c.Account != w.ids["aurora"] || c.Role != "viewer" || c.Primary) {
			t.Errorf("bea to olga: %+v", c)
		}
	}
	if got := list[readapi.Contact](w, "/api/v1/contacts?q=bea", "olga", 50); len(got) != 1 {
		t.Errorf("olga finds %+v", got)
	}
	entries := list[readapi.Entry](w, "/api/v1/invoices/"+w.ids["invoice bea"].String()+"/history", "ada", 50)
	if entries[0].Actor.Name != "Bea" {
		t.Errorf("who asked: %+v", entries[0].Actor)
	}
	if a := w.ask(http.MethodGet, "/api/v1/contacts", "olga"); strings.Contains(a.body, borealis) || strings.Contains(a.body, "also_for") {
		t.Errorf("olga reads for whom bea works: %s", a.body)
	}

	var staffs readapi.StaffContact
	w.get("/api/v1/contacts/"+w.ids["bea"].String(), "ada", &staffs)
	if len(staffs.AlsoFor) != 1 || staffs.AlsoFor[0].Account != w.ids["aurora"] || staffs.AlsoFor[0].Name != "Aurora" || staffs.Account != w.ids["borealis"] || staffs.Role != "owner" {
		t.Errorf("bea to staff: %+v", staffs)
	}
	if got := list[readapi.StaffContact](w, "/api/v1/contacts?q=bea&account="+aurora, "ada", 50); len(got) != 1 {
		t.Errorf("staff find %+v at aurora", got)
	}

	w.do("north", w.staffOf("ada"), "UnlinkContact", contact.Unlink{Contact: w.ids["bea"], Account: w.ids["aurora"]})
	if got := w.at(aurora, "/api/v1/me", "bea", nil); got != http.StatusNotFound { // the read models do not know it yet
		t.Errorf("unlinked: %d", got)
	}
	w.project()
	if got := list[readapi.Contact](w, "/api/v1/contacts?q=bea", "olga", 50); len(got) != 0 {
		t.Errorf("unlinked, olga finds %+v", got)
	}
}
