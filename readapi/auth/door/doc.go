// Package door decides who gets in: sign-in links, codes, passwords, second factors, passkeys, sessions, previews. It
// knows no HTTP: package signin of the portal has the pages.
//
// # What lives here
//
//   - Keeper: everything that can happen at the door, one method each. Each leaves its fact in the record of access.
//   - Store and its parts: the ports to what is kept. Package postgres fills them.
//   - People, Journal, Post: the ports to the write side and to the mail.
//   - mails: what is written to people.
//
// It may import domain and its access facts, and the libraries for passwords, time-based codes, QR codes and passkeys.
//
// # Rules
//
// Whoever asks for a link gets the same answer, as fast, whether the address is known or not: the request is only
// noted, and looked at afterwards (Work). Nothing locks a person out: what is tried too often is slowed down, and a link
// always works. A link is used up by a POST of the browser that asked for it; any other browser needs the code of the
// same mail. A session gets a new secret whenever what it may do grows. No secret is kept as it is: tokens by their
// SHA-256, codes by an HMAC, passwords by argon2id.
//
// # Decisions that closed a door
//
// Sessions are rows of our own, not those of a session library. Those we looked at read the machine's clock, have one
// lifetime for everybody and keep their data in a blob; ours follow the program's clock, end later for clients than for
// staff, and can be listed and ended by their owner. Cost: the cookie is ours to get right; it is a few lines.
//
// A sign-in that lacks something (a second factor, a new password) is a session with a stage, which opens no page but
// the one that asks for it. The alternative, a second kind of cookie, would have needed the same rows.
//
// Codes have 8 digits and 5 tries, though 6 would do: with 5 links an hour somebody who keeps guessing for a year has
// a chance of one in 450, not of one in 4.
//
// The link carries its token in the fragment, which browsers send to nobody. Cost: without script the page cannot read
// it, and asks for the code instead.
package door
