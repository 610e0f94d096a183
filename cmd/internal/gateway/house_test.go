package gateway_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/atrium-portal/atrium/commands"
	"github.com/atrium-portal/atrium/commands/commandstest"
	"github.com/atrium-portal/atrium/commands/reactors"
	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/account"
	"github.com/atrium-portal/atrium/domain/contact"
	"github.com/atrium-portal/atrium/domain/domaintest"
	"github.com/atrium-portal/atrium/domain/firm"
	"github.com/atrium-portal/atrium/domain/invoice"
	"github.com/atrium-portal/atrium/domain/payment"
)

// house is a firm with somebody who pays, on a log in memory.
type house struct {
	t       *testing.T
	log     *commandstest.Memory
	loop    *commands.Loop
	cashier *reactors.Cashier
	now     time.Time
	firm    domain.ID
	account domain.ID
	payer   domain.ID
}

func newHouse(t *testing.T, gateway func(*house) reactors.Gateway) *house {
	h := &house{t: t, log: commandstest.NewMemory(), now: domaintest.Now}
	h.loop = commandstest.NewLoop(t, h.log, func() time.Time { return h.now }, nil)
	h.firm = h.give("CreateFirm", firm.Create{Name: "North", Currency: "EUR", TimeZone: "Europe/Berlin"}).ID
	h.account = h.give("OpenAccount", account.Open{Name: domain.P("Lima"), Currency: "EUR", Contact: account.Person{Name: domain.P("Bo"), Email: domain.P("bo@lima.example")}}).ID
	h.payer = h.give("AddContact", contact.Add{Account: h.account, Name: domain.P("Ana"), Email: domain.P("ana@lima.example")}).ID
	h.give("GrantPortalAccess", contact.Grant{Contact: h.payer, Role: contact.Owner})
	h.cashier = &reactors.Cashier{Loop: h.loop, Gateway: gateway(h), Attempts: h, Now: h.clock, Logger: slog.New(slog.DiscardHandler)}
	return h
}

func (h *house) clock() time.Time { return h.now }

// hear is the cashier's, which is made later.
func (h *house) hear(ctx context.Context, n reactors.Notice) error { return h.cashier.Hear(ctx, n) }

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

// OpenAttempts lists the first attempts of all invoices.
func (h *house) OpenAttempts(ctx context.Context) (open []reactors.OpenAttempt, err error) {
	for _, r := range h.log.All() {
		if r.Type == "PaymentStarted" {
			_, id, _ := domain.ParseStream(r.Stream)
			if s, _, err := commands.State(ctx, h.loop, payment.Aggregate, id); err != nil {
				return nil, err
			} else if s.Status.Open() {
				open = append(open, reactors.OpenAttempt{Firm: h.firm, Attempt: id, Started: s.Expires.Add(-payment.Open)})
			}
		}
	}
	return open, nil
}

// start sends an invoice of 100.00 EUR and starts to pay it.
func (h *house) start() (invoiceID, attempt domain.ID) {
	h.t.Helper()
	invoiceID = h.give("DraftInvoice", invoice.Draft{Account: h.account, Due: domain.Date{Year: 2027, Month: 1, Day: 1}, Lines: []invoice.Line{{
		Description: domain.P("Work"), Quantity: domain.One, UnitPrice: domain.Money{Amount: 10_000, Currency: "EUR"},
	}}}).ID
	h.give("SendInvoice", invoice.Send{Invoice: invoiceID})
	r, err := h.cashier.Dispatch(h.t.Context(), commands.Order{Name: "StartPayment", Command: payment.Start{Invoice: invoiceID}, Meta: domain.Meta{
		Firm: h.firm, Actor: domain.Actor{Kind: domain.Client, ID: h.payer}, Command: domain.NewID(),
	}})
	if err != nil {
		h.t.Fatal(err)
	}
	return invoiceID, r.ID
}

func (h *house) attempt(id domain.ID) payment.State {
	h.t.Helper()
	s, _, err := commands.State(h.t.Context(), h.loop, payment.Aggregate, id)
	if err != nil {
		h.t.Fatal(err)
	}
	return s
}

// wants compares how an attempt ended and what was recorded: payments on the invoice, and what is left of them.
func (h *house) wants(invoiceID, attempt domain.ID, status payment.Status, payments int, left int64) {
	h.t.Helper()
	s, _, err := commands.State(h.t.Context(), h.loop, invoice.Aggregate, invoiceID)
	if err != nil {
		h.t.Fatal(err)
	}
	if got := h.attempt(attempt).Status; got != status || len(s.Payments) != payments || s.Paid().Amount != left {
		h.t.Errorf("%s, %d payments, %d left; want %s, %d, %d", got, len(s.Payments), s.Paid().Amount, status, payments, left)
	}
}

func (h *house) sweep() {
	h.t.Helper()
	if err := h.cashier.Sweep(h.t.Context()); err != nil {
		h.t.Fatal(err)
	}
}
