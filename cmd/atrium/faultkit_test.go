package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/atrium-portal/atrium/projections"
)

// The fault kit: clients that note what was acknowledged in a ledger of their own, and the question whether that is what
// is there afterwards. `make fault` sets faultSize for the long runs; without it a few rounds are run.

const faultSize = "ATRIUM_FAULT"

// long tells whether this is the long run.
func long() bool { return os.Getenv(faultSize) == "long" }

// sized chooses by the size of the run.
func sized(short, full int) int {
	if long() {
		return full
	}
	return short
}

// deed is a command that a client gave: what it made, and whether somebody said that it is done.
type deed struct {
	Key      string `json:"key"` // of idempotency; also in the name of what it made
	Kind     string `json:"kind"`
	Acked    bool   `json:"acked"`
	Stream   string `json:"stream,omitempty"`
	Revision int64  `json:"revision,omitempty"`
	ID       string `json:"id,omitempty"`
}

// crowd is a number of clients that work until they are stopped. Each writes its ledger and syncs it before it goes on, so
// that the ledger never knows less than somebody was told.
type crowd struct {
	t       *testing.T
	token   string
	bases   []string // of the servers, any of which will do
	client  *http.Client
	done    chan struct{}
	wg      sync.WaitGroup
	acks    atomic.Int64
	refused atomic.Int64 // answers that are neither done nor "try again"
	full    atomic.Int64 // answers that there is no room
	fills   bool         // such answers may be, the disk is small
	mu      sync.Mutex
	deeds   []deed
	first   string // the first answer that should not be
}

// work sends clients on their way.
func work(t *testing.T, token string, clients int, bases ...string) *crowd {
	t.Helper()
	c := &crowd{
		t: t, token: token, bases: bases, done: make(chan struct{}),
		client: &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: clients}},
	}
	for n := range clients {
		ledger, err := os.Create(filepath.Join(t.TempDir(), "ledger-"+strconv.Itoa(n)))
		if err != nil {
			t.Fatal(err)
		}
		c.wg.Go(func() {
			defer ledger.Close()
			c.live(n, ledger)
		})
	}
	return c
}

// stop lets every client end what it is doing and gives the ledgers.
func (c *crowd) stop() []deed {
	close(c.done)
	c.wg.Wait()
	if n := c.full.Load(); n > 0 && !c.fills {
		c.t.Errorf("%d answers say that there is no room", n)
	}
	if n := c.refused.Load(); n > 0 {
		c.t.Errorf("%d answers were neither done nor 'try again', the first: %s", n, c.first)
	}
	return c.deeds
}

// live opens an account, drafts an invoice, sends it and records a payment, over and over. One in eight deeds is given
// up after the first try: nobody knows then whether it was done.
func (c *crowd) live(n int, ledger *os.File) {
	random := rand.New(rand.NewPCG(uint64(n), 7))
	for round := 0; ; round++ {
		select {
		case <-c.done:
			return
		default:
		}
		name := fmt.Sprintf("c%dr%d", n, round)
		account := c.do(ledger, deed{Key: name + "-open", Kind: "OpenAccount"}, random.IntN(8) == 0, fmt.Sprintf(
			`{"name":%q,"currency":"USD","contact":{"name":"Ann","email":"%s@fault.example"}}`, name+"-open", name))
		if !account.Acked {
			continue
		}
		invoice := c.do(ledger, deed{Key: name + "-draft", Kind: "DraftInvoice"}, false, fmt.Sprintf(
			`{"account":%q,"due":"2027-01-31","lines":[{"description":"Work","quantity":"1","unit_price":{"amount":10000,"currency":"USD"}}]}`, account.ID))
		if !invoice.Acked || !c.do(ledger, deed{Key: name + "-send", Kind: "SendInvoice"}, false, fmt.Sprintf(`{"invoice":%q}`, invoice.ID)).Acked {
			continue
		}
		c.do(ledger, deed{Key: name + "-pay", Kind: "RecordPayment"}, random.IntN(8) == 0, fmt.Sprintf(
			`{"invoice":%q,"amount":{"amount":2500,"currency":"USD"},"date":"2026-11-20","method":"bank_transfer","reference":%q}`, invoice.ID, name+"-pay"))
	}
}

