package projections

import (
	"github.com/atrium-portal/atrium/domain"
)

// invoiceSumRow is what the invoices of a firm add up to, by currency, status and, of those of which something is due,
// the date on which it is.
type invoiceSumRow struct {
	Firm      domain.ID     `db:"firm,key"`
	Currency  string        `db:"currency,key"`
	Status    invoiceStatus `db:"status,key"`
	Due       string        `db:"due,key"` // 2026-11-22; empty when nothing is due
	Invoices  int64         `db:"invoices"`
	Total     int64         `db:"total"`
	Paid      int64         `db:"paid"`
	Credited  int64         `db:"credited"`
	DueAmount int64         `db:"due_amount"`
}

// monthSumRow is what moved the balances of a firm's clients in a month.
type monthSumRow struct {
	Firm     domain.ID `db:"firm,key"`
	Currency string    `db:"currency,key"`
	Month    string    `db:"month,key"` // 2026-11, of the date on which it counts
	Kind     entryKind `db:"kind,key"`
	Entries  int64     `db:"entries"`
	Amount   int64     `db:"amount"`
}

// projectSumRow is how many projects of a firm stand alike.
type projectSumRow struct {
	Firm       domain.ID `db:"firm,key"`
	Health     string    `db:"health,key"` // or completed
	Stage      string    `db:"stage,key"`
	StageIndex int64     `db:"stage_index,key"`
	Projects   int64     `db:"projects"`
}

// contractSumRow is how many contracts of a firm are in a status.
type contractSumRow struct {
	Firm      domain.ID `db:"firm,key"`
	Status    string    `db:"status,key"`
	Contracts int64     `db:"contracts"`
}

// accountSumRow is how many clients a firm has.
type accountSumRow struct {
	Firm     domain.ID `db:"firm,key"`
	State    string    `db:"state,key"` // open or closed
	Accounts int64     `db:"accounts"`
}

// totalTables are what a firm's dashboard adds up, so that it costs the same for a firm with a million invoices.
func totalTables() []Table {
	return []Table{
		DefineSum(Sum[invoiceRow, invoiceSumRow]{Name: "invoice_sums", Of: "invoices", Row: func(row *invoiceRow) *invoiceSumRow {
			sum := &invoiceSumRow{
				Firm: row.Firm, Currency: row.Currency, Status: row.Status,
				Total: row.Total, Paid: row.Paid, Credited: row.Credited, DueAmount: row.DueAmount,
			}
			if row.DueAmount > 0 {
				sum.Due = row.Due.String()
			}
			return sum
		}}),
		DefineSum(Sum[ledgerRow, monthSumRow]{Name: "month_sums", Of: "ledger", Row: func(row *ledgerRow) *monthSumRow {
			return &monthSumRow{Firm: row.Firm, Currency: row.Currency, Month: row.Date.String()[:len("2006-01")], Kind: row.Kind, Amount: row.Amount}
		}}),
		DefineSum(Sum[projectRow, projectSumRow]{Name: "project_sums", Of: "projects", Row: func(row *projectRow) *projectSumRow {
			sum := &projectSumRow{Firm: row.Firm, Health: string(row.Health), Stage: row.Stage, StageIndex: int64(row.StageIndex)}
			if row.Completed {
				sum.Health = "completed"
			}
			return sum
		}}),
		DefineSum(Sum[contractRow, contractSumRow]{Name: "contract_sums", Of: "contracts", Row: func(row *contractRow) *contractSumRow {
			return &contractSumRow{Firm: row.Firm, Status: string(row.Status)}
		}}),
		DefineSum(Sum[accountRow, accountSumRow]{Name: "account_sums", Of: "accounts", Row: func(row *accountRow) *accountSumRow {
			sum := &accountSumRow{Firm: row.Firm, State: "open"}
			if row.Closed {
				sum.State = "closed"
			}
			return sum
		}}),
	}
}
