// Package feed brings the log to those who follow it: a Watermill subscriber over the official client's $all catch-up
// subscription, and the projections' Source for reading from the beginning.
//
// A message is a batch of events: one when the log is quiet, thousands while catching up; a feed may linger for more of
// them where nobody waits for what its consumer does. There is one message in
// flight per subscription, in the order of the log; it is acknowledged when its transaction has committed, and on
// shutdown it has a while to end. The feed owns reconnecting: from what its consumer's own checkpoint says, with a client
// of its own, because the official client does not come back from every failure. It looks at the log's head when
// nothing comes, because a subscription can be dead and not know it.
//
// It may import the official client, Watermill's message type, domain and projections (whose port and batch it fills).
//
// # Decisions that closed a door
//
//   - The position to resume from is asked of the consumer after every refusal and every cut. A consumer that was
//     fenced, rolled back or rebuilt so starts over where it is, at the cost of one query.
//   - Positions that the server announces between events are not used: servers have announced wrong ones, and
//     nothing is lost by looking at a stretch of foreign events again.
//   - Reading from the beginning is a subscription too, because only subscriptions are filtered by the server.
package feed
