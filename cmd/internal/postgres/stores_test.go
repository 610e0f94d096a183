package postgres_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/atrium-portal/atrium/cmd/internal/postgres"
)

func TestIdempotencyKeepsTheFirstReply(t *testing.T) {
	s := postgres.NewIdempotency(migrated(t).App)
	body, other := sha256.Sum256([]byte("body")), sha256.Sum256([]byte("other body"))
	begin := func(actor, key string, hash [32]byte) (*postgres.Reply, error) {
		return s.Begin(t.Context(), "firm", actor, key, hash)
	}

	if r, err := begin("ann", "k", body); r != nil || err != nil {
		t.Fatalf("a new key: %v, %v", r, err)
	}
	// Crashed before Finish: the key is still new.
	if r, err := begin("ann", "k", body); r != nil || err != nil {
		t.Fatalf("a key that was only begun: %v, %v", r, err)
	}
	if err := s.Finish(t.Context(), "firm", "ann", "k", body, 200, []byte(`{"id":1}`)); err != nil {
		t.Fatal(err)
	}
	// The racing second request keeps the first reply.
	if err := s.Finish(t.Context(), "firm", "ann", "k", body, 500, []byte("late")); err != nil {
		t.Fatal(err)
	}
	if err := s.Finish(t.Context(), "firm", "ann", "k", other, 200, nil); !errors.Is(err, postgres.ErrMismatch) {
		t.Errorf("finish with another body: %v", err)
	}
	r, err := begin("ann", "k", body)
	if err != nil || r == nil || r.Status != 200 || string(r.Body) != `{"id":1}` {
		t.Errorf("the first reply: %v, %v", r, err)
	}
	if r, err := begin("ann", "k", other); r != nil || !errors.Is(err, postgres.ErrMismatch) {
		t.Errorf("another body: %v, %v", r, err)
	}
	if r, err := begin("bob", "k", other); r != nil || err != nil {
		t.Errorf("another actor's key: %v, %v", r, err)
	}
	if err := s.Finish(t.Context(), "firm", "bob", "k", other, 204, nil); err != nil {
		t.Errorf("an empty reply: %v", err)
	}

	if n, err := s.Forget(t.Context(), time.Now().Add(-time.Hour)); n != 0 || err != nil {
		t.Errorf("forgot %d fresh replies, %v", n, err)
	}
	if n, err := s.Forget(t.Context(), time.Now().Add(time.Hour)); n != 2 || err != nil {
		t.Errorf("forgot %d of 2 old replies, %v", n, err)
	}
}

func TestIdempotencyUnderRace(t *testing.T) {
	s := postgres.NewIdempotency(migrated(t).App)
	hash := sha256.Sum256([]byte("body"))
	var racers sync.WaitGroup
	for i := range 16 {
		racers.Go(func() {
			if err := s.Finish(t.Context(), "firm", "ann", "k", hash, 200, fmt.Append(nil, i)); err != nil {
				t.Error(err)
			}
		})
	}
	racers.Wait()
	first, err := s.Begin(t.Context(), "firm", "ann", "k", hash)
	if err != nil || first == nil {
		t.Fatal(first, err)
	}
	if again, err := s.Begin(t.Context(), "firm", "ann", "k", hash); err != nil || !bytes.Equal(again.Body, first.Body) {
		t.Error(again, err)
	}
}

// clock is a clock that tests move.
type clock struct{ at time.Time }

func (c *clock) now() time.Time { return c.at }

