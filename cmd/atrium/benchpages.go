package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"net/http"
	"os"
	"regexp"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/procfs"

	"github.com/atrium-portal/atrium/cmd/internal/postgres"
	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/access"
	"github.com/atrium-portal/atrium/domain/firm"
	"github.com/atrium-portal/atrium/readapi/auth/door"
)

type benchPagesCmd struct{ readFlags }

// What pages have to reach at 16 connections, and how much a first visit may weigh.
const (
	pageReach  = "<= 25 ms"
	bytesReach = "<= 60 kB"
)

func (c benchPagesCmd) Run(ctx context.Context, t *terminal) error {
	rows, length := c.size()
	return c.scratch(func(dir string) error {
		return withStack(ctx, stores{Data: dir}, t, func(k *stack) error {
			var err error
			if k.entrance, err = openEntrance(k, "https://portal.bench.example", true); err != nil {
				return err
			}
			bench, err := newReadBench(ctx, k, rows)
			if err != nil {
				return err
			}
			defer bench.close()
			people, err := bench.signIn(ctx, k)
			if err != nil {
				return err
			}
			results, err := c.measure(ctx, bench, people, length)
			if err != nil {
				return err
			}
			return c.print(t, results)
		})
	})
}

// page is one that is measured, and the cookie of who looks at it.
type benchPage struct{ name, path, cookie string }

func (c benchPagesCmd) measure(ctx context.Context, bench *readBench, people signedIn, length time.Duration) ([]result, error) {
	pages := []benchPage{
		{"client dashboard", "/", people.client}, {"client invoices", "/invoices", people.client}, {"staff home", "/staff", people.staff},
	}
	middle, slowest, spent, weights := make([]result, len(pages)), make([]result, len(pages)), make([]result, len(pages)), make([]result, len(pages))
	for i, page := range pages {
		middle[i] = result{Name: "P7 p50, " + page.name, Unit: "ms"}
		slowest[i] = result{Name: "P7 p99, " + page.name, Unit: "ms", Reach: pageReach}
		spent[i] = result{Name: "P7 processor time, " + page.name, Unit: "ms", Reach: "-"}
		weight, err := firstVisit(ctx, bench.product.URL, page)
		if err != nil {
			return nil, err
		}
		weights[i] = result{Name: "P7 first visit, " + page.name, Unit: "kB", Reach: bytesReach, Product: figures{weight}, Limit: figures{60}, Ratio: weight / 60}
	}
	for range c.Rounds {
		bare, ofBare, err := latencies(ctx, bench.bare.URL+"/invoices", "", length)
		if err != nil {
			return nil, err
		}
		for i, page := range pages {
			took, each, err := latencies(ctx, bench.product.URL+page.path, page.cookie, length)
			if err != nil {
				return nil, err
			}
			spent[i].add(each, ofBare)
			middle[i].Product, middle[i].Limit = append(middle[i].Product, quantile(took, 0.5)), append(middle[i].Limit, quantile(bare, 0.5))
			slowest[i].Product, slowest[i].Limit = append(slowest[i].Product, quantile(took, 0.99)), append(slowest[i].Limit, quantile(bare, 0.99))
		}
	}
	results := slices.Concat(middle, slowest, spent)
	for i := range results {
		results[i].Ratio = results[i].Product.median() / results[i].Limit.median()
	}
	return append(results, weights...), nil
}

// signedIn are the cookies of people who have signed in.
type signedIn struct{ client, staff string }

// signIn opens sessions for the contact of the bench and for a member of staff.
func (b *readBench) signIn(ctx context.Context, k *stack) (in signedIn, err error) {
	if _, err := k.setup(ctx, b.firm, "InviteStaff", firm.Invite{
		Firm: b.firm, Name: domain.P("Sam"), Email: domain.P("sam@bench.example"), Role: firm.Administrator,
	}); err != nil {
		return in, err
	}
	var staff domain.ID
	if err := b.pool.QueryRow(ctx, `select id from read.staff where firm = $1`, b.firm).Scan(&staff); err != nil {
		return in, err
	}
	store, err := postgres.NewDoor(k.pools.App, k.keys.Derive("authenticator apps"), k.entrance.outbox)
	if err != nil {
		return in, err
	}
	open := func(kind access.PersonKind, person domain.ID) (string, error) {
		secret, now := door.NewSecret(), k.now()
		hash := sha256.Sum256([]byte(secret))
		return secret, store.Begin(ctx, door.Session{
			ID: domain.NewID(), Who: door.Who{Firm: b.firm, Kind: kind, ID: person}, Method: access.ByLink, Second: access.TOTP, Stage: door.Open,
			Created: now, Seen: now, Idle: 12 * time.Hour, Expires: now.Add(12 * time.Hour), Ends: now.Add(24 * time.Hour), Proved: now,
		}, hash[:])
	}
	if in.client, err = open(access.Contact, b.contact); err != nil {
		return in, err
	}
	in.staff, err = open(access.Staff, staff)
	return in, err
}

