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
// # What lives here
//
//   - Leaf, Checkpoint, keys: the forms that are hashed and signed.
//   - Store: the port to where logs are kept; Sealer adds to them, fenced, a batch in one transaction.
//   - Comparison: the ends of event store, logs, keys and witness at a start; Acknowledge opens an epoch after a loss.
//   - Monitor: everything computed anew and compared.
//   - Witness, and the Courier that brings it checkpoints.
//   - Hashes: the tree of a stored log for the proofs of package tlog.
//
// evidencetest has a store in memory and the suite for others. Package bundle has what is handed out.
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
//   - Of the tree only levels from 8 up are stored; lower hashes are computed from at most 256 leaves. A leaf is one row
//     instead of two, and a proof reads a few hundred.
//   - A restored event store does not shorten a log. The old epoch stays as it was sealed; the first leaf of the next one
//     says how it ended and which leaves have no event any more. Revisions may repeat, epochs do not.
//   - All logs of an installation share a key, under the name of each log: a witness then needs to be told of one key and not of
//     each firm. The key is one of several generations; a new epoch may begin with the next.
//   - The sealer goes on only from what it would compute itself: a gap in a stream or an event that comes again changed
//     stops it, loudly, because a sealed mistake cannot be taken back.
//   - One log per firm and epoch, named by the origin line: a firm can leave with its proof, and sizes do not leak
//     between firms.
package evidence
