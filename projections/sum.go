package projections

import (
	"errors"
	"fmt"
	"reflect"
)

// Sum declares a table of sums over the rows of another one, such as what is open by due date, so that reading a
// total costs the same however many rows it is of. The engine keeps it from what changes in those rows: each takes away
// what it was and adds what it is.
//
// S is a struct like the rows of other tables. Its key says which sum; after the key comes the number of rows that are
// summed, which the engine counts, and then what is added up. A sum of no rows is not there.
type Sum[R, S any] struct {
	// Name of the table.
	Name string
	// Of is the name of the table that is summed; R are its rows.
	Of string
	// Version is raised when Row changes what it gives.
	Version int
	// Row gives what a row adds and to which sum; nil: nothing. It is pure.
	Row func(row *R) *S
}

// DefineSum makes a table of its declaration. Only staff read it.
func DefineSum[R, S any](s Sum[R, S]) Table {
	return Table{
		name: s.Name, version: s.Version, access: StaffOnly, fold: rowsOf[S]{},
		sum: &summing{of: s.Of, typ: reflect.TypeFor[R](), row: func(row any) any {
			if sum := s.Row(row.(*R)); sum != nil {
				return sum
			}
			return nil
		}},
	}
}

// summing says what a table of sums sums.
type summing struct {
	of  string
	typ reflect.Type
	row func(any) any
}

// link tells the tables that are summed of their sums.
func link(tables []*table) error {
	byName := map[string]*table{}
	for _, t := range tables {
		byName[t.name] = t
	}
	for i, t := range tables {
		if t.sum == nil {
			continue
		}
		of := byName[t.sum.of]
		if of == nil || of.engineOwn() || of.typ != t.sum.typ {
			return fmt.Errorf("table %s sums %s, which is not a table with rows of %s", t.name, t.sum.of, t.sum.typ)
		}
		of.sums = append(of.sums, i)
	}
	return nil
}

// summable checks the columns of a table of sums.
func (t *table) summable() error {
	if len(t.columns) == t.keyLen {
		return errors.New("a table of sums needs a column for the number of rows after its key")
	}
	for _, c := range t.columns[t.keyLen:] {
		if c.kind != numberKind || c.null {
			return fmt.Errorf("column %s: what is added up is an int64", c.name)
		}
	}
	return nil
}

// sum puts into a work what its changes do to the sums.
func (b *build) sum(w *work) {
	for i, t := range b.tables {
		for _, into := range t.sums {
			sums := b.tables[into]
			for _, s := range w.order[i] {
				if s.dirty {
					w.addTo(into, sums, s.was, -1)
					w.addTo(into, sums, s.row, 1)
				}
			}
		}
	}
}

// addTo adds what a row is to its sum, or takes it away.
func (w *work) addTo(into int, sums *table, row any, sign int64) {
	if row == nil {
		return
	}
	part := sums.sum.row(row)
	if part == nil {
		return
	}
	key := sums.key(part)
	s := w.rows[into][key]
	if s == nil {
		total := reflect.New(sums.typ)
		for _, c := range sums.columns[:sums.keyLen] {
			total.Elem().FieldByIndex(c.index).Set(reflect.ValueOf(part).Elem().FieldByIndex(c.index))
		}
		s = w.add(into, &slot{key: key, row: total.Interface()})
	}
	total, add := reflect.ValueOf(s.row).Elem(), reflect.ValueOf(part).Elem()
	for n, c := range sums.columns[sums.keyLen:] {
		more := int64(1)
		if n > 0 {
			more = add.FieldByIndex(c.index).Int()
		}
		field := total.FieldByIndex(c.index)
		field.SetInt(field.Int() + sign*more)
	}
}

// moved lists the sums of a work that change, and the keys of those that may have become sums of no rows.
func (t *table) moved(sums []*slot) (changed []any, fewer []Key) {
	for _, s := range sums {
		v, differs := reflect.ValueOf(s.row).Elem(), false
		for n, c := range t.columns[t.keyLen:] {
			by := v.FieldByIndex(c.index).Int()
			differs = differs || by != 0
			if n == 0 && by < 0 {
				fewer = append(fewer, s.key)
			}
		}
		if differs {
			changed = append(changed, s.row)
		}
	}
	return changed, fewer
}
