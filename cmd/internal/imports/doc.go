// Package imports brings in what a firm's earlier billing product exported: a CSV file of clients or of invoices becomes
// commands, the same that people would give, by the actor "import".
//
// sheet.go reads the file, shapes.go knows which exports look how, values.go reads amounts and dates, clients.go and
// invoices.go make commands of what the rows say; invoiceninja.go and freshbooks.go know the columns of one product
// each. Run in imports.go ties them together and summary.go prints what came of it.
//
// It may import commands, domain and its aggregates; it knows no store. Only cmd imports it.
//
// To add a product: its shapes in shapes.go and a file that reads its rows.
//
// # Decisions that closed a door
//
// The id of every command derives from the firm and what the row names (the client's name, the invoice's number), so a
// second run of the same file finds everything done, and a run that was killed is continued by running it again. The
// cost: two clients of one name are one client, and a row that changed since is reported and not applied.
//
// Each account or invoice is decided in memory, all its commands in turn, before the first is given. What would be
// refused half-way is not begun; a dry run is the same without giving any.
//
// No figure is guessed. Where a file states a total and its lines come to another, the invoice is reported with both
// and left out.
package imports
