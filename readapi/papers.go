package readapi

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/readapi/auth"
)

// Documents draws papers as PDF files. The same paper gives the same bytes for ever.
type Documents interface {
	Invoice(p *InvoicePaper) ([]byte, error)
	Receipt(p *ReceiptPaper) ([]byte, error)
	Statement(p *StatementPaper) ([]byte, error)
	Contract(p *ContractPaper) ([]byte, error)
}

// InvoicePaper is an invoice as it was sent or, when Current is set, also how it stands now. What it says as it was
// sent never changes.
type InvoicePaper struct {
	PartiesNow
	Currency  string        `sql:"i.currency"`
	Draft     bool          `sql:"not i.released"`
	Number    string        `sql:"i.label"`
	Issued    domain.Date   `sql:"i.issued"`
	Due       domain.Date   `sql:"i.due"`
	At        time.Time     `sql:"coalesce(i.sent_at, i.drafted_at)"`
	Seller    Seller        `sql:"i.seller"`
	Buyer     Buyer         `sql:"i.buyer"`
	Note      string        `sql:"i.note"`
	Lines     []InvoiceLine `sql:"i.lines"`
	TaxGroups []TaxGroup    `sql:"i.tax_groups"`
	Net       domain.Money  `sql:"i.net"`
	Total     domain.Money  `sql:"i.total"`

	// How it stands now.
	Current     bool
	Void        bool `sql:"i.void"`
	Payments    []InvoicePayment
	CreditNotes []InvoiceCreditNote
	AmountDue   domain.Money `sql:"i.due_amount"`
}

// ReceiptPaper is the receipt of one payment. It never changes.
type ReceiptPaper struct {
	PartiesNow
	Currency  string       `sql:"p.currency"`
	Number    string       `sql:"p.receipt"` // empty where another program gave the receipt
	Payment   domain.ID    `sql:"p.id"`
	Amount    domain.Money `sql:"p.amount"`
	Date      domain.Date  `sql:"p.date"`
	Method    string       `sql:"p.method"`
	Reference string       `sql:"p.reference"`
	At        time.Time    `sql:"p.recorded_at"`
	Invoice   string       `sql:"i.label"`
	Issued    domain.Date  `sql:"i.issued"` // the invoice
	Total     domain.Money `sql:"i.total"`  // of the invoice
	DueAfter  domain.Money `sql:"p.due_after"`
	Seller    Seller       `sql:"i.seller"`
	Buyer     Buyer        `sql:"i.buyer"`
}

// StatementPaper is a statement of account from the firm to the client, both as they are now.
type StatementPaper struct {
	PartiesNow
	StatementDetail
	Made domain.Date // the day on which it is drawn
	Seal string      // the firm's newest, as SIZE:ROOT; empty: none
}

// ContractPaper is a contract with the certificate of its signatures. Once it is complete it never changes.
type ContractPaper struct {
	PartiesNow
	ID          domain.ID       `sql:"c.id"`
	Title       string          `sql:"c.title"`
	Body        string          `sql:"b.body"`
	Status      string          `sql:"c.status"`
	SHA256      string          `sql:"c.sha256"` // of title, an empty line, body
	Parties     ContractParties `sql:"c.parties"`
	SentAt      time.Time       `sql:"c.sent_at"`
	CompletedAt time.Time       `sql:"c.completed_at"`
	CompletedIn int64           `sql:"c.completed_in"` // revision of the record
	EndedAt     time.Time       `sql:"c.ended_at"`
	Signers     []PaperSigner
	Verify      string // where the contract and its history are shown; empty when not known
	Seal        string // the first that covers the completed contract, as SIZE:ROOT; empty: none yet
}

// VerifyAt names the page of the contract in a portal that people reach at base; empty: nowhere.
func (p *ContractPaper) VerifyAt(base string) {
	if base != "" {
		p.Verify = strings.TrimSuffix(base, "/") + "/contracts/" + p.ID.String()
	}
}

// ContractParties are firm and client as they were when a contract was sent.
type ContractParties struct {
	Firm          string `json:"firm"`
	FirmAddress   string `json:"firm_address,omitempty"`
	Client        string `json:"client"`
	ClientAddress string `json:"client_address,omitempty"`
	TimeZone      string `json:"time_zone"`
	Color         string `json:"color,omitempty"`
}

