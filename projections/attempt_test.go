package projections

import (
	"testing"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/domaintest"
	"github.com/atrium-portal/atrium/domain/payment"
)

// attempt is the beginning of an attempt that stands at the provider, plus more.
func attempt(more ...domain.Event) []domain.Fact {
	return story("payment", "it", append([]domain.Event{
		payment.Started{
			Invoice: id("invoice"), Label: "INV-0007", Amount: eur(119_00), Gateway: "stripe", Contact: id("ana"),
			Expires: domaintest.Now.Add(payment.Open), Recipients: []domain.ID{id("ana")},
		},
		payment.HandedOver{Reference: "cs_1", URL: domain.P("https://pay.example/1")},
	}, more...)...)
}

func TestAttemptRows(t *testing.T) {
	succeeded := payment.Succeeded{Capture: "pi_1", Amount: eur(119_00), Fee: eur(1_90), Date: issued}
	base := attemptRow{
		owned: ownedByTest("it"), Invoice: id("invoice"), Recipients: []domain.ID{id("ana")}, Label: "INV-0007", Contact: id("ana"),
		Status: payment.StatusHandedOver, Amount: 119_00, Currency: "EUR", StartedAt: at(0), ExpiresAt: domaintest.Now.Add(payment.Open),
	}
	notes := attemptNotesRow{ID: id("it"), Firm: id("firm"), Account: id("account"), Gateway: "stripe", Reference: "cs_1"}
	for _, c := range []struct {
		name    string
		more    []domain.Event
		want    func(*attemptRow)
		notes   func(*attemptNotesRow)
		url     string
		visible bool
	}{
		{"with the provider", nil, func(*attemptRow) {}, func(*attemptNotesRow) {}, "https://pay.example/1", true},
		{
			"cancelled",
			[]domain.Event{payment.CancelRequested{}, payment.Expired{}},
			func(r *attemptRow) { r.Status, r.Cancel, r.EndedAt = payment.StatusExpired, true, at(3) }, func(*attemptNotesRow) {}, "", true,
		},
		{
			"paid",
			[]domain.Event{succeeded},
			func(r *attemptRow) { r.Status, r.EndedAt = payment.StatusSucceeded, at(2) },
			func(r *attemptNotesRow) {
				r.Capture, r.Received, r.ReceivedC, r.Fee, r.FeeC = "pi_1", 119_00, "EUR", 1_90, "EUR"
			}, "", true,
		},
		{
			"failed",
			[]domain.Event{payment.Failed{Reason: "the card was declined"}},
			func(r *attemptRow) {
				r.Status, r.EndedAt, r.Reason = payment.StatusFailed, at(2), "the card was declined"
			},
			func(*attemptNotesRow) {}, "", true,
		},
		{
			"failed, and paid after all",
			[]domain.Event{payment.Failed{Reason: "the card was declined"}, succeeded},
			func(r *attemptRow) { r.Status, r.EndedAt = payment.StatusSucceeded, at(3) },
			func(r *attemptNotesRow) {
				r.Capture, r.Received, r.ReceivedC, r.Fee, r.FeeC = "pi_1", 119_00, "EUR", 1_90, "EUR"
			}, "", true,
		},
		{
			"paid in another currency",
			[]domain.Event{payment.Mismatched{Capture: "pi_1", Amount: domain.Money{Amount: 119_00, Currency: "USD"}, Asked: eur(119_00), Why: payment.OtherAmount}},
			func(r *attemptRow) { r.Status, r.EndedAt = payment.StatusReview, at(2) },
			func(r *attemptNotesRow) { r.Capture, r.Received, r.ReceivedC, r.Why = "pi_1", 119_00, "USD", "amount" }, "", false,
		},
		{
			"reviewed",
			[]domain.Event{succeeded, payment.Mismatched{Capture: "pi_1", Amount: eur(119_00), Asked: eur(119_00), Why: payment.NotDue}, payment.ReviewClosed{Note: domain.P("refunded")}},
			func(r *attemptRow) { r.Status, r.EndedAt = payment.StatusReviewed, at(3) },
			func(r *attemptNotesRow) {
				r.Capture, r.Received, r.ReceivedC, r.Fee, r.FeeC, r.Why, r.Note = "pi_1", 119_00, "EUR", 1_90, "EUR", "invoice", "refunded"
			}, "", false,
		},
		{
			"given back",
			[]domain.Event{succeeded, payment.RefundReported{Total: eur(5)}},
			func(r *attemptRow) { r.Status, r.EndedAt = payment.StatusSucceeded, at(2) },
			func(r *attemptNotesRow) {
				r.Capture, r.Received, r.ReceivedC, r.Fee, r.FeeC = "pi_1", 119_00, "EUR", 1_90, "EUR"
			}, "", true,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			facts := attempt(c.more...)
			want, wantNotes := base, notes
			c.want(&want)
			c.notes(&wantNotes)
			got := row[attemptRow](t, facts, "payment_attempts", id("it"))
			same(t, &want, got)
			same(t, &wantNotes, row[attemptNotesRow](t, facts, "payment_notes", id("it")))
			page := row[pageRow](t, facts, "payment_pages", id("it"))
			same(t, &pageRow{ID: id("it"), Firm: id("firm"), Account: id("account"), Recipients: []domain.ID{id("ana")}, URL: c.url}, page)
			if visible, to := got.Audience(); visible != c.visible || len(to) != 1 {
				t.Errorf("clients see it: %t (%v)", visible, to)
			}
		})
	}
}
