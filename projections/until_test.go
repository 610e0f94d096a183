package projections_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/projections"
)

// TestUntilEqualsAShorterLog compares a copy as of an instant with tables made of what had been recorded by then.
func TestUntilEqualsAShorterLog(t *testing.T) {
	db, w := newDatabase(t), twoFirms(t)
	e := db.engineOf(t, w.log, projections.Tables())
	if err := e.Apply(t.Context(), w.batch()); err != nil {
		t.Fatal(err)
	}
	live := digest(t, e)
	middle := w.log.all()[len(w.log.all())/2]
	f, err := w.log.codec.Decode(middle)
	if err != nil {
		t.Fatal(err)
	}
	at := f.Meta.Time
	short := *w
	short.log = newLog(t)
	short.log.codec = w.log.codec
	for _, r := range w.log.all() {
		if f, err := w.log.codec.Decode(r); err != nil || !f.Meta.Time.After(at) {
			short.log.events = append(short.log.events, r)
		}
	}
	other := db.engineOf(t, short.log, projections.Tables(), func(o *projections.Options) { o.Schema = "shorter" })
	if err := other.Apply(t.Context(), short.batch()); err != nil {
		t.Fatal(err)
	}
	want := digest(t, other)
	for range 2 { // made anew the second time
		done, err := e.Until(t.Context(), w.log, at, "copy", ignore)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, done.Digest); d != "" || done.Events != int64(len(short.log.events)) {
			t.Errorf("%d of %d events (-shorter log +until):\n%s", done.Events, len(short.log.events), d)
		}
	}
	if d := cmp.Diff(live, digest(t, e)); d != "" {
		t.Errorf("the live tables changed:\n%s", d)
	}
	for _, schema := range []string{"read", "shorter", "pg_temp", "Copy", "copy; drop schema read"} {
		if _, err := e.Until(t.Context(), w.log, at, schema, ignore); err == nil {
			t.Errorf("schema %s was made anew", schema)
		}
	}
	if rows, _ := client("north", "bolt", "carl").column(t, db.client, "select account::text from copy.invoices"); slices.ContainsFunc(rows, func(a string) bool { return a != rows[0] }) {
		t.Errorf("carl sees invoices of %v in the copy", rows)
	}
}

// TestRebuildOnlyOneTable damages tables and makes them anew one by one, with the projector going on.
func TestRebuildOnlyOneTable(t *testing.T) {
	db, w := newDatabase(t), twoFirms(t)
	e, rebuilder := db.engineOf(t, w.log, projections.Tables()), db.engineOf(t, w.log, projections.Tables())
	all := w.log.all()
	apply(t, e, all[:len(all)-20], 50)
	before := digest(t, e)
	ana := client("north", "acme", "ana")
	seen := ana.sees(t, db.client, now)
	for _, name := range []string{"accounts", "invoices", "payments", "contract_signers", "invoice_sums"} {
		if name == "invoices" || name == "payments" || name == "accounts" {
			if _, err := db.owner.Exec(t.Context(), "delete from read."+name); err != nil {
				t.Fatal(err)
			}
		}
		done, err := rebuilder.RebuildOnly(t.Context(), w.log, name, ignore)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if done.Digest.Tables[name] != before.Tables[name] || len(done.Digest.Tables) != 1 {
			t.Errorf("%s: digest %v, want %s", name, done.Digest.Tables, before.Tables[name])
		}
		if damaged := name == "invoices" || name == "payments" || name == "accounts"; damaged != (len(done.Differ) > 0) {
			t.Errorf("%s: differed %v", name, done.Differ)
		}
	}
	if d := cmp.Diff(before, digest(t, e)); d != "" {
		t.Errorf("rows afterwards (-before +after):\n%s", d)
	}
	if d := cmp.Diff(seen, ana.sees(t, db.client, now)); d != "" {
		t.Errorf("ana sees afterwards (-before +after):\n%s", d)
	}
	// The projector notices and goes on.
	if err := e.Apply(t.Context(), projections.Batch{Events: all}); err != nil && !strings.Contains(err.Error(), "checkpoint") {
		t.Fatal(err)
	}
	if err := e.Apply(t.Context(), projections.Batch{Events: all}); err != nil {
		t.Fatal(err)
	}
	if differences, err := e.Verify(t.Context(), w.log, ignore); err != nil || len(differences) > 0 {
		t.Errorf("%v %v", differences, err)
	}
	for _, name := range []string{"history", "parked", "nothing", ""} {
		if _, err := e.RebuildOnly(t.Context(), w.log, name, ignore); err == nil {
			t.Errorf("%q was made by itself", name)
		}
	}
	if left := one[string](t, db.owner, "select string_agg(nspname, ' ' order by nspname) from pg_namespace where nspname like 'read%'"); left != "read" {
		t.Errorf("schemas left: %s", left)
	}
}

// TestFencedSwapIsSeen tells that who asks for the fence notices that tables were replaced.
func TestFencedSwapIsSeen(t *testing.T) {
	db, w := newDatabase(t), twoFirms(t)
	e := db.engineOf(t, w.log, projections.Tables())
	if err := e.Apply(t.Context(), w.batch()); err != nil {
		t.Fatal(err)
	}
	fences := map[domain.ID]bool{}
	look := func() {
		t.Helper()
		fence, err := e.Fence(t.Context())
		if err != nil || fences[fence] {
			t.Fatalf("fence %s was there before (%v)", fence, err)
		}
		fences[fence] = true
	}
	look()
	if _, err := e.Rebuild(t.Context(), w.log, ignore); err != nil {
		t.Fatal(err)
	}
	look()
	if err := e.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	look()
	if _, err := e.RebuildOnly(t.Context(), w.log, "invoices", ignore); err != nil {
		t.Fatal(err)
	}
	look()
}
