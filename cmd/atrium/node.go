package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"strings"

	"github.com/atrium-portal/atrium/cmd/internal/eventnode"
)

type nodeCmd struct {
	Data         string `help:"Data folder." default:"./data/events" type:"path"`
	Listen       string `help:"Address: HOST:PORT, or unix:PATH. Where other machines reach it, a certificate and a password are needed." default:"127.0.0.1:2113"`
	TLSCert      string `help:"Certificate in PEM form, with its chain. A renewed one is used without a restart." name:"tls-cert" type:"path" placeholder:"FILE"`
	TLSKey       string `help:"Key of the certificate, in PEM form." name:"tls-key" type:"path" placeholder:"FILE"`
	User         string `help:"Who may read and write; needs --password-file and TLS." placeholder:"NAME"`
	PasswordFile string `help:"File with the user's password, at least 12 characters." type:"path" placeholder:"FILE"`
}

func (nodeCmd) Help() string {
	return `Examples:
  atrium node --data ./events --listen 127.0.0.1:2113
  and any EventStoreDB client on this machine connects to esdb://127.0.0.1:2113?tls=false

  atrium node --data ./events --listen 0.0.0.0:2113 --tls-cert node.crt --tls-key node.key --user atrium --password-file password
  and any EventStoreDB client connects to esdb://atrium:PASSWORD@node.example:2113`
}

func (c nodeCmd) Run(ctx context.Context, t *terminal) error {
	options := eventnode.Options{Dir: c.Data, Listen: c.Listen, CertFile: c.TLSCert, KeyFile: c.TLSKey, Logger: t.log}
	if c.User != "" || c.PasswordFile != "" {
		password, err := c.password()
		if err != nil {
			return err
		}
		options.Users = map[string]string{c.User: password}
	}
	spaciousHeap()
	node, err := eventnode.Start(ctx, options)
	if err != nil {
		return err
	}
	fmt.Fprintln(t.out, "event node ready at", node.URL())
	<-ctx.Done()
	return node.Close()
}

func (c nodeCmd) password() (string, error) {
	if c.User == "" || c.PasswordFile == "" {
		return "", errors.New("a user needs a name and a password: give both --user and --password-file")
	}
	text, err := os.ReadFile(c.PasswordFile)
	if err != nil {
		return "", fmt.Errorf("the password file cannot be read: %w", err)
	}
	return strings.TrimSpace(string(text)), nil
}

// spaciousHeap lets the heap grow to four times what is in use before it is collected, unless GOGC says otherwise. An append
// leaves some 20 kB of short-lived objects behind and the program keeps little, so that collections would be frequent and
// slow appends down by a tenth and rebuilds by a fifth. From 448 MiB on it is collected as often as it takes, unless GOMEMLIMIT
// says otherwise.
func spaciousHeap() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(300)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(448 << 20)
	}
}
