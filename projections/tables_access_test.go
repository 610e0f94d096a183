package projections_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	compare "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/access"
	"github.com/atrium-portal/atrium/domain/account"
	"github.com/atrium-portal/atrium/domain/audit"
	"github.com/atrium-portal/atrium/domain/contact"
	"github.com/atrium-portal/atrium/domain/contract"
	"github.com/atrium-portal/atrium/domain/domaintest"
	"github.com/atrium-portal/atrium/domain/firm"
	"github.com/atrium-portal/atrium/domain/invoice"
	"github.com/atrium-portal/atrium/domain/payment"
	"github.com/atrium-portal/atrium/domain/project"
	"github.com/atrium-portal/atrium/projections"
)

// Everything that only the firm may read has this word in it.
const secret = "secret"

// twoFirms is the firm north with the accounts acme (contacts ana, ben) and bolt (carl), and south with delta (dora).
// The name of every thing begins with that of its account.
func twoFirms(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	north := w.foundFirm(t, "north")
	north.openAccount("acme", "ana", "ben")
	north.openAccount("bolt", "carl")
	north.openProject("acme site", "acme")
	north.openProject("bolt site", "bolt")

	north.draftInvoice("acme draft", "acme")
	north.sendInvoice("acme for all", "acme")
	north.sendInvoice("acme for ana", "acme", "ana")
	north.sendInvoice("acme void", "acme")
	north.sendInvoice("bolt for all", "bolt")
	must(north, invoice.Aggregate, "acme void", "", invoice.Void{Invoice: domaintest.ID("acme void"), Reason: domain.P(secret)})
	north.settle("acme for ana")
	must(north.as("ana"), invoice.Aggregate, "acme for ana", "", invoice.Question{Invoice: domaintest.ID("acme for ana"), Text: domain.P("What is this?")})
	north.settle("bolt for all")
	north.payOnline("acme for ana", "ana")
	north.payOnline("acme for all", "ben")

	north.draftContract("acme draft terms", "acme", "ana")
	for _, c := range [][]string{
		{"acme terms", "acme", "ana", "ben"},
		{"acme done", "acme", "ana"},
		{"acme declined", "acme", "ana"},
		{"bolt terms", "bolt", "carl"},
	} {
		north.draftContract(c[0], c[1], c[2:]...)
		must(north, contract.Aggregate, c[0], "", contract.Send{Contract: domaintest.ID(c[0])})
	}
	north.sign("acme done", "ana")
	must(north.as("ana"), contract.Aggregate, "acme declined", "", contract.Decline{Contract: domaintest.ID("acme declined"), Reason: domain.P(secret)})

	must(north, contact.Aggregate, "ben", "", contact.Freeze{Contact: domaintest.ID("ben"), Reason: domain.P(secret)})
	must(north, contact.Aggregate, "ben", "", contact.Unfreeze{Contact: domaintest.ID("ben")})
	must(north, account.Aggregate, "acme", "", account.Close{Account: domaintest.ID("acme"), Reason: domain.P(secret)})
	must(north, firm.Aggregate, "north", "", firm.Invite{
		Firm: north.firm, Name: domain.P("Bo"), Email: domain.P("secret.bo@example.com"), Role: firm.Member,
	})

	north.comesAndGoes("ana", "acme")
	north.comesAndGoes("carl", "bolt")
	north.comesAndGoes("", "") // the administrator
	north.looksAt("acme for ana", "acme", "ana")
	north.as("ana").looksAt("acme for all", "acme")
	north.as("ana").looksAt("acme for ana", "acme", "ana")
	north.looksAt("bolt for all", "bolt")

	south := w.foundFirm(t, "south")
	south.openAccount("delta", "dora")
	south.comesAndGoes("dora", "delta")
	south.as("dora").looksAt("delta for all", "delta")
	south.openProject("delta site", "delta")
	south.sendInvoice("delta for all", "delta")
	south.settle("delta for all")
	south.draftContract("delta terms", "delta", "dora")
	must(south, contract.Aggregate, "delta terms", "", contract.Send{Contract: domaintest.ID("delta terms")})
	return w
}

