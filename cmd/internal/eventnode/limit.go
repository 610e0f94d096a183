package eventnode

import (
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/cockroachdb/pebble/v2"
)

// LimitEvents returns the data of the benchmarks' events: some documents of 1 kB each that compress about as well as real ones
// do, and not to nothing as zeros would. Benchmarks take them in turn.
func LimitEvents() [][]byte {
	const size, documents = 1000, 64
	random := rand.New(rand.NewPCG(1, 2))
	events := make([][]byte, documents)
	for i := range events {
		text := make([]byte, 0, size)
		text = append(text, `{"text":"`...)
		for len(text) < size-2 {
			text = append(text, "abcdefghijklmnop"[random.IntN(16)])
		}
		events[i] = append(text, `"}`...)
	}
	return events
}

// LimitAppend measures what the disk and Pebble allow: how many events of 1 kB per second a bare sequencer makes durable for a
// number of writers that each wait for their last event. The sequencer does what any event store must: check the version of the
// stream, give out a position, store the event and its place in the stream, and make a group durable with one fsync. There is
// no protocol, no client and no encoding. dir must be empty.
func LimitAppend(dir string, writers int, d time.Duration) (perSecond float64, err error) {
	s, err := openStore(dir, nil, slog.New(slog.DiscardHandler))
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	type write struct {
		stream   string
		expected int64
		done     chan error
	}
	queue := make(chan *write, writers)
	counts := make(chan int, writers)
	begin := time.Now()
	for i := range writers {
		go func() {
			w := &write{stream: fmt.Sprintf("limit-%d", i), expected: -1, done: make(chan error, 1)}
			for time.Since(begin) < d {
				queue <- w
				if <-w.done != nil {
					break
				}
				w.expected++
			}
			counts <- int(w.expected + 1)
		}()
	}
	total := 0
	var (
		position uint64
		events   = LimitEvents()
		versions = map[string]int64{}
		group    []*write
	)
	for running := writers; running > 0; {
		group = group[:0]
		select {
		case n := <-counts:
			total += n
			running--
			continue
		case w := <-queue:
			group = append(group, w)
		}
		for more := true; more; {
			select {
			case w := <-queue:
				group = append(group, w)
			default:
				more = false
			}
		}
		batch := s.db.NewBatch()
		for _, w := range group {
			last, ok := versions[w.stream]
			if !ok {
				last = -1
			}
			if last != w.expected {
				return 0, errors.New("the sequencer lost an event")
			}
			versions[w.stream] = last + 1
			position++
			err = errors.Join(err,
				batch.Set(appendEventKey(nil, position), events[position%uint64(len(events))], nil),
				batch.Set(appendRevisionKey(nil, w.stream, last+1), binary.BigEndian.AppendUint64(nil, position), nil))
		}
		err = errors.Join(err, batch.Commit(pebble.Sync))
		for _, w := range group {
			w.done <- err
		}
	}
	return float64(total) / time.Since(begin).Seconds(), err
}

// LimitScan measures how many events of 1 kB per second a bare Pebble iterator passes over in a log of the given length. dir
// must be empty.
func LimitScan(dir string, events int) (perSecond float64, err error) {
	s, err := openStore(dir, nil, slog.New(slog.DiscardHandler))
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	data := LimitEvents()
	for position := 0; position < events; {
		batch := s.db.NewBatch()
		for end := min(position+1000, events); position < end; position++ {
			stream := fmt.Sprintf("limit-%d", position%100)
			err = errors.Join(err,
				batch.Set(appendEventKey(nil, uint64(position)), data[position%len(data)], nil),
				batch.Set(appendRevisionKey(nil, stream, int64(position/100)), binary.BigEndian.AppendUint64(nil, uint64(position)), nil))
		}
		if err := errors.Join(err, batch.Commit(pebble.NoSync)); err != nil {
			return 0, err
		}
	}
	begin := time.Now()
	it, err := s.db.NewIter(&pebble.IterOptions{LowerBound: []byte{eventFamily}, UpperBound: []byte{eventFamily + 1}})
	if err != nil {
		return 0, err
	}
	seen := 0
	for ok := it.First(); ok; ok = it.Next() {
		value, err := it.ValueAndErr()
		if err != nil {
			return 0, errors.Join(err, it.Close())
		}
		if len(value) == len(data[0]) {
			seen++
		}
	}
	if err := it.Close(); err != nil || seen != events {
		return 0, errors.Join(fmt.Errorf("the scan saw %d of %d events", seen, events), err)
	}
	return float64(events) / time.Since(begin).Seconds(), nil
}
