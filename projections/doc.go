// Package projections turns events into rows: the fold engine and one file per family of tables.
//
// A table declares its row type, its key for an event (by default the stream's id) and its fold, a pure function of
// one row and one event. The engine does the rest. For a batch of events it finds the touched keys, loads the rows it
// does not hold, folds in memory (many events on one row become one write), writes each table with one bulk statement,
// adds one history entry per event, moves the checkpoint by compare-and-set, and commits: one transaction. The same
// path serves live projection, rebuild beside the live tables, and the check that the rows say what the events say.
//
// # What lives here
//
//   - Define, Spec, Access, Key: how a table is declared. Tables lists them all.
//   - Engine: Open, Apply, Await, Retry, Rebuild, Rollback, Verify, Digest, Status. A build is its tables in one schema.
//   - AsOf, Past, Until, WhatIf: the same folds cut at an instant, or with hypothetical events; RebuildOnly one table.
//   - Source, Streams: the ports to the log; Source is the one for reading it from the beginning.
//   - Handler, Batch: the Watermill end of it.
//   - One file per family of tables: row types, folds, declarations.
//
// # What it may import
//
// domain and its aggregates, pgx, Watermill's message type. Never commands, readapi or an adapter.
//
// # How to add a table
//
// In its family's file: a row struct whose fields are the columns, a fold, and a declaration, which goes into the
// list. The columns follow from the Go types:
//
//	domain.ID uuid · strings text · integers and domain.Decimal bigint · bool boolean · domain.Date date ·
//	time.Time timestamptz · []string text[] · []domain.ID uuid[] · []byte bytea · any other struct, slice or map jsonb
//
// Tags: `db:"name"`, `db:"name,key"` for the primary key (first fields), `db:"name,null"` to store a zero as NULL. An id, a date
// or a time has no zero in Postgres: without null, a zero is a fault of the fold. In a primary table
// `history:"label"` marks the name of the record, `history:"money"` an amount in the row's currency column,
// `history:"-"` a field that history leaves out.
//
// Changing a row type or a declaration gives the build another name, so the next start rebuilds. A fold that changes
// without them raises the table's Version.
//
// # Rules of a fold
//
// It sees one row and one event: no SQL, no clock, no other row; joins belong to queries. The row it is given is its
// own copy to change, but the contents of its slices and maps are shared. A row fed by several streams must not depend
// on their order: a parked stream is applied later.
//
// # Decisions that closed a door
//
//   - Columns are derived from the row type instead of being written twice as DDL; the schema as SQL is in
//     testdata/schema.sql. The cost is that column types outside the list above need a generated column (Spec.Extra).
//   - The projector is the only writer of its tables, so a write-through row cache is coherent. Whoever else writes
//     (retry, swap) changes the fence in the checkpoint row and so makes a running projector start over from it.
//   - The compare-and-set on the checkpoint row is what keeps two projectors apart; a lease in front of it is comfort.
//     Taking the row's lock also stops the projector while a rebuild takes the last events: nothing falls between.
//   - COPY cannot write to tables under forced row-level security, so a build is loaded by COPY before it is protected
//     and by arrays after; both are one write of one work.
//   - A batch travels from feed to handler in the message's context, not as payload: both ends are in one process,
//     and encoding a thousand events only to decode them again would cost more than folding them.
//   - Nothing is skipped: an event that cannot be applied parks its stream, and a rebuild with parked streams does not
//     replace the live tables.
package projections
