package portal_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/go-chi/chi/v5"

	"github.com/atrium-portal/atrium/commands"
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
	"github.com/atrium-portal/atrium/readapi/portal"
	"github.com/atrium-portal/atrium/readapi/upload"
	"github.com/atrium-portal/atrium/readapi/upload/uploadtest"
)

// world is two firms with their clients, made by commands, projected into a database of its own, and the portal over
// them. People are known by a token that is their name.
type world struct {
	t       *testing.T
	log     *commandstest.Memory
	loop    *commands.Loop
	engine  *projections.Engine
	applied int
	n       int

	ids     map[string]domain.ID // "aurora", "olga", "invoice aurora", …
	people  map[string]auth.Token
	files   uploadtest.Memory
	options portal.Options
	pages   chi.Router
}

func (w *world) Lookup(_ context.Context, secret string) (auth.Token, bool, error) {
	token, ok := w.people[secret]
	return token, ok, nil
}

// Position and Await make the world a checkpoint that is up to date whenever it is asked.
func (w *world) Position(ctx context.Context) (domain.Position, error) {
	w.project()
	status, err := w.engine.Status(ctx)
	return status.Position, err
}

func (w *world) Fence(ctx context.Context) (domain.ID, error) { return w.engine.Fence(ctx) }

// Await implements readapi.Checkpoint.
func (w *world) Await(context.Context, domain.Position) error {
	w.project()
	return nil
}

// Dispatch gives a command, and has the payment provider make its page at once.
func (w *world) Dispatch(ctx context.Context, o commands.Order) (commands.Receipt, error) {
	receipt, err := w.loop.Dispatch(ctx, o)
	if err == nil && o.Name == "StartPayment" && len(receipt.Events) > 0 && !receipt.Repeated {
		return w.loop.Dispatch(ctx, commands.Order{Name: "HandOverPayment", Command: payment.HandOver{
			Payment: receipt.ID, Reference: "page", URL: domain.P("https://pay.example/page"),
		}, Meta: domain.Meta{Firm: o.Meta.Firm, Actor: domain.SystemActor("cashier"), Command: domain.NewID()}})
	}
	return receipt, err
}

// whom answers the portal's questions about people from the write side, as the program does.
type whom struct{ loop *commands.Loop }

func (p whom) Firm(ctx context.Context, id domain.ID) (auth.Firm, bool, error) {
	state, revision, err := commands.State(ctx, p.loop, firm.Aggregate, id)
	s := state.Settings
	return auth.Firm{
		Name: s.Name, Slug: state.Slug, Currency: s.Currency, Zone: s.Location(), NumberFormat: s.NumberFormat,
		PrimaryColor: s.PrimaryColor, AccentColor: s.AccentColor, Logo: state.Logo,
		ShowUnreleased: s.ShowUnreleasedInvoices, ShowHistory: s.ShowHistory,
	}, revision != domain.NoStream, err
}

func (p whom) Staff(ctx context.Context, firmID, id domain.ID) (string, bool, error) {
	state, _, err := commands.State(ctx, p.loop, firm.Aggregate, firmID)
	return string(state.Staff[id].Role), state.Staff[id].Active, err
}

