package eventlog

import (
	"errors"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/atrium-portal/atrium/commands"
)

// noCode is what code returns for errors that are not the client's.
const noCode esdb.ErrorCode = -1

func code(err error) esdb.ErrorCode {
	var e *esdb.Error
	if !errors.As(err, &e) {
		return noCode
	}
	return e.Code()
}

// grpcCode is the status under an error of the client, which knows no code of its own for many of them.
func grpcCode(err error) codes.Code {
	var e *esdb.Error
	if errors.As(err, &e) && e.Err() != nil {
		err = e.Err()
	}
	return status.Code(err)
}

// appendFailure says what a failed append means: somebody else was first, surely not stored, or nobody knows.
func appendFailure(stream string, expected int64, err error) error {
	if errors.Is(err, errNotBegun) {
		return &commands.Rejected{Err: err}
	}
	switch code(err) {
	case esdb.ErrorCodeWrongExpectedVersion:
		return &commands.Conflict{Stream: stream, Expected: expected}
	case esdb.ErrorCodeStreamDeleted, esdb.ErrorCodeNotLeader, esdb.ErrorCodeConnectionClosed, esdb.ErrorCodeUnauthenticated,
		esdb.ErrorCodeAccessDenied, esdb.ErrorCodeUnsupportedFeature, esdb.ErrorCodeResourceNotFound, esdb.ErrorCodeResourceAlreadyExists:
		return &commands.Rejected{Err: err}
	default:
	}
	switch grpcCode(err) {
	case codes.ResourceExhausted:
		return &commands.Rejected{Full: true, Err: err}
	case codes.InvalidArgument, codes.FailedPrecondition, codes.OutOfRange:
		return &commands.Rejected{Err: err}
	default:
		return &commands.Unknown{Stream: stream, Err: err}
	}
}
