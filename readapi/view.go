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

// view is a struct that is shown, and how it is read: each field with a tag sql:"expression" is a column of the query,
// amounts are two (sql:"amount; currency"). Fields without the tag are filled by code. NULL reads as the zero value.
type view struct {
	typ     reflect.Type
	columns string // the select list
	fields  []field
}

type field struct {
	index  []int
	target func(reflect.Value) []any // what the driver scans into
}

func viewOf[V any]() *view {
	v := &view{typ: reflect.TypeFor[V]()}
	v.columns = strings.Join(v.add(v.typ, nil), ", ")
	return v
}

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
		target, n := targetOf(f.Type)
		parts := strings.Split(expression, "; ")
		if len(parts) != n {
			panic(fmt.Sprintf("readapi: %s.%s is read from %d columns, not %d", t, f.Name, n, len(parts)))
		}
		columns = append(columns, parts...)
		v.fields = append(v.fields, field{index, target})
	}
	return columns
}

// scan reads the row that rows stands on; more are targets of columns after the view's. It gives a pointer to a
// fresh struct.
func (v *view) scan(rows pgx.Rows, more ...any) (reflect.Value, error) {
	object := reflect.New(v.typ)
	targets := make([]any, 0, len(v.fields)+8)
	for _, f := range v.fields {
		targets = append(targets, f.target(object.Elem().FieldByIndex(f.index))...)
	}
	if err := rows.Scan(append(targets, more...)...); err != nil {
		return reflect.Value{}, fmt.Errorf("reading %s: %w", v.typ, err)
	}
	for _, f := range v.fields {
		if value := object.Elem().FieldByIndex(f.index); value.Kind() == reflect.Slice && value.IsNil() {
			value.Set(reflect.MakeSlice(value.Type(), 0, 0))
		}
	}
	return object, nil
}

// targetOf chooses by type how a field is scanned, and from how many columns.
func targetOf(t reflect.Type) (target func(reflect.Value) []any, columns int) {
	one := func(target func(reflect.Value) any) (func(reflect.Value) []any, int) {
		return func(v reflect.Value) []any { return []any{target(v)} }, 1
	}
	switch t {
	case reflect.TypeFor[domain.ID]():
		return one(func(v reflect.Value) any { return idTarget{v.Addr().Interface().(*domain.ID)} })
	case reflect.TypeFor[domain.Date]():
		return one(func(v reflect.Value) any { return dateTarget{v.Addr().Interface().(*domain.Date)} })
	case reflect.TypeFor[time.Time]():
		return one(func(v reflect.Value) any { return timeTarget{v.Addr().Interface().(*time.Time)} })
	case reflect.TypeFor[domain.Money]():
		return func(v reflect.Value) []any {
			m := v.Addr().Interface().(*domain.Money)
			return []any{numberTarget{reflect.ValueOf(&m.Amount).Elem()}, textTarget{reflect.ValueOf(&m.Currency).Elem()}}
		}, 2
	case reflect.TypeFor[domain.Position]():
		return one(func(v reflect.Value) any { return positionTarget{v.Addr().Interface().(*domain.Position)} })
	}
	switch t.Kind() {
	case reflect.String:
		return one(func(v reflect.Value) any { return textTarget{v} })
	case reflect.Int, reflect.Int64:
		return one(func(v reflect.Value) any { return numberTarget{v} })
	default:
		return one(func(v reflect.Value) any { return v.Addr().Interface() })
	}
}

// The targets read NULL as zero.
type (
	idTarget       struct{ to *domain.ID }
	dateTarget     struct{ to *domain.Date }
	timeTarget     struct{ to *time.Time }
	positionTarget struct{ to *domain.Position }
	textTarget     struct{ to reflect.Value }
	numberTarget   struct{ to reflect.Value }
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
	t.to.SetString(v.String)
	return nil
}

// ScanInt64 is called by the driver.
func (t numberTarget) ScanInt64(v pgtype.Int8) error {
	t.to.SetInt(v.Int64)
	return nil
}
