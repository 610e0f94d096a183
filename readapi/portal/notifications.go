package portal

import (
	"slices"

	"github.com/a-h/templ"

	"github.com/atrium-portal/atrium/domain/contact"
	"github.com/atrium-portal/atrium/readapi"
	"github.com/atrium-portal/atrium/readapi/portal/ui"
)

const notificationsPath = "/profile/notifications"

// notificationTexts say what each mail is about, and the permission without which a contact never gets it.
var notificationTexts = map[contact.Notification]struct{ label, hint, permission string }{
	contact.NewInvoice:     {"A new invoice", "With the date on which it is due.", "view_invoices"},
	contact.PaymentArrived: {"A payment has arrived", "With the number of the receipt.", "view_invoices"},
	contact.InvoiceOverdue: {"A reminder when an invoice is overdue", "", "view_invoices"},
	contact.QuestionReply:  {"An answer to a question about an invoice", "", "view_invoices"},
	contact.ContractToSign: {"A contract waits for your signature", "When it is your turn.", "view_contracts"},
}

// notificationsPage is which mails a contact gets.
type notificationsPage struct {
	Page    ui.Page
	Form    *form
	Email   string
	Options []ui.Option
}

func (p *portal) notifications(v *visit, f *form) (templ.Component, error) {
	off := readapi.NotificationsOff(v.q)
	if err := v.read(); err != nil {
		return nil, err
	}
	page := notificationsPage{Page: v.client("Notifications", ""), Form: f, Email: v.frame.Email}
	for _, n := range contact.Notifications() {
		text := notificationTexts[n]
		if !v.scope.Permits(text.permission) {
			continue
		}
		chosen := !slices.Contains(*off, string(n))
		if f.values != nil {
			chosen = slices.Contains(f.values["mails"], string(n))
		}
		page.Options = append(page.Options, ui.Option{Value: string(n), Label: text.label, Hint: text.hint, Chosen: chosen})
	}
	return notificationsView(page), nil
}

// changeNotifications switches off what was shown and not ticked. What was not shown, because it takes a permission,
// stays as it was.
func (p *portal) changeNotifications(v *visit, f *form) (step, error) {
	recorded := readapi.NotificationsOff(v.q)
	if err := v.read(); err != nil {
		return step{}, err
	}
	off := []contact.Notification{}
	for _, n := range contact.Notifications() {
		without := !slices.Contains(f.values["mails"], string(n))
		if !v.scope.Permits(notificationTexts[n].permission) {
			without = slices.Contains(*recorded, string(n))
		}
		if without {
			off = append(off, n)
		}
	}
	return step{name: "SetNotifications", command: contact.SetNotifications{Contact: v.scope.Actor.ID, Off: off}, to: notificationsPath, done: "saved"}, nil
}
