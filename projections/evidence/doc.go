// Package evidence makes the history provable: leaves, checkpoints, the Merkle log, bundles and their verification.
//
// Each stored event is a leaf of one Merkle log (RFC 6962) per firm; a checkpoint is the signed size and root of that
// log. From then on a proof of some twenty hashes shows that an event is in it, and another that a longer log starts
// with exactly the older one. A leaf also carries the hash of the previous leaf of its stream, so the file of one
// client is unbroken without showing anybody else's.
//
// What this shows to a third person, offline and years later: this event existed by this time, in this order,
// unchanged; nothing before it was removed; what is missing was removed by this authorised act. It makes tampering
// visible, not impossible, and it cannot show that what was entered was true.
//
// # What it may import
//
// The domain kernel, golang.org/x/mod and the standard library without network, database or files: readers and
// writers are arguments. The offline verifier is this package and a command line, so that an auditor can read it all.
//
// # Decisions that closed a door
//
//   - A leaf hashes the bytes the event store returns, never a struct encoded again: no key order, number format or
//     Unicode question, and code that changes cannot change the log. The cost is that an event can never be re-encoded.
//   - The position in the whole store is not in the leaf: it changes when events are copied to another node. The
//     leaf's own index is the order.
//   - One log per firm and epoch, named by the origin line: a firm can leave with its proof, and sizes do not leak
//     between firms.
package evidence
