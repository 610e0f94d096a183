package reactors_test

import (
	"context"
	"errors"
	"flag"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/atrium-portal/atrium/commands"
	"github.com/atrium-portal/atrium/commands/reactors"
	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/account"
	"github.com/atrium-portal/atrium/domain/contact"
	"github.com/atrium-portal/atrium/domain/invoice"
	"github.com/atrium-portal/atrium/domain/payment"
)

func TestPayNow(t *testing.T) {
	s := newTill(t)
	id := s.invoice(10_000)
	attempt := s.start(id)
	if got := s.attempt(attempt); got.Status != payment.StatusHandedOver || got.URL != "https://bank.example/"+attempt.String() {
		t.Fatalf("%+v: want the address of the page at once", got)
	}
	if again := s.start(id); again != attempt {
		t.Fatal("a second click started another attempt")
	}
	notice := s.bank.pay(attempt)
	for range 3 {
		s.hear(notice)
	}
	s.sweep()
	s.wants(attempt, payment.StatusSucceeded, id, 10_000)
	recorded := s.state(id).Payments
	if _, ok := recorded[attempt]; !ok || len(recorded) != 1 {
		t.Fatalf("payments %v, want the attempt's", recorded)
	}
	if n := s.count("PaymentRecorded"); n != 1 {
		t.Fatalf("recorded %d times", n)
	}
	began := s.fact("PaymentStarted")
	for _, later := range []string{"PaymentHandedOver", "PaymentSucceeded"} {
		if f := s.fact(later); f.Meta.Causation != began.ID || f.Meta.Correlation != began.Meta.Correlation {
			t.Errorf("%s came of %s in %s, not of the start %s in %s", later, f.Meta.Causation, f.Meta.Correlation, began.ID, began.Meta.Correlation)
		}
	}
	if _, err := s.cashier.Dispatch(t.Context(), s.order("StartPayment", payment.Start{Invoice: id})); domain.AsFault(err).Code != "nothing-due" {
		t.Fatalf("paid again: %v", err)
	}
}

// Twenty people, or one with a nervous finger, on two processes.
func TestTwentyClicksAtOnce(t *testing.T) {
	s := newTill(t)
	id := s.invoice(10_000)
	other := s.newCashier(s.newLoop())
	ids := make([]domain.ID, 20)
	var clicks sync.WaitGroup
	for i := range ids {
		cashier := s.cashier
		if i%2 == 1 {
			cashier = other
		}
		order := s.order("StartPayment", payment.Start{Invoice: id})
		clicks.Go(func() {
			r, err := cashier.Dispatch(context.Background(), order)
			if err != nil {
				t.Error(err)
			}
			ids[i] = r.ID
		})
	}
	clicks.Wait()
	for _, got := range ids {
		if got != ids[0] {
			t.Fatalf("attempts %v and %v", ids[0], got)
		}
	}
	if s.count("PaymentStarted") != 1 || s.bank.opened != 1 {
		t.Fatalf("%d attempts, %d pages", s.count("PaymentStarted"), s.bank.opened)
	}
	notice := s.bank.pay(ids[0])
	for i := range 20 { // the notice and the poller, also at once
		clicks.Go(func() {
			if err := s.cashier.Hear(context.Background(), notice); err != nil {
				t.Error(i, err)
			}
		})
		clicks.Go(func() {
			if err := other.Hear(context.Background(), notice); err != nil {
				t.Error(i, err)
			}
		})
	}
	clicks.Wait()
	s.wants(ids[0], payment.StatusSucceeded, id, 10_000)
	if s.count("PaymentRecorded") != 1 || s.count("PaymentSucceeded") != 1 {
		t.Fatalf("recorded %d times", s.count("PaymentRecorded"))
	}
}

