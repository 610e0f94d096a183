package telemetry

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/exaring/otelpgx"
	"github.com/jackc/pgx/v5"
	"github.com/riandyrn/otelchi"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/atrium-portal/atrium/projections"
)

// Traces follow requests to the rows that they change. A nil Traces follows nothing.
type Traces struct {
	provider *sdk.TracerProvider
	tracer   trace.Tracer
	headers  propagation.TraceContext
}

// SendTraces sends traces to an OTLP collector over HTTP, such as http://localhost:4318. A collector that cannot be
// reached costs nothing but the traces.
func SendTraces(ctx context.Context, endpoint string) (*Traces, error) {
	exporter, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(endpoint))
	if err != nil {
		return nil, fmt.Errorf("--traces %q is not the address of an OTLP collector such as http://localhost:4318: %w", endpoint, err)
	}
	return NewTraces(sdk.WithBatcher(exporter)), nil
}

// NewTraces makes traces for an exporter.
func NewTraces(options ...sdk.TracerProviderOption) *Traces {
	options = append(options, sdk.WithResource(resource.NewSchemaless(attribute.String("service.name", "atrium"))))
	provider := sdk.NewTracerProvider(options...)
	return &Traces{provider: provider, tracer: provider.Tracer("atrium")}
}

// Close sends what is left.
func (t *Traces) Close(ctx context.Context) error {
	if t == nil {
		return nil
	}
	return t.provider.Shutdown(ctx)
}

// Around is middleware of a chi router: a span per request, named after the pattern of its route.
func (t *Traces) Around() func(http.Handler) http.Handler {
	if t == nil {
		return func(next http.Handler) http.Handler { return next }
	}
	return otelchi.Middleware("atrium", otelchi.WithTracerProvider(t.provider), otelchi.WithPropagators(t.headers))
}

// Queries is a span per statement, without its values; nil when nothing is traced.
func (t *Traces) Queries() pgx.QueryTracer {
	if t == nil {
		return nil
	}
	return otelpgx.NewTracer(otelpgx.WithTracerProvider(t.provider))
}

// Parent is for commands.Options.Trace: the traceparent of the span that a context is in; empty when it is in none.
func (t *Traces) Parent(ctx context.Context) string {
	if t == nil || !trace.SpanContextFromContext(ctx).IsSampled() {
		return ""
	}
	carrier := propagation.MapCarrier{}
	t.headers.Inject(ctx, carrier)
	return carrier["traceparent"]
}

// mostLinks bounds the links of a batch: one that catches up is of thousands of requests.
const mostLinks = 32

// Batches is a span per batch of the log that a handler handles, linked to the requests that made its events.
func (t *Traces) Batches(handler string) func(message.NoPublishHandlerFunc) message.NoPublishHandlerFunc {
	return func(next message.NoPublishHandlerFunc) message.NoPublishHandlerFunc {
		if t == nil {
			return next
		}
		return func(m *message.Message) error {
			batch, _ := projections.BatchOf(m)
			ctx, span := t.tracer.Start(
				m.Context(), "handle "+handler, trace.WithNewRoot(), trace.WithSpanKind(trace.SpanKindConsumer),
				trace.WithLinks(t.links(batch)...), trace.WithAttributes(attribute.Int("atrium.events", len(batch.Events))),
			)
			defer span.End()
			m.SetContext(ctx)
			err := next(m)
			if err != nil {
				span.SetStatus(codes.Error, err.Error())
			}
			return err
		}
	}
}

// links are the requests that made the events of a batch.
func (t *Traces) links(batch projections.Batch) []trace.Link {
	var links []trace.Link
	seen := map[string]bool{}
	for _, e := range batch.Events {
		var metadata struct {
			Trace string `json:"traceparent"`
		}
		if json.Unmarshal(e.Metadata, &metadata) != nil || metadata.Trace == "" || seen[metadata.Trace] {
			continue
		}
		seen[metadata.Trace] = true
		ctx := t.headers.Extract(context.Background(), propagation.MapCarrier{"traceparent": metadata.Trace})
		links = append(links, trace.LinkFromContext(ctx))
		if len(links) == mostLinks {
			break
		}
	}
	return links
}
