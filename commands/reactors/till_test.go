package reactors_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/atrium-portal/atrium/commands"
	"github.com/atrium-portal/atrium/commands/commandstest"
	"github.com/atrium-portal/atrium/commands/reactors"
	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/contact"
	"github.com/atrium-portal/atrium/domain/firm"
	"github.com/atrium-portal/atrium/domain/invoice"
	"github.com/atrium-portal/atrium/domain/payment"
)

// bank is a payment provider in memory. It may lose replies.
type bank struct {
	mu      sync.Mutex
	pages   map[string]*page // by reference
	opened  int              // pages made
	notices int
	lose    func() bool // the next reply; nil: none
	refuses string      // the reason, when it makes no pages
	down    bool
}

type page struct {
	bill     reactors.Bill
	report   reactors.Report
	captures int
}

var errLost = errors.New("the reply was lost")

func newBank() *bank { return &bank{pages: map[string]*page{}} }

func (b *bank) reply() error {
	if b.down || b.lose != nil && b.lose() {
		return errLost
	}
	return nil
}

func (b *bank) Open(_ context.Context, bill reactors.Bill) (reactors.Page, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.refuses != "" {
		return reactors.Page{}, &reactors.Refusal{Reason: b.refuses}
	}
	if b.down {
		return reactors.Page{}, errLost
	}
	reference := "page " + bill.Attempt.String()
	if b.pages[reference] == nil {
		b.opened++
		b.pages[reference] = &page{bill: bill, report: reactors.Report{Outcome: payment.Pending, Amount: bill.Amount, Refunded: bill.Amount.Zero()}}
	}
	return reactors.Page{Reference: reference, URL: "https://bank.example/" + bill.Attempt.String()}, b.reply()
}

func (b *bank) Look(_ context.Context, reference string) (reactors.Report, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if p := b.pages[reference]; p != nil {
		return p.report, b.reply()
	}
	return reactors.Report{Outcome: payment.Lapsed}, b.reply()
}

func (b *bank) Close(ctx context.Context, reference string) (reactors.Report, error) {
	b.mu.Lock()
	if p := b.pages[reference]; p != nil && p.report.Outcome == payment.Pending {
		p.report.Outcome = payment.Lapsed
	}
	b.mu.Unlock()
	return b.Look(ctx, reference)
}

// pay pays on the page of an attempt, if it is open, and gives the notice of it.
func (b *bank) pay(attempt domain.ID) reactors.Notice {
	b.mu.Lock()
	defer b.mu.Unlock()
	if p := b.pages["page "+attempt.String()]; p != nil && p.report.Outcome == payment.Pending {
		p.report.Outcome, p.report.Capture = payment.Paid, "money "+attempt.String()
		p.captures++
	}
	return b.notice(attempt)
}

func (b *bank) decline(attempt domain.ID) reactors.Notice {
	b.mu.Lock()
	defer b.mu.Unlock()
	if p := b.pages["page "+attempt.String()]; p != nil && p.report.Outcome == payment.Pending {
		p.report.Outcome, p.report.Reason = payment.Refused, "the card was declined"
	}
	return b.notice(attempt)
}

func (b *bank) refund(attempt domain.ID, amount int64) reactors.Notice {
	b.mu.Lock()
	defer b.mu.Unlock()
	p := b.pages["page "+attempt.String()]
	p.report.Refunded.Amount = min(p.report.Refunded.Amount+amount, p.report.Amount.Amount)
	return b.notice(attempt)
}

func (b *bank) notice(attempt domain.ID) reactors.Notice {
	b.notices++
	p := b.pages["page "+attempt.String()]
	return reactors.Notice{ID: fmt.Sprint("evt ", b.notices), Firm: p.bill.Firm, Attempt: attempt, Reference: "page " + attempt.String()}
}

// till is a house with a provider and somebody who pays.
type till struct {
	*house
	bank    *bank
	cashier *reactors.Cashier
	payer   domain.Actor
}

// newLoop is another process on the same log.
func (s *till) newLoop() *commands.Loop {
	return commandstest.NewLoop(s.t, s.log, func() time.Time { return s.now }, nil)
}

