package projections_test

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/contract"
	"github.com/atrium-portal/atrium/domain/domaintest"
	"github.com/atrium-portal/atrium/domain/invoice"
	"github.com/atrium-portal/atrium/domain/numbering"
	"github.com/atrium-portal/atrium/projections"
)

// laws are queries for rows that break them: each finds none, after any commands.
var laws = map[string]string{
	"the lines of an invoice add up to its net amount": `
		select id::text from read.invoices
		where net <> (select coalesce(sum((line -> 'net' ->> 'amount')::bigint), 0) from jsonb_array_elements(lines) line)`,
	"net and tax are those of the tax groups and add up to the total": `
		select id::text from read.invoices i,
			lateral (select coalesce(sum((g -> 'base' ->> 'amount')::bigint), 0) base, coalesce(sum((g -> 'tax' ->> 'amount')::bigint), 0) tax
				from jsonb_array_elements(tax_groups) g) sums
		where i.net <> sums.base or i.tax <> sums.tax or i.net + i.tax <> i.total`,
	"what was invoiced is paid, credited, void or due": `
		select id::text from read.invoices
		where released and total <> paid + credited + voided + due_amount
			or not released and (paid, refunded, credited, voided, due_amount) <> (0, 0, 0, 0, 0)
			or least(total, paid, refunded, credited, voided, due_amount) < 0`,
	"the status says what the amounts say": `
		select id::text from read.invoices
		where status <> case
			when void then 'void' when not released then 'draft'
			when due_amount = 0 then case when paid = 0 and credited > 0 then 'credited' else 'paid' end
			when paid > 0 then 'part_paid' else 'sent' end
			or (paid_at is not null) <> (status = 'paid') or (sent_at is not null) <> released or (voided_at is not null) <> void`,
	"payments are what was paid": `
		select i.id::text from read.invoices i
			left join (select invoice, sum(amount - refunded) paid, sum(refunded) refunded, min(amount - refunded) least
				from read.payments group by invoice) p on p.invoice = i.id
		where coalesce(p.paid, 0) <> i.paid or coalesce(p.refunded, 0) <> i.refunded or p.least < 0`,
	"a question is open, or answered by somebody with words": `
		select id::text from read.questions
		where (answered_at is null) <> (answer = '') or (answered_at is null) <> (answered_by is null)`,
	"credit notes are what was credited, each split by tax rate": `
		select i.id::text from read.invoices i
		where credited <> (select coalesce(sum(amount), 0) from read.credit_notes c where c.invoice = i.id)
		union all
		select id::text from read.credit_notes c
		where amount <> (select sum((g -> 'base' ->> 'amount')::bigint + (g -> 'tax' ->> 'amount')::bigint) from jsonb_array_elements(tax_groups) g)`,
	"the ledger of an invoice adds up to what is due": `
		select i.id::text from read.invoices i
		where due_amount <> (select coalesce(sum(amount), 0) from read.ledger l where l.invoice = i.id)`,
	"the ledger of an account adds up to what it owes": `
		select account::text from (
			select account, amount from read.ledger union all select account, -due_amount from read.invoices) both_sides
		group by account having sum(amount) <> 0`,
	"a void entry takes back what was due": `
		select i.id::text from read.invoices i left join read.ledger l on l.invoice = i.id and l.kind = 'void'
		where coalesce(l.amount, 0) <> -i.voided`,
	"every refund, credit note and void has its reason": `
		select i.id::text from read.invoices i
		where (select count(*) from read.ledger l where l.invoice = i.id and kind in ('refund', 'credit_note')) + i.void::int
			<> (select count(*) from read.invoice_reasons r where r.invoice = i.id and reason <> '')`,
	"numbers have no gap and no document has two": `
		select firm || ' ' || kind from read.numbers group by firm, kind
		having count(*) <> max(number) or min(number) <> 1 or count(distinct document) <> count(*)`,
	"a document has the number that was handed out for it": `
		select id::text from read.invoices i where number is not null
			and not exists (select from read.numbers n where n.firm = i.firm and n.kind = 'invoice' and n.number = i.number and n.document = i.id)
		union all
		select id::text from read.credit_notes c
		where not exists (select from read.numbers n where n.firm = c.firm and n.kind = 'credit_note' and n.number = c.number and n.document = c.id)`,
	"a contract counts its signatures and asks the next signer": `
		select c.id::text from read.contracts c,
			lateral (select count(*) n, count(signed_at) signed, array_agg(contact order by place) contacts,
				(array_agg(contact order by place) filter (where signed_at is null))[1] next
				from read.contract_signers s where s.contract = c.id) s
		where c.signer_count <> s.n or c.signed_count <> s.signed or c.recipients <> s.contacts
			or (c.status = 'complete') <> (s.n = s.signed)
			or c.next_signer is distinct from case when c.status = 'sent' then s.next end`,
	"sums of invoices are what the invoices add up to": `
		select firm::text from (
			select firm, currency, status, due, invoices, total, paid, credited, due_amount from read.invoice_sums
			union all
			select firm, currency, status, case when due_amount > 0 then due::text else '' end, -1, -total, -paid, -credited, -due_amount from read.invoices
		) both_sides
		group by firm, currency, status, due
		having (sum(invoices), sum(total), sum(paid), sum(credited), sum(due_amount)) <> (0, 0, 0, 0, 0) or bool_or(invoices = 0)`,
	"sums of months are what the ledger adds up to": `
		select firm::text from (
			select firm, currency, month, kind, entries, amount from read.month_sums
			union all
			select firm, currency, to_char(date, 'YYYY-MM'), kind, -1, -amount from read.ledger
		) both_sides
		group by firm, currency, month, kind having (sum(entries), sum(amount)) <> (0, 0) or bool_or(entries = 0)`,
	"projects, contracts and clients are counted": `
		select firm::text from (
			select firm, 'p ' || health || stage || stage_index as what, projects as n from read.project_sums
			union all select firm, 'p ' || case when completed then 'completed' else health end || stage || stage_index, -1 from read.projects
			union all select firm, 'c ' || status, contracts from read.contract_sums union all select firm, 'c ' || status, -1 from read.contracts
			union all select firm, 'a ' || state, accounts from read.account_sums
			union all select firm, 'a ' || case when closed then 'closed' else 'open' end, -1 from read.accounts
		) both_sides
		group by firm, what having sum(n) <> 0 or bool_or(n = 0)`,
	"a signature is under the text that was sent": `
		select s.contract::text from read.contract_signers s join read.contracts c on c.id = s.contract
		where s.signed_at is not null and (s.sha256 <> c.sha256 or s.sha256 = '' or s.viewed_at is null)`,
	"who signs has read all of it and agreed, and who takes that back has not signed": `
		select contract::text from read.contract_signers
		where signed_at is not null and (read_at is null or consented_at is null or withdrawn_at is not null)
			or consented_at is not null and disclosed_at is null`,
	"copies are of complete contracts": `
		select s.contract::text from read.contract_signers s join read.contracts c on c.id = s.contract
		where s.copy_at is not null and c.status <> 'complete'`,
}

