package demo

import (
	_ "embed"
	"strings"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/contract"
)

// The texts, with places in braces to fill in.
var (
	//go:embed texts/design.md
	designText string
	//go:embed texts/care.md
	careText string
	//go:embed texts/retainer.md
	retainerText string
)

// paper is a contract in the story.
type paper struct {
	s           *story
	by          domain.Actor
	client      party
	title, body string
	id          domain.ID
}

// paper drafts a contract; fill pairs places in the text with what goes there.
func (s *story) paper(by Staff, p party, project domain.ID, when moment, title, text string, signers []Client, fill ...string) paper {
	for i := 0; i < len(fill); i += 2 {
		fill[i] = "{" + fill[i] + "}"
	}
	text = strings.NewReplacer(append(fill, "{client}", p.name, "{address}", p.address)...).Replace(text)
	d := contract.Draft{Account: p.id, Project: project, Title: domain.P(title), Body: domain.P(text)}
	for _, c := range signers {
		d.Signers = append(d.Signers, contract.Signer{Contact: c.ID})
	}
	m := s.do(by.actor(), when, title, "DraftContract", d)
	return paper{s, by.actor(), p, title, text, m.NewID("contract")}
}

func (p paper) send(when moment) paper {
	p.s.do(p.by, when, p.title, "SendContract", contract.Send{Contract: p.id})
	return p
}

func (p paper) view(when moment, c Client) {
	p.s.do(c.actor(), when, p.title+", "+c.Name, "ViewContract", contract.View{Contract: p.id})
}

// sign lets a signer read the text, agree to sign electronically and sign some minutes later.
func (p paper) sign(when moment, c Client) {
	p.view(when, c)
	p.s.do(c.actor(), when.next(12), p.title+", "+c.Name, "ConsentToSigning", contract.Consent{
		Contract: p.id, SHA256: contract.Digest(p.title, p.body), Disclosure: contract.DisclosureNow().SHA256(), Read: true,
	})
	p.s.do(c.actor(), when.next(14), p.title+", "+c.Name, "SignContract", contract.Sign{
		Contract: p.id, Name: domain.P(c.Name), SHA256: contract.Digest(p.title, p.body),
		Statement: domain.P("I have read this agreement and sign it on behalf of " + p.client.name + "."),
	})
}

func (p paper) decline(when moment, c Client, reason string) {
	p.view(when, c)
	p.s.do(c.actor(), when.next(9), p.title, "DeclineContract", contract.Decline{Contract: p.id, Reason: domain.P(reason)})
}

func (p paper) void(when moment, reason string) {
	p.s.do(p.by, when, p.title, "VoidContract", contract.Void{Contract: p.id, Reason: domain.P(reason)})
}

// contracts tells what was signed and what was not: each state is there at least once.
func (s *story) contracts(c cast, w work) {
	// Complete, with one signer and with two.
	s.paper(c.priya, c.holm, w.brand, at(-350, 11_00), "Brand refresh and packaging: design agreement", designText, []Client{c.ingrid},
		"project", "the brand refresh and packaging of Holm & Rye", "scope", "a brand audit, a new mark with type and colours, templates for bags and boxes, a printed brand book, and support at the printer",
		"fee", "21,100.00 EUR", "instalments", "a quarter after discovery, half after design, the rest on delivery",
	).send(at(-350, 11_30)).sign(at(-345, 13_20), c.ingrid)

	website := s.paper(c.tom, c.varga, w.website, at(-276, 9_15), "Practice website: design agreement", designText, []Client{c.daniel, c.mei},
		"project", "the website of Atelier Varga", "scope", "structure, design and building of a website with forty projects, image processing, and an hour of training for each partner",
		"fee", "21,800.00 EUR", "instalments", "a third after the structure, a third after design, the rest at launch",
	).send(at(-276, 9_40))
	website.sign(at(-272, 18_05), c.daniel)
	website.sign(at(-268, 8_50), c.mei)

	s.paper(c.tom, c.harbour, w.donations, at(-207, 10_00), "Donations platform: design agreement", designText, []Client{c.grace},
		"project", "the donations platform of the Harbour Light Trust", "scope", "service design with donors and trustees, building of the platform with card and direct debit, a dashboard for the trustees, and an accessibility review",
		"fee", "27,500.00 GBP", "instalments", "a fifth after design, the rest by sprint",
	).send(at(-207, 10_15)).sign(at(-203, 11_40), c.grace)

	// Void: the firm withdrew it.
	s.paper(c.priya, c.holm, domain.NoID, at(-212, 15_00), "Launch photography: retainer", retainerText, []Client{c.ingrid},
		"project", "photography of shops and products", "scope", "one day of photography in changing shops, with retouching", "hours", "8", "fee", "1,250.00 EUR", "term", "six months",
	).send(at(-212, 15_10)).void(at(-196, 9_30), "The shops take their own photographs from now on.")

	// Declined by the client.
	s.paper(c.tom, c.harbour, domain.NoID, at(-82, 14_00), "Annual campaigns: retainer", retainerText, []Client{c.grace},
		"project", "the campaigns of the year", "scope", "concept, texts and design of four campaigns, with their reports", "hours", "40", "fee", "3,200.00 GBP", "term", "one year",
	).send(at(-82, 14_20)).decline(at(-75, 20_10), c.grace,
		"The trustees would rather decide campaign by campaign. Please send us a price for the winter alone.")

	// Signed by the first of two.
	s.paper(c.priya, c.varga, w.exhibition, at(-29, 10_30), "Building with Timber: design agreement", designText, []Client{c.daniel, c.mei},
		"project", "the exhibition Building with Timber", "scope", "concept and design of six rooms, panels in two languages, a book of 64 pages, and supervision of the build",
		"fee", "31,400.00 EUR", "instalments", "a quarter after each stage",
	).send(at(-29, 10_50)).sign(at(-23, 19_15), c.daniel)

	// Viewed, sent and not yet viewed, and a draft.
	s.paper(c.priya, c.holm, w.ordering, at(-11, 9_20), "Online ordering: hosting and care", careText, []Client{c.ingrid},
		"project", "the online shop of Holm & Rye", "hours", "6", "fee", "640.00 EUR", "term", "two years",
	).send(at(-11, 9_45)).view(at(-5, 21_30), c.ingrid)

	s.paper(c.tom, c.harbour, w.donations, at(-8, 11_10), "Donations platform: hosting and care", careText, []Client{c.grace},
		"project", "the donations platform of the Harbour Light Trust", "hours", "4", "fee", "520.00 GBP", "term", "two years",
	).send(at(-8, 11_30))

	s.paper(c.tom, c.varga, w.website, at(-2, 16_10), "Practice website: hosting and care", careText, []Client{c.daniel, c.mei},
		"project", "the website of Atelier Varga", "hours", "2", "fee", "190.00 EUR", "term", "one year",
	)
}
