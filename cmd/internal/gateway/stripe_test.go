package gateway_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/atrium-portal/atrium/cmd/internal/gateway"
	"github.com/atrium-portal/atrium/commands/reactors"
	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/domaintest"
	"github.com/atrium-portal/atrium/domain/payment"
)

// mock starts stripe-mock, which knows Stripe's description of its API and refuses requests that do not fit it.
func mock(t *testing.T) *http.Client {
	t.Helper()
	program, err := filepath.Abs("../../../.tools/stripe-mock")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(program); err != nil {
		t.Fatal("stripe-mock is not installed: run .ci/install-stripe-mock")
	}
	dir, err := os.MkdirTemp("", "stripe") // a short path: sockets have little room for theirs
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	socket := filepath.Join(dir, "mock")
	command := exec.Command(program, "-http-unix", socket)
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	command.Stderr = os.Stderr
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		command.Process.Kill() //nolint:errcheck // it may have ended
		command.Wait()         //nolint:errcheck // it was killed
	})
	said := make([]byte, 4096)
	for heard := ""; !strings.Contains(heard, "Listening"); {
		n, err := out.Read(said)
		if err != nil {
			t.Fatalf("stripe-mock ended: %v %s", err, heard)
		}
		heard += string(said[:n])
	}
	go io.Copy(io.Discard, out) //nolint:errcheck // until it ends
	return &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", socket)
	}}}
}

// recorder keeps what was sent.
type recorder struct {
	http.RoundTripper
	mu    sync.Mutex
	heads []http.Header
	paths []string
	forms []url.Values
}

// RoundTrip implements http.RoundTripper.
func (r *recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	body := ""
	if req.Body != nil {
		b, err := io.ReadAll(req.Body)
		if err != nil {
			return nil, err
		}
		body = string(b)
		req.Body = io.NopCloser(strings.NewReader(body))
	}
	form, err := url.ParseQuery(body)
	if err != nil {
		return nil, err
	}
	r.heads, r.paths, r.forms = append(r.heads, req.Header.Clone()), append(r.paths, req.Method+" "+req.URL.Path), append(r.forms, form)
	return r.RoundTripper.RoundTrip(req)
}

func bill() reactors.Bill {
	return reactors.Bill{
		Firm: domaintest.ID("firm"), Attempt: domaintest.ID("attempt"), Invoice: domaintest.ID("invoice"), Label: "INV-0007",
		Amount: domain.Money{Amount: 11_900, Currency: "EUR"}, Payer: "ana@lima.example", Expires: domaintest.Now.Add(payment.Open),
	}
}

func newStripe(client *http.Client) *gateway.Stripe {
	return gateway.NewStripe(gateway.StripeOptions{
		Key: "sk_test_x", Base: "https://portal.example", URL: "http://stripe.invalid", Client: client, Logger: slog.New(slog.DiscardHandler),
	})
}

func TestRequestsFitStripesDescription(t *testing.T) {
	client := mock(t)
	sent := &recorder{RoundTripper: client.Transport}
	client.Transport = sent
	s := newStripe(client)
	page, err := s.Open(t.Context(), bill())
	if err != nil || page.Reference == "" {
		t.Fatalf("%+v, %v", page, err)
	}
	if _, err := s.Look(t.Context(), page.Reference); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Close(t.Context(), page.Reference); err != nil {
		t.Fatal(err)
	}
	attempt, invoice := domaintest.ID("attempt").String(), domaintest.ID("invoice").String()
	if d := cmp.Diff([]string{
		"POST /v1/checkout/sessions", "GET /v1/checkout/sessions/" + page.Reference, "POST /v1/checkout/sessions/" + page.Reference + "/expire",
		"GET /v1/checkout/sessions/" + page.Reference,
	}, sent.paths); d != "" {
		t.Error(d)
	}
	if got := sent.heads[0].Get("Idempotency-Key"); got != attempt {
		t.Errorf("idempotency key %q, want the attempt", got)
	}
	for field, want := range map[string]string{
		"mode": "payment", "client_reference_id": attempt, "customer_email": "ana@lima.example",
		"line_items[0][price_data][unit_amount]": "11900", "line_items[0][price_data][currency]": "eur",
		"metadata[atrium_firm]": domaintest.ID("firm").String(), "payment_intent_data[metadata][atrium_attempt]": attempt,
		"success_url": "https://portal.example/invoices/" + invoice + "?payment=" + attempt, "adaptive_pricing[enabled]": "false",
		"expires_at": "1772530200",
	} {
		if got := sent.forms[0].Get(field); got != want {
			t.Errorf("%s is %q, want %q", field, got, want)
		}
	}
}

