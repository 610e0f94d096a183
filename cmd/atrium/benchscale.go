package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/atrium-portal/atrium/cmd/internal/postgres"
	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/account"
	"github.com/atrium-portal/atrium/domain/firm"
)

type benchScaleCmd struct {
	benchFlags
	Events []int `help:"Sizes of the log, in events; none means 10,000, or 10,000, 100,000 and 1,000,000 with --full."`
}

// What has to be reached at any size.
const (
	pastAccount  = 2_000  // events of the account that is looked at as of an instant
	proofAccount = 10_000 // events of the account that a bundle is about

	pastReach   = 300 // ms
	startReach  = 3   // s
	emptyReach  = 6   // s
	memoryReach = 512 // MiB
	bundleReach = 2   // s
	growth      = 1.5 // times the first size
)

// Run measures the program as people run it, as processes of their own, on logs of several sizes.
func (c benchScaleCmd) Run(ctx context.Context, t *terminal) error {
	sizes := c.Events
	if len(sizes) == 0 {
		sizes = []int{10_000}
		if c.Full {
			sizes = []int{10_000, 100_000, 1_000_000}
		}
	}
	return c.scratch(func(dir string) error {
		empty := result{Name: "P11 start on an empty folder", Unit: "s", Reach: "<= 1", Limit: figures{emptyReach}}
		for n := range c.Rounds {
			p, err := startServer(ctx, filepath.Join(dir, fmt.Sprint("empty", n)))
			if err != nil {
				return err
			}
			empty.Product = append(empty.Product, p.after.Seconds())
			if err := p.stop(); err != nil {
				return err
			}
		}
		empty.Ratio = empty.Product.median() / emptyReach
		results := []result{empty}
		first := map[string]figures{}
		for _, events := range sizes {
			b := scaleBench{benchScaleCmd: c, t: t, events: events, data: filepath.Join(dir, fmt.Sprint(events)), first: first}
			more, err := b.run(ctx)
			if err != nil {
				return err
			}
			results = append(results, more...)
			if err := os.RemoveAll(b.data); err != nil {
				return err
			}
		}
		return c.print(t, results)
	})
}

// scaleBench measures one size.
type scaleBench struct {
	benchScaleCmd
	t      *terminal
	events int
	data   string
	first  map[string]figures // of the first size, by name

	token       string // of an administrator
	past, proof domain.ID
}

// keys is the file of the public log keys.
func (b *scaleBench) keys() string { return filepath.Join(b.data, "keys.txt") }

func (b *scaleBench) run(ctx context.Context) ([]result, error) {
	if err := b.fill(ctx); err != nil {
		return nil, err
	}
	var results []result
	add := func(name, unit string, reach float64, product figures) {
		results = append(results, result{
			Name: fmt.Sprintf("%s, %d events", name, b.events), Unit: unit, Reach: "<= 1",
			Product: product, Limit: figures{reach}, Ratio: product.median() / reach,
		})
	}
	var memory figures
	for range b.Rounds {
		used, err := peak(ctx, "replay", "rebuild", "--data", b.data, "--json")
		if err != nil {
			return nil, err
		}
		memory = append(memory, used)
	}
	add("P9 peak memory of a rebuild", "MiB", memoryReach, memory)

	var starts figures
	var p *serverProcess
	for n := range b.Rounds {
		var err error
		if p, err = startServer(ctx, b.data); err != nil {
			return nil, err
		}
		starts = append(starts, p.after.Seconds())
		if n < b.Rounds-1 {
			if err := p.stop(); err != nil {
				return nil, err
			}
		}
	}
	add("P11 start", "s", startReach, starts)
	asked, err := b.ask(ctx, p.base, add)
	if err := errors.Join(err, p.stop()); err != nil {
		return nil, err
	}
	verified, err := b.verify(ctx)
	if err != nil {
		return nil, err
	}
	add(fmt.Sprintf("P12 verify a bundle of %d", proofAccount), "s", bundleReach, verified)
	return append(results, asked...), nil
}

