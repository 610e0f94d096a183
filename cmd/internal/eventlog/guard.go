package eventlog

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
)

// errNotBegun marks a call that never reached the client: surely nothing was sent.
var errNotBegun = errors.New("the event store does not answer")

// session holds the client, makes a new one when the old one has closed itself, and bounds what is asked of it.
type session struct {
	connection string
	timeout    time.Duration
	slots      chan struct{} // one per call that runs, abandoned ones included
	calls      chan func()   // to the goroutines that make calls; they stay, because the client needs deep stacks
	stopped    chan struct{}

	mu     sync.Mutex
	client *esdb.Client
	closed bool
}

func (s *session) current() (*esdb.Client, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, errors.Join(errNotBegun, errors.New("the log was closed"))
	}
	return s.client, nil
}

// replace gives up a client that is closed.
func (s *session) replace(old *esdb.Client) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || s.client != old {
		return nil
	}
	client, err := newClient(s.connection, s.timeout)
	if err != nil {
		return err
	}
	s.client = client
	return old.Close() // wakes calls that wait inside it; guard catches how they end
}

// close waits for running calls, but not for ever, and closes the client. A client in which calls still wait is left alone:
// closing it would make them panic.
func (s *session) close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	s.mu.Unlock()
	defer close(s.stopped)
	patience := time.NewTimer(s.timeout)
	defer patience.Stop()
	for range cap(s.slots) {
		select {
		case s.slots <- struct{}{}:
		case <-patience.C:
			return nil
		}
	}
	return s.client.Close()
}

// run makes a call in a goroutine that waits for one, or in a new one. There are never more of them than slots.
func (s *session) run(call func()) {
	select {
	case s.calls <- call:
		return
	default:
	}
	go func() {
		for {
			call()
			select {
			case call = <-s.calls:
			case <-s.stopped:
				return
			}
		}
	}()
}

type outcome[T any] struct {
	value T
	err   error
}

// guard runs a call of the client, with the session's timeout, and returns when the context ends whether or not the client
// does. What the client panics with becomes an error.
func guard[T any](ctx context.Context, s *session, call func(context.Context, *esdb.Client) (T, error)) (T, error) {
	var none T
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	if err := ctx.Err(); err != nil {
		return none, errors.Join(errNotBegun, err)
	}
	if _, err := s.current(); err != nil {
		return none, err
	}
	select {
	case s.slots <- struct{}{}:
	case <-ctx.Done():
		return none, errors.Join(errNotBegun, ctx.Err())
	}
	done := make(chan outcome[T], 1)
	s.run(func() {
		defer func() { <-s.slots }()
		done <- attempt(ctx, s, call)
	})
	select {
	case out := <-done:
		return out.value, out.err
	case <-ctx.Done():
		return none, ctx.Err()
	}
}

// attempt makes the call. It tries again where it is sure that nothing was sent: with a new client when the old one is closed,
// and when the node has told the client which other node leads.
func attempt[T any](ctx context.Context, s *session, call func(context.Context, *esdb.Client) (T, error)) outcome[T] {
	const tries = 3
	for i := 1; ; i++ {
		client, err := s.current()
		if err != nil {
			return outcome[T]{err: err}
		}
		out := caught(ctx, client, call)
		again := false
		switch code(out.err) {
		case esdb.ErrorCodeNotLeader:
			again = true
		case esdb.ErrorCodeConnectionClosed:
			again = true
			if err := s.replace(client); err != nil {
				return outcome[T]{err: errors.Join(errNotBegun, err)}
			}
		}
		if !again || i == tries || ctx.Err() != nil {
			return out
		}
	}
}

func caught[T any](ctx context.Context, client *esdb.Client, call func(context.Context, *esdb.Client) (T, error)) (out outcome[T]) {
	defer func() {
		if cause := recover(); cause != nil {
			out.err = fmt.Errorf("the event store's client failed: %v", cause)
		}
	}()
	value, err := call(ctx, client)
	return outcome[T]{value, err}
}
