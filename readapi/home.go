package readapi

import (
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/atrium-portal/atrium/domain"
)

// Frame is what stands around every page: who asks, and what waits for them.
type Frame struct {
	Name    string // of whoever asks; empty until the read models know them
	Email   string
	Account string // of a contact
	ToPay   int    // invoices that a contact may pay, counted up to 100: every page asks
	ToSign  int    // contracts whose turn is a contact's
	Overdue int    // invoices of the firm
	Asked   int    // questions that the firm has not answered
}

// FrameOf asks for the frame of a page.
func FrameOf(r *Reading) *Frame {
	f := &Frame{}
	st := r.q.statement()
	var targets []any
	if r.q.scope.Staff() {
		targets = []any{&f.Name, &f.Email, &f.Overdue, &f.Asked}
		st.add(`select s.name, coalesce(d.email, ''),
			(select coalesce(sum(i.invoices), 0)::bigint from invoice_sums i where i.firm = {firm} and ` + late + `),
			(select count(*) from questions q where q.firm = {firm} and q.answered_at is null)
			from staff s left join staff_details d on d.id = s.id where s.firm = {firm} and s.id = {contact}`)
	} else {
		targets = []any{&f.Name, &f.Email, &f.Account, &f.ToPay, &f.ToSign}
		st.add(`select c.name, c.email, a.name,
			(select count(*) from (select from invoices i where i.firm = {firm} and i.account = {account} and i.released and i.due_amount > 0 limit 100) due),
			(select count(*) from contracts k where k.firm = {firm} and k.account = {account} and k.status = 'sent' and k.next_signer = {contact})
			from contacts c join accounts a on a.id = {account}
			where c.firm = {firm} and c.id = {contact}`)
	}
	r.q.addLive(st, func(rows pgx.Rows) error {
		if rows.Next() {
			return rows.Scan(targets...)
		}
		return rows.Err()
	})
	return f
}

// StaffHome is what a member of staff looks at first: what needs attention, and how the firm does.
type StaffHome struct {
	*StaffDashboard
	Attention []Attention
	Months    []Month // the last twelve, by currency and month, oldest first
	Ageing    []Ageing
	Stages    []StageCount
	Latest    []StaffEntry // of the work, the newest first
}

// Attention is something that somebody at the firm should look at.
type Attention struct {
	Kind        string       `sql:"x.kind"` // one of the AttentionTo…
	ID          domain.ID    `sql:"x.id"`   // of the invoice, payment, contract, project or contact
	Label       string       `sql:"x.label"`
	Account     domain.ID    `sql:"x.account"`
	AccountName string       `sql:"a.name"`
	Amount      domain.Money `sql:"x.amount; x.currency"` // that is due
	Due         domain.Date  `sql:"x.due"`
	Since       time.Time    `sql:"x.since"`
	Text        string       `sql:"x.text"` // the question, the reason
	Person      string       `sql:"x.person"`
}

// The kinds of attention, the most urgent first.
const (
	AttentionToQuestion = "question"
	AttentionToReview   = "review"
	AttentionToOverdue  = "overdue"
	AttentionToDeclined = "declined"
	AttentionToShifted  = "shifted"
	AttentionToFrozen   = "frozen"
	AttentionToUnsigned = "unsigned"
	AttentionToWaiting  = "waiting"
)

// Month is what was billed and paid in a month. What was credited, voided or refunded in it is taken off.
type Month struct {
	First  domain.Date  `sql:"m.first"` // day
	Billed domain.Money `sql:"m.billed; m.currency"`
	Paid   domain.Money `sql:"m.paid; m.currency"`
}

// Ageing is what clients owe, by how long it is due.
type Ageing struct {
	Current domain.Money `sql:"(coalesce(sum(i.due_amount) filter (where i.due >= {today}), 0))::bigint; i.currency"`
	Days30  domain.Money `sql:"(coalesce(sum(i.due_amount) filter (where i.due < {today} and i.due >= {today}::date - 30), 0))::bigint; i.currency"`
	Days60  domain.Money `sql:"(coalesce(sum(i.due_amount) filter (where i.due < {today}::date - 30 and i.due >= {today}::date - 60), 0))::bigint; i.currency"`
	Days90  domain.Money `sql:"(coalesce(sum(i.due_amount) filter (where i.due < {today}::date - 60 and i.due >= {today}::date - 90), 0))::bigint; i.currency"`
	Older   domain.Money `sql:"(coalesce(sum(i.due_amount) filter (where i.due < {today}::date - 90), 0))::bigint; i.currency"`
}

