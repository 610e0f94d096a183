package demo_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/atrium-portal/atrium/cmd/internal/demo"
	"github.com/atrium-portal/atrium/commands"
	"github.com/atrium-portal/atrium/commands/commandstest"
	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/contact"
	"github.com/atrium-portal/atrium/domain/contract"
	"github.com/atrium-portal/atrium/domain/domaintest"
	"github.com/atrium-portal/atrium/domain/firm"
	"github.com/atrium-portal/atrium/domain/invoice"
	"github.com/atrium-portal/atrium/domain/project"
)

// idle notes commands that did nothing.
type idle struct {
	slog.Handler
	t *testing.T
}

func (idle) Enabled(context.Context, slog.Level) bool { return true }

func (i idle) Handle(_ context.Context, r slog.Record) error {
	var command string
	r.Attrs(func(a slog.Attr) bool {
		switch {
		case a.Key == "command":
			command = a.Value.String()
		case a.Key == "events" && a.Value.Int64() == 0:
			i.t.Errorf("%s did nothing", command)
		}
		return true
	})
	if r.Level >= slog.LevelWarn {
		i.t.Errorf("%s (%s)", r.Message, command)
	}
	return nil
}

func newLoop(t *testing.T, log *commandstest.Memory, now time.Time, logger *slog.Logger) *commands.Loop {
	t.Helper()
	return commandstest.NewLoop(t, log, func() time.Time { return now }, logger)
}

func options(loop *commands.Loop) demo.Options { return demo.Options{Loop: loop, Now: loop.Now} }

func state[S any, E domain.Event](t *testing.T, loop *commands.Loop, a domain.Aggregate[S, E], id domain.ID) S {
	t.Helper()
	s, revision, err := commands.State(t.Context(), loop, a, id)
	if err != nil || revision == domain.NoStream {
		t.Fatalf("%s %s: revision %d, %v", a.Category, id, revision, err)
	}
	return s
}

// things are the ids of all things of a category.
func things(log *commandstest.Memory, category string) []domain.ID {
	var ids []domain.ID
	for _, r := range log.All() {
		if c, id, ok := domain.ParseStream(r.Stream); ok && c == category && r.Revision == 0 {
			ids = append(ids, id)
		}
	}
	return ids
}

// The story works on whichever day it is told, every step does something, and nothing of it lies ahead.
func TestStoryOnAnyDay(t *testing.T) {
	for n := range 14 {
		now := domaintest.Now.AddDate(0, 0, 25*n).Truncate(24 * time.Hour).Add(time.Duration(n) * 100 * time.Minute)
		log := commandstest.NewMemory()
		loop := newLoop(t, log, now, slog.New(idle{t: t}))
		o, steps, distinct := options(loop), 0, map[domain.ID]bool{}
		o.Progress = func(done, total int) {
			if steps++; done != steps || total < 150 {
				t.Fatalf("step %d told as %d of %d", steps, done, total)
			}
		}
		if _, err := demo.Make(t.Context(), o); err != nil {
			t.Fatalf("on %s: %v", now.Format(time.DateOnly), err)
		}
		var last time.Time
		for _, r := range log.All() {
			f, err := loop.Codec.Decode(r)
			if err != nil {
				t.Fatal(err)
			}
			distinct[f.Meta.Correlation] = true // what a command brings about shares it
			if f.Meta.Time.Before(last) || f.Meta.Time.After(now) {
				t.Fatalf("%s at %s, after %s, told at %s", r.Type, f.Meta.Time, last, now)
			}
			if last = f.Meta.Time; now.Sub(last) > 367*24*time.Hour {
				t.Fatalf("%s is longer ago than a year", r.Type)
			}
		}
		if len(distinct) != steps {
			t.Fatalf("%d steps are %d commands: two share a key", steps, len(distinct))
		}
	}
}

