package invoice

import (
	"slices"

	"github.com/atrium-portal/atrium/domain"
)

// maxQuestions is how many questions of an invoice may be open at one time.
const maxQuestions = 20

// Questioned is what somebody at the client asks, or does not agree with.
type Questioned struct {
	Question domain.ID       `json:"question"`
	Contact  domain.ID       `json:"contact"`
	Text     domain.Personal `json:"text" subject:"contact"`
}

// QuestionAnswered is what the firm answers. It ends the question; another one may be asked.
type QuestionAnswered struct {
	Question domain.ID       `json:"question"`
	Text     domain.Personal `json:"text"`
}

func (Questioned) invoice()       {}
func (QuestionAnswered) invoice() {}

// EventType is the wire name.
func (Questioned) EventType() string { return "InvoiceQuestioned" }

// EventType is the wire name.
func (QuestionAnswered) EventType() string { return "InvoiceQuestionAnswered" }

// Sentence for history.
func (Questioned) Sentence() string { return "questioned the invoice" }

// Sentence for history.
func (QuestionAnswered) Sentence() string { return "answered the question about the invoice" }

// Question asks the firm about a sent invoice.
type Question struct {
	Invoice domain.ID       `json:"invoice"`
	Text    domain.Personal `json:"text"`

	// Persons are the asker and the duplicates merged into them, looked up before the decision. A decision without
	// them checks everything else.
	Persons []domain.ID `json:"-"`
}

// Target is the invoice.
func (c Question) Target() domain.ID { return c.Invoice }

// Decide notes the question of a contact who receives the invoice.
func (c Question) Decide(s State, m domain.Meta) ([]Event, error) {
	if len(s.Content.Recipients) > 0 && c.Persons != nil &&
		!slices.ContainsFunc(c.Persons, func(id domain.ID) bool { return slices.Contains(s.Content.Recipients, id) }) {
		return nil, domain.Missing("invoice")
	}
	var v domain.Checks
	v.Text(c.Text.Reveal(), "text", 2000)
	if err := v.Err(); err != nil {
		return nil, err
	}
	id := m.NewID("question")
	if _, asked := s.Questions[id]; asked {
		return nil, nil
	}
	if err := s.mustBeSent(); err != nil {
		return nil, err
	}
	if s.OpenQuestions() >= maxQuestions {
		return nil, domain.Refuse("questions-too-many", "There are many open questions about this invoice. Wait for the answers, or call the firm.")
	}
	return []Event{Questioned{Question: id, Contact: m.Actor.ID, Text: c.Text}}, nil
}

// Answer answers a question.
type Answer struct {
	Invoice  domain.ID       `json:"invoice"`
	Question domain.ID       `json:"question"`
	Text     domain.Personal `json:"text"`
}

// Target is the invoice.
func (c Answer) Target() domain.ID { return c.Invoice }

// Decide answers a question once.
func (c Answer) Decide(s State, _ domain.Meta) ([]Event, error) {
	var v domain.Checks
	v.Text(c.Text.Reveal(), "text", 2000)
	if err := v.Err(); err != nil {
		return nil, err
	}
	switch answered, asked := s.Questions[c.Question]; {
	case !asked:
		return nil, domain.Missing("question")
	case answered:
		return nil, domain.Refuse("question-answered", "This question was answered already.")
	}
	return []Event{QuestionAnswered{Question: c.Question, Text: c.Text}}, nil
}

// OpenQuestions is how many questions wait for an answer.
func (s State) OpenQuestions() int {
	n := 0
	for _, answered := range s.Questions {
		if !answered {
			n++
		}
	}
	return n
}
