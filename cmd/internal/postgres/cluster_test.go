package postgres_test

import (
	"bufio"
	"context"
	"io"
	"log/slog"
	"os"
	osexec "os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/atrium-portal/atrium/cmd/internal/postgres"
)

// manage starts a durable cluster and stops it after the test.
func manage(t *testing.T, dir string) *postgres.Cluster {
	t.Helper()
	c, err := postgres.Manage(t.Context(), postgres.ManageOptions{Dir: dir, Logger: testLog(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, c) })
	return c
}

func stop(t *testing.T, c *postgres.Cluster) {
	t.Helper()
	if err := c.Stop(context.Background()); err != nil {
		t.Error(err)
	}
}

// program is a separate process that manages a cluster.
type program struct {
	cmd   *osexec.Cmd
	stdin io.Closer
	lines *bufio.Scanner
}

// startProgram runs this test binary as a program on dir, as another user when as is given.
func startProgram(t *testing.T, dir string, as *syscall.Credential) *program {
	t.Helper()
	cmd := osexec.Command("/proc/self/exe") // a path would need its folders to be open to that user
	cmd.Dir = "/"
	cmd.Env = append(os.Environ(), helperFolder+"="+dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: as}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	return &program{cmd, stdin, bufio.NewScanner(stdout)}
}

// line is the next line the program prints: the cluster's URL or an error.
func (p *program) line() string {
	p.lines.Scan()
	return p.lines.Text()
}

// kill is kill -9.
func (p *program) kill() {
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
}

// serverPid reads the postmaster's process id.
func serverPid(t *testing.T, dir string) int {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, "data", "postmaster.pid"))
	if err != nil {
		t.Fatal(err)
	}
	line, _, _ := strings.Cut(string(b), "\n")
	pid, err := strconv.Atoi(line)
	if err != nil {
		t.Fatal(err)
	}
	return pid
}

// eventually polls until done, for what another process does.
func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	deadline := time.After(30 * time.Second)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("still waiting for: %s", what)
		}
	}
}

func TestClusterKeepsItsDataOverARestart(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "postgres")
	began := time.Now()
	c := manage(t, dir)
	t.Logf("empty start: %v", time.Since(began))
	exec(t, c.URL(), "CREATE TABLE kept AS SELECT 7 AS n")
	if got := value[string](t, c.URL(), "SHOW fsync"); got != "on" {
		t.Errorf("fsync = %s", got)
	}
	if got := value[string](t, c.URL(), "SHOW listen_addresses"); got != "" {
		t.Errorf("listens on %q", got)
	}
	if err := c.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := c.Stop(t.Context()); err != nil {
		t.Fatal("second stop:", err)
	}

	began = time.Now()
	c = manage(t, dir)
	t.Logf("warm start: %v", time.Since(began))
	if n := value[int](t, c.URL(), "SELECT n FROM kept"); n != 7 {
		t.Errorf("n = %d", n)
	}
}

func TestClusterInAVeryDeepFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), strings.Repeat("deep/", 40), "postgres")
	if err := os.CopyFS(dir, os.DirFS(template)); err != nil {
		t.Fatal(err)
	}
	c := manage(t, dir)
	if n := value[int](t, c.URL(), "SELECT 1"); n != 1 {
		t.Errorf("n = %d", n)
	}
}

