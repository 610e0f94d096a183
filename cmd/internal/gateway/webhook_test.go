package gateway_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stripe/stripe-go/v86/webhook"

	"github.com/atrium-portal/atrium/cmd/internal/gateway"
	"github.com/atrium-portal/atrium/commands/reactors"
	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/domaintest"
	"github.com/atrium-portal/atrium/domain/payment"
)

const secret = "whsec_test"

// messageOf is a message of Stripe about an object that carries our marks, of whatever version of its API.
func messageOf(id, kind, object, objectID string, firm, attempt domain.ID) []byte {
	return fmt.Appendf(nil, `{"id":%q,"object":"event","api_version":"2020-08-27","type":%q,"data":{"object":{"id":%q,"object":%q,"metadata":{"atrium_firm":%q,"atrium_attempt":%q}}}}`,
		id, kind, objectID, object, firm, attempt)
}

// sign signs as Stripe does.
func sign(body []byte, secret string, at time.Time) string {
	return webhook.GenerateTestSignedPayload(&webhook.UnsignedPayload{Payload: body, Secret: secret, Timestamp: at}).Header
}

func post(h http.Handler, body []byte, signature string) int {
	r := httptest.NewRequest(http.MethodPost, "/webhooks/stripe", bytes.NewReader(body))
	if signature != "" {
		r.Header.Set("Stripe-Signature", signature)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Code
}

func TestSignatures(t *testing.T) {
	now := domaintest.Now
	body := messageOf("evt_1", "checkout.session.completed", "checkout.session", "cs_1", domaintest.ID("firm"), domaintest.ID("attempt"))
	heard := 0
	h := &gateway.StripeWebhook{
		Secrets: []string{"whsec_new", secret}, Now: func() time.Time { return now }, Logger: slog.New(slog.DiscardHandler),
		Hear: func(_ context.Context, n reactors.Notice) error {
			if want := (reactors.Notice{ID: "evt_1", Firm: domaintest.ID("firm"), Attempt: domaintest.ID("attempt"), Reference: "cs_1"}); n != want {
				t.Errorf("%+v, want %+v", n, want)
			}
			heard++
			return nil
		},
	}
	forged := bytes.Replace(body, []byte("evt_1"), []byte("evt_2"), 1)
	stamp := func(at time.Time, signatures ...string) string {
		header := fmt.Sprintf("t=%d", at.Unix())
		for _, s := range signatures {
			header += ",v1=" + s
		}
		return header
	}
	good := fmt.Sprintf("%x", webhook.ComputeSignature(now, body, secret))
	for _, c := range []struct {
		name      string
		body      []byte
		signature string
		want      int
	}{
		{"right", body, sign(body, secret, now), 204},
		{"with the new secret", body, sign(body, "whsec_new", now), 204},
		{"one of several", body, stamp(now, "00", "zz", good), 204},
		{"4:59 old", body, sign(body, secret, now.Add(-299*time.Second)), 204},
		{"5:01 old", body, sign(body, secret, now.Add(-301*time.Second)), 400},
		{"from the future", body, sign(body, secret, now.Add(301*time.Second)), 400},
		{"of another secret", body, sign(body, "whsec_other", now), 400},
		{"of another body", forged, sign(body, secret, now), 400},
		{"of another time", body, stamp(now.Add(time.Second), good), 400},
		{"missing", body, "", 400},
		{"without a time", body, "v1=" + good, 400},
		{"without a signature", body, stamp(now), 400},
		{"of an older scheme", body, fmt.Sprintf("t=%d,v0=%s", now.Unix(), good), 400},
		{"nonsense", body, "t=,v1=", 400},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := heard
			if got := post(h, c.body, c.signature); got != c.want {
				t.Errorf("%d, want %d", got, c.want)
			}
			if (heard > before) != (c.want == 204) {
				t.Errorf("heard: %t", heard > before)
			}
		})
	}
	none := &gateway.StripeWebhook{Now: h.Now, Logger: h.Logger, Hear: h.Hear}
	if got := post(none, body, sign(body, "", now)); got != 400 {
		t.Errorf("without any secret: %d", got)
	}
}

func TestMessages(t *testing.T) {
	var answer error
	heard := 0
	h := &gateway.StripeWebhook{
		Secrets: []string{secret}, Now: func() time.Time { return domaintest.Now }, Logger: slog.New(slog.DiscardHandler),
		Hear: func(context.Context, reactors.Notice) error { heard++; return answer },
	}
	signed := func(body []byte) int { return post(h, body, sign(body, secret, domaintest.Now)) }
	firm, attempt := domaintest.ID("firm"), domaintest.ID("attempt")
	ours := messageOf("evt_1", "charge.refunded", "charge", "ch_1", firm, attempt)
	for _, c := range []struct {
		name  string
		body  []byte
		err   error
		want  int
		heard int
	}{
		{"ours", ours, nil, 204, 1},
		{"ours, and the log is down", ours, &commandsUnavailable, 503, 1},
		{"ours, and something is wrong", ours, errors.New("unexpected"), 503, 1},
		{"of another installation", ours, domain.Missing("payment"), 204, 1},
		{"of another program", []byte(`{"id":"evt_1","type":"charge.refunded","data":{"object":{"id":"ch_1","object":"charge","metadata":{"order":"7"}}}}`), nil, 204, 0},
		{"about nothing", []byte(`{"id":"evt_1","type":"ping"}`), nil, 204, 0},
		{"with nonsense for ids", bytes.Replace(ours, []byte(attempt.String()), []byte("x"), 1), nil, 204, 0},
		{"not JSON", []byte(`{`), nil, 400, 0},
		{"too large", append(bytes.Repeat([]byte(" "), 1<<20), ours...), nil, 413, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			answer, heard = c.err, 0
			if got := signed(c.body); got != c.want || heard != c.heard {
				t.Errorf("%d, heard %d; want %d, %d", got, heard, c.want, c.heard)
			}
		})
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/webhooks/stripe", nil))
	if w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != http.MethodPost {
		t.Errorf("GET: %d", w.Code)
	}
}

