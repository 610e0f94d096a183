package demo

import (
	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/account"
	"github.com/atrium-portal/atrium/domain/contact"
	"github.com/atrium-portal/atrium/domain/firm"
)

// cast is everybody in the story.
type cast struct {
	priya, tom                             Staff
	holm, varga, harbour                   party
	ingrid, lukas, daniel, mei, grace, pat Client
}

// party is a client of the firm.
type party struct {
	id                      domain.ID
	name, currency, address string
}

func (p Staff) actor() domain.Actor  { return domain.Actor{Kind: domain.Staff, ID: p.ID} }
func (p Client) actor() domain.Actor { return domain.Actor{Kind: domain.Client, ID: p.ID} }

func (c cast) demo() Demo {
	return Demo{
		Firm: firmID(), Name: "Northlight Studio", Staff: []Staff{c.priya, c.tom},
		Clients: []Client{c.ingrid, c.daniel, c.grace, c.lukas, c.mei, c.pat},
	}
}

// people founds the firm, and brings its staff and clients.
func (s *story) people() (c cast) {
	s.do(setup(), at(firstStep, 8_30), "firm", "CreateFirm", firm.Create{Name: "Northlight Studio", Currency: "EUR", TimeZone: timeZone})
	s.steps[0].Target = firmID()
	c.priya = s.invite(setup(), at(firstStep, 8_31), Staff{Name: "Priya Nair", Email: "priya@northlight.example", Role: firm.Administrator})
	prefix := "NL-"
	s.do(c.priya.actor(), at(firstStep+3, 10_05), "prefix", "ChangeFirmSettings", firm.ChangeSettings{
		Firm: firmID(), InvoicePrefix: &prefix, Address: new("Lange Reihe 27\n20099 Hamburg\nGermany"), TaxID: new("DE 301 556 284"),
		PaymentDetails: new("Hanseatic Bank\nIBAN DE02 2003 0400 0123 4567 89\nBIC HANBDEHH"),
	})
	c.tom = s.invite(c.priya.actor(), at(firstStep+3, 10_20), Staff{Name: "Tom Becker", Email: "tom@northlight.example", Role: firm.Manager})

	c.holm, c.ingrid = s.open(c.priya, at(-361, 9_40), party{
		name: "Holm & Rye Bakeries", currency: "EUR", address: "Bahrenfelder Straße 114, 22765 Hamburg",
	}, "DE 318 442 907", "Nine shops, the tenth opens in autumn. Ingrid decides; invoices go to Lukas. Never call before eleven: they bake.",
		Client{Name: "Ingrid Holm", Email: "ingrid@holmrye.example", Role: contact.Owner}, "+49 40 555 0142")
	c.lukas = s.add(c.tom, at(-355, 14_10), c.holm, Client{Name: "Lukas Brandt", Email: "lukas@holmrye.example", Role: contact.Accounts}, "+49 40 555 0143")

	c.varga, c.daniel = s.open(c.priya, at(-292, 11_15), party{
		name: "Atelier Varga Architects", currency: "EUR", address: "Neckarstraße 8, 70182 Stuttgart",
	}, "DE 276 118 350", "Came through the timber award. Two partners; both want to sign.",
		Client{Name: "Daniel Varga", Email: "daniel@ateliervarga.example", Role: contact.Owner}, "+49 711 555 0119")
	c.mei = s.add(c.tom, at(-288, 10_30), c.varga, Client{Name: "Mei Tanaka", Email: "mei@ateliervarga.example", Role: contact.Member}, "")
	s.do(c.tom.actor(), at(-284, 9_25), "mei", "ChangePermissions", contact.ChangePermissions{Contact: c.mei.ID, Permissions: []contact.Permission{
		contact.ViewProjects, contact.ViewContracts, contact.SignContracts, contact.RaiseTickets, contact.UploadDocuments, contact.Message,
	}})

	c.harbour, c.grace = s.open(c.tom, at(-221, 15_20), party{
		name: "Harbour Light Trust", currency: "GBP", address: "12 Welsh Back, Bristol BS1 4SB, United Kingdom",
	}, "GB 204 9187 63", "Registered charity: reverse charge, no VAT on our invoices. The trustees meet on the first Tuesday of the month.",
		Client{Name: "Grace Okafor", Email: "grace@harbourlight.example", Role: contact.Owner}, "+44 117 555 0186")
	c.pat = s.add(c.tom, at(-218, 9_50), c.harbour, Client{Name: "Patrick Lindqvist", Email: "patrick@harbourlight.example", Role: contact.Accounts}, "+44 117 555 0187")

	phone := domain.P("+49 170 555 0142")
	s.do(c.ingrid.actor(), at(-101, 12_15), "ingrid", "ChangeContactDetails", contact.ChangeDetails{Contact: c.ingrid.ID, Phone: &phone})
	s.do(c.tom.actor(), at(-22, 16_40), "pat", "FreezeAccess", contact.Freeze{
		Contact: c.pat.ID, Reason: domain.P("Patrick has left the trust; his mailbox is being handed over."),
	})
	c.pat.Frozen = true
	return c
}

func (s *story) invite(by domain.Actor, when moment, p Staff) Staff {
	m := s.do(by, when, p.Email, "InviteStaff", firm.Invite{Firm: firmID(), Name: domain.P(p.Name), Email: domain.P(p.Email), Role: p.Role})
	p.ID = m.NewID("staff")
	return p
}

// open opens an account with its owner, who may use the portal.
func (s *story) open(by Staff, when moment, p party, taxID, notes string, owner Client, phone string) (party, Client) {
	m := s.do(by.actor(), when, p.name, "OpenAccount", account.Open{Name: domain.P(p.name), Currency: p.currency, Contact: account.Person{
		Name: domain.P(owner.Name), Email: domain.P(owner.Email), Phone: domain.P(phone),
	}})
	p.id = m.NewID("account")
	address, tax, internal := domain.P(p.address), domain.P(taxID), domain.P(notes)
	s.do(by.actor(), when.next(6), p.name, "ChangeAccountDetails", account.ChangeDetails{Account: p.id, Address: &address, TaxID: &tax, Notes: &internal})
	owner.ID = m.NewID("contact")
	return p, s.admit(by, when.next(11), p, owner)
}

// add adds a contact who may use the portal.
func (s *story) add(by Staff, when moment, p party, c Client, phone string) Client {
	m := s.do(by.actor(), when, c.Email, "AddContact", contact.Add{Account: p.id, Name: domain.P(c.Name), Email: domain.P(c.Email), Phone: domain.P(phone)})
	c.ID = m.NewID("contact")
	return s.admit(by, when.next(4), p, c)
}

func (s *story) admit(by Staff, when moment, p party, c Client) Client {
	s.do(by.actor(), when, c.Email, "GrantPortalAccess", contact.Grant{Contact: c.ID, Role: c.Role})
	c.AccountID, c.Account = p.id, p.name
	return c
}
