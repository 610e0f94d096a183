package projections

import (
	"slices"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/audit"
	"github.com/atrium-portal/atrium/domain/contact"
)

// auditRow is what somebody looked at in a month, by the last of its lines. There is little in it: what people read is
// its history, where each line stands with the record that it is about.
type auditRow struct {
	ID         domain.ID   `db:"id,key" history:"-"`
	Firm       domain.ID   `db:"firm" history:"-"`
	Account    domain.ID   `db:"account,null" history:"-"` // none for what is of the firm itself
	Revision   int64       `db:"revision" history:"-"`
	Type       string      `db:"record_type" history:"-"`
	Record     domain.ID   `db:"record" history:"-"`
	Label      string      `db:"label" history:"-"`
	Visible    bool        `db:"client_visible" history:"-"`
	Recipients []domain.ID `db:"recipients" history:"-"`
}

// Audience shows contacts what they did themselves, and what others did that is not kept from them.
func (r auditRow) Audience() (visible bool, recipients []domain.ID) { return r.Visible, r.Recipients }

// Permission is that of the record.
func (r auditRow) Permission() string {
	switch r.Type {
	case "project":
		return string(contact.ViewProjects)
	case "invoice", "payment":
		return string(contact.ViewInvoices)
	case "contract":
		return string(contact.ViewContracts)
	}
	return ""
}

// About is the record that the line is about, in place of the stream that it stands in.
func (r auditRow) About() (category string, id domain.ID, label string) {
	return r.Type, r.Record, r.Label
}

func auditTables() []Table {
	return []Table{Define(Spec[auditRow]{Name: "audit", Categories: []string{"audit"}, Primary: true, Access: StaffOnly, Fold: foldAudit})}
}

func foldAudit(row *auditRow, f domain.Fact) *auditRow {
	row = known(row)
	if f.Revision == 0 {
		*row = auditRow{ID: f.Of, Firm: f.Meta.Firm, Account: f.Meta.Account}
	}
	line := f.Event.(audit.Event).What()
	row.Type, row.Record, row.Label = line.Record.Type, line.Record.ID, line.Record.Label.Reveal()
	row.Visible, row.Recipients = line.Open, slices.Clone(line.To)
	if f.Meta.Actor.Kind == domain.Client {
		row.Visible, row.Recipients = true, []domain.ID{f.Meta.Actor.ID}
	}
	return row
}
