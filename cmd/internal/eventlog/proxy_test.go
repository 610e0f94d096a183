package eventlog

import (
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"testing"
	"time"
)

// fault is what a connection through the proxy comes to. The zero fault is none.
type fault struct {
	kind  faultKind
	after int // bytes from the node that pass first
}

type faultKind int

const (
	none      faultKind = iota
	cut                 // both sides are closed
	halfClose           // the client hears the end, the node does not
	swallow             // the node's answers are lost for a while, then both sides are closed
	delay               // each answer waits a while, and then both sides are closed
)

const (
	pause   = 20 * time.Millisecond  // how long delayed answers wait
	silence = 400 * time.Millisecond // how long answers are swallowed; a client left alone finds out after 20 s
)

// proxy stands between client and node.
type proxy struct {
	listener net.Listener
	to       string
	next     func() fault // the fault of the next connection

	mu    sync.Mutex
	muted bool
	open  map[net.Conn]struct{}
}

// newProxy makes a proxy to a node. next may be nil: no faults.
func newProxy(t *testing.T, to string, next func() fault) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{listener: l, to: to, next: next, open: map[net.Conn]struct{}{}}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			running.Go(func() { p.serve(in) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		p.cutAll()
		running.Wait()
	})
	return p
}

func (p *proxy) url() string { return "esdb://" + p.listener.Addr().String() + "?tls=false" }

// swallowAll keeps all answers of the node from now on, while the connections stay.
func (p *proxy) swallowAll() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.muted = true
}

// cutAll closes all connections.
func (p *proxy) cutAll() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.open {
		_ = c.Close()
	}
}

func (p *proxy) serve(in net.Conn) {
	var f fault
	if p.next != nil {
		f = p.next()
	}
	out, err := net.Dial("tcp", p.to)
	if err != nil { // as a node that is away refuses
		_ = in.Close()
		return
	}
	p.mu.Lock()
	p.open[in], p.open[out] = struct{}{}, struct{}{}
	p.mu.Unlock()
	var passing sync.WaitGroup
	passing.Go(func() {
		pass(in, func(b []byte) bool { _, err := out.Write(b); return err == nil })
		_ = out.Close()
	})
	passing.Go(func() {
		passed := 0
		pass(out, func(b []byte) bool {
			if f.kind == delay {
				<-time.After(pause)
			}
			if passed += len(b); passed > f.after {
				switch f.kind {
				case cut, delay:
					_ = out.Close()
					return false
				case halfClose, swallow:
					if f.kind == halfClose {
						_ = in.(*net.TCPConn).CloseWrite()
					}
					defer time.AfterFunc(silence, func() { _, _ = in.Close(), out.Close() }).Stop()
					pass(out, func([]byte) bool { return true })
					return false
				case none:
				}
			}
			p.mu.Lock()
			muted := p.muted
			p.mu.Unlock()
			if muted {
				return true
			}
			_, err := in.Write(b)
			return err == nil
		})
		_ = in.Close()
	})
	passing.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.open, in)
	delete(p.open, out)
}

// pass hands over what is read until there is no more or use returns false.
func pass(from net.Conn, use func([]byte) bool) {
	block := make([]byte, 4<<10)
	for {
		n, err := from.Read(block)
		if n > 0 && !use(block[:n]) || err != nil {
			return
		}
	}
}

// chance deals out faults: each connection works for a while and then has one of the kinds.
func chance(seed uint64, mostBytes int, kinds ...faultKind) func() fault {
	var mu sync.Mutex
	random := rand.New(rand.NewPCG(seed, 1))
	return func() fault {
		mu.Lock()
		defer mu.Unlock()
		return fault{kinds[random.IntN(len(kinds))], 200 + random.IntN(mostBytes)}
	}
}

func addressOf(url string) string {
	return strings.TrimSuffix(strings.TrimPrefix(url, "esdb://"), "?tls=false")
}
