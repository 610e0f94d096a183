package eventnode

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// maxSocketPath is what the operating system allows for the path of a unix socket, with its final zero.
const maxSocketPath = 107

// socketPrefix begins the address of a unix socket.
const socketPrefix = "unix:"

// listen opens the address.
func listen(ctx context.Context, address string) (net.Listener, error) {
	if path, ok := strings.CutPrefix(address, socketPrefix); ok {
		return listenUnix(ctx, strings.TrimPrefix(path, "//"))
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("the event node cannot listen on %q; write it as 127.0.0.1:2113 or unix:/path/to.sock", address)
	}
	if host == "localhost" {
		host = "127.0.0.1"
	}
	var config net.ListenConfig
	l, err := config.Listen(ctx, "tcp", net.JoinHostPort(host, port))
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("the event node cannot listen on %s, because another process does; stop that one or choose another port", address)
	}
	if err != nil {
		return nil, fmt.Errorf("the event node cannot listen on %s: %w; choose another address", address, err)
	}
	return l, nil
}

func listenUnix(ctx context.Context, path string) (net.Listener, error) {
	if path != "" { // the URL tells clients an absolute path
		var err error
		if path, err = filepath.Abs(path); err != nil {
			return nil, err
		}
	}
	if path == "" || len(path) > maxSocketPath {
		return nil, fmt.Errorf("the event node cannot listen on the socket %q; its path must have between 1 and %d bytes", path, maxSocketPath)
	}
	var dialer net.Dialer
	if c, err := dialer.DialContext(ctx, "unix", path); err == nil {
		return nil, errors.Join(fmt.Errorf("the event node cannot listen on %s, because another process does; stop that one or choose another path", path), c.Close())
	} else if errors.Is(err, syscall.ECONNREFUSED) {
		// Left behind by a process that was killed.
		if err := os.Remove(path); err != nil {
			return nil, fmt.Errorf("the event node cannot replace the old socket %s: %w; remove it", path, err)
		}
	}
	var config net.ListenConfig
	l, err := config.Listen(ctx, "unix", path)
	if err != nil {
		return nil, fmt.Errorf("the event node cannot listen on %s: %w; choose another path", path, err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, errors.Join(fmt.Errorf("the event node cannot protect its socket: %w; choose another path", err), l.Close())
	}
	return l, nil
}
