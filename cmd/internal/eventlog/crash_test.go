package eventlog

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/atrium-portal/atrium/cmd/internal/eventnode"
	"github.com/atrium-portal/atrium/domain"
)

// scripted is how many events the script of a crash walk appends.
const scripted = 50

// TestCrashPoints lets the node die at its n-th sync, write or rename, for every n until the script ends unhurt, and lets
// syncs fail (a few of each without make fault). strace counts in each thread for itself, so a point is the first thread
// that comes so far. Started again, the node holds a prefix of the script with everything that was acknowledged.
func TestCrashPoints(t *testing.T) {
	if _, err := exec.LookPath("strace"); err != nil {
		t.Fatal("strace is needed: run .ci/install-strace")
	}
	if out, err := exec.Command("strace", "-qq", "-o", "/dev/null", "true").CombinedOutput(); err != nil {
		t.Skipf("this machine does not let one process look into another (ptrace), so no system call can be made to fail: %v %s", err, out)
	}
	const syncs, writes, renames = "fsync,fdatasync", "write,pwrite64", "rename,renameat,renameat2"
	for _, c := range []struct {
		calls, fault string
		from, step   int // without make fault
		upTo         int // 0: until the script ends unhurt; not every failure of a sync ends it
	}{
		{syncs, "signal=SIGKILL", 1, 6, 0},
		{writes, "signal=SIGKILL", 20, 70, 0},
		{renames, "signal=SIGKILL", 1, 2, 0},
		{syncs, "error=EIO", 8, 23, 30},
		{syncs, "error=ENOSPC", 12, 23, 30},
	} {
		t.Run(c.calls+" "+c.fault, func(t *testing.T) {
			at, step, points := c.from, c.step, 0
			if long() {
				at, step = 1, 1
			}
			for ; c.upTo == 0 || at <= c.upTo; at += step {
				ended := crashAt(t, c.calls, c.fault, at)
				if ended {
					points++
				}
				if c.upTo == 0 && !ended {
					break
				}
			}
			t.Logf("ended early at %d points before the call of number %d", points, at)
			if points == 0 {
				t.Error("it never ended early: the walk does not test anything")
			}
		})
	}
}

// crashAt runs the script on a node to which a fault comes at its n-th of some calls, and looks at what is left. ended is
// false when the script did not notice, or the node does not make so many.
func crashAt(t *testing.T, calls, fault string, n int) (ended bool) {
	t.Helper()
	dir, err := os.MkdirTemp(t.TempDir(), "node")
	if err != nil {
		t.Fatal(err)
	}
	acked, ended := script(t, dir, calls, fault, n)
	node, err := eventnode.Start(t.Context(), eventnode.Options{Dir: dir, Listen: "127.0.0.1:0", MinFree: 1})
	if err != nil {
		t.Fatalf("after %s at %d of %s the node does not start: %v", fault, n, calls, err)
	}
	t.Cleanup(func() { _ = node.Close() })
	log, err := Open(node.URL(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close() //nolint:errcheck // it only read
	stored, err := log.Load(t.Context(), "script-1", 0)
	if err != nil {
		t.Fatal(err)
	}
	if len(stored) < acked || len(stored) > acked+1 {
		t.Errorf("after %s at %d of %s there are %d events, %d were acknowledged", fault, n, calls, len(stored), acked)
	}
	for i, e := range stored {
		if want := event(fmt.Sprint("script-", i))[0].ID; e.ID != want || e.Revision != int64(i) {
			t.Errorf("after %s at %d of %s event %d is %s at revision %d", fault, n, calls, i, e.ID, e.Revision)
		}
	}
	return ended
}

// script appends one event after the other to a node under strace, until all are acknowledged, the node is dead or it has
// closed its log, which it says again and again then.
func script(t *testing.T, dir, calls, fault string, n int) (acked int, ended bool) {
	t.Helper()
	cmd := exec.Command("strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace="+calls,
		"-e", fmt.Sprintf("inject=%s:%s:when=%d", calls, fault, n), os.Args[0])
	cmd.Env = append(os.Environ(), childFolder+"="+dir, childListen+"=127.0.0.1:0")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	says, said, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer says.Close()
	cmd.Stdout = said
	if err := errors.Join(cmd.Start(), said.Close()); err != nil {
		t.Fatal(err)
	}
	gone := make(chan struct{})
	out := bufio.NewReader(says)
	line, readErr := out.ReadString('\n')
	go func() {
		defer close(gone)
		_, _ = io.Copy(io.Discard, out) // ends when the node has ended, not only who looked at it
		_ = cmd.Wait()                  // it was killed
	}()
	defer func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // strace and what it looks at; it may be gone
		<-gone
	}()
	if readErr != nil || !strings.HasPrefix(line, "esdb") {
		return 0, true // while it started
	}
	log, err := Open(strings.TrimSpace(line), Options{Timeout: 2 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close() //nolint:errcheck // what was acknowledged counts
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	go func() {
		<-gone
		stop() // nobody will answer any more
	}()
	for refusals := 0; acked < scripted && refusals < 5; {
		expected := int64(acked) - 1
		if acked == 0 {
			expected = domain.NoStream
		}
		_, err := log.Append(ctx, "script-1", expected, event(fmt.Sprint("script-", acked)))
		if err == nil {
			acked++
			continue
		}
		if refusals++; ctx.Err() != nil {
			return acked, true
		}
	}
	return acked, acked < scripted
}
