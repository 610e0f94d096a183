package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/atrium-portal/atrium/cmd/internal/postgres"
	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/account"
	"github.com/atrium-portal/atrium/domain/contact"
	"github.com/atrium-portal/atrium/domain/firm"
	"github.com/atrium-portal/atrium/domain/invoice"
	"github.com/atrium-portal/atrium/readapi/auth"
)

// readFlags are those of benchmarks that read.
type readFlags struct {
	benchFlags
	Rows int `help:"Invoices; 0 means 50,000, or 1,000,000 with --full." default:"0"`
}

// size is how many rows there are, and how long each measurement takes.
func (f readFlags) size() (rows int, length time.Duration) {
	rows, length = 50_000, 3*time.Second
	if f.Full {
		rows, length = 1_000_000, 15*time.Second
	}
	return cmp.Or(f.Rows, rows), length
}

type benchReadCmd struct{ readFlags }

func (c benchReadCmd) Run(ctx context.Context, t *terminal) error {
	rows, length := c.size()
	return c.scratch(func(dir string) error {
		return withStack(ctx, stores{Data: dir}, t, func(k *stack) error {
			bench, err := newReadBench(ctx, k, rows)
			if err != nil {
				return err
			}
			defer bench.close()
			r := result{Name: fmt.Sprintf("P6 list of 25 of %d, row-level security", rows), Unit: "requests/s", Reach: ">= 0.8"}
			for range c.Rounds {
				limit, err := requestRate(ctx, bench.bare.URL+"/invoices", asking{}, length)
				if err != nil {
					return err
				}
				product, err := requestRate(ctx, bench.product.URL+"/api/v1/invoices?limit=25", asking{token: bench.token}, length)
				if err != nil {
					return err
				}
				r.Product, r.Limit = append(r.Product, product), append(r.Limit, limit)
			}
			r.Ratio = r.Product.median() / r.Limit.median()
			return c.print(t, []result{r})
		})
	})
}

// readBench is the product's handler beside a bare one over the same rows.
type readBench struct {
	product, bare local
	pool          *pgxpool.Pool
	token         string
	firm, contact domain.ID
}

func (b *readBench) close() {
	b.product.server.Close()
	b.bare.server.Close()
	b.pool.Close()
}

// local is a handler served on a free port of this machine.
type local struct {
	URL    string
	server *http.Server
}

func serveLocally(h http.Handler) (local, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return local{}, err
	}
	server := &http.Server{Handler: h, ReadHeaderTimeout: time.Minute}
	go server.Serve(listener) //nolint:errcheck // it ends when it is closed
	return local{"http://" + listener.Addr().String(), server}, nil
}

func newReadBench(ctx context.Context, k *stack, rows int) (_ *readBench, err error) {
	made, one, person, err := benchClient(ctx, k)
	if err != nil {
		return nil, err
	}
	draft, err := k.setup(ctx, made, "DraftInvoice", invoice.Draft{
		Account: one, Due: domain.DateOf(k.now(), time.UTC).AddDays(30),
		Lines: []invoice.Line{{Description: domain.P("Work"), Quantity: domain.One, UnitPrice: domain.Money{Amount: 100_00, Currency: "EUR"}}},
	})
	if err != nil {
		return nil, err
	}
	if _, err := k.setup(ctx, made, "SendInvoice", invoice.Send{Invoice: draft.ID}); err != nil {
		return nil, err
	}
	// What a thousand clients would have: the rows of the one, over and over. Only this benchmark writes rows itself.
	for _, sql := range []string{
		`insert into read.accounts select (jsonb_populate_record(a, jsonb_build_object('id', md5(n::text)::uuid, 'account', md5(n::text)::uuid))).*
			from read.accounts a, generate_series(1, 999) n where a.id = $1 and $2 > 0`,
		`insert into read.invoices select (jsonb_populate_record(i, jsonb_build_object('id', gen_random_uuid(), 'label', n::text,
				'account', case when n % 1000 = 0 then i.account else md5((n % 1000)::text)::uuid end,
				'drafted_at', i.drafted_at - n * interval '1 minute'))).*
			from read.invoices i, generate_series(1, $2::int) n where i.account = $1`,
		`insert into read.invoice_sums select firm, currency, status, case when due_amount > 0 then due::text else '' end,
				count(*), sum(total), sum(paid), sum(credited), sum(due_amount) from read.invoices where $1::uuid is not null and $2 > 0 group by 1, 2, 3, 4
			on conflict (firm, currency, status, due) do update set (invoices, total, paid, credited, due_amount) =
				(excluded.invoices, excluded.total, excluded.paid, excluded.credited, excluded.due_amount)`,
	} {
		if _, err := k.pools.Projector.Exec(ctx, sql, one, rows); err != nil {
			return nil, err
		}
	}
	admin, err := pgxpool.New(ctx, k.cluster.URL())
	if err != nil {
		return nil, err
	}
	if _, err := admin.Exec(ctx, `analyze read.invoices, read.accounts`); err != nil {
		return nil, err
	}
	token, _, err := k.tokens.Create(ctx, postgres.TokenSpec{Firm: made, Contact: person, Name: "bench", Scopes: []string{"read"}})
	if err != nil {
		return nil, err
	}
	var ready atomic.Bool
	ready.Store(true)
	handler, err := serveCmd{Limit: -1}.handler(k, &cashDesk{}, &clock{}, &ready)
	if err != nil {
		return nil, err
	}
	product, err := serveLocally(handler)
	if err != nil {
		return nil, err
	}
	bare, err := serveLocally(bareList(admin, made, one))
	return &readBench{product, bare, admin, token, made, person}, err
}

