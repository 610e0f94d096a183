package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The program's tests see it as its users do: arguments in, output and exit code out, a data folder left behind. Where
// it must be killed, the test binary runs as the program.

const runAsProgram = "ATRIUM_TEST_RUN_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(runAsProgram) != "" {
		os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
	}
	os.Exit(m.Run())
}

// folder makes a data folder that the managed Postgres may reach, also as root.
func folder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	return filepath.Join(dir, "data")
}

// program runs a command that must end with the exit code, and returns what it printed.
func program(t *testing.T, want int, args ...string) string {
	t.Helper()
	var out, errs bytes.Buffer
	if code := run(args, &out, &errs); code != want {
		t.Fatalf("atrium %s: exit %d, want %d\n%s%s", strings.Join(args, " "), code, want, out.String(), errs.String())
	}
	if want == exitDone || want == exitDifference {
		return out.String()
	}
	return errs.String()
}

// child starts the program as a process of its own; it is killed at the end of the test if it still runs.
func child(t *testing.T, args ...string) (*exec.Cmd, *bytes.Buffer) {
	t.Helper()
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), runAsProgram+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	started, over := make(chan error), make(chan struct{})
	go func() {
		runtime.LockOSThread() // the signal comes when the thread ends that started the child: with this goroutine
		started <- cmd.Start()
		<-over
	}()
	t.Cleanup(func() { close(over) })
	if err := <-started; err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() }) //nolint:errcheck // it may have ended
	return cmd, &output
}

// firmIn makes a firm with one administrator in a fresh data folder and returns the folder.
func firmIn(t *testing.T) string {
	t.Helper()
	data := folder(t)
	program(t, exitDone, "firm", "create", "--data", data, "--name", "North", "--currency", "USD", "--timezone", "America/Denver")
	program(t, exitDone, "staff", "invite", "--data", data, "--email", "priya@north.example", "--name", "Priya", "--role", "administrator")
	return data
}

// export writes an export of clients and invoices in Invoice Ninja's shape: each invoice is n.50 dollars, half of them
// paid to a third.
func export(t *testing.T, clients, invoices int) (clientFile, invoiceFile string, billed, paid int64) {
	t.Helper()
	dir := t.TempDir()
	var c, i strings.Builder
	c.WriteString("Invoice Ninja v4,,,,\n,,,,\nCLIENTS,,,,\nName,First Name,Last Name,Email,Phone\n")
	for n := range clients {
		fmt.Fprintf(&c, "Client %d,Ann,No%d,ann%d@client.example,555-%04d\n", n, n, n, n)
	}
	i.WriteString("Invoice Ninja v4,,,,\n,,,,\nINVOICES,,,,\nClient,Email,Invoice Number,Amount,Paid,PO Number,Status,Invoice Date,Due Date,Discount,Partial/Deposit,Partial Due Date,Public Notes,Private Notes,Item Product,Item Notes,Item Cost,Item Quantity\n")
	for n := 1; n <= invoices; n++ {
		cents := int64(n)*100 + 50
		third := int64(0)
		if n%2 == 0 {
			third = cents / 3
		}
		billed, paid = billed+cents, paid+third
		fmt.Fprintf(&i, "Client %d,,A-%d,$%d.%02d,$%d.%02d,,Sent,2025-01-10,2025-02-10,,,,,,Work,Hours,%d.%02d,1\n",
			n%clients, n, cents/100, cents%100, third/100, third%100, cents/100, cents%100)
	}
	clientFile, invoiceFile = filepath.Join(dir, "clients.csv"), filepath.Join(dir, "invoices.csv")
	for name, text := range map[string]string{clientFile: c.String(), invoiceFile: i.String()} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return clientFile, invoiceFile, billed, paid
}

// happened is how many events the read models have of what happened, without those that say which tools ran.
func happened(t *testing.T, data string) (events int64) {
	t.Helper()
	inside(t, data, func(k *stack) {
		row := k.pools.Projector.QueryRow(t.Context(), `select count(*) from read.history where event <> 'ToolRun'`)
		if err := row.Scan(&events); err != nil {
			t.Fatal(err)
		}
	})
	return events
}

// server is a running `atrium serve` with a token of its administrator.
type server struct {
	t     *testing.T
	base  string
	token string
}

// serving runs f against a server on a data folder, stops it in order, and returns what it logged.
func serving(t *testing.T, data string, f func(server), change ...func(*serveCmd)) string {
	t.Helper()
	token := strings.TrimSpace(program(t, exitDone, "token", "create", "--data", data, "--staff", "priya@north.example"))
	address := freeAddress(t)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var log syncBuffer
	done := make(chan error, 1)
	go func() {
		c := serveCmd{stores: stores{Data: data}, Listen: address, Role: "all"}
		for _, f := range change {
			f(&c)
		}
		done <- c.Run(ctx, &terminal{out: io.Discard, err: io.Discard, log: slog.New(slog.NewTextHandler(&log, nil)), now: time.Now})
	}()
	s := server{t, "http://" + address, token}
	s.await(done)
	f(s)
	stop()
	if err := <-done; err != nil {
		t.Fatalf("serve ended with %v\n%s", err, log.String())
	}
	return log.String()
}

// await waits until the server is ready.
func (s server) await(done <-chan error) {
	s.t.Helper()
	deadline := time.After(60 * time.Second)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if r, err := http.Get(s.base + "/readyz"); err == nil {
			r.Body.Close()
			if r.StatusCode == http.StatusOK {
				return
			}
		}
		select {
		case <-tick.C:
		case err := <-done:
			s.t.Fatalf("the server ended: %v", err)
		case <-deadline:
			s.t.Fatal("the server is not ready after a minute")
		}
	}
}

// call makes a request as the administrator and decodes the answer.
func (s server) call(method, path, body string, headers ...string) (int, map[string]any, string) {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), method, s.base+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+s.token)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	reply, err := http.DefaultClient.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer reply.Body.Close()
	raw, err := io.ReadAll(reply.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	var decoded map[string]any
	if err := json.Unmarshal(raw, &decoded); err != nil {
		s.t.Fatalf("%s %s: %d %s", method, path, reply.StatusCode, raw)
	}
	return reply.StatusCode, decoded, string(raw)
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
