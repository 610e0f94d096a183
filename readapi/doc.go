// Package readapi answers questions: the JSON routes below /api/v1, their history, their description, and what else a
// program needs of the HTTP side (health, docs, server-sent events).
//
// # What lives here
//
//   - Router and Options: everything under /api, /healthz and /readyz, with the ports it asks through.
//   - query.go: the one way to the database. A reading is a batch: begin, the scope's settings, the checkpoint, the
//     statements, commit; one round trip, as the role of the reader.
//   - view.go: a struct that is shown is also how it is read: its fields name their columns.
//   - collection.go: a collection is declared once; list, get, history and description follow from it.
//   - One file per family: its views, one for each kind of reader where they differ, and its collection.
//   - history.go, export.go, dashboard.go, me.go, events.go, evidence.go, ops.go: the routes that are not collections.
//   - upload.go: POST /uploads. What it takes is package upload's.
//   - Problem: errors as RFC 9457 documents, for commands/api too.
//   - auth: who asks, and what they may see.
//
// # What it may import
//
// The kernel of domain, pgx, chi and its rate limiter, go-json-experiment/json (encoding/json to be), huma's schema registry, the
// scripts of Swagger UI. Never commands, projections or an adapter: with the projections it shares only the tables of schema
// read.
//
// # How to add a collection
//
// A file with its views and a function that gives a *collection, named in allCollections. Then say in the tests'
// authorisation matrix who sees what: until then they fail. A field of a view is a column of the query by its tag
// sql:"expression" (amounts: sql:"amount; currency"), NULL reads as the zero value; in SQL {firm}, {account},
// {contact}, {today} and so on stand for the caller's, $ for the value of a filter. Values never become text of SQL.
//
// # Rules
//
// Two locks on everything: the condition on firm and account in the query, and row-level security in the database, which
// also knows permissions, recipients and what is released.
// What only staff may see stands in views of its own, read from tables and columns that the role of clients is not
// granted. Whoever may not see a thing gets the very answer that a missing one gets. A contact without the permission
// for a kind of thing is told so, whatever they ask for.
//
// Where the firm does not show history, contacts get an empty history and no completed contracts, not an error: the
// thing is theirs, there is only nothing to tell.
//
// as_of= answers from the past: the same statements, with the tables as they were folded (asof.go) before the live ones.
// What somebody may see is decided by today's scope, and by what they see of the record today.
//
// # Decisions that closed a door
//
// Readers of both kinds log in as roles of their own instead of one role with a setting: a mistake in a setting then
// shows clients nothing that staff may see. Cost: two pools.
//
// A reading is repeatable read, so that all of an answer, and the position it names, are of one moment. Cost: two more
// statements in the batch.
//
// Pages go by keys, never by offset: page 1,000 costs what page 1 costs and nothing is shown twice or skipped while
// rows come and go. Cost: nobody can jump to page 1,000, and there is no total.
//
// Who somebody is and what they may do is asked of the write side at every request, never of the read models, which may
// be behind. Cost: two or three reads of streams per request.
//
// Exports hold a database connection for as long as their reader reads; so there are few at a time, and one that stalls
// is ended. The alternative, reading page by page, would mix moments.
package readapi
