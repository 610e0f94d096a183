package main

import (
	"context"
	"fmt"

	"github.com/atrium-portal/atrium/cmd/internal/demo"
	"github.com/atrium-portal/atrium/cmd/internal/postgres"
	"github.com/atrium-portal/atrium/domain"
)

type demoCmd struct {
	stores
	Listen string `help:"Address to serve on; only on this machine." default:"localhost:8080"`
}

func (demoCmd) Help() string {
	return "Example:\n  atrium demo --data ./data\nA second start keeps the data. API tokens for trying it out are printed at every start."
}

func (c demoCmd) Run(ctx context.Context, t *terminal) error {
	server := serveCmd{stores: c.stores, letting: letting{StaffSecondFactor: "optional"}, Listen: c.Listen, Role: "all", Dev: true}
	return server.serve(ctx, t, func(ctx context.Context, k *stack) error {
		m := newMeter(t, "making the demo firm", false)
		made, err := demo.Make(ctx, demo.Options{Loop: k.loop, Now: k.now, Progress: func(done, total int) { m.at(int64(done), int64(total)) }})
		m.end()
		if err != nil {
			return err
		}
		if err := k.settle(ctx); err != nil {
			return err
		}
		return c.welcome(ctx, t, k, made)
	})
}

// welcome prints where to look, a sign-in link and a fresh token for one staff member and two clients. Tokens of earlier starts are
// revoked: they were printed to a terminal nobody may be watching any more.
func (c demoCmd) welcome(ctx context.Context, t *terminal, k *stack, made demo.Demo) error {
	old, err := k.tokens.List(ctx, made.Firm)
	if err != nil {
		return err
	}
	for _, token := range old {
		if token.Name == demoToken && token.Revoked.IsZero() {
			if _, err := k.tokens.Revoke(ctx, made.Firm, token.ID); err != nil {
				return err
			}
		}
	}
	fmt.Fprintf(t.out, "\nAtrium is running with the demo firm %s.\n\n  Mail that would be sent  http://%s/dev/mail\n  API documentation        http://%s/api/docs/\n\nSign in once, within three days, as\n\n", made.Name, c.Listen, c.Listen)
	people := []struct {
		who            string
		staff, contact domain.ID
	}{{made.Staff[0].Name + " (" + string(made.Staff[0].Role) + ")", made.Staff[0].ID, domain.NoID}}
	for _, client := range made.Clients[:2] {
		people = append(people, struct {
			who            string
			staff, contact domain.ID
		}{client.Name + " (" + client.Account + ")", domain.NoID, client.ID})
	}
	for _, p := range people {
		secret, _, err := k.tokens.Create(ctx, postgres.TokenSpec{Firm: made.Firm, Staff: p.staff, Contact: p.contact, Name: demoToken, Scopes: []string{"all"}})
		if err != nil {
			return err
		}
		link, err := k.entrance.linkFor(ctx, made.Firm, p.staff, p.contact)
		if err != nil {
			return err
		}
		fmt.Fprintf(t.out, "  %s\n    %s\n    curl -H 'Authorization: Bearer %s' http://%s/api/v1/dashboard\n", p.who, link, secret, c.Listen)
	}
	fmt.Fprintln(t.out, "\nStop with Ctrl-C.")
	return nil
}

const demoToken = "demo"
