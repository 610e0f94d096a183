package readapi

import (
	"context"

	"github.com/atrium-portal/atrium/domain"
)

// Supposer answers what-if questions. Nothing is stored by them.
type Supposer interface {
	// Suppose gives an account's real figures beside those of a hypothesis; what cannot be read of it is a fault.
	Suppose(ctx context.Context, firm, account domain.ID, h Hypothesis) (*WhatIf, error)
}

// Hypothesis is what is supposed of an account's invoices, as people write it. Empty parts suppose nothing.
type Hypothesis struct {
	LateFee string // "1.5%/30d" or "25.00/14d": how much, and how many days after the due date
	TaxRate string // percent
	Plan    string // "6/30d": parts, and days between them
}

// WhatIf is an account's real figures beside those of a hypothesis.
type WhatIf struct {
	Invoices []SupposedInvoice `json:"invoices"`
	Real     Figures           `json:"real"`
	WhatIf   Figures           `json:"what_if"`
	Balances []SupposedBalance `json:"balances"` // at the end of the days on which something moves
}

// Figures are what was billed, paid and is due.
type Figures struct {
	Billed domain.Money `json:"billed"`
	Paid   domain.Money `json:"paid"`
	Due    domain.Money `json:"due"`
}

// SupposedInvoice is an invoice as it is and as it would be.
type SupposedInvoice struct {
	ID     domain.ID `json:"id"`
	Label  string    `json:"label"`
	Added  bool      `json:"added,omitempty"` // there is none really
	Real   Figures   `json:"real"`
	WhatIf Figures   `json:"what_if"`
}

// SupposedBalance is what the account owes at the end of a day.
type SupposedBalance struct {
	Date   domain.Date  `json:"date"`
	Real   domain.Money `json:"real"`
	WhatIf domain.Money `json:"what_if"`
}
