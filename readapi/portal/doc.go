// Package portal has the pages that people see: those for clients at /, and the staff console below /staff.
//
// # What lives here
//
//   - Router and Options: all pages with what they ask through. client.go and staff.go list the routes.
//   - visit.go: one request of somebody who is signed in: who they are, what their page reads, the frame around it.
//   - meanwhile.go: two people at one draft. notifications.go: which mails a contact gets.
//   - form.go: what was typed, what is wrong with it, and the way from a form to a command and on to the next page.
//   - One file per family of pages: a struct for each page, the handler that fills it, and in the .templ file of the
//     same name the components that show it. Files of the console begin with staff_.
//   - entries.go, prose.go, parts.go: history, contracts and small things as people read them.
//   - ui: the design system. signin: getting in and out. portaltest: a browser for tests.
//
// # What it may import
//
// readapi, auth and upload for what pages show and take, commands and domain for what forms give, templ, chi. Never pgx: what a page
// needs to read, readapi reads.
//
// # How to add a page
//
// A struct, a handler and a component in the file of its family, a line in the list of routes, and a line in the table
// of the access tests, which fail until it says who may use it. A handler asks for all that it needs (readapi.List, Get,
// History …) and then reads once: a page is one round trip. A page with a form is two functions: one that shows it,
// with or without mistakes, and one that makes a command of it. `make generate` writes the Go files of components.
//
// # Rules
//
// Every form carries a key that is made with its page and becomes the id of its command, so that a form that is sent
// twice takes effect once. After the command the answer waits until the read models have it, and redirects. What is
// wrong is said at its field, with all that was typed still there. Whatever cannot be undone is asked for on a page of
// its own, which says what will happen; the script shows it as a dialog.
//
// Pages decide nothing. Who may see and do what is decided by readapi and by the commands; a page that hides a button
// only saves its reader a refusal.
//
// # Decisions that closed a door
//
// Forms fill the structs of the commands, so this room may import the aggregates. A page that named a command and its
// fields as text would find out about a mistake only when somebody sends the form. Cost: the room knows more packages.
//
// A page is written whole before any of it is sent. So a failure is a page of its own with its own status. Cost: the
// reader sees nothing until all of it was read.
//
// What was done is said on the next page by a word in a cookie, never by text in the address. Cost: a table of texts.
package portal
