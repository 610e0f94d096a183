// Package auth finds out who makes a request and what they may see: the scope.
//
// Whoever shows a credential is looked up twice: where credentials are kept (a token, later a session), and on the
// write side as it is now. So freezing a contact, revoking portal access or deactivating a staff member acts on their
// next request, however far behind the read models are.
//
// # What lives here
//
//   - Scope, In, From: the scope and its place in the request's context.
//   - Authenticate: the middleware. An Identify reads one kind of credential; Bearer reads API tokens.
//   - Tokens, People: the ports to tokens and to the write side.
//   - Problem: how an error is written; package readapi has it.
//
// It may import domain and chi. To add a kind of credential, write an Identify and pass it to Authenticate.
package auth
