package main

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/atrium-portal/atrium/cmd/internal/postgres"
	"github.com/atrium-portal/atrium/commands"
	"github.com/atrium-portal/atrium/commands/api"
	"github.com/atrium-portal/atrium/commands/reactors"
	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/firm"
	"github.com/atrium-portal/atrium/projections"
	"github.com/atrium-portal/atrium/readapi"
	"github.com/atrium-portal/atrium/readapi/auth"
)

// Here each room's ports meet what fills them.

// people answers the read side's questions from the write side as it is now.
type people struct{ loop *commands.Loop }

func (p people) Firm(ctx context.Context, id domain.ID) (auth.Firm, bool, error) {
	state, revision, err := commands.State(ctx, p.loop, firm.Aggregate, id)
	s := state.Settings
	return auth.Firm{
		Name: s.Name, Slug: state.Slug, Currency: s.Currency, Zone: s.Location(), NumberFormat: s.NumberFormat,
		PrimaryColor: s.PrimaryColor, AccentColor: s.AccentColor, Logo: state.Logo,
		ShowUnreleased: s.ShowUnreleasedInvoices, ShowHistory: s.ShowHistory,
	}, revision != domain.NoStream, err
}

func (p people) Staff(ctx context.Context, firmID, id domain.ID) (string, bool, error) {
	state, _, err := commands.State(ctx, p.loop, firm.Aggregate, firmID)
	member := state.Staff[id]
	return string(member.Role), member.Active, err
}

func (p people) Contact(ctx context.Context, firmID, id, chosen domain.ID) (auth.ContactAccess, error) {
	access, err := p.loop.Access(ctx, firmID, id, chosen)
	permissions := make([]string, len(access.Permissions))
	for i, permission := range access.Permissions {
		permissions[i] = string(permission)
	}
	accounts := make([]auth.Account, len(access.Accounts))
	for i, account := range access.Accounts {
		accounts[i] = auth.Account(account)
	}
	return auth.ContactAccess{
		OK: access.OK, Account: access.Account, Accounts: accounts, Role: string(access.Role), Permissions: permissions, Absorbed: access.Absorbed,
	}, err
}

// tokens shows the read side the API tokens kept in Postgres.
type tokens struct{ *postgres.Tokens }

func (t tokens) Lookup(ctx context.Context, secret string) (auth.Token, bool, error) {
	token, ok, err := t.Tokens.Lookup(ctx, secret)
	return auth.Token{ID: token.ID, Firm: token.Firm, Staff: token.Staff, Contact: token.Contact, Rights: token.Scopes}, ok, err
}

// replies remembers answers to idempotency keys in Postgres.
type replies struct{ store *postgres.Idempotency }

func (r replies) Find(ctx context.Context, k api.ReplyKey) (int, []byte, bool, error) {
	prior, err := r.store.Begin(ctx, k.Firm.String(), k.Actor, k.Key, k.Digest)
	if errors.Is(err, postgres.ErrMismatch) {
		err = commands.IdempotencyMismatch()
	}
	if err != nil || prior == nil {
		return 0, nil, false, err
	}
	return prior.Status, prior.Body, true, nil
}

func (r replies) Keep(ctx context.Context, k api.ReplyKey, status int, body []byte) error {
	err := r.store.Finish(ctx, k.Firm.String(), k.Actor, k.Key, k.Digest, status, body)
	if errors.Is(err, postgres.ErrMismatch) {
		return commands.IdempotencyMismatch()
	}
	return err
}

// ops tells administrators how the read models do.
type ops struct {
	engine *projections.Engine
	source projections.Source
	log    commands.Log
	hand   *operator
}

// Rebuilding tells how far a rebuild has come.
func (o ops) Rebuilding(ctx context.Context) (readapi.Rebuild, error) { return o.hand.progress(ctx) }

func (o ops) Projections(ctx context.Context) ([]readapi.Projection, error) {
	status, err := o.engine.Status(ctx)
	if err != nil {
		return nil, err
	}
	head, err := o.source.Head(ctx)
	if err != nil {
		return nil, err
	}
	return []readapi.Projection{{
		Name: "read", Build: status.Build, Program: status.Program, Position: status.Position, Head: head,
		Lag: lag(status.Position, head), Events: status.Events, Parked: len(status.Parked), Updated: status.Updated,
	}}, nil
}

