package main

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/sync/errgroup"

	"github.com/atrium-portal/atrium/cmd/internal/witness"
	"github.com/atrium-portal/atrium/projections/evidence"
)

type witnessCmd struct {
	Data   string   `help:"Folder of the witness: its key, and the last seal of each log." default:"./witness" type:"path"`
	Listen string   `help:"Address to serve on: HOST:PORT, or unix:PATH." default:"127.0.0.1:8090"`
	LogKey []string `help:"Public log key of an installation to watch, as its /.well-known/atrium-log-keys shows it; may be given several times." placeholder:"KEY" sep:"none"`
	Name   string   `help:"Name under which the witness signs." default:"atrium-witness"`
}

func (witnessCmd) Help() string {
	return `Example:
  atrium witness --data /var/lib/atrium-witness --listen 10.0.0.7:8090 --log-key "$(curl -s https://portal.example.com/.well-known/atrium-log-keys)"
It prints its public key, for atrium serve --witness URL --witness-key KEY. Run it on another machine, best by somebody else. Give it TLS by a proxy where the network is not yours.`
}

// keyLine begins a log key in what /.well-known/atrium-log-keys shows.
const keyLine = "log-key "

// parseLogKeys reads log keys: base64, alone or in the lines that the program publishes.
func parseLogKeys(texts []string) (keys [][]byte, err error) {
	for _, line := range strings.Split(strings.Join(texts, "\n"), "\n") {
		text := strings.TrimPrefix(strings.TrimSpace(line), keyLine)
		if text == "" || strings.HasPrefix(text, "#") || strings.Contains(text, " ") {
			continue
		}
		key, err := base64.StdEncoding.DecodeString(text)
		if err != nil || len(key) != 32 {
			return nil, fmt.Errorf("--log-key %q is not a public log key: take it from /.well-known/atrium-log-keys", text)
		}
		keys = append(keys, key)
	}
	if len(keys) == 0 {
		return nil, errors.New("a witness watches the logs of one or more installations: name their keys with --log-key")
	}
	return keys, nil
}

func (c witnessCmd) Run(ctx context.Context, t *terminal) error {
	keys, err := parseLogKeys(c.LogKey)
	if err != nil {
		return err
	}
	w, err := openWitness(c.Data, c.Name, keys)
	if err != nil {
		return err
	}
	network, address := "tcp", c.Listen
	if path, ok := strings.CutPrefix(c.Listen, "unix:"); ok {
		network, address = "unix", path
		_ = os.Remove(path) // of an earlier start; the folder's lock is ours
	}
	listener, err := net.Listen(network, address)
	if err != nil {
		return errors.Join(fmt.Errorf("cannot listen on %s (%w): stop what uses it, or take another address with --listen", c.Listen, err), w.disk.Close())
	}
	fmt.Fprintln(t.out, w.key)
	return w.serve(ctx, listener, t)
}

// openedWitness is a witness with its disk.
type openedWitness struct {
	evidence.Witness
	disk *witness.Disk
	key  string // public, as text
}

// openWitness opens a witness's folder. It watches every log that is signed with one of the log keys.
func openWitness(dir, name string, logKeys [][]byte) (*openedWitness, error) {
	disk, err := witness.OpenDisk(dir)
	if err != nil {
		return nil, err
	}
	secret, err := disk.Secret(rand.Read)
	if err != nil {
		return nil, errors.Join(err, disk.Close())
	}
	w := &openedWitness{disk: disk, key: evidence.CosignerKey(name, evidence.PublicKey(secret))}
	w.Signer, w.Memory = evidence.Cosigner(name, secret, time.Now), disk
	w.Verifier = func(origin string) (note.Verifiers, bool) {
		var list []note.Verifier
		for _, key := range logKeys {
			v, err := evidence.NewVerifier(evidence.LogKey(origin, key))
			if err != nil {
				return nil, false
			}
			list = append(list, v)
		}
		return note.VerifierList(list...), true
	}
	return w, nil
}

// serve answers until ctx ends, then closes the disk.
func (w *openedWitness) serve(ctx context.Context, listener net.Listener, t *terminal) error {
	server := &http.Server{Handler: witness.Handler(&w.Witness, w.key, t.log), ReadTimeout: 10 * time.Second, MaxHeaderBytes: 16 << 10}
	stop := context.AfterFunc(ctx, func() { server.Close() })
	defer stop()
	t.log.Info("the witness is ready", "address", listener.Addr().String(), "key", w.key)
	err := server.Serve(listener)
	if errors.Is(err, http.ErrServerClosed) {
		err = nil
	}
	return errors.Join(err, w.disk.Close())
}

// ownWitness starts a witness in this process, so that developers see one at work. In production a witness on the same disk
// would witness nothing.
func (k *stack) ownWitness(ctx context.Context, data string, t *terminal) (witnessing, func() error, error) {
	w, err := openWitness(filepath.Join(data, "witness"), "demo-witness", [][]byte{evidence.PublicKey(k.seals.keys.seed(1)), evidence.PublicKey(k.seals.keys.seed(2))})
	if err != nil {
		return witnessing{}, nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return witnessing{}, nil, errors.Join(err, w.disk.Close())
	}
	return witnessing{Witness: "http://" + listener.Addr().String(), WitnessKey: w.key}, func() error { return w.serve(ctx, listener, t) }, nil
}

// joinWitness names the witness of a server; in development there is one in the process when none is named.
func (c serveCmd) joinWitness(ctx context.Context, k *stack, group *errgroup.Group, t *terminal) error {
	w := c.witnessing
	if c.Dev && w.Witness == "" {
		own, serve, err := k.ownWitness(ctx, c.Data, t)
		if err != nil {
			return err
		}
		group.Go(serve)
		w = own
	}
	return k.seals.watchedBy(w)
}
