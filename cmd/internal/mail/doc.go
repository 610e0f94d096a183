// Package mail sends what waits in the outbox: over SMTP where a server is configured, otherwise as .eml files in a
// folder, with a mailbox page for development.
//
// A mail is sent at least once. Its Message-ID is made of its id, so that a second copy, after a crash between sending
// and forgetting, is recognised by mail programs as the same mail. A failure is tried again after a pause that grows from
// ten seconds to an hour; mail that is of no use any more, such as a sign-in link that is too old, is dropped by the
// outbox.
//
// It may import the mail library. To add a way to send, write a Transport.
package mail
