package projections_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"pgregory.net/rapid"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/contact"
	"github.com/atrium-portal/atrium/domain/domaintest"
	"github.com/atrium-portal/atrium/domain/invoice"
	"github.com/atrium-portal/atrium/projections"
)

// Load implements projections.Streams.
func (l *memoryLog) Load(_ context.Context, stream string, from int64) (events []domain.Recorded, err error) {
	for _, r := range l.all() {
		if r.Stream == stream && r.Revision >= from {
			events = append(events, r)
		}
	}
	return events, nil
}

// shown is what somebody sees of the tables: rows as text, sorted, by table. Tables that they are not granted are nil.
type shown map[string][]string

// sees reads all tables, after prepare has run in the same transaction. For clients, schema names where their columns
// are looked up.
func (r reader) sees(t testing.TB, pool *pgxpool.Pool, prepare func(pgx.Tx) error) shown {
	t.Helper()
	ctx, all := t.Context(), shown{}
	err := pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "set local search_path = read"); err != nil {
			return err
		}
		for setting, value := range r {
			if _, err := tx.Exec(ctx, "select set_config($1, $2, true)", setting, value); err != nil {
				return err
			}
		}
		if err := prepare(tx); err != nil {
			return err
		}
		for _, table := range append(projections.Tables(), projections.Table{}) {
			name := table.Name()
			if name == "" {
				name = "history"
			}
			rows, err := tx.Query(ctx, `select attname::text from pg_attribute where attrelid = $1::regclass and attnum > 0 and not attisdropped
				and has_column_privilege(attrelid, attnum, 'select') order by attnum`, name)
			if err != nil {
				return err
			}
			columns, err := pgx.CollectRows(rows, pgx.RowTo[string])
			if err != nil {
				return err
			}
			if len(columns) == 0 {
				continue
			}
			if rows, err = tx.Query(ctx, "select row("+strings.Join(columns, ", ")+")::text from "+name); err != nil {
				return err
			}
			if all[name], err = pgx.CollectRows(rows, pgx.RowTo[string]); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			slices.Sort(all[name])
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// then puts the tables as they were before the live ones.
func then(t testing.TB, e *projections.Engine, log projections.Streams, of projections.Whose, at time.Time, kind domain.ActorKind) func(pgx.Tx) error {
	t.Helper()
	past, err := e.AsOf(t.Context(), log, of, at)
	if err != nil {
		t.Fatalf("as of %s: %v", at, err)
	}
	return func(tx pgx.Tx) error { return past.Fill(t.Context(), tx.Conn(), kind, everyTable()) }
}

// everyTable names all tables.
func everyTable() string {
	names := "history"
	for _, table := range projections.Tables() {
		names += " " + table.Name()
	}
	return names
}

func now(pgx.Tx) error { return nil }

// TestAsOfEqualsAFreshFold gives random commands, and compares the past at random instants with another engine's tables
// that were made from what had been recorded by then.
func TestAsOfEqualsAFreshFold(t *testing.T) {
	db, w := newDatabase(t), newWorld(t)
	e := db.engineOf(t, w.log, projections.Tables())
	fresh := db.engineOf(t, w.log, projections.Tables(), func(o *projections.Options) { o.Schema = "fresh" })
	round, instants, rows := 0, 0, 0
	rapid.Check(t, func(r *rapid.T) {
		round++
		begun := w.now()
		p := w.foundFirm(t, fmt.Sprint("firm ", round))
		p.randomly(r, fmt.Sprint("round ", round, " "))
		events := w.log.all()
		at, err := e.Position(t.Context())
		if err != nil {
			r.Fatal(err)
		}
		first := slices.IndexFunc(events, func(e domain.Recorded) bool { return at.Before(e.Position) })
		for batch := range slices.Chunk(events[first:], rapid.IntRange(7, 100).Draw(r, "batch")) {
			if err := e.Apply(t.Context(), projections.Batch{Events: batch}); err != nil {
				r.Fatal(err)
			}
		}
		hours := int(w.now().Sub(begun) / time.Hour)
		instant := begun.Add(time.Duration(rapid.IntRange(2, 2*hours).Draw(r, "half hours")) * 30 * time.Minute)
		instants++

		var known []domain.Recorded
		for _, record := range events[first:] {
			f, err := w.log.codec.Decode(record)
			if err != nil {
				r.Fatal(err)
			}
			if !f.Meta.Time.After(instant) {
				known = append(known, record)
			}
		}
		for batch := range slices.Chunk(known, rapid.IntRange(1, 100).Draw(r, "other batch")) {
			if err := fresh.Apply(t.Context(), projections.Batch{Events: batch}); err != nil {
				r.Fatal(err)
			}
		}
		staff := staffOf(p.firm)
		want := staff.sees(t, db.staff, func(tx pgx.Tx) error {
			_, err := tx.Exec(t.Context(), "set local search_path = fresh")
			return err
		})
		got := staff.sees(t, db.staff, then(t, e, w.log, projections.Whose{Firm: p.firm}, instant, domain.Staff))
		if d := cmp.Diff(want, got); d != "" {
			r.Fatalf("the firm as of %s (-fresh +as of):\n%s", instant, d)
		}
		for _, name := range []string{"a", "b"} {
			account := domaintest.ID(fmt.Sprint("round ", round, " ", name))
			past, err := e.AsOf(t.Context(), w.log, projections.Whose{Firm: p.firm, Account: account}, instant)
			if f, is := errors.AsType[*domain.Fault](err); is && f.Kind == domain.NotFound {
				for _, row := range want["accounts"] {
					if strings.Contains(row, account.String()) {
						r.Fatalf("account %s is missing as of %s", name, instant)
					}
				}
				continue
			}
			if err != nil {
				r.Fatal(err)
			}
			one := staff.sees(t, db.staff, func(tx pgx.Tx) error { return past.Fill(t.Context(), tx.Conn(), domain.Staff, everyTable()) })
			for table, all := range want {
				mine := slices.DeleteFunc(slices.Clone(all), func(row string) bool { return !strings.Contains(row, account.String()) })
				if !slices.Contains([]string{"accounts", "contacts", "invoices", "payments", "ledger", "contracts", "credit_notes", "questions", "history"}, table) {
					continue // other tables do not name the account
				}
				if d := cmp.Diff(mine, one[table], cmp.Transformer("", func(list []string) []string { return append([]string{}, list...) })); d != "" {
					r.Fatalf("%s of account %s as of %s (-fresh +as of):\n%s", table, name, instant, d)
				}
				rows += len(mine)
			}
		}
	})
	if instants < 50 || rows == 0 {
		t.Errorf("only %d instants with %d rows were compared", instants, rows)
	}
}

// TestAsOfNowIsAsItIs compares what each reader sees of the past that is now with what they see of the live tables.
func TestAsOfNowIsAsItIs(t *testing.T) {
	db, w := newDatabase(t), twoFirms(t)
	e := db.engineOf(t, w.log, projections.Tables())
	if err := e.Apply(t.Context(), w.batch()); err != nil {
		t.Fatal(err)
	}
	north := domaintest.ID("north")
	for name, c := range map[string]struct {
		reader
		account string
	}{
		"ana": {client("north", "acme", "ana"), "acme"}, "ben": {client("north", "acme", "ben"), "acme"},
		"ana, who sees drafts":            {client("north", "acme", "ana").with("app.unreleased", "on"), "acme"},
		"ana without permissions":         {client("north", "acme", "ana", contact.Permissions()...), "acme"},
		"ana without history":             {client("north", "acme", "ana").with("app.history", "off"), "acme"},
		"carl":                            {client("north", "bolt", "carl"), "bolt"},
		"carl, given the wrong account":   {client("north", "bolt", "carl"), "acme"},
		"dora, given another firm's past": {client("south", "delta", "dora"), "acme"},
	} {
		want := c.sees(t, db.client, now)
		got := c.sees(t, db.client, then(t, e, w.log, projections.Whose{Firm: north, Account: domaintest.ID(c.account)}, w.now(), domain.Client))
		if !strings.Contains(c.reader["app.accounts"], domaintest.ID(c.account).String()) {
			for table, rows := range got { // of what everybody in the firm may know there may be some
				if table != "firms" && table != "staff" && len(rows) > 0 {
					t.Errorf("%s sees of %s: %v", name, table, rows)
				}
			}
			continue
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s (-now +as of now):\n%s", name, d)
		}
		for _, table := range []string{"account_notes", "contact_notes", "staff_details", "payment_notes", "invoice_reasons", "contract_notes", "numbers"} {
			if rows, granted := got[table]; granted {
				t.Errorf("%s may read %s of the past: %v", name, table, rows)
			}
		}
	}
	staff := staffOf(north)
	if d := cmp.Diff(staff.sees(t, db.staff, now), staff.sees(t, db.staff, then(t, e, w.log, projections.Whose{Firm: north}, w.now(), domain.Staff))); d != "" {
		t.Errorf("staff (-now +as of now):\n%s", d)
	}
}

// TestThePastIsNoWayAroundToday lets somebody be a recipient then and not now.
func TestThePastIsNoWayAroundToday(t *testing.T) {
	db, w := newDatabase(t), newWorld(t)
	p := w.foundFirm(t, "north")
	p.openAccount("acme", "ana", "ben")
	p.draftInvoice("bill", "acme")
	before := w.now()
	to := []domain.ID{domaintest.ID("ana")}
	must(p, invoice.Aggregate, "bill", "", invoice.ChangeDraft{Invoice: domaintest.ID("bill"), Recipients: to})
	e := db.engineOf(t, w.log, projections.Tables())
	if err := e.Apply(t.Context(), w.batch()); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]int{"ana": 1, "ben": 0} {
		c := client("north", "acme", name).with("app.unreleased", "on")
		got := c.sees(t, db.client, then(t, e, w.log, projections.Whose{Firm: p.firm, Account: domaintest.ID("acme")}, before, domain.Client))
		if len(got["invoices"]) != want || len(c.sees(t, db.client, now)["invoices"]) != want {
			t.Errorf("%s sees %v", name, got["invoices"])
		}
	}
}

