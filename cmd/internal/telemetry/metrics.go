package telemetry

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/atrium-portal/atrium/commands"
	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/projections"
)

// Metrics are the program's figures.
type Metrics struct {
	registry  *prometheus.Registry
	requests  *prometheus.HistogramVec
	commands  *prometheus.HistogramVec
	appends   *prometheus.HistogramVec
	conflicts prometheus.Counter
	batches   *prometheus.HistogramVec
	handled   *prometheus.HistogramVec
	failures  *prometheus.CounterVec
}

// seconds are the buckets of what takes a part of a millisecond at best.
var seconds = prometheus.ExponentialBuckets(0.000_1, 2, 17) // to 6.6 s

// NewMetrics makes the figures, with those of the Go runtime and of the process.
func NewMetrics() *Metrics {
	histogram := func(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
		return prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "atrium_" + name, Help: help, Buckets: buckets}, labels)
	}
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		requests: histogram("request_seconds", "Time to answer, by surface, method, route and status.", seconds, "surface", "method", "route", "status"),
		commands: histogram("command_seconds", "Time to decide and store a command, by its name and outcome: ok, or the code of the fault.", seconds, "command", "outcome"),
		appends:  histogram("append_seconds", "Time to append to the log, by outcome: ok, conflict, unknown or rejected.", seconds, "outcome"),
		conflicts: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "atrium_append_conflicts_total", Help: "Appends that found another revision than they expected.",
		}),
		batches: histogram("batch_events", "Events in a batch from the log, by handler.", prometheus.ExponentialBuckets(1, 4, 9), "handler"),
		handled: histogram("batch_seconds", "Time to handle a batch from the log, by handler.", seconds, "handler"),
		failures: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "atrium_batch_failures_total", Help: "Batches that were refused and are sent again, by handler.",
		}, []string{"handler"}),
	}
	m.Register(
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		m.requests, m.commands, m.appends, m.conflicts, m.batches, m.handled, m.failures,
	)
	return m
}

// Register adds figures of others. Two of the same name are a mistake in the program and panic.
func (m *Metrics) Register(list ...prometheus.Collector) { m.registry.MustRegister(list...) }

// Handler shows the figures. It is for a listener of its own, which the public does not reach.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{Timeout: 10 * time.Second})
}

// Around is middleware of a chi router that measures its requests by the pattern of their route. Streams of
// server-sent events are counted when they end.
func (m *Metrics) Around(surface string) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			begun, tracked := time.Now(), middleware.NewWrapResponseWriter(w, r.ProtoMajor)
			defer func() {
				route := chi.RouteContext(r.Context()).RoutePattern()
				if route == "" {
					route = "none"
				}
				status := tracked.Status()
				if status == 0 {
					status = http.StatusOK
				}
				m.requests.WithLabelValues(surface, method(r.Method), route, strconv.Itoa(status)).Observe(time.Since(begun).Seconds())
			}()
			next.ServeHTTP(tracked, r)
		})
	}
}

// method keeps made-up methods from becoming labels.
func method(name string) string {
	switch name {
	case http.MethodGet, http.MethodHead, http.MethodPost:
		return name
	}
	return "other"
}

// Command is for commands.Options.Observe.
func (m *Metrics) Command(name string, took time.Duration, err error) {
	outcome := "ok"
	if err != nil {
		if outcome = domain.AsFault(err).Code; outcome == "unknown-command" {
			name = "none"
		}
	}
	m.commands.WithLabelValues(name, outcome).Observe(took.Seconds())
}

// Log measures the appends to a log.
func (m *Metrics) Log(log commands.Log) commands.Log { return measured{log, m} }

type measured struct {
	commands.Log
	m *Metrics
}

func (l measured) Append(ctx context.Context, stream string, expected int64, events []domain.Proposed) (domain.Position, error) {
	begun := time.Now()
	position, err := l.Log.Append(ctx, stream, expected, events)
	outcome := "ok"
	if err != nil {
		conflict, _ := errors.AsType[*commands.Conflict](err)
		rejected, _ := errors.AsType[*commands.Rejected](err)
		switch {
		case conflict != nil:
			outcome = "conflict"
			l.m.conflicts.Inc()
		case rejected != nil:
			outcome = "rejected"
		default:
			outcome = "unknown"
		}
	}
	l.m.appends.WithLabelValues(outcome).Observe(time.Since(begun).Seconds())
	return position, err
}

// Batches measures what a handler of the log does.
func (m *Metrics) Batches(handler string) func(message.NoPublishHandlerFunc) message.NoPublishHandlerFunc {
	return func(next message.NoPublishHandlerFunc) message.NoPublishHandlerFunc {
		return func(msg *message.Message) error {
			begun := time.Now()
			err := next(msg)
			if batch, ok := projections.BatchOf(msg); ok {
				m.batches.WithLabelValues(handler).Observe(float64(len(batch.Events)))
			}
			m.handled.WithLabelValues(handler).Observe(time.Since(begun).Seconds())
			if err != nil {
				m.failures.WithLabelValues(handler).Inc()
			}
			return err
		}
	}
}
