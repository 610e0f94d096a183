package pdf

// column of a table.
type column struct {
	title string
	width float64
	right bool
}

// cell is what stands in a column: lines of text, the first in ink, and below it in small letters.
type cell struct {
	text, below string
	strong      bool
}

// table writes rows under their titles, over as many pages as it takes; the titles come again on each.
type table struct {
	sheet   *sheet
	columns []column
	row     face
}

const (
	cellGap = 4.0 // between columns
	rowPad  = 1.9 // above and below the text of a row
)

// head writes the titles.
func (t table) head() {
	s := t.sheet
	x := left
	s.y += 3.4
	for _, c := range t.columns {
		if c.right {
			s.rightText(x+c.width, s.y, label, c.title)
		} else {
			s.text(x, s.y, label, c.title)
		}
		x += c.width + cellGap
	}
	s.y += 2.2
	s.rule(left, right, s.y, s.accent)
}

// line writes a row. A row stays on one page, unless it is longer than a page.
func (t table) line(cells ...cell) {
	s := t.sheet
	wrapped, below := make([][]string, len(cells)), make([][]string, len(cells))
	height := 0.0
	for i, c := range cells {
		wrapped[i] = s.wrap(t.face(c), c.text, t.columns[i].width)
		h := float64(len(wrapped[i])) * t.row.line()
		if c.below != "" {
			below[i] = s.wrap(small, c.below, t.columns[i].width)
			h += float64(len(below[i])) * small.line()
		}
		height = max(height, h)
	}
	if s.need(min(height+2*rowPad, bottom-top-30)) {
		t.head()
	}
	s.y += rowPad
	rows := 0
	for _, w := range wrapped {
		rows = max(rows, len(w))
	}
	for n := range rows {
		if s.need(t.row.line()) {
			t.head()
			s.y += rowPad
		}
		s.y += t.row.line()
		x := left
		for i, c := range t.columns {
			if n < len(wrapped[i]) {
				t.put(c, x, t.face(cells[i]), wrapped[i][n])
			}
			x += c.width + cellGap
		}
	}
	deepest := 0
	for _, b := range below {
		deepest = max(deepest, len(b))
	}
	for n := range deepest {
		s.y += small.line()
		x := left
		for i, c := range t.columns {
			if n < len(below[i]) {
				t.put(c, x, small, below[i][n])
			}
			x += c.width + cellGap
		}
	}
	s.y += rowPad
	s.rule(left, right, s.y, faint)
}

func (t table) face(c cell) face {
	if c.strong {
		return t.row.bold()
	}
	return t.row
}

func (t table) put(c column, x float64, f face, text string) {
	y := t.sheet.y - f.line()*0.28
	if c.right {
		t.sheet.rightText(x+c.width, y, f, text)
		return
	}
	t.sheet.text(x, y, f, text)
}

// sum is a line of what amounts come to.
type sum struct {
	name, amount string
	total        bool
}

// sums writes amounts at the right, with a stronger line for a total.
func (s *sheet) sums(list ...sum) {
	const column = 84.0
	for _, one := range list {
		f, h := body, 6.2
		if one.total {
			f, h = face{bold, 11.5, ink}, 9
		}
		s.need(h)
		if one.total {
			s.fill(right-column, s.y+0.6, column+2, h-0.6, tint)
			s.fill(right-column, s.y+0.6, 0.9, h-0.6, s.accent)
		}
		base := s.y + h*0.68
		s.text(right-column+3, base, f, s.fit(f, one.name, column-40))
		s.rightText(right, base, f, one.amount)
		s.y += h
	}
}
