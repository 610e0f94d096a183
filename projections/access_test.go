package projections_test

import (
	"context"
	"errors"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/atrium-portal/atrium/domain/account"
	"github.com/atrium-portal/atrium/domain/domaintest"
)

// scope are the settings of a reader's transaction.
type scope map[string]string

// read runs a counting query in a scope.
func read(t *testing.T, pool *pgxpool.Pool, s scope, sql string) (n int64, err error) {
	t.Helper()
	ctx := context.Background()
	err = pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		for name, value := range s {
			if _, err := tx.Exec(ctx, "select set_config($1, $2, true)", "app."+name, value); err != nil {
				return err
			}
		}
		return tx.QueryRow(ctx, sql).Scan(&n)
	})
	return n, err
}

func TestEachRoleSeesItsOwn(t *testing.T) {
	db, log := newDatabase(t), newLog(t)
	log.add(t, "ana", opened("Ana"))
	log.add(t, "ben", opened("Ben"))
	log.add(t, "ben", renamed("Ben B"))
	log.add(t, "ben", account.Closed{}) // from now on it is for its recipients, who see what is not released
	e := db.engine(t, log)
	apply(t, e, log.all(), 2)
	for range 2 { // as first made, and as rebuilt
		firm, ana, ben := domaintest.ID("firm").String(), domaintest.ID("ana").String(), domaintest.ID("ben").String()
		staff := domaintest.ID("staff").String() // the one who closed the account is its recipient
		client := func(more ...string) scope {
			s := scope{"firm": firm, "accounts": "{" + ana + "," + ben + "}"}
			for i := 0; i < len(more); i += 2 {
				s[more[i]] = more[i+1]
			}
			return s
		}
		for _, c := range []struct {
			name string
			pool *pgxpool.Pool
			scope
			sql  string
			want int64
		}{
			{"staff of the firm", db.staff, scope{"firm": firm}, "select count(*) from read.accounts", 2},
			{"staff of another firm", db.staff, scope{"firm": ana}, "select count(*) from read.accounts", 0},
			{"staff without scope", db.staff, scope{}, "select count(*) from read.accounts", 0},
			{"staff with an empty scope", db.staff, scope{"firm": ""}, "select count(*) from read.accounts", 0},
			{"staff, table of staff", db.staff, scope{"firm": firm}, "select count(*) from read.firms", 1},
			{"staff, history", db.staff, scope{"firm": firm}, "select count(ip) from read.history", 4},
			{"client without scope", db.client, scope{}, "select count(*) from read.accounts", 0},
			{"client of no account", db.client, scope{"firm": firm, "accounts": "{}"}, "select count(*) from read.accounts", 0},
			{"client", db.client, client(), "select count(*) from read.accounts", 1},
			{"client of another firm", db.client, client("firm", ana), "select count(*) from read.accounts", 0},
			{"client who sees what is not released, no recipient", db.client, client("unreleased", "on"), "select count(*) from read.accounts", 1},
			{"client who is a recipient", db.client, client("unreleased", "on", "contact", staff), "select count(*) from read.accounts", 2},
			{"client with a duplicate who is a recipient", db.client, client("unreleased", "on", "contact", "{"+ana+","+staff+"}"), "select count(*) from read.accounts", 2},
			{"recipient, not released", db.client, client("contact", staff), "select count(*) from read.accounts", 1},
			{"client, details", db.client, client(), "select count(*) from read.details", 1},
			{"client, history not shown", db.client, client(), "select count(*) from read.history", 0},
			{"client, history", db.client, client("history", "on"), "select count(sentence) from read.history", 3},
			{"client of one account, history", db.client, client("history", "on", "accounts", "{"+ana+"}"), "select count(sentence) from read.history", 1},
			{"everybody, checkpoint", db.client, scope{}, "select commit_position from read.checkpoint", 40},
		} {
			if got, err := read(t, c.pool, c.scope, c.sql); err != nil || got != c.want {
				t.Errorf("%s: %d rows (%v), want %d", c.name, got, err, c.want)
			}
		}
		for name, sql := range map[string]string{
			"a table of staff":      "select count(*) from read.firms",
			"where staff work from": "select count(ip) from read.history",
			"parked events":         "select count(*) from read.parked",
			"writing":               "with gone as (delete from read.accounts returning 1) select count(*) from gone",
		} {
			_, err := read(t, db.client, client("history", "on"), sql)
			if pg, is := errors.AsType[*pgconn.PgError](err); !is || pg.Code != "42501" {
				t.Errorf("client, %s: %v", name, err)
			}
		}
		if _, err := e.Rebuild(t.Context(), log, ignore); err != nil {
			t.Fatal(err)
		}
	}
}
