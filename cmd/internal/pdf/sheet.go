package pdf

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"time"

	"codeberg.org/go-pdf/fpdf"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goitalic"
	"golang.org/x/image/font/gofont/gomono"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/sfnt"
)

// The paper is A4.
const (
	pageWidth  = 210.0
	pageHeight = 297.0
	left       = 22.0
	right      = pageWidth - 22
	top        = 24.0
	bottom     = pageHeight - 26 // text ends here; the footer is below
	width      = right - left
)

// color is red, green and blue.
type color [3]int

var (
	ink   = color{0x1b, 0x1e, 0x25}
	soft  = color{0x67, 0x6d, 0x79}
	faint = color{0xd9, 0xdb, 0xe0}
	tint  = color{0xf5, 0xf6, 0xf7}
)

// defaultColor is that of firms that have not chosen any.
var defaultColor = color{0x1f, 0x5f, 0x5b}

// parseColor reads #rrggbb.
func parseColor(text string) color {
	n, err := strconv.ParseUint(strings.TrimPrefix(text, "#"), 16, 32)
	if err != nil || len(text) != 7 {
		return defaultColor
	}
	return color{int(n >> 16), int(n >> 8 & 0xff), int(n & 0xff)}
}

// face is how text is written.
type face struct {
	font  string // "", bold, italic or mono
	size  float64
	color color
}

const (
	bold   = "b"
	italic = "i"
	mono   = "m"
)

func (f face) in(c color) face { f.color = c; return f }
func (f face) bold() face      { f.font = bold; return f }

// line is the height of a line of text, in millimetres.
func (f face) line() float64 { return f.size * 0.3528 * 1.42 }

var (
	body  = face{"", 9.5, ink}
	small = face{"", 8, soft}
	label = face{"", 7.5, soft}
)

// sheet is a document in the making. The pen stands at y; what it writes moves it down.
type sheet struct {
	pdf    *fpdf.Fpdf
	accent color
	y      float64
	letter func() // draws the head of pages after the first
	stamp  string // a word across every page
	set    face   // of the last text, to say it again on the next page
	fonts  map[string]bool
}

// begin makes a document. at is when what it says happened; it becomes the file's date.
func begin(title, author string, at time.Time, accent color) *sheet {
	pdf := fpdf.New("P", "mm", "A4", "")
	pdf.SetCatalogSort(true)
	at = at.UTC().Truncate(time.Second)
	pdf.SetCreationDate(at)
	pdf.SetModificationDate(at)
	pdf.SetProducer("Atrium", true)
	pdf.SetTitle(plain(title), true)
	pdf.SetAuthor(plain(author), true)
	pdf.SetLang("en")
	pdf.SetAutoPageBreak(false, 0)
	pdf.SetMargins(left, top, pageWidth-right)
	return &sheet{pdf: pdf, accent: accent, fonts: map[string]bool{}}
}

// load brings a font into the document, when it is used for the first time. The library writes into what it is given,
// so every document has a copy of its own.
func (s *sheet) load(name string) {
	if s.fonts[name] {
		return
	}
	s.fonts[name] = true
	ttf := goregular.TTF
	switch name {
	case bold:
		ttf = gobold.TTF
	case italic:
		ttf = goitalic.TTF
	case mono:
		ttf = gomono.TTF
	}
	s.pdf.AddUTF8FontFromBytes("go"+name, "", bytes.Clone(ttf))
}

// page begins a page.
func (s *sheet) page() {
	s.pdf.AddPage()
	s.set = face{}
	s.fill(0, 0, pageWidth, 2.2, s.accent)
	s.y = top
	if s.stamp != "" {
		s.across(s.stamp)
	}
	if s.pdf.PageNo() > 1 && s.letter != nil {
		s.letter()
	}
}

// need begins a new page unless there is room of a height; it tells whether it did.
func (s *sheet) need(height float64) bool {
	if s.y+height <= bottom {
		return false
	}
	s.page()
	return true
}

// down moves the pen.
func (s *sheet) down(by float64) { s.y += by }

// end writes the footers and gives the file.
func (s *sheet) end(footer string) ([]byte, error) {
	pages := s.pdf.PageCount()
	for n := 1; n <= pages; n++ {
		s.pdf.SetPage(n)
		s.set = face{}
		s.rule(left, right, bottom+8, faint)
		s.text(left, bottom+12.5, small, s.fit(small, footer, width-30))
		s.rightText(right, bottom+12.5, small, fmt.Sprintf("Page %d of %d", n, pages))
	}
	var file bytes.Buffer
	if err := s.pdf.Output(&file); err != nil {
		return nil, fmt.Errorf("pdf: %w", err)
	}
	return file.Bytes(), nil
}

