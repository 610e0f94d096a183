package readapi

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"

	"github.com/atrium-portal/atrium/domain"
)

// problem is an RFC 9457 problem document.
type problem struct {
	Type    string       `json:"type"` // where the code is explained
	Title   string       `json:"title"`
	Status  int          `json:"status"`
	Code    string       `json:"code"` // unique per rule
	Detail  string       `json:"detail"`
	Field   string       `json:"field,omitempty"`  // JSON path or parameter at fault
	Errors  []fieldFault `json:"errors,omitempty"` // all faults of the input, the first included, when there are several
	Request string       `json:"request_id,omitempty"`
}

type fieldFault struct {
	Code   string `json:"code"`
	Detail string `json:"detail"`
	Field  string `json:"field,omitempty"`
}

// FaultOf is an error as people may see it: a store that does not answer, or not in time, is to be tried again, and what
// is no fault is our mistake, told in one neutral sentence. The caller logs the error itself.
func FaultOf(err error) *domain.Fault {
	fault, known := errors.AsType[*domain.Fault](databaseFault(err))
	switch {
	case known && fault.Kind != domain.Internal:
		return fault
	case !known && errors.Is(err, context.DeadlineExceeded):
		return &domain.Fault{Kind: domain.Unavailable, Code: "timeout", Message: "This took too long. Please try again in a moment."}
	}
	return domain.AsFault(nil)
}

// Problem answers with an error as application/problem+json. A *domain.Fault is shown as it is; any other error is
// logged whole and shown as one neutral sentence.
func Problem(w http.ResponseWriter, r *http.Request, err error) {
	visit := visitOf(r.Context())
	if errors.Is(err, context.Canceled) && r.Context().Err() != nil {
		return // the client has gone; there is nobody to tell
	}
	fault := FaultOf(err)
	switch fault.Kind {
	case domain.Internal:
		visit.log.Error("request failed", "request", visit.id, "method", r.Method, "path", r.URL.Path, "error", err)
	case domain.Unavailable:
		visit.log.Warn("request put off", "request", visit.id, "method", r.Method, "path", r.URL.Path, "error", err)
	default:
	}
	OnRefusal(r, fault)
	writeProblem(w, r, statusOf(fault.Kind), fault)
}

// writeProblem writes a fault with a status of its own.
func writeProblem(w http.ResponseWriter, r *http.Request, status int, fault *domain.Fault) {
	visit := visitOf(r.Context())
	p := problem{
		Type: "/api/docs#" + fault.Code, Title: http.StatusText(status), Status: status, Code: fault.Code,
		Detail: fault.Message, Field: fault.Field, Request: visit.id,
	}
	if len(fault.More) > 0 {
		for _, f := range append([]*domain.Fault{fault}, fault.More...) {
			p.Errors = append(p.Errors, fieldFault{f.Code, f.Message, f.Field})
		}
	}
	header := w.Header()
	header.Set("Content-Type", "application/problem+json")
	header.Set("Cache-Control", "no-store")
	header.Del("ETag")
	switch status {
	case http.StatusUnauthorized:
		header.Set("WWW-Authenticate", `Bearer realm="atrium"`)
	case http.StatusServiceUnavailable:
		header.Set("Retry-After", strconv.Itoa(retryAfter))
	}
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		json.NewEncoder(w).Encode(p) //nolint:errcheck // the client has gone; there is nobody to tell
	}
}

// retryAfter is what clients are told to wait when something is not available, in seconds.
const retryAfter = 5

func statusOf(k domain.Kind) int {
	switch k {
	case domain.Invalid:
		return http.StatusUnprocessableEntity
	case domain.Malformed:
		return http.StatusBadRequest
	case domain.Unauthenticated:
		return http.StatusUnauthorized
	case domain.Forbidden:
		return http.StatusForbidden
	case domain.NotFound:
		return http.StatusNotFound
	case domain.Refused:
		return http.StatusConflict
	case domain.Stale:
		return http.StatusPreconditionFailed
	case domain.TooLarge:
		return http.StatusRequestEntityTooLarge
	case domain.Throttled:
		return http.StatusTooManyRequests
	case domain.Unavailable:
		return http.StatusServiceUnavailable
	case domain.StorageFull:
		return http.StatusInsufficientStorage
	case domain.Internal:
	}
	return http.StatusInternalServerError
}
