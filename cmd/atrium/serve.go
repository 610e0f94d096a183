package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/go-chi/chi/v5"
	"golang.org/x/sync/errgroup"

	"github.com/atrium-portal/atrium/cmd/internal/pdf"
	"github.com/atrium-portal/atrium/cmd/internal/postgres"
	"github.com/atrium-portal/atrium/commands/api"
	"github.com/atrium-portal/atrium/readapi"
)

type serveCmd struct {
	stores
	paying
	letting
	witnessing
	showing
	Listen    string        `help:"Address to serve on." default:"localhost:8080"`
	PublicURL string        `help:"Where people reach the server, such as https://portal.example.com." placeholder:"URL"`
	Role      string        `help:"What this process does: ${enum}." enum:"all,api,project,react" default:"all"`
	Limit     int           `help:"Requests per minute that one session or token may make; below 0 there is no limit." default:"6000"`
	Drain     time.Duration `help:"How long to go on answering after being told to stop, while /readyz already says no, so that a load balancer notices." default:"0s"`
	Dev       bool          `help:"Development: /dev/clock, /dev/gateway, /dev/mail. Only on loopback."`
}

func (serveCmd) Help() string {
	return `Examples:
  atrium serve --data /var/lib/atrium --listen 127.0.0.1:8080 --public-url https://portal.example.com
  atrium serve --eventstore esdb://es:2113?tls=true --database @/run/secrets/database --role api`
}

func (c serveCmd) Run(ctx context.Context, t *terminal) error { return c.serve(ctx, t, nil) }

// serve runs the server until ctx ends. prepare, when given, runs before it says that it is ready.
func (c serveCmd) serve(ctx context.Context, t *terminal, prepare func(context.Context, *stack) error) (err error) {
	begun := t.now()
	if err := c.check(); err != nil {
		return err
	}
	listener, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return fmt.Errorf("cannot listen on %s (%w): stop what uses it, or take another address with --listen", c.Listen, err)
	}
	defer listener.Close()
	var dev clock
	traces, err := c.openTraces(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, traces.Close(context.WithoutCancel(ctx))) }()
	k, err := openStack(ctx, c.stores, dev.now, t.log, traces)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, k.Close()) }()
	base := c.reachedAt(listener.Addr())
	desk, err := c.openCashDesk(k, base)
	if err != nil {
		return err
	}
	if k.entrance, err = openEntrance(k, base, c.StaffSecondFactor != "optional"); err != nil {
		return err
	}
	if err := k.entrance.openMail(k, c.letting, c.Data, base); err != nil {
		return err
	}

	work, stopWork := context.WithCancel(context.WithoutCancel(ctx))
	defer stopWork()
	group, work := errgroup.WithContext(work)
	var ready atomic.Bool
	if err := c.joinWitness(work, k, group, t); err != nil {
		return err
	}
	if err := k.seals.compare(ctx); err != nil {
		return err
	}
	k.dispatch = sealing{k.dispatch, k.seals}
	group.Go(func() error { return k.journal.Run(work) })
	if c.Role == "all" || c.Role == "project" {
		k.startSealer(work, group)
		if err := k.startProjector(work, group); err != nil {
			return err
		}
	}
	if err := k.awaitTables(ctx); err != nil {
		return err
	}
	if err := errors.Join(k.pools.CheckRoles(ctx), k.pools.CheckTables(ctx, "read")); err != nil {
		return err
	}
	if c.Role == "all" || c.Role == "react" {
		k.startReactors(work, group)
		desk.tend(work, group)
	}
	k.entrance.tend(work, k, group, c.Role)
	k.tendFiles(work, group)
	k.openOperator(work, group)
	if err := k.takeOrders(work, group); err != nil {
		return err
	}
	if err := c.show(work, k, group); err != nil {
		return err
	}
	handler, err := c.handler(k, desk, &dev, &ready)
	if err != nil {
		return err
	}
	server := &http.Server{
		Handler: handler, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10,
	}
	group.Go(func() error {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	})
	group.Go(func() error {
		err := k.settle(work)
		if err == nil && prepare != nil {
			err = prepare(work, k)
		}
		if err == nil {
			ready.Store(true)
			t.log.Info("ready", "address", "http://"+listener.Addr().String(), "after", t.now().Sub(begun).Round(time.Millisecond))
		}
		return err
	})
	select {
	case <-ctx.Done():
		t.log.Info("stopping: finishing what is under way")
	case <-work.Done():
	}
	ready.Store(false)
	if c.Drain > 0 && work.Err() == nil {
		_ = pause(work, c.Drain) // what else ends the work ends the waiting
	}
	drain, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := server.Shutdown(drain); err != nil {
		server.Close() // open event streams end here
	}
	stopWork()
	if err := group.Wait(); err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// reachedAt is the address that people use. Names are kept: a browser holds localhost and 127.0.0.1 for two places.
