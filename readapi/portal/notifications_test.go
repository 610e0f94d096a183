package portal_test

import (
	"strings"
	"testing"

	"github.com/atrium-portal/atrium/domain/contact"
)

func TestContactsChooseTheirMails(t *testing.T) {
	w := newWorld(t)
	const at = "/profile/notifications"
	ticked := func(who string) int { return strings.Count(w.page(at, who), " checked") }
	page := w.page(at, "olga")
	holds(t, page, "A new invoice", "A contract waits for your signature", "cannot be switched off", "olga@aurora.example")
	all := len(contact.Notifications())
	if ticked("olga") != all {
		t.Errorf("%d mails are on at first", ticked("olga"))
	}
	holds(t, w.page(at, "liam"), "Nothing to choose", "cannot be switched off") // may see neither invoices nor contracts
	holds(t, w.page("/profile", "olga"), `href="`+at+`"`)

	w.send(at, "olga", "mails", "new_invoice", "mails", "contract_to_sign")
	if ticked("olga") != 2 || ticked("nora") != all {
		t.Errorf("%d of olga's are on, %d of nora's", ticked("olga"), ticked("nora"))
	}
	holds(t, w.page("/staff/contacts/"+w.id("olga")+"/history", "max"), "chose which mails to get")
	w.send(at, "olga", "mails", "new_invoice", "mails", "made_up")
	if ticked("olga") != 1 {
		t.Errorf("%d are on", ticked("olga"))
	}
}
