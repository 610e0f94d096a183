// Package telemetry shows how the program does: figures for Prometheus on a registry of its own, and traces by
// OpenTelemetry from a request to the rows that it changes.
//
// Figures begin with atrium_. Labels are names from the program (routes as patterns, commands, handlers, codes), never
// what a request holds, so their number is bounded and nothing personal is in them.
//
// A trace crosses the log by the W3C traceparent in an event's metadata: the batch that folds the event links to the
// request that made it. Nothing is traced unless there is an address to send traces to.
//
// It may import the Prometheus and OpenTelemetry libraries, Watermill's message type, pgx, commands and projections,
// whose ports it wraps.
package telemetry
