package witness

import (
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strconv"

	"github.com/atrium-portal/atrium/projections/evidence"
)

// maxRequest is more than any request has: a proof and a signed checkpoint.
const maxRequest = 64 << 10

// sizeType is the media type of the answer that names another size.
const sizeType = "text/x.tlog.size"

// Handler serves a witness. key is its public key, for whoever wants to see it.
func Handler(w *evidence.Witness, key string, log *slog.Logger) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /add-checkpoint", func(out http.ResponseWriter, r *http.Request) {
		request, err := io.ReadAll(http.MaxBytesReader(out, r.Body, maxRequest))
		if err != nil {
			http.Error(out, "The request cannot be read.", http.StatusBadRequest)
			return
		}
		signature, err := w.Add(request)
		if refusal, ok := errors.AsType[*evidence.Refusal](err); ok {
			log.Warn("refused a checkpoint", "status", refusal.Status, "why", refusal.Text)
			if refusal.Status == evidence.OtherSize {
				out.Header().Set("Content-Type", sizeType)
				out.WriteHeader(refusal.Status)
				write(out, strconv.FormatInt(refusal.Size, 10)+"\n")
				return
			}
			http.Error(out, refusal.Text, refusal.Status)
			return
		}
		if err != nil {
			log.Error("a checkpoint cannot be kept", "error", err)
			http.Error(out, "The witness cannot keep checkpoints.", http.StatusInternalServerError)
			return
		}
		write(out, string(signature))
	})
	mux.HandleFunc("GET /last-checkpoint", func(out http.ResponseWriter, r *http.Request) {
		signed, err := w.Last(r.URL.Query().Get("origin"))
		switch {
		case err != nil:
			log.Error("a checkpoint cannot be read", "error", err)
			http.Error(out, "The witness cannot read what it kept.", http.StatusInternalServerError)
		case signed == nil:
			http.Error(out, "This witness has not seen that log.", http.StatusNotFound)
		default:
			out.Header().Set("Content-Type", "text/plain; charset=utf-8")
			write(out, string(signed))
		}
	})
	mux.HandleFunc("GET /{$}", func(out http.ResponseWriter, _ *http.Request) { write(out, key+"\n") })
	return mux
}

// write answers; if the reader has gone, there is nobody to tell.
func write(out io.Writer, text string) {
	_, _ = io.WriteString(out, text)
}
