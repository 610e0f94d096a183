package readapi_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/atrium-portal/atrium/commands"
	"github.com/atrium-portal/atrium/commands/api"
	"github.com/atrium-portal/atrium/commands/commandstest"
	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/account"
	"github.com/atrium-portal/atrium/domain/catalog"
	"github.com/atrium-portal/atrium/domain/contact"
	"github.com/atrium-portal/atrium/domain/contract"
	"github.com/atrium-portal/atrium/domain/domaintest"
	"github.com/atrium-portal/atrium/domain/firm"
	"github.com/atrium-portal/atrium/domain/invoice"
	"github.com/atrium-portal/atrium/domain/payment"
	"github.com/atrium-portal/atrium/domain/project"
	"github.com/atrium-portal/atrium/projections"
	"github.com/atrium-portal/atrium/readapi"
	"github.com/atrium-portal/atrium/readapi/auth"
	"github.com/atrium-portal/atrium/readapi/upload"
	"github.com/atrium-portal/atrium/readapi/upload/uploadtest"
)

// world is two firms with their clients, made by commands, projected into a database of its own, and served.
type world struct {
	t       testing.TB
	log     *commandstest.Memory
	loop    *commands.Loop
	engine  *projections.Engine
	applied int
	n       int

	ids    map[string]domain.ID // "aurora", "olga", "invoice olga", …
	tokens *tokenBook
	client *pgxpool.Config
	staff  *pgxpool.Config

	options readapi.Options
	handler http.Handler
}

// tokenBook keeps tokens; a token's secret is the name of its holder.
type tokenBook struct {
	mu     sync.Mutex
	tokens map[string]auth.Token
}

// Lookup implements auth.Tokens.
func (b *tokenBook) Lookup(_ context.Context, secret string) (auth.Token, bool, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	token, ok := b.tokens[secret]
	return token, ok, nil
}

func (b *tokenBook) set(secret string, token auth.Token) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.tokens[secret] = token
}

func (b *tokenBook) revoke(secret string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.tokens, secret)
}

// people asks the write side, as the program does.
type people struct{ loop *commands.Loop }

func (p people) Firm(ctx context.Context, id domain.ID) (auth.Firm, bool, error) {
	state, revision, err := commands.State(ctx, p.loop, firm.Aggregate, id)
	s := state.Settings
	return auth.Firm{
		Name: s.Name, Slug: state.Slug, Currency: s.Currency, Zone: s.Location(), NumberFormat: s.NumberFormat,
		ShowUnreleased: s.ShowUnreleasedInvoices, ShowHistory: s.ShowHistory,
	}, revision != domain.NoStream, err
}

func (p people) Staff(ctx context.Context, firmID, id domain.ID) (string, bool, error) {
	state, _, err := commands.State(ctx, p.loop, firm.Aggregate, firmID)
	return string(state.Staff[id].Role), state.Staff[id].Active, err
}

func (p people) Contact(ctx context.Context, firmID, id, chosen domain.ID) (auth.ContactAccess, error) {
	access, err := p.loop.Access(ctx, firmID, id, chosen)
	permissions := make([]string, len(access.Permissions))
	for i, permission := range access.Permissions {
		permissions[i] = string(permission)
	}
	accounts := make([]auth.Account, len(access.Accounts))
	for i, account := range access.Accounts {
		accounts[i] = auth.Account(account)
	}
	return auth.ContactAccess{
		OK: access.OK, Account: access.Account, Accounts: accounts, Role: string(access.Role), Permissions: permissions, Absorbed: access.Absorbed,
	}, err
}

// noReplies remembers nothing.
type noReplies struct{}

func (noReplies) Find(context.Context, api.ReplyKey) (int, []byte, bool, error) {
	return 0, nil, false, nil
}
func (noReplies) Keep(context.Context, api.ReplyKey, int, []byte) error { return nil }

// pencil draws nothing: its files are what there is to draw, as JSON.
type pencil struct{}

func (pencil) Invoice(p *readapi.InvoicePaper) ([]byte, error)     { return json.Marshal(p) }
func (pencil) Receipt(p *readapi.ReceiptPaper) ([]byte, error)     { return json.Marshal(p) }
func (pencil) Statement(p *readapi.StatementPaper) ([]byte, error) { return json.Marshal(p) }
func (pencil) Contract(p *readapi.ContractPaper) ([]byte, error)   { return json.Marshal(p) }