func TestOutcomes(t *testing.T) {
	s := newTill(t)
	t.Run("declined, then paid", func(t *testing.T) {
		s := *s
		s.t = t
		id := s.invoice(10_000)
		first := s.start(id)
		s.hear(s.bank.decline(first))
		s.wants(first, payment.StatusFailed, id, 0)
		second := s.start(id)
		if second == first {
			t.Fatal("the attempt that failed was used again")
		}
		s.hear(s.bank.pay(second))
		s.wants(second, payment.StatusSucceeded, id, 10_000)
	})
	t.Run("the notice is lost", func(t *testing.T) {
		s := *s
		s.t = t
		id := s.invoice(10_000)
		attempt := s.start(id)
		s.bank.pay(attempt)
		s.sweep()
		s.wants(attempt, payment.StatusHandedOver, id, 0) // we give it a minute
		s.now = s.now.Add(time.Minute)
		s.sweep()
		s.wants(attempt, payment.StatusSucceeded, id, 10_000)
	})
	t.Run("nobody pays", func(t *testing.T) {
		s := *s
		s.t = t
		id := s.invoice(10_000)
		attempt := s.start(id)
		s.now = s.now.Add(23 * time.Hour)
		s.sweep()
		s.wants(attempt, payment.StatusHandedOver, id, 0)
		s.now = s.now.Add(time.Hour)
		s.sweep()
		s.wants(attempt, payment.StatusExpired, id, 0)
	})
	t.Run("cancelled", func(t *testing.T) {
		s := *s
		s.t = t
		id := s.invoice(10_000)
		attempt := s.start(id)
		if _, err := s.cashier.Dispatch(t.Context(), s.order("CancelPayment", payment.Cancel{Payment: attempt})); err != nil {
			t.Fatal(err)
		}
		s.wants(attempt, payment.StatusExpired, id, 0)
	})
	t.Run("paid just before it was cancelled", func(t *testing.T) {
		s := *s
		s.t = t
		id := s.invoice(10_000)
		attempt := s.start(id)
		s.bank.pay(attempt)
		if _, err := s.cashier.Dispatch(t.Context(), s.order("CancelPayment", payment.Cancel{Payment: attempt})); err != nil {
			t.Fatal(err)
		}
		s.wants(attempt, payment.StatusSucceeded, id, 10_000)
	})
	t.Run("the provider makes no page", func(t *testing.T) {
		s := *s
		s.t = t
		s.bank.refuses = "the amount is too small"
		defer func() { s.bank.refuses = "" }()
		id := s.invoice(60)
		attempt := s.start(id)
		s.wants(attempt, payment.StatusFailed, id, 0)
	})
	t.Run("the provider is down, then answers", func(t *testing.T) {
		s := *s
		s.t = t
		s.bank.down = true
		id := s.invoice(10_000)
		attempt := s.start(id)
		s.wants(attempt, payment.StatusStarted, id, 0)
		s.bank.down = false
		s.sweep()
		s.wants(attempt, payment.StatusHandedOver, id, 0)
	})
	t.Run("the provider stays down", func(t *testing.T) {
		s := *s
		s.t = t
		s.bank.down = true
		id := s.invoice(10_000)
		attempt := s.start(id)
		s.now = s.now.Add(16 * time.Minute)
		if err := s.cashier.Sweep(t.Context()); err != nil {
			t.Log(err) // other attempts wait for it, too
		}
		s.bank.down = false
		s.wants(attempt, payment.StatusFailed, id, 0)
	})
}

func TestMoneyThatIsNotDueAnyMore(t *testing.T) {
	s := newTill(t)
	id := s.invoice(10_000)
	attempt := s.start(id)
	s.bank.pay(attempt)
	// Meanwhile staff note a bank transfer. The page would be closed now, but the money is there.
	s.give("RecordPayment", invoice.RecordPayment{Invoice: id, Amount: eur(10_000), Date: domain.DateOf(s.now, time.UTC), Method: invoice.BankTransfer})
	if !s.attempt(attempt).Cancel {
		t.Error("the page of a paid invoice stays open")
	}
	s.sweep()
	s.wants(attempt, payment.StatusReview, id, 10_000)
	// Later there is room for it again: what is under review stays there, whatever comes twice.
	var transfer domain.ID
	for p := range s.state(id).Payments {
		transfer = p
	}
	s.give("RefundPayment", invoice.RefundPayment{Invoice: id, Payment: transfer, Reason: domain.P("sent twice")})
	s.hear(s.bank.pay(attempt))
	followUps := reactors.FollowUps{Loop: s.loop, Codec: s.loop.Codec, Checkpoints: memory{}}
	if err := followUps.Handle(t.Context(), s.log.All()); err != nil {
		t.Fatal(err)
	}
	s.wants(attempt, payment.StatusReview, id, 0)
	s.give("ClosePaymentReview", payment.CloseReview{Payment: attempt, Note: domain.P("refunded at the provider")})
	s.wants(attempt, payment.StatusReviewed, id, 0)
}

