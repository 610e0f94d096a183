package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/jedib0t/go-pretty/v6/progress"
	"golang.org/x/term"
)

// meter shows how far long work has come: a bar with rate and time left on a terminal, a plain line every few
// seconds elsewhere, JSON lines for programs. It writes to standard error, so that results can be piped.
type meter struct {
	title  string
	out    io.Writer
	now    func() time.Time
	asJSON bool

	bar     progress.Writer
	tracker *progress.Tracker
	begun   time.Time
	last    time.Time
	done    int64
	total   int64
}

const plainEvery = 2 * time.Second

func newMeter(t *terminal, title string, asJSON bool) *meter {
	m := &meter{title: title, out: t.err, now: t.now, asJSON: asJSON, begun: t.now()}
	if f, ok := t.err.(*os.File); ok && !asJSON && term.IsTerminal(int(f.Fd())) {
		m.tracker = &progress.Tracker{Message: title, Units: progress.UnitsDefault}
		m.bar = progress.NewWriter()
		m.bar.SetOutputWriter(f)
		m.bar.SetAutoStop(false)
		m.bar.SetUpdateFrequency(100 * time.Millisecond)
		m.bar.Style().Visibility.ETA = true
		m.bar.Style().Visibility.Speed = true
		m.bar.AppendTracker(m.tracker)
		go m.bar.Render()
	}
	return m
}

// at says how far it is. total may grow; 0 means not known.
func (m *meter) at(done, total int64) {
	m.done, m.total = done, total
	if m.tracker != nil {
		m.tracker.UpdateTotal(total)
		m.tracker.SetValue(done)
		return
	}
	if now := m.now(); now.Sub(m.last) >= plainEvery && (!m.last.IsZero() || now.Sub(m.begun) >= plainEvery) {
		m.last = now
		m.line()
	}
}

// phase names what is being done now.
func (m *meter) phase(title string) {
	m.title = title
	if m.tracker != nil {
		m.tracker.UpdateMessage(title)
	}
}

// end stops the display.
func (m *meter) end() {
	if m.tracker == nil {
		if m.asJSON {
			m.line()
		}
		return
	}
	m.tracker.MarkAsDone()
	m.bar.Stop()
	for m.bar.IsRenderInProgress() {
		<-time.After(10 * time.Millisecond)
	}
}

func (m *meter) line() {
	passed := m.now().Sub(m.begun)
	rate := float64(m.done) / max(passed.Seconds(), 0.001)
	left := time.Duration(0)
	if rate > 0 && m.total > m.done {
		left = time.Duration(float64(m.total-m.done) / rate * float64(time.Second)).Round(time.Second)
	}
	if m.asJSON {
		json.NewEncoder(m.out).Encode(map[string]any{ //nolint:errcheck // progress is not worth failing for
			"phase": m.title, "done": m.done, "total": m.total, "per_second": int64(rate), "left_seconds": int64(left.Seconds()),
		})
		return
	}
	fmt.Fprintf(m.out, "%s: %d of %d, %.0f/s, %s left\n", m.title, m.done, m.total, rate, left)
}
