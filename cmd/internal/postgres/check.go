package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// CheckRoles refuses to serve when a reader role could see more than row-level security shows it: superuser,
// BYPASSRLS, any membership, anything owned, any right to write, to create, or into ops. Call it after the
// schemas are built. The error names each finding and its cure.
func (p *Pools) CheckRoles(ctx context.Context) error {
	for role, pool := range map[string]*pgxpool.Pool{RoleClient: p.ClientReader, RoleStaff: p.StaffReader} {
		var session, current string
		if err := pool.QueryRow(ctx, `SELECT session_user, current_user`).Scan(&session, &current); err != nil {
			return err
		}
		if session != role || current != role {
			return fmt.Errorf("unsafe role: the reader pool of %s runs as %s (session %s): connect without a pooler that maps users", role, current, session)
		}
	}
	rows, err := p.Owner.Query(ctx, unsafeRoles, readerRoles)
	if err != nil {
		return err
	}
	return findings(rows, "unsafe role")
}

const unsafeRoles = `
WITH reader AS (
	SELECT * FROM pg_catalog.pg_roles WHERE rolname = ANY($1)
), relation AS (
	SELECT c.oid, c.relowner, c.relkind, format('%I.%I', n.nspname, c.relname) AS name
	FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
	WHERE c.relpersistence <> 't' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
), finding (problem, cure) AS (
	SELECT rolname || ' is a superuser', 'ALTER ROLE ' || rolname || ' NOSUPERUSER' FROM reader WHERE rolsuper
	UNION ALL
	SELECT rolname || ' bypasses row-level security', 'ALTER ROLE ' || rolname || ' NOBYPASSRLS' FROM reader WHERE rolbypassrls
	UNION ALL
	SELECT rolname || ' may make roles or databases, or replicate', 'ALTER ROLE ' || rolname || ' NOCREATEROLE NOCREATEDB NOREPLICATION'
	FROM reader WHERE rolcreaterole OR rolcreatedb OR rolreplication
	UNION ALL
	SELECT rolname || ' is a member of ' || m.roleid::regrole, format('REVOKE %s FROM %s', m.roleid::regrole, rolname)
	FROM reader JOIN pg_catalog.pg_auth_members m ON m.member = reader.oid
	UNION ALL
	SELECT rolname || ' owns ' || relation.name, 'REASSIGN OWNED BY ' || rolname || ' TO atrium_owner'
	FROM reader JOIN relation ON relation.relowner = reader.oid
	UNION ALL
	SELECT rolname || ' owns schema ' || n.nspname, format('ALTER SCHEMA %I OWNER TO atrium_owner', n.nspname)
	FROM reader JOIN pg_catalog.pg_namespace n ON n.nspowner = reader.oid
	UNION ALL
	SELECT rolname || ' owns function ' || f.oid::regprocedure, format('ALTER ROUTINE %s OWNER TO atrium_owner', f.oid::regprocedure)
	FROM reader JOIN pg_catalog.pg_proc f ON f.proowner = reader.oid
	UNION ALL
	SELECT rolname || ' owns database ' || d.datname, format('ALTER DATABASE %I OWNER TO atrium_owner', d.datname)
	FROM reader JOIN pg_catalog.pg_database d ON d.datdba = reader.oid
	UNION ALL
	SELECT rolname || ' may create in database ' || current_database(), format('REVOKE CREATE ON DATABASE %I FROM PUBLIC, %s', current_database(), rolname)
	FROM reader WHERE has_database_privilege(reader.oid, current_database(), 'CREATE')
	UNION ALL
	SELECT rolname || ' may create in schema ' || n.nspname, format('REVOKE CREATE ON SCHEMA %I FROM PUBLIC, %s', n.nspname, rolname)
	FROM reader, pg_catalog.pg_namespace n
	WHERE n.nspname !~ '^pg_' AND n.nspowner <> reader.oid AND has_schema_privilege(reader.oid, n.oid, 'CREATE')
	UNION ALL
	SELECT rolname || ' may use schema ops', 'REVOKE ALL ON SCHEMA ops FROM PUBLIC, ' || rolname
	FROM reader, pg_catalog.pg_namespace n WHERE n.nspname = 'ops' AND has_schema_privilege(reader.oid, n.oid, 'USAGE')
	UNION ALL
	SELECT rolname || ' may write ' || relation.name, format('REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON %s FROM PUBLIC, %s', relation.name, rolname)
	FROM reader, relation
	WHERE relation.relkind IN ('r', 'p', 'v', 'f') AND relation.relowner <> reader.oid
	  AND (has_table_privilege(reader.oid, relation.oid, 'INSERT, UPDATE, DELETE, TRUNCATE')
	       OR has_any_column_privilege(reader.oid, relation.oid, 'INSERT, UPDATE'))
)
SELECT problem, cure FROM finding WHERE (SELECT NOT bool_or(rolsuper) FROM reader) OR problem LIKE '%superuser' ORDER BY 1`

