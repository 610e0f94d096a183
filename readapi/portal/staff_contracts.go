package portal

import (
	"net/url"
	"strconv"
	"strings"

	"github.com/a-h/templ"
	"github.com/go-chi/chi/v5"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/contract"
	"github.com/atrium-portal/atrium/readapi"
	"github.com/atrium-portal/atrium/readapi/portal/ui"
)

// staffContracts are the pages of contracts.
func (p *portal) staffContracts(r, manager chi.Router) {
	r.Get("/contracts", p.page(p.staffContractList))
	p.form(manager, "/contracts/new", p.newContract, p.draftContract)
	r.Get("/contracts/{id}", p.page(p.staffContract))
	r.Get("/contracts/{id}/history", p.page(p.staffContractHistory()))
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
		v.list(v.staff("Contracts", "/staff/contracts"), len(list.Items), "contract", "contracts", list.Next, contractFilters...), list.Items, v.atLeast("manager"),
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

// draftPage is a contract that is being written.
type draftPage struct {
	look
	Page     ui.Page
	Form     *form
	Action   string
	Account  readapi.StaffAccount
	Projects []ui.Option
	People   []ui.Option
	Signers  []string // ids, in their order; empty ones are not chosen yet
	Title    string   // of the contract that this one begins as a copy of
	Body     string
}

// newContract asks for whom first. from names a contract to begin with: a text that was sent cannot be changed.
func (p *portal) newContract(v *visit, f *form) (templ.Component, error) {
	if v.query("account") == "" {
		return v.chooseClient("New contract", "/staff/contracts")
	}
	of := orElse(known(idOf(v.query("account"))), domain.NewID().String())
	account := readapi.Get[readapi.StaffAccount](v.q, v.query("account"), nil)
	projects := readapi.List[readapi.Project](v.q, choices("account", of))
	people := readapi.List[readapi.StaffContact](v.q, choices("account", of))
	begun := &readapi.StaffContractDetail{}
	if v.query("from") != "" {
		begun = readapi.Get[readapi.StaffContractDetail](v.q, v.query("from"), nil)
	}
	if err := v.read(); err != nil {
		return nil, err
	}
	page := draftPage{
		look: v.look(), Page: v.staff("New contract", "/staff/contracts"), Form: f, Account: *account, Title: begun.Title, Body: begun.Body,
		Action: "/staff/contracts/new?" + url.Values{"account": {of}}.Encode(), People: peopleOptions(people.Items), Projects: []ui.Option{{Value: "", Label: "None"}},
	}
	for _, one := range projects.Items {
		page.Projects = append(page.Projects, ui.Option{Value: one.ID.String(), Label: one.Name})
	}
	page.Projects = f.options("project", page.Projects, known(begun.Project))
	for _, s := range begun.Signers {
		page.Signers = append(page.Signers, s.Contact.String())
	}
	if f.values != nil {
		page.Signers = f.values["signer"]
	}
	if len(page.Signers) == 0 {
		page.Signers = []string{account.PrimaryContact.String()}
	}
	return draftView(page), nil
}

// signerOptions are the people who can be the signer at a place.
func (d draftPage) signerOptions(place int) []ui.Option {
	options := []ui.Option{{Value: "", Label: "Nobody"}}
	for _, one := range d.People {
		one.Chosen = one.Value == d.Signers[place]
		one.Hint = ""
		options = append(options, one)
	}
	return options
}

// signerField asks for the signer at a place.
func (d draftPage) signerField(place int) ui.Field {
	field := ui.Field{Name: "signer", Label: "Signer " + strconv.Itoa(place+1), Optional: place > 0}
	for _, fault := range d.Form.faults {
		if fault.Field == "signers["+strconv.Itoa(place)+"].contact" || fault.Field == "signers" && place == 0 {
			field.Error = fault.Message
		}
	}
	return field.Keyed(strconv.Itoa(place))
}

// errors lists what is wrong, with the ids of the fields for signers.
func (d draftPage) errors() ui.FieldErrors {
	list := d.Form.errors()
	for i, fault := range d.Form.faults {
		if rest, signer := strings.CutPrefix(fault.Field, "signers"); signer {
			place, _, _ := strings.Cut(strings.TrimPrefix(rest, "["), "]")
			list[i].ID = "signer-" + orElse(place, "0")
		}
	}
	return list
}

func (p *portal) draftContract(v *visit, f *form) (step, error) {
	if f.text("do") == "add-signer" {
		f.values["signer"] = append(f.values["signer"], "")
		f.again = true
		return step{}, nil
	}
	account := idOf(v.query("account"))
	if account == domain.NoID {
		return step{}, domain.Missing("account")
	}
	chosen, signers := []string{}, []contract.Signer{}
	for _, text := range f.values["signer"] {
		if text != "" {
			chosen, signers = append(chosen, text), append(signers, contract.Signer{Contact: idOf(text)})
		}
	}
	f.values["signer"] = chosen // places in faults are those that are shown
	s := step{name: "DraftContract", command: contract.Draft{
		Account: account, Project: f.id("project"), Title: f.personal("title"), Body: f.personal("body"), Signers: signers,
	}, to: "/staff/contracts/{id}", done: "drafted"}
	return f.thenSend(s), nil
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