// settle pays, refunds and credits parts of an invoice.
func (p person) settle(name string) {
	p.t.Helper()
	id, eur := domaintest.ID(name), func(n int64) domain.Money { return domain.Money{Amount: n, Currency: "EUR"} }
	m := must(p, invoice.Aggregate, name, "", invoice.RecordPayment{
		Invoice: id, Amount: eur(50_00), Date: domain.Date{Year: 2026, Month: time.March, Day: 1}, Method: invoice.Card, Reference: domain.P(name),
	})
	must(p, invoice.Aggregate, name, "", invoice.RefundPayment{Invoice: id, Payment: m.NewID("payment"), Amount: ref(eur(10_00)), Reason: domain.P(secret)})
	if err := p.credit(id, eur(5_00), owner{firm: p.firm}); err != nil {
		p.t.Fatal(err)
	}
	site := strings.Fields(name)[0] + " site"
	must(p, project.Aggregate, site, "", project.SetHealth{Project: domaintest.ID(site), Health: project.Shifted, Note: domain.P("see messages")})
}

// payOnline lets a contact begin to pay an invoice at a provider.
func (p person) payOnline(name, payer string) {
	p.t.Helper()
	attempt := "paying " + name
	i := p.w.states[domain.StreamName("invoice", domaintest.ID(name))].(invoice.State)
	account := strings.Fields(name)[0]
	must(p.as(payer), payment.Aggregate, attempt, account, payment.Start{
		Invoice: domaintest.ID(name), Attempt: domaintest.ID(attempt), Label: i.Label, Due: i.Due(), Gateway: secret, Recipients: i.Content.Recipients,
	})
	must(p, payment.Aggregate, attempt, "", payment.HandOver{Payment: domaintest.ID(attempt), Reference: secret, URL: domain.P("https://pay.example/" + name)})
}

// comesAndGoes lets a contact, or the administrator when there is no name, sign in after a failed try.
func (p person) comesAndGoes(name, accountName string) {
	p.t.Helper()
	about := access.About{Person: p.who.ID, PersonKind: access.Staff}
	by := p
	if name != "" {
		about = access.About{Person: domaintest.ID(name), PersonKind: access.Contact}
		by = p.as(name)
	}
	fact := func(who person, of func(access.About) access.Event) {
		about.Entry = domaintest.ID(fmt.Sprint("entry ", p.w.n))
		month := domain.DateOf(p.w.now(), time.UTC)
		stream := access.StreamID(about.Person, month)
		at := owner{firm: p.firm}
		if accountName != "" {
			at.account = domaintest.ID(accountName)
		}
		if _, err := give(p.w, access.Aggregate, stream, who.who, access.Record{Stream: stream, Fact: of(about)}, at); err != nil {
			p.t.Fatal(err)
		}
	}
	system := p
	system.who = domain.SystemActor("portal")
	fact(system, func(a access.About) access.Event {
		return access.SignInFailed{About: a, Reason: access.WrongCode, From: domain.P("secret address")}
	})
	fact(by, func(a access.About) access.Event {
		return access.SignedIn{About: a, Session: domaintest.ID("session of " + name), Method: access.ByLink}
	})
	if name != "" {
		fact(p, func(a access.About) access.Event {
			return access.PreviewStarted{About: a, Contact: a.Person, Reason: domain.P("to look")}
		})
	}
}

// line is a line of the record as a command: there is nothing to decide.
type line struct{ audit.Event }

func (l line) Decide(audit.State, domain.Meta) ([]audit.Event, error) {
	return []audit.Event{l.Event}, nil
}

// looksAt puts on record that somebody opened an invoice of an account, which contacts may know: those named, or all.
func (p person) looksAt(name, accountName string, may ...string) {
	p.t.Helper()
	about := audit.About{Record: audit.Record{Type: "invoice", ID: domaintest.ID(name), Label: domain.P(name)}, Open: true}
	for _, m := range may {
		about.To = append(about.To, domaintest.ID(m))
	}
	of := owner{firm: p.firm, account: domaintest.ID(accountName)}
	stream := audit.StreamID(of.firm, of.account, p.who.ID.String(), domain.DateOf(p.w.now(), time.UTC), 0)
	if _, err := give(p.w, audit.Aggregate, stream, p.who, line{audit.RecordViewed{About: about}}, of); err != nil {
		p.t.Fatal(err)
	}
}

