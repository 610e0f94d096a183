package eventnode

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/gossip"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/serverfeatures"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/google/uuid"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/keepalive"
)

// DefaultListen is where a node listens when nothing else is said: the port that clients of the protocol expect.
const DefaultListen = "127.0.0.1:2113"

// DefaultMinFree is how many bytes of the disk stay unused: below it the node refuses to store anything.
const DefaultMinFree = 256 << 20

const (
	// maxMessage is what clients of the protocol may send in one message. An event that is too large must still be read, or
	// its refusal would not say why.
	maxMessage = 17 << 20
	// pingEvery is how often a client may ping, with or without open calls. Clients of the protocol do so every 10 s; grpc-go
	// would cut them off after half a minute. Where everybody who can connect is on this machine, nothing is gained by strictness.
	pingEvery       = 10 * time.Millisecond
	pingEveryRemote = 5 * time.Second
	// streamWorkers serve calls on stacks that have grown already, which saves 5 to 10 % of an append. More calls at once than
	// this get goroutines of their own.
	streamWorkers = 64
	// patience is how long Close waits for calls that are being answered.
	patience = 3 * time.Second
)

// Options say where a node keeps its data and where it listens. Only Dir is required.
type Options struct {
	// Dir is the data folder. It is created when missing and belongs to one node at a time.
	Dir string
	// Listen is "host:port" (port 0: any free one) or "unix:/path/to.sock". Default DefaultListen. An address that other machines
	// reach needs a certificate and users.
	Listen string
	// CertFile and KeyFile hold the certificate for TLS and its key, in PEM form. They are read again for each connection.
	CertFile, KeyFile string
	// Users are the passwords, by user name, of those who may read and write. None: everybody may who can connect. Users need
	// TLS, because clients send passwords over TLS only.
	Users map[string]string
	// Now is the clock from which events get their creation time. Default time.Now.
	Now func() time.Time
	// Logger receives warnings and errors. Default: slog's default logger.
	Logger *slog.Logger
	// MinFree is how many bytes must be free on the disk for the node to store anything. Default DefaultMinFree.
	MinFree uint64

	fs   vfs.FS                 // tests: a file system that fails or forgets
	free func() (uint64, error) // tests: a disk that fills up
}

// Node is a running event node.
type Node struct {
	store    *store
	writer   *writer
	server   *grpc.Server
	listener net.Listener
	instance uuid.UUID
	now      func() time.Time
	free     func() (uint64, error)
	minFree  uint64
	tls      bool
	meters   *meters
	closing  chan struct{} // closed when Close begins
	served   chan struct{} // closed when the server has stopped
	once     sync.Once
	closeErr error
	mu       sync.RWMutex // held to look at the store from outside a call, and to close it
}

// Start opens the store, cuts off what a crash left half written, and serves. ctx bounds the start only; Close ends the node.
//
// It fails with one sentence and its cure when the folder is in use, damaged or not writable, when the address is taken, and
// when other machines reach the address and there are no TLS and no users.
func Start(ctx context.Context, o Options) (*Node, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	certified, err := o.certified()
	if err != nil {
		return nil, err
	}
	listener, err := listen(ctx, o.Listen)
	if err != nil {
		return nil, err
	}
	s, err := openStore(o.Dir, o.fs, o.Logger)
	if err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	n := &Node{
		store:    s,
		listener: listener,
		now:      o.Now,
		free:     o.free,
		minFree:  o.MinFree,
		tls:      certified != nil,
		meters:   newMeters(),
		closing:  make(chan struct{}),
		served:   make(chan struct{}),
	}
	if n.instance, err = uuid.NewRandom(); err != nil {
		return nil, errors.Join(err, listener.Close(), s.close())
	}
	n.writer = newWriter(n)
	n.serve(o, certified)
	return n, nil
}

