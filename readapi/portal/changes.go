package portal

import (
	"time"

	"github.com/a-h/templ"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/readapi"
	"github.com/atrium-portal/atrium/readapi/portal/ui"
)

// changesPage is what changed on an account since a day.
type changesPage struct {
	look
	Page    ui.Page
	Tab     *clientTab // in the console
	Path    string
	From    string
	To      string
	Diff    *readapi.StaffDifference
	Records []ui.Entry
	Entries []ui.Entry
}

// since is how far back the page looks when nobody says.
const since = 30

// between reads the days that the page is asked for. The last one is the day that is shown.
func (v *visit) between() (from, to domain.Date, begin, end time.Time, err error) {
	zone := v.scope.Settings.Location()
	end = v.q.Then()
	if end.IsZero() {
		end = v.Now()
	}
	to = domain.DateOf(end, zone)
	from = to.AddDays(-since)
	for name, date := range map[string]*domain.Date{"from": &from, "to": &to} {
		if text := v.query(name); text != "" {
			if *date, err = domain.ParseDate(text); err != nil {
				return from, to, begin, end, &domain.Fault{Kind: domain.Malformed, Code: "date-unreadable", Field: name, Message: "Give a date such as 2026-03-31."}
			}
		}
	}
	midnight := func(d domain.Date) time.Time { return time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, zone) }
	begin = midnight(from)
	if last := midnight(to.AddDays(1)); last.Before(end) {
		end = last.Add(-time.Nanosecond)
	}
	return from, to, begin, end, nil
}

// changes reads what changed on an account, after what the page itself asks for was read.
func (v *visit) changes(account string) (*changesPage, error) {
	from, to, begin, end, err := v.between()
	if err != nil {
		return nil, err
	}
	diff, err := v.Reader.DifferenceOf(v.r.Context(), v.scope, account, begin, end)
	if err != nil {
		return nil, err
	}
	page := &changesPage{look: v.look(), Path: v.r.URL.Path, From: from.String(), To: to.String(), Diff: diff}
	page.Records = page.recordChanges(diff.Records)
	page.Entries = page.entries(diff.Entries, true)
	return page, nil
}

// recordIcons are the icons of kinds of records; one without has the usual one.
var recordIcons = map[string]string{
	"account": "building", "contact": "person", "project": "project", "invoice": "invoice", "contract": "contract", "payment": "card", "payment-attempt": "card",
}

// recordChanges writes the records that differ for people.
func (l look) recordChanges(records []readapi.RecordChange) []ui.Entry {
	list := make([]ui.Entry, 0, len(records))
	for _, r := range records {
		name := words(r.Record.Type)
		one := ui.Entry{Sentence: name + " " + map[string]string{"added": "is new", "changed": "has changed", "removed": "is gone"}[r.Kind], Icon: recordIcons[r.Record.Type]}
		if href := l.recordPage(r.Record); href != "" && r.Record.Label != "" {
			one.Record = &ui.Link{Label: r.Record.Label, Href: href}
		} else if r.Record.Label != "" {
			one.Sentence += ": " + r.Record.Label
		}
		for _, c := range r.Changes {
			one.Changes = append(one.Changes, ui.Change{Field: fieldName(c.Field), From: l.value(r.Record.Type, c.Field, c.From), To: l.value(r.Record.Type, c.Field, c.To)})
		}
		list = append(list, one)
	}
	return list
}

// clientChanges is what changed for a contact's account.
func (p *portal) clientChanges(v *visit) (templ.Component, error) {
	if err := v.read(); err != nil {
		return nil, err
	}
	page, err := v.changes(v.scope.Account.String())
	if err != nil {
		return nil, err
	}
	page.Page = v.client("What changed", "/history")
	return changesView(*page), nil
}

// staffChanges is what changed for the client in the address.
func (p *portal) staffChanges(v *visit) (templ.Component, error) {
	tab, err := v.tab("History")
	if err != nil {
		return nil, err
	}
	page, err := v.changes(v.id())
	if err != nil {
		return nil, err
	}
	page.Page, page.Tab = tab.Page, &tab
	return staffChangesView(*page), nil
}
