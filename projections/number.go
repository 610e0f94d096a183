package projections

import (
	"time"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/numbering"
)

// numberRow is a number that was handed out, and to which document. A gap would show here, and so does a number that
// waits for its document.
type numberRow struct {
	Firm       domain.ID `db:"firm,key"`
	Kind       string    `db:"kind,key"` // invoice, credit_note …
	Number     int64     `db:"number,key"`
	Document   domain.ID `db:"document"`
	ReservedAt time.Time `db:"reserved_at"`
}

func numberTables() []Table {
	return []Table{
		Define(Spec[numberRow]{
			Name: "numbers", Categories: []string{"numbering"}, Keys: numberKeys, Fold: foldNumber, Indexes: []string{"(document)"},
		}),
	}
}

func numberKeys(f domain.Fact) []Key {
	switch e := f.Event.(numbering.Event).(type) {
	case numbering.Reserved:
		return []Key{K(f.Meta.Firm, e.Kind, e.Number)}
	}
	return nil
}

func foldNumber(_ *numberRow, f domain.Fact) *numberRow {
	switch e := f.Event.(numbering.Event).(type) {
	case numbering.Reserved:
		return &numberRow{Firm: f.Meta.Firm, Kind: e.Kind, Number: e.Number, Document: e.Document, ReservedAt: f.Meta.Time}
	}
	return nil
}
