package ui

import (
	"fmt"
	"math"
	"strconv"
)

// color is a colour in the sRGB space, each part from 0 to 1.
type color struct{ r, g, b float64 }

// ParseColor reads #rrggbb in either case and gives it in lower case; ok is false for anything else.
func ParseColor(text string) (hex string, ok bool) {
	c, ok := parseColor(text)
	if !ok {
		return "", false
	}
	return c.hex(), true
}

func parseColor(text string) (color, bool) {
	if len(text) != 7 || text[0] != '#' {
		return color{}, false
	}
	n, err := strconv.ParseUint(text[1:], 16, 32)
	if err != nil {
		return color{}, false
	}
	return color{float64(n>>16) / 255, float64(n>>8&0xff) / 255, float64(n&0xff) / 255}, true
}

// mustColor is for the colours that are written in this package.
func mustColor(text string) color {
	c, ok := parseColor(text)
	if !ok {
		panic("ui: " + text + " is not a colour")
	}
	return c
}

func (c color) hex() string {
	part := func(v float64) int { return int(math.Round(min(max(v, 0), 1) * 255)) }
	return fmt.Sprintf("#%02x%02x%02x", part(c.r), part(c.g), part(c.b))
}

// rounded is the colour as it is written: what is measured must be what is shown.
func (c color) rounded() color { return mustColor(c.hex()) }

// mix is c with a share of other, from 0 to 1.
func (c color) mix(other color, share float64) color {
	at := func(a, b float64) float64 { return a + (b-a)*share }
	return color{at(c.r, other.r), at(c.g, other.g), at(c.b, other.b)}.rounded()
}

// luminance is the relative luminance of WCAG 2.
func (c color) luminance() float64 {
	return 0.2126*linear(c.r) + 0.7152*linear(c.g) + 0.0722*linear(c.b)
}

func linear(v float64) float64 {
	if v <= 0.04045 {
		return v / 12.92
	}
	return math.Pow((v+0.055)/1.055, 2.4)
}

func gamma(v float64) float64 {
	if v <= 0.0031308 {
		return v * 12.92
	}
	return 1.055*math.Pow(v, 1/2.4) - 0.055
}

// Contrast is the contrast ratio of two colours as WCAG 2 defines it, from 1 (the same) to 21 (black and white).
// Text needs 4.5, large text and signs need 3. It is 0 when one of them is not #rrggbb.
func Contrast(a, b string) float64 {
	one, ok := parseColor(a)
	two, ok2 := parseColor(b)
	if !ok || !ok2 {
		return 0
	}
	return contrast(one, two)
}

func contrast(a, b color) float64 {
	la, lb := a.luminance(), b.luminance()
	return (max(la, lb) + 0.05) / (min(la, lb) + 0.05)
}

// lightness moves a colour's perceived lightness to l (0 black, 1 white) and keeps its hue: Oklab, with the
// saturation lowered as far as the screen's range of colours asks for.
func (c color) lightness(l float64) color {
	_, a, b := c.oklab()
	for range 60 {
		if out := fromOklab(l, a, b); out.shown() {
			return out.rounded()
		}
		a, b = a*0.95, b*0.95
	}
	return fromOklab(l, 0, 0).rounded()
}

func (c color) shown() bool {
	in := func(v float64) bool { return v >= -0.0005 && v <= 1.0005 }
	return in(c.r) && in(c.g) && in(c.b)
}

func (c color) oklab() (l, a, b float64) {
	r, g, bl := linear(c.r), linear(c.g), linear(c.b)
	x := math.Cbrt(0.4122214708*r + 0.5363325363*g + 0.0514459929*bl)
	y := math.Cbrt(0.2119034982*r + 0.6806995451*g + 0.1073969566*bl)
	z := math.Cbrt(0.0883024619*r + 0.2817188376*g + 0.6299787005*bl)
	return 0.2104542553*x + 0.7936177850*y - 0.0040720468*z,
		1.9779984951*x - 2.4285922050*y + 0.4505937099*z,
		0.0259040371*x + 0.7827717662*y - 0.8086757660*z
}

func fromOklab(l, a, b float64) color {
	cube := func(v float64) float64 { return v * v * v }
	x := cube(l + 0.3963377774*a + 0.2158037573*b)
	y := cube(l - 0.1055613458*a - 0.0638541728*b)
	z := cube(l - 0.0894841775*a - 1.2914855480*b)
	part := func(v float64) float64 { return gamma(max(v, -0.0001)) }
	return color{
		part(4.0767416621*x - 3.3077115913*y + 0.2309699292*z),
		part(-1.2684380046*x + 2.6097574011*y - 0.3413193965*z),
		part(-0.0041960863*x - 0.7034186147*y + 1.7076147010*z),
	}
}

// readable is the shade of c nearest to it that has at least a contrast of ratio with every background. It goes
// darker on light backgrounds and lighter on dark ones.
func (c color) readable(ratio float64, backgrounds ...color) color {
	enough := func(shade color) bool {
		for _, ground := range backgrounds {
			if contrast(shade, ground) < ratio {
				return false
			}
		}
		return true
	}
	if c = c.rounded(); enough(c) {
		return c
	}
	step := -0.01
	if backgrounds[0].luminance() < 0.18 {
		step = 0.01
	}
	l, _, _ := c.oklab()
	for l += step; l > 0 && l < 1; l += step {
		if shade := c.lightness(l); enough(shade) {
			return shade
		}
	}
	return c.lightness(min(max(l, 0), 1))
}
