package projections

import (
	"time"

	"github.com/atrium-portal/atrium/domain"
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
