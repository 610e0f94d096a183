package mail_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	netmail "net/mail"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/atrium-portal/atrium/cmd/internal/mail"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

const sender = `"Nørth Studio" <portal@north.example>`

func message(id string) mail.Message {
	return mail.Message{
		ID: id, To: "ana@lima.example", Subject: "Sign in to Nørth", Created: noon, Tries: 1,
		Text: "Sign in:\nhttps://portal.example/login/link#" + strings.Repeat("token", 20) + "\nBye.\n",
		HTML: "<p>Sign in <a href=\"https://portal.example/login/link#x\">here</a></p>",
	}
}

// queue is a queue in memory.
type queue struct {
	waiting []mail.Message
	sent    []string
	next    map[string]time.Time
}

func (q *queue) Take(context.Context) (m mail.Message, ok bool, err error) {
	if len(q.waiting) == 0 {
		return m, false, nil
	}
	m, q.waiting = q.waiting[0], q.waiting[1:]
	return m, true, nil
}

func (q *queue) Sent(_ context.Context, id string) error {
	q.sent = append(q.sent, id)
	return nil
}

func (q *queue) Failed(_ context.Context, id, _ string, next time.Time) error {
	q.next[id] = next
	return nil
}

// broken sends all but one.
type broken struct{ id string }

func (b broken) Send(_ context.Context, m mail.Message) error {
	if m.ID == b.id {
		return errors.New("mailbox full")
	}
	return nil
}

func TestAMailThatFailsWaitsLongerEachTime(t *testing.T) {
	for tries, want := range map[int]time.Duration{1: 10 * time.Second, 2: 20 * time.Second, 5: 160 * time.Second, 30: time.Hour} {
		bad := message("b")
		bad.Tries = tries
		q := &queue{waiting: []mail.Message{message("a"), bad, message("c")}, next: map[string]time.Time{}}
		s := mail.Sender{Queue: q, Transport: broken{"b"}, Now: func() time.Time { return noon }, Logger: slog.New(slog.DiscardHandler)}
		if err := s.SendAll(t.Context()); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff([]string{"a", "c"}, q.sent); d != "" {
			t.Error(d)
		}
		if got := q.next["b"].Sub(noon); got != want {
			t.Errorf("after %d tries it waits %s, want %s", tries, got, want)
		}
	}
}

func TestFolder(t *testing.T) {
	dir := t.TempDir() + "/mail"
	f, err := mail.NewFolder(dir, sender)
	if err != nil {
		t.Fatal(err)
	}
	if list, err := f.Messages(); err != nil || len(list) != 0 {
		t.Fatal(list, err)
	}
	later := message("2")
	later.Created, later.HTML = noon.Add(time.Minute), ""
	for _, m := range []mail.Message{message("1"), later, message("1")} { // sent again it stays one file
		if err := f.Send(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	list, err := f.Messages()
	if err != nil || len(list) != 2 {
		t.Fatal(list, err)
	}
	want := mail.Received{
		File: "20260302T120000.000000Z-1.eml", ID: "<1@north.example>", From: "Nørth Studio <portal@north.example>", To: "<ana@lima.example>",
		Subject: "Sign in to Nørth", Time: noon, Text: message("1").Text, HTML: message("1").HTML,
		Links: []string{"https://portal.example/login/link#" + strings.Repeat("token", 20)},
	}
	list[1].From = strings.ReplaceAll(list[1].From, `"`, "")
	if d := cmp.Diff(want, list[1]); d != "" {
		t.Error(d)
	}

	page := httptest.NewRecorder()
	f.ServeHTTP(page, httptest.NewRequest(http.MethodGet, "/dev/mail", nil))
	if body := page.Body.String(); !strings.Contains(body, `<a href="`+want.Links[0]+`">`) || strings.Contains(body, "ZgotmplZ") {
		t.Errorf("the page lacks the link: %s", body)
	}
	var answer struct{ Items []mail.Received }
	program := httptest.NewRecorder()
	f.ServeHTTP(program, httptest.NewRequest(http.MethodGet, "/dev/mail.json", nil))
	if err := json.Unmarshal(program.Body.Bytes(), &answer); err != nil || len(answer.Items) != 2 || answer.Items[0].ID != "<2@north.example>" {
		t.Error(answer, err)
	}
}

func TestNobodySmugglesHeaders(t *testing.T) {
	f, err := mail.NewFolder(t.TempDir(), sender)
	if err != nil {
		t.Fatal(err)
	}
	for _, change := range []func(*mail.Message){
		func(m *mail.Message) { m.Subject = "Hello\r\nBcc: eve@example.com" },
		func(m *mail.Message) { m.To = "ana@lima.example\r\nBcc: eve@example.com" },
		func(m *mail.Message) { m.To = "ana@lima.example, eve@example.com" },
		func(m *mail.Message) { m.To = "no address" },
	} {
		m := message("1")
		change(&m)
		if err := f.Send(t.Context(), m); err == nil {
			t.Errorf("sent to %q: %q", m.To, m.Subject)
		}
	}
}

// smtpServer takes one mail and gives it to the test.
func smtpServer(t *testing.T) (url string, got <-chan string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	mails := make(chan string, 1)
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		in := bufio.NewReader(conn)
		say := func(s string) { fmt.Fprint(conn, s+"\r\n") }
		say("220 test")
		for {
			line, err := in.ReadString('\n')
			if err != nil {
				return
			}
			switch verb, _, _ := strings.Cut(strings.TrimSpace(line), " "); strings.ToUpper(verb) {
			case "DATA":
				say("354 go on")
				var body strings.Builder
				for line, err = in.ReadString('\n'); err == nil && line != ".\r\n"; line, err = in.ReadString('\n') {
					body.WriteString(line)
				}
				mails <- body.String()
				say("250 taken")
			case "QUIT":
				say("221 bye")
				return
			default:
				say("250 fine")
			}
		}
	}()
	return "smtp://" + listener.Addr().String(), mails
}

func TestSMTP(t *testing.T) {
	server, got := smtpServer(t)
	s, err := mail.NewSMTP(server, sender)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Send(t.Context(), message("1")); err != nil {
		t.Fatal(err)
	}
	m, err := netmail.ReadMessage(strings.NewReader(<-got))
	if err != nil {
		t.Fatal(err)
	}
	for header, want := range map[string]string{
		"Message-ID": "<1@north.example>", "To": "<ana@lima.example>", "Auto-Submitted": "auto-generated", "Date": "Mon, 02 Mar 2026 12:00:00 +0000",
	} {
		if m.Header.Get(header) != want {
			t.Errorf("%s: %q, want %q", header, m.Header.Get(header), want)
		}
	}
}

func TestMistakesInTheSettings(t *testing.T) {
	for _, c := range [][2]string{
		{"smtp://mail.example.com", "nobody"}, {"mail.example.com", sender}, {"http://mail.example.com", sender}, {"smtp://", sender}, {"smtp://host:x", sender},
	} {
		if _, err := mail.NewSMTP(c[0], c[1]); err == nil {
			t.Errorf("server %q and sender %q are taken", c[0], c[1])
		}
	}
	if _, err := mail.NewFolder(t.TempDir(), "nobody"); err == nil {
		t.Error("a folder takes a sender that is no address")
	}
}
