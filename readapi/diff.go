package readapi

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/jackc/pgx/v5"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/readapi/auth"
)

// Difference is what changed on an account between two instants, by the time of recording.
type Difference struct {
	Account  domain.ID       `json:"account"`
	From     time.Time       `json:"from,omitzero" doc:"none: the beginning"`
	To       time.Time       `json:"to"`
	Records  []RecordChange  `json:"records" doc:"that were added, changed or taken away"`
	More     bool            `json:"more,omitempty" doc:"there are more entries; the history has them all"`
	Position domain.Position `json:"position"`
}

// ClientDifference adds what happened in between, newest first, as contacts see it.
type ClientDifference struct {
	Difference
	Entries []Entry `json:"entries" doc:"what happened in between, newest first, at most 200"`
}

// StaffDifference adds what happened in between, newest first.
type StaffDifference struct {
	Difference
	Entries []StaffEntry `json:"entries" doc:"what happened in between, newest first, at most 200"`
}

// RecordChange is a record that is not the same at two instants. Fields are those that its collection shows.
type RecordChange struct {
	Record  EntryRecord   `json:"record"`
	Kind    string        `json:"kind" enum:"added,changed,removed"`
	Changes []EntryChange `json:"changes"`
}

// differenceEntries is how many entries a difference tells at most.
const differenceEntries = maxLimit

// diff answers GET /accounts/{id}/diff.
func (s *server) diff(w http.ResponseWriter, r *http.Request) {
	scope := auth.From(r.Context())
	p := parseParams(r, "from", "to", "after")
	from, _ := p.instant("from", scope.Settings.Location(), false)
	to, until := p.instant("to", scope.Settings.Location(), true)
	if now := s.Now(); !until || to.After(now) && to.Before(now.AddDate(0, 0, 1)) { // the end of today is not known yet
		to = now
	}
	stale, err := s.ready(r.Context(), p)
	if err == nil {
		var d *StaffDifference
		if d, err = s.difference(r.Context(), scope, chi.URLParam(r, "id"), from, to); err == nil {
			reply(w, r, d.forReader(scope), stale)
			return
		}
	}
	Problem(w, r, err)
}

func (d *StaffDifference) forReader(scope *auth.Scope) any {
	if scope.Staff() {
		return d
	}
	mine := ClientDifference{Difference: d.Difference, Entries: make([]Entry, len(d.Entries))}
	for i := range d.Entries {
		mine.Entries[i] = d.Entries[i].Entry
	}
	return mine
}

// DifferenceOf tells what changed on an account between two instants; a zero from is the beginning. Who may not see the
// account gets the fault for one that is missing.
func (r *Reader) DifferenceOf(ctx context.Context, scope *auth.Scope, account string, from, to time.Time) (*StaffDifference, error) {
	return r.s.difference(ctx, scope, account, from, to)
}

func (s *server) difference(ctx context.Context, scope *auth.Scope, account string, from, to time.Time) (*StaffDifference, error) {
	id, ok := parseID(account)
	switch {
	case !ok, !scope.Staff() && id != scope.Account:
		return nil, domain.Missing("account")
	case to.After(s.Now()):
		return nil, &domain.Fault{Kind: domain.Malformed, Code: "diff-future", Field: "to", Message: "Give a time that has passed as to."}
	case !from.Before(to):
		return nil, &domain.Fault{Kind: domain.Malformed, Code: "period-backwards", Field: "from", Message: "Give a from that is before to."}
	}
	d := &StaffDifference{Difference: Difference{Account: id, From: from, To: to.UTC(), Records: []RecordChange{}}, Entries: []StaffEntry{}}
	after, err := s.recordsAt(ctx, scope, id, to)
	if err != nil {
		return nil, err
	}
	before := map[recordKey]record{}
	if !from.IsZero() {
		d.From = from.UTC()
		before, err = s.recordsAt(ctx, scope, id, from)
		if fault, is := errors.AsType[*domain.Fault](err); err != nil && (!is || fault.Kind != domain.NotFound) {
			return nil, err
		}
	}
	for key := range union(before, after) {
		if change, differs := compareRecords(key, before[key], after[key]); differs {
			d.Records = append(d.Records, change)
		}
	}
	slices.SortFunc(d.Records, func(a, b RecordChange) int {
		return cmp.Or(cmp.Compare(a.Record.Type, b.Record.Type), cmp.Compare(a.Record.Label, b.Record.Label), bytes.Compare(a.Record.ID[:], b.Record.ID[:]))
	})
	return d, s.entriesBetween(ctx, scope, d)
}

