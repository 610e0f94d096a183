package invoice_test

import (
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/atrium-portal/atrium/domain"
	dt "github.com/atrium-portal/atrium/domain/domaintest"
	"github.com/atrium-portal/atrium/domain/invoice"
)

var east = time.FixedZone("east", 3600)

func TestPrice(t *testing.T) {
	line := func(quantity domain.Decimal, cents int64, rate domain.Decimal) invoice.Line {
		return invoice.Line{Description: domain.P("x"), Quantity: quantity, UnitPrice: eur(cents), TaxRate: rate}
	}
	const half, rate19, rate7 = domain.One / 2, 19 * domain.One, 7 * domain.One
	for _, c := range []struct {
		name            string
		lines           []invoice.Line
		net, tax, total int64
	}{
		{"a half cent goes up", []invoice.Line{line(half, 1, 0)}, 1, 0, 1},
		{"a half cent below zero goes down", []invoice.Line{line(domain.One, 10, 0), line(half, -1, 0)}, 9, 0, 9},
		{"tax is rounded once for a rate, not for a line", []invoice.Line{line(domain.One, 3, rate19), line(domain.One, 3, rate19), line(domain.One, 3, rate19)}, 9, 2, 11},
		{"each rate by itself", []invoice.Line{line(domain.One, 100, rate19), line(domain.One, 100, rate7)}, 200, 26, 226},
		{"nothing for nothing", []invoice.Line{line(domain.One, 0, rate19)}, 0, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, got, err := invoice.Price(c.lines)
			if err != nil || got.Net != eur(c.net) || got.Tax != eur(c.tax) || got.Total != eur(c.total) {
				t.Fatalf("%v (%v)", got, err)
			}
		})
	}
}

// drawLines gives lines of any sort in EUR, discounts included.
func drawLines(t *rapid.T) []invoice.Line { return someLines().Draw(t, "lines") }

func someLines() *rapid.Generator[[]invoice.Line] {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) invoice.Line {
		rates := []domain.Decimal{0, 7 * domain.One, 19 * domain.One, 20 * domain.One, 7_700_000, 100 * domain.One}
		return invoice.Line{
			Description: domain.P("line"),
			Quantity:    domain.Decimal(rapid.Int64Range(1, 1_000_000_000).Draw(t, "quantity")),
			UnitPrice:   eur(rapid.Int64Range(-10_000, 1_000_000).Draw(t, "price")),
			TaxRate:     rapid.SampledFrom(rates).Draw(t, "rate"),
		}
	}), 1, 20)
}

func TestShownAmountsAddUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lines, totals, err := invoice.Price(drawLines(t))
		if err != nil {
			t.Fatal(err)
		}
		net, base, tax := eur(0), eur(0), eur(0)
		for _, l := range lines {
			net = net.Add(l.Net)
		}
		for _, g := range totals.Groups {
			base, tax = base.Add(g.Base), tax.Add(g.Tax)
		}
		if net != totals.Net || base != totals.Net || tax != totals.Tax || totals.Net.Add(totals.Tax) != totals.Total {
			t.Fatalf("lines %s, bases %s, taxes %s: %+v", net, base, tax, totals)
		}
	})
}

func TestPriceDoesNotDependOnTheOrderOfLines(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lines := drawLines(t)
		_, one, _ := invoice.Price(lines)
		_, other, _ := invoice.Price(rapid.Permutation(lines).Draw(t, "permutation"))
		if d := cmp.Diff(one, other); d != "" {
			t.Fatal(d)
		}
	})
}

// drawOpen gives a drafted and sent invoice of any positive total.
func drawOpen(t *rapid.T) events {
	lines := someLines().Filter(func(lines []invoice.Line) bool {
		_, totals, err := invoice.Price(lines)
		return err == nil && totals.Total.Amount > 0
	}).Draw(t, "lines")
	given := events{invoice.Drafted(content(lines...))}
	got, err := invoice.Send{Number: 1}.Decide(invoice.Aggregate.Fold(given...), dt.Meta())
	if err != nil {
		t.Fatal(err)
	}
	return after(given, got...)
}

