package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"

	"github.com/atrium-portal/atrium/cmd/internal/eventlog"
	"github.com/atrium-portal/atrium/cmd/internal/eventnode"
	"github.com/atrium-portal/atrium/domain"
)

type benchAppendCmd struct {
	benchFlags
	Events int `help:"How far one log is grown, to measure appends at each tenth and reads at the end; 0 means 100,000, or 1,000,000 with --full." default:"0"`
}

func (c benchAppendCmd) Run(ctx context.Context, t *terminal) error {
	spaciousHeap()
	length, events := 2*time.Second, 100_000
	if c.Full {
		length, events = 10*time.Second, 1_000_000
	}
	c.Events = cmp.Or(c.Events, events)
	var results []result
	for _, writers := range []int{1, 32, 128} {
		measured, err := c.measure(ctx, t, writers, length)
		if err != nil {
			return err
		}
		results = append(results, measured...)
	}
	grown, err := c.grow(ctx, t, length)
	if err != nil {
		return err
	}
	return c.print(t, append(results, grown...))
}

// measure compares appends of so many writers with the bare sequencer, and their slowest hundredth with one fsync: once when
// each writer appends as fast as it can, which leaves no processor idle, and once at half that rate. Processor time is what
// remains comparable on a machine that does other work.
func (c benchAppendCmd) measure(ctx context.Context, t *terminal, writers int, length time.Duration) ([]result, error) {
	reach := ">= 0.3"
	if writers == 1 {
		reach = ">= 0.5"
	}
	rate := result{Name: fmt.Sprintf("P1 append, %d writers", writers), Unit: "events/s", Reach: reach}
	tail := result{Name: fmt.Sprintf("P1 p99, %d writers", writers), Unit: "ms, fsync", Reach: "<= 10 at 32 writers"}
	calm := result{Name: fmt.Sprintf("P1 p99, %d writers at half the rate", writers), Unit: "ms, fsync", Reach: "-"}
	spent := result{Name: fmt.Sprintf("P1 processor time of an append, %d writers", writers), Unit: "µs", Reach: "-"}
	for range c.Rounds {
		err := c.scratch(func(dir string) error {
			before := processorTime()
			limit, err := eventnode.LimitAppend(filepath.Join(dir, "limit"), writers, length)
			if err != nil {
				return err
			}
			bare := processorTime() - before
			return onNode(ctx, t, filepath.Join(dir, "node"), func(log *eventlog.Log, _ *eventnode.Node) error {
				before := processorTime()
				full, err := appendAll(ctx, log, workload{writers: writers, length: length})
				if err != nil {
					return err
				}
				spent.add((processorTime()-before).Seconds()*1e6/float64(len(full.took)), bare.Seconds()*1e6/(limit*length.Seconds()))
				half, err := appendAll(ctx, log, workload{writers: writers, length: length, perSecond: full.perSecond() / 2})
				if err != nil {
					return err
				}
				fsync, err := fsyncTime(dir)
				rate.add(full.perSecond(), limit)
				tail.add(full.slowest(99).Seconds()*1e3, fsync.Seconds()*1e3)
				calm.add(half.slowest(99).Seconds()*1e3, fsync.Seconds()*1e3)
				return err
			})
		})
		if err != nil {
			return nil, err
		}
	}
	return []result{rate.done(), tail.done(), calm.done(), spent.done()}, nil
}

// processorTime is what this process has used, of all processors.
func processorTime() time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		return 0 // it does not fail for one's own process
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

func (r *result) add(product, limit float64) {
	r.Product, r.Limit = append(r.Product, product), append(r.Limit, limit)
}

func (r *result) done() result {
	r.Ratio = r.Product.median() / r.Limit.median()
	return *r
}

