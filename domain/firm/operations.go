package firm

import (
	"strconv"

	"github.com/atrium-portal/atrium/domain"
)

// What administrators do to the installation is told in the firm's history. The tables that pages read are made of the
// events, so none of it changes what happened.

// RebuildStarted says that somebody has the tables that pages read made anew from all events.
type RebuildStarted struct {
	Run domain.ID `json:"run"`
}

// RebuildEnded says how it ended.
type RebuildEnded struct {
	Run    domain.ID `json:"run"`
	Events int64     `json:"events,omitempty"` // that the tables were made of
	Digest string    `json:"digest,omitempty"` // of all rows; none when there was nothing to compare them with
	Differ []string  `json:"differ,omitempty"` // tables that had other rows before
	Failed bool      `json:"failed,omitempty"` // the tables from before stay in use
}

// TablesPutBack says that somebody has pages read the tables from before the last rebuild.
type TablesPutBack struct {
	Run domain.ID `json:"run"`
}

func (RebuildStarted) firm() {}
func (RebuildEnded) firm()   {}
func (TablesPutBack) firm()  {}

// EventType is the wire name.
func (RebuildStarted) EventType() string { return "RebuildStarted" }

// EventType is the wire name.
func (RebuildEnded) EventType() string { return "RebuildEnded" }

// EventType is the wire name.
func (TablesPutBack) EventType() string { return "TablesPutBack" }

// Sentence for history.
func (RebuildStarted) Sentence() string { return "started to make all pages' tables anew" }

// Sentence for history.
func (e RebuildEnded) Sentence() string {
	switch {
	case e.Failed:
		return "could not make the pages' tables anew"
	case len(e.Differ) > 0:
		return "made all pages' tables anew from " + strconv.FormatInt(e.Events, 10) + " events; some had other rows before"
	}
	return "made all pages' tables anew from " + strconv.FormatInt(e.Events, 10) + " events"
}

// Sentence for history.
func (TablesPutBack) Sentence() string {
	return "put back the pages' tables from before the last rebuild"
}

// Rebuild has the tables that pages read made anew beside those in use, and swaps them.
type Rebuild struct {
	Firm domain.ID `json:"firm"`
}

// Target is the firm.
func (c Rebuild) Target() domain.ID { return c.Firm }

// Decide notes the start.
func (Rebuild) Decide(s State, m domain.Meta) ([]Event, error) {
	if s.Run == m.NewID("run") {
		return nil, nil
	}
	return []Event{RebuildStarted{Run: m.NewID("run")}}, nil
}

// EndRebuild notes how a rebuild ended.
type EndRebuild struct {
	Firm  domain.ID    `json:"firm"`
	Ended RebuildEnded `json:"ended"`
}

// Target is the firm.
func (c EndRebuild) Target() domain.ID { return c.Firm }

// Decide notes the end, once.
func (c EndRebuild) Decide(s State, _ domain.Meta) ([]Event, error) {
	if s.Run != c.Ended.Run || s.Ended {
		return nil, nil
	}
	return []Event{c.Ended}, nil
}

// PutBackTables has pages read the tables from before the last rebuild; those of now are kept in their place.
type PutBackTables struct {
	Firm domain.ID `json:"firm"`
}

// Target is the firm.
func (c PutBackTables) Target() domain.ID { return c.Firm }

// Decide notes it.
func (PutBackTables) Decide(s State, m domain.Meta) ([]Event, error) {
	if s.Run == m.NewID("run") {
		return nil, nil
	}
	return []Event{TablesPutBack{Run: m.NewID("run")}}, nil
}
