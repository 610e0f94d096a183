package reactors

import (
	"bytes"
	"context"
	"errors"
	htmltemplate "html/template"
	"slices"
	"strings"
	"text/template"

	"github.com/atrium-portal/atrium/commands"
	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/contact"
	"github.com/atrium-portal/atrium/domain/contract"
	"github.com/atrium-portal/atrium/domain/firm"
	"github.com/atrium-portal/atrium/domain/invoice"
)

// Readers tells who works for a client.
type Readers interface {
	// Readers are the contacts of an account of a firm, in any order, whether or not they get in.
	Readers(ctx context.Context, firm, account domain.ID) ([]domain.ID, error)
}

// Copies draws what signers keep.
type Copies interface {
	// SignedCopy is the SHA-256, in lower-case hex, of the PDF file that the signers of a complete contract download.
	SignedCopy(ctx context.Context, firm, contract domain.ID) (string, error)
}

// news is a mail about something of a client's, to those who may see it and want to hear of it. It says what it is
// about and where to read it: amounts and texts stay in the portal.
type news struct {
	kind       contact.Notification
	must       bool // nobody can do without it
	permission contact.Permission
	recipients []domain.ID // none: everybody with the permission
	subject    string
	text       string
	path       string // of the page that it is about

	// For the letter.
	Name, Firm, Subject, Text, Link, Choice string
}

// newsTypes are the events that clients are told of.
var newsTypes = []string{
	invoice.Sent{}.EventType(), invoice.PaymentRecorded{}.EventType(), invoice.Overdue{}.EventType(), invoice.QuestionAnswered{}.EventType(),
	contract.Sent{}.EventType(), contract.Signed{}.EventType(), contract.Completed{}.EventType(),
}

// newsOf is what there is to tell of a fact; ok is false for nothing.
func (n Notices) newsOf(ctx context.Context, f domain.Fact) (what news, ok bool, err error) {
	switch e := f.Event.(type) {
	case invoice.Event:
		state, _, err := commands.State(ctx, n.Loop, invoice.Aggregate, f.Of)
		if err != nil {
			return news{}, false, err
		}
		what, ok = invoiceNews(e, state)
		what.path, what.permission, what.recipients = "/invoices/"+f.Of.String(), contact.ViewInvoices, state.Content.Recipients
		return what, ok, nil
	case contract.Event:
		state, _, err := commands.State(ctx, n.Loop, contract.Aggregate, f.Of)
		if err != nil {
			return news{}, false, err
		}
		what, ok = contractNews(e, state)
		what.path, what.permission = "/contracts/"+f.Of.String(), contact.ViewContracts
		return what, ok, nil
	}
	return news{}, false, nil
}

func invoiceNews(e invoice.Event, now invoice.State) (news, bool) {
	name := "invoice " + now.Label
	switch e := e.(type) {
	case invoice.Sent:
		if e.Imported || now.Status != invoice.StatusSent {
			return news{}, false
		}
		return news{kind: contact.NewInvoice, subject: "A new " + name, text: "There is a new " + name + ". It is due on " + e.Due.String() + "."}, true
	case invoice.PaymentRecorded:
		if e.Receipt == "" { // another program received it, and gave the receipt
			return news{}, false
		}
		return news{kind: contact.PaymentArrived, subject: "Your payment for " + name + " has arrived", text: "Thank you. The receipt is " + e.Receipt + "; you find it with the invoice."}, true
	case invoice.Overdue:
		if now.Due().Amount <= 0 {
			return news{}, false
		}
		return news{kind: contact.InvoiceOverdue, subject: "A reminder of " + name, text: "The " + name + " was due on " + e.Due.String() + " and is still open. If you have paid in the last days, there is nothing left to do."}, true
	case invoice.QuestionAnswered:
		return news{kind: contact.QuestionReply, subject: "An answer about " + name, text: "The question about " + name + " is answered. You find the answer with the invoice."}, true
	case invoice.Drafted, invoice.DraftChanged, invoice.Paid, invoice.PaymentRefunded, invoice.CreditNoteIssued, invoice.Voided, invoice.Questioned:
	}
	return news{}, false
}