func TestAPageThatIsNotNeededCloses(t *testing.T) {
	s := newTill(t)
	for name, end := range map[string]func(domain.ID){
		"paid": func(id domain.ID) {
			s.give("RecordPayment", invoice.RecordPayment{Invoice: id, Amount: eur(1), Date: domain.DateOf(s.now, time.UTC), Method: invoice.Cash})
		},
		"credited": func(id domain.ID) {
			s.give("IssueCreditNote", invoice.IssueCreditNote{Invoice: id, Amount: eur(1), Reason: domain.P("kindness")})
		},
		"void": func(id domain.ID) { s.give("VoidInvoice", invoice.Void{Invoice: id, Reason: domain.P("mistake")}) },
	} {
		id := s.invoice(10_000)
		attempt := s.start(id)
		end(id)
		s.sweep()
		if got := s.attempt(attempt).Status; got != payment.StatusExpired {
			t.Errorf("%s: the attempt is %s", name, got)
		}
	}
}

func TestRefundsOfTheProvider(t *testing.T) {
	s := newTill(t)
	id := s.invoice(10_000)
	attempt := s.start(id)
	paid := s.bank.pay(attempt)
	refunded := s.bank.refund(attempt, 3_000)
	s.hear(refunded) // before the news of the money
	s.hear(paid)
	s.wants(attempt, payment.StatusSucceeded, id, 7_000)
	s.give("RefundPayment", invoice.RefundPayment{Invoice: id, Payment: attempt, Amount: new(eur(2_000)), Reason: domain.P("agreed")})
	s.hear(s.bank.refund(attempt, 2_000)) // what staff have recorded by hand already
	s.wants(attempt, payment.StatusSucceeded, id, 5_000)
	s.hear(refunded)
	s.wants(attempt, payment.StatusSucceeded, id, 5_000)
}

// A report of a refund that comes by itself before the report of the money waits for it.
func TestARefundWaitsForItsCapture(t *testing.T) {
	s := newTill(t)
	id := s.invoice(10_000)
	attempt := s.start(id)
	s.give("ReportRefund", payment.ReportRefund{Payment: attempt, Total: eur(3_000), Notice: "evt 2"})
	s.wants(attempt, payment.StatusHandedOver, id, 0)
	s.give("ReportPayment", payment.Report{Payment: attempt, Outcome: payment.Paid, Capture: "money", Amount: eur(10_000), Notice: "evt 1"})
	s.wants(attempt, payment.StatusSucceeded, id, 7_000)
	followUps := reactors.FollowUps{Loop: s.loop, Codec: s.loop.Codec, Checkpoints: memory{}}
	if err := followUps.Handle(t.Context(), s.log.All()); err != nil {
		t.Fatal(err)
	}
	s.wants(attempt, payment.StatusSucceeded, id, 7_000)
}

