package portal

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/a-h/templ"
	"github.com/go-chi/chi/v5"

	"github.com/atrium-portal/atrium/commands"
	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/readapi"
	"github.com/atrium-portal/atrium/readapi/auth"
	"github.com/atrium-portal/atrium/readapi/portal/ui"
	"github.com/atrium-portal/atrium/readapi/upload"
)

// form is what somebody typed and what is wrong with it. Before anything was typed its fields hold what the record
// says.
type form struct {
	values url.Values // nil before the form is sent
	faults []*domain.Fault
	key    string // makes a form that is sent twice take effect once
	again  bool   // show the form as it is now, without giving the command
	closed bool   // what the form was to change cannot be changed any more; its text can be used for something new
	file   *upload.Sent
}

// step is the command that a form gives, and where its sender goes afterwards.
type step struct {
	name    string // of the command
	command any
	to      string // {id} stands for the id of what was made
	done    string // what is said there: see doneTexts
	pinned  *int64 // the revision that the form was opened at; nil: whatever it is now
}

// showFunc reads and gives the page on which a form stands; takeFunc reads the form. Faults that takeFunc notes, or
// that the command meets, show the page again with what was typed.
type (
	showFunc func(*visit, *form) (templ.Component, error)
	takeFunc func(*visit, *form) (step, error)
)

const keyField = "key"

// form answers a page with a form, and the form.
func (p *portal) form(r chi.Router, path string, show showFunc, take takeFunc) {
	r.Get(path, func(w http.ResponseWriter, r *http.Request) {
		v := p.visit(w, r)
		if !v.q.Then().IsZero() {
			p.fail(w, r, errPast)
			return
		}
		c, err := show(v, newForm())
		if err != nil {
			p.fail(w, r, err)
			return
		}
		p.show(w, r, http.StatusOK, c)
	})
	r.Post(path, p.act(show, take))
}

// act takes a form. show is the page to return to with what is wrong; nil says it on a page of its own.
func (p *portal) act(show showFunc, take takeFunc) http.HandlerFunc {
	return p.taking(func(_ http.ResponseWriter, r *http.Request) (*form, error) { return sentForm(r) }, show, take)
}

// taking takes a form that read reads.
func (p *portal) taking(read func(http.ResponseWriter, *http.Request) (*form, error), show showFunc, take takeFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		f, err := read(w, r)
		if err != nil {
			p.fail(w, r, err)
			return
		}
		v := p.visit(w, r)
		s, err := take(v, f)
		if err == nil && len(f.faults) == 0 && !f.again {
			if err = p.give(v, f, s); err == nil {
				return
			}
		}
		status := http.StatusOK
		if err != nil {
			fault := readapi.FaultOf(err)
			if show == nil || !correctable(fault) {
				p.fail(w, readapi.Giving(r, s.name), err)
				return
			}
			refused(r, s.name, fault)
			f.note(fault)
			status = readapi.StatusOf(fault)
		} else if len(f.faults) > 0 {
			if show == nil {
				p.fail(w, r, f.faults[0])
				return
			}
			status = http.StatusUnprocessableEntity
		}
		// What was read for the command is of the past.
		c, err := show(p.visit(w, r), f)
		if err != nil {
			p.fail(w, r, err)
			return
		}
		if f.closed {
			status = http.StatusConflict
		}
		p.show(w, r, status, c)
	}
}

// correctable reports whether whoever sent a form can do something about a fault on the form's page.
func correctable(f *domain.Fault) bool {
	switch f.Kind {
	case domain.Invalid, domain.Refused, domain.Stale, domain.Unavailable, domain.StorageFull:
		return true
	case domain.Internal, domain.Malformed, domain.Unauthenticated, domain.Forbidden, domain.NotFound, domain.TooLarge, domain.Throttled:
	}
	return false
}

// give gives the command, waits until pages show what it did, and sends its giver on.
func (p *portal) give(v *visit, f *form, s step) error {
	receipt, err := p.dispatch(v, f, s)
	if err != nil {
		return err
	}
	shown, err := p.Reader.Await(v.r.Context(), receipt.Position)
	if err != nil && v.r.Context().Err() == nil {
		p.Logger.Warn("read models cannot be awaited", "request", readapi.RequestID(v.r.Context()), "error", err)
	}
	v.say(s.done, !shown)
	http.Redirect(v.w, v.r, strings.ReplaceAll(s.to, "{id}", receipt.ID.String()), http.StatusSeeOther)
	return nil
}

// dispatch gives a form's command. The form's key makes its id, so the same form sent twice is the same command.
func (p *portal) dispatch(v *visit, f *form, s step) (commands.Receipt, error) {
	if !v.scope.May(auth.Commands) {
		return commands.Receipt{}, &domain.Fault{Kind: domain.Forbidden, Code: "token-scope", Message: "You are signed in for looking only."}
	}
	meta, err := readapi.Meta(v.r)
	if err != nil {
		return commands.Receipt{}, err
	}
	meta.Command = domain.DeriveID("form", meta.Firm.String(), meta.Actor.Ref(), s.name, f.key)
	meta.Digest = f.digest()
	receipt, err := p.Dispatch.Dispatch(context.WithoutCancel(v.r.Context()), commands.Order{Name: s.name, Command: s.command, Meta: meta, Pinned: s.pinned})
	if fault, ok := errors.AsType[*domain.Fault](err); ok && fault.Code == "idempotency-mismatch" {
		f.key = domain.NewID().String()
		err = domain.Refuse("form-sent-before", "This form was sent before with other content. Look at what it did; if you still want to send it as it is now, send it again.")
	}
	return receipt, err
}

func newForm() *form { return &form{key: domain.NewID().String()} }

