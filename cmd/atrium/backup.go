package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"
)

// A backup is a folder with these in it. The manifest is written last.
const (
	backupManifest = "manifest.json"
	backupDatabase = "database.dump"
	backupKeys     = "keys.dump"
	backupEvents   = "events"
	backupFiles    = "files"
	backupSecrets  = "secrets"
)

// manifest says what a backup is of.
type manifest struct {
	Program  string    `json:"program"`
	Made     time.Time `json:"made"`
	Position string    `json:"position"` // of the log when the backup began; it holds at least that
	Keys     bool      `json:"keys"`     // the master key is in it
}

type backupCmd struct {
	Data       string `help:"Data folder to back up; the server may be running." default:"./data" type:"path"`
	To         string `arg:"" help:"Folder to make, on a disk of its own." type:"path"`
	WithoutKey bool   `help:"Leave the master key out, which opens the personal data: it never changes, so one copy kept elsewhere is enough."`
	JSON       bool   `help:"Print for programs." name:"json"`
}

func (backupCmd) Help() string {
	return `Example:
  atrium backup --data /var/lib/atrium /backup/atrium-2026-11-29
It copies events, files, keys and seals, while the server works or while it does not. Tables that pages read are not
copied: atrium restore makes them anew. Stores of your own (--eventstore, --database) have their own tools.`
}

func (c backupCmd) Run(ctx context.Context, t *terminal) error {
	order := backupOrder{To: c.To, WithoutKey: c.WithoutKey}
	m := newMeter(t, "backup", c.JSON)
	defer m.end()
	made, asked, err := askServer(ctx, c.Data, order, m.phase)
	if !asked {
		if _, err := os.Stat(filepath.Join(c.Data, backupEvents)); err != nil {
			return fmt.Errorf("there is nothing to back up in %s: name the data folder with --data", c.Data)
		}
		err = withIdleStack(ctx, stores{Data: c.Data}, t, func(k *stack) (err error) {
			made, err = k.backup(ctx, order, m.phase)
			return err
		})
	}
	if err != nil {
		return err
	}
	if c.JSON {
		return json.NewEncoder(t.out).Encode(made)
	}
	fmt.Fprintf(t.out, "Backed up to %s, with all events up to position %s. `atrium restore %s --data FOLDER` brings it back.\n", c.To, made.Position, c.To)
	if c.WithoutKey {
		fmt.Fprintln(t.out, "The master key is not in it: keep a copy of secrets/master.key somewhere else.")
	}
	return nil
}

type backupOrder struct {
	To         string `json:"to"`
	WithoutKey bool   `json:"without_key,omitempty"`
}

// backup copies the data folder's stores while they are at work, and says what it is doing. Nothing is left of a backup that
// fails.
func (k *stack) backup(ctx context.Context, o backupOrder, phase func(string)) (made manifest, err error) {
	if k.node == nil || k.cluster == nil {
		return made, errors.New("these stores are not in the data folder: back them up with their own tools, in the order that deploy/README.md says")
	}
	if _, err := os.Lstat(o.To); !errors.Is(err, os.ErrNotExist) {
		return made, fmt.Errorf("the folder %s exists already: name one that does not", o.To)
	}
	dir := o.To + ".unfinished"
	if err := errors.Join(os.RemoveAll(dir), os.MkdirAll(dir, 0o700)); err != nil {
		return made, fmt.Errorf("the backup cannot be written: %w; name a folder on a disk that can be written", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(dir))
		}
	}()
	head, err := k.source.Head(ctx)
	if err != nil {
		return made, err
	}
	made = manifest{Program: version(), Made: k.now().UTC().Round(time.Second), Position: head.String(), Keys: !o.WithoutKey}
	for _, step := range []struct {
		phase string
		do    func() error
	}{
		{"backup: database", func() error { return k.cluster.Dump(ctx, filepath.Join(dir, backupDatabase)) }},
		{"backup: events", func() error { return k.node.Backup(filepath.Join(dir, backupEvents)) }},
		{"backup: keys", func() error { return k.cluster.DumpKeys(ctx, filepath.Join(dir, backupKeys)) }},
		{"backup: files", func() error {
			return copyFolder(ctx, filepath.Join(k.data, backupFiles), filepath.Join(dir, backupFiles))
		}},
		{"backup: secrets", func() error {
			if o.WithoutKey {
				return nil
			}
			return copyFolder(ctx, filepath.Join(k.data, backupSecrets), filepath.Join(dir, backupSecrets))
		}},
		{"backup: done", func() error {
			text, err := json.MarshalIndent(made, "", "  ")
			if err != nil {
				return err
			}
			return writeSynced(filepath.Join(dir, backupManifest), append(text, '\n'))
		}},
	} {
		phase(step.phase)
		if err := step.do(); err != nil {
			return made, fmt.Errorf("%s: %w", step.phase, err)
		}
	}
	return made, k.ranTool(ctx, "backup", "done", os.Rename(dir, o.To))
}