// recordKey names a record of a collection.
type recordKey struct {
	collection string
	id         domain.ID
}

// record is the fields of a record as its collection shows them.
type record map[string]json.RawMessage

// union has the keys of both maps.
func union[K comparable, V any](a, b map[K]V) map[K]V {
	all := make(map[K]V, len(a)+len(b))
	maps.Copy(all, a)
	maps.Copy(all, b)
	return all
}

// recordsAt reads all records of an account, as their collections show them, as of an instant.
func (s *server) recordsAt(ctx context.Context, scope *auth.Scope, account domain.ID, at time.Time) (map[recordKey]record, error) {
	q := s.start(scope, &params{})
	q.asOf, q.today, q.accounts = at, scope.Today(at), []domain.ID{account}
	records := map[recordKey]record{}
	for _, c := range s.collections {
		if c.account == "" || c.period || c.allow(scope) != nil {
			continue
		}
		from := c.source(scope)
		st := q.statement()
		st.add("select ", from.get.columns)
		c.locked(st, from)
		st.add(" and ", c.account, " = ", st.arg(account))
		q.add(st, func(rows pgx.Rows) error {
			scanner := from.get.scanner()
			for rows.Next() {
				if err := scanner.scan(rows); err != nil {
					return err
				}
				fields, err := fieldsOf(scanner.object)
				if err != nil {
					return err
				}
				var id domain.ID
				if err := json.Unmarshal(fields["id"], &id); err != nil {
					return fmt.Errorf("one of %s has no id: %w", c.name, err)
				}
				records[recordKey{c.name, id}] = fields
			}
			return rows.Err()
		})
	}
	return records, s.run(ctx, q)
}

// fieldsOf are the fields of a view; how often a record has changed is none of its own.
func fieldsOf(object reflect.Value) (record, error) {
	b, err := json.Marshal(object.Interface())
	if err != nil {
		return nil, err
	}
	fields := record{}
	err = json.Unmarshal(b, &fields)
	delete(fields, "revision")
	return fields, err
}

// labels are the fields that name a record, the first that it has.
var labels = []string{"number", "title", "name", "invoice_number"}

// compareRecords lists the fields that are not the same. Against a record that is not there, an empty field is no
// change.
func compareRecords(key recordKey, before, after record) (RecordChange, bool) {
	shown, kind := after, "changed"
	switch {
	case before == nil:
		kind = "added"
	case after == nil:
		shown, kind = before, "removed"
	}
	change := RecordChange{Kind: kind, Changes: []EntryChange{}, Record: EntryRecord{Type: strings.TrimSuffix(key.collection, "s"), ID: key.id}}
	for _, name := range labels {
		if json.Unmarshal(shown[name], &change.Record.Label) == nil && change.Record.Label != "" {
			break
		}
	}
	for _, name := range slices.Sorted(maps.Keys(union(before, after))) {
		was, is := before[name], after[name]
		if name == "id" || bytes.Equal(was, is) || kind != "changed" && emptyJSON(was) && emptyJSON(is) {
			continue
		}
		change.Changes = append(change.Changes, EntryChange{Field: name, From: orNull(was), To: orNull(is)})
	}
	return change, len(change.Changes) > 0
}

func emptyJSON(value json.RawMessage) bool {
	return slices.Contains([]string{"", "null", `""`, "0", "false", "[]", "{}"}, string(value))
}

func orNull(value json.RawMessage) json.RawMessage {
	if value == nil {
		return json.RawMessage("null")
	}
	return value
}

// entriesBetween reads what happened between the two instants of a difference, of the account as it can be seen now.
func (s *server) entriesBetween(ctx context.Context, scope *auth.Scope, d *StaffDifference) error {
	h := &historyQuery{reading: s.start(scope, &params{}), condition: "h.account = $", of: d.Account, to: d.To.Add(time.Microsecond)}
	if !d.From.IsZero() {
		h.from = d.From.Add(time.Microsecond) // Postgres counts in these: this is after, not at
	}
	h.add(h.statement().add(fmt.Sprint(" limit ", differenceEntries+1)), func(rows pgx.Rows) error {
		d.Entries, d.More = d.Entries[:0], false
		scanner := h.view().scanner()
		for rows.Next() {
			if len(d.Entries) == differenceEntries {
				d.More = true
				break
			}
			if err := scanner.scan(rows); err != nil {
				return err
			}
			d.Entries = append(d.Entries, *asStaffEntry(scanner.object))
		}
		return rows.Err()
	})
	err := s.run(ctx, h.reading)
	d.Position = h.position
	return err
}