func TestClusterStopsWithOpenConnections(t *testing.T) {
	dir := made(t)
	c, err := postgres.Manage(t.Context(), postgres.ManageOptions{Dir: dir, Unsafe: true})
	if err != nil {
		t.Fatal(err)
	}
	conn, err := pgx.Connect(t.Context(), c.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	stop(t, c)
	manage(t, dir) // it has let go of the folder
}

func TestClusterStopsAtOnceWhenTimeIsUp(t *testing.T) {
	dir := made(t)
	c, err := postgres.Manage(t.Context(), postgres.ManageOptions{Dir: dir, Unsafe: true})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_ = c.Stop(ctx) // in order or at once, whichever came first
	manage(t, dir)  // it has let go of the folder
}

func TestClusterOfAnOrdinaryUser(t *testing.T) {
	if os.Geteuid() != 0 {
		dir := t.TempDir()
		manage(t, dir)
		return
	}
	dir, err := os.MkdirTemp("", "atrium-nobody-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	nobody := &syscall.Credential{Uid: 65534, Gid: 65534, Groups: []uint32{}}
	if err := os.Chown(dir, 65534, 65534); err != nil {
		t.Fatal(err)
	}
	p := startProgram(t, dir, nobody)
	url := p.line()
	exec(t, url, "CREATE TABLE kept AS SELECT 7 AS n")
	p.stdin.Close()
	if err := p.cmd.Wait(); err != nil {
		t.Fatal(err)
	}

	// Root may use the folder; it stays the user's.
	c := manage(t, dir)
	if n := value[int](t, c.URL(), "SELECT n FROM kept"); n != 7 {
		t.Errorf("n = %d", n)
	}
	stop(t, c)
	p = startProgram(t, dir, nobody)
	if n := value[int](t, p.line(), "SELECT n FROM kept"); n != 7 {
		t.Errorf("n = %d", n)
	}
	p.stdin.Close()

	// But not the other way round.
	p = startProgram(t, t.TempDir(), nobody)
	if got := p.line(); !strings.Contains(got, "permission denied") {
		t.Errorf("a folder below one that is closed: %q", got)
	}
	roots := filepath.Join(dir, "roots")
	if err := os.Mkdir(roots, 0o700); err != nil {
		t.Fatal(err)
	}
	p = startProgram(t, roots, nobody)
	if got := p.line(); !strings.Contains(got, "belongs to another user: run as that user") {
		t.Errorf("a folder of root: %q", got)
	}
}

func TestClusterTakesOverDataThatBelongsToRoot(t *testing.T) {
	if os.Geteuid() != 0 {
		return // only root can hand folders over
	}
	dir := made(t)
	c := manage(t, dir)
	exec(t, c.URL(), "CREATE TABLE kept AS SELECT 7 AS n")
	stop(t, c)
	// As a restored backup would be.
	err := filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Chown(path, 0, 0)
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Join(dir, "data"), 0o755); err != nil {
		t.Fatal(err)
	}
	c = manage(t, dir)
	if n := value[int](t, c.URL(), "SELECT n FROM kept"); n != 7 {
		t.Errorf("n = %d", n)
	}
}

func TestClusterComesBackWhenTheServerIsKilled(t *testing.T) {
	dir := made(t)
	c := manage(t, dir)
	exec(t, c.URL(), "CREATE TABLE kept AS SELECT 7 AS n")
	busy, err := pgx.Connect(t.Context(), c.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close(t.Context())
	// A statement that does not notice the death of its server by itself.
	pending := busy.PgConn().Exec(t.Context(), "SELECT count(*) FROM generate_series(1, 1000000000)")
	eventually(t, "statement running", func() bool {
		return value[int](t, c.URL(), "SELECT count(*)::int FROM pg_stat_activity WHERE query LIKE '%1000000000)' AND state = 'active' AND pid <> pg_backend_pid()") == 1
	})

	killed := serverPid(t, dir)
	if err := syscall.Kill(killed, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if err := pending.Close(); err == nil {
		t.Error("the statement outlived its server")
	}
	var n int
	eventually(t, "server back", func() bool {
		conn, err := pgx.Connect(t.Context(), c.URL())
		if err != nil {
			return false
		}
		defer conn.Close(t.Context())
		return conn.QueryRow(t.Context(), "SELECT n FROM kept").Scan(&n) == nil
	})
	t.Logf("back after %v", time.Since(began))
	if n != 7 || serverPid(t, dir) == killed {
		t.Errorf("n = %d, process %d", n, serverPid(t, dir))
	}
}

// TestClusterComesBackWhenItCan: as long as the server cannot start it is tried again, and once it can it is there.
func TestClusterComesBackWhenItCan(t *testing.T) {
	dir := made(t)
	var tries tally
	c, err := postgres.Manage(t.Context(), postgres.ManageOptions{Dir: dir, Unsafe: true, Logger: slog.New(&tries)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, c) })
	control := filepath.Join(dir, "data", "global", "pg_control")
	if err := os.Rename(control, control+".away"); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(serverPid(t, dir), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	eventually(t, "three failed starts", func() bool { return tries.n.Load() > 3 })
	if err := os.Rename(control+".away", control); err != nil {
		t.Fatal(err)
	}
	eventually(t, "server back", func() bool {
		conn, err := pgx.Connect(t.Context(), c.URL())
		if err != nil {
			return false
		}
		return conn.Close(t.Context()) == nil
	})
}

// tally counts errors that are logged.
type tally struct{ n atomic.Int64 }

func (c *tally) Enabled(_ context.Context, l slog.Level) bool { return l >= slog.LevelError }
func (c *tally) Handle(context.Context, slog.Record) error    { c.n.Add(1); return nil }
func (c *tally) WithAttrs([]slog.Attr) slog.Handler           { return c }
func (c *tally) WithGroup(string) slog.Handler                { return c }

func TestClusterSurvivesAKilledProgram(t *testing.T) {
	dir := made(t)
	for round := range 3 {
		p := startProgram(t, dir, nil)
		url := p.line()
		exec(t, url, "CREATE TABLE kept_"+strconv.Itoa(round)+" AS SELECT 7 AS n")
		p.kill()
	}
	began := time.Now()
	c := manage(t, dir)
	t.Logf("recovered start: %v", time.Since(began))
	if n := value[int](t, c.URL(), "SELECT count(*)::int FROM pg_tables WHERE tablename LIKE 'kept_%'"); n != 3 {
		t.Errorf("%d of 3 tables kept", n)
	}
}

func TestClusterSurvivesAProgramKilledWhileMakingIt(t *testing.T) {
	var dir string
	for half := false; !half; { // on a busy machine it may get ready before it is killed
		dir = t.TempDir()
		p := startProgram(t, dir, nil)
		eventually(t, "initdb at work", func() bool {
			base, _ := filepath.Glob(filepath.Join(dir, "*", "base"))
			return len(base) == 1
		})
		p.kill()
		_, err := os.Stat(filepath.Join(dir, "data"))
		half = err != nil
	}
	manage(t, dir)
	if left, _ := filepath.Glob(filepath.Join(dir, "initdb-*")); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

// TestClusterWithAStalePidFile: after a kill, and above all in a container that starts again, the process id in the
// server's lock files may belong to anybody.
func TestClusterWithAStalePidFile(t *testing.T) {
	dir := made(t)
	stop(t, manage(t, dir)) // hands the folder to its user
	info, err := os.Stat(filepath.Join(dir, "data"))
	if err != nil {
		t.Fatal(err)
	}
	bystander := osexec.Command("sleep", "600")
	if uid := info.Sys().(*syscall.Stat_t).Uid; os.Geteuid() == 0 {
		bystander.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Groups: []uint32{}}}
	}
	bystander.Dir = "/"
	if err := bystander.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = bystander.Process.Kill(); _ = bystander.Wait() })
	pid := strconv.Itoa(bystander.Process.Pid)
	write(t, filepath.Join(dir, "data", "postmaster.pid"), pid+"\n/proc/self/fd/3\n1795333359\n5432\n/proc/self/fd/3\n\n 10282469         4\nready   \n")
	write(t, filepath.Join(dir, "data", ".s.PGSQL.5432.lock"), pid+"\n/proc/self/fd/3\n1795333359\n5432\n/proc/self/fd/3\n")
	manage(t, dir)
}