// fill makes a firm with many clients, of which one has as many events as is looked at as of an instant, and one as many as are
// proved.
func (b *scaleBench) fill(ctx context.Context) error {
	var made domain.ID
	err := withStack(ctx, stores{Data: b.data}, b.t, func(k *stack) (err error) {
		made, err = b.open(ctx, k)
		return err
	})
	if err != nil {
		return err
	}
	// Nothing is projected while the log is written: the rebuild that is measured fills the tables from its beginning.
	return withIdleStack(ctx, stores{Data: b.data}, b.t, func(k *stack) error {
		if err := b.write(ctx, k, made); err != nil {
			return err
		}
		if err := k.seals.catchUp(ctx); err != nil {
			return err
		}
		text, err := k.seals.publicKeys(ctx)
		if err != nil {
			return err
		}
		return os.WriteFile(b.keys(), []byte(text), 0o600)
	})
}

// open makes the firm, its administrator and the two large clients.
func (b *scaleBench) open(ctx context.Context, k *stack) (made domain.ID, err error) {
	if made, _, _, err = benchClient(ctx, k); err != nil {
		return made, err
	}
	if _, err := k.setup(ctx, made, "InviteStaff", firm.Invite{Firm: made, Name: domain.P("Max"), Email: domain.P("max@firm.example"), Role: firm.Administrator}); err != nil {
		return made, err
	}
	var staff domain.ID
	if err := k.pools.Projector.QueryRow(ctx, `select id from read.staff where firm = $1`, made).Scan(&staff); err != nil {
		return made, err
	}
	if b.token, _, err = k.tokens.Create(ctx, postgres.TokenSpec{Firm: made, Staff: staff, Name: "bench", Scopes: []string{"read", "commands"}}); err != nil {
		return made, err
	}
	for _, large := range []struct {
		id   *domain.ID
		name string
	}{{&b.past, "past"}, {&b.proof, "proof"}} {
		one, err := k.setup(ctx, made, "OpenAccount", account.Open{Name: domain.P("Large"), Currency: "EUR", Contact: account.Person{Name: domain.P("Bo"), Email: domain.P(large.name + "@client.example")}})
		if err != nil {
			return made, err
		}
		*large.id = one.ID
	}
	return made, nil
}

// write appends the events of the clients.
func (b *scaleBench) write(ctx context.Context, k *stack, made domain.ID) error {
	m := newMeter(b.t, "writing the log", b.JSON)
	defer m.end()
	w := logWriter{k: k, firm: made, at: k.now().AddDate(-1, 0, 0)}
	for id, events := range map[domain.ID]int{b.past: pastAccount, b.proof: proofAccount} {
		if err := w.invoices(ctx, id, 1_000_000*(1+events), events/perInvoice); err != nil {
			return err
		}
	}
	return w.clients(ctx, b.events, m)
}

// ask measures what requests cost: in turn, so that they share the machine's mood.
func (b *scaleBench) ask(ctx context.Context, base string, add func(name, unit string, reach float64, product figures)) (results []result, err error) {
	instant := b.t.now().UTC().Format(time.RFC3339)
	requests := []struct {
		name, method, path string
		reach              float64 // 0: as at the first size
	}{
		{"P8 command", http.MethodPost, "/commands/OpenAccount", 0},
		{"P8 list of invoices", http.MethodGet, "/invoices?limit=25", 0},
		{"P8 dashboard", http.MethodGet, "/dashboard", 0},
		{"P8 history of an account", http.MethodGet, "/accounts/" + b.proof.String() + "/history?limit=25", 0},
		{"P8 history of the firm", http.MethodGet, "/history?limit=25", 0},
		{fmt.Sprintf("P10 invoices as of an instant, account of %d", pastAccount), http.MethodGet, "/invoices?limit=25&account=" + b.past.String() + "&as_of=" + instant, pastReach},
	}
	took := make([]figures, len(requests))
	for round := range b.Rounds {
		for i, r := range requests {
			var each []time.Duration
			for n := range 50 {
				var body string
				if r.method == http.MethodPost {
					body = fmt.Sprintf(`{"name":"Client %d-%d","currency":"EUR","contact":{"name":"Bea","email":"bea%d-%d@client.example"}}`, round, n, round, n)
				}
				begun := time.Now()
				if err := b.request(ctx, r.method, base+"/api/v1"+r.path, body); err != nil {
					return nil, err
				}
				each = append(each, time.Since(begun))
				if time.Since(begun) > time.Second && n > 5 {
					break
				}
			}
			slices.Sort(each)
			took[i] = append(took[i], float64(each[len(each)/2].Microseconds())/1000)
		}
	}
	for i, r := range requests {
		if r.reach > 0 {
			add(r.name, "ms, p50", r.reach, took[i])
			continue
		}
		limit, known := b.first[r.name]
		if !known {
			limit = took[i]
			b.first[r.name] = limit
		}
		results = append(results, result{
			Name: fmt.Sprintf("%s, %d events", r.name, b.events), Unit: "ms, p50", Reach: fmt.Sprint("<= ", growth),
			Product: took[i], Limit: limit, Ratio: took[i].median() / limit.median(),
		})
	}
	return results, nil
}