// StageCount is how many projects under way are in a stage.
type StageCount struct {
	Stage string `sql:"p.stage"`
	Count int64  `sql:"sum(p.projects)::bigint"`
}

var (
	attentionView = viewOf[Attention]()
	monthView     = viewOf[Month]()
	ageingView    = viewOf[Ageing]()
	stageView     = viewOf[StageCount]()
)

// attention lists what needs attention, 20 of each kind at most. Each part gives the columns of the first.
const attention = ` from (
	(select 'question' as kind, 1 as urgency, q.invoice as id, i.label, q.account, 0::bigint as amount, i.currency, i.due, q.asked_at as since, q.text, c.name as person
		from questions q join invoices i on i.id = q.invoice left join contacts c on c.id = q.contact
		where q.firm = {firm} and q.answered_at is null order by q.asked_at limit 20)
	union all (select 'review', 1, t.id, t.label, t.account, n.received, n.received_currency, null, t.ended_at, n.why, c.name
		from payment_attempts t join payment_notes n on n.id = t.id left join contacts c on c.id = t.contact
		where t.firm = {firm} and t.status = 'review' order by t.ended_at limit 20)
	union all (select 'overdue', 2, i.id, i.label, i.account, i.due_amount, i.currency, i.due, i.sent_at, '', ''
		from invoices i where i.firm = {firm} and i.due_amount > 0 and i.due < {today} order by i.due limit 20)
	union all (select 'declined', 3, k.id, k.title, k.account, 0, '', null, k.ended_at, n.decline_reason, c.name
		from contracts k left join contract_notes n on n.id = k.id left join contacts c on c.id = n.declined_by
		where k.firm = {firm} and k.status = 'declined' order by k.ended_at desc limit 20)
	union all (select 'shifted', 4, p.id, p.name, p.account, 0, '', null, p.opened_at, p.health_note, ''
		from projects p where p.firm = {firm} and p.health = 'shifted' and not p.completed limit 20)
	union all (select 'frozen', 5, c.id, c.name, c.account, 0, '', null, c.added_at, n.freeze_reason, c.name
		from contacts c left join contact_notes n on n.id = c.id
		where c.firm = {firm} and c.access = 'frozen' and c.merged_into is null limit 20)
	union all (select 'unsigned', 6, k.id, k.title, k.account, 0, '', null, k.sent_at, '', c.name
		from contracts k left join contacts c on c.id = k.next_signer
		where k.firm = {firm} and k.status = 'sent' order by k.sent_at limit 20)
	union all (select 'waiting', 7, p.id, p.name, p.account, 0, '', null, p.opened_at, p.health_note, ''
		from projects p where p.firm = {firm} and p.health = 'waiting_on_client' and not p.completed limit 20)
) x join accounts a on a.id = x.account order by x.urgency, x.since`

const months = ` from (
	select (l.month || '-01')::date as first, l.currency,
		coalesce(sum(l.amount) filter (where l.kind in ('invoice', 'credit_note', 'void')), 0)::bigint as billed,
		coalesce(-sum(l.amount) filter (where l.kind in ('payment', 'refund')), 0)::bigint as paid
	from month_sums l where l.firm = {firm} and l.month <= to_char({today}::date, 'YYYY-MM')
		and l.month > to_char({today}::date - interval '12 months', 'YYYY-MM')
	group by 1, 2
) m order by m.currency, m.first`

// noWork are the categories whose entries are about the portal itself.
const noWork = "'access', 'login', 'numbering', 'slug'"

// HomeOf asks for the staff's home, with so many of the latest entries.
func HomeOf(r *Reading, latest int) *StaffHome {
	h := &StaffHome{StaffDashboard: r.q.staffDashboard(false)}
	readAll(r.q, attentionView, attention, &h.Attention)
	readAll(r.q, monthView, months, &h.Months)
	readAll(r.q, ageingView, ` from (select currency, due::date as due, due_amount from invoice_sums where firm = {firm} and due <> '') i
		group by i.currency order by i.currency`, &h.Ageing)
	readAll(r.q, entryViews[domain.Staff], pageTables+" where h.firm = {firm} and h.category not in ("+noWork+") and h.event not in ("+lookEvents+
		") order by h.position desc limit "+strconv.Itoa(latest), &h.Latest)
	readAll(r.q, stageView, " from project_sums p where p.firm = {firm} and p.health <> 'completed' group by p.stage order by min(p.stage_index), p.stage", &h.Stages)
	return h
}
