package readapi

import (
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/atrium-portal/atrium/domain"
)

// What the staff console asks for beyond what the JSON routes answer. All of it is for staff.

// Client is an account as the staff's list of clients shows it, with how it stands.
type Client struct {
	ID       domain.ID    `sql:"a.id"`
	Name     string       `sql:"a.name"`
	Currency string       `sql:"a.currency"`
	Closed   bool         `sql:"a.closed"`
	OpenedAt time.Time    `sql:"a.opened_at"`
	Person   string       `sql:"p.name"` // whom to ask first
	Email    string       `sql:"p.email"`
	Paid     domain.Money `sql:"f.paid"`
	Due      domain.Money `sql:"f.due"`
	Overdue  domain.Money `sql:"f.overdue"`
	Projects int64        `sql:"w.projects"` // under way
	SeenAt   time.Time    `sql:"v.seen_at"`  // the last time any of its people was here
}

// clients are the accounts as the console lists them. They have no JSON route: accounts have.
var clients = func() *collection {
	view := viewOf[Client]()
	return &collection{
		name: "clients", what: "account",
		staff: source{
			from: `accounts a left join contacts p on p.id = a.primary_contact
				left join lateral (select coalesce(sum(i.paid), 0)::bigint as paid, coalesce(sum(i.due_amount), 0)::bigint as due,
					coalesce(sum(i.due_amount) filter (where i.due < {today}), 0)::bigint as overdue
					from invoices i where i.firm = {firm} and i.account = a.id and i.released and not i.void) f on true
				left join lateral (select count(*) as projects from projects j where j.firm = {firm} and j.account = a.id and not j.completed) w on true
				left join lateral (select max(l.seen_at) as seen_at from memberships m join last_seen l on l.person = m.contact
					where m.firm = {firm} and m.account = a.id) v on true`,
			list: view, get: view,
		},
		id: "a.id", firm: "a.firm", account: "a.id",
		search:  []string{"a.name", "p.name", "p.email"},
		sorts:   append(both("name", "a.name", sortText), both("-opened", "a.opened_at", sortInstant)...),
		filters: []filter{{name: "closed", kind: byYesNo, sql: "a.closed = $"}},
	}
}()

// Clients asks for a part of the list of clients: q, sort, closed, limit and cursor.
func Clients(r *Reading, ask url.Values) *Page[Client] { return listFrom[Client](r, clients, ask) }

// ClientOf asks for one client. Without it Run's error is the fault for one that is missing.
func ClientOf(r *Reading, id string) *Client { return getFrom[Client](r, clients, id, nil) }

// Seen is when somebody was last here.
type Seen struct {
	Person       domain.ID `sql:"l.person"`
	InvitedAt    time.Time `sql:"l.invited_at"`
	SignedInAt   time.Time `sql:"l.signed_in_at"`
	Method       string    `sql:"l.method"` // of the last sign-in
	SeenAt       time.Time `sql:"l.seen_at"`
	RefusedAt    time.Time `sql:"l.refused_at"`
	SecondFactor bool      `sql:"l.second_factor"`
}

var seenView = viewOf[Seen]()

// SeenOf asks when the contacts of an account were last here, by contact; with no account, when staff were.
func SeenOf(r *Reading, account string) map[domain.ID]Seen {
	seen := map[domain.ID]Seen{}
	st := r.q.statement().add("select ", seenView.columns, " from last_seen l where l.firm = {firm} and ")
	if account == "" {
		st.add("l.account is null")
	} else {
		id, ok := parseID(account)
		if !ok {
			return seen // whoever asks for the account itself says that it is missing
		}
		st.add("l.person in (select m.contact from memberships m where m.firm = {firm} and m.account = ", st.arg(id), ")")
	}
	r.q.add(st, func(rows pgx.Rows) error {
		scanner := seenView.scanner()
		for rows.Next() {
			if err := scanner.scan(rows); err != nil {
				return err
			}
			one := scanner.object.Interface().(Seen)
			seen[one.Person] = one
		}
		return rows.Err()
	})
	return seen
}

// Hit is something that a search over everything found.
type Hit struct {
	Kind        string    `sql:"x.kind" enum:"account,contact,project,invoice,contract"`
	ID          domain.ID `sql:"x.id"`
	Label       string    `sql:"x.label"`
	Status      string    `sql:"x.status"`
	Detail      string    `sql:"x.detail"`
	AccountName string    `sql:"a.name"`
}

var hitView = viewOf[Hit]()

// hitsOfKind is how many things of each kind a search shows.
const hitsOfKind = 10

