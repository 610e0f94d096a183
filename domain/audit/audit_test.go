package audit_test

import (
	"testing"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/audit"
	dt "github.com/atrium-portal/atrium/domain/domaintest"
)

var seven = audit.About{
	Record: audit.Record{Type: "invoice", ID: dt.ID("seven"), Label: domain.P("2026-007")}, Open: true, To: []domain.ID{dt.ID("ana")},
}

// samples has every line with every field filled.
func samples() []domain.Event {
	return []domain.Event{
		audit.RecordViewed{About: seven, Part: "statement"},
		audit.FileDownloaded{About: seven, File: "invoice", SHA256: "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03"},
		audit.DataExported{About: seven, Data: "history", Format: "csv"},
		audit.AccessRefused{About: seven, Tried: "SendInvoice", Code: "not-permitted"},
		audit.MailSent{About: seven, Kind: "new invoice", Person: dt.ID("ana")},
		audit.ToolRun{About: seven, Tool: "replay rebuild", Result: "done", By: domain.P("root")},
	}
}

func TestGolden(t *testing.T) { dt.Golden(t, audit.Aggregate, samples()...) }

func TestSentences(t *testing.T) {
	account := audit.About{Record: audit.Record{Type: "account", ID: dt.ID("acme")}}
	for want, e := range map[string]domain.Event{
		"opened invoice 2026-007":                                 audit.RecordViewed{About: seven},
		"opened the statement of the account":                     audit.RecordViewed{About: account, Part: "statement"},
		"downloaded invoice 2026-007":                             audit.FileDownloaded{About: seven, File: "invoice"},
		"downloaded the statement of the account":                 audit.FileDownloaded{About: account, File: "statement"},
		"exported the history of invoice 2026-007 as csv":         audit.DataExported{About: seven, Data: "history", Format: "csv"},
		"tried to open invoice 2026-007 and was refused":          audit.AccessRefused{About: seven, Tried: audit.Look, Code: "not-found"},
		"tried to send invoice and was refused: invoice 2026-007": audit.AccessRefused{About: seven, Tried: "SendInvoice", Code: "invoice-void"},
		"went out: new invoice":                                   audit.MailSent{About: seven, Kind: "new invoice"},
		"ran atrium replay verify as root: no differences":        audit.ToolRun{Tool: "replay verify", Result: "no differences", By: domain.P("root")},
	} {
		if got := e.Sentence(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestStreams(t *testing.T) {
	firm, acme, march := dt.ID("firm"), dt.ID("acme"), domain.Date{Year: 2026, Month: 3, Day: 1}
	one := audit.StreamID(firm, acme, "ana", march, 0)
	if one != audit.StreamID(firm, acme, "ana", domain.Date{Year: 2026, Month: 3, Day: 31}, 0) {
		t.Error("a month has two streams")
	}
	for name, other := range map[string]domain.ID{
		"month": audit.StreamID(firm, acme, "ana", domain.Date{Year: 2026, Month: 4, Day: 1}, 0), "part": audit.StreamID(firm, acme, "ana", march, 1),
		"person": audit.StreamID(firm, acme, "ben", march, 0), "account": audit.StreamID(firm, domain.NoID, "ana", march, 0),
	} {
		if other == one {
			t.Errorf("another %s has the same stream", name)
		}
	}
	s := audit.Aggregate.Fold(audit.RecordViewed{About: seven})
	if s != (audit.State{}) || (audit.RecordViewed{About: seven}).What().Record.ID != dt.ID("seven") {
		t.Error("a line is not about its record")
	}
}
