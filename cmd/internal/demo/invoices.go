package demo

import (
	"github.com/atrium-portal/atrium/domain"
	"github.com/atrium-portal/atrium/domain/invoice"
)

// bill is an invoice in the story.
type bill struct {
	s    *story
	by   domain.Actor
	key  string
	id   domain.ID
	due  int // day
	zero domain.Money
}

// item is a line: what, how much of it in hundredths, the price in cents, the tax in percent.
type item struct {
	what     string
	quantity int64
	price    int64
	tax      int64
}

// draft drafts an invoice to be paid within some days of the one on which it is drafted.
func (s *story) draft(by Staff, p party, project domain.ID, when moment, within int, key, note string, to []Client, items ...item) bill {
	d := invoice.Draft{Account: p.id, Project: project, Due: s.date(when.day + within), Note: domain.P(note)}
	for _, c := range to {
		d.Recipients = append(d.Recipients, c.ID)
	}
	for _, i := range items {
		d.Lines = append(d.Lines, invoice.Line{
			Description: domain.P(i.what), Quantity: domain.Decimal(i.quantity) * domain.One / 100,
			UnitPrice: domain.Money{Amount: i.price, Currency: p.currency}, TaxRate: domain.Decimal(i.tax) * domain.One,
		})
	}
	m := s.do(by.actor(), when, key, "DraftInvoice", d)
	return bill{s, by.actor(), key, m.NewID("invoice"), when.day + within, domain.Money{Currency: p.currency}}
}

func (b bill) money(cents int64) domain.Money {
	return domain.Money{Amount: cents, Currency: b.zero.Currency}
}

func (b bill) send(when moment) bill {
	b.s.do(b.by, when, b.key, "SendInvoice", invoice.Send{Invoice: b.id})
	return b
}

// pay records a payment and returns its id.
func (b bill) pay(when moment, cents int64, method invoice.Method, reference string) domain.ID {
	m := b.s.do(b.by, when, on(b.key, when), "RecordPayment", invoice.RecordPayment{
		Invoice: b.id, Amount: b.money(cents), Date: b.s.workday(when.day), Method: method, Reference: domain.P(reference),
	})
	return m.NewID("payment")
}

func (b bill) refund(when moment, payment domain.ID, cents int64, reason string) {
	amount := b.money(cents)
	b.s.do(b.by, when, b.key, "RefundPayment", invoice.RefundPayment{Invoice: b.id, Payment: payment, Amount: &amount, Reason: domain.P(reason)})
}

func (b bill) credit(when moment, cents int64, reason string) {
	b.s.do(b.by, when, b.key, "IssueCreditNote", invoice.IssueCreditNote{Invoice: b.id, Amount: b.money(cents), Reason: domain.P(reason)})
}

func (b bill) void(when moment, reason string) {
	b.s.do(b.by, when, b.key, "VoidInvoice", invoice.Void{Invoice: b.id, Reason: domain.P(reason)})
}

// overdue lets the clock mark the invoice a quarter of an hour after the due date ended.
func (b bill) overdue() {
	b.s.do(domain.SystemActor("clock"), at(b.due+1, 15), b.key, "MarkOverdue", invoice.MarkOverdue{Invoice: b.id})
}

// reverseCharge stands on invoices to companies abroad.
const reverseCharge = "Reverse charge: VAT is to be accounted for by the recipient."

// invoices tells what was billed and what became of it: each state is there at least once.
func (s *story) invoices(c cast, w work) {
	s.holmInvoices(c, w)
	s.vargaInvoices(c, w)
	s.harbourInvoices(c, w)
}

