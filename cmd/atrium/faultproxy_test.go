package main

import (
	"math/rand/v2"
	"net"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// faultyLine stands between the program and one of its stores. Each connection works for a while; then it is cut, or its
// answers come late, or they are swallowed until the connection is cut.
type faultyLine struct {
	listener net.Listener
	network  string
	to       string

	mu     sync.Mutex
	random *rand.Rand
	calm   bool // no more faults
	open   map[net.Conn]bool
	hurt   int // connections that came to harm
}

// The faults of a connection, and how long they last.
const (
	lineCut = iota
	lineLate
	lineSilent
	lineFaults

	lateBy    = 20 * time.Millisecond
	silentFor = 300 * time.Millisecond
)

// newFaultyLine listens for a store at an address. Up to mostBytes of answers pass before a connection's fault.
func newFaultyLine(t *testing.T, network, to string, mostBytes int) *faultyLine {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := &faultyLine{listener: listener, network: network, to: to, random: rand.New(rand.NewPCG(3, 4)), open: map[net.Conn]bool{}}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			in, err := listener.Accept()
			if err != nil {
				return
			}
			running.Go(func() { l.serve(in, mostBytes) })
		}
	})
	t.Cleanup(func() {
		listener.Close()
		l.mu.Lock()
		for c := range l.open {
			c.Close()
		}
		l.mu.Unlock()
		running.Wait()
	})
	return l
}

func (l *faultyLine) address() string { return l.listener.Addr().String() }

// through is the URL of a database behind the line.
func (l *faultyLine) through(database *pgconn.Config) string {
	u := url.URL{Scheme: "postgres", User: url.UserPassword(database.User, database.Password), Host: l.address(), Path: "/" + database.Database, RawQuery: "sslmode=disable"}
	return u.String()
}

// rest ends the faults of connections that are yet to come to harm.
func (l *faultyLine) rest() (hurt int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.calm = true
	return l.hurt
}

func (l *faultyLine) serve(in net.Conn, mostBytes int) {
	out, err := net.Dial(l.network, l.to)
	if err != nil {
		in.Close()
		return
	}
	l.mu.Lock()
	l.open[in], l.open[out] = true, true
	fault, left := l.random.IntN(lineFaults), 500+l.random.IntN(mostBytes)
	l.mu.Unlock()
	end := func() { in.Close(); out.Close() }
	var passing sync.WaitGroup
	passing.Go(func() {
		defer end()
		relay(in, func(b []byte) bool { _, err := out.Write(b); return err == nil })
	})
	passing.Go(func() {
		defer end()
		relay(out, func(b []byte) bool {
			if left -= len(b); left < 0 && l.harms() {
				switch fault {
				case lineCut:
					return false
				case lineSilent:
					defer time.AfterFunc(silentFor, end).Stop()
					relay(out, func([]byte) bool { return true })
					return false
				case lineLate:
					<-time.After(lateBy)
				}
			}
			_, err := in.Write(b)
			return err == nil
		})
	})
	passing.Wait()
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.open, in)
	delete(l.open, out)
}

// harms counts a fault, unless there are to be no more.
func (l *faultyLine) harms() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.calm {
		l.hurt++
	}
	return !l.calm
}

// relay hands over what is read until there is no more or use returns false.
func relay(from net.Conn, use func([]byte) bool) {
	block := make([]byte, 4<<10)
	for {
		n, err := from.Read(block)
		if n > 0 && !use(block[:n]) || err != nil {
			return
		}
	}
}
