package imports

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// What can be imported, from which products.
const (
	Clients  = "clients"
	Invoices = "invoices"

	InvoiceNinja = "invoiceninja"
	FreshBooks   = "freshbooks"
)

// Kinds lists what can be imported.
func Kinds() []string { return []string{Clients, Invoices} }

// Sources lists the products whose exports can be imported.
func Sources() []string { return []string{InvoiceNinja, FreshBooks} }

// shape is what an export looks like.
type shape struct {
	source, kind string
	needs        []string // columns without which it is another one
}

// shapes lists the exports we recognise, also those we cannot import: to say what a file is helps more than to say what
// it is not.
func shapes() []shape {
	return []shape{
		{InvoiceNinja, Clients, []string{"Name", "First Name", "Last Name", "Email"}},
		{InvoiceNinja, Invoices, []string{
			"Client", "Invoice Number", "Amount", "Paid", "Status", "Invoice Date", "Due Date", "Item Product", "Item Notes", "Item Cost", "Item Quantity",
		}},
		{InvoiceNinja, "quotes", []string{"Client", "Quote Number", "Amount", "Quote Date"}},
		{InvoiceNinja, "payments", []string{"Client", "Invoice Number", "Amount", "Date"}},
		{FreshBooks, Clients, []string{"Organization", "First Name", "Last Name", "Email"}},
		{FreshBooks, Invoices, []string{
			"Client Name", "Invoice #", "Date Issued", "Invoice Status", "Item Name", "Item Description", "Rate", "Quantity", "Line Total", "Currency",
		}},
	}
}

// product is a source as people know it.
func product(source string) string {
	switch source {
	case InvoiceNinja:
		return "Invoice Ninja"
	case FreshBooks:
		return "FreshBooks"
	default:
		return source
	}
}

// missing lists the columns that a header lacks.
func (s shape) missing(header []string) []string {
	var folded, missing []string
	for _, name := range header {
		folded = append(folded, fold(name))
	}
	for _, name := range s.needs {
		if !slices.Contains(folded, fold(name)) {
			missing = append(missing, name)
		}
	}
	return missing
}

// is refuses a file of another shape than the one wanted, and says which it has.
func (s shape) is(source, kind, name string) error {
	if s.source == source && s.kind == kind {
		return nil
	}
	text := fmt.Sprintf("%s is an export of %s from %s, not of %s from %s: ", name, s.kind, product(s.source), kind, product(source))
	if slices.Contains(Kinds(), s.kind) {
		return errors.New(text + fmt.Sprintf("use `atrium import %s --from %s`", s.kind, s.source))
	}
	return errors.New(text + fmt.Sprintf("export the %s and import those", kind))
}

// guess looks for the header of an export, which may stand below a title, and remembers what came closest.
type guess struct {
	want    shape
	lacking []string
	found   []string // the header that lacks them
	line    int
}

// headerWithin is how many records may come before the first row.
const headerWithin = 10

func newGuess(source, kind string) *guess {
	for _, s := range shapes() {
		if s.source == source && s.kind == kind {
			return &guess{want: s, lacking: s.needs}
		}
	}
	return &guess{want: shape{source: source, kind: kind}}
}

// look searches the first records for the header of any export we know, and tells where it is. A line that names what
// follows ("QUOTES") goes before the columns, which may be the same.
func (g *guess) look(data []byte, comma rune) (header []string, line int, found shape, ok bool) {
	read, title := 0, ""
	records(data, comma, func(cells []string, at int, err error) bool {
		if err != nil {
			return false
		}
		for _, s := range shapes() {
			missing := s.missing(cells)
			if len(missing) == 0 {
				header, line, found, ok = cells, at, s, true
				if s.source == InvoiceNinja && (title == "quotes" || title == "payments" || title == "credits") {
					found.kind = title
				}
				return false
			}
			if s.source == g.want.source && s.kind == g.want.kind {
				g.keep(missing, cells, at)
			}
		}
		if !blank(cells) && blank(cells[1:]) {
			title = fold(cells[0])
		}
		read++
		return read < headerWithin
	})
	return header, line, found, ok
}

// keep remembers a record if it comes closest to the header: it lacks the fewest columns, and is the widest of those.
func (g *guess) keep(missing, cells []string, line int) {
	if g.found == nil || len(missing) < len(g.lacking) || len(missing) == len(g.lacking) && len(cells) > len(g.found) {
		g.lacking, g.found, g.line = missing, cells, line
	}
}

// miss says which columns were looked for and what was there instead.
func (g *guess) miss(name string) error {
	return fmt.Errorf("%s is not an export of %s from %s: %s; line %d has %s",
		name, g.want.kind, product(g.want.source), columns(g.lacking, "the column %s is missing", "the columns %s are missing"),
		max(g.line, 1), columns(g.found, "only %s", "%s"))
}

// columns lists names in a sentence, not all of a wide table.
func columns(names []string, one, many string) string {
	var list []string
	for _, name := range names {
		if name = strings.TrimSpace(name); name != "" {
			list = append(list, shorten(name, 40))
		}
	}
	const most = 12
	if more := len(list) - most; more > 0 {
		list = append(list[:most], fmt.Sprintf("%d more", more))
	}
	switch len(list) {
	case 0:
		return "no column names"
	case 1:
		return fmt.Sprintf(one, list[0])
	}
	last := len(list) - 1
	return fmt.Sprintf(many, strings.Join(list[:last], ", ")+" and "+list[last])
}

// shorten keeps a text from the file within a sentence: on one line, without control characters, of limited length.
func shorten(text string, limit int) string {
	runes := []rune(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, text))
	if len(runes) > limit {
		return string(runes[:limit-1]) + "…"
	}
	return string(runes)
}
