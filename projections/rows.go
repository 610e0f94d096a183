package projections

import (
	"reflect"
	"strings"

	"github.com/atrium-portal/atrium/domain"
)

// folder is a table's fold without its type parameter; rows are *R.
type folder interface {
	rowType() reflect.Type
	apply(row any, f domain.Fact, key Key) any
	complete() bool
}

type rowsOf[R any] struct {
	fold   func(*R, domain.Fact) *R
	foldAt func(*R, domain.Fact, Key) *R
}

func (r rowsOf[R]) rowType() reflect.Type { return reflect.TypeFor[R]() }

func (r rowsOf[R]) complete() bool { return (r.fold == nil) != (r.foldAt == nil) }

// apply folds a copy, so that the row given stays as it was. A row that is not there is the nil interface.
func (r rowsOf[R]) apply(row any, f domain.Fact, key Key) any {
	var mine *R
	if row != nil {
		own := *row.(*R)
		mine = &own
	}
	if r.fold != nil {
		mine = r.fold(mine, f)
	} else {
		mine = r.foldAt(mine, f, key)
	}
	if mine == nil {
		return nil
	}
	return mine
}

func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }
