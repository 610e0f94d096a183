package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os/user"

	"github.com/atrium-portal/atrium/commands"
	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/audit"
	"github.com/atrium-portal/atrium/readapi"
)

// looks puts what the read side tells on record.
type looks struct{ journal *commands.AuditJournal }

func (l looks) Record(ctx context.Context, look readapi.Look) error {
	line := l.line(look)
	err := l.journal.Now(ctx, line)
	if err != nil {
		err = &domain.Fault{Kind: domain.Unavailable, Code: "not-on-record", Message: "This cannot be given right now: it could not be put on record. Please try again in a moment."}
	}
	return err
}

func (l looks) Later(ctx context.Context, look readapi.Look) { l.journal.Later(ctx, l.line(look)) }

func (l looks) line(look readapi.Look) commands.AuditLine {
	m := look.Meta
	m.Time = l.journal.Loop.Now()
	r := look.Record
	about := audit.About{Record: audit.Record{Type: r.Type, ID: r.ID, Label: domain.P(r.Label)}, Open: r.Open && look.Act != readapi.Refused, To: r.To}
	var fact audit.Event
	switch look.Act {
	case readapi.Viewed:
		fact = audit.RecordViewed{About: about, Part: look.What}
		m.Command = commands.ViewedOnce(m, look.What, r.ID)
	case readapi.Downloaded:
		fact = audit.FileDownloaded{About: about, File: look.What, SHA256: r.SHA256}
	case readapi.Exported:
		fact = audit.DataExported{About: about, Data: look.What, Format: look.Format}
	case readapi.Refused:
		fact = audit.AccessRefused{About: about, Tried: look.What, Code: look.Code}
	}
	return commands.AuditLine{Fact: fact, Meta: m}
}

// recorded is what a tool does, and then that it ran.
func recorded(ctx context.Context, tool string, f func(*stack) error) func(*stack) error {
	return func(k *stack) error { return k.ranTool(ctx, tool, "done", f(k)) }
}

// ranTool puts on record that an operator ran a tool, with one line in the history of each firm that it was about; no
// firms: of all. A failure of the tool is its result.
func (k *stack) ranTool(ctx context.Context, tool, result string, failed error, firms ...domain.ID) error {
	if len(firms) == 0 {
		all, err := k.firms(ctx)
		if err != nil {
			return errors.Join(failed, err)
		}
		for _, f := range all {
			firms = append(firms, f.ID)
		}
	}
	if failed != nil {
		result = "it failed"
		if errors.Is(failed, errDifference) {
			result = "it found differences"
		}
	}
	who := "somebody"
	if u, err := user.Current(); err == nil {
		who = cmp.Or(u.Username, who)
	}
	for _, f := range firms {
		_, err := k.loop.RecordAudit(context.WithoutCancel(ctx), commands.AuditLine{
			Fact: audit.ToolRun{About: audit.About{Record: audit.Record{Type: "firm", ID: f}}, Tool: tool, Result: result, By: domain.P(who)},
			Meta: domain.Meta{Firm: f, Actor: domain.SystemActor("operator"), Command: domain.NewID(), Request: "command line"},
		})
		if err != nil {
			return errors.Join(failed, fmt.Errorf("that %s ran is not on record: %w", tool, err))
		}
	}
	return failed
}