func TestAsOfOfWhatIsNotThereYet(t *testing.T) {
	db, w := newDatabase(t), newWorld(t)
	p := w.foundFirm(t, "north")
	before := w.now()
	p.openAccount("acme", "ana")
	e := db.engineOf(t, w.log, projections.Tables())
	if err := e.Apply(t.Context(), w.batch()); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		of projections.Whose
		at time.Time
	}{
		"account": {projections.Whose{Firm: p.firm, Account: domaintest.ID("acme")}, before},
		"nobody":  {projections.Whose{Firm: p.firm, Account: domaintest.ID("nobody")}, w.now()},
		"foreign": {projections.Whose{Firm: domaintest.ID("south"), Account: domaintest.ID("acme")}, w.now()},
		"firm":    {projections.Whose{Firm: p.firm}, domaintest.Now.AddDate(-1, 0, 0)},
	} {
		_, err := e.AsOf(t.Context(), w.log, c.of, c.at)
		if f, is := errors.AsType[*domain.Fault](err); !is || f.Kind != domain.NotFound {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestEverythingForClientsHasARecord holds that a table for clients is, in the past, bound to what they see today: by a
// row of the same key, or by the record that its condition names.
func TestEverythingForClientsHasARecord(t *testing.T) {
	for _, table := range projections.Tables() {
		if bound := projections.BoundToToday(table, projections.Tables()); !bound {
			t.Errorf("clients could see rows of %s in the past that they may not see today", table.Name())
		}
	}
}
