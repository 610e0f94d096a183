// Package commands is the write side: it turns a command into events in the log.
//
// The loop: authorise -> check references -> load and fold -> decide -> append with an exact expected revision ->
// reply with the position. On a conflict it reloads and decides again; on a lost reply it reads the stream and looks
// for its own events, because a timeout means unknown, never failed. A command id that is already in the stream is
// answered from the stream, so a command sent twice takes effect once, also after a restart.
//
// # What lives here
//
//   - Menu: the list of commands, each with its aggregate and who may use it. menu_*.go is the table of contents.
//   - Loop: Dispatch and State.
//   - Log: the port to the event store. Replies: the port that remembers answers to idempotency keys.
//   - api: POST /api/v1/commands/{Name}, derived from the menu. commandstest: in-memory log and conformance suite.
//
// # What it may import
//
// domain and its aggregates. Never pgx, the event store's client, watermill, chi or net/http.
//
// # How to add a command
//
// A struct with Decide in its aggregate's package, and one line in the menu.
//
// # Decisions that closed a door
//
//   - Expected revisions are exact; "any" cannot be expressed. Two commands that do not really conflict are decided
//     again instead, at the cost of one reload.
//   - Commands on one stream run one after the other within a process (a lock per stream), so that a hot stream costs
//     no conflicts; between processes the expected revision decides.
package commands
