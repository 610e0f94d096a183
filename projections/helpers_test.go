package projections_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/account"
	"github.com/atrium-portal/atrium/domain/domaintest"
	"github.com/atrium-portal/atrium/projections"
)

// accountRow has a column of every kind.
type accountRow struct {
	ID       domain.ID   `db:"id,key"`
	Firm     domain.ID   `db:"firm"`
	Account  domain.ID   `db:"account"`
	Revision int64       `db:"revision"`
	Name     string      `db:"name" history:"label"`
	Currency string      `db:"currency"`
	Limit    int64       `db:"credit" history:"money"`
	Closed   bool        `db:"closed"`
	Opened   time.Time   `db:"opened"`
	ClosedOn domain.Date `db:"closed_on,null"`
	Contact  domain.ID   `db:"contact,null"`
	Names    []string    `db:"names" history:"-"`
	People   []domain.ID `db:"recipients"`
	Turns    []turn      `db:"turns"`
}

type turn struct {
	Closed bool      `json:"closed"`
	At     time.Time `json:"at"`
}

// Audience implements projections.Audience.
func (r *accountRow) Audience() (bool, []domain.ID) { return !r.Closed, r.People }

func foldAccount(row *accountRow, f domain.Fact) *accountRow {
	switch e := f.Event.(type) {
	case account.Opened:
		return &accountRow{
			ID: f.Of, Firm: f.Meta.Firm, Account: f.Of, Name: e.Name.Reveal(), Currency: e.Currency, Opened: f.Meta.Time,
			Contact: e.Contact, Names: []string{e.Name.Reveal()}, Limit: 500,
		}
	case account.DetailsChanged:
		row.Name = e.Name.Reveal()
		row.Names = append(slices.Clone(row.Names), row.Name)
		if row.Name == "no such fold" {
			panic("a mistake in the fold")
		}
	case account.Closed:
		row.Closed, row.ClosedOn = true, f.Meta.Today()
		row.Turns = append(slices.Clone(row.Turns), turn{true, f.Meta.Time})
		row.People = append(slices.Clone(row.People), f.Meta.Actor.ID)
	case account.Reopened:
		row.Closed, row.ClosedOn = false, domain.Date{}
		row.Turns = append(slices.Clone(row.Turns), turn{false, f.Meta.Time})
	}
	return row
}

// detailRow is one row per change of details; all of an account's go when it is reopened.
type detailRow struct {
	Account domain.ID `db:"account,key"`
	N       int64     `db:"n,key"`
	Firm    domain.ID `db:"firm"`
	Name    string    `db:"name"`
}

// firmRow counts over streams.
type firmRow struct {
	Firm     domain.ID `db:"firm,key"`
	Currency string    `db:"currency,key"`
	Opened   int64     `db:"opened"`
}

func tables() []projections.Table {
	return []projections.Table{
		projections.Define(projections.Spec[accountRow]{
			Name: "accounts", Categories: []string{"account"}, Primary: true,
			Access: projections.OfRecipients, ClientsWhere: "not closed or " + projections.Unreleased,
			Indexes: []string{"(firm, name)", "unique (firm, id)", "using gin (search)"},
			Extra:   []string{"search tsvector generated always as (to_tsvector('simple', name)) stored"},
			Fold:    foldAccount,
		}),
		projections.Define(projections.Spec[detailRow]{
			Name: "details", Categories: []string{"account"}, Access: projections.OfAccount,
			Keys: func(f domain.Fact) (keys []projections.Key) {
				switch f.Event.(type) {
				case account.DetailsChanged:
					return []projections.Key{projections.K(f.Of, f.Revision)}
				case account.Reopened:
					for n := range f.Revision {
						keys = append(keys, projections.K(f.Of, n))
					}
				}
				return keys
			},
			FoldAt: func(_ *detailRow, f domain.Fact, key projections.Key) *detailRow {
				if e, is := f.Event.(account.DetailsChanged); is {
					return &detailRow{Account: f.Of, N: key[1].(int64), Firm: f.Meta.Firm, Name: e.Name.Reveal()}
				}
				return nil
			},
		}),
		projections.Define(projections.Spec[firmRow]{
			Name: "firms", Categories: []string{"account"},
			Keys: func(f domain.Fact) []projections.Key {
				if e, is := f.Event.(account.Opened); is {
					return []projections.Key{projections.K(f.Meta.Firm, e.Currency)}
				}
				return nil
			},
			Fold: func(row *firmRow, f domain.Fact) *firmRow {
				if row == nil {
					row = &firmRow{Firm: f.Meta.Firm, Currency: f.Event.(account.Opened).Currency}
				}
				row.Opened++
				return row
			},
		}),
	}
}