func (s *story) holmInvoices(c cast, w work) {
	// Paid in time.
	b := s.draft(c.tom, c.holm, w.brand, at(-326, 14_00), 14, "brand 1", "First instalment of three.", nil,
		item{"Discovery: workshops with shop managers and family, half a day each", 3_00, 1_150_00, 19},
		item{"Brand audit of nine shops, with photographs", 1_00, 1_850_00, 19}).send(at(-326, 14_25))
	b.pay(at(-315, 9_10), 6_307_00, invoice.BankTransfer, "HR 2207 NL-0001")

	// Overdue, paid in two parts; printed books carry the lower tax.
	b = s.draft(c.tom, c.holm, w.brand, at(-270, 11_30), 14, "brand 2", "Second instalment of three.", nil,
		item{"Identity design: mark, type, colours", 1_00, 6_800_00, 19},
		item{"Packaging templates, bags and boxes", 12_00, 240_00, 19},
		item{"Printed brand book", 60_00, 18_50, 7}).send(at(-270, 11_50))
	b.overdue()
	b.pay(at(-250, 9_20), 7_000_00, invoice.BankTransfer, "HR 2231 part")
	b.pay(at(-243, 9_20), 5_706_90, invoice.BankTransfer, "HR 2231 rest")

	// Credited in part, the rest paid.
	b = s.draft(c.tom, c.holm, w.brand, at(-203, 10_00), 14, "brand 3", "Last instalment. Thank you for a lovely year.", nil,
		item{"Production support at the printer", 22_50, 95_00, 19},
		item{"Launch photography, one day", 1_00, 1_400_00, 19},
		item{"Signage files for ten shop fronts", 10_00, 165_00, 19}).send(at(-203, 10_20))
	b.credit(at(-197, 16_05), 1_666_00, "The launch photography was cancelled because of the weather.")
	b.pay(at(-192, 9_15), 4_507_13, invoice.BankTransfer, "HR 2290")

	// By card through the portal, and one to the bookkeeper only.
	b = s.draft(c.priya, c.holm, w.ordering, at(-134, 9_30), 14, "ordering 1", "", nil,
		item{"Online ordering: research in three shops", 1_00, 2_900_00, 19},
		item{"Prototype and tests with twelve customers", 1_00, 4_200_00, 19}).send(at(-134, 9_45))
	b.pay(at(-128, 13_55), 8_449_00, invoice.Card, "Visa ending 4242")

	// Paid, then a part given back and credited.
	b = s.draft(c.priya, c.holm, w.ordering, at(-84, 10_10), 14, "ordering 2", "As agreed: half of the build.", []Client{c.lukas},
		item{"Shop, checkout and counter view: first half", 1_00, 9_600_00, 19},
		item{"Training for shop staff, per session", 9_00, 160_00, 19}).send(at(-84, 10_30))
	paid := b.pay(at(-73, 9_25), 13_137_60, invoice.BankTransfer, "HR 2411")
	b.refund(at(-57, 15_40), paid, 380_80, "Two training sessions did not take place.")
	b.credit(at(-57, 15_45), 380_80, "Two training sessions did not take place.")

	// Sent and not due yet; one still being written.
	s.draft(c.priya, c.holm, w.ordering, at(-9, 9_50), 21, "ordering 3", "As agreed: second half of the build.", []Client{c.ingrid, c.lukas},
		item{"Shop, checkout and counter view: second half", 1_00, 9_600_00, 19},
		item{"Pilot in Ottensen: on site, per day", 4_00, 760_00, 19}).send(at(-9, 10_05))
	s.draft(c.priya, c.holm, w.ordering, at(-3, 16_20), 31, "ordering 4", "", nil,
		item{"Allergen labels: template and import", 14_75, 95_00, 19},
		item{"Printed counter cards", 90_00, 1_35, 7})
}