// ops tells of one projection and one parked stream.
type ops struct{}

func (ops) Projections(context.Context) ([]readapi.Projection, error) {
	return []readapi.Projection{{Name: "read", Build: "b1", Program: "b1", Updated: domaintest.Now}}, nil
}

func (ops) Rebuilding(context.Context) (readapi.Rebuild, error) { return readapi.Rebuild{}, nil }

func (ops) Parked(context.Context, domain.ID) ([]readapi.ParkedStream, error) {
	return []readapi.ParkedStream{{Stream: "invoice-x", Events: 2, Error: "no such fold"}}, nil
}

// newWorld builds the world; change may adjust the options of the router.
func newWorld(t testing.TB, change ...func(*world)) *world {
	t.Helper()
	w := &world{
		t: t, log: commandstest.NewMemory(), ids: map[string]domain.ID{}, tokens: &tokenBook{tokens: map[string]auth.Token{}},
	}
	codec := domaintest.Codec(t, catalog.Types()...)
	var err error
	w.loop, err = commands.NewLoop(commands.Options{
		Log: w.log, Codec: codec, Menu: commands.Atrium(), Now: func() time.Time { return domaintest.Now.Add(time.Duration(w.n) * time.Second) },
		LoginKey: []byte("0123456789abcdef"), Gateway: "test",
	})
	if err != nil {
		t.Fatal(err)
	}
	w.database(codec)
	w.populate()
	w.project()
	past, err := projections.NewPast(w.engine, w.log)
	if err != nil {
		t.Fatal(err)
	}
	w.options = readapi.Options{
		Past:   past,
		Tokens: w.tokens, People: people{w.loop}, Checkpoint: w.engine, Ops: ops{}, Menu: menu(w.loop.Menu), Documents: pencil{},
		Uploads:  &upload.Desk{Files: &uploadtest.Memory{}},
		Evidence: &handedOut{}, Audit: &scribe{},
		Commands: func(r chi.Router) { api.Routes(r, w.loop.Menu, w.loop, readapi.Meta, noReplies{}, readapi.Problem) },
		Ready:    func(context.Context) error { return nil },
		Now:      func() time.Time { return domaintest.Now.AddDate(0, 0, 20) }, PublicURL: "https://portal.example", Limit: -1,
	}
	for _, c := range change {
		c(w)
	}
	w.serve()
	return w
}

// serve opens the readers' pools and makes the router.
func (w *world) serve() {
	w.t.Helper()
	w.options.Pools = readapi.Pools{Client: open(w.t, w.client), Staff: open(w.t, w.staff)}
	var err error
	if w.handler, err = readapi.Router(w.options); err != nil {
		w.t.Fatal(err)
	}
}

// menu describes the commands that somebody may give.
func menu(m *commands.Menu) (list []readapi.Command) {
	for _, e := range m.Entries() {
		if !e.Who.Internal() {
			list = append(list, readapi.Command{Name: e.Name, Type: e.Command, Events: e.Events, Creates: e.Creates, Who: "whoever may"})
		}
	}
	return list
}

