package main

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/atrium-portal/atrium/commands"
	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/account"
	"github.com/atrium-portal/atrium/domain/firm"
)

type benchVisibleCmd struct {
	benchFlags
	Commands int `help:"How many commands are given in a round." default:"500"`
}

func (c benchVisibleCmd) Run(ctx context.Context, t *terminal) error {
	return c.scratch(func(dir string) error {
		return withStack(ctx, stores{Data: dir}, t, func(k *stack) error {
			made, err := k.setup(ctx, domain.NoID, "CreateFirm", firm.Create{Name: "Bench", Currency: "EUR", TimeZone: "UTC"})
			if err != nil {
				return err
			}
			one := result{Name: "P5 command to visible row, p50, 1 writer", Unit: "ms", Reach: "<= 3"}
			busy := result{Name: "P5 command to visible row, p99, 8 writers", Unit: "ms", Reach: "<= 20 ms"}
			for range c.Rounds {
				limit, err := floor(ctx, k, dir, c.Commands)
				if err != nil {
					return err
				}
				alone, err := visible(ctx, k, made.ID, 1, c.Commands)
				if err != nil {
					return err
				}
				eight, err := visible(ctx, k, made.ID, 8, c.Commands)
				if err != nil {
					return err
				}
				one.Product, one.Limit = append(one.Product, quantile(alone, 0.5)), append(one.Limit, quantile(limit, 0.5))
				busy.Product, busy.Limit = append(busy.Product, quantile(eight, 0.99)), append(busy.Limit, quantile(limit, 0.99))
			}
			results := []result{one, busy}
			for i := range results {
				results[i].Ratio = results[i].Product.median() / results[i].Limit.median()
			}
			return c.print(t, results)
		})
	})
}

// floor is what no way from a command to a row can do without: a synced write of a log and a commit in Postgres, in
// milliseconds, sorted.
func floor(ctx context.Context, k *stack, dir string, n int) ([]float64, error) {
	log, err := os.Create(filepath.Join(dir, "floor"))
	if err != nil {
		return nil, err
	}
	defer log.Close()
	admin, err := pgxpool.New(ctx, k.cluster.URL())
	if err != nil {
		return nil, err
	}
	defer admin.Close()
	if _, err := admin.Exec(ctx, `create table if not exists floor (n bigint)`); err != nil {
		return nil, err
	}
	event, took := make([]byte, 1024), make([]float64, n)
	for i := range took {
		begun := time.Now()
		if _, err := log.Write(event); err != nil {
			return nil, err
		}
		if err := log.Sync(); err != nil {
			return nil, err
		}
		if _, err := admin.Exec(ctx, `insert into floor values ($1)`, i); err != nil {
			return nil, err
		}
		took[i] = milliseconds(begun)
	}
	slices.Sort(took)
	return took, nil
}

// visible gives commands and waits for the rows of each, in milliseconds, sorted.
func visible(ctx context.Context, k *stack, firmID domain.ID, writers, n int) ([]float64, error) {
	var (
		wg    sync.WaitGroup
		mu    sync.Mutex
		all   []float64
		fault error
	)
	for range writers {
		wg.Go(func() {
			var mine []float64
			var err error
			for range n / writers {
				var took float64
				if took, err = visibleOnce(ctx, k, firmID); err != nil {
					break
				}
				mine = append(mine, took)
			}
			mu.Lock()
			defer mu.Unlock()
			all = append(all, mine...)
			if err != nil {
				fault = err
			}
		})
	}
	wg.Wait()
	slices.Sort(all)
	return all, fault
}

func visibleOnce(ctx context.Context, k *stack, firmID domain.ID) (float64, error) {
	id := domain.NewID()
	opened, err := k.loop.Dispatch(ctx, order(firmID, "OpenAccount", account.Open{
		Name: domain.P("Client"), Currency: "EUR", Contact: account.Person{Name: domain.P("Ana"), Email: domain.P(id.String() + "@client.example")},
	}))
	if err != nil {
		return 0, err
	}
	if err := k.settle(ctx); err != nil { // the rows of the new account are not what is measured
		return 0, err
	}
	name := domain.P("Renamed")
	begun := time.Now()
	changed, err := k.loop.Dispatch(ctx, order(firmID, "ChangeAccountDetails", account.ChangeDetails{Account: opened.ID, Name: &name}))
	if err != nil {
		return 0, err
	}
	err = k.engine.Await(ctx, changed.Position)
	return milliseconds(begun), err
}

func order(firmID domain.ID, name string, command any) commands.Order {
	return commands.Order{Name: name, Command: command, Meta: domain.Meta{
		Firm: firmID, Actor: domain.SystemActor("bench"), Command: domain.NewID(), Request: "command line",
	}}
}

func milliseconds(since time.Time) float64 { return float64(time.Since(since).Microseconds()) / 1000 }
