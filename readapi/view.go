package readapi

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/atrium-portal/atrium/domain"
)

// view is a struct that is shown, and how it is read: each field with a tag sql:"expression" is a column of the query.
// An amount is its minor units and its currency (sql:"amount; currency"), or the minor units alone where the view has a
// field Currency for all of its amounts. Fields without the tag are filled by code. NULL reads as the zero value.
type view struct {
	typ      reflect.Type
	columns  string // the select list
	fields   []field
	currency []int // index of the field Currency
}

type field struct {
	index  []int
	shares bool                  // an amount in the currency of the view
	target func(pointer any) any // what the driver scans into; nil: the field itself
}

// viewOf looks at a struct. A mistake in it is one of the program and found when the program starts.
func viewOf[V any]() *view {
	v := &view{typ: reflect.TypeFor[V]()}
	v.columns = strings.Join(v.add(v.typ, nil), ", ")
	if v.currency == nil && slices.ContainsFunc(v.fields, func(f field) bool { return f.shares }) {
		panic(fmt.Sprintf("readapi: an amount of %s has no currency", v.typ))
	}
	return v
}

var moneyType = reflect.TypeFor[domain.Money]()

// add takes the fields of a struct and of the structs in it, and gives their columns.
func (v *view) add(t reflect.Type, path []int) (columns []string) {
	for i := range t.NumField() {
		f := t.Field(i)
		index := append(slices.Clone(path), i)
		expression, tagged := f.Tag.Lookup("sql")
		if !tagged {
			if f.Type.Kind() == reflect.Struct && f.Type.PkgPath() == t.PkgPath() {
				columns = append(columns, v.add(f.Type, index)...)
			}
			continue
		}
		if f.Name == "Currency" && v.currency == nil {
			v.currency = index
		}
		amount, currency, whole := strings.Cut(expression, "; ")
		if f.Type != moneyType || !whole {
			columns = append(columns, expression)
			v.fields = append(v.fields, field{index, f.Type == moneyType, targetOf(f.Type)})
			continue
		}
		columns = append(columns, amount, currency)
		v.fields = append(
			v.fields,
			field{append(slices.Clone(index), 0), false, targetOf(reflect.TypeFor[int64]())},
			field{append(slices.Clone(index), 1), false, targetOf(reflect.TypeFor[string]())},
		)
	}
	return columns
}

// scanner reads rows of a query into one struct again and again.
type scanner struct {
	object   reflect.Value // the struct
	targets  []any
	amounts  []*domain.Money
	currency reflect.Value
	lists    []reflect.Value
}

// scanner makes one; more are targets of columns after the view's.
func (v *view) scanner(more ...any) *scanner {
	s := &scanner{object: reflect.New(v.typ).Elem(), targets: make([]any, 0, len(v.fields)+len(more))}
	for _, f := range v.fields {
		value := s.object.FieldByIndex(f.index)
		pointer := value.Addr().Interface()
		switch {
		case f.shares:
			s.amounts = append(s.amounts, pointer.(*domain.Money))
		case value.Kind() == reflect.Slice:
			s.lists = append(s.lists, value)
		}
		if f.target != nil {
			pointer = f.target(pointer)
		}
		s.targets = append(s.targets, pointer)
	}
	if v.currency != nil {
		s.currency = s.object.FieldByIndex(v.currency)
	}
	s.targets = append(s.targets, more...)
	return s
}

// scan reads the row that rows stands on into the struct.
func (s *scanner) scan(rows pgx.Rows) error {
	s.object.SetZero() // what was in it now belongs to others
	if err := rows.Scan(s.targets...); err != nil {
		return fmt.Errorf("reading %s: %w", s.object.Type(), err)
	}
	if len(s.amounts) > 0 {
		currency := s.currency.String()
		for _, m := range s.amounts {
			m.Currency = currency
		}
	}
	for _, list := range s.lists {
		if list.IsNil() {
			list.Set(reflect.MakeSlice(list.Type(), 0, 0))
		}
	}
	return nil
}

// take gives a pointer to a copy of the struct.
func (s *scanner) take() reflect.Value {
	fresh := reflect.New(s.object.Type())
	fresh.Elem().Set(s.object)
	return fresh
}

// targetOf chooses by type how a field is scanned; nil when the driver knows it.
func targetOf(t reflect.Type) func(pointer any) any {
	switch t {
	case reflect.TypeFor[domain.ID]():
		return func(p any) any { return idTarget{p.(*domain.ID)} }
	case reflect.TypeFor[domain.Date]():
		return func(p any) any { return dateTarget{p.(*domain.Date)} }
	case reflect.TypeFor[time.Time]():
		return func(p any) any { return timeTarget{p.(*time.Time)} }
	case moneyType:
		return func(p any) any { return numberTarget{&p.(*domain.Money).Amount} }
	case reflect.TypeFor[domain.Position]():
		return func(p any) any { return positionTarget{p.(*domain.Position)} }
	case reflect.TypeFor[string]():
		return func(p any) any { return textTarget{p.(*string)} }
	case reflect.TypeFor[int64]():
		return func(p any) any { return numberTarget{p.(*int64)} }
	default:
		return nil
	}
}

// The targets read NULL as zero.
type (
	idTarget       struct{ to *domain.ID }
	dateTarget     struct{ to *domain.Date }
	timeTarget     struct{ to *time.Time }
	positionTarget struct{ to *domain.Position }
	textTarget     struct{ to *string }
	numberTarget   struct{ to *int64 }
)

// ScanUUID is called by the driver.
func (t idTarget) ScanUUID(v pgtype.UUID) error {
	*t.to = v.Bytes
	return nil
}

// ScanDate is called by the driver.
func (t dateTarget) ScanDate(v pgtype.Date) error {
	if v.Valid {
		*t.to = domain.DateOf(v.Time, time.UTC)
	}
	return nil
}

// ScanTimestamptz is called by the driver.
func (t timeTarget) ScanTimestamptz(v pgtype.Timestamptz) error {
	if v.Valid {
		*t.to = v.Time.UTC()
	}
	return nil
}

// ScanInt64 is called by the driver.
func (t positionTarget) ScanInt64(v pgtype.Int8) error {
	*t.to = domain.Position{Commit: uint64(v.Int64), Prepare: uint64(v.Int64)}
	return nil
}

// ScanText is called by the driver.
func (t textTarget) ScanText(v pgtype.Text) error {
	*t.to = v.String
	return nil
}

// ScanInt64 is called by the driver.
func (t numberTarget) ScanInt64(v pgtype.Int8) error {
	*t.to = v.Int64
	return nil
}
