package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/projections/evidence"
	"github.com/atrium-portal/atrium/readapi"
)

type auditBundleCmd struct {
	stores
	Account  string `help:"About a client of the firm." placeholder:"ID" xor:"about" required:""`
	Project  string `help:"About a project, with its contracts and invoices." placeholder:"ID" xor:"about" required:""`
	Invoice  string `help:"About an invoice." placeholder:"ID" xor:"about" required:""`
	Contract string `help:"About a contract." placeholder:"ID" xor:"about" required:""`
	Out      string `help:"File to write." required:"" type:"path" placeholder:"FILE"`
	Since    int64  `help:"Also prove that the log goes on from a seal of so many entries." placeholder:"SIZE"`
}

func (auditBundleCmd) Help() string {
	return `Example:
  atrium audit bundle --contract 0190d5a1-0000-7000-8000-000000000001 --out contract.zip
  atrium-verify contract.zip --keys keys.txt        (atrium audit keys > keys.txt)
It holds all that staff may see. A client gets theirs from the server, at /api/v1/accounts/ID/evidence. It opens the data like the server does: run it while the server is stopped, or against stores of your own.`
}

func (c auditBundleCmd) about() string {
	for _, x := range []struct{ category, id string }{{"account", c.Account}, {"project", c.Project}, {"invoice", c.Invoice}, {"contract", c.Contract}} {
		if x.id != "" {
			return x.category + "-" + x.id
		}
	}
	return ""
}

func (c auditBundleCmd) Run(ctx context.Context, t *terminal) error {
	return withStack(ctx, c.stores, t, func(k *stack) error {
		first, ok, err := k.seals.event(ctx, evidence.Ref{Stream: c.about()})
		if err != nil {
			return err
		}
		if !ok {
			return fmt.Errorf("there is no %s: `atrium events list` names some", c.about())
		}
		scope, err := k.wholeFirm(ctx, evidence.FirmOf(first))
		if err != nil {
			return err
		}
		reader, err := readapi.NewReader(readapi.Pools{Client: k.pools.ClientReader, Staff: k.pools.StaffReader}, k.engine, nil, k.now)
		if err != nil {
			return err
		}
		order, err := reader.EvidenceOf(ctx, scope, c.about())
		if err != nil {
			return err
		}
		order.Since = c.Since
		f, err := os.OpenFile(c.Out, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
		if err != nil {
			return err
		}
		seal := func(ctx context.Context, _ domain.Position) error { return k.seals.catchUp(ctx) }
		m := domain.Meta{Firm: scope.Firm, Account: order.Account, Actor: domain.SystemActor("setup"), Command: domain.NewID(), Request: "command line", Time: k.now()}
		if err := errors.Join(bundles{k, seal}.write(ctx, f, order, m), f.Close()); err != nil {
			return errors.Join(err, os.Remove(c.Out))
		}
		fmt.Fprintf(t.out, "%s holds %d events that are shown. Check it with: atrium-verify %s --keys FILE\n", c.Out, len(order.Lines), c.Out)
		return nil
	})
}
