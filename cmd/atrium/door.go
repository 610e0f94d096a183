package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/go-chi/chi/v5"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"golang.org/x/sync/errgroup"

	"github.com/atrium-portal/atrium/cmd/internal/mail"
	"github.com/atrium-portal/atrium/cmd/internal/postgres"
	"github.com/atrium-portal/atrium/commands"
	"github.com/atrium-portal/atrium/commands/reactors"
	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/access"
	"github.com/atrium-portal/atrium/domain/firm"
	"github.com/atrium-portal/atrium/domain/login"
	"github.com/atrium-portal/atrium/projections"
	"github.com/atrium-portal/atrium/readapi/auth"
	"github.com/atrium-portal/atrium/readapi/auth/door"
	"github.com/atrium-portal/atrium/readapi/portal"
	"github.com/atrium-portal/atrium/readapi/portal/signin"
	"github.com/atrium-portal/atrium/readapi/upload"
)

// letting says how people get in, and how mail reaches them.
type letting struct {
	SMTP              string `help:"Mail server, such as smtp://user:password@mail.example.com:587. Without one, mail is kept as files in the data folder. @FILE reads it from a file." placeholder:"URL"`
	MailFrom          string `help:"Sender of mails, such as 'North Studio <portal@north.example>'; portal@ the public address when left out." placeholder:"ADDRESS"`
	StaffSecondFactor string `help:"Whether staff need an authenticator app or a passkey: ${enum}." enum:"required,optional" default:"required"`
}

// entrance is the door with its mail.
type entrance struct {
	keeper  *door.Keeper
	people  folk
	outbox  *postgres.Outbox
	sender  *mail.Sender // nil until somebody sends
	mailbox *mail.Folder // nil with a mail server
	base    string       // where people reach the portal
	now     func() time.Time
}

// openEntrance opens the door of an installation that people reach at base.
func openEntrance(k *stack, base string, staffSecondFactor bool) (*entrance, error) {
	outbox, err := postgres.NewOutbox(k.pools.App, k.keys.Derive("mail outbox"))
	if err != nil {
		return nil, err
	}
	store, err := postgres.NewDoor(k.pools.App, k.keys.Derive("authenticator apps"), outbox)
	if err != nil {
		return nil, err
	}
	e := &entrance{people: folk{k}, outbox: outbox, now: k.now, base: base}
	e.keeper, err = door.New(door.Options{
		Store: store, People: e.people, Journal: k.loop, Now: k.now, Logger: k.log, Key: k.keys.Derive("the door"),
		PublicURL: base, StaffSecondFactor: staffSecondFactor,
	})
	return e, err
}

// openMail chooses how mail is sent.
func (e *entrance) openMail(k *stack, c letting, data, base string) error {
	server, err := given(c.SMTP)
	if err != nil {
		return err
	}
	from := c.MailFrom
	if from == "" {
		u, err := url.Parse(base)
		if err != nil {
			return err
		}
		from = "portal@" + u.Hostname()
	}
	e.sender = &mail.Sender{Queue: queue{e.outbox, k.loop, k.now}, Now: k.now, Logger: k.log}
	if server != "" {
		e.sender.Transport, err = mail.NewSMTP(server, from)
		return err
	}
	e.mailbox, err = mail.NewFolder(filepath.Join(data, "mail"), from)
	e.sender.Transport = e.mailbox
	return err
}

// tellPeople tells people of changes in how they sign in, until ctx ends.
func (e *entrance) tellPeople(ctx context.Context, k *stack) error {
	notices := reactors.Notices{Loop: k.loop, Codec: k.codec, Post: post{e.outbox, k.seals}, Readers: memberships{k.pools}, Copies: copies{k, e.base}, Base: e.base, Checkpoints: checkpoints{k.pools.App}, Now: k.now}
	from := func(ctx context.Context) (domain.Position, error) {
		at, found, err := notices.Checkpoints.Checkpoint(ctx, notices.Name())
		if err != nil || found {
			return at, err
		}
		// The first start: nobody needs to hear what happened before.
		if at, err = k.source.Head(ctx); err == nil {
			err = notices.Checkpoints.SetCheckpoint(ctx, notices.Name(), at)
		}
		return at, err
	}
	return k.follow(ctx, notices.Name(), unhurried, from, func(m *message.Message) error {
		batch, ok := projections.BatchOf(m)
		if !ok {
			return errors.New("message without a batch")
		}
		return notices.Handle(m.Context(), batch.Events)
	})
}

// memberships tells who works for a client, from the read models.
type memberships struct{ pools *postgres.Pools }

// Readers lists the contacts of an account.
func (m memberships) Readers(ctx context.Context, firmID, accountID domain.ID) ([]domain.ID, error) {
	rows, err := m.pools.Projector.Query(ctx, "select contact from read.memberships where firm = $1 and account = $2 order by contact", firmID, accountID)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[domain.ID])
}

// post is the outbox as reactors see it.
type post struct {
	outbox *postgres.Outbox
	seals  *seals
}

func (p post) Post(ctx context.Context, l reactors.Letter) error {
	l.Text, l.HTML = p.withSeal(ctx, l)
	about, err := aboutMail(l)
	if err != nil {
		return err
	}
	return p.outbox.Enqueue(ctx, postgres.Mail{ID: l.ID, Firm: l.Firm, To: l.To, Subject: l.Subject, Text: l.Text, HTML: l.HTML, Created: l.Created, About: about})
}