func newTill(t *testing.T) *till {
	s := &till{house: newHouse(t), bank: newBank()}
	s.payer = domain.Actor{Kind: domain.Client, ID: s.give("AddContact", contact.Add{Account: s.account, Name: domain.P("Pia"), Email: domain.P("pia@lima.example")}).ID}
	s.give("GrantPortalAccess", contact.Grant{Contact: s.payer.ID, Role: contact.Owner})
	s.cashier = s.newCashier(s.loop)
	return s
}

func (s *till) newCashier(loop *commands.Loop) *reactors.Cashier {
	return &reactors.Cashier{Loop: loop, Gateway: s.bank, Attempts: s, Now: func() time.Time { return s.now }, Logger: slog.New(slog.DiscardHandler)}
}

// OpenAttempts lists them from the log.
func (s *till) OpenAttempts(ctx context.Context) (open []reactors.OpenAttempt, err error) {
	for _, r := range s.log.All() {
		if r.Type != "PaymentStarted" {
			continue
		}
		_, id, _ := domain.ParseStream(r.Stream)
		if state, _, err := commands.State(ctx, s.loop, payment.Aggregate, id); err != nil {
			return nil, err
		} else if state.Status.Open() {
			open = append(open, reactors.OpenAttempt{Firm: s.firm, Attempt: id, Started: state.Expires.Add(-payment.Open)})
		}
	}
	return open, nil
}

func eur(amount int64) domain.Money { return domain.Money{Amount: amount, Currency: "EUR"} }

// invoice sends an invoice.
func (s *till) invoice(cents int64) domain.ID {
	s.t.Helper()
	id := s.give("DraftInvoice", invoice.Draft{Account: s.account, Due: domain.Date{Year: 2027, Month: 1, Day: 1}, Lines: []invoice.Line{{
		Description: domain.P("Work"), Quantity: domain.One, UnitPrice: eur(cents),
	}}}).ID
	s.give("SendInvoice", invoice.Send{Invoice: id})
	return id
}

func (s *till) order(name string, command any) commands.Order {
	return commands.Order{Name: name, Command: command, Meta: domain.Meta{Firm: s.firm, Actor: s.payer, Command: domain.NewID()}}
}

// start clicks on Pay now.
func (s *till) start(id domain.ID) domain.ID {
	s.t.Helper()
	r, err := s.cashier.Dispatch(s.t.Context(), s.order("StartPayment", payment.Start{Invoice: id}))
	if err != nil {
		s.t.Fatal(err)
	}
	return r.ID
}

func (s *till) hear(n reactors.Notice) {
	s.t.Helper()
	if err := s.cashier.Hear(s.t.Context(), n); err != nil {
		s.t.Fatal(err)
	}
}

func (s *till) sweep() {
	s.t.Helper()
	if err := s.cashier.Sweep(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
}

func (s *till) attempt(id domain.ID) payment.State {
	s.t.Helper()
	state, _, err := commands.State(s.t.Context(), s.loop, payment.Aggregate, id)
	if err != nil {
		s.t.Fatal(err)
	}
	return state
}

func (s *till) state(id domain.ID) invoice.State {
	s.t.Helper()
	state, _, err := commands.State(s.t.Context(), s.loop, invoice.Aggregate, id)
	if err != nil {
		s.t.Fatal(err)
	}
	return state
}

func (s *till) wants(attempt domain.ID, status payment.Status, invoiceID domain.ID, paid int64) {
	s.t.Helper()
	if got := s.attempt(attempt).Status; got != status {
		s.t.Errorf("the attempt is %s, want %s", got, status)
	}
	if got := s.state(invoiceID).Paid().Amount; got != paid {
		s.t.Errorf("%d paid on the invoice, want %d", got, paid)
	}
}

// staff is somebody who works for the firm.
func (s *till) staff() domain.ID {
	s.give("InviteStaff", firm.Invite{Firm: s.firm, Name: domain.P("Max"), Email: domain.P("max@north.example"), Role: firm.Administrator})
	state, _, err := commands.State(s.t.Context(), s.loop, firm.Aggregate, s.firm)
	if err != nil {
		s.t.Fatal(err)
	}
	for id := range state.Staff {
		return id
	}
	return domain.NoID
}
