package postgres

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// What must survive of a cluster is written as two archives: everything, and the keys of people once more. Keys are made
// before the events that need them, and everything else after the events that it knows of: so the first archive is written
// before the events are copied and the second one after.
var (
	everything = []string{"--schema=ops", "--schema=evidence", "--exclude-table-data=ops.subject_key", "--exclude-table-data=ops.lease"}
	keysOnly   = []string{"--data-only", "--table=ops.subject_key"}
)

// Dump writes the schemas that do not come from the events, ops and evidence, to a new file, while the cluster is at work. It
// leaves out the keys of people, which DumpKeys writes.
func (c *Cluster) Dump(ctx context.Context, file string) error { return c.dump(ctx, file, everything) }

// DumpKeys writes the wrapped keys of people to a new file.
func (c *Cluster) DumpKeys(ctx context.Context, file string) error {
	return c.dump(ctx, file, keysOnly)
}

func (c *Cluster) dump(ctx context.Context, file string, what []string) (err error) {
	to, err := os.OpenFile(file, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, to.Sync(), to.Close()) }()
	return c.tool(ctx, "pg_dump", to, append([]string{"--format=custom", "--dbname=" + c.URL()}, what...)...)
}

// Restore reads archives of Dump and DumpKeys into a cluster that has the roles and none of the schemas.
func (c *Cluster) Restore(ctx context.Context, everything, keys string) error {
	for _, file := range []string{everything, keys} {
		if err := c.tool(ctx, "pg_restore", nil, "--exit-on-error", "--single-transaction", "--dbname="+c.URL(), file); err != nil {
			return err
		}
	}
	return nil
}

// tool runs one of the programs that come with the server.
func (c *Cluster) tool(ctx context.Context, program string, out *os.File, args ...string) error {
	var said bytes.Buffer
	cmd := exec.CommandContext(ctx, c.bin.path(program), args...)
	cmd.Env, cmd.Stderr = environment, &said
	if out != nil {
		cmd.Stdout = out
	}
	err := cmd.Run()
	switch {
	case errors.Is(err, os.ErrNotExist):
		return fmt.Errorf("%s is missing beside the Postgres server: install the client package of Postgres %d", program, c.bin.major)
	case err != nil:
		return fmt.Errorf("%s: %w: %s", program, err, strings.TrimSpace(said.String()))
	}
	return nil
}
