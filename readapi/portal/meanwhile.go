package portal

import (
	"net/url"
	"slices"
	"strconv"

	"github.com/a-h/templ"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/readapi"
	"github.com/atrium-portal/atrium/readapi/portal/ui"
)

// Two people may write on one draft. Its form says at which revision it was opened, and whoever saves second is told,
// with all that they typed still there. A draft that was sent meanwhile stays as it was sent; then the same form makes a
// new one.

// revisionField holds the revision of the record that a form was opened at.
const revisionField = "revision"

// openedAt is the revision that the form was opened at; one that no record has when it does not say.
func (f *form) openedAt() *int64 {
	revision, err := strconv.ParseInt(f.text(revisionField), 10, 64)
	if err != nil {
		revision = -1
	}
	return &revision
}

// pin is the hidden field with the revision. Once its sender was told that the record has changed, it is the revision
// now: saving again is meant.
func (f *form) pin(revision int64, overtaken bool) ui.HiddenField {
	value := strconv.FormatInt(revision, 10)
	if f.values != nil && !overtaken {
		value = f.text(revisionField)
	}
	return ui.HiddenField{Name: revisionField, Value: value}
}

// overtaken reports whether the form was refused because its record has changed. The page says so in its own way.
func (f *form) overtaken() bool {
	n := len(f.faults)
	f.faults = slices.DeleteFunc(f.faults, func(fault *domain.Fault) bool { return fault.Kind == domain.Stale })
	return len(f.faults) < n
}

// meanwhile is what somebody else did to a record while a form about it was being filled in.
type meanwhile struct {
	look
	Last readapi.StaffEntry
	Now  templ.Component // the record as it is now
	Sent bool            // it is no draft any more: what was typed can only become a new one
}

// whatChanged asks for the last thing that happened to a record.
func whatChanged(q *readapi.Reading, collection, id string) *readapi.Page[readapi.StaffEntry] {
	return readapi.History(q, collection, id, url.Values{"limit": {"1"}})
}

// meanwhile describes what happened last.
func (v *visit) meanwhile(last *readapi.Page[readapi.StaffEntry], now templ.Component) *meanwhile {
	m := &meanwhile{look: v.look(), Now: now}
	if len(last.Items) > 0 {
		m.Last = last.Items[0]
	}
	return m
}

// who changed it.
func (m *meanwhile) who() string { return orElse(m.Last.Actor.Name, "Somebody else") }
