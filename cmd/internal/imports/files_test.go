package imports_test

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/atrium-portal/atrium/cmd/internal/imports"
	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/domaintest"
	"github.com/atrium-portal/atrium/domain/invoice"
)

const (
	ninjaClients  = "Name,Balance,VAT Number,Phone,Currency,First Name,Last Name,Email,Phone"
	ninjaInvoices = "Client,Email,Invoice Number,Amount,Paid,Status,Invoice Date,Due Date,Discount,Item Product,Item Notes,Item Cost,Item Quantity,Item Tax Rate,Item Tax Rate"
	freshInvoices = "Client Name,Invoice #,Date Issued,Invoice Status,Date Paid,Item Name,Item Description,Rate,Quantity,Discount Percentage,Tax 1 Type,Tax 1 Amount,Tax 2 Type,Tax 2 Amount,Line Total,Currency"
)

func anna(currency string) []string {
	return []string{"Anna's", "", "", "", currency, "Anna", "Ray", "anna@annas.example", ""}
}

// of is an invoice of Anna's by Invoice Ninja, of one line.
func of(number, amount, paid, cost, quantity string) []string {
	return []string{"Anna's", "", number, amount, paid, "Sent", "2026-01-10", "2026-02-10", "", "Work", "", cost, quantity, "", ""}
}

// withAnna is a house with one client, whose account is in a currency.
func withAnna(t *testing.T, currency string) *house {
	t.Helper()
	h := newHouse(t)
	h.clean(imports.Clients, imports.InvoiceNinja, table(ninjaClients, anna(currency)))
	return h
}

func TestFilesOfAnotherShape(t *testing.T) {
	for name, c := range map[string]struct{ kind, from, text, want string }{
		"nothing":          {imports.Clients, imports.InvoiceNinja, "", "file.csv is empty"},
		"spaces":           {imports.Clients, imports.InvoiceNinja, "\ufeff \n\n", "file.csv is empty"},
		"only a header":    {imports.Clients, imports.InvoiceNinja, "\n" + ninjaClients + "\n,,,,,,,,\n", "no rows below"},
		"a workbook":       {imports.Clients, imports.InvoiceNinja, "PK\x03\x04...", "save it as CSV"},
		"UTF-16":           {imports.Clients, imports.InvoiceNinja, "\xff\xfeN\x00", "UTF-16"},
		"a picture":        {imports.Clients, imports.InvoiceNinja, "\x89PNG\r\n\x1a\n\x00\"", "the columns Name, First Name, Last Name and Email are missing"},
		"a column short":   {imports.Clients, imports.InvoiceNinja, "CLIENTS;;\nName;First Name;Last Name\na;b;c", "the column Email is missing; line 2 has Name, First Name and Last Name"},
		"another table":    {imports.Invoices, imports.FreshBooks, "date,km\n2026-01-01,12\n", "the columns Client Name, Invoice #, Date Issued, Invoice Status, Item Name, Item Description, Rate, Quantity, Line Total and Currency are missing; line 1 has date and km"},
		"a wide table":     {imports.Clients, imports.FreshBooks, "a,b,c,d,e,f,g,h,i,j,k,l,m,n\n", "and 2 more"},
		"quotes":           {imports.Invoices, imports.InvoiceNinja, "QUOTES,,,\nClient,Quote Number,Amount,Quote Date\n", "is an export of quotes from Invoice Ninja, not of invoices from Invoice Ninja: export the invoices and import those"},
		"titled as quotes": {imports.Invoices, imports.InvoiceNinja, "QUOTES,,,\n" + ninjaInvoices, "is an export of quotes"},
		"payments":         {imports.Invoices, imports.InvoiceNinja, "Payments,,,\nClient,Invoice Number,Amount,Date\n", "is an export of payments"},
		"the other kind":   {imports.Invoices, imports.InvoiceNinja, ninjaClients + "\n", "use `atrium import clients --from invoiceninja`"},
		"the other source": {imports.Clients, imports.InvoiceNinja, "Organization,First Name,Last Name,Email\n", "use `atrium import clients --from freshbooks`"},
		"an unknown kind":  {"quotes", imports.InvoiceNinja, "", `cannot import "quotes"`},
		"no source":        {imports.Clients, "", "", "give one of clients, invoices, from one of invoiceninja, freshbooks"},
		"unsure dates": {
			imports.Invoices, imports.InvoiceNinja, strings.ReplaceAll(table(ninjaInvoices, of("1", "$5", "", "5", "1")), "2026-01-10", "01/10/2026"),
			"",
		},
		"doubtful dates": {
			imports.Invoices, imports.InvoiceNinja, strings.NewReplacer("2026-01-10", "1/2/2026", "2026-02-10", "3/4/2026").Replace(table(ninjaInvoices, of("1", "$5", "", "5", "1"))),
			"dates such as 1/2/2026 can be read with the day or with the month first",
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			before := len(h.log.All())
			s, err := imports.Run(t.Context(), h.options(c.kind, c.from, c.text))
			switch {
			case c.want == "" && err == nil:
				return
			case err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n"):
				t.Fatalf("%v", err)
			}
			if len(h.log.All()) != before || len(s.Problems) > 0 {
				t.Fatalf("something was done: %+v", s)
			}
		})
	}
}