func TestCast(t *testing.T) {
	log := commandstest.NewMemory()
	loop := newLoop(t, log, domaintest.Now, nil)
	made, err := demo.Make(t.Context(), options(loop))
	if err != nil {
		t.Fatal(err)
	}
	f := state(t, loop, firm.Aggregate, made.Firm)
	if f.Settings.Name != made.Name || f.Slug != "northlight-studio" || len(made.Staff) != 2 || len(f.Staff) != 2 {
		t.Fatalf("%+v", f)
	}
	for _, s := range made.Staff {
		if known := f.Staff[s.ID]; !known.Active || known.Role != s.Role || known.Email.Reveal() != s.Email {
			t.Fatalf("%+v is %+v", s, known)
		}
	}
	accounts, frozen := map[domain.ID]int{}, 0
	for _, c := range made.Clients {
		known := state(t, loop, contact.Aggregate, c.ID)
		if known.Details.Name.Reveal() != c.Name || known.Details.Email.Reveal() != c.Email || known.Role != c.Role || known.Frozen != c.Frozen || known.CanSignIn() == c.Frozen {
			t.Fatalf("%+v is %+v", c, known)
		}
		accounts[c.AccountID]++
		if c.Frozen {
			frozen++
		}
	}
	if len(made.Clients) != 6 || len(accounts) != 3 || frozen != 1 || len(things(log, "account")) != 3 || len(things(log, "contact")) != 6 {
		t.Fatalf("%+v", made.Clients)
	}
}

// There is an invoice and a contract in each state, and projects under way and completed.
func TestEveryState(t *testing.T) {
	log := commandstest.NewMemory()
	loop := newLoop(t, log, domaintest.Now, nil)
	if _, err := demo.Make(t.Context(), options(loop)); err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	labels := []string{}
	for _, id := range things(log, "invoice") {
		s := state(t, loop, invoice.Aggregate, id)
		paid, refunded := s.Paid(), false
		for _, p := range s.Payments {
			refunded = refunded || p.Refunded.Amount > 0
		}
		switch {
		case s.Status != invoice.StatusSent:
			seen["invoice "+string(s.Status)]++
		case s.Overdue:
			seen["invoice overdue"]++
		case s.Due().Amount == 0 && s.Credited.Amount == s.Content.Totals.Total.Amount:
			seen["invoice credited"]++
		case s.Due().Amount == 0:
			seen["invoice paid"]++
		case paid.Amount > 0:
			seen["invoice part paid"]++
		default:
			seen["invoice sent"]++
		}
		if refunded {
			seen["invoice refunded"]++
		}
		if len(s.Content.Recipients) > 0 {
			seen["invoice with recipients"]++
		}
		for _, g := range s.Content.Totals.Groups {
			seen["tax "+g.Rate.String()]++
		}
		seen[s.Currency()]++
		if s.Label != "" {
			labels = append(labels, s.Label)
		}
	}
	slices.Sort(labels)
	if labels[0] != "NL-0001" || len(slices.Compact(labels)) != len(labels) || !strings.HasSuffix(labels[len(labels)-1], "17") {
		t.Errorf("labels %v", labels)
	}
	for _, id := range things(log, "contract") {
		s := state(t, loop, contract.Aggregate, id)
		viewed := slices.ContainsFunc(s.Signers, func(x contract.Signee) bool { return x.Viewed })
		signed := slices.ContainsFunc(s.Signers, func(x contract.Signee) bool { return x.Signed })
		switch {
		case s.Status != contract.StatusSent:
			seen["contract "+string(s.Status)]++
		case signed:
			seen["contract partly signed"]++
		case viewed:
			seen["contract viewed"]++
		default:
			seen["contract sent"]++
		}
	}
	for _, id := range things(log, "project") {
		s := state(t, loop, project.Aggregate, id)
		if s.Completed {
			seen["project completed"]++
		} else {
			seen["project "+string(s.Health)]++
		}
		if len(s.Team) == 0 {
			t.Errorf("project %s has no team", id)
		}
	}
	for _, want := range []string{
		"invoice draft", "invoice sent", "invoice part paid", "invoice paid", "invoice overdue", "invoice credited", "invoice refunded", "invoice void",
		"invoice with recipients", "tax 0", "tax 7", "tax 19", "EUR", "GBP",
		"contract draft", "contract sent", "contract viewed", "contract partly signed", "contract complete", "contract declined", "contract void",
		"project completed", "project on_track", "project waiting_on_client", "project shifted",
	} {
		if seen[want] == 0 {
			t.Errorf("there is no %s", want)
		}
	}
	for _, r := range log.All() {
		f, err := loop.Codec.Decode(r)
		if err != nil {
			t.Fatal(err)
		}
		if e, ok := f.Event.(contract.Drafted); ok && (strings.ContainsAny(e.Body.Reveal(), "{}") || len(e.Body.Reveal()) < 1000) {
			t.Errorf("the text of %q:\n%s", e.Title.Reveal(), e.Body.Reveal())
		}
		if by := f.Meta.Actor; by.Kind == domain.Client && !strings.HasPrefix(r.Stream, "contract-") && !strings.HasPrefix(r.Stream, "contact-") {
			t.Errorf("%s in %s by a client", r.Type, r.Stream)
		}
	}
	t.Logf("%d events: %v", len(log.All()), seen)
}

