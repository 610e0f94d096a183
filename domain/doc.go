// Package domain is the kernel: the types every aggregate is made of.
//
// Two ideas carry the product. A command is a pure decision, Decide(state, meta) -> events; an event is a fact
// stored for ever, and evolve(state, event) -> state folds it. Everything here is plain data and pure functions:
// time, identity and randomness are arguments, never calls.
//
// # What lives here
//
//   - Event, Aggregate: the shape of a consistency boundary; one package below this one for each.
//   - Codec: wire name <-> Go type, schema versions, upcasters, sealing of personal data.
//   - Meta: who, when, why, from where; set once at the edge.
//   - Fault: the one error type people see.
//   - Money, Decimal, Date, ID, Personal: values with rules.
//
// # What it may import
//
// The standard library without I/O, google/uuid, bojanz/currency and go-json-experiment/json (encoding/json to be). Never
// context, os, net, a driver or a clock.
// An aggregate imports only this package and refers to other aggregates by id.
//
// # How to add
//
// An event: a struct with EventType and Sentence in domain/<aggregate>, an entry in its Aggregate.Events, a case in
// evolve, a fold in projections, and `make golden` for its sample. A command: a struct with Decide (and Target when
// it acts on something that exists) and one line in the menu of package commands.
//
// # Decisions that closed a door
//
//   - Wire names are methods on the event type, written once and never derived from Go names, so a rename in Go can
//     not change what is stored.
//   - Ids are UUIDs made by the server and derived from the command id, so that a command sent twice names the same
//     new thing; the cost is that ids of commands with an idempotency key are hashes (version 5) and do not sort by time.
//   - Personal values are sealed field by field inside the event (AES-256-GCM, key per data subject), so erasing a
//     person is destroying a key; the cost is about 200 bytes per field.
package domain
