package projections

import (
	"encoding/json"
	"reflect"
	"time"

	"github.com/atrium-portal/atrium/domain"
)

// entry is a row of the table history: what one event did, who did it and why. There is one for every event.
type entry struct {
	Position   int64       `db:"position,key"` // commit position; prepare is the same for every event that Atrium appends
	Firm       domain.ID   `db:"firm"`
	Account    domain.ID   `db:"account,null"`
	Stream     string      `db:"stream"`
	Category   string      `db:"category"`
	Record     domain.ID   `db:"record"`
	Label      string      `db:"label"` // the record's name after the event
	Event      string      `db:"event"` // its wire name
	Revision   int64       `db:"revision"`
	Time       time.Time   `db:"time"`
	Actor      string      `db:"actor"` // id of a person or name of a part of the system
	ActorKind  string      `db:"actor_kind"`
	OnBehalfOf domain.ID   `db:"on_behalf_of,null"`
	Sentence   string      `db:"sentence"` // without the actor: "sent invoice 7"
	Changes    []change    `db:"changes"`
	Command    domain.ID   `db:"command,null"`
	Cause      domain.ID   `db:"cause,null"`
	EventID    domain.ID   `db:"event_id"`
	Visible    bool        `db:"client_visible"`
	Recipients []domain.ID `db:"recipients"`
	Permission string      `db:"permission"` // what clients need to see it; empty: nothing
	IP         string      `db:"ip"`
	UserAgent  string      `db:"user_agent"`
	Session    string      `db:"session"`
	Request    string      `db:"request"`
}

// change is one field of a record before and after an event, as JSON.
type change struct {
	Field string          `json:"field"`
	From  json.RawMessage `json:"from"`
	To    json.RawMessage `json:"to"`
}

// clientsSeeNot are the columns of history that clients are not granted: where staff work from is not theirs to know.
var clientsSeeNot = []string{"ip", "user_agent", "session", "request"}

// historyTable holds the entries. Clients see an entry when the record was theirs to see after the event and the firm
// shows history.
func historyTable() Table {
	return Table{
		name: "history", access: OfRecipients,
		where: "client_visible and (select current_setting('app.history', true) = 'on') and " +
			"(permission = '' or permission = any(" + setting("app.permissions", "text[]") + "))",
		hidden:  clientsSeeNot,
		indexes: []string{"(firm, position desc)", "(account, position desc)", "(record, position desc)"},
		fold:    rowsOf[entry]{}, appendOnly: true,
	}
}

// newEntry describes an event. t is the primary table of its category, or nil; before and after are the record's row.
func newEntry(f domain.Fact, t *table, before, after any) (*entry, error) {
	m := f.Meta
	e := &entry{
		Position: int64(f.Position.Commit), Firm: m.Firm, Account: m.Account, Stream: f.Stream, Category: f.Category, Record: f.Of,
		Event: f.Event.EventType(), Revision: f.Revision, Time: m.Time, Actor: m.Actor.Ref(), ActorKind: string(m.Actor.Kind),
		OnBehalfOf: m.OnBehalfOf, Sentence: f.Event.Sentence(), Command: m.Command, Cause: m.Causation, EventID: f.ID,
		IP: m.IP.Reveal(), UserAgent: m.UserAgent.Reveal(), Session: m.Session, Request: m.Request,
	}
	row := after
	if row == nil {
		row = before
	}
	if t == nil || row == nil {
		return e, nil
	}
	if t.label >= 0 {
		e.Label = reflect.ValueOf(row).Elem().FieldByIndex(t.columns[t.label].index).String()
	}
	if a, ok := row.(Audience); ok {
		e.Visible, e.Recipients = a.Audience()
	} else {
		e.Visible = t.access == OfAccount && t.where == ""
	}
	if p, ok := row.(Permitting); ok {
		e.Permission = p.Permission()
	}
	if p, ok := row.(Pointing); ok {
		e.Category, e.Record, e.Label = p.About()
	}
	var err error
	e.Changes, err = t.changes(before, after)
	return e, err
}

// changes lists the columns that differ between two rows of a primary table; a row that is not there has none.
// What identifies the row is not listed.
func (t *table) changes(before, after any) ([]change, error) {
	var list []change
	var from, to reflect.Value
	if before != nil {
		from = reflect.ValueOf(before).Elem()
	}
	if after != nil {
		to = reflect.ValueOf(after).Elem()
	}
	for i := t.keyLen; i < len(t.columns); i++ {
		c := &t.columns[i]
		if i == t.firm || i == t.account || i == t.revision || c.mark == "-" || t.unchanged(c, from, to) {
			continue
		}
		one := change{Field: c.name}
		var err error
		if one.From, err = t.shown(c, from); err != nil {
			return nil, err
		}
		if one.To, err = t.shown(c, to); err != nil {
			return nil, err
		}
		list = append(list, one)
	}
	return list, nil
}

// unchanged compares a column; against no row, a zero is no change.
func (t *table) unchanged(c *column, from, to reflect.Value) bool {
	switch {
	case from.IsValid() && to.IsValid():
		return c.same(from, to)
	case from.IsValid():
		return c.empty(from.FieldByIndex(c.index))
	case to.IsValid():
		return c.empty(to.FieldByIndex(c.index))
	default:
		return true
	}
}

// shown is a column's value as history shows it: an amount with its currency, nothing as null.
func (t *table) shown(c *column, row reflect.Value) (json.RawMessage, error) {
	if !row.IsValid() {
		return null, nil
	}
	v := row.FieldByIndex(c.index)
	switch c.kind {
	case idKind, dateKind, instantKind:
		if v.IsZero() {
			return null, nil
		}
	case numberKind:
		if c.mark == "money" {
			currency := row.FieldByIndex(t.columns[t.currency].index).String()
			return json.Marshal(domain.Money{Amount: v.Int(), Currency: currency})
		}
	case textKind, boolKind, textsKind, idsKind, documentKind, bytesKind:
	}
	return c.document(v)
}

var null = json.RawMessage("null")