func (o ops) Parked(ctx context.Context, firmID domain.ID) ([]readapi.ParkedStream, error) {
	status, err := o.engine.Status(ctx)
	if err != nil {
		return nil, err
	}
	var parked []readapi.ParkedStream
	for _, p := range status.Parked {
		of, err := o.firmOf(ctx, p.Stream)
		if err != nil {
			return nil, err
		}
		if of == firmID || of == domain.NoID {
			parked = append(parked, readapi.ParkedStream(p))
		}
	}
	return parked, nil
}

// firmOf is the firm of a stream, from its first event; none when its metadata cannot be read.
func (o ops) firmOf(ctx context.Context, stream string) (domain.ID, error) {
	events, err := o.log.Load(ctx, stream, 0)
	if err != nil || len(events) == 0 {
		return domain.NoID, err
	}
	var metadata struct {
		Firm domain.ID `json:"firm"`
	}
	if json.Unmarshal(events[0].Metadata, &metadata) != nil {
		return domain.NoID, nil
	}
	return metadata.Firm, nil
}

// lag is how far a position is behind the head, in the log's own measure.
func lag(at, head domain.Position) int64 {
	if head.Before(at) {
		return 0
	}
	return int64(head.Commit - at.Commit)
}

// menuFor describes the menu to the API documentation.
func menuFor(menu *commands.Menu) []readapi.Command {
	var list []readapi.Command
	for _, e := range menu.Entries() {
		if !e.Who.Internal() {
			list = append(list, readapi.Command{Name: e.Name, Type: e.Command, Events: e.Events, Creates: e.Creates, Who: whoInWords(e.Who)})
		}
	}
	return list
}

func whoInWords(w commands.Who) string {
	words := ""
	switch {
	case w.Staff != "":
		words = "staff from " + string(w.Staff) + " up"
	case w.Client == "":
		words = "the program itself"
	}
	if w.Client != "" {
		if words != "" {
			words += "; "
		}
		if w.Client == commands.Self {
			return words + "contacts, for themselves"
		}
		words += "contacts with " + w.Client
	}
	return words
}

// receivables proposes invoices to mark overdue, from the read models.
type receivables struct{ pools *postgres.Pools }

func (r receivables) PastDue(ctx context.Context, day domain.Date) ([]reactors.Receivable, error) {
	rows, err := r.pools.Projector.Query(ctx, `
		select firm, id, due, revision from read.invoices
		where released and not void and not overdue_marked and due_amount > 0 and due < $1 order by due, id limit 10000`, day.Time())
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []reactors.Receivable
	for rows.Next() {
		var one reactors.Receivable
		var due time.Time
		if err := rows.Scan(&one.Firm, &one.Invoice, &due, &one.Revision); err != nil {
			return nil, err
		}
		one.Due = domain.DateOf(due, time.UTC)
		list = append(list, one)
	}
	return list, rows.Err()
}

// checkpoints remembers in Postgres how far each reactor has come.
type checkpoints struct{ pool *pgxpool.Pool }

func (c checkpoints) Checkpoint(ctx context.Context, handler string) (p domain.Position, found bool, err error) {
	err = c.pool.QueryRow(ctx, `select commit_pos, prepare_pos from ops.checkpoint where handler = $1`, handler).Scan(&p.Commit, &p.Prepare)
	if errors.Is(err, pgx.ErrNoRows) {
		return p, false, nil
	}
	return p, err == nil, err
}

func (c checkpoints) SetCheckpoint(ctx context.Context, handler string, p domain.Position) error {
	_, err := c.pool.Exec(ctx, `
		insert into ops.checkpoint (handler, commit_pos, prepare_pos, updated_at) values ($1, $2, $3, now())
		on conflict (handler) do update set commit_pos = excluded.commit_pos, prepare_pos = excluded.prepare_pos, updated_at = now()`,
		handler, p.Commit, p.Prepare)
	return err
}
