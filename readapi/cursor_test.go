package readapi

import (
	"testing"
	"time"

	"github.com/atrium-portal/atrium/domain"
)

// FuzzCursor reads anything as a cursor: what is taken is exactly what we write, and Postgres can read its value.
func FuzzCursor(f *testing.F) {
	for _, c := range []cursor{
		{List: "invoices due", Value: "2026-03-02", ID: domain.DeriveID("x")},
		{List: "invoices due", Value: "2026-03-02' or true --", ID: domain.DeriveID("x")},
		{List: "invoices due", Value: "infinity"},
		{List: "accounts name", Value: "Ana\x00"},
		{List: "accounts name", Value: "Ana 🌱 <b>"},
		{List: "invoices -drafted", Value: "2026-03-02 09:30:00.123456+00"},
		{List: "history", Value: "9223372036854775808"},
		{},
	} {
		f.Add(c.String(), c.List)
	}
	f.Add("e30", "history")
	f.Add("eyJsIjoiaGlzdG9yeSIsInYiOiIxIn0=", "history")
	f.Fuzz(func(t *testing.T, text, list string) {
		for _, kind := range []sortKind{sortText, sortDate, sortInstant, sortNumber} {
			c, ok := parseCursor(text, list, kind)
			if !ok {
				continue
			}
			if c.List != list || c.String() != text {
				t.Fatalf("%q is read as %+v", text, c)
			}
			if kind == sortInstant {
				if _, err := time.Parse(instantText, c.Value); err != nil {
					t.Fatal(err)
				}
			}
		}
	})
}

func TestCursorsComeBackAsTheyWere(t *testing.T) {
	for kind, value := range map[sortKind]string{
		sortText: "Ünïcode \"quoted\" \\ \n", sortDate: "2026-12-31", sortInstant: "2026-03-02 09:30:00+00", sortNumber: "-5",
	} {
		c := cursor{List: "list sort", Value: value, ID: domain.DeriveID("x")}
		if back, ok := parseCursor(c.String(), c.List, kind); !ok || back != c {
			t.Errorf("%s: %+v, %t", kind, back, ok)
		}
	}
}
