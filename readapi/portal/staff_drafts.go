package portal

import (
	"net/url"
	"strconv"
	"strings"

	"github.com/a-h/templ"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/contract"
	"github.com/atrium-portal/atrium/readapi"
	"github.com/atrium-portal/atrium/readapi/portal/ui"
)

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
	Title    string   // as the draft has it, or the contract that this one begins as a copy of
	Body     string
	Heading  string
	Back     string
	Pin      *ui.HiddenField // the revision of the draft; nil for a new contract
	Changed  *meanwhile
}

// newContract asks for whom first. from names a contract to begin with: a text that was sent cannot be changed.
func (p *portal) newContract(v *visit, f *form) (templ.Component, error) {
	if v.query("account") == "" {
		return v.chooseClient("New contract", "/staff/contracts")
	}
	begun := &readapi.StaffContractDetail{}
	if from := v.query("from"); from != "" {
		begun = readapi.Get[readapi.StaffContractDetail](v.q, from, nil)
		if err := v.read(); err != nil {
			return nil, err
		}
	}
	of := orElse(known(idOf(v.query("account"))), domain.NewID().String())
	return v.contractEditor(f, draftPage{
		Heading: "New contract", Action: newContractAt(of), Back: "/staff/clients/" + of + "/contracts",
	}, of, begun)
}

func newContractAt(account string) string {
	return "/staff/contracts/new?" + url.Values{"account": {account}}.Encode()
}

func (p *portal) editContract(v *visit, f *form) (templ.Component, error) {
	one := readapi.Get[readapi.StaffContractDetail](v.q, v.id(), nil)
	if err := v.read(); err != nil {
		return nil, err
	}
	sent := one.Status != "draft"
	if sent && f.values == nil {
		return nil, domain.Refuse("contract-not-draft", "This contract was sent and cannot be changed any more. Void it, or use it as a draft for another one.")
	}
	at := v.look().path("contracts", one.ID)
	overtaken := f.overtaken()
	pin := f.pin(one.Revision, overtaken)
	page := draftPage{Heading: "Change “" + one.Title + "”", Action: at + "/edit", Back: at, Pin: &pin}
	if sent {
		f.closed = true
		page.Heading, page.Action, page.Pin = "New contract", newContractAt(one.Account.String()), nil
	}
	if overtaken || sent {
		q := v.Reader.AsOf(v.scope, v.r.URL.Query().Get(asOf))
		last := whatChanged(q, "contracts", v.id())
		if err := q.Run(v.r.Context()); err != nil {
			return nil, err
		}
		page.Changed = v.meanwhile(last, contractNow(one.Title, one.Body))
		page.Changed.Sent = sent
	}
	return v.contractEditor(f, page, one.Account.String(), one)
}

// contractEditor reads what there is to choose from for an account, and shows the form with what was begun.
func (v *visit) contractEditor(f *form, page draftPage, of string, begun *readapi.StaffContractDetail) (templ.Component, error) {
	q := v.Reader.AsOf(v.scope, v.r.URL.Query().Get(asOf))
	v.frame = readapi.FrameOf(q)
	account := readapi.Get[readapi.StaffAccount](q, of, nil)
	projects := readapi.List[readapi.Project](q, choices("account", of))
	people := readapi.List[readapi.StaffContact](q, choices("account", of))
	if err := q.Run(v.r.Context()); err != nil {
		return nil, err
	}
	page.look, page.Page, page.Form, page.Account = v.look(), v.staff(page.Heading, "/staff/contracts"), f, *account
	page.Title, page.Body = begun.Title, begun.Body
	page.People, page.Projects = peopleOptions(people.Items), []ui.Option{{Value: "", Label: "None"}}
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

// signers are those who were chosen, in their order. It reports false when only another field for one was asked for.
func (f *form) signers() ([]contract.Signer, bool) {
	if f.text("do") == "add-signer" {
		f.values["signer"] = append(f.values["signer"], "")
		f.again = true
		return nil, false
	}
	chosen, signers := []string{}, []contract.Signer{}
	for _, text := range f.values["signer"] {
		if text != "" {
			chosen, signers = append(chosen, text), append(signers, contract.Signer{Contact: idOf(text)})
		}
	}
	f.values["signer"] = chosen // places in faults are those that are shown
	return signers, true
}

func (p *portal) draftContract(v *visit, f *form) (step, error) {
	signers, ok := f.signers()
	if !ok {
		return step{}, nil
	}
	account := idOf(v.query("account"))
	if account == domain.NoID {
		return step{}, domain.Missing("account")
	}
	return f.thenSend(step{name: "DraftContract", command: contract.Draft{
		Account: account, Project: f.id("project"), Title: f.personal("title"), Body: f.personal("body"), Signers: signers,
	}, to: "/staff/contracts/{id}", done: "drafted"}), nil
}

func (p *portal) changeContract(v *visit, f *form) (step, error) {
	signers, ok := f.signers()
	if !ok {
		return step{}, nil
	}
	return f.thenSend(step{name: "ChangeContractDraft", command: contract.ChangeDraft{
		Contract: v.thing(), Project: f.id("project"), Title: f.personal("title"), Body: f.personal("body"), Signers: signers,
	}, to: "/staff/contracts/{id}", done: "drafted", pinned: f.openedAt()}), nil
}
