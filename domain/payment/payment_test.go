package payment_test

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/atrium-portal/atrium/domain"
	dt "github.com/atrium-portal/atrium/domain/domaintest"
	"github.com/atrium-portal/atrium/domain/payment"
)

type (
	events = []payment.Event
	cases  = []dt.Case[payment.State, payment.Event]
)

func eur(amount int64) domain.Money { return domain.Money{Amount: amount, Currency: "EUR"} }

var (
	ana   = dt.By(dt.Client("ana"))
	later = func() domain.Meta { m := dt.Meta(); m.Command = dt.ID("later"); return m }()

	started = payment.Started{
		Invoice: dt.ID("invoice"), Label: "INV-0007", Amount: eur(10_000), Gateway: "simulator", Contact: dt.ID("ana"),
		Expires: dt.Now.Add(24 * time.Hour), Recipients: []domain.ID{dt.ID("ana")},
	}
	handedOver = payment.HandedOver{Reference: "page 1", URL: domain.P("https://pay.example/1")}
	succeeded  = payment.Succeeded{Capture: "money 1", Amount: eur(10_000), Fee: eur(165), Date: domain.Date{Year: 2026, Month: 3, Day: 2}, Notice: "evt 1"}
	failed     = payment.Failed{Reason: "the card was declined", Notice: "evt 2"}
	expired    = payment.Expired{Notice: "evt 3"}
	mismatched = payment.Mismatched{Capture: "money 1", Amount: eur(9_000), Asked: eur(10_000), Why: payment.OtherAmount, Notice: "evt 1"}
	notDue     = payment.Mismatched{Capture: "money 1", Amount: eur(10_000), Asked: eur(10_000), Why: payment.NotDue}

	open = events{started, handedOver}
	done = events{started, handedOver, succeeded}
)

func after(given events, more ...payment.Event) events { return slices.Concat(given, more) }

func TestStart(t *testing.T) {
	with := func(change func(*payment.Start)) payment.Start {
		c := payment.Start{
			Invoice: dt.ID("invoice"), Attempt: dt.ID("it"), Label: "INV-0007", Due: eur(10_000), Gateway: "simulator",
			Recipients: []domain.ID{dt.ID("ana")},
		}
		change(&c)
		return c
	}
	amount := func(m domain.Money) payment.Start { return with(func(c *payment.Start) { c.Amount = &m }) }
	all := with(func(*payment.Start) {})
	part := started
	part.Amount = eur(4_000)
	small := started
	small.Amount = eur(60)
	dt.Run(t, payment.Aggregate, cases{
		{Name: "asks for all that is due", When: all, Meta: ana, Then: events{started}},
		{Name: "asks for a part", When: amount(eur(4_000)), Meta: ana, Then: events{part}},
		{Name: "asks for no more than is due", When: amount(eur(10_001)), Meta: ana, Fault: "payment-exceeds-due amount"},
		{Name: "asks for no less than is worth it", When: amount(eur(99)), Meta: ana, Fault: "amount-out-of-range amount.amount"},
		{Name: "unless less is due", When: with(func(c *payment.Start) { c.Due = eur(60) }), Meta: ana, Then: events{small}},
		{Name: "asks in the currency of the invoice", When: amount(domain.Money{Amount: 500, Currency: "USD"}), Meta: ana, Fault: "currency-mismatch amount.currency"},
		{Name: "needs something due", When: with(func(c *payment.Start) { c.Due = eur(0) }), Meta: ana, Fault: "nothing-due"},
		{Name: "needs a provider", When: with(func(c *payment.Start) { c.Gateway = "" }), Meta: ana, Fault: "payment-not-offered"},
		{Name: "a second click starts nothing", Given: open, When: all, Meta: ana},
		{Name: "nor does one for the same amount", Given: open, When: amount(eur(10_000)), Meta: ana},
		{Name: "nor does one when less is due meanwhile", Given: open, When: with(func(c *payment.Start) { c.Due = eur(0) }), Meta: ana},
		{Name: "one for another amount must wait", Given: open, When: amount(eur(4_000)), Meta: ana, Fault: "payment-under-way"},
		{Name: "an attempt that ended stays ended", Given: after(open, failed), When: all, Meta: ana, Fault: "payment-ended"},
	})
}

