package signin_test

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/readapi"
	"github.com/atrium-portal/atrium/readapi/auth"
	"github.com/atrium-portal/atrium/readapi/auth/door"
	"github.com/atrium-portal/atrium/readapi/auth/door/doortest"
	"github.com/atrium-portal/atrium/readapi/portal/signin"
)

// world is the pages on a server, with two pages behind the door: one for clients, one for staff.
type world struct {
	*doortest.World
	server *httptest.Server
	router chi.Router
	seen   strings.Builder // every address that was asked for, and where it came from
}

func newWorld(t *testing.T, change ...func(*door.Options)) *world {
	t.Helper()
	w := &world{World: doortest.NewWorld(t, doortest.NewMemory(), nil, change...)}
	r := chi.NewRouter()
	r.Use(readapi.Visits(slog.New(slog.DiscardHandler), nil), middleware.ClientIPFromRemoteAddr, http.NewCrossOriginProtection().Handler, middleware.GetHead, w.noted)
	people := doortest.People{Loop: w.Loop, All: []domain.ID{w.Firm, w.South}}
	scopes := doortest.Scopes{Loop: w.Loop}
	pages, err := signin.New(signin.Options{Keeper: w.Keeper, People: people, Scopes: scopes, Now: w.Now})
	if err != nil {
		t.Fatal(err)
	}
	pages.Routes(r)
	who := func(rw http.ResponseWriter, r *http.Request) {
		scope := auth.From(r.Context())
		io.WriteString(rw, string(scope.Actor.Kind)+" "+scope.Actor.ID.String()) //nolint:errcheck // a test server
	}
	r.With(auth.Authenticate(scopes, signin.ToSignIn(readapi.Problem), auth.Previewed(w.Keeper))).HandleFunc("/", who)
	r.With(auth.Authenticate(scopes, signin.ToSignIn(readapi.Problem), auth.Previewed(w.Keeper))).HandleFunc("/invoices", who)
	r.With(auth.Authenticate(scopes, signin.ToSignIn(readapi.Problem), auth.Session(w.Keeper))).HandleFunc("/staff", who)
	r.With(auth.Authenticate(scopes, readapi.Problem, auth.Session(w.Keeper))).HandleFunc("/api", who)
	r.With(auth.Authenticate(scopes, readapi.Problem, auth.Session(w.Keeper))).HandleFunc("/at", func(rw http.ResponseWriter, r *http.Request) {
		io.WriteString(rw, auth.From(r.Context()).Account.String()) //nolint:errcheck // a test server
	})
	w.router = r
	w.server = httptest.NewTLSServer(r)
	t.Cleanup(w.server.Close)
	return w
}

func (w *world) noted(next http.Handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.seen.WriteString(r.RequestURI + " " + r.Referer() + "\n")
		next.ServeHTTP(rw, r)
	})
}

// browser is somebody's browser: it keeps cookies and follows no redirects.
type browser struct {
	*world
	client *http.Client
	host   string // sent instead of the real one; empty: the real one
	agent  string
}

func (w *world) browser() *browser {
	w.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		w.Fatal(err)
	}
	client := *w.server.Client()
	client.Jar = jar
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &browser{w, &client, "", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"}
}

// answer is what came of a request.
type answer struct {
	status int
	to     string // where it leads
	body   string
	header http.Header
}

func (b *browser) send(r *http.Request) answer {
	b.Helper()
	r.Host = b.host
	r.Header.Set("User-Agent", b.agent)
	res, err := b.client.Do(r)
	if err != nil {
		b.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		b.Fatal(err)
	}
	return answer{res.StatusCode, res.Header.Get("Location"), string(body), res.Header}
}

func (b *browser) request(method, path string, body io.Reader) *http.Request {
	b.Helper()
	r, err := http.NewRequestWithContext(b.Context(), method, b.server.URL+path, body)
	if err != nil {
		b.Fatal(err)
	}
	return r
}

func (b *browser) get(path string) answer {
	b.Helper()
	return b.send(b.request(http.MethodGet, path, nil))
}

// post sends a form: names and values in turn.
func (b *browser) post(path string, fields ...string) answer {
	b.Helper()
	form := url.Values{}
	for i := 0; i < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	r := b.request(http.MethodPost, path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	return b.send(r)
}

// wants checks status and, for redirects, where to.
func (b *browser) wants(a answer, status int, to string) answer {
	b.Helper()
	if a.status != status || a.to != to {
		b.Fatalf("%d to %q, want %d to %q\n%s", a.status, a.to, status, to, a.body)
	}
	return a
}

// says checks that a page says something.
func (b *browser) says(a answer, words ...string) answer {
	b.Helper()
	for _, word := range words {
		if !strings.Contains(a.body, word) {
			b.Errorf("the page (%d) does not say %q:\n%s", a.status, word, a.body)
		}
	}
	return a
}

// cookie is the value of a cookie in the browser.
func (b *browser) cookie(name string) string {
	b.Helper()
	at, err := url.Parse(b.server.URL)
	if err != nil {
		b.Fatal(err)
	}
	for _, c := range b.client.Jar.Cookies(at) {
		if c.Name == name {
			return c.Value
		}
	}
	return ""
}

// give puts a cookie into the browser.
func (b *browser) give(name, value string) {
	b.Helper()
	at, err := url.Parse(b.server.URL)
	if err != nil {
		b.Fatal(err)
	}
	b.client.Jar.SetCookies(at, []*http.Cookie{{Name: name, Value: value, Path: "/", Secure: true}})
}

// ask asks for a link and gives the mail.
func (b *browser) ask(email string) doortest.Letter {
	b.Helper()
	b.wants(b.post("/north-studio/login", "email", email), http.StatusSeeOther, "/login/sent?firm=north-studio")
	return b.Letter()
}

// signIn lets somebody in by a link.
func (b *browser) signIn(email string) *browser {
	b.Helper()
	if a := b.post("/login/link", "token", b.ask(email).Token); a.status != http.StatusSeeOther {
		b.Fatalf("%d %s", a.status, a.body)
	}
	return b
}

// me is who the pages take the browser for.
func (b *browser) me(path string) string {
	b.Helper()
	a := b.get(path)
	if a.status != http.StatusOK {
		return a.to
	}
	return a.body
}

func client(who door.Who) string { return "client " + who.ID.String() }

func member(who door.Who) string { return "staff " + who.ID.String() }

var setup = regexp.MustCompile(`Type this key into the app: <code>([A-Z2-7 ]+)</code>`)
