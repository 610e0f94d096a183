// Testpg runs a command, such as `go test ./...`, with a throw-away Postgres beside it:
//
//	go run ./cmd/testpg -- go test ./...
//
// Rooms whose tests need a database but may not import the adapter that manages one read its superuser's URL from
// ATRIUM_TEST_POSTGRES; each test makes a database of its own there. Atrium's roles exist, and on the throw-away
// server each may log in without a password. When the variable is set already, that server is used and kept.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"time"

	"github.com/atrium-portal/atrium/cmd/internal/postgres"
)

const variable = "ATRIUM_TEST_POSTGRES"

func main() {
	code, err := run(context.Background(), os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "testpg:", err)
	}
	os.Exit(code)
}

// run answers the exit code of the command; 1 when it could not be run, 2 when there is none.
func run(ctx context.Context, args []string) (code int, err error) {
	if len(args) > 0 && args[0] == "--" {
		args = args[1:]
	}
	if len(args) == 0 {
		return 2, errors.New("name a command to run, for instance `testpg -- go test ./cmd`")
	}
	// Caught before anything starts, so that an interrupt cannot leave the folder behind.
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(signals)

	url := os.Getenv(variable)
	if url == "" {
		dir, err := os.MkdirTemp("", "atrium-testpg-")
		if err != nil {
			return 1, err
		}
		defer os.RemoveAll(dir)
		log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
		cluster, err := postgres.Manage(ctx, postgres.ManageOptions{Dir: dir, Logger: log, Unsafe: true})
		if err != nil {
			return 1, err
		}
		defer stop(cluster)
		url = cluster.URL()
	}
	pools, err := postgres.Connect(ctx, url, postgres.Options{}) // makes the roles
	if err != nil {
		return 1, err
	}
	pools.Close()
	return command(args, url, signals)
}

// stop ends the cluster; its data is thrown away, so it may be cut short.
func stop(cluster *postgres.Cluster) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	_ = cluster.Stop(ctx)
}

// command runs args with the variable set. An interrupt from the terminal reaches the command by itself; we only
// outlive it, to tidy up. A request to terminate is passed on.
func command(args []string, url string, signals <-chan os.Signal) (int, error) {
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(), variable+"="+url)
	if err := cmd.Start(); err != nil {
		return 1, err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for {
		select {
		case s := <-signals:
			if s == syscall.SIGTERM {
				_ = cmd.Process.Signal(s) // fails only when it has just ended
			}
		case err := <-ended:
			if exit, ok := errors.AsType[*exec.ExitError](err); ok {
				return max(exit.ExitCode(), 1), nil // -1: killed by a signal
			}
			if err != nil {
				return 1, err
			}
			return 0, nil
		}
	}
}
