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
	sibling int    // index of the field that holds the subject's id; -1 when there is none
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
					field.sibling = fieldOfID(t, field.subject)
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
			// Somebody without an id has no key of their own.
			if id := v.Field(f.sibling).Interface().(ID); id != NoID {
				whose = f.subject + ":" + id.String()
			}
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

// fieldOfID finds the ID field of that wire name; -1 when there is none.
func fieldOfID(t reflect.Type, wire string) int {
	for i := range t.NumField() {
		if f := t.Field(i); f.Type == reflect.TypeFor[ID]() && wireName(f) == wire {
			return i
		}
	}
	return -1
}

// mistake says what is wrong with the declaration of an event; empty when nothing is.
func (p *personalPaths) mistake() string {
	if p.each != nil {
		return p.each.mistake()
	}
	for _, f := range p.fields {
		switch inner := f.paths.mistake(); {
		case f.name == "":
			return "a field with personal text needs a JSON name: the text is bound to it"
		case f.subject != "" && f.sibling < 0:
			return "the subject of field " + f.name + " needs its id beside it: its text would not go when the person is erased"
		case inner != "":
			return inner
		}
	}
	return ""
}

func parseID(s string) (ID, error) { return uuid.Parse(s) }
