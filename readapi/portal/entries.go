package portal

import (
	"encoding/json"
	"regexp"
	"strings"
	"time"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/readapi"
	"github.com/atrium-portal/atrium/readapi/portal/ui"
)

// entries writes history for people. Staff also read where and by which command something was done. A page about one
// record leaves out the links to it.
func (l look) entries(list []readapi.StaffEntry, links bool) []ui.Entry {
	shown := make([]ui.Entry, 0, len(list))
	for _, e := range list {
		one := ui.Entry{Sentence: datesInWords(e.Sentence), Time: e.Time}
		if e.Actor.Kind != string(domain.System) {
			one.Actor = e.Actor.Name
		}
		if href := l.recordPage(e.Record); href != "" && links && e.Record.Label != "" {
			one.Record = &ui.Link{Label: e.Record.Label, Href: href}
		}
		for _, c := range e.Changes {
			one.Changes = append(one.Changes, ui.Change{Field: fieldName(c.Field), From: l.value(e.Record.Type, c.Field, c.From), To: l.value(e.Record.Type, c.Field, c.To)})
		}
		if l.Staff {
			one.Notes = notes(e)
		}
		if e.Cause != domain.NoID {
			one.Notes = append(one.Notes, ui.Pair{Key: "Why", Value: ui.Anchor(ui.Link{Label: "How this came about", Href: l.whyPage(e)})})
		}
		shown = append(shown, one)
	}
	return shown
}

// isoDate is a date as sentences are stored with it.
var isoDate = regexp.MustCompile(`\b\d{4}-\d{2}-\d{2}\b`)

// datesInWords writes the dates in a sentence as the other dates of the page.
func datesInWords(sentence string) string {
	return isoDate.ReplaceAllStringFunc(sentence, func(text string) string {
		date, err := domain.ParseDate(text)
		if err != nil {
			return text
		}
		return ui.DateText(date)
	})
}

func notes(e readapi.StaffEntry) (notes []ui.Pair) {
	for _, n := range []struct{ key, value string }{
		{"What", e.Action}, {"From", e.IP}, {"Position", e.Position.String()}, {"Command", known(e.Command)},
	} {
		if n.value != "" {
			notes = append(notes, ui.Pair{Key: n.key, Value: ui.Text(n.value)})
		}
	}
	return notes
}

// known is an id as text, or nothing when there is none.
func known(id domain.ID) string {
	if id == domain.NoID {
		return ""
	}
	return id.String()
}

// whyPage is the page of what led to an entry.
func (l look) whyPage(e readapi.StaffEntry) string {
	page := "/history?why=" + e.Position.String()
	if l.Staff {
		return "/staff" + page
	}
	return page
}

// clientEntries are entries as contacts get them.
func clientEntries(list []readapi.Entry) []readapi.StaffEntry {
	all := make([]readapi.StaffEntry, len(list))
	for i, e := range list {
		all[i].Entry = e
	}
	return all
}

// recordPage is the page of a record, if it has one.
func (l look) recordPage(r readapi.EntryRecord) string {
	if l.Staff {
		switch r.Type {
		case "account":
			return clientPath(r.ID)
		case "contact":
			return "/staff/contacts/" + r.ID.String()
		}
	}
	switch r.Type {
	case "project":
		return l.path("projects", r.ID)
	case "invoice":
		return l.path("invoices", r.ID)
	case "contract":
		return l.path("contracts", r.ID)
	}
	return ""
}

// path is the page of a thing for whoever looks.
func (l look) path(collection string, id domain.ID) string {
	if l.Staff {
		return "/staff/" + collection + "/" + id.String()
	}
	return "/" + collection + "/" + id.String()
}

func clientPath(account domain.ID) string { return "/staff/clients/" + account.String() }

// fieldNames are the fields of records whose names do not explain themselves.
var fieldNames = map[string]string{
	"due_amount": "Amount due", "health_note": "Reason", "signed_count": "Signatures", "tax_id": "Tax number", "stage_index": "Stage number",
	"primary_contact": "First contact", "show_history": "Clients see history", "show_unreleased_invoices": "Clients see drafts",
	"require_second_factor": "Clients need a second factor", "default_audience": "Who sees new documents",
}

func fieldName(field string) string {
	if name, ok := fieldNames[field]; ok {
		return name
	}
	return words(field)
}

// value writes one side of a change.
func (l look) value(record, field string, raw json.RawMessage) string {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return l.textValue(record, field, text)
	}
	var amount domain.Money
	if json.Unmarshal(raw, &amount) == nil && amount.Currency != "" {
		return l.money(amount)
	}
	var yes bool
	if string(raw) != "null" && json.Unmarshal(raw, &yes) == nil {
		if yes {
			return "Yes"
		}
		return "No"
	}
	var list []string
	if json.Unmarshal(raw, &list) == nil {
		for i := range list {
			list[i] = words(list[i])
		}
		return strings.Join(list, ", ")
	}
	if string(raw) == "null" {
		return ""
	}
	return string(raw)
}

func (l look) textValue(record, field, text string) string {
	if date, err := domain.ParseDate(text); err == nil {
		return ui.DateText(date)
	}
	if at, err := time.Parse(time.RFC3339Nano, text); err == nil {
		return ui.TimeText(at, l.Zone)
	}
	switch field {
	case "status", "health", "access":
		return ui.StateLabel(record, text)
	case "role", "default_audience", "method":
		return words(text)
	}
	return text
}
