// Package postgres is everything Atrium knows about a Postgres server: the managed private cluster that runs when
// no database is configured, the roles and their pools, the checks that those roles are safe to serve with, the
// migrations of the schemas ops and evidence, and the stores that live there (idempotency keys, API tokens, sealed logs).
//
// It may import pgx, goose and the rooms whose ports it fills; only cmd imports it.
//
// To add an ops table: a numbered file in migrations, with a grant to the role that uses it, and a store in a file
// of its own. A migration that has been released is never edited.
//
// # Roles
//
//	atrium_owner      owns the schemas and tables; migrations, building and swapping of read models
//	atrium_projector  writes rows of read
//	atrium_sealer     adds to evidence, and changes nothing there but how far it has come
//	atrium_app        reads and writes ops
//	atrium_client     reads what clients may read
//	atrium_staff      reads what staff may read
//
// None is superuser, bypasses row-level security or is a member of another. Row-level security is forced, so it binds
// the owner and the projector too: a table needs a policy for atrium_projector (USING (true) WITH CHECK (true)),
// and COPY, which Postgres refuses on a protected table, has to come before ENABLE ROW LEVEL SECURITY. Scope is
// passed by set_config(…, true) in the batch of the query, never by SET.
//
// # Decisions that closed a door
//
// One login per role, not SET ROLE on a shared login. Whoever may SET ROLE may also RESET it, so one injected
// statement would reach the owner. Cost: six pools.
//
// On an external server the passwords of the roles derive from the password in the database URL (HMAC-SHA256). Random
// ones would have to be stored, and shared among processes on several machines. Cost: after a change of that
// password all processes need the new URL, and two installations on one server must use the same user.
//
// The managed cluster trusts its socket, which sits in a folder that only its user and root may enter; it has no TCP
// port. Cost: none of its roles is safe from that user, who owns the files anyway.
//
// The server gets its data folder as an inherited descriptor (-D /proc/self/fd/3), not as a path. As root we run it
// as user postgres, who cannot walk through a closed home folder, and opening the home would weaken it. Cost: SHOW
// data_directory is not telling, and Linux only.
//
// The server dies with its program (a parent-death signal) and starts again when it dies alone. Two programs on
// one folder exclude each other by a file lock, which the kernel gives back at death, and no server starts beside
// processes of another; the process id in Postgres' own lock file, which a restarted container gives to anybody, is
// not believed. Cost: the data cannot live on a network file system without locks.
//
// wal_level is minimal: read models are built by COPY, which then skips the log. Cost: the managed cluster cannot be
// replicated or archived; who needs that names a server of their own.
//
// Locale C.UTF-8: sorting does not change with a system library, so indexes survive upgrades. Cost: lists sorted for
// people name a collation.
package postgres
