package postgres

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	dataName    = "data"    // the server's data folder
	initPrefix  = "initdb-" // one in the making; left over when the maker was killed
	lockName    = "lock"    // held as long as a program manages the folder
	defaultWait = 5 * time.Second
)

// folder is the place of one managed cluster. Only data inside it belongs to the server's user.
type folder struct {
	dir  string
	wait time.Duration // how long a predecessor may take to end
	log  *slog.Logger
}

func (f folder) data() string { return filepath.Join(f.dir, dataName) }

// lock makes this program the only one that manages the folder. The kernel gives the lock back when we die.
func (f folder) lock(ctx context.Context) (*os.File, error) {
	if err := os.MkdirAll(f.dir, 0o700); err != nil {
		return nil, fmt.Errorf("cannot make the folder for Postgres: %w", err)
	}
	file, err := os.OpenFile(filepath.Join(f.dir, lockName), os.O_CREATE|os.O_RDWR, 0o600)
	if errors.Is(err, fs.ErrPermission) {
		return nil, fmt.Errorf("folder %s belongs to another user: run as that user or choose another data folder", f.dir)
	}
	if err != nil {
		return nil, fmt.Errorf("cannot lock the folder for Postgres: %w", err)
	}
	err = f.await(ctx, func() (int, error) {
		err := unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if errors.Is(err, unix.EWOULDBLOCK) {
			pid, err := strconv.Atoi(readLines(file.Name()))
			if err != nil {
				pid = 1 // its holder is just about to write it
			}
			return pid, nil
		}
		return 0, err
	})
	if err != nil {
		file.Close()
		return nil, err
	}
	if err = file.Truncate(0); err == nil {
		_, err = file.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	}
	if err != nil {
		file.Close()
		return nil, fmt.Errorf("cannot lock the folder for Postgres: %w", err)
	}
	return file, nil
}

// await polls until no process holds the folder. A server whose program was just killed, and the children of a
// killed server, need a moment to end.
func (f folder) await(ctx context.Context, holder func() (pid int, err error)) error {
	deadline := time.NewTimer(f.wait)
	defer deadline.Stop()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		pid, err := holder()
		if err != nil || pid == 0 {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		case <-deadline.C:
			return fmt.Errorf("folder %s is in use by process %d: stop that process or choose another data folder", f.dir, pid)
		}
	}
}