func TestFormsOfOneFile(t *testing.T) {
	text := fixture(t, "invoiceninja-clients.csv")
	semicolons := strings.ReplaceAll(text, `","`, `";"`)
	for name, form := range map[string]string{
		"byte order mark": "\ufeff" + text, "CRLF": strings.ReplaceAll(text, "\n", "\r\n"), "semicolons": semicolons,
		"tabs": strings.ReplaceAll(text, `","`, "\"\t\""), "no title": text[strings.Index(text, `"Name"`):],
		"upper case": strings.Replace(text, "First Name", "FIRST  NAME", 1),
	} {
		t.Run(name, func(t *testing.T) {
			if s := newHouse(t).clean(imports.Clients, imports.InvoiceNinja, form); s.Accounts.New != 4 {
				t.Fatalf("%+v", s)
			}
		})
	}
}

func TestRowsThatCannotBeImported(t *testing.T) {
	h := newHouse(t)
	s := h.run(imports.Clients, imports.InvoiceNinja, ninjaClients+"\n"+
		"Good,,,,,Ann,Ray,ann@good.example,\n"+
		"\n"+
		"No mail,,,,,Ben,Ray,,\n"+
		"\"Two\nlines\",,,,,Cat,Ray,cat@two.example,\n"+
		"Short,,,,,Dan,Ray,dan@short.example\n"+
		"Bad\xff,,,,,Eve,Ray,eve@bad.example,\n"+
		"Same mail,,,,,Fay,Ray,ANN@good.example,\n"+
		"Bare \"quote\",,,,,Gus,Ray,gus@bare.example,\n"+
		"Coin,,,,Doubloons,Hal,Ray,hal@coin.example,\n"+
		"Mark,⌘5.00,,,,Ida,Ray,ida@mark.example,\n"+
		"good ,,,,EUR,Jim,Ray,jim@good.example,\n"+
		"good,,,,,Ann,Ray,ann@good.example,\n"+
		",,,,,,,,\n"+
		"Last,,,,,Kay,Ray,kay@last.example,\n"+
		"\"Open,,,,,Lee,Ray,lee@open.example,\n"+
		"Swallowed,,,,,Max,Ray,max@swallowed.example,\n")
	if s.Accounts.New != 3 || s.Rows != 13 {
		t.Fatalf("%+v", s)
	}
	expect(t, s.Problems,
		imports.RowProblem{4, "client No mail: Give an e-mail address such as ana@example.com. (contact.email)"},
		imports.RowProblem{7, "8 fields where the header has 9"},
		imports.RowProblem{8, "save the file as UTF-8"},
		imports.RowProblem{9, "the e-mail ANN@good.example stands on line 2 already"},
		imports.RowProblem{10, "the quotation marks in this row do not match"},
		imports.RowProblem{11, "Give a currency code such as EUR."},
		imports.RowProblem{12, `the currency of "⌘5.00" is not known`},
		imports.RowProblem{13, "client good stands on line 2 with other details"},
		imports.RowProblem{17, "the quotation marks from here to line 18 do not match"},
	)
}