// answers is Stripe as a list of answers, one for each request.
type answers struct {
	mu   sync.Mutex
	list []answer
	keys []string
}

type answer struct {
	status int // 0: the connection breaks
	body   string
}

// RoundTrip implements http.RoundTripper.
func (a *answers) RoundTrip(r *http.Request) (*http.Response, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.keys = append(a.keys, r.Header.Get("Idempotency-Key"))
	next := a.list[0]
	a.list = a.list[1:]
	if next.status == 0 {
		return nil, errors.New("the connection broke")
	}
	return &http.Response{
		StatusCode: next.status, Header: http.Header{"Content-Type": {"application/json"}, "Stripe-Should-Retry": {"false"}},
		Body: io.NopCloser(strings.NewReader(next.body)), Request: r,
	}, nil
}

func stripeSaying(list ...answer) (*gateway.Stripe, *answers) {
	a := &answers{list: list}
	return newStripe(&http.Client{Transport: a}), a
}

func problem(status int, kind, code string) answer {
	return answer{status, `{"error":{"type":"` + kind + `","code":"` + code + `","message":"words for programmers"}}`}
}

func TestReportsOfStripe(t *testing.T) {
	eur := func(n int64) domain.Money { return domain.Money{Amount: n, Currency: "EUR"} }
	intent := func(status, more string) string {
		return `"payment_intent":{"id":"pi_1","object":"payment_intent","status":"` + status + `","amount_received":11900,"currency":"eur"` + more + `}`
	}
	charge := `,"latest_charge":{"id":"ch_1","object":"charge","currency":"eur","amount_refunded":REFUNDED,"balance_transaction":{"id":"txn_1","object":"balance_transaction","fee":195,"currency":"eur"}}`
	for _, c := range []struct {
		name, session string
		want          reactors.Report
	}{
		{"open", `"status":"open","payment_status":"unpaid"`, reactors.Report{Outcome: payment.Pending}},
		{"expired", `"status":"expired","payment_status":"unpaid"`, reactors.Report{Outcome: payment.Lapsed}},
		{
			"paid", `"status":"complete","payment_status":"paid",` + intent("succeeded", strings.Replace(charge, "REFUNDED", "0", 1)),
			reactors.Report{Outcome: payment.Paid, Capture: "pi_1", Amount: eur(11_900), Fee: eur(195)},
		},
		{
			"paid and given back", `"status":"complete","payment_status":"paid",` + intent("succeeded", strings.Replace(charge, "REFUNDED", "900", 1)),
			reactors.Report{Outcome: payment.Paid, Capture: "pi_1", Amount: eur(11_900), Fee: eur(195), Refunded: eur(900)},
		},
		{"a debit under way", `"status":"complete","payment_status":"unpaid",` + intent("processing", ""), reactors.Report{Outcome: payment.Pending}},
		{
			"a debit that failed", `"status":"complete","payment_status":"unpaid",` + intent("requires_payment_method", ""),
			reactors.Report{Outcome: payment.Refused, Reason: "the bank refused the payment"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, _ := stripeSaying(answer{200, `{"id":"cs_1","object":"checkout.session",` + c.session + `}`})
			got, err := s.Look(t.Context(), "cs_1")
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(c.want, got); d != "" {
				t.Error(d)
			}
		})
	}
	s, _ := stripeSaying(problem(404, "invalid_request_error", "resource_missing"))
	if got, err := s.Look(t.Context(), "cs_1"); err != nil || got.Outcome != payment.Lapsed {
		t.Errorf("a page that Stripe does not know: %+v, %v", got, err)
	}
	// A page that was paid on cannot be closed.
	s, _ = stripeSaying(problem(400, "invalid_request_error", ""), answer{200, `{"id":"cs_1","status":"complete","payment_status":"paid",` + intent("succeeded", "") + `}`})
	if got, err := s.Close(t.Context(), "cs_1"); err != nil || got.Outcome != payment.Paid {
		t.Errorf("closing a page that was paid on: %+v, %v", got, err)
	}
	s, _ = stripeSaying(problem(500, "api_error", ""))
	if got, err := s.Close(t.Context(), "cs_1"); err == nil {
		t.Errorf("Stripe is down: %+v", got)
	}
}

