package readapi

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"
)

// reply answers with JSON.
func reply(w http.ResponseWriter, r *http.Request, body any, stale bool) {
	var b bytes.Buffer
	if err := json.NewEncoder(&b).Encode(body); err != nil {
		Problem(w, r, err)
		return
	}
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