func TestCreditNotesAddUpToTheInvoice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		history := drawOpen(t)
		s := invoice.Aggregate.Fold(history...)
		groups := map[domain.Decimal]invoice.RateGroup{}
		for n := 0; s.Due().Amount > 0; n++ {
			amount := s.Due()
			if n < 5 {
				amount.Amount = rapid.Int64Range(1, amount.Amount).Draw(t, "amount")
			}
			m := dt.Meta()
			m.Command = dt.ID("credit " + strconv.Itoa(n))
			got, err := invoice.IssueCreditNote{Amount: amount, Reason: reason, Number: 1}.Decide(s, m)
			if err != nil {
				t.Fatal(err)
			}
			sum := eur(0)
			for _, g := range got[0].(invoice.CreditNoteIssued).Groups {
				sum = sum.Add(g.Base).Add(g.Tax)
				had := groups[g.Rate]
				groups[g.Rate] = invoice.RateGroup{Rate: g.Rate, Base: g.Base.Add(had.Base), Tax: g.Tax.Add(had.Tax)}
			}
			if sum != amount {
				t.Fatalf("groups add up to %s, want %s", sum, amount)
			}
			s = invoice.Aggregate.Evolve(s, got[0])
		}
		for _, g := range s.Content.Totals.Groups {
			if groups[g.Rate] != g {
				t.Fatalf("credited %+v of %+v", groups[g.Rate], g)
			}
		}
	})
}

// TestBooksBalance gives any commands to one invoice and keeps books beside it.
func TestBooksBalance(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		history := drawOpen(t)
		s := invoice.Aggregate.Fold(history...)
		frozen, total := s.Content, s.Content.Totals.Total
		received, returned, credited := eur(0), eur(0), eur(0)
		var payments []domain.ID
		m := dt.Meta()
		for n := range rapid.IntRange(1, 30).Draw(t, "commands") {
			m.Command = dt.ID("command " + strconv.Itoa(n))
			m.Time = m.Time.AddDate(0, 0, rapid.IntRange(0, 10).Draw(t, "days"))
			command := drawCommand(t, total.Amount, payments, m.Today())
			got, err := command.Decide(s, m)
			if err != nil && (domain.AsFault(err).Kind == domain.Internal || len(got) > 0) {
				t.Fatalf("%T: %v, %v", command, got, err)
			}
			for _, e := range got {
				s = invoice.Aggregate.Evolve(s, e)
				switch e := e.(type) {
				case invoice.PaymentRecorded:
					received = received.Add(e.Amount)
					payments = append(payments, e.Payment)
					if e.DueAfter != s.Due() {
						t.Fatalf("due_after %s, due %s", e.DueAfter, s.Due())
					}
				case invoice.PaymentRefunded:
					returned = returned.Add(e.Amount)
				case invoice.CreditNoteIssued:
					credited = credited.Add(e.Amount)
				case invoice.Paid:
					if s.Due() != eur(0) {
						t.Fatalf("paid with %s due", s.Due())
					}
				case invoice.Drafted, invoice.DraftChanged, invoice.Sent, invoice.Voided, invoice.Overdue:
				}
			}
			history = after(history, got...)

			if again, _ := command.Decide(s, m); len(again) > 0 {
				t.Fatalf("%T sent again adds %v", command, again)
			}
			if d := s.Due().Amount; d < 0 || d > total.Amount {
				t.Fatalf("due %s of %s", s.Due(), total)
			}
			if s.Paid() != received.Sub(returned) || s.Credited != credited {
				t.Fatalf("paid %s, credited %s; want %s, %s", s.Paid(), s.Credited, received.Sub(returned), credited)
			}
			if s.Status == invoice.StatusSent && s.Paid().Add(s.Credited).Add(s.Due()) != total {
				t.Fatalf("%s paid + %s credited + %s due is not %s", s.Paid(), s.Credited, s.Due(), total)
			}
			if d := cmp.Diff(frozen, s.Content); d != "" {
				t.Fatalf("a sent invoice changed: %s", d)
			}
			if d := cmp.Diff(invoice.Aggregate.Fold(history...), s); d != "" {
				t.Fatalf("folding the history gives another state: %s", d)
			}
		}
	})
}

// drawCommand gives any command on a sent invoice, sensible or not.
func drawCommand(t *rapid.T, most int64, payments []domain.ID, on domain.Date) dt.Decider[invoice.State, invoice.Event] {
	amount := eur(rapid.Int64Range(0, most).Draw(t, "amount"))
	switch rapid.IntRange(0, 9).Draw(t, "kind") {
	case 0, 1, 2:
		return invoice.RecordPayment{Amount: amount, Date: on, Method: invoice.Card}
	case 3, 4:
		of := rapid.SampledFrom(append(payments, ana)).Draw(t, "payment")
		if rapid.Bool().Draw(t, "all of it") {
			return invoice.RefundPayment{Payment: of, Reason: reason}
		}
		return invoice.RefundPayment{Payment: of, Amount: &amount, Reason: reason}
	case 5:
		return invoice.IssueCreditNote{Amount: amount, Reason: reason, Number: 1}
	case 6:
		return invoice.ChangeDraft{Lines: []invoice.Line{travel}}
	case 7:
		return invoice.Send{Number: 2}
	case 8:
		if rapid.IntRange(0, 3).Draw(t, "really") == 0 {
			return invoice.Void{Reason: reason}
		}
	}
	return invoice.MarkOverdue{}
}