// TestLaws gives random commands, a firm for each round, and checks the laws over all rows that they lead to.
func TestLaws(t *testing.T) {
	db, w := newDatabase(t), newWorld(t)
	e := db.engineOf(t, w.log, projections.Tables())
	var each []string
	for law, query := range laws {
		each = append(each, "select '"+law+": ' || id from ("+query+") broken (id)")
	}
	all := strings.Join(each, " union all ")
	round := 0
	rapid.Check(t, func(r *rapid.T) {
		round++
		p := w.foundFirm(t, fmt.Sprint("firm ", round))
		p.randomly(r, fmt.Sprint("round ", round, " "))
		applied, err := e.Position(t.Context())
		if err != nil {
			r.Fatal(err)
		}
		events := w.log.all()
		fresh := slices.IndexFunc(events, func(e domain.Recorded) bool { return applied.Before(e.Position) })
		for batch := range slices.Chunk(events[fresh:], rapid.IntRange(7, 100).Draw(r, "batch")) {
			if err := e.Apply(t.Context(), projections.Batch{Events: batch}); err != nil {
				r.Fatal(err)
			}
		}
		if broken, _ := staffOf(p.firm).column(t, db.staff, all); len(broken) > 0 {
			r.Fatalf("it does not hold that %s", strings.Join(broken, "; that "))
		}
	})
	rebuiltEverywhere(t, db, w.log, digest(t, e))
	for _, e := range slices.Concat(invoice.Aggregate.Type().Events, contract.Aggregate.Type().Events) {
		if one[int](t, db.owner, "select count(*) from read.history where event = $1", e.EventType()) == 0 {
			t.Errorf("%s never happened: the commands are too tame", e.EventType())
		}
	}
	if one[int](t, db.owner, "select count(*) from read.ledger where kind = 'void'") == 0 {
		t.Error("no invoice was voided after it was sent: the commands are too tame")
	}
	differences, err := e.Verify(t.Context(), w.log, ignore)
	if err != nil || len(differences) > 0 {
		t.Errorf("folded again, %v differ (%v)", differences, err)
	}
	if parked := one[int](t, db.owner, "select count(*) from read.parked"); parked > 0 {
		t.Errorf("%d events were parked", parked)
	}
}