// CheckTables refuses a schema in which a reader role could see foreign rows: a table it may SELECT without forced
// row-level security or without a policy for it, a view that runs with its owner's rights, a materialized view, a
// function that does (there, or anywhere a reader may call it), and, in any schema, an IMMUTABLE function that
// reads the scope, whose answer a cached plan would keep for the next caller. The error names each finding and
// its cure.
func (p *Pools) CheckTables(ctx context.Context, schema string) error {
	rows, err := p.Owner.Query(ctx, unsafeTables, schema, readerRoles)
	if err != nil {
		return err
	}
	return findings(rows, "unsafe schema "+schema)
}

const unsafeTables = `
WITH reader AS (
	SELECT oid, rolname FROM pg_catalog.pg_roles WHERE rolname = ANY($2)
), relation AS (
	SELECT c.*, format('%I.%I', n.nspname, c.relname) AS name
	FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
	WHERE n.nspname = $1
), readable AS (
	SELECT relation.*, reader.oid AS role, reader.rolname
	FROM relation, reader
	WHERE relation.relkind IN ('r', 'p', 'f') AND has_any_column_privilege(reader.oid, relation.oid, 'SELECT')
), own_function AS (
	SELECT f.*, n.nspname, n.oid AS schema
	FROM pg_catalog.pg_proc f JOIN pg_catalog.pg_namespace n ON n.oid = f.pronamespace
	WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
	  AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
	                  WHERE d.classid = 'pg_catalog.pg_proc'::regclass AND d.objid = f.oid AND d.deptype = 'e')
), finding (problem, cure) AS (
	SELECT DISTINCT name || ' has no row-level security', format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', name)
	FROM readable WHERE relkind <> 'f' AND NOT relrowsecurity
	UNION ALL
	SELECT DISTINCT name || ' does not force row-level security on its owner', format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', name)
	FROM readable WHERE relkind <> 'f' AND relrowsecurity AND NOT relforcerowsecurity
	UNION ALL
	SELECT name || ' has no policy for ' || rolname, format('CREATE POLICY … ON %s FOR SELECT TO %s USING (…)', name, rolname)
	FROM readable
	WHERE relkind <> 'f' AND relrowsecurity
	  AND NOT EXISTS (SELECT FROM pg_catalog.pg_policy y
	                  WHERE y.polrelid = readable.oid AND y.polpermissive AND y.polcmd IN ('r', '*')
	                    AND (y.polroles @> ARRAY[0::oid] OR y.polroles @> ARRAY[readable.role]))
	UNION ALL
	SELECT name || ' is a foreign table that ' || rolname || ' may read', format('REVOKE SELECT ON %s FROM PUBLIC, %s', name, rolname)
	FROM readable WHERE relkind = 'f'
	UNION ALL
	SELECT name || ' is a view with its owner''s rights', format('ALTER VIEW %s SET (security_invoker = true)', name)
	FROM relation
	WHERE relkind = 'v' AND NOT coalesce((SELECT option_value::boolean FROM pg_options_to_table(reloptions) WHERE option_name = 'security_invoker'), false)
	UNION ALL
	SELECT name || ' is a materialized view, which row-level security does not bind', format('DROP MATERIALIZED VIEW %s and use a table', name)
	FROM relation WHERE relkind = 'm'
	UNION ALL
	SELECT oid::regprocedure || ' is SECURITY DEFINER', format('ALTER ROUTINE %s SECURITY INVOKER', oid::regprocedure)
	FROM own_function
	WHERE prosecdef AND (nspname = $1 OR EXISTS (SELECT FROM reader
		WHERE has_schema_privilege(reader.oid, own_function.schema, 'USAGE') AND has_function_privilege(reader.oid, own_function.oid, 'EXECUTE')))
	UNION ALL
	SELECT oid::regprocedure || ' is IMMUTABLE and reads a setting', format('ALTER FUNCTION %s STABLE', oid::regprocedure)
	FROM own_function
	WHERE provolatile = 'i' AND CASE WHEN prokind = 'a' THEN false ELSE pg_get_functiondef(oid) ILIKE '%current_setting%' END
)
SELECT problem, cure FROM finding ORDER BY 1`

// findings turns rows of problem and cure into one error, or nil.
func findings(rows pgx.Rows, title string) error {
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (error, error) {
		var problem, cure string
		err := row.Scan(&problem, &cure)
		return fmt.Errorf("%s: %s: %s", title, problem, cure), err
	})
	if err != nil {
		return err
	}
	return errors.Join(list...)
}