// do gives a command until it is answered, or once, and notes what came of it.
func (c *crowd) do(ledger *os.File, d deed, once bool, body string) deed {
	for try := 0; ; try++ {
		again := c.try(&d, c.bases[try%len(c.bases)], body)
		if d.Acked || !again || once {
			break
		}
		select {
		case <-c.done:
			once = try > 400 // whatever was stopped is up again by then
		case <-time.After(25 * time.Millisecond):
		}
	}
	line, err := json.Marshal(d)
	if err != nil {
		c.t.Error(err)
	}
	if _, err := ledger.Write(append(line, '\n')); err != nil {
		c.t.Error(err)
	}
	if err := ledger.Sync(); err != nil {
		c.t.Error(err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.deeds = append(c.deeds, d)
	return d
}

// try gives a command once. again is true when it may be given again: no answer, or one that says so.
func (c *crowd) try(d *deed, base, body string) (again bool) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, base+"/api/v1/commands/"+d.Kind, strings.NewReader(body))
	if err != nil {
		c.t.Error(err)
		return false
	}
	r.Header.Set("Authorization", "Bearer "+c.token)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Idempotency-Key", d.Key)
	reply, err := c.client.Do(r)
	if err != nil {
		return true
	}
	defer reply.Body.Close()
	raw, err := io.ReadAll(reply.Body)
	switch {
	case err != nil:
		return true
	case reply.StatusCode == http.StatusServiceUnavailable && reply.Header.Get("Retry-After") != "":
		return true
	case reply.StatusCode == http.StatusInsufficientStorage:
		c.full.Add(1)
		return true
	case reply.StatusCode != http.StatusOK:
		if c.refused.Add(1) == 1 {
			c.first = fmt.Sprintf("%s: %d %s", d.Key, reply.StatusCode, raw)
		}
		return false
	}
	if err := json.Unmarshal(raw, d); err != nil {
		c.t.Errorf("%s: %s", d.Key, raw)
		return false
	}
	d.Acked = true
	c.acks.Add(1)
	return false
}

// reached waits until so many deeds were acknowledged. A minute without any is too long.
func (c *crowd) reached(acks int64) {
	c.t.Helper()
	begun := c.acks.Load()
	for last := begun; last < acks; {
		ctx, cancel := context.WithTimeout(c.t.Context(), time.Minute)
		for c.acks.Load() == last && pause(ctx, time.Millisecond) == nil {
		}
		cancel()
		if c.acks.Load() == last {
			c.t.Fatalf("only %d of %d deeds were acknowledged, and none for a minute", last-begun, acks-begun)
		}
		last = c.acks.Load()
	}
}

// check compares the ledgers with what is there: everything that was acknowledged once, everything else once or never,
// and the rows as the events say.
func check(t *testing.T, k *stack, deeds []deed) {
	t.Helper()
	there := map[string]int{}
	for _, query := range []string{"select name from read.accounts", "select reference from read.payments"} {
		rows, err := k.pools.Projector.Query(t.Context(), query)
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			var key string
			if err := rows.Scan(&key); err != nil {
				t.Fatal(err)
			}
			there[key]++
		}
		if rows.Err() != nil {
			t.Fatal(rows.Err())
		}
	}
	acked, lost, twice := 0, 0, 0
	for _, d := range deeds {
		if d.Acked {
			acked++
			events, err := k.events.Load(t.Context(), d.Stream, d.Revision)
			if err != nil || len(events) == 0 {
				t.Errorf("%s was acknowledged at revision %d of %s, which is not there: %v", d.Key, d.Revision, d.Stream, err)
				lost++
			}
		}
		if d.Kind != "OpenAccount" && d.Kind != "RecordPayment" {
			continue
		}
		switch n := there[d.Key]; {
		case n == 0 && d.Acked:
			t.Errorf("%s was acknowledged and is not there", d.Key)
			lost++
		case n > 1:
			t.Errorf("%s is there %d times", d.Key, n)
			twice++
		}
	}
	for law, query := range laws {
		var broken int
		if err := k.pools.Projector.QueryRow(t.Context(), "select count(*) from ("+query+") broken").Scan(&broken); err != nil {
			t.Fatal(err)
		}
		if broken > 0 {
			t.Errorf("it does not hold that %s: %d times", law, broken)
		}
	}
	differences, err := k.engine.Verify(t.Context(), k.source, func(projections.Progress) {})
	if err != nil || len(differences) > 0 {
		t.Errorf("the rows are not what the events say: %v, %v", differences, err)
	}
	t.Logf("%d deeds, %d acknowledged, %d lost, %d twice, %d rows differ", len(deeds), acked, lost, twice, len(differences))
}

