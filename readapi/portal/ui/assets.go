package ui

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"sync"
	"time"
)

// assetsPath is where Static is mounted.
const assetsPath = "/assets/"

//go:embed static
var static embed.FS

// asset is a file as it is sent.
type asset struct {
	name    string // portal.css
	hashed  string // portal.0123456789abcdef.css
	typ     string
	etag    string
	plain   []byte
	gzipped []byte
}

var assetTypes = map[string]string{
	".css": "text/css; charset=utf-8",
	".js":  "text/javascript; charset=utf-8",
	".svg": "image/svg+xml",
}

// assets are the embedded files by name, read once. What is in a file does not depend on any other, so the hash of a
// file is the hash of its text.
var assets = sync.OnceValue(func() map[string]*asset {
	found := map[string]*asset{}
	err := fs.WalkDir(static, "static", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := static.ReadFile(name)
		if err == nil {
			a := newAsset(path.Base(name), squeeze(path.Ext(name), text))
			found[a.name] = a
		}
		return err
	})
	if err != nil {
		panic("ui: the embedded files cannot be read: " + err.Error())
	}
	return found
})

func newAsset(name string, text []byte) *asset {
	sum := sha256.Sum256(text)
	hash := hex.EncodeToString(sum[:8])
	ext := path.Ext(name)
	var zipped bytes.Buffer
	// The writer fails only where the buffer does, which is never, and on a level that does not exist.
	z, _ := gzip.NewWriterLevel(&zipped, gzip.BestCompression)
	_, _ = z.Write(text)
	_ = z.Close()
	return &asset{
		name: name, hashed: strings.TrimSuffix(name, ext) + "." + hash + ext,
		typ: assetTypes[ext], etag: hash, plain: text, gzipped: zipped.Bytes(),
	}
}

// squeeze leaves out comments on lines of their own, indentation and empty lines, and in stylesheets the ends of lines
// and the spaces around signs. The files in static keep to what makes that safe: no string or template reaches over the
// end of a line, and no string in a stylesheet holds one of those signs with a space after it.
func squeeze(ext string, text []byte) []byte {
	var out bytes.Buffer
	comment := false
	for line := range bytes.Lines(text) {
		line = bytes.TrimSpace(line)
		switch {
		case comment:
			comment = !bytes.HasSuffix(line, []byte("*/"))
			continue
		case bytes.HasPrefix(line, []byte("/*")):
			comment = !bytes.HasSuffix(line, []byte("*/"))
			continue
		case len(line) == 0, ext == ".js" && bytes.HasPrefix(line, []byte("//")):
			continue
		}
		out.Write(line)
		if ext != ".css" {
			out.WriteByte('\n')
		}
	}
	if ext != ".css" {
		return out.Bytes()
	}
	short := strings.NewReplacer(": ", ":", ", ", ",", " { ", "{", "{ ", "{", " {", "{", "; }", "}", "; ", ";", ";}", "}", " }", "}", " > ", ">")
	return []byte(short.Replace(out.String()))
}

// Asset is the address of an embedded file, such as portal.css. It holds a hash of the file's content, so that
// browsers may keep it for ever. A file that does not exist is a mistake in this program.
func Asset(name string) string {
	a, ok := assets()[name]
	if !ok {
		panic("ui: there is no asset " + name)
	}
	return assetsPath + a.hashed
}

// Static serves everything under /assets/: the embedded files, and the stylesheets of firms' colours. Mount it there,
// before any session: it needs none. It answers with what was compressed when the program started.
func Static() http.Handler {
	all := assets()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "Files can only be read.", http.StatusMethodNotAllowed)
			return
		}
		name := strings.TrimPrefix(r.URL.Path, assetsPath)
		if b, ok := brandOf(name); ok {
			a := newAsset("brand.css", BrandCSS(b))
			a.serve(w, r, true)
			return
		}
		a, current := all[plainName(name)], false
		if a == nil {
			http.NotFound(w, r)
			return
		}
		// A page that another version of the program made asks for its own hash: it gets our file, for this once.
		current = a.hashed == name
		a.serve(w, r, current)
	})
}

// plainName is the name of a file without the hash.
func plainName(name string) string {
	ext := path.Ext(name)
	base := strings.TrimSuffix(name, ext)
	base, _, _ = strings.Cut(base, ".")
	return base + ext
}

func (a *asset) serve(w http.ResponseWriter, r *http.Request, forever bool) {
	h := w.Header()
	h.Set("Content-Type", a.typ)
	h.Set("Vary", "Accept-Encoding")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-cache")
	if forever {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	text, etag := a.plain, a.etag
	if acceptsGzip(r.Header.Get("Accept-Encoding")) && len(a.gzipped) < len(a.plain) {
		h.Set("Content-Encoding", "gzip")
		text, etag = a.gzipped, a.etag+"-gz"
	}
	h.Set("ETag", `"`+etag+`"`)
	http.ServeContent(w, r, a.name, time.Time{}, bytes.NewReader(text))
}

func acceptsGzip(header string) bool {
	for part := range strings.SplitSeq(header, ",") {
		coding, quality, _ := strings.Cut(strings.TrimSpace(part), ";")
		if coding == "gzip" || coding == "*" {
			quality = strings.ReplaceAll(quality, " ", "")
			return quality != "q=0" && quality != "q=0.0"
		}
	}
	return false
}
