package pdf

import "strings"

// prose writes a text with the little of Markdown that contracts are written in: headings, lists and bold words. All
// else stays as it was written; no word is left out or added.
func (s *sheet) prose(text string) {
	gap := false
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" {
			gap = true
			continue
		}
		if gap {
			s.down(2.4)
			gap = false
		}
		if rest := strings.TrimLeft(line, "#"); rest != line && strings.HasPrefix(rest, " ") {
			s.title(strings.TrimSpace(rest), len(line)-len(rest))
			continue
		}
		indent, mark := 0.0, ""
		for _, bullet := range []string{"- ", "* ", "• "} {
			if rest, ok := strings.CutPrefix(line, bullet); ok {
				line, indent, mark = strings.TrimSpace(rest), 5, "•"
			}
		}
		s.runs(left+indent, width-indent, mark, line)
	}
}

func (s *sheet) title(text string, level int) {
	f := face{bold, max(13-1.5*float64(level-1), 10), ink}
	s.need(f.line() + 14)
	s.down(3.4)
	s.lines(left, width, f, strings.ReplaceAll(text, "**", ""))
	s.down(0.8)
}

// prosaic is the face of a contract's text.
var prosaic = face{"", 10, ink}

// word is a piece of a line that is not broken.
type word struct {
	text  string
	face  face
	glued bool // no space before it
}

// runs writes a paragraph whose words between ** are bold. mark stands before its first line.
func (s *sheet) runs(x, to float64, mark, text string) {
	space := s.width(prosaic, " ")
	var row []word
	used := 0.0
	flush := func() {
		s.need(prosaic.line())
		s.y += prosaic.line()
		base := s.y - prosaic.line()*0.28
		if mark != "" {
			s.text(x-4, base, prosaic, mark)
			mark = ""
		}
		at := x
		for i, w := range row {
			if i > 0 && !w.glued {
				at += space
			}
			s.text(at, base, w.face, w.text)
			at += s.width(w.face, w.text)
		}
		row, used = nil, 0
	}
	for _, w := range words(text) {
		for s.width(w.face, w.text) > to { // longer than a line
			if len(row) > 0 {
				flush()
			}
			head := s.head(w.face, w.text, to)
			row = []word{{head, w.face, true}}
			flush()
			w.text = w.text[len(head):]
		}
		need := s.width(w.face, w.text)
		if len(row) > 0 && !w.glued {
			need += space
		}
		if len(row) > 0 && used+need > to {
			flush()
			need = s.width(w.face, w.text)
		}
		row = append(row, w)
		used += need
	}
	if len(row) > 0 {
		flush()
	}
}

// words cuts a line at spaces and at marks of bold words.
func words(line string) (list []word) {
	parts := strings.Split(line, "**")
	if len(parts)%2 == 0 { // one mark without its other
		parts = []string{line}
	}
	spaced := true
	for i, part := range parts {
		f := prosaic
		if i%2 == 1 {
			f = f.bold()
		}
		for n, text := range strings.Fields(part) {
			glued := n == 0 && !spaced && !strings.HasPrefix(part, " ")
			list = append(list, word{text, f, glued})
		}
		if part != "" {
			spaced = strings.HasSuffix(part, " ")
		}
	}
	return list
}
