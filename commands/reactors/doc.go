// Package reactors holds the policies: whenever this fact, then that command or effect; at this time, that command.
//
// A reactor is not a projection. It has a checkpoint of its own and is never rebuilt. What it does carries an id derived
// from its cause, so doing it again does nothing. One whose effects leave the house (mail, payments) starts at the end of
// the log when it first runs; FollowUps starts at the beginning.
//
// It may import commands and domain. Ports (Checkpoints, Receivables, Gateway, OpenAttempts, Post, Readers) are as small as the need; adapters live in cmd.
//
// To add one: a file with a struct that has Name and Handle (or Run, for one that waits for a time), and an entry in
// cmd/atrium's serve.
package reactors
