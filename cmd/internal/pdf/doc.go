// Package pdf draws the papers of package readapi as PDF files: invoices, receipts, statements of account, contracts
// with the certificate of their signatures.
//
// # What lives here
//
//   - Documents: one method for each paper, in the file of its name.
//   - sheet.go: paper, fonts, colours, lines and text; everything is measured in millimetres from the top left corner.
//   - table.go, prose.go, words.go: what several papers have.
//
// It may import readapi, projections/evidence/bundle, domain, fpdf and the Go fonts.
//
// # Decisions
//
// A file is made of its paper and nothing else: no clock, no random ids, no picture from elsewhere. So the invoice that
// somebody downloads after a year is, byte for byte, the one that was sent. The price is that a new version of this
// package or of its libraries gives other bytes for old papers; the golden files show when that happens.
//
// The fonts are those of the Go project: they are part of the program, and have Latin, Greek and Cyrillic. Letters they
// lack are shown as a box.
package pdf
