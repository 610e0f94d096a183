package ui

import (
	"bytes"
	"fmt"
	"strings"
)

// Brand is how a firm shows itself: on every page, and on the documents that it sends.
type Brand struct {
	Name    string // the firm's trading name
	LogoURL string // a picture on the portal's own origin; empty shows the name
	Primary string // #rrggbb: buttons, links, the current place in the menu
	Accent  string // #rrggbb: the second colour of charts, progress
}

// The colours of a firm that has not chosen any. They are those of the tokens in portal.css.
const (
	DefaultPrimary = "#1f5f5b"
	DefaultAccent  = "#b4632a"
)

// The grounds that text stands on, as portal.css has them: the page, cards, and what is sunk into the page.
var (
	lightGrounds = []color{mustColor("#f6f6f3"), mustColor("#ffffff"), mustColor("#eeeeea")}
	darkGrounds  = []color{mustColor("#121416"), mustColor("#1a1d20"), mustColor("#22262a")}
)

// surface is the place of the card colour in the grounds.
const surface = 1

// Quiet text, as portal.css has it: it must stay readable on the tint.
var lightMuted, darkMuted = mustColor("#5b5e62"), mustColor("#a6abb1")

// colors are the two colours, or the default for one that is missing or not a colour.
func (b Brand) colors() (primary, accent string) {
	primary, ok := ParseColor(b.Primary)
	if !ok {
		primary = DefaultPrimary
	}
	if accent, ok = ParseColor(b.Accent); !ok {
		accent = DefaultAccent
	}
	return primary, accent
}

// Stylesheet is the address of the firm's colours: the same for the same two colours, and served by Static.
func (b Brand) Stylesheet() string {
	primary, accent := b.colors()
	return assetsPath + brandPrefix + primary[1:] + "-" + accent[1:] + ".css"
}

// brandPrefix begins the names of the stylesheets that Static makes from the colours in them.
const brandPrefix = "brand-"

// brandOf reads the colours in the name of such a stylesheet.
func brandOf(name string) (Brand, bool) {
	colors, ok := strings.CutSuffix(strings.TrimPrefix(name, brandPrefix), ".css")
	primary, accent, parted := strings.Cut(colors, "-")
	b := Brand{Primary: "#" + primary, Accent: "#" + accent}
	p, a := b.colors()
	return b, ok && parted && strings.HasPrefix(name, brandPrefix) && p == b.Primary && a == b.Accent
}

// BrandCSS is the stylesheet of a firm's colours. Every shade that carries text or is text has at least the contrast
// that WCAG asks for at level AA with each ground it can stand on, whatever the colours are.
//
//	--brand          bars, stripes and marks (3 : 1)
//	--brand-fill     buttons; --brand-fill-hover under the pointer
//	--on-brand       text on the fill
//	--brand-ink      text and links on the page, on cards and on the tint
//	--brand-soft     the tint behind what is current
//	--accent, --accent-ink, --accent-soft: the same of the second colour
func BrandCSS(b Brand) []byte {
	primary, accent := b.colors()
	light := shadesOf(mustColor(primary), lightGrounds)
	dark := shadesOf(mustColor(primary), darkGrounds)
	light2 := shadesOf(mustColor(accent), lightGrounds)
	dark2 := shadesOf(mustColor(accent), darkGrounds)

	var css bytes.Buffer
	css.WriteString(":root{")
	set := func(name string, light, dark color) {
		fmt.Fprintf(&css, "--%s:light-dark(%s,%s);", name, light.hex(), dark.hex())
	}
	set("brand", light.mark, dark.mark)
	set("brand-fill", light.fill, dark.fill)
	set("brand-fill-hover", light.hover, dark.hover)
	set("on-brand", light.on, dark.on)
	set("brand-ink", light.ink, dark.ink)
	set("brand-soft", light.soft, dark.soft)
	set("accent", light2.mark, dark2.mark)
	set("accent-ink", light2.ink, dark2.ink)
	set("accent-soft", light2.soft, dark2.soft)
	css.WriteString("}\n")
	return css.Bytes()
}

// shades are what is made of one colour for one scheme.
type shades struct{ mark, fill, hover, on, ink, soft color }

func shadesOf(c color, grounds []color) shades {
	const text, sign, margin = 4.5, 3, 0.1
	dark := grounds[surface].luminance() < 0.18
	var s shades
	s.mark = c.readable(sign+margin, grounds...)
	s.fill = c.rounded()
	if dark {
		// A fill as dark as the page would not look like a button any more.
		s.fill = c.readable(sign, grounds[surface])
	}
	white, black := mustColor("#ffffff"), mustColor("#14161a")
	switch {
	case contrast(white, s.fill) >= text:
		s.on = white
	case contrast(black, s.fill) >= text:
		s.on = black
	default:
		s.on = mustColor("#000000")
	}
	// Under the pointer the fill moves away from its text, so that the contrast only grows.
	l, _, _ := s.fill.oklab()
	if s.on == white {
		s.hover = s.fill.lightness(max(l-0.06, 0))
	} else {
		s.hover = s.fill.lightness(min(l+0.05, 1))
	}
	tint, muted := 0.09, lightMuted
	if dark {
		tint, muted = 0.2, darkMuted
	}
	for s.soft = grounds[surface].mix(s.mark, tint); contrast(muted, s.soft) < text+margin; tint -= 0.01 {
		s.soft = grounds[surface].mix(s.mark, tint)
	}
	s.ink = c.readable(text+margin, append([]color{s.soft}, grounds...)...)
	return s
}