// commands are what happens at random, the likelier the oftener they are listed.
var commands = []string{
	"draft", "draft and send", "draft and send", "change", "send", "pay", "pay", "pay", "pay the rest", "refund", "refund", "credit", "credit",
	"void", "overdue", "question", "question", "answer", "answer", "contract", "contract", "sign", "all sign", "all sign", "all sign", "decline", "withdraw",
	"doubt", "doubt", "copies", "copies",
}

// year is the random life of a firm's two accounts.
type year struct {
	person
	r         *rapid.T
	of        owner // the account that the next thing is made for
	contacts  [2]domain.Actor
	invoices  []domain.ID
	contracts []domain.ID
	payments  map[domain.ID][]domain.ID // by invoice
}

// randomly gives commands of all sorts; some are refused, as people's are.
func (p person) randomly(r *rapid.T, prefix string) {
	p.t.Helper()
	y := &year{person: p, r: r, payments: map[domain.ID][]domain.ID{}}
	for _, a := range []string{prefix + "a", prefix + "b"} {
		p.openAccount(a, a+" ana", a+" ben")
		y.of = owner{p.firm, domaintest.ID(a)}
		y.contacts = [2]domain.Actor{domaintest.Client(a + " ana"), domaintest.Client(a + " ben")}
		for range rapid.IntRange(10, 25).Draw(r, "commands") {
			command := commands[evenly(r, len(commands))]
			if err := y.live(command); err != nil && !refused(err) {
				r.Fatalf("%s: %v", command, err)
			}
		}
	}
}

// evenly draws a number below n, each as likely as the others: ranges favour small numbers.
func evenly(r *rapid.T, n int) (drawn int) {
	for range 10 {
		drawn *= 2
		if rapid.Bool().Draw(r, "bit") {
			drawn++
		}
	}
	return drawn % n
}

// recent picks one of the things made so far, rather a late one; NoID when there is none.
func (y *year) recent(made []domain.ID) domain.ID {
	if len(made) == 0 {
		return domain.NoID
	}
	return made[len(made)-1-rapid.IntRange(0, len(made)-1).Draw(y.r, "ago")]
}

