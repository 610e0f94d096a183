package commands_test

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/atrium-portal/atrium/commands"
	"github.com/atrium-portal/atrium/commands/commandstest"
	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/audit"
	"github.com/atrium-portal/atrium/domain/catalog"
	"github.com/atrium-portal/atrium/domain/domaintest"
)

// auditWorld is a loop on an empty log whose clock the test moves.
type auditWorld struct {
	log   *commandstest.Memory
	loop  *commands.Loop
	codec *domain.Codec
	now   time.Time
}

func newAuditWorld(t *testing.T) *auditWorld {
	t.Helper()
	w := &auditWorld{log: commandstest.NewMemory(), codec: domaintest.Codec(t, catalog.Types()...), now: domaintest.Now}
	var err error
	w.loop, err = commands.NewLoop(commands.Options{
		Log: w.log, Codec: w.codec, Menu: commands.Atrium(), Now: func() time.Time { return w.now }, LoginKey: []byte("0123456789abcdef"),
	})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// viewed is a look at an invoice of an account.
func (w *auditWorld) viewed(who, account, invoice string) commands.AuditLine {
	m := domain.Meta{
		Firm: domaintest.ID("firm"), Account: domaintest.ID(account), Actor: domaintest.Client(who), Time: w.now, Session: "session of " + who,
		IP: domain.P("192.0.2.7"),
	}
	m.Command = commands.ViewedOnce(m, "", domaintest.ID(invoice))
	return commands.AuditLine{Fact: audit.RecordViewed{About: audit.About{Record: audit.Record{Type: "invoice", ID: domaintest.ID(invoice)}}}, Meta: m}
}

func TestLinesAreStoredByTheBatch(t *testing.T) {
	w := newAuditWorld(t)
	appends := map[string]int{}
	w.log.FailBefore(func(stream string) error { appends[stream]++; return nil })
	var lines []commands.AuditLine
	for i := range 20 {
		lines = append(lines, w.viewed("ana", "acme", fmt.Sprint(i)), w.viewed("ben", "acme", fmt.Sprint(i)), w.viewed("ana", "bolt", fmt.Sprint(i)))
		w.now = w.now.Add(time.Second)
	}
	position, err := w.loop.RecordAudit(t.Context(), lines...)
	if err != nil || position == (domain.Position{}) {
		t.Fatal(position, err)
	}
	if len(appends) != 3 || len(w.log.All()) != 60 {
		t.Fatalf("%d lines in %d streams", len(w.log.All()), len(appends))
	}
	for stream, n := range appends {
		if n != 1 {
			t.Errorf("%s took %d appends", stream, n)
		}
	}
	for _, r := range w.log.All() {
		f, err := w.codec.Decode(r)
		if err != nil {
			t.Fatal(err)
		}
		if f.Meta.Session != "session of ana" && f.Meta.Session != "session of ben" || f.Meta.Account == domain.NoID || f.Meta.IP.Reveal() != "192.0.2.7" {
			t.Errorf("a line says %+v", f.Meta)
		}
	}
}

func TestAViewIsToldOncePerHour(t *testing.T) {
	w := newAuditWorld(t)
	for range 3 {
		if _, err := w.loop.RecordAudit(t.Context(), w.viewed("ana", "acme", "seven"), w.viewed("ana", "acme", "seven")); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(w.log.All()); n != 1 {
		t.Fatalf("%d lines in an hour", n)
	}
	w.now = w.now.Add(time.Hour)
	if _, err := w.loop.RecordAudit(t.Context(), w.viewed("ana", "acme", "seven"), w.viewed("ben", "acme", "seven")); err != nil {
		t.Fatal(err)
	}
	if n := len(w.log.All()); n != 3 {
		t.Fatalf("%d lines of two hours and two people", n)
	}
}

func TestTwoProcessesTellAViewOnce(t *testing.T) {
	w := newAuditWorld(t)
	other := newAuditWorld(t)
	options := other.loop.Options
	options.Log = w.log
	second, err := commands.NewLoop(options)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"one", "two", "one", "three"} {
		for _, loop := range []*commands.Loop{w.loop, second} {
			if _, err := loop.RecordAudit(t.Context(), w.viewed("ana", "acme", name)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if n := len(w.log.All()); n != 3 {
		t.Fatalf("%d lines of three views", n)
	}
}

func TestAFullStreamIsFollowedByAnother(t *testing.T) {
	w := newAuditWorld(t)
	var lines []commands.AuditLine
	for i := range 10_050 {
		lines = append(lines, w.viewed("ana", "acme", fmt.Sprint(i)))
	}
	if _, err := w.loop.RecordAudit(t.Context(), lines...); err != nil {
		t.Fatal(err)
	}
	streams := map[string]int{}
	for _, r := range w.log.All() {
		streams[r.Stream]++
	}
	if len(streams) != 2 || len(w.log.All()) != 10_050 {
		t.Fatalf("%v", streams)
	}
}

func TestJournalLosesNothing(t *testing.T) {
	w := newAuditWorld(t)
	journal := commands.NewAuditJournal(w.loop, slog.New(slog.DiscardHandler))
	down := true
	w.log.FailBefore(func(string) error {
		if down {
			return &commands.Rejected{Err: context.DeadlineExceeded}
		}
		return nil
	})
	for i := range 30 {
		journal.Later(t.Context(), w.viewed("ana", "acme", fmt.Sprint(i)))
	}
	waiting := journal.Flush(t.Context(), nil)
	if len(waiting) != 30 || len(w.log.All()) != 0 {
		t.Fatalf("%d wait, %d are stored", len(waiting), len(w.log.All()))
	}
	if err := journal.Now(t.Context(), w.viewed("ana", "acme", "file")); err == nil {
		t.Error("a line that is not stored is told as stored")
	}
	down = false
	if waiting = journal.Flush(t.Context(), waiting); len(waiting) != 0 || len(w.log.All()) != 30 {
		t.Fatalf("%d wait, %d are stored", len(waiting), len(w.log.All()))
	}
	// More than may wait are stored at once; the rest when the program stops.
	for i := range 5000 {
		journal.Later(t.Context(), w.viewed("ben", "acme", fmt.Sprint(i)))
	}
	stopped, stop := context.WithCancel(t.Context())
	stop()
	if err := journal.Run(stopped); err != nil || len(w.log.All()) != 5030 {
		t.Fatalf("%d are stored: %v", len(w.log.All()), err)
	}
}
