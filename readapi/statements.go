package readapi

import (
	"reflect"
	"time"

	"github.com/atrium-portal/atrium/domain"
)

// Statement is what an account owed before a period, what moved in it by business date, and what it owed after:
// closing = opening + billed - paid + refunded - credited - voided. Contacts see what the invoices that they see
// amount to. An account has one currency.
type Statement struct {
	Account     domain.ID    `json:"account" sql:"a.id"`
	AccountName string       `json:"account_name" sql:"a.name"`
	Currency    string       `json:"currency" sql:"a.currency"`
	From        domain.Date  `json:"from,omitzero" sql:"{from}::date"`
	To          domain.Date  `json:"to,omitzero" sql:"{to}::date"`
	Opening     domain.Money `json:"opening" sql:"l.opening"`
	Billed      domain.Money `json:"billed" sql:"l.billed"`
	Paid        domain.Money `json:"paid" sql:"l.paid"`
	Refunded    domain.Money `json:"refunded" sql:"l.refunded"`
	Credited    domain.Money `json:"credited" sql:"l.credited"`
	Voided      domain.Money `json:"voided" sql:"l.voided"`
	Closing     domain.Money `json:"closing" sql:"l.closing"`
}

// StatementDetail is a statement with its entries, oldest first.
type StatementDetail struct {
	Statement
	Entries []StatementEntry `json:"entries"`
}

// StatementEntry is one movement of what an account owes. Amounts above zero mean that it owes more.
type StatementEntry struct {
	Currency      string       `json:"-" sql:"l.currency"`
	Date          domain.Date  `json:"date" sql:"l.date"`
	RecordedAt    time.Time    `json:"recorded_at" sql:"l.recorded_at"`
	Kind          string       `json:"kind" sql:"l.kind" enum:"invoice,payment,refund,credit_note,void"`
	Invoice       domain.ID    `json:"invoice" sql:"l.invoice"`
	InvoiceNumber string       `json:"invoice_number" sql:"i.label"`
	Number        string       `json:"number,omitempty" sql:"l.label" doc:"of the credit note, where it is one"`
	Amount        domain.Money `json:"amount" sql:"l.amount"`
	Balance       domain.Money `json:"balance" doc:"after the entry"`
}

// sums are an account's entries up to the end of the period, added up. The casts say that amounts fit: each is bounded.
const sums = `cross join lateral (
	select coalesce(sum(e.amount) filter (where e.date < {from}::date), 0)::bigint as opening,
		coalesce(sum(e.amount) filter (where in_period and e.kind = 'invoice'), 0)::bigint as billed,
		coalesce(-sum(e.amount) filter (where in_period and e.kind = 'payment'), 0)::bigint as paid,
		coalesce(sum(e.amount) filter (where in_period and e.kind = 'refund'), 0)::bigint as refunded,
		coalesce(-sum(e.amount) filter (where in_period and e.kind = 'credit_note'), 0)::bigint as credited,
		coalesce(-sum(e.amount) filter (where in_period and e.kind = 'void'), 0)::bigint as voided,
		coalesce(sum(e.amount), 0)::bigint as closing,
		count(*) as entries
	from ledger e, lateral (select e.date >= coalesce({from}::date, '-infinity') as in_period) p
	where e.firm = a.firm and e.account = a.id and e.date <= coalesce({to}::date, 'infinity')
) l`

// maxEntries bounds a statement: whoever wants more takes it period by period.
const maxEntries = 10_000

func statements() *collection {
	all := source{from: "accounts a " + sums, list: viewOf[Statement](), get: viewOf[StatementDetail](), shown: "l.entries > 0"}
	return &collection{
		name: "statements", what: "account", permission: "view_invoices",
		doc:    "What accounts owed before a period, what moved in it, and what they owed after. The id is the account's. Lists leave out accounts without entries.",
		client: all, staff: all,
		id: "a.id", firm: "a.firm", account: "a.id", period: true,
		about:   aboutOf{kind: "account", label: "a.name"},
		search:  []string{"a.name"},
		sorts:   both("name", "a.name", sortText),
		filters: []filter{{name: "account", kind: byID, sql: "a.id = $"}},
		parts: []part{{
			field: "Entries", view: viewOf[StatementEntry](), order: "l.date, l.position", most: maxEntries,
			from: "ledger l join invoices i on i.id = l.invoice",
			where: `l.firm = {firm} and l.account = $
				and l.date >= coalesce({from}::date, '-infinity') and l.date <= coalesce({to}::date, 'infinity')`,
		}},
		finish: func(object reflect.Value) { object.Interface().(*StatementDetail).balance() },
	}
}

// balance says what was owed after each entry.
func (s *StatementDetail) balance() {
	balance := s.Opening
	for i := range s.Entries {
		balance = balance.Add(s.Entries[i].Amount)
		s.Entries[i].Balance = balance
	}
}