// laws are queries for what must not be after any fault. The package projections holds its tables to many more.
var laws = map[string]string{
	"the lines of an invoice add up to its net amount": `select id from read.invoices
		where net <> (select coalesce(sum((line -> 'net' ->> 'amount')::bigint), 0) from jsonb_array_elements(lines) line)`,
	"what was invoiced is paid, credited, void or due": `select id from read.invoices
		where released and total <> paid + credited + voided + due_amount`,
	"payments are what was paid": `select i.id from read.invoices i
		where paid <> (select coalesce(sum(amount - refunded), 0) from read.payments p where p.invoice = i.id)`,
	"the events of a stream follow one another from 0": `select stream from read.history
		group by stream having min(revision) <> 0 or count(*) <> max(revision) + 1 or count(distinct revision) <> count(*)`,
	"no event was applied twice": `select event_id from read.history group by event_id having count(*) > 1`,
	"numbers of documents have no gap": `select firm from read.numbers group by firm, kind
		having count(*) <> max(number) or min(number) <> 1 or count(distinct document) <> count(*)`,
}

// readyAfter waits until a server that was just started is ready, and says how long that took.
func readyAfter(t *testing.T, base string, output *bytes.Buffer) time.Duration {
	t.Helper()
	begun := time.Now()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for {
		if r, err := http.Get(base + "/readyz"); err == nil {
			r.Body.Close()
			if r.StatusCode == http.StatusOK {
				return time.Since(begun)
			}
		}
		if pause(ctx, 10*time.Millisecond) != nil {
			t.Fatalf("not ready after a minute\n%s", output)
		}
	}
}

// kill ends a process as a power cut would, but for what the kernel has yet to write.
func kill(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	cmd.Wait() //nolint:errcheck // it was killed
}

// running is the program as a process of its own.
type running struct {
	cmd    *exec.Cmd
	output *bytes.Buffer
	base   string // where it is reached
}

// runs starts the server and waits until it is ready. When the test fails, what the server said of its own mistakes is logged.
func runs(t *testing.T, args ...string) (p running) {
	t.Helper()
	address := freeAddress(t)
	p.base = "http://" + address
	p.cmd, p.output = child(t, append([]string{"serve", "--listen", address, "--limit=-1"}, args...)...)
	t.Cleanup(func() {
		for line := range strings.Lines(p.output.String()) {
			if t.Failed() && strings.Contains(line, "level=ERROR") {
				t.Log(strings.TrimSpace(line))
			}
		}
	})
	readyAfter(t, p.base, p.output)
	return p
}

// settled opens the stack on stores that no program uses, with the read models brought up to the end of the log.
func settled(t *testing.T, s stores, f func(*stack)) {
	t.Helper()
	term := &terminal{out: io.Discard, err: io.Discard, log: slog.New(slog.DiscardHandler), now: time.Now}
	if err := withStack(t.Context(), s, term, func(k *stack) error { f(k); return nil }); err != nil {
		t.Fatal(err)
	}
}