func TestLeast(t *testing.T) {
	for currency, want := range map[string]int64{"EUR": 100, "JPY": 100, "KWD": 1000, "?": 100} {
		if got := payment.Least(currency); got != want {
			t.Errorf("%s: %d, want %d", currency, got, want)
		}
	}
}

func TestHandOverAndCancel(t *testing.T) {
	page := payment.HandOver{Payment: dt.ID("it"), Reference: "page 1", URL: domain.P("https://pay.example/1")}
	cancel := payment.Cancel{Payment: dt.ID("it")}
	dt.Run(t, payment.Aggregate, cases{
		{Name: "the provider's page", Given: events{started}, When: page, Then: events{handedOver}},
		{Name: "only one of them", Given: open, When: payment.HandOver{Payment: dt.ID("it"), Reference: "page 2"}},
		{Name: "none for an attempt that has ended", Given: events{started, failed}, When: page},
		{Name: "a page needs a name", Given: events{started}, When: payment.HandOver{Payment: dt.ID("it")}, Fault: "reference-required reference"},
		{Name: "cancelled", Given: open, When: cancel, Then: events{payment.CancelRequested{}}},
		{Name: "cancelled before there is a page", Given: events{started}, When: cancel, Then: events{payment.CancelRequested{}}},
		{Name: "nothing to cancel", Given: done, When: cancel},
	})
}

func TestReport(t *testing.T) {
	paid := payment.Report{Payment: dt.ID("it"), Outcome: payment.Paid, Capture: "money 1", Amount: eur(10_000), Fee: eur(165), Notice: "evt 1"}
	with := func(change func(*payment.Report)) payment.Report { c := paid; change(&c); return c }
	less := with(func(c *payment.Report) { c.Amount = eur(9_000) })
	dollars := with(func(c *payment.Report) { c.Amount.Currency = "USD" })
	second := with(func(c *payment.Report) { c.Capture = "money 2" })
	refused := payment.Report{Payment: dt.ID("it"), Outcome: payment.Refused, Reason: "the card was declined", Notice: "evt 2"}
	lapsed := payment.Report{Payment: dt.ID("it"), Outcome: payment.Lapsed, Notice: "evt 3"}
	inDollars := mismatched
	inDollars.Amount = domain.Money{Amount: 10_000, Currency: "USD"}
	again := payment.Mismatched{Capture: "money 2", Amount: eur(10_000), Asked: eur(10_000), Why: payment.SecondCapture, Notice: "evt 1"}
	dt.Run(t, payment.Aggregate, cases{
		{Name: "paid", Given: open, When: paid, Then: events{succeeded}},
		{Name: "paid before we heard of the page", Given: events{started}, When: paid, Then: events{succeeded}},
		{Name: "paid is paid once", Given: done, When: with(func(c *payment.Report) { c.Notice = "evt 9" }), Meta: later},
		{Name: "paid after it failed", Given: after(open, failed), When: paid, Then: events{succeeded}},
		{Name: "paid after it expired", Given: after(open, expired), When: paid, Then: events{succeeded}},
		{Name: "paid too little", Given: open, When: less, Then: events{mismatched}},
		{Name: "paid in another currency", Given: open, When: dollars, Then: events{inDollars}},
		{Name: "a mismatch once", Given: after(open, mismatched), When: less, Meta: later},
		{Name: "paid twice", Given: done, When: second, Then: events{again}},
		{Name: "the first of two comes again", Given: after(done, again), When: paid, Meta: later},
		{Name: "money under review comes again", Given: after(done, notDue), When: paid, Meta: later},
		{Name: "money needs a name", Given: open, When: with(func(c *payment.Report) { c.Capture = "" }), Fault: "capture-required capture"},
		{Name: "failed", Given: open, When: refused, Then: events{failed}},
		{Name: "failed without a reason", Given: open, When: payment.Report{Outcome: payment.Refused}, Then: events{payment.Failed{Reason: "the provider gave no reason"}}},
		{Name: "failed after it was paid", Given: done, When: refused},
		{Name: "expired", Given: open, When: lapsed, Then: events{expired}},
		{Name: "expired after it was paid", Given: done, When: lapsed},
		{Name: "nothing yet", Given: open, When: payment.Report{Outcome: payment.Pending}},
	})
}

