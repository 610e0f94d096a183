package readapi

import (
	"bytes"
	"net/http"
	"strconv"
	"sync"

	"github.com/go-json-experiment/json"
	jsonv1 "github.com/go-json-experiment/json/v1"
)

// buffers are for answers: growing to the size of one again and again costs more than writing it.
var buffers = sync.Pool{New: func() any { return &bytes.Buffer{} }}

// asEver writes JSON as encoding/json does. This library is its next version, and quicker.
var asEver = jsonv1.DefaultOptionsV1()

// reply answers with JSON.
func reply(w http.ResponseWriter, r *http.Request, body any, stale bool) {
	b := buffers.Get().(*bytes.Buffer)
	defer buffers.Put(b)
	b.Reset()
	if err := json.MarshalWrite(b, body, asEver); err != nil {
		Problem(w, r, err)
		return
	}
	b.WriteByte('\n')
	header := w.Header()
	if stale {
		header.Set(staleHeader, "true")
	}
	header.Set("Content-Type", "application/json")
	header.Set("Content-Length", strconv.Itoa(b.Len()))
	if r.Method != http.MethodHead {
		w.Write(b.Bytes()) //nolint:errcheck // the client has gone; there is nobody to tell
	}
}
