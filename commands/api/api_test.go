package api_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/go-chi/chi/v5"

	"github.com/atrium-portal/atrium/commands"
	"github.com/atrium-portal/atrium/commands/api"
	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/domaintest"
)

// desk is the commands' HTTP side with a dispatcher that notes what it is given and replies that live in memory.
type desk struct {
	http.Handler
	orders []commands.Order
	kept   map[string]kept
	fails  error
}

type kept struct {
	digest [32]byte
	body   []byte
}

func (d *desk) Dispatch(_ context.Context, o commands.Order) (commands.Receipt, error) {
	if d.fails != nil {
		return commands.Receipt{}, d.fails
	}
	d.orders = append(d.orders, o)
	at := domain.Position{Commit: uint64(len(d.orders)), Prepare: uint64(len(d.orders))}
	return commands.Receipt{ID: o.Meta.Command, Stream: "x-1", Position: at, Events: []string{o.Name}}, nil
}

func (d *desk) Find(_ context.Context, k api.ReplyKey) (int, []byte, bool, error) {
	reply, ok := d.kept[k.Actor+k.Key]
	if ok && reply.digest != k.Digest {
		return 0, nil, false, commands.IdempotencyMismatch()
	}
	return http.StatusOK, reply.body, ok, nil
}

func (d *desk) Keep(_ context.Context, k api.ReplyKey, _ int, body []byte) error {
	d.kept[k.Actor+k.Key] = kept{k.Digest, body}
	return nil
}

func newDesk() *desk {
	d := &desk{kept: map[string]kept{}}
	r := chi.NewRouter()
	caller := func(r *http.Request) (domain.Meta, error) {
		if r.Header.Get("Authorization") == "" {
			return domain.Meta{}, &domain.Fault{Kind: domain.Unauthenticated, Code: "sign-in"}
		}
		return domain.Meta{Firm: domaintest.ID("firm"), Actor: domaintest.Client(r.Header.Get("Authorization")), Command: domain.NewID()}, nil
	}
	problem := func(w http.ResponseWriter, _ *http.Request, err error) {
		fault := domain.AsFault(err)
		w.WriteHeader(400 + int(fault.Kind))
		json.NewEncoder(w).Encode(map[string]string{"code": fault.Code, "field": fault.Field, "detail": fault.Message}) //nolint:errcheck // a recorder
	}
	r.Route("/commands", func(r chi.Router) { api.Routes(r, commands.Atrium(), d, caller, d, problem) })
	d.Handler = r
	return d
}

func (d *desk) post(name, body string, headers ...string) (int, map[string]any) {
	r := httptest.NewRequest(http.MethodPost, "/commands/"+name, strings.NewReader(body))
	r.Header.Set("Authorization", "ana")
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	d.ServeHTTP(w, r)
	var reply map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &reply); err != nil {
		panic(w.Body.String())
	}
	return w.Code, reply
}

const id = "0190d5a1-0000-7000-8000-000000000001"

func TestBadBodiesNameTheField(t *testing.T) {
	for _, c := range []struct{ name, body, code, field string }{
		{"SendInvoice", `{"invoice":"` + id + `","colour":1}`, "unknown-field", "colour"},
		{"SendInvoice", `{"Invoice":"` + id + `"}`, "unknown-field", "Invoice"},
		{"SendInvoice", `{"invoice":"` + id + `","invoice":"` + id + `"}`, "duplicate-field", "invoice"},
		{"SendInvoice", `{"invoice":"` + id + `"} {}`, "body-malformed", ""},
		{"SendInvoice", `{"invoice":7}`, "wrong-type", "invoice"},
		{"SendInvoice", `{"invoice":"seven"}`, "wrong-type", "invoice"},
		{"SendInvoice", `[]`, "wrong-type", ""},
		{"SendInvoice", ``, "body-malformed", ""},
		{"SendInvoice", `{"invoice":`, "body-malformed", "invoice"},
		{"SendInvoice", "{\"invoice\":\"\xff\"}", "body-malformed", "invoice"},
		{"DraftInvoice", `{"account":"` + id + `","due":"2026-02-30","lines":[]}`, "wrong-type", "due"},
		{"DraftInvoice", `{"account":"` + id + `","due":"2026-02-01","lines":[{"quantity":"1e9"}]}`, "wrong-type", "lines[0].quantity"},
		{"DraftInvoice", `{"account":"` + id + `","lines":[{},{"unit_price":{"amount":1.5}}]}`, "wrong-type", "lines[1].unit_price.amount"},
		{"DraftInvoice", `{"account":"` + id + `","lines":[{},{"unit_price":{"cents":1}}]}`, "unknown-field", "lines[1].unit_price.cents"},
		{"VoidInvoice", `{"invoice":"` + id + `","reason":{"k":"contact:1","c":"AA==","h":"AA=="}}`, "wrong-type", "reason"},
		{"DraftInvoice", `{"Currency":"EUR"}`, "unknown-field", "Currency"},
	} {
		d := newDesk()
		status, reply := d.post(c.name, c.body)
		if status != 400+int(domain.Malformed) || reply["code"] != c.code || reply["field"] != c.field || len(d.orders) > 0 {
			t.Errorf("%s %s: %d %v with %d orders, want %s %q", c.name, c.body, status, reply, len(d.orders), c.code, c.field)
		}
		if detail, _ := reply["detail"].(string); strings.Contains(detail, "Go ") || strings.Contains(detail, "domain.") || detail == "" {
			t.Errorf("%s %s: says %q", c.name, c.body, detail)
		}
	}
}

