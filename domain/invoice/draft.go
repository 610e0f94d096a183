package invoice

import (
	"fmt"
	"slices"

	"github.com/atrium-portal/atrium/domain"
)

const (
	maxLines      = 500
	maxRecipients = 100
	lowestPrice   = -10_000_000_000_000 // as far below zero as amounts go above it
)

// Draft makes an invoice for an account.
type Draft struct {
	Account    domain.ID       `json:"account"`
	Project    domain.ID       `json:"project,omitzero"`
	Recipients []domain.ID     `json:"recipients,omitempty"`
	Due        domain.Date     `json:"due"`
	Note       domain.Personal `json:"note,omitzero"`
	Lines      []Line          `json:"lines"`

	Currency string `json:"-"` // the account's, looked up before the decision; empty when not known
}

// Owner is the account.
func (c Draft) Owner() domain.ID { return c.Account }

// Refs are the project and the recipients.
func (c Draft) Refs() []domain.Ref { return refs(c.Project, c.Recipients) }

func refs(project domain.ID, recipients []domain.ID) []domain.Ref {
	refs := []domain.Ref{{Field: "project", Category: "project", ID: project}}
	for i, r := range recipients {
		refs = append(refs, domain.Ref{Field: fmt.Sprintf("recipients[%d]", i), Category: "contact", ID: r})
	}
	return refs
}

// Decide drafts the invoice.
func (c Draft) Decide(s State, _ domain.Meta) ([]Event, error) {
	content := Content{Project: c.Project, Recipients: c.Recipients, Due: c.Due, Note: c.Note}
	var v domain.Checks
	checkContent(&v, content)
	checkLines(&v, c.Lines, c.Currency)
	if err := v.Err(); err != nil {
		return nil, err
	}
	if err := content.setLines(c.Lines); err != nil || s.Status != "" {
		return nil, err
	}
	return []Event{Drafted(content)}, nil
}

// ChangeDraft changes a draft. Fields left out are kept; lines and recipients are replaced as a whole.
type ChangeDraft struct {
	Invoice    domain.ID        `json:"invoice"`
	Project    *domain.ID       `json:"project,omitempty"` // the zero id takes the invoice out of its project
	Recipients []domain.ID      `json:"recipients,omitempty"`
	Due        *domain.Date     `json:"due,omitempty"`
	Note       *domain.Personal `json:"note,omitempty"`
	Lines      []Line           `json:"lines,omitempty"`
}

// Target is the invoice.
func (c ChangeDraft) Target() domain.ID { return c.Invoice }

// Refs are the new project and recipients.
func (c ChangeDraft) Refs() []domain.Ref {
	var project domain.ID
	domain.Replace(&project, c.Project)
	return refs(project, c.Recipients)
}

// Decide records the content when something differs.
func (c ChangeDraft) Decide(s State, _ domain.Meta) ([]Event, error) {
	next := s.Content
	domain.Replace(&next.Project, c.Project)
	domain.Replace(&next.Due, c.Due)
	domain.Replace(&next.Note, c.Note)
	if c.Recipients != nil {
		next.Recipients = c.Recipients
	}
	var v domain.Checks
	checkContent(&v, next)
	if c.Lines != nil {
		checkLines(&v, c.Lines, s.Currency())
	}
	if err := v.Err(); err != nil {
		return nil, err
	}
	if err := s.mustBeDraft(); err != nil {
		return nil, err
	}
	if c.Lines != nil {
		if err := next.setLines(c.Lines); err != nil {
			return nil, err
		}
	}
	if next.same(s.Content) {
		return nil, nil
	}
	return []Event{DraftChanged(next)}, nil
}

// same compares what people gave; totals follow from the lines.
func (c Content) same(other Content) bool {
	return c.Project == other.Project && c.Due == other.Due && c.Note.Equal(other.Note) &&
		slices.Equal(c.Recipients, other.Recipients) && slices.Equal(c.Lines, other.Lines)
}

// setLines prices checked lines.
func (c *Content) setLines(lines []Line) (err error) {
	c.Lines, c.Totals, err = Price(lines)
	if err != nil {
		return err
	}
	var v domain.Checks
	v.That(c.Totals.Total.Amount >= 0, "lines", "invoice-below-zero", "The total is below zero. Lower the discounts, or issue a credit note instead.")
	return v.Err()
}

func checkContent(v *domain.Checks, c Content) {
	v.That(!c.Due.IsZero(), "due", "due-required", "Give the date on which payment is due.")
	v.OptionalText(c.Note.Reveal(), "note", 5000)
	v.That(len(c.Recipients) <= maxRecipients, "recipients", "recipients-too-many", fmt.Sprintf("Give at most %d recipients.", maxRecipients))
	for i, r := range c.Recipients {
		field := fmt.Sprintf("recipients[%d]", i)
		v.That(r != domain.NoID, field, "recipient-required", "Give the id of a contact.")
		v.That(!slices.Contains(c.Recipients[:i], r), field, "recipient-twice", "Name each recipient once.")
	}
}

// checkLines checks lines, which must be in currency, or all in that of the first when it is empty.
func checkLines(v *domain.Checks, lines []Line, currency string) {
	v.That(len(lines) > 0, "lines", "lines-required", "Give at least one line.")
	v.That(len(lines) <= maxLines, "lines", "lines-too-many", fmt.Sprintf("Give at most %d lines.", maxLines))
	if len(lines) > maxLines {
		return
	}
	for i, l := range lines {
		if currency == "" {
			currency = l.UnitPrice.Currency
		}
		v.Text(l.Description.Reveal(), linePath(i, "description"), 2000)
		v.That(l.Quantity != 0, linePath(i, "quantity"), "quantity-required", "Give a quantity other than zero.")
		v.Money(l.UnitPrice, linePath(i, "unit_price"), currency, lowestPrice)
		v.That(l.TaxRate >= 0 && l.TaxRate <= 100*domain.One, linePath(i, "tax_rate"), "tax-rate-out-of-range", "Give a tax rate from 0 to 100 percent.")
	}
}

// Void ends a draft, or a sent invoice of which no payment is left.
type Void struct {
	Invoice domain.ID       `json:"invoice"`
	Reason  domain.Personal `json:"reason"`
}

// Target is the invoice.
func (c Void) Target() domain.ID { return c.Invoice }

// Decide voids the invoice.
func (c Void) Decide(s State, m domain.Meta) ([]Event, error) {
	var v domain.Checks
	v.Text(c.Reason.Reveal(), "reason", 500)
	if err := v.Err(); err != nil || s.Status == StatusVoid {
		return nil, err
	}
	if s.Status == "" {
		return nil, domain.Missing("invoice")
	}
	if paid := s.Paid(); paid.Amount > 0 {
		return nil, domain.Refuse("invoice-has-payments", paid.String()+" was paid on this invoice. Refund it first.")
	}
	return []Event{Voided{Amount: s.Due(), Date: m.Today(), Reason: c.Reason}}, nil
}
