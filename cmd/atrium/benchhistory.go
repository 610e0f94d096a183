package main

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/atrium-portal/atrium/cmd/internal/postgres"
	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/firm"
)

type benchHistoryCmd struct {
	benchFlags
	Rows int `help:"Entries; 0 means 100,000, or 1,000,000 with --full." default:"0"`
}

// firstPage is how long the first page of a history may take, in milliseconds.
const firstPage = 300

// historyAsked are the first pages that are measured, for staff and for a contact. A rare word is in one entry of all.
var historyAsked = []struct {
	name, path string
	client     bool
}{
	{"all", "/history", false},
	{"a person", "/history?person=PERSON", false},
	{"a module", "/history?module=contract", false},
	{"an action", "/history?action=ContractSigned", false},
	{"a rare action", "/history?action=FirmCreated", false},
	{"a person and a rare action", "/history?person=PERSON&action=FirmCreated", false},
	{"a day", "/history?from=FROM&to=TO", false},
	{"a word", "/history?q=recorded", false},
	{"a rare word", "/history?q=entry%20777%20of", false},
	{"a word that is not there", "/history?q=nowhere", false},
	{"an account", "/accounts/ACCOUNT/history", false},
	{"an account, a module", "/accounts/ACCOUNT/history?module=contract", false},
	{"an account, a rare word", "/accounts/ACCOUNT/history?q=entry%20777%20of", false},
	{"a contact's own", "/activity", true},
	{"a contact's own, a module", "/activity?module=contract", true},
	{"a contact's own, a rare word", "/activity?q=entry%20777%20of", true},
}

func (c benchHistoryCmd) Run(ctx context.Context, t *terminal) error {
	rows := 100_000
	if c.Full {
		rows = 1_000_000
	}
	rows = cmp.Or(c.Rows, rows)
	return c.scratch(func(dir string) error {
		return withStack(ctx, stores{Data: dir}, t, func(k *stack) error {
			b, err := newHistoryBench(ctx, k, rows)
			if err != nil {
				return err
			}
			defer b.close()
			var results []result
			for _, asked := range historyAsked {
				r, err := b.measure(ctx, asked.path, asked.client, c.Rounds)
				if err != nil {
					return err
				}
				r.Name = fmt.Sprintf("first page of %d: %s", rows, asked.name)
				results = append(results, r)
			}
			return c.print(t, results)
		})
	})
}

// historyBench is the product's handler over a long history.
type historyBench struct {
	product       local
	pool          *pgxpool.Pool
	staff, client string // tokens
	fill          func(string) string
}

func (b *historyBench) close() {
	b.product.server.Close()
	b.pool.Close()
}

// measure asks a few times on one connection and gives the slowest answer of each round.
func (b *historyBench) measure(ctx context.Context, path string, client bool, rounds int) (result, error) {
	r := result{Unit: "ms", Reach: "<= 1", Limit: figures{firstPage}}
	as := asking{token: b.staff}
	if client {
		as.token = b.client
	}
	connection := &http.Client{}
	defer connection.CloseIdleConnections()
	for range rounds {
		var slowest time.Duration
		for range 5 {
			begun := time.Now()
			if err := getOnce(ctx, connection, b.product.URL+"/api/v1"+b.fill(path), as); err != nil {
				return r, err
			}
			slowest = max(slowest, time.Since(begun))
		}
		r.Product = append(r.Product, float64(slowest.Microseconds())/1000)
	}
	r.Ratio = slices.Max(r.Product) / firstPage
	return r, nil
}

func newHistoryBench(ctx context.Context, k *stack, rows int) (*historyBench, error) {
	made, account, person, err := benchClient(ctx, k)
	if err != nil {
		return nil, err
	}
	_, err = k.setup(ctx, made, "InviteStaff", firm.Invite{Firm: made, Name: domain.P("Max"), Email: domain.P("max@firm.example"), Role: firm.Administrator})
	if err != nil {
		return nil, err
	}
	if err := k.settle(ctx); err != nil {
		return nil, err
	}
	var staff domain.ID
	if err := k.pools.Projector.QueryRow(ctx, `select id from read.staff where firm = $1`, made).Scan(&staff); err != nil {
		return nil, err
	}
	// A thousand accounts, of which one has a tenth of everything. Only a benchmark writes entries itself.
	if _, err := k.pools.Projector.Exec(ctx, `
		insert into read.history select (jsonb_populate_record(h, jsonb_build_object(
			'position', h.position + n, 'event_id', gen_random_uuid(), 'revision', n, 'time', h.time - ($2::int - n) * interval '20 seconds',
			'account', case when n % 10 = 0 then $3::uuid else md5((n % 1000)::text)::uuid end, 'record', md5((n % 50000)::text)::uuid,
			'stream', 'invoice-' || md5((n % 50000)::text)::uuid, 'label', (n % 50000)::text,
			'category', (array['invoice', 'contract', 'project', 'contact', 'payment', 'access'])[1 + n % 6],
			'event', (array['PaymentRecorded', 'ContractSigned', 'StageAdvanced', 'RecordViewed', 'PaymentSucceeded', 'SignedIn'])[1 + n % 6],
			'actor_kind', case when n % 3 = 0 then 'staff' else 'system' end, 'actor', case when n % 3 = 0 then $4::text else 'clock' end,
			'client_visible', true, 'recipients', '[]'::jsonb, 'permission', '', 'sentence', 'recorded entry ' || n || ' of a long history'))).*
		from read.history h, generate_series(1, $2::int) n where h.position = (select max(position) from read.history where firm = $1)`,
		made, rows, account, staff.String()); err != nil {
		return nil, err
	}
	b := &historyBench{}
	if b.pool, err = pgxpool.New(ctx, k.cluster.URL()); err != nil {
		return nil, err
	}
	if _, err := b.pool.Exec(ctx, `vacuum analyze read.history`); err != nil {
		return nil, err
	}
	if b.staff, _, err = k.tokens.Create(ctx, postgres.TokenSpec{Firm: made, Staff: staff, Name: "bench", Scopes: []string{"read"}}); err != nil {
		return nil, err
	}
	if b.client, _, err = k.tokens.Create(ctx, postgres.TokenSpec{Firm: made, Contact: person, Name: "bench", Scopes: []string{"read"}}); err != nil {
		return nil, err
	}
	from := k.now().Add(-time.Duration(rows/2) * 20 * time.Second)
	b.fill = strings.NewReplacer(
		"PERSON", staff.String(), "ACCOUNT", account.String(), "FROM", url.QueryEscape(from.Format(time.RFC3339)),
		"TO", url.QueryEscape(from.Add(24*time.Hour).Format(time.RFC3339)),
	).Replace
	var ready atomic.Bool
	ready.Store(true)
	handler, err := serveCmd{Limit: -1}.handler(k, &cashDesk{}, &clock{}, &ready)
	if err != nil {
		return nil, err
	}
	b.product, err = serveLocally(handler)
	return b, err
}