func TestInvoicesThatCannotBeImported(t *testing.T) {
	h := withAnna(t, "USD")
	change := func(row []string, column int, value string) []string { row[column] = value; return row }
	s := h.run(imports.Invoices, imports.InvoiceNinja, table(ninjaInvoices,
		of("1", "$10.00", "$4.00", "5", "2"), // 2: good
		of("2", "$10.00", "$10.01", "5", "2"),
		of("3", "$11.00", "", "5", "2"),
		of("3", "$11.00", "", "5", "2"),
		change(of("4", "$10.00", "", "5", "2"), 0, "Nobody"),
		change(of("5", "$10.00", "", "5", "2"), 5, "Reversed"), // 7
		change(of("6", "$10.00", "$1.00", "5", "2"), 5, "Draft"),
		change(of("7", "$10.00", "", "5", "2"), 6, "soon"),
		change(of("8", "$10.00", "", "5", "2"), 6, ""),
		change(of("9", "$10.00", "", "5", "2"), 6, "2026-03-03"), // the day after today
		of("10", "€10.00", "", "5", "2"),                         // 12
		of("11", "$10.001", "", "5", "2"),
		of("12", "ten", "", "5", "2"),
		of("13", "$10.00", "", "five", "2"),
		of("14", "$0.00", "", "5", "0"),
		of("15", "$-5.00", "", "-5", "1"), // 17
		of("16", "$10.00", "$-1.00", "5", "2"),
		of("", "$10.00", "", "5", "2"),
		of("17", "$20.00", "", "5", "2"),
		change(of("17", "$20.00", "", "5", "2"), 7, "2026-02-11"),
		change(of("18", "$10.00", "", "5", "2"), 13, "120"), // 22
		change(of("19", "$20.00", "", "5", "2"), 9, "a\xffb"),
		change(of("19", "$20.00", "", "5", "2"), 9, "ab"),
		change(of("20", "$10.00", "", "5", "2"), 9, ""),
	))
	if s.Invoices.New != 2 || s.Totals[0].Billed != usd(2000) || s.Totals[0].Paid != usd(400) {
		t.Fatalf("%+v", s)
	}
	expect(t, s.Problems,
		imports.RowProblem{3, "invoice 2: 10.01 USD was paid, more than its amount, 10.00 USD"},
		imports.RowProblem{4, "invoice 3: its lines come to 10.00 USD or 20.00 USD, and the file says 11.00 USD"},
		imports.RowProblem{6, "no client named Nobody was imported; import the clients first"},
		imports.RowProblem{7, `its status "reversed" is not one we can import`},
		imports.RowProblem{8, "it is a draft, and 1.00 USD was paid on it"},
		imports.RowProblem{9, `"soon" is not a date`},
		imports.RowProblem{10, "its date is missing"},
		imports.RowProblem{11, "Give a date not later than today, 2026-03-02. (imported.issued)"},
		imports.RowProblem{12, `"€10.00" is not in USD`},
		imports.RowProblem{13, `"$10.001" is not an amount in USD`},
		imports.RowProblem{14, `"ten" is not an amount`},
		imports.RowProblem{15, `line 15: "five" is not a number`},
		imports.RowProblem{16, "Give a quantity other than zero. (lines[0].quantity)"},
		imports.RowProblem{17, "The total is below zero."},
		imports.RowProblem{18, "the amount paid, -1.00 USD, is below zero"},
		imports.RowProblem{19, "the invoice number is missing"},
		imports.RowProblem{20, `Due Date is "2026-02-10" on line 20 and "2026-02-11" on line 21`},
		imports.RowProblem{22, "its lines come to 22.00 USD"},
		imports.RowProblem{23, "save the file as UTF-8"},
	)
	if h.counts()["InvoiceDrafted"] != 2 {
		t.Fatalf("half done: %v", h.counts())
	}
}

