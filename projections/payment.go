package projections

import (
	"time"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/invoice"
)

// paymentRow is money received. Whoever sees its invoice sees it.
type paymentRow struct {
	ID         domain.ID      `db:"id,key"`
	Firm       domain.ID      `db:"firm"`
	Account    domain.ID      `db:"account"`
	Invoice    domain.ID      `db:"invoice"`
	Amount     int64          `db:"amount"`   // minor units of currency, as received
	Refunded   int64          `db:"refunded"` // of it
	Currency   string         `db:"currency"`
	Date       domain.Date    `db:"date"` // when the money arrived
	Method     invoice.Method `db:"method"`
	Reference  string         `db:"reference"`
	RecordedAt time.Time      `db:"recorded_at"` // when we learned it
}
