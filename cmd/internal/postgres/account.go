package postgres

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"runtime"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// account is the system user that runs the server. Postgres refuses to run as root.
type account struct {
	name     string
	uid, gid int
	switchTo bool // we are root and must change to it
}

// chooseAccount answers ourselves for an ordinary user. For root it is the owner of the data, so that a folder
// once made by an ordinary user stays theirs, else "postgres", else "nobody". The user must have a passwd entry:
// the server looks itself up.
func chooseAccount(owner int) (account, error) {
	if uid := os.Geteuid(); uid != 0 {
		return account{name: strconv.Itoa(uid), uid: uid, gid: os.Getegid()}, nil
	}
	if owner > 0 {
		if u, err := user.LookupId(strconv.Itoa(owner)); err == nil {
			return rootTo(u)
		}
	}
	for _, name := range []string{"postgres", "nobody"} {
		if u, err := user.Lookup(name); err == nil {
			return rootTo(u)
		}
	}
	return account{}, fmt.Errorf("postgres cannot run as root and this system has neither a user postgres nor nobody: run as an ordinary user")
}

func rootTo(u *user.User) (account, error) {
	uid, err := strconv.Atoi(u.Uid)
	if err != nil {
		return account{}, fmt.Errorf("user %s: %w", u.Username, err)
	}
	gid, err := strconv.Atoi(u.Gid)
	if err != nil {
		return account{}, fmt.Errorf("user %s: %w", u.Username, err)
	}
	return account{name: u.Username, uid: uid, gid: gid, switchTo: true}, nil
}

// look runs f with the account's view of the file system, and of other processes, which is more than root's in
// a container: without the right to trace, root cannot see where a process of another user works.
func (a account) look(f func() error) error {
	if !a.switchTo {
		return f()
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	// The way back, to what we are, cannot fail.
	defer func() { _, _ = unix.Setfsuid(os.Geteuid()), unix.Setfsgid(os.Getegid()) }()
	if err := errors.Join(unix.Setfsgid(a.gid), unix.Setfsuid(a.uid)); err != nil {
		return err
	}
	return f()
}

// attributes are for a child that dies with us (on the given signal), sits in a process group of its own, so that
// Ctrl-C on a terminal leaves the order of stopping to us, and runs as the account.
func (a account) attributes(onParentDeath syscall.Signal) *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Pdeathsig: onParentDeath, Setpgid: true}
	if a.switchTo {
		attr.Credential = &syscall.Credential{Uid: uint32(a.uid), Gid: uint32(a.gid), Groups: []uint32{}}
	}
	return attr
}