func TestRequestsThatAreNotCommands(t *testing.T) {
	d := newDesk()
	good := `{"invoice":"` + id + `"}`
	for _, c := range []struct {
		name, body, code string
		headers          []string
	}{
		{"NoSuchCommand", good, "unknown-command", nil},
		{"ReserveNumber", `{}`, "unknown-command", nil},
		{"SendInvoice", good, "content-type", []string{"Content-Type", "text/plain"}},
		{"SendInvoice", `{"invoice":"` + strings.Repeat("x", api.MaxBody) + `"}`, "body-too-large", nil},
		{"SendInvoice", good, "sign-in", []string{"Authorization", ""}},
		{"SendInvoice", good, "if-match", []string{"If-Match", `"-1"`}},
		{"SendInvoice", good, "if-match", []string{"If-Match", `*`}},
		{"SendInvoice", good, "idempotency-key", []string{"Idempotency-Key", ""}},
		{"SendInvoice", good, "idempotency-key", []string{"Idempotency-Key", "two words"}},
		{"SendInvoice", good, "idempotency-key", []string{"Idempotency-Key", strings.Repeat("k", 129)}},
	} {
		if _, reply := d.post(c.name, c.body, c.headers...); reply["code"] != c.code {
			t.Errorf("%s %v: %v, want %s", c.name, c.headers, reply, c.code)
		}
	}
	if len(d.orders) > 0 {
		t.Errorf("%d were run", len(d.orders))
	}
}

func TestIdempotencyKey(t *testing.T) {
	d := newDesk()
	body := `{"invoice":"` + id + `"}`
	_, first := d.post("SendInvoice", body, "Idempotency-Key", "k1")
	_, again := d.post("SendInvoice", body, "Idempotency-Key", "k1")
	if first["position"] != again["position"] || len(d.orders) != 1 {
		t.Fatalf("%v, %v, %d runs", first, again, len(d.orders))
	}
	if _, reply := d.post("MarkOverdue", body, "Idempotency-Key", "k1"); reply["code"] != "idempotency-mismatch" {
		t.Fatalf("another command: %v", reply)
	}
	if _, reply := d.post("SendInvoice", body+" ", "Idempotency-Key", "k1"); reply["code"] != "idempotency-mismatch" {
		t.Fatalf("another body: %v", reply)
	}
	if _, reply := d.post("SendInvoice", body, "Idempotency-Key", "k1", "Authorization", "bo"); reply["code"] != nil {
		t.Fatalf("somebody else's key: %v", reply)
	}
	// Without the remembered reply (a crash before it was kept) the command id is the same.
	d.kept = map[string]kept{}
	d.post("SendInvoice", body, "Idempotency-Key", "k1")
	if a, b := d.orders[0].Meta, d.orders[2].Meta; a.Command != b.Command || a.Digest != b.Digest || a.Command == d.orders[1].Meta.Command {
		t.Fatalf("command ids %s, %s, somebody else's %s", a.Command, b.Command, d.orders[1].Meta.Command)
	}
}

func TestRefusalIsNotRemembered(t *testing.T) {
	d := newDesk()
	d.fails = domain.Refuse("invoice-void", "void")
	body := `{"invoice":"` + id + `"}`
	if _, reply := d.post("SendInvoice", body, "Idempotency-Key", "k"); reply["code"] != "invoice-void" {
		t.Fatal(reply)
	}
	d.fails = errors.New("a bug with a secret in it")
	if _, reply := d.post("SendInvoice", body, "Idempotency-Key", "k"); reply["code"] != "internal" || strings.Contains(reply["detail"].(string), "secret") {
		t.Fatal(reply)
	}
	if len(d.kept) > 0 {
		t.Fatal("kept")
	}
}

func TestIfMatchPinsTheRevision(t *testing.T) {
	d := newDesk()
	d.post("SendInvoice", `{"invoice":"`+id+`"}`, "If-Match", `"4"`)
	if p := d.orders[0].Pinned; p == nil || *p != 4 {
		t.Fatalf("pinned %v", p)
	}
}

func FuzzDecode(f *testing.F) {
	menu := commands.Atrium()
	f.Add("SendInvoice", `{"invoice":"`+id+`"}`)
	f.Add("DraftInvoice", `{"account":"`+id+`","due":"2026-02-01","lines":[{"description":"x","quantity":"1","unit_price":{"amount":1,"currency":"EUR"}}]}`)
	f.Add("ChangeFirmSettings", `{"firm":null,"name":"\u0000"}`)
	f.Fuzz(func(t *testing.T, name, body string) {
		entry := menu.Entry(name)
		if entry == nil {
			return
		}
		if _, err := api.Decode(entry, []byte(body)); err != nil {
			if fault, ok := errors.AsType[*domain.Fault](err); !ok || fault.Kind != domain.Malformed || fault.Message == "" {
				t.Fatalf("%v", err)
			}
		}
	})
}