func (y *year) live(command string) error {
	inv, con := y.recent(y.invoices), y.recent(y.contracts)
	money := domain.Money{Amount: int64(1 + 7*evenly(y.r, 1000)), Currency: "EUR"}
	state, _ := y.w.states[domain.StreamName("invoice", inv)].(invoice.State)
	switch command {
	case "draft", "draft and send":
		inv = domaintest.ID(fmt.Sprint("invoice ", y.w.n))
		y.invoices = append(y.invoices, inv)
		tomorrow := domain.DateOf(y.w.now(), time.UTC).AddDays(1)
		_, err := give(y.w, invoice.Aggregate, inv, y.who, invoice.Draft{Account: y.of.account, Due: tomorrow, Lines: lines(y.r)}, y.of)
		if err != nil || command == "draft" {
			return err
		}
		return y.send(inv)
	case "change":
		return y.bill(inv, invoice.ChangeDraft{Invoice: inv, Lines: lines(y.r)})
	case "send":
		return y.send(inv)
	case "pay", "pay the rest":
		if command == "pay the rest" {
			money = state.Due()
		}
		m, err := give(y.w, invoice.Aggregate, inv, y.who, invoice.RecordPayment{
			Invoice: inv, Amount: money, Date: domain.Date{Year: 2026, Month: time.March, Day: 1}, Method: invoice.Card,
		}, y.of)
		if err == nil {
			y.payments[inv] = append(y.payments[inv], m.NewID("payment"))
		}
		return err
	case "refund":
		all := invoice.RefundPayment{Invoice: inv, Payment: y.recent(y.payments[inv]), Reason: domain.P("secret")}
		if rapid.Bool().Draw(y.r, "part") {
			all.Amount = &money
		}
		return y.bill(inv, all)
	case "credit":
		return y.credit(inv, money, y.of)
	case "void":
		return y.bill(inv, invoice.Void{Invoice: inv, Reason: domain.P("secret")})
	case "overdue":
		y.w.n += 48 // hours
		return y.bill(inv, invoice.MarkOverdue{Invoice: inv})
	case "question":
		_, err := give(y.w, invoice.Aggregate, inv, y.somebody(), invoice.Question{Invoice: inv, Text: domain.P("What is this?")}, y.of)
		return err
	case "answer":
		asked := slices.SortedFunc(maps.Keys(state.Questions), func(a, b domain.ID) int { return bytes.Compare(a[:], b[:]) })
		return y.bill(inv, invoice.Answer{Invoice: inv, Question: y.recent(asked), Text: domain.P("Work")})
	case "contract":
		con = domaintest.ID(fmt.Sprint("contract ", y.w.n))
		y.contracts = append(y.contracts, con)
		if err := y.deal(con, y.who, contract.Draft{
			Account: y.of.account, Title: domain.P("Terms"), Body: domain.P("We agree"),
			Signers: []contract.Signer{{Contact: y.contacts[0].ID}, {Contact: y.contacts[1].ID}},
		}); err != nil || rapid.Bool().Draw(y.r, "keep") {
			return err
		}
		if rapid.Bool().Draw(y.r, "change") {
			if err := y.deal(con, y.who, contract.ChangeDraft{
				Contract: con, Title: domain.P("New terms"), Body: domain.P("We still agree"),
				Signers: []contract.Signer{{Contact: y.contacts[0].ID}, {Contact: y.contacts[1].ID}},
			}); err != nil {
				return err
			}
		}
		return y.deal(con, y.who, contract.Send{Contract: con})
	case "sign":
		return y.sign(con, y.somebody())
	case "all sign":
		if err := errors.Join(y.sign(con, y.contacts[0]), y.sign(con, y.contacts[1])); err != nil || rapid.Bool().Draw(y.r, "no copy yet") {
			return err
		}
		return y.copied(con)
	case "decline":
		return y.deal(con, y.somebody(), contract.Decline{Contract: con, Reason: domain.P("secret")})
	case "withdraw":
		return y.deal(con, y.who, contract.Void{Contract: con, Reason: domain.P("secret")})
	case "doubt":
		who := y.somebody()
		return errors.Join(y.agree(con, who), y.deal(con, who, contract.WithdrawConsent{Contract: con}))
	case "copies":
		return y.copied(con)
	default:
		return fmt.Errorf("there is no command %q", command)
	}
}