func (p whom) Contact(ctx context.Context, firmID, id, chosen domain.ID) (auth.ContactAccess, error) {
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

type ops struct{ rebuild readapi.Rebuild }

func (ops) Projections(context.Context) ([]readapi.Projection, error) {
	return []readapi.Projection{{Name: "read", Build: "b1", Program: "b1", Updated: domaintest.Now}}, nil
}

func (o ops) Rebuilding(context.Context) (readapi.Rebuild, error) { return o.rebuild, nil }

func (ops) Parked(context.Context, domain.ID) ([]readapi.ParkedStream, error) {
	return []readapi.ParkedStream{{Stream: "invoice-x", Events: 2, Error: "no such fold"}}, nil
}

// later is when people look: 20 days after everything was done.
func later() time.Time { return domaintest.Now.AddDate(0, 0, 20) }

func newWorld(t *testing.T, change ...func(*world)) *world {
	t.Helper()
	w := &world{t: t, log: commandstest.NewMemory(), ids: map[string]domain.ID{}, people: map[string]auth.Token{}}
	codec := domaintest.Codec(t, catalog.Types()...)
	now := func() time.Time { return domaintest.Now.Add(time.Duration(w.n) * time.Second) }
	var err error
	w.loop, err = commands.NewLoop(commands.Options{Log: w.log, Codec: codec, Menu: commands.Atrium(), Now: now, LoginKey: []byte("0123456789abcdef"), Files: &w.files})
	if err != nil {
		t.Fatal(err)
	}
	w.loop.Gateway = "simulator"
	pools := w.database(codec)
	w.populate()
	w.project()
	past, err := projections.NewPast(w.engine, w.log)
	if err != nil {
		t.Fatal(err)
	}
	reader, err := readapi.NewReader(pools, w, past, later)
	if err != nil {
		t.Fatal(err)
	}
	way := []auth.Identify{func(r *http.Request) (auth.Identity, bool, error) { // of somebody who has just shown who they are
		who, ok, err := auth.Bearer(w)(r)
		who.Method, who.Proved = "link", later()
		return who, ok, err
	}}
	w.options = portal.Options{
		Reader: reader, Dispatch: w, People: whom{w.loop}, Ops: ops{}, Seals: sealed{}, Supposer: supposer{w}, Client: way, Staff: way, Now: later, Pays: true, Papers: true,
		Uploads: &upload.Desk{Files: &w.files},
		Doors:   portal.Doors{SignIn: "/login", SignOut: "/logout", Security: "/account/security", Proof: "/account/proof", Account: "/account", Help: "/login/help"},
	}
	for _, c := range change {
		c(w)
	}
	w.serve()
	return w
}

// with serves with other options until the test ends.
func (w *world) with(change func(*portal.Options)) {
	w.t.Helper()
	before := w.options
	w.t.Cleanup(func() {
		w.options = before
		w.serve()
	})
	change(&w.options)
	w.serve()
}

// serve makes the router of the options as they are.
func (w *world) serve() {
	w.t.Helper()
	var err error
	if w.pages, err = portal.Router(w.options); err != nil {
		w.t.Fatal(err)
	}
}

// database makes a database with empty read models and gives the readers' pools.
func (w *world) database(codec *domain.Codec) readapi.Pools {
	w.t.Helper()
	server := os.Getenv("ATRIUM_TEST_POSTGRES")
	if server == "" {
		w.t.Fatal("ATRIUM_TEST_POSTGRES is not set: run through make test")
	}
	ctx := context.Background()
	admin, err := pgx.Connect(ctx, server)
	if err != nil {
		w.t.Fatal(err)
	}
	name := "portal_" + strings.ReplaceAll(domain.NewID().String(), "-", "")
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
	role := func(role string) *pgxpool.Pool {
		config, err := pgxpool.ParseConfig(server)
		if err != nil {
			w.t.Fatal(err)
		}
		config.MaxConns = 4
		config.ConnConfig.Database, config.ConnConfig.User, config.ConnConfig.Password = name, role, ""
		config.ConnConfig.RuntimeParams["timezone"] = "UTC"
		config.ConnConfig.RuntimeParams["search_path"] = "read, public"
		pool, err := pgxpool.NewWithConfig(ctx, config)
		if err != nil {
			w.t.Fatal(err)
		}
		w.t.Cleanup(pool.Close)
		return pool
	}
	w.engine, err = projections.New(role("atrium_projector"), codec, projections.Tables(), projections.Options{
		Owner: role("atrium_owner"), Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		w.t.Fatal(err)
	}
	if _, err := w.engine.Open(ctx); err != nil {
		w.t.Fatal(err)
	}
	return readapi.Pools{Client: role("atrium_client"), Staff: role("atrium_staff")}
}

// project brings the read models up to the log.
func (w *world) project() {
	w.t.Helper()
	all := w.log.All()
	if w.applied == len(all) {
		return
	}
	var after domain.Position
	if w.applied > 0 {
		after = all[w.applied-1].Position
	}
	if err := w.engine.Apply(context.Background(), projections.Batch{After: after, Events: all[w.applied:]}); err != nil {
		w.t.Fatal(err)
	}
	w.applied = len(all)
}

var importer = domain.SystemActor("import")

// do gives a command in a firm; it must be accepted.
func (w *world) do(firmName string, who domain.Actor, name string, command any) commands.Receipt {
	w.t.Helper()
	w.n++
	receipt, err := w.loop.Dispatch(context.Background(), commands.Order{Name: name, Command: command, Meta: domain.Meta{
		Firm: w.ids[firmName], Actor: who, Command: domain.DeriveID("world", fmt.Sprint(w.n)), IP: domain.P("192.0.2.7"),
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

func (w *world) staff(firmName string) map[domain.ID]firm.StaffState {
	state, _, err := commands.State(context.Background(), w.loop, firm.Aggregate, w.ids[firmName])
	if err != nil {
		w.t.Fatal(err)
	}
	return maps.Clone(state.Staff)
}

func (w *world) invite(firmName, name string, role firm.Role) {
	known := w.staff(firmName)
	w.do(firmName, importer, "InviteStaff", firm.Invite{
		Firm: w.ids[firmName], Name: domain.P(upper(name)), Email: domain.P(name + "@" + firmName + ".example"), Role: role,
	})
	for id := range w.staff(firmName) {
		if _, was := known[id]; !was {
			w.ids[name] = id
		}
	}
	w.people[name] = auth.Token{ID: domaintest.ID(name), Firm: w.ids[firmName], Staff: w.ids[name], Rights: []string{auth.All}}
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
	w.people[name] = auth.Token{ID: domaintest.ID(name), Firm: w.ids[firmName], Contact: w.ids[name], Rights: []string{auth.All}}
}

func eur(amount int64) domain.Money { return domain.Money{Amount: amount, Currency: "EUR"} }

func (w *world) invoice(firmName, accountName, name string, net int64, due string, recipients ...domain.ID) {
	w.t.Helper()
	date, err := domain.ParseDate(due)
	if err != nil {
		w.t.Fatal(err)
	}
	w.ids[name] = w.do(firmName, importer, "DraftInvoice", invoice.Draft{
		Account: w.ids[accountName], Project: w.ids["project "+accountName], Due: date, Recipients: recipients, Note: domain.P("for " + name),
		Lines: []invoice.Line{{Description: domain.P("Work on " + name), Quantity: 2 * domain.One, UnitPrice: eur(net / 2), TaxRate: 19 * domain.One}},
	}).ID
}

func (w *world) sendInvoice(firmName, name string) {
	w.do(firmName, importer, "SendInvoice", invoice.Send{Invoice: w.ids[name]})
}

func (w *world) contract(firmName, accountName, name string, signers ...string) {
	list := make([]contract.Signer, len(signers))
	for i, s := range signers {
		list[i].Contact = w.ids[s]
	}
	w.ids[name] = w.do(firmName, importer, "DraftContract", contract.Draft{
		Account: w.ids[accountName], Title: domain.P("Terms: " + name), Body: domain.P(contractBody), Signers: list,
	}).ID
}

const contractBody = "# Terms\n\nWe **agree**.\n\n- first\n- second"

// populate gives the commands. North has the clients aurora and borealis; south has one of its own. Whatever no client
// may read has the word marker in it.
func (w *world) populate() {
	for _, name := range []string{"north", "south"} {
		w.ids[name] = w.do("", domain.SystemActor("setup"), "CreateFirm", firm.Create{Name: upper(name), Currency: "EUR", TimeZone: "Europe/Berlin"}).ID
	}
	w.invite("north", "ada", firm.Administrator)
	w.invite("north", "meg", firm.Manager)
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
	notes, address := domain.P("marker-notes"), domain.P("Hafenstraße 7\n20457 Hamburg")
	w.do("north", w.staffOf("ada"), "ChangeAccountDetails", account.ChangeDetails{Account: w.ids["aurora"], Notes: &notes, Address: &address})

	for _, a := range []struct{ firm, account string }{{"north", "aurora"}, {"north", "borealis"}, {"south", "crux"}} {
		w.ids["project "+a.account] = w.do(a.firm, importer, "OpenProject", project.Open{Account: w.ids[a.account], Name: domain.P("Site of " + a.account)}).ID
		w.invoice(a.firm, a.account, "invoice "+a.account, 10_000, "2026-03-16")
		w.sendInvoice(a.firm, "invoice "+a.account)
		w.do(a.firm, importer, "RecordPayment", invoice.RecordPayment{
			Invoice: w.ids["invoice "+a.account], Amount: eur(5_000), Date: domain.DateOf(domaintest.Now, time.UTC), Method: invoice.BankTransfer,
		})
	}
	w.do("north", w.staffOf("max"), "AssignTeamMember", project.Assign{Project: w.ids["project aurora"], Staff: w.ids["max"], Role: "Designer"})
	w.do("north", w.staffOf("max"), "AdvanceStage", project.Advance{Project: w.ids["project aurora"]})
	w.do("north", w.staffOf("max"), "SetHealth", project.SetHealth{Project: w.ids["project aurora"], Health: project.WaitingOnClient, Note: domain.P("We need the photos.")})

	w.invoice("north", "aurora", "invoice olga", 20_000, "2026-05-01", w.ids["olga"]) // for olga alone
	w.sendInvoice("north", "invoice olga")
	w.invoice("north", "aurora", "draft", 4_000, "2026-05-01")
	w.invoice("north", "aurora", "void", 6_000, "2026-05-01")
	w.sendInvoice("north", "void")
	w.do("north", importer, "VoidInvoice", invoice.Void{Invoice: w.ids["void"], Reason: domain.P("marker-void-reason")})

	w.contract("north", "aurora", "contract", "olga", "nora")
	w.contract("north", "aurora", "second", "olga")
	w.contract("north", "aurora", "contract draft", "olga")
	w.contract("north", "borealis", "contract borealis", "bea")
	w.contract("south", "crux", "contract crux", "carl")
	for _, c := range []struct{ firm, name string }{{"north", "contract"}, {"north", "second"}, {"north", "contract borealis"}, {"south", "contract crux"}} {
		w.do(c.firm, importer, "SendContract", contract.Send{Contract: w.ids[c.name]})
	}
}

func upper(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   string
}

// get asks for a page as somebody; as nobody when who is empty.
func (w *world) get(path, who string) answer {
	w.t.Helper()
	return w.ask(httptest.NewRequest(http.MethodGet, path, nil), who)
}

// post sends a form. Without a key it gets a fresh one.
func (w *world) post(path, who string, fields ...string) answer {
	w.t.Helper()
	values := url.Values{}
	for i := 0; i+1 < len(fields); i += 2 {
		values.Add(fields[i], fields[i+1])
	}
	if !values.Has("key") {
		values.Set("key", domain.NewID().String())
	}
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(values.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return w.ask(r, who)
}

func (w *world) ask(r *http.Request, who string) answer {
	w.t.Helper()
	if who != "" {
		r.Header.Set("Authorization", "Bearer "+who)
	}
	w.project()
	recorder := httptest.NewRecorder()
	w.pages.ServeHTTP(recorder, r)
	result := recorder.Result()
	defer result.Body.Close()
	body, err := io.ReadAll(result.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return answer{result.StatusCode, result.Header, string(body)}
}

// page asks for a page that must be there, and gives its text.
func (w *world) page(path, who string) string {
	w.t.Helper()
	a := w.get(path, who)
	if a.status != http.StatusOK {
		w.t.Fatalf("GET %s as %s: %d %s", path, who, a.status, a.body)
	}
	return a.body
}

// id is the id of a thing as text.
func (w *world) id(name string) string {
	w.t.Helper()
	id, ok := w.ids[name]
	if !ok {
		w.t.Fatalf("there is no %q in the world", name)
	}
	return id.String()
}

// holds fails unless a page holds all of texts.
func holds(t *testing.T, page string, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if !strings.Contains(page, text) {
			t.Errorf("the page does not say %q:\n%s", text, page)
		}
	}
}

// lacks fails if a page holds any of texts.
func lacks(t *testing.T, page string, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if strings.Contains(page, text) {
			t.Errorf("the page says %q", text)
		}
	}
}

// of is the world for a subtest.
func (w *world) of(t *testing.T) *world {
	outer := w.t
	w.t = t
	t.Cleanup(func() { w.t = outer })
	return w
}
