package pdf

import (
	"github.com/atrium-portal/atrium/readapi"
)

// fact is a line of the box beside the address.
type fact struct{ name, value string }

// letterhead writes who writes to whom, what this is, and its facts. The pen stands below it. whom is what stands over
// the address.
func (s *sheet) letterhead(from readapi.Seller, whom string, to readapi.Buyer, title string, facts ...fact) {
	// Who writes: the name large, the rest small and to the right.
	name := face{bold, 15, ink}
	s.text(left, s.y+4.5, name, s.fit(name, from.Name, width*0.55))
	y := s.y - 0.6
	for _, line := range s.wrap(small, joined("\n", from.Address, tax(from.TaxID)), width*0.4) {
		y += small.line()
		s.rightText(right, y, small, line)
	}
	s.y = max(y, s.y+6) + 15

	// To whom, and the facts.
	begun := s.y
	s.text(left, s.y, label, whom)
	ends := s.block(left, s.y+1.2, width*0.5, body.bold(), to.Name)
	ends = s.block(left, ends, width*0.5, body, to.Address)
	ends = s.block(left, ends, width*0.5, small, tax(to.TaxID))
	y = begun
	const column = 78.0
	for _, f := range facts {
		s.text(right-column, y, small, f.name)
		s.rightText(right, y, body, s.fit(body, f.value, column-26))
		s.rule(right-column, right, y+1.9, faint)
		y += 6.3
	}
	s.y = max(ends, y) + 13
	s.heading(title)
	s.letter = func() {
		s.text(left, s.y, small, s.fit(small, from.Name+" · "+title, width*0.8))
		s.y += 8
	}
}

func tax(id string) string {
	if id == "" {
		return ""
	}
	return "Tax ID " + id
}

// heading writes the title of the paper.
func (s *sheet) heading(title string) {
	f := face{bold, 20, s.accent}
	for _, line := range s.wrap(f, title, width) {
		s.text(left, s.y, f, line)
		s.y += 8.5
	}
	s.y += 1.5
}

// section writes the title of a part.
func (s *sheet) section(title string) {
	s.need(20)
	s.down(9)
	s.text(left, s.y, face{bold, 10.5, ink}, title)
	s.down(3)
}
