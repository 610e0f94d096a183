package readapi_test

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/contact"
	"github.com/atrium-portal/atrium/readapi"
)

func TestEventsEndSoonAfterATokenIsRevoked(t *testing.T) {
	w := newWorld(t)
	server := httptest.NewServer(w.handler)
	t.Cleanup(server.Close)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/api/v1/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer olga")
	response, err := server.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	lines := bufio.NewReader(response.Body)
	if _, err := lines.ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	w.tokens.revoke("olga")
	revoked := time.Now()
	if _, err := io.Copy(io.Discard, lines); err != nil {
		t.Fatal(err)
	}
	// A second is what is promised; another one is for a machine that is busy with other tests.
	if took := time.Since(revoked); took > 2*time.Second {
		t.Errorf("the stream of a revoked token ends after %s", took)
	}
}

func TestEventsFollowThePositionUntilAccessEnds(t *testing.T) {
	w := newWorld(t)
	server := httptest.NewServer(w.handler)
	t.Cleanup(server.Close)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/api/v1/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer olga")
	response, err := server.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if got := response.Header.Get("Content-Type"); got != "text/event-stream" {
		t.Fatalf("%s %s", response.Status, got)
	}
	lines := bufio.NewScanner(response.Body)
	next := func() (event, id, data string) {
		for lines.Scan() && lines.Text() != "" {
			name, value, _ := strings.Cut(lines.Text(), ": ")
			switch name {
			case "event":
				event = value
			case "id":
				id = value
			case "data":
				data = value
			}
		}
		return event, id, data
	}
	first, err := w.engine.Position(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if event, id, data := next(); event != "position" || id != first.String() || data != `{"position":"`+first.String()+`"}` {
		t.Errorf("first: %s %s %s", event, id, data)
	}
	w.do("north", w.staffOf("max"), "AdvanceStage", advance(w.ids["project borealis"]))
	w.project() // which is another client's
	receipt := w.do("north", w.staffOf("max"), "AdvanceStage", advance(w.ids["project aurora"]))
	w.project()
	if _, id, _ := next(); id != receipt.Position.String() {
		t.Errorf("after a command at %v: %s", receipt.Position, id)
	}
	w.do("north", w.staffOf("ada"), "FreezeAccess", contact.Freeze{Contact: w.ids["olga"], Reason: domain.P("lost laptop")})
	w.project()
	if event, id, _ := next(); event != "" || lines.Err() != nil {
		t.Errorf("the stream of a frozen contact goes on: %s %s %v", event, id, lines.Err())
	}
}

// A page tells what it shows; a browser that comes back, what it heard last.
func TestEventsGoOnFromAPosition(t *testing.T) {
	w := newWorld(t)
	server := httptest.NewServer(w.handler)
	t.Cleanup(server.Close)
	shown, err := w.engine.Position(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	receipt := w.do("north", w.staffOf("max"), "AdvanceStage", advance(w.ids["project aurora"]))
	w.project()
	for _, c := range []struct{ query, last string }{
		{"?after=" + shown.String(), ""}, {"", shown.String()}, {"?after=" + receipt.Position.String(), shown.String()},
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/api/v1/events"+c.query, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer olga")
		if c.last != "" {
			r.Header.Set("Last-Event-ID", c.last)
		}
		response, err := server.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(response.Body)
		for lines.Scan() && !strings.HasPrefix(lines.Text(), "id: ") {
		}
		if got := lines.Text(); got != "id: "+receipt.Position.String() {
			t.Errorf("%+v: %s %q, %v", c, response.Status, got, lines.Err())
		}
		response.Body.Close()
	}
}

// swapped is a checkpoint of read models that are replaced.
type swapped struct {
	readapi.Checkpoint
	fence atomic.Pointer[domain.ID]
}

func (s *swapped) Fence(context.Context) (domain.ID, error) { return *s.fence.Load(), nil }

func TestOpenPagesNoticeThatTheReadModelsWereReplaced(t *testing.T) {
	checkpoint := &swapped{}
	first, second := domain.NewID(), domain.NewID()
	checkpoint.fence.Store(&first)
	w := newWorld(t, func(w *world) {
		checkpoint.Checkpoint = w.options.Checkpoint
		w.options.Checkpoint = checkpoint
	})
	server := httptest.NewServer(w.handler)
	t.Cleanup(server.Close)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/api/v1/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer olga")
	response, err := server.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	lines := bufio.NewScanner(response.Body)
	id := func() string {
		for lines.Scan() {
			if id, is := strings.CutPrefix(lines.Text(), "id: "); is {
				return id
			}
		}
		t.Fatalf("the stream ended: %v", lines.Err())
		return ""
	}
	before := id()
	checkpoint.fence.Store(&second)
	if after := id(); after == before || !strings.HasPrefix(after, before) || !strings.Contains(after, second.String()) {
		t.Errorf("at %s the pages are told %s", before, after)
	}
}