// reader is who reads, as the settings of a request say it.
type reader map[string]string

// client is a contact with all permissions but some.
func client(firmName, accountName, contactName string, without ...contact.Permission) reader {
	var permissions []string
	for _, p := range contact.Permissions() {
		if !slices.Contains(without, p) {
			permissions = append(permissions, string(p))
		}
	}
	return reader{
		"app.firm": domaintest.ID(firmName).String(), "app.accounts": "{" + domaintest.ID(accountName).String() + "}",
		"app.contact": domaintest.ID(contactName).String(), "app.permissions": "{" + strings.Join(permissions, ",") + "}",
		"app.unreleased": "off", "app.history": "on",
	}
}

func staffOf(firm domain.ID) reader { return reader{"app.firm": firm.String()} }

func (r reader) with(setting, value string) reader {
	changed := maps.Clone(r)
	changed[setting] = value
	return changed
}

// column gives the single column of a query, sorted; denied says that the role may not ask.
func (r reader) column(t testing.TB, pool *pgxpool.Pool, sql string) (values []string, denied bool) {
	t.Helper()
	err := pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) error {
		for setting, value := range r {
			if _, err := tx.Exec(t.Context(), "select set_config($1, $2, true)", setting, value); err != nil {
				return err
			}
		}
		rows, err := tx.Query(t.Context(), sql)
		if err != nil {
			return err
		}
		values, err = pgx.CollectRows(rows, pgx.RowTo[string])
		return err
	})
	if refusal, is := errors.AsType[*pgconn.PgError](err); is && refusal.Code == "42501" {
		return nil, true
	}
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	slices.Sort(values)
	return values, false
}