func TestWhoPays(t *testing.T) {
	s := newTill(t)
	mine := s.invoice(10_000)
	stranger := s.give("OpenAccount", account.Open{Name: domain.P("Oslo"), Currency: "EUR", Contact: account.Person{Name: domain.P("Bo"), Email: domain.P("bo@oslo.example")}})
	viewer := s.give("AddContact", contact.Add{Account: s.account, Name: domain.P("Vic"), Email: domain.P("vic@lima.example")}).ID
	s.give("GrantPortalAccess", contact.Grant{Contact: viewer, Role: contact.Viewer})
	outsider := s.give("AddContact", contact.Add{Account: stranger.ID, Name: domain.P("Eve"), Email: domain.P("eve@oslo.example")}).ID
	s.give("GrantPortalAccess", contact.Grant{Contact: outsider, Role: contact.Owner})
	colleague := s.give("AddContact", contact.Add{Account: s.account, Name: domain.P("Col"), Email: domain.P("col@lima.example")}).ID
	s.give("GrantPortalAccess", contact.Grant{Contact: colleague, Role: contact.Owner})
	private := s.give("DraftInvoice", invoice.Draft{Account: s.account, Recipients: []domain.ID{s.payer.ID}, Due: domain.Date{Year: 2027, Month: 1, Day: 1}, Lines: []invoice.Line{{
		Description: domain.P("Work"), Quantity: domain.One, UnitPrice: eur(10_000),
	}}}).ID
	start := func(id domain.ID, who domain.ID) string {
		o := s.order("StartPayment", payment.Start{Invoice: id})
		o.Meta.Actor.ID = who
		_, err := s.cashier.Dispatch(t.Context(), o)
		return domain.AsFault(err).Code
	}
	if got := start(private, s.payer.ID); got != "not-found" {
		t.Errorf("a draft: %s", got)
	}
	s.give("SendInvoice", invoice.Send{Invoice: private})
	for _, c := range []struct {
		what string
		id   domain.ID
		who  domain.ID
		want string
	}{
		{"without the permission", mine, viewer, "not-permitted"},
		{"of another account", mine, outsider, "not-found"},
		{"for somebody else", private, colleague, "not-found"},
		{"that does not exist", domain.NewID(), s.payer.ID, "not-found"},
	} {
		if got := start(c.id, c.who); got != c.want {
			t.Errorf("an invoice %s: %s, want %s", c.what, got, c.want)
		}
	}
	attempt := s.start(private)
	for who, want := range map[domain.ID]string{viewer: "not-permitted", outsider: "not-found", colleague: "not-found"} {
		o := s.order("CancelPayment", payment.Cancel{Payment: attempt})
		o.Meta.Actor.ID = who
		if _, err := s.cashier.Dispatch(t.Context(), o); domain.AsFault(err).Code != want {
			t.Errorf("cancelled by another: %v, want %s", err, want)
		}
	}
	member := s.staff()
	for _, name := range []string{"StartPayment", "ReportPayment"} {
		o := commands.Order{Name: name, Command: payment.Start{Invoice: mine}, Meta: domain.Meta{
			Firm: s.firm, Actor: domain.Actor{Kind: domain.Staff, ID: member}, Command: domain.NewID(),
		}}
		if name == "ReportPayment" {
			o.Command = payment.Report{Payment: attempt}
		}
		if _, err := s.cashier.Dispatch(t.Context(), o); domain.AsFault(err).Code != "not-permitted" {
			t.Errorf("%s by staff: %v", name, err)
		}
	}
}

// manyAttempts is how many payments are tried: 10,000 take minutes.
var manyAttempts = flag.Int("attempts", 1000, "payments to try with a provider that misbehaves")

