package domain

import (
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Kind classifies a Fault; the edge maps it to an HTTP status and an exit code.
type Kind int

// The kinds, with the HTTP status each becomes.
const (
	Internal        Kind = iota // 500: our mistake; the message is replaced by a neutral sentence
	Invalid                     // 422: a field breaks a rule; Field names it
	Malformed                   // 400: the body or a parameter cannot be read
	Unauthenticated             // 401
	Forbidden                   // 403
	NotFound                    // 404: missing and foreign ids look alike
	Refused                     // 409: the state of the thing does not allow it
	Stale                       // 412: the pinned revision has passed
	TooLarge                    // 413
	Throttled                   // 429
	Unavailable                 // 503: try again
	StorageFull                 // 507
)

// Fault is the one error type that people and programs see. Code is unique per rule and greppable
// ("invoice-not-sent"); Message is a sentence fit for a client that says the cure; Field is the JSON path of the
// input at fault, if one is. Any other error is Internal. Recognise one only with errors.As (see AsFault).
type Fault struct {
	Kind    Kind
	Code    string
	Field   string
	Message string
	More    []*Fault // further faults of the same input, for forms
}

// Error gives "code: message", or "code (field): message".
func (f *Fault) Error() string {
	var b strings.Builder
	b.WriteString(f.Code)
	if f.Field != "" {
		b.WriteString(" (" + f.Field + ")")
	}
	b.WriteString(": " + f.Message)
	for _, m := range f.More {
		b.WriteString("; " + m.Error())
	}
	return b.String()
}

// AsFault finds the Fault in an error chain; anything else becomes an Internal one without detail.
func AsFault(err error) *Fault {
	if f, ok := errors.AsType[*Fault](err); ok {
		return f
	}
	return &Fault{Kind: Internal, Code: "internal", Message: "Something went wrong on our side. Please try again; if it keeps happening, tell us the request id."}
}

// Refuse is a Fault of kind Refused: right input at the wrong moment.
func Refuse(code, message string) *Fault { return &Fault{Kind: Refused, Code: code, Message: message} }

// Missing is a Fault of kind NotFound for a kind of thing ("invoice").
func Missing(what string) *Fault {
	return &Fault{Kind: NotFound, Code: "not-found", Message: "There is no such " + what + "."}
}

// Checks collects what is wrong with a command's fields, in order, so that a form can show all of it at once.
type Checks struct{ faults []*Fault }

// That notes a fault on field unless ok.
func (c *Checks) That(ok bool, field, code, message string) {
	if !ok {
		c.faults = append(c.faults, &Fault{Kind: Invalid, Code: code, Field: field, Message: message})
	}
}

// Text checks a required piece of text: not blank, at most limit characters, no control characters except newlines
// and tabs.
func (c *Checks) Text(text, field string, limit int) {
	c.That(strings.TrimSpace(text) != "", field, field+"-required", "Fill in "+spoken(field)+".")
	c.OptionalText(text, field, limit)
}

// OptionalText checks a piece of text that may be empty.
func (c *Checks) OptionalText(text, field string, limit int) {
	c.That(len([]rune(text)) <= limit, field, field+"-too-long", "Shorten "+spoken(field)+".")
	c.That(!strings.ContainsFunc(text, func(r rune) bool { return unreadable(r) && r != '\n' && r != '\t' && r != '\r' }),
		field, field+"-characters", "Remove the control characters from "+spoken(field)+".")
}

// unreadable tells control characters and what stands for bytes that are not UTF-8: databases refuse some of them.
func unreadable(r rune) bool { return unicode.IsControl(r) || r == utf8.RuneError }

// Err is nil when every check held; otherwise the first fault, carrying the others in More.
func (c *Checks) Err() error {
	if len(c.faults) == 0 {
		return nil
	}
	first := *c.faults[0]
	first.More = c.faults[1:]
	return &first
}

// spoken turns a JSON path into words: "contact.name" -> "the contact name".
func spoken(field string) string {
	return "the " + strings.NewReplacer(".", " ", "_", " ", "[", " ", "]", "").Replace(field)
}

// Email checks a required e-mail address: one at sign, something on both sides, no spaces or control characters, at
// most 254 bytes.
func (c *Checks) Email(address, field string) {
	user, host, at := strings.Cut(address, "@")
	ok := at && user != "" && len(host) > 2 && strings.Contains(host, ".") && !strings.ContainsAny(address, " ,;<>\"()") && !strings.ContainsFunc(address, unreadable) &&
		!strings.Contains(host, "@") && !strings.HasPrefix(host, ".") && !strings.HasSuffix(host, ".") && len(address) <= 254
	c.That(ok, field, "email-invalid", "Give an e-mail address such as ana@example.com.")
}

// FoldEmail is the form in which e-mail addresses are compared: without the spaces around it, in lower case.
func FoldEmail(address string) string { return strings.ToLower(strings.TrimSpace(address)) }

// Replace sets a field from an optional one: nil keeps it.
func Replace[T any](field *T, with *T) {
	if with != nil {
		*field = *with
	}
}
