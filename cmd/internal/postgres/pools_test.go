package postgres_test

import (
	"context"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/atrium-portal/atrium/cmd/internal/postgres"
)

func TestEachPoolIsItsRole(t *testing.T) {
	p := connect(t, database(t))
	for role, pool := range map[string]*pgxpool.Pool{
		postgres.RoleOwner: p.Owner, postgres.RoleProjector: p.Projector, postgres.RoleSealer: p.Sealer, postgres.RoleApp: p.App,
		postgres.RoleClient: p.ClientReader, postgres.RoleStaff: p.StaffReader,
	} {
		var session, current string
		if err := pool.QueryRow(t.Context(), `SELECT session_user, current_user`).Scan(&session, &current); err != nil {
			t.Fatal(err)
		}
		if session != role || current != role {
			t.Errorf("pool of %s: session %s, current %s", role, session, current)
		}
	}
	for _, escape := range []string{"RESET ROLE; SELECT 1/(current_user <> 'atrium_client')::int", "SET ROLE atrium_owner", "SET ROLE atrium_staff", "SET SESSION AUTHORIZATION atrium_owner"} {
		conn, err := p.ClientReader.Acquire(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Conn().PgConn().Exec(t.Context(), escape).ReadAll(); err == nil {
			t.Errorf("%s works for a client reader", escape)
		}
		conn.Release()
	}
}

func TestMigrateByManyStarters(t *testing.T) {
	url := database(t)
	var starters sync.WaitGroup
	for range 6 {
		starters.Go(func() {
			p, err := postgres.Connect(t.Context(), url, postgres.Options{Readers: 1})
			if err != nil {
				t.Error(err)
				return
			}
			defer p.Close()
			if err := p.Migrate(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	starters.Wait()
	if n := value[int](t, url, "SELECT count(*)::int FROM ops.goose_db_version WHERE version_id = 1"); n != 1 {
		t.Errorf("migration 1 ran %d times", n)
	}
}

// TestConnectByManyStartersOnDifferentDatabases: roles belong to the whole server, advisory locks to one database.
func TestConnectByManyStartersOnDifferentDatabases(t *testing.T) {
	c := manage(t, made(t))
	var urls []string
	for _, name := range []string{"a", "b", "c", "d"} {
		exec(t, c.URL(), "CREATE DATABASE "+name)
		urls = append(urls, strings.Replace(c.URL(), "/postgres?", "/"+name+"?", 1))
	}
	var starters sync.WaitGroup
	for _, url := range urls {
		starters.Go(func() {
			p, err := postgres.Connect(t.Context(), url, postgres.Options{})
			if err != nil {
				t.Error(err)
				return
			}
			p.Close()
		})
	}
	starters.Wait()
}

// TestConnectToAServerWithPasswords: an ordinary administrator over SCRAM, as on a hosted database.
func TestConnectToAServerWithPasswords(t *testing.T) {
	dir := made(t)
	c := manage(t, dir)
	exec(t, c.URL(), "CREATE ROLE admin LOGIN CREATEROLE PASSWORD 'first'", "CREATE DATABASE portal OWNER admin")
	write(t, dir+"/data/pg_hba.conf", "local all atrium trust\nlocal all all scram-sha-256\n")
	exec(t, c.URL(), "SELECT pg_reload_conf()")
	as := func(user *url.Userinfo) string {
		u, err := url.Parse(c.URL())
		if err != nil {
			t.Fatal(err)
		}
		u.User, u.Path = user, "/portal"
		return u.String()
	}
	portal := as(url.UserPassword("admin", "first"))
	serves := func(t *testing.T, url string) {
		t.Helper()
		p, err := postgres.Connect(t.Context(), url, postgres.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		if err := p.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := p.CheckRoles(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	serves(t, portal)
	serves(t, portal) // another process, or the next start

	for _, password := range []string{"", "first", "atrium_client"} {
		if conn, err := pgx.Connect(t.Context(), as(url.UserPassword("atrium_client", password))); err == nil {
			conn.Close(t.Context())
			t.Errorf("a role logs in with password %q", password)
		}
	}

	exec(t, c.URL(), "ALTER ROLE admin PASSWORD 'second'")
	_, err := postgres.Connect(t.Context(), portal, postgres.Options{})
	wantError(t, err, "cannot connect to the database: check --database")
	if strings.Contains(err.Error(), "first") {
		t.Error("the password is in the error:", err)
	}
	serves(t, as(url.UserPassword("admin", "second")))

	exec(t, c.URL(), "CREATE ROLE guest LOGIN PASSWORD 'x'", "CREATE DATABASE other")
	guest := as(url.UserPassword("guest", "x"))
	_, err = postgres.Connect(t.Context(), strings.Replace(guest, "/portal", "/other", 1), postgres.Options{})
	wantError(t, err, `ALTER ROLE "guest" CREATEROLE`, `ALTER DATABASE "other" OWNER TO "guest"`)
}

func TestConnectRefusesWhatItCannotUse(t *testing.T) {
	exec(t, shared.URL(), "CREATE DATABASE old_letters ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0")
	for name, c := range map[string]struct {
		url  string
		says []string
	}{
		"not a URL":        {"postgres://user:secret@:nonsense", []string{"not valid", "write postgres://"}},
		"nobody there":     {"postgres://user:secret@127.0.0.1:1/x", []string{"cannot connect", "check --database"}},
		"no such database": {strings.Replace(shared.URL(), "/postgres?", "/missing?", 1), []string{"cannot connect", "does not exist"}},
		"wrong encoding":   {strings.Replace(shared.URL(), "/postgres?", "/old_letters?", 1), []string{"LATIN1", "ENCODING 'UTF8'"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := postgres.Connect(t.Context(), c.url, postgres.Options{})
			wantError(t, err, c.says...)
			if strings.Contains(err.Error(), "secret") {
				t.Error("the password is in the error:", err)
			}
		})
	}
}

func TestReadersHaveNoWayIntoOps(t *testing.T) {
	p := migrated(t)
	for _, pool := range []*pgxpool.Pool{p.ClientReader, p.StaffReader, p.Projector} {
		for _, table := range []string{"api_token", "idempotency", "subject_key", "master_key", "checkpoint", "goose_db_version"} {
			if _, err := pool.Exec(t.Context(), "SELECT FROM ops."+table); err == nil {
				t.Errorf("%s may read ops.%s", pool.Config().ConnConfig.User, table)
			}
		}
	}
	if _, err := p.App.Exec(t.Context(), "INSERT INTO ops.checkpoint (handler, commit_pos, prepare_pos) VALUES ('a', 1, 1)"); err != nil {
		t.Error(err)
	}
}

func TestCheckRoles(t *testing.T) {
	p := migrated(t)
	if err := p.CheckRoles(t.Context()); err != nil {
		t.Fatal(err)
	}
	admin := strings.Replace(shared.URL(), "/postgres?", "/"+p.Owner.Config().ConnConfig.Database+"?", 1)
	for name, c := range map[string]struct{ make, undo, problem, cure string }{
		"superuser": {
			"ALTER ROLE atrium_client SUPERUSER", "ALTER ROLE atrium_client NOSUPERUSER",
			"atrium_client is a superuser", "ALTER ROLE atrium_client NOSUPERUSER",
		},
		"bypass": {
			"ALTER ROLE atrium_staff BYPASSRLS", "ALTER ROLE atrium_staff NOBYPASSRLS",
			"atrium_staff bypasses row-level security", "ALTER ROLE atrium_staff NOBYPASSRLS",
		},
		"makes roles": {
			"ALTER ROLE atrium_staff CREATEROLE", "ALTER ROLE atrium_staff NOCREATEROLE",
			"atrium_staff may make roles", "NOCREATEROLE",
		},
		"member": {
			"GRANT atrium_owner TO atrium_client", "REVOKE atrium_owner FROM atrium_client",
			"atrium_client is a member of atrium_owner", "REVOKE atrium_owner FROM atrium_client",
		},
		"owns a table": {
			"CREATE TABLE theirs (); ALTER TABLE theirs OWNER TO atrium_client", "DROP TABLE theirs",
			"atrium_client owns public.theirs", "REASSIGN OWNED BY atrium_client TO atrium_owner",
		},
		"owns a schema": {
			"CREATE SCHEMA theirs AUTHORIZATION atrium_staff", "DROP SCHEMA theirs",
			"atrium_staff owns schema theirs", "ALTER SCHEMA theirs OWNER TO atrium_owner",
		},
		"owns a function": {
			"CREATE FUNCTION f() RETURNS int LANGUAGE sql RETURN 1; ALTER FUNCTION f() OWNER TO atrium_staff", "DROP FUNCTION f()",
			"atrium_staff owns function f()", "ALTER ROUTINE f() OWNER TO atrium_owner",
		},
		"creates": {
			"GRANT CREATE ON SCHEMA public TO PUBLIC", "REVOKE CREATE ON SCHEMA public FROM PUBLIC",
			"atrium_client may create in schema public", "REVOKE CREATE ON SCHEMA public FROM PUBLIC",
		},
		"uses ops": {
			"GRANT USAGE ON SCHEMA ops TO atrium_staff", "REVOKE USAGE ON SCHEMA ops FROM atrium_staff",
			"atrium_staff may use schema ops", "REVOKE ALL ON SCHEMA ops",
		},
		"writes": {
			"CREATE TABLE rows (a int); GRANT DELETE ON rows TO atrium_client", "DROP TABLE rows",
			"atrium_client may write public.rows", "REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON public.rows",
		},
		"writes a column": {
			"CREATE TABLE rows (a int); GRANT UPDATE (a) ON rows TO atrium_client", "DROP TABLE rows",
			"atrium_client may write public.rows", "REVOKE",
		},
	} {
		t.Run(name, func(t *testing.T) {
			exec(t, admin, c.make)
			err := p.CheckRoles(t.Context())
			exec(t, admin, c.undo)
			wantError(t, err, "unsafe role: "+c.problem, c.cure)
			if err := p.CheckRoles(t.Context()); err != nil {
				t.Error("after the cure:", err)
			}
		})
	}
}

func TestCheckRolesLetsReadersUseTemporaryTables(t *testing.T) {
	p := migrated(t)
	conn, err := p.ClientReader.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Release()
	if _, err := conn.Exec(t.Context(), "CREATE TEMPORARY TABLE as_of (a int)"); err != nil {
		t.Fatal(err)
	}
	if err := p.CheckRoles(t.Context()); err != nil {
		t.Error(err)
	}
}

// protected is what a good table of schema read looks like.
const protected = `
	CREATE SCHEMA read;
	GRANT USAGE ON SCHEMA read TO atrium_projector, atrium_client, atrium_staff;
	CREATE TABLE read.invoice (firm uuid NOT NULL, total bigint);
	ALTER TABLE read.invoice ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
	CREATE POLICY writer ON read.invoice TO atrium_projector USING (true) WITH CHECK (true);
	CREATE POLICY scope ON read.invoice FOR SELECT TO atrium_client, atrium_staff
		USING (firm = nullif(current_setting('app.firm', true), '')::uuid);
	GRANT SELECT, INSERT, UPDATE, DELETE ON read.invoice TO atrium_projector;
	GRANT SELECT ON read.invoice TO atrium_client, atrium_staff;
	CREATE VIEW read.sums WITH (security_invoker = true) AS SELECT sum(total) FROM read.invoice;
	CREATE TABLE read.checkpoint (position bigint);
	GRANT ALL ON read.checkpoint TO atrium_projector`

func TestCheckTables(t *testing.T) {
	p := migrated(t)
	if _, err := p.Owner.Exec(t.Context(), protected); err != nil {
		t.Fatal(err)
	}
	if err := p.CheckTables(t.Context(), "read"); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ make, undo, problem, cure string }{
		"no security": {
			"CREATE TABLE read.cost (); GRANT SELECT ON read.cost TO atrium_staff", "DROP TABLE read.cost",
			"read.cost has no row-level security", "ALTER TABLE read.cost ENABLE ROW LEVEL SECURITY",
		},
		"granted to everybody": {
			"CREATE TABLE read.cost (); GRANT SELECT ON read.cost TO PUBLIC", "DROP TABLE read.cost",
			"read.cost has no row-level security", "ALTER TABLE read.cost ENABLE ROW LEVEL SECURITY",
		},
		"one column": {
			"GRANT SELECT (position) ON read.checkpoint TO atrium_client", "REVOKE SELECT (position) ON read.checkpoint FROM atrium_client",
			"read.checkpoint has no row-level security", "ENABLE",
		},
		"not forced": {
			"ALTER TABLE read.invoice NO FORCE ROW LEVEL SECURITY", "ALTER TABLE read.invoice FORCE ROW LEVEL SECURITY",
			"read.invoice does not force row-level security", "ALTER TABLE read.invoice FORCE ROW LEVEL SECURITY",
		},
		"no policy": {
			"ALTER POLICY scope ON read.invoice TO atrium_staff", "ALTER POLICY scope ON read.invoice TO atrium_client, atrium_staff",
			"read.invoice has no policy for atrium_client", "CREATE POLICY … ON read.invoice FOR SELECT TO atrium_client",
		},
		"owner's view": {
			"CREATE VIEW read.peek AS SELECT * FROM read.invoice", "DROP VIEW read.peek",
			"read.peek is a view with its owner's rights", "ALTER VIEW read.peek SET (security_invoker = true)",
		},
		"materialized view": {
			"CREATE MATERIALIZED VIEW read.old AS SELECT 1 AS a", "DROP MATERIALIZED VIEW read.old",
			"read.old is a materialized view", "use a table",
		},
		"definer": {
			"CREATE FUNCTION read.total() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS 'SELECT sum(total)::bigint FROM read.invoice'", "DROP FUNCTION read.total()",
			"total() is SECURITY DEFINER", "SECURITY INVOKER",
		},
		"definer elsewhere": {
			"CREATE SCHEMA side; GRANT USAGE ON SCHEMA side TO atrium_client; CREATE FUNCTION side.f() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'", "DROP SCHEMA side CASCADE",
			"side.f() is SECURITY DEFINER", "ALTER ROUTINE side.f() SECURITY INVOKER",
		},
		"immutable scope": {
			"CREATE SCHEMA side; CREATE FUNCTION side.firm() RETURNS uuid LANGUAGE sql IMMUTABLE AS $$SELECT current_setting('app.firm')::uuid$$", "DROP SCHEMA side CASCADE",
			"side.firm() is IMMUTABLE and reads a setting", "ALTER FUNCTION side.firm() STABLE",
		},
		"immutable scope, standard body": {
			"CREATE FUNCTION read.firm() RETURNS text LANGUAGE sql IMMUTABLE RETURN current_setting('app.firm')", "DROP FUNCTION read.firm()",
			"firm() is IMMUTABLE and reads a setting", "STABLE",
		},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := p.Owner.Exec(t.Context(), c.make); err != nil {
				t.Fatal(err)
			}
			err := p.CheckTables(t.Context(), "read")
			if _, err := p.Owner.Exec(t.Context(), c.undo); err != nil {
				t.Fatal(err)
			}
			wantError(t, err, "unsafe schema read: ", c.problem, c.cure)
			if err := p.CheckTables(t.Context(), "read"); err != nil {
				t.Error("after the cure:", err)
			}
		})
	}
}

// TestScopeBindsEveryRole: what the roles and a good table do together.
func TestScopeBindsEveryRole(t *testing.T) {
	p := migrated(t)
	if _, err := p.Owner.Exec(t.Context(), protected); err != nil {
		t.Fatal(err)
	}
	const mine, other = "00000000-0000-7000-8000-000000000001", "00000000-0000-7000-8000-000000000002"
	if _, err := p.Projector.Exec(t.Context(), "INSERT INTO read.invoice VALUES ($1, 5), ($2, 7)", mine, other); err != nil {
		t.Fatal(err)
	}
	sum := func(pool *pgxpool.Pool, firm string) (total *int64) {
		t.Helper()
		batch := &pgx.Batch{}
		batch.Queue("SELECT set_config('app.firm', $1, true)", firm)
		batch.Queue("SELECT sum::bigint FROM sums").QueryRow(func(row pgx.Row) error { return row.Scan(&total) })
		if err := pool.SendBatch(context.WithoutCancel(t.Context()), batch).Close(); err != nil {
			t.Fatal(err)
		}
		return total
	}
	if _, err := p.Owner.Exec(t.Context(), "GRANT SELECT ON read.sums TO atrium_client, atrium_staff"); err != nil {
		t.Fatal(err)
	}
	for _, pool := range []*pgxpool.Pool{p.ClientReader, p.StaffReader} {
		if got := sum(pool, mine); got == nil || *got != 5 {
			t.Errorf("own firm: %v", got)
		}
		if got := sum(pool, ""); got != nil {
			t.Errorf("no firm: %v", *got)
		}
	}
	var n int
	if err := p.Owner.QueryRow(t.Context(), "SELECT count(*) FROM read.invoice").Scan(&n); err != nil || n != 0 {
		t.Errorf("the owner sees %d rows, %v", n, err)
	}
}
