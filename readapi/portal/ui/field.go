package ui

import (
	"strings"

	"github.com/a-h/templ"
)

// Field is one question of a form. What was typed comes back in Value, whatever was wrong with it.
type Field struct {
	Name         string
	Label        string
	Hint         string // what to write, below the label
	Error        string // what is wrong and how to cure it; empty when nothing is
	Value        string
	Type         string // text when empty; email, tel, password, url, color …
	Autocomplete string // email, current-password, one-time-code …
	InputMode    string // decimal, numeric …
	Optional     bool   // says so beside the label; all other fields are required
	Width        Width
	ReadOnly     bool
	Autofocus    bool
	Attrs        templ.Attributes // further attributes of the control

	key string // tells fields of one name apart: ids end in it
}

// Keyed is the field in a list of rows: its ids end in the key, its name stays.
func (f Field) Keyed(key string) Field {
	f.key = key
	return f
}

// Width is how much a field expects to hold.
type Width string

// The widths. Full is as wide as the form.
const (
	Full   Width = ""
	Narrow Width = "narrow" // codes, quantities
	Medium Width = "medium" // dates, amounts, phone numbers
)

// ID is the id of the control, which an error summary links to.
func (f Field) ID() string {
	if f.key == "" {
		return f.Name
	}
	return f.Name + "-" + f.key
}

func (f Field) hintID() string  { return f.ID() + "-hint" }
func (f Field) errorID() string { return f.ID() + "-error" }

// describedBy names what explains the control.
func (f Field) describedBy() string {
	var ids []string
	if f.Hint != "" {
		ids = append(ids, f.hintID())
	}
	if f.Error != "" {
		ids = append(ids, f.errorID())
	}
	return strings.Join(ids, " ")
}

// attributes are what every control of a field has.
func (f Field) attributes() templ.Attributes {
	attrs := templ.Attributes{"id": f.ID(), "name": f.Name}
	set := func(name, value string) {
		if value != "" {
			attrs[name] = value
		}
	}
	set("aria-describedby", f.describedBy())
	set("autocomplete", f.Autocomplete)
	set("inputmode", f.InputMode)
	if f.Error != "" {
		attrs["aria-invalid"] = "true"
	}
	if !f.Optional && !f.ReadOnly {
		attrs["required"] = true
	}
	if f.ReadOnly {
		attrs["readonly"] = true
	}
	if f.Autofocus {
		attrs["autofocus"] = true
	}
	for name, value := range f.Attrs {
		attrs[name] = value
	}
	return attrs
}

func (f Field) inputType() string {
	if f.Type == "" {
		return "text"
	}
	return f.Type
}

func (f Field) class() string {
	class := "field"
	if f.Error != "" {
		class += " wrong"
	}
	if f.Width != Full {
		class += " " + string(f.Width)
	}
	return class
}

// FieldErrors gives what is wrong with a form by the id of the control it belongs to, in the order of the form.
type FieldErrors []FieldError

// FieldError is one thing that is wrong. An empty ID is about the form as a whole.
type FieldError struct{ ID, Message string }

// Option is a choice.
type Option struct {
	Value   string
	Label   string
	Hint    string
	Chosen  bool
	Blocked bool // shown, but cannot be chosen
}
