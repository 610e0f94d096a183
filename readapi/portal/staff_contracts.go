package portal

import (
	"net/url"
	"strings"

	"github.com/a-h/templ"
	"github.com/go-chi/chi/v5"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/contract"
	"github.com/atrium-portal/atrium/readapi"
	"github.com/atrium-portal/atrium/readapi/portal/ui"
)

// staffContracts are the pages of contracts. Writing them is in staff_drafts.go.
func (p *portal) staffContracts(r, manager chi.Router) {
	r.Get("/contracts", p.page(p.staffContractList))
	p.form(manager, "/contracts/new", p.newContract, p.draftContract)
	r.Get("/contracts/{id}", p.page(p.staffContract))
	r.Get("/contracts/{id}/history", p.page(p.staffContractHistory()))
	p.form(manager, "/contracts/{id}/edit", p.editContract, p.changeContract)
	p.form(manager, "/contracts/{id}/send", p.sendContractPage, p.sendContract)
	p.form(manager, "/contracts/{id}/void", p.voidContractPage, p.voidContract)
}

// contractFilters are ready-made filters of a list of contracts.
var contractFilters = []string{"All", "", "Drafts", "draft", "Waiting", "sent", "Signed", "complete", "Declined", "declined", "Void", "void"}

type staffContractsPage struct {
	listPage
	Contracts []readapi.Contract
	Manager   bool
}

func (p *portal) staffContractList(v *visit) (templ.Component, error) {
	list := readapi.List[readapi.Contract](v.q, v.ask(listParameters, "limit", pageSize))
	if err := v.read(); err != nil {
		return nil, err
	}
	return staffContractsView(staffContractsPage{
		v.list(v.staff("Contracts", "/staff/contracts"), len(list.Items), "contract", "contracts", list.Ends, contractFilters...), list.Items, v.atLeast("manager"),
	}), nil
}

// staffContractPage is one contract as the firm sees it.
type staffContractPage struct {
	look
	Page     ui.Page
	Contract readapi.StaffContractDetail
	History  []readapi.StaffEntry
	Manager  bool
	PDF      *ui.Link
}

func (v *visit) readStaffContract(title string) (staffContractPage, error) {
	one := readapi.Get[readapi.StaffContractDetail](v.q, v.id(), nil)
	history := readapi.History(v.q, "contracts", v.id(), url.Values{"limit": {"8"}})
	if err := v.read(); err != nil {
		return staffContractPage{}, err
	}
	return staffContractPage{
		look: v.look(), Page: v.staff(strings.TrimSpace(title+" "+one.Title), "/staff/contracts"), Contract: *one, History: history.Items, Manager: v.atLeast("manager"),
		PDF: v.paper("contracts/"+v.id()+"/pdf", "Download PDF"),
	}, nil
}

func (p *portal) staffContract(v *visit) (templ.Component, error) {
	page, err := v.readStaffContract("")
	if err != nil {
		return nil, err
	}
	return staffContractView(page), nil
}

// detail says in a sentence how the contract stands.
func (c staffContractPage) detail() string {
	switch c.Contract.Status {
	case "draft":
		return "It is a draft. " + c.Contract.AccountName + " does not see it."
	case "sent":
		return "It waits for " + orElse(c.name(c.Contract.NextSigner), "its signers") + " since " + ui.DateText(dateOr(c.Contract.SentAt, c.Zone)) + "."
	case "complete":
		return "Everybody has signed, the last on " + ui.DateText(dateOr(c.Contract.CompletedAt, c.Zone)) + "."
	case "declined":
		return orElse(c.name(c.Contract.DeclinedBy), "A signer") + " declined it on " + ui.DateText(dateOr(c.Contract.EndedAt, c.Zone)) + "."
	}
	return "It was withdrawn and is not in force."
}

// name is the name of a signer.
func (c staffContractPage) name(id domain.ID) string {
	for _, s := range c.Contract.Signers {
		if s.Contact == id {
			return s.Name
		}
	}
	return ""
}

func (p *portal) staffContractHistory() pageFunc {
	return p.historyOf("contracts", func(v *visit) func() (string, []ui.Link) {
		one := readapi.Get[readapi.StaffContractDetail](v.q, v.id(), nil)
		return func() (string, []ui.Link) {
			return "“" + one.Title + "”", []ui.Link{{Label: "Contracts", Href: "/staff/contracts"}}
		}
	})
}

func (p *portal) sendContractPage(v *visit, f *form) (templ.Component, error) {
	page, err := v.readStaffContract("Send")
	if err != nil {
		return nil, err
	}
	var names []string
	for _, s := range page.Contract.Signers {
		names = append(names, orElse(s.Name, "a contact"))
	}
	return staffConfirmView(page.Page, ui.ConfirmProps{
		Title:  "Send “" + page.Contract.Title + "”?",
		Text:   "The text is frozen: nobody can change it any more. " + names[0] + " is asked to sign first" + then(names[1:]) + ". To change something later, void it and draft another one.",
		Action: page.path("contracts", page.Contract.ID) + "/send", Button: "Send contract", Back: page.path("contracts", page.Contract.ID),
	}, f, nil), nil
}

// then names those who follow.
func then(names []string) string {
	if len(names) == 0 {
		return ""
	}
	return ", then " + strings.Join(names, ", then ")
}

func (p *portal) sendContract(v *visit, _ *form) (step, error) {
	return step{name: "SendContract", command: contract.Send{Contract: v.thing()}, to: "/staff/contracts/" + v.id(), done: "sent"}, nil
}

func (p *portal) voidContractPage(v *visit, f *form) (templ.Component, error) {
	page, err := v.readStaffContract("Void")
	if err != nil {
		return nil, err
	}
	return staffConfirmView(page.Page, ui.ConfirmProps{
		Title: "Void “" + page.Contract.Title + "”?", Text: "Nobody can sign it any more. It stays readable, marked as void. This cannot be undone.",
		Action: page.path("contracts", page.Contract.ID) + "/void", Button: "Void contract", Danger: true, Back: page.path("contracts", page.Contract.ID),
	}, f, reasonField(f, "Only your colleagues see it.")), nil
}

func (p *portal) voidContract(v *visit, f *form) (step, error) {
	return step{name: "VoidContract", command: contract.Void{Contract: v.thing(), Reason: f.reason()}, to: "/staff/contracts/" + v.id(), done: "voided"}, nil
}