// benchClient makes a firm with a client, whose contact may do everything.
func benchClient(ctx context.Context, k *stack) (firmID, accountID, person domain.ID, err error) {
	if k.entrance == nil {
		if k.entrance, err = openEntrance(k, "https://portal.bench.example", true); err != nil {
			return firmID, accountID, person, err
		}
	}
	made, err := k.setup(ctx, domain.NoID, "CreateFirm", firm.Create{Name: "Bench", Currency: "EUR", TimeZone: "UTC"})
	if err != nil {
		return firmID, accountID, person, err
	}
	one, err := k.setup(ctx, made.ID, "OpenAccount", account.Open{Name: domain.P("Client"), Currency: "EUR", Contact: account.Person{Name: domain.P("Ana"), Email: domain.P("ana@client.example")}})
	if err != nil {
		return firmID, accountID, person, err
	}
	if err := k.pools.Projector.QueryRow(ctx, `select id from read.contacts where account = $1`, one.ID).Scan(&person); err != nil {
		return firmID, accountID, person, err
	}
	if _, err := k.setup(ctx, made.ID, "GrantPortalAccess", contact.Grant{Contact: person, Role: contact.Owner}); err != nil {
		return firmID, accountID, person, err
	}
	return made.ID, one.ID, person, nil
}

// bareList is the same list by hand: chi, pgx as a superuser, one query, JSON.
func bareList(pool *pgxpool.Pool, firmID, accountID domain.ID) http.Handler {
	type row struct {
		ID          domain.ID  `json:"id"`
		Revision    int64      `json:"revision"`
		Account     domain.ID  `json:"account"`
		AccountName string     `json:"account_name"`
		Project     *domain.ID `json:"project"`
		Number      string     `json:"number"`
		Status      string     `json:"status"`
		Currency    string     `json:"currency"`
		Issued      *time.Time `json:"issued"`
		Due         time.Time  `json:"due"`
		Net         int64      `json:"net"`
		Tax         int64      `json:"tax"`
		Total       int64      `json:"total"`
		Paid        int64      `json:"paid"`
		Refunded    int64      `json:"refunded"`
		Credited    int64      `json:"credited"`
		DueAmount   int64      `json:"amount_due"`
		DraftedAt   time.Time  `json:"drafted_at"`
		SentAt      *time.Time `json:"sent_at"`
		PaidAt      *time.Time `json:"paid_at"`
		VoidedAt    *time.Time `json:"voided_at"`
	}
	today := domain.DateOf(time.Now(), time.UTC).Time()
	r := chi.NewRouter()
	r.Get("/invoices", func(w http.ResponseWriter, r *http.Request) {
		rows, err := pool.Query(r.Context(), `
			select i.id, i.revision, i.account, a.name, i.project, i.label,
				case when i.due_amount > 0 and i.due < $3 and i.status in ('sent', 'part_paid') then 'overdue' else i.status end,
				i.currency, i.issued, i.due, i.net, i.tax, i.total, i.paid, i.refunded, i.credited, i.due_amount,
				i.drafted_at, i.sent_at, i.paid_at, i.voided_at
			from read.invoices i join read.accounts a on a.id = i.account
			where i.firm = $1 and i.account = $2 and i.released order by i.drafted_at desc, i.id desc limit 26`, firmID, accountID, today)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[row])
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(map[string]any{"items": list}) //nolint:errcheck // the client counts answers
	})
	return r
}

// requestRate is how many requests per second 16 connections get answered with 200.
func requestRate(ctx context.Context, url string, as asking, length time.Duration) (float64, error) {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 16}}
	defer client.CloseIdleConnections()
	var (
		wg     sync.WaitGroup
		done   atomic.Int64
		failed atomic.Pointer[error]
		begun  = time.Now()
	)
	for range 16 {
		wg.Go(func() {
			for time.Since(begun) < length && failed.Load() == nil {
				if err := getOnce(ctx, client, url, as); err != nil {
					failed.Store(&err)
					return
				}
				done.Add(1)
			}
		})
	}
	wg.Wait()
	if err := failed.Load(); err != nil {
		return 0, *err
	}
	return float64(done.Load()) / time.Since(begun).Seconds(), nil
}

// asking is what a request shows: a token, or the cookie of a session, or nothing.
type asking struct{ token, cookie string }

func (a asking) on(r *http.Request) {
	if a.token != "" {
		r.Header.Set("Authorization", "Bearer "+a.token)
	}
	if a.cookie != "" {
		r.AddCookie(&http.Cookie{Name: auth.SessionCookie, Value: a.cookie})
	}
}

func getOnce(ctx context.Context, client *http.Client, url string, as asking) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	r.Header.Set("Accept-Encoding", "gzip") // said by ourselves, nobody unpacks here what a reader's own machine would
	as.on(r)
	reply, err := client.Do(r)
	if err != nil {
		return err
	}
	defer reply.Body.Close()
	if _, err := io.Copy(io.Discard, reply.Body); err != nil {
		return err
	}
	if reply.StatusCode != http.StatusOK {
		return errors.New(url + " answers " + reply.Status)
	}
	return nil
}
