package projections

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/catalog"
	"github.com/atrium-portal/atrium/domain/domaintest"
)

var id = domaintest.ID

// at is the time of the n-th fact of a story, counted from 0.
func at(n int) time.Time { return domaintest.Now.Add(time.Duration(n) * time.Hour) }

// story makes facts of the events of one stream, one hour after the other, by a staff member of ID("firm") and about
// ID("account").
func story(category, of string, events ...domain.Event) []domain.Fact {
	facts := make([]domain.Fact, len(events))
	for i, e := range events {
		m := domaintest.Meta()
		m.Time = at(i)
		facts[i] = domain.Fact{
			Stream: domain.StreamName(category, id(of)), Category: category, Of: id(of), Revision: int64(i),
			Position: domain.Position{Commit: uint64(i + 1), Prepare: uint64(i + 1)}, ID: eventID(i), Event: e, Meta: m,
		}
	}
	return facts
}

// eventID is the id of the n-th fact of a story.
func eventID(n int) domain.ID { return id("event " + string(rune('a'+n))) }

// fold gives the rows of all tables after facts, by table and key.
func fold(t *testing.T, facts []domain.Fact) map[string]map[Key]any {
	t.Helper()
	rows := map[string]map[Key]any{}
	for _, f := range facts {
		for _, table := range Tables() {
			if !slices.Contains(table.categories, f.Category) {
				continue
			}
			keys := []Key{K(f.Of)}
			if table.keys != nil {
				keys = table.keys(f)
			}
			if rows[table.name] == nil {
				rows[table.name] = map[Key]any{}
			}
			for _, k := range keys {
				if row := table.fold.apply(rows[table.name][k], f, k); row != nil {
					rows[table.name][k] = row
				} else {
					delete(rows[table.name], k)
				}
			}
		}
	}
	return rows
}

// row is one row of a story's end; nil when there is none.
func row[R any](t *testing.T, facts []domain.Fact, table string, key ...any) *R {
	t.Helper()
	got, _ := fold(t, facts)[table][K(key...)].(*R)
	return got
}

// same compares a row with what it should be. Slices that are nil and empty read alike from the database.
func same[R any](t *testing.T, want, got *R) {
	t.Helper()
	everything := cmp.Exporter(func(reflect.Type) bool { return true })
	if d := cmp.Diff(want, got, everything, cmpopts.EquateEmpty()); d != "" {
		t.Errorf("row (-want +got):\n%s", d)
	}
}

func ownedByTest(of string) owned { return owned{ID: id(of), Firm: id("firm"), Account: id("account")} }

// TestTablesCoverTheCatalog checks that a new aggregate gets rows, or a line here that says why not.
func TestTablesCoverTheCatalog(t *testing.T) {
	without := []string{"login", "slug"} // who holds which e-mail, or address: see Tables
	for _, aggregate := range catalog.Types() {
		folded := slices.ContainsFunc(Tables(), func(table Table) bool { return slices.Contains(table.categories, aggregate.Category) })
		if folded == slices.Contains(without, aggregate.Category) {
			t.Errorf("category %s: folded is %v", aggregate.Category, folded)
		}
	}
}

// TestAFactWithoutItsBeginningGivesNoGoodRow checks what keeps a broken stream out of the tables: a row that appears
// after any event but the first lacks its firm, or is not there at all.
func TestAFactWithoutItsBeginningGivesNoGoodRow(t *testing.T) {
	tables, err := compile(Tables())
	if err != nil {
		t.Fatal(err)
	}
	for _, aggregate := range catalog.Types() {
		for _, e := range aggregate.Events[1:] {
			f := story(aggregate.Category, "it", aggregate.Events[0], e)[1]
			for _, table := range tables {
				if !table.primary || table.categories[0] != aggregate.Category {
					continue
				}
				if got := table.fold.apply(nil, f, K(f.Of)); got != nil && table.check(got) == nil {
					t.Errorf("%s alone makes a row of %s: %+v", e.EventType(), table.name, got)
				}
			}
		}
	}
}
