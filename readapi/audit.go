package readapi

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/go-chi/chi/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/readapi/auth"
)

// Audit puts on record what people look at, take away and are refused.
type Audit interface {
	// Record returns when the look is stored.
	Record(ctx context.Context, l Look) error
	// Later stores it soon. A look that is told twice in an hour by the same person is stored once.
	Later(ctx context.Context, l Look)
}

// Look is one line of the record: who, when and from where is in Meta, whose Account is the one that it is about.
type Look struct {
	Act    Act
	What   string // a part of the record that was viewed, a kind of file, what data hold, what was tried
	Format string // of data
	Code   string // the rule that refused it
	Record Opened
	Meta   domain.Meta
}

// Act is what somebody did.
type Act string

// The acts.
const (
	Viewed     Act = "viewed"
	Downloaded Act = "downloaded"
	Exported   Act = "exported"
	Refused    Act = "refused"
)

// Opened is a record that somebody opened, and who of its account may know.
type Opened struct {
	Type    string // the category of its stream, or payment
	ID      domain.ID
	Label   string
	Account domain.ID   // none: it is of the firm itself
	Open    bool        // contacts of the account may know
	To      []domain.ID // only these; none: all of them
	SHA256  string      // of the file that is taken, if one is
}

// Audited says what an answer is on record: each route declares it.
type Audited struct {
	Act    Act
	What   string // see Look
	Exempt string // why it is none; empty: it is
}

// Views declares a route that opens a record, or a part of one.
func Views(part string) Audited { return Audited{Act: Viewed, What: part} }

// Downloads declares a route that gives a file away.
func Downloads(file string) Audited { return Audited{Act: Downloaded, What: file} }

// Exports declares a route that gives data away.
func Exports(data string) Audited { return Audited{Act: Exported, What: data} }

// Unaudited declares a route that leaves no line, and why.
func Unaudited(why string) Audited { return Audited{Exempt: why} }

// Reasons for leaving no line.
const (
	AList       = "a list opens no record"
	ItsHistory  = "reading the history of a record would add to it; taking it away as a file is on record"
	OfTheFirm   = "it shows nothing of a client"
	ItsOwnFact  = "what is done there is a fact of its own"
	AFormToFill = "a form: what is sent with it is on record"
)

// aboutOf is how the record of a collection is named in SQL.
type aboutOf struct {
	kind  string // the category of its stream, or payment
	label string // empty: it has no name that may be kept
	open  string // whether contacts of the account may know of it; empty: yes
	to    string // those contacts, as uuid[]; empty: all of them
}

// views declares the route that opens a thing of the collection.
func (c *collection) views() Audited {
	switch {
	case c.about.kind == "":
		return Unaudited(OfTheFirm)
	case c.period:
		return Views("statement")
	}
	return Views("")
}

// aboutColumns are the columns of an Opened, and where they are scanned to.
func (c *collection) aboutColumns(scope *auth.Scope) string {
	columns := []string{cast(c.about.label, "''", "::text"), cast(c.account, "null", "::uuid")}
	if scope.Staff() {
		columns = append(columns, cast(c.about.open, "true", ""), cast(c.about.to, "null", "::uuid[]"))
	} else { // their own line is theirs alone
		columns = append(columns, "true", "null::uuid[]")
	}
	return strings.Join(columns, ", ")
}

func cast(sql, otherwise, to string) string {
	if sql == "" {
		sql = otherwise
	}
	return "(" + sql + ")" + to
}

// opened scans the columns of aboutColumns.
type opened struct {
	label   pgtype.Text
	account pgtype.UUID
	open    pgtype.Bool
	to      []domain.ID
}

func (o *opened) targets() []any { return []any{&o.label, &o.account, &o.open, &o.to} }

func (o *opened) of(c *collection, id domain.ID) Opened {
	return Opened{Type: c.about.kind, ID: id, Label: o.label.String, Account: o.account.Bytes, Open: o.open.Bool, To: o.to}
}

// lookMeta describes who looks: in a preview that is the member of staff, on behalf of the contact.
func lookMeta(r *http.Request, scope *auth.Scope) domain.Meta {
	m := metaOf(r, scope)
	if scope.Preview != nil {
		m.OnBehalfOf, m.Actor = scope.Actor.ID, domain.Actor{Kind: domain.Staff, ID: scope.Preview.Staff}
	}
	return m
}

