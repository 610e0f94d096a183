package postgres

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/errgroup"
)

// Pools are connections to one database, one pool per role. Each logs in as its role, so that no statement can
// step out of it.
type Pools struct {
	// Owner owns the schemas and their tables: migrations, building and swapping read models. Few connections.
	Owner *pgxpool.Pool
	// Projector writes rows of the schema read.
	Projector *pgxpool.Pool
	// Sealer adds to the schema evidence.
	Sealer *pgxpool.Pool
	// App reads and writes ops.
	App *pgxpool.Pool
	// ClientReader and StaffReader answer queries; row-level security binds both.
	ClientReader *pgxpool.Pool
	StaffReader  *pgxpool.Pool
}

// The roles the pools log in as. Schemas grant to these names.
const (
	RoleOwner     = "atrium_owner"
	RoleProjector = "atrium_projector"
	RoleSealer    = "atrium_sealer"
	RoleApp       = "atrium_app"
	RoleClient    = "atrium_client"
	RoleStaff     = "atrium_staff"
)

var (
	allRoles    = []string{RoleOwner, RoleProjector, RoleSealer, RoleApp, RoleClient, RoleStaff}
	readerRoles = []string{RoleClient, RoleStaff}
)

// Options for Connect; the zero value is good.
type Options struct {
	// Readers is the size of each of the two reader pools; 0 means four per processor, at least 8.
	Readers int
	// Tracer is told of every statement; nil: nobody is.
	Tracer pgx.QueryTracer
}

// Connect opens the database named by url: a managed cluster's or any Postgres from version 15 on. It makes the
// roles when they are missing, and checks that each pool can log in. The user in url needs to be superuser, or to
// have CREATEROLE and to own the database. Errors are one sentence with the cure, never with the password.
func Connect(ctx context.Context, url string, o Options) (*Pools, error) {
	admin, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("the database URL is not valid, write postgres://user:password@host:5432/name: %w", err)
	}
	if admin.ConnConfig.ConnectTimeout == 0 {
		admin.ConnConfig.ConnectTimeout = 10 * time.Second
	}
	if err := provision(ctx, admin.ConnConfig); err != nil {
		return nil, err
	}
	p, err := open(ctx, admin, o)
	if err != nil {
		return nil, err
	}
	err = p.ping(ctx)
	if refused(err) {
		// The password in the URL was changed, or somebody made the roles by hand.
		if err = resetLogins(ctx, admin.ConnConfig); err == nil {
			err = p.ping(ctx)
		}
	}
	if refused(err) {
		err = fmt.Errorf("postgres does not let Atrium's roles log in: put a password into the database URL (theirs derive from it) and allow password logins in pg_hba.conf: %w", err)
	}
	if err != nil {
		p.Close()
		return nil, err
	}
	return p, nil
}

// open makes the pools; they connect when first used.
func open(ctx context.Context, admin *pgxpool.Config, o Options) (*Pools, error) {
	readers := o.Readers
	if readers == 0 {
		readers = max(8, 4*runtime.GOMAXPROCS(0))
	}
	p := new(Pools)
	for _, pool := range []struct {
		to         **pgxpool.Pool
		role, path string
		size       int
	}{
		{&p.Owner, RoleOwner, "", 4},
		{&p.Projector, RoleProjector, "", 4},
		{&p.Sealer, RoleSealer, "", 4},
		{&p.App, RoleApp, "ops", 8},
		{&p.ClientReader, RoleClient, "read, public", readers},
		{&p.StaffReader, RoleStaff, "read, public", readers},
	} {
		cfg := admin.Copy()
		cfg.MaxConns = int32(pool.size)
		cfg.MinConns = 0
		cfg.ConnConfig.Tracer = o.Tracer
		cfg.ConnConfig.User = pool.role
		cfg.ConnConfig.Password = loginPassword(admin.ConnConfig.Password, pool.role)
		cfg.ConnConfig.RuntimeParams["application_name"] = pool.role
		cfg.ConnConfig.RuntimeParams["timezone"] = "UTC"
		if pool.path != "" {
			cfg.ConnConfig.RuntimeParams["search_path"] = pool.path
		}
		var err error
		if *pool.to, err = pgxpool.NewWithConfig(ctx, cfg); err != nil {
			p.Close()
			return nil, err
		}
	}
	return p, nil
}

func (p *Pools) all() []*pgxpool.Pool {
	return []*pgxpool.Pool{p.Owner, p.Projector, p.Sealer, p.App, p.ClientReader, p.StaffReader}
}

// ping logs in once per pool.
func (p *Pools) ping(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, pool := range p.all() {
		group.Go(func() error { return pool.Ping(ctx) })
	}
	return group.Wait()
}

// Close closes all pools; it waits for borrowed connections to come back.
func (p *Pools) Close() {
	for _, pool := range p.all() {
		if pool != nil {
			pool.Close()
		}
	}
}

// refused recognises a failed login: a wrong password, or a role that may not log in.
func refused(err error) bool {
	code := sqlState(err)
	return code == "28P01" || code == "28000"
}

// sqlState is the five-character code of a Postgres error, or empty.
func sqlState(err error) string {
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		return pg.Code
	}
	return ""
}

// server is what a first look at the database tells.
type server struct {
	version    int // server_version_num: 150018 is 15.18
	name       string
	encoding   string
	standby    bool
	database   string
	user       string
	roles      int  // how many of ours exist
	builds     bool // the owner may make schemas
	connecting bool // all of them may connect and use temporary tables
}

func inspect(ctx context.Context, conn *pgx.Conn) (server, error) {
	var s server
	err := conn.QueryRow(ctx, `
		SELECT current_setting('server_version_num')::int, current_setting('server_version'),
		       current_setting('server_encoding'), pg_is_in_recovery(), current_database(), current_user,
		       count(*)::int,
		       coalesce(bool_or(rolname = $2 AND has_database_privilege(oid, current_database(), 'CREATE')), false),
		       coalesce(bool_and(has_database_privilege(oid, current_database(), 'CONNECT')
		                         AND has_database_privilege(oid, current_database(), 'TEMPORARY')), false)
		FROM pg_catalog.pg_roles WHERE rolname = ANY($1)`, allRoles, RoleOwner).
		Scan(&s.version, &s.name, &s.encoding, &s.standby, &s.database, &s.user, &s.roles, &s.builds, &s.connecting)
	return s, err
}

// fit refuses servers we cannot run on.
func (s server) fit() error {
	switch {
	case s.version < oldestMajor*10000:
		return fmt.Errorf("the database runs Postgres %s, which is too old: upgrade it to %d or newer", s.name, oldestMajor)
	case s.standby:
		return fmt.Errorf("the database is a read-only standby: name its primary in the database URL")
	case s.encoding != "UTF8":
		return fmt.Errorf("the database is encoded in %s: make one with CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0", s.encoding)
	}
	return nil
}

// provisioned reports whether all roles exist and have what they need.
func (s server) provisioned() bool { return s.roles == len(allRoles) && s.builds && s.connecting }