func TestWhatStripeRefuses(t *testing.T) {
	for _, c := range []struct {
		name    string
		answer  answer
		refused string
	}{
		{"too small", problem(400, "invalid_request_error", "amount_too_small"), "the amount is too small for the payment provider"},
		{"wrong", problem(400, "invalid_request_error", "parameter_invalid_integer"), "the payment provider does not take this payment"},
		{"another request with this key", problem(400, "idempotency_error", ""), "the payment provider does not take this payment"},
		{"our key is wrong", problem(401, "invalid_request_error", ""), ""},
		{"the same request at the same time", problem(409, "invalid_request_error", "idempotency_key_in_use"), ""},
		{"too many", problem(429, "invalid_request_error", "rate_limit"), ""},
		{"Stripe is down", problem(500, "api_error", ""), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, _ := stripeSaying(c.answer)
			_, err := s.Open(t.Context(), bill())
			refusal, refused := errors.AsType[*reactors.Refusal](err)
			if err == nil || refused != (c.refused != "") || refused && refusal.Reason != c.refused {
				t.Errorf("%v, want %q", err, c.refused)
			}
		})
	}
}

func TestALostReplyIsAskedForWithTheSameKey(t *testing.T) {
	s, sent := stripeSaying(answer{}, answer{200, `{"id":"cs_1","object":"checkout.session","url":"https://checkout.stripe.com/c/pay/cs_1"}`})
	page, err := s.Open(t.Context(), bill())
	if err != nil || page.URL != "https://checkout.stripe.com/c/pay/cs_1" {
		t.Fatalf("%+v, %v", page, err)
	}
	if len(sent.keys) != 2 || sent.keys[0] != sent.keys[1] || sent.keys[0] != domaintest.ID("attempt").String() {
		t.Errorf("keys %v", sent.keys)
	}
}

// Stripe counts some currencies in other units than we do.
func TestAmountsForStripe(t *testing.T) {
	for _, c := range []struct {
		currency     string
		ours, theirs string
	}{
		{"EUR", "119.00", "11900"},
		{"JPY", "5000", "5000"},
		{"ISK", "5000", "500000"},
		{"KWD", "1.230", "1230"},
		{"KWD", "1.234", ""},
	} {
		b := bill()
		var err error
		if b.Amount, err = domain.ParseMoney(c.ours, c.currency); err != nil {
			t.Fatal(err)
		}
		sent := &recorder{RoundTripper: &answers{list: []answer{{200, `{"id":"cs_1"}`}}}}
		_, err = newStripe(&http.Client{Transport: sent}).Open(t.Context(), b)
		if c.theirs == "" {
			if _, refused := errors.AsType[*reactors.Refusal](err); !refused {
				t.Errorf("%s: %v, want a refusal", b.Amount, err)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if got := sent.forms[0].Get("line_items[0][price_data][unit_amount]"); got != c.theirs {
			t.Errorf("%s: %s, want %s", b.Amount, got, c.theirs)
		}
	}
}
