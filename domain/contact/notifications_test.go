package contact_test

import (
	"testing"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/contact"
	dt "github.com/atrium-portal/atrium/domain/domaintest"
)

func TestNotifications(t *testing.T) {
	self := dt.Meta()
	self.Actor = domain.Actor{Kind: domain.Client, ID: self.Target}
	off := func(list ...contact.Notification) contact.NotificationsChanged {
		return contact.NotificationsChanged{Off: append([]contact.Notification{}, list...)}
	}
	set := func(list ...contact.Notification) contact.SetNotifications {
		return contact.SetNotifications{Off: list}
	}
	dt.Run(t, contact.Aggregate, []dt.Case[contact.State, contact.Event]{
		{Name: "are all on", Given: []contact.Event{added}, When: set()},
		{
			Name: "are switched off", Given: []contact.Event{added}, Meta: self, When: set(contact.PaymentArrived, contact.InvoiceOverdue, contact.PaymentArrived),
			Then: []contact.Event{off(contact.InvoiceOverdue, contact.PaymentArrived)},
		},
		{Name: "are off already", Given: []contact.Event{added, off(contact.InvoiceOverdue)}, When: set(contact.InvoiceOverdue)},
		{Name: "are switched on again", Given: []contact.Event{added, off(contact.InvoiceOverdue)}, When: set(), Then: []contact.Event{off()}},
		{Name: "are known", Given: []contact.Event{added}, When: set("sign_in"), Fault: "notification-unknown off"},
		{Name: "are one's own", Given: []contact.Event{added}, Meta: dt.By(dt.Client("eve")), When: set(contact.NewInvoice), Fault: "not-found"},
		{Name: "are nobody's after merging", Given: []contact.Event{added, merged}, When: set(contact.NewInvoice), Fault: "contact-merged"},
	})
	state := contact.Aggregate.Fold(added, viewer, off(contact.NewInvoice))
	if state.Wants(contact.NewInvoice) || !state.Wants(contact.ContractToSign) {
		t.Errorf("%v", state.Off)
	}
	if contact.Aggregate.Fold(added).Wants(contact.NewInvoice) {
		t.Error("somebody without access gets mail")
	}
}
