package storybook

import (
	"bytes"
	"context"
	"io"
	"time"

	"github.com/a-h/templ"

	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/readapi/portal/ui"
)

const format = "1,234.56"

func firm() ui.Brand {
	return ui.Brand{Name: "North & Field", Primary: "#1f4f7a", Accent: "#c0662b"}
}

// rebranded shows a page in other colours.
func rebranded(page templ.Component, b ui.Brand) templ.Component {
	return templ.ComponentFunc(func(ctx context.Context, w io.Writer) error {
		var buf bytes.Buffer
		if err := page.Render(ctx, &buf); err != nil {
			return err
		}
		_, err := w.Write(bytes.ReplaceAll(buf.Bytes(), []byte(firm().Stylesheet()), []byte(b.Stylesheet())))
		return err
	})
}

func zone() *time.Location { return time.FixedZone("CET", 3600) }

// at is an instant in March 2026.
func at(day, hour, minute int) time.Time {
	return time.Date(2026, time.March, day, hour, minute, 0, 0, time.UTC)
}

func on(month time.Month, day int) domain.Date {
	return domain.Date{Year: 2026, Month: month, Day: day}
}

func eur(cents int64) domain.Money { return domain.Money{Amount: cents, Currency: "EUR"} }

func clientPage(title, current string) ui.Page {
	return ui.Page{
		Title: title, Brand: firm(), Home: Path + "client-home",
		Nav: []ui.NavItem{
			{Label: "Home", Href: Path + "client-home", Icon: "home", Current: current == "home"},
			{Label: "Projects", Href: Path + "project", Icon: "project", Current: current == "projects"},
			{Label: "Invoices", Href: Path + "invoices", Icon: "invoice", Count: 2, Counted: "to pay", Current: current == "invoices"},
			{Label: "Contracts", Href: Path + "contract", Icon: "contract", Count: 1, Counted: "to sign", Current: current == "contracts"},
			{Label: "Statement", Href: Path + "statement", Icon: "statement", Current: current == "statement"},
			{Label: "History", Href: Path + "history", Icon: "history"},
		},
		Accounts: &ui.Accounts{
			Action: Path + "account", Current: "Aurora Coffee Roasters",
			Others: []ui.Account{{ID: "2", Name: "Aurora Real Estate"}},
		},
		User: ui.User{
			Name: "Olga Ortiz", Detail: "Owner", SignOut: Path + "logout",
			Links: []ui.Link{{Label: "Profile", Href: Path + "profile", Icon: "person"}, {Label: "Sign-in and security", Href: Path + "profile", Icon: "shield"}},
		},
		Help: Path + "error", Privacy: Path + "error",
	}
}

func staffPage(title, current string) ui.Page {
	return ui.Page{
		Title: title, Brand: firm(), Home: Path + "staff-home",
		Search: &ui.Search{Action: Path + "history", Label: "Search everything"},
		Nav: []ui.NavItem{
			{Label: "Home", Href: Path + "staff-home", Icon: "home", Current: current == "home"},
			{Label: "Clients", Href: Path + "staff-client", Icon: "people", Current: current == "clients"},
			{Label: "Projects", Href: Path + "board", Icon: "board", Current: current == "projects"},
			{Label: "Invoices", Href: Path + "editor", Icon: "invoice", Count: 128, Counted: "overdue", Current: current == "invoices"},
			{Label: "Contracts", Href: Path + "contract", Icon: "contract", Current: current == "contracts"},
			{Label: "History", Href: Path + "history", Icon: "history", Current: current == "history"},
			{Label: "Operations", Href: Path + "operations", Icon: "pulse", Current: current == "operations"},
			{Label: "Settings", Href: Path + "settings", Icon: "settings", Current: current == "settings"},
		},
		User: ui.User{
			Name: "Priya Kapoor", Detail: "Administrator", SignOut: Path + "logout",
			Links: []ui.Link{{Label: "Sign-in and security", Href: Path + "profile", Icon: "shield"}},
		},
		Help: Path + "error", Privacy: Path + "error",
	}
}