// clear makes sure that no server process works in the data folder, and removes the lock files of a killed one: the
// process id in them may belong to anybody by now, in a container that starts again it usually does, and the
// server would take that process for its predecessor.
//
// The children of a killed server would finish their statement first, and a new server cannot start beside them:
// they are told to quit, which loses no more than the kill did.
func (f folder) clear(ctx context.Context, as account) error {
	err := f.await(ctx, func() (int, error) {
		data, err := os.Stat(f.data())
		if errors.Is(err, fs.ErrNotExist) {
			return 0, nil
		}
		if err != nil {
			return 0, err
		}
		var pids []int
		err = as.look(func() error {
			pids, err = serversIn(data)
			return err
		})
		if err != nil || len(pids) == 0 {
			return 0, err
		}
		server, _, _ := strings.Cut(readLines(filepath.Join(f.data(), "postmaster.pid")), "\n")
		if pid, err := strconv.Atoi(server); err == nil && slices.Contains(pids, pid) {
			return pid, nil
		}
		for _, orphan := range pids {
			_ = syscall.Kill(orphan, syscall.SIGQUIT) // fails only when it has just ended
		}
		return pids[0], nil
	})
	if err != nil {
		return err
	}
	for _, stale := range []string{"postmaster.pid", ".s.PGSQL.5432.lock"} {
		if err := os.Remove(filepath.Join(f.data(), stale)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// serversIn lists the Postgres processes whose working folder is data. They run as its owner.
func serversIn(data os.FileInfo) ([]int, error) {
	processes, err := os.ReadDir("/proc")
	if err != nil {
		return nil, err
	}
	var pids []int
	for _, p := range processes {
		pid, err := strconv.Atoi(p.Name())
		if err != nil || readLines(filepath.Join("/proc", p.Name(), "comm")) != "postgres" {
			continue
		}
		if cwd, err := os.Stat(filepath.Join("/proc", p.Name(), "cwd")); err == nil && os.SameFile(cwd, data) {
			pids = append(pids, pid)
		}
	}
	return pids, nil
}

// readLines reads a small file without its last line end; one that cannot be read is empty.
func readLines(path string) string {
	b, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}

// inspect tells which major version made the data folder (0: there is none yet) and who owns it.
func (f folder) inspect() (major, owner int, err error) {
	info, err := os.Stat(f.data())
	if errors.Is(err, fs.ErrNotExist) {
		return 0, 0, nil
	}
	if err != nil {
		return 0, 0, err
	}
	owner = int(info.Sys().(*syscall.Stat_t).Uid)
	if euid := os.Geteuid(); euid != 0 && owner != euid {
		return 0, 0, fmt.Errorf("folder %s belongs to another user: run as that user or as root, or choose another data folder", f.data())
	}
	version, err := os.ReadFile(filepath.Join(f.data(), "PG_VERSION"))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if os.Remove(f.data()) == nil { // empty: initdb's result takes its place
			return 0, 0, nil
		}
		return 0, 0, fmt.Errorf("folder %s holds something else than Postgres data: empty it or choose another data folder", f.data())
	case err != nil:
		return 0, 0, err
	}
	major, err = strconv.Atoi(strings.TrimSpace(string(version)))
	if err != nil {
		return 0, 0, fmt.Errorf("folder %s: PG_VERSION is unreadable: restore the folder from a backup", f.data())
	}
	return major, owner, nil
}

// create makes the data folder under another name and renames it when it is complete and on disk, so that a
// data folder is either whole or absent. One syncfs does what initdb does file by file in a tenth of the time.
func (f folder) create(ctx context.Context, b binaries, as account, durable bool) error {
	fresh, err := os.MkdirTemp(f.dir, initPrefix)
	if err != nil {
		return fmt.Errorf("cannot make the data folder of Postgres: %w", err)
	}
	dir, err := os.Open(fresh)
	if err != nil {
		return err
	}
	defer dir.Close()
	if as.switchTo {
		if err := dir.Chown(as.uid, as.gid); err != nil {
			return fmt.Errorf("cannot hand %s to user %s: %w", fresh, as.name, err)
		}
	}
	initdb, err := launch(as, syscall.SIGKILL, dir, f.log, b.path("initdb"),
		"-D", childFolder, "-U", superuser, "-E", "UTF8", "--locale=C.UTF-8",
		"--auth-local=trust", "--auth-host=reject", "--no-sync", "--no-instructions")
	if err != nil {
		return err
	}
	if err := initdb.wait(ctx); err != nil {
		return fmt.Errorf("cannot make the data folder of Postgres in %s: %w", f.dir, err)
	}
	if durable {
		if err := unix.Syncfs(int(dir.Fd())); err != nil {
			return fmt.Errorf("cannot write the data folder of Postgres to disk: %w", err)
		}
	}
	if err := os.Rename(fresh, f.data()); err != nil {
		return err
	}
	return syncFolder(f.dir)
}

// clean removes what a killed maker left.
func (f folder) clean() error {
	left, err := filepath.Glob(filepath.Join(f.dir, initPrefix+"*"))
	if err != nil {
		return err
	}
	for _, dir := range left {
		f.log.Info("removing a half-made Postgres data folder", "folder", dir)
		if err := os.RemoveAll(dir); err != nil {
			return fmt.Errorf("cannot remove the half-made folder: %w", err)
		}
	}
	return nil
}

// hand gives the data folder to the account that will run the server: a restored copy may belong to root. The
// folder itself comes last, so that a second attempt finishes a first one that was killed.
func (f folder) hand(owner int, to account) error {
	if owner != to.uid {
		var paths []string
		err := filepath.WalkDir(f.data(), func(path string, _ fs.DirEntry, err error) error {
			paths = append(paths, path)
			return err
		})
		if err != nil {
			return err
		}
		for _, path := range slices.Backward(paths) {
			if err := os.Lchown(path, to.uid, to.gid); err != nil {
				return fmt.Errorf("cannot hand %s to user %s: %w", f.data(), to.name, err)
			}
		}
	}
	return os.Chmod(f.data(), 0o700) // the server refuses anything more open
}

func syncFolder(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	defer dir.Close()
	return dir.Sync()
}
