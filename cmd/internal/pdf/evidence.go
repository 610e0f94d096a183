package pdf

import (
	"strconv"
	"time"

	"github.com/atrium-portal/atrium/projections/evidence/bundle"
)

const utcStamp = "2006-01-02 15:04:05"

// Evidence draws the report of an evidence bundle.
func (Documents) Evidence(r *bundle.Report) ([]byte, error) {
	s := begin(r.Title, r.Firm, r.Issued, ink)
	s.page()
	s.heading(r.Title)
	s.down(2)
	s.lines(left, width, body, "A part of the records of "+r.Firm+", with the means to check it.")
	s.down(4)
	s.entries(fact{"Issued", r.Issued.UTC().Format(utcStamp) + " UTC"}, fact{"Record", r.About})
	for _, seal := range r.Seals {
		s.entries(fact{"Seal", strconv.FormatInt(seal.Size, 10) + " entries in the log " + seal.Log}, fact{"SHA-256 of the log", seal.Root})
	}
	s.section("What this shows")
	s.lines(left, width, body, bundle.Shows)
	s.down(3)
	s.lines(left, width, body, bundle.HowToCheck)
	s.section("What happened")
	t := table{s, []column{{"ENTRY", 16, true}, {"WHEN (UTC)", 36, false}, {"WHAT", width - 16 - 36 - 2*cellGap, false}}, body}
	t.head()
	for _, l := range r.Lines {
		t.line(cell{text: strconv.FormatInt(l.Index, 10), below: epoch(l.Epoch)}, cell{text: stamp(l.Time)}, cell{text: said(l), below: l.Stream + " revision " + strconv.FormatInt(l.Revision, 10)})
	}
	if len(r.Files) > 0 {
		s.section("Documents")
		for _, f := range r.Files {
			s.entries(fact{"File", f.Name + ", " + strconv.FormatInt(f.Size, 10) + " bytes"}, fact{"SHA-256", f.SHA256})
		}
	}
	return s.end(joined(" · ", r.Firm, r.Title))
}

func epoch(n int) string {
	if n == 1 {
		return ""
	}
	return "epoch " + strconv.Itoa(n)
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(utcStamp)
}

func said(l bundle.Line) string {
	text := joined(" ", l.Who, l.Did)
	if l.Withheld {
		text += " (contents not in this bundle)"
	}
	return text
}
