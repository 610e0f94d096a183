package gateway_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/atrium-portal/atrium/cmd/internal/gateway"
	"github.com/atrium-portal/atrium/commands/reactors"
	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/payment"
)

func newSimulated(t *testing.T) (*house, http.Handler) {
	var simulator *gateway.Simulator
	h := newHouse(t, func(h *house) reactors.Gateway {
		simulator = gateway.NewSimulator("http://localhost:8080/", h.hear, h.clock)
		return simulator
	})
	handler, err := simulator.Handler()
	if err != nil {
		t.Fatal(err)
	}
	return h, handler
}

func ask(handler http.Handler, method, path, contentType, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Content-Type", contentType)
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	return w
}

func TestSimulatedPayments(t *testing.T) {
	h, handler := newSimulated(t)
	for _, c := range []struct {
		do       []string
		wait     bool // until we ask
		status   payment.Status
		payments int
		left     int64
	}{
		{[]string{"succeed"}, false, payment.StatusSucceeded, 1, 10_000},
		{[]string{"decline"}, false, payment.StatusFailed, 0, 0},
		{[]string{"delay"}, true, payment.StatusHandedOver, 0, 0},
		{[]string{"delay", "release"}, false, payment.StatusSucceeded, 1, 10_000},
		{[]string{"repeat"}, false, payment.StatusSucceeded, 1, 10_000},
		{[]string{"reorder"}, false, payment.StatusSucceeded, 1, 9_000},
		{[]string{"lose"}, false, payment.StatusHandedOver, 0, 0},
		{[]string{"lose"}, true, payment.StatusSucceeded, 1, 10_000},
		{[]string{"succeed", "refund"}, false, payment.StatusSucceeded, 1, 0},
	} {
		t.Run(strings.Join(c.do, ", "), func(t *testing.T) {
			at := *h
			at.t = t
			invoiceID, attempt := at.start()
			page, err := url.Parse(at.attempt(attempt).URL)
			if err != nil {
				t.Fatal(err)
			}
			for i, do := range c.do {
				program := i%2 == 0
				body, contentType := `{"do":"`+do+`"}`, "application/json"
				if !program {
					body, contentType = "do="+do, "application/x-www-form-urlencoded"
				}
				w := ask(handler, http.MethodPost, page.Path, contentType, body)
				if program && w.Code != http.StatusOK || !program && w.Code != http.StatusSeeOther {
					t.Fatalf("%s: %d %s", do, w.Code, w.Body)
				}
			}
			if c.wait {
				h.now = h.now.Add(time.Minute)
				at.now = h.now
				at.sweep()
			}
			at.wants(invoiceID, attempt, c.status, c.payments, c.left)
		})
	}
}

func TestSimulatedPages(t *testing.T) {
	h, handler := newSimulated(t)
	invoiceID, attempt := h.start()
	path := "/dev/gateway/" + attempt.String()
	if w := ask(handler, http.MethodGet, path, "", ""); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "100.00 EUR") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	w := ask(handler, http.MethodPost, path, "application/x-www-form-urlencoded", "do=succeed")
	if want := "http://localhost:8080/invoices/" + invoiceID.String() + "?payment=" + attempt.String(); w.Header().Get("Location") != want {
		t.Errorf("sent to %s, want %s", w.Header().Get("Location"), want)
	}
	if w := ask(handler, http.MethodPost, path, "application/json", `{"do":"succeed"}`); w.Code != http.StatusConflict {
		t.Errorf("paid twice: %d", w.Code)
	}
	if w := ask(handler, http.MethodGet, path, "", ""); !strings.Contains(w.Body.String(), "Nothing can be paid here any more") {
		t.Errorf("a page that was paid: %s", w.Body)
	}
	var list []struct {
		Attempt domain.ID
		Outcome string
	}
	if err := json.Unmarshal(ask(handler, http.MethodGet, "/dev/gateway.json", "", "").Body.Bytes(), &list); err != nil || len(list) != 1 || list[0].Outcome != "paid" || list[0].Attempt != attempt {
		t.Errorf("%+v (%v)", list, err)
	}
	if w := ask(handler, http.MethodGet, "/dev/gateway", "", ""); !strings.Contains(w.Body.String(), "Refund") {
		t.Errorf("list: %s", w.Body)
	}
	for _, c := range []struct {
		method, path, contentType, body string
		want                            int
	}{
		{http.MethodGet, "/dev/gateway/none", "", "", http.StatusNotFound},
		{http.MethodPost, "/dev/gateway/none", "application/json", `{"do":"succeed"}`, http.StatusNotFound},
		{http.MethodPost, path, "application/json", `{`, http.StatusBadRequest},
		{http.MethodPut, path, "", "", http.StatusMethodNotAllowed},
	} {
		if w := ask(handler, c.method, c.path, c.contentType, c.body); w.Code != c.want {
			t.Errorf("%s %s %s: %d, want %d", c.method, c.path, c.body, w.Code, c.want)
		}
	}
}

// A program that started anew knows no page: what was open expires and can be started again.
func TestSimulatorForgets(t *testing.T) {
	h, _ := newSimulated(t)
	invoiceID, attempt := h.start()
	h.cashier.Gateway = gateway.NewSimulator("http://localhost:8080", h.hear, h.clock)
	h.now = h.now.Add(time.Minute)
	h.sweep()
	h.wants(invoiceID, attempt, payment.StatusExpired, 0, 0)
}
