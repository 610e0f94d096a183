package postgres

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// ManageOptions say where a private cluster lives.
type ManageOptions struct {
	// Dir holds the cluster and nothing else; it is made when missing.
	Dir string
	// Logger receives the server's messages; nil means none.
	Logger *slog.Logger
	// Unsafe turns durability off, for throw-away test clusters only.
	Unsafe bool
	// Wait is how long a predecessor that is just ending may hold the folder; 0 means 5 s.
	Wait time.Duration
}

// Cluster is a running private Postgres. It ends with this process, however that ends; the next Manage on the
// same folder recovers it.
type Cluster struct {
	folder folder
	lock   *os.File
	data   *os.File
	as     account
	bin    binaries
	args   []string
	host   string
	log    *slog.Logger

	end  context.CancelFunc // stop the server in order
	quit chan struct{}      // stop it at once
	done chan struct{}      // closed when it has stopped; err is set then
	err  error
}

// longestWait bounds the pauses before a server that keeps dying is started again. One that stayed up for that long is started
// at once.
const longestWait = 5 * time.Second

// Manage starts the private cluster in o.Dir, making it first when the folder is empty, and waits until it accepts
// connections. The newest installed Postgres is used, or the one that made the data. Works as an ordinary user
// and as root, who hands the data to user postgres. Errors are one sentence with the cure.
func Manage(ctx context.Context, o ManageOptions) (*Cluster, error) {
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return nil, err
	}
	log := o.Logger
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	wait := o.Wait
	if wait == 0 {
		wait = defaultWait
	}
	c := &Cluster{
		folder: folder{dir: dir, wait: wait, log: log}, log: log,
		quit: make(chan struct{}), done: make(chan struct{}),
	}
	if c.lock, err = c.folder.lock(ctx); err != nil {
		return nil, err
	}
	server, err := c.open(ctx, !o.Unsafe)
	if err != nil {
		c.release()
		return nil, err
	}
	lifetime, end := context.WithCancel(context.WithoutCancel(ctx))
	c.end = end
	go c.supervise(lifetime, server)
	return c, nil
}

// open prepares the folder and starts the server.
func (c *Cluster) open(ctx context.Context, durable bool) (*process, error) {
	made, owner, err := c.folder.inspect()
	if err != nil {
		return nil, err
	}
	if c.bin, err = findBinaries(made); err != nil {
		return nil, err
	}
	if c.as, err = chooseAccount(owner); err != nil {
		return nil, err
	}
	if err := c.folder.clear(ctx, c.as); err != nil {
		return nil, err
	}
	if err := c.folder.clean(); err != nil {
		return nil, err
	}
	if made == 0 {
		if err := c.folder.create(ctx, c.bin, c.as, durable); err != nil {
			return nil, errors.Join(err, c.folder.clean())
		}
	} else if err := c.folder.hand(owner, c.as); err != nil {
		return nil, err
	}
	if c.data, err = os.Open(c.folder.data()); err != nil {
		return nil, err
	}
	c.host = socketHost(c.data)

	c.args = []string{"-D", childFolder}
	for _, setting := range settings {
		c.args = append(c.args, "-c", setting)
	}
	if !durable {
		for _, setting := range unsafeSettings {
			c.args = append(c.args, "-c", setting)
		}
	}
	return c.start(ctx)
}

// start runs one server and waits until it is ready. The parent-death signal is the immediate stop: the next
// start replays the log, and nobody waits for a farewell checkpoint.
func (c *Cluster) start(ctx context.Context) (*process, error) {
	server, err := launch(c.as, syscall.SIGQUIT, c.data, c.log, c.bin.path("postgres"), c.args...)
	if err != nil {
		return nil, err
	}
	return server, server.ready(ctx, c.folder.data())
}

// supervise starts the server again when it dies alone, until the cluster is stopped. It never gives up: a disk that was
// full or failed for an hour may be well again, and until then the program says that it cannot do what needs its database.
func (c *Cluster) supervise(lifetime context.Context, server *process) {
	defer close(c.done)
	defer c.release()
	started, wait := time.Now(), time.Duration(0)
	for {
		var reason error
		select {
		case <-lifetime.Done():
			c.err = c.shutDown(server)
			return
		case <-server.exited:
			reason = server.reason()
		}
		if time.Since(started) > longestWait {
			wait = 0
		}
		for again := true; again; {
			if lifetime.Err() != nil {
				return
			}
			c.log.Error("the managed Postgres ended unexpectedly; starting it again", "folder", c.folder.dir, "reason", reason, "after", wait)
			select {
			case <-lifetime.Done():
				return
			case <-time.After(wait):
			}
			wait = min(2*wait+100*time.Millisecond, longestWait)
			started = time.Now()
			if reason = c.folder.clear(lifetime, c.as); reason == nil {
				server, reason = c.start(lifetime)
			}
			again = reason != nil
		}
	}
}

// shutDown asks the server to close all connections, write a checkpoint and end; quit cuts that short.
func (c *Cluster) shutDown(server *process) error {
	_ = server.cmd.Process.Signal(syscall.SIGINT) // fails only when it has ended already
	select {
	case <-server.exited:
		return server.err
	case <-c.quit:
		_ = server.cmd.Process.Signal(syscall.SIGQUIT)
		<-server.exited
		return errors.New("the managed Postgres was stopped at once; its next start will recover")
	}
}

func (c *Cluster) release() {
	if c.data != nil {
		c.data.Close()
	}
	c.lock.Close()
}

// Stop ends the cluster in order, and at once when ctx ends first (nothing committed is lost). It may be called again.
func (c *Cluster) Stop(ctx context.Context) error {
	c.end()
	select {
	case <-c.done:
	case <-ctx.Done():
		select {
		case c.quit <- struct{}{}:
		case <-c.done:
		}
		<-c.done
	}
	return c.err
}

// URL connects as the cluster's superuser to its database; it stays valid until Stop. Other processes of this user
// may use it too.
func (c *Cluster) URL() string {
	q := url.Values{"host": {c.host}, "port": {"5432"}}
	return (&url.URL{Scheme: "postgres", User: url.User(superuser), Path: "/postgres", RawQuery: q.Encode()}).String()
}

// socketHost is the folder in which clients find the socket. The kernel allows 107 bytes; below a longer path
// they go through our own descriptor of the folder.
func socketHost(data *os.File) string {
	if len(data.Name()+"/.s.PGSQL.5432") <= 107 {
		return data.Name()
	}
	return fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), data.Fd())
}
