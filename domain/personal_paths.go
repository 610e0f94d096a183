package domain

import (
	"reflect"
	"strconv"
	"strings"

	"github.com/google/uuid"
)

// personalPaths knows where the Personal values of a Go type are, so that the codec visits only those.
type personalPaths struct {
	here   bool // the type is Personal itself
	fields []pathField
	each   *personalPaths // of a slice's elements
}

type pathField struct {
	index int
	name  string
	paths *personalPaths

	subject string // kind of the data subject named by the tag, if any
	sibling int    // index of the field that holds the subject's id
}

var personalType = reflect.TypeFor[Personal]()

// findPersonal walks a type once; nil means there is nothing personal in it. Events are plain structs: pointers,
// maps and arrays do not carry personal values.
func findPersonal(t reflect.Type) *personalPaths {
	switch {
	case t == personalType:
		return &personalPaths{here: true}
	case t.Kind() == reflect.Struct:
		var p personalPaths
		for i := range t.NumField() {
			if f := t.Field(i); f.IsExported() {
				if inner := findPersonal(f.Type); inner != nil {
					field := pathField{index: i, name: wireName(f), paths: inner, subject: f.Tag.Get("subject")}
					field.sibling = siblingNamed(t, field.subject)
					p.fields = append(p.fields, field)
				}
			}
		}
		if p.fields != nil {
			return &p
		}
	case t.Kind() == reflect.Slice:
		if inner := findPersonal(t.Elem()); inner != nil {
			return &personalPaths{each: inner}
		}
	}
	return nil
}

type rewriter func(p Personal, path, subject string) (Personal, error)

// rewrite returns a copy of v in which every non-empty Personal is replaced by change(value, field path, subject).
// v itself and the slices it shares stay as they are.
func (p *personalPaths) rewrite(v reflect.Value, path, subject string, change rewriter) (reflect.Value, error) {
	if p.here {
		old := v.Interface().(Personal)
		if old.IsZero() {
			return v, nil
		}
		changed, err := change(old, path, subject)
		return reflect.ValueOf(changed), err
	}
	if p.each != nil {
		if v.IsNil() {
			return v, nil
		}
		fresh := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
		for i := range v.Len() {
			changed, err := p.each.rewrite(v.Index(i), path+"["+strconv.Itoa(i)+"]", subject, change)
			if err != nil {
				return v, err
			}
			fresh.Index(i).Set(changed)
		}
		return fresh, nil
	}
	fresh := reflect.New(v.Type()).Elem()
	fresh.Set(v)
	for _, f := range p.fields {
		whose := subject
		if f.subject != "" {
			whose = f.subject + ":" + v.Field(f.sibling).Interface().(ID).String()
		}
		changed, err := f.paths.rewrite(v.Field(f.index), path+"."+f.name, whose, change)
		if err != nil {
			return v, err
		}
		fresh.Field(f.index).Set(changed)
	}
	return fresh, nil
}

// wireName is the stored name of a field: it binds a ciphertext, so it must survive a rename in Go.
func wireName(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	return name
}

// siblingNamed finds the field that holds the id of the data subject of a tagged field.
func siblingNamed(t reflect.Type, wire string) int {
	for i := range t.NumField() {
		if wire != "" && wireName(t.Field(i)) == wire {
			return i
		}
	}
	return 0
}

func parseID(s string) (ID, error) { return uuid.Parse(s) }