func (o Options) withDefaults() (Options, error) {
	if o.Dir == "" {
		return o, errors.New("the event node needs a data folder; name one with --data")
	}
	if o.Listen == "" {
		o.Listen = DefaultListen
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.MinFree == 0 {
		o.MinFree = DefaultMinFree
	}
	if o.free == nil {
		o.free = func() (uint64, error) { return freeBytes(o.Dir) }
	}
	return o, o.checkExposure()
}

func freeBytes(dir string) (uint64, error) {
	var fs syscall.Statfs_t
	if err := syscall.Statfs(dir, &fs); err != nil {
		return 0, &os.PathError{Op: "statfs", Path: dir, Err: err}
	}
	return fs.Bavail * uint64(fs.Bsize), nil
}

func (n *Node) serve(o Options, certified credentials.TransportCredentials) {
	ping := pingEvery
	if !o.local() {
		ping = pingEveryRemote
	}
	guard := calls{users: newUsers(o.Users)}
	n.server = grpc.NewServer(
		grpc.Creds(certified),
		grpc.ForceServerCodecV2(newCodec()),
		grpc.MaxRecvMsgSize(maxMessage),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: ping, PermitWithoutStream: true}),
		grpc.KeepaliveParams(keepalive.ServerParameters{Time: 10 * time.Second, Timeout: 10 * time.Second}),
		grpc.NumStreamWorkers(streamWorkers),
		grpc.WaitForHandlers(true), // they use the store, which is closed next
		grpc.UnaryInterceptor(guard.unary),
		grpc.StreamInterceptor(guard.stream),
	)
	serverfeatures.RegisterServerFeaturesServer(n.server, features{})
	gossip.RegisterGossipServer(n.server, cluster{node: n})
	streams.RegisterStreamsServer(n.server, service{node: n})
	go func() {
		defer close(n.served)
		if err := n.server.Serve(n.listener); err != nil {
			o.Logger.Error("event node: stopped serving", "error", err)
		}
	}()
}

// URL is the connection string for this node: esdb://host:port?tls=false, or esdb+unix:///path/to.sock?tls=false, which the
// client adapter understands. It names no user.
func (n *Node) URL() string {
	if addr, ok := n.listener.Addr().(*net.UnixAddr); ok {
		return (&url.URL{Scheme: "esdb+unix", Path: addr.Name, RawQuery: "tls=false"}).String()
	}
	return fmt.Sprintf("esdb://%s?tls=%t", n.listener.Addr(), n.tls)
}

// endpoint is the address that gossip tells clients.
func (n *Node) endpoint() (host string, port uint32) {
	if addr, ok := n.listener.Addr().(*net.TCPAddr); ok {
		return addr.IP.String(), uint32(addr.Port)
	}
	return n.listener.Addr().String(), 0
}

// Close ends subscriptions and reads, lets appends that were accepted finish, and closes the store. Calls after the first
// return what the first returned.
func (n *Node) Close() error {
	n.once.Do(func() {
		close(n.closing)
		stopped := make(chan struct{})
		go func() {
			n.server.GracefulStop()
			close(stopped)
		}()
		select {
		case <-stopped:
		case <-time.After(patience): // a call that never ends its request
			n.server.Stop()
			<-stopped
		}
		<-n.served
		n.mu.Lock()
		defer n.mu.Unlock()
		if n.closeErr = n.writer.close(); n.closeErr == nil {
			n.closeErr = n.store.close()
		}
	})
	return n.closeErr
}

// Stats are figures about a node.
type Stats struct {
	Position uint64 // of the last durable event, 0 when there is none
	Events   uint64 // stored in all
	Bytes    uint64 // on disk
	Free     uint64 // bytes left on the disk
	MinFree  uint64 // below so many free bytes nothing is stored
	Failure  error  // why the log is closed for writing, nil when it is open
}

// Writable is nil when events can be stored, and says in one sentence with its cure why they cannot.
func (s Stats) Writable() error {
	switch {
	case s.Failure != nil:
		return errClosedLog(s.Failure)
	case s.Free < s.MinFree:
		return errStorageFull(s.Free, s.MinFree)
	}
	return nil
}

// Stats returns figures about the node. It fails once the node is closed.
func (n *Node) Stats() (Stats, error) {
	n.mu.RLock()
	defer n.mu.RUnlock()
	select {
	case <-n.closing:
		return Stats{}, errors.New("the event node is closed")
	default:
	}
	free, err := n.free()
	if err != nil {
		return Stats{}, err
	}
	return Stats{
		Position: n.store.durable.Load(),
		Events:   n.store.events.Load(),
		Bytes:    n.store.db.Metrics().DiskSpaceUsage(),
		Free:     free,
		MinFree:  n.minFree,
		Failure:  n.store.failed(),
	}, nil
}
