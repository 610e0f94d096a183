package main

import (
	"bufio"
	"context"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/atrium-portal/atrium/cmd/internal/mail"
)

// visitor is somebody with a browser. Cookies are carried by hand: Go's jar sends none that are Secure over plain HTTP,
// as browsers do to this machine.
type visitor struct {
	server
	cookies map[string]string
}

func (s server) visitor() *visitor { return &visitor{s, map[string]string{}} }

// send makes a request and keeps the cookies of the answer.
func (v *visitor) send(ctx context.Context, method, path string, form url.Values) *http.Response {
	v.t.Helper()
	r, err := http.NewRequestWithContext(ctx, method, v.base+path, strings.NewReader(form.Encode()))
	if err != nil {
		v.t.Fatal(err)
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	for name, value := range v.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	reply, err := client.Do(r)
	if err != nil {
		v.t.Fatal(err)
	}
	for _, c := range reply.Cookies() {
		v.cookies[c.Name] = c.Value
	}
	return reply
}

// wants makes a request that must be answered with a status, and for redirects lead somewhere.
func (v *visitor) wants(status int, to, method, path string, form url.Values) {
	v.t.Helper()
	reply := v.send(v.t.Context(), method, path, form)
	defer reply.Body.Close()
	if reply.StatusCode != status || reply.Header.Get("Location") != to {
		v.t.Fatalf("%s %s: %d to %q, want %d to %q", method, path, reply.StatusCode, reply.Header.Get("Location"), status, to)
	}
}

// mailThat waits for a mail in the folder of a server without a mail server.
func mailThat(t *testing.T, data string, fits func(mail.Received) bool) mail.Received {
	t.Helper()
	folder, err := mail.NewFolder(filepath.Join(data, "mail"), "portal@localhost")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for {
		if list, err := folder.Messages(); err == nil {
			if at := slices.IndexFunc(list, fits); at >= 0 {
				return list[at]
			}
		}
		if err := pause(ctx, 20*time.Millisecond); err != nil {
			t.Fatal("no mail comes")
		}
	}
}

func TestPeopleSignIn(t *testing.T) {
	data := firmIn(t)
	var secrets []string
	log := serving(t, data, func(s server) {
		status, reply, raw := s.call("POST", "/api/v1/commands/OpenAccount", `{"name":"Lima","currency":"USD","contact":{"name":"Ana Lima","email":"ana@lima.example"}}`)
		if status != http.StatusOK {
			t.Fatal(raw)
		}
		_, list, raw := s.call("GET", "/api/v1/contacts?after="+reply["position"].(string), "")
		if len(list["items"].([]any)) != 1 {
			t.Fatal(raw)
		}
		ana := list["items"].([]any)[0].(map[string]any)["id"].(string)
		if status, _, raw := s.call("POST", "/api/v1/commands/GrantPortalAccess", `{"contact":"`+ana+`","role":"owner"}`); status != http.StatusOK {
			t.Fatal(raw)
		}

		v := s.visitor()
		v.wants(http.StatusSeeOther, "/login", "GET", "/", nil)
		v.wants(http.StatusOK, "", "GET", "/login", nil)
		v.wants(http.StatusSeeOther, "/login/sent?firm=north", "POST", "/login", url.Values{"email": {"ana@lima.example"}})
		letter := mailThat(t, data, func(m mail.Received) bool { return m.Subject == "Sign in to North" })
		_, token, ok := strings.Cut(letter.Links[0], s.base+"/login/link#")
		if !ok {
			t.Fatalf("the link leads to %s", letter.Links[0])
		}
		v.wants(http.StatusSeeOther, "/", "POST", "/login/link", url.Values{"token": {token}})
		v.wants(http.StatusOK, "", "GET", "/", nil)
		v.wants(http.StatusOK, "", "GET", "/api/v1/me", nil)
		v.wants(http.StatusOK, "", "GET", "/account/security", nil)
		secrets = []string{token, v.cookies["__Host-atrium"], v.cookies["__Host-atrium-browser"]}

		// What she did stands in the history of her client, for the firm and for herself.
		for _, who := range []http.Header{{"Authorization": {"Bearer " + s.token}}, {"Cookie": {"__Host-atrium=" + v.cookies["__Host-atrium"]}}} {
			awaitText(t, s.base+"/api/v1/activity", who, `"Ana Lima signed in with a link"`)
		}

		// Whoever has another address from now on is told at the old one.
		if status, _, raw := s.call("POST", "/api/v1/commands/ChangeContactDetails", `{"contact":"`+ana+`","email":"ana@new.example"}`); status != http.StatusOK {
			t.Fatal(raw)
		}
		mailThat(t, data, func(m mail.Received) bool {
			return m.To == "<ana@lima.example>" && m.Subject == "Your sign-in has another address"
		})

		// Open streams end when her access does.
		ctx, hangUp := context.WithTimeout(t.Context(), 20*time.Second)
		defer hangUp()
		stream := v.send(ctx, "GET", "/api/v1/events", nil)
		defer stream.Body.Close()
		if stream.StatusCode != http.StatusOK {
			t.Fatal(stream.Status)
		}
		if status, _, raw := s.call("POST", "/api/v1/commands/FreezeAccess", `{"contact":"`+ana+`","reason":"stolen laptop"}`); status != http.StatusOK {
			t.Fatal(raw)
		}
		v.wants(http.StatusUnauthorized, "", "GET", "/api/v1/me", nil)
		v.wants(http.StatusSeeOther, "/login", "GET", "/", nil)
		lines := bufio.NewScanner(stream.Body)
		for lines.Scan() {
		}
		if ctx.Err() != nil {
			t.Error("the stream goes on without access")
		}
	})
	inside(t, data, func(k *stack) {
		var dump string
		row := k.pools.App.QueryRow(t.Context(), `
			select concat((select string_agg(t::text, ' ') from ops.sign_in_link t), (select string_agg(t::text, ' ') from ops.session t),
				(select string_agg(t::text, ' ') from ops.mail t), (select string_agg(t::text, ' ') from ops.link_request t), (select string_agg(t::text, ' ') from ops.attempt t))`)
		if err := row.Scan(&dump); err != nil || len(dump) < 100 {
			t.Fatalf("%v: %s", err, dump)
		}
		for _, secret := range secrets {
			if strings.Contains(dump, secret) || strings.Contains(log, secret) {
				t.Error("a secret stands in the database or in the log")
			}
		}
		if strings.Contains(log, "ana@lima.example") {
			t.Error("the log names somebody")
		}
	})
	link := strings.TrimSpace(program(t, exitDone, "link", "--data", data, "--email", "priya@north.example", "--public-url", "https://portal.example.com"))
	if !strings.HasPrefix(link, "https://portal.example.com/login/link#") {
		t.Error(link)
	}
	for email, want := range map[string]string{"eve@north.example": "nobody", "ana@lima.example": "nobody", "ana@new.example": "no portal access"} {
		if said := program(t, exitFailed, "link", "--data", data, "--email", email); !strings.Contains(said, want) {
			t.Errorf("for %s it says %s", email, said)
		}
	}
}

// awaitText waits until an answer says something: the read models may be a moment behind.
func awaitText(t *testing.T, address string, header http.Header, text string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header = header
		reply, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		found := false
		for lines := bufio.NewScanner(reply.Body); lines.Scan(); {
			found = found || strings.Contains(lines.Text(), text)
		}
		reply.Body.Close()
		if found {
			return
		}
		if err := pause(ctx, 20*time.Millisecond); err != nil {
			t.Fatalf("%s never says %s", address, text)
		}
	}
}
