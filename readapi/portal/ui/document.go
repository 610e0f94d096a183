package ui

import (
	"regexp"
	"time"

	"github.com/atrium-portal/atrium/domain"
)

// PaperProps is the head of a document.
type PaperProps struct {
	Kind  string // "Invoice", "Statement", "Agreement"
	Title string // "INV-1042", the title of a contract
	Brand Brand
	From  []string // lines: the firm's name and address
	To    []string // lines: the client's
	Facts []Pair   // number, issued, due
	Stamp string   // across the document: "Draft", "Void", "Paid"
}

// DocumentLine is a line of an invoice or a credit note.
type DocumentLine struct {
	Description string
	Quantity    domain.Decimal
	UnitPrice   domain.Money
	TaxRate     domain.Decimal // percent
	Net         domain.Money
}

// DocumentTax is the tax of one rate.
type DocumentTax struct {
	Rate domain.Decimal // percent
	Base domain.Money
	Tax  domain.Money
}

// LinesProps are the lines of an invoice with its sums.
type LinesProps struct {
	Lines  []DocumentLine
	Taxes  []DocumentTax
	Net    domain.Money
	Total  domain.Money
	After  []Sum // payments, credit notes: what lowers the total
	Due    Sum   // the last line; left out when its label is empty
	Format string
}

// Sum is an amount with its name.
type Sum struct {
	Label  string
	Amount domain.Money
}

// Signer is somebody who signs, and how far they have come.
type Signer struct {
	Name     string
	Detail   string    // their role
	SignedAt time.Time // zero: not yet
	SignedAs string    // the name as they typed it
	Drawing  string    // what they drew: path data of a signature pad; empty when they typed
	Declined bool
	Turn     bool // it is their turn
}

// drawing is what a signature pad makes: lines between whole numbers, nothing else.
var drawing = regexp.MustCompile(`^(?:M\d{1,3} \d{1,3}(?:L\d{1,3} \d{1,3})*)+$`)

// ValidDrawing reports whether text is what a signature pad sends: path data with moves and lines in a field of 600
// by 180, at most 20,000 characters.
func ValidDrawing(text string) bool { return len(text) <= 20_000 && drawing.MatchString(text) }
