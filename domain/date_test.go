package domain_test

import (
	"encoding/json"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/atrium-portal/atrium/domain"
)

func TestParseDate(t *testing.T) {
	for text, want := range map[string]domain.Date{
		"2026-03-02": {2026, time.March, 2}, "2024-02-29": {2024, time.February, 29}, "1900-01-01": {1900, time.January, 1},
	} {
		if got, err := domain.ParseDate(text); err != nil || got != want || got.String() != text {
			t.Errorf("%s: %v (%v)", text, got, err)
		}
	}
	for _, text := range []string{"", "2026-02-29", "2026-13-01", "2026-3-2", "02.03.2026", "2026-03-02T00:00:00Z", "1899-12-31", "0000-00-00", " 2026-03-02"} {
		if got, err := domain.ParseDate(text); err == nil {
			t.Errorf("%q is read as %v", text, got)
		}
	}
}

func TestADateIsWhereItIs(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	late := time.Date(2026, 6, 30, 22, 30, 0, 0, time.UTC)
	if got := domain.DateOf(late, time.UTC).String(); got != "2026-06-30" {
		t.Error(got)
	}
	if got := (domain.Meta{Time: late}).Today().String(); got != "2026-06-30" {
		t.Error(got)
	}
	if got := (domain.Meta{Time: late, Zone: berlin}).Today().String(); got != "2026-07-01" {
		t.Error(got)
	}
}

func TestDateArithmetic(t *testing.T) {
	for _, c := range []struct {
		from string
		days int
		to   string
	}{
		{"2026-03-02", 0, "2026-03-02"},
		{"2026-12-31", 1, "2027-01-01"},
		{"2026-03-01", -1, "2026-02-28"},
		{"2024-02-28", 1, "2024-02-29"},
		{"2026-01-15", 30, "2026-02-14"},
		{"2026-03-28", 2, "2026-03-30"}, // over the change to summer time
	} {
		from, err := domain.ParseDate(c.from)
		if err != nil {
			t.Fatal(err)
		}
		if got := from.AddDays(c.days); got.String() != c.to {
			t.Errorf("%s + %d days is %s, want %s", c.from, c.days, got, c.to)
		}
	}
}

func TestDatesAddUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := domain.Date{Year: 1970, Month: time.January, Day: 1}.AddDays(rapid.IntRange(-20_000, 60_000).Draw(t, "day"))
		n := rapid.IntRange(-5000, 5000).Draw(t, "n")
		moved := d.AddDays(n)
		if moved.AddDays(-n) != d {
			t.Fatalf("%s + %d - %d is %s", d, n, n, moved.AddDays(-n))
		}
		if d.Before(moved) != (n > 0) || moved.Before(d) != (n < 0) {
			t.Fatalf("%s and %s are in the wrong order", d, moved)
		}
		again, err := domain.ParseDate(d.String())
		if err != nil || again != d {
			t.Fatalf("%s became %s (%v)", d, again, err)
		}
	})
}

func TestDateJSON(t *testing.T) {
	type due struct {
		Due  domain.Date `json:"due"`
		None domain.Date `json:"none,omitzero"`
	}
	stored, err := json.Marshal(due{Due: domain.Date{Year: 2026, Month: time.March, Day: 2}})
	if err != nil || string(stored) != `{"due":"2026-03-02"}` {
		t.Fatalf("%s (%v)", stored, err)
	}
	for form, want := range map[string]string{`{"due":"2026-03-02"}`: "2026-03-02", `{"due":""}`: "", `{"due":null}`: "", `{}`: ""} {
		var d due
		if err := json.Unmarshal([]byte(form), &d); err != nil || d.Due.String() != want {
			t.Errorf("%s: %s (%v)", form, d.Due, err)
		}
	}
	for _, form := range []string{`{"due":"tomorrow"}`, `{"due":20260302}`, `{"due":{}}`} {
		var d due
		if err := json.Unmarshal([]byte(form), &d); err == nil {
			t.Errorf("%s is read as %s", form, d.Due)
		}
	}
}
