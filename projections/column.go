package projections

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/atrium-portal/atrium/domain"
)

// kind is a sort of column: how a Go value becomes a Postgres value and back.
type kind int

const (
	idKind kind = iota
	textKind
	numberKind
	boolKind
	dateKind
	instantKind
	textsKind
	idsKind
	documentKind
	bytesKind
)

// sqlTypes are the column types, by kind.
var sqlTypes = [...]string{"uuid", "text", "bigint", "boolean", "date", "timestamptz", "text[]", "uuid[]", "jsonb", "bytea"}

// column is one field of a row type.
type column struct {
	name  string
	kind  kind
	key   bool
	null  bool   // a zero is stored as NULL
	mark  string // the history tag
	index []int  // of the field
	typ   reflect.Type
}

// kindOf chooses by Go type; false for types that rows may not hold.
func kindOf(t reflect.Type) (kind, bool) {
	switch t {
	case reflect.TypeFor[domain.ID]():
		return idKind, true
	case reflect.TypeFor[domain.Date]():
		return dateKind, true
	case reflect.TypeFor[time.Time]():
		return instantKind, true
	case reflect.TypeFor[[]domain.ID]():
		return idsKind, true
	case reflect.TypeFor[[]byte]():
		return bytesKind, true
	case reflect.TypeFor[domain.Personal]():
		return 0, false // a row holds what Reveal gives
	}
	switch t.Kind() {
	case reflect.String:
		return textKind, true
	case reflect.Int, reflect.Int64, reflect.Int32, reflect.Int16:
		return numberKind, true
	case reflect.Bool:
		return boolKind, true
	case reflect.Slice:
		if t.Elem().Kind() == reflect.String {
			return textsKind, true
		}
		return documentKind, true
	case reflect.Struct, reflect.Map:
		return documentKind, true
	default:
		return 0, false
	}
}

// value is the column's value of a row in the form the driver wants. A zero id, date or instant is NULL; whether it may
// be is checked before.
func (c *column) value(row reflect.Value) (any, error) {
	v := row.FieldByIndex(c.index)
	if c.null && c.empty(v) {
		return nil, nil
	}
	switch c.kind {
	case idKind:
		return pgtype.UUID{Bytes: v.Interface().(domain.ID), Valid: !v.IsZero()}, nil
	case textKind:
		return v.String(), nil
	case numberKind:
		return v.Int(), nil
	case boolKind:
		return v.Bool(), nil
	case dateKind:
		return pgtype.Date{Time: v.Interface().(domain.Date).Time(), Valid: !v.IsZero()}, nil
	case instantKind:
		return pgtype.Timestamptz{Time: v.Interface().(time.Time), Valid: !v.IsZero()}, nil
	case textsKind:
		texts := make(pgtype.FlatArray[string], v.Len())
		for i := range texts {
			texts[i] = v.Index(i).String()
		}
		return texts, nil
	case idsKind:
		ids := make(pgtype.FlatArray[pgtype.UUID], v.Len())
		for i, id := range v.Interface().([]domain.ID) {
			ids[i] = pgtype.UUID{Bytes: id, Valid: true}
		}
		return ids, nil
	case bytesKind:
		return v.Bytes(), nil
	default:
		return c.document(v)
	}
}

// document is JSON; a slice or map that is nil is an empty one, as it is after it was read back.
func (c *column) document(v reflect.Value) ([]byte, error) {
	switch {
	case v.Kind() == reflect.Slice && v.IsNil():
		return []byte("[]"), nil
	case v.Kind() == reflect.Map && v.IsNil():
		return []byte("{}"), nil
	}
	b, err := json.Marshal(v.Interface())
	if err != nil {
		return nil, fmt.Errorf("column %s: %w", c.name, err)
	}
	return b, nil
}

// empty tells a zero: for slices and maps, one without elements.
func (c *column) empty(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Slice, reflect.Map:
		return v.Len() == 0
	default:
		return v.IsZero()
	}
}

// target is what the driver scans the column into.
func (c *column) target() any {
	switch c.kind {
	case idKind:
		return new(pgtype.UUID)
	case textKind:
		return new(pgtype.Text)
	case numberKind:
		return new(pgtype.Int8)
	case boolKind:
		return new(pgtype.Bool)
	case dateKind:
		return new(pgtype.Date)
	case instantKind:
		return new(pgtype.Timestamptz)
	case textsKind:
		return new([]string)
	case idsKind:
		return new([]domain.ID)
	default:
		return new([]byte)
	}
}

// set moves a scanned target into the column's field of a fresh row.
func (c *column) set(row reflect.Value, target any) error {
	field := row.FieldByIndex(c.index)
	switch t := target.(type) {
	case *pgtype.UUID:
		field.Set(reflect.ValueOf(domain.ID(t.Bytes)))
	case *pgtype.Text:
		field.SetString(t.String)
	case *pgtype.Int8:
		field.SetInt(t.Int64)
	case *pgtype.Bool:
		field.SetBool(t.Bool)
	case *pgtype.Date:
		if t.Valid {
			field.Set(reflect.ValueOf(domain.DateOf(t.Time, time.UTC)))
		}
	case *pgtype.Timestamptz:
		if t.Valid {
			field.Set(reflect.ValueOf(t.Time.UTC()))
		}
	case *[]string:
		texts := reflect.MakeSlice(c.typ, len(*t), len(*t))
		for i, text := range *t {
			texts.Index(i).SetString(text)
		}
		field.Set(texts)
	case *[]domain.ID:
		field.Set(reflect.ValueOf(slices.Clone(*t)))
	case *[]byte:
		if c.kind == bytesKind {
			field.SetBytes(slices.Clone(*t))
		} else if *t != nil {
			if err := json.Unmarshal(*t, field.Addr().Interface()); err != nil {
				return fmt.Errorf("column %s: %w", c.name, err)
			}
		}
	}
	return nil
}

// check refuses what Postgres would refuse: a missing id, date or instant, and the zero character in text.
func (c *column) check(row reflect.Value) error {
	v := row.FieldByIndex(c.index)
	switch c.kind {
	case idKind, dateKind, instantKind:
		if !c.null && v.IsZero() {
			return fmt.Errorf("column %s is empty", c.name)
		}
	case textKind:
		if strings.ContainsRune(v.String(), 0) {
			return fmt.Errorf("column %s holds a zero character, which Postgres does not store", c.name)
		}
	case numberKind, boolKind, textsKind, idsKind, documentKind, bytesKind: // Postgres has the last word: see Engine.isolate
	}
	return nil
}

// same compares the column of two rows as they would read after being stored.
func (c *column) same(a, b reflect.Value) bool {
	x, y := a.FieldByIndex(c.index), b.FieldByIndex(c.index)
	switch c.kind {
	case instantKind:
		return x.Interface().(time.Time).Equal(y.Interface().(time.Time))
	case textsKind, idsKind, documentKind, bytesKind:
		return c.empty(x) && c.empty(y) || reflect.DeepEqual(x.Interface(), y.Interface())
	case idKind, textKind, numberKind, boolKind, dateKind:
	}
	return x.Equal(y)
}
