package ui

import (
	"strconv"
	"strings"
)

// BarsProps describes a bar chart: one group of bars for each label, such as a month.
type BarsProps struct {
	Title  string   // "Revenue by month"
	Text   string   // what the chart tells, in a sentence
	Series []string // one or two: "Billed", "Paid"
	Groups []BarGroup
	Top    string // what the highest line stands for: "40,000 EUR"
	// TopValue is the value of the highest line; the largest value when it is 0.
	TopValue int64
}

// BarGroup is what stands above one label. Values must not be below zero.
type BarGroup struct {
	Label  string   // "Mar"
	Name   string   // "March 2026"
	Values []int64  // one per series
	Texts  []string // the same, written for people
}

// PartsProps describes a bar that is made of parts, such as what is owed by age.
type PartsProps struct {
	Title string
	Text  string // what the chart tells, in a sentence
	Kind  PartsKind
	Parts []Part
}

// PartsKind chooses the colours of the parts.
type PartsKind string

// The kinds. Ageing goes from calm to alarming; Mix goes through the firm's colours.
const (
	Mix    PartsKind = "mix"
	Ageing PartsKind = "ageing"
)

// Part is one part of such a bar.
type Part struct {
	Label string
	Value int64
	Text  string // the value, written for people
	Href  string // the list of what it counts
}

// SparkProps describes a small line without axes.
type SparkProps struct {
	Title  string
	Text   string // the values in words: "from 4 to 12 in six months"
	Values []int64
}

// The charts are drawn in a field of this size and stretched to their place; lines keep their width.
const (
	chartHeight = 100
	groupWidth  = 20
	partsWidth  = 1000
)

type rect struct{ x, y, width, height, class, title string }

func number(n int64) string { return strconv.FormatInt(n, 10) }

func (b BarsProps) top() int64 {
	top := max(b.TopValue, 1)
	for _, g := range b.Groups {
		for _, v := range g.Values {
			top = max(top, v)
		}
	}
	return top
}

func (b BarsProps) viewBox() string {
	return "0 0 " + strconv.Itoa(groupWidth*max(len(b.Groups), 1)) + " " + strconv.Itoa(chartHeight)
}

func (b BarsProps) width() string { return strconv.Itoa(groupWidth * max(len(b.Groups), 1)) }

// rects are the bars. A value above zero is never so small that it cannot be seen.
func (b BarsProps) rects() []rect {
	top, series := b.top(), int64(max(len(b.Series), 1))
	room := int64(groupWidth - 6)
	var out []rect
	for i, g := range b.Groups {
		for j, v := range g.Values {
			height := v * chartHeight / top
			if v > 0 {
				height = max(height, 1)
			}
			out = append(out, rect{
				x: number(int64(i)*groupWidth + 3 + int64(j)*room/series), y: number(chartHeight - height),
				width: number(room/series - (series - 1)), height: number(height),
				class: "s" + strconv.Itoa(j), title: g.Name + ": " + textAt(g.Texts, j),
			})
		}
	}
	return out
}

func textAt(texts []string, i int) string {
	if i < len(texts) {
		return texts[i]
	}
	return ""
}

func (p PartsProps) total() int64 {
	total := int64(0)
	for _, part := range p.Parts {
		total += max(part.Value, 0)
	}
	return total
}

// rects are the parts beside each other, with a gap between them.
func (p PartsProps) rects() []rect {
	total := p.total()
	if total == 0 {
		return nil
	}
	var out []rect
	sum := int64(0)
	for i, part := range p.Parts {
		from := sum * partsWidth / total
		sum += max(part.Value, 0)
		to := sum * partsWidth / total
		if to > from {
			out = append(out, rect{
				x: number(from), y: "0", width: number(max(to-from-4, 2)), height: "10",
				class: "p" + strconv.Itoa(i), title: part.Label + ": " + part.Text,
			})
		}
	}
	return out
}

// path is the line of a sparkline.
func (s SparkProps) path() string {
	if len(s.Values) < 2 {
		return ""
	}
	low, high := s.Values[0], s.Values[0]
	for _, v := range s.Values {
		low, high = min(low, v), max(high, v)
	}
	var path strings.Builder
	for i, v := range s.Values {
		move := "L"
		if i == 0 {
			move = "M"
		}
		x := i * 100 / (len(s.Values) - 1)
		y := 28 - (v-low)*24/max(high-low, 1)
		path.WriteString(move + strconv.Itoa(x) + " " + number(y))
	}
	return path.String()
}