// copyFolder copies the files below a folder, if there is one. What goes away meanwhile was not needed.
func copyFolder(ctx context.Context, from, to string) error {
	return filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil
		case err != nil || ctx.Err() != nil:
			return errors.Join(err, ctx.Err())
		}
		below, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		switch {
		case entry.IsDir():
			return os.MkdirAll(filepath.Join(to, below), 0o700)
		case !entry.Type().IsRegular():
			return nil
		}
		content, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return errors.Join(err, writeSynced(filepath.Join(to, below), content))
	})
}

func writeSynced(path string, content []byte) (err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if _, err := f.Write(content); err != nil {
		return err
	}
	return f.Sync()
}

// A server that has the data folder open takes orders of its own user on a socket in it.

func orderSocket(data string) string { return filepath.Join(data, "order.sock") }

// orderReply is a line of what the server answers: what it is doing, and at the end what it made or why not.
type orderReply struct {
	Phase string    `json:"phase,omitempty"`
	Made  *manifest `json:"made,omitempty"`
	Error string    `json:"error,omitempty"`
}

// takeOrders answers on the socket until ctx ends. The folder is locked, so a socket that is there was left behind.
func (k *stack) takeOrders(ctx context.Context, group *errgroup.Group) error {
	if k.node == nil || k.cluster == nil {
		return nil
	}
	path := orderSocket(k.data)
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	listener, err := net.Listen("unix", path)
	if err != nil {
		return err
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return errors.Join(err, listener.Close())
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /backup", func(w http.ResponseWriter, r *http.Request) {
		out, flush := json.NewEncoder(w), http.NewResponseController(w).Flush
		say := func(reply orderReply) {
			if out.Encode(reply) == nil {
				_ = flush() // whoever asked may have gone; the backup goes on
			}
		}
		var order backupOrder
		err := json.NewDecoder(r.Body).Decode(&order)
		var made manifest
		if err == nil {
			made, err = k.backup(context.WithoutCancel(r.Context()), order, func(phase string) { say(orderReply{Phase: phase}) })
		}
		if err != nil {
			say(orderReply{Error: oneLine(err)})
			return
		}
		say(orderReply{Made: &made})
	})
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	group.Go(func() error {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	})
	group.Go(func() error {
		<-ctx.Done()
		return server.Shutdown(context.WithoutCancel(ctx)) // a backup that is under way ends first
	})
	return nil
}

// askServer has the server that uses a data folder make a backup. asked is false when none does.
func askServer(ctx context.Context, data string, order backupOrder, phase func(string)) (made manifest, asked bool, err error) {
	client := http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", orderSocket(data))
	}}}
	defer client.CloseIdleConnections()
	body, err := json.Marshal(order)
	if err != nil {
		return made, false, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://server/backup", bytes.NewReader(body))
	if err != nil {
		return made, false, err
	}
	reply, err := client.Do(request)
	if dial, ok := errors.AsType[*net.OpError](err); ok && dial.Op == "dial" {
		return made, false, nil
	}
	if err != nil {
		return made, true, err
	}
	defer reply.Body.Close()
	for lines := bufio.NewScanner(reply.Body); lines.Scan(); {
		var line orderReply
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			return made, true, err
		}
		switch {
		case line.Error != "":
			return made, true, errors.New(line.Error)
		case line.Made != nil:
			return *line.Made, true, nil
		}
		phase(line.Phase)
	}
	return made, true, errors.New("the server ended before the backup was done: see its log, and try again")
}
