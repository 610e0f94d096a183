package ui_test

import (
	"strings"
	"testing"
	"time"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/readapi/portal/ui"
)

func TestMoney(t *testing.T) {
	for _, c := range []struct {
		amount         int64
		currency       string
		format, want   string
		typed          string
		otherCountries string // what must not be taken for it
	}{
		{123456789, "EUR", "1,234.56", "1,234,567.89\u00a0EUR", "1,234,567.89", "1.234.567,89"},
		{123456789, "EUR", "1.234,56", "1.234.567,89\u00a0EUR", "1.234.567,89", "1,234,567.89"},
		{123456789, "EUR", "1 234,56", "1\u202f234\u202f567,89\u00a0EUR", "1 234 567,89", "1.234.567,89"},
		{123456789, "CHF", "1'234.56", "1'234'567.89\u00a0CHF", "1'234'567.89", "1.234.567,89"},
		{-5, "EUR", "1,234.56", "\u22120.05\u00a0EUR", "-0.05", "-0,05"},
		{0, "EUR", "1.234,56", "0,00\u00a0EUR", "0,00", "0.00"},
		{1234, "JPY", "1.234,56", "1.234\u00a0JPY", "1.234", "1,234"},
		{1234567, "KWD", "1,234.56", "1,234.567\u00a0KWD", "1,234.567", "1.234,567"},
		{100, "EUR", "unheard of", "1.00\u00a0EUR", "1.00", "1,00"},
	} {
		m := domain.Money{Amount: c.amount, Currency: c.currency}
		if got := ui.Money(m, c.format); got != c.want {
			t.Errorf("%s in %s is written %q, want %q", m, c.format, got, c.want)
		}
		if got := ui.AmountText(m, c.format); got != c.typed {
			t.Errorf("%s in %s is typed %q, want %q", m, c.format, got, c.typed)
		}
		if got, err := ui.ParseAmount(c.typed, c.currency, c.format); err != nil || got != m {
			t.Errorf("%q in %s is read as %s (%v)", c.typed, c.format, got, err)
		}
		if got, err := ui.ParseAmount(c.otherCountries, c.currency, c.format); err == nil {
			t.Errorf("%q in %s is read as %s", c.otherCountries, c.format, got)
		}
	}
}

func TestParseAmount(t *testing.T) {
	good := map[string]int64{
		"1234": 123400, " 1234.5 ": 123450, "1 234.50": 123450, "1\u00a0234.50": 123450, "1,234.50": 123450, "\u22125": -500, "-5.00": -500,
	}
	for text, want := range good {
		if got, err := ui.ParseAmount(text, "EUR", "1,234.56"); err != nil || got.Amount != want {
			t.Errorf("%q is read as %s (%v), want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", "-", ".", "5.", "1,23", "12,34,567", "1,2345", ",5", "1e3", "NaN", "1.2.3", "1.005", "--5", "€5", "99999999999999"} {
		if got, err := ui.ParseAmount(text, "EUR", "1,234.56"); err == nil {
			t.Errorf("%q is read as %s", text, got)
		}
	}
	if got, err := ui.ParseNumber("1,5", "1.234,56"); err != nil || got.String() != "1.5" {
		t.Errorf("1,5 is read as %s (%v)", got, err)
	}
	if _, err := ui.ParseNumber("1.5", "1.234,56"); err == nil {
		t.Error("1.5 is read as a number where points part thousands")
	}
}

func TestDates(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	if got := ui.DateText(domain.Date{Year: 2026, Month: 3, Day: 6}); got != "6\u00a0March\u00a02026" {
		t.Errorf("a date is %q", got)
	}
	if got := ui.DateText(domain.Date{}); got != "–" {
		t.Errorf("no date is %q", got)
	}
	if got := ui.TimeText(time.Date(2026, 3, 29, 0, 59, 0, 0, time.UTC), berlin); got != "29\u00a0Mar\u00a02026, 01:59\u00a0CET" {
		t.Errorf("the last minute of winter is %q", got)
	}
	if got := ui.TimeText(time.Date(2026, 3, 29, 1, 0, 0, 0, time.UTC), berlin); got != "29\u00a0Mar\u00a02026, 03:00\u00a0CEST" {
		t.Errorf("the first minute of summer is %q", got)
	}
	if got := ui.TimeText(time.Time{}, berlin); got != "–" {
		t.Errorf("no time is %q", got)
	}
}

func TestInitials(t *testing.T) {
	for name, want := range map[string]string{
		"Priya Kapoor": "PK", "olga": "O", "Ana María de la Cruz": "AC", "Élodie Øst": "ÉØ", "": "?", "  ": "?", "李 明": "李明",
	} {
		if got := ui.Initials(name); got != want {
			t.Errorf("the initials of %q are %q, want %q", name, got, want)
		}
	}
}

func TestDrawings(t *testing.T) {
	for text, want := range map[string]bool{
		"M1 2L3 4": true, "M600 180": true, "M1 2L3 4M5 6L7 8": true,
		"": false, "L1 2": false, "M1 2L3": false, "M1 2 3 4": false, "M1.5 2": false, `M1 2"/><script>`: false, "M1 2Z": false, "M1000 2": false,
	} {
		if got := ui.ValidDrawing(text); got != want {
			t.Errorf("the drawing %q is valid: %t", text, got)
		}
	}
}

func TestStateLabels(t *testing.T) {
	for _, c := range [][3]string{
		{"invoice", "part_paid", "Part paid"},
		{"contract", "sent", "Waiting for signature"},
		{"project", "shifted", "Timeline shifted"},
		{"contact", "frozen", "Frozen"},
		{"invoice", "unheard of", "unheard of"},
		{"nothing", "draft", "draft"},
	} {
		if got := ui.StateLabel(c[0], c[1]); got != c[2] {
			t.Errorf("%s %s is called %q, want %q", c[0], c[1], got, c[2])
		}
	}
}

func TestMenuCounts(t *testing.T) {
	for count, want := range map[int]string{0: "", 1: "1", 99: "99", 100: "99+", 4000: "99+"} {
		var page strings.Builder
		nav := []ui.NavItem{{Label: "Invoices", Href: "/invoices", Icon: "invoice", Count: count, Counted: "to pay"}}
		if err := ui.ClientLayout(ui.Page{Nav: nav}).Render(t.Context(), &page); err != nil {
			t.Fatal(err)
		}
		_, shown, counted := strings.Cut(page.String(), `<span class="count">`)
		if counted != (want != "") || !strings.HasPrefix(strings.TrimSpace(shown), want) || strings.HasPrefix(strings.TrimSpace(shown), want+"0") {
			t.Errorf("%d is shown as %.20q", count, shown)
		}
	}
}
