package pdf_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/atrium-portal/atrium/cmd/internal/pdf"
	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/domaintest"
	"github.com/atrium-portal/atrium/readapi"
)

var (
	seller = readapi.Seller{
		Name: "Northlight Studio", Address: "Speicherstraße 21\n20457 Hamburg\nGermany", TaxID: "DE 301 556 284", NumberFormat: "1,234.56",
		Payment: "Hanseatic Bank\nIBAN DE02 2003 0400 0123 4567 89\nBIC HANBDEHH",
	}
	buyer = readapi.Buyer{Name: "Holm & Rye Bakeries", Address: "Bahrenfelder Straße 114\n22765 Hamburg", TaxID: "DE 318 442 907"}
	now   = domaintest.Now
	today = domain.Date{Year: 2026, Month: 3, Day: 2}
)

func eur(n int64) domain.Money { return domain.Money{Amount: n, Currency: "EUR"} }

func line(text string, quantity domain.Decimal, price, net int64, rate domain.Decimal) readapi.InvoiceLine {
	return readapi.InvoiceLine{Description: text, Quantity: quantity, UnitPrice: eur(price), TaxRate: rate * domain.One, Net: eur(net)}
}

func invoice() *readapi.InvoicePaper {
	return &readapi.InvoicePaper{
		Currency: "EUR", Number: "NL-0017", Issued: today, Due: today.AddDays(21), At: now, Seller: seller, Buyer: buyer,
		Note: "As agreed: second half of the build. Thank you for a project that smelled of bread from the first meeting.",
		Lines: []readapi.InvoiceLine{
			line("Shop, checkout and counter view: second half", domain.One, 960_000, 960_000, 19),
			line("Pilot in Ottensen: on site, per day", 4*domain.One, 76_000, 304_000, 19),
			line("Printed handbook for the counter, forty copies, with the two drawings that Ingrid asked for at the last meeting", domain.Decimal(1_500_000), 24_000, 36_000, 7),
			line("Goodwill for the late start", domain.One, -20_000, -20_000, 19),
		},
		TaxGroups: []readapi.TaxGroup{
			{Rate: 7 * domain.One, Base: eur(36_000), Tax: eur(2_520)}, {Rate: 19 * domain.One, Base: eur(1_244_000), Tax: eur(236_360)},
		},
		Net: eur(1_280_000), Total: eur(1_518_880), AmountDue: eur(1_518_880),
	}
}

// with is a paper with a change.
func with[P any](p *P, change func(*P)) *P { change(p); return p }

func receipt() *readapi.ReceiptPaper {
	return &readapi.ReceiptPaper{
		Currency: "EUR", Number: "R-0012", Payment: domaintest.ID("payment"), Amount: eur(1_000_000), Date: today.AddDays(3), Method: "card",
		Reference: "pi_3Pq8XZ2eZvKYlo2C1aBcDeFg", At: now, Invoice: "NL-0017", Issued: today, Total: eur(1_518_880), DueAfter: eur(518_880), Seller: seller, Buyer: buyer,
	}
}

func statement() *readapi.StatementPaper {
	p := &readapi.StatementPaper{
		PartiesNow: readapi.PartiesNow{
			FirmName: seller.Name, FirmAddress: seller.Address, FirmTaxID: seller.TaxID, NumberFormat: "1.234,56", FirmColor: "#7a3f8f",
			AccountName: buyer.Name, AccountAddress: buyer.Address,
		},
		Made: domain.Date{Year: 2026, Month: 3, Day: 31},
	}
	p.From, p.To = domain.Date{Year: 2026, Month: 1, Day: 1}, domain.Date{Year: 2026, Month: 3, Day: 31}
	p.Opening, p.Billed, p.Paid, p.Refunded, p.Credited, p.Voided = eur(120_000), eur(3_037_760), eur(1_880_000), eur(50_000), eur(23_800), eur(0)
	balance := p.Opening
	for i, e := range []readapi.StatementEntry{
		{Kind: "payment", InvoiceNumber: "NL-0009", Amount: eur(-120_000)},
		{Kind: "invoice", InvoiceNumber: "NL-0012", Amount: eur(1_518_880)},
		{Kind: "payment", InvoiceNumber: "NL-0012", Amount: eur(-1_518_880)},
		{Kind: "refund", InvoiceNumber: "NL-0012", Amount: eur(50_000)},
		{Kind: "invoice", InvoiceNumber: "NL-0017", Amount: eur(1_518_880)},
		{Kind: "credit_note", InvoiceNumber: "NL-0017", Number: "CN-0003", Amount: eur(-23_800)},
		{Kind: "payment", InvoiceNumber: "NL-0017", Amount: eur(-241_120)},
	} {
		balance = balance.Add(e.Amount)
		e.Date, e.Balance = p.From.AddDays(9*(i+1)), balance
		p.Entries = append(p.Entries, e)
	}
	p.Closing = balance
	return p
}

