package imports_test

import (
	"context"
	"encoding/csv"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/atrium-portal/atrium/cmd/internal/imports"
	"github.com/atrium-portal/atrium/commands"
	"github.com/atrium-portal/atrium/commands/commandstest"
	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/account"
	"github.com/atrium-portal/atrium/domain/catalog"
	"github.com/atrium-portal/atrium/domain/domaintest"
	"github.com/atrium-portal/atrium/domain/firm"
	"github.com/atrium-portal/atrium/domain/invoice"
)

// house is a firm, without clients, in a log in memory.
type house struct {
	t    *testing.T
	log  *commandstest.Memory
	loop *commands.Loop
	firm domain.ID
}

func newHouse(t *testing.T) *house {
	t.Helper()
	h := &house{t: t, log: commandstest.NewMemory()}
	h.restart()
	receipt, err := h.loop.Dispatch(t.Context(), commands.Order{
		Name: "CreateFirm", Command: firm.Create{Name: "North", Currency: "USD", TimeZone: "America/New_York"},
		Meta: domain.Meta{Actor: domain.SystemActor("setup"), Command: domaintest.ID("firm")},
	})
	if err != nil {
		t.Fatal(err)
	}
	h.firm = receipt.ID
	return h
}

// restart is a new process on the same log.
func (h *house) restart() {
	h.t.Helper()
	codec, err := domain.NewCodec(catalog.Types(), domaintest.NewKeys(), nil)
	if err != nil {
		h.t.Fatal(err)
	}
	h.loop, err = commands.NewLoop(commands.Options{
		Log: h.log, Codec: codec, Menu: commands.Atrium(), Now: func() time.Time { return domaintest.Now }, LoginKey: []byte("0123456789abcdef"),
	})
	if err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) facts() []domain.Fact {
	h.t.Helper()
	var facts []domain.Fact
	for _, r := range h.log.All() {
		f, err := h.loop.Codec.Decode(r)
		if err != nil {
			h.t.Fatal(err)
		}
		facts = append(facts, f)
	}
	return facts
}

// counts is how many events of each type there are.
func (h *house) counts() map[string]int {
	counts := map[string]int{}
	for _, r := range h.log.All() {
		counts[r.Type]++
	}
	return counts
}

// options import text as a file.
func (h *house) options(kind, from, text string) imports.Options {
	return imports.Options{
		Dispatcher: h.loop, Firm: h.firm, FirmCurrency: "USD", Kind: kind, From: from, File: strings.NewReader(text), Name: "file.csv",
		Now: func() time.Time { return domaintest.Now },
		Exists: func(ctx context.Context, id domain.ID) (string, bool, error) {
			state, revision, err := commands.State(ctx, h.loop, account.Aggregate, id)
			return state.Currency, revision != domain.NoStream, err
		},
		Imported: func(ctx context.Context, id domain.ID) (bool, error) {
			_, revision, err := commands.State(ctx, h.loop, invoice.Aggregate, id)
			return revision != domain.NoStream, err
		},
	}
}

func (h *house) run(kind, from, text string) imports.Summary {
	h.t.Helper()
	s, err := imports.Run(h.t.Context(), h.options(kind, from, text))
	if err != nil {
		h.t.Fatal(err)
	}
	return s
}

// clean imports a file that has no problems.
func (h *house) clean(kind, from, text string) imports.Summary {
	h.t.Helper()
	s := h.run(kind, from, text)
	if len(s.Problems) > 0 {
		h.t.Fatalf("problems: %v", s.Problems)
	}
	return s
}

// invoices are the sent and drafted invoices by what is on them: label, or "draft".
func (h *house) invoices() map[string]invoice.State {
	h.t.Helper()
	found := map[string]invoice.State{}
	for _, f := range h.facts() {
		if f.Category != "invoice" || f.Revision > 0 {
			continue
		}
		state, _, err := commands.State(h.t.Context(), h.loop, invoice.Aggregate, f.Of)
		if err != nil {
			h.t.Fatal(err)
		}
		label := state.Label
		if state.Status == invoice.StatusDraft {
			label = "draft"
		}
		found[label] = state
	}
	return found
}

func fixture(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// table writes rows below a header as CSV.
func table(header string, rows ...[]string) string {
	var b strings.Builder
	w := csv.NewWriter(&b)
	b.WriteString(header + "\n")
	for _, r := range rows {
		w.Write(r) //nolint:errcheck // a strings.Builder takes everything
	}
	w.Flush()
	return b.String()
}

// expect compares problems: each wanted one is a line and a part of the reason.
func expect(t *testing.T, got []imports.RowProblem, want ...imports.RowProblem) {
	t.Helper()
	same := slices.EqualFunc(got, want, func(g, w imports.RowProblem) bool { return g.Line == w.Line && strings.Contains(g.Reason, w.Reason) })
	if !same {
		t.Fatalf("problems:\n%v\nwant:\n%v", got, want)
	}
}

func usd(cents int64) domain.Money { return domain.Money{Amount: cents, Currency: "USD"} }

// mortal passes commands on until it has passed some, and then fails as a store does.
type mortal struct {
	imports.Dispatcher
	left chan struct{}
}

func newMortal(d imports.Dispatcher, n int) mortal {
	m := mortal{d, make(chan struct{}, n)}
	for range n {
		m.left <- struct{}{}
	}
	return m
}

var errKilled = errors.New("killed")

func (m mortal) Dispatch(ctx context.Context, o commands.Order) (commands.Receipt, error) {
	select {
	case <-m.left:
		return m.Dispatcher.Dispatch(ctx, o)
	default:
		return commands.Receipt{}, errKilled
	}
}