// Many attempts with a provider that loses replies and repeats, reorders and loses notices: to the cent, what we
// recorded is what it took, and what cannot be recorded is under review.
func TestNoMoneyIsLostOrCountedTwice(t *testing.T) {
	s := newTill(t)
	dice := rand.New(rand.NewPCG(1, 2))
	s.bank.lose = func() bool { return dice.IntN(5) == 0 }
	attempts := *manyAttempts
	var late []reactors.Notice
	invoices := map[domain.ID]bool{}
	deliver := func() { // some of what waits, in any order
		dice.Shuffle(len(late), func(i, j int) { late[i], late[j] = late[j], late[i] })
		for range dice.IntN(4) {
			if len(late) == 0 {
				return
			}
			n := late[0]
			if err := s.cashier.Hear(t.Context(), n); err == nil && dice.IntN(3) > 0 {
				late = late[1:] // otherwise it comes again
			}
		}
	}
	var id domain.ID
	started := map[domain.ID]bool{}
	for i := 0; len(started) < attempts; i++ {
		if i%3 == 0 || s.state(id).Due().Amount == 0 {
			id = s.invoice(dice.Int64N(100_000) + 100)
			invoices[id] = true
		}
		r, err := s.cashier.Dispatch(t.Context(), s.order("StartPayment", payment.Start{Invoice: id}))
		if err != nil {
			t.Fatal(err)
		}
		attempt := r.ID
		started[attempt] = true
		if s.attempt(attempt).URL == "" {
			continue // nobody has been sent to the page
		}
		switch dice.IntN(8) {
		case 0:
			late = append(late, s.bank.decline(attempt))
		case 1: // left alone
		case 2: // staff note the money at the same time
			if due := s.state(id).Due(); due.Amount > 0 {
				s.give("RecordPayment", invoice.RecordPayment{Invoice: id, Amount: due, Date: domain.DateOf(s.now, time.UTC), Method: invoice.BankTransfer})
			}
			late = append(late, s.bank.pay(attempt))
		case 3:
			late = append(late, s.bank.pay(attempt), s.bank.refund(attempt, dice.Int64N(5_000)))
		case 4:
			s.bank.pay(attempt) // no notice at all
		default:
			late = append(late, s.bank.pay(attempt))
		}
		deliver()
		s.now = s.now.Add(time.Minute)
		if i%50 == 0 {
			_ = s.cashier.Sweep(t.Context()) // lost replies are asked for again
		}
	}
	s.bank.lose = nil
	for _, n := range late {
		s.hear(n)
	}
	s.now = s.now.Add(25 * time.Hour)
	for range 2 {
		s.sweep()
	}

	var taken, refunded, recorded, back, review int64
	for _, p := range s.bank.pages {
		if p.captures > 1 {
			t.Errorf("captured %d times", p.captures)
		}
		if p.captures == 1 {
			taken += p.report.Amount.Amount
			refunded += p.report.Refunded.Amount
		}
		state := s.attempt(p.bill.Attempt)
		if state.Status.Open() {
			t.Errorf("attempt %s is still %s", p.bill.Attempt, state.Status)
		}
		if state.Status == payment.StatusReview {
			review += state.Captured.Amount
			refunded -= p.report.Refunded.Amount
		}
	}
	for id := range invoices {
		for p, got := range s.state(id).Payments {
			if s.bank.pages["page "+p.String()] != nil {
				recorded += got.Amount.Amount
				back += got.Refunded.Amount
			}
		}
	}
	t.Logf("%d taken = %d recorded + %d under review; %d given back; %d pages for %d attempts", taken, recorded, review, back, s.bank.opened, s.count("PaymentStarted"))
	if taken == 0 || review == 0 || back == 0 {
		t.Error("the story is too quiet to show anything")
	}
	if taken != recorded+review || refunded != back {
		t.Errorf("taken %d, recorded %d, under review %d; given back %d, recorded %d", taken, recorded, review, refunded, back)
	}
}

// The process dies after the money is reported and before it is on the invoice.
func TestTheProcessDiesBeforeTheInvoice(t *testing.T) {
	s := newTill(t)
	id := s.invoice(10_000)
	attempt := s.start(id)
	s.log.FailBefore(func(stream string) error {
		if stream == domain.StreamName("invoice", id) {
			return &commands.Rejected{Err: errors.New("killed")}
		}
		return nil
	})
	notice := s.bank.pay(attempt)
	s.hear(notice)
	s.wants(attempt, payment.StatusSucceeded, id, 0)
	s.log.FailBefore(nil)
	s.loop = s.newLoop()
	followUps := reactors.FollowUps{Loop: s.loop, Codec: s.loop.Codec, Checkpoints: memory{}}
	for range 2 {
		if err := followUps.Handle(t.Context(), s.log.All()); err != nil {
			t.Fatal(err)
		}
	}
	s.wants(attempt, payment.StatusSucceeded, id, 10_000)
	if n := s.count("NumberReserved") - 1; n != 1 { // one is the invoice's
		t.Errorf("%d receipts", n)
	}
}