// memoryLog is a log that gives positions in steps of ten.
type memoryLog struct {
	mu     sync.Mutex
	codec  *domain.Codec
	events []domain.Recorded
	last   map[string]int64
	// each runs before a batch is handed out.
	each func(records []domain.Recorded) error
}

func newLog(t testing.TB) *memoryLog {
	return &memoryLog{codec: domaintest.Codec(t, account.Aggregate.Type()), last: map[string]int64{}}
}

// meta is the metadata of the n-th event of the log about an account.
func meta(name string, n int) domain.Meta {
	m := domaintest.Meta()
	m.Target, m.Account = domaintest.ID(name), domaintest.ID(name)
	m.Command = domaintest.ID(fmt.Sprint("command", n))
	m.Time = m.Time.Add(time.Duration(n) * time.Minute)
	m.IP, m.UserAgent = domain.P("192.0.2.1"), domain.P("a browser")
	return m
}

// add appends an event to the account of a name.
func (l *memoryLog) add(t testing.TB, name string, e domain.Event) domain.Recorded {
	t.Helper()
	n := len(l.all())
	p, err := l.codec.Encode(e, meta(name, n), 0)
	if err != nil {
		t.Fatal(err)
	}
	return l.record(domain.StreamName("account", domaintest.ID(name)), p)
}

func (l *memoryLog) record(stream string, p domain.Proposed) domain.Recorded {
	l.mu.Lock()
	defer l.mu.Unlock()
	at := uint64(len(l.events)+1) * 10
	r := domain.Recorded{
		Stream: stream, Revision: l.last[stream], Position: domain.Position{Commit: at, Prepare: at},
		ID: p.ID, Type: p.Type, Data: p.Data, Metadata: p.Metadata, Created: domaintest.Now,
	}
	l.last[stream]++
	l.events = append(l.events, r)
	return r
}

func (l *memoryLog) all() []domain.Recorded {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.events)
}

// ReadAll implements projections.Source.
func (l *memoryLog) ReadAll(_ context.Context, after domain.Position, limit int, handle func([]domain.Recorded) error) error {
	var batch []domain.Recorded
	for _, r := range l.all() {
		if !after.Before(r.Position) {
			continue
		}
		if batch = append(batch, r); len(batch) == limit {
			if err := l.hand(batch, handle); err != nil {
				return err
			}
			batch = nil
		}
	}
	if batch == nil {
		return nil
	}
	return l.hand(batch, handle)
}

func (l *memoryLog) hand(batch []domain.Recorded, handle func([]domain.Recorded) error) error {
	if l.each != nil {
		if err := l.each(batch); err != nil {
			return err
		}
	}
	return handle(batch)
}

// Head implements projections.Source.
func (l *memoryLog) Head(context.Context) (domain.Position, error) {
	all := l.all()
	if len(all) == 0 {
		return domain.Position{}, nil
	}
	return all[len(all)-1].Position, nil
}

func opened(name string) domain.Event {
	return account.Opened{Name: domain.P(name), Currency: "EUR", Contact: domaintest.ID("contact of " + name)}
}

func renamed(name string) domain.Event { return account.DetailsChanged{Name: domain.P(name)} }