// tend answers requests for links, tells people of changes and sends mail until ctx ends.
func (e *entrance) tend(ctx context.Context, k *stack, group *errgroup.Group, role string) {
	if role == "all" || role == "api" {
		group.Go(func() error { return e.keeper.Run(ctx, time.Second) })
	}
	if role == "all" || role == "react" {
		group.Go(func() error { return e.sender.Run(ctx, time.Second) })
		group.Go(func() error { return e.tellPeople(ctx, k) })
	}
}

// doors are the addresses of the pages for getting in and out.
func (*entrance) doors() portal.Doors {
	return portal.Doors{SignIn: signin.Login, SignOut: signin.Logout, Security: signin.Security, Proof: signin.Proof, Account: signin.Account, Help: signin.Help}
}

// pages gives the pages for getting in and out.
func (e *entrance) pages(k *stack) (routes func(chi.Router), err error) {
	pages, err := signin.New(signin.Options{Keeper: e.keeper, People: e.people, Scopes: people{k.loop}, Now: k.now, Logger: k.log})
	if err != nil {
		return nil, err
	}
	return pages.Routes, nil
}

// mailboxRoutes are the pages that show the mail of a developer.
func (e *entrance) mailboxRoutes(r chi.Router) {
	if e.mailbox != nil {
		r.Method(http.MethodGet, "/dev/mail", e.mailbox)
		r.Method(http.MethodGet, "/dev/mail.json", e.mailbox)
	}
}

// sessions are those that open the API; none where nobody gets in.
func (k *stack) sessions() auth.Sessions {
	if k.entrance == nil {
		return nil
	}
	return k.entrance.keeper
}

// folk shows the door who there is: people as the write side knows them now, firms by the read models.
type folk struct{ k *stack }

func (f folk) ByEmail(ctx context.Context, firmID domain.ID, email string) (door.Person, bool, error) {
	p, ok, err := f.k.loop.PersonByLogin(ctx, firmID, email)
	return atTheDoor(firmID, p), ok, err
}

func (f folk) Person(ctx context.Context, who door.Who) (door.Person, bool, error) {
	p, ok, err := f.k.loop.Person(ctx, who.Firm, login.HolderKind(who.Kind), who.ID)
	return atTheDoor(who.Firm, p), ok, err
}

func atTheDoor(firmID domain.ID, p commands.Person) door.Person {
	return door.Person{
		Who: door.Who{Firm: firmID, Kind: access.PersonKind(p.Kind), ID: p.ID}, Account: p.Account, Name: p.Name, Email: p.Email, MayIn: p.MayIn,
		Accounts: p.Accounts,
	}
}

func (f folk) Firm(ctx context.Context, id domain.ID) (door.Firm, bool, error) {
	state, revision, err := commands.State(ctx, f.k.loop, firm.Aggregate, id)
	s := state.Settings
	return door.Firm{
		ID: id, Name: s.Name, Slug: state.Slug, SecondFactor: s.RequireSecondFactorForClients, ClientIdle: days(s.ClientSessionDays),
		PrimaryColor: s.PrimaryColor, AccentColor: s.AccentColor, LogoURL: upload.LogoPath(state.Logo),
	}, revision != domain.NoStream, err
}

func (f folk) Firms(ctx context.Context) ([]door.Firm, error) {
	rows, err := f.k.pools.Projector.Query(ctx, `
		select id, name, slug, require_second_factor_for_clients, client_session_days, primary_color, accent_color, logo, logo_sha256
		from read.firms order by name, id`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []door.Firm
	for rows.Next() {
		var one door.Firm
		var idle int
		var logo pgtype.UUID
		var sum string
		if err := rows.Scan(&one.ID, &one.Name, &one.Slug, &one.SecondFactor, &idle, &one.PrimaryColor, &one.AccentColor, &logo, &sum); err != nil {
			return nil, err
		}
		one.ClientIdle, one.LogoURL = days(idle), upload.LogoPath(domain.File{ID: logo.Bytes, SHA256: sum})
		list = append(list, one)
	}
	return list, rows.Err()
}

func days(n int) time.Duration { return time.Duration(n) * 24 * time.Hour }

// queue is the outbox as the sender sees it.
type queue struct {
	outbox *postgres.Outbox
	loop   *commands.Loop
	now    func() time.Time
}

// sendingLasts is how long somebody may take to send a mail before somebody else tries.
const sendingLasts = 2 * time.Minute

func (q queue) Take(ctx context.Context) (mail.Message, bool, error) {
	m, ok, err := q.outbox.Take(ctx, sendingLasts, q.now())
	return mail.Message{ID: m.ID.String(), To: m.To, Subject: m.Subject, Text: m.Text, HTML: m.HTML, Created: m.Created, Tries: m.Tries}, ok, err
}

func (q queue) Sent(ctx context.Context, id string) error {
	parsed, err := uuid.Parse(id)
	if err != nil {
		return err
	}
	if err := q.onRecord(ctx, parsed); err != nil {
		return err
	}
	return q.outbox.Sent(ctx, parsed, q.now())
}

func (q queue) Failed(ctx context.Context, id, why string, next time.Time) error {
	parsed, err := uuid.Parse(id)
	if err != nil {
		return err
	}
	return q.outbox.Failed(ctx, parsed, why, next)
}

// identify gives the ways in which people are known on pages: by their session.
func (e *entrance) identify() (client, staff []auth.Identify) {
	return []auth.Identify{auth.Previewed(e.keeper)}, []auth.Identify{auth.Session(e.keeper)}
}

// link makes a sign-in link for somebody, to hand over or to print.
func (e *entrance) link(ctx context.Context, who door.Who) (string, error) {
	address, err := e.keeper.DirectLink(ctx, domain.SystemActor("setup"), who, door.InvitationLasts)
	if err != nil {
		return "", fmt.Errorf("no sign-in link: %w", err)
	}
	return address, nil
}
