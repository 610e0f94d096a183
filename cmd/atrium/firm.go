package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jedib0t/go-pretty/v6/table"

	"github.com/atrium-portal/atrium/cmd/internal/postgres"
	"github.com/atrium-portal/atrium/commands"
	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/firm"
)

type firmCmd struct {
	Create firmCreateCmd `cmd:"" help:"Create a firm."`
	List   firmListCmd   `cmd:"" help:"List the firms."`
}

type firmCreateCmd struct {
	stores
	Name     string `help:"Trading name." required:""`
	Currency string `help:"ISO code, such as EUR." required:""`
	Timezone string `help:"IANA name, such as Europe/Berlin." required:""`
	Slug     string `help:"Its place in addresses, such as north-studio for /north-studio/login; made of the name when left out."`
}

func (firmCreateCmd) Help() string {
	return "Example:\n  atrium firm create --name 'North Studio' --currency EUR --timezone Europe/Berlin"
}

func (c firmCreateCmd) Run(ctx context.Context, t *terminal) error {
	return withStack(ctx, c.stores, t, func(k *stack) error {
		r, err := k.setup(ctx, domain.NoID, "CreateFirm", firm.Create{Name: c.Name, Currency: c.Currency, TimeZone: c.Timezone, Slug: c.Slug})
		if err != nil {
			return err
		}
		fmt.Fprintf(t.out, "Firm %s created: %s\nNext: atrium staff invite --firm %q --email YOU --name 'YOUR NAME' --role administrator\n", c.Name, r.ID, c.Name)
		return nil
	})
}

type firmListCmd struct{ stores }

func (c firmListCmd) Run(ctx context.Context, t *terminal) error {
	return withStack(ctx, c.stores, t, func(k *stack) error {
		firms, err := k.firms(ctx)
		if err != nil {
			return err
		}
		w := table.NewWriter()
		w.AppendHeader(table.Row{"firm", "id", "currency"})
		for _, f := range firms {
			w.AppendRow(table.Row{f.Name, f.ID, f.Currency})
		}
		fmt.Fprintln(t.out, w.Render())
		return nil
	})
}

type staffCmd struct {
	Invite staffInviteCmd `cmd:"" help:"Invite a staff member."`
}

type staffInviteCmd struct {
	stores
	Firm  string `help:"Name or id of the firm, when there are several."`
	Email string `help:"E-mail they sign in with." required:""`
	Name  string `help:"Their name." required:""`
	Role  string `help:"administrator, manager or member." enum:"administrator,manager,member" default:"member"`
}

func (staffInviteCmd) Help() string {
	return "Example:\n  atrium staff invite --firm 'North Studio' --email priya@north.example --name 'Priya Nair' --role administrator"
}

func (c staffInviteCmd) Run(ctx context.Context, t *terminal) error {
	return withStack(ctx, c.stores, t, func(k *stack) error {
		f, err := k.firmNamed(ctx, c.Firm)
		if err != nil {
			return err
		}
		_, err = k.setup(ctx, f.ID, "InviteStaff", firm.Invite{Firm: f.ID, Email: domain.P(c.Email), Name: domain.P(c.Name), Role: firm.Role(c.Role)})
		if err != nil {
			return err
		}
		fmt.Fprintf(t.out, "%s invited as %s.\nNext: atrium token create --staff %s\n", c.Name, c.Role, c.Email)
		return nil
	})
}

type tokenCmd struct {
	Create tokenCreateCmd `cmd:"" help:"Make an API token and print it once."`
	List   tokenListCmd   `cmd:"" help:"List a firm's tokens, without their secrets."`
	Revoke tokenRevokeCmd `cmd:"" help:"End a token."`
}

type tokenCreateCmd struct {
	stores
	Staff   string        `help:"E-mail of a staff member." xor:"who" required:""`
	Contact string        `help:"E-mail of a contact." xor:"who" required:""`
	Firm    string        `help:"Name or id of the firm, when there are several."`
	Scope   []string      `help:"What it may be used for: ${enum}." enum:"read,commands,ops,all" default:"all"`
	Name    string        `help:"What it is for." default:"command line"`
	Expires time.Duration `help:"How long it lasts; 0 for ever." default:"0"`
}

func (tokenCreateCmd) Help() string {
	return "Example:\n  atrium token create --staff priya@north.example --scope read --name 'dashboard'\n  curl -H \"Authorization: Bearer $TOKEN\" http://localhost:8080/api/v1/dashboard"
}

func (c tokenCreateCmd) Run(ctx context.Context, t *terminal) error {
	return withStack(ctx, c.stores, t, func(k *stack) error {
		f, err := k.firmNamed(ctx, c.Firm)
		if err != nil {
			return err
		}
		spec := postgres.TokenSpec{Firm: f.ID, Name: c.Name, Scopes: c.Scope}
		if c.Expires > 0 {
			spec.Expires = k.now().Add(c.Expires)
		}
		if spec.Staff, spec.Contact, err = k.personWithEmail(ctx, f.ID, c.Staff, c.Contact); err != nil {
			return err
		}
		secret, _, err := k.tokens.Create(ctx, spec)
		if err := k.ranTool(ctx, "token create", "done", err, f.ID); err != nil {
			return err
		}
		fmt.Fprintln(t.out, secret)
		return nil
	})
}

