package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// onSmallDisk names the folder at which the test binary, run by itself, finds a disk of its own.
const onSmallDisk = "ATRIUM_SMALL_DISK"

// smallDisk is the size of that disk: the event node stores nothing when 256 MiB of it are left.
const smallDisk = 768 << 20

// TestFullDiskUnderTheProgram fills the disk under the whole program: first until the event node refuses, then to the last
// byte, with Postgres killed on it. With room again the same program goes on, and nothing was lost.
func TestFullDiskUnderTheProgram(t *testing.T) {
	if dir := os.Getenv(onSmallDisk); dir != "" {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprint("mode=0777,size=", smallDisk)); err != nil {
			t.Fatal(err)
		}
		fillTheDisk(t, dir)
		return
	}
	dir := folder(t)
	// Nobody else sees what a mount namespace mounts, and it goes with its last process.
	cmd := exec.Command(os.Args[0], "-test.run", "^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), onSmallDisk+"="+dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
	if id := os.Geteuid(); id != 0 { // then only a user namespace may mount
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: id, HostID: id, Size: 1}}
		cmd.SysProcAttr.AmbientCaps = []uintptr{21} // CAP_SYS_ADMIN
	}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for line := range strings.Lines(string(out)) {
		if strings.Contains(line, "_test.go:") {
			t.Log(strings.TrimSpace(line))
		}
	}
}

func fillTheDisk(t *testing.T, disk string) {
	t.Helper()
	data := filepath.Join(disk, "data")
	token := firmOf(t, []string{"--data", data})
	now := runs(t, "--data", data)
	crowd := work(t, token, 4, now.base)
	crowd.fills = true
	filler := ballast{t, filepath.Join(disk, "ballast")}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	var slowest time.Duration
	for range sized(2, 20) {
		crowd.reached(crowd.acks.Load() + 25)
		filler.leave(200 << 20)
		for refused := crowd.full.Load(); crowd.full.Load() < refused+10; {
			if pause(ctx, time.Millisecond) != nil {
				t.Fatalf("nobody is told that the disk is full\n%s", now.output)
			}
		}
		if status := get(t, now.base+"/api/v1/invoices", token); status != http.StatusOK {
			t.Errorf("a list on a disk that is nearly full: %d", status)
		}
		filler.leave(0)
		killPostgres(t, data)
		for range 100 { // while it tries to start, what it gave back is taken again
			if pause(ctx, 10*time.Millisecond) != nil {
				t.Fatal(ctx.Err())
			}
			filler.leave(0)
		}
		if status := get(t, now.base+"/api/v1/invoices", token); status != http.StatusServiceUnavailable && status != http.StatusOK {
			t.Errorf("a list on a full disk: %d", status)
		}
		filler.remove()
		slowest = max(slowest, readyAfter(t, now.base, now.output))
	}
	crowd.reached(crowd.acks.Load() + 25)
	deeds := crowd.stop()
	kill(t, now.cmd)
	t.Logf("%d answers that there is no room; with room again ready after %s at most", crowd.full.Load(), slowest.Round(time.Millisecond))
	if slowest > readyWithin {
		t.Errorf("ready only after %s", slowest)
	}
	settled(t, stores{Data: data}, func(k *stack) { check(t, k, deeds) })
}

// ballast is a file that fills a disk.
type ballast struct {
	t    *testing.T
	path string
}

// leave lets so many bytes be free. Others write meanwhile: for 0 it takes what there is until there is none.
func (b ballast) leave(bytes int64) {
	b.t.Helper()
	f, err := os.OpenFile(b.path, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		b.t.Fatal(err)
	}
	defer f.Close()
	for {
		var fs syscall.Statfs_t
		if err := syscall.Fstatfs(int(f.Fd()), &fs); err != nil {
			b.t.Fatal(err)
		}
		info, err := f.Stat()
		if err != nil {
			b.t.Fatal(err)
		}
		more := int64(fs.Bavail)*fs.Bsize - bytes
		if more <= 0 {
			return
		}
		if err := syscall.Fallocate(int(f.Fd()), 0, info.Size(), more); err != nil && !errors.Is(err, syscall.ENOSPC) {
			b.t.Fatal(err)
		}
	}
}

func (b ballast) remove() {
	b.t.Helper()
	if err := os.Remove(b.path); err != nil {
		b.t.Fatal(err)
	}
}

// get asks for something and gives the status of the answer.
func get(t *testing.T, url, token string) int {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	reply, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer reply.Body.Close()
	return reply.StatusCode
}

// TestFaultyDiskUnderPostgres lets syncs and writes of Postgres fail, again and again, while clients work. Postgres ends rather
// than trust such a disk, and comes back by itself.
func TestFaultyDiskUnderPostgres(t *testing.T) {
	if _, err := exec.LookPath("strace"); err != nil {
		t.Fatal("strace is needed: run .ci/install-strace")
	}
	data := folder(t)
	token := firmOf(t, []string{"--data", data})
	now := runs(t, "--data", data)
	crowd := work(t, token, 8, now.base)
	faults := []struct{ calls, fault string }{
		{"fdatasync,fsync", "EIO"},
		{"pwrite64,pwritev", "ENOSPC"},
		{"fdatasync,fsync", "ENOSPC"},
		{"pwrite64,pwritev", "EIO"},
		{"openat", "ENOSPC"},
		{"fallocate,ftruncate", "ENOSPC"},
	}
	var slowest time.Duration
	rounds := sized(4, 48)
	for n := range rounds {
		crowd.reached(crowd.acks.Load() + 25)
		fault := faults[n%len(faults)]
		injectIntoPostgres(t, now.cmd.Process.Pid, fault.calls, fmt.Sprintf("error=%s:when=%d+%d", fault.fault, 1+n%5, 1+n%3))
		slowest = max(slowest, readyAfter(t, now.base, now.output))
	}
	crowd.reached(crowd.acks.Load() + 25)
	deeds := crowd.stop()
	kill(t, now.cmd)
	t.Logf("%d times the disk failed under Postgres; ready again after %s at most", rounds, slowest.Round(time.Millisecond))
	for _, complaint := range []string{syscall.EIO.Error(), syscall.ENOSPC.Error()} {
		if !strings.Contains(strings.ToLower(now.output.String()), complaint) {
			t.Errorf("nobody met a disk with an %s", complaint)
		}
	}
	if slowest > readyWithin {
		t.Errorf("ready only after %s", slowest)
	}
	settled(t, stores{Data: data}, func(k *stack) { check(t, k, deeds) })
}

// injectIntoPostgres lets system calls of the children of a process, and of theirs, fail for a second.
func injectIntoPostgres(t *testing.T, pid int, calls, fault string) {
	t.Helper()
	args := []string{"-f", "-qq", "-o", "/dev/null", "-e", "trace=" + calls, "-e", "inject=" + calls + ":" + fault}
	below, err := descendants(pid)
	if err != nil {
		t.Fatal(err)
	}
	for _, child := range below {
		args = append(args, "-p", strconv.Itoa(child.PID))
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, "strace", args...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) } // lets go of them, unlike a kill
	cmd.WaitDelay = 10 * time.Second
	var said bytes.Buffer
	cmd.Stderr = &said
	if err := cmd.Run(); err != nil && ctx.Err() == nil && !strings.Contains(said.String(), "No such process") {
		t.Fatalf("strace: %v: %s", err, said.String())
	}
}