func TestRefund(t *testing.T) {
	total := func(amount int64) payment.ReportRefund {
		return payment.ReportRefund{Payment: dt.ID("it"), Total: eur(amount), Notice: "evt 4"}
	}
	reported := payment.RefundReported{Total: eur(3_000), Notice: "evt 4"}
	waiting := payment.RefundReported{Total: eur(3_000), Waiting: true, Notice: "evt 4"}
	dollars := payment.ReportRefund{Total: domain.Money{Amount: 1, Currency: "USD"}}
	dt.Run(t, payment.Aggregate, cases{
		{Name: "after the capture", Given: done, When: total(3_000), Then: events{reported}},
		{Name: "before the capture it waits", Given: open, When: total(3_000), Then: events{waiting}},
		{Name: "an older total says nothing", Given: after(done, reported), When: total(2_000), Meta: later},
		{Name: "a larger one does", Given: after(done, reported), When: total(4_000), Meta: later, Then: events{payment.RefundReported{Total: eur(4_000), Notice: "evt 4"}}},
		{Name: "in another currency", Given: done, When: dollars},
	})
	if s := payment.Aggregate.Fold(after(open, waiting, succeeded, payment.RefundReported{Total: eur(5_000)})...); s.Waiting != eur(3_000) || s.Refunded != eur(5_000) {
		t.Errorf("waiting %v of %v", s.Waiting, s.Refunded)
	}
}

func TestReview(t *testing.T) {
	closed := payment.ReviewClosed{Note: domain.P("refunded")}
	dt.Run(t, payment.Aggregate, cases{
		{Name: "money that nobody needs", Given: done, When: payment.Flag{Payment: dt.ID("it")}, Then: events{notDue}},
		{Name: "flagged once", Given: after(done, notDue), When: payment.Flag{Payment: dt.ID("it")}, Meta: later},
		{Name: "closed", Given: after(done, notDue), When: payment.CloseReview{Payment: dt.ID("it"), Note: domain.P("refunded")}, Then: events{closed}},
		{Name: "closed with a note", Given: after(done, notDue), When: payment.CloseReview{Payment: dt.ID("it")}, Fault: "note-required note"},
		{Name: "nothing to review", Given: done, When: payment.CloseReview{Payment: dt.ID("it"), Note: domain.P("x")}, Fault: "payment-not-in-review"},
	})
}

// Whatever is reported, in whatever order and however often: the money of each capture is counted once, and what did
// not add up is under review.
func TestReportsInAnyOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		given := events{started}
		seen := map[string]bool{}
		for i := range rapid.IntRange(1, 20).Draw(t, "reports") {
			c := payment.Report{
				Payment: dt.ID("it"), Outcome: rapid.SampledFrom([]payment.Outcome{payment.Paid, payment.Refused, payment.Lapsed, payment.Pending}).Draw(t, "outcome"),
				Capture: rapid.SampledFrom([]string{"money 1", "money 1", "money 1", "money 2"}).Draw(t, "capture"),
				Amount:  eur(rapid.SampledFrom([]int64{10_000, 10_000, 9_000}).Draw(t, "amount")),
			}
			if c.Outcome == payment.Paid {
				seen[c.Capture] = true
			}
			m := dt.Meta()
			m.Command = dt.ID(string(rune('a' + i)))
			more, err := c.Decide(payment.Aggregate.Fold(given...), m)
			if err != nil {
				t.Fatal(err)
			}
			given = after(given, more...)
		}
		counted := map[string]int{}
		for _, e := range given {
			switch e := e.(type) {
			case payment.Succeeded:
				counted[e.Capture]++
			case payment.Mismatched:
				counted[e.Capture]++
			}
		}
		s := payment.Aggregate.Fold(given...)
		if len(counted) != len(seen) || len(s.Captures) != len(seen) {
			t.Fatalf("captures %v, counted %v", seen, counted)
		}
		for capture, n := range counted {
			if n != 1 {
				t.Fatalf("%s was counted %d times", capture, n)
			}
		}
		if len(seen) > 1 && s.Status != payment.StatusReview {
			t.Fatalf("money came twice and the attempt is %s", s.Status)
		}
	})
}

func TestGolden(t *testing.T) {
	dt.Golden(t, payment.Aggregate, started, handedOver, payment.CancelRequested{}, succeeded, failed, expired, mismatched,
		payment.RefundReported{Total: eur(3_000), Waiting: true, Notice: "evt 4"}, payment.ReviewClosed{Note: domain.P("refunded at the provider")})
}