// story appends n events about accounts in all their states.
func (l *memoryLog) story(t testing.TB, n int) {
	t.Helper()
	for i := range n {
		name := fmt.Sprint("account ", i/7, " ", i%2)
		switch stream := domain.StreamName("account", domaintest.ID(name)); l.last[stream] {
		case 0:
			l.add(t, name, opened(name))
		case 2:
			l.add(t, name, account.Closed{Reason: domain.P("moved away")})
		case 3:
			l.add(t, name, account.Reopened{})
		default:
			l.add(t, name, renamed(fmt.Sprint(`"other", {name} \`, i)))
		}
	}
}

// database is a fresh one with the three pools the engine's rows are written and read with.
type database struct {
	owner, projector, client, staff *pgxpool.Pool
	config                          *pgxpool.Config
}

func newDatabase(t testing.TB) *database {
	t.Helper()
	url := os.Getenv("ATRIUM_TEST_POSTGRES")
	if url == "" {
		t.Fatal("ATRIUM_TEST_POSTGRES is not set: run through make test")
	}
	ctx := context.Background()
	admin, err := pgx.Connect(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	name := "fold_" + strings.ReplaceAll(domain.NewID().String(), "-", "")
	for _, role := range []string{"atrium_owner", "atrium_projector", "atrium_client", "atrium_staff"} {
		// Another package's tests may be making it at the same time.
		_, _ = admin.Exec(ctx, "create role "+role+" login")
	}
	for _, sql := range []string{"create database " + name, "grant create on database " + name + " to atrium_owner"} {
		if _, err := admin.Exec(ctx, sql); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		if _, err := admin.Exec(ctx, "drop database "+name+" with (force)"); err != nil {
			t.Error(err)
		}
		_ = admin.Close(ctx)
	})
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		t.Fatal(err)
	}
	config.ConnConfig.Database = name
	db := &database{config: config}
	for role, pool := range map[string]**pgxpool.Pool{
		"atrium_owner": &db.owner, "atrium_projector": &db.projector, "atrium_client": &db.client, "atrium_staff": &db.staff,
	} {
		*pool = db.pool(t, role, nil)
	}
	return db
}

// empty makes a schema as if nothing had been projected.
func (db *database) empty(t testing.TB, schema string) {
	t.Helper()
	var sql string
	for _, name := range []string{"accounts", "details", "firms", "history", "parked"} {
		sql += "delete from " + schema + "." + name + "; "
	}
	sql += "update " + schema + ".checkpoint set commit_position = 0, prepare_position = 0, events = 0"
	if _, err := db.owner.Exec(t.Context(), sql, pgx.QueryExecModeSimpleProtocol); err != nil {
		t.Fatal(err)
	}
}

// pool logs in as a role.
func (db *database) pool(t testing.TB, role string, change func(*pgxpool.Config)) *pgxpool.Pool {
	t.Helper()
	config := db.config.Copy()
	config.ConnConfig.User, config.ConnConfig.Password = role, ""
	config.MaxConns = 4
	if change != nil {
		change(config)
	}
	pool, err := pgxpool.NewWithConfig(context.Background(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}

// engine over the test's tables; options may change it.
func (db *database) engine(t testing.TB, l *memoryLog, options ...func(*projections.Options)) *projections.Engine {
	t.Helper()
	return db.engineOf(t, l, tables(), options...)
}

func (db *database) engineOf(t testing.TB, l *memoryLog, tables []projections.Table, options ...func(*projections.Options)) *projections.Engine {
	t.Helper()
	o := projections.Options{Owner: db.owner, Logger: slog.New(slog.DiscardHandler), Batch: 16}
	for _, change := range options {
		change(&o)
	}
	e, err := projections.New(db.projector, l.codec, tables, o)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	return e
}

// apply sends events in batches of a size.
func apply(t testing.TB, e *projections.Engine, records []domain.Recorded, size int) {
	t.Helper()
	var after domain.Position
	for batch := range slices.Chunk(records, size) {
		if err := e.Apply(t.Context(), projections.Batch{After: after, Events: batch}); err != nil {
			t.Fatal(err)
		}
		after = batch[len(batch)-1].Position
	}
}

func digest(t testing.TB, e *projections.Engine) projections.Digest {
	t.Helper()
	d, err := e.Digest(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func ignore(projections.Progress) {}

// one reads a single value.
func one[T any](t testing.TB, pool *pgxpool.Pool, sql string, args ...any) T {
	t.Helper()
	rows, err := pool.Query(t.Context(), sql, args...)
	if err != nil {
		t.Fatal(err)
	}
	value, err := pgx.CollectExactlyOneRow(rows, pgx.RowTo[T])
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return value
}

// replaceParam puts an id into SQL.
func replaceParam(sql string, n int, id domain.ID) string {
	return strings.ReplaceAll(sql, fmt.Sprint("$", n), "'"+id.String()+"'::uuid")
}
