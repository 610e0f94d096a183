package readapi

import (
	"time"

	"github.com/atrium-portal/atrium/domain"
)

// Account is a client of the firm.
type Account struct {
	ID             domain.ID `json:"id" sql:"a.id"`
	Revision       int64     `json:"revision" sql:"a.revision"`
	Name           string    `json:"name" sql:"a.name"`
	Currency       string    `json:"currency" sql:"a.currency"`
	Address        string    `json:"address,omitempty" sql:"a.address"`
	TaxID          string    `json:"tax_id,omitempty" sql:"a.tax_id"`
	PrimaryContact domain.ID `json:"primary_contact" sql:"a.primary_contact"`
	Closed         bool      `json:"closed" sql:"a.closed"`
	OpenedAt       time.Time `json:"opened_at" sql:"a.opened_at"`
	ClosedAt       time.Time `json:"closed_at,omitzero" sql:"a.closed_at"`
}

// StaffAccount adds what the firm writes for itself.
type StaffAccount struct {
	Account
	Notes       string `json:"notes,omitempty" sql:"n.notes"`
	CloseReason string `json:"close_reason,omitempty" sql:"n.close_reason"`

	ModulesOff []string `json:"modules_off" sql:"a.modules_off" doc:"parts of the portal that this client does not get"`
}

func accounts() *collection {
	client, staff := viewOf[Account](), viewOf[StaffAccount]()
	return &collection{
		name: "accounts", what: "account", doc: "Clients of the firm. Contacts see their own.",
		client: source{from: "accounts a", list: client, get: client},
		staff:  source{from: "accounts a left join account_notes n on n.id = a.id", list: staff, get: staff},
		id:     "a.id", firm: "a.firm", account: "a.id",
		search:  []string{"a.name"},
		sorts:   append(both("name", "a.name", sortText), both("-opened", "a.opened_at", sortInstant)...),
		filters: []filter{{name: "closed", kind: byYesNo, sql: "a.closed = $"}},
		history: "h.account = $",
		about:   aboutOf{kind: "account", label: "a.name"},
	}
}