// use sets the face of what is written next.
func (s *sheet) use(f face) {
	if s.set == f {
		return
	}
	s.load(f.font)
	if s.set.font != f.font || s.set.size != f.size {
		// The library skips what it thinks is set already, also on a page on which it is not.
		s.pdf.SetFont("go"+f.font, "", f.size+1)
		s.pdf.SetFont("go"+f.font, "", f.size)
	}
	s.pdf.SetTextColor(f.color[0], f.color[1], f.color[2])
	s.set = f
}

// text writes one line with its baseline at y.
func (s *sheet) text(x, y float64, f face, text string) {
	if text = plain(text); text != "" {
		s.use(f)
		s.pdf.Text(x, y, text)
	}
}

// rightText writes one line that ends at x.
func (s *sheet) rightText(x, y float64, f face, text string) {
	s.text(x-s.width(f, text), y, f, text)
}

// width of a text on one line.
func (s *sheet) width(f face, text string) float64 {
	s.use(f)
	return s.pdf.GetStringWidth(plain(text))
}

// fit shortens a text to a width.
func (s *sheet) fit(f face, text string, to float64) string {
	if s.width(f, text) <= to {
		return text
	}
	letters := []rune(text)
	for len(letters) > 0 && s.width(f, string(letters)+"…") > to {
		letters = letters[:len(letters)-1]
	}
	return string(letters) + "…"
}

// wrap breaks a text into lines of a width, at its own line breaks and at spaces.
func (s *sheet) wrap(f face, text string, to float64) (lines []string) {
	for paragraph := range strings.SplitSeq(strings.TrimRight(text, "\n"), "\n") {
		line := ""
		for _, word := range strings.Fields(paragraph) {
			for line == "" && s.width(f, word) > to { // a word that is too long for any line
				head := s.head(f, word, to)
				lines, word = append(lines, head), word[len(head):]
			}
			switch candidate := line + " " + word; {
			case line == "":
				line = word
			case s.width(f, candidate) <= to:
				line = candidate
			default:
				lines = append(lines, line)
				for line = word; s.width(f, line) > to; {
					head := s.head(f, line, to)
					lines, line = append(lines, head), line[len(head):]
				}
			}
		}
		lines = append(lines, line)
	}
	return lines
}

// head is as much of a word as fits, at least one letter.
func (s *sheet) head(f face, word string, to float64) string {
	end := 0
	for i, r := range word {
		next := i + len(string(r))
		if end > 0 && s.width(f, word[:next]) > to {
			break
		}
		end = next
	}
	return word[:end]
}

// lines writes a text into a column at the pen and moves the pen below it, over as many pages as it takes.
func (s *sheet) lines(x, to float64, f face, text string) {
	for _, line := range s.wrap(f, text, to) {
		s.need(f.line())
		s.y += f.line()
		s.text(x, s.y-f.line()*0.28, f, line)
	}
}

// block writes a text into a column with its top at y, without moving the pen, and gives where it ends.
func (s *sheet) block(x, y, to float64, f face, text string) float64 {
	if text == "" {
		return y
	}
	for _, line := range s.wrap(f, text, to) {
		y += f.line()
		s.text(x, y-f.line()*0.28, f, line)
	}
	return y
}

// rule draws a thin line.
func (s *sheet) rule(from, to, y float64, c color) {
	s.pdf.SetDrawColor(c[0], c[1], c[2])
	s.pdf.SetLineWidth(0.2)
	s.pdf.Line(from, y, to, y)
}

// fill draws a rectangle.
func (s *sheet) fill(x, y, w, h float64, c color) {
	s.pdf.SetFillColor(c[0], c[1], c[2])
	s.pdf.Rect(x, y, w, h, "F")
}

// across writes a word across the page, under what follows.
func (s *sheet) across(word string) {
	const size = 90
	f := face{bold, size, color{0xec, 0xec, 0xee}}
	s.pdf.TransformBegin()
	s.pdf.TransformRotate(35, pageWidth/2, pageHeight/2)
	s.text((pageWidth-s.width(f, word))/2, pageHeight/2+size*0.1, f, word)
	s.pdf.TransformEnd()
}

// regular tells which letters there are. It is part of the program, so it can be read.
var regular, _ = sfnt.Parse(goregular.TTF)

// plain is a text in letters that there are: control characters are left out, and what the font lacks is a box.
func plain(text string) string {
	var buffer sfnt.Buffer
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t' || r == '\r' || r == '\u2028' || r == '\u2029':
			return ' '
		case r < ' ' || r == 0x7f || r >= 0x200b && r <= 0x200f || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 || r == 0xfeff:
			return -1 // unseen, and able to turn the line around
		case r == '\u202f':
			return '\u00a0'
		}
		if glyph, err := regular.GlyphIndex(&buffer, r); r > 0xffff || err != nil || glyph == 0 {
			return '□'
		}
		return r
	}, text)
}
