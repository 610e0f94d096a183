package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/atrium-portal/atrium/cmd/internal/gateway"
	"github.com/atrium-portal/atrium/cmd/internal/postgres"
	"github.com/atrium-portal/atrium/commands/reactors"
)

// paying says how clients pay online.
type paying struct {
	Gateway             string `help:"Payment provider: ${enum}. auto is the simulator with --dev, and none without." enum:"auto,stripe,simulator,none" default:"auto"`
	StripeKey           string `help:"Stripe's secret key. @FILE reads it from a file." placeholder:"KEY"`
	StripeWebhookSecret string `help:"Signing secret of the Stripe webhook at /webhooks/stripe; two, with a space between, while it is changed. @FILE reads them from a file." placeholder:"SECRET"`
}

// cashDesk is the payment provider and what belongs to it; without a provider it is empty.
type cashDesk struct {
	cashier *reactors.Cashier
	routes  map[string]http.Handler
}

// openCashDesk chooses the payment provider. base is where people reach the server.
func (c serveCmd) openCashDesk(k *stack, base string) (*cashDesk, error) {
	name := c.Gateway
	if name == "auto" || name == "" {
		if name = "none"; c.Dev {
			name = gateway.SimulatorName
		}
	}
	desk := &cashDesk{}
	if name == "none" {
		return desk, nil
	}
	desk.cashier = &reactors.Cashier{Loop: k.loop, Attempts: openAttempts{k.pools}, Now: k.now, Logger: k.log}
	switch name {
	case gateway.SimulatorName:
		if !c.Dev {
			return nil, errors.New("--gateway simulator takes no money: it is for --dev only; choose stripe or none")
		}
		simulator := gateway.NewSimulator(base, desk.cashier.Hear, k.now)
		pages, err := simulator.Handler()
		if err != nil {
			return nil, err
		}
		desk.cashier.Gateway = simulator
		desk.routes = map[string]http.Handler{"/dev/gateway": pages, "/dev/gateway.json": pages, "/dev/gateway/": pages}
	case gateway.StripeName:
		key, err := given(c.StripeKey)
		if err != nil {
			return nil, err
		}
		listed, err := given(c.StripeWebhookSecret)
		if err != nil {
			return nil, err
		}
		secrets := strings.Fields(listed)
		if key == "" || len(secrets) == 0 {
			return nil, errors.New("--gateway stripe needs --stripe-key and --stripe-webhook-secret: both are in Stripe's dashboard, the secret under the webhook for " + base + "/webhooks/stripe")
		}
		desk.cashier.Gateway = gateway.NewStripe(gateway.StripeOptions{Key: key, Base: base, Logger: k.log})
		desk.routes = map[string]http.Handler{"/webhooks/stripe": &gateway.StripeWebhook{
			Secrets: secrets, Hear: desk.cashier.Hear, Now: time.Now, Logger: k.log,
		}}
	default:
		return nil, fmt.Errorf("--gateway %q is not a payment provider", name)
	}
	k.loop.Gateway = name
	k.dispatch = desk.cashier
	return desk, nil
}

// tend looks after payments that are under way until ctx ends.
func (d *cashDesk) tend(ctx context.Context, group *errgroup.Group) {
	if d.cashier != nil {
		group.Go(func() error { return d.cashier.Run(ctx, 5*time.Second) })
	}
}

// with puts the provider's routes before the others.
func (d *cashDesk) with(others http.Handler) http.Handler {
	mux := http.NewServeMux()
	for path, handler := range d.routes {
		mux.Handle(path, handler)
	}
	mux.Handle("/", others)
	return mux
}

// openAttempts lists payments that are under way, from the read models.
type openAttempts struct{ pools *postgres.Pools }

func (o openAttempts) OpenAttempts(ctx context.Context) ([]reactors.OpenAttempt, error) {
	rows, err := o.pools.Projector.Query(ctx, `
		select firm, id, started_at from read.payment_attempts
		where status in ('started', 'handed_over') order by started_at, id limit 10000`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []reactors.OpenAttempt
	for rows.Next() {
		var one reactors.OpenAttempt
		if err := rows.Scan(&one.Firm, &one.Attempt, &one.Started); err != nil {
			return nil, err
		}
		list = append(list, one)
	}
	return list, rows.Err()
}