func TestTokens(t *testing.T) {
	pools := migrated(t)
	clock := &clock{time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)}
	tokens := postgres.NewTokens(pools.App, clock.now, false)
	firm, staff, contact := uuid.New(), uuid.New(), uuid.New()

	spec := postgres.TokenSpec{Firm: firm, Staff: staff, Name: "import", Scopes: []string{"commands", "read"}, Expires: clock.at.Add(time.Hour)}
	secret, id, err := tokens.Create(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(secret, "atr_") || len(secret) < 30 {
		t.Errorf("secret %q", secret)
	}
	var stored string
	if err := pools.App.QueryRow(t.Context(), "SELECT string_agg(t::text, ' ') FROM api_token t").Scan(&stored); err != nil || strings.Contains(stored, secret) {
		t.Errorf("the secret is stored: %v, %v", stored, err)
	}

	want := postgres.Token{ID: id, TokenSpec: spec, Created: clock.at}
	got, ok, err := tokens.Lookup(t.Context(), secret)
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	created := clock.at
	clock.at = created.Add(30 * time.Second) // within the same minute nothing is written
	if got, _, err = tokens.Lookup(t.Context(), secret); err != nil || !got.LastUsed.Equal(created) {
		t.Errorf("last used %v, %v", got.LastUsed, err)
	}

	for _, unknown := range []string{"", "atr_", secret + "x", strings.TrimPrefix(secret, "atr_"), strings.ToLower(secret)} {
		if _, ok, err := tokens.Lookup(t.Context(), unknown); ok || err != nil {
			t.Errorf("%q: %v, %v", unknown, ok, err)
		}
	}

	clock.at = created.Add(time.Hour)
	if _, ok, err := tokens.Lookup(t.Context(), secret); ok || err != nil {
		t.Errorf("at its expiry: %v, %v", ok, err)
	}

	lasting, lastingID, err := tokens.Create(t.Context(), postgres.TokenSpec{Firm: firm, Contact: contact, Name: "lasting"})
	if err != nil {
		t.Fatal(err)
	}
	if got, ok, err := tokens.Lookup(t.Context(), lasting); err != nil || !ok || got.Contact != contact || got.Staff != uuid.Nil || !got.Expires.IsZero() {
		t.Error(got, ok, err)
	}
	if ok, err := tokens.Revoke(t.Context(), uuid.New(), lastingID); ok || err != nil {
		t.Errorf("another firm revokes it: %v, %v", ok, err)
	}
	if ok, err := tokens.Revoke(t.Context(), firm, lastingID); !ok || err != nil {
		t.Fatal(ok, err)
	}
	if _, ok, err := tokens.Lookup(t.Context(), lasting); ok || err != nil {
		t.Errorf("the next lookup after its revocation: %v, %v", ok, err)
	}
	revoked := clock.at
	clock.at = clock.at.Add(time.Hour)
	if ok, err := tokens.Revoke(t.Context(), firm, lastingID); !ok || err != nil {
		t.Fatal(ok, err)
	}

	list, err := tokens.List(t.Context(), firm)
	if err != nil || len(list) != 2 || list[0].ID != id || list[1].ID != lastingID || !list[1].Revoked.Equal(revoked) {
		t.Errorf("list %v, %v", list, err)
	}
	if list, err := tokens.List(t.Context(), uuid.New()); err != nil || len(list) != 0 {
		t.Errorf("another firm's list %v, %v", list, err)
	}

	for _, spec := range []postgres.TokenSpec{{Firm: firm}, {Firm: firm, Staff: staff, Contact: contact}} {
		if _, _, err := tokens.Create(t.Context(), spec); err == nil {
			t.Errorf("a token for %v", spec)
		}
	}
}

func BenchmarkTokenLookup(b *testing.B) {
	p, err := postgres.Connect(b.Context(), shared.URL(), postgres.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer p.Close()
	if err := p.Migrate(b.Context()); err != nil {
		b.Fatal(err)
	}
	tokens := postgres.NewTokens(p.App, time.Now, false)
	secret, _, err := tokens.Create(b.Context(), postgres.TokenSpec{Firm: uuid.New(), Staff: uuid.New(), Name: "bench"})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, ok, err := tokens.Lookup(b.Context(), secret); !ok || err != nil {
			b.Fatal(ok, err)
		}
	}
}

func TestRememberedTokensEndAtOnce(t *testing.T) {
	pools := migrated(t)
	clock := &clock{time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)}
	tokens := postgres.NewTokens(pools.App, clock.now, true)
	firm := uuid.New()
	known := func(secret string) bool {
		t.Helper()
		_, ok, err := tokens.Lookup(t.Context(), secret)
		if err != nil {
			t.Fatal(err)
		}
		return ok
	}
	revoked, id, err := tokens.Create(t.Context(), postgres.TokenSpec{Firm: firm, Staff: uuid.New()})
	if err != nil {
		t.Fatal(err)
	}
	expiring, _, err := tokens.Create(t.Context(), postgres.TokenSpec{Firm: firm, Staff: uuid.New(), Expires: clock.at.Add(20 * time.Second)})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // looked up, then remembered
		if !known(revoked) || !known(expiring) {
			t.Fatal("fresh tokens are not known")
		}
	}
	if _, err := tokens.Revoke(t.Context(), firm, id); err != nil {
		t.Fatal(err)
	}
	clock.at = clock.at.Add(20 * time.Second)
	if known(revoked) || known(expiring) {
		t.Fatal("a revoked or expired token is still known")
	}
}
