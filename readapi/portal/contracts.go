package portal

import (
	"net/url"
	"strings"

	"github.com/a-h/templ"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/contract"
	"github.com/atrium-portal/atrium/readapi"
	"github.com/atrium-portal/atrium/readapi/portal/ui"
)

// contractsPage is the list of contracts that a contact may see.
type contractsPage struct {
	listPage
	Contracts []readapi.Contract
	Me        domain.ID
}

func (p *portal) contracts(v *visit) (templ.Component, error) {
	list := readapi.List[readapi.Contract](v.q, v.ask(listParameters, "limit", pageSize))
	if err := v.read(); err != nil {
		return nil, err
	}
	return contractsView(contractsPage{
		v.list(v.client("Contracts", "/contracts"), len(list.Items), "contract", "contracts", list.Ends, "All", "", "Waiting", "sent", "Signed", "complete"),
		list.Items, v.scope.Actor.ID,
	}), nil
}

// contractPage is a contract as one of its signers sees it.
type contractPage struct {
	look
	Page     ui.Page
	Contract readapi.ContractDetail
	Me       *readapi.ContractSigner // none for whoever does not sign
	MaySign  bool
	PDF      *ui.Link
	Proof    string // where to prove once more who one is before signing; empty when that is not needed
	History  []readapi.StaffEntry
	Form     *form
}

func (p *portal) contract(v *visit) (templ.Component, error) { return p.contractForm(v, newForm()) }

func (p *portal) contractForm(v *visit, f *form) (templ.Component, error) {
	one := readapi.Get[readapi.ContractDetail](v.q, v.id(), nil)
	history := readapi.History(v.q, "contracts", v.id(), url.Values{"limit": {"6"}})
	if err := v.read(); err != nil {
		return nil, err
	}
	page := contractPage{
		look: v.look(), Page: v.client(one.Title, "/contracts"), Contract: *one, History: history.Items, Form: f,
		MaySign: v.scope.Permits("sign_contracts") && v.scope.Preview == nil,
	}
	for i := range one.Signers {
		if one.Signers[i].Contact == v.scope.Actor.ID {
			page.Me = &one.Signers[i]
		}
	}
	if !page.unread() {
		page.PDF = v.paper("contracts/"+v.id()+"/pdf", "Download PDF")
	}
	if v.needsProof() {
		page.Proof = withNext(v.Doors.Proof, v.r)
	}
	return contractView(page), nil
}

// needsProof reports whether whoever is signed in has to show once more who they are before they sign.
func (v *visit) needsProof() bool {
	return v.scope.Session != "" && v.Doors.Proof != "" && v.scope.Fresh(v.Now()) != nil
}

// unread reports whether the text, or what is to know about signing it, waits to be opened by one of its signers, which is
// recorded.
func (c contractPage) unread() bool {
	return c.Contract.Status == "sent" && c.Me != nil && c.Me.SignedAt.IsZero() && c.Page.Preview == nil &&
		(c.Me.ViewedAt.IsZero() || c.Me.DisclosureSHA256 != contract.DisclosureNow().SHA256())
}

// turn reports whether the contract waits for whoever looks at it.
func (c contractPage) turn() bool {
	return c.Contract.Status == "sent" && c.Me != nil && c.Contract.NextSigner == c.Me.Contact && c.MaySign
}

// first is whose turn it is before whoever looks.
func (c contractPage) first() string {
	for _, s := range c.Contract.Signers {
		if s.Contact == c.Contract.NextSigner {
			return s.Name
		}
	}
	return ""
}

// detail says in a sentence how the contract stands for whoever looks.
func (c contractPage) detail() string {
	switch {
	case c.Contract.Status == "complete":
		return "Everybody has signed. It stays here for you to read."
	case c.Contract.Status == "declined":
		return "It was declined and is not in force."
	case c.Contract.Status == "void":
		return "It was withdrawn and is not in force."
	case c.turn():
		return c.Page.Brand.Name + " asks you to read and sign this."
	case c.Me != nil && !c.Me.SignedAt.IsZero():
		return "You have signed. It waits for " + orElse(c.first(), "the others") + "."
	case c.Contract.Status == "sent":
		return "It waits for " + orElse(c.first(), "its signers") + " to sign."
	}
	return ""
}

func (l look) signers(c readapi.Contract, signers []readapi.ContractSigner) []ui.Signer {
	list := make([]ui.Signer, 0, len(signers))
	for _, s := range signers {
		list = append(list, ui.Signer{
			Name: orElse(s.Name, "A contact"), SignedAt: s.SignedAt, SignedAs: s.SignedAs, Drawing: s.Drawing, Declined: !s.DeclinedAt.IsZero(),
			Turn: c.Status == "sent" && s.Contact == c.NextSigner, Detail: l.seen(s),
		})
	}
	return list
}