// event is what must be the same however the demo came about; what is sealed differs each time.
type event struct {
	stream, kind string
	revision     int64
	id           domain.ID
}

func events(log *commandstest.Memory) map[event]bool {
	all := map[event]bool{}
	for _, r := range log.All() {
		all[event{r.Stream, r.Type, r.Revision, r.ID}] = true
	}
	return all
}

func same(a, b map[event]bool) bool {
	for e := range a {
		if !b[e] {
			return false
		}
	}
	return len(a) == len(b)
}

func TestTwiceIsOnceAndPeopleMayChangeIt(t *testing.T) {
	log := commandstest.NewMemory()
	loop := newLoop(t, log, domaintest.Now, nil)
	first, err := demo.Make(t.Context(), options(loop))
	if err != nil {
		t.Fatal(err)
	}
	// Tom leaves; whatever he did in the story would be refused today.
	_, err = loop.Dispatch(t.Context(), commands.Order{
		Name: "DeactivateStaff", Command: firm.Deactivate{Firm: first.Firm, Staff: first.Staff[1].ID},
		Meta: domain.Meta{Firm: first.Firm, Actor: domain.Actor{Kind: domain.Staff, ID: first.Staff[0].ID}, Command: domaintest.ID("deactivate")},
	})
	if err != nil {
		t.Fatal(err)
	}
	before := len(log.All())
	again, err := demo.Make(t.Context(), options(newLoop(t, log, domaintest.Now.AddDate(0, 2, 5), nil)))
	if err != nil || len(log.All()) != before {
		t.Fatalf("%v, %d new events", err, len(log.All())-before)
	}
	if again.Firm != first.Firm || !slices.Equal(again.Staff, first.Staff) || !slices.Equal(again.Clients, first.Clients) {
		t.Fatalf("%+v, then %+v", first, again)
	}
}

// Killed at any append and told again on another day, the story is the one that was begun.
func TestKilledAndToldAgain(t *testing.T) {
	whole, all := commandstest.NewMemory(), 0
	whole.FailBefore(func(string) error { all++; return nil })
	if _, err := demo.Make(t.Context(), options(newLoop(t, whole, domaintest.Now, nil))); err != nil {
		t.Fatal(err)
	}
	killed := errors.New("killed")
	for n := 1; n <= all; n += 5 {
		log, appends := commandstest.NewMemory(), 0
		log.FailBefore(func(string) error {
			if appends++; appends >= n {
				return &commands.Rejected{Err: killed}
			}
			return nil
		})
		_, err := demo.Make(t.Context(), options(newLoop(t, log, domaintest.Now, nil)))
		log.FailBefore(nil)
		if !errors.Is(err, killed) {
			t.Fatalf("killed at append %d: %v", n, err)
		}
		day := domaintest.Now
		if len(log.All()) > 0 {
			day = day.AddDate(0, 0, 9)
		}
		if _, err := demo.Make(t.Context(), options(newLoop(t, log, day, nil))); err != nil {
			t.Fatalf("again, after being killed at append %d: %v", n, err)
		}
		if !same(events(log), events(whole)) {
			t.Fatalf("killed at append %d: %d events, want %d", n, len(log.All()), len(whole.All()))
		}
	}
}
