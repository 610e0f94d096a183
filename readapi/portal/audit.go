package portal

import (
	"net/http"
	"strings"

	"github.com/go-chi/chi/v5"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/readapi"
)

// audited says what each page is on record. A page that is not here is refused by a test.
var audited = map[string]readapi.Audited{
	"/":              readapi.Unaudited(readapi.AList),
	"/projects":      readapi.Unaudited(readapi.AList),
	"/projects/{id}": readapi.Views(""),
	"/invoices":      readapi.Unaudited(readapi.AList),
	"/invoices/{id}": readapi.Views(""),
	"/payments/{id}": readapi.Views(""),
	"/statement":     readapi.Views("statement"),
	"/statement.csv": readapi.Exports("statement"),
	"/contracts":     readapi.Unaudited(readapi.AList),
	"/people":        readapi.Unaudited(readapi.AList),
	"/history":       readapi.Unaudited(readapi.ItsHistory),
	"/changes":       readapi.Unaudited(readapi.ItsHistory),
	recordsPath:      readapi.Unaudited(readapi.OfTheFirm),

	"/contracts/{id}":         readapi.Views(""),
	"/projects/{id}/history":  readapi.Unaudited(readapi.ItsHistory),
	"/invoices/{id}/history":  readapi.Unaudited(readapi.ItsHistory),
	"/contracts/{id}/history": readapi.Unaudited(readapi.ItsHistory),

	"/staff":                        readapi.Unaudited(readapi.AList),
	"/staff/history":                readapi.Unaudited(readapi.ItsHistory),
	"/staff/search":                 readapi.Unaudited(readapi.AList),
	"/staff/clients":                readapi.Unaudited(readapi.AList),
	"/staff/clients/{id}":           readapi.Views(""),
	"/staff/clients/{id}/contacts":  readapi.Unaudited(readapi.AList),
	"/staff/clients/{id}/projects":  readapi.Unaudited(readapi.AList),
	"/staff/clients/{id}/invoices":  readapi.Unaudited(readapi.AList),
	"/staff/clients/{id}/contracts": readapi.Unaudited(readapi.AList),
	"/staff/clients/{id}/history":   readapi.Unaudited(readapi.ItsHistory),
	"/staff/clients/{id}/changes":   readapi.Unaudited(readapi.ItsHistory),
	"/staff/clients/{id}/what-if":   readapi.Views("what-if figures"),
	"/staff/contacts/{id}":          readapi.Views(""),
	"/staff/contacts/{id}/history":  readapi.Unaudited(readapi.ItsHistory),
	"/staff/contacts/{id}/preview":  readapi.Unaudited(readapi.AFormToFill),
	"/staff/contracts":              readapi.Unaudited(readapi.AList),
	"/staff/contracts/{id}":         readapi.Views(""),
	"/staff/contracts/{id}/history": readapi.Unaudited(readapi.ItsHistory),
	"/staff/invoices":               readapi.Unaudited(readapi.AList),
	"/staff/invoices/{id}":          readapi.Views(""),
	"/staff/invoices/{id}/history":  readapi.Unaudited(readapi.ItsHistory),
	"/staff/projects":               readapi.Unaudited(readapi.AList),
	"/staff/projects/list":          readapi.Unaudited(readapi.AList),
	"/staff/projects/{id}":          readapi.Views(""),
	"/staff/projects/{id}/history":  readapi.Unaudited(readapi.ItsHistory),
	"/staff" + recordsPath:          readapi.Unaudited(readapi.OfTheFirm),
	"/staff/operations":             readapi.Unaudited(readapi.OfTheFirm),
	"/staff/settings/logo":          readapi.Unaudited(readapi.OfTheFirm),
	"/staff/settings/staff":         readapi.Unaudited(readapi.OfTheFirm),
}

// AuditOf tells what the page of a route is on record. A form is none: what is sent with it is on record.
func AuditOf(pattern string) (a readapi.Audited, declared bool) {
	if pattern != "/" {
		pattern = strings.TrimSuffix(pattern, "/")
	}
	a, declared = audited[pattern]
	return a, declared
}

// onRecord puts on record what the page shows: the record that its address names, or a contact's own account.
func (v *visit) onRecord(format string) error {
	declared, ok := AuditOf(chi.RouteContext(v.r.Context()).RoutePattern())
	if !ok || declared.Exempt != "" {
		return nil
	}
	id := v.id()
	if id == "" {
		id = v.scope.Account.String()
	}
	for _, record := range v.q.Opened() {
		if record.Type != "" && record.ID.String() == id {
			return readapi.OnRecord(v.r, declared, record, format)
		}
	}
	return nil
}

// refused puts on record that a command was refused, on the page that says so.
func refused(r *http.Request, command string, err error) {
	readapi.OnRefusal(readapi.Giving(r, command), domain.AsFault(err))
}
