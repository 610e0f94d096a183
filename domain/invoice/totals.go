package invoice

import (
	"cmp"
	"fmt"
	"math/big"
	"slices"

	"github.com/atrium-portal/atrium/domain"
)

// Line is one line of a draft as given.
type Line struct {
	Description domain.Personal `json:"description"`
	Quantity    domain.Decimal  `json:"quantity"`
	UnitPrice   domain.Money    `json:"unit_price"` // without tax; negative for a discount
	TaxRate     domain.Decimal  `json:"tax_rate"`   // percent
}

// PricedLine is a line with its amount.
type PricedLine struct {
	Description domain.Personal `json:"description"`
	Quantity    domain.Decimal  `json:"quantity"`
	UnitPrice   domain.Money    `json:"unit_price"`
	TaxRate     domain.Decimal  `json:"tax_rate"`
	Net         domain.Money    `json:"net"` // unit price × quantity, rounded once
}

// Totals are the sums of an invoice: Net is the sum of the lines, Total is Net and the Tax of every group.
type Totals struct {
	Net    domain.Money `json:"net"`
	Tax    domain.Money `json:"tax"`
	Total  domain.Money `json:"total"`
	Groups []RateGroup  `json:"groups"` // by rising rate
	Rule   Rule         `json:"rule"`
}

// RateGroup is the part of an amount at one tax rate.
type RateGroup struct {
	Rate domain.Decimal `json:"rate"` // percent
	Base domain.Money   `json:"base"`
	Tax  domain.Money   `json:"tax"`
}

// Rule says how amounts were rounded and on what tax was counted.
type Rule struct {
	Rounding string `json:"rounding"`
	TaxPer   string `json:"tax_per"`
}

// currentRule describes what Price does.
func currentRule() Rule { return Rule{Rounding: "half_away_from_zero", TaxPer: "rate_group"} }

// Price gives each line its net amount and sums them up. Each line is rounded once, and so is the tax of each rate.
// The lines are of one currency. It fails with a fault of kind Invalid when an amount is beyond what we accept.
func Price(lines []Line) ([]PricedLine, Totals, error) {
	t := Totals{Rule: currentRule()}
	if len(lines) > 0 {
		t.Net.Currency = lines[0].UnitPrice.Currency
	}
	t.Tax, t.Total = t.Net, t.Net
	priced := make([]PricedLine, len(lines))
	bases := map[domain.Decimal]domain.Money{}
	for i, l := range lines {
		net, ok := l.UnitPrice.Times(l.Quantity)
		if !ok {
			return nil, Totals{}, tooLarge(linePath(i, "quantity"))
		}
		priced[i] = PricedLine{l.Description, l.Quantity, l.UnitPrice, l.TaxRate, net}
		t.Net = t.Net.Add(net)
		bases[l.TaxRate] = net.Add(bases[l.TaxRate])
	}
	for rate, base := range bases {
		tax, ok := base.Percent(rate)
		if !ok {
			return nil, Totals{}, tooLarge("lines")
		}
		t.Groups = append(t.Groups, RateGroup{rate, base, tax})
		t.Tax = t.Tax.Add(tax)
	}
	slices.SortFunc(t.Groups, func(a, b RateGroup) int { return cmp.Compare(a.Rate, b.Rate) })
	t.Total = t.Net.Add(t.Tax)
	if _, ok := t.Total.Times(domain.One); !ok {
		return nil, Totals{}, tooLarge("lines")
	}
	return priced, t, nil
}

func linePath(i int, field string) string { return fmt.Sprintf("lines[%d].%s", i, field) }

func tooLarge(field string) error {
	return &domain.Fault{Kind: domain.Invalid, Code: "invoice-too-large", Field: field, Message: "The amount is too large. Split it over several invoices."}
}

// part is the part of the totals that amount stands for: each base and each tax in proportion, and what rounding
// leaves goes to the largest base, so that the sum is exactly amount. The part of Total itself is the groups
// unchanged.
func (t Totals) part(amount domain.Money) []RateGroup {
	parts := make([]RateGroup, len(t.Groups))
	rest, largest := amount, 0
	for i, g := range t.Groups {
		parts[i] = RateGroup{g.Rate, proportion(amount, g.Base, t.Total), proportion(amount, g.Tax, t.Total)}
		rest = rest.Sub(parts[i].Base).Sub(parts[i].Tax)
		if g.Base.Amount > t.Groups[largest].Base.Amount {
			largest = i
		}
	}
	parts[largest].Base = parts[largest].Base.Add(rest)
	return parts
}

// proportion is amount × part ÷ whole, rounded half away from zero. whole is above zero.
func proportion(amount, part, whole domain.Money) domain.Money {
	product := new(big.Int).Mul(big.NewInt(amount.Amount), big.NewInt(part.Amount))
	half := big.NewInt(whole.Amount * int64(product.Sign()))
	product.Add(product.Add(product, product), half)
	return domain.Money{Amount: product.Quo(product, big.NewInt(2*whole.Amount)).Int64(), Currency: amount.Currency}
}
