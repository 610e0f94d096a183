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

// TestCrashPoints lets the node die at its n-th sync, write or rename, for every n until the script ends unhurt (a few
// of them without make fault). strace counts in each thread for itself, so a point is the first thread that comes so far.
// Started again, the node holds a prefix of the script with everything that was acknowledged.
func TestCrashPoints(t *testing.T) {
	if _, err := exec.LookPath("strace"); err != nil {
		t.Fatal("strace is needed: run .ci/install-strace")
	}
	for _, c := range []struct {
		calls      string
		from, step int // without make fault
	}{{"fsync,fdatasync", 1, 5}, {"write,pwrite64", 20, 70}, {"rename,renameat,renameat2", 1, 2}} {
		t.Run(c.calls, func(t *testing.T) {
			at, step, points := c.from, c.step, 0
			if long() {
				at, step = 1, 1
			}
			for ; crashAt(t, c.calls, at); at += step {
				points++
			}
			t.Logf("died at %d points, the script makes less than %d of these calls", points, at)
			if points == 0 {
				t.Error("it never died: the walk does not test anything")
			}
		})
	}
}

// crashAt runs the script on a node that dies at its n-th of some calls, and looks at what is left. died is false when it
// does not make so many.
func crashAt(t *testing.T, calls string, n int) (died bool) {
	t.Helper()
	dir, err := os.MkdirTemp(t.TempDir(), "node")
	if err != nil {
		t.Fatal(err)
	}
	acked, died := script(t, dir, calls, n)
	node, err := eventnode.Start(t.Context(), eventnode.Options{Dir: dir, Listen: "127.0.0.1:0", MinFree: 1})
	if err != nil {
		t.Fatalf("after a crash at %d of %s the node does not start: %v", n, calls, err)
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
		t.Errorf("after a crash at %d of %s there are %d events, %d were acknowledged", n, calls, len(stored), acked)
	}
	for i, e := range stored {
		if want := event(fmt.Sprint("script-", i))[0].ID; e.ID != want || e.Revision != int64(i) {
			t.Errorf("after a crash at %d of %s event %d is %s at revision %d", n, calls, i, e.ID, e.Revision)
		}
	}
	return died
}

// script appends one event after the other to a node under strace, until all are acknowledged or the node is dead.
func script(t *testing.T, dir, calls string, n int) (acked int, died bool) {
	t.Helper()
	cmd := exec.Command("strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace="+calls,
		"-e", fmt.Sprintf("inject=%s:signal=SIGKILL:when=%d", calls, n), os.Args[0])
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
	if readErr != nil {
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
	for acked < scripted {
		expected := int64(acked) - 1
		if acked == 0 {
			expected = domain.NoStream
		}
		_, err := log.Append(ctx, "script-1", expected, event(fmt.Sprint("script-", acked)))
		if err == nil {
			acked++
			continue
		}
		if ctx.Err() != nil {
			return acked, true
		}
	}
	return acked, false
}