var commandsUnavailable = domain.Fault{Kind: domain.Unavailable, Code: "store-unavailable", Message: "down"}

// fakeStripe keeps sessions, and forgets nothing.
type fakeStripe struct {
	mu       sync.Mutex
	sessions map[string]string // its JSON after the id, by idempotency key
}

// RoundTrip implements http.RoundTripper.
func (f *fakeStripe) RoundTrip(r *http.Request) (*http.Response, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	w := httptest.NewRecorder()
	if r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/sessions") {
		key := "cs_" + r.Header.Get("Idempotency-Key")
		if f.sessions[key] == "" {
			f.sessions[key] = `"status":"open"`
		}
		fmt.Fprintf(w, `{"id":%q,"url":"https://checkout.example/",%s}`, key, f.sessions[key])
		return w.Result(), nil
	}
	key := strings.Split(r.URL.Path, "/")[4]
	fmt.Fprintf(w, `{"id":%q,%s}`, key, f.sessions[key])
	return w.Result(), nil
}

func (f *fakeStripe) set(attempt domain.ID, status string, refunded int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.sessions["cs_"+attempt.String()] = fmt.Sprintf(`"status":%q,"payment_status":"paid","payment_intent":{"id":"pi_1","status":"succeeded","amount_received":10000,"currency":"eur",
		"latest_charge":{"id":"ch_1","currency":"eur","amount_refunded":%d,"balance_transaction":{"fee":165,"currency":"eur"}}}`, status, refunded)
}

// From the click to the invoice, with messages that are repeated, out of order and forged.
func TestMessagesInAnyOrder(t *testing.T) {
	fake := &fakeStripe{sessions: map[string]string{}}
	h := newHouse(t, func(*house) reactors.Gateway { return newStripe(&http.Client{Transport: fake}) })
	hook := &gateway.StripeWebhook{Secrets: []string{secret}, Hear: h.hear, Now: h.clock, Logger: slog.New(slog.DiscardHandler)}
	invoiceID, attempt := h.start()
	send := func(id, kind, object, objectID string, want int) {
		t.Helper()
		body := messageOf(id, kind, object, objectID, h.firm, attempt)
		if got := post(hook, body, sign(body, secret, h.now)); got != want {
			t.Errorf("%s: %d, want %d", kind, got, want)
		}
	}
	session := "cs_" + attempt.String()
	send("evt_0", "payment_intent.created", "payment_intent", "pi_1", 204)
	h.wants(invoiceID, attempt, payment.StatusHandedOver, 0, 0)

	fake.set(attempt, "complete", 1_000)
	send("evt_2", "charge.refunded", "charge", "ch_1", 204) // before the news of the money
	h.wants(invoiceID, attempt, payment.StatusSucceeded, 1, 9_000)
	for range 3 {
		send("evt_1", "checkout.session.completed", "checkout.session", session, 204)
		send("evt_2", "charge.refunded", "charge", "ch_1", 204)
		send("evt_3", "payment_intent.succeeded", "payment_intent", "pi_1", 204)
	}
	h.wants(invoiceID, attempt, payment.StatusSucceeded, 1, 9_000)
	forged := messageOf("evt_4", "checkout.session.completed", "checkout.session", session, h.firm, attempt)
	if got := post(hook, forged, sign(forged, "whsec_guess", h.now)); got != 400 {
		t.Errorf("forged: %d", got)
	}

	// The provider's id of the message is stored with its effect.
	found := false
	for _, r := range h.log.All() {
		var e struct{ Notice string }
		if r.Type == "PaymentSucceeded" && json.Unmarshal(r.Data, &e) == nil {
			found = e.Notice == "evt_2"
		}
	}
	if !found {
		t.Error("the message that brought the news is not stored with the payment")
	}

	// A message about a payment of another firm changes nothing.
	stolen := messageOf("evt_5", "checkout.session.completed", "checkout.session", session, domaintest.ID("another firm"), attempt)
	before := len(h.log.All())
	if got := post(hook, stolen, sign(stolen, secret, h.now)); got/100 == 2 && len(h.log.All()) != before {
		t.Errorf("of another firm: %d", got)
	}
}

func FuzzStripeMessage(f *testing.F) {
	f.Add(messageOf("evt_1", "checkout.session.completed", "checkout.session", "cs_1", domaintest.ID("firm"), domaintest.ID("attempt")), "t=1,v1=00")
	f.Add([]byte(`{"data":{"object":{"metadata":null}}}`), "t=9223372036854775807,v1=")
	f.Fuzz(func(t *testing.T, body []byte, header string) {
		heard := false
		h := &gateway.StripeWebhook{
			Secrets: []string{secret}, Now: func() time.Time { return domaintest.Now }, Logger: slog.New(slog.DiscardHandler),
			Hear: func(_ context.Context, n reactors.Notice) error {
				if heard = true; n.ID == "" {
					t.Error("a notice without an id")
				}
				return nil
			},
		}
		if code := post(h, body, header); code/100 == 2 || heard {
			t.Errorf("a header that nobody signed was taken: %d", code)
		}
		if code := post(h, body, sign(body, secret, domaintest.Now)); heard && code != 204 || code == 503 {
			t.Errorf("%d", code)
		}
	})
}
