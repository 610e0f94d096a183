package eventnode

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/google/uuid"
)

// The benchmarks measure the limit and the node in turn, because machines differ and are noisy, and report medians and their
// ratio. Run them with -benchtime 1x.
const (
	benchRounds = 5
	benchRound  = time.Second
)

func median(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}

func BenchmarkAppend(b *testing.B) {
	for _, writers := range []int{1, 32, 128} {
		b.Run(strconv.Itoa(writers), func(b *testing.B) {
			n := started(b, Options{})
			c := official(b, n)
			for range b.N {
				var limits, rates []float64
				for round := range benchRounds {
					limit, err := LimitAppend(b.TempDir(), writers, benchRound)
					if err != nil {
						b.Fatal(err)
					}
					limits = append(limits, limit)
					rates = append(rates, appendRate(b, c, fmt.Sprint("round-", round), writers))
				}
				b.ReportMetric(median(limits), "limit/s")
				b.ReportMetric(median(rates), "appends/s")
				b.ReportMetric(median(rates)/median(limits), "ratio")
			}
		})
	}
}

// appendRate is how many events of 1 kB per second writers append that each wait for their last one.
func appendRate(b *testing.B, c *esdb.Client, prefix string, writers int) float64 {
	events := LimitEvents()
	var total atomic.Int64
	var writing sync.WaitGroup
	begin := time.Now()
	for w := range writers {
		writing.Go(func() {
			stream := fmt.Sprintf("%s-%d", prefix, w)
			o := esdb.AppendToStreamOptions{ExpectedRevision: esdb.NoStream{}}
			for time.Since(begin) < benchRound {
				r, err := c.AppendToStream(context.Background(), stream, o,
					esdb.EventData{EventID: uuid.New(), EventType: "Benched", ContentType: esdb.ContentTypeJson, Data: events[w%len(events)]})
				if err != nil {
					b.Error(err)
					return
				}
				o.ExpectedRevision = esdb.Revision(r.NextExpectedVersion)
				total.Add(1)
			}
		})
	}
	writing.Wait()
	return float64(total.Load()) / time.Since(begin).Seconds()
}

func BenchmarkRead(b *testing.B) {
	const total, perAppend = 100_000, 500
	n := started(b, Options{})
	c := official(b, n)
	documents := LimitEvents()
	for i := range total / 2 / perAppend {
		var events []esdb.EventData
		for j := range perAppend {
			events = append(events, esdb.EventData{EventID: uuid.New(), EventType: "Benched", ContentType: esdb.ContentTypeJson, Data: documents[j%len(documents)]})
		}
		appendTo(b, c, "one", esdb.Any{}, events...)
		appendTo(b, c, fmt.Sprint("other-", i), esdb.Any{}, events...)
	}
	for name, open := range map[string]func() (*esdb.ReadStream, error){
		"all": func() (*esdb.ReadStream, error) {
			return c.ReadAll(context.Background(), esdb.ReadAllOptions{}, everything)
		},
		"stream": func() (*esdb.ReadStream, error) {
			return c.ReadStream(context.Background(), "one", esdb.ReadStreamOptions{}, everything)
		},
	} {
		b.Run(name, func(b *testing.B) {
			for range b.N {
				var limits, rates []float64
				for range benchRounds {
					limit, err := LimitScan(b.TempDir(), total)
					if err != nil {
						b.Fatal(err)
					}
					limits = append(limits, limit)
					rates = append(rates, readRate(b, open))
				}
				b.ReportMetric(median(limits), "limit/s")
				b.ReportMetric(median(rates), "events/s")
				b.ReportMetric(median(rates)/median(limits), "ratio")
			}
		})
	}
}

func readRate(b *testing.B, open func() (*esdb.ReadStream, error)) float64 {
	begin := time.Now()
	read, err := open()
	if err != nil {
		b.Fatal(err)
	}
	for count := 0; ; count++ {
		if _, err := read.Recv(); errors.Is(err, io.EOF) {
			return float64(count) / time.Since(begin).Seconds()
		} else if err != nil {
			b.Fatal(err)
		}
	}
}