// OnRecord puts on record what the answer to r gives. A view is put there afterwards. What takes something away is not
// answered when that cannot be put on record.
func OnRecord(r *http.Request, declared Audited, record Opened, format string) error {
	scope, visit := auth.From(r.Context()), visitOf(r.Context())
	if declared.Exempt != "" || visit.audit == nil || scope == nil || r.Method == http.MethodHead {
		return nil
	}
	l := Look{Act: declared.Act, What: declared.What, Format: format, Record: record, Meta: lookMeta(r, scope)}
	if scope.Staff() {
		l.Meta.Account = record.Account
	}
	if l.Act == Viewed {
		visit.audit.Later(r.Context(), l)
		return nil
	}
	return visit.audit.Record(r.Context(), l)
}

// OnRefusal puts on record that somebody was refused, before they are told. What was asked for wrongly, or cannot be
// had right now, is no refusal.
func OnRefusal(r *http.Request, fault *domain.Fault) {
	scope, visit := auth.From(r.Context()), visitOf(r.Context())
	if visit.audit == nil || scope == nil || fault.Code == "reauth-required" {
		return
	}
	id, hasID := parseID(chi.URLParam(r, "id"))
	unsafe := r.Method != http.MethodGet && r.Method != http.MethodHead
	switch fault.Kind {
	case domain.Forbidden, domain.Refused:
	case domain.NotFound:
		if _, route := r.Context().Value(declaredKey{}).(Audited); !hasID && !unsafe && !route {
			return // there is no such address
		}
	default:
		return
	}
	l := Look{Act: Refused, What: "look", Code: fault.Code, Meta: lookMeta(r, scope)}
	l.Record = everything(scope)
	route := chi.RouteContext(r.Context()).RoutePattern()
	if kind := kindIn(route); hasID && kind != "" {
		l.Record = Opened{Type: kind, ID: id}
	}
	switch command := commandOf(r.Context()); {
	case command != "":
		l.What = command
	case chi.URLParam(r, "name") != "":
		l.What = chi.URLParam(r, "name")
	case unsafe:
		l.What = lastWord(route)
	}
	if err := visit.audit.Record(r.Context(), l); err != nil {
		visit.log.Error("refusal is not on record", "request", visit.id, "error", err)
	}
}

// everything is what somebody sees all of: their account, or for staff the firm.
func everything(scope *auth.Scope) Opened {
	if scope.Staff() {
		return Opened{Type: "firm", ID: scope.Firm}
	}
	return Opened{Type: "account", ID: scope.Account}
}

// kinds are the records that addresses name, by the word before the id.
var kinds = map[string]string{
	"accounts": "account", "clients": "account", "statements": "account", "contacts": "contact", "projects": "project", "invoices": "invoice",
	"payments": "payment", "attempts": "payment", "contracts": "contract", "team": "staff", "staff": "staff",
}

// kindIn is the kind of record whose id is in an address.
func kindIn(route string) string {
	words := strings.Split(route, "/")
	if at := slices.Index(words, "{id}"); at > 0 {
		return kinds[words[at-1]]
	}
	return ""
}

// lastWord is what a form's address calls it: "send" of /staff/invoices/{id}/send.
func lastWord(route string) string {
	words := strings.Split(strings.TrimSuffix(route, "/"), "/")
	return words[len(words)-1]
}

type commandKey struct{}

// Giving notes in r the command that is given, for the record of its refusal.
func Giving(r *http.Request, command string) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), commandKey{}, command))
}

func commandOf(ctx context.Context) string {
	name, _ := ctx.Value(commandKey{}).(string)
	return name
}

type declaredKey struct{}

// declares notes in each request what its route is on record.
func declares(a Audited) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), declaredKey{}, a)))
		})
	}
}

// onRecord is OnRecord as the route declares it.
func onRecord(r *http.Request, record Opened, format string) error {
	declared, _ := r.Context().Value(declaredKey{}).(Audited)
	return OnRecord(r, declared, record, format)
}

// Opened are the records that a page has read, after Run, in the order in which it asked.
func (r *Reading) Opened() []Opened { return r.q.opened }

// lookEvents are the events that changed nothing: what package audit of the domain has.
const lookEvents = "'RecordViewed', 'FileDownloaded', 'DataExported', 'AccessRefused', 'MailSent', 'ToolRun'"