// PaperSigner is a signer as the certificate names them.
type PaperSigner struct {
	ContractSigner
	OpenedBy      string    `sql:"s.opened_by"` // how they were signed in: link, password, passkey …
	DisclosedAt   time.Time `sql:"s.disclosed_at"`
	Form          string    `sql:"s.form"` // typed or drawn
	DrawingSHA256 string    `sql:"s.drawing_sha256"`
	ProvedBy      string    `sql:"s.proved_by"` // how they were signed in when they signed
	ProvedAt      time.Time `sql:"s.proved_at"`
	IP            string    `sql:"s.ip"`
	UserAgent     string    `sql:"s.user_agent"`
	Event         domain.ID `sql:"s.event"` // that the signature is stored as
}

// PartiesNow are firm and client as they are now, for papers that do not say how they were.
type PartiesNow struct {
	FirmName       string `sql:"f.name"`
	FirmAddress    string `sql:"f.address"`
	FirmTaxID      string `sql:"f.tax_id"`
	FirmPayment    string `sql:"f.payment_details"`
	FirmColor      string `sql:"f.primary_color"`
	NumberFormat   string `sql:"f.number_format"`
	TimeZone       string `sql:"f.time_zone"`
	AccountName    string `sql:"a.name"`
	AccountAddress string `sql:"a.address"`
	AccountTaxID   string `sql:"a.tax_id"`
}

// SellerNow is the firm.
func (p *PartiesNow) SellerNow() Seller {
	return Seller{Name: p.FirmName, Address: p.FirmAddress, TaxID: p.FirmTaxID, Payment: p.FirmPayment, NumberFormat: p.NumberFormat, Color: p.FirmColor}
}

// BuyerNow is the client.
func (p *PartiesNow) BuyerNow() Buyer {
	return Buyer{Name: p.AccountName, Address: p.AccountAddress, TaxID: p.AccountTaxID}
}

// fill puts firm and client into a paper that does not name them: a draft, or one that was sent before papers did.
func (p *PartiesNow) fill(seller *Seller, buyer *Buyer) {
	if seller.Name == "" {
		*seller, *buyer = p.SellerNow(), p.BuyerNow()
	}
}

// paper is a thing of a collection that can be drawn.
type paper struct {
	of      *collection // get is the paper's view
	what    string      // the paper, on record
	suffix  string      // of the path
	summary string
	more    []string // parameters
	draw    func(Documents, any) ([]byte, error)
	file    func(any) string // name without its ending
}

// on is the collection with a paper in place of its things. join brings in the firm as f and the account as a.
func (c *collection) on(paper *view, join string) *collection {
	copied := *c
	if c.named { // with more than the name
		copied.named = false
		join += " join accounts a on a.id = " + c.account
	}
	copied.client.get, copied.staff.get = paper, paper
	copied.client.from += join
	copied.staff.from += join
	return &copied
}

// allPapers lists what can be drawn.
func allPapers() []*paper {
	invoices := invoices().on(viewOf[InvoicePaper](), " join firms f on f.id = i.firm")
	invoices.parts = invoices.parts[:2:2] // payments and credit notes
	invoices.finish = func(object reflect.Value) {
		p := object.Interface().(*InvoicePaper)
		p.fill(&p.Seller, &p.Buyer)
	}
	receipts := payments().on(viewOf[ReceiptPaper](), " join firms f on f.id = p.firm")
	receipts.finish = func(object reflect.Value) {
		p := object.Interface().(*ReceiptPaper)
		p.fill(&p.Seller, &p.Buyer)
	}
	statements := statements().on(viewOf[StatementPaper](), " join firms f on f.id = a.firm")
	statements.finish = func(object reflect.Value) { object.Interface().(*StatementPaper).balance() }
	contracts := contracts().on(viewOf[ContractPaper](), " join firms f on f.id = c.firm")
	contracts.parts = []part{contracts.parts[0]}
	contracts.parts[0].view = viewOf[PaperSigner]()
	contracts.finish = func(object reflect.Value) {
		p := object.Interface().(*ContractPaper)
		if p.Parties.Firm == "" {
			p.Parties = ContractParties{p.FirmName, p.FirmAddress, p.AccountName, p.AccountAddress, p.TimeZone, p.FirmColor}
		}
	}
	return []*paper{
		{
			of: invoices, what: "invoice", suffix: "/pdf", summary: "An invoice as it was sent, as PDF; with current=true also how it stands now", more: []string{"current"},
			draw: func(d Documents, v any) ([]byte, error) { return d.Invoice(v.(*InvoicePaper)) },
			file: func(v any) string { return "invoice-" + v.(*InvoicePaper).Number },
		},
		{
			of: receipts, what: "receipt", suffix: "/receipt", summary: "The receipt of a payment, as PDF",
			draw: func(d Documents, v any) ([]byte, error) { return d.Receipt(v.(*ReceiptPaper)) },
			file: func(v any) string { return "receipt-" + v.(*ReceiptPaper).Number },
		},
		{
			of: statements, what: "statement", suffix: "/pdf", summary: "A statement of account, as PDF",
			draw: func(d Documents, v any) ([]byte, error) { return d.Statement(v.(*StatementPaper)) },
			file: func(v any) string { return "statement-" + v.(*StatementPaper).Made.String() },
		},
		{
			of: contracts, what: "contract", suffix: "/pdf", summary: "A contract with the certificate of its signatures, as PDF",
			draw: func(d Documents, v any) ([]byte, error) { return d.Contract(v.(*ContractPaper)) },
			file: func(v any) string { return "contract-" + v.(*ContractPaper).Title },
		},
	}
}

