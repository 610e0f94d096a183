package readapi

import (
	"net/http"
	"reflect"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/readapi/auth"
)

// StaffDashboard is the firm at a glance.
type StaffDashboard struct {
	Totals    []CurrencyTotals `json:"totals" doc:"one per currency"`
	Accounts  map[string]int64 `json:"accounts" doc:"how many are open and closed"`
	Projects  map[string]int64 `json:"projects" doc:"how many are of each health, and completed"`
	Contracts map[string]int64 `json:"contracts" doc:"how many are in each status"`
	Invoices  map[string]int64 `json:"invoices" doc:"how many are in each status, as shown"`
	Position  domain.Position  `json:"position"`
	Stale     bool             `json:"stale,omitempty"`
}

// CurrencyTotals are amounts of one currency over all invoices that were sent and not voided.
type CurrencyTotals struct {
	Currency string       `json:"currency" sql:"i.currency"`
	Billed   domain.Money `json:"billed" sql:"sum(i.total)::bigint"`
	Paid     domain.Money `json:"paid" sql:"sum(i.paid)::bigint" doc:"without what was refunded"`
	Credited domain.Money `json:"credited" sql:"sum(i.credited)::bigint"`
	Due      domain.Money `json:"due" sql:"sum(i.due_amount)::bigint"`
	Overdue  domain.Money `json:"overdue" sql:"coalesce(sum(i.due_amount) filter (where i.due <> '' and i.due < to_char({today}::date, 'YYYY-MM-DD')), 0)::bigint"`
}

// ClientDashboard is what a contact has to know and to do.
type ClientDashboard struct {
	AmountDue []domain.Money   `json:"amount_due" doc:"one per currency"`
	Open      int64            `json:"open_invoices" doc:"how many are to be paid, the overdue ones included"`
	Overdue   int64            `json:"overdue_invoices"`
	Actions   []Action         `json:"actions" doc:"what waits for this contact, 50 of a kind at most, the longest awaited first"`
	Projects  []ProjectSummary `json:"projects" doc:"under way"`
	Activity  []Entry          `json:"activity" doc:"the latest"`
	Position  domain.Position  `json:"position"`
	Stale     bool             `json:"stale,omitempty"`
}

// Action is something that a contact is asked to do.
type Action struct {
	Kind    string        `json:"kind" enum:"sign_contract,pay_invoice"`
	ID      domain.ID     `json:"id" doc:"of the contract or invoice"`
	Label   string        `json:"label" doc:"title of the contract, number of the invoice"`
	Due     domain.Date   `json:"due,omitzero"`
	Overdue bool          `json:"overdue"`
	Amount  *domain.Money `json:"amount,omitempty"`
	Since   time.Time     `json:"since"`
}

// ProjectSummary is how a project stands.
type ProjectSummary struct {
	ID         domain.ID `json:"id" sql:"p.id"`
	Name       string    `json:"name" sql:"p.name"`
	Stages     []string  `json:"stages" sql:"p.stages"`
	Stage      string    `json:"stage" sql:"p.stage"`
	StageIndex int       `json:"stage_index" sql:"p.stage_index"`
	Health     string    `json:"health" sql:"p.health" enum:"on_track,waiting_on_client,shifted"`
	HealthNote string    `json:"health_note,omitempty" sql:"p.health_note"`
}

type (
	dueMoney struct {
		Currency string       `sql:"i.currency"`
		Amount   domain.Money `sql:"sum(i.due_amount)::bigint"`
		Open     int64        `sql:"count(*)"`
		Overdue  int64        `sql:"count(*) filter (where i.due < {today})"`
	}
	contractToSign struct {
		ID    domain.ID `sql:"c.id"`
		Label string    `sql:"c.title"`
		Since time.Time `sql:"c.sent_at"`
	}
	invoiceToPay struct {
		Currency string       `sql:"i.currency"`
		ID       domain.ID    `sql:"i.id"`
		Label    string       `sql:"i.label"`
		Due      domain.Date  `sql:"i.due"`
		Amount   domain.Money `sql:"i.due_amount"`
		Since    time.Time    `sql:"i.sent_at"`
	}
)

var (
	totalsView  = viewOf[CurrencyTotals]()
	dueView     = viewOf[dueMoney]()
	toSignView  = viewOf[contractToSign]()
	toPayView   = viewOf[invoiceToPay]()
	summaryView = viewOf[ProjectSummary]()
)

