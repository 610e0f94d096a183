package projections

import (
	"testing"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/domaintest"
	"github.com/atrium-portal/atrium/domain/invoice"
)

func TestQuestionRow(t *testing.T) {
	asked := invoice.Questioned{Question: id("q1"), Contact: id("ana"), Text: domain.P("We cancelled this.")}
	other := invoice.Questioned{Question: id("q2"), Contact: id("ana"), Text: domain.P("And what is this?")}
	answer := invoice.QuestionAnswered{Question: id("q1"), Text: domain.P("A credit note follows.")}
	facts := story("invoice", "it", invoice.Drafted(content(t)), sent(), asked, other, answer)
	same(t, &questionRow{
		ID: id("q1"), Firm: id("firm"), Account: id("account"), Invoice: id("it"), Contact: id("ana"), Text: "We cancelled this.", AskedAt: at(2),
		Answer: "A credit note follows.", AnsweredBy: domaintest.Meta().Actor.ID, AnsweredAt: at(4),
	}, row[questionRow](t, facts, "questions", id("q1")))
	if open := row[questionRow](t, facts, "questions", id("q2")); !open.AnsweredAt.IsZero() || open.Text != "And what is this?" {
		t.Errorf("the answer to one question shows on the other: %+v", open)
	}
	if got := row[invoiceRow](t, facts, "invoices", id("it")); got.Status != sentInvoice || got.DueAmount != sent().Total.Amount {
		t.Errorf("a question changed what is due: %+v", got)
	}
}
