package ui_test

import (
	"math"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/atrium-portal/atrium/readapi/portal/ui"
)

func TestContrast(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want float64
	}{
		{"#ffffff", "#000000", 21},
		{"#FFFFFF", "#ffffff", 1},
		{"#777777", "#ffffff", 4.48},
		{"#0000ff", "#ffffff", 8.59},
		{"#ffd400", "#000000", 14.67},
		{"white", "#000000", 0},
		{"#fff", "#000000", 0},
		{"#00000g", "#ffffff", 0},
		{"", "", 0},
	} {
		if got := ui.Contrast(c.a, c.b); math.Abs(got-c.want) > 0.005 {
			t.Errorf("the contrast of %s and %s is %.3f, want %.2f", c.a, c.b, got, c.want)
		}
		if ui.Contrast(c.a, c.b) != ui.Contrast(c.b, c.a) {
			t.Errorf("the contrast of %s and %s depends on their order", c.a, c.b)
		}
	}
}

var (
	property = regexp.MustCompile(`--([a-z-]+):\s*light-dark\((#[0-9a-f]{6}),\s*(#[0-9a-f]{6})\)`)
	schemes  = []string{"light", "dark"}
)

// properties are the custom properties of a stylesheet, by scheme and name.
func properties(css string) map[string]map[string]string {
	found := map[string]map[string]string{"light": {}, "dark": {}}
	for _, m := range property.FindAllStringSubmatch(css, -1) {
		found["light"][m[1]], found["dark"][m[1]] = m[2], m[3]
	}
	return found
}

// TestBrandShadesAreReadable: whatever two colours a firm chooses, text and signs keep their contrast in both schemes.
func TestBrandShadesAreReadable(t *testing.T) {
	sheet, err := os.ReadFile("static/portal.css")
	if err != nil {
		t.Fatal(err)
	}
	fixed := properties(string(sheet))
	var colors []string
	for _, r := range []string{"00", "33", "80", "c0", "ff"} {
		for _, g := range []string{"00", "40", "99", "d4", "ff"} {
			for _, b := range []string{"00", "4d", "7a", "cc", "ff"} {
				colors = append(colors, "#"+r+g+b)
			}
		}
	}
	colors = append(colors, "#777777", "#1f4f7a", "#c0662b", "#767676", "#949494")
	for i, c := range colors {
		shades := properties(string(ui.BrandCSS(ui.Brand{Primary: c, Accent: colors[len(colors)-1-i]})))
		for _, scheme := range schemes {
			s, f := shades[scheme], fixed[scheme]
			atLeast := func(ratio float64, what, on string) {
				t.Helper()
				value := func(name string) string {
					if v, ok := s[name]; ok {
						return v
					}
					return f[name]
				}
				if got := ui.Contrast(value(what), value(on)); got < ratio {
					t.Errorf("%s, %s: %s on %s has %.2f : 1, needs %.1f", c, scheme, what, on, got, ratio)
				}
			}
			for _, on := range []string{"page", "surface", "sunken", "brand-soft"} {
				atLeast(4.5, "brand-ink", on)
				atLeast(4.5, "muted", on)
				atLeast(4.5, "bad", on)
				atLeast(4.5, "ink", on)
			}
			for _, on := range []string{"page", "surface", "sunken", "accent-soft"} {
				atLeast(4.5, "accent-ink", on)
			}
			for _, on := range []string{"page", "surface", "sunken"} {
				atLeast(3, "brand", on)
				atLeast(3, "accent", on)
			}
			atLeast(4.5, "on-brand", "brand-fill")
			atLeast(4.5, "on-brand", "brand-fill-hover")
		}
	}
}

// TestFixedColorsAreReadable: the colours that no firm changes.
func TestFixedColorsAreReadable(t *testing.T) {
	sheet, err := os.ReadFile("static/portal.css")
	if err != nil {
		t.Fatal(err)
	}
	for scheme, c := range properties(string(sheet)) {
		for _, tone := range []string{"info", "good", "warning", "bad"} {
			for _, on := range []string{"page", "surface", tone + "-soft"} {
				if got := ui.Contrast(c[tone], c[on]); got < 4.5 {
					t.Errorf("%s: %s on %s has %.2f : 1", scheme, tone, on, got)
				}
			}
			if got := ui.Contrast(c["ink"], c[tone+"-soft"]); got < 7 {
				t.Errorf("%s: text on %s-soft has %.2f : 1", scheme, tone, got)
			}
		}
		for _, on := range []string{"page", "surface", "sunken"} {
			if got := ui.Contrast(c["edge"], c[on]); got < 3 {
				t.Errorf("%s: the edge of a field on %s has %.2f : 1", scheme, on, got)
			}
		}
		if got := ui.Contrast("#ffffff", c["bad-fill"]); got < 4.5 {
			t.Errorf("%s: text on a button of danger has %.2f : 1", scheme, got)
		}
	}
}

// TestGroundsAreThoseOfTheStylesheet: the shades are made for the grounds that portal.css has.
func TestGroundsAreThoseOfTheStylesheet(t *testing.T) {
	sheet, err := os.ReadFile("static/portal.css")
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile("brand.go")
	if err != nil {
		t.Fatal(err)
	}
	for scheme, c := range properties(string(sheet)) {
		for _, name := range []string{"page", "surface", "sunken", "muted"} {
			if !strings.Contains(string(source), `"`+c[name]+`"`) {
				t.Errorf("%s %s is %s in portal.css, and not in brand.go", scheme, name, c[name])
			}
		}
	}
}

func TestBrandStylesheet(t *testing.T) {
	if got := (ui.Brand{Primary: "#1F4F7A", Accent: "#c0662b"}).Stylesheet(); got != "/assets/brand-1f4f7a-c0662b.css" {
		t.Errorf("the stylesheet is at %s", got)
	}
	none := ui.Brand{}.Stylesheet()
	for _, b := range []ui.Brand{{Primary: "red", Accent: "}body{display:none"}, {Primary: "#12", Accent: "url(x)"}} {
		if got := b.Stylesheet(); got != none {
			t.Errorf("%+v is at %s, not at that of the default %s", b, got, none)
		}
		if strings.ContainsAny(string(ui.BrandCSS(b)), "}") && strings.Count(string(ui.BrandCSS(b)), "}") != 1 {
			t.Errorf("%+v gets into the stylesheet: %s", b, ui.BrandCSS(b))
		}
	}
}