// Where the file states no totals, nobody would notice a line that cannot be read: its neighbours are left out.
func TestTornRowLeavesItsNeighboursOut(t *testing.T) {
	h := withAnna(t, "USD")
	line := func(number string) []string {
		return []string{"Anna's", number, "2026-01-10", "sent", "", "Work", "", "5.00", "2", "", "", "", "", "", "10.00", "USD"}
	}
	text := table(freshInvoices, line("1"), line("2"), line("3"), line("4"), line("4"))
	text = strings.Replace(text, "Anna's,3,2026-01-10,sent,,Work,,5.00,2,,,,,,10.00,USD\n", "Anna's,3,2026-01-10,sent,,Work, and more,,5.00,2,,,,,,10.00,USD\n", 1)
	s := h.run(imports.Invoices, imports.FreshBooks, text)
	if s.Invoices.New != 1 || s.Totals[0].Billed != usd(1000) {
		t.Fatalf("%+v", s)
	}
	expect(t, s.Problems,
		imports.RowProblem{3, "invoice 2: line 4 cannot be read and may belong to it"},
		imports.RowProblem{4, "17 fields where the header has 16"},
		imports.RowProblem{5, "invoice 4: line 4 cannot be read and may belong to it"},
	)
}

func TestAmountsAsPeopleWriteThem(t *testing.T) {
	for text, want := range map[string]string{
		"$1,234.50": "1,234.50 USD", "USD 1234.5": "1,234.50 USD", "1 234,50 USD": "1,234.50 USD", "$ 1'234.50": "1,234.50 USD", "1.234,50": "1,234.50 USD",
		"1,234": "1,234.00 USD", "12,34": "12.34 USD", "1,234,567": "1,234,567.00 USD", "€ 9,50": "9.50 EUR", "9,50\u00a0€": "9.50 EUR",
		"£7.05": "7.05 GBP", "¥1,234": "1,234 JPY", "JPY 1.234": "1,234 JPY", "kr. 99,00": "99.00 SEK", "KWD 1,234": "1.234 KWD", "C$5": "5.00 CAD",
	} {
		t.Run(text, func(t *testing.T) {
			code := want[len(want)-3:]
			h := withAnna(t, code)
			plain := strings.ReplaceAll(strings.TrimSuffix(want, " "+code), ",", "")
			s := h.clean(imports.Invoices, imports.InvoiceNinja, table(ninjaInvoices, of("1", text, text, plain, "1")))
			if len(s.Totals) != 1 || s.Totals[0].Billed.String() != want || s.Totals[0].Due.Amount != 0 {
				t.Fatalf("%+v", s.Totals)
			}
		})
	}
}

func TestCurrencyOfAnAccount(t *testing.T) {
	for balance, want := range map[string]string{"$5.00": "USD", "($400.00)": "USD", "5,00 €": "EUR", "£-1.00": "GBP", "": "USD", "7": "USD", "CHF 3.20": "CHF"} {
		h := newHouse(t)
		row := anna("")
		row[1] = balance
		h.clean(imports.Clients, imports.InvoiceNinja, table(ninjaClients, row))
		s := h.run(imports.Invoices, imports.InvoiceNinja, table(ninjaInvoices, of("1", "5.00", "", "5", "1")))
		if len(s.Totals) != 1 || s.Totals[0].Currency != want {
			t.Errorf("%q: %+v, want %s", balance, s, want)
		}
	}
}