func (c serveCmd) reachedAt(listening net.Addr) string {
	if c.PublicURL != "" {
		return strings.TrimSuffix(c.PublicURL, "/")
	}
	host, _, _ := net.SplitHostPort(c.Listen)
	_, port, _ := net.SplitHostPort(listening.String())
	return "http://" + net.JoinHostPort(cmp.Or(host, "localhost"), port)
}

func (c serveCmd) check() error {
	host, _, err := net.SplitHostPort(c.Listen)
	if err != nil {
		return fmt.Errorf("--listen %q is not HOST:PORT", c.Listen)
	}
	if ip := net.ParseIP(host); c.Dev && host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return errors.New("--dev opens doors that only you may use: listen on localhost, or leave --dev out")
	}
	if c.PublicURL != "" {
		if u, err := url.Parse(c.PublicURL); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return fmt.Errorf("--public-url %q is not an address such as https://portal.example.com", c.PublicURL)
		}
	}
	if c.Role != "all" && (c.Eventstore == "" || c.Database == "") {
		return errors.New("several processes need stores they can share: name them with --eventstore and --database")
	}
	return nil
}

// handler puts the routes of all rooms on one router.
func (c serveCmd) handler(k *stack, desk *cashDesk, dev *clock, ready *atomic.Bool) (http.Handler, error) {
	reads, err := readapi.Router(readapi.Options{
		Pools:      readapi.Pools{Client: k.pools.ClientReader, Staff: k.pools.StaffReader},
		Tokens:     tokens{k.tokens},
		Sessions:   k.sessions(),
		People:     people{k.loop},
		Checkpoint: k.engine,
		Ops:        ops{k.engine, k.source, k.events, k.operator},
		Seals:      k.seals,
		Audit:      looks{k.journal},
		Evidence:   k.issuer(),
		Past:       k.past,
		Commands: func(r chi.Router) {
			api.Routes(r, k.loop.Menu, k.dispatch, readapi.Meta, replies{postgres.NewIdempotency(k.pools.App)}, readapi.Problem)
		},
		Menu:      menuFor(k.loop.Menu),
		Documents: pdf.Documents{},
		Uploads:   k.uploads(),
		Ready: func(ctx context.Context) error {
			if !ready.Load() {
				return errors.New("the read models are catching up")
			}
			return k.able(ctx)
		},
		Around: k.around("api"),
		Now:    k.now, Logger: k.log, PublicURL: k.entrance.base, Limit: c.Limit,
	})
	if err != nil {
		return nil, err
	}
	all, err := c.withPages(k, reads)
	if err != nil {
		return nil, err
	}
	all = desk.with(all)
	if !c.Dev {
		return all, nil
	}
	r := chi.NewRouter()
	r.Method(http.MethodGet, "/dev/clock", dev)
	r.Method(http.MethodPost, "/dev/clock", dev)
	if k.entrance != nil {
		k.entrance.mailboxRoutes(r)
	}
	r.Mount("/", all)
	return http.NewCrossOriginProtection().Handler(r), nil
}
