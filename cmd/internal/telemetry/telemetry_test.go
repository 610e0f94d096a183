package telemetry_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/go-chi/chi/v5"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/atrium-portal/atrium/cmd/internal/telemetry"
	"github.com/atrium-portal/atrium/commands/commandstest"
	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/projections"
)

// shown is what Prometheus would read.
func shown(t *testing.T, m *telemetry.Metrics) string {
	t.Helper()
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	if w.Code != http.StatusOK {
		t.Fatalf("%d: %s", w.Code, w.Body)
	}
	return w.Body.String()
}

func expect(t *testing.T, text string, lines ...string) {
	t.Helper()
	for _, line := range lines {
		if !strings.Contains(text, line) {
			t.Errorf("there is no %s", line)
		}
	}
}

func TestRequestsAreMeasuredByPattern(t *testing.T) {
	m := telemetry.NewMetrics()
	r := chi.NewRouter()
	r.Use(m.Around("pages"))
	r.Get("/invoices/{id}", func(http.ResponseWriter, *http.Request) {})
	for _, path := range []string{"/invoices/1", "/invoices/2", "/secret-name"} {
		r.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, path, nil))
	}
	r.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("BREW", "/invoices/1", nil))
	text := shown(t, m)
	expect(
		t, text, `atrium_request_seconds_count{method="GET",route="/invoices/{id}",status="200",surface="pages"} 2`,
		`{method="GET",route="none",status="404",surface="pages"} 1`, `method="other"`,
	)
	if strings.Contains(text, "secret-name") || strings.Contains(text, "BREW") {
		t.Error("what a request holds became a label")
	}
}

func TestCommandsAndAppendsAreMeasured(t *testing.T) {
	m := telemetry.NewMetrics()
	m.Command("SendInvoice", time.Millisecond, nil)
	m.Command("SendInvoice", time.Millisecond, domain.Refuse("invoice-not-draft", "No."))
	m.Command("<script>", time.Millisecond, &domain.Fault{Kind: domain.NotFound, Code: "unknown-command"})
	log := m.Log(commandstest.NewMemory())
	one := []domain.Proposed{{ID: domain.NewID(), Type: "Done", Data: []byte("{}"), Metadata: []byte("{}")}}
	two := []domain.Proposed{{ID: domain.NewID(), Type: "Done", Data: []byte("{}"), Metadata: []byte("{}")}}
	if _, err := log.Append(t.Context(), "thing-1", domain.NoStream, one); err != nil {
		t.Fatal(err)
	}
	if _, err := log.Append(t.Context(), "thing-1", domain.NoStream, two); err == nil {
		t.Fatal("no conflict")
	}
	text := shown(t, m)
	expect(
		t, text, `atrium_command_seconds_count{command="SendInvoice",outcome="ok"} 1`,
		`{command="SendInvoice",outcome="invoice-not-draft"} 1`, `{command="none",outcome="unknown-command"} 1`,
		`atrium_append_seconds_count{outcome="ok"} 1`, `atrium_append_seconds_count{outcome="conflict"} 1`, "atrium_append_conflicts_total 1",
	)
	if strings.Contains(text, "<script>") {
		t.Error("a made-up command became a label")
	}
}

func TestFollowersAreShown(t *testing.T) {
	m := telemetry.NewMetrics()
	var fails error
	m.Register(telemetry.FollowersOf(func(context.Context) ([]telemetry.Progress, error) {
		return []telemetry.Progress{{Name: "read-models", Behind: 7, Late: 3 * time.Second, Parked: 1}}, fails
	}))
	expect(
		t, shown(t, m), `atrium_follower_behind{follower="read-models"} 7`, `atrium_follower_late_seconds{follower="read-models"} 3`,
		`atrium_follower_parked_streams{follower="read-models"} 1`, "atrium_follower_known 1",
	)
	m.Register(telemetry.SealLag(func(context.Context) (time.Duration, error) { return 1500 * time.Millisecond, fails }))
	expect(t, shown(t, m), "atrium_seal_lag_seconds 1.5")
	fails = errors.New("gone")
	expect(t, shown(t, m), "atrium_seal_lag_seconds -1")
	if text := shown(t, m); strings.Contains(text, "atrium_follower_behind{") || !strings.Contains(text, "atrium_follower_known 0") {
		t.Error("figures of a log that does not answer")
	}
}

func TestLateness(t *testing.T) {
	var l telemetry.Lateness
	begun := time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)
	for i, c := range []struct {
		at, head uint64
		after    time.Duration
		want     time.Duration
	}{{5, 5, 0, 0}, {5, 9, 1, 0}, {5, 12, 4, 3}, {6, 12, 5, 0}, {6, 12, 9, 4}, {12, 12, 10, 0}, {12, 13, 11, 0}} {
		if got := l.Of("read", c.at, c.head, begun.Add(c.after)); got != c.want {
			t.Errorf("step %d: late for %d, want %d", i, got, c.want)
		}
	}
}

func TestATraceGoesFromTheRequestToTheBatch(t *testing.T) {
	spans := tracetest.NewInMemoryExporter()
	traces := telemetry.NewTraces(sdk.WithSyncer(spans))
	var parent string
	r := chi.NewRouter()
	r.Use(traces.Around())
	r.Post("/commands/{name}", func(_ http.ResponseWriter, r *http.Request) { parent = traces.Parent(r.Context()) })
	r.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, "/commands/SendInvoice", nil))
	if parent == "" {
		t.Fatal("the request has no traceparent")
	}
	handled := traces.Batches("read-models")(func(m *message.Message) error {
		if !trace.SpanContextFromContext(m.Context()).IsValid() {
			t.Error("the handler is in no span")
		}
		return nil
	})
	m := message.NewMessage("1", nil)
	m.SetContext(projections.WithBatch(t.Context(), projections.Batch{Events: []domain.Recorded{
		{Metadata: []byte(`{"traceparent":"` + parent + `"}`)}, {Metadata: []byte(`{}`)}, {Metadata: []byte(`{"traceparent":"` + parent + `"}`)},
	}}))
	if err := handled(m); err != nil {
		t.Fatal(err)
	}
	got := spans.GetSpans()
	if len(got) != 2 || len(got[1].Links) != 1 || got[1].Links[0].SpanContext.TraceID() != got[0].SpanContext.TraceID() {
		t.Errorf("the batch is not linked to the request: %+v", got)
	}
	if got[0].Name != "/commands/{name}" && got[0].Name != "POST /commands/{name}" {
		t.Errorf("the span of the request is called %q", got[0].Name)
	}
}

func TestNothingIsTracedWithoutAnAddress(t *testing.T) {
	var traces *telemetry.Traces
	if traces.Queries() != nil || traces.Parent(t.Context()) != "" || traces.Close(t.Context()) != nil {
		t.Error("no traces do something")
	}
}