// Search asks for what holds a text: clients, contacts, projects, invoices and their payments, contracts. A text that
// is empty or too long finds nothing.
func Search(r *Reading, text string) *[]Hit {
	hits := new([]Hit)
	if text = strings.TrimSpace(text); text == "" || len(text) > maxSearch || strings.ContainsRune(text, 0) {
		return hits
	}
	st := r.q.statement()
	arg := st.arg(text)
	st.add("select ", hitView.columns, " from (")
	for i, kind := range []struct{ columns, from, order string }{
		{
			"'account' as kind, 1 as place, a.id, a.name as label, case when a.closed then 'closed' else 'open' end as status, '' as detail, a.id as account",
			"accounts a where a.firm = {firm} and (" + contains([]string{"a.name"}, arg) + ")", "a.name",
		},
		{
			"'contact', 2, c.id, c.name, c.access, c.email, c.account",
			"contacts c where c.firm = {firm} and c.merged_into is null and (" + contains([]string{"c.name", "c.email", "c.phone"}, arg) + ")", "c.name",
		},
		{
			"'project', 3, p.id, p.name, case when p.completed then 'completed' else p.health end, p.stage, p.account",
			"projects p where p.firm = {firm} and (" + contains([]string{"p.name"}, arg) + ")", "p.opened_at desc",
		},
		{
			"'invoice', 4, i.id, i.label, " + shownStatus + ", '', i.account",
			"invoices i where i.firm = {firm} and (" + contains([]string{"i.label"}, arg) +
				" or exists (select from payments y where y.firm = {firm} and y.invoice = i.id and (" + contains([]string{"y.reference", "y.receipt"}, arg) + ")))", "i.drafted_at desc",
		},
		{
			"'contract', 5, k.id, k.title, k.status, '', k.account",
			"contracts k where k.firm = {firm} and (" + contains([]string{"k.title"}, arg) + ")", "k.drafted_at desc",
		},
	} {
		if i > 0 {
			st.add(" union all ")
		}
		st.add("(select ", kind.columns, " from ", kind.from, " order by ", kind.order, " limit ", strconv.Itoa(hitsOfKind), ")")
	}
	st.add(") x join accounts a on a.firm = {firm} and a.id = x.account order by x.place, x.label")
	r.q.add(st, func(rows pgx.Rows) error {
		*hits = nil
		scanner := hitView.scanner()
		for rows.Next() {
			if err := scanner.scan(rows); err != nil {
				return err
			}
			*hits = append(*hits, scanner.object.Interface().(Hit))
		}
		return rows.Err()
	})
	return hits
}

// FirmSettings are a firm's choices.
type FirmSettings struct {
	Name                string   `sql:"f.name"`
	Slug                string   `sql:"f.slug"`
	Currency            string   `sql:"f.currency"`
	TimeZone            string   `sql:"f.time_zone"`
	NumberFormat        string   `sql:"f.number_format"`
	InvoicePrefix       string   `sql:"f.invoice_prefix"`
	Address             string   `sql:"f.address"`
	TaxID               string   `sql:"f.tax_id"`
	PaymentDetails      string   `sql:"f.payment_details"`
	PrimaryColor        string   `sql:"f.primary_color"`
	AccentColor         string   `sql:"f.accent_color"`
	ModulesOff          []string `sql:"f.modules_off"`
	ShowUnreleased      bool     `sql:"f.show_unreleased_invoices"`
	ShowHistory         bool     `sql:"f.show_history"`
	DefaultAudience     string   `sql:"f.default_audience"`
	RequireSecondFactor bool     `sql:"f.require_second_factor_for_clients"`
	ClientSessionDays   int64    `sql:"f.client_session_days"` // 0: as many as there can be
}

var firmView = viewOf[FirmSettings]()

// SettingsOf asks for the firm's choices.
func SettingsOf(r *Reading) *FirmSettings {
	settings := &FirmSettings{}
	each(r.q, firmView, " from firms f where f.firm = {firm}", func(one FirmSettings) { *settings = one })
	return settings
}

type taxRate struct {
	Rate string `sql:"g.rate"` // percent
}

var rateView = viewOf[taxRate]()

// TaxRates asks for the rates on the firm's latest invoices, in percent, the most used first.
func TaxRates(r *Reading) *[]string {
	rates := new([]string)
	each(r.q, rateView, ` from (select t.rate, count(*) as used from
		(select i.tax_groups from invoices i where i.firm = {firm} order by i.drafted_at desc limit 200) latest
		cross join lateral (select x->>'rate' as rate from jsonb_array_elements(latest.tax_groups) x) t group by t.rate) g order by g.used desc, g.rate`,
		func(one taxRate) { *rates = append(*rates, one.Rate) })
	return rates
}