type tokenListCmd struct {
	stores
	Firm string `help:"Name or id of the firm, when there are several."`
}

func (c tokenListCmd) Run(ctx context.Context, t *terminal) error {
	return withStack(ctx, c.stores, t, func(k *stack) error {
		f, err := k.firmNamed(ctx, c.Firm)
		if err != nil {
			return err
		}
		list, err := k.tokens.List(ctx, f.ID)
		if err != nil {
			return err
		}
		w := table.NewWriter()
		w.AppendHeader(table.Row{"id", "name", "scopes", "created", "last used", "state"})
		for _, token := range list {
			state := "valid"
			if !token.Revoked.IsZero() {
				state = "revoked " + token.Revoked.Format(time.DateTime)
			} else if !token.Expires.IsZero() {
				state = "until " + token.Expires.Format(time.DateTime)
			}
			used := "never"
			if !token.LastUsed.IsZero() {
				used = token.LastUsed.Format(time.DateTime)
			}
			w.AppendRow(table.Row{token.ID, token.Name, strings.Join(token.Scopes, " "), token.Created.Format(time.DateTime), used, state})
		}
		fmt.Fprintln(t.out, w.Render())
		return nil
	})
}

type tokenRevokeCmd struct {
	stores
	Firm string `help:"Name or id of the firm, when there are several."`
	ID   string `arg:"" help:"Id of the token, from atrium token list."`
}

func (c tokenRevokeCmd) Run(ctx context.Context, t *terminal) error {
	return withStack(ctx, c.stores, t, func(k *stack) error {
		f, err := k.firmNamed(ctx, c.Firm)
		if err != nil {
			return err
		}
		id, err := uuid.Parse(c.ID)
		if err != nil {
			return fmt.Errorf("%q is not the id of a token; see `atrium token list`", c.ID)
		}
		ok, err := k.tokens.Revoke(ctx, f.ID, id)
		if err == nil && !ok {
			err = fmt.Errorf("%s has no token %s; see `atrium token list`", f.Name, id)
		}
		return k.ranTool(ctx, "token revoke", "done", err, f.ID)
	})
}

// setup gives a command as the person at the command line.
func (k *stack) setup(ctx context.Context, firmID domain.ID, name string, command any) (commands.Receipt, error) {
	r, err := k.loop.Dispatch(ctx, commands.Order{Name: name, Command: command, Meta: domain.Meta{
		Firm: firmID, Actor: domain.SystemActor("setup"), Command: domain.NewID(), Request: "command line",
	}})
	if fault, ok := errors.AsType[*domain.Fault](err); ok {
		return r, errors.New(fault.Message)
	}
	if err != nil {
		return r, err
	}
	return r, k.settle(ctx)
}

// knownFirm is a firm as the read models know it.
type knownFirm struct {
	ID             domain.ID
	Name, Currency string
}

func (k *stack) firms(ctx context.Context) ([]knownFirm, error) {
	rows, err := k.pools.Projector.Query(ctx, `select id, name, currency from read.firms order by name, id`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []knownFirm
	for rows.Next() {
		var f knownFirm
		if err := rows.Scan(&f.ID, &f.Name, &f.Currency); err != nil {
			return nil, err
		}
		list = append(list, f)
	}
	return list, rows.Err()
}

// firmNamed finds a firm by name or id; without one, the only firm there is.
func (k *stack) firmNamed(ctx context.Context, name string) (knownFirm, error) {
	firms, err := k.firms(ctx)
	if err != nil {
		return knownFirm{}, err
	}
	matching := slices.DeleteFunc(slices.Clone(firms), func(f knownFirm) bool {
		return name != "" && !strings.EqualFold(f.Name, name) && f.ID.String() != strings.ToLower(name)
	})
	switch {
	case len(firms) == 0:
		return knownFirm{}, errors.New("there is no firm yet: make one with `atrium firm create`")
	case len(matching) == 0:
		return knownFirm{}, fmt.Errorf("there is no firm %q: see `atrium firm list`", name)
	case len(matching) > 1:
		return knownFirm{}, errors.New("there are several firms that match: name one by its id with --firm, see `atrium firm list`")
	}
	return matching[0], nil
}

// personWithEmail finds the active staff member or the contact with an e-mail.
func (k *stack) personWithEmail(ctx context.Context, firmID domain.ID, staff, contact string) (staffID, contactID domain.ID, err error) {
	email, id, query := staff, &staffID, `select d.id from read.staff_details d join read.staff s using (id) where d.firm = $1 and lower(d.email) = $2 and s.active`
	if contact != "" {
		email, id, query = contact, &contactID, `select id from read.contacts where firm = $1 and lower(email) = $2 and merged_into is null`
	}
	rows, err := k.pools.Projector.Query(ctx, query, firmID, domain.FoldEmail(email))
	if err != nil {
		return
	}
	defer rows.Close()
	if !rows.Next() {
		return staffID, contactID, errors.Join(rows.Err(), fmt.Errorf("nobody here has the e-mail %s", email))
	}
	return staffID, contactID, rows.Scan(id)
}
