package upload

import (
	"bytes"
	"net/http"
	"strings"
	"time"

	"github.com/atrium-portal/atrium/domain"
)

// logosPath is where Logos is mounted.
const logosPath = "/logos/"

// LogoPath is the address of a logo; empty without one. It names the content, so browsers may keep it for ever.
func LogoPath(logo domain.File) string {
	if logo.ID == domain.NoID {
		return ""
	}
	return logosPath + logo.ID.String() + "/" + logo.SHA256 + ".png"
}

// Logos gives firms' logos, below /logos/: to everybody, like the page for signing in that shows them. Mount it before
// any session: it needs none.
func (d *Desk) Logos() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			h.Set("Allow", "GET, HEAD")
			http.Error(w, "Files can only be read.", http.StatusMethodNotAllowed)
			return
		}
		id, name, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, logosPath), "/")
		var file domain.ID
		if file.UnmarshalText([]byte(id)) != nil || file.String() != id {
			http.NotFound(w, r)
			return
		}
		f, content, found, err := d.Files.Read(r.Context(), domain.LogoFile, file)
		if err != nil {
			http.Error(w, "The file cannot be read right now.", http.StatusServiceUnavailable)
			return
		}
		if !found || name != f.SHA256+".png" {
			http.NotFound(w, r)
			return
		}
		h.Set("Content-Type", f.Type)
		h.Set("Content-Disposition", `inline; filename="logo.png"`)
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
		h.Set("ETag", `"`+f.SHA256+`"`)
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
	})
}