// paperRoutes are the routes of papers; there are none without Documents.
func (s *server) paperRoutes() (list []route) {
	if s.Documents == nil {
		return nil
	}
	for _, p := range s.papers {
		list = append(list, route{
			path: "/" + p.of.name + "/{id}" + p.suffix, id: "draw-" + p.of.name, group: p.of.name, summary: p.summary, of: p.of,
			parameters: append(p.of.openParameters(), p.more...), pdf: true, audit: Downloads(p.what), handler: s.drawn(p),
		})
	}
	return list
}

// drawn answers GET /{collection}/{id} with a paper. Whoever may open the thing may have it.
func (s *server) drawn(p *paper) http.HandlerFunc {
	parameters := append(p.of.openParameters(), p.more...)
	return func(w http.ResponseWriter, r *http.Request) {
		scope := auth.From(r.Context())
		ask := parseParams(r, parameters...)
		q := s.start(scope, ask)
		p.of.readPeriod(q, ask)
		current, _ := ask.yesNo("current")
		stale, err := s.ready(r.Context(), ask, p.of.allow(scope))
		if err != nil {
			Problem(w, r, err)
			return
		}
		var object reflect.Value
		id, ok := parseID(chi.URLParam(r, "id"))
		if ok {
			p.of.queueOne(q, id, &object)
			err = s.run(r.Context(), q)
		}
		if err == nil && !object.IsValid() {
			err = domain.Missing(p.of.what)
		}
		if err != nil {
			Problem(w, r, err)
			return
		}
		p.of.finish(object)
		switch v := object.Interface().(type) {
		case *InvoicePaper:
			v.Current = current
		case *StatementPaper:
			v.Made = q.today
		case *ContractPaper:
			v.VerifyAt(s.PublicURL)
		}
		if err := s.sealedPaper(r.Context(), scope.Firm, object.Interface()); err != nil {
			Problem(w, r, err)
			return
		}
		body, err := p.draw(s.Documents, object.Interface())
		if err != nil {
			Problem(w, r, fmt.Errorf("drawing one of %s: %w", p.of.name, err))
			return
		}
		sum := sha256.Sum256(body)
		q.opened[0].SHA256 = hex.EncodeToString(sum[:])
		if err := onRecord(r, q.opened[0], ""); err != nil {
			Problem(w, r, err)
			return
		}
		header := w.Header()
		header.Set(positionHeader, q.position.String())
		if stale {
			header.Set(staleHeader, "true")
		}
		header.Set("Content-Type", "application/pdf")
		header.Set("Content-Disposition", `attachment; filename="`+FileName(p.file(object.Interface()))+`.pdf"`)
		header.Set("Content-Length", strconv.Itoa(len(body)))
		if r.Method != http.MethodHead {
			w.Write(body) //nolint:errcheck // the client has gone; there is nobody to tell
		}
	}
}

// FileName makes a name that every system takes out of a text: small letters, digits, dashes and dots.
func FileName(text string) string {
	plain := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '.' || r == '_':
			return r
		case r >= 'A' && r <= 'Z':
			return r
		}
		return '-'
	}, text)
	parts := strings.FieldsFunc(plain, func(r rune) bool { return r == '-' })
	name := strings.Trim(strings.Join(parts, "-"), ".")
	return name[:min(len(name), 80)]
}

// Paper asks for a paper of the thing with an id: P is InvoicePaper, ReceiptPaper, StatementPaper (whose period is from
// and to in ask) or ContractPaper. Whoever may open the thing may have it; otherwise Run's error is the fault for one
// that is missing. The caller adds Current, Made or Verify.
func Paper[P any](r *Reading, id string, ask url.Values) *P {
	for _, p := range r.s.papers {
		if p.of.client.get.typ == reflect.TypeFor[P]() {
			return getFrom[P](r, p.of, id, ask)
		}
	}
	r.fail(fmt.Errorf("readapi: %s is no paper", reflect.TypeFor[P]()))
	return new(P)
}
