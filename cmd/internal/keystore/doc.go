// Package keystore keeps the encryption keys of data subjects: the adapter behind domain.Keyring. Each subject's
// key is stored in ops.subject_key, wrapped with AES-256-GCM under one master key, which is a file beside the data
// and never in the database. Destroying a subject's key erases the person and leaves every event in place.
//
// It may import pgx and domain; only cmd imports it.
//
// Order of writing, so that a crash at any point loses nothing: the master key file is on disk before its
// fingerprint is in the database, the fingerprint before the first wrapped key, and a wrapped key before it is
// handed out to seal anything.
//
// # Decisions that closed a door
//
// One master key file for all firms of an installation, not one per firm: firms share a server anyway, and one file is
// one thing to back up. Cost: a firm that leaves with its events needs its subject keys wrapped anew. Keys for other
// purposes derive from it (the one that names login streams, say), so it cannot be exchanged by wrapping alone.
//
// Keys stay in memory for a few minutes, bounded in number. Replay opens millions of values, so a hit must not leave
// the process. Cost: after a destruction another process may open that person's values for as long (this one
// stops at once).
//
// A backup of the database alone opens nothing; neither does the file alone. Cost: both must be kept, apart. A backup
// also brings destroyed keys back: after a restore, destroy them again before serving, and keep no backup for
// longer than erasure is promised to take.
package keystore