const terms = `between **Northlight Studio**, Speicherstraße 21, 20457 Hamburg ("the studio"), and **Holm & Rye Bakeries** ("the client").

## 1. The work

The studio designs and delivers **a shop with checkout**. The work consists of:

- drafts in **two rounds**, each shown in the portal before it is agreed and each with a week in which the client can ask for changes;
- the build, and a pilot in one shop;
- a handbook.

What is not named here is not part of the fee. If the client wishes for more, the studio says beforehand in writing what it will cost and how it moves the dates, and begins once the client has agreed.

## 2. Fee and payment

The fee is **32,000.00 EUR**, plus value added tax. It falls due in instalments:

1. half at the start;
2. half when the shop opens.

Invoices are payable within 14 days. Travel beyond the Hamburg region is charged at cost.

German law applies; the courts of Hamburg have jurisdiction. Changes to this agreement need the signature of both sides.`

func agreement() *readapi.ContractPaper {
	sent := now.Add(-48 * time.Hour)
	signer := func(name string, after time.Duration, drawing string) readapi.PaperSigner {
		p := readapi.PaperSigner{
			IP: "2001:db8:44:91::17", UserAgent: "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/145.0.0.0 Safari/537.36",
			Event: domaintest.ID("signature of " + name),
		}
		p.Name, p.SignedAs, p.Drawing = name, name, drawing
		p.ViewedAt, p.SignedAt = sent.Add(after), sent.Add(after+14*time.Minute)
		p.OpenedAt, p.OpenedBy, p.DisclosedAt, p.ReadAt, p.ConsentedAt = p.ViewedAt, "link", p.ViewedAt, p.ViewedAt.Add(9*time.Minute), p.ViewedAt.Add(9*time.Minute)
		p.Disclosure, p.DisclosureSHA256 = "2026-1", "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752"
		p.Form, p.ProvedBy, p.ProvedAt = "typed", "one_time_password", p.ViewedAt.Add(12*time.Minute)
		if drawing != "" {
			p.Form, p.DrawingSHA256 = "drawn", "fd61a03af4f77d870fc21e05e7e80678095c92d808cfb3b5c279ee04c74aca13"
		}
		p.Statement = "I have read this agreement and sign it on behalf of Holm & Rye Bakeries."
		p.SHA256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
		return p
	}
	wave := "M40 120"
	for x := 40; x < 520; x += 8 {
		wave += fmt.Sprintf("L%d %d", x, 90+int(40*float64((x*x/37)%17-8)/8))
	}
	return &readapi.ContractPaper{
		ID: domaintest.ID("contract"), Title: "Design agreement: shop with checkout", Body: terms, Status: "complete",
		SHA256:  "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
		Parties: readapi.ContractParties{Firm: seller.Name, FirmAddress: seller.Address, Client: buyer.Name, ClientAddress: buyer.Address, TimeZone: "Europe/Berlin", Color: "#1d4e89"},
		SentAt:  sent, CompletedAt: now, Signers: []readapi.PaperSigner{signer("Ingrid Holm", time.Hour, ""), signer("Lukas Brandt", 46*time.Hour, wave)},
		Seal:   "1204:ZhKSeQnBaGTxMBi3wPUmlxgrYzOJ5F0CuKQeBOvHpkE=",
		Verify: "https://portal.northlight.example/contracts/" + domaintest.ID("contract").String(),
	}
}

