package readapi

import (
	"net/http"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/readapi/auth"
)

// administrator is the role that may look after the installation.
const administrator = "administrator"

// administrators lets in staff administrators only. To contacts there is nothing here.
func administrators(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch scope := auth.From(r.Context()); {
		case !scope.Staff():
			notFound(w, r)
		case scope.Role != administrator:
			Problem(w, r, &domain.Fault{Kind: domain.Forbidden, Code: "not-permitted", Message: "Only administrators may see this."})
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// opsList answers with what the port gives. Nothing here is read from the read models, whose troubles it tells.
func opsList[T any](get func(*http.Request) ([]T, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if err := parseParams(r).err(); err != nil {
			Problem(w, r, err)
			return
		}
		items, err := get(r)
		if err != nil {
			Problem(w, r, err)
			return
		}
		if items == nil {
			items = []T{}
		}
		reply(w, r, opsAnswer[T]{items}, false)
	}
}

type opsAnswer[T any] struct {
	Items []T `json:"items"`
}
