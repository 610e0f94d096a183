package imports

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// maxFile bounds the file, which is held in memory.
const maxFile = 256 << 20

// sheet is the table in a file.
type sheet struct {
	shape  shape
	header []string
	rows   []row // without blank ones
}

// row is one row below the header.
type row struct {
	line  int // on which it begins in the file, from 1
	cells []string
	index map[string][]int // of columns by folded name; a name may stand over several
	fault string           // why the row cannot be used; empty for a good one
	torn  bool             // the cells may not stand under their columns
}

// text is the cell under a column, trimmed; empty when there is no such column.
func (r row) text(column string) string { return r.nth(column, 0) }

// nth is the cell under the n-th (from 0) column of a name.
func (r row) nth(column string, n int) string {
	places := r.index[fold(column)]
	if n >= len(places) || places[n] >= len(r.cells) {
		return ""
	}
	return strings.TrimSpace(r.cells[places[n]])
}

// count is how many columns have a name.
func (r row) count(column string) int { return len(r.index[fold(column)]) }

// blank reports whether there is nothing in the cells.
func blank(cells []string) bool { return strings.TrimSpace(strings.Join(cells, "")) == "" }

// fold is the form in which names are compared: lower case, one space between words.
func fold(name string) string { return strings.Join(strings.Fields(strings.ToLower(name)), " ") }

// readFile reads the whole file and takes the byte order mark off. What is not text at all is an error that says so.
func readFile(file io.Reader, name string) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(file, maxFile+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("%s cannot be read: %w", name, err)
	case len(data) > maxFile:
		return nil, fmt.Errorf("%s is larger than %d MiB: split it", name, maxFile>>20)
	case bytes.HasPrefix(data, []byte("PK\x03\x04")):
		return nil, fmt.Errorf("%s is a workbook, not a CSV file: save it as CSV (UTF-8)", name)
	case bytes.HasPrefix(data, []byte("\xff\xfe")), bytes.HasPrefix(data, []byte("\xfe\xff")):
		return nil, fmt.Errorf("%s is written in UTF-16: save it as CSV (UTF-8)", name)
	}
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	if len(bytes.TrimSpace(data)) == 0 {
		return nil, fmt.Errorf("%s is empty: export it again", name)
	}
	return data, nil
}

// readSheet finds the table of an export in a file, whatever separates its fields.
func readSheet(data []byte, name, source, kind string) (sheet, error) {
	guess := newGuess(source, kind)
	for _, comma := range []rune{',', ';', '\t', '|'} {
		header, line, shape, found := guess.look(data, comma)
		if !found {
			continue
		}
		if err := shape.is(source, kind, name); err != nil {
			return sheet{}, err
		}
		s := sheet{shape: shape, header: header, rows: readRows(data, comma, header, line)}
		if len(s.rows) == 0 {
			return sheet{}, fmt.Errorf("%s has the columns but no rows below them: there is nothing to import", name)
		}
		return s, nil
	}
	return sheet{}, guess.miss(name)
}

// records reads CSV records and where each begins, until f returns false. A record that is not well formed comes with
// the error, and reading goes on after it.
func records(data []byte, comma rune, f func(cells []string, line int, err error) bool) {
	r := csv.NewReader(bytes.NewReader(data))
	r.Comma, r.FieldsPerRecord = comma, -1
	for {
		cells, err := r.Read()
		if errors.Is(err, io.EOF) {
			return
		}
		var line int
		if broken, ok := errors.AsType[*csv.ParseError](err); ok {
			line = broken.StartLine
		} else if len(cells) > 0 {
			line, _ = r.FieldPos(0)
		}
		if !f(cells, line, err) {
			return
		}
	}
}

// readRows reads what stands below the header, which is on a line.
func readRows(data []byte, comma rune, header []string, headerLine int) []row {
	index := map[string][]int{}
	for i, name := range header {
		index[fold(name)] = append(index[fold(name)], i)
	}
	var rows []row
	records(data, comma, func(cells []string, line int, err error) bool {
		if line > headerLine && (err != nil || !blank(cells)) {
			r := row{line: line, cells: cells, index: index}
			r.check(len(header), err)
			rows = append(rows, r)
		}
		return true
	})
	return rows
}

// check notes what is wrong with a row of a table of some width.
func (r *row) check(width int, err error) {
	switch broken, ok := errors.AsType[*csv.ParseError](err); {
	case ok && broken.Line > broken.StartLine:
		r.torn = true
		r.fault = fmt.Sprintf("the quotation marks from here to line %d do not match; write one inside a text twice", broken.Line)
	case err != nil:
		r.torn, r.fault = true, "the quotation marks in this row do not match; write one inside a text twice"
	case len(r.cells) < width || !blank(r.cells[width:]):
		r.torn = true
		r.fault = fmt.Sprintf("%d fields where the header has %d; put a text with the separator in it in quotation marks", len(r.cells), width)
	case !utf8.ValidString(strings.Join(r.cells, "")):
		r.fault = "some characters cannot be read; save the file as UTF-8"
	}
}