// sentForm reads a form that was sent.
func sentForm(r *http.Request) (*form, error) {
	if err := r.ParseForm(); err != nil {
		if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
			return nil, &domain.Fault{Kind: domain.TooLarge, Code: "form-too-large", Message: "This is more text than a form can take. Shorten it."}
		}
		return nil, &domain.Fault{Kind: domain.Malformed, Code: "form-unreadable", Message: "The form did not arrive whole. Go back and send it again."}
	}
	return keyedForm(r.PostForm)
}

func keyedForm(values url.Values) (*form, error) {
	key := values.Get(keyField)
	if idOf(key) == domain.NoID {
		return nil, &domain.Fault{Kind: domain.Malformed, Code: "form-without-key", Message: "The form is not complete. Open its page again and send it from there."}
	}
	return &form{values: values, key: key}, nil
}

// digest is a hash of what was typed: the same key with something else typed is a mistake.
func (f *form) digest() string {
	content := url.Values{}
	for name, values := range f.values {
		if name != keyField {
			content[name] = values
		}
	}
	hash := sha256.New()
	hash.Write([]byte(content.Encode()))
	if f.file != nil {
		hash.Write(f.file.Content)
	}
	sum := hash.Sum(nil)
	return hex.EncodeToString(sum[:8])
}

// hidden are the hidden fields of the form: its key, and further ones as name, value, name, value.
func (f *form) hidden(further ...string) []ui.HiddenField {
	fields := []ui.HiddenField{{Name: keyField, Value: f.key}}
	for i := 0; i+1 < len(further); i += 2 {
		fields = append(fields, ui.HiddenField{Name: further[i], Value: further[i+1]})
	}
	return fields
}

// text is what was typed into a field, without the spaces around it.
func (f *form) text(name string) string { return strings.TrimSpace(f.values.Get(name)) }

// personal is text about a person.
func (f *form) personal(name string) domain.Personal { return domain.P(f.text(name)) }

// changed is text about a person for a command that keeps what is left out: nil when the form has no such field.
func (f *form) changed(name string) *domain.Personal {
	if !f.values.Has(name) {
		return nil
	}
	p := f.personal(name)
	return &p
}

// id is the id that was chosen in a field; none when none was.
func (f *form) id(name string) domain.ID { return idOf(f.text(name)) }

// date is the date in a field; none, and a fault, when it is not one. An empty field is no date and no fault.
func (f *form) date(name string) domain.Date {
	text := f.text(name)
	if text == "" {
		return domain.Date{}
	}
	date, err := domain.ParseDate(text)
	if err != nil {
		f.wrong(name, "date-unreadable", "Give a date such as 2026-03-31.")
	}
	return date
}

// money is the amount in a field; zero, and a fault, when it is not one.
func (f *form) money(v *visit, name, currency string) domain.Money {
	amount, err := ui.ParseAmount(f.text(name), currency, v.scope.Settings.NumberFormat)
	if err != nil {
		f.wrong(name, "amount-unreadable", amountHint(v.scope.Settings.NumberFormat, currency))
		return domain.Money{Currency: currency}
	}
	return amount
}

func amountHint(format, currency string) string {
	return "Give an amount such as " + ui.AmountText(domain.Money{Amount: 123450, Currency: currency}, format) + "."
}

// wrong notes what is wrong with a field.
func (f *form) wrong(name, code, message string) {
	f.faults = append(f.faults, &domain.Fault{Kind: domain.Invalid, Code: code, Field: name, Message: message})
}

// note takes over the faults of a command.
func (f *form) note(fault *domain.Fault) {
	f.faults = append(f.faults, fault)
	f.faults = append(f.faults, fault.More...)
}

// fieldOf is the field of the form that a fault's path is about: "amount.amount" and "permissions[2]" are about
// "amount" and "permissions".
func (f *form) fieldOf(path string) string {
	for _, part := range []string{path, strings.TrimSuffix(strings.TrimSuffix(path, ".amount"), ".currency")} {
		if f.values.Has(part) {
			return part
		}
	}
	if before, _, list := strings.Cut(path, "["); list {
		return before
	}
	return path
}

// err says what is wrong with a field.
func (f *form) err(name string) string {
	for _, fault := range f.faults {
		if fault.Field != "" && f.fieldOf(fault.Field) == name {
			return fault.Message
		}
	}
	return ""
}

// errors lists what is wrong, for the summary above the fields. hidden are fields that nobody can go to.
func (f *form) errors(hidden ...string) ui.FieldErrors {
	var list ui.FieldErrors
	for _, fault := range f.faults {
		id := ""
		if fault.Field != "" {
			if id = f.fieldOf(fault.Field); slices.Contains(hidden, id) {
				id = ""
			}
		}
		list = append(list, ui.FieldError{ID: id, Message: fault.Message})
	}
	return list
}

// field is a question of the form: with what was typed, or else what the record says.
func (f *form) field(name, label, recorded string) ui.Field {
	field := ui.Field{Name: name, Label: label, Value: recorded, Error: f.err(name)}
	if f.values != nil {
		field.Value = f.values.Get(name)
	}
	return field
}

// chosen reports whether a value of a field is chosen; recorded are those that the record says.
func (f *form) chosen(name, value string, recorded ...string) bool {
	if f.values != nil {
		return slices.Contains(f.values[name], value)
	}
	return slices.Contains(recorded, value)
}

// options marks what is chosen of a field's options.
func (f *form) options(name string, options []ui.Option, recorded ...string) []ui.Option {
	marked := slices.Clone(options)
	for i := range marked {
		marked[i].Chosen = f.chosen(name, marked[i].Value, recorded...)
	}
	return marked
}
