// Package eventlog is the official EventStoreDB client behind the port commands.Log. It talks to the embedded event node and to
// any EventStoreDB or KurrentDB server alike.
//
// # What lives here
//
//   - client.go: from a URL to a client, with the settings that keep it alive.
//   - log.go: Load and Append.
//   - guard.go: the bounds around each call; errors.go: what a failure means for the caller.
//
// # What it may import
//
// The official client, grpc's status, commands and domain.
//
// # How to add a call
//
// Run it inside guard with the client it is given, and say in errors.go what each of its failures means.
//
// # Decisions that closed a door
//
//   - Each call runs in a goroutine of the session, with a timeout outside the client. Context: while it looks for a node the client
//     does not look at contexts, and some of its calls wait for ever. Choice: give up from outside. Cost: one goroutine per call at
//     once, kept for later calls because its stack has grown, and abandoned ones until the node is back, so their number is bounded.
//   - The client looks for a lost node for ever. Context: by default it closes itself for good after a second. Cost: a log that
//     is closed while its node is away leaves the waiting calls behind, until the node is back or the process ends.
//   - A lost connection makes the outcome of an append unknown, even when nothing was sent. Context: the client's errors do not
//     tell. Cost: the caller reads the stream once more.
package eventlog