func TestDiscountsAndTaxes(t *testing.T) {
	with := func(amount, discount, cost, first, second string) []string {
		row := of("1", amount, "", cost, "1")
		row[8], row[13], row[14] = discount, first, second
		return row
	}
	for name, c := range map[string]struct {
		rows       [][]string
		net, total int64
	}{
		"none":                     {[][]string{with("$100.00", "0", "100", "", "")}, 10000, 10000},
		"percent":                  {[][]string{with("$87.50", "12.5%", "100", "", "")}, 8750, 8750},
		"an amount":                {[][]string{with("$95.00", "$5.00", "100", "", "")}, 9500, 9500},
		"a bare number: percent":   {[][]string{with("$160.00", "20", "200", "", "")}, 16000, 16000},
		"a bare number: an amount": {[][]string{with("$180.00", "20", "200", "", "")}, 18000, 18000},
		"two taxes on a line":      {[][]string{with("$115.00", "", "100", "10", "5")}, 10000, 11500},
		"percent before tax":       {[][]string{with("$108.00", "10%", "100", "20", "0")}, 9000, 10800},
		"an amount over two rates": {[][]string{with("$290.00", "$30.00", "100", "20", ""), with("$290.00", "$30.00", "200", "5", "")}, 27000, 29700},
	} {
		t.Run(name, func(t *testing.T) {
			if name == "an amount over two rates" { // 100 - 10 at 20 %, 200 - 20 at 5 %
				for i := range c.rows {
					c.rows[i][3] = "$297.00"
				}
			}
			h := withAnna(t, "USD")
			h.clean(imports.Invoices, imports.InvoiceNinja, table(ninjaInvoices, c.rows...))
			if got := h.invoices()["1"].Content.Totals; got.Net != usd(c.net) || got.Total != usd(c.total) {
				t.Fatalf("%+v", got)
			}
		})
	}
}

func TestTaxesToldByAmount(t *testing.T) {
	line := func(rate, kind, tax, total string) []string {
		return []string{"Anna's", "1", "2026-01-10", "sent", "", "Work", "", rate, "1", "", kind, tax, "", "", total, "USD"}
	}
	for name, c := range map[string]struct {
		rows  [][]string
		rates string
		want  string // problem
	}{
		"one rate":            {[][]string{line("100.00", "VAT", "19.00", "119.00"), line("50.00", "VAT", "9.50", "59.50")}, "19", ""},
		"line without tax":    {[][]string{line("100.00", "VAT", "19.00", "100.00"), line("50.00", "", "0.00", "50.00")}, "0 19", ""},
		"two kinds":           {[][]string{line("100.00", "Food", "7.00", "107.00"), line("50.00", "VAT", "9.50", "59.50")}, "7 19", ""},
		"one name, two rates": {[][]string{line("100.00", "VAT", "7.00", "107.00"), line("50.00", "VAT", "9.50", "59.50")}, "7 19", ""},
		"a rate with places":  {[][]string{line("1000.00", "Sales", "82.50", "1082.50")}, "8.25", ""},
		"rounded by line":     {[][]string{line("0.33", "VAT", "0.07", "0.40"), line("0.33", "VAT", "0.07", "0.40"), line("0.33", "VAT", "0.07", "0.40")}, "21", ""},
		"more than the price": {[][]string{line("10.00", "VAT", "12.00", "22.00")}, "", "Give a tax rate from 0 to 100 percent."},
		"tax on nothing":      {[][]string{line("0.00", "VAT", "1.00", "1.00")}, "", "its lines come to 0.00 USD with 0.00 USD of tax, and the file says 1.00 USD with 1.00 USD of tax"},
		"another line total":  {[][]string{line("10.00", "VAT", "1.00", "12.00")}, "", "line 2: it comes to 10.00 USD without tax and 11.00 USD with, and the file says 12.00 USD"},
	} {
		t.Run(name, func(t *testing.T) {
			h := withAnna(t, "USD")
			s := h.run(imports.Invoices, imports.FreshBooks, table(freshInvoices, c.rows...))
			if c.want != "" {
				expect(t, s.Problems, imports.RowProblem{2, c.want})
				return
			}
			expect(t, s.Problems)
			var rates []string
			for _, g := range h.invoices()["1"].Content.Totals.Groups {
				rates = append(rates, g.Rate.String())
			}
			if got := strings.Join(rates, " "); got != c.rates {
				t.Fatalf("rates %s, want %s", got, c.rates)
			}
		})
	}
}

