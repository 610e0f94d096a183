package portal

import (
	"net/url"

	"github.com/a-h/templ"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/payment"
	"github.com/atrium-portal/atrium/readapi"
	"github.com/atrium-portal/atrium/readapi/portal/ui"
)

// mayPay reports whether whoever looks may pay online.
func (v *visit) mayPay() bool {
	return v.Pays && v.scope.Permits("pay_invoices") && !v.scope.Staff() && v.scope.Preview == nil
}

// pay begins a payment of all that is due. A second click finds the payment that the first one began.
func (p *portal) pay(v *visit, _ *form) (step, error) {
	return step{name: "StartPayment", command: payment.Start{Invoice: v.thing()}, to: "/payments/{id}"}, nil
}

// paymentPage is the way to the provider's page.
type paymentPage struct {
	look
	Page    ui.Page
	Attempt readapi.Attempt
	Form    *form
}

// open reports whether the payment waits for its payer.
func (a paymentPage) open() bool { return underWay(a.Attempt) }

func underWay(a readapi.Attempt) bool { return a.Status == "started" || a.Status == "handed_over" }

// payment leads on to the provider as soon as its page is there. It does so by a header and not by a redirect: browsers
// let a form lead to other sites only where the page's policy names them.
func (p *portal) payment(v *visit) (templ.Component, error) {
	one := readapi.Get[readapi.Attempt](v.q, v.id(), nil)
	if err := v.read(); err != nil {
		return nil, err
	}
	page := paymentPage{look: v.look(), Page: v.client("Payment of "+one.InvoiceNumber, "/invoices"), Attempt: *one, Form: newForm()}
	if page.open() && v.scope.Preview == nil {
		page.Page.Events = "" // it comes again by itself
		refresh := "2"
		if one.URL != "" {
			refresh = "0; url=" + one.URL
		}
		v.w.Header().Set("Refresh", refresh)
	}
	return paymentView(page), nil
}

// cancelPayment gives a payment up that is under way.
func (p *portal) cancelPayment(v *visit, f *form) (step, error) {
	return step{name: "CancelPayment", command: payment.Cancel{Payment: v.thing()}, to: "/invoices/" + f.id("invoice").String(), done: "payment-cancelled"}, nil
}

// attempts asks for the payment that is under way on an invoice, and for the one that its payer comes back from.
func (v *visit) attempts(invoice string) (open *readapi.Page[readapi.Attempt], back *readapi.Page[readapi.Attempt]) {
	open, back = &readapi.Page[readapi.Attempt]{}, &readapi.Page[readapi.Attempt]{}
	if idOf(invoice) == domain.NoID {
		return open, back
	}
	open = readapi.List[readapi.Attempt](v.q, url.Values{"invoice": {invoice}, "status": {"started,handed_over"}, "limit": {"1"}})
	if v.query("payment") != "" {
		back = readapi.List[readapi.Attempt](v.q, url.Values{"invoice": {invoice}, "limit": {"20"}})
	}
	return open, back
}

// ended says how a payment ended.
func ended(a readapi.Attempt) string {
	switch a.Status {
	case "succeeded":
		return "The money has arrived. Thank you."
	case "failed":
		return "The payment did not go through: " + a.Reason + ". Nothing was taken."
	case "expired":
		return "The payment was given up, and nothing was taken."
	}
	return "The money has arrived, and is being looked into."
}

// outcome says how the payment went that somebody comes back from.
func (v *visit) outcome(list []readapi.Attempt) *ui.Flash {
	for _, a := range list {
		if a.ID.String() != v.query("payment") {
			continue
		}
		amount := ui.Money(a.Amount, v.scope.Settings.NumberFormat)
		switch a.Status {
		case "succeeded":
			return &ui.Flash{Tone: ui.Good, Text: "Thank you. Your payment of " + amount + " has arrived."}
		case "failed":
			return &ui.Flash{Tone: ui.Bad, Text: "The payment did not go through: " + a.Reason + ". Nothing was taken; you can try again."}
		case "expired":
			return &ui.Flash{Tone: ui.Warning, Text: "The payment was given up, and nothing was taken."}
		case "review", "reviewed":
			return &ui.Flash{Tone: ui.Info, Text: "Your money has arrived, and " + v.brand().Name + " looks into what it is for."}
		default:
			return &ui.Flash{Tone: ui.Info, Text: "The payment provider has not told us the outcome yet. This page changes as soon as it does; you need not pay again."}
		}
	}
	return nil
}