func TestClusterFolderInUse(t *testing.T) {
	dir := made(t)
	manage(t, dir)
	p := startProgram(t, dir, nil)
	want := "is in use by process " + strconv.Itoa(os.Getpid()) + ": stop that process or choose another data folder"
	if got := p.line(); !strings.Contains(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestClusterFolderUsedByAServerStartedByHand(t *testing.T) {
	dir := made(t)
	manage(t, dir)
	// The program is gone, its server is not: the lock is free, the folder is not.
	if err := os.Remove(filepath.Join(dir, "lock")); err != nil {
		t.Fatal(err)
	}
	_, err := postgres.Manage(t.Context(), postgres.ManageOptions{Dir: dir, Wait: 100 * time.Millisecond})
	wantError(t, err, "is in use by process "+strconv.Itoa(serverPid(t, dir)))
}

func TestClusterWaitsForItsPredecessor(t *testing.T) {
	dir := made(t)
	p := startProgram(t, dir, nil)
	if url := p.line(); !strings.HasPrefix(url, "postgres://") {
		t.Fatal(url)
	}
	p.stdin.Close() // ends in its own time
	manage(t, dir)
}

func TestClusterRefusesForeignFolders(t *testing.T) {
	t.Run("not a data folder", func(t *testing.T) {
		dir := t.TempDir()
		write(t, filepath.Join(dir, "data", "letters.txt"), "mine")
		_, err := postgres.Manage(t.Context(), postgres.ManageOptions{Dir: dir})
		wantError(t, err, "holds something else", "choose another data folder")
		if b, err := os.ReadFile(filepath.Join(dir, "data", "letters.txt")); err != nil || string(b) != "mine" {
			t.Errorf("the file was touched: %q, %v", b, err)
		}
	})
	t.Run("another major version", func(t *testing.T) {
		dir := t.TempDir()
		write(t, filepath.Join(dir, "data", "PG_VERSION"), "12\n")
		_, err := postgres.Manage(t.Context(), postgres.ManageOptions{Dir: dir})
		wantError(t, err, "made by Postgres 12, which is not installed", "apt-get install postgresql-12")
	})
	t.Run("an empty data folder is filled", func(t *testing.T) {
		dir := t.TempDir()
		if err := os.Mkdir(filepath.Join(dir, "data"), 0o755); err != nil {
			t.Fatal(err)
		}
		manage(t, dir)
	})
	t.Run("a file where the folder should be", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "postgres")
		write(t, path, "")
		_, err := postgres.Manage(t.Context(), postgres.ManageOptions{Dir: path})
		wantError(t, err, "not a directory")
	})
}

func TestClusterSaysWhyItDoesNotStart(t *testing.T) {
	dir := made(t)
	if err := os.Remove(filepath.Join(dir, "data", "global", "pg_control")); err != nil {
		t.Fatal(err)
	}
	_, err := postgres.Manage(t.Context(), postgres.ManageOptions{Dir: dir})
	wantError(t, err, "postgres did not start in "+dir, "could not find the database system")
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}
