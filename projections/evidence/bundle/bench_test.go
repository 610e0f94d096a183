package bundle_test

import (
	"bytes"
	"testing"

	"golang.org/x/mod/sumdb/note"
)

// A bundle of 10,000 events is verified in less than 2 seconds.
func BenchmarkVerify10000(b *testing.B) {
	w := newWorld(b)
	w.fill(10_000)
	w.issue()
	whole := w.write()
	b.ReportMetric(float64(len(whole))/10_000, "bytes/event")
	for _, x := range []struct {
		name string
		keys note.Verifiers
	}{{"with key", w.trust}, {"without", nil}} {
		b.Run(x.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if v := verify(b, whole, x.keys); !v.Consistent {
					b.Fatal(problems(v))
				}
			}
		})
	}
}

func BenchmarkWrite10000(b *testing.B) {
	w := newWorld(b)
	w.fill(10_000)
	w.issue()
	for b.Loop() {
		if w.write()[0] != 'P' {
			b.Fatal(bytes.ErrTooLarge)
		}
	}
}
