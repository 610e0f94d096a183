package portal

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/a-h/templ"
	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
	"github.com/klauspost/compress/gzip"

	"github.com/atrium-portal/atrium/commands"
	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/readapi"
	"github.com/atrium-portal/atrium/readapi/auth"
	"github.com/atrium-portal/atrium/readapi/upload"
)

// Options of the portal. All are needed, except where a zero value is explained.
type Options struct {
	Reader   *readapi.Reader
	Dispatch Dispatcher
	People   auth.People
	Ops      readapi.Ops
	// Supposer answers what-if questions of staff; nil: there is no such page.
	Supposer readapi.Supposer
	Seals    readapi.Seals // nil: nothing is sealed
	// Audit keeps what people look at, take away and are refused; nil: nobody does.
	Audit readapi.Audit
	// Client and Staff are the ways in which people are known on the pages of clients and in the staff console.
	Client, Staff []auth.Identify

	Now    func() time.Time
	Logger *slog.Logger // silent when nil
	// Around is what stands around every route, outermost first, such as measuring; nil: nothing.
	Around []func(http.Handler) http.Handler
	// PublicURL is where people reach the program. With https, browsers are told to keep to it.
	PublicURL string
	// Doors are the pages of package signin.
	Doors Doors
	// Pays says that invoices can be paid online: the firm has a payment provider.
	Pays bool
	// Uploads takes files; nil: the firm cannot have a logo.
	Uploads *upload.Desk
	// Papers says that invoices, receipts, statements and contracts can be had as PDF files, from the API.
	Papers bool
	// Routes adds further pages, such as those of package signin, behind the same headers and checks; nil: none.
	Routes func(chi.Router)
}

// Dispatcher runs commands: a *commands.Loop.
type Dispatcher interface {
	Dispatch(context.Context, commands.Order) (commands.Receipt, error)
}

// Doors are the addresses of the pages for getting in and out. An empty one is not offered.
type Doors struct {
	SignIn   string // takes ?next=
	SignOut  string // takes a POST
	Security string // how one signs in
	Proof    string // asks once more who it is; takes ?next=
	Account  string // takes a POST with account=<id>: look at another of one's accounts
	Help     string
	Privacy  string
}

// portal answers the requests.
type portal struct {
	Options
	routes chi.Routes
}

// maxForm bounds what is read of a form: the text of a contract is the longest thing that people send.
const maxForm = 2 << 20

// Router answers the pages of clients and the staff console. Mount it at the root: what it has no page for is answered
// with a page that says so. It fails only on a mistake in the program.
func Router(o Options) (chi.Router, error) {
	if o.Reader == nil || o.Dispatch == nil || o.People == nil || o.Ops == nil || o.Now == nil {
		return nil, errors.New("portal: Reader, Dispatch, People, Ops and Now are needed")
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	p := &portal{Options: o}
	crossOrigin := http.NewCrossOriginProtection()
	crossOrigin.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.fail(w, r, &domain.Fault{Kind: domain.Forbidden, Code: "cross-origin", Message: "This request came from a page of another site. Only our own pages may change something."})
	}))

	r := chi.NewRouter()
	p.routes = r
	r.Use(o.Around...)
	r.Use(
		readapi.Visits(o.Logger, o.Audit), p.headers, p.recovered, middleware.ClientIPFromRemoteAddr, crossOrigin.Handler,
		middleware.RequestSize(maxForm), middleware.GetHead, compressor().Handler,
	)
	r.NotFound(p.lost)
	r.MethodNotAllowed(p.lost)
	if o.Routes != nil {
		o.Routes(r)
	}
	r.Group(func(r chi.Router) {
		r.Use(auth.Authenticate(o.People, p.fail, o.Client...), p.clientsOnly, p.looking)
		p.clientRoutes(r)
	})
	r.Route("/staff", func(r chi.Router) {
		r.Use(auth.Authenticate(o.People, p.fail, o.Staff...), p.staffOnly, p.looking)
		p.staffRoutes(r)
	})
	return r, nil
}

// compressor takes a quarter of the time of compress/gzip for a page, which gets a tenth larger.
func compressor() *middleware.Compressor {
	c := middleware.NewCompressor(gzip.BestSpeed, "text/html", "text/csv")
	c.SetEncoder("gzip", func(w io.Writer, level int) io.Writer {
		encoder, err := gzip.NewWriterLevel(w, level)
		if err != nil {
			panic(err) // the level is a constant
		}
		return encoder
	})
	return c
}

// policy lets pages use what comes from here, and nothing that stands in the page itself.
const policy = "default-src 'self'; base-uri 'none'; object-src 'none'; form-action 'self'; frame-ancestors 'none'"

func (p *portal) headers(next http.Handler) http.Handler {
	https := strings.HasPrefix(p.PublicURL, "https://")
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
		h.Set("Cache-Control", "no-store")
		if https {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		next.ServeHTTP(w, r)
	})
}

func (p *portal) recovered(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			switch cause := recover(); {
			case cause == nil:
			case cause == http.ErrAbortHandler: //nolint:errorlint // the very value is the signal
				panic(cause)
			default: // pages are written whole, so nothing was sent yet
				p.Logger.Error("panic", "request", readapi.RequestID(r.Context()), "path", r.URL.Path, "cause", cause, "stack", string(debug.Stack()))
				p.fail(w, r, domain.AsFault(nil))
			}
		}()
		next.ServeHTTP(w, r)
	})
}

// clientsOnly sends staff to their console. A member of staff who previews a client's pages is that client here.
func (p *portal) clientsOnly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case !auth.From(r.Context()).Staff():
			next.ServeHTTP(w, r)
		case r.URL.Path == "/":
			http.Redirect(w, r, "/staff", http.StatusSeeOther)
		default:
			p.lost(w, r)
		}
	})
}

// staffOnly tells clients that there is nothing here.
func (p *portal) staffOnly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !auth.From(r.Context()).Staff() {
			p.lost(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// pageFunc reads what a page shows and gives the page.
type pageFunc func(*visit) (templ.Component, error)

// page answers with a page.
func (p *portal) page(f pageFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		v := p.visit(w, r)
		c, err := f(v)
		if err == nil {
			err = v.onRecord("")
		}
		if err != nil {
			p.fail(w, r, err)
			return
		}
		p.show(w, r, http.StatusOK, c)
	}
}

// buffers are for pages: most have the same size, and growing to it again and again costs more than writing it.
var buffers = sync.Pool{New: func() any { return &bytes.Buffer{} }}

// show sends a page once all of it is there, so that a mistake in it is a page of its own.
func (p *portal) show(w http.ResponseWriter, r *http.Request, status int, c templ.Component) {
	b := buffers.Get().(*bytes.Buffer)
	defer buffers.Put(b)
	b.Reset()
	if err := c.Render(r.Context(), b); err != nil {
		p.Logger.Error("page cannot be made", "request", readapi.RequestID(r.Context()), "path", r.URL.Path, "error", err)
		http.Error(w, domain.AsFault(nil).Message, http.StatusInternalServerError)
		return
	}
	page := b.Bytes()
	if at := r.URL.Query().Get(asOf); at != "" && status == http.StatusOK {
		page = p.ofThePast(page, at)
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		w.Write(page) //nolint:errcheck // the reader has gone; there is nobody to tell
	}
}