// onNode runs a node in dir, on a unix socket as the program does, with a log connected to it.
func onNode(ctx context.Context, t *terminal, dir string, use func(*eventlog.Log, *eventnode.Node) error) (err error) {
	sockets, err := os.MkdirTemp("", "atrium-bench-*") // a socket's path must be short
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(sockets)) }()
	node, err := eventnode.Start(ctx, eventnode.Options{Dir: dir, Listen: "unix:" + filepath.Join(sockets, "node"), Logger: t.log})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, node.Close()) }()
	log, err := eventlog.Open(node.URL(), eventlog.Options{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, log.Close()) }()
	return use(log, node)
}

// workload is writers that append 1 kB events, each to a stream of its own and each waiting for its last reply.
type workload struct {
	writers   int
	length    time.Duration
	perSecond float64 // in all; 0: as fast as they can
	batch     int     // events in one append; 0: one
	events    int     // in all; 0: until length has passed
	stream    string  // of the one writer; empty: a new one for each
}

// waits are how long appends took. With a rate given they count from when the append should have begun.
type waits struct {
	took   []time.Duration // sorted
	length time.Duration
}

func (w waits) perSecond() float64 { return float64(len(w.took)) / w.length.Seconds() }

func (w waits) slowest(percent int) time.Duration { return w.took[len(w.took)*percent/100] }

func appendAll(ctx context.Context, log *eventlog.Log, w workload) (waits, error) {
	documents := eventnode.LimitEvents()
	batch := max(w.batch, 1)
	var (
		wg     sync.WaitGroup
		mu     sync.Mutex
		all    waits
		failed error
		begun  = time.Now()
	)
	for writer := range w.writers {
		wg.Go(func() {
			stream := cmp.Or(w.stream, domain.StreamName("bench", domain.NewID()))
			var took []time.Duration
			var err error
			for i := 0; err == nil && ctx.Err() == nil; i++ {
				at := time.Now()
				if w.perSecond > 0 {
					at = begun.Add(time.Duration(float64(i*w.writers+writer) / w.perSecond * 1e9))
					wait := time.NewTimer(time.Until(at))
					<-wait.C
				}
				if w.events > 0 && i*batch*w.writers >= w.events || w.events == 0 && at.Sub(begun) >= w.length {
					break
				}
				proposed := make([]domain.Proposed, batch)
				for j := range proposed {
					proposed[j] = domain.Proposed{ID: domain.NewID(), Type: "Benchmarked", Data: documents[(i+j)%len(documents)], Metadata: []byte(`{}`)}
				}
				_, err = log.Append(ctx, stream, int64(i*batch)-1, proposed)
				took = append(took, time.Since(at))
			}
			mu.Lock()
			defer mu.Unlock()
			all.took, failed = append(all.took, took...), errors.Join(failed, err)
		})
	}
	wg.Wait()
	all.length = time.Since(begun)
	if failed == nil && len(all.took) == 0 {
		failed = errors.Join(errors.New("nothing was appended"), ctx.Err())
	}
	slices.Sort(all.took)
	return all, failed
}

// fsyncTime is the median time of writing 1 KB and making it durable.
func fsyncTime(dir string) (time.Duration, error) {
	f, err := os.Create(filepath.Join(dir, "fsync"))
	if err != nil {
		return 0, err
	}
	defer f.Close()
	var times []time.Duration
	for range 200 {
		at := time.Now()
		if _, err := f.Write(make([]byte, 1024)); err != nil {
			return 0, err
		}
		if err := f.Sync(); err != nil {
			return 0, err
		}
		times = append(times, time.Since(at))
	}
	slices.Sort(times)
	return times[len(times)/2], nil
}

