// Package eventnode is the embedded event node: it serves EventStoreDB's gRPC protocol from a Pebble store in a folder, so that
// the official client works without a server to install. It serves streams (append, read, subscribe, delete, tombstone,
// metadata), server features and gossip, over TLS and with passwords where other machines reach it. It does not offer batch append,
// persistent subscriptions, projections, or rights of single users.
//
// # What lives here
//
//   - node.go, listen.go, secure.go: Start, Close, where it listens and who may call.
//   - service.go, append.go, decode.go, query.go, errors.go: the protocol's messages turned into requests, and answers into messages.
//   - writer.go, decide.go: the one goroutine that appends; what becomes of a request.
//   - read.go, subscribe.go, filter.go, page.go, codec.go: cursors over the log and how their events reach the wire.
//   - store.go, reader.go, keys.go, record.go, metadata.go: what is on disk and how it is looked at.
//   - backup.go: copies of the log while it is written to; metrics.go: size and health for Prometheus.
//   - limit.go: what the machine allows, for the benchmarks.
//
// # What it may import
//
// Pebble, grpc, Prometheus' client, and the protocol's generated messages from the official client's module. No other room and no
// other adapter.
//
// # How to add a method of the protocol
//
// Check its message in query.go or append.go, give it to the writer or to a cursor, put its refusals with their trailers into
// errors.go, list it in GetSupportedMethods, and test it with the official client.
//
// # Decisions that closed a door
//
//   - One writer gives out positions in durable order. Context: the commonest fault of projections is to pass a position that
//     becomes visible late. Choice: a single goroutine, group commit, and a durable line that readers never look past. Cost: all
//     appends share one processor core; the protocol around them costs more than that.
//   - Events are stored as the bytes of the reply, less the id. Context: reading is what replays do all day. Choice: splice
//     stored bytes into replies past the protobuf codec. Cost: the layout on disk follows the protocol's message.
//   - Appends are decoded by hand where they lie, when they have the form that clients write; the generated code decodes the rest.
//     Context: the generated code makes a dozen objects per event. Cost: two decoders, which a fuzz target holds against each other.
//   - A group closes when no more requests come while others run, never after a time. Context: any wait in milliseconds shows in the
//     time of a lone append. Cost: how many share an fsync depends on how busy the machine is.
//   - Below the low-water mark nothing is stored, before the disk is full in fact. Context: a log that meets a full disk in the
//     middle of a write must close until a restart. Cost: 256 MiB that are never used.
//   - Ids are indexed on disk, a third key per event. Context: servers recognise a repeat under "any" only from memory, until a
//     restart. Choice: always. Cost: some 70 bytes per event.
//   - A subscription is a cursor that waits, with no buffer of live events. Cost: each wake reads from Pebble's memory again.
//   - A failed write or fsync closes the log for writing until a restart. Context: after a failed fsync nobody knows what is on
//     the disk, and a second fsync may lie. Cost: an outage where a retry might have worked.
//   - Nothing is ever scavenged: deleted and expired events only stop showing, as on a server before its scavenge.
//   - Filters run on Go's regular expressions: no look-around or back references (refused), and \d, \w and \s mean ASCII.
package eventnode