// latencies are the milliseconds that answers took at 16 connections, sorted, and the milliseconds of processor time that each
// cost the program, its database and who asks.
func latencies(ctx context.Context, url, cookie string, length time.Duration) (all []float64, spent float64, err error) {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 16}}
	defer client.CloseIdleConnections()
	before, err := processorTimeOfAll()
	if err != nil {
		return nil, 0, err
	}
	var (
		wg    sync.WaitGroup
		mu    sync.Mutex
		fault error
		begun = time.Now()
	)
	for range 16 {
		wg.Go(func() {
			var mine []float64
			var err error
			for err == nil && time.Since(begun) < length {
				asked := time.Now()
				if err = getOnce(ctx, client, url, asking{cookie: cookie}); err == nil {
					mine = append(mine, float64(time.Since(asked).Microseconds())/1000)
				}
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
	after, err := processorTimeOfAll()
	if err := errors.Join(fault, err); err != nil {
		return nil, 0, err
	}
	slices.Sort(all)
	return all, (after - before).Seconds() * 1000 / float64(len(all)), nil
}

// processorTimeOfAll is what this process and those below it have used, of all processors.
func processorTimeOfAll() (time.Duration, error) {
	below, err := descendants(os.Getpid())
	used := processorTime()
	for _, p := range below {
		const ticks = 100 // per second
		used += time.Duration(p.UTime+p.STime) * time.Second / ticks
		used += time.Duration(p.CUTime+p.CSTime) * time.Second / ticks // of its children that have ended
	}
	return used, err
}

// descendants are the processes below one.
func descendants(pid int) ([]procfs.ProcStat, error) {
	all, err := procfs.AllProcs()
	if err != nil {
		return nil, err
	}
	known := map[int]procfs.ProcStat{}
	for _, p := range all {
		if stat, err := p.Stat(); err == nil { // it may have ended
			known[stat.PID] = stat
		}
	}
	var below []procfs.ProcStat
	for _, stat := range known {
		for at := stat.PPID; at > 1; at = known[at].PPID {
			if at == pid {
				below = append(below, stat)
				break
			}
		}
	}
	return below, nil
}

func quantile(sorted []float64, q float64) float64 { return sorted[int(q*float64(len(sorted)-1))] }

// assets finds what a page loads.
var assets = regexp.MustCompile(`(?:href|src)="(/assets/[^"#?]+)`)

// firstVisit is how many kB a page and all that it loads weigh, compressed as a browser asks for.
func firstVisit(ctx context.Context, base string, page benchPage) (float64, error) {
	html, weight, err := fetchAsBrowser(ctx, base+page.path, page.cookie)
	if err != nil {
		return 0, err
	}
	seen := map[string]bool{}
	for _, found := range assets.FindAllStringSubmatch(html, -1) {
		if path := found[1]; !seen[path] {
			seen[path] = true
			_, more, err := fetchAsBrowser(ctx, base+path, "")
			if err != nil {
				return 0, err
			}
			weight += more
		}
	}
	return float64(weight) / 1000, nil
}

// fetchAsBrowser gets a page and how many bytes its body had on the way.
func fetchAsBrowser(ctx context.Context, url, cookie string) (text string, weight int, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", 0, err
	}
	r.Header.Set("Accept-Encoding", "gzip") // said by ourselves, the transport hands the bytes on as they came
	asking{cookie: cookie}.on(r)
	reply, err := http.DefaultClient.Do(r)
	if err != nil {
		return "", 0, err
	}
	defer reply.Body.Close()
	body, err := io.ReadAll(reply.Body)
	if err != nil || reply.StatusCode != http.StatusOK {
		return "", 0, errors.Join(errors.New(url+" answers "+reply.Status), err)
	}
	if reply.Header.Get("Content-Encoding") != "gzip" {
		return string(body), len(body), nil
	}
	z, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return "", 0, err
	}
	plain, err := io.ReadAll(z)
	return string(plain), len(body), err
}
