package imports

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/atrium-portal/atrium/domain"
)

// Summary says what an import did; of a dry run, what it would do.
type Summary struct {
	File     string       `json:"file"`
	From     string       `json:"from"`
	Kind     string       `json:"kind"`
	DryRun   bool         `json:"dry_run"`
	Rows     int          `json:"rows"` // below the header, without blank ones
	Accounts Count        `json:"accounts,omitzero"`
	Invoices Count        `json:"invoices,omitzero"`
	Drafts   int          `json:"drafts"` // among the invoices; they are not in the totals
	Events   int          `json:"events"` // appended to accounts and invoices by this run
	Totals   []Totals     `json:"totals"` // by currency
	Problems []RowProblem `json:"problems"`
}

// Count is how many there are now of what the file holds.
type Count struct {
	New       int `json:"new"`       // made by this run, also when an earlier one had begun
	Unchanged int `json:"unchanged"` // there already, as the file has it
}

// Totals are the sums of the invoices in the summary, in one currency.
type Totals struct {
	Currency string       `json:"currency"`
	Billed   domain.Money `json:"billed"`
	Paid     domain.Money `json:"paid"`
	Due      domain.Money `json:"due"`
}

// RowProblem is a row that was not imported and why.
type RowProblem struct {
	Line   int    `json:"line"` // of the file, from 1
	Reason string `json:"reason"`
}

// add counts what became of the jobs.
func (s *Summary) add(jobs []*job) {
	count := &s.Accounts
	if s.Kind == Invoices {
		count = &s.Invoices
	}
	totals := map[string]Totals{}
	s.Totals, s.Problems = []Totals{}, []RowProblem{}
	for _, j := range jobs {
		s.Events += j.appended
		switch {
		case j.reason != "":
			s.Problems = append(s.Problems, RowProblem{j.line, j.reason})
		case j.done && j.known:
			count.Unchanged++
		case j.done:
			count.New++
		}
		switch t := j.billed; {
		case !j.done:
		case t != nil:
			sum, begun := totals[t.Currency]
			if !begun {
				sum = Totals{t.Currency, t.Billed.Zero(), t.Billed.Zero(), t.Billed.Zero()}
			}
			totals[t.Currency] = Totals{t.Currency, sum.Billed.Add(t.Billed), sum.Paid.Add(t.Paid), sum.Due.Add(t.Due)}
		case s.Kind == Invoices:
			s.Drafts++
		}
	}
	for _, t := range totals {
		s.Totals = append(s.Totals, t)
	}
	slices.SortFunc(s.Totals, func(a, b Totals) int { return strings.Compare(a.Currency, b.Currency) })
}

// WriteJSON prints the summary for programs.
func (s Summary) WriteJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(s)
}

// String is the summary for people: tables of what was done, what it comes to and what was left out.
func (s Summary) String() string {
	title := fmt.Sprintf("%s (%s from %s)", s.File, s.Kind, product(s.From))
	made := "New"
	if s.DryRun {
		title += ": dry run, nothing was changed"
		made = "Would be new"
	}
	count := s.Accounts
	if s.Kind == Invoices {
		count = s.Invoices
	}
	facts := newTable()
	facts.AppendRows([]table.Row{{"Rows", s.Rows}, {made, count.New}, {"Unchanged", count.Unchanged}})
	if s.Drafts > 0 {
		facts.AppendRow(table.Row{"Of these drafts", s.Drafts})
	}
	if !s.DryRun {
		facts.AppendRow(table.Row{"Events added", s.Events})
	}
	facts.AppendRow(table.Row{"Problems", len(s.Problems)})
	parts := []string{title, facts.Render()}
	if len(s.Totals) > 0 {
		sums := newTable()
		sums.AppendHeader(table.Row{"Billed", "Paid", "Due"})
		for _, t := range s.Totals {
			sums.AppendRow(table.Row{t.Billed, t.Paid, t.Due})
		}
		sums.SetColumnConfigs([]table.ColumnConfig{right(1), right(2), right(3)})
		parts = append(parts, sums.Render())
	}
	if len(s.Problems) > 0 {
		rows := newTable()
		rows.AppendHeader(table.Row{"Line", "Not imported"})
		for _, p := range s.Problems {
			rows.AppendRow(table.Row{p.Line, p.Reason})
		}
		rows.SetColumnConfigs([]table.ColumnConfig{right(1), {Number: 2, WidthMax: 110, WidthMaxEnforcer: text.WrapSoft}})
		parts = append(parts, rows.Render())
	}
	return strings.Join(parts, "\n")
}

func newTable() table.Writer {
	t := table.NewWriter()
	t.SetStyle(table.StyleLight)
	t.Style().Format.Header = text.FormatDefault
	return t
}

func right(column int) table.ColumnConfig {
	return table.ColumnConfig{Number: column, Align: text.AlignRight, AlignHeader: text.AlignRight}
}
