package main

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/atrium-portal/atrium/cmd/internal/postgres"
	"github.com/atrium-portal/atrium/commands"
)

func TestPaymentProviders(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("whsec_old\nwhsec_new\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	stripe := paying{Gateway: "stripe", StripeKey: "sk_test_x", StripeWebhookSecret: "@" + secret}
	for _, c := range []struct {
		name    string
		paying  paying
		dev     bool
		gateway string
		routes  []string
		err     string
	}{
		{"none", paying{Gateway: "none"}, true, "", nil, ""},
		{"none by itself", paying{Gateway: "auto"}, false, "", nil, ""},
		{"the simulator by itself in development", paying{}, true, "simulator", []string{"/dev/gateway", "/dev/gateway.json", "/dev/gateway/"}, ""},
		{"the simulator for the public", paying{Gateway: "simulator"}, false, "", nil, "--dev only"},
		{"Stripe", stripe, false, "stripe", []string{"/webhooks/stripe"}, ""},
		{"Stripe without a key", paying{Gateway: "stripe", StripeWebhookSecret: "whsec"}, false, "", nil, "--stripe-key"},
		{"Stripe without a secret", paying{Gateway: "stripe", StripeKey: "sk"}, false, "", nil, "--stripe-webhook-secret"},
		{"Stripe with a file that is not there", paying{Gateway: "stripe", StripeKey: "@" + secret + ".none"}, false, "", nil, "cannot be read"},
	} {
		t.Run(c.name, func(t *testing.T) {
			k := &stack{loop: &commands.Loop{}, pools: &postgres.Pools{}, now: time.Now, log: slog.New(slog.DiscardHandler)}
			k.dispatch = k.loop
			desk, err := serveCmd{paying: c.paying, Dev: c.dev}.openCashDesk(k, "https://portal.example")
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) {
					t.Fatalf("%v, want %q", err, c.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if k.loop.Gateway != c.gateway || len(desk.routes) != len(c.routes) || (desk.cashier != nil) != (c.gateway != "") {
				t.Fatalf("gateway %q, routes %v", k.loop.Gateway, desk.routes)
			}
			handler := desk.with(http.NotFoundHandler())
			for _, route := range c.routes {
				w := httptest.NewRecorder()
				if strings.HasSuffix(route, "/") {
					route += "attempt"
				}
				handler.ServeHTTP(w, httptest.NewRequest(http.MethodPost, route, io.NopCloser(strings.NewReader("{}"))))
				if body := w.Body.String(); w.Code == http.StatusNotFound && strings.HasPrefix(body, "404 page") {
					t.Errorf("%s is not served", route)
				}
			}
		})
	}
}
