package eventnode

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/google/uuid"
)

func BenchmarkAppend(b *testing.B) {
	for _, writers := range []int{1, 32, 128} {
		b.Run(strconv.Itoa(writers), func(b *testing.B) {
			n := started(b, Options{})
			c := official(b, n)
			payload := make([]byte, 1000)
			var next atomic.Int64
			b.ResetTimer()
			before := cpu()
			done := make(chan error, writers)
			for w := range writers {
				go func() {
					stream := fmt.Sprintf("bench-%d", w)
					expected := esdb.ExpectedRevision(esdb.NoStream{})
					for next.Add(1) <= int64(b.N) {
						r, err := c.AppendToStream(context.Background(), stream, esdb.AppendToStreamOptions{ExpectedRevision: expected},
							esdb.EventData{EventID: uuid.New(), EventType: "Benched", ContentType: esdb.ContentTypeJson, Data: payload})
						if err != nil {
							done <- err
							return
						}
						expected = esdb.Revision(r.NextExpectedVersion)
					}
					done <- nil
				}()
			}
			for range writers {
				if err := <-done; err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "appends/s")
			b.ReportMetric(float64((cpu()-before).Microseconds())/float64(b.N), "cpu-µs/append")
		})
	}
}

func BenchmarkRead(b *testing.B) {
	n := started(b, Options{})
	c := official(b, n)
	const total = 100_000
	payload := make([]byte, 1000)
	for i := range 100 {
		var events []esdb.EventData
		for range total / 100 / 2 {
			events = append(events, esdb.EventData{EventID: uuid.New(), EventType: "Benched", ContentType: esdb.ContentTypeJson, Data: payload})
		}
		for _, s := range []string{"bench-one", fmt.Sprintf("bench-%d", i)} {
			if _, err := c.AppendToStream(context.Background(), s, esdb.AppendToStreamOptions{ExpectedRevision: esdb.Any{}}, events...); err != nil {
				b.Fatal(err)
			}
		}
	}
	run := func(name string, open func() (*esdb.ReadStream, error)) {
		b.Run(name, func(b *testing.B) {
			count := 0
			before := cpu()
			for b.Loop() {
				read, err := open()
				if err != nil {
					b.Fatal(err)
				}
				for {
					if _, err := read.Recv(); errors.Is(err, io.EOF) {
						break
					} else if err != nil {
						b.Fatal(err)
					}
					count++
				}
			}
			b.ReportMetric(float64(count)/b.Elapsed().Seconds(), "events/s")
			b.ReportMetric(float64((cpu()-before).Nanoseconds())/float64(count), "cpu-ns/event")
		})
	}
	run("all", func() (*esdb.ReadStream, error) {
		return c.ReadAll(context.Background(), esdb.ReadAllOptions{}, everything)
	})
	run("stream", func() (*esdb.ReadStream, error) {
		return c.ReadStream(context.Background(), "bench-one", esdb.ReadStreamOptions{}, everything)
	})
}

func BenchmarkLimit(b *testing.B) {
	for _, writers := range []int{1, 32, 128} {
		b.Run("append"+strconv.Itoa(writers), func(b *testing.B) {
			for b.Loop() {
				rate, err := LimitAppend(b.TempDir(), writers, 3*time.Second)
				if err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(rate, "appends/s")
			}
		})
	}
	b.Run("scan", func(b *testing.B) {
		for b.Loop() {
			dir, err := os.MkdirTemp(b.TempDir(), "")
			if err != nil {
				b.Fatal(err)
			}
			rate, err := LimitScan(dir, 100_000)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(rate, "events/s")
		}
	})
}

// cpu is the processor time this process has used. On a machine that others use too it tells more than the clock.
func cpu() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
