package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/atrium-portal/atrium/cmd/internal/postgres"
)

type restoreCmd struct {
	From string `arg:"" help:"Folder of a backup." type:"existingdir"`
	Data string `help:"Data folder to make." default:"./data" type:"path"`
	Key  string `help:"The master key, when the backup was made without it." type:"existingfile" placeholder:"FILE"`
	JSON bool   `help:"Print for programs." name:"json"`
}

func (restoreCmd) Help() string {
	return `Example:
  atrium restore /backup/atrium-2026-11-29 --data /var/lib/atrium
It makes the data folder anew: events, files, keys and seals from the backup, and the tables that pages read from the events.
Then the seals are compared with the events. A folder with data in it is left as it is.`
}

func (c restoreCmd) Run(ctx context.Context, t *terminal) error {
	text, err := os.ReadFile(filepath.Join(c.From, backupManifest))
	if err != nil {
		return fmt.Errorf("%s is not a whole backup (%w): name a folder that `atrium backup` made", c.From, err)
	}
	var made manifest
	if err := json.Unmarshal(text, &made); err != nil {
		return fmt.Errorf("the manifest of %s cannot be read: %w", c.From, err)
	}
	if !made.Keys && c.Key == "" {
		return errors.New("this backup was made without the master key: name the file with --key")
	}
	if there, err := os.ReadDir(c.Data); err == nil && len(there) > 0 {
		return fmt.Errorf("%s has data in it: move it aside, or name another folder with --data", c.Data)
	}
	m := newMeter(t, "restore", c.JSON)
	defer m.end()
	dir := c.Data + ".unfinished"
	events, err := c.restore(ctx, t, dir, m.phase)
	if err != nil {
		return errors.Join(err, os.RemoveAll(dir))
	}
	if err := os.Remove(c.Data); err != nil && !errors.Is(err, os.ErrNotExist) { // an empty folder
		return err
	}
	if err := os.Rename(dir, c.Data); err != nil {
		return err
	}
	if c.JSON {
		return json.NewEncoder(t.out).Encode(map[string]any{"events": events, "backup": made})
	}
	fmt.Fprintf(t.out, "Restored %d events to %s; the seals agree with them. The backup is of %s.\n", events, c.Data, made.Made.Format(time.RFC3339))
	return nil
}

// restore makes a data folder of the backup, opens it as the server would, and says how many events are in it.
func (c restoreCmd) restore(ctx context.Context, t *terminal, dir string, phase func(string)) (events int64, err error) {
	if err := errors.Join(os.RemoveAll(dir), makePrivate(dir)); err != nil {
		return 0, err
	}
	phase("restore: files")
	for _, name := range []string{backupEvents, backupFiles, backupSecrets} {
		if err := copyFolder(ctx, filepath.Join(c.From, name), filepath.Join(dir, name)); err != nil {
			return 0, err
		}
	}
	if c.Key != "" {
		if err := c.putKey(dir); err != nil {
			return 0, err
		}
	}
	phase("restore: database")
	if err := c.restoreDatabase(ctx, t, dir); err != nil {
		return 0, err
	}
	phase("restore: tables")
	err = withStack(ctx, stores{Data: dir}, t, func(k *stack) error {
		status, err := k.engine.Status(ctx)
		events = status.Events
		if len(status.Parked) > 0 {
			printParked(t, status.Parked)
		}
		return errors.Join(err, k.ranTool(ctx, "restore", "done", nil))
	})
	return events, err
}

func (c restoreCmd) putKey(dir string) error {
	key, err := os.ReadFile(c.Key)
	if err != nil {
		return err
	}
	secrets := filepath.Join(dir, backupSecrets)
	if err := os.MkdirAll(secrets, 0o700); err != nil {
		return err
	}
	path := filepath.Join(secrets, "master.key")
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return writeSynced(path, key)
}

// restoreDatabase makes a private cluster with its roles and reads the archives into it.
func (c restoreCmd) restoreDatabase(ctx context.Context, t *terminal, dir string) (err error) {
	cluster, err := postgres.Manage(ctx, postgres.ManageOptions{Dir: filepath.Join(dir, "postgres"), Logger: t.log})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, cluster.Stop(context.WithoutCancel(ctx))) }()
	pools, err := postgres.Connect(ctx, cluster.URL(), postgres.Options{})
	if err != nil {
		return err
	}
	pools.Close()
	return cluster.Restore(ctx, filepath.Join(c.From, backupDatabase), filepath.Join(c.From, backupKeys))
}
