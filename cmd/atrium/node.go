package main

import (
	"context"
	"fmt"

	"github.com/atrium-portal/atrium/cmd/internal/eventnode"
)

type nodeCmd struct {
	Data   string `help:"Data folder." default:"./data/events" type:"path"`
	Listen string `help:"Address on this machine: HOST:PORT, or unix:PATH." default:"127.0.0.1:2113"`
}

func (nodeCmd) Help() string {
	return `Example:
  atrium node --data ./events --listen 127.0.0.1:2113
  and any EventStoreDB client connects to esdb://127.0.0.1:2113?tls=false`
}

func (c nodeCmd) Run(ctx context.Context, t *terminal) error {
	node, err := eventnode.Start(ctx, eventnode.Options{Dir: c.Data, Listen: c.Listen, Logger: t.log})
	if err != nil {
		return err
	}
	fmt.Fprintln(t.out, "event node ready at", node.URL())
	<-ctx.Done()
	return node.Close()
}