func (b *scaleBench) request(ctx context.Context, method, url, body string) error {
	r, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+b.token)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	reply, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer reply.Body.Close()
	said, err := io.ReadAll(reply.Body)
	if err == nil && reply.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s %s: %d %s", method, url, reply.StatusCode, said)
	}
	return err
}

// verify has a bundle made and checks it.
func (b *scaleBench) verify(ctx context.Context) (took figures, err error) {
	file := filepath.Join(b.data, "bench.zip")
	if _, err := peak(ctx, "audit", "bundle", "--data", b.data, "--account", b.proof.String(), "--out", file); err != nil {
		return nil, err
	}
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	verifier := filepath.Join(filepath.Dir(program), "atrium-verify")
	for range b.Rounds {
		begun := time.Now()
		if out, err := exec.CommandContext(ctx, verifier, file, "--keys", b.keys()).CombinedOutput(); err != nil {
			return nil, fmt.Errorf("%s, which `make build` puts beside this program: %w: %s", verifier, err, out)
		}
		took = append(took, time.Since(begun).Seconds())
	}
	return took, nil
}

// peak runs this program and gives the largest memory that it had, in MiB, without its Postgres.
func peak(ctx context.Context, args ...string) (float64, error) {
	program, err := os.Executable()
	if err != nil {
		return 0, err
	}
	cmd := exec.CommandContext(ctx, program, args...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return 0, fmt.Errorf("atrium %s: %w: %s", strings.Join(args, " "), err, out)
	}
	return float64(cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss) / 1024, nil
}

// serverProcess is a server that runs beside the benchmark.
type serverProcess struct {
	base  string
	after time.Duration // until it was ready
	stop  func() error
}

// startServer runs `atrium serve` on a folder and waits until it is ready.
func startServer(ctx context.Context, data string) (*serverProcess, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	address := free.Addr().String()
	if err := free.Close(); err != nil {
		return nil, err
	}
	var said bytes.Buffer
	cmd := exec.CommandContext(ctx, program, "serve", "--data", data, "--listen", address, "--limit=-1")
	cmd.Stdout, cmd.Stderr = &said, &said
	begun := time.Now()
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	p := &serverProcess{base: "http://" + address, stop: func() error {
		return errors.Join(cmd.Process.Signal(os.Interrupt), <-ended)
	}}
	for {
		if reply, err := http.Get(p.base + "/readyz"); err == nil {
			err := json.NewDecoder(reply.Body).Decode(&struct{}{})
			if errors.Join(err, reply.Body.Close()) == nil && reply.StatusCode == http.StatusOK {
				p.after = time.Since(begun)
				return p, nil
			}
		}
		select {
		case err := <-ended:
			return nil, fmt.Errorf("the server ended: %w: %s", err, said.String())
		case <-time.After(10 * time.Millisecond):
		}
	}
}