// database makes a database with empty read models and an engine over it.
func (w *world) database(codec *domain.Codec) {
	w.t.Helper()
	url := os.Getenv("ATRIUM_TEST_POSTGRES")
	if url == "" {
		w.t.Fatal("ATRIUM_TEST_POSTGRES is not set: run through make test")
	}
	ctx := context.Background()
	admin, err := pgx.Connect(ctx, url)
	if err != nil {
		w.t.Fatal(err)
	}
	name := "readapi_" + strings.ReplaceAll(domain.NewID().String(), "-", "")
	for _, sql := range []string{"create database " + name, "grant create on database " + name + " to atrium_owner"} {
		if _, err := admin.Exec(ctx, sql); err != nil {
			w.t.Fatal(err)
		}
	}
	w.t.Cleanup(func() {
		if _, err := admin.Exec(ctx, "drop database "+name+" with (force)"); err != nil {
			w.t.Error(err)
		}
		_ = admin.Close(ctx)
	})
	role := func(role string) *pgxpool.Config {
		config, err := pgxpool.ParseConfig(url)
		if err != nil {
			w.t.Fatal(err)
		}
		config.MaxConns = 4
		config.ConnConfig.Database, config.ConnConfig.User, config.ConnConfig.Password = name, role, ""
		config.ConnConfig.RuntimeParams["timezone"] = "UTC"
		config.ConnConfig.RuntimeParams["search_path"] = "read, public"
		return config
	}
	w.client, w.staff = role("atrium_client"), role("atrium_staff")
	w.engine, err = projections.New(open(w.t, role("atrium_projector")), codec, projections.Tables(), projections.Options{
		Owner: open(w.t, role("atrium_owner")), Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		w.t.Fatal(err)
	}
	if _, err := w.engine.Open(ctx); err != nil {
		w.t.Fatal(err)
	}
}

func open(t testing.TB, config *pgxpool.Config) *pgxpool.Pool {
	t.Helper()
	pool, err := pgxpool.NewWithConfig(context.Background(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}

// project brings the read models up to the log.
func (w *world) project() {
	w.t.Helper()
	all := w.log.All()
	var after domain.Position
	if w.applied > 0 {
		after = all[w.applied-1].Position
	}
	if w.applied == len(all) {
		return
	}
	if err := w.engine.Apply(context.Background(), projections.Batch{After: after, Events: all[w.applied:]}); err != nil {
		w.t.Fatal(err)
	}
	w.applied = len(all)
	status, err := w.engine.Status(context.Background())
	if err != nil || len(status.Parked) > 0 {
		w.t.Fatalf("parked %v, %v", status.Parked, err)
	}
}

var importer = domain.SystemActor("import")

// do gives a command in a firm; it must be accepted.
func (w *world) do(firm string, who domain.Actor, name string, command any) commands.Receipt {
	w.t.Helper()
	w.n++
	receipt, err := w.loop.Dispatch(context.Background(), commands.Order{Name: name, Command: command, Meta: domain.Meta{
		Firm: w.ids[firm], Actor: who, Command: domain.DeriveID("world", fmt.Sprint(w.n)), Request: fmt.Sprint("request ", w.n),
		IP: domain.P("192.0.2.7"), Session: "secret-session", Proof: domain.Proof{Method: "link", At: w.loop.Now()},
	}})
	if err != nil {
		w.t.Fatalf("%s: %v", name, err)
	}
	return receipt
}

func (w *world) staffOf(name string) domain.Actor {
	return domain.Actor{Kind: domain.Staff, ID: w.ids[name]}
}

func (w *world) contactOf(name string) domain.Actor {
	return domain.Actor{Kind: domain.Client, ID: w.ids[name]}
}

func (w *world) invite(firmName, name string, role firm.Role) {
	known := w.staffIDs(firmName)
	w.do(firmName, importer, "InviteStaff", firm.Invite{
		Firm: w.ids[firmName], Name: domain.P(upper(name)), Email: domain.P(name + "@" + firmName + ".example"), Role: role,
	})
	for id := range w.staffIDs(firmName) {
		if !known[id] {
			w.ids[name] = id
		}
	}
	w.tokens.set(name, auth.Token{ID: domaintest.ID(name), Firm: w.ids[firmName], Staff: w.ids[name], Rights: []string{auth.All}})
}

func (w *world) staffIDs(firmName string) map[domain.ID]bool {
	state, _, err := commands.State(context.Background(), w.loop, firm.Aggregate, w.ids[firmName])
	if err != nil {
		w.t.Fatal(err)
	}
	ids := map[domain.ID]bool{}
	for id := range state.Staff {
		ids[id] = true
	}
	return ids
}

func (w *world) account(firmName, name string) {
	w.ids[name] = w.do(firmName, importer, "OpenAccount", account.Open{
		Name: domain.P(upper(name)), Currency: "EUR",
		Contact: account.Person{Name: domain.P("First of " + name), Email: domain.P("first@" + name + ".example")},
	}).ID
}

func (w *world) contact(firmName, accountName, name string, permissions ...contact.Permission) {
	w.ids[name] = w.do(firmName, importer, "AddContact", contact.Add{
		Account: w.ids[accountName], Name: domain.P(upper(name)), Email: domain.P(name + "@" + accountName + ".example"),
	}).ID
	role := contact.Owner
	if permissions != nil {
		role = contact.Viewer
	}
	w.do(firmName, importer, "GrantPortalAccess", contact.Grant{Contact: w.ids[name], Role: role, Permissions: permissions})
	w.tokens.set(name, auth.Token{ID: domaintest.ID(name), Firm: w.ids[firmName], Contact: w.ids[name], Rights: []string{auth.All}})
}

func eur(amount int64) domain.Money { return domain.Money{Amount: amount, Currency: "EUR"} }

func (w *world) invoice(firmName, accountName, name string, net int64, due string, recipients ...domain.ID) {
	w.t.Helper()
	date, err := domain.ParseDate(due)
	if err != nil {
		w.t.Fatal(err)
	}
	w.ids[name] = w.do(firmName, importer, "DraftInvoice", invoice.Draft{
		Account: w.ids[accountName], Due: date, Recipients: recipients, Note: domain.P("for " + name),
		Lines: []invoice.Line{{Description: domain.P("Work"), Quantity: 2 * domain.One, UnitPrice: eur(net / 2), TaxRate: 19 * domain.One}},
	}).ID
}

func (w *world) pay(firmName, name string, amount int64) {
	w.do(firmName, importer, "RecordPayment", invoice.RecordPayment{
		Invoice: w.ids[name], Amount: eur(amount), Date: domain.DateOf(domaintest.Now, time.UTC), Method: invoice.BankTransfer, Reference: domain.P("ref"),
	})
}

// populate gives the commands. North has the clients aurora and borealis; south has one of its own.
func (w *world) populate() {
	for _, name := range []string{"north", "south"} {
		w.ids[name] = w.do("", domain.SystemActor("setup"), "CreateFirm", firm.Create{Name: upper(name), Currency: "EUR", TimeZone: "Europe/Berlin"}).ID
	}
	w.invite("north", "ada", firm.Administrator)
	w.invite("north", "max", firm.Member)
	w.invite("south", "sue", firm.Administrator)
	w.account("north", "aurora")
	w.account("north", "borealis")
	w.account("south", "crux")
	w.contact("north", "aurora", "olga")
	w.contact("north", "aurora", "liam", contact.RaiseTickets)
	w.contact("north", "aurora", "nora", contact.ViewInvoices, contact.ViewContracts, contact.ViewProjects)
	w.contact("north", "aurora", "fritz")
	w.contact("north", "borealis", "bea")
	w.contact("south", "crux", "carl")
	w.do("north", w.staffOf("max"), "FreezeAccess", contact.Freeze{Contact: w.ids["fritz"], Reason: domain.P("marker-freeze-reason")})
	w.do("north", w.staffOf("ada"), "ChangeAccountDetails", account.ChangeDetails{Account: w.ids["aurora"], Notes: ptr(domain.P("marker-notes"))})

	for _, name := range append(slices.Clone(formulas), "Crux") {
		w.do("south", w.staffOf("sue"), "ChangeAccountDetails", account.ChangeDetails{Account: w.ids["crux"], Name: ptr(domain.P(name))})
	}

	for _, a := range []struct{ firm, account string }{{"north", "aurora"}, {"north", "borealis"}, {"south", "crux"}} {
		w.ids["project "+a.account] = w.do(a.firm, importer, "OpenProject", project.Open{Account: w.ids[a.account], Name: domain.P("Site of " + a.account)}).ID
		w.invoice(a.firm, a.account, "invoice "+a.account, 10_000, "2026-03-16")
		w.do(a.firm, importer, "SendInvoice", invoice.Send{Invoice: w.ids["invoice "+a.account]})
		w.pay(a.firm, "invoice "+a.account, 5_000)
		w.ids["payment "+a.account] = w.paymentOf("invoice " + a.account)
	}
	w.do("north", w.staffOf("max"), "AssignTeamMember", project.Assign{Project: w.ids["project aurora"], Staff: w.ids["max"], Role: "Designer"})
	w.do("north", w.staffOf("max"), "AdvanceStage", project.Advance{Project: w.ids["project aurora"]})

	w.invoice("north", "aurora", "invoice olga", 20_000, "2026-05-01", w.ids["olga"]) // for olga alone
	w.do("north", importer, "SendInvoice", invoice.Send{Invoice: w.ids["invoice olga"]})
	w.pay("north", "invoice olga", 23_800)
	w.invoice("north", "aurora", "draft", 4_000, "2026-05-01")
	w.invoice("north", "aurora", "void", 6_000, "2026-05-01")
	w.do("north", importer, "SendInvoice", invoice.Send{Invoice: w.ids["void"]})
	w.do("north", importer, "VoidInvoice", invoice.Void{Invoice: w.ids["void"], Reason: domain.P("marker-void-reason")})

	w.startPayment("north", "olga", "aurora")
	w.startPayment("north", "bea", "borealis")
	w.startPayment("south", "carl", "crux")

	for _, name := range []string{"contract", "contract done", "contract draft"} {
		w.ids[name] = w.do("north", importer, "DraftContract", contract.Draft{
			Account: w.ids["aurora"], Title: domain.P("Terms: " + name), Body: domain.P("We agree."), Signers: []contract.Signer{{Contact: w.ids["olga"]}},
		}).ID
		if name != "contract draft" {
			w.do("north", importer, "SendContract", contract.Send{Contract: w.ids[name]})
		}
	}
	w.do("north", w.contactOf("olga"), "ViewContract", contract.View{Contract: w.ids["contract done"]})
	w.do("north", w.contactOf("olga"), "ConsentToSigning", contract.Consent{
		Contract: w.ids["contract done"], SHA256: contract.Digest("Terms: contract done", "We agree."), Disclosure: contract.DisclosureNow().SHA256(), Read: true,
	})
	w.do("north", w.contactOf("olga"), "SignContract", contract.Sign{
		Contract: w.ids["contract done"], Statement: domain.P("I agree"), Name: domain.P("Olga O."),
		SHA256: contract.Digest("Terms: contract done", "We agree."),
	})
}

// startPayment begins to pay what is left of an account's first invoice.
func (w *world) startPayment(firmName, payer, accountName string) {
	w.t.Helper()
	id := w.do(firmName, w.contactOf(payer), "StartPayment", payment.Start{Invoice: w.ids["invoice "+accountName]}).ID
	w.ids["attempt "+accountName] = id
	w.do(firmName, domain.SystemActor("payment provider"), "HandOverPayment", payment.HandOver{
		Payment: id, Reference: "marker-reference", URL: domain.P("https://pay.example/" + accountName),
	})
}

// paymentOf finds the one payment of an invoice.
func (w *world) paymentOf(invoiceName string) domain.ID {
	codec := w.loop.Codec
	for _, r := range slices.Backward(w.log.All()) {
		if r.Type != "PaymentRecorded" {
			continue
		}
		if f, err := codec.Decode(r); err == nil && f.Of == w.ids[invoiceName] {
			return f.Event.(invoice.PaymentRecorded).Payment
		}
	}
	w.t.Fatal("no payment")
	return domain.NoID
}

func upper(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

func ptr[T any](v T) *T { return &v }

// of is the world for a subtest.
func (w *world) of(t *testing.T) *world {
	mine := *w
	mine.t = t
	return &mine
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   string
}

// ask makes a request with a token (none when who is empty).
func (w *world) ask(method, path, who string, body ...string) answer {
	w.t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(strings.Join(body, "")))
	if who != "" {
		r.Header.Set("Authorization", "Bearer "+who)
	}
	if len(body) > 0 {
		r.Header.Set("Content-Type", "application/json")
	}
	recorder := httptest.NewRecorder()
	w.handler.ServeHTTP(recorder, r)
	result := recorder.Result()
	defer result.Body.Close()
	b, err := io.ReadAll(result.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return answer{result.StatusCode, result.Header, string(b)}
}

// get reads JSON; anything but 200 fails the test.
func (w *world) get(path, who string, into any) answer {
	w.t.Helper()
	a := w.ask(http.MethodGet, path, who)
	if a.status != http.StatusOK {
		w.t.Fatalf("GET %s as %s: %d %s", path, who, a.status, a.body)
	}
	if err := json.Unmarshal([]byte(a.body), into); err != nil {
		w.t.Fatalf("GET %s: %v in %s", path, err, a.body)
	}
	return a
}

// list reads all pages of a list, limit at a time.
func list[T any](w *world, path, who string, limit int) []T {
	w.t.Helper()
	separator := "?"
	if strings.Contains(path, "?") {
		separator = "&"
	}
	var all []T
	for cursor := ""; ; {
		var page struct {
			Items []T
			Next  string
		}
		w.get(path+separator+fmt.Sprint("limit=", limit)+cursor, who, &page)
		if len(page.Items) > limit {
			w.t.Fatalf("%d items on a page of %d", len(page.Items), limit)
		}
		all = append(all, page.Items...)
		if page.Next == "" {
			return all
		}
		cursor = "&cursor=" + page.Next
	}
}