func stages() []string { return []string{"Discovery", "Design", "Development", "Review", "Launch"} }

func activity() []ui.Entry {
	return []ui.Entry{
		{Actor: "Priya Kapoor", Sentence: "Priya Kapoor moved the project from Design to Development", Record: &ui.Link{Label: "Website relaunch", Href: Path + "project"}, Time: at(12, 15, 4)},
		{
			Actor: "Ben Hale", Sentence: "Ben Hale sent invoice INV-1042 over 4,284.00 EUR", Record: &ui.Link{Label: "INV-1042", Href: Path + "invoice"}, Time: at(11, 9, 30),
			Changes: []ui.Change{change("Status", "draft", "sent"), change("Number", "", "INV-1042"), change("Due", "", "25 March 2026")},
		},
		{Actor: "Olga Ortiz", Sentence: "Olga Ortiz paid invoice INV-1037 by card", Record: &ui.Link{Label: "INV-1037", Href: Path + "invoice"}, Time: at(6, 18, 41)},
		{Sentence: "Atrium reminded Aurora Coffee Roasters of invoice INV-1035", Time: at(4, 7, 0)},
	}
}

func invoiceLines() ui.LinesProps {
	return ui.LinesProps{
		Format: format,
		Lines: []ui.DocumentLine{
			line("Website relaunch, second instalment: templates, content import and the shop", 1_000_000, eur(280000), 19_000_000, eur(280000)),
			line("Photography, half a day", 1_500_000, eur(48000), 19_000_000, eur(72000)),
			line("Printed guide to the brand", 10_000_000, eur(850), 7_000_000, eur(8500)),
		},
		Taxes: []ui.DocumentTax{{Rate: 19_000_000, Base: eur(352000), Tax: eur(66880)}, {Rate: 7_000_000, Base: eur(8500), Tax: eur(595)}},
		Net:   eur(360500), Total: eur(427975),
		After: []ui.Sum{{Label: "Paid on 14 March 2026", Amount: eur(-100000)}},
		Due:   ui.Sum{Label: "Amount due", Amount: eur(327975)},
	}
}

func contractText() string {
	return `This agreement is between North & Field Ltd (“we”) and Aurora Coffee Roasters (“you”).

1. What we do. We design and build a new website with a shop, as described in the brief of 12 January 2026. The work has five stages: discovery, design, development, review and launch.

2. What you do. You give us texts, pictures and answers within five working days of being asked, so that the dates can hold.

3. What it costs. 14,400.00 EUR plus tax, in three instalments: on signing, at the end of design, and at launch. Invoices are due within fourteen days.

4. Changes. Anything beyond the brief is offered to you first, with its price and its effect on the dates, and is done after you agree.

5. Rights. When all is paid, the website and all its parts are yours. We may show the work as a reference.

6. Ending. Either side may end this agreement in writing with four weeks' notice. What was done until then is paid.`
}

// scribble is a drawn signature.
const scribble = "M60 120L75 84L96 50L112 44L108 78L92 116L88 130L104 110L126 84L138 82L136 100L142 110L160 90L178 78L190 84L182 104L190 112L214 92L232 60L240 40L232 76L226 112L246 100L268 84L284 86L280 104L296 108L330 88L372 80L430 84L500 70"

func amountsDue() []domain.Money { return []domain.Money{eur(425775)} }

func templComponents(all ...templ.Component) []templ.Component { return all }

func change(field, from, to string) ui.Change { return ui.Change{Field: field, From: from, To: to} }

func line(text string, quantity domain.Decimal, price domain.Money, tax domain.Decimal, net domain.Money) ui.DocumentLine {
	return ui.DocumentLine{Description: text, Quantity: quantity, UnitPrice: price, TaxRate: tax, Net: net}
}

func group(label, name string, billed, paid int64, billedText, paidText string) ui.BarGroup {
	return ui.BarGroup{Label: label, Name: name, Values: []int64{billed, paid}, Texts: []string{billedText, paidText}}
}

func part(label string, value int64, text, href string) ui.Part {
	return ui.Part{Label: label, Value: value, Text: text, Href: href}
}
