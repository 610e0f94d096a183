package gateway

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/atrium-portal/atrium/commands/reactors"
	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/payment"
)

// Simulator is a payment provider for development. No money moves; a developer, or a test, says how a payment ends.
// It forgets everything when the program ends, and says of pages that it has forgotten that they have expired.
type Simulator struct {
	base string
	hear Hear
	now  func() time.Time

	mu      sync.Mutex
	pages   map[domain.ID]*simulated
	order   []domain.ID // of pages
	notices int
}

type simulated struct {
	bill   reactors.Bill
	report reactors.Report
	held   bool // money was promised and is not there yet
}

// SimulatorName is what is stored with attempts.
const SimulatorName = "simulator"

// NewSimulator makes a provider whose pages are under base + /dev/gateway. hear gets its notices.
func NewSimulator(base string, hear Hear, now func() time.Time) *Simulator {
	return &Simulator{base: strings.TrimSuffix(base, "/"), hear: hear, now: now, pages: map[domain.ID]*simulated{}}
}

func pageName(attempt domain.ID) string { return "sim_page_" + attempt.String() }

// Open implements reactors.Gateway.
func (s *Simulator) Open(_ context.Context, b reactors.Bill) (reactors.Page, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.pages[b.Attempt] == nil {
		s.pages[b.Attempt] = &simulated{bill: b, report: reactors.Report{
			Outcome: payment.Pending, Amount: b.Amount, Fee: b.Amount.Zero(), Refunded: b.Amount.Zero(),
		}}
		s.order = append(s.order, b.Attempt)
	}
	return reactors.Page{Reference: pageName(b.Attempt), URL: s.base + "/dev/gateway/" + b.Attempt.String()}, nil
}

// Look implements reactors.Gateway.
func (s *Simulator) Look(_ context.Context, reference string) (reactors.Report, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.find(reference), nil
}

// Close implements reactors.Gateway.
func (s *Simulator) Close(_ context.Context, reference string) (reactors.Report, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.pages {
		if pageName(p.bill.Attempt) == reference && p.report.Outcome == payment.Pending && !p.held {
			p.report.Outcome = payment.Lapsed
		}
	}
	return s.find(reference), nil
}

func (s *Simulator) find(reference string) reactors.Report {
	for _, p := range s.pages {
		if pageName(p.bill.Attempt) == reference {
			s.expire(p)
			return p.report
		}
	}
	return reactors.Report{Outcome: payment.Lapsed}
}

func (s *Simulator) expire(p *simulated) {
	if p.report.Outcome == payment.Pending && !p.held && !s.now().Before(p.bill.Expires) {
		p.report.Outcome = payment.Lapsed
	}
}

// What can be done on a page.
const (
	doSucceed = "succeed" // pay, and send the notice
	doDecline = "decline" // refuse the card for good
	doDelay   = "delay"   // promise the money
	doRelease = "release" // let promised money arrive
	doRepeat  = "repeat"  // pay, and send the notice three times
	doReorder = "reorder" // pay, give a tenth back, and send the news of the refund first
	doLose    = "lose"    // pay, and send no notice
	doRefund  = "refund"  // give everything back
)

// do does something on a page and sends the notices of it.
func (s *Simulator) do(ctx context.Context, attempt domain.ID, what string) error {
	notices, err := s.act(attempt, what)
	for _, n := range notices {
		if err := s.hear(ctx, n); err != nil {
			return fmt.Errorf("the notice was not taken: %w", err)
		}
	}
	return err
}

func (s *Simulator) act(attempt domain.ID, what string) ([]reactors.Notice, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.pages[attempt]
	if p == nil {
		return nil, domain.Missing("payment page")
	}
	s.expire(p)
	open := p.report.Outcome == payment.Pending && !p.held
	switch {
	case what == doRefund && p.report.Outcome == payment.Paid:
		p.report.Refunded = p.report.Amount
		return []reactors.Notice{s.notice(p)}, nil
	case what == doRelease && p.held:
		p.pay()
		return []reactors.Notice{s.notice(p)}, nil
	case !open:
		return nil, domain.Refuse("page-closed", "Nothing can be done on this page any more.")
	}
	switch what {
	case doSucceed, doRepeat, doReorder, doLose:
		p.pay()
	case doDecline:
		p.report.Outcome, p.report.Reason = payment.Refused, "the card was declined"
	case doDelay:
		p.held = true
		return nil, nil
	default:
		return nil, &domain.Fault{Kind: domain.Invalid, Code: "do-unknown", Field: "do", Message: "Give succeed, decline, delay, release, repeat, reorder, lose or refund."}
	}
	notice := s.notice(p)
	switch what {
	case doRepeat:
		return []reactors.Notice{notice, notice, notice}, nil
	case doReorder:
		p.report.Refunded.Amount = p.report.Amount.Amount / 10
		return []reactors.Notice{s.notice(p), notice}, nil
	case doLose:
		return nil, nil
	}
	return []reactors.Notice{notice}, nil
}

// pay takes the money, less a fee of 1.4 percent.
func (p *simulated) pay() {
	p.held = false
	p.report.Outcome, p.report.Capture = payment.Paid, "sim_money_"+p.bill.Attempt.String()
	p.report.Fee.Amount = p.report.Amount.Amount * 14 / 1000
}

func (s *Simulator) notice(p *simulated) reactors.Notice {
	s.notices++
	return reactors.Notice{ID: fmt.Sprint("sim_event_", s.notices), Firm: p.bill.Firm, Attempt: p.bill.Attempt, Reference: pageName(p.bill.Attempt)}
}
