// Package signin has the pages for getting in and out: sign-in by link, code, password or passkey, the second factor,
// the first password, how one signs in (devices, passkeys, recovery codes), and the staff's part of it (invitations,
// resets, previews).
//
// # What lives here
//
//   - Pages.Routes puts the pages on a router. It brings no middleware of its own: the portal's router has request ids,
//     headers, the check for requests from other sites and the limit on bodies.
//   - One file per family of pages: its handlers, and its components in the .templ file of the same name.
//   - ToSignIn sends whoever is not signed in to the sign-in page.
//
// Every decision is package door's; here is only how people meet it. It may import door, auth, the components of ui and
// chi.
//
// # Rules
//
// A GET changes nothing: mail scanners follow links. Whatever came of a POST is a redirect, but for what is shown only
// once: recovery codes and one-time passwords. Every page works without script; without it the fragment of a link cannot
// be read, so the page asks for the code of the same mail.
//
// # Decisions that closed a door
//
// The session's cookie and the browser's have the prefix __Host-, so they need a secure connection. Browsers take
// localhost for one; a portal on plain HTTP under any other name lets nobody in. That is wanted.
package signin
