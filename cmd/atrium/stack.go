package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"

	"github.com/atrium-portal/atrium/cmd/internal/blob"
	"github.com/atrium-portal/atrium/cmd/internal/eventlog"
	"github.com/atrium-portal/atrium/cmd/internal/eventnode"
	"github.com/atrium-portal/atrium/cmd/internal/feed"
	"github.com/atrium-portal/atrium/cmd/internal/keystore"
	"github.com/atrium-portal/atrium/cmd/internal/postgres"
	"github.com/atrium-portal/atrium/cmd/internal/telemetry"
	"github.com/atrium-portal/atrium/commands"
	"github.com/atrium-portal/atrium/commands/api"
	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/catalog"
	"github.com/atrium-portal/atrium/projections"
)

// stores says where the data is. Every command that touches data embeds it.
type stores struct {
	Data       string `help:"Folder for everything kept on this machine." default:"./data" type:"path"`
	Eventstore string `help:"EventStoreDB to use instead of the embedded node, such as esdb://host:2113?tls=true. @FILE reads it from a file." placeholder:"URL"`
	Files      string `help:"Where uploaded files are instead of the data folder, such as s3://bucket?region=eu-central-1. @FILE reads it from a file." placeholder:"URL"`
	Database   string `help:"Postgres (15 or newer) to use instead of the managed one, such as postgres://user:password@host/atrium. @FILE reads it from a file." placeholder:"URL"`
}

// stack is the open stores and the rooms on top of them, opened in this order and closed in reverse.
type stack struct {
	data    string // the folder
	log     *slog.Logger
	now     func() time.Time
	cluster *postgres.Cluster // nil with a database of the firm's own
	node    *eventnode.Node   // nil with an event store of the firm's own
	events  *eventlog.Log

	pools  *postgres.Pools
	keys   *keystore.Keystore
	tokens *postgres.Tokens
	files  *blob.Store
	codec  *domain.Codec
	loop   *commands.Loop
	// dispatch runs the commands that people and programs give: the loop, or whoever acts on some of them at once.
	dispatch api.Dispatcher
	journal  *commands.AuditJournal // somebody must run it
	engine   *projections.Engine
	operator *operator
	past     *projections.Past
	seals    *seals
	source   projections.Source

	metrics *telemetry.Metrics
	traces  *telemetry.Traces // nil: nothing is traced
	late    telemetry.Lateness
	leases  *postgres.Leases // nil: no other process shares the stores

	// entrance is how people get in; nil where nobody does.
	entrance *entrance

	eventURL string
	closers  []func() error
}

// openStack opens the stores and builds the rooms. It changes nothing but what a first start makes. On an error
// everything opened so far is closed.
func openStack(ctx context.Context, s stores, now func() time.Time, log *slog.Logger, traces *telemetry.Traces) (_ *stack, err error) {
	spaciousHeap()
	k := &stack{data: s.Data, log: log, now: now, metrics: telemetry.NewMetrics(), traces: traces}
	defer func() {
		if err != nil {
			err = errors.Join(err, k.Close())
		}
	}()
	if err := makePrivate(s.Data); err != nil {
		return nil, err
	}
	if err := k.openDatabase(ctx, s); err != nil {
		return nil, err
	}
	if err := k.openEvents(ctx, s); err != nil {
		return nil, err
	}
	if k.node == nil && k.cluster == nil {
		k.leases = postgres.NewLeases(k.pools.App, postgres.DefaultLeaseTimes, log)
	}
	k.tokens = postgres.NewTokens(k.pools.App, now, k.cluster != nil)
	if k.keys, err = keystore.Open(ctx, k.pools.App, keystore.Options{Dir: filepath.Join(s.Data, "secrets"), Now: now}); err != nil {
		return nil, err
	}
	k.seals = openSeals(k)
	if err := k.openFiles(ctx, s); err != nil {
		return nil, err
	}
	if k.codec, err = domain.NewCodec(catalog.Types(), k.keys, nil); err != nil {
		return nil, err
	}
	if k.loop, err = commands.NewLoop(commands.Options{
		Log: k.metrics.Log(k.events), Codec: k.codec, Menu: commands.Atrium(), Now: now, Logger: log, LoginKey: k.keys.Derive("login e-mail addresses"), Files: k.files,
		Exclusive: k.node != nil, // the embedded node has no other client
		Observe:   k.metrics.Command, Trace: traces.Parent,
	}); err != nil {
		return nil, err
	}
	k.dispatch, k.journal = k.loop, commands.NewAuditJournal(k.loop, log)
	if k.engine, err = projections.New(k.pools.Owner, k.codec, projections.Tables(), projections.Options{Logger: log}); err != nil {
		return nil, err
	}
	k.past, err = projections.NewPast(k.engine, k.events)
	return k, err
}

// makePrivate makes the data folder, closed to everybody else.
func makePrivate(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("the data folder %s cannot be made (%w): name one that can with --data", dir, err)
	}
	return nil
}

func (k *stack) openDatabase(ctx context.Context, s stores) error {
	url, err := given(s.Database)
	if err != nil {
		return err
	}
	if url == "" {
		cluster, err := postgres.Manage(ctx, postgres.ManageOptions{Dir: filepath.Join(s.Data, "postgres"), Logger: k.log})
		if err != nil {
			return err
		}
		k.onClose(func() error {
			ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
			defer cancel()
			return cluster.Stop(ctx)
		})
		k.cluster, url = cluster, cluster.URL()
	}
	if k.pools, err = postgres.Connect(ctx, url, postgres.Options{Tracer: k.traces.Queries()}); err != nil {
		return err
	}
	k.onClose(func() error { k.pools.Close(); return nil })
	return k.pools.Migrate(ctx)
}

func (k *stack) openEvents(ctx context.Context, s stores) (err error) {
	if k.eventURL, err = given(s.Eventstore); err != nil {
		return err
	}
	if k.eventURL == "" {
		k.node, err = eventnode.Start(ctx, eventnode.Options{
			Dir: filepath.Join(s.Data, "events"), Listen: "unix:" + filepath.Join(s.Data, "events.sock"), Now: time.Now, Logger: k.log,
		})
		if err != nil {
			return err
		}
		k.onClose(k.node.Close)
		k.eventURL = k.node.URL()
	}
	if k.events, err = eventlog.Open(k.eventURL, eventlog.Options{}); err != nil {
		return err
	}
	k.onClose(k.events.Close)
	k.source = feed.NewSource(k.newClient, catalog.Prefixes())
	return nil
}

// given is a setting, or the content of the file it names with @.
func given(setting string) (string, error) {
	name, isFile := strings.CutPrefix(setting, "@")
	if !isFile {
		return setting, nil
	}
	content, err := os.ReadFile(name)
	if err != nil {
		return "", fmt.Errorf("the file named with @ cannot be read: %w", err)
	}
	return strings.TrimSpace(string(content)), nil
}

func (k *stack) onClose(f func() error) { k.closers = append(k.closers, f) }

// Close closes everything in reverse.
func (k *stack) Close() error {
	var failed []error
	for i := len(k.closers) - 1; i >= 0; i-- {
		failed = append(failed, k.closers[i]())
	}
	k.closers = nil
	return errors.Join(failed...)
}

// newClient makes a client of the event store for somebody who follows the log.
func (k *stack) newClient() (*esdb.Client, error) { return eventlog.NewClient(k.eventURL) }