func contractNews(e contract.Event, now contract.State) (news, bool) {
	switch e.(type) {
	case contract.Sent, contract.Signed:
		next := slices.IndexFunc(now.Signers, func(s contract.Signee) bool { return !s.Signed })
		if now.Status != contract.StatusSent || next < 0 {
			return news{}, false
		}
		return news{
			kind: contact.ContractToSign, recipients: []domain.ID{now.Signers[next].Contact},
			subject: "A contract waits for your signature", text: "It is your turn to read and sign a contract.",
		}, true
	case contract.Completed:
		what := news{
			kind: "signed_contract", must: true, subject: "Your copy of the signed contract",
			text: "Everybody has signed the contract. Here is your copy, with the certificate of its signatures: download it as PDF and keep it.",
		}
		for _, s := range now.Signers {
			what.recipients = append(what.recipients, s.Contact)
		}
		return what, true
	case contract.Drafted, contract.DraftChanged, contract.Opened, contract.DisclosureShown, contract.Viewed, contract.ConsentGiven,
		contract.ConsentWithdrawn, contract.SignatureAdopted, contract.CopyDelivered, contract.Declined, contract.Voided:
	}
	return news{}, false
}

// spread posts a letter to each contact of a client who may see what it is about and wants to hear of it.
func (n Notices) spread(ctx context.Context, f domain.Fact) error {
	what, ok, err := n.newsOf(ctx, f)
	if err != nil || !ok {
		return err
	}
	settings, _, err := commands.State(ctx, n.Loop, firm.Aggregate, f.Meta.Firm)
	if err != nil {
		return err
	}
	readers, err := n.Readers.Readers(ctx, f.Meta.Firm, f.Meta.Account)
	if err != nil {
		return err
	}
	for _, id := range readers {
		access, err := n.Loop.Access(ctx, f.Meta.Firm, id, f.Meta.Account)
		if err != nil {
			return err
		}
		named := len(what.recipients) == 0 || slices.ContainsFunc(append(access.Absorbed, id), func(one domain.ID) bool { return slices.Contains(what.recipients, one) })
		if !access.OK || access.Account != f.Meta.Account || !slices.Contains(access.Permissions, what.permission) || !named {
			continue
		}
		reader, _, err := commands.State(ctx, n.Loop, contact.Aggregate, id)
		if err != nil {
			return err
		}
		if !reader.CanSignIn() || !what.must && !reader.Wants(what.kind) {
			continue
		}
		what.Name, what.Firm = reader.Details.Name.Reveal(), settings.Settings.Name
		letter, err := what.letter(n.Base)
		if err != nil {
			return err
		}
		letter.ID, letter.Firm, letter.To, letter.Created = domain.DeriveID("news", f.ID.String(), id.String()), f.Meta.Firm, reader.Details.Email.Reveal(), n.Now()
		letter.Kind, letter.Person, letter.About = strings.ReplaceAll(string(what.kind), "_", " "), id, f
		if err := n.Post.Post(ctx, letter); err != nil {
			return err
		}
		if _, signed := f.Event.(contract.Completed); signed {
			if err := n.delivered(ctx, f, append(access.Absorbed, id)); err != nil {
				return err
			}
		}
	}
	return nil
}

// delivered records that a signer got their copy of a complete contract. ids are the signer's, with those of duplicates
// that were merged into theirs.
func (n Notices) delivered(ctx context.Context, f domain.Fact, ids []domain.ID) error {
	state, _, err := commands.State(ctx, n.Loop, contract.Aggregate, f.Of)
	if err != nil {
		return err
	}
	for _, signer := range state.Signers {
		if signer.Copied || !slices.Contains(ids, signer.Contact) {
			continue
		}
		deliver := contract.DeliverCopy{Contract: f.Of, Contact: signer.Contact, Channel: "email"}
		if n.Copies != nil {
			if deliver.SHA256, err = n.Copies.SignedCopy(ctx, f.Meta.Firm, f.Of); err != nil {
				return err
			}
		}
		_, err = n.Loop.Dispatch(ctx, commands.Order{Name: "DeliverCopy", Command: deliver, Meta: domain.Meta{
			Firm: f.Meta.Firm, Actor: domain.SystemActor(n.Name()), Command: domain.DeriveID("copy", f.ID.String(), signer.Contact.String()),
			Correlation: f.Meta.Correlation, Causation: f.ID,
		}})
		if err != nil {
			return err
		}
	}
	return nil
}

var (
	newsText = template.Must(template.ParseFS(mailFiles, "mails/news.txt"))
	newsPage = htmltemplate.Must(htmltemplate.ParseFS(mailFiles, "mails/news.html"))
)

// letter writes the letter of a portal that people reach at base.
func (n news) letter(base string) (l Letter, err error) {
	n.Subject, n.Text, n.Link, n.Choice = strings.Join(strings.Fields(n.subject), " "), n.text, base+n.path, base+"/profile/notifications"
	var text, page bytes.Buffer
	err = errors.Join(newsText.Execute(&text, n), newsPage.Execute(&page, n))
	return Letter{Subject: n.Subject, Text: text.String(), HTML: page.String()}, err
}