// papers are drawn by name.
func papers() map[string]func() ([]byte, error) {
	var d pdf.Documents
	return map[string]func() ([]byte, error){
		"invoice": func() ([]byte, error) { return d.Invoice(invoice()) },
		"invoice-current": func() ([]byte, error) {
			return d.Invoice(with(invoice(), func(p *readapi.InvoicePaper) {
				p.Current, p.AmountDue = true, eur(495_080)
				p.Payments = []readapi.InvoicePayment{{Amount: eur(1_050_000), Refunded: eur(50_000), Date: today.AddDays(3), Method: "card", Receipt: "R-0012", Reference: "pi_3Pq8"}}
				p.CreditNotes = []readapi.InvoiceCreditNote{{Number: "CN-0003", Amount: eur(23_800), Date: today.AddDays(9)}}
				p.Seller.NumberFormat, p.Seller.Color = "1 234,56", "#8a3324"
			}))
		},
		"invoice-long": func() ([]byte, error) {
			return d.Invoice(with(invoice(), func(p *readapi.InvoicePaper) {
				p.Draft, p.Lines = true, nil
				for i := range 60 {
					p.Lines = append(p.Lines, line(fmt.Sprintf("Day %d on site, with %s", i+1, strings.Repeat("notes ", i%9*4)), domain.One, 76_000, 76_000, 19))
				}
			}))
		},
		"receipt":   func() ([]byte, error) { return d.Receipt(receipt()) },
		"statement": func() ([]byte, error) { return d.Statement(statement()) },
		"contract":  func() ([]byte, error) { return d.Contract(agreement()) },
		"contract-open": func() ([]byte, error) {
			return d.Contract(with(agreement(), func(p *readapi.ContractPaper) {
				p.Status, p.CompletedAt = "sent", time.Time{}
				p.Signers[1] = readapi.PaperSigner{}
				p.Signers[1].Name = "Lukas Brandt"
			}))
		},
	}
}

// TestGoldenFiles keeps every paper byte for byte: what was sent once is drawn the same for ever. `make golden` writes
// them anew; look at them before you commit them.
func TestGoldenFiles(t *testing.T) {
	for name, draw := range papers() {
		t.Run(name, func(t *testing.T) {
			got, err := draw()
			if err != nil {
				t.Fatal(err)
			}
			file := filepath.Join("testdata", name+".pdf")
			if flag.Lookup("update").Value.String() == "true" {
				if err := os.MkdirAll("testdata", 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(file, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatalf("run `make golden`: %v", err)
			}
			if !bytes.Equal(got, want) {
				t.Errorf("%s is drawn differently: run `make golden` and look at it", file)
			}
		})
	}
}

// Many at a time, the same bytes.
func TestDrawnAtTheSameTime(t *testing.T) {
	draw := papers()["contract"]
	first, err := draw()
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if got, err := draw(); err != nil || !bytes.Equal(got, first) {
				t.Errorf("other bytes (%v)", err)
			}
		})
	}
	all.Wait()
}

// Nothing that people write breaks a paper.
func TestWhateverIsWritten(t *testing.T) {
	var d pdf.Documents
	for _, text := range []string{
		"", " ", "\x00\x07", "日本語 العربية 🥐 \u202eesrever", strings.Repeat("W", 5000), strings.Repeat("word ", 4000), "<script>alert(1)</script> ' \" \\ ( ) %",
		"a\tb\r\nc\u2028d", "**", "** a ** b **c", "# ", "####### x", "- ", "\xff\xfe", strings.Repeat("\n", 2000), "(\\)", "{{.}} ${x} %s",
	} {
		if len([]rune(text)) < 500 {
			if _, err := d.Invoice(with(invoice(), func(p *readapi.InvoicePaper) {
				p.Number, p.Seller, p.Buyer, p.Note, p.Lines[0].Description = text, readapi.Seller{Name: text, Address: text, TaxID: text, Payment: text, Color: text, NumberFormat: text}, readapi.Buyer{Name: text, Address: text, TaxID: text}, text, text
			})); err != nil {
				t.Errorf("invoice of %q: %v", text[:min(len(text), 20)], err)
			}
			if _, err := d.Receipt(with(receipt(), func(p *readapi.ReceiptPaper) { p.Reference, p.Buyer.Name, p.Method = text, text, text })); err != nil {
				t.Errorf("receipt of %q: %v", text, err)
			}
		}
		if _, err := d.Invoice(with(invoice(), func(p *readapi.InvoicePaper) { p.Note, p.Lines[0].Description = text, text })); err != nil {
			t.Errorf("lines of %q: %v", text[:min(len(text), 20)], err)
		}
		if _, err := d.Contract(with(agreement(), func(p *readapi.ContractPaper) {
			p.Body, p.Signers[0].Statement, p.Signers[0].UserAgent, p.Signers[1].Drawing = text, text, text, text
		})); err != nil {
			t.Errorf("contract of %q: %v", text[:min(len(text), 20)], err)
		}
	}
}

func TestFilesAreSmall(t *testing.T) {
	for name, draw := range papers() {
		if got, err := draw(); err != nil || len(got) > 100_000 {
			t.Errorf("%s has %d bytes (%v)", name, len(got), err)
		}
	}
}
