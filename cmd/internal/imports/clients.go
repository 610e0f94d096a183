package imports

import (
	"strings"

	"github.com/atrium-portal/atrium/commands"
	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/account"
	"github.com/atrium-portal/atrium/domain/contact"
)

// client is what a row says about a client and one of its contacts.
type client struct {
	name, currency        string
	person, email, phone  string
	address, taxID, notes string
}

// details are what the rows of one client must agree on.
func (c client) details() [4]string { return [4]string{c.currency, c.address, c.taxID, c.notes} }

func (c client) contact() account.Person {
	return account.Person{Name: domain.P(c.person), Email: domain.P(c.email), Phone: domain.P(c.phone)}
}

// named fills in names that are missing: a client is called after its contact, and the other way round.
func (c client) named() client {
	for _, name := range []string{c.person, c.email} {
		if c.name == "" {
			c.name = name
		}
	}
	if c.person == "" {
		c.person = c.name
	}
	return c
}

// accountOrder names the command that opens the account of a client, by the client's name.
func (im *importer) accountOrder(name string, command account.Open, digest string) commands.Order {
	return im.order("OpenAccount", command, digest, "account", fold(name))
}

// accountID is the id of the account of a client, also of one that was imported long ago.
func (im *importer) accountID(name string) domain.ID {
	return im.accountOrder(name, account.Open{}, "").Meta.NewID("account")
}

// party is a client with all its contacts.
type party struct {
	client
	line     int
	contacts []client // the first one is the client's own
}

// clients makes a job of each client. Several rows of one client are its contacts.
func (im *importer) clients(s sheet) []*job {
	read := map[string]func(row, string) (client, error){InvoiceNinja: ninjaClient, FreshBooks: freshClient}[im.From]
	parties, byName, byEmail := []*party{}, map[string]*party{}, map[string]int{}
	for _, r := range s.rows {
		if r.fault != "" {
			im.problem(r.line, "%s", r.fault)
			continue
		}
		c, err := read(r, im.FirmCurrency)
		if err != nil {
			im.problem(r.line, "%s", reason("client "+shorten(c.name, 60), err))
			continue
		}
		c = c.named()
		p := byName[fold(c.name)]
		email, used := byEmail[domain.FoldEmail(c.email)]
		switch {
		case p != nil && c.details() != p.details():
			im.problem(r.line, "client %s stands on line %d with other details: write the same in both rows, or give one another name", shorten(c.name, 60), p.line)
		case p != nil && p.has(c): // the same row again
		case used && c.email != "":
			im.problem(r.line, "client %s: the e-mail %s stands on line %d already: each person needs their own", shorten(c.name, 60), shorten(c.email, 60), email)
		case p != nil:
			p.contacts = append(p.contacts, c)
			byEmail[domain.FoldEmail(c.email)] = r.line
		default:
			p = &party{client: c, line: r.line, contacts: []client{c}}
			parties = append(parties, p)
			byName[fold(c.name)], byEmail[domain.FoldEmail(c.email)] = p, r.line
		}
	}
	var jobs []*job
	for _, p := range parties {
		j := &job{line: p.line, what: "client " + shorten(p.name, 60)}
		if err := im.open(p, j); err != nil {
			im.problem(j.line, "%s", reason(j.what, err))
			continue
		}
		jobs = append(jobs, j)
	}
	return jobs
}

// has reports whether a contact is among those of the client.
func (p *party) has(c client) bool {
	for _, known := range p.contacts {
		if known.contact() == c.contact() {
			return true
		}
	}
	return false
}

// open makes the commands of a client and decides them in memory.
func (im *importer) open(p *party, j *job) error {
	open := account.Open{Name: domain.P(p.name), Currency: p.currency, Contact: p.contact()}
	o := im.accountOrder(p.name, open, digest(p.name, p.currency, p.person, p.email, p.phone, p.address, p.taxID, p.notes))
	state, err := rehearse(im, account.Aggregate, account.State{}, open, o)
	if err != nil {
		return err
	}
	j.orders = append(j.orders, o)
	id := o.Meta.NewID("account")

	first := contact.Add{Account: id, Name: open.Contact.Name, Email: open.Contact.Email, Phone: open.Contact.Phone, Primary: true}
	person := im.order("AddContact", first, o.Meta.Digest, "first contact", fold(p.name))
	person.Target = o.Meta.NewID("contact")
	j.person = &person

	if p.address+p.taxID+p.notes != "" {
		change := account.ChangeDetails{Account: id, Address: personal(p.address), TaxID: personal(p.taxID), Notes: personal(p.notes)}
		o := im.order("ChangeAccountDetails", change, o.Meta.Digest, "details", fold(p.name))
		if _, err := rehearse(im, account.Aggregate, state, change, o); err != nil {
			return err
		}
		j.orders = append(j.orders, o)
	}
	for _, c := range p.contacts[1:] {
		add := contact.Add{Account: id, Name: domain.P(c.person), Email: domain.P(c.email), Phone: domain.P(c.phone)}
		key := domain.FoldEmail(c.email)
		if key == "" {
			key = fold(c.person)
		}
		o := im.order("AddContact", add, digest(c.person, c.email, c.phone), "contact", fold(p.name), key)
		if _, err := rehearse(im, contact.Aggregate, contact.State{}, add, o); err != nil {
			return err
		}
		j.orders = append(j.orders, o)
	}
	return nil
}

// personal is text for an optional field; nothing leaves the field alone.
func personal(text string) *domain.Personal {
	if text == "" {
		return nil
	}
	p := domain.P(text)
	return &p
}

// lines joins what is not blank, one a line.
func lines(parts ...string) string { return joined("\n", parts...) }

// joined joins what is not blank.
func joined(between string, parts ...string) string {
	var some []string
	for _, p := range parts {
		if p = strings.TrimSpace(p); p != "" {
			some = append(some, p)
		}
	}
	return strings.Join(some, between)
}

// labelled is text behind its label; nothing without text.
func labelled(label, text string) string {
	if text == "" {
		return ""
	}
	return label + ": " + text
}