// seen says whether a signer has opened the text.
func (l look) seen(s readapi.ContractSigner) string {
	switch {
	case !s.SignedAt.IsZero() || !s.DeclinedAt.IsZero():
		return ""
	case s.ViewedAt.IsZero():
		return "Has not opened it yet"
	case !s.WithdrawnAt.IsZero():
		return "Withdrew the consent to sign electronically on " + ui.DateText(domain.DateOf(s.WithdrawnAt, l.Zone))
	case !s.ConsentedAt.IsZero():
		return "Read it, and agreed to sign electronically, on " + ui.DateText(domain.DateOf(s.ConsentedAt, l.Zone))
	}
	return "Opened it on " + ui.DateText(domain.DateOf(s.ViewedAt, l.Zone))
}

// fingerprint is the beginning of a digest, in groups that people can compare.
func fingerprint(sha256 string) string {
	if len(sha256) < 16 {
		return sha256
	}
	return sha256[:8] + " " + sha256[8:16]
}

// readContract records that a signer opened the text. It stands in the history for both sides.
func (p *portal) readContract(v *visit, _ *form) (step, error) {
	return step{name: "ViewContract", command: contract.View{Contract: v.thing()}, to: "/contracts/" + v.id()}, nil
}

// consent says that a signer has read the text and agrees to sign it electronically.
func (p *portal) consent(v *visit, f *form) (step, error) {
	if f.text("read") != "yes" {
		f.wrong("read", "read-required", "Read the contract to its end, then tick the box.")
	}
	if f.text("consent") != "yes" {
		f.wrong("consent", "consent-not-given", "Tick the box to sign electronically, or ask for the contract on paper.")
	}
	return step{name: "ConsentToSigning", command: contract.Consent{
		Contract: v.thing(), SHA256: f.text("sha256"), Disclosure: f.text("disclosure"), Read: true,
	}, to: "/contracts/" + v.id()}, nil
}

// withdrawPage asks before a signer's consent to sign electronically is withdrawn.
func (p *portal) withdrawPage(v *visit, f *form) (templ.Component, error) {
	if !v.scope.Permits("sign_contracts") {
		return nil, errNotPermitted
	}
	one := readapi.Get[readapi.ContractDetail](v.q, v.id(), nil)
	if err := v.read(); err != nil {
		return nil, err
	}
	page := v.client("Withdraw your consent", "/contracts")
	return confirmView(page, ui.ConfirmProps{
		Title: "Withdraw your consent?", Text: "You cannot sign “" + one.Title + "” here while your consent to sign electronically is withdrawn; ask " +
			page.Brand.Name + " for it on paper. You can agree again.",
		Action: "/contracts/" + v.id() + "/withdraw", Button: "Withdraw consent", Back: "/contracts/" + v.id(),
	}, f, templ.NopComponent), nil
}

func (p *portal) withdraw(v *visit, _ *form) (step, error) {
	return step{
		name: "WithdrawConsent", command: contract.WithdrawConsent{Contract: v.thing()}, to: "/contracts/" + v.id(), done: "withdrawn",
	}, nil
}

// disclosed are the paragraphs of what a signer is told about signing electronically.
func disclosed() []string { return strings.Split(contract.DisclosureNow().Text, "\n\n") }

// signingStatement is what a signer agrees to. It is stored with the signature.
const signingStatement = "I have read this contract and sign it electronically. My signature binds me like one on paper."

func (p *portal) sign(v *visit, f *form) (step, error) {
	if v.needsProof() {
		return step{}, v.scope.Fresh(v.Now())
	}
	if f.text("agree") != "yes" {
		f.wrong("agree", "statement-not-agreed", "Tick the box to say that you agree.")
	}
	if f.text("name") == "" {
		f.wrong("name", "name-required", "Type your full name. It is your signature.")
	}
	return step{name: "SignContract", command: contract.Sign{
		Contract: v.thing(), Statement: domain.P(signingStatement), Name: f.personal("name"), SHA256: f.text("sha256"), Drawing: f.personal("drawing"),
	}, to: "/contracts/" + v.id(), done: "signed"}, nil
}

// declinePage asks before a contract is declined.
func (p *portal) declinePage(v *visit, f *form) (templ.Component, error) {
	if !v.scope.Permits("sign_contracts") {
		return nil, errNotPermitted
	}
	one := readapi.Get[readapi.ContractDetail](v.q, v.id(), nil)
	if err := v.read(); err != nil {
		return nil, err
	}
	if one.Status != "sent" && f.values == nil {
		return nil, domain.Refuse("contract-not-open", "This contract does not wait for signatures any more.")
	}
	page := v.client("Decline “"+one.Title+"”", "/contracts")
	return confirmView(page, ui.ConfirmProps{
		Title: "Decline “" + one.Title + "”?", Text: "The contract ends for everybody who should sign it, and " + page.Brand.Name + " reads your reason. This cannot be undone; they can send you another one.",
		Action: "/contracts/" + v.id() + "/decline", Button: "Decline contract", Danger: true, Back: "/contracts/" + v.id(),
	}, f, reasonField(f, "What would have to change?")), nil
}

func (p *portal) decline(v *visit, f *form) (step, error) {
	return step{
		name: "DeclineContract", command: contract.Decline{Contract: v.thing(), Reason: f.personal("reason")},
		to: "/contracts/" + v.id(), done: "declined",
	}, nil
}
