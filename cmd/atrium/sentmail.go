package main

import (
	"context"
	"encoding/json"

	"github.com/google/uuid"

	"github.com/atrium-portal/atrium/commands"
	"github.com/atrium-portal/atrium/commands/reactors"
	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/audit"
)

// mailAbout is what the outbox keeps with a mail for the record: ids and a word, nothing of what it says. Mails of the
// door have none: that a link was sent is a fact of its own.
type mailAbout struct {
	Firm        domain.ID `json:"firm"`
	Account     domain.ID `json:"account,omitzero"`
	Kind        string    `json:"kind"`
	Person      domain.ID `json:"person,omitzero"`
	Type        string    `json:"type"`
	Record      domain.ID `json:"record"`
	Cause       domain.ID `json:"cause"`
	Correlation domain.ID `json:"correlation"`
}

func aboutMail(l reactors.Letter) ([]byte, error) {
	f := l.About
	about := mailAbout{
		Firm: l.Firm, Account: f.Meta.Account, Kind: l.Kind, Person: l.Person, Type: f.Category, Record: f.Of,
		Cause: f.ID, Correlation: f.Meta.Correlation,
	}
	switch {
	case f.Meta.Account == domain.NoID: // staff
		about.Type, about.Record = "firm", l.Firm
	case f.Category == "access":
		about.Type, about.Record = "contact", l.Person
	}
	return json.Marshal(about)
}

// onRecord says that a mail has left, once however often it is told: its command is derived from the mail's id.
func (q queue) onRecord(ctx context.Context, id uuid.UUID) error {
	kept, err := q.outbox.About(ctx, id)
	if err != nil || kept == nil {
		return err
	}
	var m mailAbout
	if err := json.Unmarshal(kept, &m); err != nil {
		return err
	}
	_, err = q.loop.RecordAudit(ctx, commands.AuditLine{
		Fact: audit.MailSent{
			About: audit.About{Record: audit.Record{Type: m.Type, ID: m.Record}, Open: m.Account != domain.NoID, To: []domain.ID{m.Person}},
			Kind:  m.Kind, Person: m.Person,
		},
		Meta: domain.Meta{
			Firm: m.Firm, Account: m.Account, Actor: domain.SystemActor("mail"), Command: domain.DeriveID("mail sent", id.String()),
			Causation: m.Cause, Correlation: m.Correlation,
		},
	})
	return err
}
