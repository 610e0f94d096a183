package bundle

import (
	"bytes"
	_ "embed" // the page
	"html/template"
	"time"
)

// Report is what a bundle says to people, who may have no program to check it: a judge, an auditor, the client. It
// summarises; what counts are the files it comes with.
type Report struct {
	Title  string // "History of Harbour Café Ltd"
	Firm   string
	About  string // name of the stream that the bundle is about
	Issued time.Time
	// For names whom the bundle was made for; empty when nobody in particular.
	For   string
	Seals []Seal
	Lines []Line
	Files []ReportFile
}

// What a report says of itself, in every form.
const (
	Shows = "Each event below was sealed when it was recorded: it is an entry of a log to which entries are only ever added, and the " +
		"seal above is one number over all of them. So each event existed when it was sealed, in this order, and is unchanged since. What " +
		"is missing was withheld from this report, or removed by an entry that says so. None of this can show that what somebody entered was true."
	HowToCheck = "This is a summary for people. The proof is in the files it comes with. To check them, offline, run `atrium-verify " +
		"bundle.zip --keys KEYS` with a file of the portal's public keys, which the portal publishes at /.well-known/atrium-log-keys and a " +
		"witness or somebody else you trust may have too."
)

// Seal is a checkpoint.
type Seal struct {
	Log  string
	Size int64
	Root string // base64
}

// Line is an event in plain words.
type Line struct {
	Place
	Stream   string
	Revision int64
	Time     time.Time // when it was recorded, UTC
	Who      string    // "Priya Raman (staff)"
	Did      string    // "sent invoice 7 for 120.00 EUR"
	Withheld bool      // its contents are not in the bundle
}

// ReportFile is a document in the bundle.
type ReportFile struct {
	Name, SHA256 string
	Size         int64 // bytes
}

// line completes the line with what the leaf says.
func (i Item) line() Line {
	l := i.Line
	l.Place, l.Stream, l.Revision = i.Place, i.Leaf.Stream, i.Leaf.Revision
	l.Withheld = i.Data == nil
	if l.Did == "" {
		l.Did = i.Leaf.Type
	}
	return l
}

//go:embed report.html
var reportPage string

// HTML is the report as a page that prints well and needs nothing else.
func (r *Report) HTML() ([]byte, error) {
	page, err := template.New("report").Funcs(template.FuncMap{
		"shows": func() string { return Shows },
		"check": func() string { return HowToCheck },
		"utc":   func(t time.Time) string { return t.UTC().Format("2 January 2006, 15:04:05 UTC") },
	}).Parse(reportPage)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = page.Execute(&b, r)
	return b.Bytes(), err
}