// grow fills one log in ten steps. After each it measures appends of 32 writers against the sequencer on an empty store, so that
// a log that slows down shows as a falling ratio. At the end it reads the whole log.
func (c benchAppendCmd) grow(ctx context.Context, t *terminal, length time.Duration) ([]result, error) {
	const writers, steps, batch = 32, 10, 50
	var results []result
	err := c.scratch(func(dir string) error {
		return onNode(ctx, t, filepath.Join(dir, "node"), func(log *eventlog.Log, node *eventnode.Node) error {
			m := newMeter(t, "filling the log", c.JSON)
			defer m.end()
			for step := range steps + 1 {
				if step > 0 {
					if _, err := appendAll(ctx, log, workload{writers: writers, batch: batch, events: c.Events / steps}); err != nil {
						return err
					}
				}
				stats, err := node.Stats()
				if err != nil {
					return err
				}
				m.at(int64(stats.Events), int64(c.Events))
				r := result{Name: fmt.Sprintf("P8 append, %d events in the log", stats.Events), Unit: "events/s", Reach: "flat"}
				for round := range c.Rounds {
					limit, err := eventnode.LimitAppend(filepath.Join(dir, fmt.Sprint("limit-", step, "-", round)), writers, length/2)
					if err != nil {
						return err
					}
					measured, err := appendAll(ctx, log, workload{writers: writers, length: length / 2})
					if err != nil {
						return err
					}
					r.add(measured.perSecond(), limit)
				}
				results = append(results, r.done())
			}
			read, err := c.reads(ctx, dir, log, node)
			results = append(results, read...)
			return err
		})
	})
	return results, err
}

// reads reads one stream and then the log through the official client, against a scan of as many events, and measures how long
// the first event takes.
func (c benchAppendCmd) reads(ctx context.Context, dir string, log *eventlog.Log, node *eventnode.Node) ([]result, error) {
	const long = 20_000
	stream := domain.StreamName("bench", domain.NewID())
	if _, err := appendAll(ctx, log, workload{writers: 1, batch: 100, events: long, stream: stream}); err != nil {
		return nil, err
	}
	stats, err := node.Stats()
	if err != nil {
		return nil, err
	}
	client, err := eventlog.NewClient(node.URL())
	if err != nil {
		return nil, err
	}
	defer client.Close() //nolint:errcheck // it only read
	events := int(stats.Events)
	ofStream := result{Name: fmt.Sprintf("P2 read a stream of %d events", long), Unit: "events/s", Reach: ">= 0.1"}
	ofAll := result{Name: fmt.Sprintf("P2 read $all, %d events", events), Unit: "events/s", Reach: ">= 0.1, >= 150 k/s"}
	soonest := result{Name: "P2 first event", Unit: "ms", Reach: "<= 2"}
	for round := range c.Rounds {
		limit, err := eventnode.LimitScan(filepath.Join(dir, fmt.Sprint("scan-", round)), events)
		if err != nil {
			return nil, err
		}
		rate, _, err := drain(long, func() (*esdb.ReadStream, error) {
			return client.ReadStream(ctx, stream, esdb.ReadStreamOptions{}, math.MaxInt64)
		})
		if err != nil {
			return nil, err
		}
		ofStream.add(rate, limit)
		rate, first, err := drain(events, func() (*esdb.ReadStream, error) { return client.ReadAll(ctx, esdb.ReadAllOptions{}, math.MaxInt64) })
		if err != nil {
			return nil, err
		}
		ofAll.add(rate, limit)
		soonest.add(first, 2)
	}
	return []result{ofStream.done(), ofAll.done(), soonest.done()}, nil
}

// drain reads to the end what open gives, which has to be so many events: how many a second, and after how many milliseconds the
// first was there.
func drain(events int, open func() (*esdb.ReadStream, error)) (rate, first float64, err error) {
	begun := time.Now()
	read, err := open()
	if err != nil {
		return 0, 0, err
	}
	defer read.Close()
	seen := 0
	for ; err == nil; seen++ {
		if _, err = read.Recv(); seen == 0 {
			first = milliseconds(begun)
		}
	}
	if !errors.Is(err, io.EOF) || seen-1 != events {
		return 0, 0, errors.Join(fmt.Errorf("%d of %d events were read", seen-1, events), err)
	}
	return float64(events) / time.Since(begun).Seconds(), first, nil
}
