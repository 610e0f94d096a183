package eventnode

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// meters observe the writer and the subscriptions.
type meters struct {
	commits       prometheus.Histogram
	groups        prometheus.Histogram
	refusals      prometheus.Counter
	subscriptions prometheus.Gauge
	lastCommit    prometheus.Gauge
}

func newMeters() *meters {
	return &meters{
		commits: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "atrium_node_commit_seconds",
			Help:    "How long a group of appends took to become durable: one write and one fsync.",
			Buckets: prometheus.ExponentialBuckets(0.0001, 2, 15),
		}),
		groups: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "atrium_node_group_appends",
			Help:    "How many appends shared one fsync.",
			Buckets: prometheus.ExponentialBuckets(1, 2, 11),
		}),
		refusals: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "atrium_node_refused_appends_total",
			Help: "Appends that were refused because the disk is nearly full or the log is closed for writing.",
		}),
		subscriptions: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "atrium_node_subscriptions",
			Help: "Open subscriptions.",
		}),
		lastCommit: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "atrium_node_last_commit_timestamp_seconds",
			Help: "When the last group became durable; 0 before the first.",
		}),
	}
}

func (m *meters) committed(appends int, took time.Duration, at time.Time) {
	m.commits.Observe(took.Seconds())
	m.groups.Observe(float64(appends))
	m.lastCommit.Set(float64(at.UnixMilli()) / 1e3)
}

// collector shows the meters and the figures of Stats.
type collector struct {
	node                                    *Node
	events, position, bytes, free, writable *prometheus.Desc
}

// Collector shows the node's size and health to Prometheus, under names that begin with atrium_node_. It shows nothing of the
// store once the node is closed.
func (n *Node) Collector() prometheus.Collector {
	describe := func(name, help string) *prometheus.Desc {
		return prometheus.NewDesc("atrium_node_"+name, help, nil, nil)
	}
	return collector{
		node:     n,
		events:   describe("events", "Events stored."),
		position: describe("position", "Position of the last durable event."),
		bytes:    describe("disk_bytes", "Bytes the store takes on the disk."),
		free:     describe("disk_free_bytes", "Bytes left on the disk."),
		writable: describe("writable", "1 when events can be stored; 0 when the disk is nearly full or a write has failed."),
	}
}

func (c collector) meters() []prometheus.Collector {
	m := c.node.meters
	return []prometheus.Collector{m.commits, m.groups, m.refusals, m.subscriptions, m.lastCommit}
}

// Describe implements prometheus.Collector.
func (c collector) Describe(descriptions chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{c.events, c.position, c.bytes, c.free, c.writable} {
		descriptions <- d
	}
	for _, m := range c.meters() {
		m.Describe(descriptions)
	}
}

// Collect implements prometheus.Collector.
func (c collector) Collect(metrics chan<- prometheus.Metric) {
	for _, m := range c.meters() {
		m.Collect(metrics)
	}
	s, err := c.node.Stats()
	if err != nil {
		return
	}
	writable := 0.0
	if s.Writable() == nil {
		writable = 1
	}
	for d, value := range map[*prometheus.Desc]float64{
		c.events: float64(s.Events), c.position: float64(s.Position), c.bytes: float64(s.Bytes), c.free: float64(s.Free), c.writable: writable,
	} {
		metrics <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value)
	}
}
