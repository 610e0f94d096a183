package postgres

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// childFolder is how a child names its data folder: the descriptor it inherits. A path would need every parent
// folder to be open to the server's user, and root's home is not; and no socket below it can be too long.
const childFolder = "/proc/self/fd/3"

const superuser = "atrium"

// settings trade nothing of durability for speed.
var settings = []string{
	"listen_addresses=", // unix socket only
	"unix_socket_directories=" + childFolder,
	"unix_socket_permissions=0700",
	"port=5432",
	"max_connections=100",
	"shared_buffers=192MB",
	"work_mem=16MB",
	"maintenance_work_mem=128MB",
	"effective_cache_size=1GB",
	"random_page_cost=1.1",
	"jit=off",                           // costs more than it gives on short queries
	"max_parallel_workers_per_gather=0", // likewise, and containers have little shared memory
	"wal_compression=on",
	"max_wal_size=1GB",                 // bounds recovery after a kill to a few seconds
	"recovery_init_sync_method=syncfs", // as does one call instead of one per file
	"synchronous_commit=on",
	"wal_level=minimal", // a table filled by COPY in the transaction that made it skips the log
	"max_wal_senders=0",
	"timezone=UTC",
	"lc_messages=C", // logLine reads the severities
	"log_timezone=UTC",
	"log_line_prefix=%b|",           // and which process speaks
	"log_error_verbosity=terse",     // details name values
	"log_min_error_statement=panic", // statements may hold personal data
	"cluster_name=atrium",
}

// unsafeSettings are for throw-away test clusters.
var unsafeSettings = []string{"fsync=off", "synchronous_commit=off", "full_page_writes=off"}

// environment is all a child gets: none of the caller's PG* variables.
var environment = []string{"LC_ALL=C.UTF-8", "TZ=UTC", "PATH=/usr/bin:/bin"}

// process is one running child.
type process struct {
	cmd    *exec.Cmd
	exited chan struct{} // closed when it has ended; err is set then
	err    error
	logged chan struct{} // closed when nobody writes to its standard error any more

	mu   sync.Mutex
	last string // the last fatal message
}

// launch starts a program on a data folder. Parent-death signals belong to the thread that forked, so the child's
// goroutine keeps its thread until the child has ended.
func launch(as account, onParentDeath syscall.Signal, folder *os.File, log *slog.Logger, program string, args ...string) (*process, error) {
	read, write, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(program, args...)
	cmd.Dir = "/"
	cmd.Env = environment
	cmd.ExtraFiles = []*os.File{folder}
	cmd.Stderr = write
	cmd.SysProcAttr = as.attributes(onParentDeath)

	p := &process{cmd: cmd, exited: make(chan struct{}), logged: make(chan struct{})}
	started := make(chan error)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		err := cmd.Start()
		started <- err
		if err == nil {
			p.err = cmd.Wait()
			close(p.exited)
		}
	}()
	err = <-started
	write.Close()
	if err != nil {
		read.Close()
		return nil, fmt.Errorf("cannot run %s as user %s: %w", program, as.name, err)
	}
	go p.forward(read, log)
	return p, nil
}

// forward copies the child's messages to the log until the last writer has gone.
func (p *process) forward(from io.ReadCloser, log *slog.Logger) {
	defer close(p.logged)
	defer from.Close()
	lines := bufio.NewScanner(from)
	for lines.Scan() {
		level, message, fatal := logLine(lines.Text())
		log.Log(context.Background(), level, message, "from", filepath.Base(p.cmd.Path))
		if fatal {
			p.mu.Lock()
			p.last = message
			p.mu.Unlock()
		}
	}
	_, _ = io.Copy(io.Discard, from) // a line beyond the scanner's limit must not block the writer
}

// logLine maps the server's severities to ours. What goes wrong in a client's session is told to the client, and a
// session also ends fatally at each ordinary stop; trouble elsewhere is told to nobody but the log.
func logLine(line string) (level slog.Level, message string, fatal bool) {
	if message, found := strings.CutPrefix(line, "initdb: error: "); found {
		return slog.LevelWarn, message, true
	}
	speaker, rest, found := strings.Cut(line, "|")
	if !found {
		// Before the server knows its settings, or a further line of a message.
		message, fatal := strings.CutPrefix(line, "postgres: ")
		return slog.LevelDebug, message, fatal
	}
	severity, message, _ := strings.Cut(rest, ":  ")
	switch {
	case severity == "PANIC":
		return slog.LevelError, message, true
	case speaker == "client backend":
		return slog.LevelDebug, message, false
	case severity == "FATAL":
		return slog.LevelWarn, message, true
	case severity == "ERROR", severity == "WARNING":
		return slog.LevelWarn, message, false
	}
	return slog.LevelDebug, message, false
}

// reason says why a child that has ended did so.
func (p *process) reason() error {
	if status, ok := p.cmd.ProcessState.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return p.err // what it said before has nothing to do with it
	}
	<-p.logged // it ended in order, so its own children have gone too
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.last != "":
		return errors.New(p.last)
	case p.err != nil:
		return p.err
	}
	return errors.New("it ended by itself")
}

// wait waits for a child that ends by itself; a cancelled context kills it.
func (p *process) wait(ctx context.Context) error {
	select {
	case <-p.exited:
	case <-ctx.Done():
		_ = p.cmd.Process.Kill()
		<-p.exited
		return ctx.Err()
	}
	if p.err != nil {
		return p.reason()
	}
	return nil
}

// ready waits until the server accepts connections. The server writes its state into its pid file, which unlike a
// trial connection leaves no noise in the log.
func (p *process) ready(ctx context.Context, data string) error {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	pid := strconv.Itoa(p.cmd.Process.Pid)
	for {
		lines := strings.Split(readLines(filepath.Join(data, "postmaster.pid")), "\n")
		if len(lines) >= 8 && lines[0] == pid && strings.TrimSpace(lines[7]) == "ready" {
			return nil
		}
		select {
		case <-p.exited:
			return fmt.Errorf("postgres did not start in %s: %w", data, p.reason())
		case <-ctx.Done():
			_ = p.cmd.Process.Signal(syscall.SIGQUIT)
			<-p.exited
			return fmt.Errorf("postgres was not ready in time in %s: %w", data, ctx.Err())
		case <-tick.C:
		}
	}
}
