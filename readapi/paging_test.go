package readapi_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"testing"
)

// testPaging walks lists to their end and back again: the same parts in both directions, everything once.
func testPaging(t *testing.T, w *world) {
	type part struct {
		Items          []json.RawMessage `json:"items"`
		Next, Previous string
	}
	ask := func(path, cursor string) (p part) {
		t.Helper()
		if cursor != "" {
			path += "&cursor=" + url.QueryEscape(cursor)
		}
		a := w.ask(http.MethodGet, path, "ada")
		if a.status != http.StatusOK {
			t.Fatalf("%s: %d %s", path, a.status, a.body)
		}
		if err := json.Unmarshal([]byte(a.body), &p); err != nil {
			t.Fatal(err)
		}
		return p
	}
	texts := func(p part) (list []string) {
		for _, item := range p.Items {
			list = append(list, string(item))
		}
		return list
	}
	for _, list := range []string{
		"/api/v1/invoices?", "/api/v1/invoices?sort=due&", "/api/v1/invoices?sort=-due&", "/api/v1/contacts?", "/api/v1/history?",
		"/api/v1/history?module=invoice&",
	} {
		var all []string
		for _, item := range ask(list+"limit=200", "").Items {
			all = append(all, string(item))
		}
		if len(all) < 3 {
			t.Fatalf("%s has only %d items", list, len(all))
		}
		path := list + "limit=2"
		parts := []part{ask(path, "")}
		for last := parts[0]; last.Next != ""; parts = append(parts, last) {
			last = ask(path, last.Next)
		}
		var walked []string
		for _, p := range parts {
			walked = append(walked, texts(p)...)
		}
		if !slices.Equal(walked, all) {
			t.Errorf("%s: forwards it is\n%v\nwant\n%v", list, walked, all)
		}
		if parts[0].Previous != "" {
			t.Errorf("%s: there is something before the first part", list)
		}
		for i := len(parts) - 1; i > 0; i-- {
			back := ask(path, parts[i].Previous)
			if !slices.Equal(texts(back), texts(parts[i-1])) {
				t.Errorf("%s: before part %d is\n%v\nwant\n%v", list, i, texts(back), texts(parts[i-1]))
			}
			if (back.Previous == "") != (i == 1) || back.Next == "" {
				t.Errorf("%s: from part %d it goes on to %q and back to %q", list, i-1, back.Next, back.Previous)
			}
			if again := ask(path, back.Next); !slices.Equal(texts(again), texts(parts[i])) {
				t.Errorf("%s: forwards again from part %d is %v", list, i-1, texts(again))
			}
		}
	}
}
