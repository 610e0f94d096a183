package reactors_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/atrium-portal/atrium/commands"
	"github.com/atrium-portal/atrium/commands/commandstest"
	"github.com/atrium-portal/atrium/commands/reactors"
	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/account"
	"github.com/atrium-portal/atrium/domain/domaintest"
	"github.com/atrium-portal/atrium/domain/firm"
	"github.com/atrium-portal/atrium/domain/invoice"
)

// house is a firm with one account, on a log in memory and a clock that can be moved.
type house struct {
	t       *testing.T
	log     *commandstest.Memory
	loop    *commands.Loop
	now     time.Time
	firm    domain.ID
	account domain.ID
}

func newHouse(t *testing.T) *house {
	h := &house{t: t, log: commandstest.NewMemory(), now: domaintest.Now}
	h.loop = commandstest.NewLoop(t, h.log, func() time.Time { return h.now }, nil)
	h.firm = h.give("CreateFirm", firm.Create{Name: "North", Currency: "EUR", TimeZone: "Pacific/Auckland"}).ID
	h.account = h.give("OpenAccount", account.Open{Name: domain.P("Lima"), Currency: "EUR", Contact: account.Person{Name: domain.P("Ana"), Email: domain.P("ana@lima.example")}}).ID
	return h
}

func (h *house) give(name string, command any) commands.Receipt {
	h.t.Helper()
	r, err := h.loop.Dispatch(h.t.Context(), commands.Order{Name: name, Command: command, Meta: domain.Meta{
		Firm: h.firm, Actor: domain.SystemActor("test"), Command: domain.NewID(),
	}})
	if err != nil {
		h.t.Fatalf("%s: %v", name, err)
	}
	return r
}

func (h *house) count(eventType string) (n int) {
	for _, r := range h.log.All() {
		if r.Type == eventType {
			n++
		}
	}
	return n
}

// fact is the first event of a type.
func (h *house) fact(eventType string) domain.Fact {
	h.t.Helper()
	for _, r := range h.log.All() {
		if r.Type == eventType {
			f, err := h.loop.Codec.Decode(r)
			if err != nil {
				h.t.Fatal(err)
			}
			return f
		}
	}
	h.t.Fatalf("there is no %s", eventType)
	return domain.Fact{}
}

// memory keeps checkpoints.
type memory map[string]domain.Position

func (m memory) Checkpoint(_ context.Context, handler string) (domain.Position, bool, error) {
	p, found := m[handler]
	return p, found, nil
}

func (m memory) SetCheckpoint(_ context.Context, handler string, p domain.Position) error {
	m[handler] = p
	return nil
}

func TestFollowUpsOfADeadProcess(t *testing.T) {
	h := newHouse(t)
	// The process that opens the account dies before the contact is stored.
	h.log.FailBefore(func(stream string) error {
		if strings.HasPrefix(stream, "contact-") {
			return &commands.Rejected{Err: errors.New("killed")}
		}
		return nil
	})
	h.give("OpenAccount", account.Open{Name: domain.P("Oslo"), Currency: "EUR", Contact: account.Person{Name: domain.P("Bo"), Email: domain.P("bo@oslo.example")}})
	if h.count("ContactAdded") != 1 {
		t.Fatal("the contact was stored after all")
	}
	done := memory{}
	reactor := reactors.FollowUps{Loop: h.loop, Codec: h.loop.Codec, Checkpoints: done}
	if err := reactor.Handle(t.Context(), h.log.All()); err == nil || len(done) > 0 {
		t.Fatalf("%v at %v: a batch that failed must come again", err, done)
	}
	h.log.FailBefore(nil)
	all := h.log.All()
	for range 2 { // also when the batch comes again
		if err := reactor.Handle(t.Context(), all); err != nil {
			t.Fatal(err)
		}
	}
	if n := h.count("ContactAdded"); n != 2 {
		t.Fatalf("%d contacts, want 2", n)
	}
	if last := all[len(all)-1].Position; done[reactor.Name()] != last {
		t.Fatalf("checkpoint %v, want %v", done, last)
	}
}

// list proposes invoices.
type list []reactors.Receivable

func (l list) PastDue(context.Context, domain.Date) ([]reactors.Receivable, error) { return l, nil }

func TestOverdueByTheFirmsCalendar(t *testing.T) {
	h := newHouse(t)
	due := domain.Date{Year: 2026, Month: 3, Day: 4}
	id := h.give("DraftInvoice", invoice.Draft{Account: h.account, Due: due, Lines: []invoice.Line{{
		Description: domain.P("Work"), Quantity: domain.One, UnitPrice: domain.Money{Amount: 100, Currency: "EUR"},
	}}}).ID
	h.give("SendInvoice", invoice.Send{Invoice: id})
	reactor := reactors.Overdue{
		Loop: h.loop, Now: func() time.Time { return h.now }, Logger: slog.New(slog.DiscardHandler),
		Receivables: list{{Firm: h.firm, Invoice: domaintest.ID("nobody's"), Due: due}, {Firm: h.firm, Invoice: id, Due: due, Revision: 1}},
	}
	for _, step := range []struct {
		now  time.Time
		want int
	}{
		{time.Date(2026, 3, 4, 10, 59, 0, 0, time.UTC), 0}, // 23:59 in Auckland
		{time.Date(2026, 3, 4, 11, 1, 0, 0, time.UTC), 1},  // the next day there
		{time.Date(2026, 3, 9, 0, 0, 0, 0, time.UTC), 1},   // once
	} {
		h.now = step.now
		if err := reactor.Mark(t.Context()); err == nil {
			t.Fatal("an invoice that does not exist was marked")
		}
		if n := h.count("InvoiceOverdue"); n != step.want {
			t.Fatalf("at %s: marked %d times, want %d", step.now, n, step.want)
		}
	}
}

func TestRunEndsWithItsContext(t *testing.T) {
	h := newHouse(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	reactor := reactors.Overdue{Loop: h.loop, Receivables: list{}, Now: time.Now, Logger: slog.New(slog.DiscardHandler)}
	if err := reactor.Run(ctx, time.Hour); err != nil {
		t.Fatal(err)
	}
}
