package postgres_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/google/uuid"

	"github.com/atrium-portal/atrium/cmd/internal/postgres"
	"github.com/atrium-portal/atrium/domain/access"
	"github.com/atrium-portal/atrium/readapi/auth/door"
	"github.com/atrium-portal/atrium/readapi/auth/door/doortest"
)

var sealKey = bytes.Repeat([]byte{7}, 32)

// newDoor is a store on a pool, with its outbox.
func newDoor(t *testing.T, pools *postgres.Pools) (*postgres.Door, *postgres.Outbox) {
	t.Helper()
	outbox, err := postgres.NewOutbox(pools.App, sealKey)
	if err != nil {
		t.Fatal(err)
	}
	d, err := postgres.NewDoor(pools.App, sealKey, outbox)
	if err != nil {
		t.Fatal(err)
	}
	return d, outbox
}

func TestDoor(t *testing.T) {
	pools := migrated(t)
	d, _ := newDoor(t, pools)
	doortest.Conformance(t, func(t *testing.T) door.Store {
		for _, table := range []string{"link_request", "sign_in_link", "attempt", "session", "password", "totp", "recovery_code", "passkey", "passkey_challenge", "mail"} {
			if _, err := pools.App.Exec(t.Context(), "DELETE FROM ops."+table); err != nil {
				t.Fatal(err)
			}
		}
		return d
	})
}

func TestSecretsAreNotStoredAsTheyAre(t *testing.T) {
	pools := migrated(t)
	d, outbox := newDoor(t, pools)
	ana, ben := door.Who{Firm: uuid.New(), Kind: access.Contact, ID: uuid.New()}, door.Who{Firm: uuid.New(), Kind: access.Contact, ID: uuid.New()}
	const secret = "JBSWY3DPEHPK3PXP"
	if err := d.SetTOTP(t.Context(), ana, door.TOTP{Secret: secret}, doortest.Now); err != nil {
		t.Fatal(err)
	}
	if err := outbox.Enqueue(t.Context(), postgres.Mail{ID: uuid.New(), To: "ana@lima.example", Text: secret, Created: doortest.Now}); err != nil {
		t.Fatal(err)
	}
	for _, table := range []string{"totp", "mail"} {
		var stored string
		if err := pools.App.QueryRow(t.Context(), "SELECT string_agg(t::text, ' ') || string_agg(encode("+map[string]string{"totp": "secret", "mail": "content"}[table]+", 'escape'), ' ') FROM ops."+table+" t").Scan(&stored); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(stored, secret) || strings.Contains(stored, "ana@") {
			t.Errorf("%s is plain: %s", table, stored)
		}
	}
	if _, err := pools.App.Exec(t.Context(), "UPDATE ops.totp SET person = $1, firm = $2", ben.ID, ben.Firm); err != nil {
		t.Fatal(err)
	}
	if _, _, err := d.TOTP(t.Context(), ben); err == nil {
		t.Error("a sealed secret opens in another row")
	}
	if _, err := postgres.NewDoor(pools.App, sealKey[1:], outbox); err == nil {
		t.Error("a short key is taken")
	}
}

func TestOutbox(t *testing.T) {
	ctx := t.Context()
	_, o := newDoor(t, migrated(t))
	now := doortest.Now
	mail := postgres.Mail{
		ID: uuid.New(), Firm: uuid.New(), To: "ana@lima.example", Subject: "Sign in", Text: "text", HTML: "<p>text</p>", Created: now, NotAfter: now.Add(10 * time.Minute),
	}
	forever := postgres.Mail{ID: uuid.New(), To: "ben@lima.example", Subject: "Receipt", Text: "text", Created: now.Add(time.Second)}
	for _, m := range []postgres.Mail{mail, forever, mail} {
		if err := o.Enqueue(ctx, m); err != nil {
			t.Fatal(err)
		}
	}
	take := func(at time.Time, want *postgres.Mail) {
		t.Helper()
		got, ok, err := o.Take(ctx, time.Minute, at)
		if err != nil || ok != (want != nil) {
			t.Fatalf("at %s: %v %v %v", at, got, ok, err)
		}
		if ok {
			if d := cmp.Diff(*want, got, cmpopts.EquateApproxTime(time.Microsecond)); d != "" {
				t.Errorf("at %s (-want +got):\n%s", at, d)
			}
		}
	}
	take(now.Add(-time.Second), nil)
	mail.Tries, forever.Tries = 1, 1
	take(now.Add(time.Second), &mail)
	take(now.Add(time.Second), &forever)
	take(now.Add(time.Second), nil) // both are taken
	mail.Tries = 2
	take(now.Add(61*time.Second), &mail) // whoever took it has died
	if err := o.Failed(ctx, mail.ID, "mailbox full", now.Add(5*time.Minute)); err != nil {
		t.Fatal(err)
	}
	for range 2 { // sent is sent: it is not taken again, nor when it comes again
		if err := errors.Join(o.Sent(ctx, forever.ID, now), o.Enqueue(ctx, forever)); err != nil {
			t.Fatal(err)
		}
	}
	if all, failed, err := o.Waiting(ctx); all != 1 || failed != 1 || err != nil {
		t.Error(all, failed, err)
	}
	take(now.Add(5*time.Minute-time.Second), nil)
	mail.Tries = 3
	take(now.Add(5*time.Minute), &mail)
	take(now.Add(10*time.Minute), nil) // too old to be of use
	if all, _, err := o.Waiting(ctx); all != 0 || err != nil {
		t.Error(all, err)
	}
	take(now.Add(8*24*time.Hour), nil)
	if err := o.Enqueue(ctx, forever); err != nil { // a week later nobody remembers it
		t.Fatal(err)
	}
	take(now.Add(8*24*time.Hour), &forever)
}

func TestAMailGoesWithItsLinkOrNotAtAll(t *testing.T) {
	ctx := context.WithoutCancel(t.Context())
	d, o := newDoor(t, migrated(t))
	link := door.Link{
		ID: uuid.New(), Hash: bytes.Repeat([]byte{1}, 32), Who: door.Who{Firm: uuid.New(), Kind: access.Contact, ID: uuid.New()}, Purpose: access.Link,
		Code: bytes.Repeat([]byte{2}, 32), Created: doortest.Now, Expires: doortest.Now.Add(time.Minute),
	}
	mail := &door.Mail{ID: uuid.New(), To: "ana@lima.example", Subject: "Sign in", Text: "text", NotAfter: link.Expires}
	if err := d.Issue(ctx, door.Issue{Link: link, Mail: mail}); err != nil {
		t.Fatal(err)
	}
	mail.ID = uuid.New()
	if err := d.Issue(ctx, door.Issue{Link: link, Mail: mail}); err == nil {
		t.Error("a link is kept twice")
	}
	if all, _, err := o.Waiting(ctx); all != 1 || err != nil {
		t.Error(all, err)
	}
}
