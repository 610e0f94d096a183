package audit

import (
	"strings"
	"unicode"
)

// Sentence for history.
func (e RecordViewed) Sentence() string {
	if e.Part != "" {
		return "opened the " + e.Part + " of " + e.Record.spoken()
	}
	return "opened " + e.Record.spoken()
}

// Sentence for history.
func (e FileDownloaded) Sentence() string {
	if e.File == e.Record.Type {
		return "downloaded " + e.Record.spoken()
	}
	return "downloaded the " + e.File + " of " + e.Record.spoken()
}

// Sentence for history.
func (e DataExported) Sentence() string {
	return "exported the " + e.Data + " of " + e.Record.spoken() + " as " + e.Format
}

// Sentence for history.
func (e AccessRefused) Sentence() string {
	if e.Tried == Look {
		return "tried to open " + e.Record.spoken() + " and was refused"
	}
	return "tried to " + words(e.Tried) + " and was refused: " + e.Record.spoken()
}

// Look is what was tried when no command was.
const Look = "look"

// words takes the name of a command apart: "SendInvoice" is "send invoice".
func words(name string) string {
	var b strings.Builder
	for i, r := range name {
		if i > 0 && unicode.IsUpper(r) {
			b.WriteByte(' ')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

// Sentence for history.
func (e MailSent) Sentence() string { return "went out: " + e.Kind }

// Sentence for history.
func (e ToolRun) Sentence() string {
	return "ran atrium " + e.Tool + e.By.After(" as ") + ": " + e.Result
}

// spoken names the record: "invoice 2026-007", "the account".
func (r Record) spoken() string {
	if r.Label.Reveal() == "" {
		return "the " + r.Type
	}
	return r.Type + r.Label.After(" ")
}
