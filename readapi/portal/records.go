package portal

import (
	"github.com/a-h/templ"

	"github.com/atrium-portal/atrium/readapi"
	"github.com/atrium-portal/atrium/readapi/portal/ui"
)

// recordsPath is the page that tells clients how to check the history without trusting it; staff have it below /staff.
const recordsPath = "/records"

// keysPath is where the program publishes the public keys as text.
const keysPath = "/.well-known/atrium-log-keys"

// recordsPage is how to check the records of a firm.
type recordsPage struct {
	look
	Page   ui.Page
	Crumb  ui.Link
	Seals  []readapi.Seal // the log that grows first
	Bundle string         // the address of the evidence about the reader's account; empty: ask for it
}

// records is the page for clients.
func (p *portal) records(v *visit) (templ.Component, error) {
	page, err := p.recordsFor(v)
	if err != nil {
		return nil, err
	}
	page.Page, page.Crumb = v.client(recordsTitle, "/history"), ui.Link{Label: "Home", Href: "/"}
	if v.scope.ShowHistory {
		page.Crumb, page.Bundle = ui.Link{Label: "History", Href: "/history"}, "/api/v1/accounts/"+v.scope.Account.String()+"/evidence"
	}
	return recordsView(page), nil
}

// staffRecords is the same for staff.
func (p *portal) staffRecords(v *visit) (templ.Component, error) {
	page, err := p.recordsFor(v)
	if err != nil {
		return nil, err
	}
	page.Page, page.Crumb = v.staff(recordsTitle, "/staff/history"), ui.Link{Label: "History", Href: "/staff/history"}
	return staffRecordsView(page), nil
}

const recordsTitle = "How to check our records"

func (p *portal) recordsFor(v *visit) (page recordsPage, err error) {
	if err := v.read(); err != nil {
		return page, err
	}
	page.look = v.look()
	if p.Seals != nil {
		page.Seals, err = p.Seals.Seals(v.r.Context(), v.scope.Firm)
	}
	return page, err
}