// dashboard answers GET /dashboard.
func (s *server) dashboard(w http.ResponseWriter, r *http.Request) {
	scope := auth.From(r.Context())
	p := parseParams(r, everyRead...)
	q := s.start(scope, p)
	stale, err := s.ready(r.Context(), p)
	if err != nil {
		Problem(w, r, err)
		return
	}
	var answer any
	if scope.Staff() {
		answer = q.staffDashboard(stale)
	} else {
		answer = q.clientDashboard(stale, 50)
	}
	if err := s.run(r.Context(), q); err != nil {
		Problem(w, r, err)
		return
	}
	reflect.ValueOf(answer).Elem().FieldByName("Position").Set(reflect.ValueOf(q.position))
	reply(w, r, answer, stale)
}

func (q *reading) staffDashboard(stale bool) *StaffDashboard {
	d := &StaffDashboard{Stale: stale}
	readAll(q, totalsView, " from invoice_sums i where i.firm = {firm} and i.status not in ('draft', 'void') group by i.currency order by i.currency", &d.Totals)
	q.counts(map[string]*map[string]int64{"account": &d.Accounts, "project": &d.Projects, "contract": &d.Contracts, "invoice": &d.Invoices})
	return d
}

// clientDashboard lists so many invoices to pay at most.
func (q *reading) clientDashboard(stale bool, invoices int) *ClientDashboard {
	d := &ClientDashboard{Stale: stale, AmountDue: []domain.Money{}, Actions: []Action{}, Projects: []ProjectSummary{}, Activity: []Entry{}}
	if q.scope.Permits("view_contracts") && q.scope.Permits("sign_contracts") {
		each(q, toSignView, ` from contracts c where c.firm = {firm} and c.account = {account} and c.status = 'sent'
			and c.next_signer = {contact} order by c.sent_at, c.id limit 50`, func(c contractToSign) {
			d.Actions = append(d.Actions, Action{Kind: "sign_contract", ID: c.ID, Label: c.Label, Since: c.Since})
		})
	}
	if q.scope.Permits("view_invoices") {
		open := " from invoices i where i.firm = {firm} and i.account = {account} and i.released and i.due_amount > 0"
		each(q, dueView, open+" group by i.currency order by i.currency", func(m dueMoney) {
			d.AmountDue = append(d.AmountDue, m.Amount)
			d.Open, d.Overdue = d.Open+m.Open, d.Overdue+m.Overdue
		})
		each(q, toPayView, open+" order by i.due, i.id limit "+strconv.Itoa(invoices), func(i invoiceToPay) {
			d.Actions = append(d.Actions, Action{
				Kind: "pay_invoice", ID: i.ID, Label: i.Label, Due: i.Due, Overdue: i.Due.Before(q.today), Amount: &i.Amount, Since: i.Since,
			})
		})
	}
	if q.scope.Permits("view_projects") {
		readAll(q, summaryView, ` from projects p where p.firm = {firm} and p.account = {account} and not p.completed
			order by p.opened_at desc, p.id desc limit 50`, &d.Projects)
	}
	readAll(q, entryViews[domain.Client], pageTables+" where h.firm = {firm}"+entriesMine+" and h.event not in ("+lookEvents+") order by h.position desc limit 10", &d.Activity)
	return d
}

// readAll queues a query for the rows of a view, into a list.
func readAll[V any](q *reading, v *view, from string, into *[]V) {
	*into = []V{}
	each(q, v, from, func(one V) { *into = append(*into, one) })
}

// each queues a query for the rows of a view, one by one.
func each[V any](q *reading, v *view, from string, take func(V)) {
	q.add(q.statement().add("select ", v.columns, from), func(rows pgx.Rows) error {
		scanner := v.scanner()
		for rows.Next() {
			if err := scanner.scan(rows); err != nil {
				return err
			}
			take(scanner.object.Interface().(V))
		}
		return rows.Err()
	})
}

// late is the condition on sums i of invoices that they are overdue.
const late = "i.due <> '' and i.due < to_char({today}::date, 'YYYY-MM-DD')"

// counts queues how many things of each kind there are, by how they stand.
func (q *reading) counts(into map[string]*map[string]int64) {
	for _, counts := range into {
		*counts = map[string]int64{}
	}
	q.add(q.statement().add(`select 'account', state, sum(accounts)::bigint from account_sums where firm = {firm} group by 2
		union all select 'project', health, sum(projects)::bigint from project_sums where firm = {firm} group by 2
		union all select 'contract', status, sum(contracts)::bigint from contract_sums where firm = {firm} group by 2
		union all select 'invoice', case when `+late+` then 'overdue' else i.status end, sum(i.invoices)::bigint from invoice_sums i where i.firm = {firm} group by 2`),
		func(rows pgx.Rows) error {
			for rows.Next() {
				var kind, key string
				var n int64
				if err := rows.Scan(&kind, &key, &n); err != nil {
					return err
				}
				(*into[kind])[key] = n
			}
			return rows.Err()
		})
}
