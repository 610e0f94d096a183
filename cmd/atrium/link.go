package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/readapi/auth/door"
)

type linkCmd struct {
	stores
	Email     string `help:"E-mail that a member of staff or a contact signs in with." required:""`
	Firm      string `help:"Name or id of the firm, when there are several."`
	PublicURL string `help:"Where people reach the server." default:"http://localhost:8080" placeholder:"URL"`
}

func (linkCmd) Help() string {
	return `Prints a link with which somebody signs in once, within three days. Stop a server that runs on the same data folder first.
Example:
  atrium link --email priya@north.example`
}

func (c linkCmd) Run(ctx context.Context, t *terminal) error {
	return withStack(ctx, c.stores, t, func(k *stack) error {
		f, err := k.firmNamed(ctx, c.Firm)
		if err != nil {
			return err
		}
		e, err := openEntrance(k, c.PublicURL, false)
		if err != nil {
			return err
		}
		p, ok, err := e.people.ByEmail(ctx, f.ID, c.Email)
		if err != nil {
			return err
		}
		if !ok {
			return fmt.Errorf("nobody here signs in with %s", c.Email)
		}
		address, err := e.link(ctx, p.Who)
		if fault, is := errors.AsType[*domain.Fault](err); is {
			return errors.New(fault.Message)
		}
		if err != nil {
			return err
		}
		fmt.Fprintln(t.out, address)
		return nil
	})
}

// linkFor is link for a member of staff, or for a contact when there is none.
func (e *entrance) linkFor(ctx context.Context, firm, staff, contact domain.ID) (string, error) {
	if staff != domain.NoID {
		return e.link(ctx, door.Member(firm, staff))
	}
	return e.link(ctx, door.Contact(firm, contact))
}