// TestClientsSeeWhatIsTheirs compares what contacts read with what they may.
func TestClientsSeeWhatIsTheirs(t *testing.T) {
	db, w := newDatabase(t), twoFirms(t)
	if err := db.engineOf(t, w.log, projections.Tables()).Apply(t.Context(), w.batch()); err != nil {
		t.Fatal(err)
	}
	names := map[string]string{} // of invoices, by id
	for _, n := range []string{"acme draft", "acme for all", "acme for ana", "acme void", "bolt for all", "delta for all"} {
		names[domaintest.ID(n).String()] = n
	}
	var (
		ana, ben, carl = client("north", "acme", "ana"), client("north", "acme", "ben"), client("north", "bolt", "carl")
		otherFirm      = client("south", "acme", "ana")
		noMoney        = client("north", "acme", "ana", contact.ViewInvoices)
		noPaying       = client("north", "acme", "ana", contact.PayInvoices)
		noProjects     = client("north", "acme", "ana", contact.ViewProjects)
		noContracts    = client("north", "acme", "ana", contact.ViewContracts)
		nothing        = client("north", "acme", "ana", contact.ViewInvoices, contact.ViewContracts, contact.ViewProjects)
	)
	for _, c := range []struct {
		name string
		who  reader
		sql  string
		want []string
	}{
		{"own firm", ana, "select name from read.firms", []string{"north"}},
		{"its staff", ana, "select name from read.staff", []string{"Bo", "Ida of north"}},
		{"own account", ana, "select name from read.accounts", []string{"acme"}},
		{"own colleagues", ana, "select name from read.contacts", []string{"ana", "ben"}},
		{"own projects", ana, "select name from read.projects", []string{"acme site"}},
		{"own team", ana, "select role from read.project_team", []string{"Designer"}},
		{"no projects without the permission", noProjects, "select name from read.projects", nil},
		{"no team without the permission", noProjects, "select role from read.project_team", nil},

		{"sent invoices", ana, "select id::text from read.invoices", []string{"acme for all", "acme for ana", "acme void"}},
		{"no invoices for others", ben, "select id::text from read.invoices", []string{"acme for all", "acme void"}},
		{
			"drafts where the firm shows them", ben.with("app.unreleased", "on"), "select id::text from read.invoices",
			[]string{"acme draft", "acme for all", "acme void"},
		},
		{"invoices of another account", carl, "select id::text from read.invoices", []string{"bolt for all"}},
		{"no invoices without the permission", noMoney, "select id::text from read.invoices", nil},
		{"no invoices without a scope", reader{}, "select id::text from read.invoices", nil},
		{"no invoices across firms", otherFirm, "select id::text from read.invoices", nil},

		{"payments", ana, "select invoice::text from read.payments", []string{"acme for ana"}},
		{"no payments of others' invoices", ben, "select invoice::text from read.payments", nil},
		{"no payments without the permission", noMoney, "select invoice::text from read.payments", nil},
		{"payments under way", ana, "select invoice::text from read.payment_attempts", []string{"acme for all", "acme for ana"}},
		{"no payments under way for others' invoices", ben, "select invoice::text from read.payment_attempts", []string{"acme for all"}},
		{"no payments under way without the permission", noMoney, "select invoice::text from read.payment_attempts", nil},
		{"where to pay", ben, "select url from read.payment_pages", []string{"https://pay.example/acme for all"}},
		{"not where to pay without the permission", noPaying, "select url from read.payment_pages", nil},
		{"but what is paid", noPaying, "select invoice::text from read.payment_attempts", []string{"acme for all", "acme for ana"}},
		{"questions", ana, "select invoice::text from read.questions", []string{"acme for ana"}},
		{"no questions about others' invoices", ben, "select invoice::text from read.questions", nil},
		{"no questions without the permission", noMoney, "select invoice::text from read.questions", nil},
		{"credit notes", ana, "select invoice::text from read.credit_notes", []string{"acme for ana"}},
		{"no credit notes of others' invoices", ben, "select invoice::text from read.credit_notes", nil},
		{
			"ledger", ana, "select distinct invoice::text from read.ledger",
			[]string{"acme for all", "acme for ana", "acme void"},
		},
		{"no entries of others' invoices", ben, "select distinct invoice::text from read.ledger", []string{"acme for all", "acme void"}},
		{"entries that moved something", ben, "select kind from read.ledger", []string{"invoice", "invoice", "void"}},
		{"no ledger without the permission", noMoney, "select invoice::text from read.ledger", nil},

		{"sent contracts", ana, "select title from read.contracts", []string{"acme declined", "acme done", "acme terms"}},
		{"no contracts for others", ben, "select title from read.contracts", []string{"acme terms"}},
		{"no draft contracts", ana.with("app.unreleased", "on"), "select title from read.contracts where not released", nil},
		{"contracts of another account", carl, "select title from read.contracts", []string{"bolt terms"}},
		{"no contracts without the permission", noContracts, "select title from read.contracts", nil},
		{"the text of contracts", ben, "select body from read.contract_bodies", []string{"The text of acme terms"}},
		{"the signers of contracts", ben, "select place::text from read.contract_signers", []string{"1", "2"}},

		{"when they were here", ana, "select person::text from read.last_seen", []string{domaintest.ID("ana").String()}},
		{"not when others were", ben, "select person::text from read.last_seen", nil},
		{
			"how they came in, and who looked", ana, "select event from read.history where category = 'access'",
			[]string{"PreviewStarted", "SignInFailed", "SignedIn"},
		},
		{
			"who looked at their invoices", ana, "select actor_kind || ' ' || record::text from read.history where event = 'RecordViewed'",
			[]string{"client acme for all", "client acme for ana", "staff acme for ana"},
		},
		{"not who looked at others' invoices, nor where others looked", ben, "select record::text from read.history where event = 'RecordViewed'", nil},
		{"that the firm looked", carl, "select actor_kind from read.history where event = 'RecordViewed'", []string{"staff"}},
		{"not who looked without the permission", noMoney, "select record::text from read.history where event = 'RecordViewed'", nil},

		{"history", ben, "select distinct category from read.history", []string{"account", "contract", "invoice", "payment", "project"}},
		{"no history without the permissions", nothing, "select distinct category from read.history", []string{"access", "account"}},
		{"no history where the firm shows none", ben.with("app.history", "off"), "select distinct category from read.history", nil},
		{
			"history of invoices", ben, "select distinct record::text from read.history where category = 'invoice'",
			[]string{"acme for all", "acme void"},
		},
		{"no history of drafts", ben, "select sentence from read.history where event in ('InvoiceDrafted', 'ContractDrafted')", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, denied := c.who.column(t, db.client, c.sql)
			if denied {
				t.Fatalf("clients may not ask %s", c.sql)
			}
			for i, value := range got {
				for id, name := range names {
					value = strings.ReplaceAll(value, id, name)
				}
				got[i] = value
			}
			slices.Sort(got)
			if d := compare.Diff(c.want, got, cmpopts.EquateEmpty()); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

// TestCompletedContractsHide where the firm does not show history.
func TestCompletedContractsHide(t *testing.T) {
	db, w := newDatabase(t), twoFirms(t)
	e := db.engineOf(t, w.log, projections.Tables())
	for _, show := range []bool{false, true} {
		north := person{t: t, w: w, firm: domaintest.ID("north"), who: domain.SystemActor("test")}
		must(north, firm.Aggregate, "north", "", firm.ChangeSettings{Firm: north.firm, ShowHistory: &show})
		if err := e.Apply(t.Context(), w.batch()); err != nil {
			t.Fatal(err)
		}
		for _, sql := range []string{
			"select id::text from read.contracts where id = '" + domaintest.ID("acme done").String() + "'",
			"select id::text from read.contract_bodies where id = '" + domaintest.ID("acme done").String() + "'",
		} {
			if got, _ := client("north", "acme", "ana").column(t, db.client, sql); (len(got) == 1) != show {
				t.Errorf("show history is %v: %s gives %v", show, sql, got)
			}
		}
	}
}

// TestWhoWorksForTwoAccounts: carl of bolt is linked to acme, and looks at one of both at a time.
func TestWhoWorksForTwoAccounts(t *testing.T) {
	db, w := newDatabase(t), newWorld(t)
	north := w.foundFirm(t, "north")
	north.openAccount("acme", "ana")
	north.openAccount("bolt", "carl")
	link := func(who, account string) {
		must(north, contact.Aggregate, who, "", contact.Link{Contact: domaintest.ID(who), Account: domaintest.ID(account), Role: contact.Viewer})
	}
	link("carl", "acme")
	north.sendInvoice("acme for all", "acme")
	north.sendInvoice("acme for ana", "acme", "ana")
	north.sendInvoice("acme for carl", "acme", "carl")
	north.sendInvoice("bolt for carl", "bolt", "carl")
	must(north.as("carl"), invoice.Aggregate, "acme for all", "", invoice.Question{Invoice: domaintest.ID("acme for all"), Text: domain.P("What is this?")})
	engine := db.engineOf(t, w.log, projections.Tables())
	if err := engine.Apply(t.Context(), w.batch()); err != nil {
		t.Fatal(err)
	}
	const (
		people   = "select name from read.contacts"
		members  = "select c.name || ' ' || m.role || case when m.own then '' else ' too' end from read.memberships m join read.contacts c on c.id = m.contact"
		invoices = "select label from read.invoices"
		askers   = "select distinct c.name from read.history h join read.contacts c on c.id::text = h.actor where h.event = 'InvoiceQuestioned'"
	)
	ana, atBolt, atAcme := client("north", "acme", "ana"), client("north", "bolt", "carl"), client("north", "acme", "carl")
	check := func(name string, who reader, sql string, want ...string) {
		t.Helper()
		if got, denied := who.column(t, db.client, sql); denied || !slices.Equal(got, want) {
			t.Errorf("%s: %v (denied: %v), want %v", name, got, denied, want)
		}
	}
	check("colleagues", ana, people, "ana", "carl")
	check("colleagues at the own account", atBolt, people, "carl")
	check("members", ana, members, "ana owner", "carl viewer too")
	check("members at the own account", atBolt, members, "carl owner")
	check("invoices there", atAcme, invoices, "0001", "0003")
	check("invoices at the own account", atBolt, invoices, "0004")
	check("who asked", ana, askers, "carl")
	if got, denied := ana.column(t, db.client, "select accounts::text from read.contacts"); !denied {
		t.Errorf("clients read for whom others work: %v", got)
	}

	seen := w.log.all()
	must(north, contact.Aggregate, "carl", "", contact.Unlink{Contact: domaintest.ID("carl"), Account: domaintest.ID("acme")})
	if err := engine.Apply(t.Context(), projections.Batch{After: seen[len(seen)-1].Position, Events: w.log.all()[len(seen):]}); err != nil {
		t.Fatal(err)
	}
	check("members, unlinked", ana, members, "ana owner")
	check("who asked, unlinked", ana, askers, "carl")
}

// TestNobodySeesTooMuch reads every table whole, as several readers, and looks for what must not be there.
func TestNobodySeesTooMuch(t *testing.T) {
	db, w := newDatabase(t), twoFirms(t)
	if err := db.engineOf(t, w.log, projections.Tables()).Apply(t.Context(), w.batch()); err != nil {
		t.Fatal(err)
	}
	all := []string{"history", "parked"}
	for _, table := range projections.Tables() {
		all = append(all, table.Name())
	}
	staffOnly := []string{
		"parked", "staff_details", "account_notes", "contact_notes", "invoice_reasons", "payment_notes", "contract_notes", "numbers",
		"invoice_sums", "month_sums", "project_sums", "contract_sums", "account_sums", "audit",
	}
	granted := map[string]string{}
	for table, hidden := range map[string][]string{"history": {"ip", "user_agent", "session", "request"}, "contacts": {"accounts"}} {
		granted[table] = one[string](t, db.owner, `select string_agg(column_name, ', ') from information_schema.columns
			where table_schema = 'read' and table_name = $1 and column_name <> all($2)`, table, hidden)
	}
	foreign := func(names ...string) (words []string) {
		for _, n := range names {
			words = append(words, `"`+n, domaintest.ID(n).String())
		}
		return words
	}
	for _, c := range []struct {
		name      string
		pool      *pgxpool.Pool
		who       reader
		forbidden []string
	}{
		{
			"ana", db.client, client("north", "acme", "ana").with("app.unreleased", "on"),
			append(foreign("bolt", "carl", "south", "delta", "dora"), secret),
		},
		{
			"ben", db.client, client("north", "acme", "ben"),
			append(foreign("acme draft", "acme for ana", "acme done", "bolt", "carl", "south", "delta", "dora"), secret),
		},
		{
			"carl", db.client, client("north", "bolt", "carl"),
			append(foreign("acme", "ana", "ben", "south", "delta", "dora"), secret),
		},
		{
			"staff of the other firm", db.staff, staffOf(domaintest.ID("south")),
			foreign("north", "acme", "ana", "ben", "bolt", "carl"),
		},
	} {
		for _, table := range all {
			from := "read." + table
			if columns := granted[table]; columns != "" && c.pool == db.client {
				from = "(select " + columns + " from " + from + ")"
			}
			rows, denied := c.who.column(t, c.pool, "select to_jsonb(t)::text from "+from+" t")
			if want := c.pool == db.client && slices.Contains(staffOnly, table); denied != want {
				t.Errorf("%s is denied %s: %v, want %v", c.name, table, denied, want)
			}
			for _, row := range rows {
				if table == "contract_signers" { // a certificate tells all who sign where each signature came from
					row = strings.ReplaceAll(row, `"ip": "secret address"`, "")
				}
				for _, word := range c.forbidden {
					if strings.Contains(row, word) {
						t.Errorf("%s reads %s in %s: %s", c.name, word, table, row)
					}
				}
			}
		}
	}
}

// TestStaffSeeTheirFirm: all of it.
func TestStaffSeeTheirFirm(t *testing.T) {
	db, w := newDatabase(t), twoFirms(t)
	if err := db.engineOf(t, w.log, projections.Tables()).Apply(t.Context(), w.batch()); err != nil {
		t.Fatal(err)
	}
	north := domaintest.ID("north")
	for _, table := range projections.Tables() {
		rows, denied := staffOf(north).column(t, db.staff, "select firm::text from read."+table.Name())
		whole := one[int](t, db.owner, "select count(*) from read."+table.Name()+" where firm = $1", north)
		if denied || len(rows) != whole || whole == 0 {
			t.Errorf("staff see %d of %d rows of %s", len(rows), whole, table.Name())
		}
	}
	if rows, _ := (reader{}).column(t, db.staff, "select name from read.accounts"); len(rows) > 0 {
		t.Errorf("without a scope staff see %v", rows)
	}
}
