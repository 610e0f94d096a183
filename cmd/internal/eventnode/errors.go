package eventnode

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"syscall"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// What the operating system answers when a lock is held elsewhere.
var (
	errAgain  error = syscall.EAGAIN
	errAccess error = syscall.EACCES
)

// refusal is a gRPC error with the trailers by which clients tell one refusal from another.
type refusal struct {
	code    codes.Code
	text    string
	trailer metadata.MD
}

func refuse(code codes.Code, text string, trailer ...string) *refusal {
	for i := 1; i < len(trailer); i += 2 {
		trailer[i] = headerSafe(trailer[i])
	}
	return &refusal{code: code, text: text, trailer: metadata.Pairs(trailer...)}
}

func (r *refusal) Error() string { return r.text }

// GRPCStatus is how the transport turns the refusal into an answer.
func (r *refusal) GRPCStatus() *status.Status { return status.New(r.code, r.text) }

// headerSafe escapes what may not stand in a trailer.
func headerSafe(v string) string {
	for i := range len(v) {
		if v[i] < ' ' || v[i] > '~' {
			return url.PathEscape(v)
		}
	}
	return v
}

// calls stands before every call: it asks for the password and puts the trailers of refusals into the answer. Clients look at
// the features and at gossip before they give a password.
type calls struct{ users users }

func (c calls) unary(ctx context.Context, req any, info *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (reply any, err error) {
	if _, ofStreams := info.Server.(service); ofStreams {
		err = c.users.admit(ctx)
	}
	if err == nil {
		reply, err = handle(ctx, req)
	}
	if r := (*refusal)(nil); errors.As(err, &r) {
		if failed := grpc.SetTrailer(ctx, r.trailer); failed != nil {
			return nil, failed
		}
	}
	return reply, err
}

func (c calls) stream(srv any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, handle grpc.StreamHandler) error {
	err := c.users.admit(stream.Context())
	if err == nil {
		err = handle(srv, stream)
	}
	if r := (*refusal)(nil); errors.As(err, &r) {
		stream.SetTrailer(r.trailer)
	}
	return err
}

func errInvalid(format string, args ...any) error {
	return refuse(codes.InvalidArgument, fmt.Sprintf(format, args...))
}

func errStreamDeleted(stream string) error {
	return refuse(codes.FailedPrecondition, fmt.Sprintf("Event stream '%s' is deleted.", stream),
		"exception", "stream-deleted", "stream-name", stream)
}

func errWrongVersion(stream string, expected expectation, current int64) error {
	return refuse(codes.FailedPrecondition,
		fmt.Sprintf("Delete failed due to WrongExpectedVersion. Stream: %s, Expected version: %d, Actual version: %d", stream, expected, current),
		"exception", "wrong-expected-version", "stream-name", stream,
		"expected-version", strconv.FormatInt(int64(expected), 10), "actual-version", strconv.FormatInt(current, 10))
}

func errNoExpectation() error {
	return errInvalid("A write needs an expected revision: a number, no stream, any, or stream exists.")
}

func errAppendSize() error {
	return refuse(codes.InvalidArgument, fmt.Sprintf("Maximum Append Size of %d Exceeded.", maxAppendSize),
		"exception", "maximum-append-size-exceeded", "maximum-append-size", strconv.Itoa(maxAppendSize))
}

func errMissingProperty() error {
	return refuse(codes.InvalidArgument, "A proposed event needs the metadata 'type' and 'content-type'.",
		"exception", "missing-required-metadata-property", "required-metadata-properties", metaType+","+metaContentType)
}

// errThrown is what the server answers to requests that its handler does not survive.
func errThrown(why string) error {
	return refuse(codes.Unknown, "Exception was thrown by handler. "+why)
}

func errShuttingDown() error {
	return refuse(codes.Unavailable, "The event node is shutting down; try again when it is back.")
}

func errClosedLog(cause error) error {
	return refuse(codes.Unavailable, fmt.Sprintf("The log is closed for writing after a failed write (%v); check the disk and restart the event node.", cause))
}

func errUnknownOutcome(cause error) error {
	return refuse(codes.Unavailable,
		fmt.Sprintf("Writing to disk failed (%v): the events may or may not be stored, and the log is closed for writing; check the disk and restart the event node.", cause))
}

func errStorageFull(free, low uint64) error {
	return refuse(codes.ResourceExhausted,
		fmt.Sprintf("The disk of the event store is nearly full: %d MiB are free and nothing is stored below %d MiB; make space and try again.", free>>20, low>>20))
}

func errRead(cause error) error {
	return refuse(codes.Internal, fmt.Sprintf("The event store cannot be read: %v", cause))
}

// statusOf turns the end of a call's context into an answer.
func statusOf(err error) error { return status.FromContextError(err).Err() }