func (s *story) vargaInvoices(c cast, w work) {
	b := s.draft(c.tom, c.varga, w.website, at(-252, 10_40), 14, "website 1", "First instalment of three.", nil,
		item{"Structure and content workshop", 1_00, 1_950_00, 19},
		item{"Design of the project pages", 1_00, 5_400_00, 19}).send(at(-252, 10_55))
	b.pay(at(-239, 9_05), 8_746_50, invoice.DirectDebit, "Mandate AV-01")

	// Void: sent with the wrong project, and sent anew.
	wrong := s.draft(c.tom, c.varga, domain.NoID, at(-176, 11_00), 14, "website 2, first try", "Second instalment of three.", nil,
		item{"Building the website: two of three milestones", 2_00, 4_100_00, 19}).send(at(-176, 11_10))
	wrong.void(at(-173, 9_40), "The second milestone was billed too early and the project was missing. Replaced by the next invoice.")
	b = s.draft(c.tom, c.varga, w.website, at(-173, 9_55), 14, "website 2", "Second instalment of three; replaces the one of last week.", []Client{c.daniel},
		item{"Building the website: first milestone", 1_00, 4_100_00, 19},
		item{"Image processing, per project", 29_00, 38_00, 19}).send(at(-173, 10_10))
	b.pay(at(-161, 9_05), 6_190_38, invoice.DirectDebit, "Mandate AV-01")

	b = s.draft(c.tom, c.varga, w.website, at(-92, 15_10), 14, "website 3", "Last instalment.", nil,
		item{"Building the website: second and third milestone", 2_00, 4_100_00, 19},
		item{"Sorting by material: two page designs", 1_00, 1_280_00, 19},
		item{"Discount for the long wait on the second milestone", 1_00, -400_00, 19}).send(at(-92, 15_30))
	b.pay(at(-79, 9_05), 10_805_20, invoice.DirectDebit, "Mandate AV-01")

	// Overdue and unpaid; part paid; by cheque.
	s.draft(c.tom, c.varga, w.website, at(-52, 10_20), 14, "website care", "Care, this quarter.", nil,
		item{"Hosting and care, per month", 3_00, 190_00, 19}).send(at(-52, 10_30)).overdue()
	b = s.draft(c.priya, c.varga, w.exhibition, at(-18, 11_20), 30, "exhibition 1", "First instalment of four.", []Client{c.daniel},
		item{"Exhibition concept, six rooms", 1_00, 7_200_00, 19},
		item{"Visit to the joinery, with travel", 1_00, 640_00, 19},
		item{"Reference books for the models", 8_00, 44_90, 7}).send(at(-18, 11_40))
	b.pay(at(-7, 9_15), 5_000_00, invoice.Cheque, "Cheque 000417")
	s.draft(c.priya, c.varga, w.exhibition, at(-2, 14_30), 32, "exhibition 2", "Second instalment of four.", []Client{c.daniel},
		item{"Design of panels and path", 1_00, 8_400_00, 19})
}

func (s *story) harbourInvoices(c cast, w work) {
	b := s.draft(c.tom, c.harbour, w.donations, at(-183, 10_50), 30, "donations 1", reverseCharge, nil,
		item{"Service design: giving, receipts, gifts in memory", 1_00, 4_800_00, 0},
		item{"Interviews with donors", 8_00, 145_00, 0}).send(at(-183, 11_05))
	b.pay(at(-160, 9_30), 5_960_00, invoice.BankTransfer, "HLT-0091")

	b = s.draft(c.tom, c.harbour, w.donations, at(-128, 9_40), 30, "donations 2", reverseCharge, nil,
		item{"Building the platform, per sprint", 3_00, 3_650_00, 0},
		item{"Direct debit: set-up with the bank", 1_00, 720_00, 0}).send(at(-128, 9_55))
	b.overdue()
	b.pay(at(-88, 9_30), 11_670_00, invoice.BankTransfer, "HLT-0104")

	// Paid, given back as a whole and credited as a whole.
	b = s.draft(c.tom, c.harbour, domain.NoID, at(-66, 13_20), 30, "campaign", reverseCharge, []Client{c.grace},
		item{"Winter campaign: concept, paid in advance", 1_00, 2_400_00, 0}).send(at(-66, 13_30))
	paid := b.pay(at(-54, 9_30), 2_400_00, invoice.BankTransfer, "HLT-0117")
	b.refund(at(-36, 11_15), paid, 2_400_00, "The trustees postponed the campaign by a year.")
	b.credit(at(-36, 11_20), 2_400_00, "The trustees postponed the campaign by a year.")

	// Credited in full before it was paid.
	b = s.draft(c.tom, c.harbour, w.donations, at(-49, 9_45), 30, "donations 3, first try", reverseCharge, nil,
		item{"Accessibility review", 1_00, 1_900_00, 0}).send(at(-49, 10_00))
	b.credit(at(-45, 14_10), 1_900_00, "The review is part of the agreed fee.")

	s.draft(c.tom, c.harbour, w.donations, at(-28, 10_30), 30, "donations 3", reverseCharge, nil,
		item{"Building the platform, per sprint", 2_00, 3_650_00, 0},
		item{"Trustees' dashboard", 1_00, 2_250_00, 0}).send(at(-28, 10_45))
}
