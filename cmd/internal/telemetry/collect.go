package telemetry

import (
	"context"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
)

// Progress is how far somebody who follows the log has come.
type Progress struct {
	Name   string
	Behind int64         // in the log's own measure of position; 0 when there is nothing left
	Late   time.Duration // how long it has been behind; 0 when it is not
	Parked int           // streams that wait for a fix
}

// progress asks when it is asked.
type progress struct {
	ask                  func(context.Context) ([]Progress, error)
	behind, late, parked *prometheus.Desc
	up                   *prometheus.Desc
}

// FollowersOf shows how far those who follow the log have come, as ask says at the time.
func FollowersOf(ask func(context.Context) ([]Progress, error)) prometheus.Collector {
	describe := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("atrium_follower_"+name, help, labels, nil)
	}
	return progress{
		ask:    ask,
		behind: describe("behind", "How far a follower of the log is behind its head, in the log's own measure.", "follower"),
		late:   describe("late_seconds", "For how long a follower of the log has been behind its head.", "follower"),
		parked: describe("parked_streams", "Streams that a follower has parked until somebody mends them.", "follower"),
		up:     describe("known", "1 when the log and the database answer."),
	}
}

// Describe implements prometheus.Collector.
func (p progress) Describe(descriptions chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{p.behind, p.late, p.parked, p.up} {
		descriptions <- d
	}
}

// Collect implements prometheus.Collector.
func (p progress) Collect(metrics chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	list, err := p.ask(ctx)
	gauge := func(d *prometheus.Desc, value float64, labels ...string) {
		metrics <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
	}
	if err != nil {
		gauge(p.up, 0)
		return
	}
	gauge(p.up, 1)
	for _, one := range list {
		gauge(p.behind, float64(one.Behind), one.Name)
		gauge(p.late, one.Late.Seconds(), one.Name)
		gauge(p.parked, float64(one.Parked), one.Name)
	}
}

// SealLag shows how long the oldest event that is not sealed has waited, as ask says at the time.
func SealLag(ask func(context.Context) (time.Duration, error)) prometheus.Collector {
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "atrium_seal_lag_seconds", Help: "How long the oldest event that is not sealed has waited; -1 when nobody knows.",
	}, func() float64 {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		lag, err := ask(ctx)
		if err != nil {
			return -1
		}
		return lag.Seconds()
	})
}

// pools shows connection pools.
type pools struct {
	list                      map[string]*pgxpool.Pool
	used, idle, most          *prometheus.Desc
	acquired, waited, waiting *prometheus.Desc
}

// Pools shows the connections of pools by the role that they log in as.
func Pools(list map[string]*pgxpool.Pool) prometheus.Collector {
	describe := func(name, help string) *prometheus.Desc {
		return prometheus.NewDesc("atrium_pool_"+name, help, []string{"role"}, nil)
	}
	return pools{
		list:     list,
		used:     describe("connections_used", "Connections that are lent."),
		idle:     describe("connections_idle", "Connections that wait to be lent."),
		most:     describe("connections_max", "Connections that there can be."),
		acquired: describe("acquired_total", "How often a connection was lent."),
		waited:   describe("acquired_late_total", "How often somebody had to wait for a connection."),
		waiting:  describe("acquire_seconds_total", "Time spent waiting for connections."),
	}
}

// Describe implements prometheus.Collector.
func (p pools) Describe(descriptions chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{p.used, p.idle, p.most, p.acquired, p.waited, p.waiting} {
		descriptions <- d
	}
}

// Collect implements prometheus.Collector.
func (p pools) Collect(metrics chan<- prometheus.Metric) {
	for role, pool := range p.list {
		s := pool.Stat()
		put := func(d *prometheus.Desc, kind prometheus.ValueType, value float64) {
			metrics <- prometheus.MustNewConstMetric(d, kind, value, role)
		}
		put(p.used, prometheus.GaugeValue, float64(s.AcquiredConns()))
		put(p.idle, prometheus.GaugeValue, float64(s.IdleConns()))
		put(p.most, prometheus.GaugeValue, float64(s.MaxConns()))
		put(p.acquired, prometheus.CounterValue, float64(s.AcquireCount()))
		put(p.waited, prometheus.CounterValue, float64(s.EmptyAcquireCount()))
		put(p.waiting, prometheus.CounterValue, s.AcquireDuration().Seconds())
	}
}

// Lateness notes since when followers have been behind.
type Lateness struct {
	mu    sync.Mutex
	since map[string]behindSince
}

// behindSince is the position at which a follower stood still while there was more.
type behindSince struct {
	at   uint64
	from time.Time
}

// Of says for how long a follower has stood at a position although the log goes on; 0 when it moved or has come to the
// head.
func (l *Lateness) Of(name string, at, head uint64, now time.Time) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.since == nil {
		l.since = map[string]behindSince{}
	}
	before, known := l.since[name]
	if at >= head {
		delete(l.since, name)
		return 0
	}
	if !known || before.at != at {
		l.since[name] = behindSince{at, now}
		return 0
	}
	return now.Sub(before.from)
}
