// Package witness is what carries package evidence's witness: its server and its disk, and the client by which the program
// asks one. The protocol is c2sp.org/tlog-witness (POST /add-checkpoint), and one route more for asking what the witness
// saw last (GET /last-checkpoint?origin=…).
//
// It may import package evidence; only cmd imports it.
//
// # Decisions that closed a door
//
// A witness knows one or a few log keys and watches every log that they sign: firms come and go, and each is a log. Cost:
// whoever holds such a key can fill the disk with new logs.
//
// A file for each log, replaced by rename, instead of a database: it is written a few times a second at most, and
// anybody can read it with a pager.
package witness
