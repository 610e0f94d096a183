package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"syscall"

	"github.com/jedib0t/go-pretty/v6/table"
)

type doctorCmd struct {
	stores
	Listen string `help:"Address the server would listen on." default:"localhost:8080"`
}

func (doctorCmd) Help() string {
	return "Example:\n  atrium doctor --data /var/lib/atrium\nIt opens the data like the server does, so stop the server first; a folder in use is told."
}

// finding is one line of the doctor's table.
type finding struct {
	what, state, detail string
}

func (c doctorCmd) Run(ctx context.Context, t *terminal) error {
	findings := c.examine(ctx, t)
	w := table.NewWriter()
	w.AppendHeader(table.Row{"check", "state", "detail"})
	sick := 0
	for _, f := range findings {
		w.AppendRow(table.Row{f.what, f.state, f.detail})
		if f.state == "fail" {
			sick++
		}
	}
	fmt.Fprintln(t.out, w.Render())
	if sick > 0 {
		return fmt.Errorf("%d of %d checks failed; the table says what to do", sick, len(findings))
	}
	return nil
}

func (c doctorCmd) examine(ctx context.Context, t *terminal) (list []finding) {
	check := func(what string, err error, detail string) bool {
		if err != nil {
			list = append(list, finding{what, "fail", oneLine(err)})
			return false
		}
		list = append(list, finding{what, "ok", detail})
		return true
	}
	check("data folder", folderFit(c.Data), c.Data)
	free, err := freeBytes(c.Data)
	if err == nil && free < 1<<30 {
		err = fmt.Errorf("only %d MiB free: appends are refused below 256 MiB, so make room", free>>20)
	}
	check("disk space", err, fmt.Sprintf("%d GiB free", free>>30))
	check("address", addressFree(c.Listen), c.Listen)
	k, err := openStack(ctx, c.stores, t.now, t.log, nil)
	if !check("event store, database, keys", err, "open") {
		return list
	}
	defer func() { check("closing", k.Close(), "in order") }()
	needsRebuild, err := k.engine.Open(ctx)
	if err == nil && needsRebuild {
		err = errors.New("the read tables belong to another version of the program: `atrium replay rebuild`, or start the server, which does it")
	}
	check("read tables", err, "of this program")
	check("roles", k.pools.CheckRoles(ctx), "readers own nothing and bypass nothing")
	check("row-level security", k.pools.CheckTables(ctx, "read"), "forced on every table")
	status, err := k.engine.Status(ctx)
	if err == nil && len(status.Parked) > 0 {
		err = fmt.Errorf("%d streams are parked: see `atrium replay status`", len(status.Parked))
	}
	check("parked streams", err, "none")
	head, err := k.source.Head(ctx)
	check("log", err, fmt.Sprintf("head %s, read models at %s", head, status.Position))
	return list
}

// folderFit reports what is wrong with the data folder; one that does not exist yet is fine when it can be made.
func folderFit(dir string) error {
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return makePrivate(dir)
	case err != nil:
		return err
	case !info.IsDir():
		return fmt.Errorf("%s is not a folder: name another one with --data", dir)
	case info.Mode().Perm()&0o077 != 0:
		return fmt.Errorf("others can look into %s: `chmod 700 %s`", dir, dir)
	}
	probe, err := os.CreateTemp(dir, ".doctor-*")
	if err != nil {
		return fmt.Errorf("%s cannot be written: make it belong to the user that runs atrium", dir)
	}
	return errors.Join(probe.Close(), os.Remove(probe.Name()))
}

func freeBytes(dir string) (uint64, error) {
	for {
		var fs syscall.Statfs_t
		err := syscall.Statfs(dir, &fs)
		if !errors.Is(err, os.ErrNotExist) || dir == filepath.Dir(dir) {
			return fs.Bavail * uint64(fs.Bsize), err
		}
		dir = filepath.Dir(dir)
	}
}

func addressFree(address string) error {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return fmt.Errorf("%s cannot be used (%w): stop what uses it, or take another address with --listen", address, err)
	}
	return l.Close()
}