// bill gives a command to an invoice.
func (y *year) bill(inv domain.ID, c domaintest.Decider[invoice.State, invoice.Event]) error {
	_, err := give(y.w, invoice.Aggregate, inv, y.who, c, y.of)
	return err
}

// deal gives a command to a contract.
func (y *year) deal(con domain.ID, who domain.Actor, c domaintest.Decider[contract.State, contract.Event]) error {
	_, err := give(y.w, contract.Aggregate, con, who, c, y.of)
	return err
}

// somebody is one of the account's contacts.
func (y *year) somebody() domain.Actor { return y.contacts[evenly(y.r, 2)] }

// agree lets somebody read a contract and agree to sign it electronically.
func (y *year) agree(con domain.ID, who domain.Actor) error {
	if err := y.deal(con, who, contract.View{Contract: con}); err != nil {
		return err
	}
	terms, _ := y.w.states[domain.StreamName("contract", con)].(contract.State)
	return y.deal(con, who, contract.Consent{
		Contract: con, SHA256: terms.SHA256, Disclosure: contract.DisclosureNow().SHA256(), Read: true,
	})
}

// sign lets somebody read and sign a contract, whether it is their turn or not.
func (y *year) sign(con domain.ID, who domain.Actor) error {
	if err := y.agree(con, who); err != nil {
		return err
	}
	terms, _ := y.w.states[domain.StreamName("contract", con)].(contract.State)
	return y.deal(con, who, contract.Sign{
		Contract: con, Name: domain.P("Somebody"), Statement: domain.P("I agree"), SHA256: terms.SHA256,
	})
}

// copied sends somebody the contract as all have signed it.
func (y *year) copied(con domain.ID) error {
	return y.deal(con, y.who, contract.DeliverCopy{Contract: con, Contact: y.somebody().ID, Channel: "email"})
}

// send sends a draft under a number, which is only taken for a draft, as the loop does it.
func (y *year) send(inv domain.ID) error {
	state, _ := y.w.states[domain.StreamName("invoice", inv)].(invoice.State)
	send := invoice.Send{Invoice: inv}
	if state.Status == invoice.StatusDraft {
		send.Number = y.w.reserve(y.person, numbering.Invoice, inv)
	}
	return y.bill(inv, send)
}

// credit issues a credit note when the invoice takes it: only then its number is taken, as the loop does it.
func (p person) credit(inv domain.ID, money domain.Money, of owner) error {
	command := invoice.IssueCreditNote{Invoice: inv, Amount: money, Reason: domain.P("secret"), Prefix: "CN-"}
	state, _ := p.w.states[domain.StreamName("invoice", inv)].(invoice.State)
	if state.Status != invoice.StatusSent || state.Due().Amount < money.Amount {
		_, err := give(p.w, invoice.Aggregate, inv, p.who, command, of)
		return err
	}
	// The number's own command comes first, so the credit note's is the one after it.
	next := domain.Meta{Command: domaintest.ID(fmt.Sprint("command ", p.w.n+2))}
	command.Number = p.w.reserve(p, numbering.CreditNote, invoice.CreditNoteID(next))
	_, err := give(p.w, invoice.Aggregate, inv, p.who, command, of)
	return err
}

// lines are one to three of any price, discounts included.
func lines(r *rapid.T) []invoice.Line {
	list := make([]invoice.Line, rapid.IntRange(1, 3).Draw(r, "lines"))
	for i := range list {
		list[i] = invoice.Line{
			Description: domain.P("Work"),
			Quantity:    domain.Decimal(1+evenly(r, 8)) * 375_000,
			UnitPrice:   domain.Money{Amount: int64(37*evenly(r, 1000)) - 20_00, Currency: "EUR"},
			TaxRate:     []domain.Decimal{0, 7 * domain.One, 19 * domain.One, 8_875_000}[evenly(r, 4)],
		}
	}
	return list
}
