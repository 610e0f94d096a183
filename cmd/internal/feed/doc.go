// Package feed brings the log to those who follow it: a Watermill subscriber over the official client's $all catch-up
// subscription, and the projections' Source for reading from the beginning.
//
// A message is a batch of events: one when the log is quiet, thousands while catching up. There is one message in
// flight per subscription, in the order of the log; it is acknowledged when its transaction has committed. The feed
// owns reconnecting: from what its consumer's own checkpoint says, with a client of its own, because the official
// client does not come back from every failure.
//
// It may import the official client, Watermill's message type, domain and projections (whose port and batch it fills).
//
// # Decisions that closed a door
//
//   - The position to resume from is asked of the consumer after every refusal and every cut. A consumer that was
//     fenced, rolled back or rebuilt so starts over where it is, at the cost of one query.
//   - Positions that the server announces between events are not used: they may be wrong, and nothing is lost by
//     looking at a stretch of foreign events again.
package feed
