package projections

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/atrium-portal/atrium/domain"
)

// layout is a row type, looked at once.
type layout struct {
	typ      reflect.Type
	columns  []column
	keyLen   int // how many columns, from the first, are the primary key
	firm     int // index of the column, or -1
	account  int
	revision int
	currency int
	label    int
}

// layoutOf reads the db tags of a row type.
func layoutOf(t reflect.Type) (*layout, error) {
	if t.Kind() != reflect.Struct {
		return nil, fmt.Errorf("a row is a struct, %s is not", t)
	}
	l := &layout{typ: t, firm: -1, account: -1, revision: -1, currency: -1, label: -1}
	if err := l.add(t, nil); err != nil {
		return nil, err
	}
	for i, c := range l.columns {
		switch c.name {
		case "firm":
			l.firm = i
		case "account":
			l.account = i
		case "revision":
			l.revision = i
		case "currency":
			l.currency = i
		}
		if c.mark == "label" {
			l.label = i
		}
		if !c.key {
			continue
		}
		if i != l.keyLen || i >= len(Key{}) || c.kind > numberKind || c.null {
			return nil, fmt.Errorf("column %s: the key is the first one to %d fields: ids, texts or numbers", c.name, len(Key{}))
		}
		l.keyLen++
	}
	if l.keyLen == 0 {
		return nil, fmt.Errorf("%s has no key: tag its first field db:\"id,key\"", t)
	}
	return l, nil
}

// add takes the fields of a struct, and of those embedded in it.
func (l *layout) add(t reflect.Type, path []int) error {
	for i := range t.NumField() {
		f := t.Field(i)
		index := append(slices.Clone(path), i)
		tag, tagged := f.Tag.Lookup("db")
		if f.Anonymous && !tagged {
			if err := l.add(f.Type, index); err != nil {
				return err
			}
			continue
		}
		name, options, _ := strings.Cut(tag, ",")
		if !tagged || !f.IsExported() || !plainName(name) {
			return fmt.Errorf("field %s.%s needs a tag db:\"name\" of small letters, digits and _", t, f.Name)
		}
		kind, ok := kindOf(f.Type)
		if !ok {
			return fmt.Errorf("column %s: rows cannot hold a %s", name, f.Type)
		}
		c := column{name: name, kind: kind, index: index, typ: f.Type, mark: f.Tag.Get("history")}
		for option := range strings.SplitSeq(options, ",") {
			switch option {
			case "key":
				c.key = true
			case "null":
				c.null = true
			case "":
			default:
				return fmt.Errorf("column %s: there is no option %q, only key and null", name, option)
			}
		}
		if slices.ContainsFunc(l.columns, func(o column) bool { return o.name == name }) {
			return fmt.Errorf("column %s is there twice", name)
		}
		l.columns = append(l.columns, c)
	}
	return nil
}

// plainName keeps names that need no quotes in SQL.
func plainName(s string) bool {
	return s != "" && s[0] >= 'a' && s[0] <= 'z' && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789_") == ""
}

// column by name; nil when there is none.
func (l *layout) column(name string) *column {
	for i := range l.columns {
		if l.columns[i].name == name {
			return &l.columns[i]
		}
	}
	return nil
}

// names of the columns from start to end, as a list for SQL.
func names(columns []column) string {
	list := make([]string, len(columns))
	for i, c := range columns {
		list[i] = c.name
	}
	return strings.Join(list, ", ")
}

// key reads the key of a row.
func (l *layout) key(row any) Key {
	v := reflect.ValueOf(row).Elem()
	var k Key
	for i := range l.keyLen {
		c := &l.columns[i]
		field := v.FieldByIndex(c.index)
		switch c.kind {
		case textKind:
			k[i] = field.String()
		case numberKind:
			k[i] = field.Int()
		default:
			k[i] = field.Interface()
		}
	}
	return k
}

var errKey = errors.New("the key does not have the types of the key columns")

// keyed checks that a key has the types of the key columns, so that it can find a row.
func (l *layout) keyed(k Key) error {
	for i, part := range k {
		ok := part == nil
		if i < l.keyLen {
			switch l.columns[i].kind {
			case textKind:
				_, ok = part.(string)
			case numberKind:
				_, ok = part.(int64)
			default:
				_, ok = part.(domain.ID)
			}
		}
		if !ok {
			return errKey
		}
	}
	return nil
}

// check refuses a row that could not be stored.
func (l *layout) check(row any) error {
	v := reflect.ValueOf(row).Elem()
	for i := range l.columns {
		if err := l.columns[i].check(v); err != nil {
			return err
		}
	}
	return nil
}

// values gives the rows in the form the driver wants, a slice of columns each.
func (l *layout) values(rows []any) ([][]any, error) {
	list := make([][]any, len(rows))
	flat := make([]any, len(rows)*len(l.columns))
	for r, row := range rows {
		list[r], flat = flat[:len(l.columns):len(l.columns)], flat[len(l.columns):]
		v := reflect.ValueOf(row).Elem()
		for i := range l.columns {
			var err error
			if list[r][i], err = l.columns[i].value(v); err != nil {
				return nil, err
			}
		}
	}
	return list, nil
}

// size estimates the memory a row takes, for the cache.
func (l *layout) size(row any) int {
	v := reflect.ValueOf(row).Elem()
	size := int(l.typ.Size()) + 200 // its key and its place in the cache
	for i := range l.columns {
		switch c := &l.columns[i]; c.kind {
		case textKind:
			size += v.FieldByIndex(c.index).Len()
		case textsKind, idsKind:
			size += 32 * v.FieldByIndex(c.index).Len()
		case documentKind:
			if f := v.FieldByIndex(c.index); f.Kind() != reflect.Struct {
				size += 200 * f.Len()
			}
		case bytesKind:
			size += v.FieldByIndex(c.index).Len()
		case idKind, numberKind, boolKind, dateKind, instantKind:
		}
	}
	return size
}