func TestStatusesOfFreshBooks(t *testing.T) {
	row := func(status, paid, currency string) string {
		return table(freshInvoices, []string{"Anna's", "1", "2026-01-10", status, paid, "Work", "", "5.00", "2", "", "", "", "", "", "10.00", currency})
	}
	for _, c := range []struct{ status, paid, currency, want, problem string }{
		{"viewed", "", "USD", "", ""},
		{"Paid", "2026-01-20", "USD", "2026-01-20", ""},
		{"auto-paid", "", "USD", "2026-01-10", ""},
		{"paid", "2026-12-24", "USD", "2026-03-02", ""}, // never in the future
		{"partial", "", "USD", "", "does not tell how much"},
		{"gone", "", "USD", "", `its status "gone"`},
		{"sent", "", "EUR", "", "it is in EUR, and its client's account in USD"},
	} {
		h := withAnna(t, "USD")
		s := h.run(imports.Invoices, imports.FreshBooks, row(c.status, c.paid, c.currency))
		if c.problem != "" {
			expect(t, s.Problems, imports.RowProblem{2, c.problem})
			continue
		}
		expect(t, s.Problems)
		got := ""
		for _, f := range h.facts() {
			if e, ok := f.Event.(invoice.PaymentRecorded); ok {
				got = e.Date.String()
			}
		}
		if got != c.want {
			t.Errorf("%s: paid on %q, want %q", c.status, got, c.want)
		}
	}
}

func TestWaysToWriteDates(t *testing.T) {
	for _, c := range [][2]string{
		{"2026-01-31", "2026-02-14"},
		{"1/31/2026", "2/14/2026"},
		{"31/01/2026", "14/02/2026"},
		{"31.1.2026", "14.2.2026"},
		{"Jan 31, 2026", "Feb 14, 2026"},
		{"31 Jan 2026", "14 Feb 2026"},
		{"2026/01/31", "2026/02/14"},
	} {
		h := withAnna(t, "USD")
		row := of("1", "$5.00", "", "5", "1")
		row[6], row[7] = c[0], c[1]
		h.clean(imports.Invoices, imports.InvoiceNinja, table(ninjaInvoices, row))
		if one := h.invoices()["1"]; one.Issued.String() != "2026-01-31" || one.Content.Due.String() != "2026-02-14" {
			t.Errorf("%v: %s %s", c, one.Issued, one.Content.Due)
		}
	}
}

// Whatever is in a file: no panic, and what is said about it is one line.
func FuzzFile(f *testing.F) {
	for _, name := range []string{"invoiceninja-clients.csv", "invoiceninja-invoices.csv", "freshbooks-clients.csv", "freshbooks-invoices.csv"} {
		data, err := os.ReadFile("testdata/" + name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(data))
	}
	f.Add(table(freshInvoices, []string{"A", "1", "1/10/2026", "paid", "", "W", "", "5.001", "-2", "10", "T", "1", "U", "2", "10.00", "USD"}))
	f.Add(strings.ReplaceAll(table(ninjaInvoices, of("1", "($5.00)", "1.234,5", "1e9", "3")), ",", ";"))
	f.Fuzz(func(t *testing.T, text string) {
		for _, kind := range imports.Kinds() {
			for _, source := range imports.Sources() {
				s, err := imports.Run(t.Context(), imports.Options{
					Firm: domaintest.ID("firm"), FirmCurrency: "EUR", Kind: kind, From: source, File: strings.NewReader(text), Name: "file.csv", DryRun: true,
					Exists: func(context.Context, domain.ID) (string, bool, error) { return "USD", true, nil },
					Now:    func() time.Time { return domaintest.Now },
				})
				if err != nil && strings.Contains(err.Error(), "\n") {
					t.Errorf("%v", err)
				}
				for _, p := range s.Problems {
					if p.Line < 1 || p.Reason == "" || strings.Contains(p.Reason, "\n") {
						t.Errorf("%+v", p)
					}
				}
				for _, sum := range s.Totals {
					if sum.Paid.Add(sum.Due) != sum.Billed {
						t.Errorf("%+v", sum)
					}
				}
			}
		}
	})
}
