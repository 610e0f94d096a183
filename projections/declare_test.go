package projections_test

import (
	"strings"
	"testing"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/projections"
)

type plainRow struct {
	ID      domain.ID `db:"id,key"`
	Firm    domain.ID `db:"firm"`
	Account domain.ID `db:"account"`
}

type sumRow struct {
	Firm domain.ID `db:"firm,key"`
	N    int64     `db:"n"`
}

func keep[R any](row *R, _ domain.Fact) *R { return row }

func TestWrongDeclarationsAreRefused(t *testing.T) {
	type spec = projections.Spec[plainRow]
	categories := []string{"account"}
	define := func(s spec) []projections.Table { return []projections.Table{projections.Define(s)} }
	for want, list := range map[string][]projections.Table{
		"small letters":        define(spec{Name: "Accounts", Categories: categories, Fold: keep[plainRow]}),
		"either Fold or":       define(spec{Name: "a", Categories: categories}),
		"no category":          define(spec{Name: "a", Fold: keep[plainRow]}),
		"is there twice":       define(spec{Name: "history", Categories: categories, Fold: keep[plainRow]}),
		"column recipients":    define(spec{Name: "a", Categories: categories, Fold: keep[plainRow], Access: projections.OfRecipients}),
		"condition for":        define(spec{Name: "a", Categories: categories, Fold: keep[plainRow], ClientsWhere: "true"}),
		"keyed by the stream":  define(spec{Name: "a", Categories: []string{"a", "b"}, Primary: true, Fold: keep[plainRow]}),
		"both primary for":     append(define(spec{Name: "a", Categories: categories, Primary: true, Fold: keep[plainRow]}), define(spec{Name: "b", Categories: categories, Primary: true, Fold: keep[plainRow]})...),
		"which is not a table": {projections.DefineSum(projections.Sum[plainRow, sumRow]{Name: "s", Of: "nothing"})},
		"is an int64": append(define(spec{Name: "a", Categories: categories, Fold: keep[plainRow]}), projections.DefineSum(projections.Sum[plainRow, struct {
			Firm domain.ID `db:"firm,key"`
			N    string    `db:"n"`
		}]{Name: "s", Of: "a"})),
		"number of rows": append(define(spec{Name: "a", Categories: categories, Fold: keep[plainRow]}), projections.DefineSum(projections.Sum[plainRow, struct {
			Firm domain.ID `db:"firm,key"`
		}]{Name: "s", Of: "a"})),
		"column firm": {bad[struct {
			ID domain.ID `db:"id,key"`
		}]()},
		"has no key": {bad[struct {
			ID domain.ID `db:"id"`
		}]()},
		"needs a tag": {bad[struct{ ID domain.ID }]()},
		"no option": {bad[struct {
			ID domain.ID `db:"id,primary"`
		}]()},
		"cannot hold a float64": {bad[struct {
			ID domain.ID `db:"id,key"`
			F  float64   `db:"f"`
		}]()},
		"cannot hold a domain.Personal": {bad[struct {
			ID domain.ID       `db:"id,key"`
			P  domain.Personal `db:"p"`
		}]()},
		"column currency": {bad[struct {
			ID   domain.ID `db:"id,key"`
			Firm domain.ID `db:"firm"`
			Paid int64     `db:"paid" history:"money"`
		}]()},
		"history knows": {bad[struct {
			ID   domain.ID `db:"id,key"`
			Firm domain.ID `db:"firm"`
			Paid int64     `db:"paid" history:"cash"`
		}]()},
		"first one to": {bad[struct {
			Firm domain.ID `db:"firm"`
			ID   domain.ID `db:"id,key"`
		}]()},
		"id is there twice": {bad[struct {
			ID   domain.ID `db:"id,key"`
			Firm domain.ID `db:"id"`
		}]()},
	} {
		if _, err := projections.New(nil, nil, list, projections.Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want an error with %q, got %v", want, err)
		}
	}
}

// bad declares a table of rows that cannot be.
func bad[R any]() projections.Table {
	return projections.Define(projections.Spec[R]{Name: "a", Categories: []string{"account"}, Fold: keep[R]})
}

func TestAnotherRowTypeIsAnotherBuild(t *testing.T) {
	type line struct{ Text string }
	type more struct{ Text, Note string }
	schema := func(table projections.Table) string {
		t.Helper()
		sql, err := projections.DDL([]projections.Table{table}, "read")
		if err != nil {
			t.Fatal(err)
		}
		return sql
	}
	first := schema(withLines[line](1))
	if schema(withLines[line](1)) != first {
		t.Error("the same declaration makes another build")
	}
	if schema(withLines[line](2)) == first {
		t.Error("another version makes the same build")
	}
	if schema(withLines[more](1)) == first {
		t.Error("another type in a document makes the same build")
	}
}

func withLines[L any](version int) projections.Table {
	type row struct {
		ID    domain.ID `db:"id,key"`
		Firm  domain.ID `db:"firm"`
		Lines []L       `db:"lines"`
	}
	return projections.Define(projections.Spec[row]{Name: "a", Categories: []string{"account"}, Version: version, Fold: keep[row]})
}
