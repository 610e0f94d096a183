package invoice_test

import (
	"fmt"
	"testing"

	"github.com/atrium-portal/atrium/domain"
	dt "github.com/atrium-portal/atrium/domain/domaintest"
	"github.com/atrium-portal/atrium/domain/invoice"
)

var (
	byAna    = dt.By(dt.Client("ana"))
	asked    = invoice.Questioned{Question: byAna.NewID("question"), Contact: ana, Text: domain.P("We cancelled this.")}
	answered = invoice.QuestionAnswered{Question: asked.Question, Text: domain.P("You are right; a credit note follows.")}
)

func TestQuestion(t *testing.T) {
	ask := invoice.Question{Invoice: dt.ID("it"), Text: asked.Text}
	by := func(persons ...string) invoice.Question {
		c := ask
		for _, p := range persons {
			c.Persons = append(c.Persons, dt.ID(p))
		}
		return c
	}
	many := append(events{}, open...)
	for i := range 20 {
		many = append(many, invoice.Questioned{Question: dt.ID(fmt.Sprint("question ", i)), Contact: ana, Text: asked.Text})
	}
	dt.Run(t, invoice.Aggregate, cases{
		{Name: "of whoever receives it", Given: open, When: by("ana"), Meta: byAna, Then: events{asked}},
		{Name: "of whoever a recipient was merged into", Given: open, When: by("somebody", "ana"), Meta: byAna, Then: events{asked}},
		{Name: "before it is known who asks", Given: open, When: ask, Meta: byAna, Then: events{asked}},
		{Name: "of nobody else", Given: open, When: by("bob"), Meta: byAna, Fault: "not-found"},
		{Name: "needs words", Given: open, When: invoice.Question{Invoice: dt.ID("it")}, Meta: byAna, Fault: "text-required text"},
		{Name: "about a draft", Given: events{drafted}, When: ask, Meta: byAna, Fault: "invoice-not-sent"},
		{Name: "about a void invoice", Given: append(open, voided), When: ask, Meta: byAna, Fault: "invoice-void"},
		{Name: "about no invoice", When: ask, Meta: byAna, Fault: "not-found"},
		{Name: "after an answer", Given: append(open, asked, answered), When: ask, Meta: laterByAna(), Then: events{later(asked)}},
		{Name: "when too many are open", Given: many, When: ask, Meta: byAna, Fault: "questions-too-many"},
	})
}

func laterByAna() domain.Meta {
	m := byAna
	m.Command = dt.ID("a later command")
	return m
}

func later(q invoice.Questioned) invoice.Questioned {
	q.Question = laterByAna().NewID("question")
	return q
}

func TestAnswer(t *testing.T) {
	answer := invoice.Answer{Invoice: dt.ID("it"), Question: asked.Question, Text: answered.Text}
	given := append(events{}, append(open, asked)...)
	if got, err := answer.Decide(invoice.Aggregate.Fold(given...), dt.Meta()); err != nil || len(got) != 1 || got[0] != answered {
		t.Fatalf("%v, %v", got, err)
	}
	for want, c := range map[string]struct {
		given events
		when  invoice.Answer
	}{
		"question-answered": {append(given, answered), answer},
		"not-found":         {given, invoice.Answer{Invoice: dt.ID("it"), Question: dt.ID("another"), Text: answered.Text}},
		"text-required":     {given, invoice.Answer{Invoice: dt.ID("it"), Question: asked.Question}},
	} {
		if _, err := c.when.Decide(invoice.Aggregate.Fold(c.given...), dt.Meta()); code(err) != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
	if s := invoice.Aggregate.Fold(given...); s.OpenQuestions() != 1 || invoice.Aggregate.Evolve(s, answered).OpenQuestions() != 0 {
		t.Error("open questions are counted wrongly")
	}
	if answer.Target() != dt.ID("it") || (invoice.Question{Invoice: dt.ID("it")}).Target() != dt.ID("it") {
		t.Error("they act on something else")
	}
	if asked.Sentence() != "questioned the invoice" || answered.Sentence() != "answered the question about the invoice" {
		t.Error("sentences")
	}
}
