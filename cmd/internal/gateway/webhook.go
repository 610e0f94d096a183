package gateway

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/atrium-portal/atrium/commands/reactors"
	"github.com/atrium-portal/atrium/domain"
)

// StripeWebhook takes Stripe's messages. It answers 2xx only when what a message is about is stored, or is not ours;
// after any other answer Stripe sends the message again, for days.
type StripeWebhook struct {
	// Secrets are the signing secrets that count: one, or two while they are changed.
	Secrets []string
	Hear    Hear
	Now     func() time.Time
	Logger  *slog.Logger
}

const (
	// maxMessage bounds a message; Stripe's are a few kilobytes.
	maxMessage = 1 << 20
	// maxSkew is how far the time in a signature may be from ours, on either side.
	maxSkew = 5 * time.Minute
)

// message is all that is used of a message of Stripe.
type message struct {
	ID   string `json:"id"`
	Type string `json:"type"`
	Data struct {
		Object struct {
			ID       string            `json:"id"`
			Object   string            `json:"object"`
			Metadata map[string]string `json:"metadata"`
		} `json:"object"`
	} `json:"data"`
}

// ServeHTTP implements http.Handler. Nothing may have read the body before: the signature is over its bytes.
func (h *StripeWebhook) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		http.Error(w, "send messages with POST", http.StatusMethodNotAllowed)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxMessage))
	if err != nil {
		status := http.StatusBadRequest
		if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
			status = http.StatusRequestEntityTooLarge
		}
		http.Error(w, "the message cannot be read", status)
		return
	}
	if !h.signed(body, r.Header.Get("Stripe-Signature")) {
		h.Logger.Warn("a message with a wrong signature was sent to the Stripe webhook")
		http.Error(w, "the signature is wrong, missing or old", http.StatusBadRequest)
		return
	}
	var m message
	if err := json.Unmarshal(body, &m); err != nil {
		http.Error(w, "the message is not JSON", http.StatusBadRequest)
		return
	}
	notice, ours := noticeOf(m)
	if !ours {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	switch err := h.Hear(r.Context(), notice); {
	case err == nil:
	case domain.AsFault(err).Kind == domain.NotFound: // of another installation on the same Stripe account
		h.Logger.Info("a message of Stripe is about a payment that is not ours", "message", m.ID, "type", m.Type)
	default:
		h.Logger.Error("a message of Stripe could not be acted on; Stripe sends it again", "message", m.ID, "type", m.Type, "error", err)
		http.Error(w, "try again later", http.StatusServiceUnavailable)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// noticeOf finds what a message is about; ours is false when it is none of our payments.
func noticeOf(m message) (n reactors.Notice, ours bool) {
	object := m.Data.Object
	n = reactors.Notice{ID: m.ID}
	if object.Object == "checkout.session" {
		n.Reference = object.ID
	}
	return n, m.ID != "" && n.Firm.UnmarshalText([]byte(object.Metadata[firmKey])) == nil && n.Attempt.UnmarshalText([]byte(object.Metadata[attemptKey])) == nil
}

// signed checks a header such as "t=1495999758,v1=ABC,v1=DEF": one of the signatures must be ours over time and body.
func (h *StripeWebhook) signed(body []byte, header string) bool {
	var stamp string
	var signatures [][]byte
	for _, pair := range strings.Split(header, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(pair), "=")
		switch name {
		case "t":
			stamp = value
		case "v1":
			if signature, err := hex.DecodeString(value); err == nil {
				signatures = append(signatures, signature)
			}
		}
	}
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil {
		return false
	}
	if skew := h.Now().Sub(time.Unix(seconds, 0)); skew > maxSkew || skew < -maxSkew {
		return false
	}
	valid := false
	for _, secret := range h.Secrets {
		mac := hmac.New(sha256.New, []byte(secret))
		mac.Write([]byte(stamp + "."))
		mac.Write(body)
		want := mac.Sum(nil)
		for _, signature := range signatures {
			valid = hmac.Equal(want, signature) || valid
		}
	}
	return valid
}
